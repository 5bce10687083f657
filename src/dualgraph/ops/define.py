"""Shared ways to define an op's public function: operands and their promotion, axes, op kinds."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.registry import ANY, Domain, Op, Vjp, op
from dualgraph.tape import thread
from dualgraph.tensor import Array, Tensor, to_array, wrap

__all__ = [
    "BinaryFunction",
    "Operand",
    "Scalar",
    "UnaryFunction",
    "as_tensor",
    "axes_of",
    "axis_of",
    "binary",
    "both_floating",
    "check_tensor",
    "floating",
    "fused",
    "in_float32",
    "is_operand",
    "named",
    "operands",
    "plain_operand",
    "same_type",
    "to_dtype",
    "truth_type",
    "unary",
]

Scalar: TypeAlias = bool | int | float
Operand: TypeAlias = "Tensor | Scalar | Array"
ZeroD: TypeAlias = Literal["number", "promoted", "tensor"]


class UnaryFunction(Protocol):
    """An elementwise function of one tensor."""

    __name__: str

    def __call__(self, x: Tensor, name: str | None = None) -> Tensor: ...


class BinaryFunction(Protocol):
    """An elementwise function of two operands, broadcast against each other."""

    __name__: str

    def __call__(self, x: Operand, y: Operand, name: str | None = None) -> Tensor: ...


@op((lambda g, _out, _x, dtype: g,), infer=lambda x, dtype: (x.shape, dtype))
def _cast(x: Array, *, dtype: np.dtype[Any]) -> Array:
    return x.astype(dtype)


def to_dtype(x: Tensor, dtype: np.dtype[Any]) -> Tensor:
    """Return x itself if it has the (numpy) dtype, a cast copy otherwise.

    The engine casts the gradient back.
    """
    return x if x._data.dtype == dtype else apply(_cast, (x,), {"dtype": dtype})


def check_tensor(op_name: str, x: Any, argument: str = "x") -> Tensor:
    """Return x, or TypeError if it is not a Tensor."""
    if isinstance(x, Tensor):
        return x
    given = f"{argument} is {describe(x)}"
    raise TypeError(message(op_name, given, "expected a Tensor", "make one with to_tensor"))


def as_tensor(op_name: str, x: Any, argument: str = "x") -> Tensor:
    """Take x as a tensor: numbers, lists and arrays are converted; TypeError for anything else."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (bool, int, float, list, tuple, np.ndarray, np.generic)):
        return wrap(to_array(x))
    given = f"{argument} is {describe(x)}"
    raise TypeError(message(op_name, given, "expected a Tensor or a number"))


def floating(op_name: str, x: Any) -> Tensor:
    """Take x as a tensor of a floating type: integers and bools become the default type."""
    found = as_tensor(op_name, x)
    if dtypes.is_floating(found._data.dtype):
        return found
    return to_dtype(found, dtypes.default_float())


def operands(
    op_name: str, x: Any, y: Any, *, wrap_ints: bool = False, zero_d: ZeroD = "number"
) -> tuple[Any, Any]:
    """Two operands brought to one dtype by Paddle's rules. Python numbers stay what they are.

    Two floating tensors: the wider type. A number with a tensor: the tensor's type, unless the
    number is of a higher kind (bool, integer, floating): then int64 or the default floating type.
    A 0-d tensor counts as a number beside a tensor with axes, but brings its own type if of a
    higher kind, and two of them promote freely; `zero_d="promoted"` promotes freely with one of
    them, `"tensor"` gives them no privilege. TypeError for any other pair of different types.
    `wrap_ints` reduces an int that the tensor's type cannot hold as that type would.
    """
    if isinstance(x, Tensor):
        other = y if isinstance(y, Tensor) else plain_operand(op_name, y, "y")
        if not isinstance(other, Tensor):
            return _with_number(x, other, wrap_ints)
        return _to_common(op_name, x, other, zero_d)
    if not isinstance(y, Tensor):
        return operands(op_name, _lone(op_name, x, "x"), y, wrap_ints=wrap_ints, zero_d=zero_d)
    other = plain_operand(op_name, x, "x")
    if not isinstance(other, Tensor):
        y, other = _with_number(y, other, wrap_ints)
        return other, y
    return _to_common(op_name, other, y, zero_d)


