"""The raw bytes of a file as an array."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from dualgraph.errors import message

__all__ = ["Array", "array_of"]

Array = np.ndarray[Any, Any]


def array_of(
    data: bytes | bytearray,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    order: Literal["C", "F"] = "C",
) -> Array:
    """An array of native byte order over the bytes, or over a copy unless they are writable.

    ValueError if their number is not what shape and dtype make, before anything is allocated.
    """
    wanted = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted != len(data):
        given = f"an array of shape {list(shape)} and dtype {dtype.name} has {len(data)} bytes"
        raise ValueError(message("load", given, f"expected {wanted}", "the file is damaged"))
    array: Array
    if dtype.kind == "b":
        # Any byte but 0 and 1 would be a bool that equals neither.
        array = np.ndarray(shape, np.uint8, data, order=order) != 0
        return np.asarray(array, order="C")
    array = np.ndarray(shape, dtype, data, order=order)
    if array.flags.writeable and array.flags.c_contiguous and dtype.isnative:
        return array
    return np.array(array, dtype.newbyteorder("="), order="C")
