"""Activations and softmax: kinks, extreme inputs, arguments, in-place forms."""

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
from dualgraph.ops import activation as f

NAN, INF = math.nan, math.inf
ROWS = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=6)
SMOOTH = "gelu silu mish elu selu celu softplus log_sigmoid softsign tanhshrink sigmoid tanh"
PIECEWISE = (
    "relu leaky_relu relu6 hardtanh hardsigmoid hardswish softshrink hardshrink thresholded_relu"
)
ALL = (SMOOTH + " " + PIECEWISE).split()


def wide(*values: Any) -> Tensor:
    """A float64 tensor that needs a gradient."""
    return dg.to_tensor(list(values), dtype="float64", stop_gradient=False)


def slope(function: Callable[..., Tensor], *values: float) -> list[float]:
    """The derivatives of a function at some points."""
    x = wide(*values)
    function(x).backward()
    assert x.grad is not None
    found: list[float] = x.grad.tolist()
    return found


# ---- properties ----------------------------------------------------------------------------------


@given(ROWS, st.floats(-1e3, 1e3))
def test_softmax_adds_up_to_one_and_does_not_see_a_shift(row: list[float], shift: float) -> None:
    x = wide(*row)
    out = f.softmax(x)
    assert float(out.sum()) == pytest.approx(1)
    np.testing.assert_allclose(f.softmax(x + shift).numpy(), out.numpy(), rtol=1e-9)
    np.testing.assert_allclose(f.log_softmax(x).exp().numpy(), out.numpy(), rtol=1e-9)


@given(ROWS)
def test_the_gradients_of_softmax_add_up_to_nothing(row: list[float]) -> None:
    x = wide(*row)
    (f.softmax(x) * wide(*range(len(row)))).sum().backward()
    assert float(x.grad.sum()) == pytest.approx(0, abs=1e-9)


@given(st.floats(-1e30, 1e30))
@pytest.mark.parametrize("name", ALL)
def test_every_activation_and_its_slope_are_finite_everywhere(name: str, x: float) -> None:
    for dtype in ("float32", "float64"):
        t = dg.to_tensor([x], dtype=dtype, stop_gradient=False)
        y = getattr(f, name)(t)
        y.backward()
        assert math.isfinite(y.item())
        assert -0.2 <= t.grad.item() <= 1.76


@given(st.floats(-50, 50))
def test_smooth_activations_agree_with_their_definitions(x: float) -> None:
    s = 1 / (1 + math.exp(-x))
    soft = math.log1p(math.exp(x))
    for name, expected in {
        "silu": x * s,
        "mish": x * math.tanh(soft),
        "log_sigmoid": -math.log1p(math.exp(-x)),
        "gelu": x * math.erfc(-x / math.sqrt(2)) / 2,
        "softsign": x / (1 + abs(x)),
    }.items():
        assert getattr(f, name)(wide(x)).item() == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert f.softplus(wide(x), threshold=100).item() == pytest.approx(soft, rel=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_nan_stays_nan(name: str) -> None:
    assert math.isnan(getattr(f, name)(wide(NAN)).item())


# ---- kinks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "x", "expected"),
    [
        (f.relu, [-1, -0.0, 0.0, 1], [0, 0, 0, 1]),
        (f.leaky_relu, [-1, -0.0, 0.0, 1], [0.01, 1, 1, 1]),
        (lambda x: f.leaky_relu(x, 2.0), [-1, 0, 1], [2, 1, 1]),
        (f.relu6, [-1, 0, 3, 6, 7], [0, 0, 1, 0, 0]),
        (f.hardtanh, [-2, -1, 0, 1, 2], [0, 0, 1, 0, 0]),
        (lambda x: f.hardsigmoid(x, 0.25), [-4, -2, 0, 2, 4], [0, 0, 0.25, 0, 0]),
        (f.hardswish, [-4, -3, 0, 3, 4], [0, 0, 0.5, 1, 1]),
        (f.softshrink, [-1, -0.5, 0, 0.5, 1], [1, 0, 0, 0, 1]),
        (f.hardshrink, [-1, -0.5, 0, 0.5, 1], [1, 1, 0, 1, 1]),
        (f.thresholded_relu, [0, 1, 2], [0, 0, 1]),
        (lambda x: f.elu(x, 0.5), [0, 1], [0.5, 1]),
        (lambda x: f.elu(x, -1.0), [0, 1], [-1, 1]),
        (lambda x: f.celu(x, 2.0), [0, 1], [1, 1]),
        (lambda x: f.softplus(x, 2, 3), [0, 1.6], [0.5, 1]),
        (f.softsign, [0, 1], [1, 0.25]),
        (f.mish, [0, 1e30], [0.6, 1]),
        (f.tanhshrink, [0, 1e30], [0, 1]),
    ],
)
def test_slope_at_the_kink(
    run: Callable[[Tensor], Tensor], x: list[float], expected: list[float]
) -> None:
    assert slope(run, *x) == pytest.approx(expected)


