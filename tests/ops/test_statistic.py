"""Medians and quantiles: even numbers, nan, ties, several axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dualgraph as dg

NAN, INF = float("nan"), float("inf")

arrays = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5),
    elements=st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0]),
)
INTERPOLATIONS = ["linear", "lower", "higher", "midpoint", "nearest"]


@st.composite
def with_nan(draw: st.DrawFn) -> Any:
    x = draw(arrays)
    x[draw(hnp.arrays(np.bool_, x.shape))] = np.nan
    return x


def gradient(function: Any, values: list[float]) -> list[float]:
    x = dg.to_tensor(values, dtype="float64", stop_gradient=False)
    function(x).backward()
    assert x.grad is not None
    listed: list[float] = x.grad.tolist()
    return listed


@given(with_nan() | arrays, st.booleans(), st.data())
def test_medians_are_numpys(x: Any, keepdim: bool, data: st.DataObject) -> None:
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    out = dg.median(dg.to_tensor(x), axis, keepdim)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(out.numpy(), np.median(x, axis, keepdims=keepdim))


@given(with_nan(), st.booleans(), st.data())
def test_medians_without_nan_are_numpys(x: Any, keepdim: bool, data: st.DataObject) -> None:
    axes = data.draw(st.none() | st.lists(st.integers(0, x.ndim - 1), min_size=1, unique=True))
    assume(not np.isnan(x).all(axis=axes and tuple(axes)).any())
    expected = np.nanmedian(x, axes and tuple(axes), keepdims=keepdim)
    np.testing.assert_array_equal(dg.nanmedian(dg.to_tensor(x), axes, keepdim).numpy(), expected)


@given(
    arrays,
    st.lists(st.floats(0, 1), min_size=2, max_size=3),
    st.sampled_from(INTERPOLATIONS),
    st.booleans(),
    st.data(),
)
def test_quantiles_are_numpys(
    x: Any, q: list[float], interpolation: str, keepdim: bool, data: st.DataObject
) -> None:
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1))
    out = dg.quantile(dg.to_tensor(x), q, axis, keepdim, interpolation)
    expected = np.quantile(x, q, axis, method=interpolation, keepdims=keepdim)  # type: ignore[call-overload]
    np.testing.assert_allclose(out.numpy(), expected, atol=1e-12)


@given(with_nan(), st.floats(0, 1))
def test_quantiles_without_nan_are_those_of_the_rest(x: Any, q: float) -> None:
    rest = x[~np.isnan(x)]
    out = dg.nanquantile(dg.to_tensor(x), q)
    if rest.size:
        np.testing.assert_allclose(out.item(), np.quantile(rest, q), atol=1e-12)
    else:
        assert np.isnan(out.item())


def test_a_quantile_lets_nan_through_in_its_own_line_only() -> None:
    x = dg.to_tensor([[1.0, NAN, 4.0, 8.0], [1.0, 2.0, 3.0, 4.0]])
    out = dg.quantile(x, 0.5, axis=1).tolist()
    assert np.isnan(out[0])
    assert out[1] == 2.5
    assert dg.nanquantile(x, 0.5, axis=1).tolist() == [4.0, 2.5]


def test_fractions_may_be_a_number_a_list_or_a_tensor() -> None:
    x = dg.to_tensor([[1.0, 2.0, 4.0, 8.0], [1.0, 2.0, 3.0, 4.0]])
    assert dg.quantile(x, 1).item() == 8.0
    assert dg.quantile(x, [0.5]).item() == 2.5
    assert dg.quantile(x, np.float32(0.5)).item() == 2.5
    assert dg.quantile(x, dg.to_tensor([0.5, 0.0])).tolist() == [2.5, 1.0]
    assert dg.quantile(x, [0.25, 0.5], axis=1, keepdim=True).shape == [2, 2, 1]
    assert dg.quantile(x, 0.5, axis=[0, 1], keepdim=True).tolist() == [[2.5]]
    assert dg.quantile(dg.to_tensor([1, 2]), 0.5).dtype == dg.float32


def test_what_is_no_fraction_is_refused() -> None:
    x = dg.ones([3])
    for wrong in (1.5, -0.1, NAN, []):
        with pytest.raises(ValueError, match=r"\[quantile\] q is"):
            dg.quantile(x, wrong)
    with pytest.raises(TypeError, match=r"\[quantile\] q is"):
        dg.quantile(x, "a")
    with pytest.raises(ValueError, match="at most one axis"):
        dg.quantile(x, dg.ones([1, 1]))
    with pytest.raises(ValueError, match="interpolation is 'cubic'"):
        dg.quantile(x, 0.5, interpolation="cubic")
    with pytest.raises(ValueError, match="axis is 5"):
        dg.quantile(x, 0.5, axis=5)


def test_infinities_are_values_like_others() -> None:
    assert dg.quantile(dg.to_tensor([1.0, 2.0, INF]), 1.0).item() == INF
    assert dg.median(dg.to_tensor([1.0, INF, INF, 2.0])).item() == INF
    assert np.isnan(dg.median(dg.to_tensor([-INF, INF])).item())


def test_medians_of_nothing_are_nan() -> None:
    assert np.isnan(dg.median(dg.zeros([0, 3])).item())
    assert np.isnan(dg.median(dg.zeros([0, 3]), axis=0).numpy()).tolist() == [True] * 3
    assert dg.median(dg.zeros([0, 3]), axis=1).shape == [0]
    assert np.isnan(dg.nanmedian(dg.to_tensor([NAN, NAN])).item())
    assert np.isnan(dg.quantile(dg.zeros([0]), [0.1, 0.9]).numpy()).all()


@pytest.mark.parametrize("dtype", ["bool", "int64", "float16", "float32"])
def test_a_median_is_float32_unless_x_is_float64(dtype: str) -> None:
    out = dg.median(dg.to_tensor([1, 0, 1, 0]).astype(dtype))
    assert (out.dtype, out.item()) == (dg.float32, 0.5)
    assert dg.median(dg.ones([2], "float64")).dtype == dg.float64


def test_the_lower_median_is_an_element_and_has_an_index_along_an_axis() -> None:
    x = dg.to_tensor([[1, 4, 3, 2], [5, 7, 8, 6]])
    values, indices = dg.median(x, axis=1, mode="min")
    assert (values.dtype, values.tolist(), indices.tolist()) == (dg.int64, [2, 6], [3, 3])
    values, indices = dg.median(x, axis=1, keepdim=True, mode="min")
    assert (values.tolist(), indices.tolist()) == ([[2], [6]], [[3], [3]])
    assert dg.median(x, mode="min").item() == 4
    assert dg.nanmedian(x, axis=[0, 1], mode="min").item() == 4
    values, indices = dg.nanmedian(dg.to_tensor([[1.0, NAN, 2.0, 7.0, 8.0]]), axis=1, mode="min")
    assert (values.tolist(), indices.tolist()) == ([2.0], [2])
    values, indices = dg.median(
        dg.to_tensor([[1.0, NAN, 2.0], [1.0, 2.0, 3.0]]), axis=1, mode="min"
    )
    assert np.isnan(values.numpy()).tolist() == [True, False]
    assert indices.tolist() == [1, 1]
    with pytest.raises(ValueError, match="mode is 'max'"):
        dg.median(x, mode="max")


def test_the_axes_of_a_median_are_checked() -> None:
    x = dg.ones([2, 3])
    for axis in ([], [0, 1], 2):
        with pytest.raises(ValueError, match=r"\[median\] axis is"):
            dg.median(x, axis=axis)
    with pytest.raises(ValueError, match=r"\[nanmedian\] axis is \[\]"):
        dg.nanmedian(x, axis=[])


def test_the_gradient_of_a_median_is_shared_by_the_middle_and_by_equals() -> None:
    assert gradient(dg.median, [1.0, 4.0, 3.0, 2.0]) == [0.0, 0.0, 0.5, 0.5]
    assert gradient(dg.median, [1.0, 2.0, 5.0]) == [0.0, 1.0, 0.0]
    assert gradient(dg.median, [1.0, 2.0, 2.0, 2.0, 5.0]) == pytest.approx(
        [0, 1 / 3, 1 / 3, 1 / 3, 0]
    )
    assert gradient(dg.nanmedian, [1.0, NAN, 2.0, 7.0, 8.0]) == [0.0, 0.0, 0.5, 0.5, 0.0]


def test_the_gradient_of_a_quantile_is_shared_by_its_neighbours() -> None:
    assert gradient(lambda x: dg.quantile(x, 0.3), [1.0, 2.0, 4.0, 8.0]) == pytest.approx(
        [0.1, 0.9, 0, 0]
    )
    assert gradient(lambda x: dg.nanquantile(x, 0.3), [1.0, NAN, 4.0, 8.0]) == pytest.approx(
        [0.4, 0, 0.6, 0]
    )
