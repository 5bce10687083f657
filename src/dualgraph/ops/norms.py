"""Norms of vectors and matrices, and distances.

The gradient at a kink is the smallest of those that fit: 0 where a norm, or an element under a norm
with p <= 1, is 0; elements that tie for the largest or smallest share it evenly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, overwrite
from dualgraph.ops.creation import zeros_like
from dualgraph.ops.decomposition import inv, matrices
from dualgraph.ops.define import as_tensor, axes_of, floating, operands, to_dtype
from dualgraph.ops.elementwise import abs as abs_of
from dualgraph.ops.elementwise import divide, multiply, sign, sqrt, subtract
from dualgraph.ops.extreme import max as max_of
from dualgraph.ops.extreme import min as min_of
from dualgraph.ops.logic import equal, not_equal, select
from dualgraph.ops.manipulation import moveaxis, reshape
from dualgraph.ops.reduction import kept_shape
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import op
from dualgraph.ops.spectrum import reciprocal_or_zero, svdvals
from dualgraph.tensor import Array, Tensor

__all__ = ["cond", "dist", "matrix_norm", "norm", "p_norm", "vector_norm"]

Order = float | int | str

_add: Any = np.add.reduce


def _p_norm_dx(g: Any, out: Any, x: Any, p: float, axis: tuple[int, ...], keepdim: bool) -> Any:
    if not keepdim:
        kept = kept_shape(x.shape, axis)
        g, out = reshape(g, kept), reshape(out, kept)
    if p == 2:
        return x * (g * reciprocal_or_zero(out))
    if p == 0:
        return zeros_like(x)
    if p == 1:
        return sign(x) * g
    size = abs_of(x)
    if math.isinf(p):
        there = to_dtype(equal(size, out), x._data.dtype)
        return sign(x) * there * (g / sum_of(there, axis, keepdim=True))
    scale = select(out == 0, 1.0, out) if p > 0 else out
    return sign(x) * (select(size == 0, 1.0, size) / scale) ** (p - 1) * g


def _p_norm_in_steps(x: Tensor, p: float, axis: tuple[int, ...], keepdim: bool) -> Tensor:
    if p == 2:
        return sqrt(sum_of(multiply(x, x), axis, keepdim=keepdim))
    if p == 0:
        return sum_of(to_dtype(not_equal(x, 0), x._data.dtype), axis, keepdim=keepdim)
    size = abs_of(x)
    if math.isinf(p):
        return max_of(size, axis, keepdim) if p > 0 else min_of(size, axis, keepdim)
    return sum_of(size**p, axis, keepdim=keepdim) ** (1 / p)


@op((_p_norm_dx,), expand=_p_norm_in_steps)
def _p_norm(x: Array, *, p: float, axis: tuple[int, ...], keepdim: bool) -> Any:
    dtype = x.dtype
    if dtype.itemsize == 2:
        x = x.astype(np.float32)
    if p == 2:
        out = np.sqrt(_add(x * x, axis=axis, keepdims=keepdim))
    elif p == 0:
        out = np.count_nonzero(x, axis=axis, keepdims=keepdim)
    elif math.isinf(p):
        extreme: Any = np.maximum if p > 0 else np.minimum
        out = extreme.reduce(np.abs(x), axis=axis, keepdims=keepdim)
    elif p == 1:
        out = _add(np.abs(x), axis=axis, keepdims=keepdim)
    else:
        out = _add(np.abs(x) ** p, axis=axis, keepdims=keepdim) ** (1 / p)
    return np.asarray(out).astype(dtype, copy=False)


def p_norm(x: Tensor, p: float, axis: tuple[int, ...], keepdim: bool = False) -> Tensor:
    """The p-norms of a floating tensor along canonical axes."""
    return apply(_p_norm, (x,), {"p": float(p), "axis": axis, "keepdim": keepdim})


def vector_norm(
    x: Tensor,
    p: float = 2.0,
    axis: int | Sequence[int] | None = None,
    keepdim: bool = False,
    name: str | None = None,
    *,
    dtype: DTypeLike | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The p-norms of the vectors that the given axes span, by default of all elements.

    Any number is a p: 0 counts what is not 0, inf and -inf are the largest and smallest absolute
    value. ValueError for a p that is no number.

    >>> import dualgraph as dg
    >>> dg.linalg.vector_norm(dg.to_tensor([[3.0, 4.0], [0.0, 2.0]]), axis=1).tolist()
    [5.0, 2.0]
    """
    if not isinstance(p, (int, float)):
        raise ValueError(message("vector_norm", f"p is {describe(p)}", "expected a number"))
    x = _operand("vector_norm", x, dtype)
    return _into(out, p_norm(x, p, axes_of("vector_norm", axis, x.ndim), bool(keepdim)))


