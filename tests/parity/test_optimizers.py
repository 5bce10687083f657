"""Optimizers on a fixed problem: twenty steps of each, compared with `optimizers.json`.

The numbers were written from Paddle.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from dualgraph.nn import ClipGradByGlobalNorm, ClipGradByNorm, ClipGradByValue
from dualgraph.regularizer import L1Decay, L2Decay

EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("optimizers.json").read_text())
OPT = dg.optimizer

# ---- the problem: tanh(x w + b) v against y, mean squared error; formulas, no random numbers -----

INPUT = np.sin(np.arange(24, dtype="float64")).reshape(6, 4).astype("float32")
GOAL = np.cos(np.arange(18, dtype="float64") * 0.7).reshape(6, 3).astype("float32")
START_W = (np.cos(np.arange(12, dtype="float64") * 1.3) * 0.8).reshape(4, 3).astype("float32")
START_B = np.array([0.3, -0.2, 0.1], "float32")


def parameter(name: str, value: Any) -> Any:
    """A parameter; without a name it keeps the one it is born with."""
    initial = dg.nn.initializer.Assign(value)
    p = dg.create_parameter(list(value.shape), "float32", default_initializer=initial)
    p.name = name or p.name
    return p


def loss_of(w: Any, b: Any) -> Any:
    out = dg.tanh(dg.matmul(dg.to_tensor(INPUT), w) + b)
    return ((out - dg.to_tensor(GOAL)) ** 2).sum()


Make = Callable[[Any, Any], Any]


def simple(kind: str, **options: Any) -> Make:
    """An optimizer over both parameters in one list."""
    return lambda w, b: getattr(OPT, kind)(parameters=[w, b], **options)


BASE: dict[str, dict[str, Any]] = {
    "SGD": {"learning_rate": 0.05},
    "Momentum": {"learning_rate": 0.02},
    "Adam": {"learning_rate": 0.05},
    "AdamW": {"learning_rate": 0.05},
    "RMSProp": {"learning_rate": 0.001},
    "Adagrad": {"learning_rate": 0.01},
    "Adadelta": {"learning_rate": 1.0},
    "Adamax": {"learning_rate": 0.05},
    "NAdam": {"learning_rate": 0.002},
    "RAdam": {"learning_rate": 0.05},
}
DECAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "float decay": {"weight_decay": 0.1},
    "L2Decay": {"weight_decay": L2Decay(0.1)},
    "L1Decay": {"weight_decay": L1Decay(0.05)},
    "global norm": {"grad_clip": ClipGradByGlobalNorm(1.0)},
    "norm": {"grad_clip": ClipGradByNorm(0.5)},
    "value": {"grad_clip": ClipGradByValue(0.3)},
    "value range": {"grad_clip": ClipGradByValue(min=-0.1, max=0.4)},
    "decay and clip": {"weight_decay": 0.1, "grad_clip": ClipGradByGlobalNorm(1.0)},
}
CASES: dict[str, Make] = {
    f"{kind} {decay}": simple(kind, **options, **more)
    for kind, options in BASE.items()
    for decay, more in DECAYS.items()
    if not (kind == "AdamW" and decay in ("L2Decay", "L1Decay"))  # AdamW takes a float only
    and not (kind == "NAdam" and decay in ("L2Decay", "L1Decay"))
}
CASES |= {
    "Momentum nesterov": simple("Momentum", learning_rate=0.02, use_nesterov=True),
    "Momentum nesterov decay": simple(
        "Momentum", learning_rate=0.02, use_nesterov=True, weight_decay=0.1
    ),
    "Momentum 0.5": simple("Momentum", learning_rate=0.05, momentum=0.5),
    "Adam betas": simple("Adam", learning_rate=0.05, beta1=0.5, beta2=0.9, epsilon=1e-3),
    "Adam amsgrad": simple("Adam", learning_rate=0.2, beta2=0.5, amsgrad=True),
    "AdamW no decay": simple("AdamW", learning_rate=0.05, weight_decay=0.0),
    "AdamW strong decay": simple("AdamW", learning_rate=0.05, weight_decay=0.5),
    "AdamW chosen decay": simple(
        "AdamW", learning_rate=0.05, weight_decay=0.5, apply_decay_param_fun=lambda n: n == "w"
    ),
    "AdamW betas": simple("AdamW", learning_rate=0.05, beta1=0.5, beta2=0.9, epsilon=1e-3),
    "RMSProp momentum": simple("RMSProp", learning_rate=0.01, momentum=0.9),
    "RMSProp centered": simple("RMSProp", learning_rate=0.01, centered=True),
    "RMSProp all": simple(
        "RMSProp", learning_rate=0.01, rho=0.8, epsilon=1e-3, momentum=0.5, centered=True
    ),
    "Adagrad started": simple("Adagrad", learning_rate=0.1, initial_accumulator_value=0.5),
    "Lamb": simple("Lamb", learning_rate=0.05),
    "Lamb strong decay": simple("Lamb", learning_rate=0.05, lamb_weight_decay=0.5),
    "Rprop": simple("Rprop", learning_rate=0.01),
    "SGD groups": lambda w, b: OPT.SGD(
        0.05, parameters=[{"params": [w]}, {"params": [b], "learning_rate": 0.1}]
    ),
    "SGD group decay": lambda w, b: OPT.SGD(
        0.05,
        weight_decay=0.3,
        parameters=[{"params": [w], "weight_decay": 0.01}, {"params": [b]}],
    ),
    "Momentum groups": lambda w, b: OPT.Momentum(
        0.02,
        parameters=[
            {"params": [w], "weight_decay": 0.1},
            {"params": [b], "learning_rate": 0.5, "momentum": 0.5},
        ],
    ),
    "Adam groups": lambda w, b: OPT.Adam(
        0.05,
        parameters=[{"params": [w]}, {"params": [b], "learning_rate": 0.5, "beta1": 0.5}],
        weight_decay=0.01,
    ),
    "AdamW groups": lambda w, b: OPT.AdamW(
        0.05,
        parameters=[
            {"params": [w], "weight_decay": 0.2},
            {"params": [b], "learning_rate": 0.5, "weight_decay": 0.0},
        ],
    ),
    "Adam groups clip": lambda w, b: OPT.Adam(
        0.05,
        parameters=[{"params": [w]}, {"params": [b], "grad_clip": ClipGradByNorm(0.1)}],
        grad_clip=ClipGradByGlobalNorm(1.0),
    ),
}


def run(name: str, steps: int = 20) -> dict[str, Any]:
    """Both parameters after some steps of the optimizer called `name`."""
    w, b = parameter("w", START_W), parameter("b", START_B)
    opt = CASES[name](w, b)
    for _ in range(steps):
        loss_of(w, b).backward()
        opt.step()
        opt.clear_grad()
    return {"w": w.numpy().ravel(), "b": b.numpy()}


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps(name: str) -> None:
    found = run(name)
    for key, expected in EXPECTED[name].items():
        np.testing.assert_allclose(found[key], expected, rtol=2e-5, atol=2e-6)


@pytest.mark.ours("Paddle has no lr_ratio on the CPU")
def test_lr_ratio_scales_the_rate_of_a_parameter_as_a_group_would() -> None:
    found = []
    for ratio in (True, False):
        w, b = parameter("w", START_W), parameter("b", START_B)
        if ratio:
            opt = OPT.AdamW(
                0.05, parameters=[w, b], lr_ratio=lambda p: 0.1 if p.name == "w" else 1.0
            )
        else:
            opt = OPT.AdamW(
                0.05, parameters=[{"params": [w], "learning_rate": 0.1}, {"params": [b]}]
            )
        for _ in range(5):
            loss_of(w, b).backward()
            opt.step()
            opt.clear_grad()
        found.append(np.concatenate([w.numpy().ravel(), b.numpy()]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


@pytest.mark.ours("Paddle cannot load a state into a second optimizer of the same process")
@pytest.mark.parametrize("kind", ["Momentum", "Adam", "AdamW", "RMSProp", "Adagrad"])
def test_stopping_and_resuming_changes_nothing(kind: str) -> None:
    name = f"{kind} plain"
    w, b = parameter("w", START_W), parameter("b", START_B)
    opt = CASES[name](w, b)
    for step in range(20):
        if step == 7:
            state, values = opt.state_dict(), [w.numpy(), b.numpy()]
            w, b = parameter("w", values[0]), parameter("b", values[1])
            opt = CASES[name](w, b)
            opt.set_state_dict(state)
        loss_of(w, b).backward()
        opt.step()
        opt.clear_grad()
    np.testing.assert_allclose(w.numpy().ravel(), EXPECTED[name]["w"], rtol=2e-5, atol=2e-6)


def test_a_scheduler_is_stepped_by_the_user() -> None:
    a = parameter("a", np.ones(1, "float32"))
    scheduler = OPT.lr.StepDecay(0.1, 1, 0.5)
    opt = OPT.SGD(scheduler, parameters=[a])
    seen = []
    for _ in range(3):
        a.sum().backward()
        opt.step()
        opt.clear_grad()
        seen.append((opt.get_lr(), a.item()))
        scheduler.step()
    np.testing.assert_allclose(seen, [(0.1, 0.9), (0.05, 0.85), (0.025, 0.825)], rtol=1e-6)


# ---- state dicts ---------------------------------------------------------------------------------

STATES = {
    "SGD": [],
    "Momentum": ["velocity"],
    "Adam": ["moment1", "moment2", "beta1_pow_acc", "beta2_pow_acc"],
    "AdamW": ["moment1", "moment2", "beta1_pow_acc", "beta2_pow_acc"],
    "RMSProp": ["momentum", "mean_square", "mean_grad"],
    "Adagrad": ["moment"],
    "Adadelta": ["_avg_squared_grad", "_avg_squared_update"],
    "Adamax": ["moment", "inf_norm", "beta1_pow_acc"],
    "NAdam": ["momentum_decay_pow", "beta2_pow", "mu_product", "moment1", "moment2"],
    "RAdam": ["beta1_pow", "beta2_pow", "rho", "moment1", "moment2"],
}


@pytest.mark.parametrize("kind", STATES)
def test_state_dict_keys_are_parameter_state_and_a_count_of_such_names(kind: str) -> None:
    w, b = parameter("", START_W), parameter("", START_B)
    opt = CASES[f"{kind} plain"](w, b)
    assert opt.state_dict() == {}
    loss_of(w, b).backward()
    opt.step()
    keys = [f"{p.name}_{state}_0" for state in STATES[kind] for p in (w, b)]
    assert list(opt.state_dict()) == keys


def test_state_dict_holds_the_scheduler() -> None:
    opt = OPT.SGD(OPT.lr.StepDecay(0.1, 2), parameters=[parameter("w", START_W)])
    assert opt.state_dict() == {"LR_Scheduler": {"last_epoch": 0, "last_lr": 0.1}}


def test_adam_stores_the_powers_of_the_next_step() -> None:
    w, b = parameter("", START_W), parameter("", START_B)
    opt = OPT.Adam(0.1, parameters=[w, b])
    loss_of(w, b).backward()
    opt.step()
    state = opt.state_dict()
    powers = [state[f"{w.name}_beta{n}_pow_acc_0"] for n in (1, 2)]
    assert (powers[0].shape, state[f"{w.name}_moment1_0"].shape) == ([1], [4, 3])
    np.testing.assert_allclose([p.item() for p in powers], [0.81, 0.998001], rtol=1e-6)


# ---- gradients between steps ---------------------------------------------------------------------


def test_clear_grad_leaves_zeros_or_none() -> None:
    w, b = parameter("w", START_W), parameter("b", START_B)
    opt = OPT.SGD(0.1, parameters=[w, b])
    loss_of(w, b).backward()
    opt.clear_grad()
    assert b.grad.tolist() == [0.0, 0.0, 0.0]
    opt.clear_grad(set_to_zero=False)
    assert b.grad is None
    opt.clear_gradients()
    assert b.grad is None


@pytest.mark.parametrize(("kind", "moved"), [("SGD", 0.0), ("Momentum", 0.18), ("Adam", 0.0670056)])
def test_zero_gradients_still_move_parameters_under_momentum(kind: str, moved: float) -> None:
    a = parameter("a", np.array([1.0, 2.0], "float32"))
    opt = getattr(OPT, kind)(learning_rate=0.1, parameters=[a])
    (a.sum() * 2).backward()
    opt.step()
    before = a.numpy()
    opt.clear_grad()
    opt.step()
    np.testing.assert_allclose(before - a.numpy(), [moved, moved], atol=2e-6)
    before = a.numpy()
    opt.clear_grad(set_to_zero=False)
    opt.step()
    assert (a.numpy() == before).all()


def test_clipping_overwrites_the_gradient() -> None:
    a = parameter("a", np.array([1.0, 2.0], "float32"))
    opt = OPT.SGD(0.1, parameters=[a], grad_clip=ClipGradByGlobalNorm(1.0))
    (a * 3).sum().backward()
    opt.step()
    np.testing.assert_allclose(a.grad.numpy(), [0.70710683, 0.70710683], rtol=1e-6)


def test_minimize_steps_but_does_not_run_backward() -> None:
    a = parameter("a", np.ones(1, "float32"))
    opt = OPT.SGD(0.1, parameters=[a])
    loss = (a * 3).sum()
    opt.minimize(loss)
    assert (a.tolist(), a.grad) == ([1.0], None)
    loss.backward()
    opt.minimize(loss)
    np.testing.assert_allclose(a.numpy(), [0.7], rtol=1e-6)


def test_parameters_that_stop_gradients_stay() -> None:
    a = parameter("a", np.ones(1, "float32"))
    a.stop_gradient = True
    OPT.SGD(0.1, parameters=[a]).step()
    assert a.tolist() == [1.0]


def test_a_parameters_own_attributes_win() -> None:
    """learning_rate multiplies, the regularizer replaces the optimizer's weight_decay."""
    attr = dg.ParamAttr(
        learning_rate=0.5, regularizer=L2Decay(0.1), initializer=dg.nn.initializer.Constant(2.0)
    )
    layer = dg.nn.Linear(2, 1, weight_attr=attr, bias_attr=dg.ParamAttr(trainable=False))
    opt = OPT.SGD(0.1, parameters=layer.parameters(), weight_decay=0.5)
    layer(dg.ones([1, 2])).sum().backward()
    opt.step()
    np.testing.assert_allclose(layer.weight.numpy(), [[1.94], [1.94]], rtol=1e-6)
    assert layer.bias.tolist() == [0.0]


