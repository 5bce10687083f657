"""Views made before a write to what they view: they are found as they are now."""

from __future__ import annotations

from typing import Any

import pytest

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.autograd import PyLayer


def leaf(*values: float) -> Tensor:
    return dg.to_tensor(list(values), stop_gradient=False)


def overwritten_view(w: Tensor) -> Tensor:
    """A view of the first row of data that was overwritten with w since."""
    y = dg.zeros([2, 2])
    view = y[0]
    assert view.stop_gradient
    y[0] = w
    return view


class Double(PyLayer):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2.0

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return g * 2.0


def test_an_op_on_it_has_the_gradient_of_what_was_written() -> None:
    w = leaf(1.0, 2.0)
    (overwritten_view(w) * 3.0).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [3.0, 3.0]


def test_its_own_backward_does() -> None:
    w = leaf(1.0, 2.0)
    overwritten_view(w).backward()
    assert w.grad is not None
    assert w.grad.tolist() == [1.0, 1.0]


def test_grad_does() -> None:
    w = leaf(1.0, 2.0)
    (g,) = dg.grad(overwritten_view(w), w)
    assert g is not None
    assert g.tolist() == [1.0, 1.0]


def test_a_py_layer_does() -> None:
    w = leaf(1.0, 2.0)
    Double.apply(overwritten_view(w)).backward()
    assert w.grad is not None
    assert w.grad.tolist() == [2.0, 2.0]


def test_its_attributes_speak_of_the_present() -> None:
    view = overwritten_view(leaf(1.0, 2.0))
    assert not view.stop_gradient
    assert not view.is_leaf
    assert view.grad_fn is not None


def test_a_hook_on_it_is_called() -> None:
    w = leaf(1.0, 2.0)
    view = overwritten_view(w)
    seen: list[Any] = []
    view.register_hook(lambda g: seen.append(g.tolist()))
    view.backward()
    assert seen == [[1.0, 1.0]]


def test_copy_takes_anothers_values_and_gradient() -> None:
    w = leaf(1.0, 2.0)
    y = dg.zeros([3, 2])
    assert y.copy_(w) is y
    assert y.tolist() == [[1.0, 2.0]] * 3
    y.sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [3.0, 3.0]


def test_copy_keeps_the_dtype_and_refuses_another_shape() -> None:
    y = dg.zeros([2], "int32")
    y.copy_(dg.to_tensor([1.9, -1.9]))
    assert (y.dtype, y.tolist()) == (dg.int32, [1, -1])
    with pytest.raises(ValueError, match="broadcast"):
        y.copy_(dg.ones([3]))
    assert y.tolist() == [1, -1]


def test_where_in_place_overwrites_x_not_the_condition() -> None:
    keep = dg.to_tensor([True, False])
    x = dg.to_tensor([1.0, 2.0])
    assert keep.where_(x, dg.to_tensor([5.0, 6.0])) is x
    assert x.tolist() == [1.0, 6.0]
    assert keep.tolist() == [True, False]
