"""Other products of tensors: outer, inner, Kronecker and cross products; and traces."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph.errors import message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, axis_of, operands
from dualgraph.ops.elementwise import multiply, subtract
from dualgraph.ops.indexing import gather_at
from dualgraph.ops.linalg import factors, matmul, rows
from dualgraph.ops.manipulation import reshape
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import op
from dualgraph.ops.slicing import diagonal
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["cross", "inner", "kron", "outer", "trace"]


def outer(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """The products of each element of x with each of y, [x.size, y.size].

    >>> import dualgraph as dg
    >>> dg.outer(dg.to_tensor([1, 2]), dg.to_tensor([3, 4])).tolist()
    [[3, 4], [6, 8]]
    """
    x, y = operands("outer", as_tensor("outer", x, "x"), as_tensor("outer", y, "y"))
    return multiply(reshape(x, (x.size, 1)), reshape(y, (1, y.size)))


def inner(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """The dot products of x's rows (its last axis) with y's, [*x.shape[:-1], *y.shape[:-1]].

    A tensor of one element scales the other. ValueError if the last axes differ.

    >>> import dualgraph as dg
    >>> dg.inner(dg.ones([2, 3]), dg.ones([4, 3])).shape
    [2, 4]
    """
    x, y = factors("inner", x, y)
    if x.size == 1 or y.size == 1:
        return multiply(x, y)
    a, b = x._data.shape, y._data.shape
    if a[-1] != b[-1]:
        given = f"x is {list(a)}, y is {list(b)}"
        raise ValueError(message("inner", given, "expected last axes of one size"))
    out = matmul(rows(x), rows(y), transpose_y=True)
    return reshape(out, (*a[:-1], *b[:-1]))


@op(
    (
        lambda g, _out, _x, y, axis: cross(y, g, axis),
        lambda g, _out, x, _y, axis: cross(g, x, axis),
    ),
    expand=lambda x, y, axis: subtract(
        multiply(_turned(x, 1, axis), _turned(y, 2, axis)),
        multiply(_turned(x, 2, axis), _turned(y, 1, axis)),
    ),
)
def _cross(x: Array, y: Array, *, axis: int) -> Any:
    return np.cross(x, y, axis=axis)


def _turned(x: Tensor, step: int, axis: int) -> Tensor:
    return gather_at(x, (wrap((np.arange(3) + step) % 3),), (axis,))


def cross(x: Tensor, y: Tensor, axis: int | None = 9, name: str | None = None) -> Tensor:
    """The cross products of the vectors of three elements along an axis.

    By default that is the first axis of size 3.

    ValueError unless x and y have the same shape and the axis has size 3.

    >>> import dualgraph as dg
    >>> dg.cross(dg.to_tensor([1.0, 0.0, 0.0]), dg.to_tensor([0.0, 1.0, 0.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    x, y = operands("cross", as_tensor("cross", x, "x"), as_tensor("cross", y, "y"))
    shape = x._data.shape
    if y._data.shape != shape:
        given = f"x is {list(shape)}, y is {y.shape}"
        raise ValueError(message("cross", given, "expected equal shapes"))
    if axis is None or axis == 9:
        axis = shape.index(3) if 3 in shape else -1
    if not shape or shape[axis := axis_of("cross", axis, len(shape))] != 3:
        raise ValueError(
            message("cross", f"x and y are {list(shape)}", "expected an axis of size 3")
        )
    return apply(_cross, (x, y), {"axis": axis})


def kron(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """The Kronecker product: each element of x times the whole of y, laid out as blocks.

    The shorter shape is filled up with ones in front.

    >>> import dualgraph as dg
    >>> dg.kron(dg.to_tensor([1, 2]), dg.to_tensor([1, 10])).tolist()
    [1, 10, 2, 20]
    """
    x, y = operands("kron", as_tensor("kron", x, "x"), as_tensor("kron", y, "y"))
    ndim = max(x.ndim, y.ndim)
    a = (1,) * (ndim - x.ndim) + x._data.shape
    b = (1,) * (ndim - y.ndim) + y._data.shape
    blocks = multiply(
        reshape(x, [n for size in a for n in (size, 1)]),
        reshape(y, [n for size in b for n in (1, size)]),
    )
    return reshape(blocks, [m * n for m, n in zip(a, b, strict=True)])


def trace(
    x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, name: str | None = None
) -> Tensor:
    """The sums of the diagonals of the matrices that two axes span.

    `offset` moves above the main diagonal, or below it if negative.

    IndexError for an axis out of range, ValueError for equal ones.

    >>> import dualgraph as dg
    >>> dg.trace(dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])).item()
    5.0
    """
    x = as_tensor("trace", x)
    return sum_of(diagonal(x, offset, axis1, axis2), -1, dtype=x.dtype)
