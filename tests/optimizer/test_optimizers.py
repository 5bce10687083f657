"""What each optimizer computes: against its formula, in any grouping, saved, copied, halved."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph.nn import Parameter
from tests.optimizer.common import LR, drawn, every_kind, make, walk

Array = np.ndarray[Any, Any]
Rule = Callable[[Array, Array, dict[str, Any], int], Array]


# ---- formulas: the new value of p, given its gradient g, what was kept in s, and the step's number


def sgd(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
    return p - LR * g


def momentum(mu: float = 0.9, nesterov: bool = False) -> Rule:
    def rule(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
        v = s["v"] = mu * s.get("v", 0) + g
        return p - LR * (g + mu * v if nesterov else v)

    return rule


def moments(g: Array, s: dict[str, Any], b1: float, b2: float, t: int) -> tuple[Array, Array]:
    m = s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
    v = s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
    return m / (1 - b1**t), v / (1 - b2**t)


def adam(
    b1: float = 0.9, b2: float = 0.999, e: float = 1e-8, decay: float = 0.0, worst: bool = False
) -> Rule:
    def rule(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
        m, v = moments(g, s, b1, b2, t)
        if worst:
            s["w"] = np.maximum(s.get("w", 0), s["v"])
            v = s["w"] / (1 - b2**t)
        return p * (1 - LR * decay) - LR * m / (np.sqrt(v) + e)

    return rule


def rmsprop(rho: float = 0.95, e: float = 1e-6, mu: float = 0.0, centered: bool = False) -> Rule:
    def rule(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
        square = s["square"] = rho * s.get("square", 0) + (1 - rho) * g * g
        mean = s["mean"] = rho * s.get("mean", 0) + (1 - rho) * g
        size = square - mean * mean if centered else square
        v = s["v"] = mu * s.get("v", 0) + LR * g / np.sqrt(size + e)
        return p - v

    return rule


def adagrad(e: float = 1e-6, start: float = 0.0) -> Rule:
    def rule(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
        m = s["m"] = s.get("m", start) + g * g
        return p - LR * g / (np.sqrt(m) + e)

    return rule


def adadelta(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
    square = s["square"] = 0.95 * s.get("square", 0) + 0.05 * g * g
    step = g * np.sqrt((s.get("change", 0) + 1e-6) / (square + 1e-6))
    s["change"] = 0.95 * s.get("change", 0) + 0.05 * step * step
    return p - LR * step


def adamax(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
    m, _ = moments(g, s, 0.9, 0.999, t)
    u = s["u"] = np.maximum(0.999 * s.get("u", 0) + 1e-8, np.abs(g))
    return p - LR * m / u


def nadam(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
    now, after = (0.9 * (1 - 0.5 * 0.96 ** (i * 0.004)) for i in (t, t + 1))
    seen = s["seen"] = s.get("seen", 1) * now
    _, v = moments(g, s, 0.9, 0.999, t)
    mean = after * s["m"] / (1 - seen * after) + (1 - now) * g / (1 - seen)
    return p - LR * mean / (np.sqrt(v) + 1e-8)


def radam(b2: float = 0.999) -> Rule:
    def rule(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
        m, _ = moments(g, s, 0.9, b2, t)
        most = 2 / (1 - b2) - 1
        rho = most - 2 * t * b2**t / (1 - b2**t)
        if rho <= 5:
            return p - LR * m
        part = (rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho)
        return p - LR * m * np.sqrt(part * (1 - b2**t)) / (np.sqrt(s["v"]) + 1e-8)

    return rule


def lamb(decay: float = 0.01, adapt: bool = True) -> Rule:
    def rule(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
        m, v = moments(g, s, 0.9, 0.999, t)
        step = m / (np.sqrt(v) + 1e-6) + decay * p
        size, length = np.linalg.norm(p), np.linalg.norm(step)
        return p - LR * step * (size / length if adapt and size > 0 and length > 0 else 1)

    return rule


def rprop(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
    turn = g * s.get("g", 0)
    factor = np.where(turn > 0, 1.2, np.where(turn < 0, 0.5, 1.0))
    rate = s["rate"] = np.clip(s.get("rate", LR) * factor, 1e-5, 50)
    g = s["g"] = np.where(turn < 0, 0, g)
    return p - np.sign(g) * rate


def asgd(n: int) -> Rule:
    def rule(p: Array, g: Array, s: dict[str, Any], t: int) -> Array:
        last = s.setdefault("last", [])
        last.append(g)
        return p - LR * sum(last[-n:]) / min(t, n)

    return rule


RULES: dict[str, tuple[str, dict[str, Any], Rule]] = {
    "SGD": ("SGD", {}, sgd),
    "Momentum": ("Momentum", {}, momentum()),
    "Momentum, 0.5": ("Momentum", {"momentum": 0.5}, momentum(0.5)),
    "Momentum, Nesterov": ("Momentum", {"use_nesterov": True}, momentum(nesterov=True)),
    "Adam": ("Adam", {}, adam()),
    "Adam, betas": ("Adam", {"beta1": 0.5, "beta2": 0.7, "epsilon": 0.1}, adam(0.5, 0.7, 0.1)),
    "Adam, amsgrad": ("Adam", {"beta2": 0.5, "amsgrad": True}, adam(b2=0.5, worst=True)),
    "AdamW": ("AdamW", {}, adam(decay=0.01)),
    "AdamW, amsgrad": (
        "AdamW",
        {"weight_decay": 0.5, "beta2": 0.5, "amsgrad": True},
        adam(b2=0.5, decay=0.5, worst=True),
    ),
    "RMSProp": ("RMSProp", {}, rmsprop()),
    "RMSProp, all": (
        "RMSProp",
        {"rho": 0.5, "epsilon": 0.1, "momentum": 0.5, "centered": True},
        rmsprop(0.5, 0.1, 0.5, centered=True),
    ),
    "Adagrad": ("Adagrad", {}, adagrad()),
    "Adagrad, started": (
        "Adagrad",
        {"epsilon": 0.1, "initial_accumulator_value": 0.5},
        adagrad(0.1, 0.5),
    ),
    "Adadelta": ("Adadelta", {}, adadelta),
    "Adamax": ("Adamax", {}, adamax),
    "NAdam": ("NAdam", {}, nadam),
    "RAdam": ("RAdam", {}, radam()),
    "RAdam, soon settled": ("RAdam", {"beta2": 0.9}, radam(0.9)),
    "Lamb": ("Lamb", {}, lamb()),
    "Lamb, no decay": ("Lamb", {"lamb_weight_decay": 0.0}, lamb(0.0, adapt=False)),
    "Lamb, always": (
        "Lamb",
        {"lamb_weight_decay": 0.0, "always_adapt": True},
        lamb(0.0),
    ),
    "Rprop": ("Rprop", {}, rprop),
    "ASGD": ("ASGD", {}, asgd(1)),
    "ASGD, 3": ("ASGD", {"batch_num": 3}, asgd(3)),
}


@pytest.mark.parametrize("name", RULES)
@given(
    shape=st.sampled_from([(), (1,), (3,), (2, 3), (0,), (2, 0), (2, 1, 2)]),
    steps=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
def test_an_update_is_what_its_formula_says(
    name: str, shape: tuple[int, ...], steps: int, seed: int
) -> None:
    kind, options, rule = RULES[name]
    (start,), grads = drawn([shape], steps, seed)
    p = Parameter(start)
    optimizer = make(kind, [p], **options)
    expected, kept = start, dict[str, Any]()
    for t, (row, found) in enumerate(zip(grads, walk(optimizer, [p], grads), strict=True), 1):
        expected = rule(expected, row[0], kept, t)
        np.testing.assert_allclose(found[0], expected, rtol=1e-9, atol=1e-12)


@every_kind
def test_float32_follows_float64(kind: str) -> None:
    starts, grads = drawn([(4, 3), (3,)], 20)
    ends = []
    for dtype in (np.float32, np.float64):
        parameters = [Parameter(start.astype(dtype)) for start in starts]
        ends.append(walk(make(kind, parameters), parameters, grads)[-1])
    for narrow, wide in zip(*ends, strict=True):
        assert narrow.dtype == np.float32
        np.testing.assert_allclose(narrow, wide, rtol=2e-4, atol=2e-5)


@every_kind
def test_groups_of_one_parameter_each_do_what_one_list_does(kind: str) -> None:
    starts, grads = drawn([(2, 3), (3,), ()], 5)
    ends = []
    for grouped in (False, True):
        ps = [Parameter(start) for start in starts]
        given_as: Any = [{"params": [p]} for p in ps] if grouped else ps
        ends.append(walk(make(kind, given_as), ps, grads)[-1])
    for together, alone in zip(*ends, strict=True):
        np.testing.assert_array_equal(together, alone)


@every_kind
@pytest.mark.parametrize("stop", [1, 4])
def test_a_saved_and_loaded_optimizer_goes_on_as_if_nothing_had_happened(
    kind: str, stop: int
) -> None:
    starts, grads = drawn([(2, 3), ()], 8)
    ps = [Parameter(start, name=name) for start, name in zip(starts, "ab", strict=True)]
    first = make(kind, ps)
    walk(first, ps, grads[:stop])
    saved = {k: v.numpy() for k, v in first.state_dict().items()}
    values = [p.numpy() for p in ps]
    expected = walk(first, ps, grads[stop:])[-1]
    again = [Parameter(value, name=name) for value, name in zip(values, "ab", strict=True)]
    second = make(kind, again)
    second.set_state_dict(saved)
    for found, wanted in zip(walk(second, again, grads[stop:])[-1], expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@every_kind
def test_a_copied_optimizer_goes_on_with_the_copied_parameters(kind: str) -> None:
    starts, grads = drawn([(3,)], 6)
    p = Parameter(starts[0], name="p")
    optimizer = make(kind, [p])
    walk(optimizer, [p], grads[:3])
    twin, (copied,) = copy.deepcopy((optimizer, [p]))
    assert all(key.startswith(copied.name) for key in twin.state_dict())
    expected = walk(optimizer, [p], grads[3:])[-1]
    np.testing.assert_array_equal(walk(twin, [copied], grads[3:])[-1], expected)


@every_kind
@pytest.mark.parametrize("kept", [True, False])
def test_half_precision_is_updated_in_float32(kind: str, kept: bool) -> None:
    takes_masters = kind in ("SGD", "Momentum", "Adam", "AdamW", "Lamb", "Rprop", "ASGD")
    options = {"multi_precision": kept} if takes_masters else {}
    starts, grads = drawn([(4,)], 10)
    low = [Parameter(starts[0].astype(np.float16), name="p")]
    exact = [Parameter(starts[0].astype(np.float16).astype(np.float32))]
    grads = [[g.astype(np.float16) for g in row] for row in grads]
    optimizer = make(kind, low, **options)
    found = walk(optimizer, low, grads)[-1][0]
    expected = walk(make(kind, exact), exact, grads)[-1][0]
    assert found.dtype == np.float16
    if kept and takes_masters:
        np.testing.assert_array_equal(found, expected.astype(np.float16))
        master = optimizer.state_dict()["master_weights"]["p"]
        np.testing.assert_array_equal(master.numpy(), expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=2e-2, atol=2e-2)
    assert all(v.dtype is not dg.float16 for k, v in optimizer.state_dict().items() if k[0] == "p")
