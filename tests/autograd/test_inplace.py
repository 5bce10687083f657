"""In-place writes under the tape: into tensors, views and views of views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.errors import OverwrittenValueError
from tests.ops.drawn import fits, indices, numbers, put_as_numpy_does, two_steps, views

Array = np.ndarray[Any, Any]


def leaf(values: Any) -> Tensor:
    return dg.to_tensor(values, dtype="float64", stop_gradient=False)


def gradients(function: Callable[..., Tensor], *values: Any) -> list[Any]:
    """The gradients of a scalar function at the given points."""
    leaves = [leaf(v) for v in values]
    function(*leaves).backward()
    return [None if x.grad is None else x.grad.tolist() for x in leaves]


# -- random programs ------------------------------------------------------------------------------


class Program:
    """A tensor, views of it and writes; beside them, which leaf element each place holds."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        values = numbers(shape)
        self.leaves = [leaf(values)]
        self.count = values.size
        self.shown = [(self.leaves[0] * 1.0, np.arange(values.size).reshape(shape))]

    def look(self, data: st.DataObject) -> None:
        """Make a view of what there is."""
        x, origin = data.draw(st.sampled_from(self.shown))
        name, ours, numpys = data.draw(views(origin.shape))
        if name != "unfold" or 0 not in origin.shape:
            self.shown.append((ours(x), numpys(origin)))

    def write(self, data: st.DataObject) -> None:
        """Write a new leaf, or nothing but zeros, into a part of what there is."""
        x, origin = data.draw(st.sampled_from(self.shown))
        index = data.draw(indices(origin.shape, advanced=True).filter(lambda i: fits(origin, i)))
        first, second = two_steps(origin.shape, index)
        shape = origin[(*first, ...)][second].shape
        value = leaf(-numbers(shape))
        if data.draw(st.booleans()):
            x[index] = value * 1.0
            put_as_numpy_does(
                origin, index, np.arange(self.count, self.count + value.size).reshape(shape)
            )
        else:
            x[index] = 0.0
            put_as_numpy_does(origin, index, np.full(shape, -1))
        self.leaves.append(value)
        self.count += value.size

    def check(self, data: st.DataObject) -> None:
        """Compare all values, and the gradients of a weighted sum of some of the views."""
        values = np.concatenate([v.numpy().reshape(-1) for v in self.leaves] + [[0.0]])
        expected = np.zeros(self.count + 1)
        loss = dg.to_tensor(0.0, dtype="float64")
        for x, origin in self.shown:
            np.testing.assert_array_equal(x.numpy(), values[origin])
            if data.draw(st.booleans()):
                weights = numbers(origin.shape)
                loss = loss + (x * dg.to_tensor(weights)).sum()
                np.add.at(expected, origin, weights)
        if loss.stop_gradient:
            return
        loss.backward()
        found = [np.zeros(v.shape) if v.grad is None else v.grad.numpy() for v in self.leaves]
        found_flat = np.concatenate([f.reshape(-1) for f in found])
        np.testing.assert_allclose(found_flat, expected[:-1])


@given(st.data())
def test_programs_of_views_and_writes_give_gradients_to_what_is_there(data: st.DataObject) -> None:
    program = Program(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)))
    for step in data.draw(st.lists(st.sampled_from(["look", "write"]), min_size=1, max_size=8)):
        program.look(data) if step == "look" else program.write(data)
    program.check(data)


# -- programs with known gradients ----------------------------------------------------------------


def into_a_view_of_a_view(x: Tensor) -> Tensor:
    y = x * x
    y[1:][:, 0].multiply_(3.0)
    return (y * dg.to_tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype="float64")).sum()


def with_views_made_before(x: Tensor, v: Tensor) -> Tensor:
    y = x * 2.0
    row, turned = y[0], y.T
    y[1] = v
    turned[0, 0] = 5.0
    return (row * row).sum() + (turned * turned).sum()


def as_a_recurrence(x: Tensor) -> Tensor:
    y = x.clone()
    for i in range(1, 4):
        y[i] = y[i].clone() * y[i - 1].clone()
    return y.sum()


