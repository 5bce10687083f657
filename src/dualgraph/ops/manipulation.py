"""Shape and order: views where memory can be shared as Paddle shares it, copies elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DType, DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, check_tensor
from dualgraph.ops.registry import op
from dualgraph.ops.shapes import (
    Axes,
    Shape,
    ShapeLike,
    flattened_shape,
    permutation,
    resolved_shape,
    sizes_of,
    squeezed_shape,
    strict_axes,
    strict_axis,
    unsqueezed_shape,
)
from dualgraph.tensor import Array, Tensor

__all__ = [
    "Shape",
    "ShapeLike",
    "broadcast_shape",
    "broadcast_tensors",
    "broadcast_to",
    "clone",
    "contiguous",
    "detach",
    "expand",
    "expand_as",
    "flatten",
    "matrix_transpose",
    "moveaxis",
    "permute",
    "reshape",
    "reshape_op",
    "shared_shape",
    "sizes_of",
    "squeeze",
    "swapaxes",
    "t",
    "transpose",
    "transpose_all",
    "transpose_op",
    "unflatten",
    "unsqueeze",
    "view",
    "view_as",
]

# -- the same elements ----------------------------------------------------------------------------


@op(view=True)
def _detach(x: Array) -> Array:
    return x


def detach(x: Tensor) -> Tensor:
    """A tensor over the same memory with no past: gradients stop there.

    >>> import dualgraph as dg
    >>> dg.to_tensor(1.0, stop_gradient=False).detach().stop_gradient
    True
    """
    return apply(_detach, (x,))


@op((lambda g, _out, _x: g,))
def _clone(x: Array) -> Array:
    return x.copy()


def clone(x: Tensor, name: str | None = None) -> Tensor:
    """A copy of x in memory of its own, through which gradients flow.

    >>> import dualgraph as dg
    >>> dg.clone(dg.to_tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """
    return apply(_clone, (as_tensor("clone", x),))


def contiguous(x: Tensor) -> Tensor:
    """`x` itself if its elements lie in row-major order without gaps, else a copy that does."""
    return x if x._data.flags.c_contiguous else clone(x)


# -- shape ----------------------------------------------------------------------------------------


@op((lambda g, _out, _x, shape: reshape(g, _x.shape),), view=True)
def _reshape(x: Array, *, shape: Shape) -> Array:
    return x.reshape(shape)


def reshape(x: Tensor, shape: ShapeLike, *more: Any, name: str | None = None) -> Tensor:
    """`x` with another shape of as many elements: a view where memory order allows, else a copy.

    In `shape`, one -1 stands for what is left, and a 0 for x's own size of that axis (for an x
    without elements: for 0). The shape x has already gives x itself. ValueError if the numbers of
    elements differ.

    >>> import dualgraph as dg
    >>> dg.reshape(dg.zeros([4, 6]), [0, -1, 2]).shape
    [4, 3, 2]
    """
    if not isinstance(x, Tensor):
        x = as_tensor("reshape", x)
    sizes = sizes_of("reshape", shape, more)
    if sizes == x._data.shape:
        return x
    return apply(_reshape, (x,), {"shape": resolved_shape("reshape", sizes, x._data.shape)})


def _bitcast_type(x: Any, *, dtype: np.dtype[Any]) -> tuple[Shape, np.dtype[Any]]:
    sizes = [n * x.dtype.itemsize // dtype.itemsize for n in x.shape[-1:]]
    return (*x.shape[:-1], *sizes), dtype


@op(view=True, infer=_bitcast_type)
def _bitcast(x: Array, *, dtype: np.dtype[Any]) -> Array:
    return x.view(dtype)


def view(
    x: Tensor, shape_or_dtype: ShapeLike | DTypeLike, *more: Any, name: str | None = None
) -> Tensor:
    """`x`'s memory seen with another shape, or its bytes as another dtype; always a view.

    With a dtype, the last axis shrinks or grows with the size of an element, and no gradient flows.
    ValueError if the shape does not fit or would need a copy, or if the bytes do not divide.

    >>> import dualgraph as dg
    >>> dg.view(dg.to_tensor([1.0, 2.0]), "int32").tolist()
    [1065353216, 1073741824]
    """
    check_tensor("view", x)
    if isinstance(shape_or_dtype, (DType, str, type, np.dtype)):
        return apply(_bitcast, (x,), {"dtype": dtypes.as_numpy(shape_or_dtype)})
    shape = resolved_shape("view", sizes_of("view", shape_or_dtype, more), x._data.shape)
    return apply(_reshape, (x,), {"shape": shared_shape("view", x, shape)})


def shared_shape(op_name: str, x: Tensor, shape: Shape) -> Shape:
    """The shape, or ValueError if x cannot take it without a copy."""
    array = x._data
    if not array.flags.c_contiguous and not np.may_share_memory(array, array.reshape(shape)):
        given = f"x is {describe(x)} and not contiguous, shape is {list(shape)}"
        raise ValueError(message(op_name, given, "this would need a copy", "use reshape()"))
    return shape


def view_as(x: Tensor, other: Tensor, name: str | None = None) -> Tensor:
    """`x`'s memory seen with the shape of another tensor; ValueError as for `view`."""
    return view(x, check_tensor("view_as", other, "other").shape)


