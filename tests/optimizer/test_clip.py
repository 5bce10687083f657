"""Gradient clipping, in an optimizer and by hand, and parameters as one vector."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import optimizer as opt
from dualgraph.nn import ClipGradByGlobalNorm, ClipGradByNorm, ClipGradByValue, Parameter
from dualgraph.nn.clip import ClipGradBase, total_norm
from dualgraph.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    parameters_to_vector,
    vector_to_parameters,
)
from tests.optimizer.common import give

Array = np.ndarray[Any, Any]

SHAPES = st.lists(st.sampled_from([(), (1,), (3,), (2, 3), (0,), (2, 0)]), min_size=1, max_size=4)
LIMITS = st.floats(0.01, 10)


def pairs_of(shapes: list[tuple[int, ...]], seed: int = 0) -> tuple[list[Any], list[Array]]:
    """Parameters with gradients, and the gradients as arrays."""
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape) for shape in shapes]
    ps = [Parameter(np.zeros(shape)) for shape in shapes]
    for p, g in zip(ps, arrays, strict=True):
        give(p, g)
    return ps, arrays


def norm_of(arrays: list[Array]) -> float:
    return math.sqrt(sum(float((g * g).sum()) for g in arrays))


def clipped(clip: ClipGradBase, ps: list[Any]) -> list[Array]:
    return [g.numpy() for _, g in clip([(p, p.grad) for p in ps])]


@given(SHAPES, LIMITS, st.integers(0, 100), st.booleans())
def test_one_factor_brings_the_global_norm_down_to_the_limit(
    shapes: list[tuple[int, ...]], limit: float, seed: int, skip: bool
) -> None:
    ps, before = pairs_of(shapes, seed)
    after = clipped(ClipGradByGlobalNorm(limit, auto_skip_clip=skip), ps)
    factor = min(1.0, limit / norm_of(before)) if norm_of(before) else 1.0
    for g, old in zip(after, before, strict=True):
        np.testing.assert_allclose(g, old * factor, rtol=1e-12)
    assert norm_of(after) <= limit * (1 + 1e-12)


@given(SHAPES, LIMITS, st.integers(0, 100))
def test_each_norm_is_brought_down_to_the_limit(
    shapes: list[tuple[int, ...]], limit: float, seed: int
) -> None:
    ps, before = pairs_of(shapes, seed)
    for g, old in zip(clipped(ClipGradByNorm(limit), ps), before, strict=True):
        size = norm_of([old])
        np.testing.assert_allclose(g, old * (limit / size if size > limit else 1.0), rtol=1e-12)


@given(SHAPES, LIMITS, st.floats(0, 2), st.integers(0, 100))
def test_each_element_is_brought_between_the_limits(
    shapes: list[tuple[int, ...]], high: float, low: float, seed: int
) -> None:
    ps, before = pairs_of(shapes, seed)
    for g, old in zip(clipped(ClipGradByValue(high, -low), ps), before, strict=True):
        np.testing.assert_array_equal(g, np.clip(old, -low, high))


@pytest.mark.parametrize(
    ("clip", "overwritten"),
    [
        (ClipGradByGlobalNorm(1.0), True),
        (ClipGradByNorm(1.0), False),
        (ClipGradByValue(1.0), False),
    ],
)
def test_only_the_global_norm_overwrites_gradients(clip: Any, overwritten: bool) -> None:
    p = Parameter([1.0, 2.0])
    give(p, np.array([3.0, -4.0]))
    held = p.grad
    opt.SGD(0.1, [p], grad_clip=clip).step()
    expected = [0.6, -0.8] if overwritten else [3.0, -4.0]
    assert held.tolist() == p.grad.tolist() == pytest.approx(expected)
    assert held.inplace_version == int(overwritten)


def test_what_needs_no_clip_is_neither_clipped_nor_counted() -> None:
    a, b = Parameter([0.0]), Parameter([0.0])
    b.need_clip = False
    for clip in (ClipGradByGlobalNorm(1.0), ClipGradByNorm(1.0), ClipGradByValue(1.0)):
        give(a, np.full(1, 2.0))
        give(b, np.full(1, 100.0))
        assert [float(g[0]) for g in clipped(clip, [a, b])] == [1.0, 100.0]


def test_pairs_without_gradient_are_left_out() -> None:
    a, b = Parameter([0.0]), Parameter([0.0])
    give(b, np.ones(1))
    for clip in (ClipGradByGlobalNorm(1.0), ClipGradByNorm(1.0), ClipGradByValue(1.0)):
        assert clip([(a, a.grad), (b, b.grad)])[0][0] is b
        assert clip([]) == []


def test_dtypes_stay_and_half_precision_is_summed_in_float32() -> None:
    grads = [dg.to_tensor(np.full(4, 200.0, t)) for t in (np.float16, np.float32)]
    norm = total_norm(grads)
    assert (norm.dtype, norm.shape) == (dg.float32, [])
    assert norm.item() == pytest.approx(math.sqrt(8 * 40000.0))
    wide = total_norm([*grads, dg.to_tensor(np.zeros(1))])
    assert wide.dtype is dg.float64
    ps = [Parameter(np.zeros(4, t)) for t in (np.float16, np.float32)]
    clip = ClipGradByGlobalNorm(math.sqrt(8.0))
    out = clip(list(zip(ps, grads, strict=True)))
    assert [(g.dtype.name, g.tolist()) for _, g in out] == [
        ("float16", [1.0] * 4),
        ("float32", [1.0] * 4),
    ]


def test_nan_spreads_through_a_global_norm_but_not_through_a_norm_of_each() -> None:
    a, b = Parameter([0.0]), Parameter([0.0])
    give(a, np.full(1, np.nan))
    give(b, np.full(1, 3.0))
    assert np.isnan(clipped(ClipGradByNorm(1.0), [a, b])).tolist() == [[True], [False]]
    assert np.isnan(clipped(ClipGradByGlobalNorm(1.0), [a, b])).tolist() == [[True], [True]]


@pytest.mark.parametrize(
    ("make", "error", "complaint"),
    [
        (lambda: ClipGradByGlobalNorm("1"), TypeError, "clip_norm is str '1'"),  # type: ignore[arg-type]
        (lambda: ClipGradByGlobalNorm(-1.0), ValueError, "clip_norm is -1.0; expected more than 0"),
        (lambda: ClipGradByGlobalNorm(1.0, auto_skip_clip=1), TypeError, "auto_skip_clip is int 1"),  # type: ignore[arg-type]
        (lambda: ClipGradByNorm(float("nan")), ValueError, "clip_norm is nan"),
        (lambda: ClipGradByValue(-1.0), ValueError, "max is -1.0; expected more than 0"),
        (lambda: ClipGradByValue(1.0, 2.0), ValueError, "min is 2.0, max is 1.0"),
        (lambda: ClipGradByValue(None), TypeError, "max is NoneType None"),  # type: ignore[arg-type]
    ],
)
def test_limits_that_make_no_sense(make: Any, error: Any, complaint: str) -> None:
    with pytest.raises(error, match=complaint):
        make()


def test_clips_show_themselves() -> None:
    assert repr(ClipGradByGlobalNorm(1.0)) == "ClipGradByGlobalNorm(clip_norm=1.0)"
    assert repr(ClipGradByNorm(2)) == "ClipGradByNorm(clip_norm=2.0)"
    assert repr(ClipGradByValue(1)) == "ClipGradByValue(max=1.0, min=-1.0)"


# ---- by hand -------------------------------------------------------------------------------------


@given(SHAPES, LIMITS, st.sampled_from([0, 1, 2, math.inf]), st.integers(0, 100))
def test_clip_grad_norm_returns_the_norm_and_scales_down_to_the_limit(
    shapes: list[tuple[int, ...]], limit: float, order: float, seed: int
) -> None:
    ps, before = pairs_of(shapes, seed)
    norm = clip_grad_norm_(ps, limit, order).item()
    flat = np.concatenate([g.ravel() for g in before])
    expected = {
        0: float(sum(g.any() for g in before)),
        1: float(np.abs(flat).sum()),
        2: norm_of(before),
        math.inf: float(np.abs(flat).max(initial=0)),
    }[order]
    assert norm == pytest.approx(expected, rel=1e-12)
    for p, old in zip(ps, before, strict=True):
        factor = min(1.0, limit / (expected + 1e-6))
        np.testing.assert_allclose(p.grad.numpy(), old * factor, rtol=1e-12)


def test_clip_grad_norm_of_one_tensor_a_generator_and_none() -> None:
    p, q = Parameter([0.0]), Parameter([0.0])
    give(p, np.full(1, 2.0))
    assert clip_grad_norm_(p, 1.0).item() == 2.0
    assert clip_grad_norm_(iter([p, q]), 0.5).item() == pytest.approx(1.0, rel=1e-5)
    assert p.grad.item() == pytest.approx(0.5, rel=1e-5)
    for nothing in ([], q):
        assert clip_grad_norm_(nothing, 1.0).item() == 0.0


def test_clip_grad_norm_may_refuse_what_is_not_finite() -> None:
    p = Parameter([0.0, 0.0])
    give(p, np.array([np.inf, 1.0]))
    with pytest.raises(RuntimeError, match=r"\[clip_grad_norm_\] the norm is inf"):
        clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert p.grad.tolist() == [math.inf, 1.0]
    clip_grad_norm_(p, 1.0)
    assert p.grad.numpy()[1] == 0.0


@pytest.mark.parametrize(
    ("call", "error", "complaint"),
    [
        (lambda p: clip_grad_norm_(p, 1.0, 3.0), ValueError, "norm_type is 3.0; expected 2, 1, 0"),
        (lambda p: clip_grad_norm_(p, -1.0), ValueError, "max_norm is -1.0"),
        (lambda p: clip_grad_norm_([1.0], 1.0), TypeError, "parameter 0 is float 1.0"),
        (lambda p: clip_grad_norm_(1.0, 1.0), TypeError, "parameters is float 1.0"),
        (lambda p: clip_grad_value_(p, -1.0), ValueError, "clip_value is -1.0"),
        (lambda p: parameters_to_vector([]), ValueError, "parameters is empty"),
        (lambda p: vector_to_parameters([1.0], p), TypeError, "vec is list"),
        (lambda p: vector_to_parameters(dg.to_tensor([[1.0]]), p), ValueError, r"expected \[n\]"),
        (lambda p: vector_to_parameters(dg.to_tensor([1.0]), [p, p]), ValueError, "n >= 2"),
    ],
)
def test_calls_that_make_no_sense(call: Any, error: Any, complaint: str) -> None:
    p = Parameter([0.0])
    give(p, np.ones(1))
    with pytest.raises(error, match=complaint):
        call(p)
    assert (p.tolist(), p.grad.tolist()) == ([0.0], [1.0])


def test_clip_grad_value_clips_in_place() -> None:
    p, q = Parameter([0.0, 0.0, 0.0]), Parameter([0.0])
    give(p, np.array([-3.0, 0.5, 3.0]))
    held = p.grad
    clip_grad_value_([p, q], 1)
    assert held.tolist() == [-1.0, 0.5, 1.0]
    assert held is p.grad
    assert q.grad is None


def test_parameters_become_a_vector_and_a_vector_parameters() -> None:
    ps = [Parameter([[1.0, 2.0], [3.0, 4.0]]), Parameter(5.0), Parameter([6.0])]
    vector = parameters_to_vector(ps)
    assert vector.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert not vector.stop_gradient
    assert vector.is_leaf
    vector_to_parameters(dg.to_tensor(np.arange(7.0)), ps)  # one element is left over
    assert [p.tolist() for p in ps] == [[[0.0, 1.0], [2.0, 3.0]], 4.0, [5.0]]
    assert all(p.dtype is dg.float32 and p.inplace_version == 1 for p in ps)
    assert vector.tolist()[0] == 1.0
