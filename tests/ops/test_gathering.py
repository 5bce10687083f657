"""Picking and putting by tensors of indices and by masks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import Tensor
from tests.ops.drawn import numbers

Array = np.ndarray[Any, Any]


def table() -> Tensor:
    return dg.to_tensor(np.arange(12.0).reshape(3, 4), dtype="float32")


def at(*index: Any) -> Tensor:
    return dg.to_tensor(list(index))


# -- properties -----------------------------------------------------------------------------------


@st.composite
def along_axis(draw: st.DrawFn) -> tuple[Array, Array, int]:
    """An array, indices that take_along_axis accepts for it, and the axis."""
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    axis = draw(st.integers(0, len(shape) - 1))
    sizes = [n if draw(st.booleans()) else 1 for n in shape]
    sizes[axis] = draw(st.integers(0, 4))
    count, n = math.prod(sizes), shape[axis]
    drawn = draw(st.lists(st.integers(-n, n - 1), min_size=count, max_size=count))
    return numbers(tuple(shape)), np.array(drawn, int).reshape(sizes), axis


def grid(index: Array, shape: tuple[int, ...], axis: int) -> tuple[Any, ...]:
    """The same indices in numpy's words."""
    places: list[Any] = list(np.ogrid[tuple(slice(n) for n in shape)])
    places[axis] = index
    return tuple(places)


@given(along_axis())
def test_take_along_axis_takes_as_numpy(drawn: tuple[Array, Array, int]) -> None:
    values, index, axis = drawn
    out = dg.take_along_axis(dg.to_tensor(values), dg.to_tensor(index), axis)
    np.testing.assert_array_equal(out.numpy(), values[grid(index, values.shape, axis)])


REDUCTIONS: dict[str, Callable[[list[float]], float]] = {
    "assign": lambda v: v[-1],
    "add": sum,
    "mul": math.prod,
    "mean": lambda v: sum(v) / len(v),
    "amin": min,
    "amax": max,
}


@given(along_axis(), st.sampled_from(sorted(REDUCTIONS)), st.booleans())
def test_put_along_axis_reduces_what_meets(
    drawn: tuple[Array, Array, int], reduce: str, include_self: bool
) -> None:
    values, index, axis = drawn
    places = grid(index, values.shape, axis)
    shape = np.broadcast_shapes(*[p.shape for p in places])
    put = -numbers(shape)
    met: dict[tuple[int, ...], list[float]] = {}
    for place in np.ndindex(shape):
        target = tuple(
            int(np.broadcast_to(p, shape)[place]) % n
            for p, n in zip(places, values.shape, strict=True)
        )
        met.setdefault(target, [values[target]] if include_self else []).append(put[place])
    expected = values.copy()
    for target, values_there in met.items():
        expected[target] = REDUCTIONS[reduce](values_there)
    x, i, v = map(dg.to_tensor, (values, index, put))
    out = dg.put_along_axis(x, i, v, axis, reduce, include_self)
    np.testing.assert_allclose(out.numpy(), expected)
    np.testing.assert_array_equal(x.numpy(), values)


@given(st.data())
def test_scatter_nd_add_undoes_gather_nd(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple))
    k = data.draw(st.integers(0, len(shape)))
    points = data.draw(
        st.lists(st.tuples(*[st.integers(-n, n - 1) for n in shape[:k]]), min_size=1, max_size=4)
    )
    index = np.array(points, int).reshape(len(points), k)
    values = numbers(shape)
    x = dg.to_tensor(values, stop_gradient=False)
    taken = dg.gather_nd(x, dg.to_tensor(index))
    expected = np.stack([values[point] for point in points])
    np.testing.assert_array_equal(taken.numpy(), expected)
    counts = np.zeros(shape)
    for point in points:
        counts[point] += 1
    added = dg.scatter_nd_add(dg.to_tensor(values), dg.to_tensor(index), taken.detach())
    np.testing.assert_array_equal(added.numpy(), values * (1 + counts))
    taken.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), counts)


