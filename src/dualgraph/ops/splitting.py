"""Taking tensors apart, and repeating what they hold."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, apply_many, share
from dualgraph.ops.define import as_tensor
from dualgraph.ops.indexing import gather_at
from dualgraph.ops.joining import Axis, concat, part_of, stack
from dualgraph.ops.manipulation import broadcast_to, clone, flatten, reshape
from dualgraph.ops.registry import op
from dualgraph.ops.shapes import Shape, ShapeLike, sizes_of, strict_axis
from dualgraph.ops.slicing import getitem_op, pick
from dualgraph.tensor import Array, Tensor

__all__ = [
    "chunk",
    "dsplit",
    "hsplit",
    "repeat_interleave",
    "split",
    "tensor_split",
    "tile",
    "unbind",
    "unstack",
    "vsplit",
]


# -- taking apart ---------------------------------------------------------------------------------


def _expanded_split(x: Tensor, *, sections: Shape, axis: int) -> tuple[Tensor, ...]:
    ends = itertools.accumulate(sections, initial=0)
    return tuple(clone(pick(x, part_of(x, axis, (a, b, 1)))) for a, b in itertools.pairwise(ends))


@op(
    (lambda g, _out, _x, sections, axis: concat(g, axis),),
    expand=_expanded_split,
)
def _split(x: Array, *, sections: Shape, axis: int) -> tuple[Array, ...]:
    ends = list(itertools.accumulate(sections))[:-1]
    return tuple(part.copy() for part in np.split(x, ends, axis))


def split(
    x: Tensor,
    num_or_sections: int | Sequence[int | Tensor],
    axis: Axis = 0,
    name: str | None = None,
) -> list[Tensor]:
    """`x` cut along an axis into equally many or given sizes, of which one may be -1; copies.

    ValueError if the axis does not divide, or if the sizes do not add up to it; TypeError for a
    number of parts that is no int.

    >>> import dualgraph as dg
    >>> [part.tolist() for part in dg.split(dg.to_tensor([1, 2, 3, 4]), [1, -1])]
    [[1], [2, 3, 4]]
    """
    x = as_tensor("split", x)
    along = strict_axis("split", axis, x._data.ndim)
    size = x._data.shape[along]
    if isinstance(num_or_sections, (list, tuple)):
        sections = _sections(size, num_or_sections)
    elif isinstance(num_or_sections, (int, np.integer)):
        if num_or_sections < 1 or size % num_or_sections:
            given = f"axis {along} has size {size}, num_or_sections is {num_or_sections}"
            raise ValueError(message("split", given, "expected a number that divides it"))
        sections = (size // num_or_sections,) * int(num_or_sections)
    else:
        given = f"num_or_sections is {describe(num_or_sections)}"
        raise TypeError(message("split", given, "expected an int or a list of ints"))
    return list(apply_many(_split, (x,), {"sections": sections, "axis": along}))


def _sections(size: int, given: Sequence[Any]) -> Shape:
    """Given sizes with -1 replaced by what is left; ValueError if they do not add up."""
    sizes = sizes_of("split", given, (), "num_or_sections")
    left = size - sum(n for n in sizes if n != -1)
    found = tuple(left if n == -1 else n for n in sizes)
    if sizes.count(-1) > 1 or min(found, default=-1) < 0 or sum(found) != size:
        what = f"the axis has size {size}, num_or_sections is {list(sizes)}"
        raise ValueError(message("split", what, "expected sizes that add up, and at most one -1"))
    return found


def chunk(x: Tensor, chunks: int, axis: Axis = 0, name: str | None = None) -> list[Tensor]:
    """`x` cut along an axis into so many equal parts, as copies; ValueError if it does not divide.

    >>> import dualgraph as dg
    >>> [part.tolist() for part in dg.chunk(dg.to_tensor([1, 2, 3, 4]), 2)]
    [[1, 2], [3, 4]]
    """
    return split(x, operator.index(chunks), axis)


def tensor_split(
    x: Tensor, num_or_indices: int | Sequence[int], axis: Axis = 0, name: str | None = None
) -> list[Tensor]:
    """`x` cut along an axis into so many nearly equal parts, or at the given places; copies.

    The first parts are one longer where the axis does not divide. Places count as in Python slices.
    ValueError for a 0-d tensor or fewer than one part.

    >>> import dualgraph as dg
    >>> [part.tolist() for part in dg.tensor_split(dg.to_tensor([1, 2, 3]), 2)]
    [[1, 2], [3]]
    """
    return _cut("tensor_split", x, num_or_indices, axis)


def _cut(op_name: str, x: Tensor, num_or_indices: Any, axis: Any, least: int = 1) -> list[Tensor]:
    x = as_tensor(op_name, x)
    if x._data.ndim < least:
        given = f"x is {describe(x)}"
        raise ValueError(message(op_name, given, f"expected at least {least} axes"))
    along = strict_axis(op_name, axis, x._data.ndim)
    size = x._data.shape[along]
    if isinstance(num_or_indices, (list, tuple)):
        places = sizes_of(op_name, num_or_indices, (), "num_or_indices")
        starts, stops = [0, *places], [*places, size]
        spans = [slice(a, b).indices(size) for a, b in zip(starts, stops, strict=True)]
    elif isinstance(num_or_indices, (int, np.integer)) and num_or_indices > 0:
        parts, longer = divmod(size, int(num_or_indices))
        ends = [i * parts + min(i, longer) for i in range(int(num_or_indices) + 1)]
        spans = [(a, b, 1) for a, b in itertools.pairwise(ends)]
    else:
        given = f"num_or_indices is {describe(num_or_indices)}"
        raise ValueError(message(op_name, given, "expected a positive int or a list of ints"))
    return [clone(pick(x, part_of(x._data, along, span))) for span in spans]


def hsplit(x: Tensor, num_or_indices: int | Sequence[int], name: str | None = None) -> list[Tensor]:
    """`tensor_split` along the second axis, or a vector's only one."""
    axis = 0 if isinstance(x, Tensor) and x.ndim == 1 else 1
    return _cut("hsplit", x, num_or_indices, axis)


