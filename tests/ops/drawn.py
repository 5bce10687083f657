"""Views and indices drawn at random, and what numpy makes of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import Tensor

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]

SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)


def numbers(shape: Shape) -> Array:
    """1.0, 2.0, ... in a shape."""
    return np.arange(1.0, 1.0 + math.prod(shape)).reshape(shape)


# -- views ----------------------------------------------------------------------------------------


def diagonal(x: Array) -> Array:
    """The diagonal of the first and last axis, which numpy hands out read-only, to write into."""
    out = np.diagonal(x, 0, 0, -1)
    out.flags.writeable = True
    return out


@st.composite
def views(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[str, Any, Any]:
    """A view of a tensor of a shape: its name, how the library makes it, how numpy does."""
    ndim = len(shape)
    axis = draw(st.integers(0, max(ndim - 1, 0)))
    perm = draw(st.permutations(range(ndim)))
    step = draw(st.sampled_from([-2, -1, 1, 2]))
    known = {
        "transpose": (lambda x: dg.transpose(x, perm), lambda x: x.transpose(perm)),
        "unsqueeze": (lambda x: dg.unsqueeze(x, axis), lambda x: np.expand_dims(x, axis)),
        "squeeze": (dg.squeeze, np.squeeze),
        "T": (lambda x: x.T, np.transpose),
    }
    if ndim:
        begin = (slice(None),) * axis
        known["strided"] = (
            lambda x: x[(*begin, slice(None, None, step))],
            lambda x: x[(*begin, slice(None, None, step))],
        )
        known["moveaxis"] = (lambda x: dg.moveaxis(x, axis, -1), lambda x: np.moveaxis(x, axis, -1))
    if ndim > 1:
        known["diagonal"] = (lambda x: dg.diagonal(x, 0, 0, -1), diagonal)
    if ndim and shape[axis]:
        known["pick"] = (lambda x: x[(*begin, -1)], lambda x: x[(*begin, -1, ...)])
        known["unbind"] = (lambda x: dg.unbind(x, axis)[0], lambda x: x[(*begin, 0, ...)])
        size = shape[axis]
        known["unfold"] = (
            lambda x: x.unfold(axis, size, 1),
            lambda x: np.moveaxis(x, axis, -1)[(slice(None),) * axis + (None,)],
        )
    name = draw(st.sampled_from(sorted(known)))
    return name, *known[name]


# -- indices drawn, and what numpy makes of them --------------------------------------------------


@st.composite
def slices(draw: st.DrawFn, size: int) -> slice:
    ends = st.none() | st.integers(-size - 2, size + 2)
    step = draw(st.none() | st.integers(-3, 3).filter(bool))
    return slice(draw(ends), draw(ends), step)


@st.composite
def indices(draw: st.DrawFn, shape: Shape, advanced: bool) -> tuple[Any, ...]:
    """An index of some or all axes; with tensors, arrays, lists and masks if it may be advanced."""
    items: list[Any] = []
    axis, end = 0, draw(st.integers(0, len(shape)))
    common = draw(st.lists(st.integers(0, 3), max_size=2).map(tuple))
    while axis < end:
        size = shape[axis]
        kinds = ["slice", "slice", "none"] + ["int"] * (size > 0)
        if advanced:
            kinds += ["tensor", "array", "list", "mask", "bool"] * (size > 0 or 0 in common)
        kind = draw(st.sampled_from(kinds))
        if kind == "none":
            items.append(None)
            continue
        if kind == "bool":
            items.append(draw(st.booleans()))
            continue
        width = 1
        if kind == "slice":
            items.append(draw(slices(size)))
        elif kind == "int":
            items.append(draw(st.integers(-size, size - 1)))
        elif kind == "mask":
            width = draw(st.integers(1, end - axis))
            items.append(draw(masks(shape[axis : axis + width])))
        else:
            found = draw(positions(size, common))
            items.append(found.tolist() if kind == "list" and found.ndim and found.size else found)
            if kind == "tensor":
                items[-1] = dg.to_tensor(found)
        axis += width
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), Ellipsis)
    return tuple(items)


@st.composite
def masks(draw: st.DrawFn, shape: Shape) -> Any:
    count = int(np.prod(shape))
    drawn = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    mask = np.array(drawn, bool).reshape(shape)
    return draw(st.sampled_from([mask, dg.to_tensor(mask)]))


@st.composite
def positions(draw: st.DrawFn, size: int, common: Shape) -> Array:
    shape = tuple(n if n == 0 or draw(st.booleans()) else 1 for n in common)
    count = int(np.prod(shape))
    drawn = draw(st.lists(st.integers(-size, max(size - 1, -size)), min_size=count, max_size=count))
    return np.array(drawn, np.int64).reshape(shape)


def plain(item: Any) -> Any:
    """An item without tensors; numbers and lists as arrays."""
    if item is None or isinstance(item, (bool, slice)):
        return item
    return item.numpy() if isinstance(item, Tensor) else np.asarray(item)


def spoken_axes(item: Any) -> int:
    """Of how many axes a plain item speaks."""
    if item is None or isinstance(item, bool):
        return 0
    return item.ndim if isinstance(item, np.ndarray) and item.dtype == bool else 1


def written_out(shape: Shape, index: tuple[Any, ...]) -> list[Any]:
    """The plain items of an index, slices in place of the ellipsis."""
    items = [i if i is Ellipsis else plain(i) for i in index]
    at = [k for k, i in enumerate(items) if i is Ellipsis]
    if at:
        spoken = sum(spoken_axes(i) for i in items if i is not Ellipsis)
        items[at[0] : at[0] + 1] = [slice(None)] * (len(shape) - spoken)
    return items


def two_steps(shape: Shape, index: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The index for numpy, in two: ints take their axes away first, then the rest is placed."""
    first: list[Any] = []
    second: list[Any] = []
    for item in written_out(shape, index):
        if isinstance(item, np.ndarray) and item.ndim == 0 and item.dtype != bool:
            first.append(int(item))
        else:
            first += [slice(None)] * spoken_axes(item)
            second.append(item)
    return tuple(first), tuple(second)