@given(st.data())
def test_masks_select_fill_and_scatter_as_numpy(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(0, 3), max_size=3).map(tuple))
    drawn = data.draw(st.lists(st.booleans(), min_size=math.prod(shape), max_size=math.prod(shape)))
    mask = np.array(drawn, bool).reshape(shape)
    values = numbers(shape)
    x, m = dg.to_tensor(values), dg.to_tensor(mask)
    np.testing.assert_array_equal(dg.masked_select(x, m).numpy(), values[mask])
    np.testing.assert_array_equal(dg.masked_fill(x, m, -1.0).numpy(), np.where(mask, -1.0, values))
    np.testing.assert_array_equal(dg.where(m, x, -x).numpy(), np.where(mask, values, -values))
    given = -numbers((mask.size + 1,))
    expected = values.copy()
    expected[mask] = given[: mask.sum()]
    out = dg.masked_scatter(x, m, dg.to_tensor(given))
    np.testing.assert_array_equal(out.numpy(), expected)


# -- gather and its kin ---------------------------------------------------------------------------


def test_gather_takes_rows_or_along_an_axis() -> None:
    x = table()
    assert dg.gather(x, at(2, 0)).tolist() == [[8.0, 9.0, 10.0, 11.0], [0.0, 1.0, 2.0, 3.0]]
    assert dg.gather(x, at(2, 0), 1).tolist() == [[2.0, 0.0], [6.0, 4.0], [10.0, 8.0]]
    assert dg.gather(x, at([2], [-1]), dg.to_tensor(-1)).tolist() == [
        [2.0, 3.0],
        [6.0, 7.0],
        [10.0, 11.0],
    ]
    assert dg.gather(x, dg.to_tensor(1)).tolist() == [4.0, 5.0, 6.0, 7.0]
    assert dg.gather(x, dg.to_tensor([], dtype="int64")).shape == [0, 4]
    assert dg.gather(x, dg.to_tensor([1], dtype="int32"), 1).shape == [3, 1]


def test_index_select_and_index_sample() -> None:
    x = table()
    assert dg.index_select(x, at(-1), 1).tolist() == [[3.0], [7.0], [11.0]]
    assert dg.index_sample(x, at([0, 1], [2, 3], [1, 1])).tolist() == [
        [0.0, 1.0],
        [6.0, 7.0],
        [9.0, 9.0],
    ]


def test_gather_nd_takes_points_and_slices() -> None:
    x = table()
    assert dg.gather_nd(x, at([1, 2], [0, -1])).tolist() == [6.0, 3.0]
    assert dg.gather_nd(x, at([1], [0])).shape == [2, 4]
    assert dg.gather_nd(x, at(1, 2)).item() == 6.0
    assert dg.gather_nd(x, dg.zeros([2, 0], "int64")).shape == [2, 3, 4]


def test_take_sees_the_tensor_flat() -> None:
    x = table()
    assert dg.take(x, at([0, -1])).tolist() == [[0.0, 11.0]]
    assert dg.take(x, at(13, -14), "wrap").tolist() == [1.0, 10.0]
    assert dg.take(x, at(13, -14), "clip").tolist() == [11.0, 0.0]
    assert dg.take(x, dg.to_tensor(2)).item() == 2.0
    with pytest.raises(ValueError, match=r"\[take\] mode is 'foo'"):
        dg.take(x, at(0), "foo")


def test_multiplex_takes_each_row_from_the_named_tensor() -> None:
    x, y = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]]), dg.to_tensor([[5.0, 6.0], [7.0, 8.0]])
    for index in (at([1], [0]), at(1, 0)):
        assert dg.multiplex([x, y], index).tolist() == [[5.0, 6.0], [3.0, 4.0]]
    with pytest.raises(IndexError):
        dg.multiplex([x, y], at([1], [2]))
    with pytest.raises(ValueError, match=r"\[multiplex\]"):
        dg.multiplex([x[0], y[0]], at([1], [0]))
    with pytest.raises(ValueError, match=r"\[multiplex\]"):
        dg.multiplex([x, y], at([1], [0], [0]))


