"""The harness: turns, statistics, skipping, verdicts."""

from collections.abc import Iterator
from itertools import count
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import data, report
from benchmarks.harness import (
    Measurement,
    PeerFailed,
    PeerSkipped,
    Target,
    agree,
    difference,
    measure,
    ratio,
    spread,
)
from benchmarks.suite import BENCHMARKS, Benchmark, Case
from benchmarks.workload import Workload, calibrated, timed

seconds = st.floats(1e-9, 1e3)
rounds_of_two = st.lists(st.tuples(seconds, seconds), min_size=1, max_size=30)


class ScriptedRunner:
    """A peer whose rounds are written down, and which writes down when it is asked."""

    def __init__(self, name: str, script: list[float | Exception], log: list[str]) -> None:
        self.name = name
        self.log = log
        self.script: Iterator[float | Exception] = iter(script)

    def prepare(self, case: str, seconds: float) -> list[float]:
        self.log.append(f"prepare {self.name}")
        return [1.0]

    def round(self) -> float:
        self.log.append(self.name)
        outcome = next(self.script)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class AbsentRunner(ScriptedRunner):
    def prepare(self, case: str, seconds: float) -> list[float]:
        raise PeerSkipped("not installed")


def no_progress(case: str, index: int, peer: str) -> None:
    """Nobody is looking."""


def test_peers_take_turns_round_by_round() -> None:
    log: list[str] = []
    runners = [ScriptedRunner(name, [1.0, 2.0, 3.0], log) for name in "ABC"]
    result = measure(runners, "case", 3, 0.0, no_progress)
    assert log == ["prepare A", "prepare B", "prepare C", *"ABCABCABC"]
    assert result.samples == {name: [1.0, 2.0, 3.0] for name in "ABC"}


def test_an_absent_peer_is_skipped_with_its_reason_and_the_others_run() -> None:
    log: list[str] = []
    runners = [AbsentRunner("A", [], log), ScriptedRunner("B", [1.0, 2.0], log)]
    result = measure(runners, "case", 2, 0.0, no_progress)
    assert result.skipped == {"A": "not installed"}
    assert result.samples == {"B": [1.0, 2.0]}


def test_a_peer_that_breaks_leaves_the_turns_and_the_others_go_on() -> None:
    log: list[str] = []
    broken = ScriptedRunner("A", [1.0, PeerFailed("ended by SIGSEGV")], log)
    runners = [broken, ScriptedRunner("B", [1.0, 2.0, 3.0], log)]
    result = measure(runners, "case", 3, 0.0, no_progress)
    assert log[2:] == ["A", "B", "A", "B", "B"]
    assert result.failed == {"A": "ended by SIGSEGV"}
    assert result.samples == {"B": [1.0, 2.0, 3.0]}


def test_progress_names_each_round_and_peer() -> None:
    seen: list[tuple[str, int, str]] = []
    runners = [ScriptedRunner(name, [1.0], []) for name in "AB"]
    measure(runners, "case", 1, 0.0, lambda *stage: seen.append(stage))
    assert seen == [("case", 0, "A"), ("case", 0, "B"), ("case", 1, "A"), ("case", 1, "B")]


@given(rounds_of_two)
def test_a_peer_compared_with_itself_is_at_ratio_one_and_difference_zero(
    pairs: list[tuple[float, float]],
) -> None:
    ours = [pair[0] for pair in pairs]
    assert ratio(ours, ours) == 1.0
    assert difference(ours, ours) == 0.0


@given(rounds_of_two)
def test_spread_is_the_interquartile_range_of_numpy(pairs: list[tuple[float, float]]) -> None:
    samples = [pair[0] for pair in pairs]
    low, high = np.percentile(samples, [25, 75])
    assert spread(samples) == pytest.approx(high - low, rel=1e-6, abs=1e-9)


def test_ratio_and_difference_pair_the_rounds_so_that_drift_cancels() -> None:
    theirs = [1.0, 10.0, 100.0]
    ours = [2.0, 20.0, 200.0]
    assert ratio(ours, theirs) == 2.0
    assert difference(ours, theirs) == 10.0
    assert ratio([2.0, 20.0, 100.0], theirs) == 2.0


@pytest.mark.parametrize(
    ("check", "same"),
    [([1.0, 2.0], True), ([1.0005, 2.0], True), ([1.01, 2.0], False), ([1.0], False)],
)
def test_peers_agree_to_float32_rounding(check: list[float], same: bool) -> None:
    assert agree(check, [1.0, 2.0]) is same


def test_nan_agrees_with_nothing() -> None:
    assert not agree([float("nan")], [1.0])
    assert not agree([1.0], [float("nan")])


def test_a_round_resets_untimed_for_as_many_repetitions_as_it_runs() -> None:
    log: list[tuple[str, int]] = []
    work = Workload(
        check=list, run=lambda n: log.append(("run", n)), reset=lambda n: log.append(("reset", n))
    )
    timed(work, 16)
    assert log == [("run", 2), ("reset", 16), ("run", 16)]


def test_repetitions_double_from_one_granule_until_a_round_is_long_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 0.0

    def run(repetitions: int) -> None:
        nonlocal clock
        clock += repetitions

    monkeypatch.setattr("benchmarks.workload.time.perf_counter", lambda: clock)
    work = Workload(check=list, run=run, granule=3)
    assert calibrated(work, 20.0) == 24
    assert calibrated(work, 0.0) == 3


