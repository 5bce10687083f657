"""Relatives of Adam: Adamax, NAdam, RAdam."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from dualgraph.nn.clip import ClipGradBase
from dualgraph.ops.apply import commit
from dualgraph.optimizer.adam import follow, follow_square, power
from dualgraph.optimizer.checks import Check, fraction, nonnegative
from dualgraph.optimizer.lr.base import LRScheduler
from dualgraph.optimizer.optimizer import Beta, Decay, Hyper, Optimizer, Parameters
from dualgraph.optimizer.slots import Slot
from dualgraph.optimizer.updates import Number, blocks, number, scalar, update, zeros
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["Adamax", "NAdam", "RAdam"]


def _expand_adamax(
    p: Any, m: Any, u: Any, power1: Any, g: Any, rate: Any, beta1: Any, beta2: Any, epsilon: Any
) -> tuple[Tensor, ...]:
    beta1, beta2, epsilon = scalar(beta1, p), scalar(beta2, p), scalar(epsilon, p)
    m = m * beta1 + g * (1 - beta1)
    u = g.abs().maximum(u * beta2 + epsilon)
    return p - m / u * (rate / (1 - power1.reshape([]))), m, u, power1 * beta1


@update("adamax_update", inputs=5, expand=_expand_adamax)
def _adamax(
    param: Array,
    moment: Array,
    norm: Array,
    power1: Array,
    grad: Array,
    rate: Array,
    beta1: Number,
    beta2: Number,
    epsilon: Number,
) -> None:
    beta1, beta2, epsilon = number(beta1, param), number(beta2, param), number(epsilon, param)
    step = rate.item() / (1.0 - power1.item())
    for p, m, u, g, s in blocks(param, moment, norm, grad):
        follow(m, g, beta1, s)
        np.multiply(u, beta2, out=u)
        np.add(u, epsilon, out=u)
        np.abs(g, out=s)
        np.maximum(u, s, out=u)
        np.divide(m, u, out=s)
        np.multiply(s, step, out=s)
        np.subtract(p, s, out=p)
    power1 *= beta1


class Adamax(Optimizer):
    """Adam with the greatest gradient, which decays, in place of the root of squares.

    Its size is `u = max(beta2 * u + epsilon, |g|)`. ValueError unless `0 <= beta1 < 1`, `0 <= beta2
    < 1` and `epsilon >= 0`. For the other arguments and errors see `Optimizer`; groups may have
    their own `beta1`, `beta2` and `epsilon`. Source: Kingma and Ba, "Adam: a method for stochastic
    optimization", 2015.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0])
    >>> opt = dg.optimizer.Adamax(learning_rate=0.5, parameters=[p])
    >>> p.sum().backward()
    >>> opt.step()
    >>> p.tolist()
    [0.5]
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {
        "beta1": fraction,
        "beta2": fraction,
        "epsilon": nonnegative,
    }

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        beta1: Beta = 0.9,
        beta2: Beta = 0.999,
        epsilon: Beta = 1e-8,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)
        self._set(beta1=beta1, beta2=beta2, epsilon=epsilon)

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        power1 = power(hyper["beta1"], 0.9, p)
        return {"moment": zeros(p), "inf_norm": zeros(p), "beta1_pow_acc": power1}

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        inputs = (g, rate, hyper["beta1"], hyper["beta2"], hyper["epsilon"])
        commit(_adamax, slot.targets, inputs)


def _expand_nadam(*arguments: Any) -> tuple[Tensor, ...]:
    p, decay, power2, product, m, v, g, rate, *hyper = arguments
    beta1, beta2, epsilon, psi = (scalar(x, p) for x in hyper)
    decay, power2 = decay * 0.96, power2 * beta2
    mu = (1 - 0.5 * decay**psi).reshape([]) * beta1
    after = (1 - 0.5 * (decay**psi) * 0.96**psi).reshape([]) * beta1
    m = m * beta1 + g * (1 - beta1)
    v = v * beta2 + g * g * (1 - beta2)
    seen = product.reshape([]) * mu
    mean = m * (after / (1 - seen * after)) + g * ((1 - mu) / (1 - seen))
    size = (v / (1 - power2.reshape([]))).sqrt() + epsilon
    return p - mean / size * rate, decay, power2, product * mu, m, v


@update("nadam_update", inputs=6, expand=_expand_nadam)
def _nadam(*arrays: Any) -> None:
    param, decay, power2, product, moment1, moment2, grad, rate, *hyper = arrays
    beta1, beta2, epsilon, psi = (number(x, param) for x in hyper)
    decay *= 0.96
    power2 *= beta2
    mu = beta1 * (1.0 - 0.5 * decay.item() ** psi)
    after = beta1 * (1.0 - 0.5 * decay.item() ** psi * 0.96**psi)
    product *= mu
    old = after / (1.0 - product.item() * after)
    new = (1.0 - mu) / (1.0 - product.item())
    root = math.sqrt(1.0 - power2.item())
    step = rate.item()
    for p, m, v, g, s, t in blocks(param, moment1, moment2, grad, spare=2):
        follow(m, g, beta1, s)
        follow_square(v, g, beta2, s)
        np.multiply(m, old, out=s)
        np.multiply(g, new, out=t)
        np.add(s, t, out=s)
        np.sqrt(v, out=t)
        np.divide(t, root, out=t)
        np.add(t, epsilon, out=t)
        np.divide(s, t, out=s)
        np.multiply(s, step, out=s)
        np.subtract(p, s, out=p)


