"""Where tensors meet other data: Python numbers and lists, and arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, overwrite
from dualgraph.ops.apply import assign as assign_op
from dualgraph.ops.define import check_tensor, to_dtype
from dualgraph.ops.manipulation import detach
from dualgraph.place import Place, set_device
from dualgraph.tensor import Tensor, concretize, from_data

__all__ = [
    "assign",
    "complex",
    "is_tensor",
    "replace_values",
    "to_tensor",
    "tolist",
]


def to_tensor(
    data: Any,
    dtype: DTypeLike | None = None,
    place: Place | str | None = None,
    stop_gradient: bool = True,
) -> Tensor:
    """A tensor that holds a copy of numbers, nested lists of them, an array, or a tensor's values.

    Python floats get the default dtype, ints int64, bools bool; arrays and tensors keep theirs;
    `dtype` overrides. Every place is the CPU. TypeError for data no tensor can hold, such as
    complex numbers or strings; ValueError for lists of unequal lengths and for an unknown place.

    >>> import dualgraph as dg
    >>> dg.to_tensor([[1, 2], [3, 4]], dtype="float32").tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    if place is not None and not isinstance(place, Place):
        set_device(place)
    if not isinstance(data, Tensor):
        return from_data(data, dtype, bool(stop_gradient))
    out = apply(assign_op, (detach(data),))
    if dtype is not None:
        out = to_dtype(out, dtypes.as_numpy(dtype))
    out._stop = bool(stop_gradient)
    return out


def assign(x: Any, output: Tensor | None = None) -> Tensor:
    """A copy of a tensor, through which gradients flow, or a tensor of an array, list or number.

    Data keeps numpy's dtype (a Python float becomes float64), and a number becomes a tensor of
    shape [1]. With `output` that tensor is overwritten and returned; ValueError if its shape is
    another, or if it is a leaf that needs a gradient. TypeError for data no tensor can hold.

    >>> import dualgraph as dg
    >>> dg.assign([1, 2]).tolist(), dg.assign(3).shape
    ([1, 2], [1])
    """
    if isinstance(x, Tensor):
        copy = apply(assign_op, (x,))
    else:
        single = isinstance(x, (bool, int, float, np.generic))
        if not single and not isinstance(x, (list, tuple, np.ndarray)):
            given = f"x is {describe(x)}"
            raise TypeError(
                message("assign", given, "expected a Tensor, an array, a list or a number")
            )
        copy = from_data(np.array([x]) if single else _array_of(x))
    if output is None:
        return copy
    return replace_values("assign", check_tensor("assign", output, "output"), lambda: copy)


def replace_values(op_name: str, x: Tensor, make: Callable[[], Tensor]) -> Tensor:
    """Overwrite x with what `make` gives, cast to its dtype: in-place ops that do not read x.

    Nothing is made if x may not be overwritten.
    """
    return overwrite(op_name, x, lambda old: to_dtype(make(), old._data.dtype))


def _array_of(data: Any) -> Any:
    """Data with numpy's dtypes rather than the defaults; lists of tensors are left to Tensor."""
    if isinstance(data, np.ndarray):
        return data
    if any(isinstance(item, Tensor) for item in data):
        return data
    try:
        return np.array(data)
    except ValueError as ragged:
        given = f"a nested {type(data).__name__} is given"
        raise ValueError(message("assign", given, f"expected equal lengths: {ragged}")) from ragged


def is_tensor(x: Any) -> bool:
    """Whether x is a Tensor.

    >>> import dualgraph as dg
    >>> dg.is_tensor(dg.zeros([2])), dg.is_tensor([0.0, 0.0])
    (True, False)
    """
    return isinstance(x, Tensor)


def tolist(x: Tensor) -> Any:
    """The values of x as nested Python lists; a number for a 0-d tensor.

    >>> import dualgraph as dg
    >>> dg.tolist(dg.arange(3))
    [0, 1, 2]
    """
    return concretize(check_tensor("tolist", x)).tolist()


def complex(real: Tensor, imag: Tensor, name: str | None = None) -> NoReturn:
    """Refused with TypeError: there are no complex tensors.

    Keep the two parts in tensors of their own.
    """
    given = f"real is {describe(real)}, imag is {describe(imag)}"
    remedy = "keep the real and the imaginary part in tensors of their own"
    raise TypeError(message("complex", given, "there are no complex tensors", remedy))
