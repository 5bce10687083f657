"""Functions that are no family of their own: dropout, padding, one-hot rows, angles, attention."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
import dualgraph.nn.functional as F

P1 = """softmax relu sigmoid tanh gelu leaky_relu elu silu swish softplus log_softmax cross_entropy
softmax_with_cross_entropy mse_loss l1_loss smooth_l1_loss nll_loss kl_div binary_cross_entropy
binary_cross_entropy_with_logits square_error_cost log_loss linear pad one_hot embedding dropout
normalize layer_norm batch_norm group_norm cosine_similarity scaled_dot_product_attention"""
P2 = """hardswish hardsigmoid hardtanh relu6 selu celu mish prelu glu log_sigmoid softsign
tanhshrink
gumbel_softmax label_smooth instance_norm sequence_mask ctc_loss margin_ranking_loss
sigmoid_focal_loss dice_loss triplet_margin_loss dropout2d alpha_dropout bilinear rms_norm"""


def t(values: Any, **options: Any) -> Any:
    return dg.to_tensor(values, **options)


def leaf(values: Any) -> Any:
    return dg.to_tensor(values, stop_gradient=False)


def test_the_names_people_use_are_there() -> None:
    assert [name for name in f"{P1} {P2}".split() if not callable(getattr(F, name, None))] == []


def test_every_exported_function_has_a_docstring_and_a_place_for_a_name() -> None:
    nameless = {"cosine_similarity", "ctc_loss", "diag_embed", "npair_loss"}
    nameless |= {"softmax_with_cross_entropy", "square_error_cost"}
    for name in F.__all__:
        function = getattr(F, name)
        assert function.__doc__, name
        assert name in nameless or "name" in inspect.signature(function).parameters, name


# ---- dropout ------------------------------------------------------------------------------------


@given(st.floats(0, 1), st.sampled_from(["upscale_in_train", "downscale_in_infer"]))
def test_dropout_keeps_the_expected_value(p: float, mode: str) -> None:
    x = dg.full([4000], 2.0, "float64")
    train = F.dropout(x, p, mode=mode).numpy()
    used = F.dropout(x, p, training=False, mode=mode).numpy()
    assert len(np.unique(train)) <= 2
    if p < 0.9:
        # Five standard deviations of the mean.
        spread = train.max() * math.sqrt(p * (1 - p) / 4000)
        assert abs(train.mean() - used.mean()) <= 5 * spread + 1e-9


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"p": 0.5}, 2.0),
        ({"p": 0.25}, 4 / 3),
        ({"p": 0.25, "mode": "downscale_in_infer"}, 1.0),
    ],
)
def test_what_dropout_keeps_is_scaled_as_in_paddle(options: Any, expected: float) -> None:
    x = leaf(np.ones([1000], "float32"))
    out = F.dropout(x, **options)
    values = out.numpy()
    np.testing.assert_allclose(values[values != 0], expected, rtol=1e-6)
    assert (values == 0).any()
    out.sum().backward()
    assert (x.grad.numpy() == values).all()


def test_dropout_of_nothing_and_of_everything() -> None:
    x = t([1.0, math.inf, math.nan])
    assert F.dropout(x, 0) is x
    assert F.dropout(x, 1.0).tolist() == [0.0, 0.0, 0.0]
    assert F.dropout(x, 1.0, mode="downscale_in_infer").tolist() == [0.0, 0.0, 0.0]
    assert F.dropout(dg.zeros([0, 3]), 0.5).shape == [0, 3]


def test_dropout_when_not_training_is_a_copy() -> None:
    x = t([4.0, 8.0])
    out = F.dropout(x, 0.25, training=False)
    assert out.tolist() == [4.0, 8.0]
    assert not np.shares_memory(out._data, x._data)
    assert F.dropout(x, 0.25, training=False, mode="downscale_in_infer").tolist() == [3.0, 6.0]


def test_dropout_along_axes_repeats_one_draw() -> None:
    x = dg.ones([50, 40])
    columns = F.dropout(x, 0.5, axis=1).numpy()
    assert (columns == columns[:1]).all()
    assert set(columns[0]) == {0.0, 2.0}
    assert set(F.dropout(x, 0.5, axis=[0, 1]).numpy()[0]) == {0.0, 2.0}


def test_dropout_in_place_overwrites() -> None:
    x = dg.ones([100])
    out = F.dropout(x, 0.5, inplace=True)
    assert out is x
    assert set(x.tolist()) == {0.0, 2.0}
    with pytest.raises(ValueError, match="leaf"):
        F.dropout(leaf([1.0]), 0.5, inplace=True)


def test_the_seed_fixes_what_dropout_draws() -> None:
    dg.seed(5)
    first, second = (F.dropout(dg.ones([64])).tolist() for _ in range(2))
    dg.seed(5)
    assert F.dropout(dg.ones([64])).tolist() == first
    assert first != second


def test_dropout_can_be_differentiated_again() -> None:
    x = leaf(np.full([64], 3.0))
    out = F.dropout(x, 0.5)
    (slope,) = dg.grad((out * out).sum(), [x], create_graph=True)
    slope.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * (out.numpy() / 3) ** 2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dropout_keeps_the_dtype(dtype: str) -> None:
    x = dg.ones([8], dtype)
    assert F.dropout(x).dtype == x.dtype
    assert F.alpha_dropout(x).dtype == x.dtype


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: F.dropout(x, 1.5), ValueError),
        (lambda x: F.dropout(x, -0.5), ValueError),
        (lambda x: F.dropout(x, "a"), TypeError),
        (lambda x: F.dropout(x, mode="sometimes"), ValueError),
        (lambda x: F.dropout(x, axis=5), ValueError),
        (lambda x: F.dropout(x, axis=-1), ValueError),
        (lambda x: F.dropout(x, axis=[]), ValueError),
        (lambda x: F.dropout(x, axis=[0.5]), TypeError),
        (lambda x: F.dropout(x.astype("int64")), TypeError),
        (lambda x: F.dropout(x.tolist()), TypeError),
        (F.dropout2d, ValueError),
        (lambda _: F.dropout2d(dg.ones([1, 1, 1, 1]), data_format="NC"), ValueError),
        (lambda x: F.alpha_dropout(x, 2), ValueError),
    ],
)
def test_dropout_refuses_what_makes_no_sense(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^\[\w*dropout\w*\] "):
        call(dg.ones([2, 3]))


def test_alpha_dropout_has_two_values_of_a_constant() -> None:
    values = np.unique(F.alpha_dropout(dg.ones([1000])).numpy())
    np.testing.assert_allclose(values, [-0.7791938, 1.6655989], rtol=1e-5)
    assert F.alpha_dropout(dg.ones([3]), 1.0).tolist() == [0.0, 0.0, 0.0]
    assert F.alpha_dropout(dg.ones([3]), 0.0).tolist() == [1.0, 1.0, 1.0]


# ---- padding ------------------------------------------------------------------------------------

NUMPY_MODES = {
    "constant": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}


@given(
    st.sampled_from(list(NUMPY_MODES)),
    st.integers(1, 3),
    st.data(),
)
def test_padding_is_as_numpy_pads(mode: str, axes: int, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(2, 4), min_size=axes, max_size=axes))
    pads = [data.draw(st.tuples(*[st.integers(0, n - 1)] * 2)) for n in sizes]
    x = np.random.default_rng(0).normal(size=(1, 2, *sizes))
    expected = np.pad(x, [(0, 0), (0, 0), *pads], mode=NUMPY_MODES[mode])  # type: ignore[call-overload]
    flat = [n for pair in reversed(pads) for n in pair]
    assert (F.pad(t(x), flat, mode).numpy() == expected).all()
    last = np.moveaxis(x, 1, -1).copy()
    layout = {1: "NLC", 2: "NHWC", 3: "NDHWC"}[axes]
    out = F.pad(t(last), flat, mode, data_format=layout).numpy()
    assert (np.moveaxis(out, -1, 1) == expected).all()


ROW = [[[1.0, 2.0, 3.0]]]
SQUARE = [[[[1.0, 2.0], [3.0, 4.0]]]]


@pytest.mark.parametrize(
    ("x", "args", "options", "expected"),
    [
        (ROW, ([1, 2],), {"value": 9.0}, [[[9, 1, 2, 3, 9, 9]]]),
        (ROW, ([1, 2],), {"mode": "reflect"}, [[[2, 1, 2, 3, 2, 1]]]),
        (ROW, ([1, 2],), {"mode": "replicate"}, [[[1, 1, 2, 3, 3, 3]]]),
        (ROW, ([4, 5],), {"mode": "circular"}, [[[3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2]]]),
        (ROW, ([-1, 1],), {}, [[[2, 3, 0]]]),
        (ROW, ([-1, 1],), {"mode": "reflect"}, [[[2, 3, 2]]]),
        (ROW, ([0, 0, 1, 0, 0, 2],), {}, [[[0] * 5, [1, 2, 3, 0, 0]]]),
        (ROW, ([2, 0, 1, 0, 0, 0],), {"pad_from_left_axis": False}, [[[0] * 5, [0, 0, 1, 2, 3]]]),
        (ROW, ([1, 0, 0, 1],), {}, [[[0, 1, 2, 3], [0, 0, 0, 0]]]),
        (ROW, (1,), {}, [[[0, 1, 2, 3, 0]]]),
        (SQUARE, ([1, 0, 0, 1],), {}, [[[[0, 1, 2], [0, 3, 4], [0, 0, 0]]]]),
        (SQUARE, ([1, 0],), {}, [[[[0, 1, 2], [0, 3, 4]]]]),
        ([1.0, 2.0], ([1, 2],), {}, [0, 1, 2, 0, 0]),
        ([[1.0, 2.0]], ([0, 1, 1, 0],), {}, [[0, 1, 2], [0, 0, 0]]),
    ],
)
def test_orders_of_pads(x: Any, args: Any, options: Any, expected: Any) -> None:
    assert F.pad(t(x), *args, **options).tolist() == expected


def test_pads_may_be_a_tensor_and_the_value_infinite() -> None:
    assert F.pad(t(ROW), t([1, 0]), value=-math.inf).tolist() == [[[-math.inf, 1, 2, 3]]]
    assert F.pad(t([[[1, 2]]]), [1, 0], value=2.7).tolist() == [[[2, 1, 2]]]
    assert F.pad(dg.ones([1, 1, 2, 3, 4]), [1, 2, 3, 4, 5, 6]).shape == [1, 1, 13, 10, 7]
    assert F.zeropad2d(t(SQUARE), [0, 1, 0, 0]).tolist() == [[[[1, 2, 0], [3, 4, 0]]]]


def test_the_gradient_of_padding_adds_up_what_was_repeated() -> None:
    x = leaf(ROW)
    F.pad(x, [1, 2], "replicate").sum().backward()
    assert x.grad.tolist() == [[[2.0, 1.0, 3.0]]]
    x.clear_grad()
    F.pad(x, [-1, 2], value=5.0).sum().backward()
    assert x.grad.tolist() == [[[0.0, 1.0, 1.0]]]


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.pad(t(ROW), [3, 0], "reflect"),
        lambda: F.pad(t(ROW), [1, 0], "mirror"),
        lambda: F.pad(t(ROW), [1, 0], data_format="NCHW"),
        lambda: F.pad(t(ROW), [1, 0, 0, 0], "reflect"),
        lambda: F.pad(t([[1.0]]), [1, 1], "reflect"),
        lambda: F.pad(t(ROW), [-2, -2]),
        lambda: F.pad(t(ROW), [1, 0, 1]),
        lambda: F.pad(t(ROW), [1] * 8),
        lambda: F.pad(dg.ones([1, 1, 0]), [1, 1], "replicate"),
    ],
)
def test_pads_that_do_not_fit_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match=r"^\[pad\] "):
        call()


# ---- integers as rows ---------------------------------------------------------------------------


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8))
def test_one_hot_rows_have_a_one_at_their_class(classes: list[int]) -> None:
    rows = F.one_hot(t(np.array(classes)), 7)
    assert rows.dtype == dg.float32
    assert rows.sum().item() == len(classes)
    assert rows.argmax(-1).tolist() == classes
    assert F.one_hot(t(np.array(classes))).shape == [len(classes), max(classes) + 1]


def test_one_hot_of_one_class_and_of_none() -> None:
    assert F.one_hot(t(1), 3).tolist() == [0.0, 1.0, 0.0]
    assert F.one_hot(dg.zeros([0], "int64"), 3).shape == [0, 3]
    assert F.one_hot(t([[0], [1]], dtype="int32"), 2).shape == [2, 1, 2]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: F.one_hot(t([0, 3]), 3), ValueError),
        (lambda: F.one_hot(t([-1]), 3), ValueError),
        (lambda: F.one_hot(t([-1])), ValueError),
        (lambda: F.one_hot(t([0]), -2), ValueError),
        (lambda: F.one_hot(dg.zeros([0], "int64")), ValueError),
        (lambda: F.one_hot(t([1.0]), 3), TypeError),
        (lambda: F.one_hot(t([True]), 2), TypeError),
    ],
)
def test_classes_out_of_range_are_refused(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="one_hot"):
        call()


@given(st.lists(st.integers(-1, 6), max_size=5), st.one_of(st.none(), st.integers(0, 8)))
def test_sequence_masks_have_as_many_ones_as_the_length(lengths: list[int], most: Any) -> None:
    mask = F.sequence_mask(t(np.array(lengths, "int64")), most)
    width = max([*lengths, 0]) if most is None else most
    assert mask.shape == [len(lengths), width]
    assert mask.sum(-1).tolist() == [min(max(n, 0), width) for n in lengths]
    assert (np.diff(mask.numpy(), axis=-1) <= 0).all()


def test_sequence_masks_have_the_dtype_asked_for() -> None:
    lengths = t([1, 3])
    assert F.sequence_mask(lengths).dtype == dg.int64
    assert F.sequence_mask(lengths, 2, "float32").tolist() == [[1.0, 0.0], [1.0, 1.0]]
    assert F.sequence_mask(lengths, t(3), "bool").tolist()[0] == [True, False, False]
    assert F.sequence_mask(t([[1, 3], [2, 1]]), 4).shape == [2, 2, 4]
    assert F.sequence_mask(t(2)).tolist() == [1, 1]
    with pytest.raises(ValueError, match="maxlen"):
        F.sequence_mask(lengths, -1)


# ---- vectors ------------------------------------------------------------------------------------

X = np.arange(1, 7, dtype="float32").reshape(2, 3)


@pytest.mark.parametrize(
    ("options", "divisor"),
    [
        ({}, [[14**0.5], [77**0.5]]),
        ({"axis": 0}, [[17**0.5, 29**0.5, 45**0.5]]),
        ({"p": 1}, [[6.0], [15.0]]),
        ({"p": math.inf}, [[3.0], [6.0]]),
        ({"epsilon": 100.0}, 100.0),
    ],
)
def test_normalize_divides_by_norms(options: Any, divisor: Any) -> None:
    np.testing.assert_allclose(F.normalize(t(X), **options).numpy(), X / divisor, rtol=1e-6)


def test_normalize_at_zero() -> None:
    x = leaf([[0.0, 0.0], [3.0, 4.0]])
    out = F.normalize(x)
    assert out.numpy()[0].tolist() == [0.0, 0.0]
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[1e12, 1e12], [0.032, -0.024]], rtol=1e-5)
    with pytest.raises(ValueError, match="axis"):
        F.normalize(t(X), axis=3)


def test_cosine_similarity() -> None:
    y = t([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]])
    x = t(X)
    close = {"rtol": 1e-6, "atol": 1e-7}
    np.testing.assert_allclose(F.cosine_similarity(x, y).numpy(), [0.8366600, -0.0805823], **close)
    along = F.cosine_similarity(x, y, axis=0).numpy()
    np.testing.assert_allclose(along, [0.2425356, 0.9284767, 0.0], **close)
    np.testing.assert_allclose(
        F.cosine_similarity(x, y[0], axis=-1).numpy(), [0.8366600, 0.8154355], **close
    )
    np.testing.assert_allclose(F.cosine_similarity(x, y, eps=100.0).numpy(), [0.07, -0.01], **close)
    assert F.cosine_similarity(x * 0, y).tolist() == [0.0, 0.0]


def test_label_smooth_moves_labels_towards_a_prior() -> None:
    label = t([[0.0, 1.0, 0.0]])
    np.testing.assert_allclose(
        F.label_smooth(label).numpy(), [[1 / 30, 28 / 30, 1 / 30]], rtol=1e-6
    )
    smooth = F.label_smooth(label, t([[0.2, 0.3, 0.5]]), 0.2)
    np.testing.assert_allclose(smooth.numpy(), [[0.04, 0.86, 0.1]], rtol=1e-6)
    with pytest.raises(ValueError, match="epsilon"):
        F.label_smooth(label, epsilon=1.5)


def test_pairwise_distance() -> None:
    x, y = t([[3.0, 4.0], [0.0, 0.0]]), t([[0.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(F.pairwise_distance(x, y).numpy(), [5.0, 0.0], atol=1e-5)
    assert F.pairwise_distance(x, y, p=1, keepdim=True).shape == [2, 1]


def test_softmax_in_another_dtype() -> None:
    x = t([1.0, 2.0])
    assert F.softmax(x, dtype="float64").dtype == dg.float64
    assert F.log_softmax(x, dtype="float64").dtype == dg.float64


# ---- samples that gradients flow through --------------------------------------------------------


def test_gumbel_softmax_draws_classes_by_their_probabilities() -> None:
    p = np.array([0.5, 0.3, 0.2])
    logits = t(np.broadcast_to(np.log(p), (20_000, 3)).copy())
    hard = F.gumbel_softmax(logits, hard=True).numpy()
    assert set(np.unique(hard)) == {0.0, 1.0}
    assert (hard.sum(-1) == 1).all()
    np.testing.assert_allclose(hard.mean(0), p, atol=0.02)
    soft = F.gumbel_softmax(logits, 0.01).numpy()
    assert (soft.max(-1) > 0.9).mean() > 0.95
    even = F.gumbel_softmax(logits, 1e4).numpy()
    np.testing.assert_allclose(even, 1 / 3, atol=0.01)


def test_hard_samples_have_the_gradient_of_soft_ones() -> None:
    slopes = []
    for hard in (False, True):
        dg.seed(2)
        x = leaf(X)
        out = F.gumbel_softmax(x, 0.5, hard, axis=0)
        (out * t(X)).sum().backward()
        slopes.append(x.grad.numpy())
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-6)
    assert np.abs(slopes[0]).max() > 0
    with pytest.raises(ValueError, match="temperature"):
        F.gumbel_softmax(x, 0.0)


def test_rrelu_slopes() -> None:
    x = t([-8.0, 0.0, 8.0])
    np.testing.assert_allclose(
        F.rrelu(x, training=False).numpy(), [-8 * (1 / 8 + 1 / 3) / 2, 0, 8], rtol=1e-6
    )
    for lower, upper in ((0.5, 0.1), (0.5, 1.5), (-0.5, 0.5)):
        with pytest.raises(ValueError, match="rrelu"):
            F.rrelu(x, lower, upper)


# ---- attention ----------------------------------------------------------------------------------


def attention(q: Any, k: Any, v: Any, mask: Any = 0.0, scale: float | None = None) -> Any:
    """Attention written out, on arrays."""
    q, k, v = (np.moveaxis(x, 2, 1) for x in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale) + mask
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return np.moveaxis(weights / weights.sum(-1, keepdims=True) @ v, 1, 2)


def qkv(heads: int = 2, length: int = 5) -> list[Any]:
    rng = np.random.default_rng(1)
    shapes = [(2, 3, 2, 4), (2, length, heads, 4), (2, length, heads, 6)]
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("scale", [None, 1.0, 0.1])
def test_attention_averages_values(scale: float | None) -> None:
    q, k, v = qkv()
    out = F.scaled_dot_product_attention(t(q), t(k), t(v), scale=scale)
    assert out.shape == [2, 3, 2, 6]
    np.testing.assert_allclose(out.numpy(), attention(q, k, v, scale=scale), rtol=1e-10)


def test_attention_looks_only_where_it_may() -> None:
    q, k, v = qkv()
    allowed = np.random.default_rng(0).random((3, 5)) < 0.5
    allowed[:, 0] = True
    expected = attention(q, k, v, np.where(allowed, 0, -np.inf))
    for mask in (allowed, allowed[None, None], np.broadcast_to(allowed, (2, 2, 3, 5)).copy()):
        out = F.scaled_dot_product_attention(t(q), t(k), t(v), attn_mask=t(mask))
        np.testing.assert_allclose(out.numpy(), expected, rtol=1e-10)
    added = np.random.default_rng(0).normal(size=(3, 5))
    out = F.scaled_dot_product_attention(t(q), t(k), t(v), attn_mask=t(added))
    np.testing.assert_allclose(out.numpy(), attention(q, k, v, added), rtol=1e-10)
    past = np.where(np.tri(3, 5, dtype=bool), 0, -np.inf)
    out = F.scaled_dot_product_attention(t(q), t(k), t(v), is_causal=True)
    np.testing.assert_allclose(out.numpy(), attention(q, k, v, past), rtol=1e-10)
    both = F.scaled_dot_product_attention(t(q), t(k), t(v), t(allowed), is_causal=True)
    expected = attention(q, k, v, np.where(allowed, past, -np.inf))
    np.testing.assert_allclose(both.numpy(), expected, rtol=1e-10)


def test_heads_of_keys_may_serve_several_heads_of_queries() -> None:
    q, k, v = qkv(heads=1)
    expected = attention(q, k.repeat(2, 2), v.repeat(2, 2))
    out = F.scaled_dot_product_attention(t(q), t(k), t(v))
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-10)
    with pytest.raises(ValueError, match="heads"):
        F.scaled_dot_product_attention(t(q), t(k), t(v), enable_gqa=False)


def test_attention_without_a_batch() -> None:
    q, k, v = qkv()
    out = F.scaled_dot_product_attention(t(q[0]), t(k[0]), t(v[0]))
    np.testing.assert_allclose(out.numpy(), attention(q, k, v)[0], rtol=1e-10)


def test_attention_weights_drop_out_while_training() -> None:
    q, k, v = qkv()
    inputs = t(q), t(k), t(v)
    plain = F.scaled_dot_product_attention(*inputs).numpy()
    used = F.scaled_dot_product_attention(*inputs, dropout_p=0.9, training=False).numpy()
    assert (used == plain).all()
    assert (F.scaled_dot_product_attention(*inputs, dropout_p=0.9).numpy() != plain).any()


@pytest.mark.parametrize(
    "shapes",
    [
        [(3, 4)] * 3,
        [(2, 3, 2, 4), (2, 3, 2, 5), (2, 3, 2, 5)],
        [(2, 3, 2, 4), (2, 3, 2, 4), (2, 5, 2, 4)],
        [(2, 3, 3, 4), (2, 3, 2, 4), (2, 3, 2, 4)],
        [(2, 3, 2, 4), (1, 3, 2, 4), (1, 3, 2, 4)],
    ],
)
def test_shapes_that_do_not_fit_are_refused(shapes: Any) -> None:
    with pytest.raises(ValueError, match="scaled_dot_product_attention"):
        F.scaled_dot_product_attention(*[dg.ones(list(shape)) for shape in shapes])
