"""Functions that overwrite their input if asked to."""

from __future__ import annotations

from dualgraph.ops import activation
from dualgraph.ops.apply import overwrite
from dualgraph.tensor import Tensor

__all__ = ["silu"]


def silu(x: Tensor, inplace: bool = False, name: str | None = None) -> Tensor:
    """Multiply each element by its sigmoid: x * sigmoid(x); with `inplace` x is overwritten.

    ValueError for `inplace` on a leaf that needs a gradient.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.silu(dg.zeros([2])).tolist()
    [0.0, 0.0]
    """
    return overwrite("silu", x, activation.silu) if inplace else activation.silu(x)
