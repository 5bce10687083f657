"""Backward, hooks, grad(), gradient modes and PyLayer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dualgraph as dg
from dualgraph.autograd import PyLayer

t = dg.to_tensor


def leaf(*values: float) -> Any:
    return dg.to_tensor(list(map(float, values)), stop_gradient=False)


# ---- backward ------------------------------------------------------------------------------------


def test_backward_of_many_elements_seeds_ones() -> None:
    x = leaf(1, 2)
    (x * x).backward()
    assert x.grad.tolist() == [2.0, 4.0]
    x = leaf(1, 2)
    (x * x).backward(t([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 40.0]


@pytest.mark.ours("Paddle raises AssertionError")
@pytest.mark.parametrize("seed", [[1.0, 2.0, 3.0], 1.0])
def test_backward_refuses_a_seed_of_another_shape(seed: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        (leaf(1, 2) * 2).backward(t(seed))
    with pytest.raises((TypeError, ValueError)):
        (leaf(1, 2) * 2).backward(2.0)


@pytest.mark.ours("Paddle raises SystemError")
def test_a_second_backward_is_a_runtime_error() -> None:
    x = leaf(1, 2)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError):
        y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_retain_graph_allows_a_second_backward_and_gradients_accumulate() -> None:
    x = leaf(1, 2)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_backward_of_a_leaf_and_of_what_stops_gradients() -> None:
    x = leaf(1, 2)
    x.backward()
    assert x.grad.tolist() == [1.0, 1.0]
    x = t([1.0, 2.0])
    y = x * x
    y.backward()
    assert (y.stop_gradient, y.is_leaf, x.grad) == (True, True, None)


def test_only_leaves_keep_gradients_unless_asked() -> None:
    x = leaf(1, 2)
    y, z = x * x, x * 3
    z.retain_grads()
    (y + z).sum().backward()
    assert (y.grad, z.grad.tolist(), y.is_leaf, x.is_leaf) == (None, [1.0, 1.0], False, True)


def test_stop_gradient_and_detach_cut_the_graph() -> None:
    x = leaf(1, 2)
    y = x * x
    y.stop_gradient = True
    (y.sum() + x.sum()).backward()
    assert x.grad.tolist() == [1.0, 1.0]
    x = leaf(1, 2)
    (x.detach() * x).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]
    assert x.detach().stop_gradient


def test_clone_is_differentiable() -> None:
    x = leaf(1, 2)
    y = x.clone()
    y.sum().backward()
    assert (x.grad.tolist(), y.stop_gradient, y.is_leaf) == ([1.0, 1.0], False, False)


def test_broadcast_gradients_have_the_shape_of_their_tensors() -> None:
    x, one, scalar = leaf(1, 2), leaf(1), dg.to_tensor(3.0, stop_gradient=False)
    (x * one * scalar).sum().backward()
    assert (one.grad.tolist(), scalar.grad.tolist(), scalar.grad.shape) == ([9.0], 3.0, [])


def test_gradients_come_back_in_the_dtype_of_the_leaf() -> None:
    x = leaf(1, 2)
    x.astype("float64").sum().backward()
    assert x.grad.dtype == dg.float32


def test_comparisons_and_argmax_stop_gradients() -> None:
    x = leaf(1, 2)
    assert (x > 1).stop_gradient
    assert dg.argmax(x).stop_gradient


def test_clear_grad_leaves_zeros_or_none() -> None:
    x = leaf(1, 2)
    x.clear_grad()
    assert x.grad is None
    (x * x).sum().backward()
    x.clear_grad()
    assert x.grad.tolist() == [0.0, 0.0]
    x.clear_gradient(False)
    assert x.grad is None


def test_grad_accumulates_into_the_same_tensor() -> None:
    x = leaf(3)
    (x * x).backward()
    kept = x.grad
    (x * x).backward()
    assert (kept.tolist(), x.grad.tolist()) == ([12.0], [12.0])


# ---- hooks ---------------------------------------------------------------------------------------


def test_hooks_replace_the_gradient_in_order_and_can_be_removed() -> None:
    x = leaf(1, 2)
    seen: list[Any] = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    handle = x.register_hook(lambda g: g * 3)
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * x).sum().backward()
    assert (x.grad.tolist(), seen) == ([6.0, 12.0], [[2.0, 4.0], [6.0, 12.0]])
    assert handle.remove()
    assert not handle.remove()
    x.clear_gradient(False)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_hook_on_an_intermediate_sees_the_whole_gradient_once() -> None:
    x = leaf(1, 2)
    y = x * x
    seen: list[Any] = []
    y.register_hook(lambda g: seen.append(g.tolist()) or g * 2)
    (y * 3 + y).sum().backward()
    assert (seen, x.grad.tolist()) == ([[4.0, 4.0]], [16.0, 32.0])


def test_a_hook_on_what_stops_gradients_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError):
        t([1.0]).register_hook(lambda g: g)


# ---- grad() --------------------------------------------------------------------------------------


def test_grad_returns_a_list_and_leaves_grad_alone() -> None:
    x = leaf(1, 2)
    out = dg.grad((x * x).sum(), x)
    assert isinstance(out, list)
    assert (out[0].tolist(), out[0].stop_gradient, x.grad) == ([2.0, 4.0], True, None)
    assert dg.grad(x, x)[0].tolist() == [1.0, 1.0]


def test_grad_of_several_outputs_adds_up() -> None:
    x = leaf(1, 2)
    assert dg.grad([x * x, x * 3], [x])[0].tolist() == [5.0, 7.0]
    seeds = [t([2.0, 1.0]), None]
    assert dg.grad([x * x, x * 3], [x], grad_outputs=seeds)[0].tolist() == [7.0, 7.0]


def test_grad_of_unused_inputs() -> None:
    x, y, z = leaf(1, 2), leaf(3, 4), t([3.0, 4.0])
    for unused in (y, z):
        with pytest.raises(ValueError, match=r"."):
            dg.grad((x * x).sum(), [x, unused])
        found = dg.grad((x * x).sum(), [x, unused], allow_unused=True)
        assert (found[0].tolist(), found[1]) == ([2.0, 4.0], None)
    with pytest.raises(ValueError, match=r"."):
        dg.grad(z * z, x)
    assert dg.grad(z * z, x, allow_unused=True) == [None]


def test_grad_of_intermediates_and_no_grad_vars() -> None:
    x = leaf(1, 2)
    y = x * x
    z = (y * x).sum()
    assert [g.tolist() for g in dg.grad(z, [y, x], retain_graph=True)] == [[1.0, 2.0], [3.0, 12.0]]
    assert dg.grad(z, x, no_grad_vars=[y])[0].tolist() == [1.0, 4.0]


def test_grad_can_be_differentiated_again() -> None:
    x = leaf(1, 2)
    (first,) = dg.grad((x * x * x).sum(), x, create_graph=True)
    (second,) = dg.grad(first, x, create_graph=True)
    (third,) = dg.grad(second, x)
    assert [g.tolist() for g in (first, second, third)] == [[3.0, 12.0], [6.0, 12.0], [6.0, 6.0]]
    assert (first.stop_gradient, third.stop_gradient) == (False, True)
    x = leaf(1, 2)
    (g,) = dg.grad((x * x * x).sum(), x, create_graph=True)
    (g * g).sum().backward()
    assert x.grad.tolist() == [36.0, 288.0]


@pytest.mark.ours("Paddle raises AssertionError")
@pytest.mark.parametrize(
    "call",
    [
        lambda x: dg.grad(3.0, x),
        lambda x: dg.grad(x * x, 3.0),
        lambda x: dg.grad(x * x, []),
        lambda x: dg.grad([x * x, x], [x], grad_outputs=[t([1.0, 1.0])]),
        lambda x: dg.autograd.backward([x * x, x * x], [t([1.0, 1.0])]),
    ],
)
def test_grad_and_backward_refuse_what_they_cannot_use(call: Callable[[Any], Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        call(leaf(1, 2))


def test_autograd_backward_of_several_tensors() -> None:
    x = leaf(1, 2)
    dg.autograd.backward([x * x, x * 3], [t([1.0, 1.0]), None])
    assert x.grad.tolist() == [5.0, 7.0]


# ---- modes ---------------------------------------------------------------------------------------


def test_no_grad_as_context_and_decorator() -> None:
    x = leaf(2)
    with dg.no_grad():
        y = x * x
        assert not dg.is_grad_enabled()
        with dg.enable_grad():
            z = x * x
    assert (y.stop_gradient, y.is_leaf, z.stop_gradient) == (True, True, False)

    @dg.no_grad()
    def square(v: Any) -> Any:
        return v * v

    assert square(x).stop_gradient
    assert square.__name__ == "square"
    with dg.set_grad_enabled(False):
        assert (x * x).stop_gradient
    assert dg.is_grad_enabled()


@pytest.mark.ours("Paddle fails on the bare decorator")
def test_no_grad_as_a_bare_decorator() -> None:
    @dg.no_grad
    def square(v: Any) -> Any:
        return v * v

    assert square(leaf(2)).stop_gradient


# ---- PyLayer -------------------------------------------------------------------------------------


class Scaled(PyLayer):
    """k x², with its own derivative."""

    @staticmethod
    def forward(ctx: Any, x: Any, k: float = 1.0) -> Any:
        ctx.save_for_backward(x)
        ctx.k = k
        return x * x * k

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensor()
        return g * 2 * x * ctx.k


class TwoOutputs(PyLayer):
    """Sum and product; the gradient of the second input is withheld."""

    seen: list[Any] = []  # noqa: RUF012

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return x + y, x * y

    @staticmethod
    def backward(ctx: Any, a: Any, b: Any) -> Any:
        TwoOutputs.seen[:] = [a.tolist(), b.tolist()]
        return a + b, None


class TooFew(PyLayer):
    """Returns one gradient for two inputs."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return x + y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