OUT_OF_RANGE: list[Callable[[Tensor], Any]] = [
    lambda x: dg.gather(x, at(3)),
    lambda x: dg.gather(x, at(-5), 1),
    lambda x: dg.index_select(x, at(4), 1),
    lambda x: dg.index_sample(x, at([0], [4], [0])),
    lambda x: dg.gather_nd(x, at([1, 4])),
    lambda x: dg.take(x, at(12)),
    lambda x: dg.take_along_axis(x, at([0], [0], [4]), 1),
    lambda x: dg.put_along_axis(x, at([0], [0], [-5]), 1.0, 1),
    lambda x: dg.put_along_axis(x, at([0], [0], [4]), 1.0, 1, "amax"),
    lambda x: dg.index_add(x, at(3), 0, dg.ones([1, 4])),
    lambda x: dg.index_fill(x, at(3), 0, 1.0),
    lambda x: dg.index_put(x, (at(0), at(4)), dg.to_tensor(1.0)),
    lambda x: dg.scatter(x, at(-4), dg.ones([1, 4])),
    lambda x: dg.scatter(x, at(3), dg.ones([1, 4]), overwrite=False),
    lambda x: dg.scatter_nd_add(x, at([3]), dg.ones([1, 4])),
    lambda x: dg.scatter_nd(at([3]), dg.ones([1]), [3]),
]


@pytest.mark.parametrize("call", OUT_OF_RANGE)
def test_indices_out_of_range_are_refused(call: Callable[[Tensor], Any]) -> None:
    with pytest.raises(IndexError, match=r"^\[.*out of bounds"):
        call(table())


NOT_INTEGER: list[Callable[[Tensor], Any]] = [
    lambda x: dg.gather(x, at(1.0)),
    lambda x: dg.index_select(x, at(True)),
    lambda x: dg.index_sample(x, at([1.0], [1.0], [1.0])),
    lambda x: dg.gather_nd(x, at([1.0, 0.0])),
    lambda x: dg.take(x, at(1.0)),
    lambda x: dg.take_along_axis(x, at([0.0]), 1),
    lambda x: dg.put_along_axis(x, at([0.0]), 1.0, 1),
    lambda x: dg.index_add(x, at(1.0), 0, dg.ones([1, 4])),
    lambda x: dg.index_put(x, (at(1.0),), dg.to_tensor(1.0)),
    lambda x: dg.index_put(x, at(1), dg.to_tensor(1.0)),
    lambda x: dg.index_put(x, (1,), dg.to_tensor(1.0)),
    lambda x: dg.scatter(x, at(1.0), dg.ones([1, 4])),
]


@pytest.mark.parametrize("call", NOT_INTEGER)
def test_indices_that_are_not_integer_are_refused(call: Callable[[Tensor], Any]) -> None:
    with pytest.raises(TypeError, match=r"integer|expected ints"):
        call(table())


