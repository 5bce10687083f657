"""Rates that follow the size of past gradients: RMSProp, Adagrad, Adadelta."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from dualgraph.nn.clip import ClipGradBase
from dualgraph.ops.apply import commit
from dualgraph.optimizer.checks import Check, flag, nonnegative
from dualgraph.optimizer.lr.base import LRScheduler
from dualgraph.optimizer.optimizer import Decay, Hyper, Optimizer, Parameters
from dualgraph.optimizer.slots import Slot
from dualgraph.optimizer.updates import Number, blocks, number, scalar, update, zeros
from dualgraph.tensor import Array, Tensor

__all__ = ["Adadelta", "Adagrad", "RMSProp"]


def _expand_rmsprop(
    p: Any,
    momentum: Any,
    square: Any,
    mean: Any,
    g: Any,
    rate: Any,
    rho: Any,
    epsilon: Any,
    mu: Any,
    *,
    centered: bool,
) -> tuple[Tensor, ...]:
    rho, epsilon, mu = scalar(rho, p), scalar(epsilon, p), scalar(mu, p)
    square = square * rho + g * g * (1 - rho)
    size = square
    if centered:
        mean = mean * rho + g * (1 - rho)
        size = square - mean * mean
    momentum = momentum * mu + g * rate / (size + epsilon).sqrt()
    return p - momentum, momentum, square, mean


@update("rmsprop_update", inputs=5, expand=_expand_rmsprop)
def _rmsprop(
    param: Array,
    moment: Array,
    mean_square: Array,
    mean_grad: Array,
    grad: Array,
    rate: Array,
    rho: Number,
    epsilon: Number,
    mu: Number,
    *,
    centered: bool,
) -> None:
    rho, epsilon, mu = number(rho, param), number(epsilon, param), number(mu, param)
    for p, v, square, mean, g, s in blocks(param, moment, mean_square, mean_grad, grad):
        np.multiply(square, rho, out=square)
        np.multiply(g, g, out=s)
        np.multiply(s, 1 - rho, out=s)
        np.add(square, s, out=square)
        if centered:
            np.multiply(mean, rho, out=mean)
            np.multiply(g, 1 - rho, out=s)
            np.add(mean, s, out=mean)
            np.multiply(mean, mean, out=s)
            np.subtract(square, s, out=s)
            np.add(s, epsilon, out=s)
        else:
            np.add(square, epsilon, out=s)
        np.sqrt(s, out=s)
        np.divide(g, s, out=s)
        np.multiply(s, rate, out=s)
        if mu:
            np.multiply(v, mu, out=v)
            np.add(v, s, out=v)
        else:
            np.copyto(v, s)
        np.subtract(p, v, out=p)


class RMSProp(Optimizer):
    """Descent scaled by the root of a running mean of squared gradients, with momentum.

    `s = rho * s + (1 - rho) * g * g; v = momentum * v + learning_rate * g / sqrt(s + epsilon); p -=
    v`. With `centered`, the square of a running mean of gradients is subtracted from `s` under the
    root. ValueError if `rho`, `epsilon` or `momentum` is negative or None. For the other arguments
    and errors see `Optimizer`; groups may have their own `rho`, `epsilon`, `momentum` and
    `centered`. Source: Tieleman and Hinton, "Lecture 6.5: rmsprop", 2012; centered: Graves,
    "Generating sequences with recurrent neural networks", 2013.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0])
    >>> opt = dg.optimizer.RMSProp(learning_rate=0.5, rho=0.75, epsilon=0.0, parameters=[p])
    >>> p.sum().backward()
    >>> opt.step()
    >>> p.tolist()
    [0.0]
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {
        "rho": nonnegative,
        "epsilon": nonnegative,
        "momentum": nonnegative,
        "centered": flag,
    }

    def __init__(
        self,
        learning_rate: float | LRScheduler,
        rho: float = 0.95,
        epsilon: float = 1e-6,
        momentum: float = 0.0,
        centered: bool = False,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)
        self._set(rho=rho, epsilon=epsilon, momentum=momentum, centered=centered)

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        return {"momentum": zeros(p), "mean_square": zeros(p), "mean_grad": zeros(p)}

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        inputs = (g, rate, hyper["rho"], hyper["epsilon"], hyper["momentum"])
        commit(_rmsprop, slot.targets, inputs, {"centered": bool(hyper["centered"])})


def _expand_adagrad(p: Any, moment: Any, g: Any, rate: Any, epsilon: Any) -> tuple[Tensor, ...]:
    moment = moment + g * g
    return p - g * rate / (moment.sqrt() + scalar(epsilon, p)), moment


