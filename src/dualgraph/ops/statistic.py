"""Values by rank: medians and quantiles, with nan let through or left out.

All of them sort along one axis, into which the reduced ones are merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.along_axis import take_along_axis
from dualgraph.ops.apply import apply
from dualgraph.ops.bounds import ceil, floor, maximum
from dualgraph.ops.define import as_tensor, axes_of, floating, to_dtype
from dualgraph.ops.extreme import share_among_equals
from dualgraph.ops.joining import stack
from dualgraph.ops.logic import equal, isnan, logical_not, select
from dualgraph.ops.manipulation import reshape, transpose
from dualgraph.ops.reduction import kept_shape, mean, sum
from dualgraph.ops.registry import op
from dualgraph.ops.sorting import argsort, sort
from dualgraph.tensor import Array, Tensor

__all__ = ["median", "nanmedian", "nanquantile", "quantile"]

_INT64 = dtypes.int64.numpy


def _merged(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Merge the given axes of x into one, which comes last."""
    shape = x._data.shape
    kept = [i for i in range(len(shape)) if i not in axes]
    if axes != tuple(range(len(kept), len(shape))):
        x = transpose(x, [*kept, *axes])
    n = 1
    for i in axes:
        n *= shape[i]
    return reshape(x, [*[shape[i] for i in kept], n])


def _reduced(out: Tensor, shape: tuple[int, ...], axes: tuple[int, ...], keepdim: bool) -> Tensor:
    """Bring [..., 1] to the shape of a reduction over the axes that were merged."""
    kept = kept_shape(shape, axes)
    return reshape(out, kept if keepdim else [n for i, n in enumerate(shape) if i not in axes])


def _there(x: Tensor) -> Tensor:
    """How many along the last axis are not nan, with the axis kept."""
    return sum(logical_not(isnan(x)), -1, keepdim=True)


def _expand_ranked(x: Tensor, rank: Tensor) -> Tensor:
    return take_along_axis(sort(x, -1), rank, -1, broadcast=False)


@op(
    (
        lambda g, out, x, _rank: share_among_equals(g, out, x, (len(x.shape) - 1,), True),
        None,
    ),
    expand=_expand_ranked,
    infer=lambda x, rank: (rank.shape, x.dtype),
)
def _ranked(x: Array, rank: Array) -> Array:
    """The element of a given rank along the last axis, which is kept; equals share the gradient."""
    return np.take_along_axis(np.sort(x, -1), rank, -1)


# -- medians --------------------------------------------------------------------------------------


