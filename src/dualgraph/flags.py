"""The one table of switches: what can be set for the whole process, its default and its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["FLAGS", "Flag", "get", "reset", "set", "snapshot"]


@dataclass(frozen=True)
class Flag:
    """One switch: its default, what it does, and the values it admits.

    With `choices` None it admits any value of the default's type.
    """

    default: Any
    doc: str
    choices: tuple[Any, ...] | None = None


FLAGS: dict[str, Flag] = {
    "default_dtype": Flag(
        "float32",
        "dtype of tensors made from Python floats, and of parameters",
        ("bfloat16", "float16", "float32", "float64"),
    ),
    "print_precision": Flag(8, "digits after the point when a tensor is printed"),
    "print_threshold": Flag(1000, "tensors with more elements are printed summarised"),
    "print_edgeitems": Flag(3, "elements shown at each end of a summarised axis"),
    "print_linewidth": Flag(80, "columns a printed tensor may use"),
    "print_sci_mode": Flag(False, "print floats in scientific notation"),
}

_values: dict[str, Any] = {name: flag.default for name, flag in FLAGS.items()}


def get(name: str) -> Any:
    """The value a switch has now."""
    return _values[name]


def set(name: str, value: Any) -> None:
    """Give a switch a value.

    KeyError for an unknown switch, ValueError or TypeError for a value it refuses.
    """
    if name not in FLAGS:
        raise KeyError(f"[flags] no switch is called {name!r}; known: {', '.join(FLAGS)}")
    flag = FLAGS[name]
    if flag.choices is not None and value not in flag.choices:
        raise ValueError(f"[flags] {name} is {value!r}; expected one of {list(flag.choices)}")
    if type(value) is not type(flag.default):
        kind = type(flag.default).__name__
        raise TypeError(f"[flags] {name} is {value!r}; expected {kind}")
    _values[name] = value


def snapshot() -> dict[str, Any]:
    """A copy of all values, for comparing or restoring."""
    return dict(_values)


def reset() -> None:
    """Give every switch its default again."""
    _values.update({name: flag.default for name, flag in FLAGS.items()})
