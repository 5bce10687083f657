"""Singular values and eigenvalues, and what rests on them: pseudo-inverse, rank, least squares.

The derivatives follow Townsend, "Differentiating the singular value decomposition" (2016), Giles
(2008) for eigenvalues, and Golub and Pereyra, "The differentiation of pseudo-inverses" (1973).
Where two values are equal their vectors are not determined, and the terms that divide by the
difference are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import message
from dualgraph.ops.apply import apply, apply_many
from dualgraph.ops.creation import empty
from dualgraph.ops.decomposition import matrices, wide
from dualgraph.ops.define import operands, to_dtype
from dualgraph.ops.linalg import matmul
from dualgraph.ops.logic import select
from dualgraph.ops.manipulation import matrix_transpose, unsqueeze
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import op
from dualgraph.ops.slicing import slice as slice_of
from dualgraph.tensor import Array, Tensor

__all__ = [
    "eigh",
    "eigvalsh",
    "lstsq",
    "matrix_rank",
    "pinv",
    "reciprocal_or_zero",
    "svd",
    "svdvals",
]


def _narrowed(outs: Any, x: Array) -> tuple[Any, ...]:
    """What LAPACK returned, in x's own dtype."""
    return tuple(each.astype(x.dtype, copy=False) for each in outs)


@op(
    (lambda g, out, _x: -(g * out * out),),
    expand=lambda x: select(x == 0, x, 1.0 / select(x == 0, 1.0, x)),
)
def _reciprocal_or_zero(x: Array) -> Any:
    return np.divide(1, x, out=np.zeros_like(x), where=x != 0)


def reciprocal_or_zero(x: Tensor) -> Tensor:
    """One over x, and 0 where x is 0: for terms that vanish with what they are divided by."""
    return apply(_reciprocal_or_zero, (x,))


def _over_gaps(values: Tensor, squared: bool = False) -> Tensor:
    """One over v_j - v_i for each pair of values, or of their squares; 0 where they are equal."""
    row, column = unsqueeze(values, -2), unsqueeze(values, -1)
    return reciprocal_or_zero((row - column) * (row + column) if squared else row - column)


# -- singular values ------------------------------------------------------------------------------


def _svd_dx(gs: Any, outs: Any, _x: Any, full: bool) -> tuple[Tensor]:
    (gu, gs_, gvh), (u, s, vh) = gs, outs
    rows, columns, k = _x.shape[-2], _x.shape[-1], s.shape[-1]
    if full:
        # The vectors beyond the first k are not determined; they carry no gradient.
        u, gu = _first(u, k, -1), _first(gu, k, -1)
        vh, gvh = _first(vh, k, -2), _first(gvh, k, -2)
    over = _over_gaps(s, squared=True)
    ux, vx = matmul(u, gu, True), matmul(vh, gvh, False, True)
    row, column = unsqueeze(s, -2), unsqueeze(s, -1)
    turned_u = over * (ux - matrix_transpose(ux)) * row
    turned_v = over * (vx - matrix_transpose(vx)) * column
    left = matmul(u, turned_u + turned_v) + u * unsqueeze(gs_, -2)
    inverse = unsqueeze(reciprocal_or_zero(s), -2)
    if rows > k:
        left = left + (gu - matmul(u, ux)) * inverse
    dx = matmul(left, vh)
    if columns > k:
        dx = dx + matmul(u * inverse, gvh - matmul(vx, vh, True))
    return (dx,)


def _first(x: Tensor, k: int, axis: int) -> Tensor:
    return slice_of(x, [x.ndim + axis], [0], [k])


def _svd_type(x: Any, *, full: bool) -> Any:
    *batch, rows, columns = x.shape
    k = min(rows, columns)
    shapes = (
        (*batch, rows, rows if full else k),
        (*batch, k),
        (*batch, columns if full else k, columns),
    )
    return [(shape, x.dtype) for shape in shapes]


@op(_svd_dx, infer=_svd_type)
def _svd(x: Array, *, full: bool) -> Any:
    return _narrowed(np.linalg.svd(wide(x), full_matrices=full), x)