def from_itself(x: Tensor) -> Tensor:
    y = x * 1.0
    y[0] = y[1]
    y[1:] = y[:-1] * 2.0
    y[::2] += y[1]
    return (y * dg.to_tensor([1.0, 10.0, 100.0], dtype="float64")).sum()


def between_siblings(x: Tensor) -> Tensor:
    y = x.exp() * 1.0
    a, b = y
    a.add_(b)
    b.multiply_(a.detach().clone())
    return a * b


def into_a_diagonal(x: Tensor) -> Tensor:
    y = x * 1.0
    diagonal = dg.diagonal(y)
    diagonal.multiply_(diagonal.clone())
    return y.sum()


@pytest.mark.parametrize(
    ("program", "values", "expected"),
    [
        # The numbers are those of another library, at the same points.
        (
            into_a_view_of_a_view,
            [[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]],
            [[[2.0, 8.0], [54.0, 32.0], [150.0, 72.0]]],
        ),
        (
            with_views_made_before,
            [[[1.0, 2.0], [3.0, 4.0]], [7.0, 8.0]],
            [[[0.0, 32.0], [0.0, 0.0]], [14.0, 16.0]],
        ),
        (as_a_recurrence, [[2.0, 3.0, 4.0, 5.0]], [[76.0, 50.0, 36.0, 24.0]]),
        (from_itself, [[1.0, 2.0, 3.0]], [[0.0, 423.0, 0.0]]),
        (between_siblings, [[0.5, 1.5]], [[45.2979459, 291.5630934]]),
        (into_a_diagonal, [[[1.0, 2.0], [3.0, 4.0]]], [[[2.0, 1.0], [1.0, 8.0]]]),
    ],
)
def test_known_programs_have_known_gradients(
    program: Callable[..., Tensor], values: list[Any], expected: list[Any]
) -> None:
    for found, wanted in zip(gradients(program, *values), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7)


def test_second_derivatives_go_through_writes() -> None:
    x = leaf([1.0, 2.0, 3.0])
    y = x * x * x
    z = y.clone()
    z[1] = y[0] * y[2]
    (g,) = dg.grad(z.sum(), x, create_graph=True)
    assert g.tolist() == [84.0, 0.0, 54.0]
    assert dg.grad(g.sum(), x)[0].tolist() == [249.0, 0.0, 117.0]


# -- what a write changes -------------------------------------------------------------------------


def test_a_write_of_a_constant_cuts_the_gradient() -> None:
    for cut in (lambda y: y.zero_(), lambda y: y.fill_(3.0), lambda y: y[...].zero_()):
        x = leaf([1.0, 2.0])
        y = x * 2.0
        cut(y)
        (y * y).sum().backward()
        assert x.grad is None or x.grad.tolist() == [0.0, 0.0]


def test_a_constant_written_into_a_view_cuts_that_part() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2.0
    y[0].zero_()
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 2.0]


def test_a_tensor_without_gradient_gets_one_from_what_is_written() -> None:
    w = leaf(3.0)
    for write in (
        lambda y: y[0].add_(w),
        lambda y: y.T.add_(w),
        lambda y: dg.unbind(y)[1].fill_(0.0),
    ):
        y = dg.zeros([2], "float64")
        y[1] = w
        before = y[0]
        write(y)
        assert not y.stop_gradient
        assert dg.grad((y + before).sum(), w, allow_unused=True)[0] is not None


def test_an_assigned_leaf_keeps_its_own_gradient_and_stays_a_leaf() -> None:
    w = leaf([3.0, 4.0])
    y = dg.zeros([2], "float64")
    y[...] = w
    y[0] = 5.0
    y.sum().backward()
    assert w.grad.tolist() == [0.0, 1.0]
    assert w.is_leaf
    assert not y.is_leaf


def test_views_made_before_and_after_a_write_agree() -> None:
    x, v = leaf([1.0, 2.0, 3.0]), leaf([10.0, 20.0])
    y = x * 1.0
    before = y[1:]
    y[:2] = v
    after = y[1:]
    assert before.tolist() == after.tolist() == [20.0, 3.0]
    for shown in (before, after):
        gx, gv = dg.grad((shown * 2.0).sum(), [x, v], retain_graph=True)
        assert gx.tolist() == [0.0, 0.0, 2.0]
        assert gv.tolist() == [0.0, 2.0]


