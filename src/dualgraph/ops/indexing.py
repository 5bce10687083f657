"""Gathering at integer indices, and the scatters that undo it: what tensors as indices mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, apply_many
from dualgraph.ops.define import as_tensor, to_dtype
from dualgraph.ops.logic import equal, select
from dualgraph.ops.manipulation import reshape
from dualgraph.ops.registry import op
from dualgraph.ops.shapes import Shape
from dualgraph.ops.slicing import BasicIndex, native, pick
from dualgraph.tensor import Array, Tensor, wrap

__all__ = [
    "Indices",
    "filled",
    "gather_at",
    "gathered_shape",
    "in_dtype_of",
    "integers",
    "masked_op",
    "nonzero_of",
    "numpy_index",
    "put_at",
    "put_masked",
    "replace_at",
    "replace_op",
    "scatter_add_at",
]

Indices = Sequence[Tensor]


def integers(op_name: str, index: Any, argument: str = "index") -> Tensor:
    """Indices as an integer tensor; TypeError for anything else."""
    found = as_tensor(op_name, index, argument)
    if found._data.dtype.kind not in "iu":
        given = f"{argument} is {describe(found)}"
        raise TypeError(message(op_name, given, "expected an integer tensor"))
    return found


def in_dtype_of(op_name: str, value: Tensor, x: Tensor) -> Tensor:
    """A value in x's dtype; TypeError unless both are floating or they are equal."""
    if dtypes.promote(value._data.dtype, x._data.dtype) is None:
        given = f"x is {describe(x)}, the value is {describe(value)}"
        raise TypeError(message(op_name, given, "expected equal dtypes", "cast one of them"))
    return to_dtype(value, x._data.dtype)


# -- gather, scatter-add and replacement ----------------------------------------------------------


def gathered_shape(shape: Shape, indices: Sequence[Any], axes: Shape) -> tuple[Shape, int, int]:
    """The shape of a gather, and where in it the axes of the indices begin and end."""
    common = np.broadcast_shapes(*[index.shape for index in indices])
    kept = [n for i, n in enumerate(shape) if i not in axes]
    # Where numpy has them: in the place of the axes they index, or first if others are between.
    begin = axes[0] if axes[-1] - axes[0] == len(axes) - 1 else 0
    return (*kept[:begin], *common, *kept[begin:]), begin, begin + len(common)


def numpy_index(ndim: int, indices: Sequence[Array], axes: Shape) -> tuple[Any, ...]:
    """Indices of some axes as numpy takes them."""
    at: list[Any] = [slice(None)] * ndim
    for axis, index in zip(axes, indices, strict=True):
        at[axis] = index
    return tuple(at)


@op(
    (lambda g, _out, _x, *indices, axes: scatter_add_at(g, _x.shape, indices, axes),),
    infer=lambda x, *indices, axes: (gathered_shape(x.shape, indices, axes)[0], x.dtype),
)
def _gather(x: Array, *indices: Array, axes: Shape) -> Any:
    if len(axes) == 1 and x.flags.c_contiguous and x.size:
        return x.take(indices[0], axes[0])
    return x[numpy_index(x.ndim, indices, axes)]


def gather_at(x: Tensor, indices: Indices, axes: Shape) -> Tensor:
    """The elements of x at integer indices of some axes (in rising order), broadcast together.

    Negative indices count from the end. IndexError for an index out of range.
    """
    return apply(_gather, (x, *indices), {"axes": axes})


def _rows(indices: Sequence[Array], sizes: Shape) -> Array:
    """Indices of several axes as positions in these axes merged into one, flat."""
    rows: Any = 0
    for k, (given, size) in enumerate(zip(indices, sizes, strict=True)):
        index = given.astype(np.int64, copy=False)
        if index.size and not -size <= index.min() <= index.max() < size:
            wrong = index[(index < -size) | (index >= size)].flat[0]
            raise IndexError(
                f"index {wrong} (tensor {k}) is out of bounds for an axis of size {size}"
            )
        rows = rows * size + np.where(index < 0, index + size, index)
    common = np.broadcast_shapes(*[index.shape for index in indices])
    flat: Array = np.broadcast_to(rows, common).reshape(-1)
    return flat


@op(
    (lambda g, _out, _x, *indices, shape, axes: gather_at(g, indices, axes),),
    infer=lambda x, *indices, shape, axes: (shape, x.dtype),
)
def _scatter_add(x: Array, *indices: Array, shape: Shape, axes: Shape) -> Array:
    sizes = tuple(shape[axis] for axis in axes)
    kept = [i for i in range(len(shape)) if i not in axes]
    _, begin, end = gathered_shape(shape, indices, axes)
    values = np.moveaxis(x, range(begin, end), range(end - begin))
    rest = tuple(shape[i] for i in kept)
    rows = _rows(indices, sizes)
    out = np.zeros((math.prod(sizes), math.prod(rest)), x.dtype)
    _add_rows(out, rows, values.reshape(len(rows), out.shape[1]))
    order = [*axes, *kept]
    return out.reshape(sizes + rest).transpose(sorted(range(len(order)), key=order.__getitem__))


def _add_rows(out: Array, rows: Array, values: Array) -> None:
    """out[rows] += values, with every occurrence of a row counted."""
    if not values.size:
        return
    if out.shape[1] == 1:
        np.add.at(out[:, 0], rows, values[:, 0])
        return
    # `np.add.at` is slow for rows: sum the runs of equal rows instead.
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    out[ordered[first]] = np.add.reduceat(values[order], first, axis=0, dtype=out.dtype)


