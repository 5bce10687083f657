"""Arithmetic, powers, extremes, rounding and elementary functions: what is special to them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.ops.power import power_log

NAN, INF = math.nan, math.inf
INT8 = st.integers(-128, 127)
FLOATS = st.floats(-1e6, 1e6, allow_subnormal=False)


def wide(*values: Any) -> Tensor:
    """A float64 tensor that needs a gradient."""
    return dg.to_tensor(list(values), dtype="float64", stop_gradient=False)


def slopes(function: Callable[..., Tensor], *arguments: list[float]) -> list[Any]:
    """The gradients of a function's sum by each argument."""
    inputs = [wide(*argument) for argument in arguments]
    function(*inputs).backward()
    return [x.gradient().tolist() for x in inputs]  # type: ignore[union-attr]


# ---- properties ----------------------------------------------------------------------------------


@given(st.lists(INT8, min_size=1), st.integers(-(10**6), 10**6))
@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul])
def test_small_integers_wrap_around_as_bits_do(
    op: Callable[[Any, Any], Any], values: list[int], number: int
) -> None:
    x = dg.to_tensor(values, dtype="int8")
    wrapped = [(op(v, number) + 128) % 256 - 128 for v in values]
    assert op(x, number).tolist() == wrapped
    assert op(number, x).tolist() == [(op(number, v) + 128) % 256 - 128 for v in values]


@given(st.integers(-(10**9), 10**9), st.integers(-1000, 1000).filter(bool))
def test_integer_quotient_and_remainder_are_those_of_python(x: int, y: int) -> None:
    a, b = dg.to_tensor([x]), dg.to_tensor([y])
    assert (a // b).tolist() == [x // y]
    assert (a % b).tolist() == [x % y]
    assert (x // b).tolist() == (a // y).tolist()


@given(st.integers(-3, 3), st.integers(0, 30))
def test_integer_powers_are_those_of_python(x: int, y: int) -> None:
    assert (dg.to_tensor([x]) ** y).tolist() == [x**y]
    assert (dg.to_tensor([x]) ** dg.to_tensor([y])).tolist() == [x**y]


@given(FLOATS, FLOATS)
def test_maximum_and_minimum_share_what_their_sum_gets(x: float, y: float) -> None:
    assert (dg.maximum(wide(x), wide(y)) + dg.minimum(wide(x), wide(y))).item() == x + y
    larger = slopes(dg.maximum, [x], [y])
    assert [1 - g for (g,) in larger] == [g for (g,) in slopes(dg.minimum, [x], [y])]
    assert sum(g for (g,) in larger) == 1


@given(FLOATS)
def test_rounding_functions_bracket_their_argument(x: float) -> None:
    t = wide(x)
    down, up = dg.floor(t).item(), dg.ceil(t).item()
    assert down <= x <= up <= down + 1
    assert dg.round(t).item() in (down, up)
    assert dg.trunc(t).item() == (down if x >= 0 else up)
    assert dg.trunc(t).item() + dg.frac(t).item() == x


@given(FLOATS, FLOATS, FLOATS)
def test_clip_lands_between_its_bounds_and_stays(x: float, a: float, b: float) -> None:
    low, high = sorted((a, b))
    once = dg.clip(wide(x), low, high)
    assert low <= once.item() <= high
    assert dg.clip(once, low, high).item() == once.item()
    assert once.item() == x or not low <= x <= high


def ulps(value: float, exact: Any, dtype: Any) -> float:
    """The error of a value, in units of the exact value's last place in a dtype."""
    return float(abs(mpmath.mpf(value) - exact) / mpmath.mpf(float(np.spacing(dtype(exact)))))


@given(st.floats(-6.5, 6.5, allow_subnormal=False))
def test_erf_is_within_two_units_in_the_last_place(x: float) -> None:
    assume(x == 0 or abs(x) > 1e-30)
    with mpmath.workdps(40):
        assert abs(ulps(dg.erf(wide(x)).item(), mpmath.erf(x), np.float64)) <= 2
        single = float(np.float32(x))
        value = dg.erf(dg.to_tensor(single)).item()
        assert abs(ulps(value, mpmath.erf(single), np.float32)) <= 2


@given(st.floats(-1, 1, allow_subnormal=False).filter(lambda x: 1e-300 < abs(x) < 1))
def test_erfinv_undoes_erf(x: float) -> None:
    with mpmath.workdps(40):
        assert abs(ulps(dg.erfinv(wide(x)).item(), mpmath.erfinv(x), np.float64)) <= 8


@given(st.floats(-700, 700))
def test_sigmoid_of_opposites_adds_up_to_one(x: float) -> None:
    assert dg.sigmoid(wide(x)).item() + dg.sigmoid(wide(-x)).item() == pytest.approx(1)
    assert dg.sigmoid(wide(x)).item() == pytest.approx(float(1 / (1 + mpmath.exp(-x))), rel=1e-14)


# ---- gradients at kinks and edges ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("abs", [-1, -0.0, 0.0, 1], [-1, 0, 0, 1]),
        ("sign", [-1, 0, 1], [0, 0, 0]),
        ("floor", [-1, 0.5, 1], [0, 0, 0]),
        ("ceil", [-1, 0.5, 1], [0, 0, 0]),
        ("round", [0.5, 1.5], [0, 0]),
        ("trunc", [1.5, -1.5], [0, 0]),
        ("frac", [1.5, -1.5], [1, 1]),
        ("sqrt", [0, 1], [INF, 0.5]),
        ("rsqrt", [0, 1], [-INF, -0.5]),
        ("nan_to_num", [NAN, INF, -INF, 1], [0, 0, 0, 1]),
    ],
)
def test_gradient_at_the_edge(name: str, x: list[float], expected: list[float]) -> None:
    assert slopes(getattr(dg, name), x) == [expected]


