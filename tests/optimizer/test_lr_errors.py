"""What the schedulers refuse, and what they say about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dualgraph.optimizer import lr


@pytest.mark.parametrize(
    ("rate", "error"),
    [("0.1", TypeError), (None, TypeError), (np.float32(0.1), TypeError), (-0.1, ValueError)],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda rate: lr.StepDecay(rate, 3),
        lambda rate: lr.NoamDecay(16, 10, rate),
        lambda rate: lr.CosineAnnealingDecay(rate, 3),
        lr.ReduceOnPlateau,
        lambda rate: lr.LinearWarmup(rate, 3, 0.0, 0.1),
        lambda rate: lr.OneCycleLR(rate, 3),
        lambda rate: lr.CyclicLR(rate, 0.5, 3),
        lambda rate: lr.CyclicLR(0.1, rate, 3),
    ],
)
def test_a_rate_is_an_int_or_float_and_not_negative(
    make: Callable[[Any], lr.LRScheduler], rate: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"rate is .*; expected"):
        make(rate)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: lr.NoamDecay(0, 10), ValueError, "d_model is 0; expected 1 or more"),
        (lambda: lr.NoamDecay(16, 0), ValueError, "warmup_steps is 0"),
        (lambda: lr.NoamDecay(16, 9).step(-1), ValueError, "the epoch is -1"),
        (lambda: lr.PiecewiseDecay([], [1.0]), ValueError, "boundaries are empty"),
        (lambda: lr.PiecewiseDecay([3, 6], [1.0, 2.0]), ValueError, "2 boundaries and 2 values"),
        (lambda: lr.PiecewiseDecay([3], ["a", "b"]), TypeError, "a value is str 'a'"),
        (lambda: lr.NaturalExpDecay(0.5, 0.0), ValueError, "gamma is 0.0; expected above 0"),
        (lambda: lr.PolynomialDecay(0.5, 2.0), TypeError, "decay_steps is float 2.0"),
        (lambda: lr.PolynomialDecay(0.5, 0), ValueError, "decay_steps is 0"),
        (lambda: lr.PolynomialDecay(0.5, 2, power=0), ValueError, "power is 0"),
        (lambda: lr.ExponentialDecay(0.5, 1.0), ValueError, "gamma is 1.0; expected between 0"),
        (lambda: lr.MultiStepDecay(0.5, 5), TypeError, "milestones is int 5"),
        (lambda: lr.MultiStepDecay(0.5, [5, 5]), ValueError, "expected rising epochs"),
        (lambda: lr.MultiStepDecay(0.5, [5], 1.0), ValueError, "gamma is 1.0"),
        (lambda: lr.StepDecay(0.5, 2.0), TypeError, "step_size is float 2.0; expected an int"),
        (lambda: lr.StepDecay(0.5, -1), ValueError, "step_size is -1"),
        (lambda: lr.StepDecay(0.5, 1, 1.0), ValueError, "gamma is 1.0; expected below 1"),
        (lambda: lr.LambdaDecay(0.5, 0.9), TypeError, "lr_lambda is float 0.9; expected a func"),
        (lambda: lr.MultiplicativeDecay(0.5, 0.9), TypeError, "lr_lambda is float 0.9"),
        (lambda: lr.CosineAnnealingDecay(0.5, 2.0), TypeError, "T_max is float 2.0"),
        (lambda: lr.CosineAnnealingDecay(0.5, 0), ValueError, "T_max is 0"),
        (lambda: lr.CosineAnnealingDecay(0.5, 2, "a"), TypeError, "eta_min is str 'a'"),
        (lambda: lr.CosineAnnealingWarmRestarts(0.5, 2.0), ValueError, "T_0 is float 2.0"),
        (lambda: lr.CosineAnnealingWarmRestarts(0.5, 2, 0), ValueError, "T_mult is int 0"),
        (lambda: lr.CosineAnnealingWarmRestarts(0.5, 2).step(-1), ValueError, "epoch is -1"),
        (lambda: lr.OneCycleLR(1.0, 3.0), TypeError, "total_steps is float 3.0"),
        (lambda: lr.OneCycleLR(1.0, 0), ValueError, "total_steps is 0"),
        (lambda: lr.OneCycleLR(1.0, 3, 0), ValueError, "divide_factor is 0; expected above 0"),
        (lambda: lr.OneCycleLR(1.0, 3, phase_pct=1), TypeError, "phase_pct is int 1"),
        (lambda: lr.OneCycleLR(1.0, 3, phase_pct=1.5), ValueError, "phase_pct is float 1.5"),
        (lambda: lr.OneCycleLR(1.0, 3, phase_pct=0.5, three_phase=True), ValueError, "below 0.5"),
        (lambda: lr.OneCycleLR(1.0, 3, anneal_strategy="x"), ValueError, "anneal_strategy is 'x'"),
        (lambda: lr.CyclicLR(0.1, 0.5, 4.0), TypeError, "step_size_up is float 4.0"),
        (lambda: lr.CyclicLR(0.1, 0.5, 4, 0), ValueError, "step_size_down is 0"),
        (lambda: lr.CyclicLR(0.1, 0.5, 4, exp_gamma=1), TypeError, "exp_gamma is int 1"),
        (lambda: lr.CyclicLR(0.1, 0.5, 4, mode="x"), ValueError, "mode is 'x'"),
        (lambda: lr.CyclicLR(0.1, 0.5, 4, scale_mode="x"), ValueError, "scale_mode is 'x'"),
        (lambda: lr.CyclicLR(0.1, 0.5, 4, scale_fn=3), TypeError, "scale_fn is 3"),
        (lambda: lr.LinearWarmup(0.5, 2.0, 0.0, 0.5), TypeError, "warmup_steps is float 2.0"),
        (lambda: lr.LinearWarmup(0.5, 0, 0.0, 0.5), ValueError, "warmup_steps is 0"),
        (lambda: lr.LinearWarmup(0.5, 2, 0.5, 0.5), ValueError, "start_lr is 0.5, end_lr is 0.5"),
        (lambda: lr.LinearLR(0.5, 0), ValueError, "total_steps is 0"),
        (lambda: lr.LinearLR(0.5, 3, 0.0), ValueError, "start_factor is 0.0"),
        (lambda: lr.LinearLR(0.5, 3, 0.5, 1.1), ValueError, "end_factor is 1.1"),
        (lambda: lr.ReduceOnPlateau(0.5, "median"), ValueError, "mode is 'median'"),
        (lambda: lr.ReduceOnPlateau(0.5, threshold_mode="x"), ValueError, "threshold_mode is 'x'"),
        (lambda: lr.ReduceOnPlateau(0.5, factor=1.0), ValueError, "factor is 1.0"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_with_a_reason(
    make: Callable[[], Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as caught:
        make()
    assert text in str(caught.value)
