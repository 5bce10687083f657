"""Initializers: scales, distributions, shapes, defaults and the global initializer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import dualgraph as dg
from dualgraph import nn
from dualgraph.nn import initializer as init
from dualgraph.nn.quantile import normal_cdf, normal_quantile


def filled(fill: Any, *shape: int, dtype: str = "float32") -> Any:
    tensor = dg.zeros(list(shape), dtype)
    assert fill(tensor) is None
    return tensor.numpy()


@pytest.fixture
def global_initializer() -> Iterator[Any]:
    yield init.set_global_initializer
    init.set_global_initializer(None)


# ---- scales --------------------------------------------------------------------------------------

# Standard deviations as Paddle's, for [in, out], [out, in, window], one axis and none.
FANS = [((200, 300), 200, 300), ((20, 30, 5), 150, 100), ((2000,), 2000, 2000)]


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), FANS)
@pytest.mark.parametrize(
    ("make", "std"),
    [
        (init.XavierNormal, lambda i, o: math.sqrt(2 / (i + o))),
        (init.XavierUniform, lambda i, o: math.sqrt(2 / (i + o))),
        (lambda: init.XavierUniform(gain=2.0), lambda i, o: 2 * math.sqrt(2 / (i + o))),
        (lambda: init.XavierNormal(fan_in=10), lambda _i, o: math.sqrt(2 / (10 + o))),
        (lambda: init.XavierUniform(fan_out=10), lambda i, _o: math.sqrt(2 / (i + 10))),
        (init.KaimingNormal, lambda i, _o: math.sqrt(2 / i)),
        (init.KaimingUniform, lambda i, _o: math.sqrt(2 / i)),
        (lambda: init.KaimingNormal(mode="fan_out"), lambda _i, o: math.sqrt(2 / o)),
        (lambda: init.KaimingNormal(fan_in=50), lambda _i, _o: math.sqrt(2 / 50)),
        (
            lambda: init.KaimingUniform(negative_slope=1.0, nonlinearity="leaky_relu"),
            lambda i, _o: math.sqrt(1 / i),
        ),
    ],
)
def test_scales_follow_the_fans(make: Any, std: Any, shape: Any, fan_in: int, fan_out: int) -> None:
    fill = make()
    expected = std(fan_in, fan_out)
    values = filled(fill, *shape)
    assert abs(values.mean()) < 5 * expected / math.sqrt(values.size)
    assert values.std() == pytest.approx(expected, rel=0.06)
    if isinstance(fill, (init.XavierUniform, init.KaimingUniform)):
        assert np.abs(values).max() <= expected * math.sqrt(3) * (1 + 1e-6)


def test_weights_without_elements_can_be_filled() -> None:
    for fill in (init.XavierNormal(), init.XavierUniform(), init.KaimingNormal()):
        assert filled(fill, 0, 2).shape == (0, 2)


@pytest.mark.parametrize(
    ("kind", "gain"),
    [
        ("sigmoid", 1.0),
        ("linear", 1.0),
        ("conv2d", 1.0),
        ("conv3d_transpose", 1.0),
        ("tanh", 5 / 3),
        ("relu", math.sqrt(2)),
        ("leaky_relu", 1.4141428569978354),
        ("selu", 0.75),
    ],
)
def test_gains(kind: str, gain: float) -> None:
    assert init.calculate_gain(kind) == pytest.approx(gain, rel=1e-12)


def test_the_gain_of_leaky_relu_depends_on_its_slope() -> None:
    assert init.calculate_gain("leaky_relu", 1) == 1.0
    with pytest.raises(ValueError, match="nonlinearity"):
        init.calculate_gain("step")
    with pytest.raises(TypeError, match="param"):
        init.calculate_gain("leaky_relu", "a")  # type: ignore[arg-type]


# ---- distributions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fill", "distribution"),
    [
        (init.Normal(1.0, 2.0), stats.norm(1, 2)),
        (init.Uniform(-3.0, 1.0), stats.uniform(-3, 4)),
        (init.Uniform(), stats.uniform(-1, 2)),
        (init.TruncatedNormal(), stats.truncnorm(-2, 2)),
        (init.TruncatedNormal(0.0, 1.0, -0.5, 2.0), stats.truncnorm(-0.5, 2)),
        (init.TruncatedNormal(1.0, 2.0, -2.0, 2.0), stats.truncnorm(-1.5, 0.5, 1, 2)),
        (init.TruncatedNormal(0.0, 1.0, 10.0, 12.0), stats.truncnorm(10, 12)),
        (init.TruncatedNormal(0.0, 0.02), stats.truncnorm(-100, 100, 0, 0.02)),
        (init.TruncatedNormal(0.0, 1.0, -math.inf, math.inf), stats.norm()),
    ],
)
def test_random_values_have_the_distribution_asked_for(fill: Any, distribution: Any) -> None:
    values = filled(fill, 200, 100, dtype="float64").reshape(-1)
    assert stats.kstest(values, distribution.cdf).pvalue > 1e-3


@given(
    st.floats(-3, 3),
    st.floats(0.1, 3),
    st.floats(-20, 20),
    st.floats(0, 5),
)
def test_truncated_values_stay_within_absolute_bounds(
    mean: float, std: float, low: float, width: float
) -> None:
    values = filled(init.TruncatedNormal(mean, std, low, low + width), 50, dtype="float64")
    assert values.min() >= low
    assert values.max() <= low + width


@given(st.floats(1e-300, 1 - 1e-16))
def test_the_normal_quantile_undoes_the_cumulative_function(p: float) -> None:
    x = normal_quantile(np.array([p]))[0]
    assert x == pytest.approx(stats.norm.ppf(p), rel=1e-13, abs=1e-13)
    assert normal_cdf(x) == pytest.approx(p, rel=1e-11)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    "fill",
    [
        init.Normal(),
        init.Uniform(),
        init.TruncatedNormal(),
        init.XavierUniform(),
        init.Orthogonal(),
    ],
)
def test_every_floating_dtype_can_be_filled(fill: Any, dtype: str) -> None:
    values = filled(fill, 4, 4, dtype=dtype)
    assert values.dtype == dtype
    assert np.unique(values).size > 8


def test_the_seed_fixes_what_is_drawn() -> None:
    for fill in (init.Normal(), init.XavierUniform(), init.TruncatedNormal(), init.Orthogonal()):
        dg.seed(7)
        first = filled(fill, 3, 3)
        second = filled(fill, 3, 3)
        dg.seed(7)
        assert (filled(fill, 3, 3) == first).all()
        assert (second != first).any()


def test_random_initializers_refuse_integers() -> None:
    with pytest.raises(TypeError):
        filled(init.Normal(), 2, dtype="int64")


# ---- structured values ---------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (4, 3, 2)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape: tuple[int, ...]) -> None:
    matrix = filled(init.Orthogonal(2.0), *shape, dtype="float64").reshape(shape[0], -1)
    rows, columns = matrix.shape
    gram = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    np.testing.assert_allclose(gram, 4 * np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_needs_two_axes() -> None:
    with pytest.raises(ValueError, match="two axes"):
        filled(init.Orthogonal(), 3)


def test_dirac_hands_channels_through() -> None:
    odd = filled(init.Dirac(), 2, 3, 3)
    assert odd.tolist() == [[[0, 1, 0], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 1, 0], [0, 0, 0]]]
    grouped = filled(init.Dirac(2), 4, 1, 2, 2)
    assert np.argwhere(grouped).tolist() == [[0, 0, 1, 1], [2, 0, 1, 1]]
    with pytest.raises(ValueError, match="axes"):
        filled(init.Dirac(), 2, 2)
    with pytest.raises(ValueError, match="multiple"):
        filled(init.Dirac(3), 4, 1, 2)
    with pytest.raises(ValueError, match="positive"):
        init.Dirac(0)


def test_bilinear_filters_are_symmetric_tents() -> None:
    values = filled(init.Bilinear(), 2, 1, 4, 4)
    tent = np.array([0.25, 0.75, 0.75, 0.25])
    np.testing.assert_allclose(values[0, 0], np.outer(tent, tent))
    assert (values[0] == values[1]).all()
    with pytest.raises(ValueError, match="four axes"):
        filled(init.Bilinear(), 1, 1, 2, 3)


@pytest.mark.parametrize(
    "value", [[[1, 2], [3, 4]], np.array([[1.0, 2], [3, 4]]), ((1, 2), (3, 4))]
)
def test_assign_takes_values_of_the_parameters_shape(value: Any) -> None:
    assert filled(init.Assign(value), 2, 2).tolist() == [[1, 2], [3, 4]]
    assert filled(init.Assign(dg.to_tensor(value)), 2, 2).tolist() == [[1, 2], [3, 4]]


def test_assign_refuses_other_shapes_and_types() -> None:
    with pytest.raises(ValueError, match="equal shapes"):
        filled(init.Assign([1.0, 2.0]), 2, 2)
    with pytest.raises(TypeError, match="Assign"):
        init.Assign(3.0)


def test_constant_fills_any_dtype() -> None:
    assert filled(init.Constant(3), 2).tolist() == [3.0, 3.0]
    assert filled(init.Constant(3.0), 2, dtype="int32").tolist() == [3, 3]
    assert filled(init.Constant()).item() == 0.0
    with pytest.raises(ValueError, match="number"):
        init.Constant(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda: init.KaimingNormal(mode="both"),
        lambda: init.KaimingUniform(fan_in=3, mode="fan_out"),
        lambda: init.Uniform(1.0, 0.0),
        lambda: init.TruncatedNormal(a=2.0, b=-2.0),
        lambda: init.TruncatedNormal(std=0.0),
    ],
)
def test_arguments_that_make_no_sense_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|leave"):
        make()


# ---- defaults and the global initializer ---------------------------------------------------------


def test_the_global_initializer_goes_before_defaults_and_after_param_attr(
    global_initializer: Any,
) -> None:
    global_initializer(init.Constant(5.0), init.Constant(7.0))
    linear, norm = nn.Linear(1, 1), nn.BatchNorm1D(1)
    assert (linear.weight.item(), linear.bias.item()) == (5.0, 7.0)
    assert (norm.weight.item(), norm.bias.item()) == (5.0, 7.0)
    assert (norm._mean.item(), norm._variance.item()) == (0.0, 1.0)
    assert nn.PReLU()._weight.item() == 5.0
    assert nn.Linear(1, 1, weight_attr=init.Constant(1.0)).weight.item() == 1.0


def test_the_global_initializer_is_taken_back_with_none(global_initializer: Any) -> None:
    global_initializer(init.Constant(5.0))
    assert nn.Linear(1, 1).weight.item() == 5.0
    assert nn.Linear(1, 1).bias.item() == 0.0
    global_initializer(None)
    assert nn.LayerNorm(1).weight.item() == 1.0
    with pytest.raises(TypeError, match="initializer"):
        global_initializer(3)


def test_a_subclass_overrides_forward() -> None:
    class Twos(init.Initializer):
        def forward(self, param: Any, block: Any = None) -> None:
            param[:] = 2.0

    assert nn.Linear(1, 2, weight_attr=Twos()).weight.tolist() == [[2.0, 2.0]]
    with pytest.raises(NotImplementedError, match="forward"):
        init.Initializer()(dg.zeros([1]))
