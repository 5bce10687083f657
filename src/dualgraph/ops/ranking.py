"""Losses that compare scores, distances and sets: margins, embeddings, triplets, Dice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dualgraph import dtypes
from dualgraph.errors import message
from dualgraph.ops.activation import log_sigmoid, relu
from dualgraph.ops.bounds import minimum
from dualgraph.ops.class_labels import pick_labels
from dualgraph.ops.cross_entropy import cross_entropy
from dualgraph.ops.define import as_tensor, floating, to_dtype
from dualgraph.ops.elementwise import add, divide, multiply, rsqrt, square, subtract
from dualgraph.ops.encoding import one_hot
from dualgraph.ops.gathering import gather
from dualgraph.ops.linalg import matmul
from dualgraph.ops.logic import all_true, equal, select
from dualgraph.ops.loss import check_reduction, pair, reduced
from dualgraph.ops.manipulation import reshape, squeeze
from dualgraph.ops.norms import p_norm
from dualgraph.ops.reduction import mean as mean_of
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.tensor import Tensor

__all__ = [
    "cosine_embedding_loss",
    "dice_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_label_soft_margin_loss",
    "multi_margin_loss",
    "npair_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def margin_ranking_loss(
    input: Tensor,
    other: Tensor,
    label: Tensor,
    margin: float = 0.0,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """By how much, plus a margin, `other` is above `input` (label 1) or below it (label -1).

    ValueError for another reduction than "mean", "sum" and "none".

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> x, y = dg.to_tensor([1.0, 1.0]), dg.to_tensor([3.0, 3.0])
    >>> F.margin_ranking_loss(x, y, dg.to_tensor([1.0, -1.0]), reduction="none").tolist()
    [2.0, 0.0]
    """
    x, y = pair("margin_ranking_loss", input, other, reduction, equal_shapes=False)
    loss = multiply(subtract(y, x), label)
    return reduced(relu(add(loss, margin) if margin else loss), reduction)


def hinge_embedding_loss(
    input: Tensor,
    label: Tensor,
    margin: float = 1.0,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """The distance `input` where label is 1, what it lacks to the margin where label is -1.

    ValueError for another reduction than "mean", "sum" and "none".

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> x, label = dg.to_tensor([0.25, 0.25]), dg.to_tensor([1, -1])
    >>> F.hinge_embedding_loss(x, label, reduction="none").tolist()
    [0.25, 0.75]
    """
    check_reduction("hinge_embedding_loss", reduction)
    x = floating("hinge_embedding_loss", input)
    return reduced(_by_sign(label, x, relu(subtract(margin, x))), reduction)


def _by_sign(label: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """One tensor where the label is 1, the other where it is -1, 0 elsewhere."""
    return select(equal(label, 1), positive, select(equal(label, -1), negative, 0.0))


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    label: Tensor,
    margin: float = 0,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """One less the cosine of two vectors where label is 1, the cosine's excess where it is -1.

    Inputs are [N, M] or [M], label [N] or [1]. ValueError for other shapes.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> x = dg.to_tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> F.cosine_embedding_loss(x, x, dg.to_tensor([1, -1]), reduction="none").tolist()
    [0.0, 1.0]
    """
    x, y = pair("cosine_embedding_loss", input1, input2, reduction)
    label = as_tensor("cosine_embedding_loss", label, "label")
    if x.ndim not in (1, 2) or label.ndim != 1:
        given = f"the inputs are {x.shape}, label is {label.shape}"
        raise ValueError(message("cosine_embedding_loss", given, "expected [N, M] and [N]"))
    lengths = multiply(_square_length(x), _square_length(y))
    cosine = multiply(sum_of(multiply(x, y), -1), rsqrt(lengths))
    return reduced(_by_sign(label, 1.0 - cosine, relu(cosine - margin)), reduction)


def _square_length(x: Tensor) -> Tensor:
    return add(sum_of(square(x), -1), 1e-11)


def _distance(x: Tensor, y: Tensor, p: float, epsilon: float) -> Tensor:
    away = subtract(x, y)
    return p_norm(add(away, epsilon) if epsilon else away, p, (away.ndim - 1,))


def triplet_margin_with_distance_loss(
    input: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """By how much, plus a margin, a positive is farther away than a negative, in any distance.

    The distance is Euclidean by default; `swap` counts the negative one's distance to the positive
    if that is smaller. ValueError for different shapes, a negative margin or negative distances.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> x = dg.zeros([1, 2])
    >>> F.triplet_margin_with_distance_loss(x, x, x, lambda a, b: (a - b).abs().sum(-1)).item()
    1.0
    """
    op_name = "triplet_margin_with_distance_loss"

    def measure(a: Tensor, b: Tensor) -> Tensor:
        if distance_function is None:
            return _distance(a, b, 2.0, 1e-6)
        found = distance_function(a, b)
        if not all_true(found >= 0):
            remedy = "check distance_function"
            raise ValueError(message(op_name, "a distance is negative", "", remedy))
        return found

    return _triplet(op_name, input, positive, negative, measure, margin, swap, reduction)


def triplet_margin_loss(
    input: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    epsilon: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """By how much, plus a margin, a positive example is farther away than a negative one.

    Distances are p-norms along the last axis. `swap` counts the negative one's distance to the
    positive if that is smaller. ValueError for different shapes or a negative margin. Balntas et
    al., "Learning local feature descriptors with triplets" (2016).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> x = dg.zeros([1, 2])
    >>> F.triplet_margin_loss(x, x, x, margin=0.5).item()
    0.5
    """
    op_name = "triplet_margin_loss"
    return _triplet(
        op_name,
        input,
        positive,
        negative,
        lambda a, b: _distance(a, b, p, epsilon),
        margin,
        swap,
        reduction,
    )


def _triplet(
    name: str,
    x: Any,
    positive: Any,
    negative: Any,
    measure: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    check_reduction(name, reduction)
    if margin < 0:
        raise ValueError(message(name, f"margin is {margin}", "expected 0 or more"))
    x, positive = pair(name, x, positive)
    x, negative = pair(name, x, negative)
    near, far = measure(x, positive), measure(x, negative)
    if swap:
        far = minimum(far, measure(positive, negative))
    return reduced(relu(add(subtract(near, far), margin)), reduction)


def multi_margin_loss(
    input: Tensor,
    label: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """The mean over the classes of how far each is within a margin of the labelled one.

    Each is raised to the power p. input is [N, C], label [N]; `weight` is a weight per class.
    ValueError for other shapes, IndexError for a label that is no class.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.multi_margin_loss(dg.to_tensor([[1.0, 0.5]]), dg.to_tensor([0])).item()
    0.25
    """
    check_reduction("multi_margin_loss", reduction)
    x = floating("multi_margin_loss", input)
    label = as_tensor("multi_margin_loss", label, "label")
    if x.ndim != 2 or label.size != x.shape[0]:
        given = f"input is {x.shape}, label is {label.shape}"
        raise ValueError(message("multi_margin_loss", given, "expected [N, C] and [N]"))
    rows = reshape(to_dtype(label, dtypes.int64.numpy), (label.size, 1))
    loss = relu(margin - pick_labels(x, rows, 1, -100) + x) ** p
    loss = mean_of(loss, 1) - margin**p / x.shape[1]
    if weight is not None:
        if weight.shape != x.shape[1:]:
            given = f"input is {x.shape}, weight is {weight.shape}"
            raise ValueError(message("multi_margin_loss", given, f"expected {x.shape[1:]}"))
        loss = multiply(loss, gather(weight, squeeze(rows, 1)))
    return reduced(loss, reduction)


def multi_label_soft_margin_loss(
    input: Tensor,
    label: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    name: str | None = None,
) -> Tensor:
    """The mean over the last axis of the cross entropy of sigmoids with labels 0 or 1.

    `weight` is a weight per class. ValueError for different shapes.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> round(F.multi_label_soft_margin_loss(dg.zeros([1, 2]), dg.ones([1, 2])).item(), 4)
    0.6931
    """
    check_reduction("multi_label_soft_margin_loss", reduction)
    x, y = pair("multi_label_soft_margin_loss", input, label)
    hit, miss = multiply(y, log_sigmoid(x)), multiply(1.0 - y, log_sigmoid(-x))
    loss = -add(hit, miss)
    return reduced(mean_of(loss if weight is None else multiply(loss, weight), -1), reduction)


def npair_loss(anchor: Tensor, positive: Tensor, labels: Tensor, l2_reg: float = 0.002) -> Tensor:
    """The cross entropy of the similarities of anchors with positives, and a penalty on lengths.

    anchor and positive are [N, M], labels [N]; equal labels share the probability. ValueError for
    tensors without elements or other shapes. Sohn, "Improved deep metric learning with multi-class
    N-pair loss objective" (2016).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.npair_loss(dg.zeros([1, 2]), dg.zeros([1, 2]), dg.to_tensor([0])).item()
    0.0
    """
    x, y = pair("npair_loss", anchor, positive)
    labels = as_tensor("npair_loss", labels, "labels")
    if x.ndim != 2 or not x.size or labels.size != x.shape[0]:
        given = f"anchor is {x.shape}, labels is {labels.shape}"
        raise ValueError(message("npair_loss", given, "expected [N, M] and [N], not empty"))
    n = labels.size
    same = to_dtype(equal(reshape(labels, (n, 1)), reshape(labels, (1, n))), x._data.dtype)
    shares = divide(same, sum_of(same, 1, keepdim=True))
    rows = cross_entropy(matmul(x, y, transpose_y=True), shares, reduction="none", soft_label=True)
    lengths = mean_of(sum_of(square(x), 1)) + mean_of(sum_of(square(y), 1))
    return mean_of(sum_of(multiply(shares, rows), 0)) + lengths * (0.25 * l2_reg)


def dice_loss(
    input: Tensor, label: Tensor, epsilon: float = 1e-5, name: str | None = None
) -> Tensor:
    """One less the Dice coefficient of class probabilities and classes, averaged over samples.

    Input is [N, ..., C], label [N, ..., 1]. ValueError for other shapes or a label that is no
    class. Milletari, Navab and Ahmadi, "V-Net" (2016).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.dice_loss(dg.to_tensor([[0.0, 1.0]]), dg.to_tensor([[0]]), epsilon=0.0).item()
    1.0
    """
    x, label = floating("dice_loss", input), as_tensor("dice_loss", label, "label")
    if x.ndim < 2 or label.shape != [*x.shape[:-1], 1]:
        given = f"input is {x.shape}, label is {label.shape}"
        raise ValueError(message("dice_loss", given, f"expected label {[*x.shape[:-1], 1]}"))
    there = to_dtype(one_hot(squeeze(label, -1), x.shape[-1]), x._data.dtype)
    axes = list(range(1, x.ndim))
    shared = sum_of(multiply(x, there), axes)
    total = add(sum_of(x, axes), sum_of(there, axes))
    return mean_of(1.0 - divide(shared * 2.0, total + epsilon))
