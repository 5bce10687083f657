"""Sums, means, products, variances, extremes: dtypes, empty axes, ties, nan, zeros in products."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dualgraph as dg
from dualgraph import Tensor

NAN, INF = float("nan"), float("inf")
SMALL = st.floats(-8, 8, width=32)

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def reductions(draw: st.DrawFn) -> tuple[Any, Any, bool]:
    """An array, axes of it (in any spelling), and whether to keep them."""
    shape = draw(shapes)
    x = draw(hnp.arrays(np.float64, shape, elements=SMALL))
    axes = draw(st.permutations(range(len(shape))))[: draw(st.integers(0, len(shape)))]
    spelled = [a - len(shape) if draw(st.booleans()) else a for a in axes]
    choices = [None, spelled, tuple(spelled), *spelled[:1]]
    return x, draw(st.sampled_from(choices)), draw(st.booleans())


def as_numpy_axis(axis: Any) -> Any:
    """No axis at all means every axis here, none there."""
    return tuple(axis) or None if isinstance(axis, (list, tuple)) else axis


def gradient(function: Callable[..., Tensor], values: Any, weights: Any = None) -> list[Any]:
    x = dg.to_tensor(np.array(values, "float64"), stop_gradient=False)
    out = function(x)
    if weights is not None:
        out = out * dg.to_tensor(np.array(weights, "float64"))
    out.sum().backward()
    assert x.grad is not None
    return x.grad.tolist()


# -- against numpy ---------------------------------------------------------------------------------


@given(reductions(), st.sampled_from(["sum", "prod", "any", "all"]))
def test_sums_products_and_truths_are_numpys(case: tuple[Any, Any, bool], name: str) -> None:
    x, axis, keepdim = case
    out = getattr(dg, name)(dg.to_tensor(x), axis=axis, keepdim=keepdim)
    expected = getattr(np, name)(x, axis=as_numpy_axis(axis), keepdims=keepdim)
    assert out.shape == list(expected.shape)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12)


@given(reductions())
def test_a_mean_of_nothing_is_nan_and_any_other_numpys(case: tuple[Any, Any, bool]) -> None:
    x, axis, keepdim = case
    with np.errstate(all="ignore"):
        expected = np.add.reduce(x, axis=as_numpy_axis(axis), keepdims=keepdim)
        expected = expected / (x.size / expected.size if expected.size else 1)
    out = dg.mean(dg.to_tensor(x), axis, keepdim)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-12)


@given(reductions(), st.sampled_from(["max", "min", "amax", "amin"]))
def test_extremes_are_numpys_and_of_nothing_an_error(case: Any, name: str) -> None:
    x, axis, keepdim = case
    function = getattr(dg, name)
    try:
        expected = getattr(np, name)(x, axis=as_numpy_axis(axis), keepdims=keepdim)
    except ValueError:
        with pytest.raises(ValueError, match=rf"\[{name[-3:]}\].*{x.shape[0]}"):
            function(dg.to_tensor(x), axis, keepdim)
        return
    np.testing.assert_array_equal(function(dg.to_tensor(x), axis, keepdim).numpy(), expected)


@given(reductions(), st.sampled_from([0, 1, 0.5]))
def test_variance_is_numpys(case: tuple[Any, Any, bool], correction: float) -> None:
    x, axis, keepdim = case
    kept = [x.shape[a] for a in (range(x.ndim) if not axis and axis != 0 else np.atleast_1d(axis))]
    if np.prod(kept) <= correction:
        return
    expected = np.var(x, as_numpy_axis(axis), ddof=correction, keepdims=keepdim)
    out = dg.var(dg.to_tensor(x), axis, keepdim=keepdim, correction=correction)
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-9, atol=1e-12)


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
        elements=st.sampled_from([-1.0, 0.0, 1.0, 2.0]),
    )
)
def test_the_gradient_of_a_product_is_the_product_of_the_others(x: Any) -> None:
    flat = x.ravel()
    expected = [np.prod(np.delete(flat, i)) for i in range(flat.size)]
    assert np.ravel(gradient(dg.prod, x)).tolist() == expected


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 3), st.integers(1, 5)),
        elements=st.sampled_from([0.0, 1.0, 2.0]),
    )
)
def test_ties_share_the_gradient_of_max_and_min(x: Any) -> None:
    for function, extreme in ((dg.max, np.max), (dg.min, np.min)):
        mask = x == extreme(x, axis=1, keepdims=True)
        expected = mask / mask.sum(1, keepdims=True)
        np.testing.assert_allclose(gradient(lambda t, f=function: f(t, axis=1), x), expected)


# -- dtypes ----------------------------------------------------------------------------------------

ALL = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
]
RESULTS = {
    "sum": {"bool": "int64", "int32": "int64"},
    "nansum": {"bool": "int64", "int32": "int64"},
    "mean": {},
    "prod": {"bool": "int64"},
    "max": {},
    "min": {},
    "any": dict.fromkeys(ALL, "bool"),
    "all": dict.fromkeys(ALL, "bool"),
    "argmax": dict.fromkeys(ALL, "int64"),
    "count_nonzero": dict.fromkeys(ALL, "int64"),
    "logsumexp": dict.fromkeys(ALL[:6], "float32"),
    "var": {"bool": "float32"},
    "std": dict.fromkeys(ALL[:6], "float32"),
    "nanmean": dict.fromkeys(ALL[:6], "float32"),
}


@pytest.mark.parametrize(("name", "dtype"), list(itertools.product(RESULTS, ALL)))
def test_results_have_the_dtypes_that_paddle_users_know(name: str, dtype: str) -> None:
    out = getattr(dg, name)(dg.to_tensor([[1, 2, 0], [4, 0, 6]]).astype(dtype))
    assert out.dtype.name == RESULTS[name].get(dtype, dtype)


def test_a_sum_and_a_product_take_the_dtype_that_is_given() -> None:
    x = dg.to_tensor([[True, True], [True, False]])
    assert x.sum(dtype="int32").dtype == dg.int32
    assert dg.prod(dg.to_tensor([1, 2]), dtype="float32").dtype == dg.float32
    assert dg.mean(dg.to_tensor([1, 2]), dtype="float32").item() == 1.5
    assert dg.sum(x, None, "float64").item() == 3.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_added_up_in_float32(dtype: str) -> None:
    # In half precision itself the sum would stick at 256 or 2048.
    x = dg.ones([5000], dtype)
    assert (
        dg.sum(x).astype("float32").item()
        == dg.to_tensor(5000.0).astype(dtype).astype("float32").item()
    )
    assert dg.mean(x * 200).astype("float32").item() == 200.0
    assert dg.var(x).astype("float32").item() == 0.0


def test_means_of_integers_are_truncated_and_of_bools_say_whether_any_is_true() -> None:
    assert dg.mean(dg.to_tensor([1, 2])).item() == 1
    assert dg.mean(dg.to_tensor([-1, -2])).item() == -1
    assert dg.mean(dg.to_tensor([[7, 8], [1, 1]], dtype="int32"), axis=1).tolist() == [7, 1]
    assert dg.mean(dg.to_tensor([True, False, False])).item() is True
    with pytest.raises(ValueError, match=r"\[mean\] x is int64 \[0\]"):
        dg.mean(dg.zeros([0], "int64"))


def test_variance_of_integers_is_computed_in_integers() -> None:
    x = dg.to_tensor([1, 2, 0, 4, 0, 6])
    assert [dg.var(x, correction=c).item() for c in (1, 0.5, 0)] == [5, 5, 4]
    assert dg.var(dg.to_tensor([-1, -2, -4, -9], dtype="int32")).item() == 12
    assert dg.std(x).item() == pytest.approx(5**0.5)
    assert dg.var(x.astype("float64")).item() == pytest.approx(5 + 23 / 30)
    assert dg.var(dg.to_tensor([True, False])).item() == 0.5
    with pytest.raises(ValueError, match="nothing is left to divide by"):
        dg.var(dg.to_tensor([5]))


# -- axes ------------------------------------------------------------------------------------------

EVERY = [dg.sum, dg.mean, dg.prod, dg.max, dg.min, dg.any, dg.all, dg.logsumexp, dg.var, dg.std]


@pytest.mark.parametrize("function", EVERY)
def test_axes_are_checked(function: Callable[..., Tensor]) -> None:
    x = dg.ones([2, 3])
    with pytest.raises(ValueError, match="axis is 2"):
        function(x, axis=2)
    with pytest.raises(ValueError, match="once"):
        function(x, axis=[0, -2])
    with pytest.raises(TypeError, match=r"axis is float 1\.0"):
        function(x, axis=1.0)
    with pytest.raises(ValueError, match="axis is 1"):
        function(dg.to_tensor(3.0), axis=1)


@pytest.mark.parametrize("function", EVERY)
def test_an_axis_may_be_a_tensor_an_empty_list_or_that_of_a_0d_tensor(
    function: Callable[..., Tensor],
) -> None:
    x = dg.to_tensor([[1.0, 2.0], [3.0, 5.0]])
    assert function(x, axis=dg.to_tensor(1)).tolist() == function(x, axis=1).tolist()
    assert function(x, axis=dg.to_tensor([0, 1])).tolist() == function(x).tolist()
    assert function(x, axis=[]).tolist() == function(x).tolist()
    assert function(x, keepdim=True).shape == [1, 1]
    assert function(dg.to_tensor(3.0), axis=-1).shape == []


def test_what_is_no_tensor_and_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match=r"\[sum\] x is str 'a'"):
        dg.sum("a")
    assert dg.sum([1.0, 2.0]).item() == 3.0


# -- nothing, nan, infinity ------------------------------------------------------------------------


def test_reductions_of_nothing() -> None:
    x = dg.zeros([0, 3])
    assert dg.sum(x).item() == 0.0
    assert dg.prod(x, axis=0).tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(dg.mean(x, axis=0).numpy()).all()
    assert np.isnan(dg.var(x).item())
    assert dg.logsumexp(x, axis=0).tolist() == [-INF] * 3
    assert dg.max(x, axis=1).shape == [0]
    for function in (dg.max, dg.min, dg.argmax, dg.argmin):
        with pytest.raises(ValueError, match=r"\[(arg)?(max|min)\]"):
            function(x)
        with pytest.raises(ValueError, match=r"\[(arg)?(max|min)\]"):
            function(x, axis=0)


def test_extremes_let_nan_through_and_their_places_pass_it_over() -> None:
    x = dg.to_tensor([[1.0, NAN, 2.0], [NAN, NAN, NAN], [NAN, -INF, NAN]])
    assert np.isnan(dg.max(x, axis=1).numpy()).all()
    assert dg.argmax(x, axis=1).tolist() == [2, 0, 0]
    assert dg.argmin(x, axis=1).tolist() == [0, 0, 1]
    assert dg.argmin(x).item() == 7
    assert all(np.isnan(gradient(dg.max, [2.0, NAN, 1.0])))


def test_argmax_finds_the_first_of_equals_and_takes_int32() -> None:
    x = dg.to_tensor([[2.0, 1.0, 2.0], [1.0, 1.0, 0.0]])
    assert dg.argmax(x, axis=1).tolist() == [0, 0]
    assert dg.argmin(x, axis=0, keepdim=True, dtype="int32").tolist() == [[1, 0, 1]]
    assert dg.argmin(x, dtype="int32").dtype == dg.int32
    assert dg.argmax(dg.ones([2, 3, 4]), keepdim=True).shape == [1, 1, 1]
    with pytest.raises(ValueError, match="float32"):
        dg.argmax(x, dtype="float32")


def test_nan_is_left_out_where_asked() -> None:
    assert dg.nansum(dg.to_tensor([1.0, NAN, 2.0])).item() == 3.0
    assert dg.nanmean(dg.to_tensor([[1.0, NAN], [2.0, 4.0]]), axis=0).tolist() == [1.5, 4.0]
    assert np.isnan(dg.nanmean(dg.to_tensor([NAN])).item())
    assert gradient(dg.nanmean, [1.0, NAN, 4.0]) == [0.5, 0.0, 0.5]
    assert dg.nansum(dg.to_tensor([1, 2])).item() == 3
    assert dg.count_nonzero(dg.to_tensor([NAN, 0.0, 2.0])).item() == 2


def test_logsumexp_neither_overflows_nor_loses_infinity() -> None:
    assert dg.logsumexp(dg.to_tensor([1000.0, 1000.0])).item() == pytest.approx(1000 + np.log(2))
    assert dg.logsumexp(dg.to_tensor([-INF, -INF])).item() == -INF
    assert dg.logsumexp(dg.to_tensor([INF, 1.0])).item() == INF
    assert gradient(dg.logsumexp, [-INF, -INF]) == [0.0, 0.0]
    assert gradient(dg.logsumexp, [-INF, 3.0]) == [0.0, 1.0]
    assert np.isnan(gradient(dg.logsumexp, [INF, 3.0])).tolist() == [True, False]


# -- variance --------------------------------------------------------------------------------------


def test_variance_divides_by_what_is_left() -> None:
    x = dg.to_tensor([1.0, 2.0, 4.0], dtype="float64")
    assert dg.var(x).item() == pytest.approx(7 / 3)
    assert dg.var(x, unbiased=False).item() == pytest.approx(14 / 9)
    assert dg.var(x, correction=0.5).item() == pytest.approx(28 / 15)
    assert dg.var(x, correction=5).item() == INF
    assert np.isnan(dg.var(dg.to_tensor([1.0])).item())
    assert dg.std(dg.to_tensor([[1.0, 2.0], [3.0, 5.0]]), 0, False, True).tolist() == [[1.0, 1.5]]
    with pytest.raises(ValueError, match="one of them"):
        dg.var(x, unbiased=True, correction=2)


def test_variance_far_from_zero_is_not_lost() -> None:
    x = dg.to_tensor(np.array([4.0, 7.0, 13.0, 16.0]) + 1e9)
    assert dg.var(x).item() == pytest.approx(30.0)


def test_the_standard_deviation_of_equals_has_no_gradient() -> None:
    assert all(np.isnan(gradient(dg.std, [2.0, 2.0, 2.0])))


# -- products --------------------------------------------------------------------------------------


def test_products_with_zeros_differentiate_to_any_order() -> None:
    x = dg.to_tensor([0.0, 0.0, 3.0], dtype="float64", stop_gradient=False)
    (g,) = dg.grad(dg.prod(x), x, create_graph=True)
    assert g.tolist() == [0.0, 0.0, 0.0]
    (h,) = dg.grad(g[0], x, create_graph=True)
    assert h.tolist() == [0.0, 3.0, 0.0]
    (third,) = dg.grad(h[1], x)
    assert third.tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("axis", [None, 0, [0, 2], (2, 1), []])
def test_products_over_several_axes(axis: Any) -> None:
    values = np.arange(1.0, 25.0).reshape(2, 3, 4)
    expected = np.prod(values, as_numpy_axis(axis), keepdims=True)
    out = dg.prod(dg.to_tensor(values), axis, keepdim=True)
    assert out.shape == list(expected.shape)
    np.testing.assert_allclose(out.numpy(), expected)
    assert dg.prod(dg.to_tensor(values), axis).shape == list(
        np.prod(values, as_numpy_axis(axis)).shape
    )
