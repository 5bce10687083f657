"""Comparisons, logical and bitwise operations, closeness and choices: what is special to them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.ops.logic import all_true, masked, select

NAN, INF = math.nan, math.inf
ANY_FLOAT = st.floats(width=32)
ANY_INT = st.integers(-(2**63), 2**63 - 1)
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


# ---- properties ----------------------------------------------------------------------------------


@given(ANY_FLOAT, ANY_FLOAT)
@pytest.mark.parametrize("op", COMPARISONS)
def test_comparisons_are_those_of_python(op: Callable[..., Any], x: float, y: float) -> None:
    a, b = dg.to_tensor(x), dg.to_tensor(y)
    expected = op(x, y)
    assert [op(a, b).item(), op(a, y).item(), op(x, b).item()] == [expected] * 3


@given(st.integers(-128, 127), st.integers(-(2**70), 2**70))
@pytest.mark.parametrize("op", COMPARISONS)
def test_integers_are_compared_with_any_number_exactly(
    op: Callable[..., Any], x: int, y: int
) -> None:
    assert op(dg.to_tensor(x, dtype="int8"), y).item() == op(x, y)
    assert op(y, dg.to_tensor(x)).item() == op(y, x)


@given(ANY_INT, ANY_INT)
@pytest.mark.parametrize("op", [operator.and_, operator.or_, operator.xor])
def test_bitwise_operations_are_those_of_python(op: Callable[..., Any], x: int, y: int) -> None:
    a, b = dg.to_tensor([x]), dg.to_tensor([y])
    assert op(a, b).tolist() == op(a, y).tolist() == op(x, b).tolist() == [op(x, y)]


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 31))
def test_shifts_are_those_of_python_cut_to_the_type(x: int, places: int) -> None:
    a = dg.to_tensor([x], dtype="int32")
    assert (a >> places).tolist() == [x >> places]
    assert (a << places).tolist() == [((x << places) + 2**31) % 2**32 - 2**31]
    logical = dg.bitwise_right_shift(a, places, is_arithmetic=False)
    shifted = (x % 2**32) >> places
    assert logical.tolist() == [shifted if shifted < 2**31 else shifted - 2**32]


@given(ANY_FLOAT, ANY_FLOAT, st.booleans())
def test_isclose_is_that_of_numpy(x: float, y: float, equal_nan: bool) -> None:
    a, b = dg.to_tensor(x, dtype="float64"), dg.to_tensor(y, dtype="float64")
    with np.errstate(all="ignore"):
        expected = bool(np.isclose(x, y, equal_nan=equal_nan))
    assert dg.isclose(a, b, equal_nan=equal_nan).item() == expected
    assert dg.allclose(a, b, equal_nan=equal_nan).item() == expected


# ---- comparisons ---------------------------------------------------------------------------------


def test_a_tensor_is_not_equal_to_what_is_no_number() -> None:
    x = dg.to_tensor([1.0, 2.0])
    for other in (None, "a", [1.0, 2.0], object()):
        assert (x == other) is False
        assert (x != other) is True
    with pytest.raises(TypeError, match=r"^\[equal\] y is NoneType None"):
        dg.equal(x, None)  # type: ignore[arg-type]


def test_comparisons_carry_no_gradient() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    for result in (x > 1, x == 1, dg.isnan(x), dg.logical_not(x), dg.isclose(x, x)):
        assert (result.stop_gradient, result.dtype) == (True, dg.bool)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.to_tensor([5, 7], dtype="uint8") > -1, [True, True]),
        (lambda: dg.to_tensor([5, 7], dtype="uint8") == 261, [False, False]),
        (lambda: dg.to_tensor([5, 7]) < 5.5, [True, False]),
        (lambda: dg.to_tensor([2**53 + 1]) == float(2**53), [True]),
        (lambda: dg.to_tensor([0.1]) == 0.1, [True]),
        (lambda: dg.to_tensor([0.1]) == np.float64(0.1), [True]),
        (lambda: dg.to_tensor([1.0, 2.0]) == dg.to_tensor(2), [False, True]),
        (lambda: dg.to_tensor([True, False]) == 1, [True, False]),
        (lambda: dg.to_tensor([1.0]) < 2**70, [True]),
        (lambda: dg.to_tensor([1.0], dtype="bfloat16") < 1.5, [True]),
    ],
)
def test_comparison_with_another_kind_of_number(
    run: Callable[[], Tensor], expected: list[bool]
) -> None:
    assert run().tolist() == expected


@pytest.mark.parametrize("op", COMPARISONS)
def test_shaped_tensors_of_different_kinds_are_not_compared(op: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="cast one of them"):
        op(dg.to_tensor([1.0]), dg.to_tensor([1]))


def test_the_short_names_are_the_same_functions() -> None:
    long = [dg.equal, dg.not_equal, dg.greater_than, dg.greater_equal, dg.less_than, dg.less_equal]
    assert [dg.eq, dg.ne, dg.gt, dg.ge, dg.lt, dg.le] == long
    assert (dg.sub, dg.mul, dg.div, dg.clamp) == (dg.subtract, dg.multiply, dg.divide, dg.clip)
    assert dg.remainder is dg.floor_mod is dg.mod


# ---- logical operations and bits -----------------------------------------------------------------


def test_nan_counts_as_true() -> None:
    x = dg.to_tensor([0.0, NAN, 2.0])
    assert dg.logical_not(x).tolist() == [True, False, False]
    assert dg.logical_and(x, dg.ones([3])).tolist() == [False, True, True]


def test_integers_are_finite() -> None:
    x = dg.to_tensor([1, 2])
    assert dg.isfinite(x).tolist() == [True, True]
    assert dg.isnan(x).tolist() == dg.isinf(x).tolist() == [False, False]


@pytest.mark.parametrize("function", [dg.logical_and, dg.logical_or, dg.logical_xor])
def test_logical_operations_refuse_mixtures(function: Callable[..., Tensor]) -> None:
    with pytest.raises(TypeError, match=r"^\[logical_"):
        function(dg.to_tensor([1.0]), dg.to_tensor(1))


@pytest.mark.parametrize(
    "run",
    [
        lambda x: x & x,
        lambda x: x | 1,
        lambda x: ~x,
        lambda x: x << 1,
        lambda x: dg.bitwise_xor(x, x),
        lambda x: dg.to_tensor([1]) & 1.5,
        lambda x: dg.to_tensor([True]) >> dg.to_tensor([True]),
    ],
)
def test_floats_have_no_bits(run: Callable[[Tensor], Any]) -> None:
    with pytest.raises(TypeError, match=r"^\[bitwise_\w+\] given (float32|bool) \[1\]; expected"):
        run(dg.to_tensor([1.0]))


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.to_tensor([1]) << dg.to_tensor([64]), [0]),
        (lambda: dg.to_tensor([-1]) >> dg.to_tensor([64]), [-1]),
        (lambda: dg.to_tensor([200], dtype="uint8") & 0xFFF0, [192]),
        (lambda: dg.to_tensor([1, 2], dtype="int32") & 0xFFFFFFFF, [1, 2]),
        (lambda: ~dg.to_tensor([True, False]), [False, True]),
        (lambda: dg.to_tensor([True, False]) ^ True, [False, True]),
        (lambda: dg.to_tensor([True]) & 2, [0]),
        (lambda: 1 << dg.to_tensor([0, 3]), [1, 8]),
    ],
)
def test_bits(run: Callable[[], Tensor], expected: list[Any]) -> None:
    assert run().tolist() == expected


# ---- closeness -----------------------------------------------------------------------------------


def test_infinities_are_close_to_themselves_only() -> None:
    x = dg.to_tensor([1.0, NAN, INF, INF, -INF, 1.0])
    y = dg.to_tensor([1.0 + 1e-6, NAN, INF, -INF, -INF, INF])
    assert dg.isclose(x, y).tolist() == [True, False, True, False, True, False]
    assert dg.isclose(x, y, equal_nan=True).tolist()[1]


def test_large_integers_are_compared_in_float64() -> None:
    x = dg.to_tensor([10**9])
    assert dg.allclose(x, x + 1).item()
    assert not dg.allclose(x, x + 10**6).item()


def test_equal_all_looks_at_the_shape_first() -> None:
    assert dg.equal_all(dg.ones([2]), dg.ones([2])).item()
    assert not dg.equal_all(dg.ones([2]), dg.ones([1])).item()
    assert not dg.equal_all(dg.to_tensor([NAN]), dg.to_tensor([NAN])).item()
    assert dg.equal_all(dg.zeros([0]), dg.zeros([0])).shape == []
    with pytest.raises(TypeError, match=r"^\[equal_all\] y is int 1"):
        dg.equal_all(dg.ones([2]), 1)  # type: ignore[arg-type]


def test_all_of_nothing_is_true() -> None:
    assert all_true(dg.zeros([0], "bool")).item()


# ---- choices -------------------------------------------------------------------------------------


def test_only_the_chosen_side_gets_a_gradient_though_the_other_is_not_finite() -> None:
    x = dg.to_tensor([0.0, 4.0], stop_gradient=False)
    select(x > 0, dg.sqrt(select(x > 0, x, 1.0)), 0.0).backward()
    assert x.grad.tolist() == [0.0, 0.25]
    g = dg.to_tensor([INF, NAN], stop_gradient=False)
    select(dg.to_tensor([True, False]), g, 1.0).backward(dg.to_tensor([2.0, NAN]))
    assert g.grad.tolist() == [2.0, 0.0]


def test_select_brings_its_sides_to_one_type() -> None:
    yes = dg.to_tensor([True])
    assert select(yes, dg.to_tensor([1]), 2.5).dtype == dg.float32
    assert select(yes, dg.to_tensor([1.0], dtype="bfloat16"), 2.5).dtype == dg.bfloat16
    assert select(yes, 1, 2).dtype == dg.int64
    with pytest.raises(TypeError, match=r"^\[select\]"):
        select(yes, dg.to_tensor([1]), dg.to_tensor([1.0]))


def test_masked_keeps_the_type() -> None:
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        out = masked(dg.to_tensor([1.5, 2.5], dtype=dtype), dg.to_tensor([True, False]))
        assert (out.tolist(), out.dtype.name) == ([1.5, 0.0], dtype)
