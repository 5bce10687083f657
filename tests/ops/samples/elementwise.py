"""Samples of arithmetic, extremes, bounds, rounding, blends and powers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.ops import bounds, elementwise, mixing, power
from tests.ops.samples.base import Arr, Sample

Function = Callable[..., Any]
POSITIVE = {"low": 0.3, "high": 3.0}


def quietly(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The call with gradients off, where a derivative's formula runs as one op."""

    def call(*inputs: Any) -> Tensor:
        with dg.no_grad():
            return function(*inputs)

    return call


def slope(function: Function, reference: Function, *inputs: Arr) -> list[Sample]:
    """Samples of a derivative's formula; its own derivatives are tested through its op's."""
    return [
        Sample(quietly(function), inputs, reference, grad=False),
        Sample(
            quietly(function), tuple(Arr((), a.low, a.high) for a in inputs), reference, grad=False
        ),
    ]


def pairs(function: Function, reference: Function, order: int = 2, **domain: Any) -> list[Sample]:
    """Samples of a function of two operands: equal shapes, broadcast ones, numbers, nothing."""
    a = Arr((2, 3), **domain)
    return [
        Sample(function, (a, a), reference, order=order),
        Sample(function, (Arr((2, 1, 3), **domain), Arr((4, 1), **domain)), reference, order=order),
        Sample(function, (a, Arr((), **domain)), reference, order=order),
        Sample(function, (Arr((), **domain), Arr((), **domain)), reference, order=order),
        Sample(function, (Arr((0, 3), **domain), Arr((3,), **domain)), reference),
        Sample(lambda x: function(x, 1.5), (a,), lambda x: reference(x, 1.5), order=order),
        Sample(lambda x: function(1.5, x), (a,), lambda x: reference(1.5, x), order=order),
    ]


def whole(function: Function, reference: Function, low: int = -9, high: int = 9) -> list[Sample]:
    """Samples with integers."""
    a = Arr((3, 4), ints=(low, high))
    return [
        Sample(function, (a, a), reference, grad=False),
        Sample(lambda x: function(x, 3), (a,), lambda x: reference(x, 3), grad=False),
    ]


def singles(
    function: Function, reference: Function, order: int = 3, ints: bool = False, **domain: Any
) -> list[Sample]:
    """Samples of a function of one tensor: some shapes, and integers where it keeps them."""
    found = [
        Sample(function, (Arr((2, 3), **domain),), reference, order=order),
        Sample(function, (Arr((), **domain),), reference, order=order),
        Sample(function, (Arr((0, 3), **domain),), reference),
    ]
    if ints:
        found.append(Sample(function, (Arr((5,), ints=(-4, 5)),), reference, grad=False))
    return found


def _add_n(*xs: Tensor) -> Tensor:
    return mixing.add_n(list(xs))


def _clip_slope(g: Any, x: Any) -> Any:
    return g * ((x >= -1) & (x <= 1))


def _power_slope(g: Any, x: Any) -> Any:
    return g * 2.5 * 1.5 * x**0.5


NEAR_ONE = {"low": -1.9, "high": 1.9, "kinks": (-1.0, 1.0)}
THREE = (Arr((3,)), Arr((3,)), Arr((3,)))
BELOW, ABOVE = Arr((3,), -3.0, -2.0), Arr((3,), 2.0, 3.0)

