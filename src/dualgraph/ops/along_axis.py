"""Picking and putting along one axis, element by element: `take_along_axis`, `put_along_axis`."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, axis_of, to_dtype
from dualgraph.ops.elementwise import add, divide
from dualgraph.ops.indexing import (
    Indices,
    gather_at,
    in_dtype_of,
    integers,
    numpy_index,
    replace_at,
    scatter_add_at,
)
from dualgraph.ops.logic import equal, select
from dualgraph.ops.manipulation import broadcast_to
from dualgraph.ops.registry import op
from dualgraph.ops.shapes import Shape
from dualgraph.ops.slicing import pick
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["put_along_axis", "take_along_axis"]

Number: TypeAlias = bool | int | float


def _read(op_name: str, arr: Any, indices: Any, axis: Any) -> tuple[Tensor, Tensor, int]:
    arr, indices = as_tensor(op_name, arr, "arr"), integers(op_name, indices, "indices")
    if arr.ndim != indices.ndim or not arr.ndim:
        given = f"arr is {describe(arr)}, indices is {describe(indices)}"
        raise ValueError(message(op_name, given, "expected equally many axes, and at least one"))
    return arr, indices, axis_of(op_name, axis, arr.ndim)


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], *shape[axis + 1 :])


def _grid(
    op_name: str, arr: Tensor, indices: Tensor, axis: int, broadcast: bool
) -> tuple[Tensor, ...]:
    """The indices of all axes: along the others each position its own, or the only one there is."""
    shape, wanted = arr._data.shape, indices._data.shape
    sizes, others = _without(shape, axis), _without(wanted, axis)
    try:
        common = np.broadcast_shapes(sizes, others) if broadcast else others
        fits = broadcast or all(b <= a for a, b in zip(sizes, others, strict=True))
    except ValueError:
        fits = False
    if not fits:
        given = f"arr is {list(shape)}, indices is {list(wanted)}"
        how = "broadcast" if broadcast else "are not larger than arr's"
        raise ValueError(message(op_name, given, f"expected sizes that {how}, save along {axis}"))
    grid = []
    for i, (size, count) in enumerate(zip(sizes, common, strict=True)):
        own = np.arange(count) if size == count or not broadcast else np.zeros(count, np.int64)
        place = i + (i >= axis)
        grid.append(wrap(own.reshape([-1 if k == place else 1 for k in range(len(shape))])))
    return (*grid[:axis], indices, *grid[axis:])


def take_along_axis(arr: Tensor, indices: Tensor, axis: int, broadcast: bool = True) -> Tensor:
    """For each place of an integer tensor, the element of arr at that index along an axis.

    Arr and indices have equally many axes and are broadcast against each other save along `axis`;
    with `broadcast=False` indices may be shorter along the others and speak of the front part of
    arr. The result has the (broadcast) shape of the indices. IndexError out of range; TypeError for
    indices that are not integer; ValueError for shapes that do not fit.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[1, 2, 3], [4, 5, 6]])
    >>> dg.take_along_axis(x, dg.to_tensor([[2], [0]]), axis=1).tolist()
    [[3], [4]]
    """
    arr, indices, along = _read("take_along_axis", arr, indices, axis)
    grid = _grid("take_along_axis", arr, indices, along, broadcast)
    return gather_at(arr, grid, tuple(range(arr.ndim)))


# -- putting --------------------------------------------------------------------------------------


_UFUNCS: dict[str, np.ufunc] = {"mul": np.multiply, "amin": np.minimum, "amax": np.maximum}


def _x_gradient(
    g: Tensor, out: Tensor, x: Tensor, value: Tensor, *indices: Tensor, axes: Shape, how: str
) -> Any:
    if how == "mul":
        ones = wrap(np.ones_like(x._data))
        return g * _reduce_at(ones, value, indices, axes, how)
    return select(equal(x, out), g / _ties(out, x, value, indices, axes), 0.0)


def _value_gradient(
    g: Tensor, out: Tensor, x: Tensor, value: Tensor, *indices: Tensor, axes: Shape, how: str
) -> Any:
    if how == "mul":
        return gather_at(g, indices, axes) * _others_product(x, value, indices, axes)
    shared = gather_at(g / _ties(out, x, value, indices, axes), indices, axes)
    return select(equal(value, gather_at(out, indices, axes)), shared, 0.0)


def _ties(out: Tensor, x: Tensor, value: Tensor, indices: Indices, axes: Shape) -> Tensor:
    """How many elements each extreme has been found in."""
    there = to_dtype(equal(x, out), out._data.dtype)
    given = to_dtype(equal(value, gather_at(out, indices, axes)), out._data.dtype)
    return add(there, scatter_add_at(given, x._data.shape, indices, axes))


def _others_product(x: Tensor, value: Tensor, indices: Indices, axes: Shape) -> Any:
    """For each value the product of all that it is multiplied with, exact also beside zeros."""
    dtype = x._data.dtype
    zero, x_zero = equal(value, 0), equal(x, 0)
    zeros = scatter_add_at(to_dtype(zero, dtype), x._data.shape, indices, axes)
    zeros = gather_at(add(zeros, to_dtype(x_zero, dtype)), indices, axes)
    rest = select(zero, 1.0, value)
    product = gather_at(
        _reduce_at(select(x_zero, 1.0, x), rest, indices, axes, "mul"), indices, axes
    )
    return select(equal(zeros, to_dtype(zero, dtype)), product / rest, 0.0)


@op(
    (_x_gradient, _value_gradient),
    infer=lambda x, value, *indices, axes, how: (x.shape, x.dtype),
)
def _scatter_reduce(x: Array, value: Array, *indices: Array, axes: Shape, how: str) -> Array:
    out = x.copy()
    _UFUNCS[how].at(out, numpy_index(x.ndim, indices, axes), value)
    return out


def _reduce_at(x: Tensor, value: Tensor, indices: Indices, axes: Shape, how: str) -> Tensor:
    return apply(_scatter_reduce, (x, value, *indices), {"axes": axes, "how": how})


def put_along_axis(
    arr: Tensor,
    indices: Tensor,
    values: Number | Tensor,
    axis: int,
    reduce: str = "assign",
    include_self: bool = True,
    broadcast: bool = True,
) -> Tensor:
    """`arr` with values put, for each place of an integer tensor, at that index along an axis.

    `reduce` says what becomes of several values for one element and, unless `include_self` is
    False, of the element itself: "assign" (the last value stays), "add", "mul" (or "multiply"),
    "mean", "amin" or "amax". Indices are broadcast to arr save along `axis`, and values to the
    indices; with `broadcast=False` indices may be shorter than arr, and than values, and speak of
    their front parts. Ties share the gradient of an extreme evenly. IndexError out of range;
    TypeError for indices that are not integer or a value of another dtype; ValueError for shapes
    that do not fit or another `reduce`.

    >>> import dualgraph as dg
    >>> x, index = dg.zeros([1, 3]), dg.to_tensor([[0, 0]])
    >>> dg.put_along_axis(x, index, dg.to_tensor([[1.0, 2.0]]), 1, "add").tolist()
    [[3.0, 0.0, 0.0]]
    """
    arr, indices, along = _read("put_along_axis", arr, indices, axis)
    how = "mul" if reduce == "multiply" else reduce
    if how not in ("assign", "add", "mean", *_UFUNCS):
        expected = "expected 'assign', 'add', 'mul', 'mean', 'amin' or 'amax'"
        raise ValueError(message("put_along_axis", f"reduce is {reduce!r}", expected))
    grid = _grid("put_along_axis", arr, indices, along, broadcast)
    shape = np.broadcast_shapes(*[index._data.shape for index in grid])
    if broadcast and _without(shape, along) != _without(arr._data.shape, along):
        given = f"arr is {describe(arr)}, indices is {describe(indices)}"
        raise ValueError(message("put_along_axis", given, "expected indices that broadcast to arr"))
    values = _fitted(arr, values, shape, broadcast)
    axes = tuple(range(arr.ndim))
    if how == "assign":
        return replace_at(arr, values, grid, axes)
    if not include_self:
        arr = replace_at(arr, _neutral(how, arr._data.dtype), grid, axes)
    if how in _UFUNCS:
        return _reduce_at(arr, values, grid, axes, how)
    total = add(arr, scatter_add_at(values, arr._data.shape, grid, axes))
    return total if how == "add" else _mean(total, shape, grid, include_self)


def _fitted(arr: Tensor, values: Any, shape: Shape, broadcast: bool) -> Tensor:
    """The values in arr's dtype and in the shape of the indices."""
    if not isinstance(values, Tensor) and np.ndim(values) == 0:
        values = wrap(np.asarray(values).astype(arr._data.dtype))
    values = in_dtype_of("put_along_axis", as_tensor("put_along_axis", values, "values"), arr)
    if not broadcast and values.ndim:
        sizes = values._data.shape
        if len(sizes) != len(shape) or any(a < b for a, b in zip(sizes, shape, strict=True)):
            given = f"indices is {list(shape)}, values is {describe(values)}"
            raise ValueError(message("put_along_axis", given, "expected values for all indices"))
        return pick(values, tuple((0, n, 1) for n in shape))
    return broadcast_to(values, shape)


def _neutral(how: str, dtype: np.dtype[Any]) -> Number:
    """What a reduction leaves out."""
    if how in ("add", "mean"):
        return 0
    if how == "mul":
        return 1
    if dtypes.is_floating(dtype):
        return float("inf") if how == "amin" else -float("inf")
    limits = np.iinfo(dtype)
    return int(limits.max if how == "amin" else limits.min)


def _mean(total: Tensor, shape: Shape, grid: Indices, include_self: bool) -> Tensor:
    """The total divided by how many it was added up from; integers are cut off towards 0."""
    dtype = total._data.dtype
    floating = dtype if dtypes.is_floating(dtype) else dtypes.float64.numpy
    ones = broadcast_to(wrap(np.ones((), floating)), shape)
    counts = scatter_add_at(ones, total._data.shape, grid, tuple(range(total.ndim)))
    counts = add(counts, 1) if include_self else select(equal(counts, 0), 1.0, counts)
    return to_dtype(divide(to_dtype(total, floating), counts), dtype)
