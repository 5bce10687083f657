"""Linear, batch and layer norm, embedding, dropout: values, gradients, statistics, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph import nn

X = np.sin(np.arange(12.0)).reshape(4, 3).astype("float32")
PULL = np.cos(np.arange(12.0)).reshape(4, 3).astype("float32")  # gradient of what is tested
X3 = np.sin(np.arange(24.0)).reshape(2, 3, 4).astype("float32")
t = dg.to_tensor


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found.numpy(), expected, rtol=5e-5, atol=2e-6)


# ---- linear --------------------------------------------------------------------------------------


def test_linear_weight_is_in_by_out() -> None:
    layer = nn.Linear(3, 2)
    assert (layer.weight.shape, layer.bias.shape) == ([3, 2], [2])
    assert layer.bias.tolist() == [0.0, 0.0]
    layer.weight.set_value(np.array([[1, 2], [3, 4], [5, 6]], "float32"))
    layer.bias.set_value(np.array([10, 20], "float32"))
    assert layer(t([[1.0, 0.0, 2.0]])).tolist() == [[21.0, 34.0]]
    assert layer(t([1.0, 0.0, 2.0])).tolist() == [21.0, 34.0]
    assert layer(dg.ones([2, 5, 3])).shape == [2, 5, 2]
    assert F.linear(t([[1.0, 0.0, 2.0]]), layer.weight).tolist() == [[11.0, 14.0]]
    assert nn.Linear(3, 2, bias_attr=False).bias is None


def test_linear_weights_are_drawn_as_xavier_uniform() -> None:
    dg.seed(1)
    weight = nn.Linear(300, 200).weight.numpy()
    bound = np.sqrt(6.0 / 500)
    assert np.abs(weight).max() <= bound
    assert abs(weight.std() - bound / np.sqrt(3)) < 0.02 * bound


@pytest.mark.parametrize("data", [np.ones((2, 4), "float32"), np.ones((2, 3), "int64")], ids=str)
def test_linear_refuses_other_widths_and_integers(data: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        nn.Linear(3, 2)(t(data))


# ---- batch norm ----------------------------------------------------------------------------------


def test_batch_norm_keeps_a_moving_average_and_momentum_is_the_share_of_the_old() -> None:
    layer = nn.BatchNorm1D(3)
    first = [-0.274304, 1.120513, 0.957965]
    history = [
        ([0.006846, 0.004941, -0.001506], [0.906227, 0.949966, 0.993106]),
        ([0.113007, 0.109388, 0.097138], [0.821832, 0.904936, 0.986902]),
        ([0.308552, 0.303390, 0.285918], [0.745875, 0.864408, 0.981319]),
    ]
    for k, (mean, variance) in enumerate(history):
        close(layer(t(X + k))[0], first)
        close(layer._mean, mean)
        close(layer._variance, variance)
    layer.eval()
    close(layer(t(X))[:2], [[-0.357266, 0.578743, 0.629282], [-0.193866, -1.140309, -1.256629]])
    close(layer._mean, history[-1][0])


def test_batch_norm_gradients() -> None:
    layer, x = nn.BatchNorm1D(3), t(X)
    x.stop_gradient = False
    (layer(x) * t(PULL)).sum().backward()
    close(x.grad[0], [3.080744, -0.236742, -0.153874])
    close(layer.weight.grad, [-3.155649, 2.703324, -0.832098])
    close(layer.bias.grad, [0.059048, -0.198511, -0.273559])


def test_batch_norm_with_given_statistics() -> None:
    layer = nn.BatchNorm1D(3, momentum=0.5, epsilon=0.1, use_global_stats=True)
    close(layer(t(X))[0], [0.0, 0.802311, 0.866981])
    assert layer._mean.tolist() == [0.0, 0.0, 0.0]
    layer = nn.BatchNorm1D(3, use_global_stats=False)
    layer.eval()
    close(layer(t(X))[0], [-0.274304, 1.120513, 0.957965])


def test_batch_norm_of_sequences_in_both_layouts() -> None:
    layer = nn.BatchNorm1D(3)
    close(layer(t(X3))[0, 0], [-0.861763, 0.836289, 0.973160, -0.576989])
    close(layer._mean, [0.042705, -0.039857, 0.009400])
    close(layer._variance, [0.924556, 0.929059, 0.957794])
    layer = nn.BatchNorm1D(4, data_format="NLC")
    close(layer(t(X3))[0, 0], [-0.079193, 0.967423, 1.269899, 0.277004])
    close(layer._mean, [0.005350, 0.009835, 0.005277, -0.004132])


def test_batch_norm_statistics_are_parameters_that_stop_gradients() -> None:
    layer = nn.BatchNorm1D(3)
    names = ["weight", "bias", "_mean", "_variance"]
    assert list(layer.state_dict()) == names
    assert [n for n, _ in layer.named_parameters()] == names
    assert [p.stop_gradient for p in layer.parameters()] == [False, False, True, True]
    assert [p.name.partition(".")[2] for p in layer.parameters()] == ["w_0", "b_0", "w_1", "w_2"]
    assert list(layer.named_buffers()) == []
    bare = nn.BatchNorm1D(3, weight_attr=False, bias_attr=False)
    assert list(bare.state_dict()) == ["_mean", "_variance"]


@pytest.mark.parametrize("shape", [[2, 4], [3], [2, 3, 4, 5]], ids=str)
def test_batch_norm_refuses_other_shapes(shape: list[int]) -> None:
    with pytest.raises(ValueError, match=r"."):
        nn.BatchNorm1D(3)(dg.ones(shape))


# ---- layer norm ----------------------------------------------------------------------------------


def test_layer_norm() -> None:
    layer, x = nn.LayerNorm(3), t(X)
    x.stop_gradient = False
    y = layer(x)
    (y * t(PULL)).sum().backward()
    close(y[0], [-1.410999, 0.623504, 0.787495])
    close(y[3], [1.341563, -0.283336, -1.058227])
    close(x.grad[0], [-0.082317, 1.104771, -1.022454])
    close(x.grad[3], [0.192359, -0.595787, 0.403428])
    close(layer.weight.grad, [-5.326188, 1.174273, -0.734479])
    close(layer.bias.grad, [0.059048, -0.198511, -0.273559])
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert list(nn.LayerNorm(3, weight_attr=False, bias_attr=False).state_dict()) == []
    with pytest.raises(ValueError, match=r"."):
        nn.LayerNorm(4)(t(X))


# ---- embedding -----------------------------------------------------------------------------------


def test_embedding_with_padding() -> None:
    table = np.arange(10.0, dtype="float32").reshape(5, 2)
    attr = dg.ParamAttr(initializer=nn.initializer.Assign(table))
    layer = nn.Embedding(5, 2, padding_idx=1, weight_attr=attr)
    assert layer.weight.tolist() == [[0.0, 1.0], [0.0, 0.0], [4.0, 5.0], [6.0, 7.0], [8.0, 9.0]]
    out = layer(t([[1, 2], [2, 4]]))
    assert out.tolist() == [[[0.0, 0.0], [4.0, 5.0]], [[4.0, 5.0], [8.0, 9.0]]]
    (out * 2).sum().backward()
    gradient = [[0.0, 0.0], [0.0, 0.0], [4.0, 4.0], [0.0, 0.0], [2.0, 2.0]]
    assert layer.weight.grad.tolist() == gradient


def test_embedding_takes_int32_and_negative_padding() -> None:
    layer = nn.Embedding(5, 3, padding_idx=-1)
    assert layer(t([4, 0], dtype="int32"))[0].tolist() == [0.0, 0.0, 0.0]
    assert layer(t(2)).shape == [3]


@pytest.mark.parametrize(
    "call",
    [
        lambda: nn.Embedding(5, 3)(t([5])),
        lambda: nn.Embedding(5, 3, padding_idx=7),
        lambda: nn.Embedding(0, 3),
    ],
)
def test_embedding_refuses(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        call()


@pytest.mark.ours("Paddle reads foreign memory, and raises NotImplementedError for floats")
def test_embedding_refuses_negative_and_floating_ids() -> None:
    with pytest.raises(ValueError, match=r"."):
        nn.Embedding(5, 3)(t([-1]))
    with pytest.raises((TypeError, ValueError)):
        nn.Embedding(5, 3)(t([1.0]))


# ---- dropout -------------------------------------------------------------------------------------


def values(x: Any) -> set[float]:
    return set(np.round(np.unique(x.numpy()).astype("float64"), 6).tolist())


def test_dropout_scales_up_in_training_or_down_in_inference() -> None:
    x = dg.ones([50, 40])
    assert values(F.dropout(x, 0.2)) == {0.0, 1.25}
    assert values(F.dropout(x, 0.2, mode="downscale_in_infer")) == {0.0, 1.0}
    assert values(F.dropout(x, 0.2, training=False)) == {1.0}
    assert values(F.dropout(x, 0.2, training=False, mode="downscale_in_infer")) == {0.8}
    assert values(F.dropout(x, 0.0)) == {1.0}
    assert values(F.dropout(x, 1.0)) == {0.0}


def test_dropout_keeps_about_its_share() -> None:
    kept = F.dropout(dg.ones([100, 100]), 0.3).numpy() > 0
    assert abs(kept.mean() - 0.7) < 0.03


@pytest.mark.parametrize(
    ("axis", "same_along"), [(0, 1), (1, 0), ([0], 1), ([1], 0)], ids=["0", "1", "[0]", "[1]"]
)
def test_dropout_along_an_axis_drops_whole_lines(axis: Any, same_along: int) -> None:
    out = F.dropout(dg.ones([30, 20]), 0.5, axis=axis).numpy()
    assert (out.min(same_along) == out.max(same_along)).all()
    assert 0.0 in out
    assert 2.0 in out


def test_dropout_gradient_has_the_mask_of_its_output() -> None:
    x = dg.ones([20, 20])
    x.stop_gradient = False
    y = F.dropout(x, 0.5)
    y.sum().backward()
    assert (x.grad.numpy() == y.numpy()).all()


def test_dropout_layer_follows_the_mode() -> None:
    layer = nn.Dropout(0.5)
    assert values(layer(dg.ones([20, 20]))) == {0.0, 2.0}
    layer.eval()
    assert values(layer(dg.ones([20, 20]))) == {1.0}


def test_dropout_refuses() -> None:
    for options in ({"p": 1.5}, {"p": -0.1}, {"p": 0.5, "axis": 2}, {"p": 0.5, "mode": "x"}):
        with pytest.raises(ValueError, match=r"."):
            F.dropout(dg.ones([2, 2]), **options)
    with pytest.raises(TypeError):
        F.dropout(dg.ones([2, 2]), "a")
