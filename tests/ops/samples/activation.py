"""Samples of activations and softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special, stats

from dualgraph.ops import activation as f
from dualgraph.ops import gated
from dualgraph.ops import rectifier as r
from tests.ops.samples.base import Arr, Sample
from tests.ops.samples.elementwise import quietly, singles, slope

TWO = (Arr((2, 3)), Arr((2, 3)))
WIDE = {"low": -5.0, "high": 5.0}


def elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def mish(x: Any) -> Any:
    return x * np.tanh(np.logaddexp(0, x))


def hardswish(x: Any) -> Any:
    return x * np.clip(x + 3, 0, 6) / 6


def gelu_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _gelu_slope(g: Any, x: Any) -> Any:
    return g * (stats.norm.cdf(x) + x * stats.norm.pdf(x))


def _gelu_tanh_slope(g: Any, x: Any) -> Any:
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x))


def _silu_slope(g: Any, x: Any) -> Any:
    s = special.expit(x)
    return g * (s + x * s * (1 - s))


def _mish_slope(g: Any, x: Any) -> Any:
    t = np.tanh(np.logaddexp(0, x))
    return g * (t + x * special.expit(x) * (1 - t * t))


def _softmax_slope(g: Any, out: Any) -> Any:
    return out * (g - (g * out).sum(-1, keepdims=True))


def _log_softmax_slope(g: Any, out: Any) -> Any:
    return g - np.exp(out) * g.sum(-1, keepdims=True)


def along(function: Any, reference: Any) -> list[Sample]:
    """Samples of a function along an axis."""
    return [
        Sample(function, (Arr((2, 3)),), lambda x: reference(x, -1), order=3),
        Sample(lambda x: function(x, 0), (Arr((3, 2, 2)),), lambda x: reference(x, 0), order=3),
        Sample(
            lambda x: function(x, 1),
            (Arr((2, 3, 2), -900.0, 900.0),),
            lambda x: reference(x, 1),
            order=1,
        ),
        Sample(function, (Arr((2, 0)),), np.copy),
        Sample(function, (Arr((0, 2)),), np.copy),
        Sample(function, (Arr(()),), lambda x: reference(x.reshape(1), 0).reshape(()), order=3),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "relu": singles(r.relu, lambda x: np.maximum(x, 0), kinks=(0.0,)),
    "relu_slope": slope(r.relu_slope, lambda g, out: g * (out > 0), *TWO),
    "leaky_relu": [
        *singles(r.leaky_relu, lambda x: np.where(x >= 0, x, 0.01 * x), kinks=(0.0,)),
        *singles(
            lambda x: r.leaky_relu(x, 1.5), lambda x: np.where(x >= 0, x, 1.5 * x), kinks=(0.0,)
        ),
    ],
    "leaky_relu_slope": slope(
        lambda g, out: r.leaky_relu_slope(g, out, slope=0.1),
        lambda g, x: g * np.where(x >= 0, 1, 0.1),
        *TWO,
    ),
    "prelu": [
        Sample(
            r.prelu,
            (Arr((2, 3), kinks=(0.0,)), Arr((1,))),
            lambda x, w: np.where(x > 0, x, w * x),
            order=3,
        ),
        Sample(
            r.prelu,
            (Arr((2, 3), kinks=(0.0,)), Arr((3,))),
            lambda x, w: np.where(x > 0, x, w * x),
            order=3,
        ),
        Sample(
            r.prelu,
            (Arr((2, 3, 2, 2), kinks=(0.0,)), Arr((3,))),
            lambda x, w: np.where(x > 0, x, w.reshape(3, 1, 1) * x),
        ),
        Sample(
            lambda x, w: r.prelu(x, w, "NHWC"),
            (Arr((2, 2, 1, 3), kinks=(0.0,)), Arr((3,))),
            lambda x, w: np.where(x > 0, x, w * x),
        ),
        Sample(r.prelu, (Arr((), kinks=(0.0,)), Arr(())), lambda x, w: np.where(x > 0, x, w * x)),
    ],
    "prelu_slope": slope(
        r.prelu_slope, lambda g, x, w: g * np.where(x > 0, 1, w), *TWO, Arr((2, 3))
    ),
    "hardtanh": [
        *singles(r.hardtanh, lambda x: np.clip(x, -1, 1), kinks=(-1.0, 1.0)),
        Sample(r.relu6, (Arr((9,), -3.0, 9.0, (0.0, 6.0)),), lambda x: np.clip(x, 0, 6)),
    ],
    "hardtanh_slope": slope(
        lambda g, x: r.hardtanh_slope(g, x, low=-1.0, high=1.0),
        lambda g, x: g * (np.abs(x) < 1),
        *TWO,
    ),
    "hardsigmoid": [
        *singles(
            r.hardsigmoid, lambda x: np.clip(0.1666667 * x + 0.5, 0, 1), kinks=(-3.0, 3.0), **WIDE
        ),
        Sample(
            lambda x: r.hardsigmoid(x, 0.2, 0.4), (Arr((3,), -1.9, 2.9),), lambda x: 0.2 * x + 0.4
        ),
    ],
    "hardsigmoid_slope": slope(
        lambda g, out: r.hardsigmoid_slope(g, out, slope=0.2),
        lambda g, out: 0.2 * g * ((out > 0) & (out < 1)),
        *TWO,
    ),
    "hardswish": singles(r.hardswish, hardswish, kinks=(-3.0, 3.0), **WIDE),
    "hardswish_slope": slope(r.hardswish_slope, lambda g, x: g * (2 * x + 3) / 6, *TWO),
    "softshrink": singles(
        r.softshrink, lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0), kinks=(-0.5, 0.5)
    ),
    "hardshrink": singles(
        r.hardshrink, lambda x: np.where(np.abs(x) > 0.5, x, 0), kinks=(-0.5, 0.5)
    ),
    "softshrink_slope": slope(
        lambda g, x: r.softshrink_slope(g, x, threshold=1.0), lambda g, x: g * (np.abs(x) > 1), *TWO
    ),
    "thresholded_relu": [
        *singles(r.thresholded_relu, lambda x: np.where(x > 1, x, 0), kinks=(1.0,)),
        Sample(
            lambda x: r.thresholded_relu(x, -1.0, -9.0),
            (Arr((5,), kinks=(-1.0,)),),
            lambda x: np.where(x > -1, x, -9.0),
        ),
    ],
    "thresholded_relu_slope": slope(
        lambda g, out: r.thresholded_relu_slope(g, out, threshold=1.0),
        lambda g, out: g * (out > 1),
        *TWO,
    ),
    # Where the gradient cannot be told from the output.
    "select": [
        *singles(
            lambda x: r.leaky_relu(x, -0.5), lambda x: np.where(x >= 0, x, -0.5 * x), kinks=(0.0,)
        ),
        *singles(
            lambda x: r.thresholded_relu(x, -1.0, 9.0),
            lambda x: np.where(x > -1, x, 9.0),
            kinks=(-1.0,),
        ),
        *singles(lambda x: f.elu(x, -0.5), lambda x: elu(x, -0.5), kinks=(0.0,)),
    ],
    "gelu": [
        *singles(f.gelu, lambda x: x * special.ndtr(x)),
        *singles(lambda x: f.gelu(x, True), gelu_tanh),
        Sample(f.gelu, (Arr((3, 7000), -4.0, 4.0),), lambda x: x * special.ndtr(x), order=1),
    ],
    "gelu_slope": [
        *slope(lambda g, x: gated.gelu_slope(g, x, approximate=False), _gelu_slope, *TWO),
        *slope(lambda g, x: gated.gelu_slope(g, x, approximate=True), _gelu_tanh_slope, *TWO),
    ],
    "silu": [
        *singles(f.silu, lambda x: x * special.expit(x)),
        Sample(f.swish, (Arr((5,), -800.0, 800.0),), lambda x: x * special.expit(x)),
    ],
    "silu_slope": slope(gated.silu_slope, _silu_slope, *TWO),
    "mish": [*singles(f.mish, mish), Sample(f.mish, (Arr((9,), -800.0, 800.0),), mish)],
    "mish_slope": [
        *slope(gated.mish_slope, _mish_slope, *TWO),
        *slope(gated.mish_slope, _mish_slope, Arr((9,)), Arr((9,), -90.0, 90.0)),
    ],
    "elu": [
        *singles(f.elu, elu, kinks=(0.0,)),
        *singles(lambda x: f.elu(x, 2.0), lambda x: elu(x, 2.0), kinks=(0.0,)),
        *singles(f.selu, lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772), kinks=(0.0,)),
        *singles(
            lambda x: f.celu(x, 0.5),
            lambda x: np.where(x > 0, x, 0.5 * np.expm1(2 * x)),
            kinks=(0.0,),
        ),
    ],
    "elu_slope": [
        *slope(
            lambda g, out: f.elu_slope(g, out, alpha=2.0, scale=3.0, rate=0.25),
            lambda g, out: g * np.where(out > 0, 3.0, 0.25 * (out + 6)),
            *TWO,
        ),
        *slope(
            lambda g, out: f.elu_slope(g, out, alpha=2.0, scale=1.0, rate=0.5),
            lambda g, out: g * np.where(out > 0, 1.0, 0.5 * (out + 2)),
            *TWO,
        ),
    ],
    "softplus": [
        *singles(f.softplus, lambda x: np.logaddexp(0, x)),
        *singles(
            lambda x: f.softplus(x, 2, 3),
            lambda x: np.where(x > 1.5, x, np.logaddexp(0, 2 * x) / 2),
            kinks=(1.5,),
        ),
        Sample(f.softplus, (Arr((9,), -800.0, 800.0),), lambda x: np.logaddexp(0, x)),
    ],
    "softplus_slope": slope(
        lambda g, x: f.softplus_slope(g, x, beta=2.0, threshold=3.0),
        lambda g, x: g * np.where(x > 1.5, 1, special.expit(2 * x)),
        *TWO,
    ),
    "log_sigmoid": [
        *singles(f.log_sigmoid, special.log_expit),
        Sample(f.log_sigmoid, (Arr((9,), -800.0, 800.0),), special.log_expit),
    ],
    "log_sigmoid_slope": slope(f.log_sigmoid_slope, lambda g, x: g * special.expit(-x), *TWO),
    "softsign": singles(f.softsign, lambda x: x / (1 + np.abs(x)), kinks=(0.0,)),
    "softsign_slope": slope(f.softsign_slope, lambda g, x: g / (1 + np.abs(x)) ** 2, *TWO),
    "tanhshrink": singles(f.tanhshrink, lambda x: x - np.tanh(x)),
    "tanhshrink_slope": slope(f.tanhshrink_slope, lambda g, x: g * np.tanh(x) ** 2, *TWO),
    "softmax": along(f.softmax, special.softmax),
    "softmax_slope": [
        Sample(
            quietly(lambda g, out: f.softmax_slope(g, out, axis=1)), TWO, _softmax_slope, grad=False
        ),
        Sample(
            quietly(lambda g, out: f.softmax_slope(g, out / out, axis=0)),
            (Arr(()), Arr(())),
            lambda g, out: 0 * g,
            grad=False,
        ),
    ],
    "log_softmax": along(f.log_softmax, special.log_softmax),
    "log_softmax_slope": [
        Sample(
            quietly(lambda g, out: f.log_softmax_slope(g, out, axis=1)),
            TWO,
            _log_softmax_slope,
            grad=False,
        ),
        Sample(
            quietly(lambda g, out: f.log_softmax_slope(g, out * 0.0, axis=0)),
            (Arr(()), Arr(())),
            lambda g, out: 0 * g,
            grad=False,
        ),
    ],
}
