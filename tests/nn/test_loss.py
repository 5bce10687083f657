"""Loss layers: each is its function with its attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph import nn


def t(values: Any) -> Any:
    return dg.to_tensor(values)


def city_block(x: Any, y: Any) -> Any:
    return (x - y).abs().sum(-1)


X = np.array([[0.5, -1.0, 2.0], [0.25, 3.5, -0.75]], "float32")
Y = np.array([[1.0, 0.0, 0.5], [-1.0, 0.25, 0.0]], "float32")
P = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]], "float32")
Q = np.array([[0.1, 0.4, 0.5], [0.0, 0.5, 0.5]], "float32")
W = np.array([0.5, 1.0, 2.0], "float32")
LABEL = np.array([2, 0])
SIGN = np.where(X > 0, 1, -1).astype("float32")
NAMES = sorted({*nn.loss.__all__, *nn.ranking.__all__} - {"Loss"})
REDUCTIONS = ("mean", "sum", "none")

Case = tuple[Callable[..., nn.Layer], Callable[..., Any], tuple[Any, ...]]

CASES: dict[str, Case] = {
    "MSELoss": (nn.MSELoss, F.mse_loss, (X, Y)),
    "L1Loss": (nn.L1Loss, F.l1_loss, (X, Y)),
    "SmoothL1Loss": (
        lambda **k: nn.SmoothL1Loss(delta=0.5, is_huber=False, **k),
        lambda x, y, **k: F.smooth_l1_loss(x, y, delta=0.5, is_huber=False, **k),
        (X, Y),
    ),
    "CrossEntropyLoss": (nn.CrossEntropyLoss, F.cross_entropy, (X, LABEL)),
    "CrossEntropyLoss weighted": (
        lambda **k: nn.CrossEntropyLoss(t(W), 0, label_smoothing=0.1, **k),
        lambda x, y, **k: F.cross_entropy(x, y, t(W), 0, label_smoothing=0.1, **k),
        (X, LABEL),
    ),
    "CrossEntropyLoss soft": (
        lambda **k: nn.CrossEntropyLoss(soft_label=True, axis=1, **k),
        lambda x, y, **k: F.cross_entropy(x, y, soft_label=True, axis=1, **k),
        (X, Q),
    ),
    "CrossEntropyLoss probabilities": (
        lambda **k: nn.CrossEntropyLoss(use_softmax=False, **k),
        lambda x, y, **k: F.cross_entropy(x, y, use_softmax=False, **k),
        (P, LABEL),
    ),
    "NLLLoss": (nn.NLLLoss, F.nll_loss, (np.log(P), LABEL)),
    "NLLLoss weighted": (
        lambda **k: nn.NLLLoss(t(W), 0, **k),
        lambda x, y, **k: F.nll_loss(x, y, t(W), 0, **k),
        (np.log(P), LABEL),
    ),
    "KLDivLoss": (nn.KLDivLoss, F.kl_div, (np.log(P), Q)),
    "KLDivLoss log": (
        lambda **k: nn.KLDivLoss(log_target=True, **k),
        lambda x, y, **k: F.kl_div(x, y, log_target=True, **k),
        (np.log(P), np.log(P[::-1].copy())),
    ),
    "BCELoss": (nn.BCELoss, F.binary_cross_entropy, (P, Q)),
    "BCELoss weighted": (
        lambda **k: nn.BCELoss(t(W), **k),
        lambda x, y, **k: F.binary_cross_entropy(x, y, t(W), **k),
        (P, Q),
    ),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, F.binary_cross_entropy_with_logits, (X, Q)),
    "BCEWithLogitsLoss weighted": (
        lambda **k: nn.BCEWithLogitsLoss(t(W), pos_weight=t(2 * W), **k),
        lambda x, y, **k: F.binary_cross_entropy_with_logits(x, y, t(W), pos_weight=t(2 * W), **k),
        (X, Q),
    ),
    "MarginRankingLoss": (
        lambda **k: nn.MarginRankingLoss(0.5, **k),
        lambda x, y, sign, **k: F.margin_ranking_loss(x, y, sign, 0.5, **k),
        (X, Y, SIGN),
    ),
    "GaussianNLLLoss": (
        lambda **k: nn.GaussianNLLLoss(True, 1e-3, **k),
        lambda x, y, v, **k: F.gaussian_nll_loss(x, y, v, True, 1e-3, **k),
        (X, Y, P),
    ),
    "PoissonNLLLoss": (
        lambda **k: nn.PoissonNLLLoss(False, True, 1e-3, **k),
        lambda x, y, **k: F.poisson_nll_loss(x, y, False, True, 1e-3, **k),
        (P, Q),
    ),
    "SoftMarginLoss": (nn.SoftMarginLoss, F.soft_margin_loss, (X, SIGN)),
    "HingeEmbeddingLoss": (
        lambda **k: nn.HingeEmbeddingLoss(0.5, **k),
        lambda x, y, **k: F.hinge_embedding_loss(x, y, 0.5, **k),
        (X, SIGN),
    ),
    "CosineEmbeddingLoss": (
        lambda **k: nn.CosineEmbeddingLoss(0.25, **k),
        lambda x, y, sign, **k: F.cosine_embedding_loss(x, y, sign, 0.25, **k),
        (X, Y, SIGN[:, 0].copy()),
    ),
    "MultiLabelSoftMarginLoss": (
        lambda **k: nn.MultiLabelSoftMarginLoss(t(W), **k),
        lambda x, y, **k: F.multi_label_soft_margin_loss(x, y, t(W), **k),
        (X, np.round(Q)),
    ),
    "MultiMarginLoss": (
        lambda **k: nn.MultiMarginLoss(2, 0.5, t(W), **k),
        lambda x, y, **k: F.multi_margin_loss(x, y, 2, 0.5, t(W), **k),
        (X, LABEL),
    ),
    "TripletMarginWithDistanceLoss": (
        lambda **k: nn.TripletMarginWithDistanceLoss(city_block, 2.0, True, **k),
        lambda x, y, z, **k: F.triplet_margin_with_distance_loss(
            x, y, z, city_block, 2.0, True, **k
        ),
        (X, Y, P),
    ),
    "TripletMarginLoss": (
        lambda **k: nn.TripletMarginLoss(2.0, swap=True, **k),
        lambda x, y, z, **k: F.triplet_margin_loss(x, y, z, 2.0, swap=True, **k),
        (X, Y, P),
    ),
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", CASES)
def test_a_layer_is_its_function_with_its_attributes(name: str, reduction: str) -> None:
    make, function, arrays = CASES[name]
    layer = make(reduction=reduction)
    inputs = [t(array) for array in arrays]
    out = layer(*inputs)
    assert (out.numpy() == function(*inputs, reduction=reduction).numpy()).all()
    assert repr(layer) == f"{name.split(maxsplit=1)[0]}()"
    assert list(layer.state_dict()) == []


def test_every_loss_layer_is_tested_here() -> None:
    tested = {name.split(maxsplit=1)[0] for name in CASES}
    assert set(NAMES) == tested | {"CTCLoss", "HuberLoss"}


def test_ctc_loss_layer() -> None:
    log_probs = t(np.random.default_rng(0).normal(size=(5, 2, 4)).astype("float32"))
    labels, lengths = t(np.array([[1, 2], [3, 1]], "int32")), t(np.array([5, 4]))
    label_lengths = t(np.array([2, 1]))
    args = (log_probs, labels, lengths, label_lengths)
    for reduction in REDUCTIONS:
        layer = nn.CTCLoss(blank=0, reduction=reduction)
        expected = F.ctc_loss(*args, blank=0, reduction=reduction)
        assert (layer(*args).numpy() == expected.numpy()).all()


def test_losses_reduce_to_the_mean_by_default() -> None:
    assert nn.MSELoss()(t([1.0, 2.0]), t([1.0, 4.0])).item() == 2.0
    assert nn.L1Loss()(t([1.0, 2.0]), t([1.0, 4.0])).item() == 1.0


def test_the_divergence_may_be_averaged_over_the_batch() -> None:
    layer = nn.KLDivLoss("batchmean")
    total = nn.KLDivLoss("sum")(t(np.log(P)), t(Q)).item()
    assert layer(t(np.log(P)), t(Q)).item() == pytest.approx(total / 2)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_reduction_is_refused_when_the_layer_is_made(name: str) -> None:
    with pytest.raises(ValueError, match=r"reduction is 'median'; expected one of mean, sum, none"):
        getattr(nn, name)(reduction="median")


def test_huber_loss_is_another_spelling() -> None:
    assert nn.HuberLoss is nn.SmoothL1Loss
