"""Products of matrices and vectors: matmul and what is built of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import Operand, as_tensor, axis_of, to_dtype
from dualgraph.ops.elementwise import add, multiply
from dualgraph.ops.manipulation import reshape
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "addmm",
    "baddbmm",
    "bmm",
    "dot",
    "factors",
    "matmul",
    "mm",
    "multi_dot",
    "mv",
    "outer_sum",
    "product",
    "rows",
    "rows_times",
    "vecdot",
]

_FLAGS = {
    (x, y): {"transpose_x": x, "transpose_y": y} for x in (False, True) for y in (False, True)
}
_PLAIN = _FLAGS[False, False]
_dots: Any = np.vecdot  # whose stub lacks the axis


def product(x: Array, y: Array) -> Any:
    """The matrix product of two arrays, of which only the first may be 1-D, the fastest way."""
    if x.itemsize == 2 and x.dtype.kind not in "iu":
        wide: Any = np.matmul(x.astype(np.float32), y.astype(np.float32))
        return wide.astype(x.dtype)
    if y.ndim == 2:
        if x.ndim == 2:
            return np.dot(x, y)
        rows = x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
        return np.dot(rows, y).reshape(*x.shape[:-1], y.shape[1])
    return np.matmul(x, y)


def _swapped(shape: Sequence[int], swap: bool) -> tuple[int, ...]:
    return (*shape[:-2], shape[-1], shape[-2]) if swap else tuple(shape)


def _matmul_type(x: Any, y: Any, *, transpose_x: bool, transpose_y: bool) -> Any:
    a, b = _swapped(x.shape, transpose_x), _swapped(y.shape, transpose_y)
    return (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1]), x.dtype


def _matmul_dx(g: Any, _out: Any, _x: Any, y: Any, transpose_x: bool, transpose_y: bool) -> Tensor:
    if transpose_x:
        return apply(_matmul, (y, g), _FLAGS[transpose_y, True])
    return apply(_matmul, (g, y), _FLAGS[False, not transpose_y])


def _matmul_dy(g: Any, _out: Any, x: Any, _y: Any, transpose_x: bool, transpose_y: bool) -> Tensor:
    if len(_y.shape) == 2 and x.ndim > 2 and not transpose_x:
        # One matrix for a whole batch: sum over the batch inside the product, not after it.
        return outer_sum(g, x) if transpose_y else outer_sum(x, g)
    if transpose_y:
        return apply(_matmul, (g, x), _FLAGS[True, transpose_x])
    return apply(_matmul, (x, g), _FLAGS[not transpose_x, False])


@op((_matmul_dx, _matmul_dy), infer=_matmul_type)
def _matmul(x: Array, y: Array, *, transpose_x: bool, transpose_y: bool) -> Any:
    a = x.swapaxes(-1, -2) if transpose_x else x
    b = y.swapaxes(-1, -2) if transpose_y else y
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(_mismatch("matmul", x, y, a, b))
    try:
        return product(a, b)
    except ValueError as failure:
        given = f"x is {list(x.shape)}, y is {list(y.shape)}"
        batches = f"axes {list(x.shape[:-2])} and {list(y.shape[:-2])} before the matrices"
        raise ValueError(message("matmul", given, f"{batches} do not broadcast")) from failure


def _mismatch(name: str, x: Any, y: Any, a: Any, b: Any) -> str:
    transposed = " once transposed"
    return (
        f"[{name}] x is {list(x.shape)}, y is {list(y.shape)}: "
        f"x has {a.shape[-1]} columns{transposed if a is not x else ''}, "
        f"y has {b.shape[-2]} rows{transposed if b is not y else ''}"
    )


def factors(op_name: str, x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Two operands of a product in x's dtype, as Paddle has it.

    TypeError for an integer x with a floating y, which would lose its fractions, and for bools.
    """
    x, y = as_tensor(op_name, x, "x"), as_tensor(op_name, y, "y")
    integers = x._data.dtype.kind in "biu"
    if x._data.dtype.kind == "b" or (integers and y._data.dtype.kind not in "iu"):
        given = f"x is {describe(x)}, y is {describe(y)}"
        raise TypeError(message(op_name, given, "expected numbers of one kind", "cast them first"))
    return x, to_dtype(y, x._data.dtype)


