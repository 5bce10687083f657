"""Activations: values and derivatives at kinks and elsewhere, compared with `activations.json`.

The numbers were written from Paddle.

One number is not Paddle's, which is 1e-6 off there: the derivative of the approximate gelu at -4 is
the exact one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph import nn

EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("activations.json").read_text())
POINTS = [-30.0, -6.0, -4.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 3.0, 4.0, 6.0, 30.0]
ROWS = np.reshape([0.5, -1.0, 2.0, 30.0, 0.0, -30.0], (2, 3)).astype("float32")
WEIGHTS = np.reshape([1.0, -2.0, 0.5, 3.0, 0.25, -1.0], (2, 3)).astype("float32")

Function = Callable[[Any], Any]


def named(name: str) -> Function:
    """The function of that name, looked up when it is called."""

    def activation(x: Any) -> Any:
        return getattr(F, name)(x)

    return activation


PLAIN = """relu leaky_relu elu gelu silu swish softplus hardswish tanh sigmoid hardsigmoid relu6
log_sigmoid softsign mish selu celu hardtanh tanhshrink"""
ELEMENTWISE: dict[str, Function] = {name: named(name) for name in PLAIN.split()} | {
    "leaky_relu 0.2": lambda x: F.leaky_relu(x, 0.2),
    "elu 0.5": lambda x: F.elu(x, 0.5),
    "gelu approximate": lambda x: F.gelu(x, True),
    "softplus 2 3": lambda x: F.softplus(x, 2.0, 3.0),
    "prelu": lambda x: F.prelu(x, dg.to_tensor([0.25])),
}
ROWWISE: dict[str, Function] = {
    "softmax": F.softmax,
    "softmax axis 0": lambda x: F.softmax(x, axis=0),
    "log_softmax": F.log_softmax,
    "log_softmax axis 0": lambda x: F.log_softmax(x, axis=0),
}
CASES = ELEMENTWISE | ROWWISE


def run(name: str) -> tuple[Any, Any]:
    """Value, and gradient of its sum (weighted, for what sums to one)."""
    rowwise = name in ROWWISE
    x = dg.to_tensor(ROWS if rowwise else POINTS, stop_gradient=False)
    y = CASES[name](x)
    (y * dg.to_tensor(WEIGHTS) if rowwise else y).sum().backward()
    return y.numpy(), x.grad.numpy()


@pytest.mark.parametrize("name", CASES)
def test_value_and_derivative(name: str) -> None:
    value, gradient = run(name)
    np.testing.assert_allclose(value, EXPECTED[name]["value"], rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(gradient, EXPECTED[name]["grad"], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "at", "slope"),
    [
        ("relu", 0.0, 0.0),
        ("leaky_relu", 0.0, 1.0),
        ("elu 0.5", 0.0, 0.5),
        ("prelu", 0.0, 0.25),
        ("relu6", 6.0, 0.0),
        ("hardswish", -3.0, 0.0),
        ("hardswish", 3.0, 1.0),
        ("hardtanh", -1.0, 0.0),
        ("hardtanh", 1.0, 0.0),
        ("hardsigmoid", 3.0, 0.0),
    ],
)
def test_slope_at_a_kink(name: str, at: float, slope: float) -> None:
    x = dg.to_tensor([at], stop_gradient=False)
    CASES[name](x).backward()
    assert x.grad.tolist() == [slope]


LAYERS: dict[str, tuple[Callable[[], Any], str]] = {
    "relu": (nn.ReLU, "ReLU()"),
    "leaky_relu": (nn.LeakyReLU, "LeakyReLU(negative_slope=0.01)"),
    "leaky_relu 0.2": (lambda: nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2)"),
    "elu": (nn.ELU, "ELU(alpha=1.0)"),
    "gelu": (nn.GELU, "GELU(approximate=False)"),
    "gelu approximate": (lambda: nn.GELU(True), "GELU(approximate=True)"),
    "silu": (nn.Silu, "Silu(inplace=False)"),
    "swish": (nn.Swish, "Swish()"),
    "softplus": (nn.Softplus, "Softplus(beta=1, threshold=20)"),
    "hardswish": (nn.Hardswish, "Hardswish()"),
    "tanh": (nn.Tanh, "Tanh()"),
    "sigmoid": (nn.Sigmoid, "Sigmoid()"),
    "prelu": (nn.PReLU, "PReLU(num_parameters=1, data_format=NCHW, init=0.25, dtype=float32)"),
    "softmax": (nn.Softmax, "Softmax(axis=-1)"),
    "log_softmax": (nn.LogSoftmax, "LogSoftmax(axis=-1)"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_do_as_their_functions_and_print(name: str) -> None:
    make, text = LAYERS[name]
    layer = make()
    x = dg.to_tensor(ROWS if name in ROWWISE else POINTS)
    np.testing.assert_allclose(layer(x).numpy(), EXPECTED[name]["value"], rtol=2e-5, atol=1e-6)
    assert repr(layer) == text


def test_prelu_has_a_weight_per_channel() -> None:
    layer = nn.PReLU(3, 0.5)
    assert list(layer.state_dict()) == ["_weight"]
    x = dg.to_tensor([[-1.0, 2.0, -4.0], [-3.0, -1.0, 1.0]], stop_gradient=False)
    assert layer(x).tolist() == [[-0.5, 2.0, -2.0], [-1.5, -0.5, 1.0]]
    layer(x).sum().backward()
    assert layer._weight.grad.tolist() == [-4.0, -1.0, -4.0]


def test_softmax_takes_a_dtype_and_checks_its_axis() -> None:
    assert F.softmax(dg.to_tensor([1.0, 2.0]), dtype="float64").dtype == dg.float64
    for axis in (2, -3):
        with pytest.raises(ValueError, match=r"."):
            F.softmax(dg.ones([2, 3]), axis=axis)


@pytest.mark.ours("Paddle raises AssertionError")
def test_prelu_refuses_a_weight_of_another_size() -> None:
    with pytest.raises(ValueError, match=r"."):
        F.prelu(dg.ones([1, 3]), dg.to_tensor([0.1, 0.2]))
