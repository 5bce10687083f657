"""Samples of logarithms, trigonometric and hyperbolic functions, erf, and the logistic function."""

from __future__ import annotations

import numpy as np
from scipy import special

from dualgraph.ops import transcendental as t
from tests.ops.samples.base import Arr, Sample
from tests.ops.samples.elementwise import POSITIVE, pairs, singles, slope

INSIDE = {"low": -0.8, "high": 0.8}
TWO = (Arr((2, 3)), Arr((2, 3)))

SAMPLES: dict[str, list[Sample]] = {
    "expm1": singles(t.expm1, np.expm1) + singles(t.expm1, np.expm1, low=-1e-9, high=1e-9),
    "log1p": singles(t.log1p, np.log1p, low=-0.7, high=3.0),
    "log2": singles(t.log2, np.log2, **POSITIVE),
    "log10": singles(t.log10, np.log10, **POSITIVE),
    "sin": singles(t.sin, np.sin),
    "cos": singles(t.cos, np.cos),
    "tan": singles(t.tan, np.tan, low=-1.2, high=1.2),
    "asin": singles(t.asin, np.arcsin, **INSIDE),
    "acos": singles(t.acos, np.arccos, **INSIDE),
    "atan": singles(t.atan, np.arctan),
    "atan2": [
        *pairs(t.atan2, np.arctan2, order=3, **POSITIVE),
        Sample(t.atan2, (Arr((3,)), Arr((3,), -3.0, -0.5)), np.arctan2),
    ],
    "hypot": pairs(t.hypot, np.hypot, order=3, **POSITIVE),
    "sinh": singles(t.sinh, np.sinh),
    "cosh": singles(t.cosh, np.cosh),
    "asinh": singles(t.asinh, np.arcsinh),
    "acosh": singles(t.acosh, np.arccosh, low=1.3, high=3.0),
    "atanh": singles(t.atanh, np.arctanh, **INSIDE),
    "erf": singles(t.erf, special.erf) + singles(t.erf, special.erf, low=-7.0, high=7.0),
    "erf_slope": slope(t.erf_slope, lambda g, x: g * 2 / np.sqrt(np.pi) * np.exp(-x * x), *TWO),
    "erfinv": [
        *singles(t.erfinv, special.erfinv, **INSIDE),
        Sample(t.erfinv, (Arr((9,), 0.99, 1.0),), special.erfinv, grad=False),
    ],
    "sigmoid": [
        *singles(t.sigmoid, special.expit),
        Sample(t.sigmoid, (Arr((9,), -800.0, 800.0),), special.expit),
    ],
    "sigmoid_slope": slope(t.sigmoid_slope, lambda g, out: g * out * (1 - out), *TWO),
    "logit": [
        *singles(t.logit, special.logit, low=0.1, high=0.9),
        Sample(
            lambda x: t.logit(x, 0.25),
            (Arr((4,), 0.0, 1.0, (0.25, 0.75)),),
            lambda x: special.logit(np.clip(x, 0.25, 0.75)),
        ),
    ],
}
