"""Integers as rows of zeros and ones: classes, and lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, to_dtype
from dualgraph.ops.logic import equal, less_than
from dualgraph.ops.manipulation import unsqueeze
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor, concretize, wrap

__all__ = ["one_hot", "sequence_mask"]


def _by_comparison(x: Tensor, *, depth: int) -> Tensor:
    classes = wrap(np.arange(depth, dtype=x._data.dtype))
    return to_dtype(equal(unsqueeze(x, -1), classes), dtypes.float32.numpy)


@op(expand=_by_comparison, infer=lambda x, depth: ((*x.shape, depth), dtypes.float32.numpy))
def _one_hot(x: Array, *, depth: int) -> Array:
    if x.size and not 0 <= x.min() <= x.max() < depth:
        found = f"classes go from {x.min()} to {x.max()}"
        raise ValueError(message("one_hot", found, f"expected 0 to {depth - 1}"))
    out = np.zeros((x.size, depth), np.float32)
    out[np.arange(x.size), x.reshape(-1)] = 1
    return out.reshape(*x.shape, depth)


def one_hot(x: Tensor, num_classes: int = -1, name: str | None = None) -> Tensor:
    """For each class number a float32 row of zeros with a one at its place.

    The result is [*x.shape, num_classes]. By default there are as many classes as the largest
    number asks for. ValueError for a class out of range and, without `num_classes`, for an empty x;
    TypeError unless x holds integers.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.one_hot(dg.to_tensor([0, 2]), 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    x = as_tensor("one_hot", x)
    if x._data.dtype.kind not in "iu":
        raise TypeError(message("one_hot", f"x is {describe(x)}", "expected integers", "cast it"))
    depth = int(num_classes)
    if depth == -1:
        if not x.size:
            given = f"x is {describe(x)}"
            raise ValueError(message("one_hot", given, "", "say how many classes there are"))
        depth = int(concretize(x).max()) + 1
    if depth < 0:
        raise ValueError(message("one_hot", f"num_classes is {num_classes}", "expected 0 or more"))
    return apply(_one_hot, (x,), {"depth": depth})


def sequence_mask(
    x: Tensor, maxlen: Any = None, dtype: DTypeLike = "int64", name: str | None = None
) -> Tensor:
    """For each length a row of `maxlen` numbers: ones up to the length, then zeros.

    The result is [*x.shape, maxlen]; `maxlen` is the largest length by default. ValueError for a
    negative `maxlen`.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.sequence_mask(dg.to_tensor([1, 3])).tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    x = as_tensor("sequence_mask", x)
    if maxlen is None:
        maxlen = max(concretize(x).max(), 0) if x.size else 0
    length = int(maxlen)
    if length < 0:
        raise ValueError(message("sequence_mask", f"maxlen is {length}", "expected 0 or more"))
    positions = wrap(np.arange(length, dtype=x._data.dtype))
    return to_dtype(less_than(positions, unsqueeze(x, -1)), dtypes.as_numpy(dtype))