def test_equals_share_the_gradient_of_maximum_and_minimum() -> None:
    assert slopes(dg.maximum, [1, 2, 3], [1, 3, 2]) == [[0.5, 0, 1], [0.5, 1, 0]]
    assert slopes(dg.minimum, [1, 2, 3], [1, 3, 2]) == [[0.5, 1, 0], [0.5, 0, 1]]


def test_the_first_of_equals_gets_the_gradient_of_fmax_and_fmin() -> None:
    x, y = [1, 2, 3, NAN, 1, NAN], [1, 3, 2, 1, NAN, NAN]
    assert slopes(dg.fmax, x, y) == [[1, 0, 1, 0, 1, 1], [0, 1, 0, 1, 0, 0]]
    assert slopes(dg.fmin, x, y) == [[1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0]]


def test_fmax_prefers_numbers_to_nan_and_maximum_does_not() -> None:
    x, y = dg.to_tensor([NAN, 1.0]), dg.to_tensor([1.0, NAN])
    assert dg.fmax(x, y).tolist() == dg.fmin(x, y).tolist() == [1.0, 1.0]
    assert dg.isnan(dg.maximum(x, y)).tolist() == [True, True]


def test_clip_passes_the_gradient_on_its_bounds() -> None:
    edge = [-2, -1, 0, 1, 2]
    assert slopes(lambda x: dg.clip(x, -1, 1), edge) == [[0, 1, 1, 1, 0]]
    assert slopes(lambda x: dg.clip(x, min=-1.0), edge) == [[0, 1, 1, 1, 1]]
    assert slopes(lambda x: dg.clip(x, max=1.0), edge) == [[1, 1, 1, 1, 0]]


def test_bounds_that_are_tensors_get_the_gradient_of_what_they_hold_back() -> None:
    grads = slopes(dg.clip, [-2, 0, 3], [-1], [1])
    assert grads == [[0, 1, 0], [1], [1]]


def test_powers_of_zero_have_finite_gradients() -> None:
    grads = slopes(dg.pow, [0, 0, 0, -1, 2], [0, 1, 2, 2, 3])
    assert grads[0] == [0, 1, 0, -2, 12]
    assert grads[1][:3] == [0, 0, 0]
    assert math.isnan(grads[1][3])
    assert grads[1][4] == pytest.approx(8 * math.log(2))


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 2.0])
def test_whole_powers_can_be_differentiated_at_zero_past_their_degree(exponent: float) -> None:
    x = wide(0.0, 2.0)
    y, degree = x**exponent, 1.0
    for order in range(4):
        degree *= exponent - order
        (y,) = dg.grad(y, x, create_graph=True)
        at_zero = degree if exponent == order + 1 else 0.0
        assert y.tolist()[0] == at_zero
        assert y.tolist()[1] == pytest.approx(degree * 2.0 ** (exponent - order - 1))


def test_a_number_to_the_power_of_a_tensor_has_a_gradient() -> None:
    assert slopes(lambda x: 2**x, [0, 1]) == [pytest.approx([math.log(2), 2 * math.log(2)])]
    assert slopes(lambda x: 0**x, [0, 1]) == [[0, 0]]
    assert all(map(math.isnan, slopes(lambda x: (-2) ** x, [0, 1])[0]))


def test_power_times_logarithm_vanishes_at_zero() -> None:
    assert power_log(wide(0.0), 0.0, times=2).item() == 0
    assert power_log(wide(0.0), -1.0, times=1).item() == -INF


