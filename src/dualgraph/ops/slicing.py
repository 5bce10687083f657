"""Regular regions of a tensor: basic indices, slices, crops, diagonals, reversed axes; sizes.

A basic index is written here as a tuple with one item per axis, from the first on: an int picks, a
`(start, stop, step)` slices, None makes a new axis. Ints are not negative and in range; `stop` is
None only where a negative step runs past the front. Axes that no item speaks of are kept whole.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from dualgraph.errors import message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, to_dtype
from dualgraph.ops.logic import select
from dualgraph.ops.manipulation import broadcast_to, clone, reshape, swapaxes, transpose
from dualgraph.ops.registry import op
from dualgraph.ops.shapes import Axes, Shape, ShapeLike, sizes_of, strict_axes
from dualgraph.tensor import Array, Tensor, wrap

__all__ = [
    "BasicIndex",
    "crop",
    "diagonal",
    "flip",
    "getitem_op",
    "is_empty",
    "native",
    "numel",
    "pick",
    "place",
    "placed_diagonal",
    "rank",
    "replaced",
    "rot90",
    "setitem_op",
    "shape",
    "slice",
    "span",
    "strided_slice",
]

Span: TypeAlias = tuple[int, int | None, int]
BasicIndex: TypeAlias = tuple[int | Span | None, ...]


@functools.lru_cache(maxsize=8192)
def native(index: BasicIndex) -> tuple[Any, ...]:
    """A basic index as numpy takes it. The ellipsis makes a picked element a 0-d view."""
    return (*[builtins.slice(*i) if type(i) is tuple else i for i in index], Ellipsis)


def span(index: builtins.slice, size: int) -> Span:
    """A slice as a basic index of an axis; ValueError for step 0, TypeError without integers."""
    start, stop, step = index.indices(size)
    if start < 0:
        return 0, 0, step
    return start, None if stop < 0 else stop, step


# -- the three ops of a basic index ---------------------------------------------------------------


@op((lambda g, _out, _x, index: place(g, _x.shape, index),), view=True)
def _getitem(x: Array, *, index: BasicIndex) -> Array:
    return x[native(index)]  # type: ignore[no-any-return]  # numpy types it as Any


def pick(x: Tensor, index: BasicIndex) -> Tensor:
    """The region of x that a basic index shows, as a view."""
    return apply(_getitem, (x,), {"index": index})


@op((lambda g, _out, _x, shape, index: pick(g, index),))
def _place(x: Array, *, shape: Shape, index: BasicIndex) -> Array:
    out = np.zeros(shape, x.dtype)
    out[native(index)] = x
    return out


def place(x: Tensor, shape: Shape, index: BasicIndex) -> Tensor:
    """Zeros of a shape, with x in the region that a basic index shows."""
    return apply(_place, (x,), {"shape": shape, "index": index})


def _expanded_setitem(x: Tensor, value: Any, *, index: BasicIndex) -> Tensor:
    region = x._data[native(index)].shape
    inside = place(broadcast_to(wrap(np.array(True)), region), x._data.shape, index)
    if not isinstance(value, Tensor):
        return select(inside, wrap(np.asarray(value).astype(x._data.dtype)), x)
    fitted = reshape(value, value._data.shape[max(value.ndim - len(region), 0) :])
    fitted = broadcast_to(to_dtype(fitted, x._data.dtype), region)
    return select(inside, place(fitted, x._data.shape, index), x)


def _value_gradient(g: Tensor, _out: Any, _x: Any, _value: Any, index: BasicIndex) -> Tensor:
    region = pick(g, index)
    missing = len(_value.shape) - region.ndim
    return reshape(region, (*[1] * missing, *region._data.shape)) if missing > 0 else region


@op(
    (lambda g, _out, _x, _value, index: replaced(g, 0, index), _value_gradient),
    name="setitem",
    expand=_expanded_setitem,
)
def _setitem(x: Array, value: Any, *, index: BasicIndex) -> Array:
    out = x.copy()
    out[native(index)] = value
    return out


def replaced(x: Tensor, value: Any, index: BasicIndex) -> Tensor:
    """`x` with the region that a basic index shows replaced by a value, as a copy."""
    return apply(_setitem, (x, value), {"index": index})


# The records, for writes in place and for views that are made many at a time.
getitem_op, setitem_op = _getitem, _setitem


# -- slices ---------------------------------------------------------------------------------------


def slice(input: Tensor, axes: Axes, starts: ShapeLike, ends: ShapeLike) -> Tensor:
    """The slices `start:end` of x along the given axes, as a view.

    Ends count and are cut off as in Python. ValueError for an axis that x does not have, or if
    there are not as many starts and ends as axes.

    >>> import dualgraph as dg
    >>> dg.slice(dg.to_tensor([0, 1, 2, 3]), [0], [1], [-1]).tolist()
    [1, 2]
    """
    return _sliced("slice", as_tensor("slice", input, "input"), axes, starts, ends, None)


def strided_slice(
    x: Tensor,
    axes: Axes,
    starts: ShapeLike,
    ends: ShapeLike,
    strides: ShapeLike,
    name: str | None = None,
) -> Tensor:
    """The slices `start:end:stride` of x along the given axes, as a view.

    Ends count and are cut off as in Python. ValueError for an axis that x does not have, for a
    stride of 0, or if there are not as many starts, ends and strides as axes.

    >>> import dualgraph as dg
    >>> dg.strided_slice(dg.to_tensor([0, 1, 2, 3]), [0], [3], [0], [-2]).tolist()
    [3, 1]
    """
    return _sliced("strided_slice", as_tensor("strided_slice", x), axes, starts, ends, strides)


def _sliced(
    op_name: str, x: Tensor, axes: Axes, starts: ShapeLike, ends: ShapeLike, strides: Any
) -> Tensor:
    old = x._data.shape
    along = strict_axes(op_name, axes, len(old))
    first, last = sizes_of(op_name, starts, (), "starts"), sizes_of(op_name, ends, (), "ends")
    steps = (1,) * len(along) if strides is None else sizes_of(op_name, strides, (), "strides")
    if not len(along) == len(first) == len(last) == len(steps):
        given = f"axes is {list(along)}, starts {list(first)}, ends {list(last)}"
        raise ValueError(message(op_name, given, "expected equally many of each"))
    if 0 in steps:
        raise ValueError(message(op_name, f"strides is {list(steps)}", "expected no 0"))
    index: list[Span] = [(0, n, 1) for n in old]
    for axis, start, stop, step in zip(along, first, last, steps, strict=True):
        index[axis] = span(builtins.slice(start, stop, step), old[axis])
    return pick(x, tuple(index))


def crop(
    x: Tensor,
    shape: ShapeLike | None = None,
    offsets: ShapeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """The block of a given shape that begins at the given offsets (0 by default), as a copy.

    A -1 in `shape` means up to the end of the axis; by default all of x. ValueError if the block
    does not lie in x.

    >>> import dualgraph as dg
    >>> dg.crop(dg.to_tensor([[0, 1, 2], [3, 4, 5]]), [-1, 2], [0, 1]).tolist()
    [[1, 2], [4, 5]]
    """
    old = as_tensor("crop", x)._data.shape
    sizes = old if shape is None else sizes_of("crop", shape)
    first = (0,) * len(old) if offsets is None else sizes_of("crop", offsets, (), "offsets")
    if not len(sizes) == len(first) == len(old) or any(
        offset < 0 or size < -1 or offset + max(size, 0) > n
        for size, offset, n in zip(sizes, first, old, strict=True)
    ):
        given = f"x is {list(old)}, shape is {list(sizes)}, offsets are {list(first)}"
        raise ValueError(message("crop", given, "expected a block that lies in x"))
    index = tuple(
        (offset, n if size < 0 else offset + size, 1)
        for size, offset, n in zip(sizes, first, old, strict=True)
    )
    return clone(pick(x, index))


# -- reversed axes --------------------------------------------------------------------------------


def _expanded_flip(x: Tensor, *, axis: Shape) -> Tensor:
    index = (
        span(builtins.slice(None, None, -1 if i in axis else 1), n)
        for i, n in enumerate(x._data.shape)
    )
    return clone(pick(x, tuple(index)))


@op((lambda g, _out, _x, axis: flip(g, axis),), expand=_expanded_flip)
def _flip(x: Array, *, axis: Shape) -> Array:
    return np.flip(x, axis).copy()


def flip(x: Tensor, axis: Axes, name: str | None = None) -> Tensor:
    """`x` with the elements in reverse order along the given axes, as a copy.

    ValueError for an axis that x does not have or that is named twice.

    >>> import dualgraph as dg
    >>> dg.flip(dg.to_tensor([[1, 2], [3, 4]]), 0).tolist()
    [[3, 4], [1, 2]]
    """
    x = as_tensor("flip", x)
    return apply(_flip, (x,), {"axis": strict_axes("flip", axis, x._data.ndim)})


def rot90(x: Tensor, k: int = 1, axes: Sequence[int] = (0, 1), name: str | None = None) -> Tensor:
    """`x` turned k times by 90 degrees in the plane of two axes, from the first towards the second.

    ValueError unless the two are different axes of x.

    >>> import dualgraph as dg
    >>> dg.rot90(dg.to_tensor([[1, 2], [3, 4]])).tolist()
    [[2, 4], [1, 3]]
    """
    x = as_tensor("rot90", x)
    plane = strict_axes("rot90", list(axes), x._data.ndim)
    if len(plane) != 2:
        raise ValueError(message("rot90", f"axes is {list(axes)}", "expected two axes"))
    a, b = plane
    turns = k % 4
    if turns == 2:
        return flip(x, plane)
    if turns == 1:
        return swapaxes(flip(x, b), a, b)
    return flip(swapaxes(x, a, b), b) if turns else x


# -- diagonals ------------------------------------------------------------------------------------


class _Diagonal:
    """Where a diagonal lies: the axes moved last, and the diagonal as a slice of the two merged."""

    def __init__(self, shape: Shape, offset: int, axis1: int, axis2: int) -> None:
        kept = [i for i in range(len(shape)) if i not in (axis1, axis2)]
        rows, columns = shape[axis1], shape[axis2]
        length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
        first = offset if offset > 0 else -offset * columns
        self.perm = (*kept, axis1, axis2)
        self.batch = tuple(shape[i] for i in kept)
        self.matrix = (rows, columns)
        self.merged = (*self.batch, rows * columns)
        whole = tuple((0, n, 1) for n in self.batch)
        # Behind the last element; a step further could lie outside.
        end = first + (length - 1) * (columns + 1) + 1 if length else 0
        self.index: BasicIndex = (*whole, (first if length else 0, end, columns + 1))


def _expanded_diagonal(x: Tensor, *, offset: int, axis1: int, axis2: int) -> Tensor:
    where = _Diagonal(x._data.shape, offset, axis1, axis2)
    return pick(reshape(transpose(x, where.perm), where.merged), where.index)


def _expanded_place(x: Tensor, *, shape: Shape, offset: int, axis1: int, axis2: int) -> Tensor:
    where = _Diagonal(shape, offset, axis1, axis2)
    matrices = reshape(place(x, where.merged, where.index), (*where.batch, *where.matrix))
    return transpose(matrices, sorted(range(len(shape)), key=where.perm.__getitem__))


@op(
    (lambda g, _out, _x, offset, axis1, axis2: placed_diagonal(g, _x.shape, offset, axis1, axis2),),
    view=True,
    expand=_expanded_diagonal,
)
def _diagonal(x: Array, *, offset: int, axis1: int, axis2: int) -> Array:
    out = np.diagonal(x, offset, axis1, axis2)
    # numpy hands out diagonals read-only.
    out.flags.writeable = x.flags.writeable
    return out


@op(
    (lambda g, _out, _x, shape, offset, axis1, axis2: diagonal(g, offset, axis1, axis2),),
    expand=_expanded_place,
)
def _place_diagonal(x: Array, *, shape: Shape, offset: int, axis1: int, axis2: int) -> Array:
    out = np.zeros(shape, x.dtype)
    shown = np.diagonal(out, offset, axis1, axis2)
    shown.flags.writeable = True
    shown[...] = x
    return out


def placed_diagonal(x: Tensor, shape: Shape, offset: int, axis1: int, axis2: int) -> Tensor:
    """Zeros of a shape, with x on a diagonal."""
    attrs = {"shape": shape, "offset": offset, "axis1": axis1, "axis2": axis2}
    return apply(_place_diagonal, (x,), attrs)


def diagonal(
    x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1, name: str | None = None
) -> Tensor:
    """A diagonal of the matrices that two axes of x span, as the last axis of a view.

    A positive offset goes above the main diagonal, a negative one below. ValueError unless the two
    are different axes of x.

    >>> import dualgraph as dg
    >>> dg.diagonal(dg.to_tensor([[1, 2], [3, 4]])).tolist()
    [1, 4]
    """
    x = as_tensor("diagonal", x)
    a, b = strict_axes("diagonal", (axis1, axis2), x._data.ndim)
    return apply(_diagonal, (x,), {"offset": int(offset), "axis1": a, "axis2": b})


# -- sizes as tensors -----------------------------------------------------------------------------


def shape(input: Tensor) -> Tensor:
    """The sizes of all axes, as an int64 tensor [ndim].

    >>> import dualgraph as dg
    >>> dg.shape(dg.zeros([2, 3])).tolist()
    [2, 3]
    """
    return wrap(np.array(as_tensor("shape", input)._data.shape, np.int64))


def rank(input: Tensor) -> Tensor:
    """The number of axes, as a 0-d int32 tensor."""
    return wrap(np.array(as_tensor("rank", input)._data.ndim, np.int32))


def numel(x: Tensor, name: str | None = None) -> Tensor:
    """The number of elements, as a 0-d int64 tensor."""
    return wrap(np.array(as_tensor("numel", x)._data.size, np.int64))


def is_empty(x: Tensor, name: str | None = None) -> Tensor:
    """Whether x has no elements, as a 0-d bool tensor."""
    return wrap(np.array(as_tensor("is_empty", x)._data.size == 0))