def as_numpy_has_it(x: Array, index: tuple[Any, ...]) -> Array:
    first, second = two_steps(x.shape, index)
    return x[(*first, ...)][second]


def put_as_numpy_does(x: Array, index: tuple[Any, ...], value: Array) -> None:
    first, second = two_steps(x.shape, index)
    region = x[(*first, ...)]
    region[second] = value.reshape(value.shape[max(value.ndim - region[second].ndim, 0) :])


def fits(x: Array, index: tuple[Any, ...]) -> bool:
    axis = 0
    for item in written_out(x.shape, index):
        # numpy lets some empty masks of the wrong shape pass.
        mask = isinstance(item, np.ndarray) and item.dtype == bool
        if mask and item.shape != x.shape[axis : axis + item.ndim]:
            return False
        axis += spoken_axes(item)
    try:
        as_numpy_has_it(x, index)
    except (IndexError, DeprecationWarning):  # which numpy before 2.3 gives for empty arrays
        return False
    return True


def is_basic(index: tuple[Any, ...]) -> bool:
    """Whether an index consists of what Python spells out, or numpy's numbers."""
    return all(
        i is None
        or i is Ellipsis
        or type(i) in (int, slice)
        or (isinstance(i, np.ndarray) and not i.ndim)
        for i in index
    )


@st.composite
def values_for(draw: st.DrawFn, shape: Shape) -> Array:
    """A value that broadcasts to a shape, with an axis or two of size 1 more in front at times."""
    dropped = draw(st.integers(0, len(shape)))
    sizes = [n if draw(st.booleans()) else 1 for n in shape[dropped:]]
    more = [1] * draw(st.sampled_from([0, 0, 1, 2])) if dropped == 0 else []
    return -numbers((*more, *sizes))
