"""Order: sorting, the largest few, values by rank, and searching in sorted sequences.

Equals keep their order, ascending and descending; nan counts as larger than everything. Values are
gathered by their indices, so gradients are scattered back to where the values came from.
"""

from __future__ import annotations

import operator
from typing import Any, Literal, NamedTuple

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.along_axis import take_along_axis
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, axis_of, check_tensor
from dualgraph.ops.manipulation import reshape, squeeze
from dualgraph.ops.registry import op
from dualgraph.ops.slicing import pick
from dualgraph.tensor import Array, Tensor

__all__ = [
    "TopK",
    "argsort",
    "bucketize",
    "kthvalue",
    "mode",
    "msort",
    "searchsorted",
    "sort",
    "topk",
]


class TopK(NamedTuple):
    """What `topk` returns."""

    values: Tensor
    indices: Tensor


@op()
def _argsort(x: Array, *, axis: int, descending: bool) -> Any:
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    # Sorted from behind and read from behind, equals keep their order.
    found = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(found, axis)


def _places(x: Tensor, axis: int, descending: bool) -> Tensor:
    return apply(_argsort, (x,), {"axis": axis, "descending": descending})


def _unsort(g: Tensor, _out: Any, x: Tensor, axis: int, descending: bool) -> Tensor:
    if not x._data.ndim:
        return g
    inverse = _places(_places(x, axis, descending), axis, False)
    return take_along_axis(g, inverse, axis, broadcast=False)


@op((_unsort,))
def _sort(x: Array, *, axis: int, descending: bool) -> Array:
    if not x.ndim:
        return x.copy()
    out = np.sort(x, axis=axis)
    return np.flip(out, axis).copy() if descending else out


def sort(
    x: Tensor,
    axis: int = -1,
    descending: bool = False,
    stable: bool = False,
    name: str | None = None,
) -> Tensor:
    """The elements of x in order along an axis; nan comes last, or first if descending.

    The order is stable always. ValueError for an axis out of range.

    >>> import dualgraph as dg
    >>> dg.sort(dg.to_tensor([3.0, 1.0, 2.0]), descending=True).tolist()
    [3.0, 2.0, 1.0]
    """
    x = as_tensor("sort", x)
    attrs = {
        "axis": axis_of("sort", axis, x._data.ndim),
        "descending": bool(descending),
    }
    return apply(_sort, (x,), attrs)


def argsort(
    x: Tensor,
    axis: int = -1,
    descending: bool = False,
    stable: bool = False,
    name: str | None = None,
) -> Tensor:
    """The int64 indices that put x in order along an axis; equals stay in order, nan is last.

    Descending, nan comes first, and equals stay in order, too. ValueError for an axis out of range.

    >>> import dualgraph as dg
    >>> dg.argsort(dg.to_tensor([3.0, 1.0, 2.0])).tolist()
    [1, 2, 0]
    """
    x = as_tensor("argsort", x)
    return _places(x, axis_of("argsort", axis, x._data.ndim), bool(descending))


def msort(input: Tensor, name: str | None = None) -> Tensor:
    """The elements of x in ascending order along its first axis.

    >>> import dualgraph as dg
    >>> dg.msort(dg.to_tensor([[3, 1], [2, 4]])).tolist()
    [[2, 1], [3, 4]]
    """
    return sort(input, 0)


# -- the largest few, and values by rank ----------------------------------------------------------


def _expand_topk(x: Tensor, *, k: int, axis: int, largest: bool) -> Tensor:
    index = tuple((0, k if i == axis else n, 1) for i, n in enumerate(x._data.shape))
    return pick(_places(x, axis, largest), index)


@op(expand=_expand_topk)
def _topk_indices(x: Array, *, k: int, axis: int, largest: bool) -> Array:
    """The first k of `argsort`, without sorting everything where there is much to sort."""
    n = x.shape[axis]
    if n < 256 or k > n // 4 or (x.dtype.kind not in "biu" and np.isnan(x).any()):
        found = _argsort.forward(x, axis=axis, descending=largest)
        return np.take(found, np.arange(k), axis)
    lines = np.moveaxis(x, axis, -1)
    shape = (*lines.shape[:-1], k)
    lines = lines.reshape(-1, n)
    rank = n - k if largest else k - 1
    bound = np.partition(lines, rank, axis=-1)[:, rank, None]
    inside = lines > bound if largest else lines < bound
    missing = k - np.add.reduce(inside, axis=-1, keepdims=True)
    equals = lines == bound
    # Of those equal to the bound, the first ones fill up.
    inside |= equals & (np.add.accumulate(equals, axis=-1, dtype=np.int64) <= missing)
    places = np.nonzero(inside)[1].reshape(-1, k)
    values = np.take_along_axis(lines, places, -1)
    order = _argsort.forward(values, axis=1, descending=largest)
    found = np.take_along_axis(places, order, -1).reshape(shape)
    return np.ascontiguousarray(np.moveaxis(found, -1, axis))


