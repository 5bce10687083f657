"""Sharing memory with other libraries through the DLPack protocol."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["from_dlpack", "to_dlpack"]


class _Offer:
    """A bare capsule under the protocol's two methods, which numpy asks for."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule
        self.is_old = '"dltensor"' in repr(capsule)  # of the protocol before version 1

    def __dlpack__(self, **_options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # CPU; a capsule cannot be asked, and numpy looks into it


class _Writable:
    """An array's memory under numpy's own protocol, declared writable."""

    def __init__(self, array: Array) -> None:
        self.owner = array
        self.__array_interface__ = {
            **array.__array_interface__,
            "data": (array.ctypes.data, False),
        }


def from_dlpack(dlpack: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of another library's array, or over a copy of it with `copy=True`.

    `dlpack` is any object with `__dlpack__`, or a capsule that nobody has used yet. Writes show on
    both sides; memory that its owner declares read-only cannot be written in place. `device` is
    accepted for Paddle's sake. TypeError for what cannot be shared at all, or for a dtype that
    dualgraph has not; BufferError if the owner or numpy refuses, for example another device.

    >>> import dualgraph as dg
    >>> array = np.zeros(2, np.float32)
    >>> x = dg.from_dlpack(array)
    >>> array[0] = 5.0
    >>> x.tolist()
    [5.0, 0.0]
    """
    kind = type(dlpack).__name__
    if kind == "PyCapsule":
        dlpack = _Offer(dlpack)
    elif not hasattr(dlpack, "__dlpack__"):
        given = f"{describe(dlpack)} is given"
        raise TypeError(message("from_dlpack", given, "expected an object with __dlpack__"))
    try:
        array = np.from_dlpack(dlpack)
    except (BufferError, RuntimeError, ValueError) as failure:
        raise BufferError(message("from_dlpack", f"a {kind} is given", str(failure))) from failure
    dtypes.from_numpy(array.dtype)
    if isinstance(dlpack, _Offer) and dlpack.is_old:
        # These cannot say whether they are read-only. numpy assumes it, all others do not.
        array = np.asarray(_Writable(array))
    return wrap(array.copy() if copy else array)


def to_dlpack(x: Tensor) -> Any:
    """A capsule that hands the tensor's memory to one other library, once.

    TypeError for what is no tensor; BufferError for a tensor that needs a gradient and for
    bfloat16. Libraries that take the tensor itself (`numpy.from_dlpack(x)`) need no capsule.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([1.0, 2.0])
    >>> dg.from_dlpack(dg.to_dlpack(x)).tolist()
    [1.0, 2.0]
    """
    if not isinstance(x, Tensor):
        raise TypeError(message("to_dlpack", f"{describe(x)} is given", "expected a Tensor"))
    return x.__dlpack__()