def _operand(op_name: str, x: Any, dtype: DTypeLike | None) -> Tensor:
    x = as_tensor(op_name, x) if dtype is None else to_dtype(x, dtypes.as_numpy(dtype))
    return floating(op_name, x)


def _into(out: Tensor | None, result: Tensor) -> Tensor:
    return result if out is None else overwrite("norm", out, lambda _: result)


def matrix_norm(
    x: Tensor,
    p: Order = "fro",
    axis: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    name: str | None = None,
) -> Tensor:
    """The norms of the matrices that two axes span.

    "fro" is the root of the sum of squares, "nuc" the sum of the singular values, 2 and -2 the
    largest and smallest of these, 1 and -1 the largest and smallest sum of absolute values of a
    column, inf and -inf of a row. ValueError for another p or number of axes.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[3.0, 0.0], [1.0, 2.0]])
    >>> dg.linalg.matrix_norm(x, 1).item(), dg.linalg.matrix_norm(x, float("inf")).item()
    (4.0, 3.0)
    """
    x = floating("matrix_norm", x)
    if not isinstance(axis, (list, tuple)) or len(axis) != 2:
        raise ValueError(message("matrix_norm", f"axis is {axis!r}", "expected two axes"))
    axes = axes_of("matrix_norm", axis, x.ndim)
    if p == "fro":
        return p_norm(x, 2, axes, bool(keepdim))
    if p in ("nuc", 2, -2):
        order = 1.0 if p == "nuc" else -math.inf if p == -2 else math.inf
        values = svdvals(moveaxis(x, axes, (-2, -1)))
        found = p_norm(values, order, (values.ndim - 1,))
        return reshape(found, kept_shape(x._data.shape, axes)) if keepdim else found
    if isinstance(p, str) or p not in (1, -1, math.inf, -math.inf):
        expected = "expected 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        raise ValueError(message("matrix_norm", f"p is {p!r}", expected))
    summed, among = axes if abs(p) == 1 else axes[::-1]
    found = p_norm(p_norm(x, 1, (summed,), True), math.copysign(math.inf, p), (among,), True)
    if keepdim:
        return found
    return reshape(found, [n for i, n in enumerate(x._data.shape) if i not in axes])


def norm(
    x: Tensor,
    p: Order | None = None,
    axis: int | Sequence[int] | None = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """A norm of all elements, of vectors (one axis given) or of matrices (two), 2 by default.

    Of two axes, p is that of `matrix_norm`; of one, none or more, that of `vector_norm`, or "fro"
    for 2. "nuc" takes the axes of a matrix where none are given. The gradient where a norm is 0 is
    0. ValueError for other p.

    >>> import dualgraph as dg
    >>> dg.norm(dg.to_tensor([[3.0, 4.0], [0.0, 2.0]]), p=1, axis=1).tolist()
    [7.0, 2.0]
    """
    x = _operand("norm", x, dtype)
    axes: Any = list(axis) if isinstance(axis, (list, tuple)) else axis
    matrix = isinstance(axes, list) and len(axes) == 2
    if isinstance(p, str) and not (p == "fro" and (axes is None or isinstance(axes, int))):
        matrix, axes = True, list(range(x.ndim)) if axes is None else axes
    if matrix:
        return _into(out, matrix_norm(x, 2.0 if p is None else p, axes, keepdim))
    order = 2.0 if p is None or isinstance(p, str) else p
    return _into(out, vector_norm(x, order, axes, keepdim))


def dist(x: Tensor, y: Tensor, p: float = 2, name: str | None = None) -> Tensor:
    """The p-norm of the difference of two tensors, which broadcast: one number.

    >>> import dualgraph as dg
    >>> dg.dist(dg.to_tensor([1.0, 5.0]), dg.to_tensor([4.0, 1.0])).item()
    5.0
    """
    x, y = operands("dist", as_tensor("dist", x, "x"), as_tensor("dist", y, "y"))
    return vector_norm(subtract(x, y), p)


def cond(x: Tensor, p: Order | None = None, name: str | None = None) -> Tensor:
    """The condition numbers of matrices for the norm p of `matrix_norm`, 2 by default.

    The matrices must be square unless p is 2 or -2. ValueError (numpy's LinAlgError) for a singular
    one then.

    >>> import dualgraph as dg
    >>> dg.linalg.cond(dg.to_tensor([[2.0, 0.0], [0.0, 1.0]])).item()
    2.0
    """
    if p in (None, 2, -2):
        values = svdvals(x)
        largest, smallest = (p_norm(values, q, (values.ndim - 1,)) for q in (math.inf, -math.inf))
        return divide(smallest, largest) if p == -2 else divide(largest, smallest)
    x = matrices("cond", x, square=True)
    return multiply(matrix_norm(x, p), matrix_norm(inv(x), p))
