"""Extremes, bounds and rounding, element by element."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import (
    as_tensor,
    binary,
    floating,
    fused,
    in_float32,
    operands,
    same_type,
    unary,
)
from dualgraph.ops.elementwise import no_slope
from dualgraph.ops.logic import (
    greater_equal,
    isfinite,
    isnan,
    less_equal,
    logical_not,
    logical_or,
    masked,
    select,
)
from dualgraph.ops.registry import Domain, op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "ceil",
    "clamp",
    "clip",
    "floor",
    "fmax",
    "fmin",
    "frac",
    "maximum",
    "minimum",
    "nan_to_num",
    "round",
    "trunc",
]

_alike = functools.partial(operands, zero_d="tensor")


# ---- the larger and the smaller ------------------------------------------------------------------


@fused(lambda g, x, y: 0.5 * (masked(g, x > y) + masked(g, x >= y)))
@in_float32
def larger_slope(g: Array, x: Any, y: Any) -> Any:
    """Return g where x is the larger, half of it where x equals y."""
    return g * (np.add(x > y, x >= y, dtype=g.dtype) * 0.5)


@binary(
    (
        lambda g, _out, x, y: larger_slope(g, x, y),
        lambda g, _out, x, y: larger_slope(g, y, x),
    ),
    prepare=_alike,
)
def maximum(x: Array, y: Array) -> Any:
    """The larger of x and y, element by element, broadcast; nan where either is nan.

    Where they are equal they share the gradient. Equal dtypes or two floating ones; TypeError for
    others.

    >>> import dualgraph as dg
    >>> dg.maximum(dg.to_tensor([1.0, 5.0]), dg.to_tensor([3.0, 2.0])).tolist()
    [3.0, 5.0]
    """
    return np.maximum(x, y)


@binary(
    (
        lambda g, _out, x, y: larger_slope(g, y, x),
        lambda g, _out, x, y: larger_slope(g, x, y),
    ),
    prepare=_alike,
)
def minimum(x: Array, y: Array) -> Any:
    """The smaller of x and y, element by element, broadcast; nan where either is nan.

    Where they are equal they share the gradient. Equal dtypes or two floating ones; TypeError for
    others.

    >>> import dualgraph as dg
    >>> dg.minimum(dg.to_tensor([1.0, 5.0]), dg.to_tensor([3.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return np.minimum(x, y)


def _takes_first_of_larger(x: Any, y: Any) -> Tensor:
    return logical_or(greater_equal(x, y), isnan(y))


def _takes_first_of_smaller(x: Any, y: Any) -> Tensor:
    return logical_or(less_equal(x, y), isnan(y))


@binary(
    (
        lambda g, _out, x, y: masked(g, _takes_first_of_larger(x, y)),
        lambda g, _out, x, y: masked(g, logical_not(_takes_first_of_larger(x, y))),
    ),
    prepare=_alike,
)
def fmax(x: Array, y: Array) -> Any:
    """The larger of x and y, element by element, broadcast; of a number and nan, the number.

    Where they are equal, x gets the gradient. Equal dtypes or two floating ones; TypeError for
    others.

    >>> import dualgraph as dg
    >>> dg.fmax(dg.to_tensor([1.0, float("nan")]), dg.to_tensor([3.0, 2.0])).tolist()
    [3.0, 2.0]
    """
    return np.fmax(x, y)


@binary(
    (
        lambda g, _out, x, y: masked(g, _takes_first_of_smaller(x, y)),
        lambda g, _out, x, y: masked(g, logical_not(_takes_first_of_smaller(x, y))),
    ),
    prepare=_alike,
)
def fmin(x: Array, y: Array) -> Any:
    """The smaller of x and y, element by element, broadcast; of a number and nan, the number.

    Where they are equal, x gets the gradient. Equal dtypes or two floating ones; TypeError for
    others.

    >>> import dualgraph as dg
    >>> dg.fmin(dg.to_tensor([1.0, float("nan")]), dg.to_tensor([3.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return np.fmin(x, y)


# ---- bounds --------------------------------------------------------------------------------------


def _clip_slope_expanded(g: Tensor, x: Tensor, low: Any, high: Any) -> Tensor:
    if low is not None:
        g = masked(g, x >= low)
    return g if high is None else masked(g, x <= high)


@fused(_clip_slope_expanded)
def clip_slope(g: Array, x: Array, low: Any, high: Any) -> Any:
    """Return g where x is within the bounds, or on one of them."""
    if low is None or high is None:
        return g * (x >= low if high is None else x <= high)
    return g * ((x >= low) & (x <= high))


def _clip_expanded(x: Tensor, low: Any, high: Any) -> Tensor:
    if low is not None:
        x = select(x < low, low, x)
    return x if high is None else select(x > high, high, x)


@op(
    (
        lambda g, _out, x, low, high: clip_slope(g, x, low, high),
        lambda g, _out, x, low, _high: masked(g, x < low),
        lambda g, _out, x, _low, high: masked(g, x > high),
    ),
    name="clip",
    infer=same_type,
    expand=_clip_expanded,
)
def _clip(x: Array, low: Any, high: Any) -> Any:
    if low is not None:
        x = np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def clip(
    x: Tensor,
    min: float | Tensor | None = None,
    max: float | Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """Return x with what is below `min` raised to it and what is above `max` lowered to it.

    The gradient passes where x is within the bounds or on one; where it is not, a bound that is a
    tensor gets it. A float bound makes an integer x one of the default floating type. ValueError
    for a lower bound above the upper.

    >>> import dualgraph as dg
    >>> dg.clip(dg.to_tensor([-2.0, 0.5, 2.0]), -1.0, 1.0).tolist()
    [-1.0, 0.5, 1.0]
    """
    x = as_tensor("clip", x)
    if isinstance(min, (bool, int, float)) and isinstance(max, (bool, int, float)) and min > max:
        raise ValueError(message("clip", f"min is {min}, max is {max}", "expected min <= max"))
    if isinstance(min, float) or isinstance(max, float):
        x = floating("clip", x)
    x, low = _bounded(x, min)
    x, high = _bounded(x, max)
    if low is None and high is None:
        return x.clone()
    return apply(_clip, (x, low, high))


def _bounded(x: Tensor, bound: Any) -> tuple[Tensor, Any]:
    """A tensor and its bound brought to one dtype; a bound beyond the dtype becomes its limit."""
    if bound is None:
        return x, None
    if isinstance(bound, int) and x._data.dtype.kind in "iu":
        limits = np.iinfo(x._data.dtype)
        bound = sorted((int(limits.min), int(bound), int(limits.max)))[1]
    both: tuple[Tensor, Any] = operands("clip", x, bound)
    return both


clamp = clip


# ---- rounding ------------------------------------------------------------------------------------


def _rounding(forward: Any) -> Any:
    """Define a function that is flat between the points where it jumps, and keeps integers."""

    @functools.wraps(forward)
    def rounded(x: Array) -> Any:
        return x.copy() if x.dtype.kind in "iu" else forward(x)

    flat = (lambda g, _out, _x: no_slope(g),)
    return unary(flat, integers=True, domain=Domain(0.1, 0.4))(rounded)


@_rounding
def floor(x: Array) -> Any:
    """The largest whole number not above each element; the gradient is zero.

    Integers stay integers. TypeError for bools.

    >>> import dualgraph as dg
    >>> dg.floor(dg.to_tensor([1.7, -1.2])).tolist()
    [1.0, -2.0]
    """
    return np.floor(x)


@_rounding
def ceil(x: Array) -> Any:
    """The smallest whole number not below each element; the gradient is zero.

    Integers stay integers. TypeError for bools.

    >>> import dualgraph as dg
    >>> dg.ceil(dg.to_tensor([1.7, -1.2])).tolist()
    [2.0, -1.0]
    """
    return np.ceil(x)


@_rounding
def trunc(x: Array) -> Any:
    """The whole part of each element, rounded towards zero; the gradient is zero.

    Integers stay integers. TypeError for bools.

    >>> import dualgraph as dg
    >>> dg.trunc(dg.to_tensor([1.7, -1.7])).tolist()
    [1.0, -1.0]
    """
    return np.trunc(x)


@unary((lambda g, _out, _x: g,), integers=True, expand=lambda x: x - trunc(x))
def frac(x: Array) -> Any:
    """What `trunc` takes away from each element, with its sign. Integers stay integers.

    TypeError for bools.

    >>> import dualgraph as dg
    >>> dg.frac(dg.to_tensor([1.5, -1.5])).tolist()
    [0.5, -0.5]
    """
    return np.zeros_like(x) if x.dtype.kind in "iu" else x - np.trunc(x)


@op((lambda g, _out, _x, decimals: no_slope(g),), name="round", infer=same_type)
def _round(x: Array, *, decimals: int) -> Any:
    if decimals == 0:
        return x.copy() if x.dtype.kind in "iu" else np.rint(x)
    return np.round(x, decimals)


def round(x: Tensor, decimals: int = 0, name: str | None = None) -> Tensor:
    """Each element rounded to so many decimals, halves to the even neighbour; no gradient passes.

    Integers stay integers. TypeError for bools.

    >>> import dualgraph as dg
    >>> dg.round(dg.to_tensor([0.5, 1.5, 2.4])).tolist()
    [0.0, 2.0, 2.0]
    """
    x = as_tensor("round", x)
    if x._data.dtype.kind == "b":
        given, expected = f"x is {describe(x)}", "expected integers or a floating type"
        raise TypeError(message("round", given, expected, "cast it"))
    return apply(_round, (x,), {"decimals": int(decimals)})


# ---- nan -----------------------------------------------------------------------------------------


def _nan_to_num_expanded(x: Tensor, nan: float, posinf: float, neginf: float) -> Tensor:
    x = select(x == float("inf"), posinf, x)
    return select(isnan(x), nan, select(x == float("-inf"), neginf, x))


@op(
    (lambda g, _out, x, nan, posinf, neginf: masked(g, isfinite(x)),),
    name="nan_to_num",
    infer=same_type,
    expand=_nan_to_num_expanded,
)
def _nan_to_num(x: Array, *, nan: float, posinf: float, neginf: float) -> Any:
    out = np.array(x)
    out[np.isnan(x)] = nan
    out[x == np.inf] = posinf
    out[x == -np.inf] = neginf
    return out


def nan_to_num(
    x: Tensor,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
    name: str | None = None,
) -> Tensor:
    """Return x with nan and the infinities replaced; what was replaced gets no gradient.

    Infinities become the largest and smallest numbers of the dtype unless given. Integers and
    bools become the default floating type.

    >>> import dualgraph as dg
    >>> dg.nan_to_num(dg.to_tensor([1.0, float("nan")]), nan=5.0).tolist()
    [1.0, 5.0]
    """
    x = floating("nan_to_num", x)
    limits = dtypes.finfo(x._data.dtype)
    attrs = {
        "nan": float(nan),
        "posinf": float(limits.max if posinf is None else posinf),
        "neginf": float(limits.min if neginf is None else neginf),
    }
    return apply(_nan_to_num, (x,), attrs)
