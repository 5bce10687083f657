"""Losses of probabilities: binary cross entropy, divergence, likelihoods."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dualgraph.errors import message
from dualgraph.ops.activation import log_sigmoid, sigmoid
from dualgraph.ops.apply import apply
from dualgraph.ops.bounds import maximum
from dualgraph.ops.define import as_tensor, to_dtype
from dualgraph.ops.elementwise import add, divide, exp, log, multiply, square, subtract
from dualgraph.ops.logic import select
from dualgraph.ops.loss import check_reduction, fused_loss, pair, reduced
from dualgraph.ops.manipulation import unsqueeze
from dualgraph.ops.registry import Op, op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "gaussian_nll_loss",
    "kl_div",
    "log_loss",
    "poisson_nll_loss",
    "sigmoid_focal_loss",
    "soft_margin_loss",
]

# Where Paddle bounds the logarithm of a probability.
_LOG_OF_ZERO = -100.0


def _bounded_log(x: Tensor) -> Tensor:
    return maximum(log(x), _LOG_OF_ZERO)


@fused_loss(
    "binary_cross_entropy",
    lambda x, y: (x - y) / maximum(x * (1.0 - x), 1e-12),
    lambda x, y: _bounded_log(1.0 - x) - _bounded_log(x),
    lambda x, y: -(y * _bounded_log(x) + (1.0 - y) * _bounded_log(1.0 - x)),
)
def _binary_cross_entropy(x: Array, y: Array) -> Any:
    if x.size and (x.min() < 0 or x.max() > 1):
        given = f"input goes from {x.min()} to {x.max()}"
        expected, remedy = "expected probabilities", "use binary_cross_entropy_with_logits"
        raise ValueError(message("binary_cross_entropy", given, expected, remedy))
    log_p = np.maximum(np.log(x), _LOG_OF_ZERO)
    log_q = np.maximum(np.log(1 - x), _LOG_OF_ZERO)
    return (y - 1) * log_q - y * log_p


def binary_cross_entropy(
    input: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """The cross entropy of probabilities with labels from 0 to 1, times a weight that broadcasts.

    Logarithms are bounded below by -100. ValueError for different shapes or input outside 0 to 1.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.binary_cross_entropy(dg.to_tensor([1.0, 0.0]), dg.to_tensor([1.0, 1.0])).item()
    50.0
    """
    x, y = pair("binary_cross_entropy", input, label, reduction)
    return _weighted(_binary_cross_entropy, x, y, weight, reduction)


def _weighted(record: Op, x: Tensor, y: Tensor, weight: Any, reduction: str) -> Tensor:
    if weight is None:
        return apply(record, (x, y), {"reduction": reduction})
    loss = apply(record, (x, y), {"reduction": "none"})
    return reduced(multiply(loss, weight), reduction)


@fused_loss(
    "binary_cross_entropy_with_logits",
    lambda x, y: sigmoid(x) - y,
    lambda x, y: -x,
    lambda x, y: -log_sigmoid(x) + (1.0 - y) * x,
)
def _binary_cross_entropy_with_logits(x: Array, y: Array) -> Any:
    out: Any = np.log1p(np.exp(-np.abs(x)))
    out += np.maximum(x, 0)
    out -= x * y
    return out


def binary_cross_entropy_with_logits(
    logit: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """The cross entropy of the sigmoids of logits with labels from 0 to 1, times a weight.

    `pos_weight` multiplies the part of positive labels; both weights broadcast. ValueError for
    different shapes.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> loss = F.binary_cross_entropy_with_logits(dg.to_tensor([0.0, 100.0]), dg.ones([2]))
    >>> round(loss.item(), 4)
    0.3466
    """
    x, y = pair("binary_cross_entropy_with_logits", logit, label, reduction)
    if pos_weight is None:
        return _weighted(_binary_cross_entropy_with_logits, x, y, weight, reduction)
    positive = add(multiply(y, subtract(pos_weight, 1.0)), 1.0)
    loss = subtract(multiply(subtract(1.0, y), x), multiply(positive, log_sigmoid(x)))
    return reduced(loss if weight is None else multiply(loss, weight), reduction)


def _kl_in_steps(x: Tensor, y: Tensor, log_target: bool) -> Tensor:
    if log_target:
        return multiply(exp(y), subtract(y, x))
    some = y > 0
    return select(some, y * (log(select(some, y, 1.0)) - x), 0.0)


def _kl_dx(x: Tensor, y: Tensor, log_target: bool) -> Tensor:
    return -exp(y) if log_target else -select(y > 0, y, 0.0)


def _kl_dy(x: Tensor, y: Tensor, log_target: bool) -> Tensor:
    if log_target:
        return exp(y) * (y - x + 1.0)
    some = y > 0
    return select(some, log(select(some, y, 1.0)) - x + 1.0, 0.0)


@fused_loss("kl_div", _kl_dx, _kl_dy, _kl_in_steps)
def _kl(x: Array, y: Array, log_target: bool) -> Any:
    if log_target:
        return np.exp(y) * (y - x)
    return np.where(y > 0, y * (np.log(y) - x), np.zeros((), x.dtype))


def kl_div(
    input: Tensor,
    label: Tensor,
    reduction: str = "mean",
    log_target: bool = False,
    name: str | None = None,
) -> Tensor:
    """The divergence of log-probabilities from labels, `label * (log(label) - input)`.

    A label of 0 adds nothing; with `log_target` the label holds logarithms, too. Reduction
    "batchmean" divides the sum by the first axis. ValueError for different shapes.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.kl_div(dg.to_tensor([-1.0, -2.0]), dg.to_tensor([1.0, 0.0]), "sum").item()
    1.0
    """
    check_reduction("kl_div", reduction, "batchmean")
    x, y = pair("kl_div", input, label)
    attrs = {"reduction": "sum" if reduction == "batchmean" else reduction}
    out = apply(_kl, (x, y), {**attrs, "log_target": bool(log_target)})
    return divide(out, x.shape[0]) if reduction == "batchmean" and x.ndim else out


def log_loss(
    input: Tensor, label: Tensor, epsilon: float = 1e-4, name: str | None = None
) -> Tensor:
    """The cross entropy of probabilities with labels from 0 to 1, `log(p + epsilon)` for log(p).

    ValueError for different shapes.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.log_loss(dg.to_tensor([[0.5]]), dg.to_tensor([[1.0]]), epsilon=0.5).tolist()
    [[-0.0]]
    """
    x, y = pair("log_loss", input, label)
    hit = multiply(y, log(add(x, epsilon)))
    miss = multiply(subtract(1.0, y), log(add(subtract(1.0, x), epsilon)))
    return subtract(-hit, miss)


def sigmoid_focal_loss(
    logit: Tensor,
    label: Tensor,
    normalizer: Tensor | None = None,
    alpha: float = 0.25,
    gamma: float = 2.0,
    reduction: str = "sum",
    name: str | None = None,
) -> Tensor:
    """The cross entropy of the sigmoids of logits, times `(1 - p) ** gamma`: less for sure answers.

    `alpha` weighs positive labels, 1 - alpha negative ones; `normalizer`, of one element, divides
    the loss. ValueError for different shapes. Lin et al., "Focal loss for dense object detection"
    (2017).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> round(F.sigmoid_focal_loss(dg.zeros([1]), dg.ones([1])).item(), 4)
    0.0433
    """
    x, y = pair("sigmoid_focal_loss", logit, label, reduction)
    if normalizer is not None and normalizer.ndim > 1:
        given = f"normalizer is {normalizer.shape}"
        raise ValueError(message("sigmoid_focal_loss", given, "expected one element"))
    loss = apply(_binary_cross_entropy_with_logits, (x, y), {"reduction": "none"})
    p, rest = sigmoid(x), subtract(1.0, y)
    missing = add(multiply(y, subtract(1.0, p)), multiply(rest, p))
    loss = multiply(
        multiply(loss, missing**gamma), add(multiply(y, alpha), multiply(rest, 1 - alpha))
    )
    return reduced(loss if normalizer is None else divide(loss, normalizer), reduction)


def soft_margin_loss(
    input: Tensor, label: Tensor, reduction: str = "mean", name: str | None = None
) -> Tensor:
    """The logistic loss `log(1 + exp(-label * input))` of labels 1 and -1.

    ValueError for different shapes.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.soft_margin_loss(dg.to_tensor([-1000.0]), dg.to_tensor([1])).item()
    1000.0
    """
    x = as_tensor("soft_margin_loss", input, "input")
    label = to_dtype(as_tensor("soft_margin_loss", label, "label"), x._data.dtype)
    x, y = pair("soft_margin_loss", x, label, reduction)
    return reduced(-log_sigmoid(multiply(x, y)), reduction)


def poisson_nll_loss(
    input: Tensor,
    label: Tensor,
    log_input: bool = True,
    full: bool = False,
    epsilon: float = 1e-8,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """The negative log-likelihood of counts (label) under Poisson rates (input).

    The rates are given as logarithms by default.

    `full` adds Stirling's approximation of the term that the rate does not change. ValueError for
    different shapes or an epsilon that is not positive.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.poisson_nll_loss(dg.to_tensor([0.0]), dg.to_tensor([2.0])).item()
    1.0
    """
    if epsilon <= 0:
        given = f"epsilon is {epsilon}"
        raise ValueError(message("poisson_nll_loss", given, "expected a positive number"))
    x, y = pair("poisson_nll_loss", input, label, reduction)
    if log_input:
        loss = subtract(exp(x), multiply(y, x))
    else:
        loss = subtract(x, multiply(y, log(add(x, epsilon))))
    if full:
        many = y > 1
        count = select(many, y, 1.0)
        stirling = count * log(count) - count + 0.5 * log(2 * math.pi * count)
        loss = add(loss, select(many, stirling, 0.0))
    return reduced(loss, reduction)


@op(
    (lambda g, _out, _x, epsilon: g,),
    expand=lambda x, *, epsilon: maximum(x, epsilon),
)
def _bounded_variance(x: Array, *, epsilon: float) -> Any:
    """A variance kept from 0, through which gradients pass as if it was not."""
    if x.size and not x.min() > 0:
        given = f"variance goes down to {x.min()}"
        raise ValueError(message("gaussian_nll_loss", given, "expected positive numbers"))
    return np.maximum(x, epsilon)


def gaussian_nll_loss(
    input: Tensor,
    label: Tensor,
    variance: Tensor,
    full: bool = False,
    epsilon: float = 1e-6,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """The negative log-likelihood of labels under normal distributions with means `input`.

    The variance is input's shape, that without its last axis, or with size 1 there; `full` adds the
    constant term. ValueError for other shapes or a variance that is not positive.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.gaussian_nll_loss(dg.to_tensor([1.0]), dg.to_tensor([3.0]), dg.ones([1])).item()
    2.0
    """
    check_reduction("gaussian_nll_loss", reduction)
    x, y = pair("gaussian_nll_loss", input, label, equal_shapes=False)
    variance = as_tensor("gaussian_nll_loss", variance, "variance")
    shape = variance._data.shape
    if shape == x._data.shape[:-1] and x.ndim:
        variance = unsqueeze(variance, -1)
    elif shape not in (x._data.shape, (*x._data.shape[:-1], 1)):
        given = f"input is {x.shape}, variance is {list(shape)}"
        raise ValueError(message("gaussian_nll_loss", given, "expected input's shape"))
    variance = apply(_bounded_variance, (variance,), {"epsilon": float(epsilon)})
    loss = (log(variance) + square(subtract(x, y)) / variance) * 0.5
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)
