"""How a family of ops describes calls of them that the registry-driven tests can make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Arr:
    """An input array to draw: its shape and the values it may take."""

    shape: tuple[int, ...]
    low: float = -3.0
    high: float = 3.0
    kinks: tuple[float, ...] = ()
    dtype: str = "float64"
    ints: tuple[int, int] | None = None
    bools: bool = False


@dataclass(frozen=True)
class Sample:
    """A call of a public function with fixed attributes, and what it should give."""

    call: Callable[..., Any]
    inputs: tuple[Arr, ...]
    reference: Callable[..., Any] | None = None
    grad: bool = True
    order: int = 2
    special: bool = True  # nan and infinities are admitted
