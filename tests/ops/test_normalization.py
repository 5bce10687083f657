"""Normalisation: running statistics, formats, Paddle's values; the suite has the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph import Tensor
from dualgraph.ops.standardize import standardize
from tests.ops.derivatives import check_derivatives

X = np.array([[[1.0, 2.0], [3.0, 5.0]]], np.float32)


def tensor(data: Any, grad: bool = False) -> Tensor:
    return dg.to_tensor(data, stop_gradient=not grad)


def statistics(size: int = 2) -> tuple[Tensor, Tensor]:
    return dg.zeros([size]), dg.ones([size])


SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@given(SHAPES, st.data(), st.floats(-5, 5), st.floats(0.5, 3))
def test_standardizing_forgets_shift_and_scale(
    shape: list[int], data: st.DataObject, shift: float, scale: float
) -> None:
    axis = tuple(sorted(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))))
    x = np.random.default_rng(1).normal(size=shape)
    out, rstd = standardize(tensor(x), axis, 0.0)
    moved, moved_rstd = standardize(tensor(x * scale + shift), axis, 0.0)
    np.testing.assert_allclose(moved_rstd.numpy() * scale, rstd.numpy(), rtol=1e-4)
    if np.prod([shape[i] for i in axis]) > 1:
        np.testing.assert_allclose(moved.numpy(), out.numpy(), atol=1e-5)
        np.testing.assert_allclose(out.numpy().mean(axis), 0, atol=1e-10)
        np.testing.assert_allclose((out.numpy() ** 2).mean(axis), 1, rtol=1e-10)


@pytest.mark.parametrize("size", [4096, 4097])
def test_long_and_short_rows_agree(size: int) -> None:
    x = np.random.default_rng(2).normal(3, 2, (2, size)).astype(np.float32)
    wide = x.astype(np.float64)
    wanted = (wide - wide.mean(1, keepdims=True)) / wide.std(1, keepdims=True)
    np.testing.assert_allclose(
        F.layer_norm(tensor(x), size, epsilon=0.0).numpy(), wanted, atol=2e-5
    )


def test_second_derivatives_pass_through_outputs_that_are_used_twice() -> None:
    def call(x: Tensor, weight: Tensor) -> Tensor:
        out = F.layer_norm(x, 3, weight)
        return out * out.tanh()

    rng = np.random.default_rng(3)
    check_derivatives(call, [rng.normal(size=(2, 3)), rng.normal(size=3)], [True, True], 3, rng)


# -- batch normalisation ------------------------------------------------------------------------


def test_running_statistics_keep_the_part_that_momentum_says() -> None:
    mean, var = statistics()
    out = F.batch_norm(tensor(X), mean, var, training=True)
    np.testing.assert_allclose(out.numpy(), [[[-0.99998, 0.99998], [-0.999995, 0.999995]]], 1e-6)
    np.testing.assert_allclose(mean.numpy(), [0.15, 0.4], rtol=1e-6)
    # The variance is that of the sample, not corrected for its size.
    np.testing.assert_allclose(var.numpy(), [0.925, 1.0], rtol=1e-6)
    assert (mean.stop_gradient, mean.inplace_version) == (True, 1)


def test_inference_uses_and_keeps_the_running_statistics() -> None:
    mean, var = tensor([0.15, 0.4]), tensor([0.925, 1.0])
    wanted = [[[0.883783, 1.923528], [2.599987, 4.599977]]]
    for options in ({}, {"training": True, "use_global_stats": True}):
        out = F.batch_norm(tensor(X), mean, var, **options)
        np.testing.assert_allclose(out.numpy(), wanted, rtol=1e-5)
    assert mean.numpy().tolist() == np.array([0.15, 0.4], np.float32).tolist()


def test_the_batch_can_be_asked_for_without_training() -> None:
    mean, var = statistics()
    F.batch_norm(tensor(X), mean, var, training=False, use_global_stats=False)
    np.testing.assert_allclose(mean.numpy(), [0.15, 0.4], rtol=1e-6)


def test_channels_may_come_last() -> None:
    first, last = statistics(), statistics()
    out = F.batch_norm(tensor(X), *first, training=True, momentum=0.5)
    turned = X.transpose(0, 2, 1)
    other = F.batch_norm(tensor(turned), *last, training=True, momentum=0.5, data_format="NLC")
    np.testing.assert_allclose(other.numpy().transpose(0, 2, 1), out.numpy(), rtol=1e-6)
    for a, b in zip(first, last, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


def test_one_element_per_channel_comes_back_as_it_is() -> None:
    mean, var = statistics()
    x = tensor([[3.0, 4.0]], grad=True)
    out = F.batch_norm(x, mean, var, dg.ones([2]), dg.ones([2]), training=True)
    assert out.tolist() == [[3.0, 4.0]]
    assert (mean.tolist(), var.tolist()) == ([0.0, 0.0], [1.0, 1.0])
    assert F.batch_norm(dg.ones([0, 2]), mean, var, training=True).shape == [0, 2]
    assert mean.tolist() == [0.0, 0.0]


def test_a_wide_batch_updates_narrow_statistics() -> None:
    mean, var = statistics()
    out = F.batch_norm(tensor(X.astype(np.float64)), mean, var, training=True)
    assert (out.dtype, mean.dtype) == (dg.float64, dg.float32)
    assert F.batch_norm(tensor(X.astype(np.float64)), mean, var).dtype == dg.float64


def test_statistics_that_a_gradient_needs_are_not_updated_unnoticed() -> None:
    mean, var = statistics()
    x = tensor(X, grad=True)
    out = F.batch_norm(x, mean, var)
    F.batch_norm(x, mean, var, training=True)
    out.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), 1 / np.sqrt(1 + 1e-5), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: F.batch_norm(tensor(X), *statistics(3)), r"running_mean is \[3\]; expected \[2\]"),
        (lambda: F.batch_norm(tensor(X), *statistics(), dg.ones([3])), r"weight is \[3\]"),
        (lambda: F.batch_norm(tensor(X), *statistics(), data_format="XX"), "expected one of NC"),
        (lambda: F.batch_norm(dg.ones([2]), *statistics()), "2 or more axes"),
        (lambda: F.layer_norm(tensor(X), 3), "last axes of x to have that shape"),
        (lambda: F.layer_norm(tensor(X), [1, 1, 2, 2]), "last axes of x to have that shape"),
        (lambda: F.layer_norm(tensor(X), 2.0), "an int or a list of ints"),  # type: ignore[arg-type]
        (lambda: F.layer_norm(tensor(X), 2, dg.ones([3])), r"expected \[2\]"),
        (lambda: F.group_norm(tensor(X), 3), "the groups to divide the channels"),
        (lambda: F.group_norm(tensor(X), 2, data_format="XX"), "expected one of NC"),
        (lambda: F.instance_norm(tensor(X), use_input_stats=False), "running_mean and running_var"),
        (lambda: F.local_response_norm(dg.ones([2, 2]), 2), "3 or more axes"),
        (lambda: F.local_response_norm(dg.ones([2, 0, 2]), 2), "sizes above 0"),
    ],
)
def test_what_does_not_fit_is_a_value_error(call: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        call()


def test_a_refused_batch_leaves_the_statistics_alone() -> None:
    mean, var = statistics()
    with pytest.raises(ValueError, match="weight"):
        F.batch_norm(tensor(X), mean, var, dg.ones([3]), training=True)
    assert (mean.tolist(), var.tolist()) == ([0.0, 0.0], [1.0, 1.0])


# -- the others ---------------------------------------------------------------------------------


def test_weights_of_a_layer_are_flat_or_shaped() -> None:
    weight, bias = tensor([1.0, 2.0, 3.0, 4.0]), dg.ones([4])
    wanted = [[[-0.183213, -0.014183], [1.507091, 7.085097]]]
    flat = F.layer_norm(tensor(X), [2, 2], weight, bias)
    shaped = F.layer_norm(tensor(X), (2, 2), weight.reshape([2, 2]), bias.reshape([2, 2]))
    for out in (flat, shaped):
        np.testing.assert_allclose(out.numpy(), wanted, rtol=1e-4)
    assert F.layer_norm(dg.ones([0, 2]), 2).shape == [0, 2]


def test_groups_without_weights_have_gradients() -> None:
    x = np.random.default_rng(4).normal(size=(2, 4, 3))
    check_derivatives(lambda a: F.group_norm(a, 2), [x], [True], 2, np.random.default_rng(5))


def test_one_group_per_channel_is_instance_norm_and_one_group_layer_norm() -> None:
    x = tensor(np.random.default_rng(6).normal(size=(2, 4, 3)))
    instances = F.instance_norm(x)
    np.testing.assert_allclose(F.group_norm(x, 4).numpy(), instances.numpy(), atol=1e-12)
    layers = F.layer_norm(x, [4, 3])
    np.testing.assert_allclose(F.group_norm(x, 1).numpy(), layers.numpy(), atol=1e-12)
    assert F.instance_norm(dg.ones([2, 4])).tolist() == [[0.0] * 4] * 2


def test_instance_norm_leaves_its_statistics_and_uses_them_if_told() -> None:
    mean, var = tensor([1.0, 2.0]), tensor([4.0, 4.0])
    F.instance_norm(tensor(X), mean, var)
    assert mean.tolist() == [1.0, 2.0]
    out = F.instance_norm(tensor(X), mean, var, use_input_stats=False, eps=0.0)
    assert out.tolist() == [[[0.0, 0.5], [0.5, 1.5]]]


def test_rms_norm_gives_one_over_the_root_too() -> None:
    out, rstd = F.rms_norm(tensor([[3.0, 4.0]]), [2], dg.full([2], 2.0), eps=0.0)
    np.testing.assert_allclose(rstd.numpy(), [(12.5) ** -0.5], rtol=1e-6)
    np.testing.assert_allclose(out.numpy(), [[6 / 12.5**0.5, 8 / 12.5**0.5]], rtol=1e-6)


def test_responses_of_neighbours_as_in_paddle() -> None:
    x = np.arange(1, 9, dtype=np.float32)
    out = F.local_response_norm(tensor(x.reshape(1, 4, 2)), 3)
    np.testing.assert_allclose(out.numpy().ravel()[:3], [0.99975, 1.999, 2.997378], rtol=1e-5)
    out = F.local_response_norm(tensor(x.reshape(1, 4, 2, 1)), 2, alpha=1.0)
    wanted = [0.737788, 0.877383, 0.782542, 0.66224, 0.572158, 0.506557, 0.457362, 0.419191]
    np.testing.assert_allclose(out.numpy().ravel(), wanted, rtol=1e-5)
    last = F.local_response_norm(tensor(x.reshape(1, 2, 4)), 2, alpha=1.0, data_format="NLC")
    wanted = [0.737788, 0.78159, 0.66195, 0.567949, 0.709937, 0.451251, 0.413267, 0.383124]
    np.testing.assert_allclose(last.numpy().ravel(), wanted, rtol=1e-5)


def test_half_precision_is_normalised_in_single() -> None:
    # In half precision the squares of these would be infinite.
    x = dg.to_tensor([[300.0, -300.0]], dtype="float16")
    x.stop_gradient = False
    out = F.layer_norm(x, 2, dg.ones([2]))
    assert (out.dtype, out.tolist()) == (dg.float16, [[1.0, -1.0]])
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == dg.float16
