"""`save` and `load`: safetensors files, and reading Paddle's pickled ones."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from collections.abc import Callable
from typing import Any

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.framework import pdparams
from dualgraph.framework.arrays import Array, array_of
from dualgraph.framework.structure import flatten, rebuild
from dualgraph.tensor import wrap

__all__ = ["load", "save"]

_STRUCTURE = "dualgraph"  # the entry of a file's metadata that describes the structure
_DTYPES = {
    "BOOL": dtypes.bool_,
    "U8": dtypes.uint8,
    "I8": dtypes.int8,
    "I16": dtypes.int16,
    "I32": dtypes.int32,
    "I64": dtypes.int64,
    "F16": dtypes.float16,
    "BF16": dtypes.bfloat16,
    "F32": dtypes.float32,
    "F64": dtypes.float64,
}


def save(obj: Any, path: Any, protocol: int = 4, **configs: Any) -> None:
    """Save a state dict, or any nesting of tensors and plain values, as a safetensors file.

    `path` is a path, whose folders are made, or a binary file object. The tensors of a state dict
    keep their names for every program that reads safetensors; what else there is (dicts, lists,
    tuples, numbers, strings, None) is described in the file's metadata. A file appears complete or
    not at all. `protocol` is accepted for Paddle's sake. TypeError, before anything is written, for
    what can not be saved; ImportError if safetensors is not installed.

    >>> import dualgraph as dg
    >>> import io
    >>> file = io.BytesIO()
    >>> dg.save({"weight": dg.to_tensor([1.0, 2.0]), "step": 3}, file)
    >>> _ = file.seek(0)
    >>> dg.load(file)["step"]
    3
    """
    _check_configs("save", configs, ("pickle_protocol", "safetensors"))
    if hasattr(path, "write"):
        path.write(_packed(obj))
        return
    target = _file_name("save", path)
    blob = _packed(obj)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    _replace(target, blob)


def load(path: Any, **configs: Any) -> Any:
    """What `save` has saved, or Paddle in a `.pdparams` or `.pdopt` file; tensors come as Tensors.

    `path` is a path or a binary file object. With `return_numpy=True` tensors come as numpy arrays;
    `keep_name_table=True` keeps the table of parameter names that Paddle adds. Nothing that a file
    contains is run: a pickled one may hold numpy arrays and plain containers only. Any other
    safetensors file gives a dict of its tensors. ValueError for a file that is damaged, of another
    kind, or refused; TypeError for tensors of a dtype that dualgraph has not.

    >>> import dualgraph as dg
    >>> import io
    >>> file = io.BytesIO()
    >>> dg.save(dg.to_tensor([1.0, 2.0]), file)
    >>> _ = file.seek(0)
    >>> dg.load(file, return_numpy=True)
    array([1., 2.], dtype=float32)
    """
    _check_configs("load", configs, ("return_numpy", "keep_name_table", "safetensors"))
    tensor = _itself if configs.get("return_numpy") else wrap
    data = _read(path)
    if _looks_like_safetensors(data):
        return _unpacked(data, tensor)
    if pdparams.looks_pickled(data):
        return pdparams.read(data, tensor, bool(configs.get("keep_name_table")))
    given = f"the file begins with {data[:8]!r}" if data else "there is nothing to read"
    remedy = "" if data else "rewind a file object with seek(0)"
    expected = "expected a safetensors file, or a state dict that Paddle has saved"
    raise ValueError(message("load", given, expected, remedy))


def _itself(array: Array) -> Array:
    return array


def _check_configs(op: str, configs: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in configs:
        if name not in known:
            given = f"the option {name} is given"
            raise ValueError(message(op, given, f"expected one of {', '.join(known)}"))


# -- files -----------------------------------------------------------------------------------------


def _file_name(op: str, path: Any) -> str:
    """The absolute name of the file that is meant, with links followed."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        expected = "expected a path or a binary file object"
        raise TypeError(message(op, f"the path is {describe(path)}", expected))
    name = os.fsdecode(path)
    if not os.path.basename(name):
        raise ValueError(message(op, f"the path is {name!r}", "expected a file's name at its end"))
    target = os.path.realpath(name)
    if os.path.isdir(target):
        raise IsADirectoryError(message(op, f"{name!r} is a directory", "expected a file"))
    if os.path.exists(target) and not os.path.isfile(target):
        given, remedy = f"{name!r} is not a regular file", "give the opened file instead"
        raise ValueError(message(op, given, "", remedy))
    return target


def _replace(target: str, blob: bytes) -> None:
    """Let a file have a content, in one step: readers see the old one or all of the new one."""
    temporary = os.path.join(os.path.dirname(target), f".{os.urandom(8).hex()}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


def _read(path: Any) -> bytes:
    if hasattr(path, "read"):
        data = path.read()
        if not isinstance(data, bytes):
            given = f"the file object gives {type(data).__name__}"
            raise TypeError(message("load", given, "expected bytes", "open it with mode 'rb'"))
        return data
    target = _file_name("load", path)
    if not os.path.exists(target):
        raise FileNotFoundError(message("load", f"there is no file {os.fsdecode(path)!r}"))
    with open(target, "rb") as file:
        return file.read()


# -- safetensors -----------------------------------------------------------------------------------


def _package(op: str) -> Any:
    """The package safetensors, loaded only when somebody saves or loads."""
    try:
        return importlib.import_module("safetensors.numpy"), importlib.import_module("safetensors")
    except ImportError as missing:
        given, expected = "safetensors is not installed", "that package reads and writes the files"
        remedy = "install dualgraph[safetensors]"
        raise ImportError(message(op, given, expected, remedy)) from missing


def _packed(obj: Any) -> bytes:
    text, arrays = flatten(obj)
    for_numpy, _ = _package("save")
    blob: bytes = for_numpy.save(arrays, metadata={_STRUCTURE: text})
    return blob


def _looks_like_safetensors(data: bytes) -> bool:
    """Whether bytes begin with the length of a header and a header of that length could follow."""
    return data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= len(data) - 8


def _unpacked(data: bytes, tensor: Callable[[Array], Any]) -> Any:
    _, package = _package("load")
    try:
        entries = dict(package.deserialize(data))
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except (package.SafetensorError, ValueError) as damage:
        given = f"the safetensors file cannot be read: {damage}"
        raise ValueError(message("load", given, "", "it is damaged or incomplete")) from damage

    def found(name: str) -> Any:
        entry = entries.pop(name)  # each tensor once
        if entry["dtype"] not in _DTYPES:
            given = f"{name} has the dtype {entry['dtype']}"
            raise TypeError(message("load", given, f"expected one of {', '.join(_DTYPES)}"))
        dtype = _DTYPES[entry["dtype"]].numpy
        return tensor(array_of(entry["data"], dtype, tuple(entry["shape"])))

    text = (header.get("__metadata__") or {}).get(_STRUCTURE)
    if text is None:
        # The package keeps no order; the header does.
        return {name: found(name) for name in header if name in entries}
    value = rebuild(text, found)
    if entries:
        given = f"the file's structure has no place for {', '.join(sorted(entries))}"
        remedy = "another program has changed the file; let it drop the metadata, too"
        raise ValueError(message("load", given, "", remedy))
    return value