def _wanted(op_name: str, k: Any, n: int) -> int:
    """How many, or which rank: an int from 1 to n."""
    try:
        number = operator.index(k)
    except (TypeError, ValueError):
        given = f"k is {describe(k)}"
        raise TypeError(message(op_name, given, "expected an int")) from None
    if not 1 <= number <= n:
        given = f"k is {number}, the axis has {n} elements"
        raise ValueError(message(op_name, given, f"expected 1 to {n}"))
    return number


def topk(
    x: Tensor,
    k: int | Tensor,
    axis: int | None = None,
    largest: bool = True,
    sorted: bool = True,
    name: str | None = None,
) -> TopK:
    """The k largest (or smallest) elements along an axis, by default the last, and their indices.

    They come in order always; of equals the first, and nan is the largest. ValueError for an axis
    out of range, or if k is not from 1 to its size.

    >>> import dualgraph as dg
    >>> values, indices = dg.topk(dg.to_tensor([1.0, 4.0, 3.0]), 2)
    >>> values.tolist(), indices.tolist()
    ([4.0, 3.0], [1, 2])
    """
    x = as_tensor("topk", x)
    if not x._data.ndim:
        values, indices = topk(reshape(x, [1]), k, axis, largest)
        return TopK(reshape(values, []), reshape(indices, []))
    axis = axis_of("topk", -1 if axis is None else axis, x._data.ndim)
    k = _wanted("topk", k, x._data.shape[axis])
    indices = apply(_topk_indices, (x,), {"k": k, "axis": axis, "largest": bool(largest)})
    return TopK(take_along_axis(x, indices, axis, broadcast=False), indices)


