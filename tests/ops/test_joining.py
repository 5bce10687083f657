"""Joining, taking apart, repeating and rolling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from tests.ops.drawn import numbers

Array = np.ndarray[Any, Any]


# -- properties -----------------------------------------------------------------------------------


@st.composite
def parts(draw: st.DrawFn) -> tuple[list[Array], int]:
    """Arrays that differ in size along one axis, and that axis."""
    shape = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    axis = draw(st.integers(0, len(shape) - 1))
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    return [numbers((*shape[:axis], n, *shape[axis + 1 :])) for n in sizes], axis


@given(parts())
def test_split_undoes_concat(drawn: tuple[list[Array], int]) -> None:
    arrays, axis = drawn
    joined = dg.concat([dg.to_tensor(a) for a in arrays], axis)
    np.testing.assert_array_equal(joined.numpy(), np.concatenate(arrays, axis))
    pieces = dg.split(joined, [a.shape[axis] for a in arrays], axis)
    for piece, array in zip(pieces, arrays, strict=True):
        np.testing.assert_array_equal(piece.numpy(), array)


@given(parts(), st.data())
def test_gradients_of_concat_and_split_reach_their_own_part(
    drawn: tuple[list[Array], int], data: st.DataObject
) -> None:
    arrays, axis = drawn
    xs = [dg.to_tensor(a, stop_gradient=False) for a in arrays]
    joined = dg.concat(xs, axis)
    used = data.draw(st.sampled_from(range(len(arrays))))
    part = dg.split(joined, [a.shape[axis] for a in arrays], axis)[used]
    (part * part).sum().backward()
    for i, (x, a) in enumerate(zip(xs, arrays, strict=True)):
        np.testing.assert_array_equal(x.grad.numpy(), 2 * a if i == used else 0 * a)


@given(st.data())
def test_unbind_undoes_stack(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(0, 3), max_size=3)))
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    arrays = [numbers(shape) + 100 * i for i in range(data.draw(st.integers(1, 3)))]
    x = dg.stack([dg.to_tensor(a) for a in arrays], axis)
    np.testing.assert_array_equal(x.numpy(), np.stack(arrays, axis))
    for taken in (dg.unbind(x, axis), dg.unstack(x, axis)):
        for out, array in zip(taken, arrays, strict=True):
            np.testing.assert_array_equal(out.numpy(), array)
    for view, copy in zip(dg.unbind(x, axis), dg.unstack(x, axis), strict=True):
        assert np.shares_memory(view._data, x._data) == (view.size > 0)
        assert not np.shares_memory(copy._data, x._data)


@given(st.data())
def test_tile_repeats_as_numpy_and_sums_its_gradient(data: st.DataObject) -> None:
    values = numbers(tuple(data.draw(st.lists(st.integers(0, 3), max_size=3))))
    times = data.draw(st.lists(st.integers(0, 3), max_size=4))
    x = dg.to_tensor(values, stop_gradient=False)
    out = dg.tile(x, times)
    np.testing.assert_array_equal(out.numpy(), np.tile(values, times))
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full_like(values, math.prod(times)))


@given(st.data())
def test_repeat_interleave_repeats_as_numpy(data: st.DataObject) -> None:
    values = numbers(tuple(data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))))
    axis = data.draw(st.integers(-values.ndim, values.ndim - 1))
    size = values.shape[axis]
    counts = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    x = dg.to_tensor(values)
    out = dg.repeat_interleave(x, dg.to_tensor(np.array(counts, int)), axis)
    np.testing.assert_array_equal(out.numpy(), np.repeat(values, counts, axis))
    out = dg.repeat_interleave(x, 2, axis)
    np.testing.assert_array_equal(out.numpy(), np.repeat(values, 2, axis))


@given(st.integers(0, 9), st.lists(st.integers(-12, 12), max_size=3) | st.integers(1, 12))
def test_tensor_split_cuts_where_numpy_does(size: int, places: list[int] | int) -> None:
    values = numbers((size,))
    pieces = dg.tensor_split(dg.to_tensor(values), places)
    for piece, expected in zip(pieces, np.array_split(values, places), strict=True):
        np.testing.assert_array_equal(piece.numpy(), expected)


@given(st.data())
def test_roll_moves_as_numpy_and_back(data: st.DataObject) -> None:
    values = numbers(tuple(data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))))
    axes = data.draw(st.lists(st.integers(-values.ndim, values.ndim - 1), min_size=1, max_size=3))
    shifts = data.draw(st.lists(st.integers(-5, 5), min_size=len(axes), max_size=len(axes)))
    out = dg.roll(dg.to_tensor(values), shifts, axes)
    np.testing.assert_array_equal(out.numpy(), np.roll(values, shifts, axes))
    back = dg.roll(out, [-s for s in shifts], axes)
    np.testing.assert_array_equal(back.numpy(), values)


# -- concat and stack -----------------------------------------------------------------------------


def test_the_axis_may_be_a_tensor_or_count_from_the_end() -> None:
    x = dg.to_tensor([[1, 2]])
    for axis in (1, -1, dg.to_tensor(1), dg.to_tensor([1])):
        assert dg.concat([x, x], axis).tolist() == [[1, 2, 1, 2]]
    assert dg.stack([x, x], dg.to_tensor(-1)).shape == [1, 2, 2]
    assert [p.shape for p in dg.split(x, 2, dg.to_tensor(1))] == [[1, 1], [1, 1]]


@pytest.mark.parametrize("join", [dg.concat, dg.stack])
def test_dtypes_that_do_not_go_together_are_not_joined(join: Any) -> None:
    for other in (dg.to_tensor([3.0]), dg.to_tensor([3], dtype="int32")):
        with pytest.raises(ValueError, match=r"the dtypes are int64, .*expected one dtype"):
            join([dg.to_tensor([1]), other])
    with pytest.raises(ValueError, match="the dtypes are float32, float64"):
        join([dg.to_tensor([1.0]), dg.to_tensor([1.0], dtype="float64")])


@pytest.mark.parametrize("join", [dg.concat, dg.stack])
def test_only_lists_of_tensors_are_joined(join: Any) -> None:
    for wrong in ([], dg.to_tensor([1]), 3):
        with pytest.raises(ValueError, match="expected a list of tensors"):
            join(wrong)
    with pytest.raises(TypeError, match=r"x\[1\] is list \[3\]; expected a Tensor"):
        join([dg.to_tensor([1]), [3]])


def test_zero_dimensional_tensors_are_stacked_not_concatenated() -> None:
    x = dg.to_tensor(1)
    assert dg.stack([x, x]).tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"\[concat\] x has a 0-d tensor.*use stack"):
        dg.concat([x, x])


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match=r"\[concat\] given int64 \[1, 2\], int64 \[1, 1\]"):
        dg.concat([dg.to_tensor([[1, 2]]), dg.to_tensor([[3]])])
    with pytest.raises(ValueError, match=r"\[stack\] given int64 \[2\], int64 \[1\]"):
        dg.stack([dg.to_tensor([1, 2]), dg.to_tensor([3])])
    with pytest.raises(ValueError, match=r"\[concat\] axis is 1"):
        dg.concat([dg.to_tensor([1])], 1)
    with pytest.raises(ValueError, match=r"\[stack\] axis is -3"):
        dg.stack([dg.to_tensor([1])], -3)


def test_one_tensor_joined_is_a_copy() -> None:
    x = dg.to_tensor([1.0, 2.0])
    for out in (dg.concat([x]), dg.stack([x]), dg.tile(x, [1])):
        assert not np.shares_memory(out._data, x._data)


def test_a_tensor_joined_with_itself_gets_both_gradients() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    (dg.concat([x, x]) * dg.to_tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert x.grad.tolist() == [4.0, 6.0]


def test_side_by_side_and_below_each_other() -> None:
    x, y = dg.to_tensor([1, 2]), dg.to_tensor([3, 4])
    assert dg.hstack([x, y]).tolist() == [1, 2, 3, 4]
    assert dg.vstack([x, y]).tolist() == dg.row_stack([x, y]).tolist() == [[1, 2], [3, 4]]
    assert dg.dstack([x, y]).tolist() == [[[1, 3], [2, 4]]]
    assert dg.column_stack([x, y]).tolist() == [[1, 3], [2, 4]]
    assert dg.hstack([dg.to_tensor(1), dg.to_tensor(2)]).tolist() == [1, 2]


def test_axes_are_added_up_to_a_number() -> None:
    x = dg.to_tensor([1, 2])
    assert dg.atleast_1d(3).tolist() == [3]
    assert [out.shape for out in dg.atleast_2d(x, 3)] == [[1, 2], [1, 1]]
    assert [out.shape for out in dg.atleast_3d(x, 3, dg.zeros([2, 3]))] == [
        [1, 2, 1],
        [1, 1, 1],
        [2, 3, 1],
    ]
    assert dg.atleast_1d(x) is x


def test_blocks_along_the_diagonal() -> None:
    blocks = [dg.to_tensor([[1, 2]]), dg.to_tensor(3), dg.to_tensor([4, 5])]
    assert dg.block_diag(blocks).tolist() == [[1, 2, 0, 0, 0], [0, 0, 3, 0, 0], [0, 0, 0, 4, 5]]
    with pytest.raises(ValueError, match="at most two axes"):
        dg.block_diag([dg.zeros([1, 1, 1])])


# -- taking apart ---------------------------------------------------------------------------------


def test_split_takes_a_number_or_sizes() -> None:
    x = dg.to_tensor([0, 1, 2, 3, 4, 5])
    assert [p.tolist() for p in x.split(3)] == [[0, 1], [2, 3], [4, 5]]
    assert [p.tolist() for p in x.split([1, -1, 3])] == [[0], [1, 2], [3, 4, 5]]
    assert [p.tolist() for p in x.split([-1])] == [[0, 1, 2, 3, 4, 5]]
    assert [p.tolist() for p in x.split([dg.to_tensor(1), 0, 5])] == [[0], [], [1, 2, 3, 4, 5]]
    assert not np.shares_memory(x.split(2)[0]._data, x._data)
    assert [p.shape for p in dg.split(dg.zeros([0, 3]), 2)] == [[0, 3], [0, 3]]


@pytest.mark.parametrize(
    "sections", [4, 0, -1, [1, 2], [1, 2, 4], [1, -1, -1], [1, -1, 6], [-2, 8]]
)
def test_split_refuses_what_does_not_add_up(sections: Any) -> None:
    with pytest.raises(ValueError, match=r"\[split\].* size 6"):
        dg.zeros([6]).split(sections)


def test_split_refuses_what_is_no_number() -> None:
    with pytest.raises(TypeError, match=r"\[split\] num_or_sections is float 2.5"):
        dg.zeros([6]).split(2.5)
    with pytest.raises(ValueError, match="0-d"):
        dg.to_tensor(5).split(1)


def test_chunk_wants_equal_parts() -> None:
    assert [p.tolist() for p in dg.to_tensor([1, 2, 3, 4]).chunk(2)] == [[1, 2], [3, 4]]
    for chunks in (3, 0, -2):
        with pytest.raises(ValueError, match="divides"):
            dg.zeros([4]).chunk(chunks)


def test_splits_named_after_their_axis() -> None:
    x = dg.to_tensor(np.arange(6).reshape(1, 2, 3))
    assert [p.shape for p in dg.hsplit(x, 2)] == [[1, 1, 3], [1, 1, 3]]
    assert [p.shape for p in dg.vsplit(x, [0])] == [[0, 2, 3], [1, 2, 3]]
    assert [p.shape for p in dg.dsplit(x, [1])] == [[1, 2, 1], [1, 2, 2]]
    assert [p.tolist() for p in dg.hsplit(dg.to_tensor([1, 2, 3]), 2)] == [[1, 2], [3]]
    for split, least in ((dg.hsplit, 1), (dg.vsplit, 2), (dg.dsplit, 3)):
        with pytest.raises(ValueError, match=f"expected at least {least} axes"):
            split(dg.zeros([2] * (least - 1)), 1)
    with pytest.raises(ValueError, match="expected a positive int"):
        dg.tensor_split(x, 0)


def test_unbind_gives_views_that_follow_writes() -> None:
    x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])
    left, right = x.unbind(1)
    left[0] = 9.0
    x[:, 1] = 7.0
    assert x.tolist() == [[9.0, 7.0], [3.0, 7.0]]
    assert right.tolist() == [7.0, 7.0]
    assert [p.shape for p in dg.unbind(dg.to_tensor([1, 2]))] == [[], []]
    assert dg.unbind(dg.zeros([0, 2])) == dg.unstack(dg.zeros([0, 2])) == []


def test_unbind_and_unstack_refuse_axes_that_do_not_exist() -> None:
    with pytest.raises(ValueError, match=r"\[unbind\].*0-d"):
        dg.unbind(dg.to_tensor(5))
    with pytest.raises(ValueError, match=r"\[unbind\] axis is 2"):
        dg.unbind(dg.zeros([2, 2]), 2)
    with pytest.raises(ValueError, match=r"axis 0 has size 2, num is 3"):
        dg.unstack(dg.zeros([2, 2]), 0, 3)
    assert len(dg.unstack(dg.zeros([2, 2]), 0, 2)) == 2


# -- repeating ------------------------------------------------------------------------------------


def test_tile_takes_ints_lists_and_tensors() -> None:
    x = dg.to_tensor([1, 2])
    assert x.tile(2).tolist() == x.tile([2]).tolist() == x.tile(dg.to_tensor([2])).tolist()
    assert x.tile([dg.to_tensor(2), 1]).tolist() == [[1, 2], [1, 2]]
    assert dg.to_tensor(5).tile([]).item() == 5
    with pytest.raises(ValueError, match=r"\[tile\] repeat_times is \[-1\]"):
        x.tile([-1])


def test_repeat_interleave_without_an_axis_is_flat() -> None:
    x = dg.to_tensor([[1, 2], [3, 4]])
    assert x.repeat_interleave(2).tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert x.repeat_interleave(dg.to_tensor([1, 2, 0, 1])).tolist() == [1, 2, 2, 4]
    assert dg.to_tensor(5).repeat_interleave(2).tolist() == [5, 5]


def test_repeat_interleave_adds_up_its_gradient() -> None:
    x = dg.to_tensor([1.0, 2.0, 3.0], stop_gradient=False)
    x.repeat_interleave(dg.to_tensor([2, 0, 1])).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "repeats", [0, -1, dg.to_tensor([1, -2]), dg.to_tensor([1]), dg.to_tensor(2)]
)
def test_repeat_interleave_refuses_numbers_that_do_not_fit(repeats: Any) -> None:
    with pytest.raises(ValueError, match="repeat"):
        dg.to_tensor([[1, 2], [3, 4]]).repeat_interleave(repeats, 0)


def test_repeat_interleave_refuses_what_is_no_integer() -> None:
    x = dg.to_tensor([1, 2])
    for repeats in ([1, 2], 1.5, dg.to_tensor([1.0, 2.0])):
        with pytest.raises(TypeError, match=r"\[repeat_interleave\]"):
            x.repeat_interleave(repeats, 0)
    with pytest.raises(ValueError, match="output_size is 3"):
        x.repeat_interleave(2, 0, output_size=3)
    assert x.repeat_interleave(2, 0, output_size=4).shape == [4]


def test_roll_without_an_axis_is_flat() -> None:
    x = dg.to_tensor([[0, 1, 2], [3, 4, 5]])
    assert x.roll(1).tolist() == [[5, 0, 1], [2, 3, 4]]
    assert x.roll(dg.to_tensor([1, 2]), [0, 1]).tolist() == [[4, 5, 3], [1, 2, 0]]
    assert dg.to_tensor(5).roll(1).item() == 5
    with pytest.raises(ValueError, match="expected one shift"):
        x.roll([1, 2])
    with pytest.raises(ValueError, match="as many shifts as axes"):
        x.roll([1, 2], 0)
    with pytest.raises(ValueError, match=r"\[roll\] axis is 2"):
        x.roll(1, 2)