# ---- learning rate and errors --------------------------------------------------------------------


def test_get_lr_and_set_lr() -> None:
    a = parameter("a", np.ones(1, "float32"))
    opt = OPT.SGD(0.1, parameters=[a])
    opt.set_lr(0.5)
    assert opt.get_lr() == 0.5
    scheduler = OPT.lr.StepDecay(0.25, 2)
    opt.set_lr_scheduler(scheduler)
    assert opt.get_lr() == 0.25
    with pytest.raises(RuntimeError):
        opt.set_lr(0.5)


@pytest.mark.parametrize("value", ["x", "tensor"])
def test_set_lr_wants_a_number(value: str) -> None:
    opt = OPT.SGD(0.1, parameters=[parameter("a", START_B)])
    with pytest.raises(TypeError):
        opt.set_lr(dg.to_tensor(0.1) if value == "tensor" else value)


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("SGD", {"learning_rate": "x"}, TypeError),
        ("SGD", {"learning_rate": None}, ValueError),
        ("SGD", {"grad_clip": 1.0}, TypeError),
        ("Momentum", {"momentum": None}, ValueError),
        ("Adam", {"beta1": 1.0}, ValueError),
        ("Adam", {"beta2": -0.1}, ValueError),
        ("Adam", {"epsilon": -1.0}, ValueError),
        ("AdamW", {"weight_decay": "x"}, TypeError),
        ("RMSProp", {}, TypeError),
        ("RMSProp", {"learning_rate": 0.1, "rho": -1.0}, ValueError),
        ("RMSProp", {"learning_rate": 0.1, "epsilon": None}, ValueError),
    ],
)
def test_options_that_make_no_sense(kind: str, options: dict[str, Any], error: Any) -> None:
    with pytest.raises(error):
        getattr(OPT, kind)(parameters=[parameter("a", START_B)], **options)


def test_parameters_must_be_a_list_of_parameters_each_once() -> None:
    a = parameter("a", START_B)
    with pytest.raises(TypeError):
        OPT.SGD(0.1, parameters=a)
    with pytest.raises(ValueError, match=r"."):
        OPT.SGD(0.1, parameters=[{"params": [a]}, {"params": [a]}])


@pytest.mark.ours("Paddle raises AttributeError or AssertionError")
def test_parameters_of_the_wrong_kind() -> None:
    a = parameter("a", START_B)
    wrong: list[dict[str, Any]] = [{}, {"parameters": [1]}, {"parameters": [{"parameters": [a]}]}]
    for options in wrong:
        with pytest.raises((TypeError, ValueError)):
            OPT.SGD(0.1, **options)
    with pytest.raises((TypeError, ValueError)):
        OPT.AdamW(0.1, parameters=[a], lr_ratio=1)