class NAdam(Optimizer):
    """Adam with Nesterov's look ahead: the mean of gradients counts as it will at the next step.

    The weight of the past at step t is `beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))`. ValueError
    unless `learning_rate >= 0`, `0 <= beta1 < 1`, `0 <= beta2 < 1`, `epsilon >= 0` and
    `momentum_decay >= 0`. For the other arguments and errors see `Optimizer`; groups may have their
    own `beta1`, `beta2`, `epsilon` and `momentum_decay`. Source: Dozat, "Incorporating Nesterov
    momentum into Adam", 2016.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0])
    >>> opt = dg.optimizer.NAdam(learning_rate=0.5, parameters=[p])
    >>> p.sum().backward()
    >>> opt.step()
    >>> p.item() < 1.0
    True
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {
        "beta1": fraction,
        "beta2": fraction,
        "epsilon": nonnegative,
        "momentum_decay": nonnegative,
    }

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.002,
        beta1: Beta = 0.9,
        beta2: Beta = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float = 0.004,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(learning_rate, float):
            nonnegative("NAdam", "learning_rate", learning_rate)
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)
        self._set(beta1=beta1, beta2=beta2, epsilon=epsilon, momentum_decay=momentum_decay)

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        dtype = p._data.dtype
        counts = ("momentum_decay_pow", "beta2_pow", "mu_product")
        moments = {"moment1": zeros(p), "moment2": zeros(p)}
        return {count: np.ones(1, dtype) for count in counts} | moments

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        commit(_nadam, slot.targets, (g, rate, *hyper.values()))


def _expand_radam(*arguments: Any) -> tuple[Tensor, ...]:
    p, power1, power2, rho, m, v, g, rate, *hyper = arguments
    beta1, beta2, epsilon = (scalar(x, p) for x in hyper)
    power1, power2 = power1 * beta1, power2 * beta2
    rho = (rho * (beta2 - power2) + power2) / (1 - power2)
    m = m * beta1 + g * (1 - beta1)
    v = v * beta2 + g * g * (1 - beta2)
    most = 2 / (1 - beta2) - 1
    now = most - rho.reshape([]) * 2
    spread = (now - 4) * (now - 2) / now * (most / ((most - 4) * (most - 2)))
    tail = (spread * (1 - power2.reshape([]))).sqrt() / (v.sqrt() + epsilon)
    settled = (now > 5).where(tail, wrap(np.ones((), tail._data.dtype)))
    return p - m * settled * (rate / (1 - power1.reshape([]))), power1, power2, rho, m, v


@update("radam_update", inputs=5, expand=_expand_radam)
def _radam(*arrays: Any) -> None:
    param, power1, power2, rho, moment1, moment2, grad, rate, *hyper = arrays
    beta1, beta2, epsilon = (number(x, param) for x in hyper)
    power1 *= beta1
    power2 *= beta2
    rest = power2.item()
    rho[...] = (rho.item() * (beta2 - rest) + rest) / (1.0 - rest)
    most = 2.0 / (1.0 - beta2) - 1.0
    now = most - 2.0 * rho.item()
    step = rate.item() / (1.0 - power1.item())
    spread = 0.0
    if now > 5.0:
        spread = (now - 4.0) * (now - 2.0) * most / ((most - 4.0) * (most - 2.0) * now)
        step *= math.sqrt(spread * (1.0 - rest))
    for p, m, v, g, s in blocks(param, moment1, moment2, grad):
        follow(m, g, beta1, s)
        follow_square(v, g, beta2, s)
        if spread:
            np.sqrt(v, out=s)
            np.add(s, epsilon, out=s)
            np.divide(m, s, out=s)
            np.multiply(s, step, out=s)
        else:
            np.multiply(m, step, out=s)
        np.subtract(p, s, out=p)


class RAdam(Optimizer):
    """Adam that scales by the root of squares only once enough gradients are seen to know it.

    ValueError unless `learning_rate >= 0`, `0 <= beta1 < 1`, `0 <= beta2 < 1` and `epsilon >= 0`.
    For the other arguments and errors see `Optimizer`; groups may have their own `beta1`, `beta2`
    and `epsilon`. Source: Liu et al., "On the variance of the adaptive learning rate and beyond",
    2020.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0])
    >>> opt = dg.optimizer.RAdam(learning_rate=0.5, parameters=[p])
    >>> p.sum().backward()
    >>> opt.step()
    >>> round(p.item(), 4)
    0.5
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {
        "beta1": fraction,
        "beta2": fraction,
        "epsilon": nonnegative,
    }

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        beta1: Beta = 0.9,
        beta2: Beta = 0.999,
        epsilon: float = 1e-8,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        if isinstance(learning_rate, float):
            nonnegative("RAdam", "learning_rate", learning_rate)
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)
        self._set(beta1=beta1, beta2=beta2, epsilon=epsilon)

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        dtype = p._data.dtype
        counts = ("beta1_pow", "beta2_pow", "rho")
        moments = {"moment1": zeros(p), "moment2": zeros(p)}
        return {count: np.ones(1, dtype) for count in counts} | moments

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        commit(_radam, slot.targets, (g, rate, *hyper.values()))
