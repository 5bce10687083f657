"""Normalisation layers: statistics, running averages, layouts, parameters, text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import nn

ROWS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def normal(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def standardised(x: Any, axes: tuple[int, ...], epsilon: float = 1e-5) -> Any:
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + epsilon)


# ---- batch normalisation -------------------------------------------------------------------------


def test_batch_norm_normalises_each_channel_and_moves_its_averages_a_tenth_of_the_way() -> None:
    layer = nn.BatchNorm1D(3)
    out = layer(dg.to_tensor(ROWS))
    np.testing.assert_allclose(out.numpy(), [[-0.9999978] * 3, [0.9999978] * 3], rtol=1e-6)
    np.testing.assert_allclose(layer._mean.numpy(), [0.25, 0.35, 0.45], rtol=1e-6)
    # The batch's variance is 2.25, not corrected for the size of the sample.
    np.testing.assert_allclose(layer._variance.numpy(), [1.125] * 3, rtol=1e-6)
    kept = layer._mean.tolist()
    out = layer.eval()(dg.to_tensor(ROWS))
    expected = [[0.7071036, 1.5556279, 2.4041524], [3.5355182, 4.3840427, 5.2325668]]
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-5)
    assert layer._mean.tolist() == kept


def test_momentum_is_the_weight_of_the_old_value() -> None:
    layer = nn.BatchNorm1D(1, momentum=0.25)
    layer(dg.to_tensor([[0.0], [8.0]]))
    assert layer._mean.item() == 3.0
    assert layer._variance.item() == 0.25 + 0.75 * 16


def test_statistics_are_parameters_that_are_not_trained() -> None:
    layer = nn.BatchNorm1D(2)
    named = list(layer.named_parameters())
    assert [name for name, _ in named] == ["weight", "bias", "_mean", "_variance"]
    assert [p.stop_gradient for _, p in named] == [False, False, True, True]
    assert [p.name.rpartition(".")[2] for _, p in named] == ["w_0", "b_0", "w_1", "w_2"]
    assert list(layer.state_dict()) == ["weight", "bias", "_mean", "_variance"]
    assert list(layer.buffers()) == []
    bare = nn.BatchNorm1D(2, weight_attr=False, bias_attr=False)
    assert list(bare.state_dict()) == ["_mean", "_variance"]
    assert (bare.weight, bare.bias) == (None, None)


@pytest.mark.parametrize(
    ("make", "shape", "axes"),
    [
        (lambda: nn.BatchNorm1D(3), (4, 3), (0,)),
        (lambda: nn.BatchNorm1D(3), (4, 3, 5), (0, 2)),
        (lambda: nn.BatchNorm1D(3, data_format="NLC"), (4, 5, 3), (0, 1)),
        (lambda: nn.BatchNorm2D(3), (4, 3, 5, 2), (0, 2, 3)),
        (lambda: nn.BatchNorm2D(3, data_format="NHWC"), (4, 5, 2, 3), (0, 1, 2)),
        (lambda: nn.BatchNorm3D(3), (2, 3, 2, 2, 2), (0, 2, 3, 4)),
        (lambda: nn.SyncBatchNorm(3), (4, 3, 5), (0, 2)),
        (lambda: nn.BatchNorm(3), (4, 3, 5), (0, 2)),
    ],
)
def test_layouts_of_batch_norm(make: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    x = normal(*shape)
    layer = make()
    np.testing.assert_allclose(layer(dg.to_tensor(x)).numpy(), standardised(x, axes), atol=1e-5)
    np.testing.assert_allclose(layer._mean.numpy(), 0.1 * x.mean(axes), atol=1e-6)


def test_scale_and_shift_are_learnt_and_statistics_are_not() -> None:
    layer = nn.BatchNorm1D(3)
    layer(dg.to_tensor(ROWS)).sum().backward()
    np.testing.assert_allclose(layer.weight.grad.numpy(), [0.0] * 3, atol=1e-6)
    assert layer.bias.grad.tolist() == [2.0, 2.0, 2.0]
    assert layer._mean.grad is None


def test_the_gradient_flows_through_the_batch_statistics() -> None:
    x = dg.to_tensor(normal(4, 2), stop_gradient=False)
    (nn.BatchNorm1D(2)(x) * dg.to_tensor(normal(4, 2))).sum().backward()
    np.testing.assert_allclose(x.grad.numpy().sum(0), [0.0, 0.0], atol=1e-5)


def test_global_statistics_can_be_forced_either_way() -> None:
    fixed = nn.BatchNorm1D(3, use_global_stats=True)
    np.testing.assert_allclose(fixed(dg.to_tensor(ROWS)).numpy(), ROWS, rtol=1e-5)
    assert fixed._mean.tolist() == [0.0, 0.0, 0.0]
    batch = nn.BatchNorm1D(3, use_global_stats=False).eval()
    np.testing.assert_allclose(batch(dg.to_tensor(ROWS)).numpy()[0], [-1.0] * 3, rtol=1e-4)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.BatchNorm1D(3), (2, 3, 4, 5)),
        (nn.BatchNorm1D(3), (3,)),
        (nn.BatchNorm1D(3), (2, 4)),
        (nn.BatchNorm2D(3), (2, 3, 4)),
        (nn.BatchNorm3D(3), (2, 3, 4)),
        (nn.InstanceNorm1D(3), (1, 3, 2, 2)),
        (nn.InstanceNorm2D(3), (1, 3, 2)),
        (nn.LayerNorm(3), (2, 4)),
        (nn.LayerNorm([2, 3]), (3,)),
        (nn.RMSNorm(3), (2, 4)),
        (nn.GroupNorm(2, 4), (2, 6)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(layer: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        layer(dg.ones(list(shape)))


def test_the_oldest_batch_norm_has_an_activation_and_more_switches() -> None:
    x = dg.to_tensor(ROWS)
    relu = nn.BatchNorm(3, act="relu")(x).numpy()
    np.testing.assert_allclose(relu, [[0.0] * 3, [0.9999978] * 3], rtol=1e-6)
    np.testing.assert_allclose(nn.BatchNorm(3, is_test=True)(x).numpy(), ROWS, rtol=1e-5)
    np.testing.assert_allclose(nn.BatchNorm(3, use_global_stats=True)(x).numpy(), ROWS, rtol=1e-5)
    always = nn.BatchNorm(3, trainable_statistics=True).eval()
    np.testing.assert_allclose(always(x).numpy()[0], [-1.0] * 3, rtol=1e-4)
    assert nn.BatchNorm(3, moving_mean_name="mean_of_mine")._mean.name == "mean_of_mine"
    assert list(nn.BatchNorm(3, param_attr=False).state_dict()) == ["bias", "_mean", "_variance"]
    with pytest.raises(ValueError, match="act"):
        nn.BatchNorm(3, act="no_such_function")


def test_conversion_to_sync_batch_norm_keeps_the_parameters() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1D(2)))
    state = net.state_dict()
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert isinstance(converted[1][0], nn.SyncBatchNorm)
    assert all(converted.state_dict()[key] is value for key, value in state.items())


# ---- each example by itself ----------------------------------------------------------------------


@given(st.integers(0, 2), st.lists(st.integers(1, 4), min_size=1, max_size=2))
def test_layer_norm_standardises_the_last_axes(batch: int, sizes: list[int]) -> None:
    x = normal(*[2] * batch, *sizes)
    layer = nn.LayerNorm(sizes)
    axes = tuple(range(batch, batch + len(sizes)))
    np.testing.assert_allclose(layer(dg.to_tensor(x)).numpy(), standardised(x, axes), atol=1e-5)
    assert layer.weight.shape == [int(np.prod(sizes))]


def test_layer_norm_leaves_parts_out() -> None:
    assert nn.LayerNorm(3)._normalized_shape == [3]
    assert list(nn.LayerNorm(3, weight_attr=False).state_dict()) == ["bias"]
    assert list(nn.LayerNorm(3, bias=False).state_dict()) == ["weight"]
    assert list(nn.LayerNorm(3, elementwise_affine=False).state_dict()) == []
    assert nn.LayerNorm(3, dtype="float64").weight.dtype == dg.float64


def test_scale_and_shift_have_the_normalised_shape() -> None:
    layer = nn.LayerNorm([2, 2], weight_attr=nn.initializer.Assign([1.0, 2.0, 3.0, 4.0]))
    layer.bias.set_value(np.array([1, 1, 1, 1], "float32"))
    x = normal(3, 2, 2)
    expected = standardised(x, (1, 2)) * [[1, 2], [3, 4]] + 1
    np.testing.assert_allclose(layer(dg.to_tensor(x)).numpy(), expected, atol=1e-5)


def test_rms_norm_divides_by_the_root_mean_square() -> None:
    x = normal(4, 6)
    layer = nn.RMSNorm(6, epsilon=1e-6)
    expected = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(layer(dg.to_tensor(x)).numpy(), expected, rtol=1e-5, atol=1e-6)
    assert list(layer.state_dict()) == ["weight"]
    assert list(nn.RMSNorm(6, weight_attr=False).state_dict()) == []


def test_group_norm() -> None:
    layer = nn.GroupNorm(2, 4)
    x = np.arange(8, dtype="float32").reshape(1, 4, 2)
    expected = [[[-1.3416355, -0.4472118], [0.4472118, 1.3416355]] * 2]
    np.testing.assert_allclose(layer(dg.to_tensor(x)).numpy(), expected, rtol=1e-5)
    last = nn.GroupNorm(2, 4, data_format="NLC")(dg.to_tensor(x.swapaxes(1, 2).copy()))
    np.testing.assert_allclose(last.numpy().swapaxes(1, 2), expected, rtol=1e-5)
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert list(nn.GroupNorm(2, 4, weight_attr=False).state_dict()) == ["bias"]
    assert list(nn.GroupNorm(2, 4, affine=False).state_dict()) == []
    with pytest.raises(ValueError, match="divide"):
        nn.GroupNorm(3, 4)


def test_group_norm_without_scale_and_shift_has_the_right_gradient() -> None:
    x = dg.to_tensor(normal(2, 4, 3), stop_gradient=False)
    out = nn.GroupNorm(2, 4, weight_attr=False, bias_attr=False)(x)
    (out * dg.to_tensor(normal(2, 4, 3))).sum().backward()
    by_group = x.grad.numpy().reshape(2, 2, 6)
    np.testing.assert_allclose(by_group.sum(-1), np.zeros((2, 2)), atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.InstanceNorm1D(3), (2, 3, 4)),
        (nn.InstanceNorm2D(3), (2, 3, 4, 2)),
        (nn.InstanceNorm3D(3), (2, 3, 2, 2, 2)),
    ],
)
def test_instance_norm_standardises_each_channel_of_each_example(layer: Any, shape: Any) -> None:
    x = normal(*shape)
    axes = tuple(range(2, len(shape)))
    np.testing.assert_allclose(layer(dg.to_tensor(x)).numpy(), standardised(x, axes), atol=1e-5)
    assert list(layer.state_dict()) == ["scale", "bias"]


def test_instance_norm_leaves_out_both_or_neither() -> None:
    bare = nn.InstanceNorm1D(3, weight_attr=False, bias_attr=False)
    assert list(bare.state_dict()) == []
    with pytest.raises(ValueError, match="both"):
        nn.InstanceNorm1D(3, weight_attr=False)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (
            nn.BatchNorm1D(3),
            "BatchNorm1D(num_features=3, momentum=0.9, epsilon=1e-05, data_format=NCL)",
        ),
        (nn.BatchNorm2D(3), "BatchNorm2D(num_features=3, momentum=0.9, epsilon=1e-05)"),
        (nn.SyncBatchNorm(3), "SyncBatchNorm(num_features=3, momentum=0.9, epsilon=1e-05)"),
        (nn.BatchNorm(3), "BatchNorm()"),
        (nn.LayerNorm(3), "LayerNorm(normalized_shape=[3], epsilon=1e-05)"),
        (nn.RMSNorm((2, 3)), "RMSNorm(normalized_shape=[2, 3], epsilon=1e-05)"),
        (nn.GroupNorm(2, 4), "GroupNorm(num_groups=2, num_channels=4, epsilon=1e-05)"),
        (nn.InstanceNorm1D(3), "InstanceNorm1D(num_features=3, epsilon=1e-05)"),
    ],
)
def test_text(layer: nn.Layer, text: str) -> None:
    assert repr(layer) == text
