"""What update ops are made of: declaring one, working in blocks, memory to compute in.

An update op overwrites its first arrays, the targets, and reads the rest: a gradient, the rate,
hyperparameters. Nothing of the size of a parameter is allocated in a step: each thread has one
buffer per dtype for the terms in between, and arrays that are larger go through it block by block,
which also keeps a block in the cache from its first pass to its last.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np

from dualgraph.ops.registry import Forward, Op, op
from dualgraph.tensor import Array, Tensor

__all__ = ["Number", "blocks", "number", "scalar", "store", "update", "zeros"]

Number: TypeAlias = "float | Array"

_BLOCK = 1 << 16  # elements
_SHAPES = 1024  # views of a buffer to remember


def update(
    name: str, *, inputs: int, expand: Callable[..., tuple[Tensor, ...]]
) -> Callable[[Forward], Op]:
    """Register the decorated forward as an update op; its last `inputs` arguments are only read.

    `expand` takes the same arguments as tensors and returns the new values of the targets.
    """

    def infer(*specs: Any, **_attrs: Any) -> list[tuple[Any, Any]]:
        return [(spec.shape, spec.dtype) for spec in specs[:-inputs]]

    return op(None, name=name, expand=expand, infer=infer)


class _Memory(threading.local):
    """The buffers of one thread, and views of them by shape. Only forwards ever hold one."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[np.dtype[Any], int], Array] = {}
        self.views: dict[tuple[tuple[int, ...], np.dtype[Any], int], tuple[Array, ...]] = {}

    def of(self, shape: tuple[int, ...], dtype: np.dtype[Any], count: int) -> tuple[Array, ...]:
        """Parts of as many buffers of this dtype, in this shape."""
        found = self.views.get((shape, dtype, count))
        if found is None:
            if len(self.views) >= _SHAPES:
                self.views.clear()
            size = math.prod(shape)
            found = tuple(self._buffer(dtype, i)[:size].reshape(shape) for i in range(count))
            self.views[shape, dtype, count] = found
        return found

    def _buffer(self, dtype: np.dtype[Any], i: int) -> Array:
        buffer = self.buffers.get((dtype, i))
        if buffer is None:
            buffer = self.buffers[dtype, i] = np.empty(_BLOCK, dtype)
        return buffer


_memory = _Memory()


def blocks(*arrays: Array, spare: int = 1) -> Iterable[tuple[Array, ...]]:
    """The arrays, all of one shape, cut alike into blocks, with arrays to compute in behind them.

    There are `spare` of those. The last of the arrays is only read, so it may be copied on the way;
    the others are written to.
    """
    first = arrays[0]
    if first.size <= _BLOCK:
        return (arrays + _memory.of(first.shape, first.dtype, spare),)
    if all(array.flags.c_contiguous for array in arrays[:-1]):
        return _cut([array.reshape(-1) for array in arrays], spare)
    return (arrays + tuple(np.empty(first.shape, first.dtype) for _ in range(spare)),)


def _cut(arrays: list[Array], spare: int) -> Iterator[tuple[Array, ...]]:
    size, dtype = arrays[0].size, arrays[0].dtype
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        spares = _memory.of((stop - start,), dtype, spare)
        yield (*(array[start:stop] for array in arrays), *spares)


def number(x: Number, p: Array) -> float:
    """The value of a hyperparameter, a number or an array of one element, as p's dtype has it.

    What is left of 1 by a decay rate and what is left by its power, which is kept in that dtype,
    then agree.
    """
    return _rounded(x.item() if isinstance(x, np.ndarray) else x, p.dtype)


@functools.lru_cache(maxsize=256)
def _rounded(x: float, dtype: np.dtype[Any]) -> float:
    value: float = dtype.type(x).item()
    return value


def scalar(x: Any, p: Any) -> Any:
    """A hyperparameter in an expansion: a 0-d tensor, or a number as p's dtype has it."""
    if isinstance(x, Tensor):
        return x.reshape([]) if x.ndim else x
    return _rounded(x, p._data.dtype)


def zeros(p: Tensor) -> Array:
    """Zeros of the shape and dtype of a parameter, in row-major order."""
    return np.zeros(p._data.shape, p._data.dtype)


@update("store", inputs=1, expand=lambda x, y: (y.astype(x.dtype),))
def store(x: Array, y: Array) -> None:
    """Overwrite x with y, cast to x's dtype."""
    np.copyto(x, y, casting="unsafe")
