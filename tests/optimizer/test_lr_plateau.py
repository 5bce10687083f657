"""ReduceOnPlateau: when the rate falls, and what may be given as the metric."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph.optimizer import lr


def plateau(losses: list[float], **options: Any) -> list[float]:
    scheduler = lr.ReduceOnPlateau(1.0, **{"factor": 0.5, "patience": 1, **options})
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(scheduler())
    return rates


@given(losses=st.lists(st.floats(0, 1), min_size=1, max_size=60), patience=st.integers(0, 5))
def test_the_plateau_rate_never_rises_and_waits_for_its_patience(
    losses: list[float], patience: int
) -> None:
    rates = plateau(losses, patience=patience)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] >= 0.5 ** ((len(losses) - 1) // (patience + 1))


def test_the_plateau_rate_falls_when_patience_is_over() -> None:
    assert plateau([3, 2, 2, 2, 2, 2]) == [1, 1, 1, 0.5, 0.5, 0.25]


def test_in_mode_max_larger_is_better() -> None:
    assert plateau([1, 2, 3, 2, 1], mode="max") == [1, 1, 1, 1, 0.5]


def test_an_improvement_below_the_threshold_is_none() -> None:
    assert plateau([10, 9.5, 9.2], threshold=0.1) == [1, 1, 0.5]
    assert plateau([10, 9.5, 9.2], threshold=0.1, threshold_mode="abs") == [1, 1, 1]


def test_epochs_of_a_cooldown_are_not_looked_at() -> None:
    assert plateau([1] * 8, cooldown=2) == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_the_plateau_rate_stays_at_its_minimum() -> None:
    assert plateau([1] * 7, min_lr=0.4) == [1, 1, 0.5, 0.5, 0.4, 0.4, 0.4]


def test_a_change_of_the_rate_not_above_epsilon_is_not_made() -> None:
    assert plateau([1] * 7, epsilon=0.25) == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    "metrics",
    [
        2,
        2.0,
        np.float32(2),
        np.int64(2),
        np.array(2.0),
        np.array([[2.0]]),
        pytest.param(lambda: dg.to_tensor(2.0), id="0-d tensor"),
        pytest.param(lambda: dg.to_tensor([2.0]), id="tensor of one element"),
    ],
)
def test_a_metric_may_be_any_kind_of_one_number(metrics: Any) -> None:
    scheduler = lr.ReduceOnPlateau(1.0)
    scheduler.step(metrics() if callable(metrics) else metrics)
    assert scheduler.state_dict()["best"] == 2.0
    assert type(scheduler.best) is float


@pytest.mark.parametrize(
    ("metrics", "error"),
    [
        ("2", TypeError),
        (None, TypeError),
        ([2.0], TypeError),
        (1j, TypeError),
        (np.array([1.0, 2.0]), ValueError),
        (np.zeros(0), ValueError),
    ],
)
def test_a_metric_that_is_not_one_number_is_refused(metrics: Any, error: type[Exception]) -> None:
    scheduler = lr.ReduceOnPlateau(1.0)
    with pytest.raises(error, match=r"\[ReduceOnPlateau.step\] metrics is .*; expected one number"):
        scheduler.step(metrics)
    assert scheduler.last_epoch == 0


def test_a_plateau_scheduler_goes_on_after_loading_and_can_be_told_the_epoch() -> None:
    scheduler, twin = lr.ReduceOnPlateau(1.0, patience=2), lr.ReduceOnPlateau(1.0, patience=2)
    for loss in (1, 2, 2):
        scheduler.step(loss)
    twin.set_state_dict(json.loads(json.dumps(scheduler.state_dict())))
    twin.step(2, epoch=9)
    assert twin() == pytest.approx(0.1)
    assert twin.last_epoch == 9
    assert scheduler.state_dict() == {
        "cooldown_counter": 0,
        "best": 1.0,
        "num_bad_epochs": 2,
        "last_epoch": 3,
        "last_lr": 1.0,
    }


def test_a_plateau_scheduler_tells_when_it_changes_the_rate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plateau([1, 1, 1, 1], verbose=True)
    assert capsys.readouterr().out == "Epoch 3: ReduceOnPlateau set learning rate to 0.5.\n"
