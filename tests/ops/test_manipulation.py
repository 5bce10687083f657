"""Shape, order and regular regions: values against numpy, shared memory, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.ops.windows import as_strided
from tests.ops.drawn import SHAPES, numbers, views


def grid() -> Tensor:
    return dg.to_tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])


def share(x: Tensor, y: Tensor) -> bool:
    return bool(np.shares_memory(x._data, y._data))


# -- properties -----------------------------------------------------------------------------------


@given(st.data())
def test_chains_of_views_share_memory_and_have_numpys_values(data: st.DataObject) -> None:
    values = numbers(data.draw(SHAPES))
    x = dg.to_tensor(values)
    out, expected = x, values
    for _ in range(data.draw(st.integers(1, 4))):
        _, ours, numpys = data.draw(views(expected.shape))
        out, expected = ours(out), numpys(expected)
        assert out.shape == list(expected.shape)
    np.testing.assert_array_equal(out.numpy(), expected)
    assert share(out, x) == (out.size > 0)
    out[...] = -1.0
    assert (x.numpy() == -1.0).sum() == np.unique(expected).size


@given(st.data())
def test_gradients_of_views_go_where_the_elements_came_from(data: st.DataObject) -> None:
    values = numbers(data.draw(SHAPES))
    x = dg.to_tensor(values, stop_gradient=False)
    out, places = x, np.arange(values.size).reshape(values.shape)
    for _ in range(data.draw(st.integers(1, 4))):
        _, ours, numpys = data.draw(views(places.shape))
        out, places = ours(out), numpys(places)
    weights = numbers(places.shape)
    (out * dg.to_tensor(weights)).sum().backward()
    expected = np.bincount(places.reshape(-1), weights.reshape(-1), minlength=values.size)
    np.testing.assert_allclose(x.grad.numpy().reshape(-1), expected)


@given(st.data())
def test_reshape_finds_the_size_that_is_left(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    new = data.draw(st.permutations(shape))
    hole = data.draw(st.integers(0, len(shape) - 1))
    wanted: list[int] = [-1 if i == hole else n for i, n in enumerate(new)]
    copied = [0 if n == shape[i] else n for i, n in enumerate(wanted)]
    values = numbers(tuple(shape))
    for asked in (wanted, copied):
        out = dg.to_tensor(values).reshape(asked)
        np.testing.assert_array_equal(out.numpy(), values.reshape(new))


@given(st.data())
def test_unfold_counts_overlaps_in_its_gradient(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 8))
    size, step = data.draw(st.integers(1, length)), data.draw(st.integers(1, 4))
    x = dg.to_tensor(numbers((2, length)), stop_gradient=False)
    windows = x.unfold(1, size, step)
    starts = range(0, length - size + 1, step)
    np.testing.assert_array_equal(
        windows.numpy(), np.stack([x.numpy()[:, i : i + size] for i in starts], 1)
    )
    windows.sum().backward()
    counts = np.zeros(length)
    for i in starts:
        counts[i : i + size] += 1
    np.testing.assert_array_equal(x.grad.numpy(), np.stack([counts, counts]))


# -- reshape and its kin --------------------------------------------------------------------------


def test_reshape_takes_ints_lists_and_tensors() -> None:
    x = grid()
    for shape in ([3, 2], (3, 2), dg.to_tensor([3, 2]), [dg.to_tensor(3), dg.to_tensor([2])]):
        assert x.reshape(shape).shape == [3, 2]
    assert x.reshape(3, 2).shape == [3, 2]
    assert x.reshape(6).shape == [6]
    assert dg.reshape(x, [-1], name="flat").shape == [6]


def test_reshape_to_the_same_shape_is_the_tensor_itself() -> None:
    x = grid()
    assert x.reshape([2, 3]) is x
    assert x.reshape([2, -1]) is not x


@pytest.mark.parametrize(
    ("old", "asked", "new"),
    [
        ([0, 3], [0, -1], [0, 3]),
        ([0, 3, 4], [0, -1], [0, 12]),
        ([0, 3], [-1, 3], [0, 3]),
        ([0, 3], [3, 0], [3, 0]),
        ([2, 0], [2, -1], [2, 0]),
        ([2, 0, 3], [-1, 3], [0, 3]),
        ([0], [0, -1], [0, 1]),
    ],
)
def test_reshape_without_elements_takes_zeros_literally(
    old: list[int], asked: list[int], new: list[int]
) -> None:
    assert dg.zeros(old).reshape(asked).shape == new


@pytest.mark.parametrize("shape", [[4, 2], [-1, 4], [-1, -1], [3, 0], [2, 3, 0], [-2, 3], []])
def test_reshape_refuses_what_does_not_fit(shape: list[int]) -> None:
    with pytest.raises(ValueError, match=r"\[reshape\] x is \[2, 3\] with 6 elements, shape is"):
        grid().reshape(shape)


@pytest.mark.parametrize("shape", [["a"], [2.5], None, dg.to_tensor([2.0])])
def test_a_shape_that_is_no_list_of_ints_is_refused(shape: Any) -> None:
    with pytest.raises(TypeError, match=r"\[reshape\] shape is .*expected ints"):
        grid().reshape(shape)


def test_reshape_and_flatten_copy_where_memory_order_does_not_allow_a_view() -> None:
    x = grid()
    assert not share(x.T.reshape([6]), x)
    assert not share(x.T.flatten(), x)
    assert share(x.reshape([6]), x)
    assert share(x.T.unsqueeze([0, 3]), x)
    with pytest.raises(ValueError, match=r"\[view\].*use reshape"):
        x.T.view([6])
    assert share(x.T.view([3, 1, 2]), x)


def test_view_reads_the_bytes_as_another_dtype() -> None:
    x = dg.to_tensor([1.0, 2.0])
    assert x.view("int32").tolist() == [1065353216, 1073741824]
    assert x.view(dg.uint8).shape == [8]
    assert x.view("int64").shape == [1]
    assert dg.to_tensor(3.0).view("int32").item() == 1077936128
    assert share(x.view("int32"), x)
    with pytest.raises(ValueError, match=r"\[bitcast\]"):
        dg.to_tensor([1.0, 2.0, 3.0]).view("int64")


def test_view_as_takes_the_others_shape() -> None:
    assert dg.view_as(grid(), dg.zeros([3, 2])).shape == [3, 2]
    assert grid().view(3, 2).shape == [3, 2]


def test_squeeze_leaves_other_sizes_alone() -> None:
    x = dg.zeros([2, 1, 3, 1])
    assert x.squeeze().shape == [2, 3]
    assert x.squeeze(0).shape == [2, 1, 3, 1]
    assert x.squeeze([0, 1, -1]).shape == [2, 3]
    assert x.squeeze(dg.to_tensor(1)).shape == [2, 3, 1]
    assert dg.zeros([2, 1]).squeeze([]).shape == [2]
    assert dg.to_tensor(5).squeeze(0).shape == []
    with pytest.raises(ValueError, match=r"\[squeeze\] axis is 4, the tensor has 4 axes"):
        x.squeeze(4)


def test_unsqueeze_inserts_one_axis_after_the_other() -> None:
    x = dg.zeros([2, 3])
    assert x.unsqueeze([0, 2]).shape == [1, 2, 1, 3]
    assert x.unsqueeze([2, 0]).shape == [1, 2, 3, 1]
    assert x.unsqueeze([-2, -3]).shape == [2, 1, 1, 3]
    assert x.unsqueeze([0, 0]).shape == [1, 1, 2, 3]
    assert x.unsqueeze(dg.to_tensor([0, -1])).shape == [1, 2, 3, 1]
    assert dg.to_tensor(5).unsqueeze(-1).shape == [1]
    with pytest.raises(ValueError, match=r"\[unsqueeze\] axis is 3"):
        x.unsqueeze([3, 0])
    with pytest.raises(TypeError, match=r"\[unsqueeze\] axis is float 0.5"):
        x.unsqueeze(0.5)


def test_flatten_merges_neighbouring_axes() -> None:
    x = dg.zeros([2, 3, 4])
    assert x.flatten().shape == [24]
    assert x.flatten(1).shape == [2, 12]
    assert x.flatten(-2, -1).shape == [2, 12]
    assert x.flatten(1, 1).shape == [2, 3, 4]
    assert dg.to_tensor(3).flatten().shape == [1]
    with pytest.raises(ValueError, match="expected start_axis not behind stop_axis"):
        x.flatten(2, 1)
    with pytest.raises(ValueError, match=r"\[flatten\] axis is 3"):
        x.flatten(1, 3)


def test_unflatten_splits_one_axis() -> None:
    assert dg.zeros([2, 6]).unflatten(-1, [-1, 2]).shape == [2, 3, 2]
    assert dg.zeros([0, 6]).unflatten(1, [2, 3]).shape == [0, 2, 3]
    for shape in ([4, 2], [0, 3], [-1, 4]):
        with pytest.raises(ValueError, match=r"\[unflatten\]"):
            dg.zeros([2, 6]).unflatten(1, shape)


# -- order of axes --------------------------------------------------------------------------------


def test_transposes_are_views_in_every_spelling() -> None:
    x = grid()
    spelled = [x.T, x.t(), x.mT, x.transpose([1, 0]), x.transpose(-1, 0), x.permute(1, 0), dg.t(x)]
    for out in [*spelled, dg.swapaxes(x, 0, 1), dg.moveaxis(x, 0, 1)]:
        assert out.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
        assert share(out, x)


def test_transposes_of_vectors_and_numbers_are_themselves() -> None:
    assert dg.to_tensor([1, 2]).t().tolist() == [1, 2]
    assert dg.to_tensor(5).T.item() == dg.to_tensor(5).transpose([]).item() == 5


@pytest.mark.parametrize("perm", [[1], [0, 0], [0, 2], [0, -3], [0, 1, 2]])
def test_transpose_wants_each_axis_once(perm: list[int]) -> None:
    with pytest.raises(ValueError, match=r"\[transpose\] x is float32 \[2, 3\], perm is"):
        grid().transpose(perm)


def test_orders_that_do_not_exist_are_refused() -> None:
    x = dg.zeros([2, 3, 4])
    with pytest.raises(ValueError, match="at most two axes; use transpose"):
        x.t()
    with pytest.raises(ValueError, match="expected two axes"):
        _ = dg.to_tensor([1.0]).mT
    with pytest.raises(ValueError, match=r"\[swapaxes\] axis is 3"):
        dg.swapaxes(x, 0, 3)
    with pytest.raises(ValueError, match="as many places"):
        dg.moveaxis(x, [0, 1], [2])
    with pytest.raises(ValueError, match="each axis once"):
        dg.moveaxis(x, [0, 0], [1, 2])
    with pytest.raises(ValueError, match="0-d"):
        dg.swapaxes(dg.to_tensor(1.0), 0, 0)


# -- broadcasting ---------------------------------------------------------------------------------


def test_expand_copies_and_keeps_sizes_at_minus_one() -> None:
    x = dg.to_tensor([[1.0], [2.0]])
    for out in (x.expand([2, 3]), x.expand(2, 3), x.expand([-1, 3]), dg.broadcast_to(x, [-1, 3])):
        assert out.tolist() == [[1.0] * 3, [2.0] * 3]
        assert not share(out, x)
    assert x.expand_as(dg.zeros([4, 2, 3])).shape == [4, 2, 3]
    assert dg.to_tensor([1, 2]).expand([0, 2]).shape == [0, 2]
    assert dg.to_tensor([1, 2]).expand([dg.to_tensor(3), 2]).shape == [3, 2]
    assert not share(x.expand([2, 1]), x)


@pytest.mark.parametrize("shape", [[3, 3], [-1, 2], [2, 0], [], [3, -2]])
def test_expand_refuses_sizes_that_do_not_fit(shape: list[int]) -> None:
    with pytest.raises(ValueError, match=r"\[expand\] x is \[2\], shape is"):
        dg.to_tensor([1.0, 2.0]).expand(shape)


def test_broadcast_tensors_wants_a_common_shape() -> None:
    x, y = dg.broadcast_tensors([dg.to_tensor([1, 2]), dg.to_tensor([[3], [4]])])
    assert x.tolist() == [[1, 2], [1, 2]]
    assert y.tolist() == [[3, 3], [4, 4]]
    with pytest.raises(ValueError, match=r"the shapes are \[2\], \[3\]"):
        dg.broadcast_tensors([dg.zeros([2]), dg.zeros([3])])
    with pytest.raises(ValueError, match="expected a list of tensors"):
        dg.broadcast_tensors([])


# -- regions --------------------------------------------------------------------------------------


def test_slices_count_and_end_as_in_python() -> None:
    x = dg.to_tensor(list(range(10)))
    assert dg.slice(x, [0], [-3], [100]).tolist() == [7, 8, 9]
    assert dg.slice(x, [0], [5], [2]).tolist() == []
    assert dg.slice(x, [-1], dg.to_tensor([2]), [dg.to_tensor(4)]).tolist() == [2, 3]
    assert dg.strided_slice(x, [0], [8], [1], [-2]).tolist() == [8, 6, 4, 2]
    assert dg.strided_slice(x, [0], [9], [-11], [-4]).tolist() == [9, 5, 1]
    assert share(dg.slice(x, [0], [1], [3]), x)
    with pytest.raises(ValueError, match=r"\[slice\] axis is 1"):
        dg.slice(x, [1], [0], [1])
    with pytest.raises(ValueError, match="equally many"):
        dg.slice(x, [0], [1, 2], [3])
    with pytest.raises(ValueError, match="expected no 0"):
        dg.strided_slice(x, [0], [1], [5], [0])


def test_crop_takes_a_block_as_a_copy() -> None:
    x = grid()
    assert dg.crop(x, [1, 2], [1, 1]).tolist() == [[4.0, 5.0]]
    assert dg.crop(x, [-1, 2], [1, 0]).tolist() == [[3.0, 4.0]]
    assert dg.crop(x).tolist() == x.tolist()
    assert not share(dg.crop(x, [2, 2]), x)
    for shape, offsets in (([2, 3], [1, 0]), ([2], [0, 0]), ([1, 1], [-1, 0]), ([-2, 1], [0, 0])):
        with pytest.raises(ValueError, match=r"\[crop\] x is \[2, 3\]"):
            dg.crop(x, shape, offsets)


def test_flip_and_rot90_copy() -> None:
    x = grid()
    assert dg.flip(x, [0, -1]).tolist() == [[5.0, 4.0, 3.0], [2.0, 1.0, 0.0]]
    assert dg.flip(x, []).tolist() == x.tolist()
    assert not share(dg.flip(x, 0), x)
    assert dg.rot90(x).tolist() == [[2.0, 5.0], [1.0, 4.0], [0.0, 3.0]]
    assert dg.rot90(x, 1, [1, 0]).tolist() == [[3.0, 0.0], [4.0, 1.0], [5.0, 2.0]]
    for turns in range(-4, 8):
        np.testing.assert_array_equal(dg.rot90(x, turns).numpy(), np.rot90(x.numpy(), turns))
    with pytest.raises(ValueError, match="each axis once"):
        dg.flip(x, [0, 0])
    with pytest.raises(ValueError, match="0-d"):
        dg.flip(dg.to_tensor(1.0), 0)
    for axes in ([0, 0], [0], [0, 2]):
        with pytest.raises(ValueError, match=r"\[rot90\]"):
            dg.rot90(x, 1, axes)


def test_a_diagonal_is_a_writable_view() -> None:
    x = grid()
    diagonal = dg.diagonal(x, 1)
    assert diagonal.tolist() == [1.0, 5.0]
    diagonal[1] = 9.0
    assert x.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 9.0]]
    assert dg.diagonal(x, 7).shape == [0]
    assert dg.diagonal(x, -1, 1, 0).tolist() == [1.0, 9.0]
    with pytest.raises(ValueError, match="each axis once"):
        dg.diagonal(x, 0, 1, 1)
    with pytest.raises(ValueError, match=r"\[diagonal\] axis is 1"):
        dg.diagonal(dg.to_tensor([1.0]))


def test_as_strided_reads_and_writes_the_same_memory() -> None:
    x = dg.to_tensor([0.0, 1.0, 2.0, 3.0, 4.0])
    windows = as_strided(x, [2, 3], [2, 1])
    assert windows.tolist() == [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]
    assert as_strided(x, [2], [1], 3).tolist() == [3.0, 4.0]
    windows[0, 2] = 9.0
    assert windows[1, 0].item() == x[2].item() == 9.0


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [
        ([2, 3], [3, 1], 0),
        ([2], [1], 4),
        ([2], [1], -1),
        ([2], [-1], 3),
        ([2], [1, 1], 0),
        ([-1], [1], 0),
    ],
)
def test_as_strided_does_not_reach_beyond_its_tensor(
    shape: list[int], stride: list[int], offset: int
) -> None:
    with pytest.raises(ValueError, match=r"\[as_strided\] x is float32 \[5\]"):
        as_strided(dg.zeros([5]), shape, stride, offset)


def test_as_strided_wants_row_major_memory() -> None:
    with pytest.raises(ValueError, match=r"x is not contiguous; clone\(\) it"):
        as_strided(grid().T, [2], [1])


@pytest.mark.parametrize(("axis", "size", "step"), [(0, 6, 1), (1, 2, 1), (0, 2, 0), (0, -1, 1)])
def test_unfold_refuses_windows_that_do_not_fit(axis: int, size: int, step: int) -> None:
    with pytest.raises(ValueError, match=r"\[unfold\]"):
        dg.zeros([5]).unfold(axis, size, step)


# -- sizes, copies --------------------------------------------------------------------------------


def test_sizes_as_tensors_have_paddles_dtypes() -> None:
    x = dg.zeros([2, 0])
    found = [dg.shape(x), dg.rank(x), dg.numel(x), dg.is_empty(x)]
    assert [t.tolist() for t in found] == [[2, 0], 2, 0, True]
    assert [t.dtype.name for t in found] == ["int64", "int32", "int64", "bool"]
    assert dg.shape(dg.to_tensor(1.0)).shape == [0]


def test_clone_has_memory_of_its_own_and_passes_gradients() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    y = x.clone()
    assert not share(y, x)
    (y * y).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]
    assert x.T.clone().is_contiguous()


def test_detach_shares_memory_and_passes_no_gradients() -> None:
    x = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    y = x.detach()
    assert share(y, x)
    assert y.stop_gradient


def test_contiguous_copies_only_what_is_not() -> None:
    x = grid()
    assert x.contiguous() is x
    out = x.T.contiguous()
    assert out.is_contiguous()
    assert out.tolist() == x.T.tolist()


# -- in place -------------------------------------------------------------------------------------


def test_in_place_changes_of_shape_keep_the_tensor_and_its_memory() -> None:
    x = grid()
    row = x[0]
    memory = x._data
    assert x.reshape_([3, 2]) is x
    assert x.shape == [3, 2]
    assert x.unsqueeze_([0]) is x
    assert x.squeeze_() is x
    assert x.transpose_([1, 0]) is x
    assert x.shape == [2, 3]
    assert x.t_() is x
    assert x.flatten_() is x
    assert x.shape == [6]
    assert np.shares_memory(x._data, memory)
    x[0] = 9.0
    assert row.tolist() == [9.0, 1.0, 2.0]
    assert x.inplace_version == 7


def test_a_change_of_shape_that_would_copy_is_refused() -> None:
    x = grid().T
    with pytest.raises(ValueError, match=r"\[reshape_\].*copy"):
        x.reshape_([6])
    with pytest.raises(ValueError, match=r"\[flatten_\].*copy"):
        x.flatten_()
    with pytest.raises(ValueError, match=r"\[reshape_\] x is \[3, 2\]"):
        x.reshape_([4])
    assert x.shape == [3, 2]
    assert x.inplace_version == 0
