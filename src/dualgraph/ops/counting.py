"""Counting: which values there are, and how often they occur."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, apply_many
from dualgraph.ops.define import as_tensor, axis_of
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "bincount",
    "histogram",
    "histogram_bin_edges",
    "unique",
    "unique_consecutive",
]


# -- which ----------------------------------------------------------------------------------------


@op(dynamic=True)
def _unique(
    x: Array, *, axis: int | None, extras: tuple[bool, bool, bool], dtype: np.dtype[Any]
) -> tuple[Array, ...]:
    index, inverse, counts = extras
    distinct: Any = np.unique
    found = distinct(x, index, inverse, counts, axis, equal_nan=False)
    if True not in extras:
        return (found,)
    values, *others = found
    return values, *(other.reshape(-1).astype(dtype) for other in others)


@op(dynamic=True)
def _unique_consecutive(
    x: Array, *, axis: int | None, extras: tuple[bool, bool], dtype: np.dtype[Any]
) -> tuple[Array, ...]:
    lines = x.reshape(-1) if axis is None else np.moveaxis(x, axis, 0)
    n = len(lines)
    changed = np.ones(n, np.bool_)
    if n > 1:
        changed[1:] = (lines[1:] != lines[:-1]).reshape(n - 1, -1).any(1)
    first = np.nonzero(changed)[0]
    values = lines[first]
    outs = [values if axis is None else np.ascontiguousarray(np.moveaxis(values, 0, axis))]
    if extras[0]:
        outs.append((np.cumsum(changed) - 1).astype(dtype))
    if extras[1]:
        outs.append(np.diff(first, append=n).astype(dtype))
    return tuple(outs)


def _distinct(record: Any, x: Tensor, axis: Any, extras: tuple[bool, ...], dtype: Any) -> Any:
    x = as_tensor(record.name, x)
    index_type = dtypes.as_numpy(dtype)
    if index_type.kind != "i" or index_type.itemsize < 4:
        given = f"dtype is {index_type.name}"
        raise ValueError(message(record.name, given, "expected int32 or int64 for the indices"))
    if axis is not None:
        axis = axis_of(record.name, axis, x._data.ndim)
    attrs = {
        "axis": axis if x._data.ndim else None,
        "extras": extras,
        "dtype": index_type,
    }
    outs = apply_many(record, (x,), attrs)
    return outs if len(outs) > 1 else outs[0]


def unique(
    x: Tensor,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    dtype: DTypeLike = "int64",
    sorted: bool = True,
    name: str | None = None,
) -> Any:
    """The distinct elements of x in ascending order, or the distinct slices along an axis.

    Each nan is its own.     If asked for, with where each stands first, with which of them each
    element is, and with how often each occurs, as a tuple of tensors of `dtype`. No gradient flows.
    ValueError for an axis out of range or another dtype than int32 and int64.

    >>> import dualgraph as dg
    >>> values, counts = dg.unique(dg.to_tensor([3, 1, 3]), return_counts=True)
    >>> values.tolist(), counts.tolist()
    ([1, 3], [1, 2])
    """
    extras = (bool(return_index), bool(return_inverse), bool(return_counts))
    return _distinct(_unique, x, axis, extras, dtype)


def unique_consecutive(
    x: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    dtype: DTypeLike = "int64",
    name: str | None = None,
) -> Any:
    """Reduce each run of equal elements in x, or of equal slices along an axis, to one.

    If asked for, with which of them each element is and how long each run is, as a tuple of tensors
    of `dtype`. No gradient flows. ValueError for an axis out of range or another dtype than int32
    and int64.

    >>> import dualgraph as dg
    >>> dg.unique_consecutive(dg.to_tensor([1, 1, 2, 2, 1])).tolist()
    [1, 2, 1]
    """
    extras = (bool(return_inverse), bool(return_counts))
    return _distinct(_unique_consecutive, x, axis, extras, dtype)


# -- how often ------------------------------------------------------------------------------------


def _bin_range(x: Array, low: float, high: float) -> tuple[float, float]:
    """The range of a histogram: as given, or from the values if both bounds are 0."""
    if low == high == 0 and x.size:
        low, high = float(x.min()), float(x.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            given = f"the values range from {low} to {high}"
            raise ValueError(
                message("histogram", given, "expected finite values, or a min and max")
            )
    if low == high:
        return low - 0.5, high + 0.5
    return low, high


def _histogram_type(_x: Any, weight: Any, *, bins: int, low: Any, high: Any, density: bool) -> Any:
    dtype = dtypes.int64.numpy if weight is None and not density else dtypes.float32.numpy
    return (bins,), dtype


@op(infer=_histogram_type)
def _histogram(
    x: Array, weight: Array | None, *, bins: int, low: float, high: float, density: bool
) -> Array:
    values = x.reshape(-1).astype(np.float64)
    weights = None if weight is None else weight.reshape(-1).astype(np.float64)
    limits = _bin_range(values, low, high)
    counts, _ = np.histogram(values, bins, limits, density=density, weights=weights)
    return counts.astype(
        _histogram_type(x, weight, bins=bins, low=low, high=high, density=density)[1]
    )


@op(infer=lambda _x, *, bins, low, high: ((bins + 1,), dtypes.float32.numpy))
def _histogram_bin_edges(x: Array, *, bins: int, low: float, high: float) -> Array:
    limits = _bin_range(x.reshape(-1).astype(np.float64), low, high)
    return np.linspace(*limits, bins + 1).astype(np.float32)


def _bins(op_name: str, bins: Any, low: Any, high: Any) -> dict[str, Any]:
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)):
        raise TypeError(message(op_name, f"bins is {describe(bins)}", "expected an int"))
    if bins < 1:
        raise ValueError(message(op_name, f"bins is {bins}", "expected 1 or more"))
    low, high = float(low), float(high)
    if not low <= high or not np.isfinite(low) or not np.isfinite(high):
        given = f"min is {low}, max is {high}"
        raise ValueError(message(op_name, given, "expected finite bounds, the smaller first"))
    return {"bins": int(bins), "low": low, "high": high}


def histogram(
    input: Tensor,
    bins: int = 100,
    min: float = 0.0,
    max: float = 0.0,
    weight: Tensor | None = None,
    density: bool = False,
    name: str | None = None,
) -> Tensor:
    """How many elements fall into each of `bins` equal intervals from `min` to `max`, included.

    Both 0 means from the smallest to the largest element; elements outside are left out. int64;
    float32 with weights (of input's shape) or as a density, whose integral is 1. ValueError for no
    bins, max below min, a range that is not finite or weights of another shape.

    >>> import dualgraph as dg
    >>> dg.histogram(dg.to_tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3).tolist()
    [0, 2, 1, 0]
    """
    x = as_tensor("histogram", input, "input")
    attrs = _bins("histogram", bins, min, max)
    if weight is not None:
        weight = as_tensor("histogram", weight, "weight")
        if weight._data.shape != x._data.shape:
            given = f"input is {describe(x)}, weight is {describe(weight)}"
            raise ValueError(message("histogram", given, "expected equal shapes"))
    return apply(_histogram, (x, weight), {**attrs, "density": bool(density)})


def histogram_bin_edges(
    input: Tensor,
    bins: int = 100,
    min: float = 0.0,
    max: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """The bins + 1 edges of the intervals that `histogram` counts in, as float32; errors as there.

    >>> import dualgraph as dg
    >>> dg.histogram_bin_edges(dg.to_tensor([1.0, 5.0]), bins=2).tolist()
    [1.0, 3.0, 5.0]
    """
    x = as_tensor("histogram_bin_edges", input, "input")
    return apply(_histogram_bin_edges, (x,), _bins("histogram_bin_edges", bins, min, max))


@op(dynamic=True)
def _bincount(x: Array, weights: Array | None, *, minlength: int) -> Array:
    if x.size and x.min() < 0:
        given = f"the smallest element is {x.min()}"
        raise ValueError(message("bincount", given, "expected none below 0"))
    out = np.bincount(x, weights, minlength)
    return out.astype(np.float32) if weights is not None and weights.dtype == np.float32 else out


def bincount(
    x: Tensor,
    weights: Tensor | None = None,
    minlength: int = 0,
    name: str | None = None,
) -> Tensor:
    """How often each number from 0 to the largest occurs in a tensor [n] of integers, as int64.

    With weights [n] their sum for each number, in float32 if they are, else in float64. At least
    `minlength` numbers are counted. TypeError unless x holds integers; ValueError for other shapes,
    a negative element or minlength.

    >>> import dualgraph as dg
    >>> dg.bincount(dg.to_tensor([1, 2, 1, 4])).tolist()
    [0, 2, 1, 0, 1]
    """
    x = as_tensor("bincount", x)
    if x._data.dtype.kind not in "iu":
        raise TypeError(message("bincount", f"x is {describe(x)}", "expected integers"))
    if x._data.ndim != 1:
        raise ValueError(message("bincount", f"x is {describe(x)}", "expected one axis"))
    if minlength < 0:
        raise ValueError(message("bincount", f"minlength is {minlength}", "expected 0 or more"))
    if weights is not None:
        weights = as_tensor("bincount", weights, "weights")
        if weights._data.shape != x._data.shape:
            given = f"x is {describe(x)}, weights is {describe(weights)}"
            raise ValueError(message("bincount", given, "expected equal shapes"))
    return apply(_bincount, (x, weights), {"minlength": int(minlength)})
