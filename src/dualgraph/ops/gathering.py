"""Picking elements by tensors of indices, and putting elements there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.bounds import clip
from dualgraph.ops.define import as_tensor, check_tensor
from dualgraph.ops.elementwise import add, mod, multiply
from dualgraph.ops.indexing import (
    gather_at,
    gathered_shape,
    in_dtype_of,
    integers,
    replace_at,
    scatter_add_at,
)
from dualgraph.ops.joining import Axis, stack
from dualgraph.ops.manipulation import broadcast_to, flatten, reshape
from dualgraph.ops.shapes import Shape, ShapeLike, sizes_of, strict_axis
from dualgraph.ops.slicing import pick
from dualgraph.ops.subscript import read_index
from dualgraph.tensor import Tensor, wrap

__all__ = [
    "gather",
    "gather_nd",
    "index_add",
    "index_fill",
    "index_put",
    "index_sample",
    "index_select",
    "multiplex",
    "scatter",
    "scatter_nd",
    "scatter_nd_add",
    "take",
]

Number: TypeAlias = bool | int | float


# -- along one axis -------------------------------------------------------------------------------


def _positions(op_name: str, index: Any, argument: str = "index") -> Tensor:
    """Integer indices [n], which may come as [n, 1]; ValueError for another shape."""
    found = integers(op_name, index, argument)
    shape = found._data.shape
    if len(shape) == 2 and shape[1] == 1:
        return reshape(found, shape[:1])
    if len(shape) > 1:
        given = f"{argument} is {describe(found)}"
        raise ValueError(message(op_name, given, "expected one axis, or a second of size 1"))
    return found


def gather(
    x: Tensor,
    index: Tensor,
    axis: Axis | None = None,
    name: str | None = None,
) -> Tensor:
    """The slices of x at integer indices [n] along an axis (the first by default), as a copy.

    A 0-d index takes the axis away. IndexError for an index out of range; TypeError for an index
    that is not integer; ValueError for an axis that x does not have or an index of more axes.

    >>> import dualgraph as dg
    >>> dg.gather(dg.to_tensor([[1, 2], [3, 4]]), dg.to_tensor([1, 1])).tolist()
    [[3, 4], [3, 4]]
    """
    x = as_tensor("gather", x)
    along = strict_axis("gather", 0 if axis is None else axis, x._data.ndim)
    return gather_at(x, (_positions("gather", index),), (along,))


def index_select(x: Tensor, index: Tensor, axis: int = 0, name: str | None = None) -> Tensor:
    """The slices of x at integer indices [n] along an axis, as a copy.

    Raises as `gather` does, and ValueError for a 0-d index.

    >>> import dualgraph as dg
    >>> dg.index_select(dg.to_tensor([[1, 2], [3, 4]]), dg.to_tensor([0]), axis=1).tolist()
    [[1], [3]]
    """
    x = as_tensor("index_select", x)
    along = strict_axis("index_select", axis, x._data.ndim)
    return gather_at(x, (_several("index_select", index),), (along,))


def _several(op_name: str, index: Any) -> Tensor:
    found = _positions(op_name, index)
    if not found.ndim:
        raise ValueError(message(op_name, "index is 0-d", "expected an integer tensor [n]"))
    return found


def index_add(
    x: Tensor,
    index: Tensor,
    axis: int,
    value: Tensor,
    alpha: Number = 1,
    name: str | None = None,
) -> Tensor:
    """`x` with `alpha` times the slices of a value added at integer indices [n] along an axis.

    An index that occurs several times is added to several times. ValueError unless the value has n
    slices of x's sizes; raises otherwise as `gather` does.

    >>> import dualgraph as dg
    >>> x, index = dg.zeros([3]), dg.to_tensor([0, 0])
    >>> dg.index_add(x, index, 0, dg.to_tensor([1.0, 2.0])).tolist()
    [3.0, 0.0, 0.0]
    """
    x = as_tensor("index_add", x)
    along = strict_axis("index_add", axis, x._data.ndim)
    rows = _several("index_add", index)
    value = in_dtype_of("index_add", check_tensor("index_add", value, "value"), x)
    sizes = x._data.shape
    expected = (*sizes[:along], rows._data.shape[0], *sizes[along + 1 :])
    _check_shape("index_add", "value", value, expected)
    scaled = value if alpha == 1 else multiply(value, alpha)
    return add(x, scatter_add_at(scaled, sizes, (rows,), (along,)))


def _check_shape(op_name: str, argument: str, x: Tensor, expected: Shape) -> None:
    if x._data.shape != expected:
        given = f"{argument} is {describe(x)}"
        raise ValueError(message(op_name, given, f"expected the shape {list(expected)}"))


def index_fill(
    x: Tensor, index: Tensor, axis: int, value: Number | Tensor, name: str | None = None
) -> Tensor:
    """`x` with the slices at integer indices [n] along an axis filled with a number or 0-d tensor.

    ValueError for a value with axes; raises otherwise as `gather` does.

    >>> import dualgraph as dg
    >>> dg.index_fill(dg.to_tensor([1, 2, 3]), dg.to_tensor([0, 2]), 0, 9).tolist()
    [9, 2, 9]
    """
    x = as_tensor("index_fill", x)
    along = strict_axis("index_fill", axis, x._data.ndim)
    if isinstance(value, Tensor) and value.ndim:
        given = f"value is {describe(value)}"
        raise ValueError(message("index_fill", given, "expected a number or a 0-d tensor"))
    return replace_at(x, value, (_several("index_fill", index),), (along,))


def scatter(
    x: Tensor,
    index: Tensor,
    updates: Tensor,
    overwrite: bool = True,
    name: str | None = None,
) -> Tensor:
    """`x` with its rows at integer indices [n] replaced by the first n updates.

    Of several updates for one row the last stays; with `overwrite=False` they are added up instead,
    to zeros. ValueError for fewer updates than indices or of other sizes than x's rows; raises
    otherwise as `gather` does.

    >>> import dualgraph as dg
    >>> x, index = dg.zeros([3]), dg.to_tensor([0, 0])
    >>> dg.scatter(x, index, dg.to_tensor([1.0, 2.0])).tolist()
    [2.0, 0.0, 0.0]
    >>> dg.scatter(x, index, dg.to_tensor([1.0, 2.0]), overwrite=False).tolist()
    [3.0, 0.0, 0.0]
    """
    x = as_tensor("scatter", x)
    strict_axis("scatter", 0, x._data.ndim)
    rows = _positions("scatter", index)
    updates = in_dtype_of("scatter", check_tensor("scatter", updates, "updates"), x)
    count = rows._data.shape
    if count and updates.ndim and updates._data.shape[0] > count[0]:
        updates = pick(updates, ((0, count[0], 1),))
    _check_shape("scatter", "updates", updates, (*count, *x._data.shape[1:]))
    if overwrite:
        return replace_at(x, updates, (rows,), (0,))
    added = scatter_add_at(updates, x._data.shape, (rows,), (0,))
    return add(replace_at(x, 0, (rows,), (0,)), added)


# -- at points ------------------------------------------------------------------------------------


def _points(op_name: str, index: Any, ndim: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Integer indices [..., k] of points, and their columns: one for each of the first k axes."""
    found = integers(op_name, index)
    if not found.ndim or found._data.shape[-1] > ndim:
        given = f"index is {describe(found)}, x has {ndim} axes"
        expected = f"expected at most {ndim} numbers on its last axis"
        raise ValueError(message(op_name, given, expected))
    whole = tuple((0, n, 1) for n in found._data.shape[:-1])
    return found, tuple(pick(found, (*whole, k)) for k in range(found._data.shape[-1]))


