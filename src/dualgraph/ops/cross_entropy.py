"""Losses of classification: cross entropy and negative log-likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.activation import log_softmax, softmax
from dualgraph.ops.apply import apply, apply_many
from dualgraph.ops.bounds import maximum
from dualgraph.ops.class_labels import (
    add_at_labels,
    at_labels,
    labelled,
    pick_by_comparison,
    pick_labels,
    row_weights,
    spread_labels,
    weights_of,
)
from dualgraph.ops.define import as_tensor, axis_of, floating, operands, to_dtype
from dualgraph.ops.elementwise import add, divide, exp, log, multiply, neg, subtract
from dualgraph.ops.extreme import max as max_of
from dualgraph.ops.indexing import gather_at
from dualgraph.ops.logic import equal, not_equal, select
from dualgraph.ops.loss import check_reduction, reduced
from dualgraph.ops.manipulation import reshape, squeeze, unsqueeze
from dualgraph.ops.reduction import kept_shape
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = ["cross_entropy", "nll_loss", "softmax_with_cross_entropy"]

# -- cross entropy of logits ----------------------------------------------------------------------


def _pull_dx(v: Any, _y: Any, g: Any, h: Any, x: Any, lse: Any, label: Any, **attrs: Any) -> Any:
    weights = weights_of(label, x, **attrs)
    return v * exp(x - lse) * (g * weights + h)


def _pull_dg(
    v: Any, _y: Any, _g: Any, _h: Any, x: Any, lse: Any, label: Any, **attrs: Any
) -> Tensor:
    axis = attrs["axis"]
    total = sum_of(v * exp(x - lse), axis, keepdim=True)
    slopes = total - pick_labels(v, label, axis, attrs["ignore_index"])
    slopes = slopes * weights_of(label, x, **attrs)
    return sum_of(slopes) if attrs["reduction"] != "none" else slopes


def _pull_in_steps(
    g: Tensor, h: Tensor, x: Tensor, lse: Tensor, label: Tensor, **attrs: Any
) -> Tensor:
    rows = multiply(g, weights_of(label, x, **attrs))
    hits = labelled(label, attrs["axis"], x._data.shape[attrs["axis"]], attrs["ignore_index"])
    return subtract(multiply(exp(subtract(x, lse)), add(rows, h)), select(hits, rows, 0.0))


@op(
    (
        _pull_dg,
        lambda v, _y, _g, _h, x, lse, _label, axis, **attrs: sum_of(
            v * exp(x - lse), axis, keepdim=True
        ),
        _pull_dx,
        lambda v, _y, g, h, x, lse, label, **attrs: -_pull_dx(v, _y, g, h, x, lse, label, **attrs),
        None,
    ),
    expand=_pull_in_steps,
    infer=lambda g, h, x, lse, label, **attrs: (x.shape, x.dtype),
)
def _cross_entropy_pull(
    g: Array,
    h: Array,
    x: Array,
    lse: Array,
    label: Array,
    *,
    axis: int,
    ignore_index: int,
    reduction: str,
) -> Any:
    """The gradient of the logits x, given those (g and h) of the loss and of lse."""
    label, weight = row_weights(label, x.shape[axis], ignore_index, reduction, x.dtype)
    rows = g * weight
    out: Any = np.subtract(x, lse)
    np.exp(out, out)
    slopes = rows + h
    out *= slopes
    if isinstance(weight, np.ndarray):
        # Rows to ignore have no gradient, whatever they hold.
        np.copyto(out, 0, where=slopes == 0)
    add_at_labels(out, label, axis, -rows)
    return out


def _cross_entropy_dx(
    gs: Any, outs: Any, x: Any, label: Any, axis: int, ignore_index: int, reduction: str
) -> tuple[Any, None]:
    attrs = {"axis": axis, "ignore_index": ignore_index, "reduction": reduction}
    return apply(_cross_entropy_pull, (gs[0], gs[1], x, outs[1], label), attrs), None


def _cross_entropy_in_steps(
    x: Tensor, label: Tensor, axis: int, ignore_index: int, reduction: str
) -> tuple[Tensor, Tensor]:
    largest = max_of(x, axis, keepdim=True)
    lse = add(log(sum_of(exp(subtract(x, largest)), axis, keepdim=True)), largest)
    kept = not_equal(label, ignore_index)
    rows = subtract(lse, pick_by_comparison(x, label, axis, ignore_index))
    rows = multiply(select(kept, rows, 0.0), weights_of(label, x, axis, ignore_index, reduction))
    return (rows if reduction == "none" else sum_of(rows)), lse


def _cross_entropy_type(x: Any, label: Any, *, reduction: str, **attrs: Any) -> Any:
    loss = label.shape if reduction == "none" else ()
    return [(loss, x.dtype), (label.shape, x.dtype)]


@op(_cross_entropy_dx, expand=_cross_entropy_in_steps, infer=_cross_entropy_type)
def _cross_entropy(
    x: Array, label: Array, *, axis: int, ignore_index: int, reduction: str
) -> tuple[Any, Any]:
    """The loss of each row (or their sum or mean), and the logarithm of its sum of exponentials."""
    label, weight = row_weights(label, x.shape[axis], ignore_index, reduction, x.dtype)
    largest = np.maximum.reduce(x, axis=axis, keepdims=True)
    away: Any = np.subtract(x, largest)
    np.exp(away, away)
    lse = np.log(np.add.reduce(away, axis=axis, keepdims=True))
    lse += largest
    rows = lse - at_labels(x, label, axis)
    if isinstance(weight, np.ndarray):
        rows = np.where(weight != 0, rows * weight, weight)
        return (rows if reduction == "none" else np.add.reduce(rows, axis=None)), lse
    if reduction == "none":
        return rows, lse
    return (np.add.reduce(rows, axis=None) * weight).astype(x.dtype), lse


def _class_weights(weight: Tensor, label: Tensor, ignore_index: int) -> Tensor:
    """The weight of each row's class; 0 for rows to ignore."""
    kept = not_equal(label, ignore_index)
    return select(kept, gather_at(weight, (select(kept, label, 0),), (0,)), 0.0)


