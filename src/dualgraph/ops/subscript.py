"""What stands between brackets: `x[index]` and `x[index] = value`.

An index is cut in two. What Python spells out (ints, slices, None, an ellipsis) becomes a basic
index, which makes a view. What tensors, arrays and lists say becomes a gather from that view, in
which they are inputs.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, write
from dualgraph.ops.indexing import (
    Indices,
    gather_at,
    masked_op,
    nonzero_of,
    put_at,
    put_masked,
    replace_op,
)
from dualgraph.ops.manipulation import reshape
from dualgraph.ops.shapes import Shape
from dualgraph.ops.slicing import BasicIndex, getitem_op, native, pick, setitem_op, span
from dualgraph.ops.splitting import unbind
from dualgraph.tensor import Array, Tensor, to_array, wrap

__all__ = ["Index", "getitem", "iterate", "length", "read_index", "setitem"]


# -- what an index says ---------------------------------------------------------------------------


class Index(NamedTuple):
    """An index cut in two."""

    basic: BasicIndex
    indices: Indices
    axes: Shape
    unique: bool


_EXPECTED = "expected ints, slices, None, ..., bools, or integer or bool tensors"


def _item(op_name: str, item: Any) -> Any:
    """One item of an index as an int, a slice, None, an ellipsis, a bool, or a tensor."""
    if item is None or item is Ellipsis or isinstance(item, (int, slice)):
        return item
    if isinstance(item, Tensor):
        found = item
    elif isinstance(item, (list, tuple, range, np.ndarray, np.generic)):
        array = to_array(list(item) if isinstance(item, range) else item)
        if not array.size and isinstance(item, (list, tuple, range)):
            array = array.astype(np.int64)
        if not array.ndim and array.dtype.kind in "biu":
            return array.item()
        found = wrap(array)
    else:
        try:
            return operator.index(item)
        except TypeError:
            given = f"the index is {describe(item)}"
            raise TypeError(message(op_name, given, _EXPECTED)) from None
    if found._data.dtype.kind not in "biu":
        raise TypeError(message(op_name, f"the index is {describe(found)}", _EXPECTED))
    return found


def _is_mask(item: Any) -> bool:
    return isinstance(item, Tensor) and item._data.dtype.kind == "b"


def _items(op_name: str, x: Tensor, index: Any) -> list[Any]:
    """The items of an index, with the ellipsis, wherever it stands, written out."""
    items = [_item(op_name, i) for i in (index if type(index) is tuple else (index,))]
    if any(type(i) is bool or (isinstance(i, Tensor) and (i.ndim or _is_mask(i))) for i in items):
        # Beside other tensors a 0-d one is an int: it must not decide where their axes go.
        items = [
            operator.index(i) if isinstance(i, Tensor) and not i.ndim and not _is_mask(i) else i
            for i in items
        ]
    spoken = sum(
        i.ndim if _is_mask(i) else i is not None and i is not Ellipsis and type(i) is not bool
        for i in items
    )
    ndim = x._data.ndim
    if spoken > ndim:
        given = f"x is {list(x._data.shape)}, the index speaks of {spoken} axes"
        raise IndexError(message(op_name, given, f"expected at most {ndim}"))
    dots = [k for k, i in enumerate(items) if i is Ellipsis]
    if len(dots) > 1:
        given = f"the index has {len(dots)} ellipses"
        raise ValueError(message(op_name, given, "expected at most one"))
    if dots:
        items[dots[0] : dots[0] + 1] = [slice(None)] * (ndim - spoken)
    return items


class _Reader:
    """Reads the items of an index one after the other."""

    def __init__(self, op_name: str, x: Tensor) -> None:
        self.op_name = op_name
        self.shape = x._data.shape
        self.axis = 0  # of x
        self.basic: list[Any] = []
        self.indices: list[Tensor] = []
        self.axes: list[int] = []  # of what the basic index shows
        self.shown = 0  # axes of that so far

    def read(self, item: Any) -> None:
        if type(item) is bool:
            self.make_axis()
            self.add_index(wrap(np.zeros(int(item), np.int64)))
        elif item is None:
            self.make_axis()
            self.shown += 1
        elif type(item) is slice:
            self.basic.append(self.span(item))
            self.axis += 1
            self.shown += 1
        elif isinstance(item, Tensor):
            self.read_mask(item) if _is_mask(item) else self.read_tensor(item)
        else:
            self.basic.append(self.position(item))
            self.axis += 1

    def make_axis(self) -> None:
        self.basic.append(None)

    def add_index(self, index: Tensor) -> None:
        self.indices.append(index)
        self.axes.append(self.shown)
        self.shown += 1

    def read_tensor(self, index: Tensor) -> None:
        self.basic.append((0, self.shape[self.axis], 1))
        self.axis += 1
        self.add_index(index)

    def read_mask(self, mask: Tensor) -> None:
        if not mask.ndim:
            self.make_axis()
            self.add_index(nonzero_of(reshape(mask, (1,)))[0])
            return
        found = self.shape[self.axis : self.axis + mask.ndim]
        if mask._data.shape != found:
            given = f"x is {list(self.shape)}, the mask {list(mask._data.shape)}"
            expected = f"expected {list(found)}, the sizes of the axes it stands for"
            raise IndexError(message(self.op_name, given, expected))
        for index in nonzero_of(mask):
            self.read_tensor(index)

    def span(self, item: slice) -> Any:
        try:
            return span(item, self.shape[self.axis])
        except (TypeError, ValueError) as failure:
            given = f"the index is {item}"
            raise type(failure)(message(self.op_name, given, str(failure))) from None

    def position(self, item: int) -> int:
        size = self.shape[self.axis]
        if not -size <= item < size:
            given = f"x is {list(self.shape)}, index {item} is out of range for axis {self.axis}"
            raise IndexError(message(self.op_name, given, f"expected {-size} to {size - 1}"))
        return item + size if item < 0 else item


def read_index(op_name: str, x: Tensor, index: Any) -> Index:
    """An index of x, cut in two. IndexError, TypeError or ValueError if it does not fit x."""
    items = _items(op_name, x, index)
    reader = _Reader(op_name, x)
    for item in items:
        reader.read(item)
    if len(reader.indices) > 1:
        shapes = [tuple(i._data.shape) for i in reader.indices]
        try:
            np.broadcast_shapes(*shapes)
        except ValueError:
            given = f"the index tensors are {', '.join(str(list(shape)) for shape in shapes)}"
            raise ValueError(message(op_name, given, "expected shapes that broadcast")) from None
    basic = tuple(reader.basic)
    if reader.indices and basic == tuple((0, n, 1) for n in reader.shape[: len(basic)]):
        basic = ()
    unique = sum(isinstance(i, (bool, Tensor)) for i in items) == 1 and any(map(_is_mask, items))
    return Index(basic, reader.indices, tuple(reader.axes), unique)


def _basic(shape: Shape, index: tuple[Any, ...]) -> BasicIndex | None:
    """The short way for ints, slices, None and an ellipsis; None for all else, and for mistakes."""
    out: list[Any] = []
    axis = 0
    try:
        for k, i in enumerate(index):
            kind = type(i)
            if kind is int:
                size = shape[axis]
                if not -size <= i < size:
                    return None
                out.append(i + size if i < 0 else i)
                axis += 1
            elif kind is slice:
                out.append(span(i, shape[axis]))
                axis += 1
            elif i is None:
                out.append(None)
            elif i is Ellipsis:
                behind = [j for j in index[k + 1 :] if j is not None]
                end = len(shape) - len(behind)
                if end < axis or any(j is Ellipsis for j in behind):
                    return None
                out.extend((0, size, 1) for size in shape[axis:end])
                axis = end
            else:
                return None
    except (IndexError, TypeError, ValueError):
        return None
    return tuple(out)


# -- x[index] -------------------------------------------------------------------------------------


def getitem(x: Tensor, index: Any) -> Tensor:
    """`x[index]`: a view for ints, slices, None and an ellipsis; a copy for tensors and lists.

    Integer tensors pick along their axis, bool tensors pick where they are True. Ints take their
    axis away before the rest is placed; otherwise as in numpy. IndexError out of range or for a
    mask of the wrong shape, TypeError for what is no index, ValueError for a step of 0 or indices
    that do not broadcast.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[1, 2, 3], [4, 5, 6]])
    >>> x[0, ::2].tolist(), x[:, [2, 0]].tolist(), x[x > 4].tolist()
    ([1, 3], [[3, 1], [6, 4]], [5, 6])
    """
    shape = x._data.shape
    basic: BasicIndex | None
    if type(index) is int and shape and -shape[0] <= index < shape[0]:
        # Rows in a loop: the shortest way.
        basic = (index if index >= 0 else index + shape[0],)
    else:
        basic = _basic(shape, index if type(index) is tuple else (index,))
    if basic is not None:
        return apply(getitem_op, (x,), {"index": basic})
    if isinstance(index, Tensor) and x.ndim and index._data.dtype.kind in "iu":
        return gather_at(x, (index,), (0,))
    found = read_index("getitem", x, index)
    if found.basic or not found.indices:
        x = pick(x, found.basic)
    return gather_at(x, found.indices, found.axes) if found.indices else x


def _put_basic(x: Array, value: Any, *, index: BasicIndex) -> None:
    x[native(index)] = value


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`: overwrite a region of x in place.

    The value is a number or a tensor; it is broadcast, and cast to x's dtype. Gradients flow to the
    value, and to x outside the region. Of several values for one element the last stays. Raises
    what `x[index]` raises, and ValueError for a value that does not fit or if x is a leaf that
    needs a gradient, TypeError for a value that is no number; x is then as it was.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[1, 2, 3], [4, 5, 6]])
    >>> x[0, 1:] = 0
    >>> x[x > 4] = 9
    >>> x.tolist()
    [[1, 0, 0], [4, 9, 9]]
    """
    value = _value(value)
    basic = _basic(x._data.shape, index if type(index) is tuple else (index,))
    if basic is not None:
        write(setitem_op, x, (value,), {"index": basic}, _put_basic)
        return
    if _is_mask(index) and index.ndim and (not isinstance(value, Tensor) or not value.ndim):
        shape = index._data.shape
        if shape == x._data.shape[: len(shape)]:
            mask = reshape(index, (*shape, *[1] * (x.ndim - len(shape))))
            write(masked_op, x, (mask, value), {}, put_masked)
            return
    found = read_index("setitem", x, index)
    if not found.indices:
        write(setitem_op, x, (value,), {"index": found.basic}, _put_basic)
        return
    attrs = {"index": found.basic, "axes": found.axes, "unique": found.unique}
    write(replace_op, x, (value, *found.indices), attrs, put_at)


def _value(value: Any) -> Any:
    if isinstance(value, (Tensor, int, float)):
        return value
    if isinstance(value, (list, tuple, np.ndarray, np.generic)):
        return wrap(to_array(value))
    given = f"the value is {describe(value)}"
    raise TypeError(message("setitem", given, "expected a number or a tensor"))


def length(x: Tensor) -> int:
    """`len(x)`: the size of the first axis. TypeError for a 0-d tensor."""
    if not x._data.ndim:
        raise TypeError(message("len", "the tensor is 0-d", "it has no length"))
    return len(x._data)


def iterate(x: Tensor) -> Iterator[Tensor]:
    """`iter(x)`: views of x along its first axis. TypeError for a 0-d tensor.

    >>> import dualgraph as dg
    >>> [row.tolist() for row in dg.to_tensor([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    if not x._data.ndim:
        raise TypeError(message("iter", "the tensor is 0-d", "it has nothing to iterate over"))
    return iter(unbind(x))
