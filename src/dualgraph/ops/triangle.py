"""Matrices by place: triangles, diagonals, and coordinate grids."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, overwrite
from dualgraph.ops.creation import arange, new_shape
from dualgraph.ops.define import as_tensor, axis_of, check_tensor
from dualgraph.ops.logic import less_equal, select
from dualgraph.ops.manipulation import broadcast_to, clone, reshape, transpose
from dualgraph.ops.registry import OPS, op
from dualgraph.ops.slicing import diagonal as diagonal_of
from dualgraph.tensor import Array, Tensor, wrap

__all__ = [
    "diag",
    "diag_embed",
    "diagflat",
    "meshgrid",
    "tril",
    "tril_",
    "tril_indices",
    "triu",
    "triu_",
    "triu_indices",
]


def _int(op_name: str, argument: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        given = f"{argument} is {describe(value)}"
        raise TypeError(message(op_name, given, "expected an int")) from None


# -- triangles ------------------------------------------------------------------------------------


def _places(x: Tensor) -> tuple[Tensor, Tensor]:
    """Row numbers as a column and column numbers as a row, of the matrices in x."""
    rows, columns = x._data.shape[-2:]
    return reshape(arange(rows), [rows, 1]), reshape(arange(columns), [1, columns])


def _expand_tril(x: Tensor, *, diagonal: int) -> Tensor:
    row, column = _places(x)
    return select(less_equal(column, row + diagonal), x, 0)


def _expand_triu(x: Tensor, *, diagonal: int) -> Tensor:
    row, column = _places(x)
    return select(less_equal(row + diagonal, column), x, 0)


@op((lambda g, _out, _x, diagonal: tril(g, diagonal),), expand=_expand_tril)
def _tril(x: Array, *, diagonal: int) -> Array:
    return np.tril(x, diagonal)


@op((lambda g, _out, _x, diagonal: triu(g, diagonal),), expand=_expand_triu)
def _triu(x: Array, *, diagonal: int) -> Array:
    return np.triu(x, diagonal)


def _triangle(op_name: str, x: Any, diagonal: int) -> Tensor:
    x = as_tensor(op_name, x)
    if x._data.ndim < 2:
        raise ValueError(message(op_name, f"x is {describe(x)}", "expected a matrix or more"))
    return apply(OPS[op_name], (x,), {"diagonal": _int(op_name, "diagonal", diagonal)})


def tril(x: Tensor, diagonal: int = 0, name: str | None = None) -> Tensor:
    """The lower triangle of each matrix in x [..., rows, columns], with zeros above a diagonal.

    The main diagonal is 0, those above it are positive. ValueError for less than two axes,
    TypeError for a diagonal that is no int.

    >>> import dualgraph as dg
    >>> dg.tril(dg.ones([2, 3])).tolist()
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    return _triangle("tril", x, diagonal)


def triu(x: Tensor, diagonal: int = 0, name: str | None = None) -> Tensor:
    """The upper triangle of each matrix in x [..., rows, columns], with zeros below a diagonal.

    The main diagonal is 0, those above it are positive. ValueError for less than two axes,
    TypeError for a diagonal that is no int.

    >>> import dualgraph as dg
    >>> dg.triu(dg.ones([2, 3])).tolist()
    [[1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
    """
    return _triangle("triu", x, diagonal)


def tril_(x: Tensor, diagonal: int = 0, name: str | None = None) -> Tensor:
    """Overwrite x with its lower triangle, and return it; errors as `tril` and in-place ops.

    >>> import dualgraph as dg
    >>> dg.tril_(dg.ones([2, 2])).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return overwrite("tril_", check_tensor("tril_", x), tril, diagonal)


def triu_(x: Tensor, diagonal: int = 0, name: str | None = None) -> Tensor:
    """Overwrite x with its upper triangle, and return it; errors as `triu` and in-place ops.

    >>> import dualgraph as dg
    >>> dg.triu_(dg.ones([2, 2])).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return overwrite("triu_", check_tensor("triu_", x), triu, diagonal)


@op()
def _triangle_indices(
    *, rows: int, columns: int, offset: int, lower: bool, dtype: np.dtype[Any]
) -> Array:
    mask = np.tri(rows, columns, offset if lower else offset - 1, dtype=bool)
    return np.stack(np.nonzero(mask if lower else ~mask)).astype(dtype)


def _indices(op_name: str, row: Any, col: Any, offset: Any, dtype: DTypeLike) -> Tensor:
    rows, columns = new_shape(op_name, [row, row if col is None else col])
    number_type = dtypes.as_numpy(dtype)
    if number_type.kind not in "iu":
        given = f"dtype is {number_type.name}"
        raise TypeError(message(op_name, given, "expected an integer type"))
    attrs = {
        "rows": rows,
        "columns": columns,
        "offset": _int(op_name, "offset", offset),
        "lower": op_name == "tril_indices",
        "dtype": number_type,
    }
    return apply(_triangle_indices, (), attrs)


def tril_indices(
    row: int, col: int | None = None, offset: int = 0, dtype: DTypeLike = "int64"
) -> Tensor:
    """Where the lower triangle of a matrix [row, col] is: its rows and columns, as a tensor [2, n].

    Square if `col` is None. ValueError for a negative size, TypeError for what is no int.

    >>> import dualgraph as dg
    >>> dg.tril_indices(2, 2).tolist()
    [[0, 1, 1], [0, 0, 1]]
    """
    return _indices("tril_indices", row, col, offset, dtype)


