"""What all peers share: the network's sizes, numbers and coin, and the settings of the updates."""

from collections.abc import Callable
from functools import cache
from itertools import count, cycle, islice
from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray

from benchmarks.workload import Workload

Array = NDArray[np.float32]

BATCH, INPUT, HIDDEN = 64, 128, 256
SHAPES = ((INPUT, HIDDEN), (HIDDEN,), (HIDDEN, HIDDEN), (HIDDEN,), (HIDDEN, 1), (1,))
LEARNING_RATE = 0.01
MOMENTUM, BETA1, BETA2, EPSILON, DECAY = 0.9, 0.9, 0.999, 1e-8, 0.01

CHAIN = 100_000
FACTOR = 0.99999

CHECKED_COINS = [True, False, False, True]
CHECKED_UPDATES = 3


def initial_parameters() -> list[Array]:
    """Weights and biases of the three layers, the same for all peers; weights are [in, out]."""
    rng = np.random.default_rng(1)
    scaled = (rng.uniform(-1, 1, shape) / np.sqrt(shape[0]) for shape in SHAPES)
    return [values.astype(np.float32) for values in scaled]


def fixed_gradients() -> list[Array]:
    """One gradient for each parameter, the same for all peers."""
    rng = np.random.default_rng(2)
    return [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]


def batches() -> list[tuple[Array, Array]]:
    """Sixteen batches of x [64, 128] and y [64, 1]."""
    rng = np.random.default_rng(3)
    pairs = (
        (rng.standard_normal((BATCH, INPUT)), rng.standard_normal((BATCH, 1))) for _ in range(16)
    )
    return [(x.astype(np.float32), y.astype(np.float32)) for x, y in pairs]


def small_operands() -> tuple[Array, Array]:
    """Two tensors of [1, 16]."""
    x, y = np.random.default_rng(4).standard_normal((2, 1, 16)).astype(np.float32)
    return x, y


def find_seed(
    seed: Callable[[int], object],
    toss: Callable[[], bool],
    tosses: int,
    wanted: Callable[[list[bool]], bool],
) -> int:
    """The first seed after which the peer's own coin falls as wanted."""

    def faces(candidate: int) -> list[bool]:
        seed(candidate)
        return [toss() for _ in range(tosses)]

    return next(candidate for candidate in count(1) if wanted(faces(candidate)))


def coin_workload(
    step: Callable[[Array, Array], SupportsFloat],
    seed: Callable[[int], object],
    toss: Callable[[], bool],
    restore: Callable[[], object],
) -> Workload:
    """Training steps with a coin in them, where each round holds both faces equally often.

    The model tosses its own library's coin, unaltered. What is chosen is the seed before a round:
    one after which half of the round's tosses are heads. So all peers do the same work, though
    each has a generator of its own.
    """
    pairs = batches()

    @cache
    def fair_seed(tosses: int) -> int:
        return find_seed(seed, toss, tosses, lambda faces: 2 * sum(faces) == tosses)

    def reset(repetitions: int) -> None:
        start = fair_seed(repetitions)
        restore()
        seed(start)

    def check() -> list[float]:
        start = find_seed(seed, toss, len(CHECKED_COINS), lambda faces: faces == CHECKED_COINS)
        restore()
        seed(start)
        return [float(step(x, y)) for x, y in pairs[: len(CHECKED_COINS)]]

    def run(repetitions: int) -> None:
        for x, y in islice(cycle(pairs), repetitions):
            step(x, y)

    return Workload(check=check, run=run, reset=reset, granule=2)


def update_workload(step: Callable[[], object], parameters: Callable[[], list[Any]]) -> Workload:
    """An optimizer's step from gradients that stay; checked by the mean size of each parameter."""

    def run(repetitions: int) -> None:
        for _ in range(repetitions):
            step()

    def check() -> list[float]:
        run(CHECKED_UPDATES)
        return [float(np.abs(values).mean()) for values in parameters()]

    return Workload(check=check, run=run)
