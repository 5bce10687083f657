"""What users say about shapes and axes, read and checked."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

from dualgraph.errors import describe, message
from dualgraph.ops.define import as_tensor, axis_of
from dualgraph.tensor import Tensor

__all__ = [
    "Axes",
    "Shape",
    "ShapeLike",
    "flattened_shape",
    "permutation",
    "resolved_shape",
    "sizes_of",
    "squeezed_shape",
    "strict_axes",
    "strict_axis",
    "unsqueezed_shape",
]

Shape: TypeAlias = tuple[int, ...]
ShapeLike: TypeAlias = "Tensor | int | Sequence[int | Tensor]"
Axes: TypeAlias = "int | Tensor | Sequence[int | Tensor]"


def sizes_of(op_name: str, shape: Any, more: Sequence[Any] = (), argument: str = "shape") -> Shape:
    """A shape given as a list of ints and one-element tensors, as a tensor, or int after int.

    TypeError for anything else.
    """
    if isinstance(shape, Tensor) and shape.ndim:
        shape = shape.tolist()
    elif not isinstance(shape, (list, tuple)):
        # A name may stand behind the shape.
        shape = (shape, *(item for item in more if item is not None and type(item) is not str))
    try:
        return tuple(map(operator.index, shape))
    except (TypeError, ValueError):
        given = f"{argument} is {describe(shape)}"
        raise TypeError(message(op_name, given, "expected ints")) from None


def strict_axis(op_name: str, axis: Any, ndim: int) -> int:
    """One axis as a number from 0 to ndim-1; ValueError out of range, always so without axes."""
    if not ndim:
        given = f"axis is {describe(axis)}, the tensor is 0-d"
        raise ValueError(message(op_name, given, "expected a tensor with axes"))
    return axis_of(op_name, axis, ndim)


def strict_axes(op_name: str, axis: Any, ndim: int) -> Shape:
    """Axes as numbers from 0 to ndim-1; ValueError out of range or for an axis named twice."""
    axes = tuple(strict_axis(op_name, a, ndim) for a in _listed(axis))
    if len(set(axes)) != len(axes):
        raise ValueError(message(op_name, f"axis is {axis}", "expected each axis once"))
    return axes


def _listed(axis: Any) -> Sequence[Any]:
    """Axes, given as a number, a tensor or a list, as a list."""
    if isinstance(axis, Tensor):
        axis = axis.tolist()
    return axis if isinstance(axis, (list, tuple)) else (axis,)


def resolved_shape(op_name: str, sizes: Shape, old: Shape) -> Shape:
    """A shape with -1 and 0 replaced by what they stand for in a reshape from an old shape."""
    if sizes and min(sizes) > 0 and math.prod(sizes) == math.prod(old):
        return sizes
    count = math.prod(old)
    new = [old[i] if size == 0 and count and i < len(old) else size for i, size in enumerate(sizes)]
    if min(new, default=0) == -1 and new.count(-1) == 1:
        new[new.index(-1)] = _left_over(new, old)
    if min(new, default=0) < 0 or math.prod(new) != count:
        given = f"x is {list(old)} with {count} elements, shape is {list(sizes)}"
        raise ValueError(message(op_name, given, "expected as many elements, and at most one -1"))
    return tuple(new)


def _left_over(new: Sequence[int], old: Shape) -> int:
    """What -1 stands for; without elements, what is left of the sizes that are not 0."""
    known, count = -math.prod(new), math.prod(old)
    if not known:
        known, count = (math.prod(filter(None, sizes)) for sizes in (new, old))
        known = -known
    return count // known


def squeezed_shape(op_name: str, x: Tensor, axis: Axes | None) -> Shape:
    """The shape of x without axes of size 1."""
    shape = as_tensor(op_name, x)._data.shape
    axes = () if axis is None else tuple(axis_of(op_name, a, len(shape)) for a in _listed(axis))
    return tuple(n for i, n in enumerate(shape) if n != 1 or (axes and i not in axes))


def unsqueezed_shape(op_name: str, x: Tensor, axis: Axes) -> Shape:
    """The shape of x with new axes."""
    shape = list(as_tensor(op_name, x)._data.shape)
    for a in _listed(axis):
        shape.insert(axis_of(op_name, a, len(shape) + 1), 1)
    return tuple(shape)


def flattened_shape(op_name: str, x: Tensor, start_axis: int, stop_axis: int) -> Shape:
    """The shape of x with neighbouring axes merged."""
    shape = as_tensor(op_name, x)._data.shape
    start = axis_of(op_name, start_axis, len(shape))
    stop = axis_of(op_name, stop_axis, len(shape))
    if stop < start:
        given = f"start_axis is {start_axis}, stop_axis is {stop_axis}, x has {len(shape)} axes"
        raise ValueError(message(op_name, given, "expected start_axis not behind stop_axis"))
    return (*shape[:start], math.prod(shape[start : stop + 1]), *shape[stop + 1 :])


def permutation(op_name: str, x: Tensor, perm: ShapeLike, more: Sequence[Any]) -> Shape:
    """An order of all of x's axes; ValueError unless each is named once."""
    order = sizes_of(op_name, perm, more, "perm")
    ndim = x._data.ndim
    if order and min(order) < 0:
        order = tuple(axis + ndim if axis < 0 else axis for axis in order)
    if sorted(order) != list(range(ndim)):
        given = f"x is {describe(x)}, perm is {list(order)}"
        raise ValueError(message(op_name, given, "expected each axis of x once"))
    return order