DO_NOT_FIT: list[Callable[[Tensor], Any]] = [
    lambda x: dg.gather(x, at([2, 1])),
    lambda x: dg.gather(x, at(0), 2),
    lambda x: dg.gather(dg.to_tensor(1.0), at(0)),
    lambda x: dg.index_select(x, dg.to_tensor(0)),
    lambda x: dg.index_sample(x, at([0, 1], [2, 3])),
    lambda x: dg.index_sample(x, at(0, 1, 2)),
    lambda x: dg.gather_nd(x, at([1, 2, 3])),
    lambda x: dg.index_add(x, at(0), 0, dg.ones([2, 4])),
    lambda x: dg.index_add(x, at(0, 1), 0, dg.ones([2, 1])),
    lambda x: dg.index_fill(x, at(0), 1, dg.to_tensor([1.0])),
    lambda x: dg.index_put(x, (at(0, 1), at(1, 2)), dg.to_tensor([5.0, 6.0, 7.0])),
    lambda x: dg.scatter(x, at(1), dg.ones([1, 3])),
    lambda x: dg.scatter(x, at(1, 0), dg.ones([1, 4])),
    lambda x: dg.scatter_nd_add(x, at([0], [1]), dg.ones([2])),
    lambda x: dg.take_along_axis(x, at(0), 1),
    lambda x: dg.take_along_axis(x, at([0], [1]), 1),
    lambda x: dg.take_along_axis(x, at([0], [1], [0], [1]), 1, broadcast=False),
    lambda x: dg.take_along_axis(x, at([0]), 2),
    lambda x: dg.put_along_axis(x, at([0]), 1.0, 1, "foo"),
    lambda x: dg.put_along_axis(x, at([0]), dg.to_tensor([[1.0, 2.0]]), 1),
    lambda x: dg.put_along_axis(x, at([0, 1]), dg.to_tensor([[1.0]]), 1, broadcast=False),
    lambda x: dg.masked_fill(x, dg.to_tensor([True, False]), 1.0),
    lambda x: dg.masked_fill(x, x > 2, dg.to_tensor([1.0, 2.0])),
    lambda x: dg.masked_select(x, dg.to_tensor([True, False])),
    lambda x: dg.masked_scatter(x, x > 2, dg.to_tensor([1.0, 2.0])),
    lambda x: dg.where(x > 2, x),
    lambda x: dg.where(x, x, x),
    lambda x: dg.where(x > 2, x, dg.to_tensor([1.0, 2.0])),
    lambda x: dg.nonzero(dg.to_tensor(5)),
]


@pytest.mark.parametrize("call", DO_NOT_FIT)
def test_shapes_and_modes_that_do_not_fit_are_refused(call: Callable[[Tensor], Any]) -> None:
    with pytest.raises(ValueError, match=r"^\["):
        call(table())


@pytest.mark.parametrize(
    "call",
    [
        lambda x: dg.index_add(x, at(0), 0, at([1, 1, 1, 1])),
        lambda x: dg.scatter(x, at(0), at([1, 1, 1, 1])),
        lambda x: dg.put_along_axis(x, at([0]), at([9]), 1),
        lambda x: dg.masked_fill(x, at(1.0, 0.0, 1.0, 0.0), 1.0),
        lambda x: dg.masked_fill(x, x > 2, dg.to_tensor(9)),
        lambda x: dg.masked_scatter(x, x > 2, dg.to_tensor([9] * 12)),
        lambda x: dg.where(x > 2, x, dg.to_tensor(1)),
    ],
)
def test_dtypes_that_do_not_go_together_are_refused(call: Callable[[Tensor], Any]) -> None:
    with pytest.raises(TypeError, match=r"^\["):
        call(table())


# -- putting --------------------------------------------------------------------------------------


def test_scatter_lets_the_last_stay_or_adds_up() -> None:
    x, index = table(), at(2, 2)
    updates = dg.to_tensor([[1.0] * 4, [2.0] * 4])
    assert dg.scatter(x, index, updates)[2].tolist() == [2.0] * 4
    assert dg.scatter(x, index, updates, overwrite=False)[2].tolist() == [3.0] * 4
    assert dg.scatter(x, at(-1), updates)[2].tolist() == [1.0] * 4
    assert dg.scatter(x, at([0], [1]), updates)[1].tolist() == [2.0] * 4
    assert dg.scatter(x, dg.to_tensor(1), dg.ones([4]))[1].tolist() == [1.0] * 4
    assert x.tolist() == table().tolist()


def test_scatter_gives_gradients_to_what_stayed() -> None:
    for overwrite, expected in ((True, [0.0, 1.0]), (False, [1.0, 1.0])):
        x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
        v = dg.to_tensor([5.0, 6.0], stop_gradient=False)
        dg.scatter(x, at(1, 1), v, overwrite).sum().backward()
        assert x.grad.tolist() == [1.0, 0.0]
        assert v.grad.tolist() == expected


