"""Rates that begin small and grow along a line, by themselves or before another scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dualgraph.errors import describe, message
from dualgraph.optimizer.lr.base import LRScheduler, check_count, check_rate

__all__ = ["LinearLR", "LinearWarmup"]

_INNER = "LinearWarmup_LR"


class LinearWarmup(LRScheduler):
    """A line from `start_lr` to `end_lr` in `warmup_steps` epochs, then `learning_rate`.

    `learning_rate` is a number or another scheduler; that one is stepped to the epochs since the
    end of the warm-up, and its state is part of `state_dict()`. TypeError unless it is one of those
    and `warmup_steps` an int; ValueError unless `warmup_steps` is positive and `end_lr` above
    `start_lr`.

    >>> import dualgraph as dg
    >>> after = dg.optimizer.lr.StepDecay(1.0, step_size=1, gamma=0.5)
    >>> scheduler = dg.optimizer.lr.LinearWarmup(after, warmup_steps=2, start_lr=0.0, end_lr=1.0)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(scheduler())
    ...     scheduler.step()
    >>> rates
    [0.0, 0.5, 1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        learning_rate: float | LRScheduler,
        warmup_steps: int,
        start_lr: float,
        end_lr: float,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        if not isinstance(learning_rate, (int, float, LRScheduler)):
            given = f"learning_rate is {describe(learning_rate)}"
            raise TypeError(message("LinearWarmup", given, "expected a number or a scheduler"))
        if not isinstance(learning_rate, LRScheduler):
            check_rate("LinearWarmup", "learning_rate", learning_rate)
        if end_lr <= start_lr:
            given = f"start_lr is {start_lr}, end_lr is {end_lr}"
            raise ValueError(message("LinearWarmup", given, "expected end_lr to be the larger"))
        self.learning_rate = learning_rate
        self.warmup_steps = check_count("LinearWarmup", "warmup_steps", warmup_steps)
        self.start_lr = start_lr
        self.end_lr = end_lr
        super().__init__(start_lr, last_epoch, verbose)

    def get_lr(self) -> float:
        since = self.last_epoch - self.warmup_steps
        if since < 0:
            rise = (self.end_lr - self.start_lr) * self.last_epoch / self.warmup_steps
            return rise + self.start_lr
        if not isinstance(self.learning_rate, LRScheduler):
            return self.learning_rate
        self.learning_rate.step(since)
        return self.learning_rate()

    def state_dict(self) -> dict[str, Any]:
        """The state of this scheduler, with that of the one it leads to."""
        state = super().state_dict()
        if isinstance(self.learning_rate, LRScheduler):
            state[_INNER] = self.learning_rate.state_dict()
        return state

    def _compare_keys(self, state_dict: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        missing, unused = super()._compare_keys(state_dict)
        if isinstance(self.learning_rate, LRScheduler):
            if _INNER not in state_dict:
                return [*missing, _INNER], unused
            inner_missing, inner_unused = self.learning_rate._compare_keys(state_dict[_INNER])
            missing += [f"{_INNER}.{key}" for key in inner_missing]
            unused = [key for key in unused if key != _INNER]
            unused += [f"{_INNER}.{key}" for key in inner_unused]
        return missing, unused

    def _load_state(self, state_dict: Mapping[str, Any]) -> None:
        super()._load_state(state_dict)
        if isinstance(self.learning_rate, LRScheduler):
            self.learning_rate._load_state(state_dict[_INNER])


class LinearLR(LRScheduler):
    """The rate's factor goes along a line from `start_factor` to `end_factor` in `total_steps`.

    Each step multiplies the rate before it, so a rate that was changed on the way is kept, also by
    `step(epoch)`. ValueError unless `total_steps` is positive, `start_factor` above 0 and at most
    1, and `end_factor` from 0 to 1.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.LinearLR(1.0, total_steps=2, start_factor=0.5)
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates.append(scheduler())
    ...     scheduler.step()
    >>> rates
    [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        learning_rate: float,
        total_steps: int,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        if total_steps <= 0:
            given = f"total_steps is {total_steps}"
            raise ValueError(message("LinearLR", given, "expected 1 or more"))
        if not 0 < start_factor <= 1:
            given = f"start_factor is {start_factor}"
            raise ValueError(message("LinearLR", given, "expected above 0 and at most 1"))
        if not 0 <= end_factor <= 1:
            given = f"end_factor is {end_factor}"
            raise ValueError(message("LinearLR", given, "expected from 0 to 1"))
        self.total_steps = total_steps
        self.start_factor = start_factor
        self.end_factor = end_factor
        super().__init__(learning_rate, last_epoch, verbose)

    def get_lr(self) -> float:
        epoch, rise = self.last_epoch, self.end_factor - self.start_factor
        if epoch == 0:
            return self.base_lr * self.start_factor
        if epoch > self.total_steps:
            return self.last_lr
        before = self.total_steps * self.start_factor + (epoch - 1) * rise
        return self.last_lr * (1.0 + rise / before)
