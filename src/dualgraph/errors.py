"""Every exception class of dualgraph, and the one way its messages are worded.

A message reads `[op] what was given; what was expected; what to do`. The classes are Python's own
wherever a user would catch those; a subclass exists only where somebody would want to catch that
case alone.
"""

from __future__ import annotations

from typing import Any

__all__ = ["GraphFreedError", "OverwrittenValueError", "describe", "message"]


class GraphFreedError(RuntimeError):
    """A backward pass reached a part of the tape that an earlier backward pass has freed."""


class OverwrittenValueError(RuntimeError):
    """A backward pass needs a value that an in-place operation has overwritten since."""


def message(op: str, given: str, expected: str = "", remedy: str = "") -> str:
    """The text of an error: `[op] given; expected; remedy`."""
    return f"[{op}] " + "; ".join(part for part in (given, expected, remedy) if part)


def describe(value: Any) -> str:
    """A short description of an argument for an error message: `float32 [2, 3]` for a tensor."""
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if dtype is not None and shape is not None:
        return f"{getattr(dtype, 'name', dtype)} {list(shape)}"
    if isinstance(value, (list, tuple)) and len(value) > 8:
        return f"{type(value).__name__} of {len(value)} items"
    return f"{type(value).__name__} {value!r}"