def _picked(x: Tensor, indices: Tensor, axis: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """Values at indices of size 1 along an axis, and the indices, with or without that axis."""
    values = take_along_axis(x, indices, axis, broadcast=False)
    if keepdim:
        return values, indices
    return squeeze(values, axis), squeeze(indices, axis)


def kthvalue(
    x: Tensor,
    k: int,
    axis: int | None = None,
    keepdim: bool = False,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The k-th smallest element, from 1, along an axis, by default the last, and its int64 index.

    nan is the largest. ValueError for an axis out of range, or if k is not from 1 to its size.

    >>> import dualgraph as dg
    >>> value, index = dg.kthvalue(dg.to_tensor([5.0, 1.0, 3.0]), 2)
    >>> value.item(), index.item()
    (3.0, 2)
    """
    x = as_tensor("kthvalue", x)
    if not x._data.ndim:
        values, indices = kthvalue(reshape(x, [1]), k, axis, True)
        return reshape(values, []), reshape(indices, [])
    axis = axis_of("kthvalue", -1 if axis is None else axis, x._data.ndim)
    shape = x._data.shape
    at = _wanted("kthvalue", k, shape[axis]) - 1
    index = tuple((at, at + 1, 1) if i == axis else (0, n, 1) for i, n in enumerate(shape))
    return _picked(x, pick(_places(x, axis, False), index), axis, keepdim)


@op()
def _mode_indices(x: Array, *, axis: int) -> Array:
    """Where along an axis, which is kept, the smallest of the most frequent values stands last."""
    lines = np.moveaxis(x, axis, -1)
    shape = (*lines.shape[:-1], 1)
    found = [_mode_of(line) for line in lines.reshape(-1, lines.shape[-1])]
    return np.moveaxis(np.array(found, np.int64).reshape(shape), -1, axis)


def _mode_of(line: Array) -> int:
    values, counts = np.unique(line, return_counts=True)
    value = values[np.argmax(counts)]
    same = np.isnan(line) if np.isnan(value) else line == value
    return int(np.nonzero(same)[0][-1])


def mode(
    x: Tensor, axis: int = -1, keepdim: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The most frequent element along an axis, the smallest of several, and its last int64 index.

    ValueError for an axis out of range or of size 0.

    >>> import dualgraph as dg
    >>> value, index = dg.mode(dg.to_tensor([2.0, 1.0, 2.0, 3.0]))
    >>> value.item(), index.item()
    (2.0, 2)
    """
    x = as_tensor("mode", x)
    if not x._data.ndim:
        values, indices = mode(reshape(x, [1]), 0, True)
        return reshape(values, []), reshape(indices, [])
    axis = axis_of("mode", axis, x._data.ndim)
    if x._data.shape[axis] == 0:
        raise ValueError(message("mode", f"x is {describe(x)}", f"axis {axis} has no elements"))
    return _picked(x, apply(_mode_indices, (x,), {"axis": axis}), axis, keepdim)


# -- searching ------------------------------------------------------------------------------------


def _same_shape(sequence: Any, values: Any, *, right: bool, dtype: np.dtype[Any]) -> Any:
    return values.shape, dtype


@op(infer=_same_shape)
def _searchsorted(sequence: Array, values: Array, *, right: bool, dtype: np.dtype[Any]) -> Any:
    side: Literal["left", "right"] = "right" if right else "left"
    if sequence.ndim == 1:
        return np.asarray(np.searchsorted(sequence, values, side)).astype(dtype)
    out = np.empty(values.shape, dtype)
    for row in np.ndindex(*sequence.shape[:-1]):
        out[row] = np.searchsorted(sequence[row], values[row], side)
    return out


def searchsorted(
    sorted_sequence: Tensor,
    values: Tensor,
    out_int32: bool = False,
    right: bool = False,
    name: str | None = None,
    *,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where values would be inserted into ascending sequences, so that these stay in order.

    A sequence [n] takes values of any shape; sequences [..., n] take values [..., m] with the same
    leading axes. The index is the first that fits, or the last with `right` or `side="right"`;
    int64 unless `out_int32`. `sorter` holds the order of a sequence that is not sorted. ValueError
    for other shapes or an unknown side, TypeError for what is no Tensor.

    >>> import dualgraph as dg
    >>> dg.searchsorted(dg.to_tensor([1, 3, 5, 7]), dg.to_tensor([0, 3, 6])).tolist()
    [0, 1, 3]
    """
    sequence = check_tensor("searchsorted", sorted_sequence, "sorted_sequence")
    values = check_tensor("searchsorted", values, "values")
    if side not in (None, "left", "right"):
        given = f"side is {side!r}"
        raise ValueError(message("searchsorted", given, "expected 'left' or 'right'"))
    if sorter is not None:
        sequence = take_along_axis(sequence, check_tensor("searchsorted", sorter, "sorter"), -1)
    if not sequence.ndim or (sequence.ndim > 1 and sequence.shape[:-1] != values.shape[:-1]):
        given = f"sorted_sequence is {describe(sequence)}, values is {describe(values)}"
        expected = "expected a sequence of one axis, or the same leading axes"
        raise ValueError(message("searchsorted", given, expected))
    dtype = dtypes.int32.numpy if out_int32 else dtypes.int64.numpy
    attrs = {"right": bool(right) or side == "right", "dtype": dtype}
    return apply(_searchsorted, (sequence, values), attrs)


def bucketize(
    x: Tensor,
    sorted_sequence: Tensor,
    out_int32: bool = False,
    right: bool = False,
    name: str | None = None,
) -> Tensor:
    """The bucket of each element of x between ascending bounds [n]: how many bounds lie below it.

    With `right`, bounds that equal the element count as below. ValueError unless the bounds have
    one axis; TypeError for what is no Tensor.

    >>> import dualgraph as dg
    >>> dg.bucketize(dg.to_tensor([0, 3, 6]), dg.to_tensor([1, 3, 5, 7])).tolist()
    [0, 1, 3]
    """
    bounds = check_tensor("bucketize", sorted_sequence, "sorted_sequence")
    if bounds.ndim != 1:
        given = f"sorted_sequence is {describe(bounds)}"
        raise ValueError(message("bucketize", given, "expected one axis"))
    return searchsorted(bounds, check_tensor("bucketize", x), out_int32, right)
