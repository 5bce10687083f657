"""Running reductions along one axis: sums, products, sums of exponentials, extremes.

`recurrence` is the one scan their derivatives need, and it is its own derivative's kind: s[t] =
b[t] + a[t] s[t-1] turns backward into the same recurrence in the other direction. So they hold to
any order, at zeros, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.along_axis import take_along_axis
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, axis_of, floating, to_dtype
from dualgraph.ops.elementwise import exp, log, subtract
from dualgraph.ops.joining import concat, part_of
from dualgraph.ops.logic import equal, isfinite, not_equal, select
from dualgraph.ops.manipulation import clone, reshape
from dualgraph.ops.registry import op
from dualgraph.ops.slicing import pick
from dualgraph.tensor import Array, Tensor

__all__ = [
    "above_minus_infinity",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "diff",
    "finite_or_zero",
    "logcumsumexp",
    "products_of_others",
]


def _accumulate(ufunc: Any, x: Array, axis: int, dtype: Any) -> Any:
    """The running reduction of x in a dtype of its own; one element for a 0-d array."""
    if x.ndim == 0:
        return x.copy()
    return ufunc.accumulate(x, axis=axis, dtype=dtype).astype(x.dtype, copy=False)


def _wide(x: Array) -> Any:
    """The dtype to add and multiply in: half precision is accumulated in float32."""
    return np.float32 if x.itemsize == 2 and x.dtype.kind not in "iu" else x.dtype


def _turned(x: Array, axis: int, reverse: bool) -> Array:
    return np.flip(x, axis) if reverse and x.ndim else x


@op((lambda g, _out, _x, axis, reverse: _sums(g, axis, not reverse),))
def _cumsum(x: Array, *, axis: int, reverse: bool) -> Any:
    x = _turned(x, axis, reverse)
    return _turned(_accumulate(np.add, x, axis, _wide(x)), axis, reverse)


@op(
    (
        lambda g, _out, x, axis, reverse: (
            _products(_shift(x, axis, not reverse, 1), axis, reverse)
            * _recurrence(_shift(x, axis, reverse), g, axis, not reverse)
        ),
    )
)
def _cumprod(x: Array, *, axis: int, reverse: bool) -> Any:
    x = _turned(x, axis, reverse)
    return _turned(_accumulate(np.multiply, x, axis, _wide(x)), axis, reverse)


def _sums(x: Tensor, axis: int, reverse: bool = False) -> Tensor:
    return apply(_cumsum, (x,), {"axis": axis, "reverse": reverse})


def _products(x: Tensor, axis: int, reverse: bool = False) -> Tensor:
    return apply(_cumprod, (x,), {"axis": axis, "reverse": reverse})


@op((lambda g, _out, _x, axis, ahead, fill: _shift(g, axis, not ahead),))
def _shifted(x: Array, *, axis: int, ahead: bool, fill: int) -> Array:
    """Move x by one place along an axis, towards higher indices if `ahead`, and fill the gap."""
    out = np.full(x.shape, fill, x.dtype)
    if x.ndim:
        to, source = np.moveaxis(out, axis, 0), np.moveaxis(x, axis, 0)
        if ahead:
            to[1:] = source[:-1]
        else:
            to[:-1] = source[1:]
    return out


def _shift(x: Tensor, axis: int, ahead: bool, fill: int = 0) -> Tensor:
    return apply(_shifted, (x,), {"axis": axis, "ahead": ahead, "fill": fill})


def _pull_recurrence(
    g: Tensor, out: Tensor, a: Tensor, _b: Tensor, axis: int, reverse: bool
) -> tuple[Tensor, Tensor]:
    back = _recurrence(_shift(a, axis, reverse), g, axis, not reverse)
    return back * _shift(out, axis, not reverse), back


@op(_pull_recurrence)
def _linear_recurrence(a: Array, b: Array, *, axis: int, reverse: bool) -> Array:
    """Along an axis s[t] = b[t] + a[t] s[t-1], from s[-1] = 0; with s[t+1] if reversed."""
    out = b.copy()
    if b.ndim:
        s, factor = (np.moveaxis(_turned(y, axis, reverse), axis, 0) for y in (out, a))
        for t in range(1, len(s)):
            s[t] += factor[t] * s[t - 1]
    return out


def _recurrence(a: Tensor, b: Tensor, axis: int, reverse: bool) -> Tensor:
    return apply(_linear_recurrence, (a, b), {"axis": axis, "reverse": reverse})


def products_of_others(x: Tensor, axis: int) -> Tensor:
    """For each element the product of all others along an axis: the derivative of their product."""
    before = _products(_shift(x, axis, True, 1), axis)
    after = _products(_shift(x, axis, False, 1), axis, True)
    return before * after


def finite_or_zero(x: Tensor) -> Tensor:
    """Zeros for infinities and nan in x: what exponents are taken relative to."""
    return select(isfinite(x), x, 0.0)


def above_minus_infinity(x: Tensor) -> Tensor:
    """Zeros for -inf in x, so that the share of -inf in a sum of nothing but -inf is 0, not nan."""
    return select(equal(x, -np.inf), 0.0, x)


def _pull_logcumsumexp(g: Tensor, out: Tensor, x: Tensor, axis: int) -> Tensor:
    # Weights exp(out[t] - out[t+1]) are at most 1, so nothing overflows on the way back.
    after = above_minus_infinity(_shift(out, axis, False))
    back = _recurrence(exp(out - after), g, axis, True)
    return exp(x - above_minus_infinity(out)) * back


def _expand_logcumsumexp(x: Tensor, axis: int) -> Tensor:
    top, _ = cummax(x, axis)
    base = finite_or_zero(top)
    total = _recurrence(exp(_shift(top, axis, True) - base), exp(x - base), axis, False)
    return log(total) + base


@op((_pull_logcumsumexp,), expand=_expand_logcumsumexp)
def _logcumsumexp(x: Array, *, axis: int) -> Any:
    return _accumulate(np.logaddexp, x, axis, _wide(x))


@op()
def _running_arg(x: Array, *, axis: int, largest: bool, dtype: np.dtype[Any]) -> Array:
    """Where the running maximum or minimum is attained, the latest place of equals; nan wins."""
    if x.ndim == 0:
        return np.zeros((), dtype)
    extreme = (np.maximum if largest else np.minimum).accumulate(x, axis=axis)
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    places = np.arange(x.shape[axis], dtype=dtype).reshape(shape)
    attained = (x == extreme) | np.isnan(x)
    return np.maximum.accumulate(np.where(attained, places, 0).astype(dtype), axis=axis)


def _line(op_name: str, x: Tensor, axis: Any, error: Any = IndexError) -> tuple[Tensor, int]:
    """What to run along which axis: x, or its elements as one line if no axis is given."""
    if axis is None:
        return reshape(x, [-1]), 0
    try:
        return x, axis_of(op_name, axis, x._data.ndim)
    except ValueError as wrong:
        raise (error if x._data.ndim else ValueError)(str(wrong)) from None


def _in_dtype(x: Tensor, dtype: DTypeLike | None, integers: Any) -> Tensor:
    if dtype is not None:
        return to_dtype(x, dtypes.as_numpy(dtype))
    return to_dtype(x, integers) if integers is not None and x._data.dtype.kind in "biu" else x


def cumsum(
    x: Tensor,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """The running sum along an axis, or over all elements in order if none is given.

    Integers and bools are summed in int64 unless a dtype is given. IndexError for an axis out of
    range.

    >>> import dualgraph as dg
    >>> dg.cumsum(dg.to_tensor([[1, 2], [3, 4]]), axis=0).tolist()
    [[1, 2], [4, 6]]
    """
    x = _in_dtype(as_tensor("cumsum", x), dtype, dtypes.int64.numpy)
    x, axis = _line("cumsum", x, axis)
    return _sums(x, axis)


def cumprod(
    x: Tensor,
    dim: int | None = None,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """The running product along an axis, or over all elements in order if none is given.

    The dtype is x's unless one is given. ValueError for an axis out of range.

    >>> import dualgraph as dg
    >>> dg.cumprod(dg.to_tensor([1, 2, 3, 4]), dim=0).tolist()
    [1, 2, 6, 24]
    """
    x = as_tensor("cumprod", x)
    x = _in_dtype(x, dtype, dtypes.int64.numpy if x._data.dtype.kind == "b" else None)
    x, axis = _line("cumprod", x, dim, ValueError)
    return _products(x, axis)


def logcumsumexp(
    x: Tensor,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """The logarithm of the running sum of exponentials, without overflow; floating.

    IndexError for an axis out of range.

    >>> import dualgraph as dg
    >>> dg.logcumsumexp(dg.to_tensor([0.0, 1000.0, 0.0]), axis=0).tolist()
    [0.0, 1000.0, 1000.0]
    """
    x = floating("logcumsumexp", _in_dtype(as_tensor("logcumsumexp", x), dtype, None))
    x, axis = _line("logcumsumexp", x, axis)
    return apply(_logcumsumexp, (x,), {"axis": axis})


def _running(op_name: str, x: Any, axis: Any, dtype: DTypeLike) -> tuple[Tensor, Tensor]:
    x, axis = _line(op_name, as_tensor(op_name, x), axis)
    places = dtypes.as_numpy(dtype)
    if places.kind != "i" or places.itemsize < 4:
        given = f"dtype is {places.name}"
        raise ValueError(message(op_name, given, "expected int32 or int64 for the indices"))
    attrs = {"axis": axis, "largest": op_name == "cummax", "dtype": places}
    indices = apply(_running_arg, (x,), attrs)
    return (take_along_axis(x, indices, axis) if x._data.ndim else clone(x)), indices


def cummax(
    x: Tensor,
    axis: int | None = None,
    dtype: DTypeLike = "int64",
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The running maximum along an axis, or of all elements in order, and where it was found.

    Of equals the latest index is given; nan, once met, stays. IndexError for an axis out of range.

    >>> import dualgraph as dg
    >>> values, indices = dg.cummax(dg.to_tensor([1.0, 3.0, 2.0, 3.0]))
    >>> values.tolist(), indices.tolist()
    ([1.0, 3.0, 3.0, 3.0], [0, 1, 1, 3])
    """
    return _running("cummax", x, axis, dtype)


