"""Shifting and scaling to mean 0 and variance 1, and weight and bias on top: two fused ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.ops.apply import apply, apply_many
from dualgraph.ops.define import to_dtype
from dualgraph.ops.elementwise import add, multiply
from dualgraph.ops.reduction import count_over, kept_shape, mean
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = ["Axes", "affine", "standardize"]

Axes = tuple[int, ...]

# Up to this many terms a dot product in one go is as exact as a sum by halves, and faster.
_SHORT = 4096


def _mean_of_products(x: Array, y: Array, axis: Axes, n: int) -> Any:
    """The mean of x * y over some axes, which are kept with size 1."""
    kept = kept_shape(x.shape, axis)
    trailing = axis == tuple(range(x.ndim - len(axis), x.ndim))
    if trailing and 0 < n <= _SHORT and x.flags.c_contiguous and y.flags.c_contiguous:
        return np.vecdot(x.reshape(-1, n), y.reshape(-1, n)).reshape(kept) / n
    return np.add.reduce(x * y, axis=axis, keepdims=True) / n


def _full_precision(x: Array) -> Array:
    return x.astype(np.float32) if x.itemsize == 2 else x


def _mean(x: Tensor, axis: Axes) -> Tensor:
    # No axes mean none, here; to a reduction they mean all.
    return mean(x, axis, keepdim=True) if axis else x


def _pull_dg(
    v: Any, _y: Any, _g: Any, _h: Any, out: Any, rstd: Any, axis: Axes, centre: bool
) -> Tensor:
    return apply(_standardize_pull, (v, 0.0, out, rstd), {"axis": axis, "centre": centre})


def _pull_dout(
    v: Any, _y: Any, g: Any, h: Any, out: Any, rstd: Any, axis: Axes, centre: bool
) -> Any:
    u, n = rstd * v, count_over(out.shape, axis)
    return -(u * (_mean(g * out, axis) + h * rstd / n) + g * _mean(u * out, axis))


def _pull_drstd(
    v: Any, y: Any, _g: Any, h: Any, out: Any, rstd: Any, axis: Axes, centre: bool
) -> Any:
    return count_over(out.shape, axis) * _mean(v * y, axis) / rstd - rstd * _mean(v * out, axis) * h


def _pull_in_steps(
    g: Tensor, h: Any, out: Tensor, rstd: Tensor, axis: Axes, centre: bool
) -> Tensor:
    slope = _mean(g * out, axis) + h * rstd / count_over(out.shape, axis)
    level = g - _mean(g, axis) if centre else g
    return to_dtype(rstd * (level - out * slope), g._data.dtype)


@op(
    (
        _pull_dg,
        lambda v, _y, _g, _h, out, rstd, axis, centre: -(rstd * rstd * _mean(v * out, axis)),
        _pull_dout,
        _pull_drstd,
    ),
    expand=_pull_in_steps,
)
def _standardize_pull(
    g: Array, h: Any, out: Array, rstd: Array, *, axis: Axes, centre: bool
) -> Any:
    """The gradient of x, given those (g and h) of the two outputs of `standardize`."""
    dtype = g.dtype
    g, out = _full_precision(g), _full_precision(out)
    n = count_over(g.shape, axis)
    slope = _mean_of_products(g, out, axis, n) + h * rstd / n
    dx = out * -slope
    dx += g
    if centre:
        dx -= np.add.reduce(g, axis=axis, keepdims=True) / n
    dx *= rstd
    return dx.astype(dtype, copy=False)


def _standardize_dx(gs: Any, outs: Any, _x: Any, axis: Axes, centre: bool, **_: Any) -> tuple[Any]:
    attrs = {"axis": axis, "centre": centre}
    return (apply(_standardize_pull, (gs[0], gs[1], outs[0], outs[1]), attrs),)


def _standardize_in_steps(
    x: Tensor, axis: Axes, epsilon: float, centre: bool, moments: bool
) -> tuple[Tensor, ...]:
    wide = to_dtype(x, dtypes.float32.numpy) if x._data.itemsize == 2 else x
    mu = _mean(wide, axis) if centre else None
    level = wide - mu if mu is not None else wide
    var = _mean(level * level, axis)
    rstd = (var + epsilon) ** -0.5
    out = to_dtype(level * rstd, x._data.dtype)
    return (out, rstd, mu, var) if moments and mu is not None else (out, rstd)


def _standardize_type(x: Any, *, axis: Axes, moments: bool, **_: Any) -> Any:
    narrow = x.dtype.itemsize == 2
    small = kept_shape(x.shape, axis), np.dtype(np.float32) if narrow else x.dtype
    return [(x.shape, x.dtype)] + [small] * (3 if moments else 1)


@op(_standardize_dx, expand=_standardize_in_steps, infer=_standardize_type)
def _standardize(
    x: Array, *, axis: Axes, epsilon: float, centre: bool, moments: bool
) -> tuple[Any, ...]:
    """Subtract the mean from x (if `centre`) and divide by its deviation; and one over that, rstd.

    With `moments` also mean and variance, for running statistics: they carry no gradient.
    """
    dtype = x.dtype
    x = _full_precision(x)
    n = count_over(x.shape, axis)
    mu = np.add.reduce(x, axis=axis, keepdims=True) / n if centre else 0.0
    out: Any = np.subtract(x, mu) if centre else x
    var = _mean_of_products(out, out, axis, n)
    rstd = 1 / np.sqrt(var + epsilon)
    out = np.multiply(out, rstd, out=out if centre else None).astype(dtype, copy=False)
    return (out, rstd, mu, var) if moments else (out, rstd)


def _affine_in_steps(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    out = x if weight is None else multiply(x, weight)
    return out if bias is None else add(out, bias)


@op(
    (
        lambda g, _out, _x, weight, _bias: g if weight is None else g * weight,
        lambda g, _out, x, _weight, _bias: g * x,
        lambda g, _out, _x, _weight, _bias: g,
    ),
    expand=_affine_in_steps,
)
def _affine(x: Array, weight: Array | None, bias: Array | None) -> Any:
    if weight is None:
        return x + bias
    out = x * weight
    if bias is not None:
        out += bias
    return out


def affine(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Multiply x by weight and add bias, which broadcast to x's shape; one may be missing."""
    return apply(_affine, (x, weight, bias))


def standardize(
    x: Tensor, axis: Axes, epsilon: float, *, centre: bool = True, moments: bool = False
) -> tuple[Tensor, ...]:
    """Normalise x over some axes; also one over its standard deviation (or root mean square).

    With `moments` also mean and variance. All but the first keep the axes, with size 1.
    """
    attrs = {"axis": axis, "epsilon": float(epsilon), "centre": centre, "moments": moments}
    return apply_many(_standardize, (x,), attrs)