def vsplit(x: Tensor, num_or_indices: int | Sequence[int], name: str | None = None) -> list[Tensor]:
    """`tensor_split` along the first axis of at least two."""
    return _cut("vsplit", x, num_or_indices, 0, 2)


def dsplit(x: Tensor, num_or_indices: int | Sequence[int], name: str | None = None) -> list[Tensor]:
    """`tensor_split` along the third axis."""
    return _cut("dsplit", x, num_or_indices, 2, 3)


@op(
    (lambda g, _out, _x, axis: stack(g, axis),),
    view=True,
    expand=lambda x, axis: tuple(pick(x, part_of(x, axis, i)) for i in range(x._data.shape[axis])),
)
def _unbind(x: Array, *, axis: int) -> tuple[Array, ...]:
    before: tuple[Any, ...] = (slice(None),) * axis
    # The ellipsis makes an element of a vector a 0-d view.
    places: list[Any] = [(*before, i, ...) for i in range(x.shape[axis])]
    return tuple(x[place] for place in places)


def unbind(input: Tensor, axis: int = 0) -> list[Tensor]:
    """The views of x along one axis, which they lack. ValueError for an axis that x does not have.

    >>> import dualgraph as dg
    >>> [row.tolist() for row in dg.unbind(dg.to_tensor([[1, 2], [3, 4]]))]
    [[1, 2], [3, 4]]
    """
    x = as_tensor("unbind", input, "input")
    along = strict_axis("unbind", axis, x._data.ndim)
    if not x._data.shape[along]:
        return []
    outs = apply_many(_unbind, (x,), {"axis": along})
    # Together they have one gradient; after a write in place, each is a view of its own.
    for i, out in enumerate(outs):
        share(getitem_op, x, {"index": part_of(x._data, along, i)}, out)
    return list(outs)


def unstack(x: Tensor, axis: int = 0, num: int | None = None) -> list[Tensor]:
    """The copies of x's parts along one axis, which they lack.

    ValueError for an axis that x does not have, or if `num` is not its size.

    >>> import dualgraph as dg
    >>> [row.tolist() for row in dg.unstack(dg.to_tensor([[1, 2], [3, 4]]))]
    [[1, 2], [3, 4]]
    """
    x = as_tensor("unstack", x)
    along = strict_axis("unstack", axis, x._data.ndim)
    sizes = x._data.shape
    if num is not None and num != sizes[along]:
        given = f"axis {along} has size {sizes[along]}, num is {num}"
        raise ValueError(message("unstack", given, "expected its size"))
    if not sizes[along]:
        return []
    kept = (*sizes[:along], *sizes[along + 1 :])
    return [reshape(part, kept) for part in split(x, sizes[along], along)]


