"""Padding: a border around a tensor, of one value or of the tensor's own elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor
from dualgraph.ops.indexing import gather_at
from dualgraph.ops.logic import select
from dualgraph.ops.manipulation import Shape, ShapeLike, broadcast_to, clone, sizes_of
from dualgraph.ops.registry import op
from dualgraph.ops.slicing import BasicIndex, native, pick, place
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["pad", "zeropad2d"]

_MODES = ("constant", "reflect", "replicate", "circular")
_LAYOUTS = {3: ("NCL", "NLC"), 4: ("NCHW", "NHWC"), 5: ("NCDHW", "NDHWC")}


def _filled(x: Tensor, *, shape: Shape, index: BasicIndex, value: float) -> Tensor:
    inside = place(broadcast_to(wrap(np.array(True)), x._data.shape), shape, index)
    border = wrap(np.full((), value).astype(x._data.dtype))
    return select(inside, place(x, shape, index), border)


@op((lambda g, _out, _x, shape, index, value: pick(g, index),), expand=_filled)
def _pad(x: Array, *, shape: Shape, index: BasicIndex, value: float) -> Array:
    out = np.empty(shape, x.dtype)
    out.fill(value)
    out[native(index)] = x
    return out


def pad(
    x: Tensor,
    pad: ShapeLike | int,
    mode: str = "constant",
    value: float = 0.0,
    data_format: str | None = None,
    pad_from_left_axis: bool = True,
    name: str | None = None,
) -> Tensor:
    """Put a border before and after some axes of x.

    `pad` has two numbers per axis, before and after it. Two for each axis of x speak of the axes in
    their order (from the last one with `pad_from_left_axis=False`). Fewer speak of the last axis
    first; two for each axis but batch and channels speak of those between, as `data_format` has it,
    the last first: left, right, top, bottom. An int stands for all of the latter. A negative number
    cuts off.

    The border holds `value`, or with mode "reflect", "replicate" and "circular" the elements
    mirrored at the edge, the edge's, or those of the other end; these modes take the axes between
    batch and channels only. ValueError for pads, modes and layouts that do not fit x.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.pad(dg.to_tensor([[[1.0, 2.0, 3.0]]]), [1, 2], mode="reflect").tolist()
    [[[2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]]
    """
    x = as_tensor("pad", x)
    if mode not in _MODES:
        raise ValueError(
            message("pad", f"mode is {mode!r}", f"expected one of {', '.join(_MODES)}")
        )
    spatial = 2 * (x.ndim - 2)
    pads = (pad,) * spatial if isinstance(pad, int) else sizes_of("pad", pad, (), "pad")
    if mode == "constant" and len(pads) != spatial:
        return _constant(x, _by_axis(x, pads, pad_from_left_axis), value)
    by_axis = _between(x, pads, data_format)
    if mode == "constant":
        return _constant(x, by_axis, value)
    for axis, (before, after) in enumerate(by_axis):
        if before or after:
            x = _borrowed(x, axis, before, after, mode)
    return x


def _by_axis(x: Tensor, pads: Sequence[int], from_left: bool) -> list[tuple[int, int]]:
    """The pads of each axis, given those of the last axes, last one first, or of all in order."""
    if len(pads) % 2 or len(pads) > 2 * x.ndim:
        given = f"pad has {len(pads)} numbers, x is {describe(x)}"
        raise ValueError(
            message("pad", given, "expected two numbers per axis, for all axes or fewer")
        )
    pairs = list(zip(pads[::2], pads[1::2], strict=True))
    if len(pairs) == x.ndim and from_left:
        return pairs
    return [(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]


def _between(x: Tensor, pads: Sequence[int], data_format: str | None) -> list[tuple[int, int]]:
    """Pads of the axes between batch and channels, the last one first, for each axis."""
    layouts = _LAYOUTS.get(x.ndim)
    layout = layouts[0] if layouts and data_format is None else str(data_format).upper()
    if layouts is None or layout not in layouts or len(pads) != 2 * (x.ndim - 2):
        given = f"x is {describe(x)}, pad is {list(pads)}, data_format is {data_format!r}"
        expected = "expected 3 to 5 axes, two numbers for each between batch and channels"
        raise ValueError(message("pad", given, f"{expected}, and a layout such as NCL or NHWC"))
    between = list(zip(pads[::2], pads[1::2], strict=True))[::-1]
    return [(0, 0), *between, (0, 0)] if layout[-1] == "C" else [(0, 0), (0, 0), *between]


def _constant(x: Tensor, by_axis: list[tuple[int, int]], value: float) -> Tensor:
    sizes = x._data.shape
    starts = [max(-before, 0) for before, _ in by_axis]
    stops = [n - max(-after, 0) for n, (_, after) in zip(sizes, by_axis, strict=True)]
    if any(stop < start for start, stop in zip(starts, stops, strict=True)):
        given = f"x is {describe(x)}, the pads are {by_axis}"
        raise ValueError(message("pad", given, "more is cut off than there is"))
    if any(starts) or any(stop < n for n, stop in zip(sizes, stops, strict=True)):
        x = pick(x, tuple((a, b, 1) for a, b in zip(starts, stops, strict=True)))
    begins = [max(before, 0) for before, _ in by_axis]
    inner = x._data.shape
    shape = tuple(
        b + n + max(after, 0) for b, n, (_, after) in zip(begins, inner, by_axis, strict=True)
    )
    if shape == inner:
        return clone(x)
    index = tuple((b, b + n, 1) for b, n in zip(begins, inner, strict=True))
    return apply(_pad, (x,), {"shape": shape, "index": index, "value": float(value)})


def _borrowed(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    """Put a border of its own elements around x along one axis."""
    n = x._data.shape[axis]
    positions = np.arange(-before, n + after)
    if n == 0 or (mode == "reflect" and max(before, after) >= n):
        given = f"x is {describe(x)}, axis {axis} is padded by {before} and {after}"
        raise ValueError(
            message("pad", given, f"mode {mode!r} has not enough elements to take from")
        )
    if mode == "reflect":
        positions = np.abs(positions)
        positions = n - 1 - np.abs(n - 1 - positions)
    elif mode == "replicate":
        positions = np.clip(positions, 0, n - 1)
    else:
        positions %= n
    return gather_at(x, (wrap(positions),), (axis,))


def zeropad2d(
    x: Tensor, padding: ShapeLike, data_format: str = "NCHW", name: str | None = None
) -> Tensor:
    """Images [N, C, H, W] (or [N, H, W, C]) with a border of zeros: left, right, top, bottom.

    ValueError for pads that do not fit x.
    """
    pads: Any = padding
    return _constant(x, _between(x, sizes_of("zeropad2d", pads, (), "padding"), data_format), 0.0)
