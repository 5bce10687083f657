"""Rates that fall with the epoch along a formula."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from dualgraph.errors import describe, message
from dualgraph.optimizer.lr.base import LRScheduler, check_count, check_number

__all__ = [
    "ExponentialDecay",
    "InverseTimeDecay",
    "LambdaDecay",
    "MultiStepDecay",
    "MultiplicativeDecay",
    "NaturalExpDecay",
    "NoamDecay",
    "PiecewiseDecay",
    "PolynomialDecay",
    "StepDecay",
]


class NoamDecay(LRScheduler):
    """Linear warm-up, then decay with the inverse square root of the epoch.

    The rate is `learning_rate * d_model**-0.5 * min(epoch**-0.5, epoch * warmup_steps**-1.5)`, with
    the peak at `warmup_steps`. ValueError if `d_model` or `warmup_steps` is not positive, or for
    a negative epoch. Source: Vaswani et al., Attention Is All You Need, 2017.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.NoamDecay(d_model=16, warmup_steps=4)
    >>> rates = []
    >>> for epoch in range(6):
    ...     rates.append(round(scheduler(), 4))
    ...     scheduler.step()
    >>> rates
    [0.0, 0.0312, 0.0625, 0.0938, 0.125, 0.1118]
    """

    def __init__(
        self,
        d_model: int,
        warmup_steps: int,
        learning_rate: float = 1.0,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        for name, value in (("d_model", d_model), ("warmup_steps", warmup_steps)):
            if value <= 0:
                raise ValueError(message("NoamDecay", f"{name} is {value}", "expected 1 or more"))
        self.d_model = d_model
        self.warmup_steps = warmup_steps
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        epoch = self.last_epoch
        if epoch < 0:
            raise ValueError(message("NoamDecay", f"the epoch is {epoch}", "expected 0 or more"))
        rising = epoch * math.pow(self.warmup_steps, -1.5)
        falling = math.pow(epoch, -0.5) if epoch else 1.0
        return self.base_lr * math.pow(self.d_model, -0.5) * min(falling, rising)


class PiecewiseDecay(LRScheduler):
    """A rate for each stretch between boundaries.

    `values[i]` holds before epoch `boundaries[i]`, the last value after the last boundary: there is
    one value more than boundaries. ValueError if boundaries are empty or values too few, TypeError
    if a value is not a number.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.PiecewiseDecay([2, 3], [0.1, 0.05, 0.01])
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(scheduler())
    ...     scheduler.step()
    >>> rates
    [0.1, 0.1, 0.05, 0.01, 0.01]
    """

    def __init__(
        self,
        boundaries: Sequence[int],
        values: Sequence[float],
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        if len(boundaries) == 0:
            raise ValueError(message("PiecewiseDecay", "boundaries are empty", "expected some"))
        if len(values) < len(boundaries) + 1:
            given = f"there are {len(boundaries)} boundaries and {len(values)} values"
            raise ValueError(message("PiecewiseDecay", given, "expected one more value"))
        self.boundaries = boundaries
        self.values: list[float] = [
            check_number("PiecewiseDecay", "a value", value) for value in values
        ]
        super().__init__(last_epoch=last_epoch, verbose=verbose)

    def get_lr(self) -> float:
        stretches = zip(self.boundaries, self.values, strict=False)
        return next((lr for end, lr in stretches if self.last_epoch < end), self.values[-1])


class NaturalExpDecay(LRScheduler):
    """The rate is `learning_rate * exp(-gamma * epoch)`; ValueError if `gamma` is not positive.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.NaturalExpDecay(0.5, gamma=0.1)
    >>> scheduler.step()
    >>> round(scheduler(), 6)
    0.452419
    """

    def __init__(
        self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        if gamma <= 0:
            raise ValueError(message("NaturalExpDecay", f"gamma is {gamma}", "expected above 0"))
        self.gamma = gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * math.exp(-self.gamma * self.last_epoch)


class InverseTimeDecay(LRScheduler):
    """The rate is `learning_rate / (1 + gamma * epoch)`.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.InverseTimeDecay(0.5, gamma=0.25)
    >>> scheduler.step(4)
    >>> scheduler()
    0.25
    """

    def __init__(
        self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.gamma = gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr / (1 + self.gamma * self.last_epoch)


class PolynomialDecay(LRScheduler):
    """From `learning_rate` to `end_lr` in `decay_steps` epochs, along a power of what remains.

    The rate is `(learning_rate - end_lr) * (1 - epoch / decay_steps)**power + end_lr`. Afterwards
    it stays at `end_lr`; with `cycle` it jumps up instead, as if `decay_steps` had been twice, then
    three times as many. TypeError unless `decay_steps` is an int, ValueError unless it and `power`
    are positive.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.PolynomialDecay(1.0, decay_steps=4, end_lr=0.0, power=2.0)
    >>> rates = []
    >>> for epoch in range(6):
    ...     rates.append(scheduler())
    ...     scheduler.step()
    >>> rates
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """

    def __init__(
        self,
        learning_rate: float,
        decay_steps: int,
        end_lr: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        if power <= 0:
            raise ValueError(message("PolynomialDecay", f"power is {power}", "expected above 0"))
        self.decay_steps = check_count("PolynomialDecay", "decay_steps", decay_steps)
        self.end_lr = end_lr
        self.power = power
        self.cycle = cycle
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        epoch, span = self.last_epoch, self.decay_steps
        if self.cycle:
            span *= max(1, math.ceil(epoch / span))
        else:
            epoch = min(epoch, span)
        left = math.pow(1 - epoch / span, self.power)
        return (self.base_lr - self.end_lr) * left + self.end_lr


class ExponentialDecay(LRScheduler):
    """The rate is `learning_rate * gamma**epoch`; ValueError unless `gamma` is between 0 and 1.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.ExponentialDecay(0.5, gamma=0.5)
    >>> scheduler.step()
    >>> scheduler()
    0.25
    """

    def __init__(
        self, learning_rate: float, gamma: float, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        if not 0 < gamma < 1:
            given = f"gamma is {gamma}"
            raise ValueError(message("ExponentialDecay", given, "expected between 0 and 1"))
        self.gamma = gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * math.pow(self.gamma, self.last_epoch)


class MultiStepDecay(LRScheduler):
    """The rate is multiplied by `gamma` at each milestone.

    TypeError unless `milestones` is a list or tuple, ValueError unless each is above the one before
    and `gamma` is below 1.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.MultiStepDecay(0.5, milestones=[2, 3], gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(scheduler())
    ...     scheduler.step()
    >>> rates
    [0.5, 0.5, 0.25, 0.125, 0.125]
    """

    def __init__(
        self,
        learning_rate: float,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        if not isinstance(milestones, (tuple, list)):
            given = f"milestones is {describe(milestones)}"
            raise TypeError(message("MultiStepDecay", given, "expected a list or tuple"))
        if any(later <= earlier for earlier, later in pairwise(milestones)):
            given = f"milestones are {describe(milestones)}"
            raise ValueError(message("MultiStepDecay", given, "expected rising epochs"))
        _check_below_one("MultiStepDecay", gamma)
        self.milestones = milestones
        self.gamma = gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * math.pow(self.gamma, bisect_right(self.milestones, self.last_epoch))


class StepDecay(LRScheduler):
    """The rate is multiplied by `gamma` every `step_size` epochs.

    TypeError unless `step_size` is an int, ValueError unless it is positive and `gamma` below 1.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.StepDecay(0.5, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(scheduler())
    ...     scheduler.step()
    >>> rates
    [0.5, 0.5, 0.25, 0.25, 0.125]
    """

    def __init__(
        self,
        learning_rate: float,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        _check_below_one("StepDecay", gamma)
        self.step_size = check_count("StepDecay", "step_size", step_size)
        self.gamma = gamma
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * math.pow(self.gamma, self.last_epoch // self.step_size)


class LambdaDecay(LRScheduler):
    """The rate is `learning_rate * lr_lambda(epoch)`; TypeError if that cannot be called.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.LambdaDecay(0.5, lambda epoch: 0.5**epoch)
    >>> scheduler.step()
    >>> scheduler()
    0.25
    """

    def __init__(
        self,
        learning_rate: float,
        lr_lambda: Callable[[int], float],
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        _check_callable("LambdaDecay", lr_lambda)
        self.lr_lambda = lr_lambda
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return self.base_lr * self.lr_lambda(self.last_epoch)


class MultiplicativeDecay(LRScheduler):
    """The rate is `learning_rate` times `lr_lambda(1)`, `lr_lambda(2)` and so on up to the epoch.

    TypeError if `lr_lambda` cannot be called.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.MultiplicativeDecay(0.5, lambda epoch: 0.5)
    >>> scheduler.step(3)
    >>> scheduler()
    0.0625
    """

    def __init__(
        self,
        learning_rate: float,
        lr_lambda: Callable[[int], float],
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        _check_callable("MultiplicativeDecay", lr_lambda)
        self.lr_lambda = lr_lambda
        # From where to how far the product is known, so that a step costs one factor, not all.
        self._known: tuple[Any, float, int, float] | None = None
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        done, lr = 0, self.base_lr
        if self._known is not None and self._known[:2] == (self.lr_lambda, self.base_lr):
            known_epoch, known_lr = self._known[2:]
            if known_epoch <= self.last_epoch:
                done, lr = known_epoch, known_lr
        for epoch in range(done + 1, self.last_epoch + 1):
            lr *= self.lr_lambda(epoch)
        self._known = (self.lr_lambda, self.base_lr, max(self.last_epoch, 0), lr)
        return lr


def _check_below_one(op: str, gamma: float) -> None:
    if gamma >= 1:
        raise ValueError(message(op, f"gamma is {gamma}", "expected below 1"))


def _check_callable(op: str, lr_lambda: Any) -> None:
    if not callable(lr_lambda):
        given = f"lr_lambda is {describe(lr_lambda)}"
        raise TypeError(message(op, given, "expected a function of the epoch"))
