"""What is saved comes back; the files are what other programs read; nothing is half-written."""

from __future__ import annotations

import importlib
import io
import json
import os
from collections import OrderedDict, namedtuple
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dualgraph import dtypes
from dualgraph.framework import load, save
from dualgraph.nn.parameter import Parameter
from dualgraph.ops.interchange import to_tensor
from dualgraph.tensor import Tensor, wrap

Pair = namedtuple("Pair", "x y")


def saved(value: Any) -> io.BytesIO:
    file = io.BytesIO()
    save(value, file)
    file.seek(0)
    return file


def roundtrip(value: Any, **configs: Any) -> Any:
    return load(saved(value), **configs)


def same(x: Any, y: Any) -> bool:
    """Equal in type, dtype, shape and bits; an array that was saved equals a tensor."""
    if isinstance(x, (Tensor, np.ndarray)):
        a, b = (z.numpy() if isinstance(z, Tensor) else z for z in (x, y))
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if type(x) is not type(y):
        return False
    if isinstance(x, dict):
        return list(x) == list(y) and all(same(x[key], y[key]) for key in x)
    if isinstance(x, (list, tuple)):
        return len(x) == len(y) and all(map(same, x, y))
    return repr(x) == repr(y)


# ---- properties ----------------------------------------------------------------------------------

SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    dtype = draw(st.sampled_from(dtypes.ALL))
    if dtype is dtypes.bfloat16:
        bits = draw(arrays.arrays(np.uint16, SHAPES))
        array = bits.view(dtype.numpy)
    else:
        array = draw(arrays.arrays(dtype.numpy, SHAPES))
    if draw(st.booleans()):
        array = array.T
    if draw(st.booleans()) and array.ndim:
        array = array[::-1]
    return wrap(array)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = SCALARS.filter(lambda x: not isinstance(x, float) or x < 1e300) | st.tuples(
    st.integers(), st.text(max_size=2)
)
STRUCTURES = st.recursive(
    SCALARS | tensors(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8).filter("__metadata__".__ne__), tensors()))
def test_a_state_dict_is_an_ordinary_safetensors_file(state: dict[str, Tensor]) -> None:
    blob = saved(state).getvalue()
    assert same(state, load(io.BytesIO(blob)))
    header = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])
    assert set(header) - {"__metadata__"} == set(state)
    # Its own reader for numpy knows all dtypes but bfloat16.
    others = {key: x for key, x in state.items() if x.dtype is not dtypes.bfloat16}
    theirs = safetensors.numpy.load(saved(others).getvalue())
    assert all(same(x, theirs[key]) for key, x in others.items())


@given(STRUCTURES)
def test_any_structure_comes_back(value: Any) -> None:
    assert same(value, roundtrip(value))


@given(STRUCTURES)
def test_arrays_can_be_asked_for(value: Any) -> None:
    loaded = roundtrip(value, return_numpy=True)
    assert same(value, loaded)
    pending = [loaded]
    while pending:
        x = pending.pop()
        assert not isinstance(x, Tensor)
        pending += list(x.values()) if isinstance(x, dict) else x if isinstance(x, list) else []


