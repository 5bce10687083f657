"""Smooth activations and softmax; all others of the family are handed on from their rooms."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import message
from dualgraph.ops.apply import apply, overwrite
from dualgraph.ops.bounds import maximum, minimum
from dualgraph.ops.define import (
    axis_of,
    floating,
    fused,
    in_float32,
    same_type,
    to_dtype,
    unary,
)
from dualgraph.ops.elementwise import exp, log, square, tanh
from dualgraph.ops.extreme import max as max_of
from dualgraph.ops.gated import gelu, glu, mish, silu, swiglu, swish
from dualgraph.ops.logic import select
from dualgraph.ops.rectifier import (
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    maxout,
    prelu,
    relu,
    relu6,
    softshrink,
    thresholded_relu,
)
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import Domain, op
from dualgraph.ops.transcendental import expm1, log1p, sigmoid
from dualgraph.tensor import Array, Tensor

__all__ = [
    "celu",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_sigmoid",
    "log_softmax",
    "maxout",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "selu",
    "sigmoid",
    "sigmoid_",
    "silu",
    "softmax",
    "softmax_",
    "softplus",
    "softshrink",
    "softsign",
    "swiglu",
    "swish",
    "tanh",
    "tanh_",
    "tanhshrink",
    "thresholded_relu",
    "thresholded_relu_",
]

_ZERO = Domain(kinks=(0.0,))


# ---- exponential below zero ----------------------------------------------------------------------


def _elu_slope_expanded(g: Tensor, out: Tensor, alpha: float, scale: float, rate: float) -> Tensor:
    return g * select(out > 0, scale, out * rate + alpha * rate * scale)


@fused(_elu_slope_expanded)
@in_float32
def elu_slope(g: Array, out: Array, *, alpha: float, scale: float, rate: float) -> Any:
    """The gradient of `elu`, `selu` and `celu`, told from the output."""
    if alpha * rate == 1:
        return g * (np.minimum(out, 0) * rate + scale)
    return g * np.where(out > 0, scale, out * rate + alpha * rate * scale)


def _elu_expanded(x: Tensor, alpha: float, scale: float, rate: float) -> Tensor:
    above = x > 0
    return select(above, x, alpha * expm1(select(above, 0.0, x) * rate)) * scale


@op(
    (
        lambda g, out, _x, alpha, scale, rate: elu_slope(
            g, out, alpha=alpha, scale=scale, rate=rate
        ),
    ),
    name="elu",
    infer=same_type,
    expand=_elu_expanded,
    domain=_ZERO,
)
@in_float32
def _elu(x: Array, *, alpha: float, scale: float, rate: float) -> Any:
    out = np.where(x > 0, x, np.expm1(np.minimum(x, 0) * rate) * alpha)
    return out if scale == 1 else out * scale


def _exponential_below(
    op_name: str, x: Tensor, alpha: float, scale: float = 1.0, rate: float = 1.0
) -> Tensor:
    """`elu` in general. Only with a positive alpha can its gradient be told from the output."""
    x, attrs = floating(op_name, x), {"alpha": alpha, "scale": scale, "rate": rate}
    return apply(_elu, (x,), attrs) if alpha > 0 else _elu_expanded(x, **attrs)


def elu(x: Tensor, alpha: float = 1.0, name: str | None = None) -> Tensor:
    """Return x where it is positive, else `alpha * (exp(x) - 1)`; its gradient at 0 is alpha.

    Clevert et al., "Exponential linear units" (2015). Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.elu(dg.to_tensor([-1000.0, 2.0])).tolist()
    [-1.0, 2.0]
    """
    return _exponential_below("elu", x, float(alpha))


def selu(
    x: Tensor,
    scale: float = 1.0507009873554804934193349852946,
    alpha: float = 1.6732632423543772848170429916717,
    name: str | None = None,
) -> Tensor:
    """Return `scale * x` where x is positive, else `scale * alpha * (exp(x) - 1)`.

    Klambauer et al., "Self-normalizing neural networks" (2017). Integers become the default
    floating type. ValueError for a scale not above 1, or a negative alpha.

    >>> import dualgraph as dg
    >>> dg.nn.functional.selu(dg.to_tensor([0.0, 2.0], dtype="float64")).round(4).tolist()
    [0.0, 2.1014]
    """
    if scale <= 1 or alpha < 0:
        given = f"scale is {scale}, alpha is {alpha}"
        raise ValueError(message("selu", given, "expected scale > 1 and alpha >= 0"))
    return _exponential_below("selu", x, float(alpha), scale=float(scale))


def celu(x: Tensor, alpha: float = 1.0, name: str | None = None) -> Tensor:
    """Return x where it is positive, else `alpha * (exp(x / alpha) - 1)`; smooth at 0.

    Barron, "Continuously differentiable exponential linear units" (2017). Integers become the
    default floating type. ZeroDivisionError for an alpha of 0.

    >>> import dualgraph as dg
    >>> dg.nn.functional.celu(dg.to_tensor([-1000.0, 2.0]), alpha=0.5).tolist()
    [-0.5, 2.0]
    """
    if alpha == 0:
        raise ZeroDivisionError(message("celu", "alpha is 0", "expected another number"))
    return _exponential_below("celu", x, float(alpha), rate=1 / float(alpha))


# ---- logarithms and quotients --------------------------------------------------------------------


def _softplus_expanded(x: Tensor, beta: float, threshold: float) -> Tensor:
    bx = x * beta
    soft = (maximum(bx, 0.0) + log1p(exp(-abs(bx)))) / beta
    return select(bx > threshold, x, soft)


@fused(lambda g, x, beta, threshold: select(x * beta > threshold, g, g * sigmoid(x * beta)))
@in_float32
def softplus_slope(g: Array, x: Array, *, beta: float, threshold: float) -> Any:
    """The gradient of `softplus`."""
    bx = x * beta
    return np.where(bx > threshold, g, g / (1 + np.exp(-bx)))


@op(
    (lambda g, _out, x, beta, threshold: softplus_slope(g, x, beta=beta, threshold=threshold),),
    name="softplus",
    infer=same_type,
    expand=_softplus_expanded,
)
@in_float32
def _softplus(x: Array, *, beta: float, threshold: float) -> Any:
    bx = x * beta
    soft = (np.maximum(bx, 0) + np.log1p(np.exp(-np.abs(bx)))) / beta
    return np.where(bx > threshold, x, soft)


def softplus(x: Tensor, beta: float = 1, threshold: float = 20, name: str | None = None) -> Tensor:
    """Return `log(1 + exp(beta * x)) / beta`, and x itself where `beta * x` is above the threshold.

    Does not overflow. Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.softplus(dg.to_tensor([0.0, 1000.0], dtype="float64")).round(4).tolist()
    [0.6931, 1000.0]
    """
    attrs = {"beta": float(beta), "threshold": float(threshold)}
    return apply(_softplus, (floating("softplus", x),), attrs)


@fused(lambda g, x: g * sigmoid(-x))
@in_float32
def log_sigmoid_slope(g: Array, x: Array) -> Any:
    """The gradient of `log_sigmoid`."""
    return g / (1 + np.exp(x))


@unary(
    (lambda g, _out, x: log_sigmoid_slope(g, x),),
    expand=lambda x: minimum(x, 0.0) - log1p(exp(-abs(x))),
)
@in_float32
def log_sigmoid(x: Array) -> Any:
    """The logarithm of `sigmoid(x)`, which does not lose small probabilities.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.log_sigmoid(dg.to_tensor([-1000.0, 1000.0])).tolist()
    [-1000.0, 0.0]
    """
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


@fused(lambda g, x: g / square(1 + abs(x)))
def softsign_slope(g: Array, x: Array) -> Any:
    """The gradient of `softsign`."""
    return g / np.square(1 + np.abs(x))


@unary((lambda g, _out, x: softsign_slope(g, x),), domain=_ZERO, expand=lambda x: x / (1 + abs(x)))
@in_float32
def softsign(x: Array) -> Any:
    """Return `x / (1 + |x|)`, from -1 to 1. Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.softsign(dg.to_tensor([-1.0, 3.0])).tolist()
    [-0.5, 0.75]
    """
    return x / (1 + np.abs(x))


@fused(lambda g, x: g * square(tanh(x)))
@in_float32
def tanhshrink_slope(g: Array, x: Array) -> Any:
    """The gradient of `tanhshrink`."""
    return g * np.square(np.tanh(x))


@unary((lambda g, _out, x: tanhshrink_slope(g, x),), expand=lambda x: x - tanh(x))
@in_float32
def tanhshrink(x: Array) -> Any:
    """Return `x - tanh(x)`. Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.tanhshrink(dg.to_tensor([0.0, 1000.0])).tolist()
    [0.0, 999.0]
    """
    return x - np.tanh(x)


# ---- softmax -------------------------------------------------------------------------------------


@fused(lambda g, out, axis: out * (g - sum_of(g * out, axis, keepdim=True)))
@in_float32
def softmax_slope(g: Array, out: Array, *, axis: int) -> Any:
    """The gradient of `softmax`."""
    if not out.ndim:
        return np.zeros_like(g)
    return out * (g - np.add.reduce(g * out, axis=axis, keepdims=True))


def _softmax_expanded(x: Tensor, axis: int) -> Tensor:
    if not x._data.size:
        return exp(x)
    e = exp(x - max_of(x, axis, keepdim=True))
    return e / sum_of(e, axis, keepdim=True)


@op(
    (lambda g, out, _x, axis: softmax_slope(g, out, axis=axis),),
    name="softmax",
    infer=same_type,
    expand=_softmax_expanded,
)
@in_float32
def _softmax(x: Array, *, axis: int) -> Any:
    if not x.ndim or not x.size:
        return np.exp(x - x)
    out = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    np.exp(out, out=out)
    out /= np.add.reduce(out, axis=axis, keepdims=True)
    return out


def softmax(
    x: Tensor, axis: int = -1, dtype: DTypeLike | None = None, name: str | None = None
) -> Tensor:
    """Exponentials of x, divided by their sum along an axis: they add up to 1 there.

    Does not overflow. x is cast to `dtype` first if given; integers become the default floating
    type. nan along the axis where it holds nan, inf, or nothing but -inf. ValueError for an axis
    out of range.

    >>> import dualgraph as dg
    >>> dg.nn.functional.softmax(dg.to_tensor([[1.0, 1.0], [0.0, 1000.0]])).tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    x, attrs = _along("softmax", x, axis, dtype)
    return apply(_softmax, (x,), attrs)


