"""The base of all schedulers: counting epochs, handing out the rate, saving and loading."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, TypeVar

from dualgraph.errors import describe, message

__all__ = ["LRScheduler", "check_count", "check_number", "check_one_of", "check_rate", "plain"]

T = TypeVar("T")


class LRScheduler:
    """Base of the schedulers: a rate that changes when `step()` is called.

    Derive from it and write `get_lr()`, which computes the rate of `self.last_epoch` from `base_lr`
    (the rate it was made with) and `last_lr` (the rate before). `learning_rate` is an int or float,
    not negative; the constructor takes the first step, to epoch `last_epoch + 1`. With `verbose`
    every step is printed. TypeError or ValueError if the rate is not such a number.

    >>> import dualgraph as dg
    >>> class Halving(dg.optimizer.lr.LRScheduler):
    ...     def get_lr(self):
    ...         return self.base_lr / 2**self.last_epoch
    >>> scheduler = Halving(0.5)
    >>> scheduler.step()
    >>> scheduler()
    0.25
    """

    keys: list[str]

    def __init__(
        self, learning_rate: float = 0.1, last_epoch: int = -1, verbose: bool = False
    ) -> None:
        self.base_lr = check_rate(type(self).__name__, "learning_rate", learning_rate)
        self.last_lr = self.base_lr
        self.last_epoch: int = last_epoch
        self.verbose = verbose
        self.step()

    def __call__(self) -> float:
        """The present rate."""
        return self.last_lr

    def get_lr(self) -> float:
        """The rate of `self.last_epoch`; what a derived class writes."""
        raise NotImplementedError(
            message(type(self).__name__, "get_lr() is not written", "", "derive and write it")
        )

    def _get_closed_form_lr(self) -> float:
        # For schedulers whose get_lr() goes from rate to rate: the rate of an epoch jumped to.
        return self.get_lr()

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or to `epoch`; if that fails, the scheduler stays where it was."""
        previous = self.last_epoch
        if epoch is None:
            self.last_epoch += 1
        else:
            self.last_epoch = check_number(f"{type(self).__name__}.step", "epoch", epoch)
        try:
            lr = self.get_lr() if epoch is None else self._get_closed_form_lr()
        except Exception:
            self.last_epoch = previous
            raise
        self.last_lr = float(lr)
        if self.verbose:
            self._announce()

    def _announce(self) -> None:
        name = type(self).__name__
        print(f"Epoch {self.last_epoch}: {name} set learning rate to {self.last_lr}.")

    def state_keys(self) -> None:
        """Set `self.keys`, the names of the attributes to save; for derived classes to extend."""
        self.keys = ["last_epoch", "last_lr"]

    def state_dict(self) -> dict[str, Any]:
        """The attributes named by `state_keys()`, as plain Python numbers."""
        self.state_keys()
        attributes = vars(self)
        return {key: plain(attributes[key]) for key in self.keys if key in attributes}

    def set_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load what `state_dict()` gave; numbers may come as 0-d arrays or tensors.

        RuntimeError, and nothing is loaded, if a key is missing; a warning if there are too many.
        """
        missing, unused = self._compare_keys(state_dict)
        name = f"{type(self).__name__}.set_state_dict"
        if missing:
            remedy = "load the state of a scheduler of the same class"
            raise RuntimeError(message(name, f"{missing} are missing", "", remedy))
        self._load_state(state_dict)
        if unused:
            warnings.warn(message(name, f"{unused} are not used"), stacklevel=2)

    def set_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Another name of `set_state_dict`."""
        self.set_state_dict(state_dict)

    def _compare_keys(self, state_dict: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        # The keys that are missing from a state, and those in it that are unknown.
        self.state_keys()
        missing = [key for key in self.keys if key not in state_dict]
        return missing, [key for key in state_dict if key not in self.keys]

    def _load_state(self, state_dict: Mapping[str, Any]) -> None:
        for key in self.keys:
            setattr(self, key, plain(state_dict[key]))


def plain(value: Any) -> Any:
    """A 0-d array, tensor or numpy scalar as the Python number in it; anything else as it is."""
    return value.item() if hasattr(value, "item") else value


def check_number(op: str, name: str, value: Any) -> Any:
    """An int or float, also out of a numpy scalar or 0-d tensor; TypeError for anything else."""
    number = plain(value)
    if not isinstance(number, (int, float)):
        raise TypeError(message(op, f"{name} is {describe(value)}", "expected an int or float"))
    return number


def check_rate(op: str, name: str, value: Any) -> float:
    """A rate as a float; TypeError unless it is an int or float, ValueError if it is negative."""
    if not isinstance(value, (int, float)):
        given = f"{name} is {describe(value)}"
        raise TypeError(message(op, given, "expected an int or float", "convert it with float()"))
    if value < 0:
        raise ValueError(message(op, f"{name} is {value}", "expected 0 or more"))
    return float(value)


def check_count(op: str, name: str, value: Any) -> int:
    """A positive int; TypeError unless it is an int, ValueError unless it is positive."""
    if not isinstance(value, int):
        raise TypeError(message(op, f"{name} is {describe(value)}", "expected an int"))
    if value <= 0:
        raise ValueError(message(op, f"{name} is {value}", "expected 1 or more"))
    return value


def check_one_of(op: str, name: str, value: T, choices: tuple[T, ...]) -> T:
    """One of the choices; ValueError otherwise."""
    if value not in choices:
        raise ValueError(message(op, f"{name} is {value!r}", f"expected one of {choices}"))
    return value
