"""Losses of differences, and what all losses share: each is one op with its sum or mean."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph.errors import message
from dualgraph.ops.apply import apply
from dualgraph.ops.bounds import clip
from dualgraph.ops.define import as_tensor, fused, in_float32, operands
from dualgraph.ops.elementwise import abs as abs_of
from dualgraph.ops.elementwise import divide, multiply, sign, square, subtract
from dualgraph.ops.logic import select
from dualgraph.ops.reduction import mean as mean_of
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import Op, op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "check_reduction",
    "fused_loss",
    "l1_loss",
    "mse_loss",
    "pair",
    "reduced",
    "smooth_l1_loss",
    "square_error_cost",
]

Slope = Callable[..., Any]


def check_reduction(name: str, reduction: str, *more: str) -> None:
    """ValueError unless the reduction is "none", "mean" or "sum", or one more that is admitted."""
    if reduction not in ("mean", "sum", "none", *more):
        expected = "expected " + ", ".join(map(repr, ("none", "mean", "sum", *more)))
        raise ValueError(message(name, f"reduction is {reduction!r}", expected))


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The loss as it is ("none"), its mean or its sum."""
    if reduction == "none":
        return loss
    return mean_of(loss) if reduction == "mean" else sum_of(loss)


def _weight(x: Any, y: Any, reduction: str, scale: float) -> float:
    """What each element's loss counts in the reduced one, times a constant."""
    if reduction == "mean":
        a, b = x.shape, y.shape
        count = math.prod(a if a == b else np.broadcast_shapes(a, b))
        return scale / count if count else math.nan
    return scale


def _share(g: Tensor, x: Any, y: Any, reduction: str, scale: float) -> Tensor:
    """The gradient of each element's loss, given that of the reduced one, times a constant."""
    weight = _weight(x, y, reduction, scale)
    return g if weight == 1.0 else g * weight


def _loss_type(x: Any, y: Any, *, reduction: str, **attrs: Any) -> Any:
    return (np.broadcast_shapes(x.shape, y.shape) if reduction == "none" else ()), x.dtype


def fused_loss(
    name: str, dx: Slope, dy: Slope, steps: Callable[..., Tensor], scale: float = 1.0
) -> Callable[[Any], Op]:
    """Define a loss of two tensors by its numpy function, its slopes and its steps in ops.

    `dx(x, y, **attrs)` and `dy`, times `scale`, are the loss's derivatives, in ops; `steps` is the
    loss itself, in ops.
    """

    def define(elements: Callable[..., Any]) -> Op:
        def forward(x: Array, y: Array, *, reduction: str, **attrs: Any) -> Any:
            dtype = x.dtype
            if dtype.itemsize == 2 and dtype.kind not in "iu":
                x, y = x.astype(np.float32), y.astype(np.float32)
            out = elements(x, y, **attrs)
            if reduction != "none":
                total = np.add.reduce(out, axis=None)
                out = total / np.size(out) if reduction == "mean" else total
            return out if out.dtype == dtype else np.asarray(out).astype(dtype)

        def rule_x(g: Any, _out: Any, x: Any, y: Any, reduction: str, **attrs: Any) -> Any:
            return dx(x, y, **attrs) * _share(g, x, y, reduction, scale)

        def rule_y(g: Any, _out: Any, x: Any, y: Any, reduction: str, **attrs: Any) -> Any:
            return dy(x, y, **attrs) * _share(g, x, y, reduction, scale)

        def expand(x: Tensor, y: Tensor, reduction: str, **attrs: Any) -> Tensor:
            return reduced(steps(x, y, **attrs), reduction)

        forward.__module__ = elements.__module__
        return op((rule_x, rule_y), name=name, expand=expand, infer=_loss_type)(forward)

    return define


def pair(name: str, x: Any, y: Any, reduction: str = "none", equal_shapes: bool = True) -> Any:
    """Input and label in one dtype and, unless they may broadcast, checked for one shape."""
    check_reduction(name, reduction)
    if not (isinstance(x, Tensor) and isinstance(y, Tensor) and x._data.dtype is y._data.dtype):
        x, y = operands(name, as_tensor(name, x, "input"), as_tensor(name, y, "label"))
    if equal_shapes and x._data.shape != y._data.shape:
        given = f"input is {x.shape}, label is {y.shape}"
        raise ValueError(message(name, given, "expected equal shapes"))
    return x, y


# -- differences ----------------------------------------------------------------------------------


