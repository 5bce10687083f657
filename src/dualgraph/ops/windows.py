"""Windows over a tensor, as views that may show an element more than once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as strided
from numpy.lib.stride_tricks import sliding_window_view

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor
from dualgraph.ops.indexing import gather_at, scatter_add_at
from dualgraph.ops.manipulation import flatten, moveaxis, reshape
from dualgraph.ops.registry import op
from dualgraph.ops.shapes import Shape, sizes_of, strict_axis
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["as_strided", "folded", "tensor_unfold"]


# -- windows along an axis ------------------------------------------------------------------------


def _positions(length: int, size: int, step: int) -> Tensor:
    """Of each window, the positions it shows: [windows, size]."""
    starts = np.arange(0, length - size + 1, step)
    return wrap(starts[:, None] + np.arange(size))


def _gathered(x: Tensor, *, axis: int, size: int, step: int) -> Tensor:
    windows = gather_at(x, (_positions(x._data.shape[axis], size, step),), (axis,))
    return moveaxis(windows, axis + 1, -1)


def _added(x: Tensor, *, shape: Shape, axis: int, size: int, step: int) -> Tensor:
    at = (_positions(shape[axis], size, step),)
    return scatter_add_at(moveaxis(x, -1, axis + 1), shape, at, (axis,))


@op(
    (lambda g, _out, _x, axis, size, step: folded(g, _x.shape, axis, size, step),),
    name="unfold_windows",
    view=True,
    expand=_gathered,
)
def _unfold_windows(x: Array, *, axis: int, size: int, step: int) -> Any:
    every = sliding_window_view(x, size, axis, writeable=x.flags.writeable)
    return every[(*[slice(None)] * axis, slice(None, None, step))]


@op(
    (lambda g, _out, _x, shape, axis, size, step: tensor_unfold(g, axis, size, step),),
    expand=_added,
)
def _fold_windows(x: Array, *, shape: Shape, axis: int, size: int, step: int) -> Array:
    out = np.zeros(shape, x.dtype)
    before = (slice(None),) * axis
    last = step * (x.shape[axis] - 1) + 1
    for k in range(size):
        out[(*before, slice(k, k + last, step))] += x[..., k]
    return out


def folded(x: Tensor, shape: Shape, axis: int, size: int, step: int) -> Tensor:
    """Zeros of a shape, with windows added where they were taken."""
    attrs = {"shape": shape, "axis": axis, "size": size, "step": step}
    return apply(_fold_windows, (x,), attrs)


def tensor_unfold(x: Tensor, axis: int, size: int, step: int, name: str | None = None) -> Tensor:
    """The windows of `size` elements at every `step`-th position, as the last axis of a view.

    That is `Tensor.unfold`. Gradients of windows that overlap are added up. ValueError for an axis
    that x does not have, a window that is longer than it, or a step below 1.

    >>> import dualgraph as dg
    >>> dg.to_tensor([1, 2, 3, 4, 5]).unfold(0, 3, 2).tolist()
    [[1, 2, 3], [3, 4, 5]]
    """
    x = as_tensor("unfold", x)
    along = strict_axis("unfold", axis, x._data.ndim)
    if not 0 <= size <= x._data.shape[along] or step < 1:
        given = f"x is {describe(x)}, size is {size}, step is {step}"
        expected = f"expected a size of at most {x._data.shape[along]}, and a positive step"
        raise ValueError(message("unfold", given, expected))
    return apply(_unfold_windows, (x,), {"axis": along, "size": int(size), "step": int(step)})


# -- any strides ----------------------------------------------------------------------------------


def _flat_positions(shape: Shape, stride: Shape, offset: int) -> Tensor:
    """The position in memory of each element of a view."""
    at: Any = np.full(shape, offset, np.int64)
    for axis, (size, step) in enumerate(zip(shape, stride, strict=True)):
        at += (np.arange(size) * step).reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return wrap(at)


@op(
    (
        lambda g, _out, _x, shape, stride, offset: reshape(
            scatter_add_at(g, (_size(_x.shape),), (_flat_positions(shape, stride, offset),), (0,)),
            _x.shape,
        ),
    ),
    view=True,
    infer=lambda x, shape, stride, offset: (shape, x.dtype),
    expand=lambda x, shape, stride, offset: gather_at(
        flatten(x), (_flat_positions(shape, stride, offset),), (0,)
    ),
)
def _as_strided(x: Array, *, shape: Shape, stride: Shape, offset: int) -> Array:
    steps = [step * x.itemsize for step in stride]
    return strided(x.reshape(-1)[offset:], shape, steps, writeable=x.flags.writeable)


def _size(shape: Shape) -> int:
    return int(np.prod(shape, dtype=np.int64))


def as_strided(
    x: Tensor,
    shape: Sequence[int],
    stride: Sequence[int],
    offset: int = 0,
    name: str | None = None,
) -> Tensor:
    """A view of x with any shape, steps (in elements) and first element; x in row-major order.

    Gradients of elements that are shown more than once are added up. ValueError if x is not
    contiguous, for negative numbers, and if the view would reach beyond x.

    >>> import dualgraph as dg
    >>> dg.as_strided(dg.to_tensor([1, 2, 3, 4]), [2, 3], [1, 1]).tolist()
    [[1, 2, 3], [2, 3, 4]]
    """
    x = as_tensor("as_strided", x)
    sizes = sizes_of("as_strided", shape)
    steps = sizes_of("as_strided", stride, (), "stride")
    given = f"x is {describe(x)}, shape is {list(sizes)}, stride is {list(steps)}, offset {offset}"
    if len(sizes) != len(steps) or min((*sizes, *steps, offset)) < 0:
        raise ValueError(message("as_strided", given, "expected as many strides, none negative"))
    last = offset + sum((n - 1) * step for n, step in zip(sizes, steps, strict=True))
    if 0 not in sizes and last >= x._data.size:
        raise ValueError(message("as_strided", given, f"x has no element {last}"))
    if not x._data.flags.c_contiguous:
        raise ValueError(message("as_strided", f"{given}, x is not contiguous", "", "clone() it"))
    attrs = {"shape": sizes, "stride": steps, "offset": int(offset)}
    return apply(_as_strided, (x,), attrs)
