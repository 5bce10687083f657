"""Data types: one object each, their promotion rules, and the default floating-point type."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from dualgraph import flags
from dualgraph.errors import message

__all__ = [
    "DType",
    "DTypeLike",
    "FloatLimits",
    "IntLimits",
    "as_numpy",
    "bfloat16",
    "bool_",
    "default_float",
    "finfo",
    "float16",
    "float32",
    "float64",
    "from_numpy",
    "get",
    "get_default_dtype",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_floating",
    "promote",
    "set_default_dtype",
    "uint8",
]

NumpyDType: TypeAlias = "np.dtype[Any]"


class DType:
    """A data type of tensors. There is one object per type, so `is` and `==` agree.

    >>> import dualgraph as dg
    >>> dg.ones([2]).dtype == dg.float32
    True
    """

    __slots__ = ("_numpy", "itemsize", "kind", "name")

    def __init__(self, name: str, kind: str, itemsize: int, numpy: NumpyDType | None) -> None:
        self.name = name
        self.kind = kind  # 'b' bool, 'u' unsigned, 'i' signed, 'f' floating
        self.itemsize = itemsize
        self._numpy = numpy

    @property
    def numpy(self) -> NumpyDType:
        """The numpy dtype that stores this type. ImportError for bfloat16 without `ml_dtypes`."""
        return self._numpy if self._numpy is not None else _load_bfloat16()

    def __repr__(self) -> str:
        return f"dualgraph.{self.name}"

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return get, (self.name,)


def _load_bfloat16() -> NumpyDType:
    """Register the bfloat16 of `ml_dtypes`, loaded only when somebody uses the type."""
    try:
        module = importlib.import_module("ml_dtypes")
    except ImportError as missing:
        given, expected = "numpy has no such type by itself", "the package ml_dtypes provides it"
        remedy = "install dualgraph[bfloat16]"
        raise ImportError(message("bfloat16", given, expected, remedy)) from missing
    numpy_type: NumpyDType = np.dtype(module.bfloat16)
    bfloat16._numpy = numpy_type
    _BY_NUMPY[numpy_type] = bfloat16
    return numpy_type


bool_ = DType("bool", "b", 1, np.dtype(np.bool_))
uint8 = DType("uint8", "u", 1, np.dtype(np.uint8))
int8 = DType("int8", "i", 1, np.dtype(np.int8))
int16 = DType("int16", "i", 2, np.dtype(np.int16))
int32 = DType("int32", "i", 4, np.dtype(np.int32))
int64 = DType("int64", "i", 8, np.dtype(np.int64))
float16 = DType("float16", "f", 2, np.dtype(np.float16))
bfloat16 = DType("bfloat16", "f", 2, None)
float32 = DType("float32", "f", 4, np.dtype(np.float32))
float64 = DType("float64", "f", 8, np.dtype(np.float64))

ALL = (bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64)
_BY_NAME = {d.name: d for d in ALL} | {"float": float32, "int": int64, "double": float64}
_BY_NUMPY: dict[NumpyDType, DType] = {d._numpy: d for d in ALL if d._numpy is not None}
_BY_PYTHON: dict[type, DType] = {bool: bool_, int: int64, float: float32}

DTypeLike: TypeAlias = "DType | str | type | NumpyDType"


def get(dtype: DTypeLike) -> DType:
    """The DType that a name, a numpy dtype, a Python type or a DType stands for.

    TypeError for a type dualgraph has no tensors of.
    """
    if isinstance(dtype, DType):
        return dtype
    if isinstance(dtype, str):
        known = _BY_NAME.get(dtype.rpartition(".")[2])
    elif isinstance(dtype, type) and dtype in _BY_PYTHON:
        known = _BY_PYTHON[dtype]
    else:
        known = None if dtype is None else _from_anything(dtype)  # None is float64 to numpy
    if known is None:
        raise TypeError(
            message("dtype", f"{dtype!r} is given", f"expected one of {', '.join(_BY_NAME)}")
        )
    return known


def _from_anything(dtype: Any) -> DType | None:
    try:
        numpy_type = np.dtype(dtype)
    except (TypeError, ValueError):
        return None
    if numpy_type.name == "bfloat16" and bfloat16._numpy is None:
        _load_bfloat16()
    return _BY_NUMPY.get(numpy_type)


def from_numpy(dtype: NumpyDType) -> DType:
    """The DType of a numpy dtype; TypeError if dualgraph has none."""
    known = _BY_NUMPY.get(dtype)
    return known if known is not None else get(dtype)


def as_numpy(dtype: DTypeLike | None) -> NumpyDType:
    """The numpy dtype of anything `get` accepts; the default floating type for None."""
    return default_float() if dtype is None else get(dtype).numpy


def get_default_dtype() -> str:
    """Name of the dtype that Python floats and new parameters get.

    >>> import dualgraph as dg
    >>> dg.get_default_dtype()
    'float32'
    """
    name: str = flags.get("default_dtype")
    return name


def set_default_dtype(d: DTypeLike) -> None:
    """Set the dtype that Python floats and new parameters get; TypeError unless it is floating."""
    dtype = get(d)
    if dtype.kind != "f":
        raise TypeError(
            message("set_default_dtype", f"{dtype.name} is given", "expected a floating-point type")
        )
    flags.set("default_dtype", dtype.name)


def default_float() -> NumpyDType:
    """The numpy dtype of the default floating type."""
    return _BY_NAME[flags.get("default_dtype")].numpy


def is_floating(dtype: NumpyDType) -> bool:
    """Whether a numpy dtype is one of the floating types, bfloat16 included."""
    return dtype.kind == "f" or dtype is bfloat16._numpy


_FLOAT_RANK = {float16: 1, bfloat16: 1, float32: 2, float64: 3}


def promote(x: NumpyDType, y: NumpyDType) -> NumpyDType | None:
    """The dtype of an op on two tensors, or None where Paddle refuses the pair.

    Equal types stay; two floating types give the wider one (float16 with bfloat16: float32).
    """
    if x == y:
        return x
    a, b = _FLOAT_RANK.get(from_numpy(x)), _FLOAT_RANK.get(from_numpy(y))
    if a is None or b is None:
        return None
    return float32.numpy if a == b else (x if a > b else y)


@dataclass(frozen=True)
class FloatLimits:
    """What `finfo` tells, in Python floats: beside a tensor they leave its dtype alone."""

    min: float
    max: float
    eps: float
    resolution: float
    smallest_normal: float
    tiny: float
    bits: int
    dtype: str


@dataclass(frozen=True)
class IntLimits:
    """What `iinfo` tells, in Python ints."""

    min: int
    max: int
    bits: int
    dtype: str


def finfo(dtype: DTypeLike) -> FloatLimits:
    """Limits of a floating type; ValueError for another type.

    >>> import dualgraph as dg
    >>> dg.finfo(dg.float16).max
    65504.0
    """
    found = get(dtype)
    if found.kind != "f":
        raise ValueError(message("finfo", f"dtype is {found.name}", "expected a floating type"))
    numpy_type = found.numpy
    # numpy knows no limits of a type that it does not know.
    module = importlib.import_module("ml_dtypes") if found is bfloat16 else np
    limits = module.finfo(numpy_type)
    names = ("min", "max", "eps", "smallest_normal", "tiny")
    return FloatLimits(
        **{name: float(getattr(limits, name)) for name in names},
        resolution=10.0**-limits.precision,
        bits=8 * found.itemsize,
        dtype=found.name,
    )


def iinfo(dtype: DTypeLike) -> IntLimits:
    """Limits of an integer type; ValueError for another type.

    >>> import dualgraph as dg
    >>> dg.iinfo("uint8").max
    255
    """
    found = get(dtype)
    if found.kind not in "ui":
        raise ValueError(message("iinfo", f"dtype is {found.name}", "expected an integer type"))
    limits = np.iinfo(found.numpy)
    return IntLimits(int(limits.min), int(limits.max), limits.bits, found.name)