def triu_indices(
    row: int, col: int | None = None, offset: int = 0, dtype: DTypeLike = "int64"
) -> Tensor:
    """Where the upper triangle of a matrix [row, col] is: its rows and columns, as a tensor [2, n].

    Square if `col` is None. ValueError for a negative size, TypeError for what is no int.

    >>> import dualgraph as dg
    >>> dg.triu_indices(2).tolist()
    [[0, 0, 1], [0, 1, 1]]
    """
    return _indices("triu_indices", row, col, offset, dtype)


# -- diagonals ------------------------------------------------------------------------------------


def _on_diagonal(x: Tensor, offset: int) -> Tensor:
    """Zeros [..., n, n] with x [..., m] on a diagonal."""
    *batch, m = x._data.shape
    n = m + abs(offset)
    axis = len(batch)
    attrs = {
        "shape": (*batch, n, n),
        "offset": offset,
        "axis1": axis,
        "axis2": axis + 1,
    }
    return apply(OPS["place_diagonal"], (x,), attrs)


def diag(x: Tensor, offset: int = 0, padding_value: float = 0, name: str | None = None) -> Tensor:
    """A matrix with x [n] on a diagonal, or a diagonal of a matrix x, as a copy.

    A positive offset is above the main diagonal. Off the diagonal of a new matrix stands
    `padding_value`. ValueError for more than two axes, TypeError for an offset that is no int.

    >>> import dualgraph as dg
    >>> dg.diag(dg.to_tensor([1, 2])).tolist(), dg.diag(dg.to_tensor([[1, 2], [3, 4]])).tolist()
    ([[1, 0], [0, 2]], [1, 4])
    """
    x = as_tensor("diag", x)
    offset = _int("diag", "offset", offset)
    if x._data.ndim > 2:
        raise ValueError(message("diag", f"x is {describe(x)}", "expected one axis or two"))
    if x._data.ndim == 2:
        return clone(diagonal_of(x, offset))
    out = _on_diagonal(reshape(x, [-1]), offset)
    if padding_value == 0:
        return out
    inside = wrap(np.eye(out._data.shape[0], k=offset, dtype=np.bool_))
    return select(inside, out, wrap(np.asarray(padding_value).astype(out._data.dtype)))


def diagflat(x: Tensor, offset: int = 0, name: str | None = None) -> Tensor:
    """A matrix with all elements of x on a diagonal. TypeError for an offset that is no int.

    >>> import dualgraph as dg
    >>> dg.diagflat(dg.to_tensor([[1], [2]])).tolist()
    [[1, 0], [0, 2]]
    """
    x = as_tensor("diagflat", x)
    return _on_diagonal(reshape(x, [-1]), _int("diagflat", "offset", offset))


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last axis of x on a diagonal, spanned by two new axes of the result.

    ValueError if the two axes are the same or out of range, or if x is 0-d; TypeError for an offset
    that is no int.

    >>> import dualgraph as dg
    >>> dg.diag_embed(dg.to_tensor([[1, 2]])).tolist()
    [[[1, 0], [0, 2]]]
    """
    x = as_tensor("diag_embed", input, "input")
    ndim = x._data.ndim + 1
    if ndim == 1:
        raise ValueError(message("diag_embed", f"input is {describe(x)}", "expected an axis"))
    rows, columns = (axis_of("diag_embed", dim, ndim) for dim in (dim1, dim2))
    if rows == columns:
        raise ValueError(
            message("diag_embed", f"dim1 and dim2 are both {rows}", "expected two axes")
        )
    out = _on_diagonal(x, _int("diag_embed", "offset", offset))
    batch = iter(range(ndim - 2))
    last = {rows: ndim - 2, columns: ndim - 1}
    return transpose(out, [last[i] if i in last else next(batch) for i in range(ndim)])


# -- grids ----------------------------------------------------------------------------------------


def meshgrid(*args: Any, indexing: str = "ij", name: str | None = None) -> list[Tensor]:
    """Coordinate grids of tensors [n] or []: each spread over the axes of all.

    They are given one by one or as a list.     With `indexing="xy"` the first two axes of the
    results are swapped. ValueError for no tensor, one of more axes, or tensors of different dtypes;
    TypeError for what is no tensor.

    >>> import dualgraph as dg
    >>> x, y = dg.meshgrid(dg.to_tensor([1, 2]), dg.to_tensor([3, 4, 5]))
    >>> x.tolist(), y.tolist()
    ([[1, 1, 1], [2, 2, 2]], [[3, 4, 5], [3, 4, 5]])
    """
    if len(args) == 1 and isinstance(args[0], (list, tuple)):
        args = tuple(args[0])
    if not args:
        raise ValueError(message("meshgrid", "no tensor is given", "expected one or more"))
    if indexing not in ("ij", "xy"):
        raise ValueError(message("meshgrid", f"indexing is {indexing!r}", "expected 'ij' or 'xy'"))
    tensors = [check_tensor("meshgrid", x, f"input {i}") for i, x in enumerate(args)]
    if any(x._data.ndim > 1 for x in tensors) or len({x._data.dtype for x in tensors}) > 1:
        given = ", ".join(describe(x) for x in tensors)
        raise ValueError(
            message("meshgrid", given, "expected at most one axis each, and one dtype")
        )
    order = list(range(len(tensors)))
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    sizes = [tensors[i]._data.size for i in order]
    grids = []
    for i, x in enumerate(tensors):
        along = [n if at == i else 1 for at, n in zip(order, sizes, strict=True)]
        grids.append(broadcast_to(reshape(x, along), sizes))
    return grids
