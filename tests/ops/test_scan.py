"""Running sums, products, log-sums and extremes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dualgraph as dg

NAN, INF = float("nan"), float("inf")

matrices = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5),
    elements=st.floats(-4, 4, width=32),
)


@given(matrices, st.data())
def test_running_sums_and_products_are_numpys(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    np.testing.assert_allclose(dg.cumsum(dg.to_tensor(x), axis).numpy(), np.cumsum(x, axis))
    np.testing.assert_allclose(dg.cumprod(dg.to_tensor(x), axis).numpy(), np.cumprod(x, axis))


@given(matrices, st.data())
def test_running_extremes_stand_where_they_say(x: Any, data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, x.ndim - 1))
    for function, ufunc in ((dg.cummax, np.maximum), (dg.cummin, np.minimum)):
        values, indices = function(dg.to_tensor(x), axis)
        np.testing.assert_array_equal(values.numpy(), ufunc.accumulate(x, axis))
        found = np.take_along_axis(x, indices.numpy(), axis)
        np.testing.assert_array_equal(values.numpy(), found)


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=1, max_size=7))
def test_the_gradient_of_a_running_product_is_right_at_zeros(values: list[float]) -> None:
    x = dg.to_tensor(values, dtype="float64", stop_gradient=False)
    dg.cumprod(x, 0).sum().backward()
    expected = [
        sum(np.prod(np.delete(values[: k + 1], j)) for k in range(j, len(values)))
        for j in range(len(values))
    ]
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-12)


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=6))
def test_the_gradient_of_a_running_log_of_sums_does_not_overflow(values: list[float]) -> None:
    x = dg.to_tensor(values, dtype="float64", stop_gradient=False)
    out = dg.logcumsumexp(x, 0)
    out.sum().backward()
    weights = np.exp(np.tril(np.array(values)[None] - out.numpy()[:, None]))
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), np.tril(weights).sum(0), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64"])
def test_running_sums_of_integers_are_int64(dtype: str) -> None:
    assert dg.cumsum(dg.ones([300], dtype)).dtype == dg.int64
    assert dg.cumsum(dg.ones([300], dtype))[-1].item() == 300


def test_dtypes_of_running_reductions() -> None:
    assert dg.cumsum(dg.to_tensor([1.5, 2.0]), dtype="int32").tolist() == [1, 3]
    assert dg.cumprod(dg.to_tensor([1, 2]), 0).dtype == dg.int64
    assert dg.cumprod(dg.to_tensor([1, 2], dtype="int32"), 0).dtype == dg.int32
    assert dg.logcumsumexp(dg.to_tensor([1, 2])).dtype == dg.float32
    assert dg.cummax(dg.to_tensor([1, 2]), dtype="int32")[1].dtype == dg.int32
    for half in ("float16", "bfloat16"):
        ones = dg.cumsum(dg.ones([4000], half))
        assert ones.dtype.name == half
        assert abs(ones[-1].astype("float32").item() - 4000) <= 16
    with pytest.raises(ValueError, match=r"\[cummax\] dtype is float32"):
        dg.cummax(dg.ones([2]), dtype="float32")


def test_without_an_axis_a_tensor_is_one_line_and_a_0d_tensor_becomes_1d() -> None:
    assert dg.cumsum(dg.to_tensor([[1, 2], [3, 4]])).tolist() == [1, 3, 6, 10]
    assert dg.cumprod(dg.to_tensor([[1.0, 2.0], [3.0, 4.0]])).tolist() == [1, 2, 6, 24]
    assert dg.cumsum(dg.to_tensor(3.0)).tolist() == [3.0]
    assert dg.cummax(dg.to_tensor(3.0))[1].tolist() == [0]
    for function in (dg.cumsum, dg.cumprod, dg.logcumsumexp):
        assert function(dg.to_tensor(3.0), 0).shape == []
        assert function(dg.to_tensor(3.0), -1).item() == 3.0
    values, indices = dg.cummin(dg.to_tensor(3.0), 0)
    assert (values.item(), indices.item()) == (3.0, 0)


@pytest.mark.parametrize("function", [dg.cumsum, dg.cumprod, dg.logcumsumexp, dg.cummax, dg.cummin])
def test_the_axis_of_a_running_reduction_is_checked(function: Any) -> None:
    # Paddle has it so.
    error = ValueError if function is dg.cumprod else IndexError
    with pytest.raises(error, match="axis is 2"):
        function(dg.ones([2, 2]), 2)
    with pytest.raises(ValueError, match="axis is 1"):
        function(dg.to_tensor(1.0), 1)
    with pytest.raises(TypeError, match="axis is list"):
        function(dg.ones([2, 2]), [0])
    assert function(dg.to_tensor([[1.0, 2.0]]), dg.to_tensor(1)) is not None


def test_a_running_extreme_has_the_latest_place_of_equals_and_keeps_nan() -> None:
    values, indices = dg.cummax(dg.to_tensor([1.0, NAN, 3.0, NAN, 2.0]))
    assert np.isnan(values.numpy()).tolist() == [False, True, True, True, True]
    assert indices.tolist() == [0, 1, 1, 3, 3]
    assert dg.cummin(dg.to_tensor([3, 1, 1, 2]))[1].tolist() == [0, 1, 2, 2]


def test_the_gradient_of_a_running_extreme_goes_where_it_stands() -> None:
    x = dg.to_tensor([1.0, 3.0, 2.0, 3.0, 5.0], stop_gradient=False)
    dg.cummax(x)[0].sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 2.0, 0.0, 1.0, 1.0]


def test_a_running_log_of_sums_takes_infinities_and_nan() -> None:
    assert dg.logcumsumexp(dg.to_tensor([-INF, -INF, 1.0, -INF])).tolist() == [-INF, -INF, 1.0, 1.0]
    assert dg.logcumsumexp(dg.to_tensor([1.0, INF, 2.0])).tolist() == [1.0, INF, INF]
    assert np.isnan(dg.logcumsumexp(dg.to_tensor([1.0, NAN, 2.0])).numpy()).tolist() == [
        False,
        True,
        True,
    ]
    x = dg.to_tensor([-INF, 2.0, 3.0], dtype="float64", stop_gradient=False)
    dg.logcumsumexp(x).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [0.0, 1.2689414213699952, 0.7310585786300048])
