"""Tensors and Python: what becomes a tensor, and what Python gets out of one."""

from __future__ import annotations

import copy
import decimal
import fractions
import gc
import math
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dualgraph import dtypes
from dualgraph.nn.parameter import Parameter
from dualgraph.ops.interchange import to_tensor
from dualgraph.tensor import Tensor, to_array, wrap

INF, NAN = float("inf"), float("nan")
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
DTYPES = [d.numpy for d in dtypes.ALL if d is not dtypes.bfloat16]
ANY_ARRAY = arrays.arrays(st.sampled_from(DTYPES), SHAPES)


def leaf(*values: float) -> Tensor:
    return to_tensor(list(map(float, values)), stop_gradient=False)


def bits(array: np.ndarray[Any, Any]) -> tuple[Any, ...]:
    return array.dtype, array.shape, array.tobytes()


# ---- properties ----------------------------------------------------------------------------------


@given(ANY_ARRAY, st.booleans())
def test_arrays_of_every_dtype_and_layout_go_in_and_come_out(
    array: np.ndarray[Any, Any], turned: bool
) -> None:
    given_array = array.T[::-1] if turned and array.ndim else array
    x = to_tensor(given_array)
    assert bits(x.numpy()) == bits(given_array)
    assert (x.shape, x.ndim, x.size) == (list(given_array.shape), array.ndim, array.size)
    assert x.is_contiguous()
    assert not np.shares_memory(x._data, given_array)
    assert not np.shares_memory(x.numpy(), x._data)
    assert not np.shares_memory(np.asarray(x), x._data)


@given(ANY_ARRAY)
def test_lists_and_items_are_numpys(array: np.ndarray[Any, Any]) -> None:
    x = to_tensor(array)
    assert repr(x.tolist()) == repr(array.tolist())
    for flat, index in enumerate(np.ndindex(array.shape)):
        expected = array.item(flat)
        for item in (x.item(flat), x.item(*index) if index else x.item()):
            assert (type(item), repr(item)) == (type(expected), repr(expected))


@given(ANY_ARRAY, st.integers(0, pickle.HIGHEST_PROTOCOL), st.booleans())
def test_pickling_keeps_values_name_and_gradient_mode(
    array: np.ndarray[Any, Any], protocol: int, stop: bool
) -> None:
    x = wrap(array.T)
    x.stop_gradient = stop or not dtypes.is_floating(array.dtype)
    x.name = "mine"
    y = pickle.loads(pickle.dumps(x, protocol))
    assert type(y) is Tensor
    assert bits(y.numpy()) == bits(x.numpy())
    assert (y.stop_gradient, y.name, y.is_leaf) == (x.stop_gradient, "mine", True)


@given(ANY_ARRAY, st.data())
def test_set_value_takes_what_has_the_shape_and_dtype(
    array: np.ndarray[Any, Any], data: st.DataObject
) -> None:
    other = data.draw(arrays.arrays(array.dtype, array.shape))
    for value in (other, wrap(other), np.asfortranarray(other).reshape(other.shape)):
        x = to_tensor(array)
        x.set_value(value)
        assert bits(x.numpy()) == bits(other)
        assert x.inplace_version == 1
        assert not np.shares_memory(x._data, other)


@given(ANY_ARRAY, ANY_ARRAY)
def test_set_value_refuses_all_else_and_keeps_the_value(
    array: np.ndarray[Any, Any], other: np.ndarray[Any, Any]
) -> None:
    x = to_tensor(array)
    if array.shape != other.shape:
        with pytest.raises(ValueError, match=r"^\[set_value\] .*equal shapes"):
            x.set_value(other)
    elif array.dtype != other.dtype:
        with pytest.raises(TypeError, match=r"^\[set_value\] .*equal dtypes; cast the value"):
            x.set_value(wrap(other))
    else:
        x.set_value(array)
    assert bits(x.numpy()) == bits(array)


