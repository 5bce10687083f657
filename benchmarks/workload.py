"""What a peer hands to the harness, and how a round of it is timed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import repeat


def _nothing(repetitions: int) -> None:
    """Leave the workload as it is."""


@dataclass(frozen=True)
class Workload:
    """One thing to time, in one library.

    `check` gives numbers that all peers must agree on; `run` repeats the work; `reset` prepares,
    untimed, for a round of that many repetitions; `operations` counts what one repetition holds;
    repetitions come in multiples of `granule`.
    """

    check: Callable[[], list[float]]
    run: Callable[[int], None]
    reset: Callable[[int], None] = _nothing
    operations: int = 1
    granule: int = 1


Workloads = Mapping[str, Callable[[], Workload]]


def repeated(call: Callable[[], object], check: Callable[[], list[float]]) -> Workload:
    """The workload that makes the same call again and again."""

    def run(repetitions: int) -> None:
        for _ in repeat(None, repetitions):
            call()

    return Workload(check=check, run=run)


def timed(workload: Workload, repetitions: int) -> float:
    """Seconds that `repetitions` take, after an untimed eighth of them to refill the caches."""
    workload.run(repetitions // 8)
    workload.reset(repetitions)
    start = time.perf_counter()
    workload.run(repetitions)
    return time.perf_counter() - start


def calibrated(workload: Workload, seconds: float) -> int:
    """The repetitions, doubled from one granule, that fill a round of at least `seconds`."""
    repetitions = workload.granule
    while timed(workload, repetitions) < seconds:
        repetitions *= 2
    return repetitions