def squeeze(x: Tensor, axis: Axes | None = None, name: str | None = None) -> Tensor:
    """`x` without the given axes that have size 1, by default without all of them; a view.

    An axis of another size is left alone. ValueError for an axis that x does not have.

    >>> import dualgraph as dg
    >>> dg.squeeze(dg.zeros([2, 1, 3, 1]), 1).shape
    [2, 3, 1]
    """
    return _reshaped(x, squeezed_shape("squeeze", x, axis))


def unsqueeze(x: Tensor, axis: Axes, name: str | None = None) -> Tensor:
    """`x` with new axes of size 1, inserted one after the other at the given places; a view.

    ValueError for a place that does not exist at its turn.

    >>> import dualgraph as dg
    >>> dg.unsqueeze(dg.zeros([2, 3]), [0, -1]).shape
    [1, 2, 3, 1]
    """
    return _reshaped(x, unsqueezed_shape("unsqueeze", x, axis))


def flatten(x: Tensor, start_axis: int = 0, stop_axis: int = -1, name: str | None = None) -> Tensor:
    """`x` with the axes from the first to the last given merged into one; a view of a contiguous x.

    A 0-d tensor becomes [1]. ValueError if an axis does not exist or they are in the wrong order.

    >>> import dualgraph as dg
    >>> dg.flatten(dg.zeros([2, 3, 4]), 1).shape
    [2, 12]
    """
    return _reshaped(x, flattened_shape("flatten", x, start_axis, stop_axis))


def unflatten(x: Tensor, axis: int, shape: ShapeLike, name: str | None = None) -> Tensor:
    """`x` with one axis split into several, one of them perhaps -1; a view if memory allows.

    ValueError if the sizes do not multiply to the axis's own.

    >>> import dualgraph as dg
    >>> dg.unflatten(dg.zeros([2, 6]), 1, [3, -1]).shape
    [2, 3, 2]
    """
    old = as_tensor("unflatten", x)._data.shape
    axis = strict_axis("unflatten", axis, len(old))
    sizes = sizes_of("unflatten", shape)
    new = resolved_shape("unflatten", sizes, (old[axis],)) if 0 not in sizes else sizes
    if math.prod(new) != old[axis]:
        given = f"axis {axis} has size {old[axis]}, shape is {list(sizes)}"
        raise ValueError(message("unflatten", given, "expected sizes that multiply to it"))
    return _reshaped(x, (*old[:axis], *new, *old[axis + 1 :]))


def _reshaped(x: Tensor, shape: Shape) -> Tensor:
    return apply(_reshape, (as_tensor("reshape", x),), {"shape": shape})


