"""Sums and blends of tensors: several added up, one scaled and shifted, two mixed by weight."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import (
    as_tensor,
    both_floating,
    check_tensor,
    operands,
    plain_operand,
    same_type,
    to_dtype,
)
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = ["add_n", "lerp", "scale"]


@op(
    (
        lambda g, _out, _x, scale, _bias, bias_after_scale: g * scale,
        lambda g, _out, x, _scale, bias, bias_after_scale: (
            g * (x if bias_after_scale else x + bias)
        ),
        lambda g, _out, _x, scale, _bias, bias_after_scale: g if bias_after_scale else g * scale,
    ),
    name="scale",
    infer=same_type,
    expand=lambda x, scale, bias, bias_after_scale: (
        x * scale + bias if bias_after_scale else (x + bias) * scale
    ),
)
def _scale(x: Array, scale: Any, bias: Any, *, bias_after_scale: bool) -> Any:
    return x * scale + bias if bias_after_scale else (x + bias) * scale


def scale(
    x: Tensor,
    scale: float | Tensor = 1.0,
    bias: float = 0.0,
    bias_after_scale: bool = True,
    act: None = None,
    name: str | None = None,
) -> Tensor:
    """Return `x * scale + bias`, or `(x + bias) * scale` with `bias_after_scale=False`.

    The result has x's shape and dtype; numbers are converted to that dtype, so that an integer x
    is scaled by integers; bools become int64. ValueError for a scale of several elements, or an
    activation.

    >>> import dualgraph as dg
    >>> dg.scale(dg.to_tensor([1.0, 2.0]), 2.0, bias=1.0).tolist()
    [3.0, 5.0]
    """
    x = as_tensor("scale", x)
    if x._data.dtype.kind == "b":
        x = to_dtype(x, dtypes.int64.numpy)
    if act is not None:
        given = f"act is {act!r}"
        raise ValueError(message("scale", given, "expected None", "apply it to the result"))
    factors = [_factor(x, scale, "scale"), _factor(x, bias, "bias")]
    return apply(_scale, (x, *factors), {"bias_after_scale": bool(bias_after_scale)})


def _factor(x: Tensor, value: Any, argument: str) -> Any:
    """A number, or a tensor of one element as a 0-d one, in the dtype of x."""
    value = value if isinstance(value, Tensor) else plain_operand("scale", value, argument)
    if not isinstance(value, Tensor):
        number = int(value) if x._data.dtype.kind in "iu" else value
        return operands("scale", x, number, wrap_ints=True)[1]
    if value._data.size != 1:
        given = f"{argument} is {describe(value)}"
        raise ValueError(message("scale", given, "expected one element"))
    return to_dtype(value.reshape([]), x._data.dtype)


@op(
    (
        lambda g, _out, _x, _y, weight: g * (1 - weight),
        lambda g, _out, _x, _y, weight: g * weight,
        lambda g, _out, x, y, _weight: g * (y - x),
    ),
    name="lerp",
    infer=same_type,
    expand=lambda x, y, weight: x + weight * (y - x),
)
def _lerp(x: Array, y: Array, weight: Any) -> Any:
    return x + weight * (y - x)


def lerp(x: Tensor, y: Tensor, weight: float | Tensor, name: str | None = None) -> Tensor:
    """The point between x and y at a weight from 0 (x) to 1 (y): `x + weight * (y - x)`, broadcast.

    Floating types, the wider of which the result has; integers become the default one. TypeError
    for dtypes that do not go together.

    >>> import dualgraph as dg
    >>> dg.lerp(dg.to_tensor([0.0, 10.0]), dg.to_tensor([4.0, 20.0]), 0.5).tolist()
    [2.0, 15.0]
    """
    x, y = both_floating("lerp", x, y, zero_d="tensor")
    x, weight = both_floating("lerp", x, weight, zero_d="tensor")
    return apply(_lerp, (x, to_dtype(y, x._data.dtype), weight))


@op(
    lambda g, _out, *_xs: [g] * len(_xs),
    name="add_n",
    infer=same_type,
    expand=lambda *xs: functools.reduce(operator.add, xs),
)
def _add_n(*xs: Array) -> Array:
    total = xs[0].copy()
    for x in xs[1:]:
        total += x
    return total


def add_n(inputs: Tensor | Sequence[Tensor], name: str | None = None) -> Tensor:
    """The sum of several tensors of one shape and dtype.

    ValueError if there are none, or for shapes or dtypes that differ.

    >>> import dualgraph as dg
    >>> dg.add_n([dg.to_tensor([1.0]), dg.to_tensor([2.0]), dg.to_tensor([3.0])]).tolist()
    [6.0]
    """
    xs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if not xs:
        raise ValueError(message("add_n", "an empty list is given", "expected tensors"))
    first = check_tensor("add_n", xs[0], "inputs[0]")._data
    for i, x in enumerate(xs):
        array = check_tensor("add_n", x, f"inputs[{i}]")._data
        if array.shape != first.shape or array.dtype != first.dtype:
            given = f"inputs[0] is {describe(xs[0])}, inputs[{i}] is {describe(x)}"
            raise ValueError(message("add_n", given, "expected one shape and dtype"))
    return apply(_add_n, xs)
