"""Which elements are there, where, and how often."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dualgraph as dg

NAN = float("nan")

integers = hnp.arrays(
    np.int64,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5),
    elements=st.integers(0, 3),
)


@given(integers, st.data())
def test_distinct_values_can_be_put_together_again(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(0, x.ndim - 1))
    values, index, inverse, counts = dg.unique(dg.to_tensor(x), True, True, True, axis)
    lines = x.ravel() if axis is None else x
    np.testing.assert_array_equal(np.take(values.numpy(), inverse.numpy(), axis or 0), lines)
    np.testing.assert_array_equal(np.take(lines, index.numpy(), axis or 0), values.numpy())
    assert counts.numpy().sum() == lines.shape[axis or 0]


@given(integers, st.data())
def test_runs_can_be_put_together_again(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(0, x.ndim - 1))
    values, inverse, counts = dg.unique_consecutive(dg.to_tensor(x), True, True, axis)
    lines = x.ravel() if axis is None else x
    np.testing.assert_array_equal(np.take(values.numpy(), inverse.numpy(), axis or 0), lines)
    np.testing.assert_array_equal(np.repeat(values.numpy(), counts.numpy(), axis or 0), lines)
    runs = np.moveaxis(values.numpy(), axis or 0, 0)
    assert all((a != b).any() for a, b in itertools.pairwise(runs))


@given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-3, 3)), st.integers(1, 6))
def test_a_histogram_counts_as_numpy_does(x: Any, bins: int) -> None:
    counts, edges = np.histogram(x, bins)
    assert dg.histogram(dg.to_tensor(x), bins).tolist() == counts.tolist()
    np.testing.assert_allclose(
        dg.histogram_bin_edges(dg.to_tensor(x), bins).numpy(), edges, rtol=1e-6, atol=1e-6
    )
    inside = np.histogram(x, bins, (-1, 2))[0]
    assert dg.histogram(dg.to_tensor(x), bins, -1, 2).tolist() == inside.tolist()


def test_unique_returns_what_is_asked_for() -> None:
    x = dg.to_tensor([2, 3, 3, 1, 5, 3])
    assert dg.unique(x).tolist() == [1, 2, 3, 5]
    found = dg.unique(x, return_index=True, return_inverse=True, return_counts=True)
    assert [t.tolist() for t in found] == [
        [1, 2, 3, 5],
        [3, 0, 1, 4],
        [1, 2, 2, 0, 3, 2],
        [1, 1, 3, 1],
    ]
    assert dg.unique(x, return_counts=True, dtype="int32")[1].dtype == dg.int32
    assert dg.unique(dg.to_tensor(2.0)).shape == [1]
    assert dg.unique(dg.to_tensor([NAN, 1.0, NAN])).shape == [3]
    assert dg.unique(dg.to_tensor([True, False, True])).tolist() == [False, True]
    rows, counts = dg.unique(dg.to_tensor([[2, 1], [3, 1], [2, 1]]), axis=0, return_counts=True)
    assert (rows.tolist(), counts.tolist()) == ([[2, 1], [3, 1]], [2, 1])


def test_runs_return_what_is_asked_for() -> None:
    x = dg.to_tensor([1, 1, 2, 2, 3, 1, 1, 2])
    assert dg.unique_consecutive(x).tolist() == [1, 2, 3, 1, 2]
    found = dg.unique_consecutive(x, return_inverse=True, return_counts=True)
    assert [t.tolist() for t in found[1:]] == [[0, 0, 1, 1, 2, 3, 3, 4], [2, 2, 1, 2, 1]]
    values, counts = dg.unique_consecutive(dg.to_tensor(1.0), return_counts=True)
    assert (values.tolist(), counts.tolist()) == ([1.0], [1])


@pytest.mark.parametrize("function", [dg.unique, dg.unique_consecutive])
def test_distinct_values_have_no_gradient_and_checked_arguments(function: Any) -> None:
    assert function(dg.to_tensor([1.0, 1.0], stop_gradient=False)).stop_gradient
    with pytest.raises(ValueError, match="axis is 5"):
        function(dg.to_tensor([1, 2]), axis=5)
    with pytest.raises(ValueError, match="dtype is float32"):
        function(dg.to_tensor([1, 2]), dtype="float32")


def test_histograms_with_weights_and_as_densities_are_float32() -> None:
    x = dg.to_tensor([1.0, 2.0, 1.0])
    out = dg.histogram(x, 4, 0, 3, weight=dg.to_tensor([1.0, 2.0, 3.0]))
    assert (out.dtype, out.tolist()) == (dg.float32, [0.0, 4.0, 2.0, 0.0])
    out = dg.histogram(x, 4, 0, 3, density=True)
    assert out.tolist() == pytest.approx([0, 8 / 9, 4 / 9, 0])
    assert dg.histogram(dg.to_tensor([0.0, 3.0, 3.1, -1.0, NAN]), 3, 0, 3).tolist() == [1, 0, 1]
    assert dg.histogram(dg.to_tensor([1.0, 1.0]), 4).tolist() == [0, 0, 2, 0]
    assert dg.histogram(dg.to_tensor([[1, 2], [1, 0]]), 3).tolist() == [1, 2, 1]
    assert dg.histogram(dg.zeros([0]), 2).tolist() == [0, 0]
    assert dg.histogram_bin_edges(dg.to_tensor([1.0, 1.0]), 2).tolist() == [0.5, 1.0, 1.5]


def test_what_cannot_be_a_histogram_is_refused() -> None:
    x = dg.ones([3])
    for arguments, text in [
        ((4, 3, 1), "min is 3.0, max is 1.0"),
        ((0,), "bins is 0"),
        ((4, 0, float("inf")), "max is inf"),
        ((4, 0, 1, dg.ones([2])), r"weight is float32 \[2\]"),
    ]:
        with pytest.raises(ValueError, match=text):
            dg.histogram(x, *arguments)
    with pytest.raises(TypeError, match="bins is float"):
        dg.histogram(x, 1.5)
    with pytest.raises(ValueError, match="range from nan to nan"):
        dg.histogram(dg.to_tensor([1.0, NAN]), 4)


def test_counts_of_numbers() -> None:
    x = dg.to_tensor([1, 2, 1, 4])
    assert dg.bincount(x).tolist() == [0, 2, 1, 0, 1]
    assert dg.bincount(x, minlength=7).tolist() == [0, 2, 1, 0, 1, 0, 0]
    out = dg.bincount(x, weights=dg.to_tensor([0.5, 1.0, 2.0, 3.0]))
    assert (out.dtype, out.tolist()) == (dg.float32, [0.0, 2.5, 1.0, 0.0, 3.0])
    assert dg.bincount(x, weights=x).dtype == dg.float64
    assert dg.bincount(dg.zeros([0], "int64"), minlength=2).tolist() == [0, 0]
    assert dg.bincount(dg.zeros([0], "int64")).shape == [0]


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(TypeError, match=r"\[bincount\] x is float32 \[1\]"):
        dg.bincount(dg.ones([1]))
    for x, options, text in [
        (dg.to_tensor([-1, 2]), {}, "smallest element is -1"),
        (dg.to_tensor([[1]]), {}, "expected one axis"),
        (dg.to_tensor([1]), {"minlength": -1}, "minlength is -1"),
        (dg.to_tensor([1]), {"weights": dg.ones([2])}, "equal shapes"),
    ]:
        with pytest.raises(ValueError, match=text):
            dg.bincount(x, **options)
