"""Plain descent and its relatives: SGD, Momentum, ASGD, Rprop."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.nn.clip import ClipGradBase
from dualgraph.ops.apply import commit, commit_each
from dualgraph.optimizer.checks import Check, flag, real
from dualgraph.optimizer.lr.base import LRScheduler
from dualgraph.optimizer.optimizer import Decay, Hyper, Optimizer, Parameters
from dualgraph.optimizer.slots import Slot
from dualgraph.optimizer.updates import blocks, update, zeros
from dualgraph.regularizer import L2Decay, WeightDecayRegularizer
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["ASGD", "SGD", "Momentum", "Rprop"]


@update("sgd_update", inputs=2, expand=lambda p, g, rate: (p - g * rate,))
def _sgd(param: Array, grad: Array, rate: Array) -> None:
    for p, g, s in blocks(param, grad):
        np.multiply(g, rate, s)
        np.subtract(p, s, p)


class SGD(Optimizer):
    """Gradient descent: `p -= learning_rate * g`.

    With `multi_precision`, parameters of half precision have a float32 twin that is updated. For
    the other arguments and errors see `Optimizer`. Source: Robbins and Monro, "A stochastic
    approximation method", 1951.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0, 2.0])
    >>> opt = dg.optimizer.SGD(learning_rate=0.5, parameters=[p])
    >>> (p * p).sum().backward()
    >>> opt.step()
    >>> opt.clear_grad()
    >>> p.tolist()
    [0.0, 0.0]
    """

    _rests_at_zero = True

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        multi_precision: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, multi_precision)

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        commit(_sgd, slot.targets, (g, rate))

    def _update_each(self, moves: list[tuple[Slot, Tensor, Tensor]], hyper: Hyper) -> None:
        commit_each(_sgd, [(slot.targets, (g, rate)) for slot, g, rate in moves])


def _expand_momentum(
    p: Any, v: Any, g: Any, rate: Any, mu: Any, rescale: Any, *, nesterov: bool
) -> tuple[Tensor, ...]:
    g = g * rescale
    v = v * mu + g
    return p - (g + v * mu if nesterov else v) * rate, v


@update("momentum_update", inputs=4, expand=_expand_momentum)
def _momentum(
    param: Array,
    velocity: Array,
    grad: Array,
    rate: Array,
    mu: float,
    rescale: float,
    *,
    nesterov: bool,
) -> None:
    for p, v, g, s, t in blocks(param, velocity, grad, spare=2):
        if rescale != 1:
            g = np.multiply(g, rescale, out=t)
        np.multiply(v, mu, out=v)
        np.add(v, g, out=v)
        if nesterov:
            np.multiply(v, mu, out=s)
            np.add(s, g, out=s)
            np.multiply(s, rate, out=s)
        else:
            np.multiply(v, rate, out=s)
        np.subtract(p, s, out=p)


class Momentum(Optimizer):
    """Descent along a decaying sum of gradients: `v = momentum * v + g; p -= learning_rate * v`.

    With `use_nesterov` the step is `learning_rate * (g + momentum * v)`. Gradients are multiplied
    by `rescale_grad` first, before an L2 decay is added and after an L1 decay. `use_multi_tensor`
    changes nothing. For the other arguments and errors see `Optimizer`; groups may have their own
    `momentum`, `use_nesterov` and `rescale_grad`. Sources: Polyak, "Some methods of speeding up the
    convergence of iteration methods", 1964; Sutskever et al., "On the importance of initialization
    and momentum in deep learning", 2013.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0])
    >>> opt = dg.optimizer.Momentum(learning_rate=0.5, momentum=0.5, parameters=[p])
    >>> p.sum().backward()
    >>> opt.step()
    >>> opt.step()
    >>> p.tolist()
    [-0.25]
    """

    _hyperparameters: ClassVar[dict[str, Check]] = {
        "momentum": real,
        "use_nesterov": flag,
        "rescale_grad": real,
    }

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        momentum: float = 0.9,
        parameters: Parameters = None,
        use_nesterov: bool = False,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        multi_precision: bool = False,
        rescale_grad: float = 1.0,
        use_multi_tensor: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, multi_precision)
        self._set(momentum=momentum, use_nesterov=use_nesterov, rescale_grad=rescale_grad)

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        return {"velocity": zeros(p)}

    def _decayed(self, g: Tensor, p: Tensor, decay: WeightDecayRegularizer, hyper: Hyper) -> Tensor:
        rescale = hyper["rescale_grad"]
        if rescale not in (0, 1) and isinstance(decay, L2Decay):
            decay = L2Decay(decay.coeff / rescale)
        return decay.added_to(g, p)

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        inputs = (g, rate, hyper["momentum"], hyper["rescale_grad"])
        commit(_momentum, slot.targets, inputs, {"nesterov": bool(hyper["use_nesterov"])})


def _expand_asgd(p: Any, d: Any, ys: Any, m: Any, g: Any, rate: Any) -> tuple[Tensor, ...]:
    count = ys.shape[0]
    turn = (wrap(np.arange(count)) == m % count).reshape([count] + [1] * p.ndim)
    d = d - turn.where(ys, wrap(np.zeros((), ys._data.dtype))).sum(0) + g
    ys = turn.where(g.broadcast_to(ys.shape), ys)
    m = m + 1
    seen = m.minimum(wrap(np.full(1, count))).reshape([]).astype(p.dtype)
    return p - d * (rate / seen), d, ys, m


@update("asgd_update", inputs=2, expand=_expand_asgd)
def _asgd(param: Array, total: Array, grads: Array, steps: Array, grad: Array, rate: Array) -> None:
    # The dots make it a view even where it has no axis.
    turn = grads[steps.item() % len(grads), ...]
    steps += 1
    step = rate.item() / min(steps.item(), len(grads))
    for p, d, y, g, s in blocks(param, total, turn, grad):
        np.subtract(d, y, out=d)
        np.add(d, g, out=d)
        np.copyto(y, g)
        np.multiply(d, step, out=s)
        np.subtract(p, s, out=p)


class ASGD(Optimizer):
    """Descent along the mean of the last `batch_num` gradients.

    `d += g - y[i]; y[i] = g; p -= learning_rate / min(steps, batch_num) * d`, where `i` goes round
    `batch_num` places, so it keeps as many gradients. ValueError unless `batch_num` is positive.
    For the other arguments and errors see `Optimizer`. Source: Schmidt, Le Roux and Bach,
    "Minimizing finite sums with the stochastic average gradient", 2017.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0])
    >>> opt = dg.optimizer.ASGD(learning_rate=0.5, batch_num=2, parameters=[p])
    >>> p.sum().backward()
    >>> opt.step()
    >>> p.tolist()
    [0.5]
    """

    def __init__(
        self,
        learning_rate: float | LRScheduler = 0.001,
        batch_num: int = 1,
        parameters: Parameters = None,
        weight_decay: Decay = None,
        grad_clip: ClipGradBase | None = None,
        multi_precision: bool = False,
        name: str | None = None,
    ) -> None:
        real("ASGD", "batch_num", batch_num)
        if not isinstance(batch_num, int):
            raise TypeError(message("ASGD", f"batch_num is {batch_num!r}", "expected an int"))
        if batch_num < 1:
            raise ValueError(message("ASGD", f"batch_num is {batch_num}", "expected 1 or more"))
        super().__init__(learning_rate, parameters, weight_decay, grad_clip, name, multi_precision)
        self._n = batch_num

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        ys = np.zeros((self._n, *p._data.shape), p._data.dtype)
        return {"d": zeros(p), "y": ys, "m": np.zeros(1, np.int64)}

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        commit(_asgd, slot.targets, (g, rate))


def _expand_rprop(
    p: Any, last: Any, rates: Any, g: Any, low: Any, high: Any, less: Any, more: Any
) -> tuple[Tensor, ...]:
    turned = (g * last).sign()
    one = wrap(np.ones((), p._data.dtype))
    factor = (turned > 0).where(one * more, (turned < 0).where(one * less, one))
    rates = (rates * factor).maximum(low).minimum(high)
    g = (turned < 0).where(one * 0, g)
    return p - g.sign() * rates, g, rates


@update("rprop_update", inputs=5, expand=_expand_rprop)
def _rprop(
    param: Array,
    prevs: Array,
    all_rates: Array,
    grad: Array,
    low: float,
    high: float,
    less: float,
    more: float,
) -> None:
    for p, last, rates, g, s in blocks(param, prevs, all_rates, grad):
        np.multiply(g, last, out=s)
        turned, straight = s < 0, s > 0
        np.multiply(rates, more, out=rates, where=straight)
        np.multiply(rates, less, out=rates, where=turned)
        np.clip(rates, low, high, out=rates)
        np.copyto(last, g)
        np.copyto(last, 0, where=turned)
        np.sign(last, out=s)
        np.multiply(s, rates, out=s)
        np.subtract(p, s, out=p)


class Rprop(Optimizer):
    """Steps by the sign of the gradient, each element with a rate of its own.

    It is for gradients of all data at once. A rate starts at `learning_rate` (a float here), is
    multiplied by `etas[1]` while the sign of the gradient stays and by `etas[0]` when it turns (the
    element then rests once), and is kept within `learning_rate_range`. ValueError unless `0 < low
    <= learning_rate <= high` and `0 < etas[0] < 1 < etas[1]`. For the other arguments and errors
    see `Optimizer`. Source: Riedmiller and Braun, "A direct adaptive method for faster
    backpropagation learning: the RPROP algorithm", 1993.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([1.0, 1.0])
    >>> opt = dg.optimizer.Rprop(learning_rate=0.25, parameters=[p])
    >>> (p * dg.to_tensor([3.0, -7.0])).sum().backward()
    >>> opt.step()
    >>> p.tolist()
    [0.75, 1.25]
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        learning_rate_range: tuple[float, float] = (1e-5, 50),
        parameters: Parameters = None,
        etas: tuple[float, float] = (0.5, 1.2),
        grad_clip: ClipGradBase | None = None,
        multi_precision: bool = False,
        name: str | None = None,
    ) -> None:
        real("Rprop", "learning_rate", learning_rate)
        low, high = self._pair("learning_rate_range", learning_rate_range)
        less, more = self._pair("etas", etas)
        if not 0 < low <= learning_rate <= high:
            given = f"learning_rate is {learning_rate}, its range {low} to {high}"
            raise ValueError(message("Rprop", given, "expected it to be positive and in its range"))
        if not 0 < less < 1 < more:
            given = f"etas is {less}, {more}"
            raise ValueError(message("Rprop", given, "expected 0 < etas[0] < 1 < etas[1]"))
        super().__init__(learning_rate, parameters, None, grad_clip, name, multi_precision)
        self._limits = (low, high, less, more)
        self._initial = float(learning_rate)

    @staticmethod
    def _pair(name: str, value: Any) -> tuple[float, float]:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise TypeError(
                message("Rprop", f"{name} is {describe(value)}", "expected two numbers")
            )
        for number in value:
            real("Rprop", name, number)
        return float(value[0]), float(value[1])

    def _accumulators(self, p: Tensor, hyper: Hyper) -> dict[str, Array]:
        rates = zeros(p)
        rates.fill(self._initial)
        return {"prevs": zeros(p), "learning_rates": rates}

    def _update(self, slot: Slot, g: Tensor, rate: Tensor, hyper: Hyper) -> None:
        commit(_rprop, slot.targets, (g, *self._limits))
