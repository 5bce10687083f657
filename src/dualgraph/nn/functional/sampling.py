"""Activations that draw: samples near one-hot vectors, and rectifiers with random slopes."""

from __future__ import annotations

from typing import Any

from dualgraph.errors import message
from dualgraph.ops.activation import leaky_relu, softmax
from dualgraph.ops.apply import apply
from dualgraph.ops.define import axis_of, floating, to_dtype
from dualgraph.ops.elementwise import add, divide, log, multiply, neg, subtract
from dualgraph.ops.encoding import one_hot
from dualgraph.ops.extreme import argmax
from dualgraph.ops.logic import less_than, select
from dualgraph.ops.manipulation import detach, moveaxis
from dualgraph.ops.random import uniform
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = ["gumbel_softmax", "rrelu"]


@op(
    (lambda g, _out, _soft, _hard: g, None),
    expand=lambda soft, hard: add(soft, detach(subtract(hard, soft))),
)
def _straight_through(soft: Array, hard: Array) -> Array:
    """The hard values, through which gradients flow as if they were the soft ones."""
    return hard.copy()


def gumbel_softmax(
    x: Tensor,
    temperature: float = 1.0,
    hard: bool = False,
    axis: int = -1,
    name: str | None = None,
) -> Tensor:
    """Sample from the classes along an axis, with logits x, in a way that gradients flow through.

    The softmax of (x + Gumbel noise) / temperature: the lower the temperature, the nearer to
    one-hot vectors. With `hard` they are one-hot, and gradients are those of the softmax.
    ValueError unless the temperature is positive. Source: Jang, Gu and Poole, "Categorical
    reparameterization with Gumbel-softmax", 2017.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> sorted(F.gumbel_softmax(dg.zeros([3]), hard=True).tolist())
    [0.0, 0.0, 1.0]
    """
    if not temperature > 0:
        given = f"temperature is {temperature}"
        raise ValueError(message("gumbel_softmax", given, "expected a positive number"))
    x = floating("gumbel_softmax", x)
    axis = axis_of("gumbel_softmax", axis, x.ndim)
    soft = softmax(divide(add(x, _gumbel(x)), temperature), axis)
    if not hard or not x.ndim:
        return soft
    rows = one_hot(argmax(soft, axis), x._data.shape[axis])
    chosen = to_dtype(moveaxis(rows, -1, axis), soft._data.dtype)
    return apply(_straight_through, (soft, chosen))


def _gumbel(x: Tensor) -> Tensor:
    """Noise of Gumbel's distribution in the shape and dtype of x."""
    # 1 - u lies in (0, 1]: the inner logarithm is finite, and -0 only where the noise is infinite.
    u = uniform(list(x._data.shape), "float64")
    waiting = neg(log(subtract(1.0, u)))
    return to_dtype(neg(log(add(waiting, 1e-300))), x._data.dtype)


def rrelu(
    x: Tensor,
    lower: float = 1.0 / 8.0,
    upper: float = 1.0 / 3.0,
    training: bool = True,
    name: str | None = None,
) -> Tensor:
    """Multiply what is negative in x by slopes drawn from [lower, upper), or by their mean.

    The mean is used when not `training`. ValueError unless 0 <= lower <= upper <= 1. Source: Xu and
    others, "Empirical evaluation of rectified activations in convolutional network", 2015.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.rrelu(dg.to_tensor([-8.0, 8.0]), 0.25, 0.5, training=False).tolist()
    [-3.0, 8.0]
    """
    if not 0.0 <= lower <= upper <= 1.0:
        given = f"lower is {lower}, upper is {upper}"
        raise ValueError(message("rrelu", given, "expected 0 <= lower <= upper <= 1"))
    x = floating("rrelu", x)
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    dtype: Any = x.dtype
    slopes = uniform(list(x._data.shape), dtype, lower, upper)
    return select(less_than(x, 0.0), multiply(x, slopes), x)