def is_operand(value: Any) -> bool:
    """Whether a value can be one side of an arithmetic operator or a comparison."""
    return isinstance(value, (Tensor, bool, int, float, np.generic, np.ndarray))


def plain_operand(op_name: str, value: Any, argument: str) -> Any:
    """A Python number as it is, a numpy scalar as one, a numpy array as a tensor."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        return float(value) if isinstance(value, float) else value
    if isinstance(value, np.ndarray):
        return wrap(to_array(value))
    given = f"{argument} is {describe(value)}"
    raise TypeError(message(op_name, given, "expected a Tensor, a number or a numpy array"))


def _lone(op_name: str, value: Any, argument: str) -> Tensor:
    number = plain_operand(op_name, value, argument)
    return number if isinstance(number, Tensor) else wrap(to_array(number))


def _with_number(x: Tensor, number: Scalar, wrap_ints: bool) -> tuple[Tensor, Any]:
    kind = x._data.dtype.kind
    if kind == "f":
        return x, number
    if kind not in "biu":
        # numpy does not take bfloat16 for a floating type: with a float it would give float32.
        return x, wrap(np.asarray(number, x._data.dtype))
    if isinstance(number, float):
        return floating("", x), number
    if kind == "b" and not isinstance(number, bool):
        x = to_dtype(x, dtypes.int64.numpy)
    if wrap_ints and x._data.dtype.kind != "b":
        low, high = _RANGES[x._data.dtype]
        if not low <= number <= high:
            number = (number - low) % (high - low + 1) + low
    return x, number


_RANGES = {
    d: (int(np.iinfo(d).min), int(np.iinfo(d).max))
    for d in map(np.dtype, ("u1", "i1", "i2", "i4", "i8"))
}
_KIND_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2}


def _to_common(op_name: str, x: Tensor, y: Tensor, zero_d: ZeroD) -> tuple[Tensor, Tensor]:
    a, b = x._data.dtype, y._data.dtype
    if a == b:
        return x, y
    common = dtypes.promote(a, b)
    shaped = (x._data.ndim > 0) + (y._data.ndim > 0)
    if shaped < 2 and zero_d != "tensor":
        if shaped == 0 or zero_d == "promoted":
            common = _freely(a, b) if common is None else common
        else:
            own, other = (a, b) if x._data.ndim else (b, a)
            common = other if _KIND_RANK[other.kind] > _KIND_RANK[own.kind] else own
    if common is None:
        given = f"x is {describe(x)}, y is {describe(y)}"
        expected = "expected equal dtypes, or two floating ones"
        raise TypeError(message(op_name, given, expected, "cast one of them"))
    return to_dtype(x, common), to_dtype(y, common)


def _freely(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of two different types of which at most one is floating."""
    rank = _KIND_RANK[a.kind] - _KIND_RANK[b.kind]
    return np.promote_types(a, b) if rank == 0 else (a if rank > 0 else b)


def both_floating(op_name: str, x: Any, y: Any, *, zero_d: ZeroD = "number") -> tuple[Any, Any]:
    """Two operands of one floating dtype: integers become the default floating type."""
    x, y = operands(op_name, x, y, zero_d=zero_d)
    if isinstance(x, Tensor):
        x = floating(op_name, x)
    if isinstance(y, Tensor):
        y = floating(op_name, y)
    return x, y


