"""Making tensors of numbers and sizes alone: one value, a range, an identity.

These are ops, too, so that a recorder sees them; what is made of host data is data (`interchange`).
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, check_tensor, to_dtype
from dualgraph.ops.logic import select
from dualgraph.ops.manipulation import ShapeLike, detach, sizes_of
from dualgraph.ops.power import pow
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "new_shape",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]

Number: TypeAlias = "bool | int | float"
Made: TypeAlias = tuple[tuple[int, ...], np.dtype[Any]]


def new_shape(op_name: str, shape: Any) -> tuple[int, ...]:
    """The shape of a tensor to be made: sizes as `sizes_of` takes them, none of them negative."""
    sizes = sizes_of(op_name, shape)
    for n in sizes:
        if n < 0:
            given = f"shape is {list(sizes)}"
            raise ValueError(message(op_name, given, "expected sizes of 0 or more"))
    return sizes


def _made(*_: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Made:
    return shape, dtype


@op(infer=_made)
def _full(value: Any, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    if type(value) is int and not value:
        return np.zeros(shape, dtype)  # memory the system has zeroed already
    return np.full(shape, value.reshape(()) if isinstance(value, np.ndarray) else value, dtype)


def _filled(op_name: str, shape: Any, value: int, dtype: DTypeLike | None) -> Tensor:
    attrs = {"shape": new_shape(op_name, shape), "dtype": dtypes.as_numpy(dtype)}
    return apply(_full, (value,), attrs)


def zeros(shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """Zeros of a shape, of the default dtype unless one is given.

    A shape is an int, a list of ints and 0-d tensors, or a 1-d tensor. TypeError if it is not;
    ValueError if a size is negative.

    >>> import dualgraph as dg
    >>> dg.zeros([2, 2]).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    return _filled("zeros", shape, 0, dtype)