NUMBERS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats()


@given(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=1, max_size=4))
def test_nested_lists_of_numbers_have_the_widest_kind(rows: list[list[Any]]) -> None:
    x = to_tensor(rows)
    kinds = {type(number) for row in rows for number in row}
    expected = "float32" if float in kinds else "int64" if int in kinds else "bool"
    assert (x.dtype.name, x.shape) == (expected, [len(rows), 2])
    with np.errstate(over="ignore"):
        assert bits(x.numpy()) == bits(np.array(rows).astype(expected))


# ---- what becomes a tensor -----------------------------------------------------------------------


def array_like(_self: Any, dtype: Any = None, copy: Any = None) -> Any:
    return np.array([1.0, 2.0])


WITH_ARRAY = type("WithArray", (), {"__array__": array_like})()


@pytest.mark.parametrize(
    ("data", "dtype", "value"),
    [
        (True, "bool", True),
        (3, "int64", 3),
        (1.5, "float32", 1.5),
        (-(2**63), "int64", -(2**63)),
        (1e400, "float32", INF),
        (1e39, "float32", INF),
        ([], "float32", []),
        ([[], []], "float32", [[], []]),
        ([True, 1], "int64", [1, 1]),
        ([True, 1.5], "float32", [1.0, 1.5]),
        ([[1, 2], (3, 4.5)], "float32", [[1.0, 2.0], [3.0, 4.5]]),
        ([range(3)], "int64", [[0, 1, 2]]),
        # numpy's scalars and arrays keep their dtype alone, but not in lists.
        (np.float64(1.5), "float64", 1.5),
        (np.float16(1.5), "float16", 1.5),
        (np.int8(1), "int8", 1),
        (np.bool_(True), "bool", True),
        ([np.float64(1.5), 2], "float32", [1.5, 2.0]),
        ([np.float16(1.5)], "float32", [1.5]),
        ([np.int32(1)], "int64", [1]),
        ([np.int8(1)], "int8", [1]),
        ([np.array([1.0]), np.array([2.0])], "float32", [[1.0], [2.0]]),
        ([np.array([1], np.int32), [2]], "int64", [[1], [2]]),
        (np.array([1.5]), "float64", [1.5]),
        (np.array([1], np.uint8), "uint8", [1]),
        # Tensors, and lists of nothing but tensors, keep theirs.
        (to_tensor([1.5], "float64"), "float64", [1.5]),
        ([to_tensor(1.5, "float64"), to_tensor(2.5, "float64")], "float64", [1.5, 2.5]),
        ([[to_tensor(1.5, "float16")], [to_tensor(2.5, "float16")]], "float16", [[1.5], [2.5]]),
        ([to_tensor([1], "int32"), to_tensor([2], "int32")], "int32", [[1], [2]]),
        ([to_tensor([1.5], "bfloat16")], "bfloat16", [[1.5]]),
        ([leaf(1.0), leaf(2.0)], "float32", [[1.0], [2.0]]),
        ([to_tensor(1), 2], "int64", [1, 2]),
        ([to_tensor(1), 2.5], "float32", [1.0, 2.5]),
        ([to_tensor([1.0, 2.0]), [3.0, 4.0]], "float32", [[1.0, 2.0], [3.0, 4.0]]),
        # Whatever offers an array is one.
        (WITH_ARRAY, "float64", [1.0, 2.0]),
        (memoryview(b"ab"), "uint8", [97, 98]),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "float64", [1.0, 2.0]),
    ],
    ids=repr,
)
def test_the_dtype_of_what_becomes_a_tensor(data: Any, dtype: str, value: Any) -> None:
    x = to_tensor(data)
    assert (x.dtype.name, x.tolist(), x.stop_gradient) == (dtype, value, True)