def _along(
    op_name: str, x: Tensor, axis: int, dtype: DTypeLike | None
) -> tuple[Tensor, dict[str, int]]:
    x = floating(op_name, x)
    if dtype is not None:
        x = floating(op_name, to_dtype(x, dtypes.as_numpy(dtype)))
    return x, {"axis": axis_of(op_name, axis, x._data.ndim)}


@fused(lambda g, out, axis: g - exp(out) * sum_of(g, axis, keepdim=True))
@in_float32
def log_softmax_slope(g: Array, out: Array, *, axis: int) -> Any:
    """The gradient of `log_softmax`."""
    if not out.ndim:
        return np.zeros_like(g)
    return g - np.exp(out) * np.add.reduce(g, axis=axis, keepdims=True)


def _log_softmax_expanded(x: Tensor, axis: int) -> Tensor:
    if not x._data.size:
        return x - x
    shifted = x - max_of(x, axis, keepdim=True)
    return shifted - log(sum_of(exp(shifted), axis, keepdim=True))


@op(
    (lambda g, out, _x, axis: log_softmax_slope(g, out, axis=axis),),
    name="log_softmax",
    infer=same_type,
    expand=_log_softmax_expanded,
)
@in_float32
def _log_softmax(x: Array, *, axis: int) -> Any:
    if not x.ndim or not x.size:
        return x - x
    out = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    out -= np.log(np.add.reduce(np.exp(out), axis=axis, keepdims=True))
    return out


