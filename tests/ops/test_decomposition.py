"""Decompositions: what their factors satisfy, gradients at the hard places, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import Tensor
from tests.ops.derivatives import check_derivatives

SEEDS = st.integers(0, 10**6)
SHAPES = st.sampled_from([(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1)])


def tensor(data: Any, grad: bool = False) -> Tensor:
    return dg.to_tensor(data, stop_gradient=not grad)


def drawn(seed: int, *shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=shape)


def turned(x: Tensor) -> Tensor:
    return x.mT


@given(SEEDS, SHAPES)
def test_singular_vectors_rebuild_the_matrix(seed: int, shape: tuple[int, ...]) -> None:
    x = drawn(seed, *shape)
    u, s, vh = dg.linalg.svd(tensor(x))
    np.testing.assert_allclose(((u * s.unsqueeze(-2)) @ vh).numpy(), x, atol=1e-10)
    np.testing.assert_allclose((turned(u) @ u).numpy() - np.eye(s.shape[-1]), 0, atol=1e-10)
    np.testing.assert_allclose(dg.linalg.svdvals(tensor(x)).numpy(), s.numpy(), atol=1e-10)


@given(SEEDS, SHAPES)
def test_a_function_of_the_rebuilt_matrix_has_its_own_gradient(
    seed: int, shape: tuple[int, ...]
) -> None:
    x, weight = tensor(drawn(seed, *shape), grad=True), drawn(seed + 1, *shape)
    u, s, vh = dg.linalg.svd(x)
    q, r = dg.linalg.qr(x)
    for again in ((u * s.unsqueeze(-2)) @ vh, q @ r):
        (g,) = dg.grad((again * tensor(weight)).sum(), x, retain_graph=True)
        assert g is not None
        np.testing.assert_allclose(g.numpy(), weight, atol=1e-5 * np.abs(weight).max())


@given(SEEDS, SHAPES)
def test_the_pseudo_inverse_keeps_moore_and_penroses_rules(
    seed: int, shape: tuple[int, ...]
) -> None:
    x = tensor(drawn(seed, *shape))
    p = dg.linalg.pinv(x)
    np.testing.assert_allclose((x @ p @ x).numpy(), x.numpy(), atol=1e-8)
    np.testing.assert_allclose((p @ x @ p).numpy(), p.numpy(), atol=1e-6 * np.abs(p.numpy()).max())


def test_equal_eigenvalues_have_right_gradients_and_their_vectors_finite_ones() -> None:
    x = tensor(np.eye(3), grad=True)
    w, vectors = dg.linalg.eigh(x)
    (g,) = dg.grad(w.sum() + vectors.sum(), x)
    assert g is not None
    np.testing.assert_array_equal(g.numpy(), np.eye(3))
    _, s, _ = dg.linalg.svd(x)
    (g,) = dg.grad(s.sum(), x)
    assert g is not None
    np.testing.assert_allclose(g.numpy(), np.eye(3), atol=1e-12)


def test_only_one_triangle_is_read() -> None:
    x = tensor([[4.0, 1.5], [1.0, 3.0]])
    assert dg.linalg.cholesky(x).tolist()[1][0] == 0.5
    assert dg.linalg.cholesky(x, upper=True).tolist()[0][1] == 0.75
    np.testing.assert_allclose(dg.linalg.eigvalsh(x).numpy(), [2.381966, 4.618034], rtol=1e-6)
    np.testing.assert_allclose(dg.linalg.eigvalsh(x, "U").numpy(), [1.918861, 5.081139], rtol=1e-6)
    for upper, wanted in ((True, [1.0, -1.0]), (False, [1.0, 0.0])):
        a = tensor([[1.0, 2.0], [2.0, 1.0]])
        y = tensor([[1.0], [2.0]] if not upper else [[-1.0], [-1.0]])
        out = dg.linalg.triangular_solve(a, y, upper=upper)
        assert [row[0] for row in out.tolist()] == wanted


def test_the_gradient_of_a_singular_determinant_is_its_cofactors() -> None:
    x = tensor([[1.0, 2.0], [2.0, 4.0]], grad=True)
    dg.linalg.det(x).backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), [[4.0, -2.0], [-2.0, 1.0]], rtol=1e-5)
    zero = tensor(np.zeros((3, 3)), grad=True)
    dg.linalg.det(zero).backward()
    assert zero.grad is not None
    assert not zero.grad.numpy().any()


def test_signs_and_logarithms_are_stacked() -> None:
    x = tensor([[[1.0, 0.0], [0.0, -2.0]], [[1.0, 1.0], [1.0, 1.0]]])
    out = dg.linalg.slogdet(x)
    assert out.shape == [2, 2]
    np.testing.assert_allclose(out.numpy(), [[-1.0, 0.0], [np.log(2.0), -np.inf]], rtol=1e-6)


def test_solve_tells_vectors_from_matrices_by_shape() -> None:
    x = tensor(np.stack([np.eye(3), 2 * np.eye(3)]))
    assert dg.linalg.solve(x, dg.ones([3], "float64")).shape == [2, 3]
    assert dg.linalg.solve(x, dg.ones([2, 3], "float64")).tolist()[1] == [0.5] * 3
    assert dg.linalg.solve(x, dg.ones([3, 2], "float64")).shape == [2, 3, 2]
    assert dg.linalg.solve(x[0], dg.ones([4, 3, 2], "float64")).shape == [4, 3, 2]
    assert dg.linalg.solve(x[0], dg.ones([2, 3], "float64"), left=False).shape == [2, 3]
    with pytest.raises(ValueError, match="expected 3 rows in y"):
        dg.linalg.solve(x[0], dg.ones([2, 3], "float64"))


@pytest.mark.parametrize(
    "function",
    [
        dg.linalg.inv,
        lambda x: dg.linalg.solve(x, dg.ones([2])),
        lambda x: dg.linalg.cholesky(-x),
        lambda x: dg.linalg.matrix_power(x, -1),
    ],
)
def test_a_singular_matrix_is_a_value_error_with_the_ops_name(function: Any) -> None:
    with pytest.raises(ValueError, match=r"\[(inv|solve|cholesky)\] given float32 \[2, 2\]"):
        function(dg.ones([2, 2]))


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh"])
def test_square_matrices_are_asked_for(name: str) -> None:
    for shape in ([2, 3], [3]):
        with pytest.raises(ValueError, match=rf"\[{name}\] .*expected square matrices"):
            getattr(dg.linalg, name)(dg.ones(shape))


def test_modes_and_triangles_are_checked() -> None:
    x = dg.ones([2, 2])
    with pytest.raises(ValueError, match="'reduced', 'complete' or 'r'"):
        dg.linalg.qr(x, "x")
    with pytest.raises(ValueError, match="expected 'L' or 'U'"):
        dg.linalg.eigh(x, "x")
    with pytest.raises(ValueError, match="driver"):
        dg.linalg.lstsq(x, x, driver="x")
    with pytest.raises(ValueError, match="tol"):
        dg.linalg.matrix_rank(x, tol=1.0, rtol=0.5)


def test_sizes_of_reduced_and_complete_factors() -> None:
    x = tensor(drawn(1, 3, 2))
    assert [f.shape for f in dg.linalg.qr(x)] == [[3, 2], [2, 2]]
    assert [f.shape for f in dg.linalg.qr(x, "complete")] == [[3, 3], [3, 2]]
    assert dg.linalg.qr(x, "r").shape == [2, 2]
    assert [f.shape for f in dg.linalg.svd(x)] == [[3, 2], [2], [2, 2]]
    assert [f.shape for f in dg.linalg.svd(x, full_matrices=True)] == [[3, 3], [2], [2, 2]]


def test_columns_that_the_matrix_does_not_determine_have_no_derivative() -> None:
    x = tensor(drawn(1, 3, 2), grad=True)
    q, _ = dg.linalg.qr(x, "complete")
    with pytest.raises(ValueError, match="use mode='reduced'"):
        q.sum().backward()
    assert x.grad is None


def test_powers_of_matrices() -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(
        dg.linalg.matrix_power(x, -2).numpy(), [[5.5, -2.5], [-3.75, 1.75]], rtol=1e-4
    )
    assert dg.linalg.matrix_power(x, 0).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    first = dg.linalg.matrix_power(x, 1)
    assert first.tolist() == x.tolist()
    assert first is not x
    for n in range(2, 6):
        wanted = np.linalg.matrix_power(x.numpy(), n)
        np.testing.assert_allclose(dg.linalg.matrix_power(x, n).numpy(), wanted, rtol=1e-6)
    with pytest.raises(TypeError, match="expected an int"):
        dg.linalg.matrix_power(x, 2.0)  # type: ignore[arg-type]  # what the test is about


def test_third_derivatives_of_the_logarithm_of_a_determinant() -> None:
    def call(x: Tensor) -> Tensor:
        own = x @ turned(x) + dg.eye(3, dtype="float64")
        factor = dg.linalg.cholesky(own)
        return dg.linalg.slogdet(own)[1] + (factor * factor).sum()

    check_derivatives(call, [drawn(3, 3, 3)], [True], 3, np.random.default_rng(0))


def test_ranks_and_their_tolerances() -> None:
    assert dg.linalg.matrix_rank(dg.ones([2, 3, 3])).tolist() == [1, 1]
    assert dg.linalg.matrix_rank(dg.ones([3, 3])).dtype == dg.int64
    x = tensor(np.diag([8.0, 4.0, 1.0]))
    assert dg.linalg.matrix_rank(x, tol=4.0).item() == 1
    assert dg.linalg.matrix_rank(x, rtol=0.25).item() == 2
    assert dg.linalg.matrix_rank(x, atol=0.5, rtol=0.25).item() == 2
    assert dg.linalg.matrix_rank(x, hermitian=True).item() == 3
    assert dg.linalg.matrix_rank(x, tol=tensor(2.0)).item() == 2


def test_least_squares_reports_what_its_driver_does() -> None:
    x, y = tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), dg.ones([3, 1])
    solution, residuals, rank, values = dg.linalg.lstsq(x, y)
    np.testing.assert_allclose(solution.numpy(), [[-1.142857], [1.0]], rtol=1e-4)
    assert (residuals.shape, rank.item(), values.shape) == ([0], 2, [0])
    _, residuals, _, values = dg.linalg.lstsq(x, y, driver="gelsd")
    np.testing.assert_allclose(residuals.numpy(), [0.2857142], rtol=1e-3)
    np.testing.assert_allclose(values.numpy(), [10.191428, 0.367138], rtol=1e-4)
    wide = tensor([[1.0, 2.0, 3.0], [3.0, 4.0, 5.5]])
    shortest = dg.linalg.lstsq(wide, dg.ones([2, 1]))[0]
    np.testing.assert_allclose(
        shortest.numpy(), [[-0.739131], [0.086956], [0.521739]], rtol=1e-3, atol=1e-4
    )


def test_condition_numbers() -> None:
    x = tensor([[2.0, 0.0], [0.0, 1.0]])
    assert dg.linalg.cond(x).item() == 2.0
    assert dg.linalg.cond(x, -2).item() == 0.5
    assert dg.linalg.cond(x, "nuc").item() == 4.5
    assert dg.linalg.cond(x, 1).item() == 2.0


def test_half_precision_is_computed_in_single() -> None:
    x = dg.to_tensor([[4.0, 2.0], [2.0, 5.0]], dtype="float16")
    for out in (dg.linalg.inv(x), dg.linalg.cholesky(x), *dg.linalg.svd(x), *dg.linalg.eigh(x)):
        assert out.dtype == dg.float16