class Boom(PyLayer):
    """Its backward raises."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x + 1

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        raise KeyError("boom")


def test_py_layer() -> None:
    x = leaf(2)
    y = Scaled.apply(x, k=3.0)
    y.backward()
    assert (y.tolist(), y.stop_gradient, x.grad.tolist()) == ([12.0], False, [12.0])
    assert Scaled.apply(t([2.0])).stop_gradient


def test_py_layer_gets_zeros_for_unused_outputs_and_may_withhold_gradients() -> None:
    x, y = leaf(2), leaf(3)
    TwoOutputs.apply(x, y)[0].backward()
    assert (TwoOutputs.seen, x.grad.tolist(), y.grad) == ([[1.0], [0.0]], [1.0], None)


def test_py_layer_can_be_differentiated_again() -> None:
    x = leaf(2)
    (g,) = dg.grad(Scaled.apply(x), x, create_graph=True)
    assert (g.tolist(), dg.grad(g, x)[0].tolist()) == ([4.0], [2.0])


def test_py_layer_with_too_few_gradients_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"."):
        TooFew.apply(leaf(2), leaf(3)).backward()


@pytest.mark.ours("Paddle turns it into OSError")
def test_an_exception_in_py_layer_backward_arrives_as_it_is() -> None:
    with pytest.raises(KeyError, match="boom"):
        Boom.apply(leaf(2)).backward()