def gather_nd(x: Tensor, index: Tensor, name: str | None = None) -> Tensor:
    """The elements, or slices, of x at points: the last axis of the integer index names k axes.

    The result is [...] + x's last axes for an index [..., k], a copy. IndexError for an index out
    of range; TypeError for one that is not integer; ValueError if it names more axes than there
    are.

    >>> import dualgraph as dg
    >>> dg.gather_nd(dg.to_tensor([[1, 2], [3, 4]]), dg.to_tensor([[0, 1], [1, 0]])).tolist()
    [2, 3]
    """
    x = as_tensor("gather_nd", x)
    index, points = _points("gather_nd", index, x._data.ndim)
    if not points:
        return broadcast_to(x, (*index._data.shape[:-1], *x._data.shape))
    return gather_at(x, points, tuple(range(len(points))))


def scatter_nd(index: Tensor, updates: Tensor, shape: ShapeLike, name: str | None = None) -> Tensor:
    """Zeros of a shape, with updates added at points, which are named as for `gather_nd`.

    ValueError for updates that `gather_nd` would not give; raises otherwise as `gather_nd` does.

    >>> import dualgraph as dg
    >>> dg.scatter_nd(dg.to_tensor([[1], [1]]), dg.to_tensor([1.0, 2.0]), [3]).tolist()
    [0.0, 3.0, 0.0]
    """
    sizes = sizes_of("scatter_nd", shape)
    return _scattered("scatter_nd", index, check_tensor("scatter_nd", updates, "updates"), sizes)


def _scattered(op_name: str, index: Tensor, updates: Tensor, sizes: Shape) -> Tensor:
    index, points = _points(op_name, index, len(sizes))
    expected = (*index._data.shape[:-1], *sizes[len(points) :])
    _check_shape(op_name, "updates", updates, expected)
    if points:
        return scatter_add_at(updates, sizes, points, tuple(range(len(points))))
    # Points without numbers all name the whole: one more axis gives them something to name.
    first = wrap(np.zeros(index._data.shape[:-1], np.int64))
    return reshape(scatter_add_at(updates, (1, *sizes), (first,), (0,)), sizes)


def scatter_nd_add(x: Tensor, index: Tensor, updates: Tensor, name: str | None = None) -> Tensor:
    """`x` with updates added at points, named as for `gather_nd`; raises as `scatter_nd` does.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([1.0, 1.0])
    >>> dg.scatter_nd_add(x, dg.to_tensor([[1], [1]]), dg.to_tensor([1.0, 2.0])).tolist()
    [1.0, 4.0]
    """
    x = as_tensor("scatter_nd_add", x)
    updates = in_dtype_of("scatter_nd_add", check_tensor("scatter_nd_add", updates, "updates"), x)
    return add(x, _scattered("scatter_nd_add", index, updates, x._data.shape))


