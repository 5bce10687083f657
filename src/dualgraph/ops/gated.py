"""Activations that let x through by how large it is: GELU, SiLU, Mish, gated linear units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dualgraph.errors import message
from dualgraph.ops.apply import apply
from dualgraph.ops.bounds import minimum
from dualgraph.ops.define import axis_of, floating, fused, in_float32, same_type, unary
from dualgraph.ops.elementwise import exp, square, tanh
from dualgraph.ops.registry import op
from dualgraph.ops.special_math import erf as erf_of
from dualgraph.ops.special_math import in_blocks
from dualgraph.ops.splitting import chunk
from dualgraph.ops.transcendental import erf, sigmoid
from dualgraph.tensor import Array, Tensor

__all__ = ["gelu", "glu", "mish", "silu", "swiglu", "swish"]

_CUBIC = 0.044715
_NORM = math.sqrt(2 / math.pi)


def _gelu_slope_expanded(g: Tensor, x: Tensor, approximate: bool) -> Tensor:
    if approximate:
        t = tanh(x * (_NORM + _NORM * _CUBIC * square(x)))
        steep = (1 - square(t)) * (_NORM + 3 * _NORM * _CUBIC * square(x))
        return g * (0.5 * (1 + t + x * steep))
    below = 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return g * (below + x * (exp(-0.5 * square(x)) * (1 / math.sqrt(2 * math.pi))))


def _gelu_rate(x: Array) -> Any:
    density = np.exp(x * x * -0.5) * (x * (1 / math.sqrt(2 * math.pi)))
    return (erf_of(x * math.sqrt(0.5)) + 1) * 0.5 + density


def _gelu_tanh_rate(x: Array) -> Any:
    xx = x * x
    t = np.tanh(x * (xx * (_NORM * _CUBIC) + _NORM))
    return (1 + t + x * (1 - t * t) * (xx * (3 * _NORM * _CUBIC) + _NORM)) * 0.5


@fused(_gelu_slope_expanded)
@in_float32
def gelu_slope(g: Array, x: Array, *, approximate: bool) -> Any:
    """The gradient of `gelu`."""
    return g * in_blocks(_gelu_tanh_rate if approximate else _gelu_rate, x)


def _gelu_exact(x: Array) -> Any:
    return x * (erf_of(x * math.sqrt(0.5)) + 1) * 0.5


def _gelu_tanh(x: Array) -> Any:
    return x * (np.tanh(x * (x * x * (_NORM * _CUBIC) + _NORM)) + 1) * 0.5


@op(
    (lambda g, _out, x, approximate: gelu_slope(g, x, approximate=approximate),),
    name="gelu",
    infer=same_type,
    expand=lambda x, approximate: (
        0.5 * x * (1 + tanh(x * (_NORM + _NORM * _CUBIC * square(x))))
        if approximate
        else 0.5 * x * (1 + erf(x * math.sqrt(0.5)))
    ),
)
@in_float32
def _gelu(x: Array, *, approximate: bool) -> Any:
    return in_blocks(_gelu_tanh if approximate else _gelu_exact, x)


def gelu(x: Tensor, approximate: bool | str = False, name: str | None = None) -> Tensor:
    """Return x times the probability that a standard normal variable is below x.

    Hendrycks and Gimpel, "Gaussian error linear units" (2016); with `approximate=True` (or
    "tanh"), by their approximation with tanh. Integers become the default floating type.
    ValueError for another approximation.

    >>> import dualgraph as dg
    >>> dg.nn.functional.gelu(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 0.8413]
    """
    if approximate not in (True, False, "tanh", "none"):
        given = f"approximate is {approximate!r}"
        raise ValueError(message("gelu", given, "expected True, False, 'tanh' or 'none'"))
    attrs = {"approximate": approximate in (True, "tanh")}
    return apply(_gelu, (floating("gelu", x),), attrs)


def _silu_slope_expanded(g: Tensor, x: Tensor) -> Tensor:
    s = sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


@fused(_silu_slope_expanded)
@in_float32
def silu_slope(g: Array, x: Array) -> Any:
    """The gradient of `silu`."""
    s = 1 / (1 + np.exp(-x))
    return g * (s * (1 + x * (1 - s)))


@unary((lambda g, _out, x: silu_slope(g, x),), expand=lambda x: x / (1 + exp(-x)))
@in_float32
def silu(x: Array) -> Any:
    """Return x times `sigmoid(x)`.

    Elfwing et al., "Sigmoid-weighted linear units" (2017). Integers become the default floating
    type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.silu(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 0.7311]
    """
    return x / (1 + np.exp(-x))


swish = silu


def _mish_slope_expanded(g: Tensor, x: Tensor) -> Tensor:
    x = minimum(x, 20.0)
    e = exp(x)
    n = e * (e + 2)
    return g * (n / (n + 2) + x * (4 * e * (1 + e) / square(n + 2)))


@fused(_mish_slope_expanded)
@in_float32
def mish_slope(g: Array, x: Array) -> Any:
    """The gradient of `mish`."""
    x = np.minimum(x, 20)
    e = np.exp(x)
    n = e * (e + 2)
    d = n + 2
    return g * (n / d + x * (e * (1 + e) * 4 / (d * d)))


def _mish_expanded(x: Tensor) -> Tensor:
    e = exp(minimum(x, 20.0))
    n = e * (e + 2)
    return x * (n / (n + 2))


@unary((lambda g, _out, x: mish_slope(g, x),), expand=_mish_expanded)
@in_float32
def mish(x: Array) -> Any:
    """Return x times `tanh(softplus(x))`.

    Misra, "Mish: a self regularized non-monotonic activation function" (2019). Integers become the
    default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.mish(dg.to_tensor([0.0, 1000.0])).tolist()
    [0.0, 1000.0]
    """
    # tanh(log(1 + e)) is n / (n + 2) with n = e (e + 2); it is 1 to the last bit from 20 on.
    e = np.exp(np.minimum(x, 20))
    n = e * (e + 2)
    return x * (n / (n + 2))


def glu(x: Tensor, axis: int = -1, name: str | None = None) -> Tensor:
    """The first half of x along an axis times the `sigmoid` of the second half.

    Dauphin et al., "Language modeling with gated convolutional networks" (2016). Integers become
    the default floating type. ValueError for an axis of odd size.

    >>> import dualgraph as dg
    >>> dg.nn.functional.glu(dg.to_tensor([[3.0, 4.0, 0.0, 1000.0]])).tolist()
    [[1.5, 4.0]]
    """
    value, gate = _halves("glu", x, axis)
    return value * sigmoid(gate)


def swiglu(x: Tensor, y: Tensor | None = None, name: str | None = None) -> Tensor:
    """Return `silu(x) * y`; without y, of the first and second half of x along its last axis.

    Shazeer, "GLU variants improve transformer" (2020). Integers become the default floating type.
    ValueError for a last axis of odd size without y.

    >>> import dualgraph as dg
    >>> dg.nn.functional.swiglu(dg.to_tensor([1000.0]), dg.to_tensor([2.0])).tolist()
    [2000.0]
    """
    x, y = _halves("swiglu", x, -1) if y is None else (x, y)
    return silu(x) * y


def _halves(op_name: str, x: Tensor, axis: int) -> list[Tensor]:
    x = floating(op_name, x)
    at = axis_of(op_name, axis, x._data.ndim)
    size = x._data.shape[at] if x._data.ndim else 1
    if size % 2:
        given = f"axis {axis} has size {size}"
        raise ValueError(message(op_name, given, "expected an even size"))
    return chunk(x, 2, at)
