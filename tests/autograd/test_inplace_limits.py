"""Where in-place writes end: aliases outside the tape, leaves, windows that overlap, new shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.errors import OverwrittenValueError
from dualgraph.ops.windows import as_strided


def leaf(values: Any) -> Tensor:
    return dg.to_tensor(values, dtype="float64", stop_gradient=False)


# -- aliases that gradients do not follow ---------------------------------------------------------


@pytest.mark.parametrize("make", ["detach", "no_grad"])
def test_an_alias_outside_the_tape_stays_a_constant(make: str) -> None:
    x, w = leaf([1.0, 2.0]), leaf(3.0)
    y = x * 2.0
    if make == "detach":
        alias = y.detach()
    else:
        with dg.no_grad():
            alias = y[:]
    y[0] = w
    part = alias[0]
    assert alias.tolist() == [3.0, 4.0]
    assert (alias * 2.0).stop_gradient
    assert (part * 2.0).stop_gradient
    ((alias + part) * y).sum().backward()
    assert x.grad.tolist() == [0.0, 2.0 * 7.0]
    assert w.grad.item() == 6.0


def test_a_write_of_a_constant_through_a_detached_alias_is_outside_the_tape() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2.0
    y.detach()[0] = 5.0
    (y * dg.to_tensor([3.0, 4.0], dtype="float64")).sum().backward()
    assert y.tolist() == [5.0, 4.0]
    assert x.grad.tolist() == [6.0, 8.0]


@pytest.mark.parametrize("make", ["detach", "no_grad", "bytes"])
def test_a_write_with_a_gradient_through_a_detached_alias_is_found(make: str) -> None:
    x, w = leaf([1.0, 2.0]), leaf(3.0)
    y = x * 2.0
    with dg.no_grad():
        alias = {
            "detach": y.detach,
            "no_grad": lambda: y[:],
            "bytes": lambda: y.view("float32").view("float64"),
        }[make]()
    alias[0] = w
    assert dg.grad(alias.sum(), w)[0].item() == 1.0
    for use in (lambda: y * 2.0, lambda: y[1], lambda: y.add_(w)):
        with pytest.raises(OverwrittenValueError, match="detached"):
            use()
    with dg.no_grad():
        assert (y * 2.0).tolist() == [6.0, 8.0]


# -- leaves ---------------------------------------------------------------------------------------


WRITES: list[Callable[[Tensor], Any]] = [
    lambda x: x.add_(dg.to_tensor(1.0, dtype="float64")),
    lambda x: x.zero_(),
    lambda x: x.__setitem__(0, 1.0),
    lambda x: x.__setitem__([0], 1.0),
    lambda x: x.__setitem__(x > 0.0, 1.0),
    lambda x: x[0].fill_(1.0),
    lambda x: x[:1].T.multiply_(dg.to_tensor(2.0, dtype="float64")),
    lambda x: dg.unbind(x)[0].zero_(),
    lambda x: x.scatter_(dg.to_tensor([0]), leaf([5.0])),
    lambda x: x.reshape_([2, 1]),
    lambda x: x.unsqueeze_(0),
    lambda x: x.t_(),
]


@pytest.mark.parametrize("write", WRITES)
def test_a_leaf_that_needs_a_gradient_is_refused_before_it_changes(write: Any) -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match=r"^\[.*leaf that needs a gradient"):
        write(x)
    assert (x.tolist(), x.shape, x.inplace_version) == ([1.0, 2.0], [2], 0)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("write", WRITES)
def test_a_leaf_is_written_with_gradients_off(write: Any) -> None:
    x = leaf([1.0, 2.0])
    with dg.no_grad():
        write(x)
    assert x.is_leaf
    assert not x.stop_gradient
    x.sum().backward()
    assert x.grad.shape == x.shape


def test_a_view_made_before_its_base_became_a_leaf_is_refused_too() -> None:
    x = dg.zeros([2])
    view = x[0]
    x.stop_gradient = False
    with pytest.raises(ValueError, match="the tensor x is a view of is a leaf"):
        view.fill_(1.0)
    assert x.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [dg.to_tensor([1.0, 2.0, 3.0]), None])
def test_a_refused_value_leaves_the_tape_as_it_was(value: Any) -> None:
    x = leaf([1.0, 2.0])
    y = x * 3.0
    row = y[:]
    with pytest.raises((ValueError, TypeError)):
        y[...] = value
    with pytest.raises(IndexError):
        y[[0, 2]] = 1.0
    assert y.inplace_version == 0
    (y * row).sum().backward()
    assert x.grad.tolist() == [18.0, 36.0]


# -- windows that overlap -------------------------------------------------------------------------


def test_windows_that_overlap_are_read_right_after_their_tensor_was_written() -> None:
    x, w = leaf([1.0, 2.0, 3.0]), leaf(5.0)
    y = x * 1.0
    windows = y.unfold(0, 2, 1)
    y[1] = w
    assert windows.tolist() == [[1.0, 5.0], [5.0, 3.0]]
    windows.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 1.0]
    assert w.grad.item() == 2.0


def test_windows_that_overlap_are_not_written_under_the_tape() -> None:
    y = leaf([1.0, 2.0, 3.0]) * 1.0
    windows, strided = y.unfold(0, 2, 1), as_strided(y, [2, 2], [1, 1])
    for write in (
        windows.zero_,
        lambda: windows[0].fill_(1.0),
        lambda: strided[0].add_(y[:2]),
    ):
        with pytest.raises(ValueError, match="shows elements more than once"):
            write()
    assert y.tolist() == [1.0, 2.0, 3.0]
    y.unfold(0, 1, 1)[0].zero_()
    assert y.tolist() == [0.0, 2.0, 3.0]


def test_windows_that_overlap_are_written_where_no_gradient_is() -> None:
    y = dg.to_tensor([1.0, 2.0, 3.0])
    windows = y.unfold(0, 2, 1)
    windows[0, 1] = 9.0
    assert windows.tolist() == [[1.0, 9.0], [9.0, 3.0]]


# -- changes of shape in place --------------------------------------------------------------------


def test_a_tensor_reshaped_in_place_keeps_its_past_and_its_views() -> None:
    x, w = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf(10.0)
    y = x * 1.0
    row, column = y[0], y.T[0]
    y.reshape_([4])
    y[0] = w
    assert row.tolist() == [10.0, 2.0]
    assert column.tolist() == [10.0, 3.0]
    row.multiply_(dg.to_tensor([3.0, 5.0], dtype="float64"))
    y.transpose_([0]).unsqueeze_([1, 0]).squeeze_(0)
    assert y.tolist() == [[30.0], [10.0], [3.0], [4.0]]
    (y.sum() + column.sum()).backward()
    assert x.grad.tolist() == [[0.0, 5.0], [2.0, 1.0]]
    assert w.grad.item() == 6.0


def test_a_view_reshaped_in_place_still_writes_into_its_base() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x * 1.0
    part = y[1]
    part.unsqueeze_(1)
    part[0] = 7.0
    assert y.tolist() == [[1.0, 2.0], [7.0, 4.0]]
    (y * y).sum().backward()
    assert x.grad.tolist() == [[2.0, 4.0], [0.0, 8.0]]


def test_a_computed_tensor_is_reshaped_with_gradients_off_and_keeps_its_past() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = x * 3.0
    with dg.no_grad():
        y.flatten_()
    (y * dg.to_tensor([1.0, 2.0, 3.0, 4.0], dtype="float64")).sum().backward()
    assert x.grad.tolist() == [[3.0, 6.0], [9.0, 12.0]]


def test_a_leaf_reshaped_with_gradients_off_takes_its_gradient_along() -> None:
    x = leaf([[1.0, 2.0]])
    (x * x).sum().backward()
    with dg.no_grad():
        x.t_()
    assert x.grad.tolist() == [[2.0], [4.0]]
    (x * x).sum().backward()
    assert x.grad.tolist() == [[4.0], [8.0]]
