"""PyLayer: ops written by users."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.autograd import PyLayer, PyLayerContext
from dualgraph.errors import OverwrittenValueError


class Cube(PyLayer):
    @staticmethod
    def forward(ctx: PyLayerContext, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx: PyLayerContext, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensor()
        return g * 3.0 * x * x


class Exp(PyLayer):
    """Saves its output."""

    @staticmethod
    def forward(ctx: PyLayerContext, x: Tensor) -> Tensor:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: PyLayerContext, g: Tensor) -> Tensor:
        (y,) = ctx.saved_tensor()
        return g * y


class SumAndProduct(PyLayer):
    @staticmethod
    def forward(ctx: PyLayerContext, x: Tensor, y: Tensor, note: str = "") -> Any:
        ctx.save_for_backward(x, y)
        ctx.note = note  # type: ignore[attr-defined]  # a context takes any attribute
        return x + y, x * y, note

    @staticmethod
    def backward(ctx: PyLayerContext, a: Tensor, b: Tensor) -> Any:
        x, y = ctx.saved_tensor()
        return a + b * y, a + b * x


def leaf(*values: float) -> Tensor:
    return dg.to_tensor(list(values), stop_gradient=False)


def test_the_users_rule_is_used() -> None:
    x = leaf(2.0)
    y = Cube.apply(x)
    assert not y.stop_gradient
    assert y.grad_fn.name == "Cube"
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [12.0]


def test_a_user_rule_written_in_ops_is_differentiated_again() -> None:
    x = leaf(2.0)
    g = Cube.apply(x)
    for expected in (12.0, 12.0, 6.0):
        (g,) = dg.grad(g, x, create_graph=True)
        assert g is not None
        assert g.item() == pytest.approx(expected)


def test_a_saved_output_has_its_past_in_higher_derivatives() -> None:
    x = leaf(1.0)
    g = Exp.apply(x)
    for _ in range(3):
        (g,) = dg.grad(g, x, create_graph=True)
        assert g is not None
        assert g.item() == pytest.approx(np.e, rel=1e-6)


def test_several_outputs_and_plain_values() -> None:
    x, y = leaf(2.0), leaf(5.0)
    total, product, note = SumAndProduct.apply(x, y, note="kept")
    assert note == "kept"
    (total + product * 10.0).backward()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.tolist(), y.grad.tolist()) == ([51.0], [21.0])


def test_an_unused_output_arrives_as_zeros() -> None:
    x, y = leaf(2.0), leaf(5.0)
    total, _, _ = SumAndProduct.apply(x, y)
    total.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0]


def test_forward_runs_without_recording() -> None:
    seen: list[bool] = []

    class Look(PyLayer):
        @staticmethod
        def forward(ctx: PyLayerContext, x: Tensor) -> Tensor:
            seen.append(dg.is_grad_enabled())
            return x * 2.0

        @staticmethod
        def backward(ctx: PyLayerContext, g: Tensor) -> Tensor:
            return g * 2.0

    Look.apply(leaf(1.0))
    assert seen == [False]


def test_an_input_handed_through_gets_a_tensor_of_its_own() -> None:
    class Reverse(PyLayer):
        @staticmethod
        def forward(ctx: PyLayerContext, x: Tensor) -> Tensor:
            return x

        @staticmethod
        def backward(ctx: PyLayerContext, g: Tensor) -> Tensor:
            return -g

    x = leaf(1.0)
    y = Reverse.apply(x)
    assert y is not x
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [-1.0]


def test_the_users_exception_comes_through() -> None:
    class Fails(PyLayer):
        @staticmethod
        def forward(ctx: PyLayerContext, x: Tensor) -> Tensor:
            return x * 1.0

        @staticmethod
        def backward(ctx: PyLayerContext, g: Tensor) -> Tensor:
            raise LookupError("mine")

    x = leaf(1.0)
    y = Fails.apply(x)
    with pytest.raises(LookupError, match="mine"):
        y.backward()
    assert x.grad is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [(None, None), ((None, None), ValueError), (1.0, TypeError), (dg.ones([3]), ValueError)],
)
def test_what_backward_returns_is_checked(answer: Any, error: type[Exception] | None) -> None:
    class Answers(PyLayer):
        @staticmethod
        def forward(ctx: PyLayerContext, x: Tensor) -> Tensor:
            return x * 1.0

        @staticmethod
        def backward(ctx: PyLayerContext, g: Tensor) -> Any:
            return answer

    x = leaf(1.0)
    y = Answers.apply(x)
    if error is None:
        y.backward()
    else:
        with pytest.raises(error, match=r"\[Answers\]"):
            y.backward()
    assert x.grad is None


def test_a_saved_tensor_may_not_be_overwritten() -> None:
    x = leaf(2.0)
    inner = x * 1.0
    y = Cube.apply(inner)
    inner.set_value(np.array([9.0], np.float32))
    with pytest.raises(OverwrittenValueError, match="Cube"):
        y.backward()


def test_non_differentiable_outputs_stop() -> None:
    class Split(PyLayer):
        @staticmethod
        def forward(ctx: PyLayerContext, x: Tensor) -> Any:
            rest = x * 3.0
            ctx.mark_non_differentiable(rest)
            return x * 2.0, rest

        @staticmethod
        def backward(ctx: PyLayerContext, g: Tensor, _rest: Tensor) -> Tensor:
            return g * 2.0

    y, rest = Split.apply(leaf(1.0))
    assert not y.stop_gradient
    assert rest.stop_gradient


def test_without_inputs_that_need_gradients_nothing_is_recorded() -> None:
    assert Cube.apply(dg.to_tensor([1.0])).stop_gradient
    with dg.no_grad():
        assert Cube.apply(leaf(1.0)).stop_gradient


def test_without_materialized_gradients_an_unused_output_arrives_as_none() -> None:
    seen: list[Any] = []

    class Two(PyLayer):
        @staticmethod
        def forward(ctx: PyLayerContext, x: Tensor) -> Any:
            ctx.set_materialize_grads(False)
            ctx.save_for_backward(x)
            return x * 2.0, x * 3.0

        @staticmethod
        def backward(ctx: PyLayerContext, a: Any, b: Any) -> Tensor:
            seen.append(b)
            (x,) = ctx.saved_tensors
            return a * x

    x = leaf(5.0)
    used, _ = Two.apply(x)
    used.backward()
    assert seen == [None]
    assert x.grad is not None
    assert x.grad.tolist() == [5.0]


def test_marking_an_input_as_not_in_place_changes_nothing() -> None:
    class Through(PyLayer):
        @staticmethod
        def forward(ctx: PyLayerContext, x: Tensor) -> Tensor:
            ctx.mark_not_inplace(x)
            return x

        @staticmethod
        def backward(ctx: PyLayerContext, g: Tensor) -> Tensor:
            return g * 4.0

    x = leaf(1.0)
    y = Through.apply(x)
    assert y is not x
    y.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [4.0]