def test_prelu_takes_its_weight_for_slope_at_zero() -> None:
    x, weight = wide(-1, 0, 1), wide(0.25)
    out = f.prelu(x, weight)
    out.backward()
    assert out.tolist() == [-0.25, 0, 1]
    assert x.grad.tolist() == [0.25, 0.25, 1]
    assert weight.grad.tolist() == [-1]


def test_each_channel_has_a_weight_of_prelu() -> None:
    x, weight = wide([-1, -1, 2]), wide(0.1, 0.2, 0.3)
    f.prelu(x, weight).backward()
    assert x.grad.tolist() == [[0.1, 0.2, 1]]
    assert weight.grad.tolist() == [-1, -1, 0]


# ---- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "x", "expected"),
    [
        (f.hardshrink, [-1, -0.5, 0, 0.5, 1], [-1, -0.5, 0, 0.5, 1]),
        (lambda x: f.thresholded_relu(x, 1.0, 9.0), [0, 1, 1.5], [9, 9, 1.5]),
        (f.hardswish, [-4, -3, 0, 3, 4], [0, 0, 0, 3, 4]),
        (f.softplus, [-1000, 20.1, 1000], [0, 20.1, 1000]),
        (f.log_sigmoid, [-1000, 1000], [-1000, 0]),
        (f.softshrink, [INF, -INF], [INF, -INF]),
        (f.elu, [-INF, INF], [-1, INF]),
        (f.mish, [-1000, INF], [0, INF]),
        (f.silu, [-1000, INF], [0, INF]),
    ],
)
def test_value(run: Callable[[Tensor], Tensor], x: list[float], expected: list[float]) -> None:
    assert run(wide(*x)).tolist() == expected


def test_gelu_knows_its_approximations_by_name() -> None:
    x = wide(1.0)
    assert f.gelu(x, "tanh").item() == f.gelu(x, True).item() == pytest.approx(0.8411919906082768)
    assert f.gelu(x, "none").item() == f.gelu(x).item() == pytest.approx(0.8413447460685429)


def test_a_large_tensor_is_worked_on_in_blocks_without_a_difference() -> None:
    x = dg.to_tensor(np.linspace(-6, 6, 3 * 2**14 + 5, dtype=np.float32).reshape(-1, 1))
    np.testing.assert_array_equal(f.gelu(x).numpy()[::7], f.gelu(x[::7]).numpy())


def test_infinite_logits_of_softmax() -> None:
    assert f.softmax(wide(-INF, 0)).tolist() == [0, 1]
    assert f.log_softmax(wide(-INF, 0)).tolist() == [-INF, 0]
    assert f.log_softmax(wide(1000, 0)).tolist() == [0, -1000]
    assert dg.isnan(f.softmax(wide(-INF, -INF))).tolist() == [True, True]
    assert dg.isnan(f.softmax(wide(INF, 0))).tolist() == [True, True]


def test_softmax_of_a_number_is_one_and_flat() -> None:
    x = dg.to_tensor(3.0, stop_gradient=False)
    f.softmax(x).backward()
    assert (f.softmax(x).item(), f.log_softmax(x).item(), x.grad.item()) == (1, 0, 0)


def test_softmax_casts_before_it_computes() -> None:
    assert f.softmax(dg.to_tensor([[1, 2]]), dtype="float64").dtype == dg.float64
    assert f.softmax(dg.to_tensor([1, 2])).dtype == dg.float32
    assert f.softmax(dg.to_tensor([10.0, 11.0], dtype="float16")).dtype == dg.float16


