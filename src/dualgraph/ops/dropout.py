"""Dropout: elements, channels or whole rows set to zero at random while training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, overwrite
from dualgraph.ops.define import check_tensor
from dualgraph.ops.elementwise import add, multiply
from dualgraph.ops.logic import select
from dualgraph.ops.manipulation import clone
from dualgraph.ops.random import keep_mask
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = ["alpha_dropout", "dropout", "dropout2d", "dropout3d"]

_MODES = ("upscale_in_train", "downscale_in_infer")
# What a SELU network's elements go towards far below zero: -scale * alpha.
_ALPHA = -1.7580993408473766


def _kept(x: Tensor, mask: Tensor, *, scale: float) -> Tensor:
    return select(mask, multiply(x, scale), 0.0)


@op(
    (lambda g, _out, _x, mask, scale: _where_kept(g, mask, scale), None),
    expand=_kept,
    name="dropout",
)
def _keep(x: Array, mask: Array, *, scale: float) -> Any:
    """The masked elements of x, times a number; 0 elsewhere, whatever x is there."""
    number = x.dtype.type
    return np.where(mask, x if scale == 1.0 else x * number(scale), number(0))


def _where_kept(x: Tensor, mask: Tensor, scale: float) -> Tensor:
    return apply(_keep, (x, mask), {"scale": scale})


def _chance(op_name: str, x: Any, p: Any) -> float:
    """Return p as a number from 0 to 1; ValueError or TypeError if it or x cannot be."""
    check_tensor(op_name, x)
    if not isinstance(p, (bool, int, float, Tensor, np.generic)):
        raise TypeError(message(op_name, f"p is {describe(p)}", "expected a number"))
    chance = float(p)
    if not 0.0 <= chance <= 1.0:
        raise ValueError(message(op_name, f"p is {chance}", "expected a number from 0 to 1"))
    if not dtypes.is_floating(x._data.dtype):
        raise TypeError(
            message(op_name, f"x is {describe(x)}", "expected a floating type", "cast it")
        )
    return chance


def _drop(x: Tensor, p: float, shape: tuple[int, ...], upscale: bool) -> Tensor:
    scale = 1.0 / (1.0 - p) if upscale and p < 1.0 else 1.0
    return _where_kept(x, keep_mask(shape, p), scale)


def dropout(
    x: Tensor,
    p: float = 0.5,
    axis: int | Sequence[int] | None = None,
    training: bool = True,
    inplace: bool = False,
    mode: str = "upscale_in_train",
    name: str | None = None,
) -> Tensor:
    """While `training`, set elements to zero with probability p and divide the others by 1 - p.

        With mode "downscale_in_infer" the others stay, and all are multiplied by 1 - p when not
    training. With `axis` one draw serves for all elements that differ along other axes only. With
    `inplace` x is overwritten. ValueError for a p outside [0, 1], another mode or an axis x does
    not have; TypeError unless x is floating. Source: Srivastava and others, "Dropout", JMLR 15,
    2014.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> set(F.dropout(dg.ones([1000]), 0.5).tolist()) == {0.0, 2.0}
    True
    >>> F.dropout(dg.ones([2]), 0.5, training=False).tolist()
    [1.0, 1.0]
    """
    p = _chance("dropout", x, p)
    if mode not in _MODES:
        raise ValueError(
            message("dropout", f"mode is {mode!r}", f"expected one of {', '.join(_MODES)}")
        )
    upscale = mode == "upscale_in_train"
    if inplace:
        return overwrite("dropout", x, lambda old: dropout(old, p, axis, training, False, mode))
    if p == 0.0:
        return x
    if not training:
        return clone(x) if upscale else multiply(x, 1.0 - p)
    sizes = x._data.shape
    return _drop(x, p, sizes if axis is None else _mask_shape(sizes, axis), upscale)


def _mask_shape(sizes: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The sizes along the given axes, 1 along the others."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    if not all(isinstance(a, int) for a in axes):
        raise TypeError(message("dropout", f"axis is {describe(axis)}", "expected ints"))
    if not axes or not all(0 <= a < len(sizes) for a in axes):
        given = f"axis is {axis}, x has {len(sizes)} axes"
        raise ValueError(message("dropout", given, f"expected axes from 0 to {len(sizes) - 1}"))
    return tuple(n if i in axes else 1 for i, n in enumerate(sizes))


def _channel_dropout(
    op_name: str, x: Tensor, p: Any, training: bool, data_format: str, layouts: tuple[str, str]
) -> Tensor:
    p = _chance(op_name, x, p)
    if data_format not in layouts or x.ndim != len(layouts[0]):
        given = f"x is {describe(x)}, data_format is {data_format!r}"
        expected = f"expected {len(layouts[0])} axes, and {' or '.join(layouts)}"
        raise ValueError(message(op_name, given, expected))
    return dropout(x, p, (0, data_format.index("C")), training)


def dropout2d(
    x: Tensor,
    p: float = 0.5,
    training: bool = True,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """While `training`, set whole channels of images to zero; the others are divided by 1 - p.

        x is [N, C, H, W], or [N, H, W, C] with that `data_format`. ValueError for other shapes and
        for a p outside [0, 1].

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.dropout2d(dg.ones([1, 3, 2, 2]), 1.0).sum().item()
    0.0
    """
    return _channel_dropout("dropout2d", x, p, training, data_format, ("NCHW", "NHWC"))


def dropout3d(
    x: Tensor,
    p: float = 0.5,
    training: bool = True,
    data_format: str = "NCDHW",
    name: str | None = None,
) -> Tensor:
    """Dropout of channels as by `dropout2d`, of volumes [N, C, D, H, W] or [N, D, H, W, C]."""
    return _channel_dropout("dropout3d", x, p, training, data_format, ("NCDHW", "NDHWC"))


def alpha_dropout(
    x: Tensor, p: float = 0.5, training: bool = True, name: str | None = None
) -> Tensor:
    """While `training`, set elements to SELU's lower limit, then scale and shift all.

    Each is set with probability p. Elements of mean 0 and variance 1 keep both. With p = 1 all are
    0. ValueError for a p outside [0, 1], TypeError unless x is floating. Source: Klambauer and
    others, "Self-normalizing neural networks", 2017.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.alpha_dropout(dg.ones([2]), 0.5, training=False).tolist()
    [1.0, 1.0]
    """
    p = _chance("alpha_dropout", x, p)
    if not training:
        return clone(x)
    if p == 1.0:
        return multiply(x, 0.0)
    scale = ((1.0 - p) * (1.0 + p * _ALPHA**2)) ** -0.5
    kept = select(keep_mask(x._data.shape, p), x, _ALPHA)
    return add(multiply(kept, scale), -scale * p * _ALPHA)