def test_scatter_nd_adds_to_zeros() -> None:
    assert dg.scatter_nd(at([1], [1], [-4]), dg.to_tensor([1.0, 2.0, 3.0]), [4]).tolist() == [
        3.0,
        3.0,
        0.0,
        0.0,
    ]
    assert dg.scatter_nd(at(1), dg.to_tensor(2), [3]).tolist() == [0, 2, 0]
    assert dg.scatter_nd(at([1, 1]), dg.to_tensor([2.0]), dg.to_tensor([2, 2])).tolist() == [
        [0.0, 0.0],
        [0.0, 2.0],
    ]
    assert dg.scatter_nd(dg.zeros([2, 0], "int64"), dg.ones([2, 3]), [3]).tolist() == [2.0] * 3


def test_index_add_counts_every_occurrence() -> None:
    x = dg.zeros([3])
    assert dg.index_add(x, at(0, 0, -1), 0, dg.to_tensor([1.0, 2.0, 3.0]), alpha=2).tolist() == [
        6.0,
        0.0,
        6.0,
    ]
    v = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    dg.index_add(x, at(0, 0), 0, v, alpha=3).sum().backward()
    assert v.grad.tolist() == [3.0, 3.0]


def test_index_put_assigns_or_accumulates() -> None:
    x = dg.zeros([2, 3])
    index = (at(0, 0), at(1, 1))
    assert dg.index_put(x, index, dg.to_tensor([5.0, 6.0])).tolist() == [[0.0, 6.0, 0.0], [0.0] * 3]
    assert dg.index_put(x, index, dg.to_tensor([5.0, 6.0]), True).tolist() == [
        [0.0, 11.0, 0.0],
        [0.0] * 3,
    ]
    assert dg.index_put(x, [dg.to_tensor([True, False])], dg.to_tensor(2.0)).tolist() == [
        [2.0] * 3,
        [0.0] * 3,
    ]
    assert dg.index_put(x, (at(1),), dg.to_tensor(1.0), True)[1].tolist() == [1.0] * 3


def test_index_fill_takes_numbers_and_tensors() -> None:
    x = dg.zeros([2, 3])
    assert dg.index_fill(x, at(0, -1), 1, 7).tolist() == [[7.0, 0.0, 7.0]] * 2
    v = dg.to_tensor(5.0, stop_gradient=False)
    dg.index_fill(x, at(0), 0, v).sum().backward()
    assert v.grad.item() == 3.0


def test_put_along_axis_broadcasts_or_speaks_of_the_front() -> None:
    x = dg.to_tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    assert dg.put_along_axis(x, at([0]), dg.to_tensor([[7.0], [8.0]]), 1).tolist() == [
        [7.0, 1.0, 2.0],
        [8.0, 4.0, 5.0],
    ]
    front = dg.put_along_axis(x, at([0]), dg.to_tensor([[9.0, 8.0]]), 1, broadcast=False)
    assert front.tolist() == [[9.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert dg.take_along_axis(x, at([0]), 1, broadcast=False).tolist() == [[0.0]]
    assert dg.put_along_axis(at([1, 2, 3]), at([0, 0]), at([4, 5]), 1, "mean").tolist() == [
        [3, 2, 3]
    ]
    assert dg.put_along_axis(
        at([1, 2]), at([0]), at([-3]), 1, "amax", include_self=False
    ).tolist() == [[-3, 2]]


@pytest.mark.parametrize(
    ("reduce", "values", "x_grad", "v_grad"),
    [
        ("assign", [4.0, 5.0], [0.0, 1.0], [0.0, 1.0]),
        ("add", [4.0, 5.0], [1.0, 1.0], [1.0, 1.0]),
        ("mul", [4.0, 5.0], [20.0, 1.0], [5.0, 4.0]),
        ("mul", [0.0, 5.0], [0.0, 1.0], [5.0, 0.0]),
        ("mul", [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]),
        ("mean", [4.0, 5.0], [1 / 3, 1.0], [1 / 3, 1 / 3]),
        ("amin", [1.0, 1.0], [1 / 3, 1.0], [1 / 3, 1 / 3]),
        ("amax", [4.0, 4.0], [0.0, 1.0], [0.5, 0.5]),
    ],
)
def test_put_along_axis_shares_its_gradient(
    reduce: str, values: list[float], x_grad: list[float], v_grad: list[float]
) -> None:
    x = dg.to_tensor([[1.0, 2.0]], stop_gradient=False)
    v = dg.to_tensor([values], stop_gradient=False)
    dg.put_along_axis(x, at([0, 0]), v, 1, reduce).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [x_grad], rtol=1e-6)
    np.testing.assert_allclose(v.grad.numpy(), [v_grad], rtol=1e-6)


# -- masks ----------------------------------------------------------------------------------------


def test_where_with_numbers_takes_the_others_dtype() -> None:
    c = dg.to_tensor([True, False])
    assert dg.where(c, dg.to_tensor([1.0, 2.0]), 0).tolist() == [1.0, 0.0]
    assert dg.where(c, 1.0, 0.0).dtype == dg.float32
    assert dg.where(c, 1, 0).dtype == dg.int64
    assert dg.where(c, True, False).tolist() == [True, False]
    wide = dg.where(c, dg.to_tensor([1.0, 2.0]), dg.to_tensor([3.0], dtype="float64"))
    assert wide.dtype == dg.float64


def test_where_of_a_condition_alone_gives_the_places() -> None:
    rows, columns = dg.where(dg.to_tensor([[1, 0], [0, 2]]))
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 1])
    assert rows.dtype == dg.int64
    assert dg.nonzero(dg.to_tensor([[1, 0], [0, 2]])).tolist() == [[0, 0], [1, 1]]
    assert dg.argwhere(dg.to_tensor([False, True])).tolist() == [[1]]
    assert dg.nonzero(dg.zeros([2, 3])).shape == [0, 2]