# -- repeating ------------------------------------------------------------------------------------


def tile(x: Tensor, repeat_times: ShapeLike, name: str | None = None) -> Tensor:
    """`x` repeated so many times along its last axes, or along new ones in front, as a copy.

    ValueError for a negative number.

    >>> import dualgraph as dg
    >>> dg.tile(dg.to_tensor([1, 2]), [2, 2]).tolist()
    [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    x = as_tensor("tile", x)
    times = sizes_of("tile", repeat_times, (), "repeat_times")
    if min(times, default=0) < 0:
        given = f"repeat_times is {list(times)}"
        raise ValueError(message("tile", given, "expected no negative number"))
    old = x._data.shape
    ndim = max(len(old), len(times))
    sizes = (1,) * (ndim - len(old)) + old
    times = (1,) * (ndim - len(times)) + times
    single = tuple(itertools.chain.from_iterable((1, n) for n in sizes))
    repeated = tuple(itertools.chain.from_iterable(zip(times, sizes, strict=True)))
    copies = broadcast_to(reshape(x, single), repeated)
    return reshape(copies, tuple(map(operator.mul, times, sizes)))


@op(dynamic=True)
def _repeated_positions(repeats: Array) -> Array:
    if repeats.size and repeats.min() < 0:
        raise ValueError("expected no negative number of repeats")
    return np.repeat(np.arange(len(repeats)), repeats)


def repeat_interleave(
    x: Tensor,
    repeats: int | Tensor,
    axis: int | None = None,
    name: str | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """`x` with each element along an axis repeated: equally often, or as a tensor [n] says.

    Without an axis x is taken as if it were flat. ValueError for a number below 1, for a tensor of
    negative numbers or of another shape, and if there are not `output_size` elements afterwards;
    TypeError for what is no integer.

    >>> import dualgraph as dg
    >>> dg.repeat_interleave(dg.to_tensor([1, 2]), dg.to_tensor([1, 2])).tolist()
    [1, 2, 2]
    """
    x = as_tensor("repeat_interleave", x)
    if axis is None:
        x, axis = flatten(x), 0
    along = strict_axis("repeat_interleave", axis, x._data.ndim)
    if isinstance(repeats, Tensor):
        out = _repeated(x, repeats, along)
    else:
        out = _repeated_equally(x, repeats, along)
    if output_size is not None and output_size != out._data.shape[along]:
        given = f"axis {along} has {out._data.shape[along]} elements, output_size is {output_size}"
        raise ValueError(message("repeat_interleave", given, "expected the same number"))
    return out


def _repeated(x: Tensor, repeats: Tensor, axis: int) -> Tensor:
    size = x._data.shape[axis]
    if repeats._data.shape != (size,) or repeats._data.dtype.kind not in "iu":
        given = f"axis {axis} has {size} elements, repeats is {describe(repeats)}"
        kind = ValueError if repeats._data.dtype.kind in "iu" else TypeError
        raise kind(message("repeat_interleave", given, f"expected an integer tensor [{size}]"))
    return gather_at(x, (apply(_repeated_positions, (repeats,)),), (axis,))


def _repeated_equally(x: Tensor, repeats: int, axis: int) -> Tensor:
    if not isinstance(repeats, (int, np.integer)):
        given = f"repeats is {describe(repeats)}"
        raise TypeError(message("repeat_interleave", given, "expected an int or a tensor"))
    times = int(repeats)
    if times < 1:
        given = f"repeats is {times}"
        raise ValueError(message("repeat_interleave", given, "expected a positive number"))
    before, size, after = x._data.shape[:axis], x._data.shape[axis], x._data.shape[axis + 1 :]
    copies = broadcast_to(reshape(x, (*before, size, 1, *after)), (*before, size, times, *after))
    return reshape(copies, (*before, size * times, *after))
