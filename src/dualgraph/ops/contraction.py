"""Contractions that are layers: linear, embedding, bilinear."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, apply_many, commit
from dualgraph.ops.creation import full
from dualgraph.ops.define import as_tensor, check_tensor, operands
from dualgraph.ops.einsum import einsum
from dualgraph.ops.elementwise import add
from dualgraph.ops.indexing import gather_at, scatter_add_at
from dualgraph.ops.linalg import factors, matmul, outer_sum, product, rows_times
from dualgraph.ops.logic import logical_and, not_equal, select
from dualgraph.ops.manipulation import unsqueeze
from dualgraph.ops.norms import p_norm
from dualgraph.ops.reduction import sum_to
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = ["bilinear", "embedding", "linear"]


def _linear_type(x: Any, weight: Any, bias: Any) -> Any:
    return (*x.shape[:-1], weight.shape[1]), x.dtype


def _linear_by_matmul(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    out = matmul(x, weight)
    return out if bias is None else add(out, bias)


def _slopes_in_steps(
    g: Tensor, x: Tensor | None, weight: Tensor | None, *, needed: int
) -> tuple[Tensor, ...]:
    slopes = []
    if weight is not None:
        slopes.append(rows_times(g, weight))
    if x is not None:
        slopes.append(outer_sum(x, g))
    if needed & 4:
        slopes.append(sum_to(g, g._data.shape[-1:]))
    return tuple(slopes)


def _slope_types(g: Any, x: Any, weight: Any, *, needed: int) -> Any:
    types = []
    if weight is not None:
        types.append(((*g.shape[:-1], weight.shape[0]), g.dtype))
    if x is not None:
        types.append(((x.shape[-1], g.shape[-1]), g.dtype))
    return [*types, (g.shape[-1:], g.dtype)] if needed & 4 else types


@functools.lru_cache(maxsize=64)
def _ones(n: int, dtype: np.dtype[Any]) -> Array:
    """A row of ones, by which a matrix product adds up columns."""
    ones = np.ones(n, dtype)
    ones.flags.writeable = False
    return ones


@op(expand=_slopes_in_steps, infer=_slope_types)
def _linear_slopes(
    g: Array, x: Array | None, weight: Array | None, *, needed: int
) -> tuple[Any, ...]:
    """The gradients of `linear` for those of x, weight and bias that need one."""
    if g.ndim != 2:
        rows = g.reshape(math.prod(g.shape[:-1]), g.shape[-1])
        flat = None if x is None else x.reshape(len(rows), x.shape[-1])
        slopes = _linear_slopes.forward(rows, flat, weight, needed=needed)
        if weight is None:
            return slopes  # type: ignore[no-any-return]
        return (slopes[0].reshape(*g.shape[:-1], weight.shape[0]), *slopes[1:])
    times = np.dot if g.dtype.itemsize > 2 else product
    slopes = []
    if weight is not None:
        slopes.append(times(g, weight.T))
    if x is not None:
        slopes.append(times(x.T, g))
    if needed & 4:
        slopes.append(_added_up(g) if times is product else np.dot(_ones(len(g), g.dtype), g))
    return tuple(slopes)


def _added_up(rows: Array) -> Any:
    """The sum of rows of a 16-bit type, in float32."""
    return np.add.reduce(rows.astype(np.float32), axis=0).astype(rows.dtype)


_NEEDED = [{"needed": needed} for needed in range(8)]


def _linear_pull(g: Tensor, x: Any, weight: Any, _bias: Any, *, needed: int) -> list[Tensor | None]:
    """The gradients of x, weight and bias in one op."""
    inputs = (g, x if needed & 2 else None, weight if needed & 1 else None)
    slopes = iter(apply_many(_linear_slopes, inputs, _NEEDED[needed]))
    return [next(slopes) if needed & bit else None for bit in (1, 2, 4)]


@op(
    (
        lambda g, _out, _x, weight, _bias: rows_times(g, weight),
        lambda g, _out, x, _weight, _bias: outer_sum(x, g),
        lambda g, _out, _x, _weight, _bias: g,
    ),
    pull=_linear_pull,
    expand=_linear_by_matmul,
    infer=_linear_type,
)
def _linear(x: Array, weight: Array, bias: Array | None) -> Any:
    if x.shape[-1] != weight.shape[0]:
        given = f"x is {list(x.shape)}, weight is {list(weight.shape)}"
        what = f"x has {x.shape[-1]} features, weight takes {weight.shape[0]}"
        raise ValueError(f"[linear] {given}: {what}")
    out = product(x, weight)
    if bias is not None:
        np.add(out, bias, out)
    return out


def linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, name: str | None = None
) -> Tensor:
    """`x @ weight + bias` over the last axis of x; weight is [in, out], bias [out].

    ValueError for sizes that do not fit, TypeError for dtypes that do not promote.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.linear(dg.ones([2, 3]), dg.ones([3, 4]), dg.ones([4])).tolist()[0]
    [4.0, 4.0, 4.0, 4.0]
    """
    if isinstance(x, Tensor) and isinstance(weight, Tensor) and isinstance(bias, Tensor):
        a, w, b = x._data, weight._data, bias._data
        dtype = a.dtype
        alike = dtype is w.dtype and dtype is b.dtype and dtype.kind == "f"
        if alike and w.ndim == 2 and a.ndim and b.shape == w.shape[1:]:
            return apply(_linear, (x, weight, bias))
    return _linear_of_any(x, weight, bias)


def _linear_of_any(x: Any, weight: Any, bias: Any) -> Tensor:
    """`linear` of operands that first have to be brought to one dtype, or have no bias."""
    x, weight = factors("linear", x, weight)
    if bias is not None:
        x, bias = operands("linear", x, as_tensor("linear", bias, "bias"))
    fits = bias is None or bias._data.shape in (weight._data.shape[1:], (1,))
    if weight._data.ndim == 2 and x._data.ndim and fits:
        return apply(_linear, (x, weight, bias))
    return _linear_by_matmul(x, weight, bias)


def _check_rows(ids: Array, rows: int) -> None:
    # Seen as unsigned, a negative number is a very large one: one pass finds both kinds.
    if ids.size and int(ids.view(f"u{ids.itemsize}").max()) >= rows:
        given = f"ids go from {ids.min()} to {ids.max()}, weight has {rows} rows"
        raise ValueError(message("embedding", given, f"expected 0 to {rows - 1}"))


def _without_padding(x: Tensor, ids: Tensor, padding_idx: int | None) -> Tensor:
    if padding_idx is None:
        return x
    kept = unsqueeze(not_equal(ids, padding_idx), -1)
    return select(kept, x, 0.0)


def _embedding_dw(g: Any, _out: Any, ids: Any, _w: Any, padding_idx: int | None) -> Tensor:
    return scatter_add_at(_without_padding(g, ids, padding_idx), _w.shape, (ids,), (0,))


def _shared_dw(g: Any, _out: Any, ids: Any, _w: Any, padding_idx: int | None) -> Tensor:
    """The gradient of which every occurrence of an id has an equal share."""
    counts = scatter_add_at(full(ids.shape, 1.0, g.dtype), _w.shape[:1], (ids,), (0,))
    share = g / unsqueeze(gather_at(counts, (ids,), (0,)), -1)
    return _embedding_dw(share, None, ids, _w, padding_idx)


def _embedding_by_gather(ids: Tensor, weight: Tensor, padding_idx: int | None) -> Tensor:
    return _without_padding(gather_at(weight, (ids,), (0,)), ids, padding_idx)


def _embedding_type(ids: Any, weight: Any, *, padding_idx: int | None) -> Any:
    return (*ids.shape, weight.shape[1]), weight.dtype


@op((None, _embedding_dw), expand=_embedding_by_gather, infer=_embedding_type)
def _embedding(ids: Array, weight: Array, *, padding_idx: int | None) -> Array:
    _check_rows(ids, weight.shape[0])
    out = weight.take(ids, axis=0)
    if padding_idx is not None:
        out[ids == padding_idx] = 0
    return out


@op((None, _shared_dw), expand=_embedding_by_gather, infer=_embedding_type)
def _embedding_shared(ids: Array, weight: Array, *, padding_idx: int | None) -> Any:
    return _embedding.forward(ids, weight, padding_idx=padding_idx)


def _renorm_in_steps(weight: Tensor, ids: Tensor, max_norm: float, norm_type: float) -> Tensor:
    size = p_norm(weight, norm_type, (1,), True)
    uses = scatter_add_at(full(ids.shape, 1.0, weight.dtype), weight._data.shape[:1], (ids,), (0,))
    long = logical_and(unsqueeze(uses, 1) > 0, size > max_norm)
    return select(long, weight * (max_norm / (size + 1e-7)), weight)


@op(expand=_renorm_in_steps)
def _embedding_renorm(weight: Array, ids: Array, *, max_norm: float, norm_type: float) -> None:
    """Scale down, in place, the rows that the ids name and whose norm is too large."""
    _check_rows(ids, weight.shape[0])
    used = np.unique(ids)
    rows = weight[used]
    norm = np.linalg.norm(rows, norm_type, axis=1, keepdims=True)
    weight[used] = np.where(norm > max_norm, rows * (max_norm / (norm + 1e-7)), rows)


def embedding(
    x: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    sparse: bool = False,
    scale_grad_by_freq: bool = False,
    name: str | None = None,
) -> Tensor:
    """The rows of `weight` that integer ids name, [*x.shape, width].

    The row `padding_idx` (from the end if negative) reads as zeros and gets no gradient. With
    `max_norm`, rows in use that are longer are first scaled down in `weight` itself.
    `scale_grad_by_freq` divides a row's gradient by how often its id occurs. Gradients are dense;
    `sparse` changes nothing. ValueError for ids out of range, negative ones too; TypeError unless
    the ids are integers.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.embedding(dg.to_tensor([2, 0]), dg.to_tensor([[1.0], [2.0], [3.0]])).tolist()
    [[3.0], [1.0]]
    """
    x, weight = as_tensor("embedding", x), check_tensor("embedding", weight, "weight")
    if x._data.dtype.kind not in "iu":
        raise TypeError(
            message("embedding", f"x is {describe(x)}", "expected integer ids", "cast them")
        )
    if weight.ndim != 2:
        given = f"weight is {weight.shape}"
        raise ValueError(message("embedding", given, "expected [number of rows, width]"))
    rows = weight._data.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            given = f"padding_idx is {padding_idx}, weight has {rows} rows"
            raise ValueError(message("embedding", given, f"expected {-rows} to {rows - 1}"))
        padding_idx %= rows
    if max_norm:
        limits = {"max_norm": float(max_norm), "norm_type": float(norm_type)}
        commit(_embedding_renorm, (weight,), (x,), limits)
    attrs = {"padding_idx": padding_idx}
    if scale_grad_by_freq:
        return apply(_embedding_shared, (x, weight), attrs)
    return apply(_embedding, (x, weight), attrs)


def bilinear(
    x1: Tensor, x2: Tensor, weight: Tensor, bias: Tensor | None = None, name: str | None = None
) -> Tensor:
    """A bilinear form for each output: `out[b, o] = x1[b] @ weight[o] @ x2[b] + bias[o]`.

    x1 is [B, M], x2 [B, N], weight [O, M, N], bias [O] or [1, O]; ValueError otherwise.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.bilinear(dg.ones([5, 2]), dg.ones([5, 3]), dg.ones([4, 2, 3])).shape
    [5, 4]
    """
    xs = [check_tensor("bilinear", x) for x in (x1, x2, weight)]
    shapes = [x._data.shape for x in xs]
    expected = (shapes[0][:1] + shapes[2][2:], shapes[0][1:] + shapes[1][1:])
    if [len(s) for s in shapes] != [2, 2, 3] or expected != (shapes[1], shapes[2][1:]):
        given = "x1, x2 and weight are " + ", ".join(str(list(s)) for s in shapes)
        raise ValueError(message("bilinear", given, "expected [B, M], [B, N] and [O, M, N]"))
    out = einsum("bi,oij,bj->bo", xs[0], xs[2], xs[1])
    return out if bias is None else add(out, bias)