# -- order of axes --------------------------------------------------------------------------------


@op((lambda g, _out, _x, perm: transpose(g, _inverse(perm)),), view=True)
def _transpose(x: Array, *, perm: Shape) -> Array:
    return x.transpose(perm)


def _inverse(perm: Shape) -> Shape:
    return tuple(sorted(range(len(perm)), key=perm.__getitem__))


def transpose(x: Tensor, perm: ShapeLike, *more: Any, name: str | None = None) -> Tensor:
    """`x` with its axes in the order `perm`; a view. ValueError unless each axis is named once.

    >>> import dualgraph as dg
    >>> dg.transpose(dg.zeros([2, 3, 4]), [2, 0, 1]).shape
    [4, 2, 3]
    """
    if not isinstance(x, Tensor):
        x = as_tensor("transpose", x)
    return apply(_transpose, (x,), {"perm": permutation("transpose", x, perm, more)})


def permute(input: Tensor, dims: ShapeLike, *more: Any) -> Tensor:
    """`transpose` under its other name."""
    return transpose(input, dims, *more)


def transpose_all(x: Tensor) -> Tensor:
    """`x` with its axes in reverse order, as a view: `Tensor.T`."""
    return apply(_transpose, (x,), {"perm": tuple(range(x._data.ndim - 1, -1, -1))})


def matrix_transpose(x: Tensor) -> Tensor:
    """`x` with its last two axes swapped, as a view: `Tensor.mT`. ValueError without two axes."""
    ndim = as_tensor("matrix_transpose", x)._data.ndim
    if ndim < 2:
        raise ValueError(message("matrix_transpose", f"x is {describe(x)}", "expected two axes"))
    return swapaxes(x, ndim - 2, ndim - 1)


def t(input: Tensor, name: str | None = None) -> Tensor:
    """The transpose of a matrix, as a view; a tensor of fewer axes as it is.

    ValueError for more than two axes.

    >>> import dualgraph as dg
    >>> dg.t(dg.zeros([2, 3])).shape
    [3, 2]
    """
    x = as_tensor("t", input, "input")
    if x._data.ndim > 2:
        given = f"input is {describe(x)}"
        raise ValueError(message("t", given, "expected at most two axes", "use transpose()"))
    return transpose_all(x)


def swapaxes(x: Tensor, axis0: int, axis1: int, name: str | None = None) -> Tensor:
    """`x` with two axes swapped; a view. ValueError for an axis that x does not have.

    >>> import dualgraph as dg
    >>> dg.swapaxes(dg.zeros([2, 3, 4]), 0, 2).shape
    [4, 3, 2]
    """
    ndim = as_tensor("swapaxes", x)._data.ndim
    a, b = (strict_axis("swapaxes", axis, ndim) for axis in (axis0, axis1))
    perm = list(range(ndim))
    perm[a], perm[b] = b, a
    return transpose(x, perm)