def test_glu_gates_the_first_half_by_the_second() -> None:
    out = f.glu(wide([1, 2, 3, 4]))
    np.testing.assert_allclose(out.numpy(), [[0.9525741268, 1.9640275801]])
    assert f.swiglu(wide(2.0, 3.0)).item() == pytest.approx(2 / (1 + math.exp(-2)) * 3)


def test_maxout_takes_the_largest_of_neighbouring_channels() -> None:
    x = dg.arange(16, dtype="float32").reshape([1, 4, 2, 2])
    assert f.maxout(x, 2).flatten().tolist() == [4, 5, 6, 7, 12, 13, 14, 15]
    assert f.maxout(dg.arange(8, dtype="float32"), 4, axis=0).tolist() == [3, 7]


def test_integers_become_the_default_type() -> None:
    for name in ALL:
        assert getattr(f, name)(dg.to_tensor([0, 1])).dtype == dg.float32


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", [*ALL, "softmax", "log_softmax"])
def test_half_precision_does_not_overflow_on_the_way(name: str, dtype: str) -> None:
    x = dg.to_tensor([-60.0, -1.5, 0.75, 60.0], dtype=dtype, stop_gradient=False)
    y = getattr(f, name)(x)
    y.backward()
    exact = getattr(f, name)(x.astype("float64"))
    assert (y.dtype.name, x.grad.dtype.name) == (dtype, dtype)
    np.testing.assert_allclose(y.astype("float64").numpy(), exact.numpy(), rtol=2**-7, atol=1e-6)


# ---- in place ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("relu", ()),
        ("leaky_relu", (0.5,)),
        ("elu", (0.5,)),
        ("hardtanh", (-0.5, 0.5)),
        ("thresholded_relu", (0.5, 2.0)),
        ("tanh", ()),
        ("sigmoid", ()),
        ("softmax", (0,)),
    ],
)
def test_the_in_place_form_writes_into_its_tensor(name: str, arguments: tuple[Any, ...]) -> None:
    leaf = wide(-2.0, 0.25, 3.0)
    x = leaf * 1.0
    assert getattr(f, f"{name}_")(x, *arguments) is x
    expected = getattr(f, name)(leaf, *arguments)
    assert x.tolist() == expected.tolist()
    weights = wide(1.0, 2.0, 3.0)
    (x * weights).sum().backward()
    through = leaf.grad.tolist()
    leaf.clear_grad()
    (expected * weights).sum().backward()
    assert through == leaf.grad.tolist()


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda x: f.gelu(x, "fast"), ValueError, "[gelu] approximate is 'fast'"),
        (lambda x: f.softmax(x, axis=2), ValueError, "[softmax] axis is 2"),
        (lambda x: f.log_softmax(x, axis=-3), ValueError, "[log_softmax] axis is -3"),
        (f.glu, ValueError, "[glu] axis -1 has size 3; expected an even size"),
        (f.swiglu, ValueError, "[swiglu] axis -1 has size 3"),
        (lambda x: f.maxout(x, 2), ValueError, "[maxout] x is float32 [2, 3], groups is 2"),
        (lambda x: f.maxout(x, 0), ValueError, "[maxout]"),
        (lambda x: f.celu(x, 0.0), ZeroDivisionError, "[celu] alpha is 0"),
        (lambda x: f.selu(x, scale=1.0), ValueError, "[selu] scale is 1.0"),
        (lambda x: f.softshrink(x, -1.0), ValueError, "[softshrink] threshold is -1.0"),
        (lambda x: f.prelu(x, dg.ones([2])), ValueError, "[prelu] x is float32 [2, 3], weight is"),
        (lambda x: f.prelu(x[0], dg.ones([3])), ValueError, "[prelu] x is float32 [3], weight is"),
        (lambda x: f.prelu(x, dg.ones([3]), "CN"), ValueError, "[prelu] data_format is 'CN'"),
        (lambda x: f.prelu(x, 0.25), TypeError, "[prelu] weight is float 0.25"),
        (lambda x: f.relu("a"), TypeError, "[relu] x is str 'a'"),
    ],
)
def test_error(run: Callable[[Tensor], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        run(dg.ones([2, 3]))
    assert str(caught.value).startswith(words)
