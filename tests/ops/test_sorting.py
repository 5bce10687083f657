"""Order: stable both ways, nan as the largest, gradients that go back to where values came from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dualgraph as dg
from dualgraph import Tensor

NAN, INF = float("nan"), float("inf")
FEW = st.sampled_from([-1.0, 0.0, 1.0, 2.0, NAN, INF, -INF])

arrays = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6), elements=FEW
)


def gradient(out: Tensor, x: Tensor, weights: Any = None) -> list[Any]:
    seed = None if weights is None else dg.to_tensor(np.array(weights, "float64"))
    (g,) = dg.grad(out, x, seed)
    listed: list[Any] = g.tolist()
    return listed


def leaf(values: Any) -> Tensor:
    return dg.to_tensor(np.array(values, "float64"), stop_gradient=False)


# -- properties ------------------------------------------------------------------------------------


@given(arrays, st.booleans(), st.data())
def test_sorting_is_what_its_indices_say(x: Any, descending: bool, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    values = dg.sort(dg.to_tensor(x), axis, descending).numpy()
    indices = dg.argsort(dg.to_tensor(x), axis, descending).numpy()
    np.testing.assert_array_equal(values, np.take_along_axis(x, indices, axis))
    ascending = np.flip(values, axis) if descending else values
    np.testing.assert_array_equal(ascending, np.sort(x, axis))


@given(hnp.arrays(np.int64, st.integers(0, 30), elements=st.integers(0, 3)), st.booleans())
def test_equals_keep_their_order(x: Any, descending: bool) -> None:
    indices = dg.argsort(dg.to_tensor(x), descending=descending).tolist()
    assert indices == sorted(range(len(x)), key=lambda i: (-x[i] if descending else x[i], i))


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 2), st.integers(256, 300)), elements=FEW),
    st.integers(1, 60),
    st.booleans(),
)
def test_the_largest_few_are_the_first_of_a_whole_sort(x: Any, k: int, largest: bool) -> None:
    # The way without a whole sort is taken where nothing is nan.
    for values in (x, np.nan_to_num(x)):
        indices = dg.topk(dg.to_tensor(values), k, largest=largest).indices.numpy()
        whole = dg.argsort(dg.to_tensor(values), descending=largest).numpy()
        np.testing.assert_array_equal(indices, whole[:, :k])


@given(st.permutations(range(6)), st.booleans())
def test_the_gradient_of_sorting_goes_back_to_its_place(order: list[int], descending: bool) -> None:
    x = leaf(order)
    out = dg.sort(x, descending=descending)
    expected = [10.0 * (5 - v if descending else v) for v in order]
    assert gradient(out, x, [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]) == expected


@given(
    hnp.arrays(np.float64, st.integers(0, 8), elements=st.floats(-4, 4)),
    hnp.arrays(
        np.float64, st.tuples(st.integers(0, 3), st.integers(0, 3)), elements=st.floats(-5, 5)
    ),
    st.booleans(),
)
def test_searching_is_numpys(sequence: Any, values: Any, right: bool) -> None:
    sequence.sort()
    out = dg.searchsorted(dg.to_tensor(sequence), dg.to_tensor(values), right=right)
    expected = np.searchsorted(sequence, values, "right" if right else "left")
    assert out.dtype == dg.int64
    np.testing.assert_array_equal(out.numpy(), expected)


# -- sort ------------------------------------------------------------------------------------------


def test_nan_is_the_largest() -> None:
    x = dg.to_tensor([3.0, NAN, 1.0, NAN, INF])
    assert dg.argsort(x).tolist() == [2, 0, 4, 1, 3]
    assert dg.argsort(x, descending=True).tolist() == [1, 3, 4, 0, 2]
    assert dg.topk(x, 3).indices.tolist() == [1, 3, 4]
    assert dg.topk(x, 2, largest=False).values.tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32"]
)
def test_every_dtype_can_be_sorted(dtype: str) -> None:
    x = dg.to_tensor([1, 0, 1, 0]).astype(dtype)
    assert dg.sort(x).dtype.name == dtype
    assert dg.sort(x, descending=True).astype("int64").tolist() == [1, 1, 0, 0]
    assert dg.argsort(x).tolist() == [1, 3, 0, 2]


def test_a_0d_tensor_is_sorted_already() -> None:
    x = dg.to_tensor(3.0)
    assert (dg.sort(x).item(), dg.argsort(x).item()) == (3.0, 0)
    assert dg.topk(x, 1).values.shape == []
    assert [t.item() for t in dg.kthvalue(x, 1)] == [3.0, 0]
    assert [t.item() for t in dg.mode(x)] == [3.0, 0]
    with pytest.raises(ValueError, match="axis is 1"):
        dg.sort(x, 1)


@pytest.mark.parametrize("function", [dg.sort, dg.argsort])
def test_the_axis_of_an_order_is_checked(function: Any) -> None:
    with pytest.raises(ValueError, match=r"sort\] axis is 2"):
        function(dg.ones([2, 2]), axis=2)
    with pytest.raises(TypeError, match="axis is float"):
        function(dg.ones([2, 2]), axis=0.5)


def test_sorting_by_the_first_axis() -> None:
    assert dg.msort(dg.to_tensor([[3, 1], [2, 4]])).tolist() == [[2, 1], [3, 4]]


# -- topk, kthvalue, mode --------------------------------------------------------------------------


def test_the_largest_few_with_their_places() -> None:
    x = dg.to_tensor([[1.0, 4.0, 3.0], [6.0, 5.0, 9.0]])
    values, indices = dg.topk(x, 2)
    assert (values.tolist(), indices.tolist()) == ([[4, 3], [9, 6]], [[1, 2], [2, 0]])
    found = dg.topk(x, dg.to_tensor(1), axis=0)
    assert (found.values.tolist(), found.indices.tolist()) == ([[6, 5, 9]], [[1, 1, 1]])
    smallest = dg.topk(x, 2, largest=False, sorted=False)
    assert smallest.values.tolist() == [[1, 3], [5, 6]]
    assert dg.topk(dg.to_tensor([1, 2, 2, 1, 2]), 2).indices.tolist() == [1, 2]


def test_the_gradient_of_the_largest_few() -> None:
    x = leaf([1.0, 4.0, 3.0])
    assert gradient(dg.topk(x, 2).values, x, [10.0, 20.0]) == [0.0, 10.0, 20.0]
    assert gradient(dg.kthvalue(x, 2)[0], x) == [0.0, 0.0, 1.0]
    assert gradient(dg.mode(leaf([1.0, 2.0, 2.0]))[0] * x, x) == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("k", [0, -1, 4])
def test_k_must_lie_between_1_and_the_size(k: int) -> None:
    for function in (dg.topk, dg.kthvalue):
        with pytest.raises(ValueError, match=rf"k is {k}, the axis has 3 elements"):
            function(dg.ones([2, 3]), k)
        with pytest.raises(TypeError, match=r"k is float 1\.5"):
            function(dg.ones([3]), 1.5)


def test_values_by_rank() -> None:
    x = dg.to_tensor([[1.0, 4.0, 3.0], [6.0, 5.0, 9.0]])
    values, indices = dg.kthvalue(x, 2)
    assert (values.tolist(), indices.tolist()) == ([3, 6], [2, 0])
    values, indices = dg.kthvalue(x, 2, axis=0, keepdim=True)
    assert (values.tolist(), indices.tolist()) == ([[6, 5, 9]], [[1, 1, 1]])
    assert dg.kthvalue(dg.to_tensor([1.0, NAN, 0.0]), 3)[1].item() == 1


def test_the_most_frequent_value_is_the_smallest_of_several_at_its_last_place() -> None:
    values, indices = dg.mode(dg.to_tensor([[1.0, 2.0, 2.0], [3.0, 3.0, 1.0]]))
    assert (values.tolist(), indices.tolist()) == ([2, 3], [2, 1])
    value, index = dg.mode(dg.to_tensor([3, 1, 3, 1, 2]))
    assert (value.item(), index.item()) == (1, 3)
    values, indices = dg.mode(dg.to_tensor([[1, 2, 2], [1, 3, 1]]), axis=0, keepdim=True)
    assert (values.tolist(), indices.tolist()) == ([[1, 2, 1]], [[1, 0, 1]])
    with pytest.raises(ValueError, match="axis 1 has no elements"):
        dg.mode(dg.ones([2, 0]))


# -- searching -------------------------------------------------------------------------------------


def test_each_row_of_values_is_searched_in_its_own_sequence() -> None:
    sequence = dg.to_tensor([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]])
    values = dg.to_tensor([[3.0, 6.0], [3.0, 6.0]])
    assert dg.searchsorted(sequence, values).tolist() == [[1, 3], [1, 2]]
    out = dg.searchsorted(sequence, values, out_int32=True, side="right")
    assert (out.dtype, out.tolist()) == (dg.int32, [[2, 3], [1, 3]])


def test_searching_takes_mixed_dtypes_a_0d_value_and_an_order() -> None:
    assert dg.searchsorted(dg.to_tensor([1, 3, 5]), dg.to_tensor([2.5, 3.0])).tolist() == [1, 1]
    assert dg.searchsorted(dg.to_tensor([1.0, 3.0]), dg.to_tensor(2.0)).shape == []
    sorter = dg.to_tensor([1, 2, 0])
    assert dg.searchsorted(
        dg.to_tensor([5.0, 1.0, 3.0]), dg.to_tensor([4.0]), sorter=sorter
    ).tolist() == [2]


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(ValueError, match=r"float32 \[2, 3\], values is float32 \[3\]"):
        dg.searchsorted(dg.ones([2, 3]), dg.ones([3]))
    with pytest.raises(ValueError, match="side is 'middle'"):
        dg.searchsorted(dg.ones([3]), dg.ones([3]), side="middle")
    with pytest.raises(TypeError, match="values is float"):
        dg.searchsorted(dg.ones([3]), 4.0)
    with pytest.raises(ValueError, match="expected one axis"):
        dg.bucketize(dg.ones([3]), dg.ones([1, 3]))


def test_buckets() -> None:
    bounds = dg.to_tensor([1.0, 3.0, 5.0, 7.0])
    assert dg.bucketize(dg.to_tensor([[0.0, 3.0], [4.0, 9.0]]), bounds).tolist() == [[0, 1], [2, 4]]
    assert dg.bucketize(dg.to_tensor([3.0]), bounds, right=True).tolist() == [2]
