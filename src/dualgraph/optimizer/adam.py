"""Adam and AdamW: descent along a mean of gradients, scaled by the root of that of squares."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from dualgraph.nn.clip import ClipGradBase
from dualgraph.ops.apply import commit
from dualgraph.optimizer.checks import Check, coefficient, fraction, function, nonnegative
from dualgraph.optimizer.lr.base import LRScheduler
from dualgraph.optimizer.optimizer import Beta, Decay, Hyper, Optimizer, Parameters
from dualgraph.optimizer.slots import Slot
from dualgraph.optimizer.updates import blocks, number, scalar, update, zeros
from dualgraph.regularizer import WeightDecayRegularizer
from dualgraph.tensor import Array, Tensor

__all__ = ["Adam", "AdamW", "follow", "follow_square", "power"]


def power(beta: Any, default: float, p: Tensor) -> Array:
    """The first power of a decay rate, as its accumulator; Paddle's default if it is a tensor."""
    return np.full(1, default if isinstance(beta, Tensor) else beta, p._data.dtype)


def follow(m: Array, g: Array, beta: float, s: Array) -> None:
    """Let the running mean m take in g: `m = beta * m + (1 - beta) * g`."""
    np.multiply(m, beta, out=m)
    np.multiply(g, 1.0 - beta, out=s)
    np.add(m, s, out=m)


def follow_square(v: Array, g: Array, beta: float, s: Array) -> None:
    """Let the running mean v take in the square of g."""
    np.multiply(v, beta, out=v)
    np.multiply(g, g, out=s)
    np.multiply(s, 1.0 - beta, out=s)
    np.add(v, s, out=v)


def _expand_adam(*arguments: Any) -> tuple[Tensor, ...]:
    p, m, v, power1, power2, *peak, g, rate, beta1, beta2, epsilon, decay = arguments
    beta1, beta2, epsilon = scalar(beta1, p), scalar(beta2, p), scalar(epsilon, p)
    m = m * beta1 + g * (1 - beta1)
    v = v * beta2 + g * g * (1 - beta2)
    peak = [x.maximum(v) for x in peak]
    root = (1 - power2.reshape([])).sqrt()
    step = m / ((peak[0] if peak else v).sqrt() + root * epsilon)
    p = p * (1 - rate * scalar(decay, p)) - step * (rate * root / (1 - power1.reshape([])))
    return p, m, v, power1 * beta1, power2 * beta2, *peak


@update("adam_update", inputs=6, expand=_expand_adam)
def _adam(*arrays: Any) -> None:
    param, moment1, moment2, power1, power2, *peak, grad, rate, beta1, beta2, epsilon, decay = (
        arrays
    )
    beta1, beta2, rate = number(beta1, param), number(beta2, param), rate.item()
    root = math.sqrt(1.0 - power2.item())
    step = rate * root / (1.0 - power1.item())
    epsilon = number(epsilon, param) * root
    keep = 1.0 - rate * number(decay, param)
    for p, m, v, *top, g, s in blocks(param, moment1, moment2, *peak, grad):
        follow(m, g, beta1, s)
        follow_square(v, g, beta2, s)
        size = np.maximum(top[0], v, out=top[0]) if top else v
        np.sqrt(size, out=s)
        np.add(s, epsilon, out=s)
        np.divide(m, s, out=s)
        np.multiply(s, step, out=s)
        if keep != 1.0:
            np.multiply(p, keep, out=p)
        np.subtract(p, s, out=p)
    power1 *= beta1
    power2 *= beta2


class _AdamBase(Optimizer):
    """What Adam and AdamW share: their state."""

    _amsgrad: bool

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        state = {
            "moment1": zeros(p),
            "moment2": zeros(p),
            "beta1_pow_acc": power(hyper["beta1"], 0.9, p),
            "beta2_pow_acc": power(hyper["beta2"], 0.999, p),
        }
        return state | {"moment2_max": zeros(p)} if self._amsgrad else state


