"""Linear, Embedding, Dropout and its kin, reshaping, Bilinear, CosineSimilarity, padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import nn

# ---- Linear --------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3), max_size=3), st.integers(0, 4), st.integers(0, 4))
def test_linear_is_a_product_and_a_sum(batch: list[int], inputs: int, outputs: int) -> None:
    layer = nn.Linear(inputs, outputs, bias_attr=nn.initializer.Normal())
    x = np.random.default_rng(0).normal(size=(*batch, inputs)).astype("float32")
    expected = x @ layer.weight.numpy() + layer.bias.numpy()
    out = layer(dg.to_tensor(x))
    assert out.shape == [*batch, outputs]
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_linear_weight_is_in_by_out_and_the_bias_can_be_left_out() -> None:
    layer = nn.Linear(3, 4)
    assert (layer.weight.shape, layer.bias.shape) == ([3, 4], [4])
    assert layer.bias.tolist() == [0.0] * 4
    bare = nn.Linear(3, 4, bias_attr=False)
    assert bare.bias is None
    assert list(bare.state_dict()) == ["weight"]
    assert bare(dg.ones([2, 3])).shape == [2, 4]


def test_linear_gradients() -> None:
    layer = nn.Linear(2, 2, weight_attr=nn.initializer.Assign([[1.0, 2.0], [3.0, 4.0]]))
    x = dg.to_tensor([[1.0, 10.0]], stop_gradient=False)
    layer(x).sum().backward()
    assert layer.weight.grad.tolist() == [[1.0, 1.0], [10.0, 10.0]]
    assert layer.bias.grad.tolist() == [1.0, 1.0]
    assert x.grad.tolist() == [[3.0, 7.0]]


def test_linear_takes_one_example_and_refuses_a_wrong_width() -> None:
    layer = nn.Linear(3, 2)
    assert layer(dg.ones([3])).shape == [2]
    with pytest.raises(ValueError, match=r"\[linear\].*\[2, 4\].*\[3, 2\]"):
        layer(dg.ones([2, 4]))


def test_a_weight_set_to_another_tensor_kind_is_used() -> None:
    layer = nn.Linear(2, 1)
    weight = layer.weight
    del layer.weight
    layer.weight = weight * 2
    assert layer(dg.ones([1, 2])).item() == pytest.approx(2 * weight.sum().item(), rel=1e-6)


# ---- Embedding -----------------------------------------------------------------------------------


def test_embedding_picks_rows() -> None:
    table = nn.Embedding(5, 3)
    ids = np.array([[0, 4], [2, 2]])
    out = table(dg.to_tensor(ids))
    assert out.shape == [2, 2, 3]
    assert (out.numpy() == table.weight.numpy()[ids]).all()
    out.sum().backward()
    assert table.weight.grad.numpy()[:, 0].tolist() == [1.0, 0.0, 2.0, 0.0, 1.0]


@pytest.mark.parametrize("index", [1, -4])
def test_the_padding_row_starts_as_zeros_and_is_not_learnt(index: int) -> None:
    table = nn.Embedding(5, 3, padding_idx=index, weight_attr=nn.initializer.Constant(2.0))
    assert table.weight.numpy()[:, 0].tolist() == [2.0, 0.0, 2.0, 2.0, 2.0]
    table(dg.to_tensor([1, 1, 2])).sum().backward()
    assert table.weight.grad.numpy()[:, 0].tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]


def test_embedding_scales_long_rows_down() -> None:
    table = nn.Embedding(3, 2, max_norm=1.0, weight_attr=nn.initializer.Constant(2.0))
    out = table(dg.to_tensor([0, 1]))
    np.testing.assert_allclose(out.numpy(), np.full([2, 2], 0.5**0.5), rtol=1e-5)
    assert table.weight.numpy()[2].tolist() == [2.0, 2.0]


def test_embedding_divides_gradients_by_frequency_if_asked() -> None:
    table = nn.Embedding(3, 1, scale_grad_by_freq=True)
    table(dg.to_tensor([0, 0, 1])).sum().backward()
    assert table.weight.grad.tolist() == [[1.0], [1.0], [0.0]]


def test_embedding_over_given_weights() -> None:
    table = nn.Embedding(2, 2, _weight=dg.to_tensor([[1.0, 2.0], [3.0, 4.0]]), _freeze=True)
    assert table.weight.stop_gradient
    assert table(dg.to_tensor([1])).tolist() == [[3.0, 4.0]]
    with pytest.raises(ValueError, match="_weight"):
        nn.Embedding(3, 2, _weight=dg.ones([2, 2]))


@pytest.mark.parametrize("ids", [[5], [-1]])
def test_ids_out_of_range_are_refused(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="embedding"):
        nn.Embedding(5, 3)(dg.to_tensor(ids))


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Embedding(0, 3),
        lambda: nn.Embedding(3, 0),
        lambda: nn.Embedding(5, 3, padding_idx=5),
        lambda: nn.Embedding(5, 3, padding_idx=-6),
        lambda: nn.Embedding(5, 3, weight_attr=False),
    ],
)
def test_an_embedding_that_cannot_be_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="Embedding"):
        make()


# ---- Dropout -------------------------------------------------------------------------------------


def test_dropout_drops_while_training_only() -> None:
    layer = nn.Dropout(0.5)
    x = dg.ones([1000])
    assert set(layer(x).tolist()) == {0.0, 2.0}
    assert layer.eval()(x).tolist() == x.tolist()


def test_dropout_that_scales_when_used() -> None:
    layer = nn.Dropout(0.25, mode="downscale_in_infer")
    assert set(layer(dg.ones([1000])).tolist()) == {0.0, 1.0}
    assert layer.eval()(dg.ones([2])).tolist() == [0.75, 0.75]


def test_dropout_along_axes_and_of_channels() -> None:
    rows = nn.Dropout(0.5, axis=0)(dg.ones([100, 3])).numpy()
    assert (rows == rows[:, :1]).all()
    assert set(rows[:, 0].tolist()) == {0.0, 2.0}
    images = nn.Dropout2D(0.5)(dg.ones([20, 3, 2, 2])).numpy()
    assert (images == images[:, :, :1, :1]).all()
    assert len({tuple(image[:, 0, 0]) for image in images}) > 2
    volumes = nn.Dropout3D(0.5)(dg.ones([20, 3, 2, 2, 2])).numpy()
    assert (volumes == volumes[:, :, :1, :1, :1]).all()
    layer = nn.Dropout2D(0.5).eval()
    assert layer(dg.ones([1, 1, 1, 1])).tolist() == [[[[1.0]]]]


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    layer = nn.AlphaDropout(0.3)
    out = layer(dg.randn([100_000])).numpy()
    assert abs(out.mean()) < 0.02
    assert abs(out.var() - 1) < 0.03
    assert layer.eval()(dg.ones([2])).tolist() == [1.0, 1.0]


# ---- the rest ------------------------------------------------------------------------------------


def test_flatten_and_unflatten() -> None:
    x = dg.ones([2, 3, 4])
    assert nn.Flatten()(x).shape == [2, 12]
    assert nn.Flatten(0, 1)(x).shape == [6, 4]
    assert nn.Unflatten(-1, [2, -1])(x).shape == [2, 3, 2, 2]


def test_identity_takes_any_arguments() -> None:
    x = dg.ones([1])
    assert nn.Identity(1, a=2)(x) is x


def test_bilinear_layer() -> None:
    layer = nn.Bilinear(2, 3, 4)
    assert (layer.weight.shape, layer.bias.shape) == ([4, 2, 3], [1, 4])
    x1, x2 = dg.randn([5, 2]), dg.randn([5, 3])
    expected = np.einsum("bi,kij,bj->bk", x1.numpy(), layer.weight.numpy(), x2.numpy())
    np.testing.assert_allclose(layer(x1, x2).numpy(), expected, rtol=1e-4, atol=1e-5)
    assert list(nn.Bilinear(2, 3, 4, bias_attr=False).state_dict()) == ["weight"]
    with pytest.raises(ValueError, match="bilinear"):
        layer(dg.ones([5, 3]), dg.ones([5, 3]))


def test_cosine_similarity_layer() -> None:
    x, y = dg.to_tensor([[1.0, 0.0], [1.0, 1.0]]), dg.to_tensor([[3.0, 0.0], [-1.0, -1.0]])
    np.testing.assert_allclose(nn.CosineSimilarity()(x, y).numpy(), [1.0, -1.0], rtol=1e-6)
    assert nn.CosineSimilarity(axis=0)(x, y).shape == [2]


def test_padding_layers() -> None:
    x = dg.to_tensor([[[1.0, 2.0, 3.0]]])
    assert nn.Pad1D(1)(x).tolist() == [[[0, 1, 2, 3, 0]]]
    assert nn.Pad1D([0, 2], mode="reflect")(x).tolist() == [[[1, 2, 3, 2, 1]]]
    assert nn.Pad2D([1, 0, 0, 1], value=9.0)(dg.ones([1, 1, 1, 1])).tolist() == [[[[9, 1], [9, 9]]]]
    assert nn.Pad2D(1, data_format="NHWC")(dg.ones([1, 2, 3, 4])).shape == [1, 4, 5, 4]
    assert nn.Pad3D(1)(dg.ones([1, 1, 2, 3, 4])).shape == [1, 1, 4, 5, 6]
    assert nn.ZeroPad2D([1, 2, 3, 4])(dg.ones([1, 1, 1, 1])).shape == [1, 1, 8, 4]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.Linear(3, 4), "Linear(in_features=3, out_features=4, dtype=float32)"),
        (
            nn.Linear(3, 4, name="fc"),
            "Linear(in_features=3, out_features=4, dtype=float32, name=fc)",
        ),
        (nn.Embedding(5, 3), "Embedding(5, 3, sparse=False, scale_grad_by_freq=False)"),
        (
            nn.Embedding(5, 3, padding_idx=-1, sparse=True),
            "Embedding(5, 3, padding_idx=-1, sparse=True, scale_grad_by_freq=False)",
        ),
        (nn.Dropout(), "Dropout(p=0.5, axis=None, mode=upscale_in_train, inplace=False)"),
        (
            nn.Dropout(0.3, axis=1, mode="downscale_in_infer", name="d"),
            "Dropout(p=0.3, axis=1, mode=downscale_in_infer, name=d, inplace=False)",
        ),
        (nn.Dropout2D(0.3), "Dropout2D(p=0.3, data_format=NCHW)"),
        (nn.AlphaDropout(0.3), "AlphaDropout(p=0.3)"),
        (nn.Flatten(), "Flatten()"),
        (nn.Unflatten(1, [2, -1]), "Unflatten(axis=1, shape=[2, -1])"),
        (nn.Identity(), "Identity()"),
        (
            nn.Bilinear(2, 3, 4),
            "Bilinear(in1_features=2, in2_features=3, out_features=4, dtype=float32)",
        ),
        (nn.CosineSimilarity(), "CosineSimilarity(axis=1, eps=1e-08)"),
        (
            nn.Pad1D([1, 2], mode="reflect"),
            "Pad1D(padding=[1, 2], mode=reflect, value=0.0, data_format=NCL)",
        ),
        (
            nn.Pad2D(1, data_format="NHWC"),
            "Pad2D(padding=[1, 1, 1, 1], mode=constant, value=0.0, data_format=NHWC)",
        ),
        (
            nn.ZeroPad2D(2),
            "ZeroPad2D(padding=[2, 2, 2, 2], mode=constant, value=0.0, data_format=NCHW)",
        ),
    ],
)
def test_text(layer: nn.Layer, text: str) -> None:
    assert repr(layer) == text