def matmul(
    x: Tensor,
    y: Operand,
    transpose_x: bool = False,
    transpose_y: bool = False,
    name: str | None = None,
) -> Tensor:
    """The matrix product of x and y, each with its last two axes swapped first if asked.

    Axes before the last two broadcast. A 1-D x is a row and a 1-D y a column, whatever the flags;
    the axis of size 1 that they add is dropped again. y is cast to x's dtype. ValueError for sizes
    that do not fit, TypeError for an integer x with a floating y, and for bools.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> dg.matmul(x, x, transpose_y=True).tolist()
    [[5.0, 11.0], [11.0, 25.0]]
    """
    if not (
        isinstance(x, Tensor)
        and isinstance(y, Tensor)
        and x._data.dtype is y._data.dtype
        and x._data.dtype.kind == "f"
    ):
        x, y = factors("matmul", x, y)
    if x._data.ndim < 2 or y._data.ndim < 2:
        return _with_vector(x, y, bool(transpose_x), bool(transpose_y))
    return apply(_matmul, (x, y), _FLAGS[bool(transpose_x), bool(transpose_y)])


def rows_times(g: Tensor, weight: Tensor) -> Tensor:
    """`g @ weight.T`, for operands known to fit: the gradient of a layer's input."""
    if g._data.ndim < 2:
        return matmul(g, weight, transpose_y=True)
    return apply(_matmul, (g, weight), _FLAGS[False, True])


def _with_vector(x: Tensor, y: Tensor, transpose_x: bool, transpose_y: bool) -> Tensor:
    a, b = x._data.shape, y._data.shape
    if not a or not b:
        given = f"x is {list(a)}, y is {list(b)}"
        raise ValueError(message("matmul", given, "expected at least one axis", "use multiply"))
    columns = a[-2] if transpose_x and len(a) > 1 else a[-1]
    rows = b[-1] if transpose_y and len(b) > 1 else b[max(-2, -len(b))]
    if columns != rows:
        given = f"x is {list(a)}, y is {list(b)}: x has {columns} columns, y has {rows} rows"
        raise ValueError(message("matmul", given))
    row, column = len(a) == 1, len(b) == 1
    flags = _FLAGS[transpose_x and not row, transpose_y and not column]
    out = apply(
        _matmul,
        (reshape(x, (1, *a)) if row else x, reshape(y, (*b, 1)) if column else y),
        flags,
    )
    shape = list(out._data.shape)
    if row:
        del shape[-2]
    if column:
        del shape[-1]
    return reshape(out, shape)


def _outer_sum_by_matmul(x: Tensor, y: Tensor) -> Tensor:
    return matmul(rows(x), rows(y), transpose_x=True)


def rows(x: Tensor) -> Tensor:
    """The rows of x, its last axis, as a matrix."""
    shape = x._data.shape
    return reshape(x, (math.prod(shape[:-1]), shape[-1]))


@op(
    (
        lambda g, _out, _x, y: apply(_matmul, (y, g), _FLAGS[False, True]),
        lambda g, _out, x, _y: apply(_matmul, (x, g), _PLAIN),
    ),
    expand=_outer_sum_by_matmul,
    infer=lambda x, y: ((x.shape[-1], y.shape[-1]), x.dtype),
)
def _outer_sum(x: Array, y: Array) -> Any:
    rows = math.prod(x.shape[:-1])
    return product(x.reshape(rows, x.shape[-1]).T, y.reshape(rows, y.shape[-1]))


def outer_sum(x: Tensor, y: Tensor) -> Tensor:
    """The outer products of last axes, summed over all others: the gradient of a weight."""
    return apply(_outer_sum, (x, y))


