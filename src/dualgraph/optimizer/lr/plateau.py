"""A rate that falls when a measured value has stopped getting better."""

from __future__ import annotations

from typing import Any, Literal

from dualgraph.errors import describe, message
from dualgraph.optimizer.lr.base import LRScheduler, check_number, check_one_of, check_rate, plain

__all__ = ["ReduceOnPlateau"]


class ReduceOnPlateau(LRScheduler):
    """Multiply the rate by `factor` when a metric has not improved for more than `patience` epochs.

    Better is smaller for `mode` "min" and larger for "max", by more than `threshold`: a fraction of
    the best value for `threshold_mode` "rel", a difference for "abs". After a reduction, `cooldown`
    epochs are not looked at. The rate stays at `min_lr` or above, and is left alone where it would
    change by no more than `epsilon`. TypeError unless the rate is a number; ValueError if it is
    negative, `factor` is 1 or more, or a mode is unknown.

    >>> import dualgraph as dg
    >>> scheduler = dg.optimizer.lr.ReduceOnPlateau(1.0, factor=0.5, patience=1)
    >>> rates = []
    >>> for loss in [0.9, 0.8, 0.8, 0.8, 0.7]:
    ...     scheduler.step(loss)
    ...     rates.append(scheduler())
    >>> rates
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    def __init__(
        self,
        learning_rate: float,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 0.0001,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float = 0,
        epsilon: float = 1e-08,
        verbose: bool = False,
    ) -> None:
        # Nothing has been measured yet, so the first step of the base class is not taken.
        self.base_lr = check_rate("ReduceOnPlateau", "learning_rate", learning_rate)
        if factor >= 1:
            raise ValueError(message("ReduceOnPlateau", f"factor is {factor}", "expected below 1"))
        self.mode = check_one_of("ReduceOnPlateau", "mode", str(mode).lower(), ("min", "max"))
        self.threshold_mode = check_one_of(
            "ReduceOnPlateau", "threshold_mode", str(threshold_mode).lower(), ("rel", "abs")
        )
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.epsilon = epsilon
        self.verbose = verbose
        self.last_lr = self.base_lr
        self.last_epoch = 0
        self.best: float | None = None
        self.num_bad_epochs = 0
        self.cooldown_counter = 0

    def state_keys(self) -> None:
        """Save the best value and the counters too."""
        self.keys = ["cooldown_counter", "best", "num_bad_epochs", "last_epoch", "last_lr"]

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at the metric of one more epoch, or of `epoch`, and reduce the rate if it is time.

        `metrics` is a number, or a tensor or array of one element. TypeError if it is not a number,
        ValueError if it has more elements.
        """
        value = _measured(metrics)
        if epoch is None:
            self.last_epoch += 1
        else:
            self.last_epoch = check_number("ReduceOnPlateau.step", "epoch", epoch)
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            return
        if self.best is None or self._is_better(value, self.best):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
            self._reduce()

    def _reduce(self) -> None:
        reduced = max(self.last_lr * self.factor, self.min_lr)
        if self.last_lr - reduced > self.epsilon:
            self.last_lr = float(reduced)
            if self.verbose:
                self._announce()

    def _is_better(self, value: float, best: float) -> bool:
        margin = self.threshold * best if self.threshold_mode == "rel" else self.threshold
        return value < best - margin if self.mode == "min" else value > best + margin


def _measured(metrics: Any) -> float:
    expected = "expected one number"
    size = getattr(metrics, "size", 1)
    if size != 1:
        given = f"metrics is {describe(metrics)}"
        raise ValueError(message("ReduceOnPlateau.step", given, expected, "reduce it first"))
    value = plain(metrics)
    if isinstance(value, (str, bytes)) or not hasattr(type(value), "__float__"):
        given = f"metrics is {describe(metrics)}"
        raise TypeError(message("ReduceOnPlateau.step", given, expected))
    return float(value)
