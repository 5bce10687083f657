"""Arithmetic, element by element: sums, products, powers, roots, exponentials and their kin."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import (
    as_tensor,
    binary,
    both_floating,
    fused,
    in_float32,
    operands,
    same_type,
    to_dtype,
    unary,
)
from dualgraph.ops.logic import select
from dualgraph.ops.registry import OPS, Domain, op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "abs",
    "add",
    "astype",
    "cast",
    "countable",
    "div",
    "divide",
    "exp",
    "floor_divide",
    "floor_mod",
    "log",
    "mod",
    "mul",
    "multiply",
    "neg",
    "no_slope",
    "reciprocal",
    "remainder",
    "rsqrt",
    "sign",
    "sqrt",
    "square",
    "sub",
    "subtract",
    "tanh",
]

_POSITIVE = Domain(0.2, 3.0)
_wrapping = functools.partial(operands, wrap_ints=True)


# ---- the four operations -------------------------------------------------------------------------


@binary((lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: g), prepare=_wrapping)
def add(x: Array, y: Array) -> Any:
    """The sum of x and y, broadcast against each other.

    Any dtypes that go together; integers wrap around, bools stay bools. TypeError for dtypes that
    do not go together, ValueError for shapes that do not.

    >>> import dualgraph as dg
    >>> dg.add(dg.to_tensor([1.0, 2.0]), dg.to_tensor([10.0, 20.0])).tolist()
    [11.0, 22.0]
    """
    return np.add(x, y)


@binary((lambda g, _out, _x, _y: g, lambda g, _out, _x, _y: -g), prepare=_wrapping)
def subtract(x: Array, y: Array) -> Any:
    """The difference of x and y, broadcast against each other.

    Any dtypes that go together but bool; integers wrap around. TypeError for dtypes that do not
    go together, ValueError for shapes that do not.

    >>> import dualgraph as dg
    >>> dg.subtract(dg.to_tensor([1.0, 2.0]), dg.to_tensor([10.0, 20.0])).tolist()
    [-9.0, -18.0]
    """
    return np.subtract(x, y)


@binary((lambda g, _out, _x, y: g * y, lambda g, _out, x, _y: g * x), prepare=_wrapping)
def multiply(x: Array, y: Array) -> Any:
    """The product of x and y, element by element, broadcast against each other.

    Any dtypes that go together; integers wrap around, bools stay bools. TypeError for dtypes that
    do not go together, ValueError for shapes that do not.

    >>> import dualgraph as dg
    >>> dg.multiply(dg.to_tensor([1.0, 2.0]), dg.to_tensor([10.0, 20.0])).tolist()
    [10.0, 40.0]
    """
    return np.multiply(x, y)


@fused(lambda g, out, y: -(g * out / y))
def divide_slope(g: Array, out: Array, y: Array) -> Any:
    """The gradient of `divide` for the divisor."""
    return np.negative(g * out / y)


@binary(
    (lambda g, _out, _x, y: g / y, lambda g, out, _x, y: divide_slope(g, out, y)),
    domain=_POSITIVE,
    prepare=both_floating,
)
def divide(x: Array, y: Array) -> Any:
    """The quotient of x and y, broadcast; integers are divided in the default floating type.

    Division by zero gives an infinity or nan. TypeError for dtypes that do not go together,
    ValueError for shapes that do not.

    >>> import dualgraph as dg
    >>> dg.divide(dg.to_tensor([1, 2]), dg.to_tensor([2, 4])).tolist()
    [0.5, 0.5]
    """
    return np.divide(x, y)


def countable(op_name: str, x: Any, y: Any, **options: Any) -> tuple[Any, Any]:
    """Operands of which neither is bool."""
    x, y = operands(op_name, x, y, **options)
    for operand in (x, y):
        if isinstance(operand, Tensor) and operand._data.dtype.kind == "b":
            given, expected = f"given {describe(operand)}", "expected integers or a floating type"
            raise TypeError(message(op_name, given, expected, "cast it"))
    return x, y


def _check_divisor(x: Any, y: Any) -> None:
    whole = (x if isinstance(x, np.ndarray) else y).dtype.kind in "iu"
    if whole and not np.all(y):
        raise ZeroDivisionError("an integer was to be divided by zero")


@binary(prepare=functools.partial(countable, zero_d="promoted"))
def floor_divide(x: Array, y: Array) -> Any:
    """The quotient of x and y, broadcast, rounded down to a whole number; it has no gradient.

    Integers stay integers. ZeroDivisionError for an integer divided by zero, TypeError for dtypes
    that do not go together.

    >>> import dualgraph as dg
    >>> dg.floor_divide(dg.to_tensor([7, -7]), dg.to_tensor([2, 2])).tolist()
    [3, -4]
    """
    _check_divisor(x, y)
    return np.floor_divide(x, y)


@binary(
    (lambda g, _out, _x, _y: g, lambda g, _out, x, y: -(g * floor_divide(x, y))),
    domain=_POSITIVE,
    prepare=countable,
)
def mod(x: Array, y: Array) -> Any:
    """What remains of x divided by y and rounded down, broadcast; it has the sign of y.

    Integers stay integers. ZeroDivisionError for an integer divided by zero, TypeError for dtypes
    that do not go together.

    >>> import dualgraph as dg
    >>> dg.mod(dg.to_tensor([7, -7]), dg.to_tensor([3, 3])).tolist()
    [1, 2]
    """
    _check_divisor(x, y)
    return np.remainder(x, y)


sub, mul, div = subtract, multiply, divide
remainder = floor_mod = mod


# ---- roots, signs, exponentials ------------------------------------------------------------------


@fused(lambda g, x: 2 * (g * x))
def square_slope(g: Array, x: Array) -> Any:
    """The gradient of `square`."""
    return g * x * 2


@unary((lambda g, _out, x: square_slope(g, x),), integers=True, expand=lambda x: x * x)
def square(x: Array) -> Any:
    """The square of each element; integers stay integers. TypeError for bools.

    >>> import dualgraph as dg
    >>> dg.square(dg.to_tensor([2.0, -3.0])).tolist()
    [4.0, 9.0]
    """
    return np.square(x)


@fused(lambda g, out: 0.5 * (g / out))
@in_float32
def sqrt_slope(g: Array, out: Array) -> Any:
    """The gradient of `sqrt`."""
    return g / out * 0.5


@unary((lambda g, out, _x: sqrt_slope(g, out),), domain=_POSITIVE)
def sqrt(x: Array) -> Any:
    """The square root of each element; nan below 0. Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.sqrt(dg.to_tensor([4.0, 9.0])).tolist()
    [2.0, 3.0]
    """
    return np.sqrt(x)


@fused(lambda g, out: -0.5 * (g * (out * out * out)))
@in_float32
def rsqrt_slope(g: Array, out: Array) -> Any:
    """The gradient of `rsqrt`."""
    return g * (out * out * out) * -0.5


@unary((lambda g, out, _x: rsqrt_slope(g, out),), domain=_POSITIVE, expand=lambda x: 1 / sqrt(x))
def rsqrt(x: Array) -> Any:
    """One divided by the square root of each element; nan below 0, infinite at 0.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.rsqrt(dg.to_tensor([4.0, 16.0])).tolist()
    [0.5, 0.25]
    """
    return np.reciprocal(np.sqrt(x))


@fused(lambda g, out: -(g * (out * out)))
def reciprocal_slope(g: Array, out: Array) -> Any:
    """The gradient of `reciprocal`."""
    return np.negative(g * (out * out))


@unary((lambda g, out, _x: reciprocal_slope(g, out),), domain=_POSITIVE, expand=lambda x: 1 / x)
def reciprocal(x: Array) -> Any:
    """One divided by each element. Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.reciprocal(dg.to_tensor([2.0, -4.0])).tolist()
    [0.5, -0.25]
    """
    return np.reciprocal(x)


@op(
    (lambda d, _out, _g: no_slope(d),),
    name="no_slope",
    infer=same_type,
    expand=lambda g: select(False, g, 0.0),
)
def _no_slope(g: Array) -> Any:
    return np.zeros_like(g)


def no_slope(g: Tensor) -> Tensor:
    """Zeros like g: the gradient of functions that are flat almost everywhere."""
    return apply(_no_slope, (g,))


@unary((lambda g, _out, _x: no_slope(g),), integers=True, domain=Domain(kinks=(0.0,)))
def sign(x: Array) -> Any:
    """Return -1, 0 or 1 by the sign of each element, nan for nan; the gradient is zero.

    Integers stay integers. TypeError for bools.

    >>> import dualgraph as dg
    >>> dg.sign(dg.to_tensor([-2.5, 0.0, 3.0])).tolist()
    [-1.0, 0.0, 1.0]
    """
    return np.sign(x)


@unary((lambda g, _out, x: g * sign(x),), integers=True, domain=Domain(kinks=(0.0,)))
def abs(x: Array) -> Any:
    """The magnitude of each element; its gradient at 0 is 0. Integers stay integers.

    TypeError for bools.

    >>> import dualgraph as dg
    >>> dg.abs(dg.to_tensor([-2.5, 3.0])).tolist()
    [2.5, 3.0]
    """
    return np.abs(x)


@unary((lambda g, _out, _x: -g,), integers=True)
def neg(x: Array) -> Any:
    """The negative of each element; unsigned integers wrap around. TypeError for bools.

    >>> import dualgraph as dg
    >>> dg.neg(dg.to_tensor([1.0, -2.0])).tolist()
    [-1.0, 2.0]
    """
    return np.negative(x)


@unary((lambda g, out, _x: g * out,))
def exp(x: Array) -> Any:
    """Return e to the power of each element. Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.exp(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [1.0, 2.7183]
    """
    return np.exp(x)


@unary((lambda g, _out, x: g / x,), domain=_POSITIVE)
def log(x: Array) -> Any:
    """The natural logarithm of each element; nan below 0, -inf at 0.

    Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.log(dg.to_tensor([1.0, 2.0], dtype="float64")).round(4).tolist()
    [0.0, 0.6931]
    """
    return np.log(x)


@fused(lambda g, out: g * (1 - out * out))
def tanh_slope(g: Array, out: Array) -> Any:
    """The gradient of `tanh`."""
    return g * (1 - out * out)


@unary((lambda g, out, _x: tanh_slope(g, out),))
def tanh(x: Array) -> Any:
    """The hyperbolic tangent of each element. Integers become the default floating type.

    >>> import dualgraph as dg
    >>> dg.tanh(dg.to_tensor([0.0, 1.0], dtype="float64")).round(4).tolist()
    [0.0, 0.7616]
    """
    return np.tanh(x)


# ---- types --------------------------------------------------------------------------------------


def cast(x: Tensor, dtype: DTypeLike) -> Tensor:
    """A copy of x with another dtype, or the same; the gradient is cast back.

    Floats lose their fraction on the way to integers. TypeError for an unknown dtype.

    >>> import dualgraph as dg
    >>> dg.cast(dg.to_tensor([1.7, -1.7]), "int32").tolist()
    [1, -1]
    """
    return apply(OPS["cast"], (as_tensor("cast", x),), {"dtype": dtypes.as_numpy(dtype)})


def astype(x: Tensor, dtype: DTypeLike) -> Tensor:
    """Return x with another dtype; x itself, not a copy, if it has that dtype already.

    Floats lose their fraction on the way to integers. TypeError for an unknown dtype.

    >>> import dualgraph as dg
    >>> dg.to_tensor([1.7, -1.7]).astype("int32").tolist()
    [1, -1]
    """
    return to_dtype(as_tensor("astype", x), dtypes.as_numpy(dtype))
