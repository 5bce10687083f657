"""Activations made of straight pieces: rectifiers, shrinkers and clamped lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.bounds import clip, maximum, minimum
from dualgraph.ops.define import (
    axis_of,
    check_tensor,
    floating,
    fused,
    in_float32,
    same_type,
    unary,
)
from dualgraph.ops.extreme import max as max_of
from dualgraph.ops.logic import masked, select
from dualgraph.ops.manipulation import reshape
from dualgraph.ops.registry import Domain, op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "maxout",
    "prelu",
    "relu",
    "relu6",
    "softshrink",
    "thresholded_relu",
]

_ZERO = Domain(kinks=(0.0,))


@fused(lambda g, out: masked(g, out > 0))
def relu_slope(g: Array, out: Array) -> Any:
    """The gradient of `relu`."""
    # Twice as fast as np.where.
    return np.multiply(g, out > 0)


@unary((lambda g, out, _x: relu_slope(g, out),), domain=_ZERO, expand=lambda x: maximum(x, 0.0))
def relu(x: Array) -> Any:
    """Return x where it is positive, else 0; its gradient at 0 is 0.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.relu(dg.to_tensor([-1.5, 2.0])).tolist()
    [0.0, 2.0]
    """
    return np.maximum(x, 0)


# ---- leaky rectifiers ----------------------------------------------------------------------------


@fused(lambda g, out, slope: select(out >= 0, g, g * slope))
@in_float32
def leaky_relu_slope(g: Array, out: Array, *, slope: float) -> Any:
    """The gradient of `leaky_relu`."""
    return np.where(out >= 0, g, g * slope)


@op(
    (lambda g, out, _x, slope: leaky_relu_slope(g, out, slope=slope),),
    name="leaky_relu",
    infer=same_type,
    expand=lambda x, slope: select(x >= 0, x, x * slope),
    domain=_ZERO,
)
@in_float32
def _leaky_relu(x: Array, *, slope: float) -> Any:
    # The larger is the same, and cheaper to find, for the usual slopes.
    return np.maximum(x, x * slope) if slope <= 1 else np.where(x >= 0, x, x * slope)


def leaky_relu(x: Tensor, negative_slope: float = 0.01, name: str | None = None) -> Tensor:
    """Return x where it is not negative, else `negative_slope * x`; its gradient at 0 is 1.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.leaky_relu(dg.to_tensor([-1.0, 2.0]), 0.5).tolist()
    [-0.5, 2.0]
    """
    x, slope = floating("leaky_relu", x), float(negative_slope)
    # Only above zero does a slope keep the sign, from which the gradient is told.
    return apply(_leaky_relu, (x,), {"slope": slope}) if slope > 0 else select(x >= 0, x, x * slope)


@fused(lambda g, x, weight: select(x > 0, g, g * weight))
def prelu_slope(g: Array, x: Array, weight: Array) -> Any:
    """The gradient of `prelu` for its input."""
    return np.where(x > 0, g, g * weight)


@op(
    (
        lambda g, _out, x, weight: prelu_slope(g, x, weight),
        lambda g, _out, x, _weight: g * minimum(x, 0.0),
    ),
    name="prelu",
    infer=same_type,
    expand=lambda x, weight: select(x > 0, x, x * weight),
    domain=_ZERO,
)
def _prelu(x: Array, weight: Array) -> Any:
    return np.where(x > 0, x, x * weight)


def prelu(x: Tensor, weight: Tensor, data_format: str = "NCHW", name: str | None = None) -> Tensor:
    """Return x where it is positive, else `weight * x`, with one weight or one per channel.

    He et al., "Delving deep into rectifiers" (2015). Channels are axis 1 of x, or the last where
    `data_format` ends in C ("NHWC"). ValueError for another number of weights, or another format.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[-1.0, -1.0], [1.0, -2.0]])
    >>> dg.nn.functional.prelu(x, dg.to_tensor([0.5, 0.25])).tolist()
    [[-0.5, -0.25], [1.0, -0.5]]
    """
    x = floating("prelu", check_tensor("prelu", x))
    weight = floating("prelu", check_tensor("prelu", weight, "weight"))
    if data_format not in ("NC", "NCL", "NCHW", "NCDHW", "NLC", "NHWC", "NDHWC"):
        given = f"data_format is {data_format!r}"
        raise ValueError(message("prelu", given, "expected NC, NCL, NCHW, NCDHW, NLC, NHWC, NDHWC"))
    if weight._data.size == 1:
        return apply(_prelu, (x, reshape(weight, [])))
    shape = x._data.shape
    axis = 1 if data_format.startswith("NC") else len(shape) - 1
    if len(shape) < 2 or weight._data.size != shape[axis]:
        given = f"x is {describe(x)}, weight is {describe(weight)}"
        channels = f"{shape[axis]}" if len(shape) > 1 else "one, as x has no channels"
        raise ValueError(message("prelu", given, f"expected one weight, or {channels}"))
    spread = [-1 if i == axis else 1 for i in range(len(shape))]
    return apply(_prelu, (x, reshape(weight, spread)))


# ---- clamped lines -------------------------------------------------------------------------------


@fused(lambda g, out, low, high: masked(masked(g, out > low), out < high))
def hardtanh_slope(g: Array, out: Array, *, low: float, high: float) -> Any:
    """The gradient of `hardtanh`."""
    return g * ((out > low) & (out < high))


@op(
    (lambda g, out, _x, low, high: hardtanh_slope(g, out, low=low, high=high),),
    name="hardtanh",
    infer=same_type,
    expand=lambda x, low, high: clip(x, min=low, max=high),
    domain=Domain(kinks=(-1.0, 1.0)),
)
@in_float32
def _hardtanh(x: Array, *, low: float, high: float) -> Any:
    return np.minimum(np.maximum(x, low), high)


def hardtanh(x: Tensor, min: float = -1.0, max: float = 1.0, name: str | None = None) -> Tensor:
    """Return x brought between `min` and `max`; unlike `clip`, with gradient 0 at the bounds.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.hardtanh(dg.to_tensor([-2.0, 0.5, 2.0])).tolist()
    [-1.0, 0.5, 1.0]
    """
    x = floating("hardtanh", x)
    return apply(_hardtanh, (x,), {"low": float(min), "high": float(max)})


def relu6(x: Tensor, name: str | None = None) -> Tensor:
    """Return x brought between 0 and 6; its gradient at 0 and 6 is 0.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.relu6(dg.to_tensor([-2.0, 5.0, 7.0])).tolist()
    [0.0, 5.0, 6.0]
    """
    return apply(_hardtanh, (floating("relu6", x),), {"low": 0.0, "high": 6.0})


@fused(lambda g, out, slope: masked(masked(g * slope, out > 0), out < 1))
@in_float32
def hardsigmoid_slope(g: Array, out: Array, *, slope: float) -> Any:
    """The gradient of `hardsigmoid`."""
    return g * slope * ((out > 0) & (out < 1))


@op(
    (lambda g, out, _x, slope, offset: hardsigmoid_slope(g, out, slope=slope),),
    name="hardsigmoid",
    infer=same_type,
    expand=lambda x, slope, offset: clip(x * slope + offset, 0.0, 1.0),
    domain=Domain(-4.0, 4.0, (-3.0, 3.0)),
)
@in_float32
def _hardsigmoid(x: Array, *, slope: float, offset: float) -> Any:
    return np.minimum(np.maximum(x * slope + offset, 0), 1)


def hardsigmoid(
    x: Tensor, slope: float = 0.1666667, offset: float = 0.5, name: str | None = None
) -> Tensor:
    """Return `slope * x + offset` brought between 0 and 1: a straight approximation of `sigmoid`.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.hardsigmoid(dg.to_tensor([-4.0, 0.0, 4.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    attrs = {"slope": float(slope), "offset": float(offset)}
    return apply(_hardsigmoid, (floating("hardsigmoid", x),), attrs)


@fused(lambda g, x: select(x < 3, masked(g * (x * (1 / 3) + 0.5), x > -3), g))
@in_float32
def hardswish_slope(g: Array, x: Array) -> Any:
    """The gradient of `hardswish`."""
    return np.where(x < 3, g * (x * (1 / 3) + 0.5) * (x > -3), g)


@unary(
    (lambda g, _out, x: hardswish_slope(g, x),),
    domain=Domain(-4.0, 4.0, (-3.0, 3.0)),
    expand=lambda x: x * clip(x + 3, 0.0, 6.0) * (1 / 6),
)
@in_float32
def hardswish(x: Array) -> Any:
    """Return x times `relu6(x + 3) / 6`: a straight-edged approximation of `swish`.

    Howard et al., "Searching for MobileNetV3" (2019). Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.hardswish(dg.to_tensor([0.0, 3.0, 4.0])).tolist()
    [0.0, 3.0, 4.0]
    """
    return x * np.minimum(np.maximum(x + 3, 0), 6) * (1 / 6)


# ---- shrinkers and thresholds --------------------------------------------------------------------


@fused(lambda g, x, threshold: masked(g, abs(x) > threshold))
def softshrink_slope(g: Array, x: Array, *, threshold: float) -> Any:
    """The gradient of `softshrink`."""
    return g * (np.abs(x) > threshold)


@op(
    (lambda g, _out, x, threshold: softshrink_slope(g, x, threshold=threshold),),
    name="softshrink",
    infer=same_type,
    expand=lambda x, threshold: x - clip(x, -threshold, threshold),
    domain=Domain(kinks=(-0.5, 0.5)),
)
@in_float32
def _softshrink(x: Array, *, threshold: float) -> Any:
    return x - np.minimum(np.maximum(x, -threshold), threshold)


def softshrink(x: Tensor, threshold: float = 0.5, name: str | None = None) -> Tensor:
    """Return x moved towards 0 by the threshold, and 0 where it is not larger than that.

    Integers become the default floating type. ValueError for a negative threshold.

    >>> import dualgraph as dg
    >>> dg.nn.functional.softshrink(dg.to_tensor([-2.0, 0.25, 2.0])).tolist()
    [-1.5, 0.0, 1.5]
    """
    if threshold < 0:
        given = f"threshold is {threshold}"
        raise ValueError(message("softshrink", given, "expected 0 or more"))
    return apply(_softshrink, (floating("softshrink", x),), {"threshold": float(threshold)})


@op(
    (lambda g, _out, x, threshold: masked(g, abs(x) >= threshold),),
    name="hardshrink",
    infer=same_type,
    expand=lambda x, threshold: masked(x, abs(x) >= threshold),
    domain=Domain(kinks=(-0.5, 0.5)),
)
def _hardshrink(x: Array, *, threshold: float) -> Any:
    return x * (np.abs(x) >= threshold)


def hardshrink(x: Tensor, threshold: float = 0.5, name: str | None = None) -> Tensor:
    """Return x where its magnitude is the threshold or larger, else 0.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.hardshrink(dg.to_tensor([-2.0, 0.25, 2.0])).tolist()
    [-2.0, 0.0, 2.0]
    """
    return apply(_hardshrink, (floating("hardshrink", x),), {"threshold": float(threshold)})


@fused(lambda g, out, threshold: masked(g, out > threshold))
def thresholded_relu_slope(g: Array, out: Array, *, threshold: float) -> Any:
    """The gradient of `thresholded_relu` with a value that is not above the threshold."""
    return g * (out > threshold)


@op(
    (lambda g, out, _x, threshold, value: thresholded_relu_slope(g, out, threshold=threshold),),
    name="thresholded_relu",
    infer=same_type,
    expand=lambda x, threshold, value: select(x <= threshold, value, x),
    domain=Domain(kinks=(1.0,)),
)
@in_float32
def _thresholded_relu(x: Array, *, threshold: float, value: float) -> Any:
    return np.where(x <= threshold, value, x)


def thresholded_relu(
    x: Tensor, threshold: float = 1.0, value: float = 0.0, name: str | None = None
) -> Tensor:
    """Return x where it is larger than the threshold, else `value`.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nn.functional.thresholded_relu(dg.to_tensor([0.5, 2.0])).tolist()
    [0.0, 2.0]
    """
    x = floating("thresholded_relu", x)
    if value > threshold:
        return select(x <= float(threshold), float(value), x)
    attrs = {"threshold": float(threshold), "value": float(value)}
    return apply(_thresholded_relu, (x,), attrs)


def maxout(x: Tensor, groups: int, axis: int = 1, name: str | None = None) -> Tensor:
    """The largest of each `groups` neighbouring channels; equals share the gradient.

    Goodfellow et al., "Maxout networks" (2013). The axis of channels becomes `groups` times
    shorter. ValueError if its size is no multiple of that.

    >>> import dualgraph as dg
    >>> dg.nn.functional.maxout(dg.to_tensor([[1.0, 4.0, 3.0, 2.0]]), groups=2).tolist()
    [[4.0, 3.0]]
    """
    shape = floating("maxout", x)._data.shape
    at = axis_of("maxout", axis, len(shape))
    if groups < 1 or not shape or shape[at] % groups:
        given = f"x is {describe(x)}, groups is {groups}"
        raise ValueError(message("maxout", given, f"expected a divisor of the size of axis {axis}"))
    apart = [*shape[:at], shape[at] // groups, groups, *shape[at + 1 :]]
    return max_of(reshape(floating("maxout", x), apart), at + 1)
