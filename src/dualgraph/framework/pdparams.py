"""Paddle's pickled state dicts, read by an interpreter that knows arrays and plain containers only.

The bytes never reach the `pickle` module. The opcodes are carried out here, those that such files
need and no others, and a name like `numpy.dtype` in a file does not lead to numpy: it picks one of
the few functions below, which check what they are given and build an array from its bytes. Whatever
else a file asks for is refused by name, and nothing of it has run.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import message
from dualgraph.framework.arrays import Array, array_of
from dualgraph.framework.structure import DEPTH

__all__ = ["looks_pickled", "read"]

_NAMES = "StructuredToParameterName@@"
_PARTS = "UnpackBigParamInfor@@"
_PLAIN = (type(None), bool, int, float, str)

Make = Callable[[Array], Any]


def looks_pickled(data: bytes) -> bool:
    """Whether bytes begin as pickles of protocol 2 to 5 do."""
    return len(data) > 1 and data[0] == 0x80 and 2 <= data[1] <= 5


def read(data: bytes, tensor: Make, keep_names: bool = False) -> Any:
    """What a `.pdparams` or `.pdopt` file holds, with `tensor(array)` for what was a tensor.

    In files where tensors are marked as such, arrays stay arrays. ValueError, naming the cause, for
    a file that asks for anything but arrays and plain containers, and for a damaged one.
    """
    machine = _Machine(budget=10_000 + 8 * len(data))
    try:
        root = machine.run(data)
        if isinstance(root, dict):
            _join_parts(root)
            if not keep_names:
                root.pop(_NAMES, None)
        return _Settler(tensor, bare=not machine.marked).settle(root)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as damage:
        if str(damage).startswith("["):
            raise
        given = f"the pickled file cannot be read: {damage!r}"
        raise ValueError(message("load", given, "", "it is damaged or incomplete")) from damage


def _refusal(what: str) -> ValueError:
    expected = "a state dict holds numpy arrays and plain containers, and only those are admitted"
    return ValueError(message("load", what[:200], expected, "do not trust this file"))


# -- what the names in a file stand for ------------------------------------------------------------


class _Type:
    """A numpy dtype in the making: `numpy.dtype(code, align, copy)`, then its state."""

    CODES = ("b1", "u1", "i1", "i2", "u2", "i4", "i8", "f2", "f4", "f8")

    def __init__(self, code: Any, *_flags: Any) -> None:
        if code not in self.CODES:
            raise _refusal(f"the file holds an array of dtype {code!r}")
        self.value = np.dtype(code)

    def build(self, state: Any) -> None:
        """Take the byte order; structured types, which have fields here, are refused."""
        _version, order, *parts = state
        if order not in ("<", ">", "|", "=") or parts[:3] != [None, None, None]:
            raise _refusal(f"the file holds an array of dtype state {state!r}")
        self.value = self.value.newbyteorder(order)


class _Array:
    """An array in the making: `_reconstruct(ndarray, (0,), b"b")`, then its state."""

    value: Array | None = None

    def build(self, state: Any) -> None:
        """Take shape, dtype, whether the order is Fortran's, and the bytes."""
        shape, dtype, fortran, data = state[-4:]
        self.value = _array(dtype, shape, data, "F" if fortran else "C")


class _Marked:
    """What Paddle writes for a tensor: the tuple of its name and its array."""

    def __init__(self, array: _Array) -> None:
        self.array = array


def _array(dtype: _Type, shape: tuple[int, ...], data: Any, order: Any = "C") -> Array:
    if isinstance(data, str):
        data = data.encode("latin1")  # how Python 2 wrote bytes
    if type(dtype) is not _Type or type(data) is not bytes or type(shape) is not tuple:
        raise _refusal("the file holds an array of unusual state")
    if any(type(size) is not int for size in shape):
        raise _refusal(f"the file holds an array of shape {shape!r}")
    array = array_of(data, dtype.value, shape, order)
    # numpy has no bfloat16, so Paddle stores its bits.
    return array.view(dtypes.bfloat16.numpy) if array.dtype == np.uint16 else array


def _ndarray(*_args: Any) -> None:
    raise _refusal("the file makes an array in an unusual way")


def _reconstruct(kind: Any, _shape: Any, _code: Any) -> _Array:
    if kind is not _ndarray:
        raise _refusal("the file makes an array in an unusual way")
    return _Array()


def _scalar(dtype: _Type, data: Any) -> Any:
    return _array(dtype, (), data)[()]


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise _refusal(f"the file encodes text as {encoding!r}")
    return text.encode("latin1")


def _no_bytes(*values: Any) -> bytes:
    if values:
        raise _refusal("the file makes bytes in an unusual way")
    return b""  # all that protocol 2 has no opcode for


def _ordered_dict(pairs: Any = ()) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, value in pairs:
        found[_key(key)] = value
    return found


def _tuple(pair: Any) -> _Marked:
    name, array = pair
    if type(name) is not str or type(array) is not _Array:
        raise _refusal("the file makes a tuple in an unusual way")
    return _Marked(array)


_ADMITTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("collections", "OrderedDict"): _ordered_dict,
    ("builtins", "tuple"): _tuple,
    ("__builtin__", "tuple"): _tuple,
    ("__builtin__", "bytes"): _no_bytes,
    ("_codecs", "encode"): _encode,
}
_FUNCTIONS = frozenset(_ADMITTED.values())


# -- the interpreter -------------------------------------------------------------------------------


