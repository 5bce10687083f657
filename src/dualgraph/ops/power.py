"""Powers, and the two families of functions that their derivatives lead to."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, binary, same_type, to_dtype
from dualgraph.ops.elementwise import countable, log
from dualgraph.ops.logic import select
from dualgraph.ops.registry import Domain, op
from dualgraph.tensor import Array, Tensor

__all__ = ["pow", "power_log", "power_slope"]

_POSITIVE = Domain(0.2, 3.0)


def _power(x: Any, y: Any) -> Any:
    """Return x to the power of y; cheap for the whole exponents that one meets in formulas."""
    if isinstance(y, (int, float)):
        if y == 1:
            return x
        if y == 2:
            return np.square(x)
        if y == 3:
            return x * x * x
        if y == -1 and x.dtype.kind not in "iu":
            return np.reciprocal(x)
    return np.power(x, y)


def _falling(y: Any, order: int) -> Any:
    """The product y (y - 1) … (y - order + 1)."""
    return functools.reduce(lambda product, i: product * (y - i), range(1, order), y)


def _falling_slope(y: Any, order: int) -> Any:
    """The derivative of `_falling` with respect to y."""
    slope: Any = 1.0
    for i in range(1, order):
        slope = slope * (y - i) + _falling(y, i)
    return slope


@op(
    (
        lambda d, _out, _g, x, y, order: power_slope(d, x, y, order=order),
        lambda d, _out, g, x, y, order: power_slope(d * g, x, y, order=order + 1),
        lambda d, _out, g, x, y, order: d * g * _power_slope_by_exponent(x, y, order),
    ),
    name="power_slope",
    infer=same_type,
    expand=lambda g, x, y, order: (
        g * select(_falling(y, order) == 0, 0.0, _falling(y, order) * x ** (y - order))
    ),
    domain=_POSITIVE,
)
def _power_slope(g: Array, x: Any, y: Any, *, order: int) -> Any:
    factor = _falling(y, order)
    if isinstance(y, (int, float)):
        return np.zeros_like(g) if factor == 0 else g * (factor * _power(x, y - order))
    return g * np.where(factor == 0, 0, factor * np.power(x, y - order))


def power_slope(g: Tensor, x: Any, y: Any, *, order: int) -> Tensor:
    """Return g times the derivative of the given order of `x**y` with respect to x.

    Zero for a whole exponent below the order, at x = 0 too.
    """
    return apply(_power_slope, (g, x, y), {"order": order})


def _power_slope_by_exponent(x: Any, y: Tensor, order: int) -> Tensor:
    below = y - order
    steep = _falling(y, order) * power_log(x, below, times=1)
    slope: Tensor = steep + _falling_slope(y, order) * x**below
    return slope


def _power_log_by_base(x: Tensor, y: Any, times: int) -> Tensor:
    below = power_log(x, y - 1, times=times - 1) if times > 1 else x ** (y - 1)
    slope: Tensor = y * power_log(x, y - 1, times=times) + times * below
    return slope


@op(
    (
        lambda g, _out, x, y, times: g * _power_log_by_base(x, y, times),
        lambda g, _out, x, y, times: g * power_log(x, y, times=times + 1),
    ),
    name="power_log",
    infer=same_type,
    expand=lambda x, y, times: select(_vanishes(x, y), 0.0, x**y * log(_like(x, y)) ** times),
    domain=_POSITIVE,
)
def _power_log(x: Any, y: Any, *, times: int) -> Any:
    dtype = (x if isinstance(x, np.ndarray) else y).dtype
    logs = np.log(np.asarray(x, dtype))
    return np.where(_vanishes(x, y), 0, _power(x, y) * logs**times)


def _vanishes(x: Any, y: Any) -> Any:
    return (x == 0) & (y >= 0)


def _like(x: Any, y: Any) -> Tensor:
    """Return x as a tensor; a number gets the dtype of the tensor y."""
    return x if isinstance(x, Tensor) else to_dtype(as_tensor("pow", x), y._data.dtype)


def power_log(x: Any, y: Any, *, times: int) -> Tensor:
    """`x**y * log(x)**times`: derivatives of `x**y` by the exponent; 0 at x = 0 for y >= 0."""
    return apply(_power_log, (x, y), {"times": times})


@binary(
    (
        lambda g, _out, x, y: power_slope(g, x, y, order=1),
        lambda g, _out, x, y: g * power_log(x, y, times=1),
    ),
    domain=_POSITIVE,
    prepare=countable,
)
def pow(x: Array, y: Array) -> Any:
    """Return x to the power of y, element by element, broadcast against each other.

    Integers stay integers and wrap around. nan for a negative number to a power that is not
    whole. ValueError for integers to negative powers, TypeError for dtypes that do not go
    together.

    >>> import dualgraph as dg
    >>> dg.pow(dg.to_tensor([2.0, 3.0]), 2).tolist()
    [4.0, 9.0]
    """
    power = _power(x, y)
    return power.copy() if power is x else power
