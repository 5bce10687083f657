"""Learning-rate schedulers: what holds for all of them, then what each one promises."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgraph.optimizer import lr

# One of each, made anew. Those whose rate is a formula of the epoch alone:
FORMULAS: dict[str, Callable[..., lr.LRScheduler]] = {
    "noam": lambda **k: lr.NoamDecay(16, 10, **k),
    "piecewise": lambda **k: lr.PiecewiseDecay([3, 6, 9], [0.1, 0.6, 0.3, 0.1], **k),
    "natural": lambda **k: lr.NaturalExpDecay(0.5, 0.1, **k),
    "inverse": lambda **k: lr.InverseTimeDecay(0.5, 0.1, **k),
    "polynomial": lambda **k: lr.PolynomialDecay(0.5, 20, **k),
    "cyclic polynomial": lambda **k: lr.PolynomialDecay(0.5, 7, 0.1, 2.0, cycle=True, **k),
    "exponential": lambda **k: lr.ExponentialDecay(0.5, 0.9, **k),
    "multistep": lambda **k: lr.MultiStepDecay(0.5, [5, 10, 15], 0.5, **k),
    "step": lambda **k: lr.StepDecay(0.5, 5, **k),
    "lambda": lambda **k: lr.LambdaDecay(0.5, lambda epoch: 0.95**epoch, **k),
    "multiplicative": lambda **k: lr.MultiplicativeDecay(0.5, lambda epoch: 1 - 0.5 / epoch, **k),
    "warm-up": lambda **k: lr.LinearWarmup(0.5, 8, 0.0, 0.4, **k),
    "warm-up before steps": lambda **k: lr.LinearWarmup(lr.StepDecay(0.5, 5), 8, 0.0, 0.5, **k),
    "one cycle": lambda **k: lr.OneCycleLR(1.0, 80, **k),
    "one cycle, three phases": lambda **k: lr.OneCycleLR(
        1.0, 80, anneal_strategy="linear", three_phase=True, **k
    ),
    "triangles": lambda **k: lr.CyclicLR(0.1, 0.5, 4, 7, mode="triangular2", **k),
    "shrinking triangles": lambda **k: lr.CyclicLR(
        0.1, 0.5, 4, mode="exp_range", exp_gamma=0.9, **k
    ),
    "restarts": lambda **k: lr.CosineAnnealingWarmRestarts(0.5, 3, 2, 0.1, **k),
    "even restarts": lambda **k: lr.CosineAnnealingWarmRestarts(0.5, 5, **k),
}
# Those that go from one rate to the next:
CHAINS: dict[str, Callable[..., lr.LRScheduler]] = {
    "cosine": lambda **k: lr.CosineAnnealingDecay(0.5, 7, 0.1, **k),
    "linear": lambda **k: lr.LinearLR(0.5, 9, 0.25, 0.75, **k),
}
ALL = FORMULAS | CHAINS
each_formula = pytest.mark.parametrize("make", FORMULAS.values(), ids=FORMULAS.keys())
each = pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
steps = st.integers(0, 39)


def walk(scheduler: lr.LRScheduler, n: int) -> list[float]:
    """The present rate and those of the next n steps."""
    rates = [scheduler()]
    for _ in range(n):
        scheduler.step()
        rates.append(scheduler())
    return rates


@each
@given(before=steps, after=steps)
def test_a_saved_and_loaded_scheduler_goes_on_as_if_nothing_had_happened(
    make: Callable[..., lr.LRScheduler], before: int, after: int
) -> None:
    scheduler, twin = make(), make()
    walk(scheduler, before)
    twin.set_state_dict(json.loads(json.dumps(scheduler.state_dict())))
    assert walk(twin, after) == walk(scheduler, after)


@each_formula
@given(epoch=steps, detour=st.lists(steps, max_size=4))
def test_where_a_scheduler_was_before_a_jump_does_not_matter(
    make: Callable[..., lr.LRScheduler], epoch: int, detour: list[int]
) -> None:
    jumped = make()
    for other in detour:
        jumped.step(other)
    jumped.step(epoch)
    assert jumped() == pytest.approx(walk(make(), epoch)[-1], rel=1e-12)
    assert jumped.last_epoch == epoch


@each_formula
@given(epoch=steps)
def test_a_scheduler_can_be_made_in_the_middle(
    make: Callable[..., lr.LRScheduler], epoch: int
) -> None:
    assert make(last_epoch=epoch - 1)() == pytest.approx(walk(make(), epoch)[-1], rel=1e-12)


@each
def test_rates_are_plain_floats_and_never_negative(make: Callable[..., lr.LRScheduler]) -> None:
    for rate in walk(make(), 60):
        assert type(rate) is float
        assert rate >= 0


@each
def test_the_state_is_the_epoch_and_the_rate(make: Callable[..., lr.LRScheduler]) -> None:
    scheduler = make()
    scheduler.step()
    state = scheduler.state_dict()
    assert state.pop("LinearWarmup_LR", {"last_epoch": 0}).keys() >= {"last_epoch"}
    assert state == {"last_epoch": 1, "last_lr": scheduler()}


@each
def test_a_state_may_come_as_arrays(make: Callable[..., lr.LRScheduler]) -> None:
    def arrays(state: dict[str, Any]) -> dict[str, Any]:
        return {k: arrays(v) if isinstance(v, dict) else np.array(v) for k, v in state.items()}

    scheduler, twin = make(), make()
    walk(scheduler, 5)
    twin.set_dict(arrays(scheduler.state_dict()))
    assert type(twin.last_epoch) is int
    assert walk(twin, 5) == walk(scheduler, 5)


@each
def test_a_state_with_a_key_missing_is_refused_and_changes_nothing(
    make: Callable[..., lr.LRScheduler],
) -> None:
    scheduler = make()
    walk(scheduler, 3)
    before = scheduler.state_dict()
    with pytest.raises(RuntimeError, match=r"set_state_dict\] .*'last_lr'.* are missing"):
        scheduler.set_state_dict({"last_epoch": 1})
    assert scheduler.state_dict() == before


def test_a_state_with_a_key_too_many_is_loaded_with_a_warning() -> None:
    scheduler = lr.StepDecay(0.5, 3)
    with pytest.warns(UserWarning, match=r"\['spare'\] are not used"):
        scheduler.set_state_dict({"last_epoch": 4, "last_lr": 0.25, "spare": 1})
    assert (scheduler.last_epoch, scheduler()) == (4, 0.25)


def test_a_rate_that_was_set_by_hand_lasts_until_the_next_step_of_a_formula() -> None:
    scheduler = lr.StepDecay(0.5, 5)
    scheduler.last_lr = 0.1
    assert scheduler() == 0.1
    assert walk(scheduler, 1)[1] == 0.5


def test_a_rate_that_was_set_by_hand_is_where_cosine_annealing_goes_on() -> None:
    scheduler, twin = lr.CosineAnnealingDecay(1.0, 10), lr.CosineAnnealingDecay(0.5, 10)
    walk(scheduler, 3)
    walk(twin, 3)
    scheduler.last_lr = twin.last_lr
    assert walk(scheduler, 4) == pytest.approx(walk(twin, 4))


@pytest.mark.parametrize("epoch", [np.int64(4), np.array(4), 4])
def test_an_epoch_may_be_any_kind_of_whole_number(epoch: Any) -> None:
    scheduler = lr.ExponentialDecay(0.5, 0.5)
    scheduler.step(epoch)
    assert scheduler() == 0.5**5
    assert type(scheduler.last_epoch) is int


def test_an_epoch_that_is_no_number_is_refused() -> None:
    scheduler = lr.StepDecay(0.5, 3)
    with pytest.raises(TypeError, match=r"\[StepDecay.step\] epoch is str 'one'; expected an int"):
        scheduler.step("one")  # type: ignore[arg-type]
    assert scheduler.last_epoch == 0


def test_a_step_that_fails_leaves_the_scheduler_where_it_was() -> None:
    def refuse(epoch: int) -> float:
        return 1 / (2 - epoch)

    scheduler = lr.LambdaDecay(0.5, refuse)
    scheduler.step()
    for epoch in (None, 2):
        with pytest.raises(ZeroDivisionError):
            scheduler.step(epoch)
        assert (scheduler.last_epoch, scheduler()) == (1, 0.5)


def test_verbose_tells_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    lr.StepDecay(0.5, 1, verbose=True).step()
    assert capsys.readouterr().out == (
        "Epoch 0: StepDecay set learning rate to 0.5.\n"
        "Epoch 1: StepDecay set learning rate to 0.05.\n"
    )


def test_a_scheduler_of_ones_own_writes_get_lr_and_may_save_more() -> None:
    class Random(lr.LRScheduler):
        def __init__(self) -> None:
            self.seed = 3
            super().__init__(0.5)

        def get_lr(self) -> float:
            self.seed = self.seed * 5 % 17
            return self.base_lr * self.seed

        def state_keys(self) -> None:
            self.keys = ["last_epoch", "last_lr", "seed"]

    scheduler, twin = Random(), Random()
    walk(scheduler, 5)
    twin.set_state_dict(scheduler.state_dict())
    assert walk(twin, 5) == walk(scheduler, 5)


def test_the_base_alone_has_no_rates() -> None:
    with pytest.raises(NotImplementedError, match=r"get_lr\(\) is not written"):
        lr.LRScheduler()


def test_noam_rises_to_its_peak_at_the_end_of_the_warm_up() -> None:
    rates = walk(lr.NoamDecay(64, 20), 60)
    assert rates[0] == 0
    assert max(rates) == rates[20] == pytest.approx(64**-0.5 * 20**-0.5)
    assert rates[10] == pytest.approx(rates[20] / 2)
    assert rates[60] == pytest.approx(64**-0.5 * 60**-0.5)


def test_a_value_of_piecewise_decay_begins_at_its_boundary() -> None:
    assert walk(lr.PiecewiseDecay([2, 4], [3, 2, 1]), 5) == [3, 3, 2, 2, 1, 1]


def test_the_rate_falls_at_each_milestone_and_every_few_steps() -> None:
    assert walk(lr.MultiStepDecay(8.0, [2, 3], 0.5), 4) == [8, 8, 4, 2, 2]
    assert walk(lr.StepDecay(8.0, 2, 0.5), 4) == [8, 8, 4, 4, 2]


def test_cyclic_polynomial_decay_reaches_the_end_after_every_cycle() -> None:
    rates = walk(lr.PolynomialDecay(1.0, 5, 0.1, power=1.0, cycle=True), 15)
    assert [rates[5], rates[10], rates[15]] == [0.1, 0.1, 0.1]
    assert rates[6] == pytest.approx(0.1 + 0.9 * (1 - 6 / 10))


def test_multiplicative_decay_asks_for_one_factor_a_step() -> None:
    asked = []

    def factor(epoch: int) -> float:
        asked.append(epoch)
        return 1 / (epoch + 1)

    scheduler = lr.MultiplicativeDecay(1.0, factor)
    assert walk(scheduler, 4)[-1] == pytest.approx(1 / math.factorial(5))
    assert asked == [1, 2, 3, 4]
    scheduler.step(2)
    assert scheduler() == pytest.approx(1 / math.factorial(3))
    assert asked == [1, 2, 3, 4, 1, 2]


def test_multiplicative_decay_heeds_another_base_and_another_factor() -> None:
    scheduler = lr.MultiplicativeDecay(1.0, lambda epoch: 0.5)
    walk(scheduler, 2)
    scheduler.base_lr = 8.0
    scheduler.step()
    assert scheduler() == 1.0
    scheduler.lr_lambda = lambda epoch: 1.0
    scheduler.step()
    assert scheduler() == 8.0


@given(
    t_max=st.integers(1, 30),
    eta_min=st.floats(0, 0.4),
    n=st.integers(0, 60),
)
def test_cosine_annealing_step_by_step_is_the_closed_form(
    t_max: int, eta_min: float, n: int
) -> None:
    rate = walk(lr.CosineAnnealingDecay(0.5, t_max, eta_min), n)[-1]
    wave = (1 + math.cos(math.pi * n / t_max)) / 2
    assert rate == pytest.approx(eta_min + (0.5 - eta_min) * wave, abs=1e-10)


@given(t_0=st.integers(1, 6), t_mult=st.integers(1, 4), n=st.integers(0, 250))
def test_warm_restarts_are_at_the_top_where_a_cycle_begins_and_nowhere_else(
    t_0: int, t_mult: int, n: int
) -> None:
    starts, begin, length = set(), 0, t_0
    while begin <= 250:
        starts.add(begin)
        begin, length = begin + length, length * t_mult
    scheduler = lr.CosineAnnealingWarmRestarts(0.5, t_0, t_mult)
    scheduler.step(n)
    assert (scheduler() == 0.5) == (n in starts)


def test_warm_restarts_take_fractions_of_an_epoch_and_keep_them() -> None:
    scheduler = lr.CosineAnnealingWarmRestarts(1.0, 4)
    scheduler.step(2.5)
    assert scheduler() == pytest.approx((1 + math.cos(math.pi * 2.5 / 4)) / 2)
    assert scheduler.last_epoch == 2
    scheduler.step()
    assert scheduler() == pytest.approx((1 + math.cos(math.pi * 3.5 / 4)) / 2)
    scheduler.step()
    assert scheduler() == pytest.approx((1 + math.cos(math.pi * 0.5 / 4)) / 2)


def test_warm_restarts_go_on_from_the_whole_epoch_that_was_saved() -> None:
    scheduler, twin = (lr.CosineAnnealingWarmRestarts(1.0, 4, 2) for _ in range(2))
    scheduler.step(7)
    twin.step(2.5)
    twin.set_state_dict(scheduler.state_dict())
    assert (twin.T_cur, twin.T_i) == (3, 8)
    assert walk(twin, 9) == walk(scheduler, 9)


@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize("anneal_strategy", ["cos", "linear"])
def test_one_cycle_goes_through_its_corners(anneal_strategy: Any, three_phase: bool) -> None:
    scheduler = lr.OneCycleLR(
        1.0, 40, 10.0, 0.01, 0.25, anneal_strategy=anneal_strategy, three_phase=three_phase
    )
    rates = walk(scheduler, 39)
    corners = {0: 0.1, 9: 1.0, 39: 0.01} | ({18: 0.1} if three_phase else {})
    assert {step: rates[step] for step in corners} == pytest.approx(corners)
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:] == sorted(rates[9:], reverse=True)


def test_one_cycle_does_not_go_beyond_its_steps() -> None:
    scheduler = lr.OneCycleLR(1.0, 5)
    walk(scheduler, 5)
    state = scheduler.state_dict()
    with pytest.raises(ValueError, match=r"this is step 6; expected 5; make it with more"):
        scheduler.step()
    assert scheduler.state_dict() == state


@given(up=st.integers(1, 9), down=st.integers(1, 9), n=st.integers(0, 80))
def test_triangles_repeat_with_their_period_between_their_bounds(
    up: int, down: int, n: int
) -> None:
    rates = walk(lr.CyclicLR(0.1, 0.5, up, down), n + up + down)
    assert rates[n] == pytest.approx(rates[n + up + down])
    assert rates[up] == pytest.approx(0.5)
    assert all(0.1 <= rate <= 0.5 + 1e-12 for rate in rates)


def test_the_modes_of_triangles_keep_halve_or_shrink_their_height() -> None:
    halved = walk(lr.CyclicLR(0.0, 1.0, 2, mode="triangular2"), 10)
    assert [halved[peak] for peak in (2, 6, 10)] == [1.0, 0.5, 0.25]
    shrunk = walk(lr.CyclicLR(0.0, 1.0, 2, mode="exp_range", exp_gamma=0.9), 10)
    assert [shrunk[peak] for peak in (2, 6, 10)] == pytest.approx([0.9**2, 0.9**6, 0.9**10])


def test_a_scale_function_gets_the_cycle_or_the_epoch() -> None:
    seen: dict[str, list[float]] = {"cycle": [], "iterations": []}
    for mode in ("cycle", "iterations"):

        def scale(x: float, mode: str = mode) -> float:
            seen[mode].append(x)
            return 1.0

        walk(lr.CyclicLR(0.1, 0.5, 1, scale_fn=scale, scale_mode=mode), 3)
    assert seen == {"cycle": [1, 1, 2, 2], "iterations": [0, 1, 2, 3]}


def test_a_warm_up_hands_over_to_the_scheduler_after_it() -> None:
    inner = lr.ExponentialDecay(0.8, 0.5)
    scheduler = lr.LinearWarmup(inner, 4, 0.0, 0.8)
    assert walk(scheduler, 6) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 0.4, 0.2])
    assert inner.last_epoch == 2


def test_a_warm_up_ends_with_the_rate_it_leads_to() -> None:
    assert walk(lr.LinearWarmup(0.1, 2, 0.0, 0.8), 3) == [0.0, 0.4, 0.1, 0.1]


def test_a_warm_up_saves_and_loads_the_scheduler_after_it() -> None:
    scheduler = lr.LinearWarmup(lr.ExponentialDecay(0.8, 0.5), 4, 0.0, 0.8)
    walk(scheduler, 6)
    twin = lr.LinearWarmup(inner := lr.ExponentialDecay(0.8, 0.5), 4, 0.0, 0.8)
    twin.set_dict(scheduler.state_dict())
    assert inner.last_epoch == 2
    bare = {key: value for key, value in scheduler.state_dict().items() if key.startswith("last")}
    with pytest.raises(RuntimeError, match="LinearWarmup_LR"):
        twin.set_state_dict(bare)
    with pytest.raises(RuntimeError, match=r"LinearWarmup_LR\.last_lr"):
        twin.set_state_dict({**bare, "LinearWarmup_LR": {"last_epoch": 7}})
    assert inner.last_epoch == 2
    with pytest.warns(UserWarning, match="LinearWarmup_LR"):
        lr.LinearWarmup(0.8, 4, 0.0, 0.8).set_state_dict(scheduler.state_dict())


def test_linear_lr_keeps_the_last_rate_when_it_has_arrived() -> None:
    rates = walk(lr.LinearLR(1.0, 4, 0.2, 1.0), 6)
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0])