def same_type(*specs: Any, **attrs: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of an elementwise op's output: all inputs broadcast, the dtype they share."""
    arrays = [s for s in specs if hasattr(s, "dtype")]
    return np.broadcast_shapes(*(s.shape for s in arrays)), arrays[0].dtype


def truth_type(*specs: Any, **attrs: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of what is true or false for each element of the inputs, broadcast."""
    return same_type(*specs)[0], dtypes.bool_.numpy


def _not_bool(op_name: str, x: Any) -> Tensor:
    """Take x as a tensor of an integer or floating type; TypeError for bools."""
    found = as_tensor(op_name, x)
    if found._data.dtype.kind != "b":
        return found
    given, expected = f"x is {describe(x)}", "expected integers or a floating type"
    raise TypeError(message(op_name, given, expected, "cast it"))


def unary(
    vjp: Vjp | None = None, *, domain: Domain = ANY, integers: bool = False, **options: Any
) -> Callable[[Any], UnaryFunction]:
    """Define an elementwise op of one tensor by its numpy function, the docstring included.

    Integers and bools become the default floating type; with `integers`, integers are taken as
    they are and bools are refused.
    """
    prepare = _not_bool if integers else floating

    def define(forward: Callable[..., Any]) -> UnaryFunction:
        record = op(vjp, domain=domain, infer=same_type, **options)(forward)

        def function(x: Tensor, name: str | None = None) -> Tensor:
            if not isinstance(x, Tensor) or x._data.dtype.kind in "biu":
                x = prepare(record.name, x)
            return apply(record, (x,))

        found: UnaryFunction = named(function, forward, record)
        return found

    return define


def binary(
    vjp: Vjp | None = None,
    *,
    domain: Domain = ANY,
    prepare: Callable[[str, Any, Any], tuple[Any, Any]] = operands,
    infer: Callable[..., Any] = same_type,
    **options: Any,
) -> Callable[[Any], BinaryFunction]:
    """Define an elementwise op of two operands; `prepare` brings them to one dtype.

    `prepare` is not asked about two floating tensors of one type, nor about one with a number.
    """

    def define(forward: Callable[..., Any]) -> BinaryFunction:
        record = op(vjp, domain=domain, infer=infer, **options)(forward)

        def function(x: Operand, y: Operand, name: str | None = None) -> Tensor:
            if isinstance(x, Tensor):
                dtype = x._data.dtype
                if dtype.kind == "f" and (
                    y._data.dtype is dtype if isinstance(y, Tensor) else type(y) in _PLAIN
                ):
                    return apply(record, (x, y))
            elif type(x) in _PLAIN and isinstance(y, Tensor) and y._data.dtype.kind == "f":
                return apply(record, (x, y))
            return apply(record, prepare(record.name, x, y))

        found: BinaryFunction = named(function, forward, record)
        return found

    return define


_PLAIN = frozenset((float, int))


def fused(expand: Callable[..., Tensor]) -> Callable[[Any], Callable[..., Tensor]]:
    """Define a derivative's formula as one op, for speed; `expand` is the same in simpler ops.

    Where the derivative will itself be differentiated, the simpler ops are what is run.
    """

    def define(forward: Callable[..., Any]) -> Callable[..., Tensor]:
        record = op(None, expand=expand, infer=same_type)(forward)

        def function(*inputs: Any, **attrs: Any) -> Tensor:
            return expand(*inputs, **attrs) if thread.mode.grad else apply(record, inputs, attrs)

        found: Callable[..., Tensor] = named(function, forward, record)
        return found

    return define


def in_float32(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Let a forward compute in float32 where its first array has a 16-bit floating type."""

    @functools.wraps(forward)
    def widened(x: Array, *rest: Any, **attrs: Any) -> Any:
        if x.dtype.itemsize != 2:
            return forward(x, *rest, **attrs)
        wide = [
            a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype == x.dtype else a
            for a in (x, *rest)
        ]
        return forward(*wide, **attrs).astype(x.dtype)

    return widened


def named(function: Any, forward: Any, record: Op) -> Any:
    """Let the public function carry the name, module and docstring of the definition."""
    function.__name__ = function.__qualname__ = record.name
    function.__module__ = forward.__module__
    function.__doc__ = forward.__doc__
    function.op = record
    return function


def axis_of(op_name: str, axis: Any, ndim: int) -> int:
    """One axis as a number from 0 to ndim-1; ValueError out of range, TypeError for no integer."""
    try:
        number = operator.index(axis)
    except TypeError:
        given = f"axis is {describe(axis)}"
        raise TypeError(message(op_name, given, "expected an int")) from None
    # A 0-d tensor is treated as having one axis, as Paddle does.
    limit = max(ndim, 1)
    if not -limit <= number < limit:
        given = f"axis is {number}, the tensor has {ndim} axes"
        raise ValueError(message(op_name, given, f"expected {-limit} to {limit - 1}"))
    return number % limit


def axes_of(op_name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes to reduce: all for None or an empty list, else those given, in range and once."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, Tensor):
        axis = axis.tolist()
    if not isinstance(axis, (list, tuple)):
        axis = (axis,)
    if not axis:
        return tuple(range(ndim))
    found = tuple(axis_of(op_name, a, ndim) for a in axis)
    if len(set(found)) != len(found):
        raise ValueError(message(op_name, f"axis is {list(axis)}", "expected each axis once"))
    return found if ndim else ()
