"""Inverses, determinants, linear equations and triangular factors of matrices.

The derivatives follow Giles, "An extended collection of matrix derivative results for forward and
reverse mode algorithmic differentiation" (2008), and, for QR, Walter and Lehmann, "On evaluating
higher-order derivatives of the QR decomposition" (2010). They are written in products, so that they
can be differentiated again.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, apply_many
from dualgraph.ops.creation import eye
from dualgraph.ops.define import floating, operands
from dualgraph.ops.joining import concat
from dualgraph.ops.linalg import matmul
from dualgraph.ops.manipulation import (
    broadcast_to,
    clone,
    matrix_transpose,
    reshape,
    squeeze,
    unsqueeze,
)
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import op
from dualgraph.ops.slicing import pick
from dualgraph.ops.slicing import slice as slice_of
from dualgraph.ops.triangle import tril, triu
from dualgraph.tensor import Array, Tensor

__all__ = [
    "cholesky",
    "det",
    "inv",
    "inverse",
    "matrices",
    "matrix_power",
    "qr",
    "slogdet",
    "solve",
    "triangular_solve",
    "wide",
]


def matrices(op_name: str, x: Any, square: bool = False, argument: str = "x") -> Tensor:
    """Return x as a floating tensor of matrices; ValueError unless they are that (and square)."""
    found = floating(op_name, x)
    shape = found._data.shape
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        given = f"{argument} is {describe(found)}"
        expected = "square matrices, [..., N, N]" if square else "matrices, [..., M, N]"
        raise ValueError(message(op_name, given, f"expected {expected}"))
    return found


def wide(x: Array) -> Any:
    """Return x in a type that LAPACK has: half precision as float32."""
    return x.astype(np.float32) if x.itemsize == 2 else x


def _per_matrix(g: Tensor) -> Tensor:
    """A number per matrix, ready to be multiplied with the matrices."""
    return reshape(g, (*g._data.shape, 1, 1))


def _same_type(x: Any, **attrs: Any) -> Any:
    return x.shape, x.dtype


# -- inverses, determinants, equations ------------------------------------------------------------


@op((lambda g, out, _x: -matmul(matmul(out, g, True), out, False, True),), infer=_same_type)
def _inv(x: Array) -> Any:
    return np.linalg.inv(wide(x)).astype(x.dtype, copy=False)


def inv(x: Tensor, name: str | None = None) -> Tensor:
    """The inverses of square matrices, [..., N, N].

    ValueError (numpy's LinAlgError) for a singular matrix.

    >>> import dualgraph as dg
    >>> dg.linalg.inv(dg.to_tensor([[2.0, 0.0], [0.0, 4.0]])).tolist()
    [[0.5, 0.0], [0.0, 0.25]]
    """
    return apply(_inv, (matrices("inv", x, square=True),))


inverse = inv


def _cofactor_dx(g: Any, out: Any, x: Any) -> Any:
    turned = matrix_transpose(apply(_inv, (x,)))
    total = sum_of(g * turned, [-2, -1], keepdim=True)
    return total * out - matmul(matmul(out, g, False, True), turned)


@op((_cofactor_dx,), infer=_same_type)
def _cofactor(x: Array) -> Any:
    """The derivative of the determinant: det(x) inv(x).T, and its limit where x is singular."""
    a = wide(x)
    det = np.linalg.det(a)
    if (det != 0).all():
        out = det[..., None, None] * np.linalg.inv(a).swapaxes(-1, -2)
    else:
        u, s, vh = np.linalg.svd(a)
        n = s.shape[-1]
        others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :]).prod(axis=-1)
        sign = np.linalg.det(u) * np.linalg.det(vh)
        out = sign[..., None, None] * (u * others[..., None, :]) @ vh
    return out.astype(x.dtype, copy=False)


@op(
    (lambda g, _out, x: _per_matrix(g) * apply(_cofactor, (x,)),),
    infer=lambda x: (x.shape[:-2], x.dtype),
)
def _det(x: Array) -> Any:
    return np.asarray(np.linalg.det(wide(x))).astype(x.dtype, copy=False)


def det(x: Tensor, name: str | None = None) -> Tensor:
    """The determinants of square matrices, [..., N, N] to [...].

    The gradient is right at singular matrices, too.

    >>> import dualgraph as dg
    >>> dg.linalg.det(dg.to_tensor([[2.0, 1.0], [0.0, 4.0]])).item()
    8.0
    """
    return apply(_det, (matrices("det", x, square=True),))


@op(
    (lambda g, _out, x: _per_matrix(pick(g, (1,))) * matrix_transpose(apply(_inv, (x,))),),
    infer=lambda x: ((2, *x.shape[:-2]), x.dtype),
)
def _slogdet(x: Array) -> Any:
    return np.stack(np.linalg.slogdet(wide(x))).astype(x.dtype, copy=False)


def slogdet(x: Tensor, name: str | None = None) -> Tensor:
    """Sign and logarithm of absolute value of the determinants, stacked: [2, ...].

    A singular matrix has sign 0 and logarithm -inf.

    >>> import dualgraph as dg
    >>> dg.linalg.slogdet(dg.to_tensor([[1.0, 0.0], [0.0, -1.0]])).tolist()
    [-1.0, 0.0]
    """
    return apply(_slogdet, (matrices("slogdet", x, square=True),))


def _solve_type(x: Any, y: Any, **attrs: Any) -> Any:
    return (*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), *y.shape[-2:]), y.dtype


def _solve_dy(g: Any, _out: Any, x: Any, _y: Any) -> Tensor:
    return apply(_solve, (matrix_transpose(x), g))


def _solve_dx(g: Any, out: Any, x: Any, _y: Any) -> Tensor:
    return -matmul(_solve_dy(g, None, x, None), out, False, True)


@op(
    (_solve_dx, _solve_dy),
    infer=_solve_type,
)
def _solve(x: Array, y: Array) -> Any:
    return np.linalg.solve(wide(x), wide(y)).astype(y.dtype, copy=False)


def solve(x: Tensor, y: Tensor, left: bool = True, name: str | None = None) -> Tensor:
    """The solutions of `x @ out = y`, or of `out @ x = y` without `left`, for square matrices x.

    y is [..., N, K], or vectors: [N], or x's shape without its last axis. ValueError (numpy's
    LinAlgError) for a singular x.

    >>> import dualgraph as dg
    >>> dg.linalg.solve(dg.to_tensor([[2.0, 0.0], [0.0, 4.0]]), dg.to_tensor([2.0, 4.0])).tolist()
    [1.0, 1.0]
    """
    x = matrices("solve", x, square=True)
    x, y = operands("solve", x, floating("solve", y))
    a, b = x._data.shape, y._data.shape
    vector = left and (len(b) == 1 or b == a[:-1])
    if vector:
        y = unsqueeze(y, -1)
    elif not left and len(b) > 1:
        x, y = matrix_transpose(x), matrix_transpose(y)
    if y.ndim < 2 or y._data.shape[-2] != a[-1]:
        given = f"x is {list(a)}, y is {list(b)}"
        expected = f"expected {a[-1]} {'rows' if left else 'columns'} in y"
        raise ValueError(message("solve", given, expected))
    out = apply(_solve, (x, y))
    if vector:
        return squeeze(out, -1)
    return out if left else matrix_transpose(out)


def _triangle(x: Tensor, upper: bool, unit: bool) -> Tensor:
    return triu(x, int(unit)) if upper else tril(x, -int(unit))


def _triangular_dx(
    g: Any, out: Any, x: Any, _y: Any, upper: bool, transpose: bool, unitriangular: bool
) -> Tensor:
    dy = _triangular_dy(g, None, x, None, upper, transpose, unitriangular)
    full = matmul(out, dy, False, True) if transpose else matmul(dy, out, False, True)
    return -_triangle(full, upper, unitriangular)


def _triangular_dy(
    g: Any, _out: Any, x: Any, _y: Any, upper: bool, transpose: bool, unitriangular: bool
) -> Tensor:
    attrs = {"upper": upper, "transpose": not transpose, "unitriangular": unitriangular}
    return apply(_triangular_solve, (x, g), attrs)


@op((_triangular_dx, _triangular_dy), infer=_solve_type)
def _triangular_solve(
    x: Array, y: Array, *, upper: bool, transpose: bool, unitriangular: bool
) -> Any:
    a = np.triu(wide(x)) if upper else np.tril(wide(x))
    if unitriangular:
        diagonal = np.arange(a.shape[-1])
        a[..., diagonal, diagonal] = 1
    out = np.linalg.solve(a.swapaxes(-1, -2) if transpose else a, wide(y))
    return out.astype(y.dtype, copy=False)


def triangular_solve(
    x: Tensor,
    y: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
    name: str | None = None,
) -> Tensor:
    """The solutions of `x @ out = y` for x of which only one triangle counts.

    x is [..., N, N], y [..., N, K].

    `transpose` solves with x transposed, `unitriangular` takes the diagonal as ones. ValueError
    (numpy's LinAlgError) for a zero on the diagonal.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[1.0, 1.0], [0.0, 2.0]])
    >>> dg.linalg.triangular_solve(x, dg.to_tensor([[3.0], [4.0]])).tolist()
    [[1.0], [2.0]]
    """
    x = matrices("triangular_solve", x, square=True)
    x, y = operands("triangular_solve", x, matrices("triangular_solve", y, argument="y"))
    if x._data.shape[-1] != y._data.shape[-2]:
        given = f"x is {x.shape}, y is {y.shape}"
        raise ValueError(message("triangular_solve", given, f"expected {x.shape[-1]} rows in y"))
    attrs = {
        "upper": bool(upper),
        "transpose": bool(transpose),
        "unitriangular": bool(unitriangular),
    }
    return apply(_triangular_solve, (x, y), attrs)


# -- factors --------------------------------------------------------------------------------------


def _cholesky_dx(g: Any, out: Any, _x: Any, upper: bool) -> Tensor:
    inner = matmul(out, g, not upper, upper)
    half = (tril(inner) + tril(inner, -1)) * 0.5
    once = _triangular_dy(half, None, out, None, upper, upper, False)
    twice = _triangular_dy(matrix_transpose(once), None, out, None, upper, upper, False)
    return (twice + matrix_transpose(twice)) * 0.5


@op((_cholesky_dx,), infer=_same_type)
def _cholesky(x: Array, *, upper: bool) -> Any:
    a = wide(x)
    factor = np.linalg.cholesky(a.swapaxes(-1, -2) if upper else a)
    return (factor.swapaxes(-1, -2) if upper else factor).astype(x.dtype, copy=False)


def cholesky(x: Tensor, upper: bool = False, name: str | None = None) -> Tensor:
    """The triangular factors L of positive definite matrices L @ L.T, or U of U.T @ U with `upper`.

    Only that triangle of x is read. ValueError (numpy's LinAlgError) unless x is positive definite.

    >>> import dualgraph as dg
    >>> dg.linalg.cholesky(dg.to_tensor([[4.0, 2.0], [2.0, 5.0]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    x = matrices("cholesky", x, square=True)
    return apply(_cholesky, (x,), {"upper": bool(upper)})


def _tall_qr_dx(gq: Tensor, gr: Tensor, q: Tensor, r: Tensor) -> Tensor:
    inner = matmul(r, gr, False, True) - matmul(gq, q, True)
    mirrored = tril(inner) + matrix_transpose(tril(inner, -1))
    right = gq + matmul(q, mirrored)
    attrs = {"upper": True, "transpose": False, "unitriangular": False}
    return matrix_transpose(apply(_triangular_solve, (r, matrix_transpose(right)), attrs))


def _qr_dx(gs: Any, outs: Any, _x: Any, mode: str) -> tuple[Tensor]:
    (gq, gr), (q, r) = gs, outs
    rows, columns = _x.shape[-2:]
    if rows >= columns:
        if mode == "complete" and rows > columns:
            given = f"x is {list(_x.shape)}, mode is 'complete'"
            what = "the columns of Q beyond those of x have no derivative"
            raise ValueError(message("qr", given, what, "use mode='reduced'"))
        return (_tall_qr_dx(gq, gr, q, r),)
    # A wide matrix is a square one, factored, and columns that the same Q turns.
    right_r, right_g = _columns(r, rows, columns), _columns(gr, rows, columns)
    gq = gq + matmul(matmul(q, right_r), right_g, False, True)
    left = _tall_qr_dx(gq, _columns(gr, 0, rows), q, _columns(r, 0, rows))
    return (concat([left, matmul(q, right_g)], -1),)


def _columns(x: Tensor, start: int, stop: int) -> Tensor:
    return slice_of(x, [x.ndim - 1], [start], [stop])


def _qr_type(x: Any, *, mode: str) -> Any:
    *batch, rows, columns = x.shape
    inner = rows if mode == "complete" else min(rows, columns)
    return [((*batch, rows, inner), x.dtype), ((*batch, inner, columns), x.dtype)]


@op(_qr_dx, infer=_qr_type)
def _qr(x: Array, *, mode: str) -> Any:
    factors: Any = np.linalg.qr(wide(x), mode=mode)  # type: ignore[call-overload]  # any str
    return tuple(each.astype(x.dtype, copy=False) for each in factors)


def qr(x: Tensor, mode: str = "reduced", name: str | None = None) -> Any:
    """Orthonormal Q and upper triangular R with Q @ R = x, [..., M, N]; R alone for mode "r".

    "reduced" gives min(M, N) columns of Q, "complete" M. ValueError for another mode.

    >>> import dualgraph as dg
    >>> q, r = dg.linalg.qr(dg.to_tensor([[3.0, 1.0], [4.0, 2.0]]))
    >>> dg.allclose(q @ r, dg.to_tensor([[3.0, 1.0], [4.0, 2.0]])).item()
    True
    """
    if mode not in ("reduced", "complete", "r"):
        expected = "expected 'reduced', 'complete' or 'r'"
        raise ValueError(message("qr", f"mode is {mode!r}", expected))
    attrs = {"mode": "complete" if mode == "complete" else "reduced"}
    q, r = apply_many(_qr, (matrices("qr", x),), attrs)
    return r if mode == "r" else (q, r)


def matrix_power(x: Tensor, n: int, name: str | None = None) -> Tensor:
    """Square matrices to an integer power, by repeated squaring; a negative one of the inverse.

    TypeError unless n is an integer; ValueError (numpy's LinAlgError) for a negative power of a
    singular matrix.

    >>> import dualgraph as dg
    >>> dg.linalg.matrix_power(dg.to_tensor([[1.0, 1.0], [0.0, 1.0]]), 10).tolist()
    [[1.0, 10.0], [0.0, 1.0]]
    """
    x = matrices("matrix_power", x, square=True)
    try:
        n = operator.index(n)
    except TypeError:
        given = f"n is {describe(n)}"
        raise TypeError(message("matrix_power", given, "expected an int")) from None
    if n < 0:
        x, n = inv(x), -n
    if n == 0:
        return broadcast_to(eye(x.shape[-1], dtype=x.dtype), x.shape)
    if n == 1:
        return clone(x)
    half = matrix_power(matmul(x, x), n // 2)
    return matmul(half, x) if n % 2 else half
