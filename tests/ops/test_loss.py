"""Losses: every form of labels, Paddle's values, and refusals; the suite has the rest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph import Tensor
from tests.ops.derivatives import check_derivatives

LOGITS = [[1.0, 2.0, 3.0], [1.0, 0.0, 0.0], [0.0, 1.0, 5.0]]
SOFT = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]
ROWS = [2.4076059, 1.5514446, 0.0247449]
WEIGHT = [1.0, 2.0, 3.0]


def tensor(data: Any, grad: bool = False) -> Tensor:
    return dg.to_tensor(data, stop_gradient=not grad)


def loss_of(label: Any, **options: Any) -> Any:
    return F.cross_entropy(tensor(LOGITS), tensor(label), **options).numpy()


def close(found: Any, wanted: Any, rtol: float = 2e-6) -> None:
    found = found.numpy() if isinstance(found, Tensor) else found
    assert list(np.shape(found)) == list(np.shape(wanted))
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-6)


# -- cross entropy ------------------------------------------------------------------------------


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 3), st.integers(0, 10**6))
def test_cross_entropy_is_minus_the_log_of_the_labelled_probability(
    rows: int, classes: int, axis: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = [rows, 2, 3]
    label = rng.integers(0, classes, shape)
    logits = rng.normal(size=[*shape[:axis], classes, *shape[axis:]])
    out = F.cross_entropy(tensor(logits), tensor(label), axis=axis, reduction="none")
    place = np.expand_dims(label, axis)
    wanted = np.take_along_axis(-log_softmax(logits, axis), place, axis).squeeze(axis)
    np.testing.assert_allclose(out.numpy(), wanted, rtol=1e-10, atol=1e-12)


@given(st.integers(1, 4), st.integers(2, 5), st.integers(0, 10**6))
def test_hard_labels_are_soft_ones_with_all_their_weight_on_one_class(
    rows: int, classes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    logits, label = rng.normal(size=(rows, classes)), rng.integers(0, classes, rows)
    weight = tensor(rng.uniform(0.5, 2, classes))
    soft = tensor(np.eye(classes)[label])
    for smoothing in (0.0, 0.3):
        xs = [tensor(logits, grad=True) for _ in range(2)]
        options = {"weight": weight, "label_smoothing": smoothing}
        hard = F.cross_entropy(xs[0], tensor(label), **options)
        other = F.cross_entropy(xs[1], soft, soft_label=True, **options)
        np.testing.assert_allclose(hard.numpy(), other.numpy(), rtol=1e-9, atol=1e-12)
        grads = [dg.grad(out, x)[0] for out, x in zip((hard, other), xs, strict=True)]
        assert grads[0] is not None
        assert grads[1] is not None
        np.testing.assert_allclose(grads[0].numpy(), grads[1].numpy(), atol=1e-12)


def test_labels_with_and_without_the_axis_of_classes() -> None:
    close(loss_of([0, 1, 2]), 1.3279319)
    close(loss_of([[0], [1], [2]]), 1.3279319)
    close(loss_of([0, 1, 2], reduction="none"), ROWS)
    close(loss_of([[0], [1], [2]], reduction="none"), [[r] for r in ROWS])
    with pytest.raises(TypeError, match="expected integers"):
        loss_of(np.array([0.0, 1.0, 2.0], np.float32))
    close(loss_of(np.array([0, 1, 2], np.uint8)), 1.3279319)
    close(F.cross_entropy(tensor([1.0, 2.0]), tensor(1)), 0.3132617)
    close(F.cross_entropy(tensor([1.0, 2.0]), tensor([1]), reduction="none"), [0.3132617])


def test_rows_to_ignore_count_in_the_mean_only_if_their_index_is_negative() -> None:
    close(loss_of([0, 1, -100]), (ROWS[0] + ROWS[1]) / 3)
    close(loss_of([0, 1, -1], ignore_index=-1), (ROWS[0] + ROWS[1]) / 3)
    close(loss_of([0, 1, 255], ignore_index=255), (ROWS[0] + ROWS[1]) / 2)
    close(loss_of([0, 1, 1], ignore_index=1), ROWS[0])
    close(loss_of([255] * 3, ignore_index=255), 0.0)
    close(loss_of([0, 1, -100], reduction="none"), [*ROWS[:2], 0.0])


def test_a_row_to_ignore_has_no_gradient_whatever_it_holds() -> None:
    x = tensor([[1.0, 2.0], [math.nan, math.inf]], grad=True)
    out = F.cross_entropy(x, tensor([0, 7]), ignore_index=7)
    close(out, 1.3132617)
    out.backward()
    assert x.grad is not None
    assert x.grad.tolist()[1] == [0.0, 0.0]


def test_the_mean_of_weighted_rows_is_the_weighted_mean() -> None:
    close(loss_of([0, 1, 2], weight=tensor(WEIGHT)), 0.9307884)
    close(
        loss_of([0, 1, 2], weight=tensor(WEIGHT), reduction="none"), [2.407606, 3.102889, 0.074235]
    )
    close(loss_of([0, 1, -100], weight=tensor(WEIGHT)), 1.8368317)
    close(loss_of([0, 1, 255], weight=tensor(WEIGHT), ignore_index=255), 1.8368317)
    close(loss_of([0, 1, 1], weight=tensor(WEIGHT), reduction="sum"), 13.559985)


def test_soft_labels_smoothing_and_probabilities() -> None:
    close(loss_of(SOFT, soft_label=True), 1.2279319)
    close(loss_of(SOFT, soft_label=True, reduction="none"), [[1.107606], [0.551445], [2.024745]])
    close(loss_of(SOFT, soft_label=True, weight=tensor(WEIGHT)), 1.4070346)
    close(loss_of([0, 1, 2], label_smoothing=0.1), 1.3834873)
    close(loss_of([[0], [1], [2]], label_smoothing=0.1), 1.3834873)
    close(loss_of([0, 1, 2], label_smoothing=0.1, weight=tensor(WEIGHT)), 1.0860583)
    close(loss_of(SOFT, soft_label=True, label_smoothing=0.1), 1.2934875)
    p = F.softmax(tensor(LOGITS))
    close(F.cross_entropy(p, tensor([0, 1, 2]), use_softmax=False), 1.3279319)
    close(F.cross_entropy(p, tensor(SOFT), use_softmax=False, soft_label=True), 1.2279319)
    close(F.cross_entropy(tensor([[0.0, 1.0]]), tensor([0]), use_softmax=False), 1e20)


def test_smoothed_rows_to_ignore_weigh_nothing() -> None:
    kept = loss_of([0, 1, 2], label_smoothing=0.1, reduction="none")
    some = loss_of([0, 7, 2], label_smoothing=0.1, reduction="none", ignore_index=7)
    close(some, [kept[0], [0.0], kept[2]])
    mean = loss_of([0, 7, 2], label_smoothing=0.1, ignore_index=7)
    close(mean, (kept[0, 0] + kept[2, 0]) / 2)


def test_labels_that_are_no_class_are_an_index_error() -> None:
    for label in ([0, 1, 3], [0, 1, -1]):
        with pytest.raises(IndexError, match=r"\[cross_entropy\] labels go from .*expected 0 to 2"):
            loss_of(label)
        with pytest.raises(IndexError, match=r"\[nll_loss\] labels go from"):
            F.nll_loss(tensor(LOGITS), tensor(label))


@pytest.mark.parametrize(
    ("label", "options", "why"),
    [
        ([0, 1], {}, r"expected \[3\] or \[3, 1\]"),
        (SOFT, {}, "give soft_label=True"),
        ([0, 1, 2], {"soft_label": True}, r"expected \[3, 3\]"),
        (SOFT, {"soft_label": True, "ignore_index": 1}, "probabilities name no class"),
        ([0, 1, 2], {"weight": dg.ones([2])}, r"weight is \[2\]; expected \[3\]"),
        ([0, 1, 2], {"reduction": "avg"}, "expected 'none', 'mean', 'sum'"),
        ([0, 1, 2], {"axis": 5}, "axis is 5"),
    ],
)
def test_what_does_not_fit_is_a_value_error(label: Any, options: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        loss_of(label, **options)


def test_empty_batches_have_no_mean() -> None:
    empty = dg.zeros([0, 3]), dg.zeros([0], "int64")
    assert math.isnan(F.cross_entropy(*empty).item())
    assert F.cross_entropy(*empty, reduction="sum").item() == 0.0
    assert math.isnan(F.mse_loss(dg.ones([0]), dg.ones([0])).item())


def test_very_large_logits_lose_nothing() -> None:
    close(F.cross_entropy(tensor([[-math.inf, 2.0]]), tensor([1])), 0.0)
    close(F.cross_entropy(tensor([[1e30, 0.0]]), tensor([1])), 1e30)
    half = dg.to_tensor([[60000.0, 0.0]], dtype="float16")
    assert F.cross_entropy(half, tensor([0])).dtype == dg.float16


def test_the_old_form_keeps_the_axis_and_gives_the_softmax() -> None:
    loss, p = F.softmax_with_cross_entropy(
        tensor(LOGITS), tensor([[0], [1], [2]]), return_softmax=True
    )
    close(loss, [[r] for r in ROWS])
    close(p.sum(1), [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="as many axes"):
        F.softmax_with_cross_entropy(tensor(LOGITS), tensor([0, 1, 2]))


def test_nll_loss_leaves_ignored_rows_out_of_its_mean() -> None:
    x = F.log_softmax(tensor(LOGITS))
    close(F.nll_loss(x, tensor([0, 1, -100])), (ROWS[0] + ROWS[1]) / 2)
    close(F.nll_loss(x, tensor([0, 1, 1]), tensor(WEIGHT), ignore_index=1), ROWS[0])
    close(F.nll_loss(x, tensor([1, 1, 1]), ignore_index=1), 0.0)
    close(F.nll_loss(x, tensor([0, 1, 2]), tensor(WEIGHT)), 0.9307884)
    image = tensor(np.arange(24.0).reshape(2, 3, 4) % 5)
    label = tensor([[0, 1, 2, 0], [1, 1, 1, 1]])
    wanted = [[0.0, 0.0, 0.0, -3.0], [-1.0, -2.0, -3.0, -4.0]]
    close(F.nll_loss(image, label, reduction="none"), wanted)
    with pytest.raises(ValueError, match=r"expected \[N, C, ...\]"):
        F.nll_loss(tensor([1.0, 2.0]), tensor(1))


# -- differences and probabilities --------------------------------------------------------------


def test_losses_of_differences() -> None:
    x, y = tensor(LOGITS), tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    close(F.mse_loss(x, y), 41 / 9)
    close(F.l1_loss(x, y, "sum"), 13.0)
    close(F.smooth_l1_loss(x, y), 10 / 9)
    close(F.mse_loss(x, y[0]), 40 / 9)
    assert F.mse_loss(x, y.astype("float64")).dtype == dg.float64
    assert F.mse_loss(tensor([1, 2]), tensor([3, 4])).item() == 4
    steps, zero = tensor([0.0, 0.5, 1.0, -1.0, 3.0], grad=True), dg.zeros([5])
    out = F.smooth_l1_loss(steps, zero, "none", 0.5)
    close(out, [0.0, 0.125, 0.375, 0.375, 1.375])
    close(dg.grad(out.sum(), steps)[0], [0.0, 0.5, 0.5, -0.5, 0.5])
    close(F.smooth_l1_loss(steps, zero, "none", 0.5, is_huber=False)[4], 2.75)
    close(dg.grad(F.l1_loss(steps, zero, "sum"), steps)[0], [0.0, 1.0, 1.0, -1.0, 1.0])


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "kl_div"])
def test_mixed_dtypes_shapes_and_reductions_are_refused(name: str) -> None:
    function, x = getattr(F, name), dg.ones([3, 3])
    with pytest.raises(TypeError, match="int64"):
        function(x, dg.ones([3, 3], "int64"))
    with pytest.raises(ValueError, match=rf"\[{name}\]"):
        function(x, dg.ones([2]))
    with pytest.raises(ValueError, match="reduction is 'avg'"):
        function(x, x, "avg")


def test_binary_cross_entropy_is_bounded_at_sure_answers() -> None:
    x = tensor([0.0, 1.0, 0.0, 1.0, 0.5], grad=True)
    out = F.binary_cross_entropy(x, tensor([0.0, 1.0, 1.0, 0.0, 0.3]), reduction="none")
    close(out, [0.0, 0.0, 100.0, 100.0, 0.6931472])
    close(dg.grad(out.sum(), x)[0], [0.0, 0.0, -1e12, 1e12, 0.8])
    for wrong in (2.0, -0.1):
        with pytest.raises(ValueError, match="expected probabilities"):
            F.binary_cross_entropy(tensor([wrong]), tensor([0.0]))


def test_binary_cross_entropy_of_logits_with_both_weights() -> None:
    x, y = tensor(LOGITS), tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    weight = tensor(WEIGHT)
    out = F.binary_cross_entropy_with_logits(x, y, pos_weight=weight, reduction="none")
    close(out[1], [1.3132617, 0.6931472, 2.0794415])
    close(F.binary_cross_entropy_with_logits(x, y, weight, pos_weight=weight), 4.4018998)
    large = F.binary_cross_entropy_with_logits(
        tensor([1e3, -1e3]), tensor([0.0, 1.0]), None, "none"
    )
    close(large, [1000.0, 1000.0])
    close(F.binary_cross_entropy(F.sigmoid(x), y, weight), 3.8701892)
    close(F.sigmoid_focal_loss(x, y), 7.7715483)


def test_divergence_of_labels_that_are_zero_is_zero() -> None:
    x = F.log_softmax(tensor(LOGITS))
    label = tensor(SOFT, grad=True)
    close(F.kl_div(x, label), 0.2178884)
    close(F.kl_div(x, label, "batchmean"), 0.6536651)
    close(F.kl_div(x, x, "none", log_target=True), np.zeros((3, 3)))
    out = F.kl_div(tensor(LOGITS, grad=True), label, "sum")
    (g,) = dg.grad(out, label)
    assert g is not None
    assert np.isfinite(g.numpy()).all()


def test_other_losses_have_paddles_values() -> None:
    x, y = tensor(LOGITS), tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    sign = y * 2.0 - 1.0
    close(F.log_loss(tensor([[0.1], [0.9]]), tensor([[0.0], [1.0]])), [[0.1052494], [0.1052494]])
    close(F.margin_ranking_loss(x, y, sign, 0.5, "none")[0], [0.5, 2.5, 3.5])
    close(
        F.hinge_embedding_loss(x, sign, reduction="none"),
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]],
    )
    close(
        F.cosine_embedding_loss(x, y, tensor([1, -1, 1]), 0.3, "none"), [0.7327387, 0.0, 0.861325]
    )
    wanted = [4.6055508, 1.4142126, 5.0990195]
    close(F.triplet_margin_loss(x, y, x * y, reduction="none", swap=True), wanted)
    close(F.dice_loss(F.softmax(x), tensor([[0], [1], [2]])), 0.5741585)
    close(F.soft_margin_loss(x, sign, "none")[0], [0.3132617, 2.126928, 3.0485873])
    close(F.soft_margin_loss(tensor([-1000.0]), tensor([1])), 1000.0)
    close(F.poisson_nll_loss(x, y, reduction="none")[0], [1.7182818, 7.389056, 20.085537])
    p = F.sigmoid(x)
    full = F.poisson_nll_loss(p, y * 3.0, log_input=False, full=True, reduction="none")
    close(full[0], [3.434925, 0.880797, 0.9525741])
    close(
        F.gaussian_nll_loss(x, y, p, full=True, reduction="none")[0],
        [0.7623077, 3.1261454, 5.618687],
    )
    close(F.multi_margin_loss(x, tensor([0, 1, 2]), reduction="none"), [1.6666666, 1.0, 0.0])
    weighted = F.multi_margin_loss(x, tensor([0, 1, 2]), 2, weight=tensor(WEIGHT), reduction="none")
    close(weighted, [4.3333330, 3.3333333, 0.0])
    close(F.multi_label_soft_margin_loss(x, y, reduction="none"), [1.8295923, 0.899852, 2.0043747])
    close(F.npair_loss(x, y, tensor([0, 1, 0])), 2.7226212)


def test_distances_and_variances_are_checked() -> None:
    x = dg.ones([2, 3])
    with pytest.raises(ValueError, match="margin is -1"):
        F.triplet_margin_loss(x, x, x, margin=-1.0)
    with pytest.raises(ValueError, match="a distance is negative"):
        F.triplet_margin_with_distance_loss(x, x, x, lambda a, b: -(a * b).sum(-1))
    with pytest.raises(ValueError, match="expected positive numbers"):
        F.gaussian_nll_loss(x, x, -x)
    variance = tensor(np.ones((2, 3)), grad=True)
    (g,) = dg.grad(
        F.gaussian_nll_loss(tensor(np.ones((2, 3))), tensor(np.ones((2, 3))), variance), variance
    )
    close(g, np.full((2, 3), 1 / 12))


def test_labels_have_gradients_too() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.2, 0.8, (2, 3))
    for function in (F.kl_div, F.binary_cross_entropy, F.mse_loss):
        check_derivatives(function, [rng.uniform(0.2, 0.8, (2, 3)), p], [True, True], 2, rng)
    check_derivatives(
        lambda x, y: F.cross_entropy(x, y, soft_label=True), [p * 3, p], [True, True], 2, rng
    )


# -- CTC ----------------------------------------------------------------------------------------


def _by_enumeration(log_p: Any, label: list[int]) -> float:
    """Minus the log of the sum over all paths that collapse to the label."""
    total = 0.0
    for path in np.ndindex(*[log_p.shape[1]] * len(log_p)):
        collapsed = [c for i, c in enumerate(path) if c and (i == 0 or c != path[i - 1])]
        if collapsed == label:
            total += math.exp(sum(log_p[t, c] for t, c in enumerate(path)))
    return -math.log(total) if total else math.inf


@pytest.mark.parametrize("label", [[1, 2], [1, 1], [2], [], [2, 1, 2], [1, 1, 1]])
def test_ctc_sums_over_all_paths_that_collapse_to_the_label(label: list[int]) -> None:
    logits = np.random.default_rng(7).normal(size=(4, 1, 3))
    padded = np.array([[*label, 0, 0, 0]])
    out = F.ctc_loss(
        tensor(logits), tensor(padded), tensor([4]), tensor([len(label)]), reduction="sum"
    )
    wanted = _by_enumeration(log_softmax(logits[:, 0], -1), label)
    np.testing.assert_allclose(out.item(), wanted, rtol=1e-9)


def test_ctc_of_what_cannot_be_is_infinite_or_zero_and_has_no_gradient() -> None:
    x = tensor(np.random.default_rng(8).normal(size=(4, 2, 3)), grad=True)
    labels, times, lengths = tensor([[1, 2], [1, 1]]), tensor([4, 2]), tensor([2, 2])
    out = F.ctc_loss(x, labels, times, lengths, reduction="none")
    assert math.isfinite(out[0].item())
    assert out[1].item() == math.inf
    out = F.ctc_loss(x, labels, times, lengths, reduction="none", zero_infinity=True)
    assert out[1].item() == 0.0
    (g,) = dg.grad(out.sum(), x)
    assert g is not None
    assert np.isfinite(g.numpy()).all()
    assert not g.numpy()[:, 1].any()


def test_ctc_has_second_derivatives_and_scales_gradients_by_time() -> None:
    logits = np.random.default_rng(9).normal(size=(3, 2, 3))
    labels, times, lengths = tensor([[1, 2], [2, 0]]), tensor([3, 2]), tensor([2, 1])

    def call(x: Tensor) -> Tensor:
        return F.ctc_loss(x, labels, times, lengths)

    check_derivatives(call, [logits], [True], 2, np.random.default_rng(0))
    x = tensor(logits, grad=True)
    plain, scaled = (
        F.ctc_loss(x, labels, times, lengths, reduction="none", norm_by_times=by)
        for by in (False, True)
    )
    np.testing.assert_allclose(plain.numpy(), scaled.numpy())
    (a,), (b,) = (dg.grad(out.sum(), x) for out in (plain, scaled))
    assert a is not None
    assert b is not None
    np.testing.assert_allclose(b.numpy(), a.numpy() / np.array([[[3.0], [2.0]]]), atol=1e-12)