@update("adagrad_update", inputs=3, expand=_expand_adagrad)
def _adagrad(param: Array, total: Array, grad: Array, rate: Array, epsilon: Number) -> None:
    epsilon = number(epsilon, param)
    for p, m, g, s in blocks(param, total, grad):
        np.multiply(g, g, out=s)
        np.add(m, s, out=m)
        np.sqrt(m, out=s)
        np.add(s, epsilon, out=s)
        np.divide(g, s, out=s)
        np.multiply(s, rate, out=s)
        np.subtract(p, s, out=p)


class Adagrad(Optimizer):
    """Descent scaled by the root of the sum of all squared gradients.

    `m += g * g; p -= learning_rate * g / (sqrt(m) + epsilon)`; `m` starts at
    `initial_accumulator_value`. ValueError if `epsilon` or that is negative or None. For the other
    arguments and errors see `Optimizer`; groups may have their own `epsilon` and
    `initial_accumulator_value`. Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for
    online learning and stochastic optimization", 2011.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0])
    >>> opt = dg.optimizer.Adagrad(learning_rate=0.5, epsilon=0.0, parameters=[p])
    >>> (p * 4).sum().backward()
    >>> opt.step()
    >>> p.tolist()
    [0.5]
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {
        "epsilon": nonnegative,
        "initial_accumulator_value": nonnegative,
    }

    def __init__(
        self,
        learning_rate: float | LRScheduler,
        epsilon: float = 1e-6,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
        initial_accumulator_value: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)
        self._set(epsilon=epsilon, initial_accumulator_value=initial_accumulator_value)

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        moment = zeros(p)
        moment.fill(number(hyper["initial_accumulator_value"], moment))
        return {"moment": moment}

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        commit(_adagrad, slot.targets, (g, rate, hyper["epsilon"]))


def _expand_adadelta(
    p: Any, square: Any, change: Any, g: Any, rate: Any, rho: Any, epsilon: Any
) -> tuple[Tensor, ...]:
    rho, epsilon = scalar(rho, p), scalar(epsilon, p)
    square = square * rho + g * g * (1 - rho)
    step = ((change + epsilon) / (square + epsilon)).sqrt() * g
    return p - step * rate, square, change * rho + step * step * (1 - rho)


@update("adadelta_update", inputs=4, expand=_expand_adadelta)
def _adadelta(
    param: Array,
    grads: Array,
    updates: Array,
    grad: Array,
    rate: Array,
    rho: Number,
    epsilon: Number,
) -> None:
    rho, epsilon = number(rho, param), number(epsilon, param)
    for p, square, change, g, s, t in blocks(param, grads, updates, grad, spare=2):
        np.multiply(square, rho, out=square)
        np.multiply(g, g, out=s)
        np.multiply(s, 1 - rho, out=s)
        np.add(square, s, out=square)
        np.add(change, epsilon, out=s)
        np.add(square, epsilon, out=t)
        np.divide(s, t, out=s)
        np.sqrt(s, out=s)
        np.multiply(s, g, out=s)
        np.multiply(change, rho, out=change)
        np.multiply(s, s, out=t)
        np.multiply(t, 1 - rho, out=t)
        np.add(change, t, out=change)
        np.multiply(s, rate, out=s)
        np.subtract(p, s, out=p)


class Adadelta(Optimizer):
    """Descent in units of past changes.

    `p -= learning_rate * g * sqrt((u + epsilon) / (s + epsilon))`. `s` and `u` are running means,
    with weight `rho` on the past, of squared gradients and squared changes. ValueError if `rho` or
    `epsilon` is negative or None. For the other arguments and errors see `Optimizer`; groups may
    have their own `epsilon` and `rho`. Source: Zeiler, "ADADELTA: an adaptive learning rate
    method", 2012.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0])
    >>> opt = dg.optimizer.Adadelta(learning_rate=1.0, epsilon=1.0, rho=0.0, parameters=[p])
    >>> p.sum().backward()
    >>> opt.step()
    >>> round(p.item(), 4)
    0.2929
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {"epsilon": nonnegative, "rho": nonnegative}

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        epsilon: float = 1e-6,
        rho: float = 0.95,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name)
        self._set(epsilon=epsilon, rho=rho)

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        return {"_avg_squared_grad": zeros(p), "_avg_squared_update": zeros(p)}

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        commit(_adadelta, slot.targets, (g, rate, hyper["rho"], hyper["epsilon"]))
