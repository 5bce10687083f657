"""Attention: values averaged with weights that come of how well keys fit a query."""

from __future__ import annotations

import math

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.activation import softmax
from dualgraph.ops.define import check_tensor
from dualgraph.ops.dropout import dropout
from dualgraph.ops.elementwise import add, multiply
from dualgraph.ops.linalg import matmul
from dualgraph.ops.logic import select
from dualgraph.ops.manipulation import squeeze, transpose, unsqueeze
from dualgraph.ops.splitting import repeat_interleave
from dualgraph.tensor import Tensor, wrap

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    training: bool = True,
    backend: str | None = None,
    scale: float | None = None,
    enable_gqa: bool = True,
    name: str | None = None,
) -> Tensor:
    """softmax(query @ key^T * scale + mask) @ value, for each head.

    query is [batch, length, heads, width], key and value [batch, length 2, heads 2, width]; without
    the batch, so is the output. `attn_mask` broadcasts against [batch, heads, length, length 2]:
    True where a query may look, or a floating tensor to add. With `is_causal` a query looks at keys
    up to its own position only. `scale` is 1 / sqrt(width) by default; while training, weights drop
    out with probability `dropout_p`. With `enable_gqa` each head of key and value serves heads /
    heads 2 heads of the query. `backend` changes nothing. ValueError for shapes that do not fit.
    Source: Vaswani and others, "Attention is all you need", 2017.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> x = dg.ones([1, 3, 2, 4])
    >>> F.scaled_dot_product_attention(x, x, x).shape
    [1, 3, 2, 4]
    """
    given = {"query": query, "key": key, "value": value}
    q, k, v = (check_tensor("scaled_dot_product_attention", x, n) for n, x in given.items())
    single = q.ndim == 3
    if single:
        q, k, v = (unsqueeze(x, 0) for x in (q, k, v))
    _check_sizes(q, k, v, enable_gqa)
    groups = q._data.shape[2] // max(k._data.shape[2], 1)
    if groups > 1:
        k, v = repeat_interleave(k, groups, 2), repeat_interleave(v, groups, 2)
    q, k, v = (transpose(x, [0, 2, 1, 3]) for x in (q, k, v))
    factor = 1.0 / math.sqrt(q._data.shape[-1]) if scale is None else float(scale)
    scores = matmul(multiply(q, factor), k, transpose_y=True)
    weights = softmax(_masked(scores, attn_mask, is_causal))
    if dropout_p and training:
        weights = dropout(weights, dropout_p)
    out = transpose(matmul(weights, v), [0, 2, 1, 3])
    return squeeze(out, 0) if single else out


def _check_sizes(q: Tensor, k: Tensor, v: Tensor, enable_gqa: bool) -> None:
    a, b, c = q._data.shape, k._data.shape, v._data.shape
    fits = len(a) == len(b) == len(c) == 4 and a[3] == b[3] and a[0] == b[0] and b[:3] == c[:3]
    if fits:
        fits = a[2] % b[2] == 0 if enable_gqa and b[2] else a[2] == b[2]
    if not fits:
        given = f"query is {describe(q)}, key {describe(k)}, value {describe(v)}"
        expected = (
            "expected [batch, length, heads, width] with equal batches and widths, "
            "and heads that the key's heads divide"
        )
        raise ValueError(message("scaled_dot_product_attention", given, expected))


def _masked(scores: Tensor, mask: Tensor | None, is_causal: bool) -> Tensor:
    """Scores with -inf where a query must not look."""
    if is_causal:
        past = wrap(np.tri(*scores._data.shape[-2:], dtype=np.bool_))
        scores = select(past, scores, -math.inf)
    if mask is None:
        return scores
    mask = check_tensor("scaled_dot_product_attention", mask, "attn_mask")
    if mask._data.dtype.kind == "b":
        return select(mask, scores, -math.inf)
    return add(scores, mask)