# ---- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.floor_divide(wide(5, -5, 5, -5), wide(3, 3, -3, -3)), [1, -2, -2, 1]),
        (lambda: dg.mod(wide(5, -5, 5, -5), wide(3, 3, -3, -3)), [2, 1, -1, -2]),
        (lambda: wide(1, -1) // 0, [INF, -INF]),
        (lambda: wide(1, -1) / 0, [INF, -INF]),
        (lambda: dg.round(wide(0.5, 1.5, 2.5, -0.5)), [0, 2, 2, 0]),
        (lambda: dg.round(wide(1.25, 123.456), 1), [1.2, 123.5]),
        (lambda: dg.round(wide(15, 25, 123), -1), [20, 20, 120]),
        (lambda: dg.round(dg.to_tensor([15, 123]), -1), [20, 120]),
        (lambda: dg.sign(wide(-2, -0.0, 3)), [-1, 0, 1]),
        (lambda: dg.erf(wide(-INF, 0, INF)), [-1, 0, 1]),
        (lambda: dg.erfinv(wide(-1, 0, 1)), [-INF, 0, INF]),
        (lambda: dg.sigmoid(wide(-INF, -1000, 1000, INF)), [0, 0, 1, 1]),
        (lambda: dg.log(wide(0, 1)), [-INF, 0]),
        (lambda: dg.atan2(wide(0, 0), wide(1, -1)), [0, math.pi]),
        (lambda: dg.hypot(wide(3 * 2.0**700), wide(4 * 2.0**700)), [5 * 2.0**700]),
        (lambda: dg.logit(wide(0, 0.5, 1)), [-INF, 0, INF]),
        (lambda: dg.stanh(wide(0)), [0]),
        (lambda: dg.nan_to_num(wide(NAN, INF, -INF), 1, 2, 3), [1, 2, 3]),
        (lambda: dg.nan_to_num(wide(INF)), [np.finfo(np.float64).max]),
        (lambda: dg.nan_to_num(dg.to_tensor([1, 2])), [1, 2]),
        (lambda: dg.scale(wide(1, 2), 2, 3), [5, 7]),
        (lambda: dg.scale(wide(1, 2), 2, 3, bias_after_scale=False), [8, 10]),
        (lambda: dg.scale(dg.to_tensor([1, 2]), 2.5, 1.5), [3, 5]),
        (lambda: dg.scale(wide(1, 2), dg.to_tensor([2.0])), [2, 4]),
        (lambda: dg.lerp(wide(1, 2), wide(3, 4), 0.25), [1.5, 2.5]),
        (lambda: dg.add_n(wide(1)), [1]),
        (lambda: dg.clip(wide(1, 2, 3), dg.to_tensor([1.5]), dg.to_tensor(2.5)), [1.5, 2, 2.5]),
        (lambda: dg.clip(dg.to_tensor([1, 2, 3]), 1, 2.5), [1, 2, 2.5]),
        (lambda: dg.clip(dg.to_tensor([1, 2, 3])), [1, 2, 3]),
        (lambda: dg.square(dg.to_tensor([2**32])), [0]),
        (lambda: dg.abs(dg.to_tensor([-(2**63)])), [-(2**63)]),
        (lambda: dg.frac(dg.to_tensor([3])), [0]),
        (lambda: wide(2) ** -1, [0.5]),
        (lambda: wide(-8) ** 2, [64]),
        (lambda: dg.to_tensor([4], dtype="int32") ** 0.5, [2]),
    ],
)
def test_value(run: Callable[[], Tensor], expected: list[float]) -> None:
    assert run().tolist() == expected


def test_the_sign_of_zero_is_kept() -> None:
    zero = wide(0.0)
    for negative in (-zero, zero * -1.0, dg.sqrt(-zero), dg.round(wide(-0.3)), -zero + -zero):
        assert math.copysign(1, negative.item()) == -1
    assert (1 / -zero).item() == -INF


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8"])
def test_bounds_beyond_an_integer_type_do_not_bind(dtype: str) -> None:
    x = dg.to_tensor([0, 5, 100], dtype=dtype)
    clipped = dg.clip(x, -(2**70), 2**70)
    assert (clipped.tolist(), clipped.dtype.name) == ([0, 5, 100], dtype)
    assert dg.clip(x, -1, 50).tolist() == [0, 5, 50]


# ---- dtypes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(
    "name", ["exp", "erf", "erfinv", "sigmoid", "rsqrt", "square", "tanh", "logit", "floor"]
)
def test_half_precision_goes_in_and_comes_out(name: str, dtype: str) -> None:
    x = dg.to_tensor([0.25, 0.5], dtype=dtype, stop_gradient=False)
    y = getattr(dg, name)(x)
    exact = getattr(dg, name)(x.astype("float64"))
    y.backward()
    assert (y.dtype.name, x.grad.dtype.name) == (dtype, dtype)
    np.testing.assert_allclose(y.astype("float64").numpy(), exact.numpy(), rtol=2**-7)