def test_python_floats_take_the_default_dtype_and_arrays_do_not() -> None:
    dtypes.set_default_dtype("float64")
    try:
        assert to_tensor(0.1).item() == 0.1
        assert [to_tensor(x).dtype.name for x in (1.5, [1.5], [np.float32(1.5)])] == ["float64"] * 3
        assert [to_tensor(x).dtype.name for x in (np.float32(1.5), 1)] == ["float32", "int64"]
    finally:
        dtypes.set_default_dtype("float32")


@pytest.mark.parametrize(
    ("data", "dtype", "value"),
    [
        (0.1, "float64", 0.1),
        ([0.1, 0.2], "float64", [0.1, 0.2]),
        (2**24 + 1, "float64", 2.0**24 + 1),
        ([1, 2], "float32", [1.0, 2.0]),
        ([1.9, -1.9], "int32", [1, -1]),
        ([0.5, 0.0], "bool", [True, False]),
        (300, "uint8", 44),
        (-1, "uint8", 255),
        (70000.0, "float16", INF),
        ([2**63], "float32", [2.0**63]),
        (np.array([1, 2], np.uint32), "int64", [1, 2]),
        (np.array([1.5], np.longdouble), "float64", [1.5]),
        (np.array([1, 2], ">i4"), "int32", [1, 2]),
        (to_tensor([1.5]), "int64", [1]),
        ([to_tensor(1.5), to_tensor(2.5)], "bfloat16", [1.5, 2.5]),
    ],
    ids=repr,
)
def test_a_dtype_that_is_asked_for_is_taken_directly(data: Any, dtype: str, value: Any) -> None:
    x = to_tensor(data, dtype)
    assert (x.dtype.name, x.tolist()) == (dtype, value)


def test_casting_nan_to_an_integer_does_not_warn() -> None:
    assert to_tensor([NAN, 1.0], "int64").tolist()[1] == 1


@pytest.mark.parametrize(
    "data",
    [
        None,
        "a",
        b"a",
        ["a", "b"],
        [1, "a"],
        [1, None],
        {1: 2},
        {1, 2},
        (x for x in [1, 2]),
        iter([1, 2]),
        object(),
        1j,
        [1, 2j],
        np.array([1j]),
        np.array(["a"]),
        np.array([None]),
        np.array([], object),
        np.array([1.0, 2.0], object),
        np.zeros(1, [("f", "f4")]),
        np.datetime64("2020-01-01"),
        fractions.Fraction(1, 2),
        [decimal.Decimal(1)],
    ],
    ids=repr,
)
def test_what_is_no_number_is_a_type_error(data: Any) -> None:
    with pytest.raises(TypeError, match=r"^\[to_tensor\] .*expected numbers"):
        to_tensor(data)


@pytest.mark.parametrize(
    "data",
    [
        [[1, 2], [3]],
        [[1, 2], 3],
        [True, [False]],
        [[], [1]],
        [to_tensor([1.0, 2.0]), to_tensor([3.0])],
    ],
    ids=repr,
)
def test_ragged_lists_are_value_errors(data: Any) -> None:
    with pytest.raises(ValueError, match=r"^\[to_tensor\] a nested list .*equal lengths"):
        to_tensor(data)


@pytest.mark.parametrize(
    "data", [2**63, [2**63], 2**64, -(2**63) - 1, [10**400], 10**400], ids=repr
)
def test_ints_beyond_64_bits_are_value_errors(data: Any) -> None:
    with pytest.raises(ValueError, match=r"^\[to_tensor\] .*int64 can hold"):
        to_tensor(data)


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.uint64, np.longdouble, ">f4"])
def test_arrays_of_other_dtypes_are_type_errors(dtype: Any) -> None:
    with pytest.raises(TypeError, match=r"^\[dtype\] .*expected one of bool"):
        to_tensor(np.zeros(2, dtype))
    assert to_tensor(np.zeros(2, dtype), "float32").tolist() == [0.0, 0.0]