@given(st.data())
def test_a_file_with_any_bytes_changed_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(
        saved({"w": to_tensor([1.0, 2.0]), "more": [1, (2, {"b": to_tensor(3)})]}).getvalue()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        load(io.BytesIO(bytes(whole)))
    except (ValueError, TypeError) as refusal:
        if not str(refusal).startswith("[load] "):
            raise


# ---- what can be saved ---------------------------------------------------------------------------


def test_loaded_tensors_are_fresh_leaves_that_stop_gradients() -> None:
    parameter = Parameter([1.0, 2.0])
    loaded = roundtrip({"w": parameter})["w"]
    assert type(loaded) is Tensor
    assert (loaded.stop_gradient, loaded.is_leaf, loaded.tolist()) == (True, True, [1.0, 2.0])
    loaded.set_value([5.0, 6.0])
    assert (loaded.tolist(), parameter.tolist()) == ([5.0, 6.0], [1.0, 2.0])


def test_a_tied_tensor_is_saved_and_loaded_under_each_key() -> None:
    x = to_tensor([1.0])
    loaded = roundtrip({"encoder": x, "decoder": x, "view": wrap(x._data[:])})
    assert [t.tolist() for t in loaded.values()] == [[1.0]] * 3
    loaded["encoder"].set_value([2.0])
    assert loaded["decoder"].tolist() == [1.0]


def test_a_single_tensor_an_array_and_a_number_are_saved_as_they_are() -> None:
    assert roundtrip(to_tensor([1.5])).tolist() == [1.5]
    assert roundtrip(np.arange(3)).tolist() == [0, 1, 2]
    assert roundtrip(3) == 3
    assert roundtrip({}) == {}
    assert roundtrip([]) == []


def test_numpy_scalars_become_numbers() -> None:
    loaded = roundtrip([np.float32(0.5), np.int64(3), np.bool_(True), np.float64(0.1)])
    assert list(map(type, loaded)) == [float, int, bool, float]
    assert loaded == [0.5, 3, True, 0.1]


def test_an_optimizer_state_with_master_weights_and_a_scheduler_comes_back() -> None:
    state = OrderedDict(
        {
            "linear_0.w_0_moment1_0": to_tensor([[0.5, 1.0]]),
            "master_weights": {"linear_0.w_0": to_tensor([[1.5, 2.5]])},
            "LR_Scheduler": {"last_epoch": 3, "last_lr": 0.1, "milestones": [1, 2], "best": None},
        }
    )
    loaded = roundtrip(state)
    assert type(loaded) is dict
    assert same(dict(state), loaded)


def test_names_in_the_file_are_the_keys_that_lead_to_a_tensor() -> None:
    state = {
        "model": {"0": {"w": to_tensor([1.0])}},
        "list": [0, to_tensor(2)],
        "model.0.w": to_tensor(3),
    }
    file = saved(state)
    assert set(safetensors.numpy.load(file.getvalue())) == {"model.0.w", "list.1", "model.0.w_"}
    assert same(state, load(file))


def test_the_name_that_the_format_keeps_for_itself_can_be_a_key() -> None:
    state = {"__metadata__": to_tensor([1.0]), "__metadata___": to_tensor([2.0])}
    assert same(state, roundtrip(state))


def test_a_file_of_another_program_is_a_dict_of_its_tensors() -> None:
    blob = safetensors.numpy.save(
        {"b": np.arange(3), "a": np.ones((1, 2), np.float16)}, metadata={"format": "np"}
    )
    loaded = load(io.BytesIO(blob))
    assert {key: x.tolist() for key, x in loaded.items()} == {"b": [0, 1, 2], "a": [[1.0, 1.0]]}
    assert load(io.BytesIO(safetensors.numpy.save({}))) == {}


def test_saving_reads_the_values_through_the_door() -> None:
    x = to_tensor([1.0, 2.0, 3.0, 4.0])
    view = wrap(x._data.reshape(2, 2).T[::-1])
    assert roundtrip({"view": view})["view"].tolist() == [[2.0, 4.0], [1.0, 3.0]]


# ---- what is refused -----------------------------------------------------------------------------


class Network:
    def state_dict(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Network(), "a Network; only values are saved; save its state_dict()"),
        ({"net": Network()}, "net is a Network"),
        ({"a": [1, {"b": object()}]}, "a.1.b is object"),
        ({"f": len}, "f is builtin_function_or_method"),
        (Pair(1, 2), "Pair"),
        ({1, 2}, "set {1, 2}"),
        (b"bytes", "bytes b'bytes'"),
        (1j, "complex 1j"),
        (np.complex64(1), "complex"),
        (np.array(["a"]), "str32 [1]"),
        (np.array([None]), "object [1]"),
        ({"x": np.zeros(2, np.uint32)}, "x is uint32 [2]"),
        ({to_tensor(1): 1}, "a key is int64 []"),
        ({"d": {(1, (2,)): 1}}, "d.a key is tuple (1, (2,))"),
    ],
)
def test_what_cannot_be_saved_is_named_and_nothing_is_written(
    tmp_path: Path, value: Any, reason: str
) -> None:
    with pytest.raises(TypeError, match=r"^\[save\] ") as caught:
        save(value, tmp_path / "folder" / "file")
    assert reason in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_container_in_itself_is_refused() -> None:
    cycle: dict[str, Any] = {}
    cycle["again"] = [cycle]
    with pytest.raises(ValueError, match="does one contain itself"):
        saved(cycle)


@pytest.mark.parametrize(
    "data", [b"", b"hello world", b"\x80", b"PK\x03\x04zip", b"{}", b"\x80\x01K\x01."]
)
def test_other_contents_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^\[load\] .*expected a safetensors file"):
        load(io.BytesIO(data))


def test_a_file_object_at_its_end_says_so() -> None:
    file = io.BytesIO()
    save({"w": to_tensor([1.0])}, file)
    with pytest.raises(ValueError, match=r"nothing to read.*seek\(0\)"):
        load(file)


def test_a_file_cut_off_anywhere_is_refused() -> None:
    whole = saved({"w": to_tensor([1.0, 2.0]), "n": 1}).getvalue()
    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"^\[load\] "):
            load(io.BytesIO(whole[:end]))


def forged(structure: Any) -> io.BytesIO:
    text = structure if isinstance(structure, str) else json.dumps(structure)
    return io.BytesIO(safetensors.numpy.save({"w": np.ones(2)}, metadata={"dualgraph": text}))