def _weighted(rows: Tensor, weights: Tensor | None, reduction: str) -> Tensor:
    """Rows times weights, and their sum or weighted mean; 0 where all weights are."""
    if weights is None:
        return reduced(rows, reduction)
    rows = multiply(rows, weights)
    if reduction != "mean":
        return reduced(rows, reduction)
    total = sum_of(weights)
    return divide(sum_of(rows), select(equal(total, 0.0), 1.0, total))


def _log_of(x: Tensor) -> Tensor:
    """The logarithm of probabilities, with Paddle's finite value at 0."""
    return maximum(log(x), -1e20)


def _hard_rows(x: Tensor, label: Tensor, axis: int, ignore_index: int, use_softmax: bool) -> Tensor:
    if use_softmax:
        attrs = {"axis": axis, "ignore_index": ignore_index, "reduction": "none"}
        return apply_many(_cross_entropy, (x, label), attrs)[0]
    picked = pick_labels(x, label, axis, ignore_index)
    return select(not_equal(label, ignore_index), neg(_log_of(picked)), 0.0)


def _soft_rows(x: Tensor, label: Tensor, axis: int, use_softmax: bool) -> Tensor:
    log_p = log_softmax(x, axis) if use_softmax else _log_of(x)
    return neg(sum_of(multiply(label, log_p), axis, keepdim=True))


def _smoothed(label: Tensor, epsilon: float, classes: int) -> Tensor:
    return add(multiply(label, 1.0 - epsilon), epsilon / classes) if epsilon else label


