"""A naive twin of the tape: every element carries its derivatives by all leaf elements.

A tensor is an array of positions in a flat memory of values and slopes, so views alias by sharing
positions. It is slow, and too simple to be wrong in the ways a tape can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

COLUMNS = 24  # leaf elements a program may have


@dataclass
class Memory:
    """Values [n], and their derivatives [n, COLUMNS]."""

    values: Array
    slopes: Array


@dataclass
class Twin:
    """Positions [...] in a memory."""

    memory: Memory
    where: Array

    @staticmethod
    def of(value: Array, slope: Array) -> Twin:
        """A tensor in fresh memory, from values [...] and slopes [..., COLUMNS]."""
        memory = Memory(value.reshape(-1).copy(), slope.reshape(-1, COLUMNS).copy())
        return Twin(memory, np.arange(value.size).reshape(value.shape))

    @staticmethod
    def constant(value: Array) -> Twin:
        """Values that depend on no leaf."""
        return Twin.of(value, np.zeros((*value.shape, COLUMNS)))

    @staticmethod
    def leaf(value: Array, first: int) -> Twin:
        """Values that are leaves, numbered from `first`."""
        twin = Twin.constant(value)
        twin.memory.slopes[np.arange(value.size), first + np.arange(value.size)] = 1.0
        return twin

    @property
    def value(self) -> Array:
        """The values."""
        return self.memory.values[self.where]

    @property
    def slope(self) -> Array:
        """The derivatives."""
        return self.memory.slopes[self.where]

    def view(self, how: Callable[[Array], Array]) -> Twin:
        """A view: the same memory at rearranged or selected positions."""
        return Twin(self.memory, how(self.where))

    def unary(self, function: Callable[[Array], Array], slope: Callable[[Array], Array]) -> Twin:
        """An elementwise function with its derivative."""
        return Twin.of(function(self.value), self.slope * slope(self.value)[..., None])

    def __add__(self, other: Twin) -> Twin:
        return Twin.of(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Twin) -> Twin:
        x, y = self.value, other.value
        return Twin.of(x * y, self.slope * y[..., None] + other.slope * x[..., None])

    def sum(self, axis: int) -> Twin:
        """The sum over one axis."""
        return Twin.of(self.value.sum(axis), self.slope.sum(axis))

    def write(self, other: Twin, slopes: bool = True) -> None:
        """Overwrite the memory in place, broadcasting; without slopes, as under no_grad."""
        value = np.broadcast_to(other.value, self.where.shape)
        slope = np.broadcast_to(other.slope, (*self.where.shape, COLUMNS))
        self.memory.values[self.where] = value
        if slopes:
            self.memory.slopes[self.where] = slope
