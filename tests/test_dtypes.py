"""Data types: spellings, promotion, limits, the default, and bfloat16 without its package."""

from __future__ import annotations

import copy
import importlib
import pickle
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from dualgraph import dtypes
from dualgraph.dtypes import DType
from dualgraph.ops.interchange import to_tensor

by_name = pytest.mark.parametrize("dtype", dtypes.ALL, ids=lambda d: d.name)


@pytest.fixture
def _default_is_restored() -> Iterator[None]:
    yield
    dtypes.set_default_dtype("float32")


# ---- spellings -----------------------------------------------------------------------------------


@by_name
def test_every_spelling_leads_to_the_one_object(dtype: DType) -> None:
    numpy_type = dtype.numpy
    spellings = [
        dtype,
        dtype.name,
        f"paddle.{dtype.name}",
        repr(dtype),
        numpy_type,
        numpy_type.type,
    ]
    assert all(dtypes.get(spelling) is dtype for spelling in spellings)
    assert dtypes.from_numpy(numpy_type) is dtype
    assert dtypes.as_numpy(dtype.name) == numpy_type
    assert to_tensor([0], dtype).dtype is dtype


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        (bool, "bool"),
        (int, "int64"),
        (float, "float32"),
        ("float", "float32"),
        ("double", "float64"),
        ("int", "int64"),
        (np.int_, "int64"),
        (np.dtype("<f4"), "float32"),
        (np.dtype("f2"), "float16"),
        (ml_dtypes.bfloat16, "bfloat16"),
    ],
    ids=repr,
)
def test_other_spellings(spelling: Any, name: str) -> None:
    assert dtypes.get(spelling).name == name


@pytest.mark.parametrize(
    "spelling",
    [
        "floating",
        "",
        "f4",
        "complex64",
        "uint16",
        np.uint32,
        np.complex64,
        np.dtype(">f4"),
        np.dtype("U3"),
        np.dtype([("f", "f4")]),
        None,
        object,
        str,
        complex,
        32,
        1.5,
        [],
        {},
        [1, 2],
        to_tensor([1.0]),
    ],
    ids=lambda s: repr(s)[:30],
)
def test_other_types_are_type_errors(spelling: Any) -> None:
    with pytest.raises(TypeError, match=r"(?s)^\[dtype\] .*expected one of bool, uint8"):
        dtypes.get(spelling)


@by_name
def test_a_dtype_describes_itself(dtype: DType) -> None:
    assert repr(dtype) == str(dtype) == f"dualgraph.{dtype.name}"
    assert dtype.itemsize == dtype.numpy.itemsize
    assert (dtype.kind == "f") == dtypes.is_floating(dtype.numpy)


@by_name
def test_a_dtype_is_one_object_through_pickles_and_copies(dtype: DType) -> None:
    assert pickle.loads(pickle.dumps(dtype)) is dtype
    assert copy.copy(dtype) is dtype
    assert copy.deepcopy([dtype])[0] is dtype


def test_a_dtype_equals_itself_only() -> None:
    assert dtypes.float32 == dtypes.get("float32")
    assert dtypes.float32 not in (dtypes.float64, "float32", np.float32)
    assert len(set(dtypes.ALL)) == len(dtypes.ALL) == 10


# ---- promotion -----------------------------------------------------------------------------------

# What Paddle makes of two tensors; "" where it refuses.
WIDER = {
    ("float16", "bfloat16"): "float32",
    ("float16", "float32"): "float32",
    ("float16", "float64"): "float64",
    ("bfloat16", "float32"): "float32",
    ("bfloat16", "float64"): "float64",
    ("float32", "float64"): "float64",
}


@by_name
@pytest.mark.parametrize("other", dtypes.ALL, ids=lambda d: d.name)
def test_promotion(dtype: DType, other: DType) -> None:
    pair = (dtype.name, other.name)
    expected = dtype.name if dtype is other else WIDER.get(pair) or WIDER.get(pair[::-1])
    found = dtypes.promote(dtype.numpy, other.numpy)
    assert (None if found is None else dtypes.from_numpy(found).name) == expected


# ---- the default ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("_default_is_restored")
@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_the_default_dtype_is_what_python_floats_become(name: str) -> None:
    dtypes.set_default_dtype(dtypes.get(name))
    assert dtypes.get_default_dtype() == name
    assert dtypes.default_float() == dtypes.as_numpy(None) == dtypes.get(name).numpy
    assert to_tensor(1.5).dtype.name == to_tensor([1.5, 2]).dtype.name == name
    assert to_tensor(np.float32(1.5)).dtype.name == "float32"