def log_softmax(
    x: Tensor, axis: int = -1, dtype: DTypeLike | None = None, name: str | None = None
) -> Tensor:
    """The logarithm of `softmax`, which does not lose small probabilities.

    Dtypes, axis and special values as in `softmax`. ValueError for an axis out of range.

    >>> import dualgraph as dg
    >>> dg.nn.functional.log_softmax(dg.to_tensor([[0.0, 1000.0]])).tolist()
    [[-1000.0, 0.0]]
    """
    x, attrs = _along("log_softmax", x, axis, dtype)
    return apply(_log_softmax, (x,), attrs)


# ---- in place ------------------------------------------------------------------------------------


def relu_(x: Tensor, name: str | None = None) -> Tensor:
    """`relu` written into x, which is returned."""
    return overwrite("relu_", x, relu)


def leaky_relu_(x: Tensor, negative_slope: float = 0.01, name: str | None = None) -> Tensor:
    """`leaky_relu` written into x, which is returned."""
    return overwrite("leaky_relu_", x, leaky_relu, negative_slope)


def elu_(x: Tensor, alpha: float = 1.0, name: str | None = None) -> Tensor:
    """`elu` written into x, which is returned."""
    return overwrite("elu_", x, elu, alpha)


def hardtanh_(x: Tensor, min: float = -1.0, max: float = 1.0, name: str | None = None) -> Tensor:
    """`hardtanh` written into x, which is returned."""
    return overwrite("hardtanh_", x, hardtanh, min, max)


def thresholded_relu_(
    x: Tensor, threshold: float = 1.0, value: float = 0.0, name: str | None = None
) -> Tensor:
    """`thresholded_relu` written into x, which is returned."""
    return overwrite("thresholded_relu_", x, thresholded_relu, threshold, value)


def tanh_(x: Tensor, name: str | None = None) -> Tensor:
    """`tanh` written into x, which is returned."""
    return overwrite("tanh_", x, tanh)


def sigmoid_(x: Tensor, name: str | None = None) -> Tensor:
    """`sigmoid` written into x, which is returned."""
    return overwrite("sigmoid_", x, sigmoid)


def softmax_(
    x: Tensor, axis: int = -1, dtype: DTypeLike | None = None, name: str | None = None
) -> Tensor:
    """`softmax` written into x, which is returned."""
    return overwrite("softmax_", x, softmax, axis, dtype)
