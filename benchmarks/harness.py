"""Rounds that take turns, and what is read from them: spread, paired ratios and differences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Literal, Protocol


class PeerSkipped(Exception):
    """The peer, or its case, is not there; the message says why."""


class PeerFailed(Exception):
    """The peer is there and broke; the message says how."""


class Runner(Protocol):
    """One peer, wherever it runs."""

    name: str

    def prepare(self, case: str, seconds: float) -> list[float]:
        """Get ready for rounds of at least `seconds`; give the numbers that peers must agree on."""

    def round(self) -> float:
        """Run one round; give the seconds of one operation."""


@dataclass(frozen=True)
class Target:
    """`peer` costs at most `limit` times `reference`, or at most `limit` seconds more."""

    reference: str
    limit: float
    kind: Literal["ratio", "difference"] = "ratio"
    peer: str = "dualgraph"


@dataclass
class Measurement:
    """One case of a benchmark: for each peer its rounds, or why it has none."""

    case: str
    samples: dict[str, list[float]] = field(default_factory=dict)
    checks: dict[str, list[float]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


Progress = Callable[[str, int, str], None]


def measure(
    runners: Sequence[Runner], case: str, rounds: int, seconds: float, progress: Progress
) -> Measurement:
    """Prepare all peers, then run rounds in turn (A B C A B C …), so that noise hits all alike."""
    result = Measurement(case)
    ready: list[Runner] = []
    for runner in runners:
        progress(case, 0, runner.name)
        try:
            result.checks[runner.name] = runner.prepare(case, seconds)
        except PeerSkipped as reason:
            result.skipped[runner.name] = str(reason)
        except PeerFailed as fault:
            result.failed[runner.name] = str(fault)
        else:
            result.samples[runner.name] = []
            ready.append(runner)
    for index in range(rounds):
        for runner in tuple(ready):
            progress(case, index + 1, runner.name)
            try:
                result.samples[runner.name].append(runner.round())
            except PeerFailed as fault:
                result.failed[runner.name] = str(fault)
                del result.samples[runner.name]
                ready.remove(runner)
    return result


def spread(samples: Sequence[float]) -> float:
    """The distance between the quartiles; zero for a single sample."""
    if len(samples) < 2:
        return 0.0
    low, _, high = quantiles(samples, n=4, method="inclusive")
    return high - low


def ratio(samples: Sequence[float], reference: Sequence[float]) -> float:
    """The median over rounds of one peer's time by the reference's in the same round."""
    return median(ours / theirs for ours, theirs in zip(samples, reference, strict=True))


def difference(samples: Sequence[float], reference: Sequence[float]) -> float:
    """The median over rounds of one peer's seconds less the reference's in the same round."""
    return median(ours - theirs for ours, theirs in zip(samples, reference, strict=True))


def agree(check: Sequence[float], reference: Sequence[float]) -> bool:
    """Whether two peers computed the same, to the rounding of float32 in another order."""
    return len(check) == len(reference) and all(
        abs(ours - theirs) <= 1e-3 * abs(theirs) + 1e-5
        for ours, theirs in zip(check, reference, strict=True)
    )
