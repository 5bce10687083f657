"""LBFGS and its line search."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import optimizer as opt
from dualgraph.nn import Parameter
from dualgraph.optimizer.line_search import Point, cubic_minimum, strong_wolfe

Array = np.ndarray[Any, Any]


def valley(x: Any, y: Any, z: Any) -> Any:
    """A curved valley, and a flat quartic beside it."""
    u, v, w = y - x * x, 1.0 - x, z - 2.0
    return u * u * 3.0 + v * v + w * w * w * w + x * z * 0.1


def problem(dtype: Any = np.float64) -> tuple[list[Any], Callable[[opt.LBFGS], Any]]:
    """Parameters, and what makes the closure for an optimizer of them."""
    a, b = Parameter(np.array([-1.2, 1.0], dtype)), Parameter(np.array([[0.5]], dtype))
    first, second = (dg.to_tensor(np.array(m, dtype)) for m in ([1.0, 0.0], [0.0, 1.0]))

    def closure_for(optimizer: opt.LBFGS) -> Any:
        def closure() -> Any:
            optimizer.clear_grad()
            loss = valley((a * first).sum(), (a * second).sum(), b.sum())
            loss.backward()
            return loss

        return closure

    return [a, b], closure_for


# From Paddle: the losses before each of four steps, and where the parameters end.
PADDLE: list[tuple[dict[str, Any], list[float], list[float]]] = [
    ({}, [10.4233, 0.17079, 0.17074, 0.17074], [0.9142, 0.8357, 1.7162]),
    ({"max_iter": 3}, [10.4233, 3.85986, 1.49267, 1.06946], [0.5488, 0.0325, 2.2928]),
    (
        {"max_iter": 5, "history_size": 2},
        [10.4233, 23.83428, 0.742, 0.45556],
        [0.8923, 0.7248, 2.1769],
    ),
    ({"learning_rate": 0.5}, [10.4233, 0.17085, 0.17074, 0.17074], [0.9142, 0.8358, 1.7162]),
    ({"max_eval": 4}, [10.4233, 2.97413, 1.06946, 0.37915], [0.8532, 0.7231, 2.0782]),
    (
        {"line_search_fn": "strong_wolfe"},
        [10.4233, 0.17074, 0.17074, 0.17074],
        [0.9142, 0.8357, 1.7162],
    ),
    (
        {"max_iter": 3, "line_search_fn": "strong_wolfe"},
        [10.4233, 3.85986, 1.49267, 1.25593],
        [0.3674, 0.0597, 2.2776],
    ),
    (
        {"max_iter": 5, "history_size": 2, "line_search_fn": "strong_wolfe"},
        [10.4233, 0.91418, 0.23352, 0.17365],
        [0.9073, 0.8245, 1.7356],
    ),
    (
        {"learning_rate": 0.5, "line_search_fn": "strong_wolfe"},
        [10.4233, 0.17085, 0.17074, 0.17074],
        [0.9142, 0.8358, 1.7162],
    ),
    (
        {"max_eval": 4, "line_search_fn": "strong_wolfe"},
        [10.4233, 2.97413, 1.25593, 0.36582],
        [0.8766, 0.7762, 2.1958],
    ),
]


@pytest.mark.parametrize(("options", "losses", "end"), PADDLE)
def test_steps_as_paddle_does(options: Any, losses: list[float], end: list[float]) -> None:
    parameters, closure_for = problem()
    optimizer = opt.LBFGS(parameters=parameters, **options)
    closure = closure_for(optimizer)
    found = [optimizer.step(closure).item() for _ in range(4)]
    np.testing.assert_allclose(found, losses, atol=1e-5)
    values = np.concatenate([p.numpy().ravel() for p in parameters])
    np.testing.assert_allclose(values, end, atol=1e-4)


@given(st.integers(1, 6), st.integers(0, 1000), st.booleans())
def test_a_quadratic_is_solved(n: int, seed: int, searches: bool) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n))
    matrix = root @ root.T + np.eye(n)
    goal = rng.normal(size=n)
    p = Parameter(np.zeros(n))
    fn = "strong_wolfe" if searches else None
    exactly = {"tolerance_grad": 1e-9, "tolerance_change": 1e-18}
    optimizer = opt.LBFGS(max_iter=300, max_eval=2000, line_search_fn=fn, parameters=[p], **exactly)
    m, target = dg.to_tensor(matrix), dg.to_tensor(goal)

    def closure() -> Any:
        optimizer.clear_grad()
        d = p - target
        loss = ((m * d).sum(1) * d).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(p.numpy(), goal, atol=1e-5)


CURVES: list[Callable[[float], tuple[float, float]]] = [
    lambda t: ((t - 1) ** 2, 2 * (t - 1)),
    lambda t: ((t - 30) ** 4, 4 * (t - 30) ** 3),
    lambda t: (math.cos(t) + 0.1 * t, -math.sin(t) + 0.1),
    lambda t: (math.exp(t) - 5 * t, math.exp(t) - 5),
    lambda t: (-t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2),
]


@pytest.mark.parametrize("curve", CURVES)
@given(first=st.floats(1e-3, 5.0))
def test_the_search_ends_where_the_wolfe_conditions_hold(curve: Any, first: float) -> None:
    def at(t: float) -> Point:
        loss, slope = curve(t)
        return Point(t, loss, np.array([slope]), slope)

    start = at(0.5 if curve is CURVES[2] else 0.0)
    start = Point(0.0, start.loss, start.grad, start.slope)
    shift = 0.5 if curve is CURVES[2] else 0.0

    def evaluate(t: float) -> Point:
        point = at(t + shift)
        return Point(t, point.loss, point.grad, point.slope)

    best, count = strong_wolfe(evaluate, start, first, 1e-12)
    assert best.loss <= start.loss + 1e-4 * best.t * start.slope
    assert abs(best.slope) <= 0.9 * abs(start.slope)
    assert 1 <= count <= 26


def test_the_cubic_through_two_points_has_its_minimum_there() -> None:
    def point(t: float) -> Point:
        return Point(t, t**3 - 3 * t, np.zeros(1), 3 * t * t - 3)

    assert cubic_minimum(point(0.0), point(3.0)) == pytest.approx(1.0)
    assert cubic_minimum(point(3.0), point(0.0)) == pytest.approx(1.0)
    assert cubic_minimum(point(0.0), point(3.0), (1.5, 2.0)) == 1.5
    assert cubic_minimum(point(2.0), point(2.0)) == 2.0


def test_it_stops_at_once_where_there_is_no_slope() -> None:
    p = Parameter([1.0])
    optimizer = opt.LBFGS(parameters=[p])
    calls = []

    def closure() -> Any:
        calls.append(1)
        optimizer.clear_grad()
        loss = (p * 0.0).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert (len(calls), p.tolist()) == (1, [1.0])
    assert optimizer.state_dict() == {"state": {}}


def test_evaluations_are_limited() -> None:
    parameters, closure_for = problem()
    optimizer = opt.LBFGS(max_eval=4, parameters=parameters)
    calls = []
    closure = closure_for(optimizer)
    optimizer.step(lambda: (calls.append(1), closure())[1])
    assert len(calls) == 4
    assert optimizer.state_dict()["state"]["func_evals"] == 4


def test_a_saved_state_goes_on_where_it_was() -> None:
    parameters, closure_for = problem()
    first = opt.LBFGS(max_iter=3, parameters=parameters)
    first.step(closure_for(first))
    state = copy.deepcopy(first.state_dict())
    values = [p.numpy() for p in parameters]
    first.step(closure_for(first))
    expected = [p.numpy() for p in parameters]
    for p, value in zip(parameters, values, strict=True):
        p.set_value(value)
    second = opt.LBFGS(max_iter=3, parameters=[{"params": [p]} for p in parameters])
    second.set_state_dict(state)
    second.step(closure_for(second))
    for p, value in zip(parameters, expected, strict=True):
        np.testing.assert_array_equal(p.numpy(), value)
    other = opt.LBFGS(parameters=[Parameter([1.0])])
    with pytest.raises(ValueError, match="of other parameters; expected 1 elements"):
        other.set_state_dict(state)
    with pytest.raises(ValueError, match="expected what state_dict gave"):
        other.set_state_dict({"p_moment1_0": 1})


def test_frozen_parameters_stay() -> None:
    parameters, closure_for = problem()
    parameters[1].stop_gradient = True
    optimizer = opt.LBFGS(line_search_fn="strong_wolfe", parameters=parameters)
    optimizer.step(closure_for(optimizer))
    assert parameters[1].tolist() == [[0.5]]


@pytest.mark.parametrize(
    ("options", "error", "complaint"),
    [
        ({"line_search_fn": "armijo"}, ValueError, "expected None or 'strong_wolfe'"),
        ({"max_iter": 0}, ValueError, "max_iter is 0; expected 1 or more"),
        ({"history_size": 1.5}, TypeError, "history_size is float 1.5; expected an int"),
        ({"learning_rate": "x"}, TypeError, "learning_rate is str 'x'"),
        ({"tolerance_grad": -1.0}, ValueError, "tolerance_grad is -1.0"),
        ({"weight_decay": 0.1}, ValueError, "add the term to the loss"),
    ],
)
def test_arguments_that_make_no_sense(options: Any, error: Any, complaint: str) -> None:
    with pytest.raises(error, match=rf"^\[LBFGS\] .*{complaint}"):
        opt.LBFGS(parameters=[Parameter([1.0])], **options)


def test_step_wants_a_closure_that_returns_the_loss() -> None:
    optimizer = opt.LBFGS(parameters=[Parameter([1.0])])
    with pytest.raises(TypeError, match="expected a function returning the loss"):
        optimizer.step(1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="closure returned NoneType None"):
        optimizer.step(lambda: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(NotImplementedError, match="call step"):
        optimizer.minimize(dg.to_tensor(1.0))
