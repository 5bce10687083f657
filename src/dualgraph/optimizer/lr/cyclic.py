"""Rates that rise and fall: cosine annealing with and without restarts, one cycle, many cycles."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from dualgraph.errors import describe, message
from dualgraph.optimizer.lr.base import (
    LRScheduler,
    check_count,
    check_number,
    check_one_of,
    check_rate,
)

__all__ = ["CosineAnnealingDecay", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


class CosineAnnealingDecay(LRScheduler):
    """Half a cosine from `learning_rate` down to `eta_min` in `T_max` epochs, and up again.

    The rate of an epoch jumped to is `eta_min + (learning_rate - eta_min) *
    (1 + cos(pi * epoch / T_max)) / 2`; `step()` goes there from the rate before, which may have
    been changed. TypeError unless `T_max` is an int and `eta_min` a number, ValueError unless
    `T_max` is positive. Source: Loshchilov and Hutter, SGDR, 2017, without the restarts.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.CosineAnnealingDecay(1.0, T_max=4)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(round(scheduler(), 4))
    ...     scheduler.step()
    >>> rates
    [1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

    def __init__(
        self,
        learning_rate: float,
        T_max: int,
        eta_min: float = 0,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.T_max = check_count("CosineAnnealingDecay", "T_max", T_max)
        self.eta_min = float(check_number("CosineAnnealingDecay", "eta_min", eta_min))
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        epoch, period = self.last_epoch, self.T_max
        if epoch == 0:
            return self.base_lr
        if (epoch - 1 - period) % (2 * period) == 0:
            # The rate before was eta_min: no factor leads away from it.
            rise = (self.base_lr - self.eta_min) * (1 - math.cos(math.pi / period)) / 2
            return self.last_lr + rise
        here = 1 + math.cos(math.pi * epoch / period)
        before = 1 + math.cos(math.pi * (epoch - 1) / period)
        return here / before * (self.last_lr - self.eta_min) + self.eta_min

    def _get_closed_form_lr(self) -> float:
        return _half_cosine(self.base_lr, self.eta_min, self.last_epoch / self.T_max)


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine from `learning_rate` down to `eta_min`, restarted at the top after each cycle.

    The first cycle has `T_0` epochs and each later one `T_mult` times as many as the one before.
    `step(epoch)` takes fractions of an epoch; `last_epoch` counts whole ones. ValueError unless
    `T_0` and `T_mult` are positive ints, or for a negative epoch. Source: Loshchilov and Hutter,
    SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.CosineAnnealingWarmRestarts(1.0, T_0=2, T_mult=2)
    >>> rates = []
    >>> for epoch in range(7):
    ...     rates.append(round(scheduler(), 4))
    ...     scheduler.step()
    >>> rates
    [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]
    """

    def __init__(
        self,
        learning_rate: float,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value <= 0:
                given = f"{name} is {describe(value)}"
                raise ValueError(message("CosineAnnealingWarmRestarts", given, "expected an int"))
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_min = check_number("CosineAnnealingWarmRestarts", "eta_min", eta_min)
        self.T_i = T_0
        self.T_cur: float = 0
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        return _half_cosine(self.base_lr, self.eta_min, self.T_cur / self.T_i)

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to `epoch`, which may be a fraction."""
        if epoch is None:
            # What there is of a fraction is kept.
            epoch = max(self.last_epoch + 1, 0) + self.T_cur % 1
        at: float = check_number("CosineAnnealingWarmRestarts.step", "epoch", epoch)
        if at < 0:
            given = f"epoch is {epoch}"
            raise ValueError(message("CosineAnnealingWarmRestarts", given, "expected 0 or more"))
        whole = math.floor(at)
        self.T_cur, self.T_i = self._locate(at)
        super().step(whole)

    def _load_state(self, state_dict: Mapping[str, Any]) -> None:
        # The state is Paddle's, which has no place in the cycle: it follows from the epoch.
        super()._load_state(state_dict)
        self.T_cur, self.T_i = self._locate(self.last_epoch)

    def _locate(self, at: float) -> tuple[float, int]:
        # How far into which cycle. Logarithms would be one off where a cycle starts.
        if self.T_mult == 1:
            return at % self.T_0, self.T_0
        cycle = self.T_0
        while at >= cycle:
            at -= cycle
            cycle *= self.T_mult
        return at, cycle


class OneCycleLR(LRScheduler):
    """One cycle: up to `max_learning_rate`, then down to `end_learning_rate`, in `total_steps`.

    It starts at `max_learning_rate / divide_factor` and rises for the fraction `phase_pct` of the
    steps. With `three_phase` it falls back to the start in as many steps, and then to the end;
    `phase_pct` is below 0.5 then. TypeError or ValueError for a number of the wrong type or
    out of its range; ValueError when stepped beyond `total_steps`. Source: Smith and Topin,
    Super-Convergence, 2018.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.OneCycleLR(1.0, total_steps=10, divide_factor=10.0)
    >>> rates = []
    >>> for step in range(10):
    ...     rates.append(round(scheduler(), 2))
    ...     scheduler.step()
    >>> rates
    [0.1, 0.55, 1.0, 0.95, 0.81, 0.61, 0.39, 0.19, 0.05, 0.0]
    """

    def __init__(
        self,
        max_learning_rate: float,
        total_steps: int,
        divide_factor: float = 25.0,
        end_learning_rate: float = 0.0001,
        phase_pct: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        three_phase: bool = False,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        peak = check_rate("OneCycleLR", "max_learning_rate", max_learning_rate)
        end = check_rate("OneCycleLR", "end_learning_rate", end_learning_rate)
        start = peak / _positive("divide_factor", divide_factor)
        self.total_steps = check_count("OneCycleLR", "total_steps", total_steps)
        _check_phase(phase_pct, three_phase)
        check_one_of("OneCycleLR", "anneal_strategy", anneal_strategy, ("cos", "linear"))
        self._anneal = _cosine_between if anneal_strategy == "cos" else _line_between
        top, last = phase_pct * total_steps - 1, total_steps - 1
        # Where each phase begins and ends, and with which rate.
        self._phases = [(0, top, start, peak), (top, last, peak, end)]
        if three_phase:
            back = 2 * phase_pct * total_steps - 2
            self._phases[1:] = [(top, back, peak, start), (back, last, start, end)]
        super().__init__(start, last_epoch, verbose)

    def get_lr(self) -> float:
        step = self.last_epoch
        if step > self.total_steps:
            given = f"this is step {step}"
            remedy = "make it with more total_steps"
            raise ValueError(message("OneCycleLR", given, f"expected {self.total_steps}", remedy))
        phases = (phase for phase in self._phases if step <= phase[1])
        begin, end, first, final = next(phases, self._phases[-1])
        done = (step - begin) / (end - begin) if end != begin else 1.0
        return self._anneal(first, final, done)


class CyclicLR(LRScheduler):
    """Triangles between `base_learning_rate` and `max_learning_rate`.

    Each cycle rises for `step_size_up` and falls for `step_size_down` (by default as many) epochs.
    `mode` says what becomes of its height: "triangular" keeps it, "triangular2" halves it with each
    cycle, "exp_range" multiplies it by `exp_gamma**epoch`. A `scale_fn` of one's own takes the
    place of `mode`; with `scale_mode` "cycle" it is given the number of the cycle, from 1, with
    "iterations" the epoch. TypeError or ValueError for a number of the wrong type or out of its
    range. Source: Smith, Cyclical Learning Rates for Training Neural Networks, 2017.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.CyclicLR(0.0, 1.0, step_size_up=2, mode="triangular2")
    >>> rates = []
    >>> for epoch in range(9):
    ...     rates.append(scheduler())
    ...     scheduler.step()
    >>> rates
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25, 0.0]
    """

    def __init__(
        self,
        base_learning_rate: float,
        max_learning_rate: float,
        step_size_up: int,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        exp_gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        low = check_rate("CyclicLR", "base_learning_rate", base_learning_rate)
        self.max_lr = check_rate("CyclicLR", "max_learning_rate", max_learning_rate)
        self.amplitude = self.max_lr - low
        up = down = check_count("CyclicLR", "step_size_up", step_size_up)
        if step_size_down is not None:
            down = check_count("CyclicLR", "step_size_down", step_size_down)
        self.cycle_size = float(up + down)
        self.step_up_pct = up / self.cycle_size
        if not isinstance(exp_gamma, float):
            given = f"exp_gamma is {describe(exp_gamma)}"
            raise TypeError(message("CyclicLR", given, "expected a float"))
        self.gamma = exp_gamma
        check_one_of("CyclicLR", "scale_mode", scale_mode, ("cycle", "iterations"))
        if scale_fn is None:
            check_one_of("CyclicLR", "mode", mode, ("triangular", "triangular2", "exp_range"))
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        elif not callable(scale_fn):
            raise TypeError(message("CyclicLR", f"scale_fn is {scale_fn!r}", "expected a function"))
        self.mode = mode
        self.scale_fn = scale_fn
        self.scale_mode = scale_mode
        super().__init__(base_learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        epoch = self.last_epoch
        cycle = 1 + epoch // self.cycle_size
        place = 1 + epoch / self.cycle_size - cycle
        if place <= self.step_up_pct:
            slope = place / self.step_up_pct
        else:
            slope = (1 - place) / (1 - self.step_up_pct)
        scale = self._scale(cycle if self.scale_mode == "cycle" else epoch)
        return self.base_lr + self.amplitude * slope * scale

    def _scale(self, x: float) -> float:
        if self.scale_fn is not None:
            return self.scale_fn(x)
        if self.mode == "triangular":
            return 1.0
        return 0.5 ** (x - 1) if self.mode == "triangular2" else math.pow(self.gamma, x)


def _half_cosine(top: float, bottom: float, x: float) -> float:
    return bottom + (top - bottom) * (1 + math.cos(math.pi * x)) / 2


def _cosine_between(first: float, final: float, x: float) -> float:
    return final + (first - final) / 2 * (1 + math.cos(math.pi * x))


def _line_between(first: float, final: float, x: float) -> float:
    return (final - first) * x + first


def _positive(name: str, value: Any) -> float:
    if check_rate("OneCycleLR", name, value) == 0:
        raise ValueError(message("OneCycleLR", f"{name} is 0", "expected above 0"))
    return float(value)


def _check_phase(phase_pct: Any, three_phase: bool) -> None:
    given = f"phase_pct is {describe(phase_pct)}"
    if not isinstance(phase_pct, float):
        raise TypeError(message("OneCycleLR", given, "expected a float"))
    if not 0 <= phase_pct <= 1:
        raise ValueError(message("OneCycleLR", given, "expected between 0 and 1"))
    if three_phase and phase_pct >= 0.5:
        given += " and three_phase is True"
        raise ValueError(message("OneCycleLR", given, "expected below 0.5, for two phases fit"))