# -- several tensors of indices -------------------------------------------------------------------


def index_put(
    x: Tensor,
    indices: Sequence[Tensor],
    value: Tensor,
    accumulate: bool = False,
    name: str | None = None,
) -> Tensor:
    """`x` with a value, broadcast, at `x[indices]`, for integer or bool tensors of the first axes.

    Of several values for one element the last stays; with `accumulate` all are added to x.
    IndexError for an index out of range or a mask of the wrong shape, TypeError for what is no
    tensor of indices, ValueError for a value that does not fit.

    >>> import dualgraph as dg
    >>> at = (dg.to_tensor([0, 0]), dg.to_tensor([1, 1]))
    >>> dg.index_put(dg.zeros([1, 2]), at, dg.to_tensor([1.0, 2.0]), True).tolist()
    [[0.0, 3.0]]
    """
    x = as_tensor("index_put", x)
    if isinstance(indices, Tensor) or not indices or not all(_is_index(i) for i in indices):
        given = f"indices is {describe(indices)}"
        expected = "expected a tuple of integer or bool tensors, which have axes"
        raise TypeError(message("index_put", given, expected))
    found = read_index("index_put", x, tuple(indices))
    at, axes = found.indices, found.axes
    if not accumulate:
        number = value if isinstance(value, (int, float)) else as_tensor("index_put", value)
        return replace_at(x, number, at, axes, (), found.unique)
    value = in_dtype_of("index_put", as_tensor("index_put", value, "value"), x)
    shape, _, _ = gathered_shape(x._data.shape, [i._data for i in at], axes)
    return add(x, scatter_add_at(broadcast_to(value, shape), x._data.shape, at, axes))


def _is_index(index: Any) -> bool:
    return isinstance(index, Tensor) and (index.ndim > 0 or index._data.dtype.kind in "iu")


def index_sample(x: Tensor, index: Tensor) -> Tensor:
    """For each row of x [N, M] its elements at the same row of an integer index [N, K]; [N, K].

    IndexError for an index out of range; TypeError for one that is not integer; ValueError for
    other shapes.

    >>> import dualgraph as dg
    >>> dg.index_sample(dg.to_tensor([[1, 2], [3, 4]]), dg.to_tensor([[0, 0], [1, 0]])).tolist()
    [[1, 1], [4, 3]]
    """
    x, index = as_tensor("index_sample", x), integers("index_sample", index)
    if x.ndim != 2 or index.ndim != 2 or x._data.shape[0] != index._data.shape[0]:
        given = f"x is {describe(x)}, index is {describe(index)}"
        raise ValueError(message("index_sample", given, "expected two axes, and as many rows"))
    rows = wrap(np.arange(len(x._data)).reshape(-1, 1))
    return gather_at(x, (rows, index), (0, 1))


def multiplex(inputs: Sequence[Tensor], index: Tensor, name: str | None = None) -> Tensor:
    """Rows of several tensors of one shape: each from the one that an integer index [N, 1] names.

    IndexError for an index out of range; TypeError for one that is not integer; ValueError for
    other shapes.

    >>> import dualgraph as dg
    >>> x, y = dg.to_tensor([[1, 2], [3, 4]]), dg.to_tensor([[5, 6], [7, 8]])
    >>> dg.multiplex([x, y], dg.to_tensor([[1], [0]])).tolist()
    [[5, 6], [3, 4]]
    """
    layers = stack(inputs)
    chosen = _several("multiplex", index)
    if layers.ndim < 3 or chosen._data.shape[0] > layers._data.shape[1]:
        given = f"the inputs are {describe(inputs[0])}, index is {describe(index)}"
        expected = "expected at least two axes, and an index for each of the first rows"
        raise ValueError(message("multiplex", given, expected))
    rows = wrap(np.arange(chosen._data.shape[0]))
    return gather_at(layers, (chosen, rows), (0, 1))


def take(x: Tensor, index: Tensor, mode: str = "raise", name: str | None = None) -> Tensor:
    """The elements of x, taken as flat, at an integer index of any shape, which the result has.

    Out of range, mode "raise" raises IndexError, "wrap" begins anew and "clip" stays at the end
    (and takes negative indices for 0). TypeError for an index that is not integer, ValueError for
    another mode.

    >>> import dualgraph as dg
    >>> dg.take(dg.to_tensor([[1, 2], [3, 4]]), dg.to_tensor([3, 5]), mode="wrap").tolist()
    [4, 2]
    """
    x, index = flatten(as_tensor("take", x)), integers("take", index)
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(message("take", f"mode is {mode!r}", "expected 'raise', 'wrap' or 'clip'"))
    size = x._data.shape[0]
    if mode != "raise" and size:
        index = mod(index, size) if mode == "wrap" else clip(index, 0, size - 1)
    return gather_at(x, (index,), (0,))
