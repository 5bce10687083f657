"""Memory shared with other libraries."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dualgraph import dtypes
from dualgraph.dlpack import from_dlpack, to_dlpack
from dualgraph.ops.interchange import to_tensor
from dualgraph.tensor import wrap

SHARED = [d.numpy for d in dtypes.ALL if d is not dtypes.bfloat16]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@given(arrays.arrays(st.sampled_from(SHARED), SHAPES), st.booleans())
def test_both_ways_share_the_memory(array: np.ndarray[Any, Any], turned: bool) -> None:
    source = array.T[..., ::-1] if turned and array.ndim else array
    x = from_dlpack(source)
    back = np.from_dlpack(x)
    assert (x.dtype.name, x.shape) == (source.dtype.name, list(source.shape))
    assert (back.dtype, back.shape) == (source.dtype, source.shape)
    assert back.tobytes() == source.tobytes() == x.numpy().tobytes()
    if source.size:
        assert np.shares_memory(back, source)


def test_writes_show_on_both_sides() -> None:
    x = to_tensor([1.0, 2.0])
    array = np.from_dlpack(x)
    array[0] = 9.0
    assert x.tolist() == [9.0, 2.0]
    x.set_value([3.0, 4.0])
    assert array.tolist() == [3.0, 4.0]


def test_a_copy_can_be_asked_for() -> None:
    array = np.zeros(2)
    x = from_dlpack(array, copy=True)
    array[0] = 9.0
    assert x.tolist() == [0.0, 0.0]


def test_the_memory_outlives_its_owner() -> None:
    array = np.from_dlpack(to_tensor([1.0, 2.0]))
    x = from_dlpack(np.arange(1000.0))
    gc.collect()
    np.full(1000, 7.0)
    assert array.tolist() == [1.0, 2.0]
    assert x.tolist() == list(range(1000))


def test_a_view_shares_its_part() -> None:
    x = to_tensor([[1.0, 2.0], [3.0, 4.0]])
    column = np.from_dlpack(wrap(x._data[:, 1]))
    column[0] = 9.0
    assert x.tolist() == [[1.0, 9.0], [3.0, 4.0]]


def test_a_capsule_is_used_once() -> None:
    x = to_tensor([1.0])
    capsule = to_dlpack(x)
    assert type(capsule).__name__ == "PyCapsule"
    y = from_dlpack(capsule)
    y.set_value([5.0])
    assert x.tolist() == [5.0]
    with pytest.raises(BufferError, match=r"^\[from_dlpack\] a PyCapsule"):
        from_dlpack(capsule)


def test_a_capsule_keeps_its_memory_alive() -> None:
    y = from_dlpack(to_dlpack(to_tensor(np.arange(1000.0))))
    gc.collect()
    np.full(1000, 7.0)
    assert y.tolist() == list(range(1000))


def test_a_capsule_that_is_declared_read_only_stays_so() -> None:
    array = np.arange(3.0)
    array.flags.writeable = False
    y = from_dlpack(array.__dlpack__(max_version=(1, 0)))
    with pytest.raises(ValueError, match="read-only"):
        y.set_value([0.0, 0.0, 0.0])


def test_a_capsule_that_nobody_took_frees_its_memory() -> None:
    for _ in range(3):
        to_dlpack(to_tensor(np.zeros(1000)))
    gc.collect()


def test_tensors_are_on_the_cpu() -> None:
    assert tuple(to_tensor([1.0]).__dlpack_device__()) == (1, 0)


def test_what_needs_gradients_is_shared_only_detached() -> None:
    x = to_tensor([1.0], stop_gradient=False)
    for share in (to_dlpack, np.from_dlpack, from_dlpack):
        with pytest.raises(BufferError, match=r"\[dlpack\] .*share detach\(\) instead"):
            share(x)


def test_what_is_read_only_stays_so() -> None:
    array = np.arange(3.0)
    array.flags.writeable = False
    x = from_dlpack(array)
    with pytest.raises(ValueError, match="read-only"):
        x.set_value([0.0, 0.0, 0.0])


def test_bfloat16_is_refused_as_numpy_cannot_say_it() -> None:
    with pytest.raises(BufferError):
        to_dlpack(to_tensor([1.0], "bfloat16"))


class OnAnotherDevice:
    def __dlpack__(self, **_options: Any) -> Any:
        raise BufferError("this is a GPU's memory")

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0


def test_what_cannot_be_shared_is_refused() -> None:
    for thing in (3, [1.0], "a", None):
        with pytest.raises(TypeError, match=r"^\[from_dlpack\] .*__dlpack__"):
            from_dlpack(thing)
        with pytest.raises(TypeError, match=r"^\[to_dlpack\] .*expected a Tensor"):
            to_dlpack(thing)  # type: ignore[arg-type]
    for dtype in (np.uint16, np.uint64, np.complex64):
        with pytest.raises(TypeError, match=r"^\[dtype\]"):
            from_dlpack(np.zeros(2, dtype))
    with pytest.raises(BufferError, match=r"^\[from_dlpack\] a OnAnotherDevice .*GPU"):
        from_dlpack(OnAnotherDevice())