@fused(lambda g, x, y, weight: subtract(x, y) * (g * weight))
def mse_slope(g: Array, x: Array, y: Array, *, weight: float) -> Any:
    """The gradient of `mse_loss` for its input, and with x and y exchanged for its label."""
    away: Any = np.subtract(x, y)
    return np.multiply(away, g * weight, out=away if away.ndim else None)


def _mse_in_steps(x: Tensor, y: Tensor, reduction: str) -> Tensor:
    return reduced(square(subtract(x, y)), reduction)


@op(
    (
        lambda g, _out, x, y, reduction: mse_slope(g, x, y, weight=_weight(x, y, reduction, 2.0)),
        lambda g, _out, x, y, reduction: mse_slope(g, y, x, weight=_weight(x, y, reduction, 2.0)),
    ),
    name="mse_loss",
    expand=_mse_in_steps,
    infer=_loss_type,
)
@in_float32
def _squared_error(x: Array, y: Array, *, reduction: str) -> Any:
    away: Any = np.subtract(x, y)
    if reduction == "none":
        return np.multiply(away, away, out=away if away.ndim else None)
    flat = away.reshape(-1)
    total = np.dot(flat, flat)
    return total / flat.size if reduction == "mean" else total


def mse_loss(
    input: Tensor, label: Tensor, reduction: str = "mean", name: str | None = None
) -> Tensor:
    """The squared difference of input and label, which broadcast; its mean or sum.

    ValueError for another reduction than "mean", "sum" and "none".

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.mse_loss(dg.to_tensor([1.0, 2.0]), dg.to_tensor([3.0, 2.0])).item()
    2.0
    """
    x, y = pair("mse_loss", input, label, reduction, equal_shapes=False)
    return apply(_squared_error, (x, y), {"reduction": reduction})


def square_error_cost(input: Tensor, label: Tensor) -> Tensor:
    """The squared difference of input and label, element by element.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.square_error_cost(dg.to_tensor([1.0, 2.0]), dg.to_tensor([3.0, 2.0])).tolist()
    [4.0, 0.0]
    """
    x, y = pair("square_error_cost", input, label, equal_shapes=False)
    return apply(_squared_error, (x, y), {"reduction": "none"})


@fused_loss(
    "l1_loss",
    lambda x, y: sign(subtract(x, y)),
    lambda x, y: sign(subtract(y, x)),
    lambda x, y: abs_of(subtract(x, y)),
)
def _absolute_error(x: Array, y: Array) -> Any:
    away: Any = np.subtract(x, y)
    return np.abs(away, out=away if away.ndim else None)


def l1_loss(
    input: Tensor, label: Tensor, reduction: str = "mean", name: str | None = None
) -> Tensor:
    """The absolute difference of input and label, which broadcast; its mean or sum.

    The slope at 0 is 0.

    ValueError for another reduction than "mean", "sum" and "none".

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.l1_loss(dg.to_tensor([1.0, 2.0]), dg.to_tensor([3.0, 2.0])).item()
    1.0
    """
    x, y = pair("l1_loss", input, label, reduction, equal_shapes=False)
    return apply(_absolute_error, (x, y), {"reduction": reduction})


def _huber_in_steps(x: Tensor, y: Tensor, delta: float) -> Tensor:
    away = abs_of(subtract(x, y))
    inside = multiply(square(away), 0.5)
    return select(away <= delta, inside, multiply(subtract(away, 0.5 * delta), delta))


@fused_loss(
    "huber_loss",
    lambda x, y, delta: clip(subtract(x, y), -delta, delta),
    lambda x, y, delta: clip(subtract(y, x), -delta, delta),
    _huber_in_steps,
)
def _huber(x: Array, y: Array, delta: float) -> Any:
    away = np.abs(np.subtract(x, y))
    return np.where(away <= delta, 0.5 * away * away, delta * (away - 0.5 * delta))


def smooth_l1_loss(
    input: Tensor,
    label: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    is_huber: bool = True,
    name: str | None = None,
) -> Tensor:
    """Half the squared difference up to `delta`, linear beyond, with slope `delta`.

    Without `is_huber` all is divided by `delta`.

    ValueError for different shapes or another reduction than "mean", "sum" and "none".

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.smooth_l1_loss(dg.to_tensor([1.0, 3.0]), dg.zeros([2]), reduction="none").tolist()
    [0.5, 2.5]
    """
    x, y = pair("smooth_l1_loss", input, label, reduction)
    out = apply(_huber, (x, y), {"reduction": reduction, "delta": float(delta)})
    return out if is_huber else divide(out, delta)
