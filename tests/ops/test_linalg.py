"""Products and norms: shapes, dtypes and errors that people look up; the suite has the rest."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph import Tensor

INF = float("inf")


def tensor(data: Any, grad: bool = False) -> Tensor:
    return dg.to_tensor(data, stop_gradient=not grad)


def grid(*shape: int) -> np.ndarray[Any, Any]:
    size = int(np.prod(shape))
    return (np.arange(size, dtype=np.float64) - size / 3).reshape(shape) / max(size, 1)


# -- matmul -------------------------------------------------------------------------------------

SIZES = st.integers(0, 3)
BATCHES = st.sampled_from([((), ()), ((2,), ()), ((), (2,)), ((3, 1), (2,)), ((2, 3), (2, 3))])


@given(SIZES, SIZES, SIZES, BATCHES, st.booleans(), st.booleans())
def test_matmul_is_numpys_for_all_batches_sizes_and_flags(
    m: int, k: int, n: int, batches: Any, transpose_x: bool, transpose_y: bool
) -> None:
    x, y = grid(*batches[0], m, k), grid(*batches[1], k, n)
    a = x.swapaxes(-1, -2) if transpose_x else x
    b = y.swapaxes(-1, -2) if transpose_y else y
    out = dg.matmul(tensor(a), tensor(b), transpose_x, transpose_y)
    np.testing.assert_allclose(out.numpy(), x @ y, atol=1e-12)


@given(SIZES, SIZES, SIZES, BATCHES, st.booleans(), st.booleans())
def test_gradients_of_matmul_are_products_with_the_other_factor(
    m: int, k: int, n: int, batches: Any, transpose_x: bool, transpose_y: bool
) -> None:
    x, y = grid(*batches[0], m, k), grid(*batches[1], k, n)
    a = tensor(x.swapaxes(-1, -2) if transpose_x else x, grad=True)
    b = tensor(y.swapaxes(-1, -2) if transpose_y else y, grad=True)
    out = dg.matmul(a, b, transpose_x, transpose_y)
    g = grid(*out.shape) + 1
    out.backward(tensor(g))
    dx, dy = g @ y.swapaxes(-1, -2), x.swapaxes(-1, -2) @ g
    for found, wanted, transpose in ((a, dx, transpose_x), (b, dy, transpose_y)):
        wanted = wanted.swapaxes(-1, -2) if transpose else wanted
        wanted = wanted.sum(tuple(range(wanted.ndim - found.ndim)))
        ones = tuple(i for i, size in enumerate(found.shape) if size != wanted.shape[i])
        wanted = wanted.sum(ones, keepdims=True)
        assert found.grad is not None
        np.testing.assert_allclose(found.grad.numpy(), wanted, atol=1e-12)


def test_a_vector_is_a_row_on_the_left_and_a_column_on_the_right() -> None:
    v, m = dg.ones([3]), dg.ones([3, 2])
    assert dg.matmul(v, v).shape == []
    assert dg.matmul(v, m).shape == [2]
    assert dg.matmul(m, v, transpose_x=True).shape == [2]
    assert dg.matmul(v, dg.ones([4, 3, 2])).shape == [4, 2]
    assert dg.matmul(dg.ones([4, 2, 3]), v).shape == [4, 2]


def test_flags_do_not_turn_vectors() -> None:
    v, m = dg.ones([3]), dg.ones([3, 2])
    assert dg.matmul(v, v, True, True).item() == 3.0
    assert dg.matmul(v, m, True).shape == [2]
    assert dg.matmul(dg.ones([2, 3]), v, False, True).shape == [2]


def test_mismatch_is_told_in_columns_and_rows() -> None:
    with pytest.raises(ValueError, match=r"\[matmul\] x is \[64, 128\], y is \[127, 256\]: ") as e:
        dg.matmul(dg.ones([64, 128]), dg.ones([127, 256]))
    assert str(e.value).endswith("x has 128 columns, y has 127 rows")
    with pytest.raises(ValueError, match="x has 2 columns once transposed, y has 3 rows"):
        dg.matmul(dg.ones([2, 3]), dg.ones([3, 3]), transpose_x=True)
    with pytest.raises(ValueError, match="x has 2 columns, y has 3 rows"):
        dg.matmul(dg.ones([2]), dg.ones([3, 3]))


def test_batches_that_do_not_broadcast_and_scalars_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[2\] and \[3\] before the matrices do not broadcast"):
        dg.matmul(dg.ones([2, 2, 3]), dg.ones([3, 3, 4]))
    with pytest.raises(ValueError, match="at least one axis"):
        dg.matmul(tensor(2.0), dg.ones([3]))


def test_dtypes_of_products() -> None:
    single, double = dg.ones([2, 2]), dg.ones([2, 2], "float64")
    assert dg.matmul(single, double).dtype == dg.float32
    assert dg.matmul(double, single).dtype == dg.float64
    assert dg.matmul(single, dg.ones([2, 2], "int64")).dtype == dg.float32
    assert dg.matmul(dg.ones([2, 2], "int32"), dg.ones([2, 2], "int32")).dtype == dg.int32
    half = dg.full([1, 4096], 1.0, "float16")
    assert dg.matmul(half, half, transpose_y=True).dtype == dg.float16
    # Summed in half precision this would stop at 2048.
    assert dg.matmul(half, half, transpose_y=True).item() == 4096.0
    assert dg.matmul(dg.ones([2, 2], "int32"), dg.ones([2, 2], "int64")).dtype == dg.int32
    with pytest.raises(TypeError, match="matmul"):
        dg.matmul(dg.ones([2, 2], "int32"), single)
    with pytest.raises(TypeError, match="expected numbers"):
        dg.matmul(dg.ones([2, 2], "bool"), dg.ones([2, 2], "bool"))


def test_the_operator_takes_arrays_too() -> None:
    assert (dg.ones([2, 3]) @ np.ones((3, 2), np.float32)).tolist() == [[3.0, 3.0], [3.0, 3.0]]


def test_products_of_fixed_shape_refuse_others() -> None:
    with pytest.raises(ValueError, match="broadcasts"):
        dg.bmm(dg.ones([1, 2, 3]), dg.ones([4, 3, 2]))
    with pytest.raises(ValueError, match="mv"):
        dg.mv(dg.ones([2, 3]), dg.ones([2]))
    with pytest.raises(ValueError, match="dot"):
        dg.dot(dg.ones([2, 3]), dg.ones([3]))
    with pytest.raises(ValueError, match="does not broadcast"):
        dg.addmm(dg.ones([5]), dg.ones([2, 3]), dg.ones([3, 4]))
    with pytest.raises(ValueError, match="last axes of one size"):
        dg.inner(dg.ones([2, 3]), dg.ones([2, 4]))


def test_small_products_by_hand() -> None:
    assert dg.dot(tensor([1, 2]), tensor([3, 4])).item() == 11
    assert dg.outer(tensor(2.0), dg.ones([4])).tolist() == [[2.0, 2.0, 2.0, 2.0]]
    assert dg.inner(dg.ones([2, 3]), tensor(2.0)).shape == [2, 3]
    assert dg.kron(tensor([[1, 2], [3, 4]]), tensor([[[1, 2], [3, 4]]])).shape == [1, 4, 4]
    assert dg.kron(tensor([[1, 2]]), tensor([[1], [3]])).tolist() == [[1, 2], [3, 6]]
    x = tensor(np.arange(12.0).reshape(3, 4))
    assert [dg.trace(x, offset).item() for offset in (0, 1, -2, 9)] == [15.0, 18.0, 8.0, 0.0]
    assert dg.trace(tensor(np.arange(12, dtype=np.int32).reshape(3, 4))).dtype == dg.int32
    batch = dg.baddbmm(dg.ones([2, 1, 4]), dg.ones([2, 3, 3]), dg.ones([2, 3, 4]), 2.0, 0.5)
    assert batch.tolist()[0][0] == [3.5] * 4


def test_cross_takes_the_first_axis_of_three() -> None:
    x, y = np.arange(12.0).reshape(3, 4), np.ones((3, 4))
    wanted = np.cross(x, y, axis=0)
    np.testing.assert_array_equal(dg.cross(tensor(x), tensor(y)).numpy(), wanted)
    for shape, options in (((2, 2), {}), ((2, 3), {"axis": 0})):
        with pytest.raises(ValueError, match="axis of size 3"):
            dg.cross(dg.ones(shape), dg.ones(shape), **options)


def test_chains_are_multiplied_in_the_cheapest_order(monkeypatch: pytest.MonkeyPatch) -> None:
    xs = [tensor(grid(*s)) for s in ((2, 30), (30, 2), (2, 30), (30, 1))]
    sizes: list[int] = []
    forward = np.dot

    def counted(x: Any, y: Any) -> Any:
        sizes.append(x.shape[0] * x.shape[1] * y.shape[1])
        return forward(x, y)

    monkeypatch.setattr(np, "dot", counted)
    out = dg.linalg.multi_dot(xs)
    assert sum(sizes) == 2 * 30 + 30 * 2 + 2 * 30
    np.testing.assert_allclose(out.numpy(), np.linalg.multi_dot([x.numpy() for x in xs]))
    with pytest.raises(ValueError, match="two or more"):
        dg.linalg.multi_dot([dg.ones([3, 3])])


# -- linear and embedding -----------------------------------------------------------------------


def test_linear_takes_any_leading_axes() -> None:
    weight, bias = dg.ones([3, 2]), dg.ones([2])
    for lead in ((), (4,), (4, 5), (0,)):
        assert F.linear(dg.ones([*lead, 3]), weight, bias).shape == [*lead, 2]
    assert F.linear(dg.ones([4, 0]), dg.ones([0, 2]), bias).tolist() == [[1.0, 1.0]] * 4
    assert F.linear(dg.ones([4, 3]), weight, dg.ones([4, 2])).shape == [4, 2]
    with pytest.raises(ValueError, match="x has 5 features, weight takes 3"):
        F.linear(dg.ones([4, 5]), weight, bias)
    with pytest.raises(ValueError, match="broadcast"):
        F.linear(dg.ones([4, 3]), weight, dg.ones([3]))


def test_embedding_adds_up_the_gradients_of_a_row() -> None:
    weight = tensor(np.arange(12.0).reshape(4, 3), grad=True)
    F.embedding(tensor([1, 2, 1]), weight, padding_idx=2).sum().backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [[0.0] * 3, [2.0] * 3, [0.0] * 3, [0.0] * 3]
    weight.clear_grad(False)
    F.embedding(tensor([1, 2, 1]), weight, scale_grad_by_freq=True).sum().backward()
    assert weight.grad.tolist() == [[0.0] * 3, [1.0] * 3, [1.0] * 3, [0.0] * 3]


@pytest.mark.parametrize("ids", [[4], [-1], [0, 2**40]])
def test_ids_out_of_range_are_a_value_error(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="weight has 4 rows; expected 0 to 3"):
        F.embedding(tensor(ids), dg.ones([4, 3]))


def test_padding_reads_as_zeros_from_either_end() -> None:
    weight = tensor(np.arange(12.0).reshape(4, 3))
    assert F.embedding(tensor([1, 3]), weight, padding_idx=-1).tolist()[1] == [0.0] * 3
    assert F.embedding(tensor(2), weight).tolist() == [6.0, 7.0, 8.0]
    with pytest.raises(ValueError, match="expected -4 to 3"):
        F.embedding(tensor([1]), weight, padding_idx=4)
    with pytest.raises(TypeError, match="integer ids"):
        F.embedding(tensor([1.0]), weight)


def test_max_norm_shortens_only_the_rows_in_use() -> None:
    weight = tensor(np.arange(12, dtype=np.float32).reshape(4, 3))
    out = F.embedding(tensor([1, 2, 1]), weight, max_norm=2.0)
    np.testing.assert_allclose(out.numpy()[0], [0.84852815, 1.1313709, 1.4142137], rtol=1e-6)
    np.testing.assert_allclose(dg.norm(weight, axis=1).numpy()[1:3], 2.0, rtol=1e-6)
    assert weight.numpy()[3].tolist() == [9.0, 10.0, 11.0]


# -- einsum -------------------------------------------------------------------------------------


@st.composite
def equations(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    letters = draw(st.lists(st.sampled_from(string.ascii_letters[:5]), min_size=1, max_size=5))
    sizes = {a: draw(st.integers(0, 3)) for a in sorted(set(letters))}
    count = draw(st.integers(1, 4))
    terms = [draw(st.lists(st.sampled_from(sorted(sizes)), max_size=4)) for _ in range(count)]
    used = sorted({a for term in terms for a in term})
    out = draw(st.permutations(used))[: draw(st.integers(0, len(used)))]
    equation = ",".join("".join(term) for term in terms)
    if draw(st.booleans()):
        equation += "->" + "".join(out)
    return equation, [tuple(sizes[a] for a in term) for term in terms]


@given(equations())
def test_einsum_is_numpys_for_any_equation(case: tuple[str, list[tuple[int, ...]]]) -> None:
    equation, shapes = case
    arrays = [grid(*shape) + 0.5 for shape in shapes]
    out = dg.einsum(equation, *map(tensor, arrays))
    np.testing.assert_allclose(out.numpy(), np.einsum(equation, *arrays), atol=1e-12)


@given(equations())
def test_einsum_is_linear_in_each_operand(case: tuple[str, list[tuple[int, ...]]]) -> None:
    equation, shapes = case
    xs = [tensor(grid(*shape) + 0.5, grad=True) for shape in shapes]
    total = dg.einsum(equation, *xs).sum()
    grads = dg.grad(total, xs, create_graph=True)
    for x, g in zip(xs, grads, strict=True):
        assert g is not None
        np.testing.assert_allclose((x * g).sum().item(), total.item(), atol=1e-10)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("...ij,...jk->...ik", [(5, 2, 3), (1, 3, 4)]),
        ("i...,...->...i", [(2, 3), (4, 3)]),
        ("...", [(2, 3)]),
        (" i j , j k -> i k ", [(2, 3), (3, 2)]),
        ("...ii->...i", [(2, 3, 3)]),
    ],
)
def test_ellipsis_and_spaces(equation: str, shapes: list[tuple[int, ...]]) -> None:
    arrays = [grid(*shape) for shape in shapes]
    out = dg.einsum(equation, *map(tensor, arrays))
    np.testing.assert_allclose(out.numpy(), np.einsum(equation.replace(" ", ""), *arrays))


@pytest.mark.parametrize(
    ("equation", "shapes", "why"),
    [
        ("ij,jk", [(2, 3), (2, 4)], "sizes 3 and 2 go together"),
        ("ij,jk", [(2, 3)], "names 2 operands, 1 are given"),
        ("ij->k", [(2, 3)], "each letter of the output once"),
        ("ij->ii", [(2, 3)], "each letter of the output once"),
        ("ijk->k", [(2, 3)], "names 3 axes, the operand has 2"),
        ("i1->i", [(2, 3)], "expected letters"),
        ("ii", [(2, 3)], "sizes 2 and 3 of one operand"),
    ],
)
def test_equations_that_do_not_fit(equation: str, shapes: list[Any], why: str) -> None:
    with pytest.raises(ValueError, match=r"\[einsum\]") as failure:
        dg.einsum(equation, *map(dg.ones, shapes))
    assert why in str(failure.value)


def test_einsum_of_one_operand_shares_no_memory() -> None:
    x = dg.ones([2, 3])
    y = dg.einsum("ij->ji", x)
    y[0] = 5.0
    assert x.tolist() == [[1.0] * 3] * 2


def test_operands_of_several_dtypes_take_the_first_ones() -> None:
    xs = [dg.ones([2], dtype) for dtype in ("float64", "float32", "float32", "int64")]
    for x in xs[:3]:
        x.stop_gradient = False
    out = dg.einsum("i,i,i,i->", *xs)
    assert out.dtype == dg.float64
    out.backward()
    assert [x.grad.dtype for x in xs[:3] if x.grad is not None] == [x.dtype for x in xs[:3]]


def test_tensordot_reads_axes_as_paddle_does() -> None:
    x, y = dg.ones([2, 3, 4]), dg.ones([3, 2, 4])
    assert dg.tensordot(x, dg.ones([3, 4, 5])).shape == [2, 5]
    assert dg.tensordot(x, y, [[1, 2], [0]]).shape == [2, 2]
    assert dg.tensordot(x, dg.ones([5, 3]), [1]).shape == [2, 4, 5]
    assert dg.tensordot(dg.ones([2, 3]), dg.ones([1, 4]), [[1], [0]]).tolist() == [[3.0] * 4] * 2
    assert dg.tensordot(x, y, 0).shape == [2, 3, 4, 3, 2, 4]
    with pytest.raises(ValueError, match="sizes 3 and 2"):
        dg.tensordot(dg.ones([2, 3]), dg.ones([2, 4]), [[1], [0]])


# -- norms --------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0, 0.5, 1, 2, 3, INF, -INF])
def test_the_gradient_of_a_norm_at_zero_is_zero(p: float) -> None:
    for axis in (None, 1):
        x = tensor(np.zeros((2, 2)), grad=True)
        dg.norm(x, p, axis).sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_elements_at_zero_have_no_slope_and_ties_share_it() -> None:
    x = tensor([[3.0, -4.0], [0.0, 0.0]], grad=True)
    (g,) = dg.grad(dg.norm(x, 0.5), x)
    assert g is not None
    np.testing.assert_allclose(g.numpy(), [[2.1547005, -1.8660254], [0, 0]], rtol=1e-6)
    y = tensor([3.0, -3.0, 1.0], grad=True)
    (g,) = dg.grad(dg.norm(y, INF), y)
    assert g is not None
    assert g.tolist() == [0.5, -0.5, 0.0]


def test_two_axes_mean_a_matrix() -> None:
    x = tensor(np.arange(12.0).reshape(4, 3))
    assert dg.norm(x, 1).item() == 66.0
    assert dg.norm(x, 1, axis=[0, 1]).item() == 26.0
    np.testing.assert_allclose(dg.norm(x, axis=[0, 1]).item(), 22.446751, rtol=1e-6)
    np.testing.assert_allclose(dg.norm(x, "fro", axis=[0, 1]).item(), 22.494444, rtol=1e-6)
    np.testing.assert_allclose(dg.norm(x, "nuc").item(), 23.910810, rtol=1e-6)
    assert dg.linalg.vector_norm(x, INF, axis=[0, 1]).item() == 11.0
    assert dg.norm(dg.ones([2, 3, 4]), "nuc", [0, 2], keepdim=True).shape == [1, 3, 1]
    assert dg.norm(dg.ones([2, 3, 4]), keepdim=True).shape == [1, 1, 1]


def test_norms_that_do_not_exist() -> None:
    x = dg.ones([2, 3])
    with pytest.raises(ValueError, match="expected 'fro', 'nuc'"):
        dg.norm(x, 3, axis=[0, 1])
    with pytest.raises(ValueError, match="two axes"):
        dg.norm(dg.ones([2, 2, 2]), "nuc")
    with pytest.raises(ValueError, match="a number"):
        dg.linalg.vector_norm(x, "fro")
    with pytest.raises(ValueError, match="axis is 5"):
        dg.norm(x, 2, axis=5)


def test_out_of_norm_is_overwritten() -> None:
    out = dg.zeros([])
    assert dg.norm(tensor([3.0, 4.0]), out=out) is out
    assert out.item() == 5.0
