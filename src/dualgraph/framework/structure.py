"""Nested structures with tensors as two flat things: a text of their shape, and arrays by name.

The text is JSON. A list, a string, a number, a bool or None stands for itself; all else is an
object with one member: `{"tensor": name}`, `{"tuple": [...]}` or `{"dict": [[key, value], ...]}`.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.framework.arrays import Array
from dualgraph.tensor import Tensor, concretize

__all__ = ["DEPTH", "flatten", "rebuild"]

DEPTH = 100  # how deep containers may be nested
_PLAIN = (type(None), bool, int, float, str)
_RESERVED = "__metadata__"  # the one name that safetensors keeps for itself


def flatten(value: Any) -> tuple[str, dict[str, Array]]:
    """The text that describes a structure, and its tensors as contiguous arrays.

    An array is named by the keys that lead to it, so the tensors of a state dict keep their names.
    TypeError for what can not be saved; ValueError for nesting without end.
    """
    arrays: dict[str, Array] = {}
    return json.dumps(_described(value, (), arrays)), arrays


def rebuild(text: str, tensor: Callable[[str], Any]) -> Any:
    """The structure that a text describes, with `tensor(name)` for each tensor.

    ValueError if the text is not one that `flatten` has made.
    """
    try:
        return _rebuilt(json.loads(text), tensor)
    except (ValueError, KeyError, TypeError, RecursionError) as damage:
        if str(damage).startswith("["):
            raise
        given = f"the structure of the file cannot be read: {damage!r}"
        raise ValueError(message("load", given, "", "the file is damaged")) from damage


def _described(value: Any, path: tuple[str, ...], arrays: dict[str, Array]) -> Any:
    if len(path) > DEPTH:
        given = f"containers are nested more than {DEPTH} deep"
        raise ValueError(message("save", given, "", "does one contain itself?"))
    if isinstance(value, (Tensor, np.ndarray)):
        return {"tensor": _file(value, path, arrays)}
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list or kind is tuple:
        items = [_described(x, (*path, str(i)), arrays) for i, x in enumerate(value)]
        return {"tuple": items} if kind is tuple else items
    if kind is dict or kind is OrderedDict:
        return {
            "dict": [
                [_key(k, path), _described(x, (*path, str(k)), arrays)] for k, x in value.items()
            ]
        }
    raise _not_saved(value, path)


def _key(key: Any, path: tuple[str, ...]) -> Any:
    if type(key) is tuple and all(type(part) in _PLAIN for part in key):
        return {"tuple": list(key)}
    if type(key) in _PLAIN:
        return key
    raise _not_saved(key, (*path, "a key"))


def _file(value: Tensor | Array, path: tuple[str, ...], arrays: dict[str, Array]) -> str:
    array: Array = concretize(value) if isinstance(value, Tensor) else value
    try:
        dtypes.from_numpy(array.dtype)
    except TypeError as unknown:
        raise _not_saved(array, path) from unknown
    name = ".".join(path) if path else "tensor"
    while name in arrays or name == _RESERVED:
        name += "_"
    arrays[name] = np.asarray(array, order="C")
    return name


def _not_saved(value: Any, path: tuple[str, ...]) -> TypeError:
    place = f"{'.'.join(path)} is " if path else ""
    if hasattr(value, "state_dict"):
        given = f"{place}a {type(value).__name__}"
        return TypeError(message("save", given, "only values are saved", "save its state_dict()"))
    expected = "expected tensors, arrays, numbers, strings, None, and dicts, lists, tuples of them"
    return TypeError(message("save", f"{place}{describe(value)}", expected))


def _rebuilt(node: Any, tensor: Callable[[str], Any]) -> Any:
    if isinstance(node, list):
        return [_rebuilt(x, tensor) for x in node]
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    if kind == "tensor":
        return tensor(content)
    if kind == "tuple":
        return tuple(_rebuilt(x, tensor) for x in content)
    if kind == "dict":
        return {_rebuilt(k, tensor): _rebuilt(x, tensor) for k, x in content}
    raise ValueError(f"{kind!r} is unknown")
