"""Making tensors: shapes in every spelling, dtypes, ranges, triangles, grids, data from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.ops.creation import new_shape
from dualgraph.ops.interchange import replace_values

NAN, INF = float("nan"), float("inf")

matrices = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=4, min_side=0, max_side=4),
    elements=st.floats(-5, 5),
)


def spellings(sizes: list[int]) -> list[Any]:
    """All ways to give a shape."""
    ways = [
        sizes,
        tuple(sizes),
        [dg.to_tensor(n) for n in sizes],
        np.array(sizes, np.int64).tolist(),
    ]
    ways.append([np.int64(n) for n in sizes])
    if sizes:
        ways.append(dg.to_tensor(sizes))
    if len(sizes) == 1:
        ways += [sizes[0], dg.to_tensor(sizes[0]), [dg.to_tensor(sizes)]]
    return ways


# -- one value -------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), max_size=3))
def test_a_shape_is_understood_in_every_spelling(sizes: list[int]) -> None:
    for shape in spellings(sizes):
        for made in (dg.zeros(shape), dg.ones(shape), dg.empty(shape), dg.full(shape, 3)):
            assert made.shape == sizes
            assert made.dtype == dg.float32
            assert made.stop_gradient


@pytest.mark.parametrize(
    "function", [dg.zeros, dg.ones, dg.empty, lambda s: dg.full(s, 1), dg.rand]
)
def test_what_is_no_shape_is_refused(function: Any) -> None:
    with pytest.raises(ValueError, match=r"shape is \[2, -1\]"):
        function([2, -1])
    for wrong in ([2.0], 2.0, "2", None, dg.to_tensor([2.0])):
        with pytest.raises(TypeError, match=r"\[\w+\] shape is"):
            function(wrong)


def test_a_filled_tensor_has_the_default_dtype_unless_told() -> None:
    assert dg.full([2], 7).dtype == dg.float32
    assert dg.full([1], True).dtype == dg.bool
    assert dg.full([1], 7.9, "int32").tolist() == [7]
    assert dg.full([1], 2, dtype="bool").tolist() == [True]
    assert dg.full([1], 2**62 + 1, "int64").item() == 2**62 + 1
    assert dg.full([1], np.float64(2)).dtype == dg.float32
    assert dg.zeros([1], "bfloat16").dtype == dg.bfloat16
    assert dg.full([1], -0.0).item().hex() == "-0x0.0p+0"


def test_a_fill_value_may_be_a_spelling_or_a_tensor() -> None:
    assert dg.full([2], "3.5").tolist() == [3.5, 3.5]
    assert np.isnan(dg.full([], "nan").item())
    assert dg.full([2], dg.to_tensor([3])).tolist() == [3.0, 3.0]
    leaf = dg.to_tensor(2.0, stop_gradient=False)
    assert dg.full([2], leaf).stop_gradient
    with pytest.raises(TypeError, match=r"\[full\] fill_value is list"):
        dg.full([1], [2])
    with pytest.raises(TypeError, match=r"\[full\] fill_value is complex"):
        dg.full([1], 1j)
    with pytest.raises(ValueError, match="fill_value is 'a'"):
        dg.full([1], "a")
    with pytest.raises(ValueError, match=r"fill_value is float32 \[2\]"):
        dg.full([1], dg.ones([2]))


def test_the_likes_take_shape_and_dtype() -> None:
    x = dg.to_tensor([[1, 2]], dtype="int32")
    assert dg.zeros_like(x).dtype == dg.int32
    assert dg.ones_like(x, "float64").tolist() == [[1.0, 1.0]]
    assert dg.full_like(x, 2.9).tolist() == [[2, 2]]
    assert dg.full_like(x, dg.to_tensor(5)).tolist() == [[5, 5]]
    assert dg.empty_like(x).shape == [1, 2]
    assert dg.zeros_like(dg.to_tensor([1.0], stop_gradient=False)).stop_gradient
    with pytest.raises(TypeError, match=r"\[full_like\] x is"):
        dg.zeros_like([1.0])


def test_what_is_made_is_new_memory() -> None:
    for made in (dg.zeros([2]), dg.full([2], 1.0), dg.arange(2), dg.eye(2)):
        assert made._data.flags.writeable
        assert made._data.base is None


# -- ranges ----------------------------------------------------------------------------------------


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5).filter(bool))
def test_ranges_of_integers_are_pythons(start: int, end: int, step: int) -> None:
    out = dg.arange(start, end, step)
    assert (out.dtype, out.tolist()) == (dg.int64, list(range(start, end, step)))


@given(st.floats(-5, 5), st.integers(0, 30), st.floats(0.01, 2))
def test_ranges_of_floats_are_counted_not_added_up(start: float, n: int, step: float) -> None:
    out = dg.arange(start, start + (n - 0.5) * step, step, "float64").numpy()
    np.testing.assert_array_equal(out, start + np.arange(n) * step)


def test_the_dtype_of_a_range_follows_its_bounds() -> None:
    assert dg.arange(3.0).dtype == dg.float32
    assert dg.arange(0, 3, 1.0).dtype == dg.float32
    assert dg.arange(3, dtype="float64").tolist() == [0.0, 1.0, 2.0]
    assert dg.arange(dg.to_tensor(3, dtype="int32")).dtype == dg.int64
    assert dg.arange(dg.to_tensor([0.0]), dg.to_tensor(2.0), dg.to_tensor(0.5)).shape == [4]
    assert dg.arange(np.int64(3)).tolist() == [0, 1, 2]
    assert dg.arange(0.5, 3.9, 1.2, dtype="int64").tolist() == [0, 1, 2]
    assert dg.arange(0, 300, dtype="bfloat16")[-1].astype("float32").item() == 300.0


def test_what_is_no_range_is_refused() -> None:
    for arguments in ((0, 1, 0), (0, INF), (NAN,), (0, 1, 0.5, "int64")):
        with pytest.raises(ValueError, match=r"\[arange\]"):
            dg.arange(*arguments)
    for wrong in ("3", None, [3]):
        with pytest.raises(TypeError, match=r"\[arange\]"):
            dg.arange(wrong)
    with pytest.raises(TypeError, match="dtype is bool"):
        dg.arange(3, dtype="bool")


@given(st.floats(-100, 100), st.floats(-100, 100), st.integers(1, 40))
def test_even_spacing_meets_both_ends(start: float, stop: float, num: int) -> None:
    out = dg.linspace(start, stop, num, "float64").numpy()
    np.testing.assert_allclose(out, np.linspace(start, stop, num), rtol=1e-12, atol=1e-11)
    assert out[0] == start
    assert num == 1 or out[-1] == stop


def test_even_spacing_in_every_spelling() -> None:
    assert dg.linspace(0, 10, 4, "int32").tolist() == [0, 3, 6, 10]
    assert dg.linspace(0, -10, 4, "int64").tolist() == [0, -3, -6, -10]
    ends = dg.to_tensor([0]), dg.to_tensor(1.0, dtype="float64")
    assert dg.linspace(*ends, dg.to_tensor(3)).tolist() == [0.0, 0.5, 1.0]
    assert dg.linspace(0, 1, 0).shape == [0]
    assert dg.logspace(0, 3, 4, 2, "int32").tolist() == [1, 2, 4, 8]
    assert dg.logspace(0, 3, 1).tolist() == [1.0]
    with pytest.raises(ValueError, match=r"\[linspace\] shape is \[-1\]"):
        dg.linspace(0, 1, -1)
    with pytest.raises(TypeError, match=r"\[linspace\]"):
        dg.linspace("a", 1, 3)


def test_identity_matrices() -> None:
    assert dg.eye(2, 3, "int32").tolist() == [[1, 0, 0], [0, 1, 0]]
    assert dg.eye(dg.to_tensor(2), dtype="bool").tolist() == [[True, False], [False, True]]
    assert dg.eye(0).shape == [0, 0]
    with pytest.raises(ValueError, match=r"\[eye\]"):
        dg.eye(2, -1)
    with pytest.raises(TypeError, match=r"\[eye\]"):
        dg.eye(2.0)


# -- triangles, diagonals, grids -------------------------------------------------------------------


@given(matrices, st.integers(-5, 5))
def test_triangles_are_numpys(x: Any, diagonal: int) -> None:
    np.testing.assert_array_equal(dg.tril(dg.to_tensor(x), diagonal).numpy(), np.tril(x, diagonal))
    np.testing.assert_array_equal(dg.triu(dg.to_tensor(x), diagonal).numpy(), np.triu(x, diagonal))


@given(st.integers(0, 5), st.integers(0, 5), st.integers(-6, 6))
def test_indices_of_triangles_are_numpys(row: int, col: int, offset: int) -> None:
    lower, upper = dg.tril_indices(row, col, offset), dg.triu_indices(row, col, offset)
    np.testing.assert_array_equal(lower.numpy(), np.tril_indices(row, offset, col))
    np.testing.assert_array_equal(upper.numpy(), np.triu_indices(row, offset, col))


@given(st.integers(0, 4), st.integers(-3, 3))
def test_a_diagonal_comes_back(n: int, offset: int) -> None:
    x = np.arange(1.0, n + 1)
    matrix = dg.diag(dg.to_tensor(x), offset)
    np.testing.assert_array_equal(matrix.numpy(), np.diag(x, offset))
    np.testing.assert_array_equal(dg.diag(matrix, offset).numpy(), x)


def test_triangles_drop_nan_and_refuse_vectors() -> None:
    x = dg.to_tensor([[NAN, NAN], [1.0, NAN]])
    assert dg.tril(x).tolist()[0][1] == 0.0
    with pytest.raises(ValueError, match=r"\[tril\] x is float32 \[3\]"):
        dg.tril(dg.ones([3]))
    with pytest.raises(TypeError, match=r"diagonal is float 1\.0"):
        dg.triu(dg.ones([2, 2]), 1.0)
    with pytest.raises(TypeError, match="dtype is float32"):
        dg.tril_indices(2, 2, dtype="float32")


def test_triangles_in_place() -> None:
    x = dg.ones([2, 2], "int64")
    assert x.tril_() is x
    assert x.tolist() == [[1, 0], [1, 1]]
    assert x.triu_().tolist() == [[1, 0], [0, 1]]
    with pytest.raises(ValueError, match="leaf"):
        dg.to_tensor([[1.0]], stop_gradient=False).tril_()


def test_diagonals_are_padded_flattened_and_embedded() -> None:
    x = dg.to_tensor([1, 2])
    assert dg.diag(x, padding_value=6).tolist() == [[1, 6], [6, 2]]
    assert dg.diag(x, -1, 6).tolist() == [[6, 6, 6], [1, 6, 6], [6, 2, 6]]
    assert dg.diag(x, padding_value=1.5).tolist() == [[1, 1], [1, 2]]
    assert dg.diag(dg.to_tensor([[1, 2, 3], [4, 5, 6]]), 9).shape == [0]
    assert dg.diag(dg.to_tensor(1)).tolist() == [[1]]
    assert dg.diagflat(dg.to_tensor([[1, 2], [3, 4]]), 1).shape == [5, 5]
    assert dg.diag_embed(dg.to_tensor([[1.0, 2.0], [3.0, 4.0]]), 1, 0, 2).shape == [3, 2, 3]
    for wrong, text in ((dg.ones([1, 1, 1]), "one axis or two"),):
        with pytest.raises(ValueError, match=text):
            dg.diag(wrong)
    with pytest.raises(ValueError, match="dim1 and dim2"):
        dg.diag_embed(dg.ones([2]), dim1=0, dim2=0)
    with pytest.raises(TypeError, match="offset is float"):
        dg.diag(x, 0.5)


def test_the_diagonal_of_a_matrix_is_a_copy() -> None:
    x = dg.ones([2, 2])
    assert not np.shares_memory(dg.diag(x)._data, x._data)


def test_grids() -> None:
    x, y = dg.meshgrid(dg.to_tensor([1, 2]), dg.to_tensor([3, 4, 5]))
    assert (x.tolist(), y.tolist()) == ([[1] * 3, [2] * 3], [[3, 4, 5], [3, 4, 5]])
    x, y = dg.meshgrid([dg.to_tensor([1, 2]), dg.to_tensor([3, 4, 5])], indexing="xy")
    assert (x.tolist(), y.tolist()) == ([[1, 2]] * 3, [[3, 3], [4, 4], [5, 5]])
    assert [t.shape for t in dg.meshgrid(dg.to_tensor(1), dg.to_tensor([3, 4]))] == [[1, 2]] * 2
    with pytest.raises(ValueError, match="no tensor"):
        dg.meshgrid()
    with pytest.raises(ValueError, match=r"int64 \[1, 1\]"):
        dg.meshgrid(dg.to_tensor([[1]]))
    with pytest.raises(ValueError, match="one dtype"):
        dg.meshgrid(dg.ones([1]), dg.ones([1], "int64"))
    with pytest.raises(TypeError, match="input 0 is list"):
        dg.meshgrid([1.0], [2.0])


def test_gradients_flow_through_grids_triangles_and_diagonals() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    out = (
        dg.meshgrid(x, dg.ones([3]))[0].sum()
        + dg.tril(dg.diag(x) + 0).sum()
        + dg.diag(x, 0, 5.0).sum()
    )
    out.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [5.0, 5.0]


# -- data ------------------------------------------------------------------------------------------


def test_data_becomes_a_tensor_with_paddles_dtypes() -> None:
    for data, dtype in [
        (1.5, dg.float32),
        (3, dg.int64),
        (True, dg.bool),
        ([1, 2.0], dg.float32),
        ([], dg.float32),
        (np.ones(1), dg.float64),
        (np.float64(1), dg.float64),
        (np.ones(1, "float16"), dg.float16),
        ([dg.to_tensor(1), dg.to_tensor(2)], dg.int64),
        (dg.ones([1], "int32"), dg.int32),
    ]:
        assert dg.to_tensor(data).dtype == dtype
    assert dg.to_tensor([[1, 2]], dtype="float64").tolist() == [[1.0, 2.0]]
    assert not dg.to_tensor(1.0, stop_gradient=False).stop_gradient


def test_a_tensor_of_a_tensor_is_a_copy_without_a_past() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    y = dg.to_tensor(x * 2, stop_gradient=False)
    assert y.is_leaf
    assert not y.stop_gradient
    assert dg.to_tensor(x).stop_gradient
    assert dg.to_tensor(x, "int32").tolist() == [1, 2]
    assert not np.shares_memory(dg.to_tensor(x)._data, x._data)


def test_every_place_is_the_cpu() -> None:
    assert dg.to_tensor([1.0], place="cpu").place.is_cpu_place()
    with pytest.warns(UserWarning, match="gpu"):
        dg.to_tensor([1.0], place="gpu:0")
    with pytest.raises(ValueError, match="'attic'"):
        dg.to_tensor([1.0], place="attic")


@pytest.mark.parametrize("wrong", [None, "a", 1j, {}, {1}, b"a"])
def test_data_that_no_tensor_can_hold_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"\[\w+\]"):
        dg.to_tensor(wrong)


def test_complex_tensors_are_refused() -> None:
    with pytest.raises(TypeError, match="no complex tensors"):
        dg.complex(dg.ones([1]), dg.ones([1]))


def test_assigning_copies_tensors_and_keeps_numpys_dtypes_of_data() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    y = dg.assign(x)
    (y * 3).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 3.0]
    for data, shape, dtype in [
        (3, [1], dg.int64),
        (3.5, [1], dg.float64),
        (True, [1], dg.bool),
        ([1.0, 2.0], [2], dg.float64),
        (np.float32(3), [1], dg.float32),
        (np.array(3.0), [], dg.float64),
        ([dg.to_tensor(1), dg.to_tensor(2)], [2], dg.int64),
    ]:
        made = dg.assign(data)
        assert (made.shape, made.dtype) == (shape, dtype)
    with pytest.raises(TypeError, match=r"\[assign\] x is str"):
        dg.assign("a")
    with pytest.raises(ValueError, match=r"\[assign\] a nested list"):
        dg.assign([[1], [1, 2]])


def test_assigning_into_a_tensor() -> None:
    out = dg.zeros([2])
    assert dg.assign(dg.to_tensor([1.0, 2.0]), out) is out
    assert out.tolist() == [1.0, 2.0]
    assert dg.assign(np.array([3, 4]), out).dtype == dg.float32
    with pytest.raises(ValueError, match=r"\[assign\]"):
        dg.assign(dg.ones([3]), out)
    with pytest.raises(TypeError, match="output is list"):
        dg.assign(dg.ones([3]), [0.0])
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    target = dg.zeros([2])
    dg.assign(x * 2, target)
    (target * 5).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [10.0, 10.0]


def test_replaced_values_cut_off_the_past() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    y = x * 2
    replace_values("fill_", y, lambda: dg.ones([2]))
    assert y.stop_gradient
    made: list[Tensor] = []
    with pytest.raises(ValueError, match="leaf"):
        replace_values("fill_", x, lambda: made.append(dg.ones([2])) or made[0])
    assert made == []


def test_what_is_a_tensor() -> None:
    assert dg.is_tensor(dg.ones([1]))
    assert not dg.is_tensor(np.ones(1))
    assert dg.tolist(dg.to_tensor([[1, 2]])) == [[1, 2]]
    with pytest.raises(TypeError, match=r"\[tolist\] x is list"):
        dg.tolist([1])


def test_sizes_are_read_once() -> None:
    assert new_shape("zeros", [dg.to_tensor(2), 3]) == (2, 3)
