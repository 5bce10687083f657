"""Class numbers as labels: what they pick from rows of classes, and what rows weigh.

Labels are int64 and keep the axis of the classes, with size 1. Rows whose label is `ignore_index`
are left out: they pick 0 and weigh nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph.errors import message
from dualgraph.ops.apply import apply
from dualgraph.ops.bounds import maximum
from dualgraph.ops.define import to_dtype
from dualgraph.ops.logic import equal, logical_and, not_equal, select
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor, wrap

__all__ = [
    "add_at_labels",
    "at_labels",
    "labelled",
    "pick_by_comparison",
    "pick_labels",
    "row_weights",
    "spread_labels",
    "weights_of",
]


def _checked(label: Array, classes: int, ignore_index: int) -> tuple[Array, Array | None]:
    """Labels with 0 for those to ignore, and which to keep; None if there are none to ignore.

    IndexError for any other number that is no class.
    """
    if not label.size:
        return label, None
    # Seen as unsigned, a negative number is a very large one: one pass finds both kinds.
    outside = int(label.view(np.uint64).max()) >= classes
    if not outside and not 0 <= ignore_index < classes:
        return label, None
    kept = label != ignore_index
    if outside:
        label = np.where(kept, label, 0)
        if int(label.view(np.uint64).max()) >= classes:
            found = f"labels go from {label.min()} to {label.max()}, ignore_index is {ignore_index}"
            raise IndexError(message("cross_entropy", found, f"expected 0 to {classes - 1}"))
    return label, kept


def _places(label: Array, classes: int) -> Any:
    """Where the labelled elements of rows of so many classes are, in a flat view."""
    return np.arange(0, label.size * classes, classes) + label.reshape(-1)


def at_labels(x: Array, label: Array, axis: int) -> Any:
    """The element of each row that a checked label names."""
    if axis == x.ndim - 1 and x.flags.c_contiguous:
        return x.reshape(-1).take(_places(label, x.shape[-1])).reshape(label.shape)
    return np.take_along_axis(x, label, axis)


def add_at_labels(x: Array, label: Array, axis: int, values: Any) -> None:
    """Add a value to the element of each row that a checked label names, in place."""
    if axis == x.ndim - 1 and x.flags.c_contiguous:
        x.reshape(-1)[_places(label, x.shape[-1])] += values.reshape(-1) if values.ndim else values
    else:
        np.put_along_axis(x, label, np.take_along_axis(x, label, axis) + values, axis)


def labelled(label: Tensor, axis: int, classes: int, ignore_index: int) -> Tensor:
    """Where in rows of classes the label is."""
    shape = [1] * label.ndim
    shape[axis] = classes
    there = equal(label, wrap(np.arange(classes).reshape(shape)))
    return logical_and(there, not_equal(label, ignore_index))


def pick_by_comparison(x: Tensor, label: Tensor, axis: int, ignore_index: int) -> Tensor:
    """`pick_labels` in simpler ops, without its check."""
    hits = labelled(label, axis, x._data.shape[axis], ignore_index)
    return sum_of(select(hits, x, 0.0), axis, keepdim=True)


@op(
    (
        lambda g, _out, _x, label, axis, ignore_index: spread_labels(
            g, label, axis, _x.shape[axis], ignore_index
        ),
        None,
    ),
    expand=pick_by_comparison,
    infer=lambda x, label, **attrs: (label.shape, x.dtype),
)
def _pick_labels(x: Array, label: Array, *, axis: int, ignore_index: int) -> Any:
    """The element of each row that its label names; 0 where the label is to be ignored."""
    label, kept = _checked(label, x.shape[axis], ignore_index)
    out = at_labels(x, label, axis)
    return out if kept is None else np.where(kept, out, np.zeros((), x.dtype))


def pick_labels(x: Tensor, label: Tensor, axis: int, ignore_index: int) -> Tensor:
    """The element of each row of x that its label (int64, with the axis kept) names.

    0 where the label is to be ignored; IndexError where it is no class.
    """
    return apply(_pick_labels, (x, label), {"axis": axis, "ignore_index": int(ignore_index)})


@op(
    (
        lambda v, _out, _g, label, axis, classes, ignore_index: pick_labels(
            v, label, axis, ignore_index
        ),
        None,
    ),
    expand=lambda g, label, axis, classes, ignore_index: select(
        labelled(label, axis, classes, ignore_index), g, 0.0
    ),
    infer=lambda g, label, *, axis, classes, ignore_index: (
        (*g.shape[:axis], classes, *g.shape[axis + 1 :]),
        g.dtype,
    ),
)
def _spread_labels(g: Array, label: Array, *, axis: int, classes: int, ignore_index: int) -> Array:
    """Rows of zeros, with an element of g where the label says."""
    label, kept = _checked(label, classes, ignore_index)
    out = np.zeros((*g.shape[:axis], classes, *g.shape[axis + 1 :]), g.dtype)
    add_at_labels(out, label, axis, g if kept is None else np.where(kept, g, 0))
    return out


def spread_labels(g: Tensor, label: Tensor, axis: int, classes: int, ignore_index: int) -> Tensor:
    """Rows of zeros along an axis, with the one element of g where the label says."""
    attrs = {"axis": axis, "classes": classes, "ignore_index": int(ignore_index)}
    return apply(_spread_labels, (g, label), attrs)


def row_weights(
    label: Array, classes: int, ignore_index: int, reduction: str, dtype: Any
) -> tuple[Array, Any]:
    """Checked labels, and what each row weighs in the result: an array, or one number for all."""
    label, kept = _checked(label, classes, ignore_index)
    weight: Any = 1.0
    if reduction == "mean":
        # As in Paddle, rows with the default, negative ignore_index count, with loss 0.
        counted = kept if kept is not None and ignore_index >= 0 else None
        count = label.size if counted is None else max(int(np.count_nonzero(counted)), 1)
        weight = 1.0 / count if count else np.nan
    return label, weight if kept is None else kept.astype(dtype) * dtype.type(weight)


def _weights_by_comparison(
    label: Tensor, classes: int, ignore_index: int, reduction: str, dtype: Any
) -> Tensor:
    kept = to_dtype(not_equal(label, ignore_index), dtype)
    if reduction != "mean":
        return kept
    if ignore_index < 0:
        return kept / label.size
    return kept / maximum(sum_of(kept), 1.0)


@op(expand=_weights_by_comparison, infer=lambda label, **attrs: (label.shape, attrs["dtype"]))
def _label_weights(
    label: Array, *, classes: int, ignore_index: int, reduction: str, dtype: Any
) -> Any:
    _, weight = row_weights(label, classes, ignore_index, reduction, dtype)
    return np.array(np.broadcast_to(weight, label.shape), dtype)


def weights_of(label: Tensor, like: Any, axis: int, ignore_index: int, reduction: str) -> Tensor:
    """What the loss of each row weighs in the reduced loss of rows like those of a tensor."""
    attrs = {
        "classes": like.shape[axis],
        "ignore_index": ignore_index,
        "reduction": reduction,
        "dtype": like._data.dtype,
    }
    return apply(_label_weights, (label,), attrs)
