"""Checks of what an optimizer is given, each raising before anything has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from dualgraph.errors import describe, message
from dualgraph.nn.clip import ClipGradBase
from dualgraph.optimizer.lr.base import LRScheduler
from dualgraph.regularizer import L2Decay, WeightDecayRegularizer
from dualgraph.tensor import Tensor

__all__ = [
    "Check",
    "check_clip",
    "check_decay",
    "check_learning_rate",
    "check_parameters",
    "coefficient",
    "flag",
    "fraction",
    "function",
    "nonnegative",
    "real",
]

Check: TypeAlias = Callable[[str, str, Any], None]
Groups: TypeAlias = list[dict[str, Any]]


def real(op: str, name: str, value: Any) -> None:
    """TypeError unless it is an int or float; ValueError for None."""
    if value is None:
        raise ValueError(message(op, f"{name} is None", "expected a number"))
    if not isinstance(value, (int, float)):
        raise TypeError(message(op, f"{name} is {describe(value)}", "expected an int or float"))


def nonnegative(op: str, name: str, value: Any) -> None:
    """ValueError unless it is 0 or more; a tensor of one element is taken as it is."""
    if isinstance(value, Tensor):
        return _one_element(op, name, value)
    real(op, name, value)
    if not value >= 0:
        raise ValueError(message(op, f"{name} is {value}", "expected 0 or more"))


def fraction(op: str, name: str, value: Any) -> None:
    """ValueError unless it is at least 0 and less than 1; a tensor is taken as it is."""
    if isinstance(value, Tensor):
        return _one_element(op, name, value)
    real(op, name, value)
    if not 0 <= value < 1:
        raise ValueError(message(op, f"{name} is {value}", "expected at least 0 and less than 1"))


def _one_element(op: str, name: str, value: Tensor) -> None:
    if value.size != 1:
        raise ValueError(message(op, f"{name} is {describe(value)}", "expected one element"))


def coefficient(op: str, name: str, value: Any) -> None:
    """TypeError unless it is an int, a float or a tensor of one element."""
    if isinstance(value, Tensor):
        return _one_element(op, name, value)
    if not isinstance(value, (int, float)):
        expected = "expected an int, float or Tensor"
        raise TypeError(message(op, f"{name} is {describe(value)}", expected))


def flag(op: str, name: str, value: Any) -> None:
    """TypeError unless it is a bool (or 0 or 1)."""
    if not isinstance(value, int):
        raise TypeError(message(op, f"{name} is {describe(value)}", "expected a bool"))


def function(op: str, name: str, value: Any) -> None:
    """TypeError unless it is callable or None."""
    if value is not None and not callable(value):
        raise TypeError(message(op, f"{name} is {describe(value)}", "expected a function or None"))


def check_learning_rate(op: str, value: Any) -> None:
    """TypeError unless it is a float or a scheduler, as in Paddle; ValueError for None."""
    if value is None:
        raise ValueError(message(op, "learning_rate is None", "expected a float or an LRScheduler"))
    if not isinstance(value, (float, LRScheduler)):
        expected = "expected a float or an LRScheduler"
        remedy = "convert it with float()" if isinstance(value, (int, Tensor)) else ""
        raise TypeError(message(op, f"learning_rate is {describe(value)}", expected, remedy))


def check_clip(op: str, value: Any) -> None:
    """TypeError unless it is one of the gradient clips of `nn`, or None."""
    if value is not None and not isinstance(value, ClipGradBase):
        expected = "expected a ClipGradByGlobalNorm, ClipGradByNorm or ClipGradByValue"
        raise TypeError(message(op, f"grad_clip is {describe(value)}", expected))


def check_decay(op: str, value: Any) -> WeightDecayRegularizer | None:
    """The regularizer that a `weight_decay` means: a number is the coefficient of an L2Decay."""
    if value is None or isinstance(value, WeightDecayRegularizer):
        return value
    if isinstance(value, (int, float)):
        return L2Decay(value)
    expected = "expected a number, an L1Decay or an L2Decay"
    raise TypeError(message(op, f"weight_decay is {describe(value)}", expected))


def check_parameters(op: str, parameters: Any) -> tuple[list[Tensor], Groups]:
    """The parameters as a list, or as groups if dicts are given; one of the two is empty.

    TypeError for None and for what is no sequence of tensors or of dicts; ValueError
    if there are none, if a group has no "params", or if a parameter is in two groups.
    """
    if parameters is None:
        given = "parameters is None"
        expected = "expected the list of tensors to update"
        raise TypeError(message(op, given, expected, "give model.parameters()"))
    if isinstance(parameters, (Tensor, dict, str)) or not isinstance(parameters, Iterable):
        expected = "expected a list of tensors, or of dicts with 'params'"
        given = "a dict" if isinstance(parameters, dict) else describe(parameters)
        raise TypeError(message(op, f"parameters is {given}", expected))
    found = list(parameters)
    if not found:
        raise ValueError(message(op, "parameters is empty", "expected at least one tensor"))
    if isinstance(found[0], dict):
        return [], _check_groups(op, found)
    _check_tensors(op, found)
    return found, []


def _check_groups(op: str, given: list[Any]) -> Groups:
    """Copies of the groups, each with a list under "params"."""
    groups: Groups = []
    seen: set[int] = set()
    for number, group in enumerate(given):
        if not isinstance(group, dict):
            what = f"parameters[{number}] is {describe(group)}"
            raise TypeError(message(op, what, "expected a dict, as the one before"))
        if "params" not in group:
            what = f"parameters[{number}] has the keys {list(group)}"
            raise ValueError(message(op, what, "expected 'params' among them"))
        params = group["params"]
        if isinstance(params, (set, frozenset)):
            what = f"params of parameters[{number}] is a set"
            raise TypeError(message(op, what, "expected an order", "give a list"))
        params = [params] if isinstance(params, Tensor) else list(params)
        _check_tensors(op, params)
        if not seen.isdisjoint(map(id, params)):
            what = f"parameters[{number}] has a parameter of another group"
            raise ValueError(message(op, what, "expected each in one group"))
        seen.update(map(id, params))
        groups.append({**group, "params": params})
    return groups


def _check_tensors(op: str, parameters: list[Any]) -> None:
    for number, parameter in enumerate(parameters):
        if not isinstance(parameter, Tensor):
            given = f"parameter {number} is {describe(parameter)}"
            raise TypeError(message(op, given, "expected a Tensor"))