@pytest.mark.parametrize(
    "structure",
    [
        {"tensor": "absent"},
        {"tensor": []},
        {"call": "os.system"},
        {"dict": 3},
        {"dict": [[1]]},
        {"dict": [[[1], 2]]},
        {"tuple": None},
        {},
        {"tensor": "w", "tuple": []},
        "[",
        "[" * 10**5,
        "nonsense",
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_forged_structure_is_refused(structure: Any) -> None:
    with pytest.raises(ValueError, match="structure of the file cannot be read"):
        load(forged(structure))


def test_a_structure_that_does_not_fit_the_tensors_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for w"):
        load(forged({"dict": []}))
    with pytest.raises(ValueError, match="structure of the file cannot be read"):
        load(forged([{"tensor": "w"}, {"tensor": "w"}]))


def test_a_dtype_that_dualgraph_has_not_is_named() -> None:
    blob = safetensors.numpy.save({"w": np.ones(2, np.uint32)})
    with pytest.raises(TypeError, match=r"^\[load\] w has the dtype U32"):
        load(io.BytesIO(blob))


@pytest.mark.parametrize("call", [save, load])
def test_unknown_options_are_refused(call: Any) -> None:
    arguments = ({}, io.BytesIO()) if call is save else (io.BytesIO(),)
    with pytest.raises(ValueError, match=rf"^\[{call.__name__}\] the option colour is given"):
        call(*arguments, colour="red")


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, Path, os.fsencode])
def test_paths_of_every_kind_and_their_folders_are_made(tmp_path: Path, kind: Any) -> None:
    path = kind(tmp_path / "new" / "folders" / "net.pdparams")
    save({"w": to_tensor([1.0])}, path)
    assert load(path)["w"].tolist() == [1.0]


def test_a_name_without_a_folder_is_a_file_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(1, "here")
    assert [p.name for p in tmp_path.iterdir()] == ["here"]
    assert load("here") == 1


def test_file_objects_are_written_and_read_where_they_stand(tmp_path: Path) -> None:
    with open(tmp_path / "two", "w+b") as file:
        file.write(b"mine")
        save([1, to_tensor([2.0])], file)
        file.seek(4)
        assert load(file)[0] == 1


def test_a_failing_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net"
    save({"w": to_tensor([1.0])}, path)

    def no_space(_source: str, _target: str) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_space)
        with pytest.raises(OSError, match="no space left"):
            save({"w": to_tensor([2.0])}, path)
    assert load(path)["w"].tolist() == [1.0]
    assert [p.name for p in tmp_path.iterdir()] == ["net"]


def test_a_saved_file_has_ordinary_permissions(tmp_path: Path) -> None:
    save(1, tmp_path / "saved")
    (tmp_path / "plain").touch()
    assert (tmp_path / "saved").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    save(1, link)
    assert link.is_symlink()
    assert load(target) == load(link) == 1


def test_paths_that_are_no_files_are_refused(tmp_path: Path) -> None:
    for call in (load, lambda path: save(1, path)):
        with pytest.raises(IsADirectoryError, match="is a directory"):
            call(tmp_path)
        with pytest.raises(ValueError, match="expected a file's name"):
            call(f"{tmp_path}{os.sep}")
        with pytest.raises(ValueError, match="not a regular file"):
            call(os.devnull)
        with pytest.raises(TypeError, match="expected a path or a binary file object"):
            call(3)
    with pytest.raises(FileNotFoundError, match=r"^\[load\] there is no file .*absent"):
        load(tmp_path / "absent")
    with pytest.raises(TypeError, match="open it with mode 'rb'"):
        load(io.StringIO("text"))


# ---- the optional package ------------------------------------------------------------------------


@pytest.fixture
def _without_safetensors(monkeypatch: pytest.MonkeyPatch) -> None:
    really = importlib.import_module

    def absent(name: str, package: str | None = None) -> ModuleType:
        if name.startswith("safetensors"):
            raise ModuleNotFoundError(name)
        return really(name, package)

    monkeypatch.setattr(importlib, "import_module", absent)


@pytest.mark.usefixtures("_without_safetensors")
def test_without_safetensors_the_error_names_the_extra(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match=r"^\[save\] .*install dualgraph\[safetensors\]"):
        save({"w": to_tensor([1.0])}, tmp_path / "folder" / "file")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ImportError, match=r"^\[load\] .*install dualgraph\[safetensors\]"):
        load(forged(1))


@pytest.mark.usefixtures("_without_safetensors")
def test_without_safetensors_the_files_of_paddle_are_read() -> None:
    path = Path(__file__).parents[1] / "data" / "tensor.pdtensor"
    assert load(path).tolist() == [1.0, 2.0]
