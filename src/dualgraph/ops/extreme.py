"""Extremes: the largest and smallest, where they are, and the smooth maximum."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, axes_of, axis_of, floating, to_dtype
from dualgraph.ops.elementwise import exp, log
from dualgraph.ops.logic import equal
from dualgraph.ops.manipulation import reshape
from dualgraph.ops.reduction import Axes, count_over, is_half, kept_shape, reduced_type, sum
from dualgraph.ops.registry import Op, op
from dualgraph.ops.scan import above_minus_infinity, finite_or_zero
from dualgraph.tensor import Array, Tensor

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "logsumexp",
    "max",
    "min",
    "share_among_equals",
]


# Typed loosely: numpy's own types want to know `keepdims` beforehand.
_largest: Any = np.maximum.reduce
_smallest: Any = np.minimum.reduce


def share_among_equals(
    g: Tensor, out: Tensor, x: Tensor, axis: tuple[int, ...], keepdim: bool
) -> Tensor:
    """The gradient of a value picked along axes, in equal parts to all elements that attain it."""
    kept = kept_shape(x.shape, axis)
    attained = to_dtype(equal(x, reshape(out, kept)), x._data.dtype)
    count = sum(attained, axis, keepdim=True)
    return attained * (reshape(g, kept) / count)


@op((share_among_equals,), infer=reduced_type)
def _max(x: Array, *, axis: tuple[int, ...], keepdim: bool) -> Any:
    return _largest(x, axis=axis, keepdims=keepdim)


@op((share_among_equals,), infer=reduced_type)
def _min(x: Array, *, axis: tuple[int, ...], keepdim: bool) -> Any:
    return _smallest(x, axis=axis, keepdims=keepdim)


def _without_nan(x: Array, least: float) -> Array:
    """Replace nan by what every other value beats; integers have none."""
    if x.dtype.kind in "biu":
        return x
    missing = np.isnan(x)
    return np.where(missing, x.dtype.type(least), x) if missing.any() else x


@op()
def _argmax(x: Array, *, axis: int | None, keepdim: bool, dtype: np.dtype[Any]) -> Any:
    return np.argmax(_without_nan(x, -np.inf), axis=axis, keepdims=keepdim).astype(dtype)


@op()
def _argmin(x: Array, *, axis: int | None, keepdim: bool, dtype: np.dtype[Any]) -> Any:
    return np.argmin(_without_nan(x, np.inf), axis=axis, keepdims=keepdim).astype(dtype)


def _pull_logsumexp(
    g: Tensor, out: Tensor, x: Tensor, axis: tuple[int, ...], keepdim: bool
) -> Tensor:
    kept = kept_shape(x.shape, axis)
    return exp(x - reshape(above_minus_infinity(out), kept)) * reshape(g, kept)


def _expand_logsumexp(x: Tensor, axis: tuple[int, ...], keepdim: bool) -> Tensor:
    shape = x._data.shape
    if count_over(shape, axis) == 0:
        return log(sum(x, axis, keepdim=keepdim))
    top = finite_or_zero(apply(_max, (x,), {"axis": axis, "keepdim": True}))
    out = log(sum(exp(x - top), axis, keepdim=True)) + top
    return out if keepdim else reshape(out, [n for i, n in enumerate(shape) if i not in axis])


@op((_pull_logsumexp,), expand=_expand_logsumexp, infer=reduced_type)
def _logsumexp(x: Array, *, axis: tuple[int, ...], keepdim: bool) -> Any:
    wide = x.astype(np.float32) if is_half(x) else x
    top = np.maximum.reduce(wide, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, wide.dtype.type(0))
    total = np.add.reduce(np.exp(wide - top), axis=axis, keepdims=True)
    out = (np.log(total) + top).astype(x.dtype, copy=False)
    return out if keepdim else np.squeeze(out, axis=axis)


def _extreme(kind: Op, x: Any, axis: Axes, keepdim: bool) -> Tensor:
    x = as_tensor(kind.name, x)
    attrs = {"axis": axes_of(kind.name, axis, x._data.ndim), "keepdim": bool(keepdim)}
    return apply(kind, (x,), attrs)


def max(x: Tensor, axis: Axes = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The largest element over the given axes, all by default; nan if one is nan.

    Equals share the gradient evenly. ValueError for an axis out of range or given twice, or of size
    0.

    >>> import dualgraph as dg
    >>> dg.max(dg.to_tensor([[1.0, 5.0], [4.0, 2.0]]), axis=1).tolist()
    [5.0, 4.0]
    """
    return _extreme(_max, x, axis, keepdim)


