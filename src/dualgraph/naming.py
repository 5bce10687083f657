"""Names that are unique in the process: `linear_0`, `linear_0.w_0`, counted per prefix."""

from __future__ import annotations

import re
from collections import Counter

from dualgraph.errors import message

__all__ = ["claim", "snake_case", "unique"]

_taken: Counter[str] = Counter()
_claimed: set[str] = set()


def unique(prefix: str) -> str:
    """The prefix with a number behind it that was not given out before."""
    number = _taken[prefix]
    _taken[prefix] += 1
    return f"{prefix}_{number}"


def claim(name: str) -> str:
    """Take a name that a user chose for a parameter; ValueError if one has had it before."""
    if name in _claimed:
        given = f"the name {name!r} is given"
        raise ValueError(
            message("ParamAttr", given, "a parameter has it already", "choose another")
        )
    _claimed.add(name)
    return name


def snake_case(name: str) -> str:
    """`BatchNorm1D` as `batch_norm1d`."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