def test_a_kept_gradient_is_that_of_the_value_the_tensor_has() -> None:
    x = leaf([1.0, 2.0])
    y = x * 3.0
    y.retain_grads()
    y.multiply_(dg.to_tensor([5.0, 7.0], dtype="float64"))
    (y * 2.0).sum().backward()
    assert y.grad.tolist() == [2.0, 2.0]
    assert x.grad.tolist() == [30.0, 42.0]


def test_a_wider_value_is_cast_and_its_gradient_cast_back() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    v = leaf(3.0)
    y = x * 2.0
    y[0] = v
    y.multiply_(dg.to_tensor(2.0))
    y.sum().backward()
    assert (y.dtype, x.grad.dtype, v.grad.dtype) == (dg.float32, dg.float32, dg.float64)
    assert (x.grad.tolist(), v.grad.item()) == ([0.0, 4.0], 2.0)


def test_a_long_chain_of_writes_unwinds() -> None:
    x = leaf([1.0, 1.0])
    y = x * 1.0
    for _ in range(3000):
        y[0] = y[1]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda y, w: y.square_(), [8.0, 16.0]),
        (lambda y, w: y.multiply_(w), [6.0, 8.0]),
        (lambda y, w: y.multiply_(y), [8.0, 16.0]),
        (lambda y, w: y.multiply_(y[1]), [8.0, 20.0]),
        (lambda y, w: y[:1].multiply_(y[1:]), [8.0, 6.0]),
        (lambda y, w: y.exp_(), [2 * np.exp(2.0), 2 * np.exp(4.0)]),
        (lambda y, w: y.subtract_(y), [0.0, 0.0]),
    ],
)
def test_an_op_in_place_keeps_what_its_own_rule_reads(write: Any, expected: list[float]) -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = x * 2.0
    write(y, w)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), expected)


# -- versions and overwritten values --------------------------------------------------------------


def test_every_write_counts_in_all_tensors_over_the_memory() -> None:
    x = dg.zeros([4])
    view, alias = x[1:], x.detach()
    assert x.inplace_version == 0
    view[0] = 1.0
    alias.add_(dg.to_tensor(1.0))
    with dg.no_grad():
        x.fill_(2.0)
    assert x.inplace_version == view.inplace_version == alias.inplace_version == 3
    assert dg.to_tensor(x).inplace_version == 0


@pytest.mark.parametrize(
    "write",
    [
        lambda y: y.add_(dg.to_tensor(1.0, dtype="float64")),
        lambda y: y[0].fill_(1.0),
        lambda y: y.detach().fill_(1.0),
        lambda y: y.__setitem__(0, 1.0),
        lambda y: y.reshape([2, 1]).zero_(),
        lambda y: y.unsqueeze_(0),
    ],
)
@pytest.mark.parametrize("mode", [dg.no_grad, dg.enable_grad])
def test_a_value_that_was_needed_is_missed_however_it_was_overwritten(
    write: Any, mode: Any
) -> None:
    x = leaf([1.0, 2.0])
    y = x * 2.0
    z = y * y
    with mode():
        write(y)
    for _ in range(2):
        with pytest.raises(OverwrittenValueError, match="the gradient of multiply reads its input"):
            z.sum().backward()
        assert x.grad is None


def test_an_output_that_was_needed_is_missed_when_a_view_of_it_was_overwritten() -> None:
    x = leaf([1.0, 2.0])
    y = x.exp()
    y[0] = 1.0
    with pytest.raises(OverwrittenValueError, match="the gradient of exp reads its output"):
        y.sum().backward()


def test_a_write_with_gradients_off_leaves_the_tape_as_it_is() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2.0
    with dg.no_grad():
        y[0] = 100.0
        y.T.add_(dg.to_tensor(1.0, dtype="float64"))
    assert y.tolist() == [101.0, 5.0]
    (y * 1.0).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