def test_where_gives_gradients_to_the_side_that_was_chosen() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    y = dg.to_tensor([float("nan"), float("inf")], stop_gradient=False)
    dg.where(dg.to_tensor([True, True]), x * x, y * y).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_masks_and_tensors_broadcast_against_each_other() -> None:
    x = dg.to_tensor([[0.0, 1.0], [2.0, 3.0]])
    mask = dg.to_tensor([True, False])
    assert dg.masked_select(x, mask).tolist() == [0.0, 2.0]
    assert dg.masked_select(x[0], x > 1.0).tolist() == [0.0, 1.0]
    for same in (mask, at(1, 0)):
        assert dg.masked_fill(x, same, 9).tolist() == [[9.0, 1.0], [9.0, 3.0]]
    assert dg.masked_fill(x[0], x > 1.0, 9).shape == [2, 2]
    assert dg.masked_scatter(x, mask, dg.to_tensor([7.0, 8.0])).tolist() == [[7.0, 1.0], [8.0, 3.0]]
    assert dg.masked_select(dg.to_tensor(5.0), dg.to_tensor(True)).tolist() == [5.0]
    assert dg.masked_fill(dg.to_tensor([1, 2]), dg.to_tensor([True, False]), 7.9).tolist() == [7, 2]


def test_masked_fill_passes_gradients_to_both_sides() -> None:
    x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]], stop_gradient=False)
    v = dg.to_tensor(9.0, stop_gradient=False)
    dg.masked_fill(x, x > 1.0, v).sum().backward()
    assert x.grad.tolist() == [[1.0, 0.0], [0.0, 0.0]]
    assert v.grad.item() == 3.0


# -- in place -------------------------------------------------------------------------------------


def test_in_place_methods_put_into_the_tensor_itself() -> None:
    x = table()
    assert x.scatter_(at(0), dg.ones([1, 4])) is x
    x.index_add_(at(1), 0, dg.ones([1, 4]))
    x.index_fill_(at(3), 1, 0.0)
    x.put_along_axis_(at([0], [0], [0]), 9.0, 1)
    x.masked_fill_(x > 9.0, -1.0)
    x.index_put_((at(0), at(1)), dg.to_tensor(7.0))
    assert x.tolist() == [[9.0, 7.0, 1.0, 0.0], [9.0, 6.0, 7.0, 0.0], [9.0, 9.0, -1.0, 0.0]]
