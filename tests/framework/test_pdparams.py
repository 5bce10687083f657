"""Files of Paddle 3.3.1 are read; files that want anything else are refused, and run nothing.

The files in `tests/data/` were written by `paddle.save`: the state dict of a Linear(2, 3) with a
BatchNorm1D(3), that of a Momentum with a StepDecay after one step, a single tensor, and a nested
checkpoint; two of them also with pickle protocol 2.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgraph import dtypes
from dualgraph.framework import load
from dualgraph.tensor import Tensor

DATA = Path(__file__).parents[1] / "data"


def plain(value: Any) -> Any:
    """A loaded structure with tensors as (dtype, list), arrays as lists."""
    if isinstance(value, Tensor):
        return value.dtype.name, value.tolist()
    if isinstance(value, dict):
        return {key: plain(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(x) for x in value)
    return value.tolist() if isinstance(value, np.ndarray) else value


def load_bytes(data: bytes, **configs: Any) -> Any:
    return load(io.BytesIO(data), **configs)


LAYERS = {
    "0.weight": ("float32", [[0.0, 0.25, 0.5], [0.75, 1.0, 1.25]]),
    "0.bias": ("float32", [0.25, 0.5, 0.75]),
    "1.weight": ("float32", [0.5, 0.75, 1.0]),
    "1.bias": ("float32", [0.75, 1.0, 1.25]),
    "1._mean": ("float32", [1.0, 1.25, 1.5]),
    "1._variance": ("float32", [1.25, 1.5, 1.75]),
}
CHECKPOINT = {
    "model": {"w": ("float32", [[1.5, -2.0]]), "b": ("bool", [True, False])},
    "epoch": 3,
    "lr": [0.5, None, "cosine", (1, ("int64", 7))],
    "best": 0.25,
    "half": ("bfloat16", [1.5, -0.5]),
    "f16": ("float16", [0.5]),
    "none": ("float32", []),
    "array": [0, 1, 2],
    "ordered": {"x": True},
    1: {(2, "a"): -5},
}


# ---- what Paddle writes --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["layers.pdparams", "layers_protocol_2.pdparams"])
def test_a_state_dict_is_read_in_its_order_without_the_name_table(name: str) -> None:
    state = load(DATA / name)
    assert plain(state) == LAYERS
    assert list(state) == list(LAYERS)
    assert all(x.stop_gradient and x.is_leaf for x in state.values())


def test_the_name_table_can_be_kept() -> None:
    table = load(DATA / "layers.pdparams", keep_name_table=True)["StructuredToParameterName@@"]
    assert table["0.weight"] == "linear_0.w_0"
    assert list(table) == list(LAYERS)


def test_an_optimizer_state_keeps_its_scheduler() -> None:
    assert plain(load(DATA / "momentum.pdopt")) == {
        "linear_1.w_0_velocity_0": ("float32", [[1.0, 1.0], [2.0, 2.0]]),
        "linear_1.b_0_velocity_0": ("float32", [1.0, 1.0]),
        "LR_Scheduler": {"last_epoch": 1, "last_lr": 0.5},
    }


@pytest.mark.parametrize("name", ["checkpoint.pdparams", "checkpoint_protocol_2.pdparams"])
def test_a_nested_checkpoint_is_read(name: str) -> None:
    checkpoint = load(DATA / name)
    assert plain(checkpoint) == CHECKPOINT
    assert checkpoint["none"].shape == [0, 2]
    assert isinstance(checkpoint["array"], np.ndarray), "where tensors are marked, arrays stay"


def test_a_single_tensor_is_read() -> None:
    assert plain(load(DATA / "tensor.pdtensor")) == ("float32", [1.0, 2.0])


def test_arrays_instead_of_tensors_can_be_asked_for() -> None:
    state = load(DATA / "layers.pdparams", return_numpy=True)
    assert {type(x) for x in state.values()} == {np.ndarray}
    half = load(DATA / "checkpoint.pdparams", return_numpy=True)["half"]
    assert half.dtype == dtypes.bfloat16.numpy
    assert half.tolist() == [1.5, -0.5]


def test_loaded_tensors_can_be_written() -> None:
    weight = load(DATA / "layers.pdparams")["0.weight"]
    weight.set_value(np.zeros((2, 3), np.float32))
    assert weight.tolist() == [[0.0] * 3] * 2


# ---- what older versions and other settings write ------------------------------------------------

ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
    np.arange(6, dtype=np.int8)[::-2],
    np.array(1.5, np.float16),
    np.zeros((2, 0), np.uint8),
    np.array([True, False]),
    np.array([1, -2], ">i8"),
    np.array([1.5, -2.0], ">f4"),
]


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype}-{a.shape}")
def test_arrays_of_every_layout_are_tensors(array: np.ndarray[Any, Any], protocol: int) -> None:
    x = load_bytes(pickle.dumps({"x": array}, protocol))["x"]
    assert isinstance(x, Tensor)
    assert (x.dtype.name, x.shape) == (array.dtype.name, list(array.shape))
    assert x.tolist() == array.tolist()
    assert x.is_contiguous()


def test_the_module_names_of_numpy_1_are_known() -> None:
    data = pickle.dumps({"x": np.arange(3), "y": np.float64(0.5)}, 2)
    assert b"numpy._core.multiarray" in data
    old = data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert plain(load_bytes(old)) == {"x": ("int64", [0, 1, 2]), "y": 0.5}


def test_python_2_wrote_bytes_as_strings() -> None:
    data = pickle.dumps({"x": np.array([7], np.uint8)}, 3)
    assert b"C\x01\x07" in data
    assert plain(load_bytes(data.replace(b"C\x01\x07", b"U\x01\x07"))) == {"x": ("uint8", [7])}


def test_an_ordered_dict_is_a_dict_in_its_order() -> None:
    for protocol in (2, 4):
        state = OrderedDict([("b", np.ones(1)), ("a", 1), (None, 2.5)])
        loaded = load_bytes(pickle.dumps(state, protocol))
        assert list(loaded) == ["b", "a", None]


def test_a_parameter_that_was_split_is_joined() -> None:
    state = {
        "w@@.0": np.arange(4.0),
        "w@@.1": np.arange(4.0, 6.0),
        "UnpackBigParamInfor@@": {"w": {"OriginShape": (2, 3), "slices": ["w@@.0", "w@@.1"]}},
        "StructuredToParameterName@@": {"w": "linear_0.w_0"},
    }
    joined = load_bytes(pickle.dumps(state, 2))
    assert plain(joined) == {"w": ("float64", [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])}


def test_a_pair_of_a_string_and_an_array_is_no_marked_tensor() -> None:
    data = pickle.dumps([("name", np.ones(1))], 4)
    assert plain(load_bytes(data)) == [("name", ("float64", [1.0]))]


# ---- what is refused -----------------------------------------------------------------------------


class Calls:
    """Pickles as a call of a function with arguments."""

    def __init__(self, function: Any, *args: Any, state: Any = None) -> None:
        self.reduced = (function, args) if state is None else (function, args, state)

    def __reduce__(self) -> Any:
        return self.reduced


def asks_for(module: str, name: str, then: bytes = b"") -> bytes:
    """A pickle that looks a global up by the opcode of protocol 4."""
    pushed = b"".join(b"\x8c" + bytes([len(s)]) + s.encode() for s in (module, name))
    return b"\x80\x04" + pushed + b"\x93" + then + b"."


def refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^\[load\] ") as caught:
        load_bytes(data)
    assert reason in str(caught.value)
    assert "do not trust this file" in str(caught.value)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("function", [os.system, os.mkdir, eval, exec, open, getattr, __import__])
def test_a_call_in_a_file_is_refused_by_name_and_not_made(
    tmp_path: Path, function: Any, protocol: int
) -> None:
    made = tmp_path / "made"
    arguments: dict[Any, tuple[Any, ...]] = {
        os.system: (f"touch {made}",),
        os.mkdir: (str(made),),
        eval: (f"open({str(made)!r}, 'w')",),
        exec: (f"open({str(made)!r}, 'w')",),
        open: (str(made), "w"),
        getattr: ("text", "format"),
        __import__: ("antigravity",),
    }
    call = Calls(function, *arguments[function])
    data = pickle.dumps({"w": np.ones(2), "more": [(1, {"deep": call})]}, protocol)
    refused(data, f".{function.__name__}'" if protocol < 5 else "the file asks for")
    assert not made.exists()
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("builtins", "__import__"),
        ("builtins", "getattr"),
        ("builtins", "object"),
        ("builtins", "tuple.__class__"),
        ("operator", "attrgetter"),
        ("functools", "partial"),
        ("importlib", "import_module"),
        ("pickle", "loads"),
        ("collections", "OrderedDict.__init__"),
        ("collections", "defaultdict"),
        ("copyreg", "_reconstructor"),
        ("numpy", "load"),
        ("numpy", "memmap"),
        ("numpy", "fromfile"),
        ("numpy", "dtype.newbyteorder"),
        ("numpy", "ndarray.tofile"),
        ("numpy", "array"),
        ("numpy.dtype", "__class__"),
        ("numpy.core.multiarray", "_reconstruct.__globals__"),
        ("numpy._core.numeric", "_frombuffer"),
        ("numpy._core._internal", "_ctypes"),
        ("numpy.core.multiarray.x", "_reconstruct"),
        ("numpy.testing._private.utils", "runstring"),
        ("numpy.f2py.diagnose", "run"),
        ("numpy.ma.core", "_mareconstruct"),
        ("numpy.random._pickle", "__randomstate_ctor"),
        ("paddle", "Tensor"),
        ("dualgraph.framework.pdparams", "_tuple"),
        ("", ""),
        ("numpy", "dtype "),
        ("Numpy", "dtype"),
    ],
)
def test_only_exact_names_are_admitted(module: str, name: str) -> None:
    refused(asks_for(module, name), f"{module}.{name}")
    refused(b"\x80\x02c" + f"{module}\n{name}\n".encode() + b".", "the file asks for")


ORDERED = asks_for("collections", "OrderedDict", b")R")[:-1]
DTYPE = asks_for("numpy", "dtype", b"\x8c\x02f4\x89\x88\x87R")[:-1]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ORDERED + b"}\x8c\x05items}sb.", "gives a state to a dict"),
        (b"\x80\x04]}b.", "gives a state to a list"),
        (asks_for("numpy", "dtype", b"}b"), "gives a state to a type"),
        (DTYPE + b"}b.", "cannot be read"),
        (DTYPE + b"(K\x03\x8c\x01<N\x8c\x01a}K\x04K\x04K\x00tb.", "dtype state"),
        (DTYPE + b"(K\x03\x8c\x01!NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb.", "dtype state"),
        (DTYPE + b".", "holds a Type"),
        (asks_for("numpy", "ndarray"), "holds a function"),
        (asks_for("numpy", "ndarray", b"K\x01\x85R"), "unusual way"),
        (asks_for("numpy", "dtype", b"\x8c\x02O8\x89\x88\x87R"), "dtype 'O8'"),
        (asks_for("numpy", "dtype", b"\x8c\x02V9\x89\x88\x87R"), "dtype 'V9'"),
        (asks_for("numpy", "dtype", b"\x8c\x03c16\x89\x88\x87R"), "dtype 'c16'"),
        (asks_for("numpy._core.multiarray", "_reconstruct", b"NNN\x87R"), "unusual way"),
        (asks_for("builtins", "tuple", b"]\x85R"), "cannot be read"),
        (asks_for("builtins", "tuple", b"K\x01K\x02\x86\x85R"), "unusual way"),
        (asks_for("_codecs", "encode", b"\x8c\x01a\x8c\x05rot13\x86R"), "'rot13'"),
        (asks_for("__builtin__", "bytes", b"J\xff\xff\xff\x7f\x85R"), "bytes"),
        (b"\x80\x04)K\x01)R.", "no admitted function"),
        (b"\x80\x04\x8c\x01a)R.", "no admitted function"),
        (asks_for("numpy", "dtype", b")\x81"), "opcode NEWOBJ"),
        (b"\x80\x04\x82\x01.", "opcode EXT1"),
        (b"\x80\x04K\x01Q.", "opcode BINPERSID"),
        (b"\x80\x04Pabc\n.", "opcode PERSID"),
        (b"\x80\x04(ios\nsystem\n.", "opcode INST"),
        (b"\x80\x04(K\x01o.", "opcode OBJ"),
        (b"\x80\x05\x97.", "opcode NEXT_BUFFER"),
        (b"\x80\x04\x8f.", "opcode EMPTY_SET"),
        (b"\x80\x04C\x01a.", "holds a bytes"),
        (b"\x80\x04}]K\x01s.", "a list for a key"),
        (b"\x80\x04})\x85\x85K\x01s.", "a tuple for a key"),
    ],
)
def test_tricks_with_what_is_admitted_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^\[load\] ") as caught:
        load_bytes(data)
    assert reason in str(caught.value)


def test_object_arrays_and_subclasses_are_refused() -> None:
    refused(pickle.dumps({"x": np.array([1, "a"], object)}, 4), "dtype 'O8'")
    refused(pickle.dumps({"x": np.array(["a"])}, 4), "dtype 'U1'")
    refused(pickle.dumps(np.zeros(1, [("f", "f4")]), 4), "dtype 'V4'")
    refused(pickle.dumps(np.ma.masked_array([1.0]), 4), "numpy.ma.core._mareconstruct")
    refused(pickle.dumps(np.recarray(1, [("f", "f4")]), 4), "numpy.rec")


def array_with(shape: tuple[Any, ...], data: bytes) -> bytes:
    """A pickled float32 array whose state is forged."""
    forged = Calls(*np.zeros(1, np.float32).__reduce__()[:2], state=None)
    forged.reduced = (*forged.reduced, (1, shape, np.dtype(np.float32), False, data))
    return pickle.dumps(forged, 4)


@pytest.mark.parametrize(
    "shape",
    [
        (2**40,),
        (2**62, 2**62),
        (2**100,),
        (-1,),
        (-1, -1),
        (0, -1),
        (2,),
        (),
        (1, 1, 0),
        (1.0,),
        (True,),
        ("1",),
        ((1,),),
        (None,),
    ],
    ids=str,
)
def test_a_shape_that_its_bytes_do_not_fill_allocates_nothing(shape: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"^\[load\] "):
        load_bytes(array_with(shape, b"1234"))


def test_shapes_that_numpy_refuses_are_refused() -> None:
    for shape in ((0, 2**70), (1,) * 100, (0, 2**62, 2**62)):
        data = b"1234" if 0 not in shape else b""
        with pytest.raises(ValueError, match="cannot be read"):
            load_bytes(array_with(shape, data))


def test_bools_are_bools_whatever_the_bytes() -> None:
    data = pickle.dumps(np.array([True]), 4).replace(b"C\x01\x01", b"C\x01\x07")
    loaded = load_bytes(data).numpy()
    assert loaded.view(np.uint8).tolist() == [1]


def test_lengths_beyond_the_file_are_refused() -> None:
    for opcode in (b"\x8e", b"\x8d", b"\x96"):  # BINBYTES8, BINUNICODE8, BYTEARRAY8
        with pytest.raises(ValueError, match=r"^\[load\] "):
            load_bytes(b"\x80\x04" + opcode + (2**60).to_bytes(8, "little") + b"abc.")


def test_a_huge_memo_index_costs_nothing() -> None:
    assert load_bytes(b"\x80\x04K\x05r\xff\xff\xff\x7f.") == 5


def test_deep_nesting_is_refused_before_the_stack_ends() -> None:
    for opening, closing in ((b"]", b"a"), (b"", b"\x85")):
        refused(b"\x80\x04" + opening * 10**5 + b"N" + closing * 10**5 + b".", "100 deep")
    refused(b"\x80\x04}N" + b"\x85" * 10**6 + b"Ns.", "a tuple for a key")


def test_parts_that_are_shared_are_built_once() -> None:
    """Each list holds the one before twice: anew each time, they would be a thousand million."""
    value = load_bytes(pickle.dumps(shared_lists(30), 4))
    while value:
        assert value[0] is value[1]
        value = value[0]


def shared_lists(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value, value]
    return value


def test_a_small_file_cannot_use_its_one_large_string_many_times() -> None:
    text = b"\x8d" + (10**5).to_bytes(8, "little") + b"a" * 10**5 + b"\x94"
    encode = b"(" + asks_for("_codecs", "encode", b"\x94")[2:-1]
    again = b"h\x00h\x01\x8c\x06latin1\x86R"
    refused(b"\x80\x04" + encode + text + again * 20 + b"t.", "many times its size")

    state = (1, (10**5,), np.dtype(np.uint8), False, b"a" * 10**5)
    function, arguments, _ = np.zeros(1).__reduce__()
    arrays = [Calls(function, *arguments, state=state) for _ in range(20)]
    refused(pickle.dumps(arrays, 4), "many times its size")


def test_a_list_that_contains_itself_is_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    refused(pickle.dumps(cycle, 4), "100 deep")


# ---- damage --------------------------------------------------------------------------------------

WHOLE = (DATA / "checkpoint.pdparams").read_bytes()


def test_a_file_cut_off_anywhere_is_refused() -> None:
    for end in range(2, len(WHOLE)):
        with pytest.raises(ValueError, match=r"^\[load\] .*damaged or incomplete"):
            load_bytes(WHOLE[:end])


def read_or_refuse(data: bytes) -> None:
    try:
        load_bytes(data)
    except ValueError as refusal:
        if not str(refusal).startswith("[load] "):
            raise


@given(st.lists(st.tuples(st.integers(2, len(WHOLE) - 1), st.integers(0, 255)), max_size=4))
def test_a_file_with_any_bytes_changed_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(WHOLE)
    for place, byte in changes:
        damaged[place] = byte
    read_or_refuse(bytes(damaged))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_or_refuse(b"\x80\x04" + data)