@given(st.integers(1, 40).map(lambda half: 2 * half), st.integers(0, 1000))
def test_a_round_of_coin_steps_holds_both_faces_equally_often(tosses: int, salt: int) -> None:
    rng = np.random.default_rng()
    faces: list[bool] = []

    def seed(start: int) -> None:
        nonlocal rng
        rng = np.random.default_rng([salt, start])

    def toss() -> bool:
        return bool(rng.random() > 0.5)

    def step(x: data.Array, y: data.Array) -> float:
        faces.append(toss())
        return 0.0

    work = data.coin_workload(step, seed, toss, lambda: None)
    work.check()
    assert faces == data.CHECKED_COINS
    faces.clear()
    work.reset(tosses)
    work.run(tosses)
    assert (len(faces), sum(faces)) == (tosses, tosses // 2)


def test_the_first_seed_with_the_wanted_faces_is_found() -> None:
    state = count()

    def seed(start: int) -> None:
        nonlocal state
        state = count(start)

    found = data.find_seed(seed, lambda: next(state) % 3 == 0, 2, lambda faces: faces[1])
    assert found == 2


TARGETS = (Target("hand", 1.3), Target("slow", 0.5), Target("hand", 1e-6, "difference"))
CASE = Case("step", TARGETS)
BENCH = Benchmark("b", "about", (CASE,), 1, 0.0, peers=("hand", "dualgraph", "slow"))


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (1.2e-6, ["met", "met", "met"]),
        (1.5e-6, ["missed by 0.20", "met", "met"]),
        (3e-6, ["missed by 1.70", "missed by 0.25", "missed by 1.00 µs"]),
    ],
)
def test_a_verdict_says_met_or_by_how_much_it_was_missed(ours: float, said: list[str]) -> None:
    measured = Measurement("step", {"hand": [1e-6], "dualgraph": [ours], "slow": [4e-6]})
    assert [report.verdict(measured, target) for target in TARGETS] == said


def test_a_target_without_its_peer_or_its_reference_is_not_measured() -> None:
    absent = Measurement("step", {"hand": [1e-6]}, skipped={"dualgraph": "not installed"})
    assert report.verdict(absent, TARGETS[0]) == "not measured"
    assert "dualgraph" in report.as_text(BENCH, [absent], {})
    alone = Measurement("step", {"dualgraph": [1e-6]})
    assert report.verdict(alone, TARGETS[0]) == "not measured"


def test_a_peer_that_computed_something_else_gets_no_verdict() -> None:
    measured = Measurement(
        "step", {"hand": [2.0], "dualgraph": [1.0]}, {"hand": [1.0], "dualgraph": [7.0]}
    )
    text = report.as_text(BENCH, [measured], {})
    assert "DIFFERS from hand" in text
    assert "met" not in text


def test_the_table_has_one_row_per_peer_and_one_more_per_further_target() -> None:
    measured = Measurement("step", {"hand": [1e-6], "dualgraph": [1.2e-6], "slow": [4e-6]})
    lines = report.table(report.case_rows(BENCH, CASE, measured)).splitlines()
    assert lines == [
        "case  peer        median      IQR  ratio      over  target             verdict",
        "step  hand       1.00 µs  0.00 ns",
        "      dualgraph  1.20 µs  0.00 ns   1.20   +200 ns  <= 1.30 x hand     met",
        "                                    0.30  -2.80 µs  <= 0.50 x slow     met",
        "                                    1.20   +200 ns  <= hand + 1.00 µs  met",
        "      slow       4.00 µs  0.00 ns   4.00  +3.00 µs",
    ]


def test_skipped_and_failed_peers_are_named_once_with_their_cases() -> None:
    first = Measurement("one", skipped={"torch": "not installed"}, failed={"paddle": "SIGSEGV"})
    second = Measurement("two", skipped={"torch": "not installed"})
    assert report.notes([first, second], {"numpy": "2.4"}) == [
        "peers: numpy 2.4",
        "skipped: torch (not installed)",
        "failed: paddle (SIGSEGV) in one",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.234, "1.23 s"), (0.0123, "12.3 ms"), (5.4e-4, "540 µs"), (2e-9, "2.00 ns"), (0, "0.00 ns")],
)
def test_durations_have_three_digits_and_a_unit(value: float, text: str) -> None:
    assert report.duration(value) == text


def test_the_record_keeps_every_round_and_the_median_of_them() -> None:
    measured = Measurement("step", {"hand": [1.0, 5.0, 2.0], "dualgraph": [1.0, 5.0, 2.0]})
    record = report.as_record(BENCH, [measured], {})["cases"][0]
    assert record["peers"]["hand"]["rounds"] == [1.0, 5.0, 2.0]
    assert record["peers"]["hand"]["median"] == median([1.0, 5.0, 2.0])
    assert record["targets"][0]["value"] == 1.0


def test_benchmarks_and_their_cases_have_names_of_their_own() -> None:
    names = [f"{b.name}/{case.name}" for b in BENCHMARKS for case in b.cases]
    assert len(set(names)) == len(names)
