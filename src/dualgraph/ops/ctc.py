"""Connectionist temporal classification: label sequences that are not aligned."""

from __future__ import annotations

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import message
from dualgraph.ops.activation import log_softmax
from dualgraph.ops.along_axis import take_along_axis
from dualgraph.ops.bounds import maximum
from dualgraph.ops.creation import full
from dualgraph.ops.define import as_tensor, floating, to_dtype
from dualgraph.ops.elementwise import add, divide
from dualgraph.ops.extreme import logsumexp
from dualgraph.ops.indexing import gather_at
from dualgraph.ops.joining import concat, stack
from dualgraph.ops.logic import greater_than, logical_and, not_equal, select
from dualgraph.ops.loss import check_reduction, reduced
from dualgraph.ops.manipulation import detach, reshape, unsqueeze
from dualgraph.ops.slicing import slice as slice_of
from dualgraph.ops.splitting import unbind
from dualgraph.tensor import Tensor, wrap

__all__ = ["ctc_loss"]

# The logarithm of 0: finite, so that differences of two of them are no nan.
_NEVER = -1e30


def ctc_loss(
    log_probs: Tensor,
    labels: Tensor,
    input_lengths: Tensor,
    label_lengths: Tensor,
    blank: int = 0,
    reduction: str = "mean",
    norm_by_times: bool = False,
    zero_infinity: bool = False,
) -> Tensor:
    """The negative log-likelihood of label sequences, over all ways to align them with the input.

    `log_probs` holds logits [T, B, C] (the softmax is taken here), `labels` classes [B, L], and the
    lengths say how much of each is used, [B]. Where no alignment exists the loss is inf, or 0 with
    `zero_infinity`, without gradient. The mean is that of each loss divided by its label's length.
    `norm_by_times` divides gradients, not losses, by the input's length. ValueError for other
    shapes, IndexError for labels that are no class. Graves et al., "Connectionist temporal
    classification" (2006).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> x, one = dg.zeros([1, 1, 2]), dg.to_tensor([1])
    >>> round(F.ctc_loss(x, dg.to_tensor([[1]]), one, one).item(), 4)
    0.6931
    """
    check_reduction("ctc_loss", reduction)
    x = floating("ctc_loss", log_probs)
    ints = [
        to_dtype(as_tensor("ctc_loss", each), dtypes.int64.numpy)
        for each in (labels, input_lengths, label_lengths)
    ]
    labels, times, lengths = ints
    if x.ndim != 3 or labels.ndim != 2 or not (labels.shape[:1] == times.shape == lengths.shape):
        given = f"log_probs is {x.shape}, labels is {labels.shape}, lengths are {times.shape}"
        raise ValueError(message("ctc_loss", given, "expected [T, B, C], [B, L], [B] and [B]"))
    if labels.shape[0] != x.shape[1] or not x.shape[0]:
        given = f"log_probs is {x.shape}, labels is {labels.shape}"
        raise ValueError(message("ctc_loss", given, "expected one batch, and a T above 0"))
    loss = -_likelihood(log_softmax(x, -1), labels, times, lengths, blank)
    impossible = greater_than(loss, -_NEVER / 2)
    loss = select(impossible, 0.0 if zero_infinity else float("inf"), loss)
    if norm_by_times:
        scaled = divide(loss, to_dtype(times, x._data.dtype))
        loss = select(impossible, loss, add(scaled, detach(loss - scaled)))
    if reduction == "mean":
        loss = divide(loss, to_dtype(lengths, x._data.dtype))
    return reduced(loss, reduction)


def _likelihood(
    log_p: Tensor, labels: Tensor, times: Tensor, lengths: Tensor, blank: int
) -> Tensor:
    """The log-likelihood of each label sequence, by the forward recursion over time."""
    batch, length = labels.shape
    blanks = full([batch, length], blank, "int64")
    # Blanks between, before and after the labels.
    path = reshape(stack([blanks, labels], 2), (batch, 2 * length))
    path = concat([path, full([batch, 1], blank, "int64")], 1)
    states = 2 * length + 1
    # A blank may be skipped between two different labels.
    before = slice_of(concat([full([batch, 2], blank, "int64"), path], 1), [1], [0], [states])
    skips = logical_and(not_equal(path, blank), not_equal(path, before))
    rows = wrap(np.arange(batch).reshape(batch, 1))
    emitted = unbind(gather_at(log_p, (rows, path), (1, 2)), 0)
    start = wrap(np.arange(states).reshape(1, states) < 2)
    reached = select(start, emitted[0], _NEVER)
    for t in range(1, len(emitted)):
        one, two = (_moved(reached, step) for step in (1, 2))
        ways = stack([reached, one, select(skips, two, _NEVER)], 0)
        onward = maximum(add(logsumexp(ways, 0), emitted[t]), _NEVER)
        reached = select(greater_than(unsqueeze(times, 1), t), onward, reached)
    # The sequence ends in its last label or in the blank after it.
    end = unsqueeze(lengths * 2, 1)
    ends = concat([end, maximum(end - 1, 0)], 1)
    found = take_along_axis(reached, ends, 1)
    some = not_equal(ends, concat([end - end - 1, end], 1))
    return logsumexp(select(some, found, _NEVER), 1)


def _moved(x: Tensor, step: int) -> Tensor:
    """States moved on by some steps; none moves to the first."""
    batch, states = x.shape
    none = full([batch, min(step, states)], _NEVER, x.dtype)
    return slice_of(concat([none, x], 1), [1], [0], [states])