SAMPLES: dict[str, list[Sample]] = {
    "add": pairs(elementwise.add, np.add) + whole(elementwise.add, np.add),
    "subtract": pairs(elementwise.subtract, np.subtract) + whole(elementwise.subtract, np.subtract),
    "multiply": pairs(elementwise.multiply, np.multiply, order=3)
    + whole(elementwise.multiply, np.multiply),
    "divide": [
        *pairs(elementwise.divide, np.divide, order=3, **POSITIVE),
        Sample(elementwise.divide, (Arr((3,)), Arr((3,), -3.0, -0.5)), np.divide, order=3),
    ],
    "divide_slope": slope(
        elementwise.divide_slope, lambda g, out, y: -g * out / y, *(Arr((2, 3), **POSITIVE),) * 3
    ),
    "floor_divide": [
        Sample(
            elementwise.floor_divide,
            (Arr((2, 3)), Arr((3,), 0.6, 2.0)),
            np.floor_divide,
            grad=False,
        ),
        Sample(
            lambda x: elementwise.floor_divide(7.0, x),
            (Arr((3,), 0.6, 2.0),),
            lambda x: 7 // x,
            grad=False,
        ),
        *whole(elementwise.floor_divide, np.floor_divide, 1, 9),
    ],
    "mod": [
        Sample(
            elementwise.mod, (Arr((2, 3), 0.1, 0.9), Arr((3,), 1.0, 2.0)), np.remainder, order=3
        ),
        Sample(elementwise.mod, (Arr((2, 3), 1.1, 1.9), Arr((), 0.95, 1.05)), np.remainder),
        Sample(lambda x: elementwise.mod(x, -1.0), (Arr((3,), 0.1, 0.9),), lambda x: x % -1.0),
        *whole(elementwise.mod, np.remainder, 1, 9),
    ],
    "pow": [
        *pairs(power.pow, np.power, order=3, **POSITIVE),
        *whole(power.pow, np.power, 0, 6),
        *(
            Sample(lambda x, n=n: power.pow(x, n), (Arr((2, 3)),), lambda x, n=n: x**n, order=3)
            for n in (0, 1, 2, 3, 4, 2.0)
        ),
        *(
            Sample(
                lambda x, n=n: power.pow(x, n),
                (Arr((3,), **POSITIVE),),
                lambda x, n=n: x**n,
                order=3,
            )
            for n in (-1, -2, 0.5, -0.5)
        ),
    ],
    "power_slope": [
        Sample(
            lambda g, x: power.power_slope(g, x, 2.5, order=2),
            (Arr((3,)), Arr((3,), **POSITIVE)),
            _power_slope,
        ),
        Sample(
            lambda g, x: power.power_slope(g, x, 2, order=3),
            (Arr((3,)), Arr((3,))),
            lambda g, x: 0 * g,
        ),
        Sample(
            lambda g, x, y: power.power_slope(g, x, y, order=1),
            (Arr((2, 3)), Arr((2, 3), **POSITIVE), Arr((3,))),
            lambda g, x, y: g * y * x ** (y - 1),
            order=3,
        ),
    ],
    "power_log": [
        Sample(
            lambda x, y: power.power_log(x, y, times=2),
            (Arr((2, 3), **POSITIVE), Arr((3,))),
            lambda x, y: x**y * np.log(x) ** 2,
            order=3,
        ),
        Sample(
            lambda y: power.power_log(2.0, y, times=1),
            (Arr((3,)),),
            lambda y: 2.0**y * np.log(2.0),
            order=3,
        ),
    ],
    "square": singles(elementwise.square, np.square, ints=True),
    "square_slope": slope(elementwise.square_slope, lambda g, x: 2 * g * x, *(Arr((2, 3)),) * 2),
    "sqrt": singles(elementwise.sqrt, np.sqrt, **POSITIVE),
    "sqrt_slope": slope(
        elementwise.sqrt_slope, lambda g, out: g / (2 * out), *(Arr((2, 3), **POSITIVE),) * 2
    ),
    "rsqrt": singles(elementwise.rsqrt, lambda x: 1 / np.sqrt(x), **POSITIVE),
    "rsqrt_slope": slope(
        elementwise.rsqrt_slope, lambda g, out: -g * out**3 / 2, *(Arr((2, 3), **POSITIVE),) * 2
    ),
    "reciprocal": singles(elementwise.reciprocal, np.reciprocal, **POSITIVE),
    "reciprocal_slope": slope(
        elementwise.reciprocal_slope, lambda g, out: -g * out**2, *(Arr((2, 3), **POSITIVE),) * 2
    ),
    "no_slope": singles(elementwise.no_slope, np.zeros_like),
    "sign": singles(elementwise.sign, np.sign, ints=True, kinks=(0.0,)),
    "abs": singles(elementwise.abs, np.abs, ints=True, kinks=(0.0,)),
    "neg": singles(elementwise.neg, np.negative, ints=True),
    "exp": singles(elementwise.exp, np.exp),
    "log": singles(elementwise.log, np.log, **POSITIVE),
    "tanh": singles(elementwise.tanh, np.tanh),
    "tanh_slope": slope(
        elementwise.tanh_slope, lambda g, out: g * (1 - out**2), *(Arr((2, 3)),) * 2
    ),
    "cast": [
        Sample(lambda x: elementwise.cast(x, "float64"), (Arr((3,)),), np.copy, grad=False),
        Sample(
            lambda x: elementwise.astype(x, "float32"),
            (Arr((3,)),),
            lambda x: x.astype("f4"),
            grad=False,
        ),
    ],
    "scale": [
        Sample(lambda x: mixing.scale(x, 2.5, 1.5), (Arr((2, 3)),), lambda x: x * 2.5 + 1.5),
        Sample(
            lambda x: mixing.scale(x, -2.0, 1.5, bias_after_scale=False),
            (Arr(()),),
            lambda x: (x + 1.5) * -2,
        ),
        Sample(
            lambda x, s: mixing.scale(x, s, 1.0), (Arr((2, 3)), Arr((1,))), lambda x, s: x * s + 1
        ),
        Sample(
            lambda x, s, b: mixing.scale(x, s, b, bias_after_scale=False),
            (Arr((0, 3)), Arr(()), Arr(())),
            lambda x, s, b: (x + b) * s,
        ),
        Sample(
            lambda x: mixing.scale(x, 3, -1),
            (Arr((3,), ints=(-5, 5)),),
            lambda x: x * 3 - 1,
            grad=False,
        ),
    ],
    "lerp": [
        Sample(
            lambda x, y: mixing.lerp(x, y, 0.25),
            (Arr((2, 3)), Arr((3,))),
            lambda x, y: x + 0.25 * (y - x),
        ),
        Sample(
            mixing.lerp,
            (Arr((2, 3)), Arr((1, 3)), Arr((2, 1))),
            lambda x, y, w: x + w * (y - x),
            order=3,
        ),
        Sample(mixing.lerp, (Arr(()), Arr(()), Arr(())), lambda x, y, w: x + w * (y - x)),
    ],
    "add_n": [
        Sample(_add_n, (Arr((2, 3)),), np.copy),
        Sample(_add_n, THREE, lambda *xs: sum(xs)),
        Sample(lambda x, y: _add_n(x, y, x), (Arr(()), Arr(())), lambda x, y: 2 * x + y),
        Sample(_add_n, (Arr((3,), ints=(0, 9)), Arr((3,), ints=(0, 9))), np.add, grad=False),
    ],
    "maximum": pairs(bounds.maximum, np.maximum, kinks=(1.5,)) + whole(bounds.maximum, np.maximum),
    "minimum": pairs(bounds.minimum, np.minimum, kinks=(1.5,)) + whole(bounds.minimum, np.minimum),
    "larger_slope": [
        *slope(bounds.larger_slope, lambda g, x, y: g * (x > y), *THREE),
        Sample(
            quietly(lambda g, x: bounds.larger_slope(g, x, x)),
            THREE[:2],
            lambda g, x: g / 2,
            grad=False,
        ),
    ],
    "fmax": pairs(bounds.fmax, np.fmax, kinks=(1.5,)) + whole(bounds.fmax, np.fmax),
    "fmin": pairs(bounds.fmin, np.fmin, kinks=(1.5,)) + whole(bounds.fmin, np.fmin),
    "clip": [
        *singles(lambda x: bounds.clip(x, -1.0, 1.0), lambda x: np.clip(x, -1, 1), **NEAR_ONE),
        Sample(lambda x: bounds.clip(x, -1), (Arr((4,), **NEAR_ONE),), lambda x: np.maximum(x, -1)),
        Sample(
            lambda x: bounds.clip(x, max=1), (Arr((4,), **NEAR_ONE),), lambda x: np.minimum(x, 1)
        ),
        Sample(bounds.clip, (Arr((2, 3)), BELOW, ABOVE), np.clip),
        Sample(bounds.clip, (Arr((2, 3), 4.0, 5.0), BELOW, ABOVE), np.clip),
        Sample(bounds.clip, (Arr((2, 3), -5.0, -4.0), BELOW, ABOVE), np.clip),
        Sample(
            lambda x: bounds.clip(x, -2, 2),
            (Arr((5,), ints=(-5, 5)),),
            lambda x: np.clip(x, -2, 2),
            grad=False,
        ),
    ],
    "clip_slope": [
        *slope(lambda g, x: bounds.clip_slope(g, x, -1.0, 1.0), _clip_slope, *THREE[:2]),
        *slope(
            lambda g, x: bounds.clip_slope(g, x, -1.0, None), lambda g, x: g * (x >= -1), *THREE[:2]
        ),
        *slope(
            lambda g, x: bounds.clip_slope(g, x, None, 1.0), lambda g, x: g * (x <= 1), *THREE[:2]
        ),
    ],
    **{
        name: singles(getattr(bounds, name), getattr(np, name), ints=True, low=0.1, high=0.4)
        + singles(getattr(bounds, name), getattr(np, name), low=-2.4, high=-2.1)
        for name in ("floor", "ceil", "trunc")
    },
    "frac": singles(bounds.frac, lambda x: x - np.trunc(x), ints=True, low=-1.9, high=-1.1),
    "round": [
        *singles(bounds.round, np.round, ints=True, low=0.6, high=1.4),
        Sample(lambda x: bounds.round(x, 1), (Arr((3,), 0.06, 0.14),), lambda x: np.round(x, 1)),
        Sample(
            lambda x: bounds.round(x, -1),
            (Arr((3,), ints=(0, 99)),),
            lambda x: np.round(x, -1),
            grad=False,
        ),
    ],
    "nan_to_num": [
        *singles(bounds.nan_to_num, np.nan_to_num),
        Sample(
            lambda x: bounds.nan_to_num(x / 0.0, 1.0, 2.0, -2.0),
            (Arr((4,), -1.0, 1.0, (0.0,)),),
            lambda x: np.where(x > 0, 2.0, -2.0),
            grad=False,
        ),
    ],
}
