"""Bits of integers, element by element; bools count as integers of one bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import BinaryFunction, Operand, as_tensor, named, operands, same_type
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
]


def _bits(op_name: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Operands of one integer type, or bools; TypeError for floating ones."""
    x, y = operands(op_name, x, y, wrap_ints=True, zero_d="tensor")
    for operand in (x, y):
        if isinstance(operand, Tensor):
            _check_bits(op_name, operand)
    return x, y


def _of_bits(forward: Callable[..., Any]) -> BinaryFunction:
    """Define an op of the bits of two operands by its numpy function."""
    record = op(infer=same_type)(forward)

    def function(x: Operand, y: Operand, name: str | None = None) -> Tensor:
        return apply(record, _bits(record.name, x, y))

    defined: BinaryFunction = named(function, forward, record)
    return defined


def _check_bits(op_name: str, x: Tensor, kinds: str = "biu") -> None:
    if x._data.dtype.kind not in kinds:
        wanted = "expected integers or bools" if "b" in kinds else "expected integers"
        raise TypeError(message(op_name, f"given {describe(x)}", wanted))


@_of_bits
def bitwise_and(x: Array, y: Array) -> Any:
    """The bits that are set in both x and y, broadcast; for bools, whether both are true.

    Equal integer dtypes, or bools; the result has that dtype. TypeError for others.

    >>> import dualgraph as dg
    >>> dg.bitwise_and(dg.to_tensor([6, 5]), dg.to_tensor([3, 3])).tolist()
    [2, 1]
    """
    return np.bitwise_and(x, y)


@_of_bits
def bitwise_or(x: Array, y: Array) -> Any:
    """The bits that are set in x or y, broadcast; for bools, whether one is true.

    Equal integer dtypes, or bools; the result has that dtype. TypeError for others.

    >>> import dualgraph as dg
    >>> dg.bitwise_or(dg.to_tensor([6, 5]), dg.to_tensor([3, 3])).tolist()
    [7, 7]
    """
    return np.bitwise_or(x, y)


@_of_bits
def bitwise_xor(x: Array, y: Array) -> Any:
    """The bits that are set in just one of x and y, broadcast; for bools, whether they differ.

    Equal integer dtypes, or bools; the result has that dtype. TypeError for others.

    >>> import dualgraph as dg
    >>> dg.bitwise_xor(dg.to_tensor([6, 5]), dg.to_tensor([3, 3])).tolist()
    [5, 6]
    """
    return np.bitwise_xor(x, y)


@op(name="bitwise_not", infer=same_type)
def _bitwise_not(x: Array) -> Any:
    return np.invert(x)


def bitwise_not(x: Tensor, name: str | None = None) -> Tensor:
    """Each element with all its bits turned over; for bools, the opposite.

    An integer dtype or bool, which the result has too. TypeError for floating types.

    >>> import dualgraph as dg
    >>> dg.bitwise_not(dg.to_tensor([0, 5])).tolist()
    [-1, -6]
    """
    x = as_tensor("bitwise_not", x)
    _check_bits("bitwise_not", x)
    return apply(_bitwise_not, (x,))


@op(name="bitwise_left_shift", infer=same_type)
def _left_shift(x: Array, y: Array) -> Any:
    return np.left_shift(x, y)


@op(name="bitwise_right_shift", infer=same_type)
def _right_shift(x: Array, y: Array, *, arithmetic: bool) -> Any:
    if arithmetic:
        return np.right_shift(x, y)
    # The same bits without a sign, so that zeros move in from the left.
    dtype = (x if isinstance(x, np.ndarray) else y).dtype
    bits = np.dtype(f"u{dtype.itemsize}")
    return np.right_shift(np.asarray(x, dtype).view(bits), np.asarray(y, dtype).view(bits)).view(
        dtype
    )


def _shifted(op_name: str, x: Any, y: Any) -> tuple[Any, Any]:
    x, y = operands(op_name, x, y, zero_d="tensor")
    for operand in (x, y):
        if isinstance(operand, Tensor):
            _check_bits(op_name, operand, kinds="iu")
    return x, y


def bitwise_left_shift(
    x: Operand, y: Operand, is_arithmetic: bool = True, name: str | None = None
) -> Tensor:
    """The bits of x moved y places to the left, broadcast; those that leave are lost.

    Equal integer dtypes, which the result has too. TypeError for others.

    >>> import dualgraph as dg
    >>> dg.bitwise_left_shift(dg.to_tensor([1, 5]), dg.to_tensor([3, 1])).tolist()
    [8, 10]
    """
    return apply(_left_shift, _shifted("bitwise_left_shift", x, y))


def bitwise_right_shift(
    x: Operand, y: Operand, is_arithmetic: bool = True, name: str | None = None
) -> Tensor:
    """The bits of x moved y places to the right, broadcast.

    The sign moves in from the left, zeros with `is_arithmetic=False`. Equal integer dtypes, which
    the result has too. TypeError for others.

    >>> import dualgraph as dg
    >>> dg.bitwise_right_shift(dg.to_tensor([-8, 8]), dg.to_tensor([1, 2])).tolist()
    [-4, 2]
    """
    operands_ = _shifted("bitwise_right_shift", x, y)
    return apply(_right_shift, operands_, {"arithmetic": bool(is_arithmetic)})