def moveaxis(x: Tensor, source: Axes, destination: Axes, name: str | None = None) -> Tensor:
    """`x` with some axes moved to other places, the rest keeping their order; a view.

    ValueError if an axis does not exist or is named twice, or if places and axes differ in number.

    >>> import dualgraph as dg
    >>> dg.moveaxis(dg.zeros([2, 3, 4]), 0, -1).shape
    [3, 4, 2]
    """
    ndim = as_tensor("moveaxis", x)._data.ndim
    moved, places = (strict_axes("moveaxis", axes, ndim) for axes in (source, destination))
    if len(moved) != len(places):
        given = f"source is {source}, destination is {destination}"
        raise ValueError(message("moveaxis", given, "expected as many places as axes"))
    perm = [axis for axis in range(ndim) if axis not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        perm.insert(place, axis)
    return transpose(x, perm)


# -- broadcasting ---------------------------------------------------------------------------------


@op((lambda g, _out, _x, shape: g,))
def _broadcast_to(x: Array, *, shape: Shape) -> Array:
    return np.array(np.broadcast_to(x, shape))


def broadcast_to(x: Tensor, shape: ShapeLike, name: str | None = None) -> Tensor:
    """`x` repeated along new axes and along axes of size 1 to a given shape, as a copy.

    A -1 in `shape` keeps x's size of that axis. ValueError if another size of x's does not fit.

    >>> import dualgraph as dg
    >>> dg.broadcast_to(dg.to_tensor([1, 2]), [2, 2]).tolist()
    [[1, 2], [1, 2]]
    """
    if not isinstance(x, Tensor):
        x = as_tensor("broadcast_to", x)
    return _expanded("broadcast_to", x, sizes_of("broadcast_to", shape))


def expand(x: Tensor, shape: ShapeLike, *more: Any, name: str | None = None) -> Tensor:
    """`broadcast_to` under its other name: x repeated to a given shape, as a copy.

    >>> import dualgraph as dg
    >>> dg.expand(dg.to_tensor([1, 2]), [2, -1]).tolist()
    [[1, 2], [1, 2]]
    """
    return _expanded("expand", as_tensor("expand", x), sizes_of("expand", shape, more))


def _expanded(op_name: str, x: Tensor, sizes: Shape) -> Tensor:
    old = x._data.shape
    new = len(sizes) - len(old)
    if sizes and min(sizes) < 0:
        sizes = tuple(
            old[i - new] if size == -1 and i >= new else size for i, size in enumerate(sizes)
        )
    fits = new >= 0 and min(sizes, default=0) >= 0
    if not fits or any(a not in (1, b) for a, b in zip(old, sizes[max(new, 0) :], strict=True)):
        given = f"x is {list(old)}, shape is {list(sizes)}"
        expected = "expected x's sizes at its end, or -1, save for axes of size 1"
        raise ValueError(message(op_name, given, expected))
    return apply(_broadcast_to, (x,), {"shape": sizes})


def expand_as(x: Tensor, y: Tensor, name: str | None = None) -> Tensor:
    """`x` repeated to the shape of y, as a copy; ValueError if it does not fit."""
    return expand(x, check_tensor("expand_as", y, "y").shape)


def broadcast_shape(x_shape: Sequence[int], y_shape: Sequence[int]) -> list[int]:
    """The shape that two shapes broadcast to; ValueError if they do not.

    >>> import dualgraph as dg
    >>> dg.broadcast_shape([2, 1, 3], [4, 1])
    [2, 4, 3]
    """
    try:
        return list(np.broadcast_shapes(tuple(x_shape), tuple(y_shape)))
    except ValueError:
        given = f"the shapes are {list(x_shape)} and {list(y_shape)}"
        expected = "expected equal sizes, or 1, counted from the last axis"
        raise ValueError(message("broadcast_shape", given, expected)) from None


def broadcast_tensors(input: Sequence[Tensor], name: str | None = None) -> list[Tensor]:
    """All tensors repeated to their common shape, as copies; ValueError if there is none.

    >>> import dualgraph as dg
    >>> x, y = dg.broadcast_tensors([dg.zeros([2, 1]), dg.zeros([3])])
    >>> x.shape, y.shape
    ([2, 3], [2, 3])
    """
    if isinstance(input, Tensor) or not input:
        given = f"input is {describe(input)}"
        raise ValueError(message("broadcast_tensors", given, "expected a list of tensors"))
    shapes = [check_tensor("broadcast_tensors", x, "input")._data.shape for x in input]
    try:
        common = np.broadcast_shapes(*shapes)
    except ValueError:
        given = f"the shapes are {', '.join(str(list(shape)) for shape in shapes)}"
        expected = "expected shapes that broadcast against each other"
        raise ValueError(message("broadcast_tensors", given, expected)) from None
    return [broadcast_to(x, common) for x in input]


# The records, for changes of shape in place.
reshape_op, transpose_op = _reshape, _transpose
