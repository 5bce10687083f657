"""Learning-rate schedulers: fifty steps of each, compared with `schedulers.json`.

The numbers were written from Paddle.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dualgraph as dg

EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("schedulers.json").read_text())
LR = dg.optimizer.lr
STEPS = 50


def metric(step: int) -> float:
    """Falls, stays, falls again, rises: what a validation loss might do."""
    return 1.0 / (1 + step) if step < 8 else (0.125 if step < 30 else 0.1 + 0.01 * (step - 30))


Make = Callable[[], Any]

CASES: dict[str, Make] = {
    "NoamDecay": lambda: LR.NoamDecay(d_model=64, warmup_steps=10),
    "NoamDecay scaled": lambda: LR.NoamDecay(d_model=64, warmup_steps=10, learning_rate=0.5),
    "PiecewiseDecay": lambda: LR.PiecewiseDecay([3, 6, 20], [0.1, 0.05, 0.02, 0.01]),
    "NaturalExpDecay": lambda: LR.NaturalExpDecay(0.5, gamma=0.1),
    "InverseTimeDecay": lambda: LR.InverseTimeDecay(0.5, gamma=0.1),
    "PolynomialDecay": lambda: LR.PolynomialDecay(0.5, decay_steps=20),
    "PolynomialDecay power": lambda: LR.PolynomialDecay(0.5, 20, end_lr=0.01, power=2.0),
    "PolynomialDecay cycle": lambda: LR.PolynomialDecay(0.5, 20, power=0.5, cycle=True),
    "LinearWarmup": lambda: LR.LinearWarmup(0.5, warmup_steps=20, start_lr=0.0, end_lr=0.5),
    "LinearWarmup of a scheduler": lambda: LR.LinearWarmup(
        LR.StepDecay(0.5, 5, 0.5), warmup_steps=7, start_lr=0.05, end_lr=0.4
    ),
    "ExponentialDecay": lambda: LR.ExponentialDecay(0.5, gamma=0.9),
    "MultiStepDecay": lambda: LR.MultiStepDecay(0.5, milestones=[5, 12, 30]),
    "MultiStepDecay gamma": lambda: LR.MultiStepDecay(0.5, (5, 12), gamma=0.8),
    "StepDecay": lambda: LR.StepDecay(0.5, step_size=5),
    "StepDecay gamma": lambda: LR.StepDecay(0.5, step_size=7, gamma=0.8),
    "StepDecay from 5": lambda: LR.StepDecay(0.5, 5, last_epoch=5),
    "LambdaDecay": lambda: LR.LambdaDecay(0.5, lr_lambda=lambda epoch: 0.95**epoch),
    "CosineAnnealingDecay": lambda: LR.CosineAnnealingDecay(0.5, T_max=10),
    "CosineAnnealingDecay eta": lambda: LR.CosineAnnealingDecay(0.5, T_max=60, eta_min=0.1),
    "MultiplicativeDecay": lambda: LR.MultiplicativeDecay(0.5, lr_lambda=lambda epoch: 0.95),
    "OneCycleLR": lambda: LR.OneCycleLR(0.5, total_steps=50),
    "OneCycleLR linear": lambda: LR.OneCycleLR(0.5, total_steps=60, anneal_strategy="linear"),
    "OneCycleLR three": lambda: LR.OneCycleLR(
        0.5, 60, divide_factor=5.0, end_learning_rate=0.01, phase_pct=0.25, three_phase=True
    ),
    "CyclicLR": lambda: LR.CyclicLR(0.1, 0.5, step_size_up=6),
    "CyclicLR triangular2": lambda: LR.CyclicLR(0.1, 0.5, 6, step_size_down=3, mode="triangular2"),
    "CyclicLR exp_range": lambda: LR.CyclicLR(0.1, 0.5, 6, mode="exp_range", exp_gamma=0.97),
    "CyclicLR scale_fn": lambda: LR.CyclicLR(
        0.1, 0.5, 6, scale_fn=lambda x: 1 / (1 + x), scale_mode="iterations"
    ),
    "LinearLR": lambda: LR.LinearLR(0.5, total_steps=20),
    "LinearLR factors": lambda: LR.LinearLR(0.5, 20, start_factor=0.5, end_factor=0.1),
    "CosineAnnealingWarmRestarts": lambda: LR.CosineAnnealingWarmRestarts(0.5, T_0=8),
    "CosineAnnealingWarmRestarts growing": lambda: LR.CosineAnnealingWarmRestarts(
        0.5, T_0=5, T_mult=2, eta_min=0.05
    ),
    "ReduceOnPlateau": lambda: LR.ReduceOnPlateau(0.5, patience=3),
    "ReduceOnPlateau cooldown": lambda: LR.ReduceOnPlateau(
        0.5, factor=0.5, patience=2, cooldown=4, min_lr=0.02
    ),
    "ReduceOnPlateau max abs": lambda: LR.ReduceOnPlateau(
        0.5, mode="max", factor=0.7, patience=1, threshold=0.05, threshold_mode="abs"
    ),
}


def advance(scheduler: Any, step: int) -> None:
    if isinstance(scheduler, LR.ReduceOnPlateau):
        scheduler.step(metric(step))
    else:
        scheduler.step()


def run(name: str) -> list[float]:
    """The rate before the first step and after each of fifty."""
    scheduler = CASES[name]()
    rates = [scheduler()]
    for step in range(STEPS - (name == "OneCycleLR")):
        advance(scheduler, step)
        rates.append(scheduler())
    return rates


@pytest.mark.parametrize("name", CASES)
def test_fifty_steps(name: str) -> None:
    np.testing.assert_allclose(run(name), EXPECTED[name], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_last_lr_get_lr_and_the_call_agree(name: str) -> None:
    scheduler = CASES[name]()
    advance(scheduler, 0)
    assert scheduler.last_epoch == (7 if name == "StepDecay from 5" else 1)
    assert isinstance(scheduler.last_lr, float)
    assert scheduler() == scheduler.last_lr
    if not isinstance(scheduler, LR.ReduceOnPlateau):
        assert scheduler.state_dict()["last_lr"] == scheduler.last_lr


RESTARTS = pytest.mark.ours("Paddle forgets where in its period it was")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=RESTARTS) if "Restarts" in n else n for n in CASES]
)
def test_state_dict_round_trip(name: str) -> None:
    first = CASES[name]()
    for step in range(9):
        advance(first, step)
    state = first.state_dict()
    second = CASES[name]()
    second.set_state_dict(state)
    assert second() == first()
    for step in range(9, 30):
        advance(first, step)
        advance(second, step)
        assert second() == first()


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("StepDecay", ["last_epoch", "last_lr"]),
        ("NoamDecay", ["last_epoch", "last_lr"]),
        ("OneCycleLR", ["last_epoch", "last_lr"]),
        ("CyclicLR", ["last_epoch", "last_lr"]),
        ("LinearWarmup", ["last_epoch", "last_lr"]),
        ("LinearWarmup of a scheduler", ["last_epoch", "last_lr", "LinearWarmup_LR"]),
        ("LambdaDecay", ["last_epoch", "last_lr"]),
        (
            "ReduceOnPlateau",
            ["cooldown_counter", "best", "num_bad_epochs", "last_epoch", "last_lr"],
        ),
    ],
)
def test_state_dict_keys(name: str, keys: list[str]) -> None:
    scheduler = CASES[name]()
    advance(scheduler, 0)
    assert list(scheduler.state_dict()) == keys


def test_step_can_jump_to_an_epoch() -> None:
    scheduler = LR.StepDecay(0.1, 2)
    scheduler.step(7)
    assert scheduler.last_epoch == 7
    assert math.isclose(scheduler(), 1e-4)


def test_a_loaded_state_gives_its_rate_until_the_next_step() -> None:
    scheduler = LR.StepDecay(0.1, 2)
    scheduler.set_state_dict({"last_epoch": 4, "last_lr": 0.5})
    assert (scheduler(), scheduler.last_lr, scheduler.last_epoch) == (0.5, 0.5, 4)
    scheduler.step()
    assert math.isclose(scheduler(), 1e-3)
    with pytest.raises(RuntimeError):
        scheduler.set_state_dict({"last_epoch": 4})
    scheduler.set_dict({"last_epoch": 4, "last_lr": 0.5})
    assert scheduler() == 0.5


def test_users_write_their_own() -> None:
    class Growing(LR.LRScheduler):
        def get_lr(self) -> float:
            rate: float = self.base_lr * (self.last_epoch + 1)
            return rate

    scheduler = Growing(0.1)
    scheduler.step()
    assert (scheduler(), scheduler.base_lr) == (0.2, 0.1)
    with pytest.raises(NotImplementedError):
        LR.LRScheduler(0.1)


def test_verbose_prints_each_rate(capsys: pytest.CaptureFixture[str]) -> None:
    LR.StepDecay(0.1, 2, verbose=True).step()
    assert capsys.readouterr().out == (
        "Epoch 0: StepDecay set learning rate to 0.1.\n"
        "Epoch 1: StepDecay set learning rate to 0.1.\n"
    )


def test_reduce_on_plateau_takes_tensors_and_numbers() -> None:
    scheduler = LR.ReduceOnPlateau(0.5, patience=0)
    for value in (dg.to_tensor(1.0), np.float64(2.0), 3):
        scheduler.step(value)
    assert math.isclose(scheduler(), 0.005)
    with pytest.raises(TypeError):
        scheduler.step("a")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: LR.StepDecay("x", 2), TypeError),
        (lambda: LR.StepDecay(0.1, 2.5), TypeError),
        (lambda: LR.StepDecay(0.1, 2, 1.5), ValueError),
        (lambda: LR.MultiStepDecay(0.1, 3), TypeError),
        (lambda: LR.MultiStepDecay(0.1, [3, 2]), ValueError),
        (lambda: LR.MultiStepDecay(0.1, [2, 3], gamma=2.0), ValueError),
        (lambda: LR.PiecewiseDecay([1], [0.1]), ValueError),
        (lambda: LR.PiecewiseDecay([], [0.1]), ValueError),
        (lambda: LR.LambdaDecay(0.1, 3), TypeError),
        (lambda: LR.CosineAnnealingDecay(0.1, "a"), TypeError),
        (lambda: LR.LinearWarmup("a", 5, 0.0, 0.1), TypeError),
        (lambda: LR.ReduceOnPlateau(0.1, mode="x"), ValueError),
        (lambda: LR.ReduceOnPlateau(0.1, factor=1.5), ValueError),
        (lambda: LR.ReduceOnPlateau(0.1, threshold_mode="x"), ValueError),
        (lambda: LR.OneCycleLR(0.1, -5), ValueError),
        (lambda: LR.OneCycleLR(0.1, 10, phase_pct=2.0), ValueError),
        (lambda: LR.OneCycleLR(0.1, 10, anneal_strategy="x"), ValueError),
        (lambda: LR.CyclicLR(0.1, 0.5, 0), ValueError),
        (lambda: LR.CyclicLR(0.1, 0.5, 3, mode="x"), ValueError),
        (lambda: LR.LinearLR(0.1, 0), ValueError),
        (lambda: LR.LinearLR(0.1, 5, start_factor=2.0), ValueError),
        (lambda: LR.NoamDecay(0, 5), ValueError),
        (lambda: LR.CosineAnnealingWarmRestarts(0.1, 0), ValueError),
        (lambda: LR.CosineAnnealingWarmRestarts(0.1, 5, 0), ValueError),
    ],
)
def test_options_that_make_no_sense(make: Make, error: Any) -> None:
    with pytest.raises(error):
        make()


@pytest.mark.ours("Paddle raises AssertionError")
@pytest.mark.parametrize(
    "make",
    [
        lambda: LR.StepDecay(0.1, 0),
        lambda: LR.PolynomialDecay(0.1, 0),
        lambda: LR.CosineAnnealingDecay(0.1, 0),
        lambda: LR.LinearWarmup(0.1, 5, 0.2, 0.1),
        lambda: LR.ExponentialDecay(0.1, gamma=2.0),
        lambda: LR.ReduceOnPlateau(0.1).step(dg.to_tensor([1.0, 2.0])),
    ],
)
def test_bad_values_are_value_errors(make: Make) -> None:
    with pytest.raises(ValueError, match=r"."):
        make()
