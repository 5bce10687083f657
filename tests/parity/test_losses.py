"""Losses: values and gradients in every form, compared with `losses.json` (written from Paddle)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
import dualgraph.nn.functional as F

Case = tuple[Callable[..., Any], Any]

EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("losses.json").read_text())


def array(*rows: Any) -> Any:
    return np.array(rows, "float32")


X = (np.arange(12).reshape(4, 3) * 0.37 % 1.3 - 0.5).astype(
    "float32"
)  # four samples, three classes
X3 = X.reshape(2, 2, 3)
X_AXIS_1 = np.moveaxis(X3, -1, 1).copy()
LABEL = np.array([2, 0, 1, 1])
LABEL_2 = LABEL.reshape(2, 2)
SOFT = array([0.2, 0.3, 0.5], [1, 0, 0], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25])
WEIGHT = array(0.5, 1, 2)
LOG_P = np.log(np.exp(X) / np.exp(X).sum(1, keepdims=True))
LOG_P4 = np.log(np.abs(np.arange(24).reshape(2, 3, 2, 2) * 0.29 % 1.1) + 0.1).astype("float32")
LABEL_4 = np.array([[[0, 1], [2, 1]], [[1, 1], [0, 2]]])
P, Q = array(0.5, -1, 2, 0.125, 3.5), array(1, -1, 0, 0.25, -1)
COLUMN = P.reshape(5, 1)
PROB, TARGET = array(0.2, 0.9, 0.5, 0.01, 1, 0), array(0, 1, 0.5, 1, 1, 1)
SAMPLE_WEIGHT = array(1, 2, 0.5, 1, 1, 3)
BINARY = array(0, 1, 0.5, 1, 0)
LOG_Q = np.log(array([0.2, 0.3, 0.5], [0.6, 0.3, 0.1]))
GOAL = array([0.1, 0.4, 0.5], [0, 0.5, 0.5])
LEFT, RIGHT, SIGN = array(0.1, 0.2, 0.3), array(0.3, 0.1, 0.3), array(1, -1, 1)


def t(a: Any) -> Any:
    return dg.to_tensor(a)


def probabilities(x: Any, label: Any, **kwargs: Any) -> Any:
    return F.cross_entropy(F.softmax(x), t(label), use_softmax=False, **kwargs)


def cross_entropy_cases() -> dict[str, Case]:
    forms: dict[str, Callable[..., Any]] = {
        "labels": lambda x, **k: F.cross_entropy(x, t(LABEL), **k),
        "labels as a column": lambda x, **k: F.cross_entropy(x, t(LABEL[:, None]), **k),
        "int32 labels": lambda x, **k: F.cross_entropy(x, t(LABEL.astype("int32")), **k),
        "soft": lambda x, **k: F.cross_entropy(x, t(SOFT), soft_label=True, **k),
        "weighted": lambda x, **k: F.cross_entropy(x, t(LABEL), t(WEIGHT), **k),
        "weighted soft": lambda x, **k: F.cross_entropy(
            x, t(SOFT), t(WEIGHT), soft_label=True, **k
        ),
        "ignore": lambda x, **k: F.cross_entropy(x, t(LABEL), ignore_index=1, **k),
        "ignore default": lambda x, **k: F.cross_entropy(x, t([2, -100, 1, -100]), **k),
        "ignore all": lambda x, **k: F.cross_entropy(x, t([1, 1, 1, 1]), ignore_index=1, **k),
        "ignore weighted": lambda x, **k: F.cross_entropy(x, t(LABEL), t(WEIGHT), 1, **k),
        "smoothed": lambda x, **k: F.cross_entropy(x, t(LABEL), label_smoothing=0.1, **k),
        "smoothed weighted": lambda x, **k: F.cross_entropy(
            x, t(LABEL), t(WEIGHT), label_smoothing=0.1, **k
        ),
        "probabilities": lambda x, **k: probabilities(x, LABEL, **k),
        "soft probabilities": lambda x, **k: probabilities(x, SOFT, soft_label=True, **k),
    }
    cases: dict[str, Case] = {
        f"cross_entropy {form} {reduction}": (lambda x, f=f, r=reduction: f(x, reduction=r), X)
        for form, f in forms.items()
        for reduction in ("none", "sum", "mean")
    }
    return cases | {
        "cross_entropy one sample": (lambda x: F.cross_entropy(x, t(2)), X[0]),
        "cross_entropy three axes": (lambda x: F.cross_entropy(x, t(LABEL_2)), X3),
        "cross_entropy three axes none": (
            lambda x: F.cross_entropy(x, t(LABEL_2), reduction="none"),
            X3,
        ),
        "cross_entropy three axes column none": (
            lambda x: F.cross_entropy(x, t(LABEL_2[..., None]), reduction="none"),
            X3,
        ),
        "cross_entropy axis 1 none": (
            lambda x: F.cross_entropy(x, t(LABEL_2), axis=1, reduction="none"),
            X_AXIS_1,
        ),
        "cross_entropy axis 1 weighted": (
            lambda x: F.cross_entropy(x, t(LABEL_2), t(WEIGHT), axis=1),
            X_AXIS_1,
        ),
        "softmax_with_cross_entropy": (
            lambda x: F.softmax_with_cross_entropy(x, t(LABEL[:, None])),
            X,
        ),
        "softmax_with_cross_entropy soft": (
            lambda x: F.softmax_with_cross_entropy(x, t(SOFT), soft_label=True),
            X,
        ),
        "softmax_with_cross_entropy ignore": (
            lambda x: F.softmax_with_cross_entropy(x, t(LABEL[:, None]), ignore_index=1),
            X,
        ),
    }


def reduced_cases() -> dict[str, Case]:
    forms: dict[str, Case] = {
        "nll_loss": (lambda x, **k: F.nll_loss(x, t(LABEL), **k), LOG_P),
        "nll_loss weighted": (lambda x, **k: F.nll_loss(x, t(LABEL), t(WEIGHT), **k), LOG_P),
        "nll_loss ignore": (lambda x, **k: F.nll_loss(x, t(LABEL), ignore_index=1, **k), LOG_P),
        "nll_loss images": (lambda x, **k: F.nll_loss(x, t(LABEL_4), t(WEIGHT), **k), LOG_P4),
        "mse_loss": (lambda x, **k: F.mse_loss(x, t(Q), **k), P),
        "mse_loss broadcast": (lambda x, **k: F.mse_loss(x, t(Q[:2]), **k), COLUMN),
        "l1_loss": (lambda x, **k: F.l1_loss(x, t(Q), **k), P),
        "l1_loss broadcast": (lambda x, **k: F.l1_loss(x, t(Q[:2]), **k), COLUMN),
        "smooth_l1_loss": (lambda x, **k: F.smooth_l1_loss(x, t(Q), **k), P),
        "smooth_l1_loss 0.5": (lambda x, **k: F.smooth_l1_loss(x, t(Q), delta=0.5, **k), P),
        "smooth_l1_loss 2": (lambda x, **k: F.smooth_l1_loss(x, t(Q), delta=2.0, **k), P),
        "bce": (lambda x, **k: F.binary_cross_entropy(x, t(TARGET), **k), PROB),
        "bce weighted": (
            lambda x, **k: F.binary_cross_entropy(x, t(TARGET), t(SAMPLE_WEIGHT), **k),
            PROB,
        ),
        "bce_with_logits": (
            lambda x, **k: F.binary_cross_entropy_with_logits(x, t(BINARY), **k),
            P,
        ),
        "bce_with_logits weighted": (
            lambda x, **k: F.binary_cross_entropy_with_logits(
                x, t(BINARY), t(SAMPLE_WEIGHT[:5]), **k
            ),
            P,
        ),
        "bce_with_logits pos_weight": (
            lambda x, **k: F.binary_cross_entropy_with_logits(
                x, t(BINARY), pos_weight=t(SAMPLE_WEIGHT[:5]), **k
            ),
            P,
        ),
        "bce_with_logits both weights": (
            lambda x, **k: F.binary_cross_entropy_with_logits(
                x, t(BINARY), t(SAMPLE_WEIGHT[:5]), pos_weight=t(SAMPLE_WEIGHT[:5]), **k
            ),
            P,
        ),
        "bce_with_logits far out": (
            lambda x, **k: F.binary_cross_entropy_with_logits(x, t(array(0, 1, 1)), **k),
            array(100, -100, 1000),
        ),
        "kl_div": (lambda x, **k: F.kl_div(x, t(GOAL), **k), LOG_Q),
        "kl_div log_target": (
            lambda x, **k: F.kl_div(x, t(np.log(GOAL + np.float32(0.1))), log_target=True, **k),
            LOG_Q,
        ),
        "margin_ranking_loss": (
            lambda x, **k: F.margin_ranking_loss(x, t(RIGHT), t(SIGN), **k),
            LEFT,
        ),
        "margin_ranking_loss 0.15": (
            lambda x, **k: F.margin_ranking_loss(x, t(RIGHT), t(SIGN), margin=0.15, **k),
            LEFT,
        ),
    }
    return {
        f"{form} {reduction}": (lambda x, f=f, r=reduction: f(x, reduction=r), x)
        for form, (f, x) in forms.items()
        for reduction in ("none", "sum", "mean")
    }


CASES: dict[str, Case] = {
    **cross_entropy_cases(),
    **reduced_cases(),
    "kl_div batchmean": (lambda x: F.kl_div(x, t(GOAL), reduction="batchmean"), LOG_Q),
    "square_error_cost": (lambda x: F.square_error_cost(x, t(Q)), P),
    "log_loss": (lambda x: F.log_loss(x, t(TARGET[:5, None])), PROB[:5, None]),
    "log_loss epsilon": (lambda x: F.log_loss(x, t(TARGET[:, None]), epsilon=0.1), PROB[:, None]),
    "label_smooth": (lambda x: F.label_smooth(x, epsilon=0.1), SOFT),
}


def run(name: str) -> tuple[Any, Any]:
    """Value and gradient (of the value's sum) of one case, as arrays."""
    f, x = CASES[name]
    leaf = dg.to_tensor(x, stop_gradient=False)
    out = f(leaf)
    out.sum().backward()
    return out.numpy(), leaf.grad.numpy()


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(name: str) -> None:
    value, gradient = run(name)
    expected = EXPECTED[name]
    assert list(value.shape) == list(np.shape(expected["value"]))
    np.testing.assert_allclose(value, expected["value"], rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(gradient, expected["grad"], rtol=2e-5, atol=1e-6)


def test_float64_is_kept() -> None:
    out = F.cross_entropy(t(X.astype("float64")), t(LABEL))
    assert out.dtype == dg.float64
    assert abs(out.item() - EXPECTED["cross_entropy labels mean"]["value"]) < 1e-6


def test_softmax_with_cross_entropy_can_return_the_softmax() -> None:
    loss, softmax = F.softmax_with_cross_entropy(t(X), t(LABEL[:, None]), return_softmax=True)
    assert (loss.shape, softmax.shape) == ([4, 1], [4, 3])
    np.testing.assert_allclose(softmax.numpy(), np.exp(LOG_P), rtol=1e-5)


@pytest.mark.ours("Paddle gives -1.5 and -0.5: it takes no share of |x|'s slope at 0")
def test_bce_with_logits_at_zero_has_the_gradient_of_the_formula() -> None:
    x = dg.to_tensor([0.0, 0.0], stop_gradient=False)
    F.binary_cross_entropy_with_logits(x, t(array(1, 0)), reduction="sum").backward()
    np.testing.assert_allclose(x.grad.numpy(), [-0.5, 0.5], rtol=1e-6)


LAYERS: dict[str, tuple[Callable[[], Any], tuple[Any, ...], str]] = {
    "CrossEntropyLoss": (dg.nn.CrossEntropyLoss, (X, LABEL), "cross_entropy labels mean"),
    "CrossEntropyLoss options": (
        lambda: dg.nn.CrossEntropyLoss(weight=t(WEIGHT), ignore_index=1, reduction="sum"),
        (X, LABEL),
        "cross_entropy ignore weighted sum",
    ),
    "CrossEntropyLoss soft": (
        lambda: dg.nn.CrossEntropyLoss(soft_label=True, reduction="none"),
        (X, SOFT),
        "cross_entropy soft none",
    ),
    "CrossEntropyLoss smoothed": (
        lambda: dg.nn.CrossEntropyLoss(label_smoothing=0.1),
        (X, LABEL),
        "cross_entropy smoothed mean",
    ),
    "MSELoss": (dg.nn.MSELoss, (P, Q), "mse_loss mean"),
    "L1Loss": (lambda: dg.nn.L1Loss(reduction="sum"), (P, Q), "l1_loss sum"),
    "SmoothL1Loss": (lambda: dg.nn.SmoothL1Loss(delta=0.5), (P, Q), "smooth_l1_loss 0.5 mean"),
    "BCELoss": (dg.nn.BCELoss, (PROB, TARGET), "bce mean"),
    "BCEWithLogitsLoss": (
        lambda: dg.nn.BCEWithLogitsLoss(pos_weight=t(SAMPLE_WEIGHT[:5])),
        (P, BINARY),
        "bce_with_logits pos_weight mean",
    ),
    "NLLLoss": (lambda: dg.nn.NLLLoss(weight=t(WEIGHT)), (LOG_P, LABEL), "nll_loss weighted mean"),
    "KLDivLoss": (lambda: dg.nn.KLDivLoss("batchmean"), (LOG_Q, GOAL), "kl_div batchmean"),
    "MarginRankingLoss": (
        lambda: dg.nn.MarginRankingLoss(margin=0.15),
        (LEFT, RIGHT, SIGN),
        "margin_ranking_loss 0.15 mean",
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_loss_layers_do_as_their_functions(name: str) -> None:
    make, inputs, case = LAYERS[name]
    out = make()(*map(t, inputs))
    np.testing.assert_allclose(out.numpy(), EXPECTED[case]["value"], rtol=2e-5, atol=1e-6)


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_out_of_range_is_an_index_error(label: int) -> None:
    with pytest.raises(IndexError):
        F.cross_entropy(t(X), t([label, 0, 1, 1]))


@pytest.mark.ours("Paddle's nll_loss writes to foreign memory")
@pytest.mark.parametrize("label", [3, -1])
def test_a_label_out_of_range_of_nll_loss_is_an_index_error(label: int) -> None:
    with pytest.raises(IndexError):
        F.nll_loss(t(LOG_P), t([label, 0, 1, 1]))


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.cross_entropy(t(X), t([0, 1, 1])),
        lambda: F.cross_entropy(t(X), t(SOFT[:, :2]), soft_label=True),
        lambda: F.cross_entropy(t(X), t(LABEL), weight=t(WEIGHT[:2])),
        lambda: F.cross_entropy(t(X[0, 0]), t(0)),
        lambda: F.cross_entropy(t(X), t(LABEL), reduction="max"),
        lambda: F.nll_loss(t(X[0]), t([1])),
        lambda: F.mse_loss(t(P), t(Q[:3])),
        lambda: F.mse_loss(t(P), t(Q), reduction="max"),
        lambda: F.l1_loss(t(P), t(Q), reduction="max"),
        lambda: F.smooth_l1_loss(t(P), t(Q), reduction="max"),
        lambda: F.binary_cross_entropy(t(PROB), t(TARGET[:2])),
        lambda: F.binary_cross_entropy(t(PROB), t(TARGET), reduction="max"),
        lambda: F.binary_cross_entropy_with_logits(t(P), t(BINARY[:2])),
        lambda: F.softmax_with_cross_entropy(t(X), t(LABEL)),
        lambda: dg.nn.MSELoss(reduction="max"),
        lambda: dg.nn.L1Loss(reduction="max"),
        lambda: dg.nn.BCELoss(reduction="max"),
        lambda: dg.nn.BCEWithLogitsLoss(reduction="max"),
        lambda: dg.nn.NLLLoss(reduction="max"),
        lambda: dg.nn.MarginRankingLoss(reduction="max"),
    ],
)
def test_shapes_and_reductions_that_make_no_sense_are_value_errors(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        call()


@pytest.mark.ours("Paddle raises OSError")
def test_floating_hard_labels_are_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        F.cross_entropy(t(X), t(LABEL.astype("float32")))
