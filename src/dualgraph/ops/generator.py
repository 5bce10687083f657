"""The random stream: its seed, its offset, and how a draw moves it on.

Every draw is an op whose first two inputs are the seed and the offset, as numbers (see `philox`);
then the offset moves on by a number of counters that the draw's size and dtype fix. A draw that
fails leaves the state as it was.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dualgraph.errors import describe, message
from dualgraph.ops import philox
from dualgraph.ops.apply import apply
from dualgraph.ops.registry import Op
from dualgraph.tensor import Tensor

__all__ = [
    "DRAWS",
    "Generator",
    "GeneratorState",
    "default_generator",
    "draw",
    "get_rng_state",
    "seed",
    "set_rng_state",
]

_LIMIT: Final = 1 << 64

# The ops that draw, with the kind of draw that says how far the offset moves.
DRAWS: dict[str, philox.Kind] = {
    "rand": "uniform",
    "uniform": "uniform",
    "randn": "normal",
    "randint": "integers",
    "randperm": "permutation",
    "keep_mask": "uniform",
    "bernoulli": "uniform",
    "poisson": "bits",
    "binomial": "bits",
    "standard_gamma": "bits",
}


# -- the state ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GeneratorState:
    """Where a random stream stands: equal states give equal draws."""

    seed: int
    offset: int


class Generator:
    """A random stream: its seed, and the offset that draws move on.

    >>> import dualgraph as dg
    >>> generator = dg.seed(7)
    >>> generator.initial_seed(), generator.offset
    (7, 0)
    """

    __slots__ = ("key", "offset")

    def __init__(self, seed: int) -> None:
        self.key = 0
        self.offset = 0
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> Generator:
        """Start anew from a seed; ValueError unless it is from 0 to 2^64 - 1."""
        number = int(seed)
        if not 0 <= number < _LIMIT:
            raise ValueError(
                message("seed", f"the seed is {number}", f"expected 0 to {_LIMIT - 1}")
            )
        self.key, self.offset = number, 0
        return self

    def initial_seed(self) -> int:
        """The seed."""
        return self.key

    def get_state(self) -> GeneratorState:
        """Where the stream stands."""
        return GeneratorState(self.key, self.offset)

    def set_state(self, state: GeneratorState) -> None:
        """Go to where a stream stood; TypeError for anything else."""
        if not isinstance(state, GeneratorState):
            given = f"{describe(state)} is given"
            raise TypeError(message("set_state", given, "expected what get_state returned"))
        self.key, self.offset = state.seed, state.offset

    def __repr__(self) -> str:
        return f"Generator(seed={self.key}, offset={self.offset})"


default_generator: Final = Generator(int.from_bytes(os.urandom(6), "little"))


def seed(seed: int) -> Generator:
    """Start the random stream anew from a seed, and return its generator.

    ValueError unless the seed is from 0 to 2^64 - 1.

    >>> import dualgraph as dg
    >>> _ = dg.seed(0)
    >>> x = dg.rand([2])
    >>> _ = dg.seed(0)
    >>> (dg.rand([2]) == x).tolist()
    [True, True]
    """
    return default_generator.manual_seed(seed)


def get_rng_state(device: str | None = None) -> list[GeneratorState]:
    """Where the random stream stands: a list with one state, which can be compared and pickled.

    >>> import dualgraph as dg
    >>> state = dg.get_rng_state()
    >>> x = dg.rand([2])
    >>> dg.set_rng_state(state)
    >>> (dg.rand([2]) == x).tolist()
    [True, True]
    """
    return [default_generator.get_state()]


def set_rng_state(state_list: Sequence[GeneratorState], device: str | None = None) -> None:
    """Let the random stream go to where it stood when `get_rng_state` was called.

    ValueError unless there is one state, TypeError for anything else than a state.
    """
    if not isinstance(state_list, (list, tuple)):
        given = f"{describe(state_list)} is given"
        raise TypeError(message("set_rng_state", given, "expected what get_rng_state returned"))
    if len(state_list) != 1:
        raise ValueError(message("set_rng_state", f"{len(state_list)} states", "expected one"))
    default_generator.set_state(state_list[0])


def draw(record: Op, n: int, words: Any, inputs: Sequence[Any], attrs: dict[str, Any]) -> Tensor:
    """Run a drawing op, and move the offset on as far as n values of a dtype take it."""
    stream = default_generator
    key, offset = stream.key, stream.offset
    count = philox.counters_for(DRAWS[record.name], n, words)
    out = apply(record, (key, offset, *inputs), attrs)
    stream.offset = (offset + count) % _LIMIT
    return out