def _with_axis(name: str, x: Tensor, label: Tensor, axis: int, soft: bool) -> Tensor:
    """The label with the axis of the classes, checked against x's shape."""
    if label.ndim == x.ndim - 1:
        label = unsqueeze(label, axis)
    sizes = x._data.shape if soft else kept_shape(x._data.shape, (axis,))
    if label._data.shape != sizes:
        given = f"input is {x.shape}, label is {label.shape}"
        alone = [n for i, n in enumerate(sizes) if i != axis]
        expected = f"expected {list(sizes)}" if soft else f"expected {alone} or {list(sizes)}"
        remedy = "" if soft else "give soft_label=True if the label holds probabilities"
        raise ValueError(message(name, given, expected, remedy))
    if soft:
        return label
    if label._data.dtype.kind not in "iu":
        remedy = "cast it, or give soft_label=True if it holds probabilities"
        raise TypeError(message(name, f"label is {describe(label)}", "expected integers", remedy))
    return to_dtype(label, dtypes.int64.numpy)


def cross_entropy(
    input: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    soft_label: bool = False,
    axis: int = -1,
    use_softmax: bool = True,
    label_smoothing: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """The cross entropy of logits along an axis with class numbers or probabilities.

    Without `use_softmax` the input holds probabilities. `label` holds class numbers, in input's
    shape without the axis or with size 1 there; or, with `soft_label`, probabilities in input's
    shape. `weight` is a weight per class, and the mean is the weighted one. `label_smoothing` moves
    that much of each label evenly to all classes. Rows labelled `ignore_index` have loss 0; they
    count in the mean only if it is negative. ValueError for shapes that do not fit, IndexError for
    a label that is no class.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> logits = dg.to_tensor([[0.0, 0.0], [0.0, 50.0]])
    >>> round(F.cross_entropy(logits, dg.to_tensor([0, 1]), reduction="sum").item(), 4)
    0.6931
    """
    check_reduction("cross_entropy", reduction)
    x = floating("cross_entropy", input)
    label = as_tensor("cross_entropy", label, "label")
    if not x.ndim:
        raise ValueError(message("cross_entropy", "input is 0-d", "expected an axis of classes"))
    if soft_label and ignore_index > 0:
        given = f"ignore_index is {ignore_index} and soft_label is True"
        raise ValueError(message("cross_entropy", given, "probabilities name no class to ignore"))
    axis, ndim = axis_of("cross_entropy", axis, x.ndim), label.ndim
    label = _with_axis("cross_entropy", x, label, axis, soft_label)
    if x._data.itemsize == 2:
        wide = to_dtype(x, dtypes.float32.numpy)
        out = cross_entropy(
            wide,
            label,
            weight,
            ignore_index,
            reduction,
            soft_label,
            axis,
            use_softmax,
            label_smoothing,
        )
        return to_dtype(out, x._data.dtype)
    if weight is not None:
        weight = _checked_weight("cross_entropy", weight, x, axis)
    if soft_label or label_smoothing:
        return _soft(x, label, weight, ignore_index, reduction, axis, use_softmax, label_smoothing)
    if weight is None and use_softmax:
        attrs = {"axis": axis, "ignore_index": int(ignore_index), "reduction": reduction}
        out = apply_many(_cross_entropy, (x, label), attrs)[0]
    else:
        rows = _hard_rows(x, label, axis, ignore_index, use_softmax)
        out = _weighted(rows, _weights_for(weight, x, label, axis, ignore_index), reduction)
    return squeeze(out, axis) if reduction == "none" and ndim < x.ndim else out


def _checked_weight(name: str, weight: Any, x: Tensor, axis: int) -> Tensor:
    found = to_dtype(as_tensor(name, weight, "weight"), x._data.dtype)
    if found._data.shape != (x._data.shape[axis],):
        given = f"input is {x.shape} with {x.shape[axis]} classes, weight is {found.shape}"
        raise ValueError(message(name, given, f"expected [{x.shape[axis]}]"))
    return found


def _weights_for(
    weight: Tensor | None, x: Tensor, label: Tensor, axis: int, ignore_index: int
) -> Tensor | None:
    """What rows weigh by their class, or by whether they are kept; None if all count alike."""
    if weight is not None:
        return _class_weights(weight, label, ignore_index)
    return weights_of(label, x, axis, ignore_index, "none") if ignore_index >= 0 else None


def _soft(
    x: Tensor,
    label: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    axis: int,
    use_softmax: bool,
    smoothing: float,
) -> Tensor:
    """The loss of labels that are probabilities, or class numbers that smoothing makes such."""
    classes = x._data.shape[axis]
    weights = kept = None
    if label._data.shape == x._data.shape and label._data.dtype.kind not in "iu":
        x, label = operands("cross_entropy", x, label)
    else:
        kept = weights_of(label, x, axis, ignore_index, "none")
        weights = kept if ignore_index >= 0 else None
        label = spread_labels(kept, label, axis, classes, ignore_index)
    label = _smoothed(label, smoothing, classes)
    rows = _soft_rows(x, label, axis, use_softmax)
    if weight is not None:
        shape = [1] * x.ndim
        shape[axis] = classes
        weights = sum_of(multiply(label, reshape(weight, shape)), axis, keepdim=True)
        weights = weights if kept is None else multiply(weights, kept)
    elif kept is not None and weights is None:
        rows = multiply(rows, kept)
    return _weighted(rows, weights, reduction)


def softmax_with_cross_entropy(
    logits: Tensor,
    label: Tensor,
    soft_label: bool = False,
    ignore_index: int = -100,
    numeric_stable_mode: bool = True,
    return_softmax: bool = False,
    axis: int = -1,
) -> Tensor | tuple[Tensor, Tensor]:
    """The cross entropy of each row, with the axis of the classes kept; and the softmax, if asked.

    As `cross_entropy` with reduction "none", which is to be preferred. The label has as many axes
    as the logits; ValueError otherwise.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.softmax_with_cross_entropy(dg.zeros([2, 1]), dg.to_tensor([[0], [0]])).tolist()
    [[0.0], [0.0]]
    """
    x, label = floating("softmax_with_cross_entropy", logits), as_tensor("cross_entropy", label)
    at = axis_of("softmax_with_cross_entropy", axis, x.ndim)
    if label.ndim != x.ndim:
        given = f"logits is {describe(x)}, label is {describe(label)}"
        raise ValueError(message("softmax_with_cross_entropy", given, "expected as many axes"))
    label = _with_axis("softmax_with_cross_entropy", x, label, at, soft_label)
    loss = cross_entropy(x, label, None, ignore_index, "none", soft_label, at)
    return (loss, softmax(x, at)) if return_softmax else loss


def nll_loss(
    input: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """The negative log-likelihood of classes.

    Input holds log-probabilities [N, C, ...], label class numbers [N, ...]. `weight` is a weight
    per class; the mean is the weighted one, and leaves out rows labelled `ignore_index`. ValueError
    for shapes that do not fit, IndexError for a label that is no class.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.nll_loss(dg.to_tensor([[-1.0, -2.0], [-3.0, -4.0]]), dg.to_tensor([0, 1])).item()
    2.5
    """
    check_reduction("nll_loss", reduction)
    x, label = floating("nll_loss", input), as_tensor("nll_loss", label, "label")
    if x.ndim < 2:
        raise ValueError(message("nll_loss", f"input is {describe(x)}", "expected [N, C, ...]"))
    label = _with_axis("nll_loss", x, label, 1, soft=False)
    try:
        picked = pick_labels(x, label, 1, ignore_index)
    except IndexError as failure:
        raise IndexError(str(failure).replace("[cross_entropy]", "[nll_loss]")) from failure
    if weight is not None:
        weights = _class_weights(_checked_weight("nll_loss", weight, x, 1), label, ignore_index)
    else:
        weights = weights_of(label, x, 1, ignore_index, "none")
    out = _weighted(neg(picked), weights, reduction)
    return squeeze(out, 1) if reduction == "none" else out
