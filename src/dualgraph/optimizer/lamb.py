"""Lamb: Adam's step in proportion to the parameter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from dualgraph.nn.clip import ClipGradBase
from dualgraph.ops.apply import commit
from dualgraph.optimizer.adam import follow, follow_square, power
from dualgraph.optimizer.checks import Check, fraction, function, nonnegative, real
from dualgraph.optimizer.lr.base import LRScheduler
from dualgraph.optimizer.optimizer import Beta, Hyper, Optimizer, Parameters
from dualgraph.optimizer.slots import Slot
from dualgraph.optimizer.updates import blocks, number, scalar, update, zeros
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["Lamb"]


def _expand_lamb(*arguments: Any, adapt: bool) -> tuple[Tensor, ...]:
    p, m, v, power1, power2, g, rate, *hyper = arguments
    beta1, beta2, epsilon, decay = (scalar(x, p) for x in hyper)
    m = m * beta1 + g * (1 - beta1)
    v = v * beta2 + g * g * (1 - beta2)
    step = (
        m / (1 - power1.reshape([])) / ((v / (1 - power2.reshape([]))).sqrt() + epsilon) + p * decay
    )
    if adapt:
        size, length = (p * p).sum().sqrt(), (step * step).sum().sqrt()
        one = wrap(np.ones((), size._data.dtype))
        rate = rate * (size * length > 0).where(size / length, one)
    return p - step * rate, m, v, power1 * beta1, power2 * beta2


@update("lamb_update", inputs=6, expand=_expand_lamb)
def _lamb(*arrays: Any, adapt: bool) -> None:
    param, moment1, moment2, power1, power2, grad, rate, *hyper = arrays
    beta1, beta2, epsilon, decay = (number(x, param) for x in hyper)
    rest, root = 1.0 - power1.item(), math.sqrt(1.0 - power2.item())
    # The norm of the whole step decides how far it goes, so the step has an array of its own.
    step = np.empty(param.shape, param.dtype)
    for m, v, part, p, g, s in blocks(moment1, moment2, step, param, grad):
        follow(m, g, beta1, s)
        follow_square(v, g, beta2, s)
        np.sqrt(v, out=s)
        np.divide(s, root, out=s)
        np.add(s, epsilon, out=s)
        np.divide(m, s, out=part)
        np.divide(part, rest, out=part)
        np.multiply(p, decay, out=s)
        np.add(part, s, out=part)
    scale = rate.item()
    if adapt:
        size, length = _length(param), _length(step)
        scale *= size / length if size * length > 0 else 1.0
    np.multiply(step, scale, out=step)
    np.subtract(param, step, out=param)
    power1 *= beta1
    power2 *= beta2


def _length(x: Array) -> float:
    flat = x.reshape(-1)
    return math.sqrt(np.dot(flat, flat))


class Lamb(Optimizer):
    """Adam's step, scaled to the length of the parameter; for large batches.

    `lamb_weight_decay` times the parameter is added to the step before. The scaling is left out for
    a parameter that does not decay, unless `always_adapt`.
    `exclude_from_weight_decay_fn(parameter)` says which parameters do not. ValueError unless `0 <=
    beta1 < 1`, `0 <= beta2 < 1` and `epsilon >= 0`. For the other arguments and errors see
    `Optimizer`; groups may have their own `lamb_weight_decay`, `beta1`, `beta2`, `epsilon` and
    `exclude_from_weight_decay_fn`. Source: You et al., "Large batch optimization for deep learning:
    training BERT in 76 minutes", 2020.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([2.0])
    >>> opt = dg.optimizer.Lamb(learning_rate=0.5, parameters=[p])
    >>> p.sum().backward()
    >>> opt.step()
    >>> round(p.item(), 4)
    1.0
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {
        "beta1": fraction,
        "beta2": fraction,
        "epsilon": nonnegative,
        "lamb_weight_decay": real,
        "exclude_from_weight_decay_fn": function,
    }

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        lamb_weight_decay: float = 0.01,
        beta1: Beta = 0.9,
        beta2: Beta = 0.999,
        epsilon: Beta = 1e-6,
        parameters: Parameters = None,
        grad_clip: ClipGradBase | None = None,
        exclude_from_weight_decay_fn: Callable[[Tensor], bool] | None = None,
        multi_precision: bool = False,
        always_adapt: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, None, grad_clip, name, multi_precision)
        self._set(
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            lamb_weight_decay=lamb_weight_decay,
            exclude_from_weight_decay_fn=exclude_from_weight_decay_fn,
        )
        self._always_adapt = bool(always_adapt)

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        return {
            "moment1": zeros(p),
            "moment2": zeros(p),
            "beta1_pow_acc": power(hyper["beta1"], 0.9, p),
            "beta2_pow_acc": power(hyper["beta2"], 0.999, p),
        }

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        excluded = hyper["exclude_from_weight_decay_fn"]
        decays = excluded is None or not excluded(slot.param)
        decay = float(hyper["lamb_weight_decay"]) if decays else 0.0
        inputs = (g, rate, hyper["beta1"], hyper["beta2"], hyper["epsilon"], decay)
        commit(_lamb, slot.targets, inputs, {"adapt": self._always_adapt or decay > 0})