_VALUES = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
}
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Machine:
    """The stack machine that a pickle is a program for, with the opcodes of state dicts."""

    def __init__(self, budget: int) -> None:
        self.budget = budget  # how much the functions may be given altogether
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[Any, Any] = {}
        self.marked = False  # whether any tensor is marked as one

    def run(self, data: bytes) -> Any:
        """The one value that is on the stack when the program ends."""
        stack = self.stack
        for opcode, argument, _ in pickletools.genops(data):
            name = opcode.name
            if name in _VALUES:
                stack.append(argument)
            elif name in _CONSTANTS:
                stack.append(_CONSTANTS[name]())
            elif name in _TUPLES:
                stack.append(tuple(self.pop(_TUPLES[name])))
            elif name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
                self.memo[len(self.memo) if argument is None else argument] = stack[-1]
            elif name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(self.memo[argument])
            elif name == "MARK":
                self.marks.append(len(stack))
            elif name not in ("PROTO", "FRAME", "STOP"):
                self.act(name, argument)
        (root,) = stack
        return root

    def act(self, name: str, argument: Any) -> None:
        """The opcodes that change a container, look a name up or call something."""
        if name == "TUPLE":
            self.stack.append(tuple(self.since_mark()))
        elif name in ("APPEND", "APPENDS"):
            items = self.since_mark() if name == "APPENDS" else self.pop(1)
            self.top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self.since_mark() if name == "SETITEMS" else self.pop(2)
            pairs = zip(items[::2], items[1::2], strict=True)
            self.top(dict).update(_ordered_dict(pairs))
        elif name == "GLOBAL":
            self.look_up(*argument.split(" ", 1))
        elif name == "STACK_GLOBAL":
            self.look_up(*self.pop(2))
        elif name == "REDUCE":
            function, arguments = self.pop(2)
            self.stack.append(self.call(function, arguments))
        elif name == "BUILD":
            (state,) = self.pop(1)
            made = self.top(_Array, _Type)
            self.spend(state)
            made.build(state)
        else:
            raise _refusal(f"the file uses the pickle opcode {name}")

    def look_up(self, module: Any, name: Any) -> None:
        """Push the function that an admitted name stands for."""
        function = _ADMITTED.get((module, name)) if type(module) is type(name) is str else None
        if function is None:
            wanted = f"{module}.{name}"
            raise _refusal(f"the file asks for {wanted!r}")
        self.stack.append(function)

    def call(self, function: Any, arguments: Any) -> Any:
        """What an admitted function makes of its arguments."""
        if type(arguments) is not tuple or not any(function is known for known in _FUNCTIONS):
            raise _refusal("the file calls something that is no admitted function")
        self.spend(arguments)
        made = function(*arguments)
        self.marked |= type(made) is _Marked
        return made

    def spend(self, values: Any) -> None:
        """Count the work of a call: a small file must not use its one large string many times."""
        sized = (str, bytes, tuple, list, dict)
        self.budget -= len(values) + sum(len(x) for x in values if type(x) in sized)
        if self.budget < 0:
            raise _refusal("the file would grow to many times its size")

    def pop(self, count: int) -> list[Any]:
        """The last values, taken from the stack; those below the last mark are out of reach."""
        floor = len(self.stack) - count
        if floor < (self.marks[-1] if self.marks else 0):
            raise IndexError("the stack is empty")
        values = self.stack[floor:]
        del self.stack[floor:]
        return values

    def since_mark(self) -> list[Any]:
        """The values since the last mark, taken from the stack."""
        return self.pop(len(self.stack) - self.marks.pop())

    def top(self, *kinds: type) -> Any:
        """The value that is changed in place; refused unless it is of one of these kinds."""
        value = self.stack[-1]
        if type(value) not in kinds:
            raise _refusal(f"the file gives a state to a {type(value).__name__}")
        return value


def _key(key: Any) -> Any:
    """A key of a dict, which may be hashed: a plain value, or a tuple of them."""
    parts = key if type(key) is tuple else (key,)
    if len(parts) > 8 or any(type(part) not in _PLAIN for part in parts):
        raise _refusal(f"the file has a {type(key).__name__} for a key")
    return key


# -- the result ------------------------------------------------------------------------------------


class _Settler:
    """Turns what the machine has made into plain containers, each shared part once."""

    def __init__(self, tensor: Make, bare: bool) -> None:
        self.tensor = tensor
        self.bare = bare  # whether arrays that are not marked are tensors
        self.done: dict[int, Any] = {}

    def settle(self, value: Any, depth: int = 0) -> Any:
        """The finished form of one value."""
        if type(value) in _PLAIN or isinstance(value, np.generic):
            return value
        if depth > DEPTH:
            raise _refusal(f"the file nests containers more than {DEPTH} deep")
        if id(value) not in self.done:
            self.done[id(value)] = self.made(value, depth + 1)
        return self.done[id(value)]

    def made(self, value: Any, depth: int) -> Any:
        """The finished form of a container or an array."""
        kind = type(value)
        if kind is dict:
            return {key: self.settle(x, depth) for key, x in value.items()}
        if kind is list:
            return [self.settle(x, depth) for x in value]
        if kind is tuple:
            return tuple(self.settle(x, depth) for x in value)
        array = value.array.value if kind is _Marked else value.value if kind is _Array else None
        if array is None:
            raise _refusal(f"the file holds a {kind.__name__.strip('_')}")
        return self.tensor(array) if kind is _Marked or self.bare else array


def _join_parts(root: dict[Any, Any]) -> None:
    """Put arrays together that Paddle splits for old pickle protocols, which end at 4 GB."""
    for key, info in root.pop(_PARTS, {}).items():
        parts = [root.pop(part).value for part in info["slices"]]
        joined = root[key] = _Array()
        joined.value = np.concatenate(parts).reshape(info["OriginShape"])