@pytest.mark.parametrize("number", [True, 2, 0.1, np.float32(0.1), np.float64(0.1), np.int64(2)])
def test_a_number_takes_the_type_of_a_floating_tensor(number: Any) -> None:
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        x = dg.to_tensor([1.5], dtype=dtype)
        for result in (x + number, number * x, x / number, number - x, x**number):
            assert result.dtype.name == dtype


def test_mathematics_on_integers_takes_the_default_type() -> None:
    x = dg.to_tensor([1, 4])
    assert dg.sqrt(x).dtype == dg.float32
    dg.set_default_dtype("float64")
    try:
        assert dg.sqrt(x).dtype == (x / 2).dtype == (x * 1.5).dtype == dg.float64
    finally:
        dg.set_default_dtype("float32")


def test_the_angle_of_integers_is_float64() -> None:
    assert dg.atan2(dg.to_tensor([1]), dg.to_tensor([1])).dtype == dg.float64


def test_cast_copies_and_astype_of_the_same_type_does_not() -> None:
    x = dg.to_tensor([1.0])
    copy = dg.cast(x, "float32")
    copy[0] = 9.0
    assert x.tolist() == [1.0]
    assert x.astype("float32") is x
    assert dg.cast(dg.to_tensor([NAN, 0.0, 0.1]), "bool").tolist() == [True, False, True]


def test_the_gradient_of_a_cast_is_cast_back() -> None:
    x = dg.to_tensor([1.0], stop_gradient=False)
    (x.astype("float64") * 3).backward()
    assert (x.grad.tolist(), x.grad.dtype) == ([3.0], dg.float32)
    assert x.astype("int32").stop_gradient


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [operator.floordiv, operator.mod])
@pytest.mark.parametrize("zero", [0, [0, 1]])
def test_an_integer_divided_by_zero_raises(op: Callable[..., Any], zero: Any) -> None:
    divisor = zero if zero == 0 else dg.to_tensor(zero)
    with pytest.raises(ZeroDivisionError, match=r"^\[(floor_divide|mod)\] given int64 \[2\]"):
        op(dg.to_tensor([1, 2]), divisor)


def test_integers_have_no_negative_powers() -> None:
    for power in (-1, dg.to_tensor([-1])):
        with pytest.raises(ValueError, match=r"^\[pow\]"):
            dg.to_tensor([2]) ** power


@pytest.mark.parametrize(
    "run",
    [
        lambda b: -b,
        dg.abs,
        dg.floor,
        dg.round,
        lambda b: b - b,
        lambda b: b % b,
        lambda b: b // b,
        lambda b: b**b,
    ],
)
def test_bools_are_no_numbers(run: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(TypeError, match=r"^\["):
        run(dg.to_tensor([True, False]))


def test_a_divisor_that_an_integer_type_cannot_hold_is_refused() -> None:
    with pytest.raises(OverflowError, match=r"^\[floor_divide\] given uint8 \[1\], int 300"):
        dg.to_tensor([7], dtype="uint8") // 300


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda x: dg.add(x, "a"), TypeError, "[add] y is str 'a'; expected a Tensor, a number"),
        (lambda x: dg.add([1.0], x), TypeError, "[add] x is list [1.0]"),
        (lambda x: x + dg.to_tensor([1, 2]), TypeError, "[add] x is float32 [2], y is int64 [2]"),
        (lambda x: x + dg.ones([3]), ValueError, "[add] given float32 [2], float32 [3]"),
        (lambda x: dg.clip(x, 2, 1), ValueError, "[clip] min is 2, max is 1; expected min <= max"),
        (lambda x: dg.exp(None), TypeError, "[exp] x is NoneType None"),
        (lambda x: dg.cast(x, "float33"), TypeError, "[dtype] 'float33' is given"),
        (
            lambda x: dg.scale(x, x),
            ValueError,
            "[scale] scale is float32 [2]; expected one",
        ),
        (lambda x: dg.scale(x, act="relu"), ValueError, "[scale] act is 'relu'; expected None"),
        (lambda x: dg.add_n([]), ValueError, "[add_n] an empty list is given"),
        (lambda x: dg.add_n([x, x[:1]]), ValueError, "[add_n] inputs[0] is float32 [2], inputs[1]"),
        (lambda x: dg.add_n([x, 1.0]), TypeError, "[add_n] inputs[1] is float 1.0"),
        (lambda x: dg.maximum(x, dg.to_tensor(1)), TypeError, "[maximum] x is float32 [2], y is"),
    ],
)
def test_error(run: Callable[[Tensor], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        run(dg.to_tensor([1.0, 2.0]))
    assert str(caught.value).startswith(words)