@pytest.mark.parametrize("other", ["int32", dtypes.bool_, "complex64", None])
def test_only_a_floating_type_can_be_the_default(other: Any) -> None:
    with pytest.raises(TypeError):
        dtypes.set_default_dtype(other)
    assert dtypes.get_default_dtype() == "float32"


# ---- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "greatest", "eps", "resolution", "tiny", "bits"),
    [
        ("float16", 65504.0, 0.0009765625, 1e-3, 6.103515625e-05, 16),
        ("bfloat16", 3.3895313892515355e38, 0.0078125, 1e-2, 1.1754943508222875e-38, 16),
        ("float32", 3.4028234663852886e38, 2.0**-23, 1e-6, 1.1754943508222875e-38, 32),
        ("float64", 1.7976931348623157e308, 2.0**-52, 1e-15, 2.2250738585072014e-308, 64),
    ],
)
def test_limits_of_floating_types(
    name: str, greatest: float, eps: float, resolution: float, tiny: float, bits: int
) -> None:
    limits = dtypes.finfo(name)
    assert (limits.min, limits.max, limits.eps) == (-greatest, greatest, eps)
    assert (limits.smallest_normal, limits.tiny) == (tiny, tiny)
    assert limits.resolution == pytest.approx(resolution)
    assert (limits.bits, limits.dtype) == (bits, name)
    assert all(type(x) is float for x in (limits.min, limits.max, limits.eps, limits.tiny))


@pytest.mark.parametrize(
    ("name", "least", "greatest", "bits"),
    [
        ("uint8", 0, 255, 8),
        ("int8", -128, 127, 8),
        ("int16", -(2**15), 2**15 - 1, 16),
        ("int32", -(2**31), 2**31 - 1, 32),
        ("int64", -(2**63), 2**63 - 1, 64),
    ],
)
def test_limits_of_integer_types(name: str, least: int, greatest: int, bits: int) -> None:
    limits = dtypes.iinfo(name)
    assert (limits.min, limits.max, limits.bits, limits.dtype) == (least, greatest, bits, name)
    assert type(limits.min) is type(limits.max) is int


def test_limits_of_the_other_kind_are_value_errors() -> None:
    for name in ("int32", "bool"):
        with pytest.raises(ValueError, match=r"^\[finfo\] dtype is "):
            dtypes.finfo(name)
    for name in ("float32", "bool"):
        with pytest.raises(ValueError, match=r"^\[iinfo\] dtype is "):
            dtypes.iinfo(name)


# ---- bfloat16 ------------------------------------------------------------------------------------


@pytest.fixture
def _without_ml_dtypes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package were not installed and had not been asked for."""
    really = importlib.import_module

    def absent(name: str, package: str | None = None) -> ModuleType:
        if name == "ml_dtypes":
            raise ModuleNotFoundError(name)
        return really(name, package)

    loaded = dtypes.bfloat16.numpy
    monkeypatch.setattr(importlib, "import_module", absent)
    monkeypatch.setattr(dtypes.bfloat16, "_numpy", None)
    monkeypatch.delitem(dtypes._BY_NUMPY, loaded)


def test_bfloat16_is_stored_and_cast() -> None:
    x = to_tensor([1.0, 1.0 + 2**-9, 3e38, float("nan")], "bfloat16")
    assert x.numpy().dtype == ml_dtypes.bfloat16
    assert x.tolist()[:2] == [1.0, 1.0]
    assert np.isnan(x.tolist()[3])
    assert to_tensor(x, "float32").tolist()[:2] == [1.0, 1.0]
    assert x.element_size() == 2


@pytest.mark.usefixtures("_without_ml_dtypes")
def test_without_its_package_bfloat16_says_what_to_install() -> None:
    assert dtypes.get("bfloat16") is dtypes.bfloat16, "the name is known"
    for use in (
        lambda: to_tensor([1.0], "bfloat16"),
        lambda: dtypes.bfloat16.numpy,
        lambda: dtypes.finfo("bfloat16"),
    ):
        with pytest.raises(ImportError, match=r"^\[bfloat16\] .*install dualgraph\[bfloat16\]"):
            use()


@pytest.mark.usefixtures("_without_ml_dtypes")
def test_without_its_package_all_else_works() -> None:
    assert to_tensor([1.5]).tolist() == [1.5]
    assert dtypes.promote(np.dtype(np.float16), np.dtype(np.float32)) == np.float32
    assert not dtypes.is_floating(np.dtype(np.int64))
    assert len({repr(d) for d in dtypes.ALL}) == 10
    with pytest.raises(ImportError, match=r"^\[bfloat16\]"):
        dtypes.get(np.dtype(ml_dtypes.bfloat16))
