"""Logarithms, trigonometric and hyperbolic functions, the error function, the logistic function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dualgraph.ops import special_math
from dualgraph.ops.apply import apply
from dualgraph.ops.bounds import clip
from dualgraph.ops.define import (
    binary,
    both_floating,
    floating,
    fused,
    in_float32,
    operands,
    same_type,
    to_dtype,
    unary,
)
from dualgraph.ops.elementwise import exp, log, sqrt, square, tanh
from dualgraph.ops.registry import Domain, op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "erf",
    "erfinv",
    "expm1",
    "hypot",
    "log1p",
    "log2",
    "log10",
    "logit",
    "sigmoid",
    "sin",
    "sinh",
    "stanh",
    "tan",
]

_POSITIVE = Domain(0.2, 3.0)
_INSIDE = Domain(-0.8, 0.8)


# ---- exponentials and logarithms -----------------------------------------------------------------


@unary((lambda g, out, _x: g * (out + 1),))
def expm1(x: Array) -> Any:
    """Return `exp(x) - 1` of each element, exact near 0 too.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.expm1(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 1.7183]
    """
    return np.expm1(x)


@unary((lambda g, _out, x: g / (1 + x),), domain=Domain(-0.8, 3.0))
def log1p(x: Array) -> Any:
    """The natural logarithm of `1 + x` of each element, exact near 0 too; nan below -1.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.log1p(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 0.6931]
    """
    return np.log1p(x)


@unary((lambda g, _out, x: g / x * (1 / math.log(2)),), domain=_POSITIVE)
def log2(x: Array) -> Any:
    """The logarithm to base 2 of each element; nan below 0, -inf at 0.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.log2(dg.to_tensor([1.0, 8.0])).round(4).tolist()
    [0.0, 3.0]
    """
    return np.log2(x)


@unary((lambda g, _out, x: g / x * (1 / math.log(10)),), domain=_POSITIVE)
def log10(x: Array) -> Any:
    """The logarithm to base 10 of each element; nan below 0, -inf at 0.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.log10(dg.to_tensor([1.0, 1000.0])).round(4).tolist()
    [0.0, 3.0]
    """
    return np.log10(x)


# ---- trigonometry --------------------------------------------------------------------------------


@unary((lambda g, _out, x: g * x.cos(),))
def sin(x: Array) -> Any:
    """The sine of each element, an angle in radians.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.sin(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 0.8415]
    """
    return np.sin(x)


@unary((lambda g, _out, x: -(g * sin(x)),))
def cos(x: Array) -> Any:
    """The cosine of each element, an angle in radians.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.cos(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [1.0, 0.5403]
    """
    return np.cos(x)


@unary((lambda g, out, _x: g * (1 + square(out)),), domain=Domain(-1.2, 1.2))
def tan(x: Array) -> Any:
    """The tangent of each element, an angle in radians.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.tan(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 1.5574]
    """
    return np.tan(x)


@unary((lambda g, _out, x: g / sqrt(1 - square(x)),), domain=_INSIDE)
def asin(x: Array) -> Any:
    """The angle in radians, from -pi/2 to pi/2, whose sine is each element; nan beyond 1.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.asin(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 1.5708]
    """
    return np.arcsin(x)


@unary((lambda g, _out, x: -(g / sqrt(1 - square(x))),), domain=_INSIDE)
def acos(x: Array) -> Any:
    """The angle in radians, from 0 to pi, whose cosine is each element; nan beyond 1.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.acos(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [1.5708, 0.0]
    """
    return np.arccos(x)


@unary((lambda g, _out, x: g / (1 + square(x)),))
def atan(x: Array) -> Any:
    """The angle in radians, from -pi/2 to pi/2, whose tangent is each element.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.atan(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 0.7854]
    """
    return np.arctan(x)


def _angle(op_name: str, x: Any, y: Any) -> tuple[Any, Any]:
    x, y = operands(op_name, x, y, zero_d="tensor")
    wide = np.dtype(np.float64)
    if any(isinstance(z, Tensor) and z._data.dtype.kind in "biu" for z in (x, y)):
        x, y = (to_dtype(z, wide) if isinstance(z, Tensor) else z for z in (x, y))
    return x, y


@binary(
    (
        lambda g, _out, x, y: g * y / (square(x) + y * y),
        lambda g, _out, x, y: -(g * x / (x * x + square(y))),
    ),
    domain=_POSITIVE,
    prepare=_angle,
)
def atan2(x: Array, y: Array) -> Any:
    """The angle in radians, from -pi to pi, of the point with ordinate x and abscissa y, broadcast.

    Equal dtypes or two floating ones; integers become float64. TypeError for others.

    >>> import dualgraph as dg
    >>> dg.atan2(dg.to_tensor([0, 1]), dg.to_tensor([-1, 1])).round(4).tolist()
    [3.1416, 0.7854]
    """
    return np.arctan2(x, y)


@binary(
    (lambda g, out, x, _y: g * (x / out), lambda g, out, _x, y: g * (y / out)),
    domain=_POSITIVE,
    prepare=both_floating,
)
def hypot(x: Array, y: Array) -> Any:
    """The length of the hypotenuse over the legs x and y, `sqrt(x**2 + y**2)`, broadcast.

    Does not overflow before the result does. Integers become the default floating type. TypeError
    for dtypes that do not go together.

    >>> import dualgraph as dg
    >>> dg.hypot(dg.to_tensor([3.0]), dg.to_tensor([4.0])).tolist()
    [5.0]
    """
    return np.hypot(x, y)


# ---- hyperbolic functions ------------------------------------------------------------------------


@unary((lambda g, _out, x: g * x.cosh(),))
def sinh(x: Array) -> Any:
    """The hyperbolic sine of each element.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.sinh(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 1.1752]
    """
    return np.sinh(x)


@unary((lambda g, _out, x: g * sinh(x),))
def cosh(x: Array) -> Any:
    """The hyperbolic cosine of each element.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.cosh(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [1.0, 1.5431]
    """
    return np.cosh(x)


@unary((lambda g, _out, x: g / sqrt(square(x) + 1),))
def asinh(x: Array) -> Any:
    """The number whose hyperbolic sine is each element.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.asinh(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 0.8814]
    """
    return np.arcsinh(x)


@unary((lambda g, _out, x: g / sqrt(square(x) - 1),), domain=Domain(1.2, 3.0))
def acosh(x: Array) -> Any:
    """The number, 0 or above, whose hyperbolic cosine is each element; nan below 1.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.acosh(dg.to_tensor([1.0, 2.0], dtype="float64")).round(4).tolist()
    [0.0, 1.317]
    """
    return np.arccosh(x)


@unary((lambda g, _out, x: g / (1 - square(x)),), domain=_INSIDE)
def atanh(x: Array) -> Any:
    """The number whose hyperbolic tangent is each element; infinite at 1, nan beyond.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.atanh(dg.to_tensor([0.0, 0.5], dtype="float64")).round(4).tolist()
    [0.0, 0.5493]
    """
    return np.arctanh(x)


# ---- the error function and the logistic function ------------------------------------------------


@fused(lambda g, x: g * (exp(-square(x)) * (2 / math.sqrt(math.pi))))
@in_float32
def erf_slope(g: Array, x: Array) -> Any:
    """The gradient of `erf`."""
    return g * (np.exp(-(x * x)) * (2 / math.sqrt(math.pi)))


@unary((lambda g, _out, x: erf_slope(g, x),))
@in_float32
def erf(x: Array) -> Any:
    """The error function of each element: twice the normal integral from 0 to `x * sqrt(2)`.

    Within 2 units in the last place (Cody, Math. Comp. 23, 1969, and Sun's fdlibm, 1993). Integers
    become the default floating type.

    >>> import dualgraph as dg
    >>> dg.erf(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 0.8427]
    """
    return special_math.erf(x)


@unary((lambda g, out, _x: g * (exp(square(out)) * (math.sqrt(math.pi) / 2)),), domain=_INSIDE)
def erfinv(x: Array) -> Any:
    """The number whose error function is each element; infinite at -1 and 1, nan beyond.

    The method is Wichura's AS 241 (Appl. Statist. 37, 1988). Integers become the default floating
    type.

    >>> import dualgraph as dg
    >>> dg.erfinv(dg.to_tensor([0.0, 0.5], dtype="float64")).round(4).tolist()
    [0.0, 0.4769]
    """
    return special_math.erfinv(x).astype(x.dtype)


@fused(lambda g, out: g * (out * (1 - out)))
def sigmoid_slope(g: Array, out: Array) -> Any:
    """The gradient of `sigmoid`."""
    return g * (out * (1 - out))


@unary((lambda g, out, _x: sigmoid_slope(g, out),), expand=lambda x: 1 / (1 + exp(-x)))
@in_float32
def sigmoid(x: Array) -> Any:
    """The logistic function of each element, `1 / (1 + exp(-x))`, from 0 to 1.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.sigmoid(dg.to_tensor([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return 1 / (1 + np.exp(-x))


@op(
    (lambda g, _out, x: g / (x * (1 - x)),),
    name="logit",
    infer=same_type,
    expand=lambda x: log(x / (1 - x)),
    domain=Domain(0.1, 0.9),
)
def _logit(x: Array) -> Any:
    return np.log(x / (1 - x))


def logit(x: Tensor, eps: float | None = None, name: str | None = None) -> Tensor:
    """The inverse of `sigmoid`: `log(x / (1 - x))` of each element; nan outside 0 to 1.

    With `eps`, x is first brought between `eps` and `1 - eps`. Integers become the default
    floating type.

    >>> import dualgraph as dg
    >>> dg.logit(dg.to_tensor([0.5, 1.0], dtype="float64"), eps=0.25).round(4).tolist()
    [0.0, 1.0986]
    """
    x = floating("logit", x)
    return apply(_logit, (clip(x, float(eps), 1 - float(eps)) if eps else x,))


def stanh(
    x: Tensor, scale_a: float = 0.67, scale_b: float = 1.7159, name: str | None = None
) -> Tensor:
    """Return `scale_b * tanh(scale_a * x)` of each element.

    The scales are LeCun's ("Generalization and network design strategies", 1989). Integers become
    the default floating type.

    >>> import dualgraph as dg
    >>> dg.stanh(dg.to_tensor([0.0])).tolist()
    [0.0]
    """
    return tanh(floating("stanh", x) * float(scale_a)) * float(scale_b)
