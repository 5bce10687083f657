"""Reductions over some or all axes: sums, means, products, variances, any and all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, axes_of, floating, to_dtype
from dualgraph.ops.elementwise import sqrt
from dualgraph.ops.logic import isnan, logical_not, not_equal, select
from dualgraph.ops.manipulation import broadcast_to, reshape
from dualgraph.ops.registry import op
from dualgraph.ops.scan import products_of_others
from dualgraph.tensor import Array, Tensor

__all__ = [
    "Axes",
    "all",
    "any",
    "count_nonzero",
    "count_over",
    "is_half",
    "kept_shape",
    "mean",
    "nanmean",
    "nansum",
    "prod",
    "reduced_type",
    "std",
    "sum",
    "sum_to",
    "var",
]

Axes: TypeAlias = "int | Sequence[int] | Tensor | None"
# Typed loosely: numpy's own types want to know `keepdims` beforehand.
_add_up: Any = np.add.reduce
_multiply_up: Any = np.multiply.reduce
_any_of: Any = np.logical_or.reduce
_all_of: Any = np.logical_and.reduce
_INT32 = dtypes.int32.numpy
_INT64 = dtypes.int64.numpy


@op((lambda g, _out, _x, shape: broadcast_to(g, _x.shape),))
def _sum_to(x: Array, *, shape: tuple[int, ...]) -> Any:
    extra = x.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and x.shape[i + extra] != 1
    )
    return x.sum(axis=axes).reshape(shape) if axes else x.reshape(shape).copy()


def sum_to(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Undo broadcasting: x summed over the axes along which `shape` was broadcast to x's."""
    return apply(_sum_to, (x,), {"shape": shape})