def test_to_array_always_makes_a_fresh_writable_array() -> None:
    source = np.arange(3.0)
    source.flags.writeable = False
    for data in (source, wrap(source), [1.0], WITH_ARRAY, np.float32(1)):
        array = to_array(data)
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert not np.shares_memory(array, source)


def test_strided_and_broadcast_arrays_become_row_major() -> None:
    for array in (np.ones((2, 3)).T, np.arange(6)[::-2], np.broadcast_to(np.ones(2), (3, 2))):
        assert to_tensor(array).is_contiguous()
        assert to_tensor(array).tolist() == array.tolist()


# ---- one element ---------------------------------------------------------------------------------


def test_items_are_python_numbers_also_of_bfloat16() -> None:
    values = [
        to_tensor(1.5),
        to_tensor(3),
        to_tensor(True),
        to_tensor(1.5, "bfloat16"),
        to_tensor([[2]]),
    ]
    assert [x.item() for x in values] == [1.5, 3, True, 1.5, 2]
    assert [type(x.item()) for x in values] == [float, int, bool, float, int]
    assert to_tensor([1.5], "bfloat16").tolist() == [1.5]
    assert type(to_tensor([1.5], "bfloat16").tolist()[0]) is float


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        ((), ValueError),
        ((6,), IndexError),
        ((-7,), IndexError),
        ((1, 3), IndexError),
        ((0, 0, 0), ValueError),
        ((1.0,), TypeError),
        (("a",), TypeError),
    ],
)
def test_item_says_what_was_wrong(index: tuple[Any, ...], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"^\[item\] .*float32 \[2, 3\]"):
        to_tensor(np.ones((2, 3), np.float32)).item(*index)


ONE_ELEMENT = [to_tensor(2.5), to_tensor([2.5]), to_tensor([[2.5]]), to_tensor(2.5, "bfloat16")]


@pytest.mark.parametrize("x", ONE_ELEMENT, ids=lambda x: f"{x.dtype.name}{x.shape}")
def test_one_element_is_a_number_to_python(x: Tensor) -> None:
    assert (int(x), float(x), complex(x), bool(x)) == (2, 2.5, 2.5 + 0j, True)
    assert (math.floor(x), math.ceil(x), math.sqrt(x), math.isnan(x)) == (2, 3, 2.5**0.5, False)


@pytest.mark.parametrize(
    "x", [to_tensor(3), to_tensor([3], "int8"), to_tensor([[3]], "uint8")], ids=repr
)
def test_an_integer_is_an_index_to_python(x: Tensor) -> None:
    assert list(range(x)) == [0, 1, 2]
    assert [0, 10, 20, 30][x] == 30
    assert "abcd"[:x] == "abc"
    assert (bin(x), hex(x), chr(to_tensor(65))) == ("0b11", "0x3", "A")
    assert np.zeros([x, 2]).shape == (3, 2)
    assert [10, 20][to_tensor(True)] == 20


def test_a_float_is_no_index() -> None:
    """Paddle cuts it off, so that 1.9 is 1."""
    with pytest.raises(TypeError, match=r"^\[index\] .*expected an integer type"):
        [1, 2][to_tensor(1.0)]


@pytest.mark.parametrize("x", [to_tensor([1, 2]), to_tensor(np.zeros((0,), np.int64))], ids=repr)
@pytest.mark.parametrize("door", [bool, int, float, complex, range, Tensor.item])
def test_many_or_no_elements_are_a_value_error(door: Callable[[Any], Any], x: Tensor) -> None:
    with pytest.raises(ValueError, match=r"\] the tensor is int64 .*expected one element"):
        door(x)


def test_numbers_without_an_int_raise_as_in_python() -> None:
    with pytest.raises(ValueError, match="NaN"):
        int(to_tensor(NAN))
    with pytest.raises(OverflowError):
        int(to_tensor(INF))