def _ranks(x: Tensor, there: Tensor, skip: bool) -> tuple[Tensor, Tensor]:
    """The ranks of the two middle elements, the same one twice if their number is odd."""
    low, high = maximum((there - 1) // 2, 0), there // 2
    if skip:
        return low, high
    # Where something is nan the last rank is, too.
    n = x._data.shape[-1]
    whole = equal(there, n)
    return select(whole, low, n - 1), select(whole, high, n - 1)


def _median(op_name: str, x: Any, axis: Any, keepdim: bool, mode: str, skip: bool) -> Any:
    x = as_tensor(op_name, x)
    if mode not in ("avg", "min"):
        raise ValueError(message(op_name, f"mode is {mode!r}", "expected 'avg' or 'min'"))
    if isinstance(axis, (list, tuple)) and not axis:
        raise ValueError(message(op_name, "axis is []", "expected an axis, or None for all"))
    if mode == "avg" and x._data.dtype != dtypes.float64.numpy:
        x = to_dtype(x, dtypes.float32.numpy)
    shape = x._data.shape
    axes = axes_of(op_name, axis, len(shape))
    lines = _merged(x, axes)
    if lines._data.shape[-1] == 0:
        return mean(floating(op_name, x), axes, keepdim)
    low, high = _ranks(lines, _there(lines), skip)
    if mode == "min":
        along_one = axis is not None and len(axes) < 2
        return _lower(lines, low, shape, axes, keepdim, along_one)
    out = apply(_ranked, (lines, low))
    if lines._data.shape[-1] % 2 == 0 or skip:
        out = (out + apply(_ranked, (lines, high))) / 2
    return _reduced(out, shape, axes, keepdim)


def _lower(
    x: Tensor,
    rank: Tensor,
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    keepdim: bool,
    indices: bool,
) -> Any:
    """The lower of two middle elements and, if asked for, where it is."""
    if not indices:
        return _reduced(apply(_ranked, (x, rank)), shape, axes, keepdim)
    places = take_along_axis(argsort(x, -1), rank, -1, broadcast=False)
    values = take_along_axis(x, places, -1, broadcast=False)
    return _reduced(values, shape, axes, keepdim), _reduced(places, shape, axes, keepdim)


def median(
    x: Tensor,
    axis: int | None = None,
    keepdim: bool = False,
    mode: str = "avg",
    name: str | None = None,
) -> Any:
    """The middle element along an axis, or of all; the mean of two if their number is even.

    nan if one is nan or there are none. float64 for float64, else float32. With `mode="min"` the
    lower of the two, in x's dtype, and along an axis its int64 index, too. Equals share the
    gradient evenly. ValueError for an axis out of range or another mode.

    >>> import dualgraph as dg
    >>> dg.median(dg.to_tensor([1.0, 7.0, 3.0, 4.0])).item()
    3.5
    """
    if isinstance(axis, (list, tuple)):
        raise ValueError(message("median", f"axis is {list(axis)}", "expected one axis, or None"))
    return _median("median", x, axis, keepdim, mode, skip=False)


def nanmedian(
    x: Tensor,
    axis: int | Sequence[int] | None = None,
    keepdim: bool = False,
    mode: str = "avg",
    name: str | None = None,
) -> Any:
    """The median of what is not nan over the given axes, or of all; nan where all is.

    As `median` otherwise.

    >>> import dualgraph as dg
    >>> dg.nanmedian(dg.to_tensor([1.0, float("nan"), 3.0, 4.0])).item()
    3.0
    """
    return _median("nanmedian", x, axis, keepdim, mode, skip=True)


# -- quantiles ------------------------------------------------------------------------------------


def _nearest(at: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The nearer of two neighbouring ranks, the even one half-way."""
    even = low / 2 == floor(low / 2)
    return select((at - low < 0.5) | ((at - low == 0.5) & even), low, high)


def _between(x: Tensor, last: Tensor, q: float, interpolation: str) -> Tensor:
    """The element of x, sorted, at the fraction q of the way to the last rank."""
    at = last * q
    low, high = floor(at), ceil(at)
    if interpolation in ("lower", "higher", "nearest"):
        rank = {"lower": low, "higher": high}.get(interpolation)
        if rank is None:
            rank = _nearest(at, low, high)
        return take_along_axis(x, to_dtype(rank, _INT64), -1, broadcast=False)
    a, b = (take_along_axis(x, to_dtype(r, _INT64), -1, broadcast=False) for r in (low, high))
    weight = 0.5 if interpolation == "midpoint" else to_dtype(at - low, x._data.dtype)
    # A single rank stands for itself: infinity less infinity would be nan.
    return select(low == high, a, a + (b - a) * weight)


def _fractions(op_name: str, q: Any) -> list[float]:
    if isinstance(q, Tensor):
        if q.ndim > 1:
            raise ValueError(message(op_name, f"q is {describe(q)}", "expected at most one axis"))
        q = q.tolist()
    elif isinstance(q, (np.ndarray, np.generic)):
        q = q.tolist()
    fractions = list(q) if isinstance(q, (list, tuple)) else [q]
    if not all(isinstance(f, (int, float)) for f in fractions):
        given = f"q is {describe(q)}"
        raise TypeError(message(op_name, given, "expected a number, a list of them, or a tensor"))
    if not fractions or not all(0 <= f <= 1 for f in fractions):
        given = f"q is {fractions}"
        raise ValueError(message(op_name, given, "expected one or more numbers from 0 to 1"))
    return [float(f) for f in fractions]


def _quantile(
    op_name: str,
    x: Any,
    q: Any,
    axis: Any,
    keepdim: bool,
    interpolation: str,
    skip: bool,
) -> Tensor:
    x = floating(op_name, x)
    fractions = _fractions(op_name, q)
    known = ("linear", "lower", "higher", "midpoint", "nearest")
    if interpolation not in known:
        given = f"interpolation is {interpolation!r}"
        raise ValueError(message(op_name, given, f"expected one of {', '.join(known)}"))
    shape = x._data.shape
    axes = axes_of(op_name, axis, len(shape))
    lines = _merged(x, axes)
    n = lines._data.shape[-1]
    if n == 0:
        outs = [mean(x, axes, keepdim) for _ in fractions]
        return outs[0] if len(outs) == 1 else stack(outs)
    there = _there(lines)
    last = maximum(to_dtype(there, dtypes.float64.numpy) - 1, 0.0)
    lines = sort(lines, -1)
    outs = []
    for fraction in fractions:
        out = _between(lines, last, fraction, interpolation)
        if not skip:
            out = select(equal(there, n), out, float("nan"))
        outs.append(_reduced(out, shape, axes, keepdim))
    return outs[0] if len(outs) == 1 else stack(outs)


def quantile(
    x: Tensor,
    q: float | Sequence[float] | Tensor,
    axis: int | Sequence[int] | None = None,
    keepdim: bool = False,
    interpolation: str = "linear",
    name: str | None = None,
) -> Tensor:
    """The element a fraction q of the way from the smallest to the largest, over some axes or all.

    Between two elements `interpolation` decides: linear, lower, higher, midpoint or nearest.
    Several fractions are stacked along a new first axis. nan if an element is nan or there are
    none. Floating. ValueError for fractions outside [0, 1], an axis out of range, or another
    interpolation; TypeError for fractions that are no numbers.

    >>> import dualgraph as dg
    >>> dg.quantile(dg.to_tensor([1.0, 2.0, 4.0, 8.0]), [0.0, 0.5]).tolist()
    [1.0, 3.0]
    """
    return _quantile("quantile", x, q, axis, keepdim, interpolation, skip=False)


def nanquantile(
    x: Tensor,
    q: float | Sequence[float] | Tensor,
    axis: int | Sequence[int] | None = None,
    keepdim: bool = False,
    interpolation: str = "linear",
    name: str | None = None,
) -> Tensor:
    """The quantile of what is not nan over the given axes, or of all; nan where all is.

    As `quantile` otherwise.

    >>> import dualgraph as dg
    >>> dg.nanquantile(dg.to_tensor([1.0, float("nan"), 3.0]), 0.5).item()
    2.0
    """
    return _quantile("nanquantile", x, q, axis, keepdim, interpolation, skip=True)
