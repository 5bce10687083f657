"""Samples of the losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import log_softmax

from dualgraph.ops import cross_entropy as ce
from dualgraph.ops import likelihood, loss
from dualgraph.ops.apply import apply
from dualgraph.ops.registry import OPS
from tests.ops.samples.base import Arr, Sample
from tests.ops.samples.elementwise import slope

PROBABILITY = Arr((2, 3), 0.1, 0.9)
REDUCERS: dict[str, Callable[[Any], Any]] = {"none": lambda x: x, "mean": np.mean, "sum": np.sum}
LOGITS = Arr((4, 5))
LABELS = Arr((4,), ints=(0, 5))


def compared(
    function: Callable[..., Any],
    elements: Callable[..., Any],
    x: Arr,
    y: Arr,
    **options: Any,
) -> list[Sample]:
    """A loss of two tensors with each reduction."""
    return [
        Sample(
            lambda a, b, r=reduction: function(a, b, reduction=r),
            (x, y),
            lambda a, b, reduce=reduce: reduce(elements(a, b)),
            **options,
        )
        for reduction, reduce in REDUCERS.items()
    ]


def _apart(shape: tuple[int, ...]) -> tuple[Arr, Arr]:
    """Two arrays whose elements differ by more than 1: away from the kinks of their difference."""
    return Arr(shape, 2.0, 5.0), Arr(shape, -3.0, 0.5)


def _rows(x: Any, label: Any, axis: int) -> Any:
    kept = np.expand_dims(label, axis)
    return -np.take_along_axis(log_softmax(x, axis=axis), kept, axis).squeeze(axis)


def classified(
    x: Arr, label: Arr, axis: int = -1, reduction: str = "mean", **options: Any
) -> Sample:
    return Sample(
        lambda a, b: ce.cross_entropy(a, b, axis=axis, reduction=reduction, **options),
        (x, label),
        lambda a, b: REDUCERS[reduction](_rows(a, b, axis)),
        order=3 if reduction == "mean" else 2,
    )


def ignoring(reduction: str, ignore_index: int) -> Sample:
    """Labels of which some are to be ignored."""

    def reference(x: Any, label: Any) -> Any:
        kept = label != ignore_index
        rows = np.where(kept, _rows(x, label, -1), 0)
        return rows.sum() / max(kept.sum(), 1) if reduction == "mean" else REDUCERS[reduction](rows)

    return Sample(
        lambda x, label: ce.cross_entropy(x, label, ignore_index=ignore_index, reduction=reduction),
        (LOGITS, LABELS),
        reference,
    )


def _attrs(axis: int = 1, ignore_index: int = 2, reduction: str = "none") -> dict[str, Any]:
    return {"axis": axis, "ignore_index": ignore_index, "reduction": reduction}


def _pull_reference(g: Any, h: Any, x: Any, lse: Any, label: Any) -> Any:
    rows = np.where(label != 2, g, 0)
    there = (np.arange(x.shape[1]) == label) * rows
    return np.exp(x - lse) * (rows + h) - there


def _weights(x: Any, label: Any, weight: Any) -> Any:
    rows = _rows(x, label, -1)
    return (rows * weight[label]).sum() / weight[label].sum()


KEPT = Arr((4, 1), ints=(0, 5))
SMALL = Arr((4, 1))

SAMPLES = {
    "mse_loss": [
        *compared(loss.mse_loss, lambda x, y: (x - y) ** 2, Arr((2, 3)), Arr((2, 3)), order=3),
        *compared(loss.mse_loss, lambda x, y: (x - y) ** 2, Arr((2, 3)), Arr((3,))),
        Sample(loss.mse_loss, (Arr(()), Arr(())), lambda x, y: (x - y) ** 2),
        Sample(
            lambda x, y: loss.mse_loss(x, y, reduction="sum"),
            (Arr((0, 2)), Arr((0, 2))),
            lambda x, y: 0.0,
        ),
        Sample(
            loss.square_error_cost,
            (Arr((2, 1)), Arr((3,))),
            lambda x, y: (x - y) ** 2,
        ),
    ],
    "mse_slope": slope(
        lambda g, x, y: loss.mse_slope(g, x, y, weight=0.5),
        lambda g, x, y: 0.5 * g * (x - y),
        Arr((2, 3)),
        Arr((2, 3)),
        Arr((2, 3)),
    ),
    "l1_loss": [
        *compared(loss.l1_loss, lambda x, y: np.abs(x - y), *_apart((2, 3))),
        Sample(loss.l1_loss, _apart(()), lambda x, y: np.abs(x - y)),
    ],
    "huber_loss": [
        *compared(loss.smooth_l1_loss, lambda x, y: np.abs(x - y) - 0.5, *_apart((2, 3))),
        Sample(
            lambda x, y: loss.smooth_l1_loss(x, y, delta=20.0, is_huber=False),
            (Arr((2, 3)), Arr((2, 3))),
            lambda x, y: ((x - y) ** 2).mean() / 40,
        ),
    ],
    "binary_cross_entropy": [
        *compared(
            likelihood.binary_cross_entropy,
            lambda x, y: -y * np.log(x) - (1 - y) * np.log(1 - x),
            PROBABILITY,
            PROBABILITY,
            special=False,
        ),
        Sample(
            likelihood.binary_cross_entropy,
            (PROBABILITY, PROBABILITY, Arr((3,))),
            lambda x, y, w: (w * (-y * np.log(x) - (1 - y) * np.log(1 - x))).mean(),
            special=False,
        ),
    ],
    "binary_cross_entropy_with_logits": [
        *compared(
            likelihood.binary_cross_entropy_with_logits,
            lambda x, y: np.logaddexp(0, -x) + (1 - y) * x,
            Arr((2, 3), kinks=(0.0,)),
            PROBABILITY,
        ),
        Sample(likelihood.sigmoid_focal_loss, (Arr((2, 3), kinks=(0.0,)), PROBABILITY)),
    ],
    "kl_div": compared(
        likelihood.kl_div, lambda x, y: y * (np.log(y) - x), Arr((2, 3)), PROBABILITY
    )
    + compared(
        lambda x, y, reduction: likelihood.kl_div(x, y, reduction, log_target=True),
        lambda x, y: np.exp(y) * (y - x),
        Arr((2, 3)),
        Arr((2, 3)),
    ),
    "bounded_variance": [
        Sample(
            lambda x, y, v: likelihood.gaussian_nll_loss(x, y, v, full=True),
            (Arr((2, 3)), Arr((2, 3)), Arr((2,), 0.5, 2.0)),
            lambda x, y, v: (
                0.5 * (np.log(2 * np.pi * v[:, None]) + (x - y) ** 2 / v[:, None]).mean()
            ),
            special=False,
        ),
    ],
    "cross_entropy": [
        *[classified(LOGITS, LABELS, reduction=r) for r in REDUCERS],
        classified(Arr((2, 5, 3)), Arr((2, 3), ints=(0, 5)), axis=1),
        classified(Arr((5, 2)), Arr((2,), ints=(0, 5)), axis=0, reduction="none"),
        classified(Arr((5,)), Arr((), ints=(0, 5))),
        classified(Arr((0, 5)), Arr((0,), ints=(0, 5)), reduction="sum"),
        *[ignoring(r, ignored) for r in REDUCERS for ignored in (2, 255)],
        Sample(
            ce.cross_entropy,
            (LOGITS, LABELS, Arr((5,), 0.5, 2.0)),
            _weights,
        ),
    ],
    "cross_entropy_pull": [
        Sample(
            lambda *xs: apply(OPS["cross_entropy_pull"], xs, _attrs()),
            (SMALL, SMALL, LOGITS, SMALL, KEPT),
            _pull_reference,
        ),
        Sample(
            lambda *xs: apply(OPS["cross_entropy_pull"], xs, _attrs(reduction="mean")),
            (Arr(()), SMALL, LOGITS, SMALL, KEPT),
        ),
        Sample(
            lambda *xs: apply(OPS["cross_entropy_pull"], xs, _attrs(0, -100, "sum")),
            (Arr(()), Arr((1, 3)), Arr((4, 3)), Arr((1, 3)), Arr((1, 3), ints=(0, 4))),
        ),
    ],
    "pick_labels": [
        Sample(
            ce.nll_loss,
            (LOGITS, LABELS),
            lambda x, label: -x[np.arange(4), label].mean(),
        ),
        Sample(
            lambda x, label: ce.nll_loss(x, label, ignore_index=2, reduction="none"),
            (Arr((2, 5, 3)), Arr((2, 3), ints=(0, 5))),
            lambda x, label: (
                -np.where(label == 2, 0, np.take_along_axis(x, label[:, None], 1)[:, 0])
            ),
        ),
        Sample(
            lambda x, label: ce.cross_entropy(x, label, use_softmax=False),
            (Arr((4, 5), 0.1, 1.0), LABELS),
            lambda x, label: -np.log(x[np.arange(4), label]).mean(),
        ),
    ],
    "spread_labels": [
        Sample(
            lambda g, label: apply(
                OPS["spread_labels"], (g, label), {"axis": 1, "classes": 5, "ignore_index": 2}
            ),
            (SMALL, KEPT),
            lambda g, label: (np.arange(5) == label) * np.where(label == 2, 0, g),
        ),
        Sample(
            lambda x, label: ce.cross_entropy(x, label, label_smoothing=0.2),
            (LOGITS, LABELS),
            lambda x, label: (
                0.8 * _rows(x, label, -1).mean() - 0.2 * log_softmax(x, axis=-1).mean()
            ),
        ),
    ],
    "label_weights": [
        Sample(
            lambda label, r=reduction: apply(
                OPS["label_weights"],
                (label,),
                {
                    "classes": 5,
                    "ignore_index": 2,
                    "reduction": r,
                    "dtype": np.dtype(np.float64),
                },
            ),
            (KEPT,),
            lambda label, r=reduction: (
                (label != 2) / (max((label != 2).sum(), 1) if r == "mean" else 1)
            ),
            grad=False,
        )
        for reduction in ("none", "mean")
    ],
}