@pytest.mark.parametrize("function", [round, math.trunc])
def test_what_paddle_has_not_either_is_a_type_error(function: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        function(to_tensor(1.5))


# ---- numpy ---------------------------------------------------------------------------------------


def test_numpy_gets_a_copy_unless_it_asks_for_none() -> None:
    x = to_tensor([1.0, 2.0])
    for array in (np.asarray(x), np.array(x), np.array(x, copy=None), x.__array__(), x.numpy()):
        assert array.dtype == np.float32
        array[0] = 9.0
        assert x.tolist() == [1.0, 2.0]
    shared = np.asarray(x, copy=False)
    shared[0] = 9.0
    assert x.tolist() == [9.0, 2.0]


def test_numpy_may_ask_for_a_dtype() -> None:
    x = to_tensor([1.5, 2.5])
    assert np.array(x, dtype="float64").dtype == np.float64
    assert np.asarray(x, np.int32).tolist() == [1, 2]
    assert x.__array__("float16").dtype == np.float16
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, np.int32, copy=False)


def test_numpy_of_what_needs_gradients_is_allowed() -> None:
    assert np.asarray(leaf(1, 2)).tolist() == [1.0, 2.0]


def test_lists_of_tensors_are_arrays() -> None:
    assert np.array([to_tensor(1.0), to_tensor(2.0)]).tolist() == [1.0, 2.0]
    assert np.stack([to_tensor([1]), to_tensor([2])]).tolist() == [[1], [2]]
    assert np.concatenate([to_tensor([1.0]), to_tensor([2.0])]).dtype == np.float32


def test_functions_of_arrays_take_tensors() -> None:
    x = to_tensor([3.0, 4.0])
    np.testing.assert_allclose(x, [3.0, 4.0])
    assert np.linalg.norm(x) == 5.0
    assert np.allclose(x, np.array([3.0, 4.0]))
    assert np.arange(to_tensor(3)).tolist() == [0, 1, 2]
    assert np.float32(to_tensor(1.5)) == 1.5
    assert np.zeros(3)[to_tensor(1)] == 0.0


@pytest.mark.parametrize(
    "call",
    [
        np.sin,
        np.isnan,
        np.add.reduce,
        lambda x: np.add(x, x),
        lambda x: np.add(np.ones(2), x),
    ],
)
def test_numpys_own_ufuncs_leave_tensors_alone(call: Callable[[Any], Any]) -> None:
    """As in Paddle: they would return arrays, and gradients would be lost without a word."""
    with pytest.raises(TypeError, match="does not support ufuncs"):
        call(to_tensor([1.0, 2.0]))


def test_an_array_cannot_be_added_to_in_place() -> None:
    array = np.ones(2, np.float32)
    with pytest.raises(TypeError, match="does not support ufuncs"):
        array += to_tensor([1.0, 2.0])


@pytest.mark.parametrize("other", [np.ones(2, np.float32), np.float32(1), np.float64(1), 1, 1.0])
def test_operators_with_arrays_and_numbers_give_tensors(other: Any) -> None:
    x = leaf(1, 2)
    for y in (x + other, other + x):  # type: ignore[operator]
        assert isinstance(y, Tensor)
        assert (y.dtype.name, y.tolist(), y.stop_gradient) == ("float32", [2.0, 3.0], False)


# ---- sets, dicts, identity -----------------------------------------------------------------------


def test_tensors_are_keys_by_identity() -> None:
    x, y = to_tensor([1.0]), to_tensor([1.0])
    assert hash(x) == hash(x)
    assert len({x, y, x}) == 2
    table = {x: "x", y: "y"}
    x.set_value([2.0])
    assert (table[x], table[y]) == ("x", "y")


def test_tensors_are_freed_without_the_collector() -> None:
    gc.disable()
    try:
        x = leaf(1, 2)
        gone = weakref.ref(x)
        del x
        assert gone() is None
    finally:
        gc.enable()