def cummin(
    x: Tensor,
    axis: int | None = None,
    dtype: DTypeLike = "int64",
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The running minimum along an axis, or of all elements in order, and where it was found.

    Of equals the latest index is given; nan, once met, stays. IndexError for an axis out of range.

    >>> import dualgraph as dg
    >>> dg.cummin(dg.to_tensor([3, 1, 2]))[0].tolist()
    [3, 1, 1]
    """
    return _running("cummin", x, axis, dtype)


def diff(
    x: Tensor,
    n: int = 1,
    axis: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """The differences of neighbours along an axis, taken n times; bools give whether they differ.

    `prepend` and `append` are joined to x first. ValueError for an n below 1 and for a 0-d x.

    >>> import dualgraph as dg
    >>> dg.diff(dg.to_tensor([1, 4, 9])).tolist()
    [3, 5]
    """
    x = as_tensor("diff", x)
    if n < 1 or not x.ndim:
        given = f"n is {n}, x is {describe(x)}"
        raise ValueError(message("diff", given, "expected n of at least 1, and an axis"))
    at = axis_of("diff", axis, x.ndim)
    parts = [part for part in (prepend, x, append) if part is not None]
    x = concat(parts, at) if len(parts) > 1 else x
    apart = not_equal if x._data.dtype.kind == "b" else subtract
    for _ in range(n):
        x = apart(
            pick(x, part_of(x, at, (1, x.shape[at], 1))),
            pick(x, part_of(x, at, (0, max(x.shape[at] - 1, 0), 1))),
        )
    return x
