"""In-place changes of shape: the same tensor over the same memory, seen in another shape.

They count as writes: a backward pass that needs the tensor as it was raises OverwrittenValueError.
Each raises ValueError, with x as it was, where the function of the same name without `_` does, if x
is a leaf that needs a gradient, or if x's memory order does not allow the new shape without a copy.
"""

from __future__ import annotations

from typing import Any

from dualgraph.errors import describe, message
from dualgraph.ops.apply import become
from dualgraph.ops.define import check_tensor
from dualgraph.ops.manipulation import reshape_op, shared_shape, transpose_op
from dualgraph.ops.shapes import (
    Axes,
    Shape,
    ShapeLike,
    flattened_shape,
    permutation,
    resolved_shape,
    sizes_of,
    squeezed_shape,
    unsqueezed_shape,
)
from dualgraph.tensor import Tensor

__all__ = ["flatten_", "reshape_", "squeeze_", "t_", "transpose_", "unsqueeze_"]


def _reshaped(op_name: str, x: Tensor, shape: Shape) -> Tensor:
    return become(op_name, x, reshape_op, {"shape": shared_shape(op_name, x, shape)})


def reshape_(x: Tensor, shape: ShapeLike, *more: Any, name: str | None = None) -> Tensor:
    """`reshape` x itself, and return it.

    >>> import dualgraph as dg
    >>> x = dg.zeros([2, 3])
    >>> x.reshape_([6]) is x, x.shape
    (True, [6])
    """
    old = check_tensor("reshape_", x)._data.shape
    sizes = sizes_of("reshape_", shape, more)
    return _reshaped("reshape_", x, resolved_shape("reshape_", sizes, old))


def squeeze_(x: Tensor, axis: Axes | None = None, name: str | None = None) -> Tensor:
    """`squeeze` x itself, and return it."""
    return _reshaped("squeeze_", x, squeezed_shape("squeeze_", x, axis))


def unsqueeze_(x: Tensor, axis: Axes, name: str | None = None) -> Tensor:
    """`unsqueeze` x itself, and return it."""
    return _reshaped("unsqueeze_", x, unsqueezed_shape("unsqueeze_", x, axis))


def flatten_(
    x: Tensor, start_axis: int = 0, stop_axis: int = -1, name: str | None = None
) -> Tensor:
    """`flatten` x itself, and return it."""
    shape = flattened_shape("flatten_", x, start_axis, stop_axis)
    return _reshaped("flatten_", x, shape)


def transpose_(x: Tensor, perm: ShapeLike, *more: Any, name: str | None = None) -> Tensor:
    """`transpose` x itself, and return it."""
    perm = permutation("transpose_", check_tensor("transpose_", x), perm, more)
    return become("transpose_", x, transpose_op, {"perm": perm})


def t_(input: Tensor, name: str | None = None) -> Tensor:
    """Transpose a matrix itself, and return it."""
    ndim = check_tensor("t_", input, "input")._data.ndim
    if ndim > 2:
        given = f"input is {describe(input)}"
        raise ValueError(message("t_", given, "expected at most two axes", "use transpose_()"))
    return become("t_", input, transpose_op, {"perm": tuple(range(ndim - 1, -1, -1))})