class Adam(_AdamBase):
    """Descent along the mean of gradients, scaled by the root of the mean of their squares.

    `m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g * g`, then `p -= learning_rate
    * m' / (sqrt(v') + epsilon)`. `m'` and `v'` are `m` and `v` divided by `1 - beta1**t` and `1 -
    beta2**t`. With `amsgrad`, the greatest `v` so far takes its place. A `weight_decay` is added to
    the gradient, unlike AdamW's. `beta1`, `beta2` and `epsilon` may be tensors, which are read at
    each step. `lazy_mode` and `use_multi_tensor` change nothing. ValueError unless `0 <= beta1 <
    1`, `0 <= beta2 < 1` and `epsilon >= 0`. For the other arguments and errors see `Optimizer`;
    groups may have their own `beta1`, `beta2` and `epsilon`. Sources: Kingma and Ba, "Adam: a
    method for stochastic optimization", 2015; Reddi, Kale and Kumar, "On the convergence of Adam
    and beyond", 2018.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0, 2.0])
    >>> opt = dg.optimizer.Adam(learning_rate=0.5, parameters=[p])
    >>> (p * p).sum().backward()
    >>> opt.step()
    >>> opt.clear_grad()
    >>> p.tolist()
    [0.5, 1.5]
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
        lazy_mode: bool = False,
        multi_precision: bool = False,
        use_multi_tensor: bool = False,
        amsgrad: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, multi_precision)
        self._set(beta1=beta1, beta2=beta2, epsilon=epsilon)
        self._amsgrad = bool(amsgrad)

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        inputs = (g, rate, hyper["beta1"], hyper["beta2"], hyper["epsilon"], 0.0)
        commit(_adam, slot.targets, inputs)


class AdamW(_AdamBase):
    """Adam with decoupled weight decay: `p *= 1 - lr * weight_decay` before each step of Adam.

    `apply_decay_param_fun(name)` says which parameters decay, all by default. `lr_ratio(parameter)`
    multiplies the rate of a parameter, for its decay too. A parameter's own `regularizer` is still
    added to its gradient. `use_lowprecision_moment` changes nothing. TypeError unless
    `weight_decay` is a number or a tensor of one element. For the other arguments and errors see
    `Adam`; groups may have their own `beta1`, `beta2`, `epsilon` and `weight_decay`. Source:
    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0, 2.0])
    >>> opt = dg.optimizer.AdamW(learning_rate=0.5, parameters=[p], weight_decay=0.5)
    >>> (p * p).sum().backward()
    >>> opt.step()
    >>> [round(x, 4) for x in p.tolist()]
    [0.25, 1.0]
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {
        "beta1": fraction,
        "beta2": fraction,
        "epsilon": nonnegative,
        "weight_decay": coefficient,
    }

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        beta1: Beta = 0.9,
        beta2: Beta = 0.999,
        epsilon: Beta = 1e-8,
        parameters: Parameters = None,
        weight_decay: Beta = 0.01,
        use_lowprecision_moment: bool = False,
        lr_ratio: Callable[[Tensor], float] | None = None,
        apply_decay_param_fun: Callable[[str], bool] | None = None,
        grad_clip: ClipGradBase | None = None,
        lazy_mode: bool = False,
        multi_precision: bool = False,
        amsgrad: bool = False,
        name: str | None = None,
    ) -> None:
        function("AdamW", "lr_ratio", lr_ratio)
        function("AdamW", "apply_decay_param_fun", apply_decay_param_fun)
        super().__init__(learning_rate, parameters, None, grad_clip, name, multi_precision)
        self._set(beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=weight_decay)
        self._lr_ratio = lr_ratio
        self._apply_decay_param_fun = apply_decay_param_fun
        self._amsgrad = bool(amsgrad)

    def _regularizer(self, group: dict[str, Any], p: Tensor) -> WeightDecayRegularizer | None:
        own: WeightDecayRegularizer | None = getattr(p, "regularizer", None)
        return own

    def _factor(self, group: dict[str, Any], p: Tensor) -> float:
        factor = super()._factor(group, p)
        return factor if self._lr_ratio is None else factor * float(self._lr_ratio(p))

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        decays = self._apply_decay_param_fun
        decay = hyper["weight_decay"] if decays is None or decays(slot.param.name) else 0.0
        inputs = (g, rate, hyper["beta1"], hyper["beta2"], hyper["epsilon"], decay)
        commit(_adam, slot.targets, inputs)
