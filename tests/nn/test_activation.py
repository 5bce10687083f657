"""Activation layers: each is its function with its attributes, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph import nn

X = np.array([[-7.0, -2.0, -0.5, 0.0], [0.5, 1.0, 2.5, 30.0]], "float32")

CASES: list[tuple[nn.Layer, Callable[[Any], Any], str]] = [
    (nn.ReLU(), F.relu, "ReLU()"),
    (nn.ReLU(name="r"), F.relu, "ReLU(name=r)"),
    (nn.ReLU6(), F.relu6, "ReLU6()"),
    (nn.Sigmoid(), F.sigmoid, "Sigmoid()"),
    (nn.Tanh(), F.tanh, "Tanh()"),
    (nn.Hardsigmoid(), F.hardsigmoid, "Hardsigmoid()"),
    (nn.Hardswish(), F.hardswish, "Hardswish()"),
    (nn.LogSigmoid(), F.log_sigmoid, "LogSigmoid()"),
    (nn.Mish(), F.mish, "Mish()"),
    (nn.Softsign(), F.softsign, "Softsign()"),
    (nn.Swish(), F.swish, "Swish()"),
    (nn.Silu(), F.silu, "Silu(inplace=False)"),
    (nn.Tanhshrink(), F.tanhshrink, "Tanhshrink()"),
    (nn.GELU(), F.gelu, "GELU(approximate=False)"),
    (nn.GELU(True), lambda x: F.gelu(x, True), "GELU(approximate=True)"),
    (nn.LeakyReLU(), F.leaky_relu, "LeakyReLU(negative_slope=0.01)"),
    (nn.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2), "LeakyReLU(negative_slope=0.2)"),
    (nn.ELU(0.5, name="e"), lambda x: F.elu(x, 0.5), "ELU(alpha=0.5, name=e)"),
    (nn.CELU(2.0), lambda x: F.celu(x, 2.0), "CELU(alpha=2.0)"),
    (nn.SELU(), F.selu, "SELU(scale=1.0507009873554805, alpha=1.6732632423543772)"),
    (nn.Hardtanh(-2.0, 3.0), lambda x: F.hardtanh(x, -2.0, 3.0), "Hardtanh(min=-2.0, max=3.0)"),
    (nn.Hardshrink(), F.hardshrink, "Hardshrink(threshold=0.5)"),
    (nn.Softshrink(1.0), lambda x: F.softshrink(x, 1.0), "Softshrink(threshold=1.0)"),
    (nn.ThresholdedReLU(), F.thresholded_relu, "ThresholdedReLU(threshold=1.0, value=0.0)"),
    (nn.Softplus(), F.softplus, "Softplus(beta=1, threshold=20)"),
    (nn.Softplus(2.0, 5.0), lambda x: F.softplus(x, 2.0, 5.0), "Softplus(beta=2.0, threshold=5.0)"),
    (nn.Softmax(), F.softmax, "Softmax(axis=-1)"),
    (nn.Softmax(0), lambda x: F.softmax(x, 0), "Softmax(axis=0)"),
    (nn.LogSoftmax(0), lambda x: F.log_softmax(x, 0), "LogSoftmax(axis=0)"),
    (nn.GLU(), F.glu, "GLU(axis=-1)"),
    (nn.Maxout(2), lambda x: F.maxout(x, 2), "Maxout(groups=2, axis=1)"),
]


@pytest.mark.parametrize(("layer", "function", "text"), CASES, ids=[case[2] for case in CASES])
def test_a_layer_is_its_function_with_its_attributes(
    layer: nn.Layer, function: Callable[[Any], Any], text: str
) -> None:
    assert repr(layer) == text
    assert layer.parameters() == []
    x = dg.to_tensor(X[:, :, None, None] if isinstance(layer, nn.Maxout) else X)
    assert (layer(x).numpy() == function(x).numpy()).all()


def test_every_activation_layer_is_tested_here() -> None:
    apart = {"PReLU", "RReLU", "Softmax2D", "SiLU"}
    tested = {type(layer).__name__ for layer, _, _ in CASES}
    assert set(nn.activation.__all__) == tested | apart


def test_the_slope_of_prelu_is_learnt() -> None:
    layer = nn.PReLU()
    assert [name for name, _ in layer.named_parameters()] == ["_weight"]
    out = layer(dg.to_tensor([[-2.0, 3.0]]))
    assert out.tolist() == [[-0.5, 3.0]]
    out.sum().backward()
    assert layer._weight.grad.tolist() == [-2.0]


def test_prelu_may_have_a_slope_per_channel() -> None:
    layer = nn.PReLU(2, init=0.5)
    layer._weight.set_value(np.array([0.5, 0.25], "float32"))
    x = dg.full([1, 2, 2], -4.0)
    assert layer(x).tolist() == [[[-2.0, -2.0], [-1.0, -1.0]]]
    last = nn.PReLU(2, data_format="NLC", weight_attr=nn.initializer.Assign([0.5, 0.25]))
    assert last(x).tolist() == [[[-2.0, -1.0], [-2.0, -1.0]]]
    text = "PReLU(num_parameters=2, data_format=NCHW, init=0.5, dtype=float32)"
    assert repr(layer) == text


def test_rrelu_draws_slopes_while_training_only() -> None:
    layer = nn.RReLU(0.25, 0.5)
    x = dg.full([1000], -1.0)
    slopes = -layer(x).numpy()
    assert 0.25 <= slopes.min() < 0.26
    assert 0.49 < slopes.max() < 0.5
    assert set(layer.eval()(x).tolist()) == {-0.375}
    assert repr(layer) == "RReLU(lower=0.25, upper=0.5, training=False, dtype=float32)"


def test_softmax_over_channels() -> None:
    layer = nn.Softmax2D()
    assert layer(dg.zeros([1, 4, 2, 2])).tolist() == [[[[0.25, 0.25]] * 2] * 4]
    assert layer(dg.zeros([2, 1, 1])).tolist() == [[[0.5]], [[0.5]]]
    with pytest.raises(ValueError, match="3 or 4 axes"):
        layer(dg.zeros([2, 2]))


def test_silu_has_two_spellings_and_may_overwrite() -> None:
    assert nn.SiLU is nn.Silu
    x = dg.to_tensor(X)
    expected = F.silu(x).tolist()
    assert nn.Silu(inplace=True)(x) is x
    assert x.tolist() == expected