def kept_shape(shape: Sequence[int], axis: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with the reduced axes as ones."""
    return tuple([1 if i in axis else n for i, n in enumerate(shape)])


def is_half(x: Array) -> bool:
    """Whether an array is float16 or bfloat16."""
    return x.itemsize == 2 and x.dtype.kind not in "iu"


def reduced_type(
    x: Any, *, axis: tuple[int, ...], keepdim: bool, correction: float = 0
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and dtype of a reduction that keeps the dtype."""
    shape = kept_shape(x.shape, axis)
    return shape if keepdim else tuple([n for i, n in enumerate(x.shape) if i not in axis]), x.dtype


def _truth_type(x: Any, *, axis: tuple[int, ...], keepdim: bool) -> Any:
    return reduced_type(x, axis=axis, keepdim=keepdim)[0], dtypes.bool_.numpy


def _add(x: Array, axis: tuple[int, ...], keepdim: bool) -> Any:
    """The sum in x's own dtype; half precision is summed in float32 and stays so."""
    dtype = np.float32 if is_half(x) else x.dtype
    return _add_up(x, axis=axis, dtype=dtype, keepdims=keepdim)


def _expand_spread(g: Tensor, shape: tuple[int, ...], axis: tuple[int, ...]) -> Tensor:
    return broadcast_to(reshape(g, kept_shape(shape, axis)), shape)


@op(
    (lambda g, _out, _g, shape, axis: reshape(_sum_of(g, axis), _g.shape),),
    expand=_expand_spread,
    infer=lambda g, *, shape, axis: (shape, g.dtype),
)
def _spread(g: Array, *, shape: tuple[int, ...], axis: tuple[int, ...]) -> Array:
    """Repeat g along the axes that were reduced: what a sum's gradient is."""
    out = np.empty(shape, g.dtype)
    out[...] = g.reshape(kept_shape(shape, axis))
    return out


def _sum_of(x: Tensor, axis: tuple[int, ...], keepdim: bool = False) -> Tensor:
    return apply(_sum, (x,), {"axis": axis, "keepdim": keepdim})


def _spread_over(g: Tensor, shape: tuple[int, ...], axis: tuple[int, ...]) -> Tensor:
    return apply(_spread, (g,), {"shape": shape, "axis": axis})


@op((lambda g, _out, _x, axis, keepdim: _spread_over(g, _x.shape, axis),), infer=reduced_type)
def _sum(x: Array, *, axis: tuple[int, ...], keepdim: bool) -> Any:
    if x.itemsize != 2:
        return _add_up(x, axis=axis, dtype=x.dtype, keepdims=keepdim)
    return _add(x, axis, keepdim).astype(x.dtype, copy=False)


def count_over(shape: Sequence[int], axis: tuple[int, ...]) -> int:
    """How many elements go into each result."""
    n = 1
    for i in axis:
        n *= shape[i]
    return n


def _expand_mean(x: Tensor, axis: tuple[int, ...], keepdim: bool) -> Tensor:
    wide = to_dtype(x, dtypes.float32.numpy) if is_half(x._data) else x
    total = _sum_of(wide, axis, keepdim)
    return to_dtype(total / float(count_over(x._data.shape, axis)), x._data.dtype)


@op(
    (lambda g, _out, _x, axis, keepdim: _spread_evenly_over(g, _x.shape, axis),),
    expand=_expand_mean,
    infer=reduced_type,
)
def _mean(x: Array, *, axis: tuple[int, ...], keepdim: bool) -> Any:
    if x.itemsize != 2:
        total = _add_up(x, axis=axis, dtype=x.dtype, keepdims=keepdim)
        return total / count_over(x.shape, axis)
    return (_add(x, axis, keepdim) / count_over(x.shape, axis)).astype(x.dtype, copy=False)


def _spread_evenly_over(g: Tensor, shape: tuple[int, ...], axis: tuple[int, ...]) -> Tensor:
    return apply(_spread_evenly, (g,), {"shape": shape, "axis": axis})


def _mean_of(x: Tensor, axis: tuple[int, ...], keepdim: bool = False) -> Tensor:
    return apply(_mean, (x,), {"axis": axis, "keepdim": keepdim})


@op(
    (lambda g, _out, _g, shape, axis: reshape(_mean_of(g, axis), _g.shape),),
    expand=lambda g, shape, axis: _spread_over(g / float(count_over(shape, axis)), shape, axis),
    infer=lambda g, *, shape, axis: (shape, g.dtype),
)
def _spread_evenly(g: Array, *, shape: tuple[int, ...], axis: tuple[int, ...]) -> Array:
    """Divide g among the elements that were averaged: what a mean's gradient is."""
    out = np.empty(shape, g.dtype)
    out[...] = (g / count_over(shape, axis)).reshape(kept_shape(shape, axis))
    return out


@op(
    (
        lambda g, _out, x, axis, keepdim: (
            products_of_others(x, axis) * reshape(g, kept_shape(x.shape, (axis,)))
        ),
    )
)
def _prod(x: Array, *, axis: int, keepdim: bool) -> Any:
    dtype = np.float32 if is_half(x) else x.dtype
    out = _multiply_up(x, axis=axis, dtype=dtype, keepdims=keepdim)
    return out.astype(x.dtype, copy=False)


@op(infer=_truth_type)
def _any(x: Array, *, axis: tuple[int, ...], keepdim: bool) -> Any:
    return _any_of(x, axis=axis, keepdims=keepdim)


@op(infer=_truth_type)
def _all(x: Array, *, axis: tuple[int, ...], keepdim: bool) -> Any:
    return _all_of(x, axis=axis, keepdims=keepdim)


def _degrees(shape: Sequence[int], axis: tuple[int, ...], correction: float) -> float:
    """What the sum of squares is divided by."""
    left = count_over(shape, axis) - correction
    return left if left > 0 else 0.0


def _centred(x: Tensor, axis: tuple[int, ...]) -> Tensor:
    return x - _mean_of(x, axis, True)


def _pull_var(
    g: Tensor,
    _out: Any,
    x: Tensor,
    axis: tuple[int, ...],
    keepdim: bool,
    correction: float,
) -> Tensor:
    degrees = _degrees(x.shape, axis, correction)
    scale = 2.0 / degrees if degrees else np.inf
    return _centred(x, axis) * (reshape(g, kept_shape(x.shape, axis)) * scale)


def _expand_var(x: Tensor, axis: tuple[int, ...], keepdim: bool, correction: float) -> Tensor:
    c = _centred(to_dtype(x, dtypes.float32.numpy) if is_half(x._data) else x, axis)
    total = _sum_of(c * c, axis, keepdim)
    return to_dtype(total / _degrees(x._data.shape, axis, correction), x._data.dtype)


@op((_pull_var,), expand=_expand_var, infer=reduced_type)
def _var(x: Array, *, axis: tuple[int, ...], keepdim: bool, correction: float) -> Any:
    n = count_over(x.shape, axis)
    centred = x - _add(x, axis, True) / n
    squares = _add_up(centred * centred, axis=axis, keepdims=keepdim)
    return (squares / _degrees(x.shape, axis, correction)).astype(x.dtype, copy=False)


def sum(
    x: Tensor,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    keepdim: bool = False,
    name: str | None = None,
) -> Tensor:
    """The sum over the given axes, all by default; 0 where there is nothing to add.

    The result has x's dtype, but int64 for bool and int32, unless a dtype is given. Half precision
    is added up in float32. ValueError for an axis out of range or given twice.

    >>> import dualgraph as dg
    >>> dg.sum(dg.to_tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
    [4.0, 6.0]
    """
    if not isinstance(x, Tensor):
        x = as_tensor("sum", x)
    if dtype is not None:
        x = to_dtype(x, dtypes.as_numpy(dtype))
    elif x._data.dtype.kind == "b" or x._data.dtype == _INT32:
        x = to_dtype(x, _INT64)
    return apply(
        _sum,
        (x,),
        {"axis": axes_of("sum", axis, x._data.ndim), "keepdim": bool(keepdim)},
    )


def mean(
    x: Tensor,
    axis: Axes = None,
    keepdim: bool = False,
    name: str | None = None,
    *,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """The mean over the given axes, all by default; nan where there is nothing to average.

    Half precision is added up in float32. Integers stay integers, rounded towards zero, and bools
    say whether any is true; give a floating dtype for more. ValueError for an axis out of range or
    given twice, and for no integers.

    >>> import dualgraph as dg
    >>> dg.mean(dg.to_tensor([[1.0, 2.0], [3.0, 5.0]]), axis=-1).tolist()
    [1.5, 4.0]
    """
    if not isinstance(x, Tensor):
        x = as_tensor("mean", x)
    if dtype is not None:
        x = to_dtype(x, dtypes.as_numpy(dtype))
    axis = axes_of("mean", axis, x._data.ndim)
    if x._data.dtype.kind in "biu":
        return _integer_mean(x, axis, keepdim)
    return apply(_mean, (x,), {"axis": axis, "keepdim": bool(keepdim)})


def _integer_mean(x: Tensor, axis: tuple[int, ...], keepdim: bool) -> Tensor:
    if x._data.dtype.kind == "b":
        return any(x, axis, keepdim)
    n = count_over(x._data.shape, axis)
    if n == 0:
        given = f"x is {describe(x)}, axis is {list(axis)}"
        raise ValueError(
            message("mean", given, "integers have no mean of nothing", "cast x to float")
        )
    total = sum(to_dtype(x, _INT64), axis, keepdim=keepdim)
    return to_dtype(select(total < 0, -(-total // n), total // n), x._data.dtype)


def prod(
    x: Tensor,
    axis: Axes = None,
    keepdim: bool = False,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """The product over the given axes, all by default; 1 where there is nothing to multiply.

    The result has x's dtype unless one is given (bools count as int64). Its derivatives are right
    where x is 0, too. ValueError for an axis out of range or given twice.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([0.0, 2.0, 3.0], stop_gradient=False)
    >>> dg.prod(x).backward()
    >>> x.grad.tolist()
    [6.0, 0.0, 0.0]
    """
    x = as_tensor("prod", x)
    if dtype is not None:
        x = to_dtype(x, dtypes.as_numpy(dtype))
    elif x._data.dtype.kind == "b":
        x = to_dtype(x, _INT64)
    shape = x._data.shape
    axes = axes_of("prod", axis, len(shape))
    if len(axes) == len(shape) != 1:
        out = apply(_prod, (reshape(x, [-1]),), {"axis": 0, "keepdim": False})
        return reshape(out, kept_shape(shape, axes)) if keepdim and axes else out
    for a in sorted(axes, reverse=True):
        x = apply(_prod, (x,), {"axis": a, "keepdim": bool(keepdim)})
    return x


def any(x: Tensor, axis: Axes = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """Whether any element over the given axes is true, that is, not 0; False where there is none.

    ValueError for an axis out of range or given twice.

    >>> import dualgraph as dg
    >>> dg.any(dg.to_tensor([[True, False], [False, False]]), axis=1).tolist()
    [True, False]
    """
    x = as_tensor("any", x)
    return apply(
        _any,
        (x,),
        {"axis": axes_of("any", axis, x._data.ndim), "keepdim": bool(keepdim)},
    )


def all(x: Tensor, axis: Axes = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """Whether all elements over the given axes are true, that is, not 0; True where there is none.

    ValueError for an axis out of range or given twice.

    >>> import dualgraph as dg
    >>> dg.all(dg.to_tensor([[True, False], [True, True]]), axis=1).tolist()
    [False, True]
    """
    x = as_tensor("all", x)
    return apply(
        _all,
        (x,),
        {"axis": axes_of("all", axis, x._data.ndim), "keepdim": bool(keepdim)},
    )


def count_nonzero(
    x: Tensor, axis: Axes = None, keepdim: bool = False, name: str | None = None
) -> Tensor:
    """How many elements over the given axes are not 0, as int64; nan counts.

    ValueError for an axis out of range or given twice.

    >>> import dualgraph as dg
    >>> dg.count_nonzero(dg.to_tensor([[1.0, 0.0], [2.0, 3.0]]), axis=1).tolist()
    [1, 2]
    """
    return sum(not_equal(as_tensor("count_nonzero", x), 0), axis, keepdim=keepdim)


def nansum(
    x: Tensor,
    axis: Axes = None,
    dtype: DTypeLike | None = None,
    keepdim: bool = False,
    name: str | None = None,
) -> Tensor:
    """The sum over the given axes of what is not nan; dtypes and errors as `sum`.

    >>> import dualgraph as dg
    >>> dg.nansum(dg.to_tensor([1.0, float("nan"), 2.0])).item()
    3.0
    """
    x = as_tensor("nansum", x)
    if x._data.dtype.kind not in "biu":
        x = select(isnan(x), 0.0, x)
    return sum(x, axis, dtype, keepdim)


def nanmean(x: Tensor, axis: Axes = None, keepdim: bool = False, name: str | None = None) -> Tensor:
    """The mean over the given axes of what is not nan; nan where all is. Floating; else as `mean`.

    >>> import dualgraph as dg
    >>> dg.nanmean(dg.to_tensor([1.0, float("nan"), 2.0])).item()
    1.5
    """
    x = floating("nanmean", x)
    there = sum(logical_not(isnan(x)), axis, keepdim=keepdim)
    return nansum(x, axis, keepdim=keepdim) / to_dtype(there, x._data.dtype)


def var(
    x: Tensor,
    axis: Axes = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    name: str | None = None,
    *,
    correction: float = 1,
) -> Tensor:
    """The variance over the given axes, all by default: a sum of squares over n - correction.

    `unbiased=False` is the same as `correction=0`. nan where nothing is left to divide by.
    The variance of integers is an integer, computed from an integer mean, as Paddle has it; cast
    them first for more. ValueError for an axis out of range or given twice, if both `unbiased` and
    `correction` are given, and for integers of which nothing is left to divide by.

    >>> import dualgraph as dg
    >>> dg.var(dg.to_tensor([1.0, 2.0, 4.0, 5.0]), unbiased=False).item()
    2.5
    """
    if unbiased is not None:
        if correction != 1:
            given = f"unbiased is {unbiased} and correction is {correction}"
            raise ValueError(message("var", given, "expected one of them"))
        correction = 1 if unbiased else 0
    x = as_tensor("var", x)
    axis = axes_of("var", axis, x._data.ndim)
    if x._data.dtype.kind in "iu":
        return _integer_var(x, axis, keepdim, correction)
    x = floating("var", x)
    attrs = {"axis": axis, "keepdim": bool(keepdim), "correction": correction}
    return apply(_var, (x,), attrs)


def _integer_var(x: Tensor, axis: tuple[int, ...], keepdim: bool, correction: float) -> Tensor:
    degrees = _degrees(x._data.shape, axis, correction)
    if not degrees:
        given = f"x is {describe(x)}, axis is {list(axis)}, correction is {correction}"
        raise ValueError(message("var", given, "nothing is left to divide by", "cast x to float"))
    wide = to_dtype(x, _INT64)
    c = wide - _integer_mean(wide, axis, True)
    return to_dtype(sum(c * c, axis, keepdim=keepdim) / degrees, x._data.dtype)


def std(
    x: Tensor,
    axis: Axes = None,
    unbiased: bool = True,
    keepdim: bool = False,
    name: str | None = None,
) -> Tensor:
    """The standard deviation over the given axes: the root of `var`, with its dtypes and errors.

    Its gradient is nan where all elements are equal.

    >>> import dualgraph as dg
    >>> dg.std(dg.to_tensor([1.0, 3.0, 5.0])).item()
    2.0
    """
    return sqrt(var(x, axis, unbiased, keepdim))
