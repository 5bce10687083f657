"""x[index] and x[index] = value against numpy: values, shapes, shared memory, gradients, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import Tensor
from tests.ops.drawn import (
    SHAPES,
    as_numpy_has_it,
    fits,
    indices,
    is_basic,
    numbers,
    put_as_numpy_does,
    values_for,
)

# -- properties -----------------------------------------------------------------------------------


@given(st.data())
def test_basic_indices_are_views_with_numpys_values(data: st.DataObject) -> None:
    values = numbers(data.draw(SHAPES))
    index = data.draw(indices(values.shape, advanced=False).filter(lambda i: fits(values, i)))
    x = dg.to_tensor(values)
    out = x[index]
    expected = values[index]
    assert out.shape == list(np.shape(expected))
    np.testing.assert_array_equal(out.numpy(), expected)
    assert np.shares_memory(out._data, x._data) == (out.size > 0)


@given(st.data())
def test_all_indices_have_numpys_values(data: st.DataObject) -> None:
    values = numbers(data.draw(SHAPES))
    index = data.draw(indices(values.shape, advanced=True))
    x = dg.to_tensor(values)
    if not fits(values, index):
        with pytest.raises((IndexError, ValueError)) as refused:
            x[index]
        # ValueError is for index tensors that do not broadcast against each other, and no other.
        assert refused.type is IndexError or "expected shapes that broadcast" in str(refused.value)
        return
    out = x[index]
    expected = as_numpy_has_it(values, index)
    assert out.shape == list(expected.shape)
    np.testing.assert_array_equal(out.numpy(), expected)
    assert np.shares_memory(out._data, x._data) == (is_basic(index) and out.size > 0)


@given(st.data())
def test_writes_have_numpys_values_and_touch_nothing_else(data: st.DataObject) -> None:
    values = numbers(data.draw(SHAPES))
    index = data.draw(indices(values.shape, advanced=True).filter(lambda i: fits(values, i)))
    x = dg.to_tensor(values)
    value = data.draw(values_for(as_numpy_has_it(values, index).shape))
    x[index] = dg.to_tensor(value) if data.draw(st.booleans()) else value
    put_as_numpy_does(values, index, value)
    np.testing.assert_array_equal(x.numpy(), values)


@given(st.data())
def test_gradients_of_reading_count_every_occurrence(data: st.DataObject) -> None:
    values = numbers(data.draw(SHAPES))
    index = data.draw(indices(values.shape, advanced=True).filter(lambda i: fits(values, i)))
    x = dg.to_tensor(values, stop_gradient=False)
    out = x[index]
    weights = numbers(tuple(out.shape))
    (out * dg.to_tensor(weights)).sum().backward()
    places = as_numpy_has_it(np.arange(values.size).reshape(values.shape), index)
    expected = np.bincount(places.reshape(-1), weights.reshape(-1), minlength=values.size)
    np.testing.assert_allclose(x.grad.numpy().reshape(-1), expected)


@given(st.data())
def test_gradients_of_writing_flow_to_what_stayed(data: st.DataObject) -> None:
    values = numbers(data.draw(SHAPES))
    index = data.draw(indices(values.shape, advanced=True).filter(lambda i: fits(values, i)))
    value = data.draw(values_for(as_numpy_has_it(values, index).shape))
    x, v = dg.to_tensor(values, stop_gradient=False), dg.to_tensor(value, stop_gradient=False)
    weights = numbers(values.shape)
    y = x * 1.0
    y[index] = v
    (y * dg.to_tensor(weights)).sum().backward()

    # Write numbers of the value's elements where the value went: 0 is where none did.
    origin = np.zeros(values.shape, int)
    put_as_numpy_does(origin, index, np.arange(1, 1 + value.size).reshape(value.shape))
    np.testing.assert_allclose(x.grad.numpy(), weights * (origin == 0))
    expected = np.bincount(origin.reshape(-1), weights.reshape(-1), minlength=1 + value.size)[1:]
    np.testing.assert_allclose(v.grad.numpy().reshape(-1), expected)


@given(st.data())
def test_an_index_out_of_range_raises_and_writes_nothing(data: st.DataObject) -> None:
    values = numbers(data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)))
    axis = data.draw(st.integers(0, values.ndim - 1))
    size = values.shape[axis]
    wrong = data.draw(st.sampled_from([size, -size - 1, size + 7]))
    good = data.draw(st.integers(-size, size - 1))
    item: Any = data.draw(
        st.sampled_from([wrong, [good, wrong], dg.to_tensor([good, wrong]), dg.to_tensor(wrong)])
    )
    x = dg.to_tensor(values)
    index = (*[slice(None)] * axis, item)
    with pytest.raises(IndexError):
        x[index]
    with pytest.raises(IndexError):
        x[index] = 0.0
    np.testing.assert_array_equal(x.numpy(), values)
    assert x.inplace_version == 0


# -- cases people look up -------------------------------------------------------------------------


def cube() -> Tensor:
    return dg.to_tensor(np.arange(24).reshape(2, 3, 4))


def test_ints_take_their_axis_away_before_the_lists_are_placed() -> None:
    # numpy puts the list's axis first here.
    assert cube()[0, :, [0, 1]].tolist() == [[0, 1], [4, 5], [8, 9]]
    assert cube()[:, 0, [0, 1]].tolist() == [[0, 1], [12, 13]]


def test_a_zero_dimensional_tensor_indexes_like_an_int() -> None:
    two = dg.to_tensor(2)
    assert cube()[dg.to_tensor(1), two].tolist() == [20, 21, 22, 23]
    assert cube()[1, :, two].tolist() == [14, 18, 22]
    assert cube()[dg.to_tensor(0), :, [0, 1]].tolist() == [[0, 1], [4, 5], [8, 9]]
    assert cube()[0 : dg.to_tensor(1), two].shape == [1, 4]


def test_bools_make_an_axis() -> None:
    x = dg.to_tensor([1, 2])
    assert x[True].tolist() == [[1, 2]]
    assert x[False].shape == [0, 2]
    assert x[dg.to_tensor(True)].tolist() == [[1, 2]]
    assert cube()[:, True].shape == [2, 1, 3, 4]
    assert cube()[1, True, 0].shape == [1, 4]


def test_lists_of_bools_are_masks_and_empty_lists_pick_nothing() -> None:
    assert cube()[[True, False]].shape == [1, 3, 4]
    assert cube()[[]].shape == [0, 3, 4]
    assert cube()[[0, True]].shape == [2, 3, 4]


def test_sequences_index_like_lists() -> None:
    assert cube()[range(2)].shape == [2, 3, 4]
    assert cube()[0, (0, 1)].shape == [2, 4]
    assert cube()[[dg.to_tensor(0), dg.to_tensor(1)]].shape == [2, 3, 4]


def test_integer_types_of_every_width_index() -> None:
    for dtype in ("uint8", "int8", "int16", "int32", "int64"):
        assert dg.to_tensor([5, 6, 7])[dg.to_tensor([2, 0], dtype=dtype)].tolist() == [7, 5]


def test_picking_one_element_gives_a_view() -> None:
    x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])
    x[0, 1][...] = 9.0
    assert x.tolist() == [[1.0, 9.0], [3.0, 4.0]]


def test_writing_casts_to_the_tensors_dtype() -> None:
    x = dg.to_tensor([1, 2, 3])
    x[0] = 7.9
    x[1] = dg.to_tensor(8.9)
    assert x.tolist() == [7, 8, 3]
    y = dg.to_tensor([1.0, 2.0])
    y[0] = True
    y[1:] = dg.to_tensor([3.5], dtype="float64")
    assert y.dtype == dg.float32
    assert y.tolist() == [1.0, 3.5]


def test_a_number_that_the_dtype_cannot_hold_is_refused() -> None:
    x = dg.to_tensor([1, 2], dtype="uint8")
    with pytest.raises(OverflowError):
        x[0] = 300
    with pytest.raises(ValueError, match="NaN"):
        x[0] = float("nan")
    assert x.tolist() == [1, 2]


def test_a_mask_and_a_number_fill_in_place() -> None:
    x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])
    x[x > 2.0] = 0
    assert x.tolist() == [[1.0, 2.0], [0.0, 0.0]]
    x[dg.to_tensor([True, False])] = dg.to_tensor(7.0)
    assert x.tolist() == [[7.0, 7.0], [0.0, 0.0]]
    x[x > 9.0] = 1.0
    assert x.tolist() == [[7.0, 7.0], [0.0, 0.0]]


def test_a_mask_takes_values_in_row_major_order() -> None:
    x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])
    x[x > 1.0] = dg.to_tensor([7.0, 8.0, 9.0])
    assert x.tolist() == [[1.0, 7.0], [8.0, 9.0]]
    with pytest.raises(ValueError, match=r"\[replace\].*float32 \[2\]"):
        x[x > 1.0] = dg.to_tensor([7.0, 8.0])
    assert x.tolist() == [[1.0, 7.0], [8.0, 9.0]]


def test_the_last_of_several_values_for_one_element_stays_and_alone_has_a_gradient() -> None:
    v = dg.to_tensor([5.0, 6.0], stop_gradient=False)
    y = dg.zeros([3])
    y[[0, 0]] = v
    y.sum().backward()
    assert y.tolist() == [6.0, 0.0, 0.0]
    assert v.grad.tolist() == [0.0, 1.0]


def test_the_last_value_stays_whatever_the_memory_order_of_the_indices() -> None:
    index = dg.to_tensor([[0, 1], [1, 0]]).T
    v = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]], stop_gradient=False)
    y = dg.zeros([2])
    y[index] = v
    y.sum().backward()
    assert y.tolist() == [4.0, 3.0]
    assert v.grad.tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_writing_a_tensor_onto_itself_reversed() -> None:
    x = dg.to_tensor([1.0, 2.0, 3.0])
    x[::-1] = x
    assert x.tolist() == [3.0, 2.0, 1.0]


def test_an_augmented_assignment_writes_in_place() -> None:
    x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])
    alias = x[1]
    x[1] += 10.0
    x[:, [0]] *= 2.0
    assert x.tolist() == [[2.0, 2.0], [26.0, 14.0]]
    assert alias.tolist() == [26.0, 14.0]


def test_writing_into_a_zero_dimensional_tensor() -> None:
    x = dg.to_tensor(5)
    x[...] = 6
    x[()] += 1
    assert x.item() == 7


def test_an_integer_tensor_takes_a_value_that_has_a_gradient_without_getting_one() -> None:
    x = dg.to_tensor([1, 2])
    x[0] = dg.to_tensor(5.0, stop_gradient=False)
    assert x.stop_gradient
    assert (x + x).tolist() == [10, 4]


def test_iteration_gives_views_and_one_gradient() -> None:
    x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]], stop_gradient=False)
    y = x * 1.0
    first, second = y
    (first * second).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    first[0] = 9.0
    assert y[0, 0].item() == 9.0
    assert [row.tolist() for row in dg.zeros([0, 2])] == []


def test_length_is_the_size_of_the_first_axis() -> None:
    assert len(dg.zeros([3, 0])) == 3
    with pytest.raises(TypeError, match=r"\[len\]"):
        len(dg.to_tensor(1.0))
    with pytest.raises(TypeError, match=r"\[iter\]"):
        iter(dg.to_tensor(1.0))


# -- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "kind", "text"),
    [
        (2, IndexError, "index 2 is out of range for axis 0"),
        ((0, -4), IndexError, r"x is \[2, 3, 4\]"),
        ((0, 0, 0, 0), IndexError, "speaks of 4 axes"),
        ((..., ...), ValueError, "2 ellipses"),
        ([0, 2], IndexError, "out of bounds"),
        (np.array([True, False, True]), IndexError, r"the mask \[3\]"),
        (np.ones((2, 2), bool), IndexError, r"expected \[2, 3\]"),
        (([0, 1], [0, 1, 2]), ValueError, "broadcast"),
        (1.5, TypeError, "float 1.5"),
        ("a", TypeError, "str 'a'"),
        ({}, TypeError, "dict"),
        ([0.5], TypeError, r"float32 \[1\]"),
        (np.array([1.0]), TypeError, r"float64 \[1\]"),
        (slice(0, 1.5), TypeError, "slice"),
        (slice(None, None, 0), ValueError, "step"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(
    index: Any, kind: type[Exception], text: str
) -> None:
    x = cube()
    with pytest.raises(kind, match=r"\[(getitem|gather)\].*" + text):
        x[index]
    with pytest.raises(kind):
        x[index] = 0
    assert x.tolist() == cube().tolist()


def test_a_float_tensor_is_no_index() -> None:
    with pytest.raises(TypeError, match=r"float32 \[2\].*expected ints"):
        cube()[dg.to_tensor([0.0, 1.0])]
    with pytest.raises(TypeError, match=r"float32 \[\]"):
        cube()[dg.to_tensor(1.0)]


@pytest.mark.parametrize("index", [0, slice(1, None), [0, 1], np.array([True, False])])
def test_a_value_that_does_not_fit_is_refused(index: Any) -> None:
    x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ValueError, match=r"float32 \[2, 2\].*float32 \[3\]"):
        x[index] = dg.to_tensor([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=r"\[setitem\].*expected a number"):
        x[index] = None
    with pytest.raises(TypeError, match=r"\[setitem\]"):
        x[index] = "a"
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert x.inplace_version == 0


@example(True)
@given(st.booleans())
def test_no_axis_can_be_picked_from_a_zero_dimensional_tensor(read: bool) -> None:
    x = dg.to_tensor(5.0)
    with pytest.raises(IndexError, match="speaks of 1 axes"):
        x[0]
    assert x[None].tolist() == [5.0]
    assert x[...].item() == x[()].item() == 5.0