def mm(input: Tensor, mat2: Tensor, name: str | None = None) -> Tensor:
    """The matrix product of two tensors, as `matmul` without its flags.

    >>> import dualgraph as dg
    >>> dg.mm(dg.ones([2, 3]), dg.ones([3, 4])).shape
    [2, 4]
    """
    return matmul(input, mat2)


def bmm(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """The products of two batches of as many matrices, [B, M, K] and [B, K, N].

    ValueError unless both have three axes and equal batches.

    >>> import dualgraph as dg
    >>> dg.bmm(dg.ones([5, 2, 3]), dg.ones([5, 3, 4])).shape
    [5, 2, 4]
    """
    x, y = factors("bmm", x, y)
    if x.ndim != 3 or y.ndim != 3 or x._data.shape[0] != y._data.shape[0]:
        given = f"x is {x.shape}, y is {y.shape}"
        remedy = "use matmul, which broadcasts"
        raise ValueError(message("bmm", given, "expected [B, M, K] and [B, K, N]", remedy))
    return matmul(x, y)


def mv(x: Tensor, vec: Tensor, name: str | None = None) -> Tensor:
    """The product of a matrix and a vector.

    ValueError unless x is 2-D, vec 1-D and their sizes fit.

    >>> import dualgraph as dg
    >>> dg.mv(dg.to_tensor([[1.0, 2.0], [3.0, 4.0]]), dg.to_tensor([1.0, 1.0])).tolist()
    [3.0, 7.0]
    """
    x, vec = factors("mv", x, vec)
    if x.ndim != 2 or vec.ndim != 1 or x._data.shape[1] != vec._data.shape[0]:
        given = f"x is {x.shape}, vec is {vec.shape}"
        raise ValueError(message("mv", given, "expected [M, N] and [N]"))
    return matmul(x, vec)


@op(
    (
        lambda g, _out, _x, y, axis: _along(g, axis, _x) * y,
        lambda g, _out, x, _y, axis: _along(g, axis, _y) * x,
    ),
    expand=lambda x, y, axis: sum_of(multiply(x, y), axis, dtype=x.dtype),
)
def _vecdot(x: Array, y: Array, *, axis: int) -> Any:
    return _dots(x, y, axis=axis)


def _along(g: Tensor, axis: int, like: Any) -> Tensor:
    """A gradient with the axis that was summed put back, of size 1."""
    shape = list(like.shape)
    shape[axis] = 1
    return reshape(g, shape)


def vecdot(x: Tensor, y: Tensor, axis: int = -1, name: str | None = None) -> Tensor:
    """The dot products of the vectors that lie along one axis of x and y, which broadcast.

    >>> import dualgraph as dg
    >>> dg.linalg.vecdot(dg.to_tensor([[1.0, 2.0], [3.0, 4.0]]), dg.to_tensor([1.0, 10.0])).tolist()
    [21.0, 43.0]
    """
    x, y = factors("vecdot", x, y)
    if x._data.shape != y._data.shape:
        return sum_of(multiply(x, y), axis, dtype=x.dtype)
    return apply(_vecdot, (x, y), {"axis": axis_of("vecdot", axis, x.ndim)})


def dot(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """The dot product of two vectors, or of each row of x with the same row of y.

    ValueError unless both have the same shape, of one or two axes.

    >>> import dualgraph as dg
    >>> dg.dot(dg.to_tensor([1.0, 2.0]), dg.to_tensor([3.0, 4.0])).item()
    11.0
    """
    x, y = factors("dot", x, y)
    if x._data.shape != y._data.shape or x.ndim not in (1, 2):
        given = f"x is {x.shape}, y is {y.shape}"
        raise ValueError(message("dot", given, "expected equal shapes of one or two axes"))
    return apply(_vecdot, (x, y), {"axis": x.ndim - 1})


def addmm(
    input: Tensor,
    x: Tensor,
    y: Tensor,
    beta: float = 1.0,
    alpha: float = 1.0,
    name: str | None = None,
) -> Tensor:
    """`beta * input + alpha * x @ y` for two matrices; input broadcasts to the product's shape.

    ValueError for sizes that do not fit.

    >>> import dualgraph as dg
    >>> dg.addmm(dg.ones([2]), dg.ones([2, 3]), dg.ones([3, 2]), alpha=2.0).tolist()
    [[7.0, 7.0], [7.0, 7.0]]
    """
    return _plus_product("addmm", 2, input, x, y, beta, alpha)


def baddbmm(
    input: Tensor,
    x: Tensor,
    y: Tensor,
    beta: float = 1.0,
    alpha: float = 1.0,
    name: str | None = None,
) -> Tensor:
    """`beta * input + alpha * x @ y` for two batches of matrices; input broadcasts.

    ValueError for sizes that do not fit.

    >>> import dualgraph as dg
    >>> dg.baddbmm(dg.ones([5, 1, 2]), dg.ones([5, 2, 3]), dg.ones([5, 3, 2])).shape
    [5, 2, 2]
    """
    return _plus_product("baddbmm", 3, input, x, y, beta, alpha)


def _plus_product(
    name: str, ndim: int, base: Any, x: Any, y: Any, beta: float, alpha: float
) -> Tensor:
    base, (x, y) = as_tensor(name, base, "input"), factors(name, x, y)
    if x.ndim != ndim or y.ndim != ndim:
        given = f"x is {x.shape}, y is {y.shape}"
        raise ValueError(message(name, given, f"expected {ndim} axes each"))
    out = matmul(x, y)
    lead = out._data.shape[: ndim - base.ndim]
    if not all(a in (1, b) for a, b in zip(base.shape, out.shape[len(lead) :], strict=True)):
        given = f"input is {base.shape}, x @ y is {out.shape}"
        raise ValueError(message(name, given, "input does not broadcast to the product"))
    scaled = out if alpha == 1.0 else multiply(out, alpha)
    return add(base if beta == 1.0 else multiply(base, beta), scaled)


def multi_dot(x: Sequence[Tensor], name: str | None = None) -> Tensor:
    """The product of several matrices, multiplied in the order that takes the fewest operations.

    The first and the last may be vectors. ValueError for fewer than two tensors or sizes that do
    not fit. The order is found by dynamic programming (Cormen et al., Introduction to Algorithms,
    matrix-chain multiplication).

    >>> import dualgraph as dg
    >>> dg.linalg.multi_dot([dg.ones([10, 2]), dg.ones([2, 10]), dg.ones([10, 1])]).shape
    [10, 1]
    """
    xs = [as_tensor("multi_dot", each) for each in x]
    inside = all(each.ndim == 2 for each in xs[1:-1])
    if len(xs) < 2 or not inside or any(each.ndim not in (1, 2) for each in xs):
        given = f"given shapes {[each.shape for each in xs]}"
        expected = "expected two or more matrices, of which the outer ones may be vectors"
        raise ValueError(message("multi_dot", given, expected))
    heights = [1 if i == 0 and each.ndim == 1 else each.shape[0] for i, each in enumerate(xs)]
    width = 1 if xs[-1].ndim == 1 else xs[-1].shape[1]
    cuts = _cheapest_cuts([*heights, width])
    return _chain(xs, cuts, 0, len(xs) - 1)


def _cheapest_cuts(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to cut each stretch of a chain of matrices, matrix i being sizes[i] by sizes[i + 1]."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    cuts: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            price = {
                k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            }
            cuts[i, j] = min(price, key=price.__getitem__)
            cost[i, j] = price[cuts[i, j]]
    return cuts


def _chain(xs: list[Tensor], cuts: dict[tuple[int, int], int], i: int, j: int) -> Tensor:
    if i == j:
        return xs[i]
    k = cuts[i, j]
    return matmul(_chain(xs, cuts, i, k), _chain(xs, cuts, k + 1, j))