def ones(shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """Ones of a shape, of the default dtype unless one is given; shapes and errors as `zeros`.

    >>> import dualgraph as dg
    >>> dg.ones([3], dtype="int32").tolist()
    [1, 1, 1]
    """
    return _filled("ones", shape, 1, dtype)


def empty(shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """A tensor to be overwritten. It holds zeros, so that a program runs the same each time.

    Shapes, dtypes and errors as `zeros`.

    >>> import dualgraph as dg
    >>> dg.empty([2, 3]).shape
    [2, 3]
    """
    return _filled("empty", shape, 0, dtype)


def full(
    shape: ShapeLike,
    fill_value: Number | str | Tensor,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """A shape filled with one value: a number, its spelling, or a tensor of one element.

    Without a dtype the default one, but bool for a bool. No gradient flows to `fill_value`. Shapes
    and errors as `zeros`; TypeError for another kind of value, ValueError for a tensor of several
    or a spelling of none.

    >>> import dualgraph as dg
    >>> dg.full([2], 7).tolist()
    [7.0, 7.0]
    """
    value = _fill("full", fill_value)
    if dtype is None and isinstance(value, bool):
        dtype = "bool"
    attrs = {"shape": new_shape("full", shape), "dtype": dtypes.as_numpy(dtype)}
    return apply(_full, (value,), attrs)


def _fill(op_name: str, value: Any) -> Any:
    """A value to fill with: a number, or a tensor of one element."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            given = f"fill_value is {value!r}"
            raise ValueError(message(op_name, given, "expected a number")) from None
    if not isinstance(value, Tensor):
        given = f"fill_value is {describe(value)}"
        raise TypeError(message(op_name, given, "expected a number or a tensor of one element"))
    if value._data.size != 1:
        given = f"fill_value is {describe(value)}"
        raise ValueError(message(op_name, given, "expected one element"))
    return value


def full_like(
    x: Tensor,
    fill_value: Number | str | Tensor,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """The shape of x filled with one value, in x's dtype unless one is given.

    Values and errors as `full`.

    >>> import dualgraph as dg
    >>> dg.full_like(dg.to_tensor([1, 2]), 2.5).tolist()
    [2, 2]
    """
    data = check_tensor("full_like", x)._data
    number_type = data.dtype if dtype is None else dtypes.as_numpy(dtype)
    attrs = {"shape": data.shape, "dtype": number_type}
    return apply(_full, (_fill("full_like", fill_value),), attrs)


def zeros_like(x: Tensor, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """Zeros of x's shape, in x's dtype unless one is given. TypeError if x is no Tensor.

    >>> import dualgraph as dg
    >>> dg.zeros_like(dg.to_tensor([1, 2])).tolist()
    [0, 0]
    """
    return full_like(x, 0, dtype)


def ones_like(x: Tensor, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """Ones of x's shape, in x's dtype unless one is given. TypeError if x is no Tensor.

    >>> import dualgraph as dg
    >>> dg.ones_like(dg.to_tensor([1.5, 2.5])).tolist()
    [1.0, 1.0]
    """
    return full_like(x, 1, dtype)


def empty_like(x: Tensor, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """A tensor of x's shape to be overwritten; it holds zeros. TypeError if x is no Tensor.

    >>> import dualgraph as dg
    >>> dg.empty_like(dg.ones([2, 1])).shape
    [2, 1]
    """
    return full_like(x, 0, dtype)


@op(infer=lambda _start, _step, *, size, dtype: ((size,), dtype))
def _arange(start: Any, step: Any, *, size: int, dtype: np.dtype[Any]) -> Any:
    """The values start + i step; floating ones are rounded from float64."""
    if dtype.kind in "iu":
        return (start + step * np.arange(size)).astype(dtype)
    return (start + step * np.arange(size, dtype=np.float64)).astype(dtype)


def arange(
    start: float | Tensor = 0,
    end: float | Tensor | None = None,
    step: float | Tensor = 1,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """The numbers from `start` up to, but without, `end`, one `step` apart; from 0 given one bound.

    Without a dtype int64 if all three are integers, else the default one; with an integer dtype
    they are truncated first. ValueError for a step of 0 or a bound that is not finite; TypeError
    for what is no number.

    >>> import dualgraph as dg
    >>> dg.arange(1, 8, 3).tolist(), dg.arange(0.0, 1.0, 0.25).tolist()
    ([1, 4, 7], [0.0, 0.25, 0.5, 0.75])
    """
    if end is None:
        start, end = 0, start
    low, high, by = (_scalar("arange", value) for value in (start, end, step))
    integers = not any(isinstance(value, float) for value in (low, high, by))
    number_type = dtypes.int64.numpy if dtype is None and integers else dtypes.as_numpy(dtype)
    if not all(math.isfinite(value) for value in (low, high, by)):
        given = f"start is {low}, end is {high}, step is {by}"
        raise ValueError(message("arange", given, "expected finite numbers"))
    if number_type.kind == "b":
        raise TypeError(message("arange", "dtype is bool", "expected a dtype of numbers"))
    if number_type.kind in "iu":
        low, high, by = int(low), int(high), int(by)
    if by == 0:
        raise ValueError(message("arange", f"step is {step}", "expected a step that is not 0"))
    exact = isinstance(low, int) and isinstance(high, int) and isinstance(by, int)
    size = -((low - high) // by) if exact else math.ceil((high - low) / by)
    attrs = {"size": max(int(size), 0), "dtype": number_type}
    return apply(_arange, (low, by), attrs)


def _scalar(op_name: str, value: Any) -> Any:
    """A number given as one, or as a tensor of one element."""
    if isinstance(value, (Tensor, np.generic)):
        value = value.item()
    if isinstance(value, (int, float)):
        return value
    given = f"{describe(value)} is given"
    raise TypeError(message(op_name, given, "expected a number or a tensor of one element"))


def _expand_linspace(start: Any, stop: Any, *, num: int, dtype: np.dtype[Any]) -> Tensor:
    i = arange(num, dtype="float64")
    first, last = (
        to_dtype(v, i._data.dtype) if isinstance(v, Tensor) else v for v in (start, stop)
    )
    step = (last - first) / max(num - 1, 1)
    return to_dtype(
        select(i < max(num // 2, 1), first + i * step, last - (num - 1 - i) * step),
        dtype,
    )


@op(expand=_expand_linspace, infer=lambda _start, _stop, *, num, dtype: ((num,), dtype))
def _linspace(start: Any, stop: Any, *, num: int, dtype: np.dtype[Any]) -> Array:
    """Counted from both ends, in float64, so that both are met and the middle is symmetric."""
    i = np.arange(num, dtype=np.float64)
    first, last = (np.asarray(v, np.float64).reshape(()) for v in (start, stop))
    step = (last - first) / max(num - 1, 1)
    out = np.where(i < max(num // 2, 1), first + i * step, last - (num - 1 - i) * step)
    return out.astype(dtype)


def _end(op_name: str, value: Any) -> Any:
    """An end of a range: a number, or a tensor of one element, read when the op runs."""
    if isinstance(value, Tensor) and value._data.size == 1:
        return value
    return _scalar(op_name, value)


def _count(op_name: str, num: Any) -> int:
    (size,) = new_shape(op_name, [num])
    return size


def linspace(
    start: float | Tensor,
    stop: float | Tensor,
    num: int | Tensor,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """`num` numbers evenly spaced from `start` to `stop`, both included.

    Of the default dtype unless one is given.     Integer dtypes truncate. No gradient flows to the
    ends. ValueError if `num` is negative; TypeError for what is no number.

    >>> import dualgraph as dg
    >>> dg.linspace(0, 10, 5).tolist()
    [0.0, 2.5, 5.0, 7.5, 10.0]
    """
    attrs = {"num": _count("linspace", num), "dtype": dtypes.as_numpy(dtype)}
    return apply(_linspace, (_end("linspace", start), _end("linspace", stop)), attrs)


def logspace(
    start: float | Tensor,
    stop: float | Tensor,
    num: int | Tensor,
    base: float | Tensor = 10.0,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """`num` numbers from base^start to base^stop, their exponents evenly spaced.

    Dtypes and errors as `linspace`.

    >>> import dualgraph as dg
    >>> dg.logspace(0, 3, 4).tolist()
    [1.0, 10.0, 100.0, 1000.0]
    """
    exponents = linspace(
        _end("logspace", start),
        _end("logspace", stop),
        _count("logspace", num),
        "float64",
    )
    factor = to_dtype(as_tensor("logspace", _end("logspace", base)), dtypes.float64.numpy)
    return to_dtype(pow(detach(factor), exponents), dtypes.as_numpy(dtype))


@op()
def _eye(*, rows: int, columns: int, dtype: np.dtype[Any]) -> Array:
    return np.eye(rows, columns, dtype=dtype)


def eye(
    num_rows: int | Tensor,
    num_columns: int | Tensor | None = None,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """A matrix with ones on its diagonal and zeros elsewhere, square without `num_columns`.

    Of the default dtype unless one is given. ValueError for a negative size, TypeError for what is
    no int.

    >>> import dualgraph as dg
    >>> dg.eye(2, 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    rows, columns = new_shape("eye", [num_rows, num_rows if num_columns is None else num_columns])
    return apply(_eye, (), {"rows": rows, "columns": columns, "dtype": dtypes.as_numpy(dtype)})