def scatter_add_at(x: Tensor, shape: Shape, indices: Indices, axes: Shape) -> Tensor:
    """Zeros of a shape, with the elements of x added where `gather_at` would have taken them."""
    return apply(_scatter_add, (x, *indices), {"shape": shape, "axes": axes})


def put_at(
    x: Array, value: Any, *indices: Array, index: BasicIndex, axes: Shape, unique: bool
) -> None:
    """Replace in an array what `gather_at` would take from the region that a basic index shows."""
    region = x[native(index)]
    ndim = max(i.ndim for i in indices)
    if not ndim:
        # The ellipsis keeps numpy from asking for a number.
        region[(*numpy_index(region.ndim, indices, axes), ...)] = value
    elif ndim == 1 or unique:
        region[numpy_index(region.ndim, indices, axes)] = value
    else:
        _put_flat(region, value, indices, axes)


def _put_flat(region: Array, value: Any, indices: Sequence[Array], axes: Shape) -> None:
    """Replace along one axis: there the last of several writes to an element is sure to stay."""
    shape, begin, end = gathered_shape(region.shape, indices, axes)
    common = shape[begin:end]
    count = math.prod(common)
    if np.ndim(value):
        value = value.reshape(value.shape[max(value.ndim - len(shape), 0) :])
        value = np.broadcast_to(value, shape).reshape(*shape[:begin], count, *shape[end:])
    flat = [np.broadcast_to(i, common).reshape(-1) for i in indices]
    region[numpy_index(region.ndim, flat, axes)] = value


def _value_gradient(
    g: Tensor,
    _out: Any,
    _x: Any,
    _value: Any,
    *indices: Tensor,
    index: BasicIndex,
    axes: Shape,
    unique: bool,
) -> Tensor:
    """The gradient of what stayed: of several values for one element only the last has any."""
    region = pick(g, index)
    taken = gather_at(region, indices, axes)
    if not unique:
        _, _, end = gathered_shape(region._data.shape, indices, axes)
        stayed = _stayed([region._data.shape[axis] for axis in axes], indices)
        after = [1] * (taken.ndim - end)
        taken = select(reshape(stayed, (*stayed._data.shape, *after)), taken, 0.0)
    missing = len(_value.shape) - taken.ndim
    return reshape(taken, (*[1] * missing, *taken._data.shape)) if missing > 0 else taken


def _stayed(sizes: Sequence[int], indices: Indices) -> Tensor:
    """Whether each of several indexed writes is the last one to its element."""
    common = np.broadcast_shapes(*[index._data.shape for index in indices])
    order = wrap(np.arange(math.prod(common)).reshape(common))
    axes = tuple(range(len(sizes)))
    last = replace_at(wrap(np.zeros(sizes, np.int64)), order, indices, axes)
    return equal(gather_at(last, indices, axes), order)


@op(
    (
        lambda g, _out, _x, _value, *indices, index, axes, unique: replace_at(
            g, 0, indices, axes, index, unique
        ),
        _value_gradient,
    ),
    infer=lambda x, value, *indices, index, axes, unique: (x.shape, x.dtype),
)
def _replace(
    x: Array, value: Any, *indices: Array, index: BasicIndex, axes: Shape, unique: bool
) -> Array:
    out = x.copy()
    put_at(out, value, *indices, index=index, axes=axes, unique=unique)
    return out


def replace_at(
    x: Tensor,
    value: Any,
    indices: Indices,
    axes: Shape,
    index: BasicIndex = (),
    unique: bool = False,
) -> Tensor:
    """A copy of x with what `gather_at(pick(x, index), indices, axes)` would take replaced.

    Of several values for one element the last stays. `unique` promises that there are none.
    IndexError for an index out of range, ValueError for a value that does not fit.
    """
    attrs = {"index": index, "axes": axes, "unique": unique}
    return apply(_replace, (x, value, *indices), attrs)


# -- masks ----------------------------------------------------------------------------------------


@op(dynamic=True)
def _nonzero(x: Array) -> tuple[Array, ...]:
    return np.nonzero(x)


def nonzero_of(x: Tensor) -> tuple[Tensor, ...]:
    """For each axis of x, the int64 indices of the elements that are not 0, in row-major order."""
    return apply_many(_nonzero, (x,))


def put_masked(x: Array, mask: Array, value: Any) -> None:
    """Put a value where a mask is True, cast as needed."""
    np.copyto(x, value, "unsafe", where=mask)


@op(
    (
        lambda g, _out, _x, mask, _value: select(mask, 0.0, g),
        None,
        lambda g, _out, _x, mask, _value: select(mask, g, 0.0),
    ),
    expand=lambda x, mask, value: select(mask, _as_dtype_of(x, value), x),
)
def _masked_fill(x: Array, mask: Array, value: Any) -> Array:
    out = np.array(np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape)))
    put_masked(out, mask, value)
    return out


def _as_dtype_of(x: Tensor, value: Any) -> Tensor:
    """A value in x's dtype, as in-place writes cast it."""
    if isinstance(value, Tensor):
        return to_dtype(value, x._data.dtype)
    return wrap(np.asarray(value).astype(x._data.dtype))


def filled(x: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy of x, broadcast against a mask, with a value where the mask is True, in x's dtype."""
    return apply(_masked_fill, (x, mask, value))


# The records, for writes in place.
masked_op, replace_op = _masked_fill, _replace