# ---- copies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_a_leaf_of_its_own(copied: Callable[[Any], Any]) -> None:
    x = leaf(1, 2)
    x.name = "w"
    x.grad = to_tensor([1.0, 1.0])
    y = copied(x)
    assert (y.tolist(), y.stop_gradient, y.is_leaf, y.grad) == ([1.0, 2.0], False, True, None)
    assert y.name.startswith("w_deepcopy_")
    assert copied(x).name != y.name
    x.set_value([5.0, 6.0])
    assert (y.tolist(), y.inplace_version) == ([1.0, 2.0], 0)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_what_was_computed_is_a_leaf(copied: Callable[[Any], Any]) -> None:
    y = copied(leaf(1, 2) * 2.0)  # type: ignore[operator]
    assert (y.tolist(), y.stop_gradient, y.is_leaf, y.grad_fn) == ([2.0, 4.0], False, True, None)


def test_deepcopy_keeps_ties_and_attributes() -> None:
    x = leaf(1)
    x.tags = ["a"]  # type: ignore[attr-defined]
    both = copy.deepcopy({"a": x, "b": [x]})
    assert both["a"] is both["b"][0]  # type: ignore[index]
    assert both["a"].tags == ["a"]  # type: ignore[attr-defined]
    assert both["a"].tags is not x.tags  # type: ignore[attr-defined]


def test_copies_of_views_are_contiguous_and_alone() -> None:
    whole = to_tensor(np.arange(6.0).reshape(2, 3))
    view = wrap(whole._data.T)
    for twin in (copy.copy(view), copy.deepcopy(view), pickle.loads(pickle.dumps(view))):
        assert twin.tolist() == view.tolist()
        assert not np.shares_memory(twin._data, whole._data)
    assert copy.copy(view).is_contiguous()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_parameters_keep_what_optimizers_ask(copied: Callable[[Any], Any]) -> None:
    p = Parameter([1.0, 2.0], name="w")
    p.optimize_attr["learning_rate"] = 0.5
    p.need_clip = False
    q = copied(p)
    assert type(q) is Parameter
    assert (q.tolist(), q.trainable, q.persistable) == ([1.0, 2.0], True, True)
    assert (q.optimize_attr, q.need_clip, q.regularizer) == ({"learning_rate": 0.5}, False, None)
    q.optimize_attr["learning_rate"] = 0.25
    assert p.optimize_attr == {"learning_rate": 0.5}
    frozen = Parameter([1.0], trainable=False)
    assert copied(frozen).stop_gradient


# ---- set_value -----------------------------------------------------------------------------------


def test_set_value_takes_numbers_and_lists_in_the_tensors_dtype() -> None:
    x, n = to_tensor([1.0, 2.0], "float64"), to_tensor(1)
    x.set_value([0.1, 3])
    n.set_value(7)
    assert (x.tolist(), x.dtype.name, n.tolist()) == ([0.1, 3.0], "float64", 7)


def test_set_value_of_ones_own_memory_is_right() -> None:
    x = to_tensor([1.0, 2.0, 3.0])
    x.set_value(x._data[::-1])
    assert x.tolist() == [3.0, 2.0, 1.0]


def test_set_value_of_read_only_memory_is_refused() -> None:
    x = wrap(np.broadcast_to(np.float32(1), (2,)))
    with pytest.raises(ValueError, match=r"^\[set_value\] .*read-only"):
        x.set_value([1.0, 2.0])
    assert x.inplace_version == 0


@pytest.mark.parametrize("value", ["a", None, {}, [[1.0], [2.0, 3.0]], object()], ids=repr)
def test_set_value_refuses_what_is_no_tensor(value: Any) -> None:
    x = leaf(1, 2)
    with pytest.raises((TypeError, ValueError), match=r"^\["):
        x.set_value(value)
    assert (x.tolist(), x.inplace_version) == ([1.0, 2.0], 0)