def min(x: Tensor, axis: Axes = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The smallest element over the given axes, all by default; nan if one is nan.

    Equals share the gradient evenly. ValueError for an axis out of range or given twice, or of size
    0.

    >>> import dualgraph as dg
    >>> dg.min(dg.to_tensor([[1.0, 5.0], [4.0, 2.0]]), axis=1).tolist()
    [1.0, 2.0]
    """
    return _extreme(_min, x, axis, keepdim)


def amax(x: Tensor, axis: Axes = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The largest element over the given axes: `max` under another name.

    >>> import dualgraph as dg
    >>> dg.amax(dg.to_tensor([1.0, 5.0, 4.0])).item()
    5.0
    """
    return _extreme(_max, x, axis, keepdim)


def amin(x: Tensor, axis: Axes = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The smallest element over the given axes: `min` under another name.

    >>> import dualgraph as dg
    >>> dg.amin(dg.to_tensor([1.0, 5.0, 4.0])).item()
    1.0
    """
    return _extreme(_min, x, axis, keepdim)


def _place(kind: Op, x: Any, axis: int | None, keepdim: bool, dtype: DTypeLike) -> Tensor:
    x = as_tensor(kind.name, x)
    places = dtypes.as_numpy(dtype)
    if places.kind != "i" or places.itemsize < 4:
        given = f"dtype is {places.name}"
        raise ValueError(message(kind.name, given, "expected int32 or int64"))
    if axis is not None:
        axis = axis_of(kind.name, axis, x._data.ndim)
    return apply(kind, (x,), {"axis": axis, "keepdim": bool(keepdim), "dtype": places})


def argmax(
    x: Tensor,
    axis: int | None = None,
    keepdim: bool = False,
    dtype: DTypeLike = "int64",
    name: str | None = None,
) -> Tensor:
    """The index of the largest element along an axis, or among all in order if none is given.

    Of equals the first; nan is passed over. ValueError for an axis out of range or of size 0, or
    another dtype than int32 and int64.

    >>> import dualgraph as dg
    >>> dg.argmax(dg.to_tensor([[1.0, 5.0], [4.0, 2.0]]), axis=1).tolist()
    [1, 0]
    """
    return _place(_argmax, x, axis, keepdim, dtype)


def argmin(
    x: Tensor,
    axis: int | None = None,
    keepdim: bool = False,
    dtype: DTypeLike = "int64",
    name: str | None = None,
) -> Tensor:
    """The index of the smallest element along an axis, or among all in order if none is given.

    Of equals the first; nan is passed over. ValueError for an axis out of range or of size 0, or
    another dtype than int32 and int64.

    >>> import dualgraph as dg
    >>> dg.argmin(dg.to_tensor([[1.0, 5.0], [4.0, 2.0]]), axis=1).tolist()
    [0, 1]
    """
    return _place(_argmin, x, axis, keepdim, dtype)


def logsumexp(
    x: Tensor, axis: Axes = None, keepdim: bool = False, name: str | None = None
) -> Tensor:
    """The logarithm of the sum of exponentials over the given axes, without overflow; floating.

    -inf where there is nothing to add or all is -inf. ValueError for an axis out of range or given
    twice.

    >>> import dualgraph as dg
    >>> dg.logsumexp(dg.to_tensor([1000.0, 1000.0])).item()
    1000.6931762695312
    """
    x = floating("logsumexp", x)
    attrs = {"axis": axes_of("logsumexp", axis, x._data.ndim), "keepdim": bool(keepdim)}
    return apply(_logsumexp, (x,), attrs)