def svd(
    x: Tensor, full_matrices: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """U, S and VH with U @ diag(S) @ VH = x: orthonormal columns, falling values, orthonormal rows.

    For x [..., M, N] and K = min(M, N): U is [..., M, K], S [..., K], VH [..., K, N]; with
    `full_matrices` U and VH are square, and what was added has no gradient. ValueError (numpy's
    LinAlgError) if nan keeps it from converging.

    >>> import dualgraph as dg
    >>> u, s, vh = dg.linalg.svd(dg.to_tensor([[0.0, 2.0], [1.0, 0.0]]))
    >>> s.tolist()
    [2.0, 1.0]
    """
    u, s, vh = apply_many(_svd, (matrices("svd", x),), {"full": bool(full_matrices)})
    return u, s, vh


def _svdvals_dx(g: Any, _out: Any, x: Any) -> Tensor:
    u, _, vh = svd(x)
    return matmul(u * unsqueeze(g, -2), vh)


@op((_svdvals_dx,), infer=lambda x: ((*x.shape[:-2], min(x.shape[-2:])), x.dtype))
def _svdvals(x: Array) -> Any:
    return np.linalg.svd(wide(x), compute_uv=False).astype(x.dtype, copy=False)


def svdvals(x: Tensor, name: str | None = None) -> Tensor:
    """The singular values of matrices in falling order, [..., M, N] to [..., min(M, N)].

    >>> import dualgraph as dg
    >>> dg.linalg.svdvals(dg.to_tensor([[0.0, 2.0], [1.0, 0.0]])).tolist()
    [2.0, 1.0]
    """
    return apply(_svdvals, (matrices("svdvals", x),))


# -- eigenvalues ----------------------------------------------------------------------------------


def _eigh_dx(gs: Any, outs: Any, _x: Any, lower: bool) -> tuple[Tensor]:
    (gw, gv), (w, v) = gs, outs
    inner = _over_gaps(w) * matmul(v, gv, True)
    dx = matmul(matmul(v, inner) + v * unsqueeze(gw, -2), v, False, True)
    return ((dx + matrix_transpose(dx)) * 0.5,)


@op(
    _eigh_dx,
    infer=lambda x, lower: [(x.shape[:-1], x.dtype), (x.shape, x.dtype)],
)
def _eigh(x: Array, *, lower: bool) -> Any:
    return _narrowed(np.linalg.eigh(wide(x), "L" if lower else "U"), x)


def eigh(x: Tensor, UPLO: str = "L", name: str | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues in rising order, [..., N], and eigenvectors in columns of symmetric matrices.

    Only the triangle UPLO of x is read; the gradient is symmetric. ValueError for another UPLO.

    >>> import dualgraph as dg
    >>> w, v = dg.linalg.eigh(dg.to_tensor([[2.0, 0.0], [0.0, 1.0]]))
    >>> w.tolist()
    [1.0, 2.0]
    """
    w, v = apply_many(_eigh, (matrices("eigh", x, square=True),), _lower("eigh", UPLO))
    return w, v


def _lower(op_name: str, uplo: str) -> dict[str, bool]:
    if uplo not in ("L", "U"):
        raise ValueError(message(op_name, f"UPLO is {uplo!r}", "expected 'L' or 'U'"))
    return {"lower": uplo == "L"}


def _eigvalsh_dx(g: Any, _out: Any, x: Any, lower: bool) -> Tensor:
    _, v = apply_many(_eigh, (x,), {"lower": lower})
    return matmul(v * unsqueeze(g, -2), v, False, True)


@op((_eigvalsh_dx,), infer=lambda x, lower: (x.shape[:-1], x.dtype))
def _eigvalsh(x: Array, *, lower: bool) -> Any:
    return np.linalg.eigvalsh(wide(x), "L" if lower else "U").astype(x.dtype, copy=False)


def eigvalsh(x: Tensor, UPLO: str = "L", name: str | None = None) -> Tensor:
    """Eigenvalues of symmetric matrices in rising order, [..., N, N] to [..., N].

    Only the triangle UPLO of x is read; the gradient is symmetric. ValueError for another UPLO.

    >>> import dualgraph as dg
    >>> dg.linalg.eigvalsh(dg.to_tensor([[2.0, 0.0], [0.0, 1.0]])).tolist()
    [1.0, 2.0]
    """
    x = matrices("eigvalsh", x, square=True)
    return apply(_eigvalsh, (x,), _lower("eigvalsh", UPLO))


# -- what rests on them ---------------------------------------------------------------------------


def _pinv_dx(g: Any, out: Any, x: Any, rcond: float, hermitian: bool) -> Tensor:
    gt, outer = matrix_transpose(g), matmul(out, out, False, True)
    kept_rows = gt - matmul(x, matmul(out, gt))
    kept_columns = gt - matmul(matmul(gt, out), x)
    through = matmul(matmul(out, g, True), out, False, True)
    return matmul(kept_rows, outer) + matmul(matmul(out, out, True), kept_columns) - through


@op(
    (_pinv_dx,),
    infer=lambda x, **attrs: ((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype),
)
def _pinv(x: Array, *, rcond: float, hermitian: bool) -> Any:
    out = np.linalg.pinv(wide(x), rcond=rcond, hermitian=hermitian)
    return out.astype(x.dtype, copy=False)


def pinv(
    x: Tensor, rcond: float | Tensor = 1e-15, hermitian: bool = False, name: str | None = None
) -> Tensor:
    """The pseudo-inverses of matrices, [..., M, N] to [..., N, M].

    Singular values up to `rcond` times the largest count as zero; the gradient takes the rank as
    constant. `hermitian` says that x is symmetric.

    >>> import dualgraph as dg
    >>> dg.linalg.pinv(dg.to_tensor([[2.0, 0.0], [0.0, 0.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    attrs = {"rcond": float(rcond), "hermitian": bool(hermitian)}
    return apply(_pinv, (matrices("pinv", x, square=hermitian),), attrs)


@op(infer=lambda x, *limits, **attrs: (x.shape[:-2], np.dtype(np.int64)))
def _matrix_rank(x: Array, atol: Any, rtol: Any, *, hermitian: bool) -> Any:
    a = wide(x)
    values = np.abs(np.linalg.eigvalsh(a)) if hermitian else np.linalg.svd(a, compute_uv=False)
    largest = values.max(axis=-1, initial=0)
    if rtol is None:
        rtol = max(x.shape[-2:]) * np.finfo(a.dtype).eps
    limit = np.maximum(atol, rtol * largest)
    return np.count_nonzero(values > limit[..., None], axis=-1)


def matrix_rank(
    x: Tensor,
    tol: float | Tensor | None = None,
    hermitian: bool = False,
    atol: float | Tensor | None = None,
    rtol: float | Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """How many singular values exceed a tolerance, int64 [...] for x [..., M, N].

    The tolerance is `tol`; or the larger of `atol` and `rtol` times the largest value; or that with
    the precision of x's dtype times max(M, N). `hermitian` says that x is symmetric. ValueError for
    `tol` together with another.

    >>> import dualgraph as dg
    >>> dg.linalg.matrix_rank(dg.ones([3, 3])).item()
    1
    """
    if tol is not None and not (atol is None and rtol is None):
        raise ValueError(message("matrix_rank", "tol is given together with atol or rtol"))
    atol = tol if tol is not None else atol
    if atol is not None and rtol is None:
        rtol = 0.0
    limits = (0.0 if atol is None else atol, rtol)
    x = matrices("matrix_rank", x, square=hermitian)
    return apply(_matrix_rank, (x, *limits), {"hermitian": bool(hermitian)})


def lstsq(
    x: Tensor,
    y: Tensor,
    rcond: float | None = None,
    driver: str | None = None,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Least squares: the shortest solution of x @ solution = y, residuals, rank, singular values.

    x is [..., M, N], y [..., M, K]. Singular values up to `rcond` times the largest count as zero.
    Of the last three, those that LAPACK's `driver` ("gelsy" by default, "gels", "gelsd", "gelss")
    does not report are empty. ValueError for sizes that do not fit or another driver.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    >>> dg.linalg.lstsq(x, dg.to_tensor([[3.0], [4.0], [5.0]]))[0].tolist()
    [[3.0], [2.0]]
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        expected = "expected 'gels', 'gelsy', 'gelsd', 'gelss' or None"
        raise ValueError(message("lstsq", f"driver is {driver!r}", expected))
    x, y = operands("lstsq", matrices("lstsq", x), matrices("lstsq", y, argument="y"))
    rows, columns = x.shape[-2:]
    if y.shape[-2] != rows:
        given = f"x is {x.shape}, y is {y.shape}"
        raise ValueError(message("lstsq", given, f"expected {rows} rows in y"))
    if rcond is None:
        rcond = (1e-7 if x.dtype == dtypes.float32 else 1e-15) * max(rows, columns)
    solution = matmul(pinv(x, rcond), y)
    none = empty([0], dtype=x.dtype)
    residuals, rank, values = none, empty([0], dtype="int64"), none
    if driver in ("gels", "gelsd", "gelss") and rows > columns:
        missed = y - matmul(x, solution)
        residuals = sum_of(missed * missed, -2)
    if driver != "gels":
        rank = to_dtype(matrix_rank(x, rtol=rcond), dtypes.int32.numpy)
    if driver in ("gelsd", "gelss"):
        values = svdvals(x)
    return solution, residuals, rank, values
