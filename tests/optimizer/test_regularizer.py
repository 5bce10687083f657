"""Weight decay: the term that is added to a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dualgraph as dg
from dualgraph import Tensor
from dualgraph import optimizer as opt
from dualgraph.nn import ClipGradByValue, Parameter
from dualgraph.regularizer import L1Decay, L2Decay, WeightDecayRegularizer
from tests.optimizer.common import give

SHAPES = st.sampled_from([(), (3,), (2, 3), (0,)])
COEFFICIENTS = st.floats(-2, 2)


@given(SHAPES, COEFFICIENTS, st.integers(0, 100))
def test_decay_adds_the_derivative_of_its_penalty(
    shape: tuple[int, ...], coeff: float, seed: int
) -> None:
    p, g = np.random.default_rng(seed).normal(size=(2, *shape))
    for decay, term in ((L2Decay(coeff), coeff * p), (L1Decay(coeff), coeff * np.sign(p))):
        parameter, grad = Parameter(p), dg.to_tensor(g)
        np.testing.assert_allclose(decay.added_to(grad, parameter).numpy(), g + term, rtol=1e-12)
        np.testing.assert_allclose(decay.grad_term(parameter).numpy(), term, rtol=1e-12)
        np.testing.assert_array_equal(grad.numpy(), g)


def test_decay_keeps_the_dtype() -> None:
    p = Parameter(np.ones(2, np.float32))
    for decay in (L1Decay(0.5), L2Decay(0.5)):
        assert decay.added_to(dg.to_tensor([1.0, 2.0]), p).dtype is dg.float32
        assert decay.grad_term(p).dtype is dg.float32


def test_a_number_means_l2_and_integers_count() -> None:
    ends = []
    for decay in (2, 2.0, L2Decay(2)):
        p = Parameter([1.0])
        give(p, np.ones(1))
        opt.SGD(0.25, [p], weight_decay=decay).step()
        ends.append(p.tolist())
    assert ends == [[0.25]] * 3


def test_l1_leaves_zero_at_zero() -> None:
    p = Parameter([0.0, -1.0])
    give(p, np.zeros(2))
    opt.SGD(0.5, [p], weight_decay=L1Decay(1.0)).step()
    assert p.tolist() == [0.0, -0.5]


def test_decay_is_added_after_clipping() -> None:
    p = Parameter([2.0])
    give(p, np.full(1, 10.0))
    opt.SGD(0.5, [p], weight_decay=1.0, grad_clip=ClipGradByValue(1.0)).step()
    assert p.tolist() == [0.5]


def test_decay_leaves_the_gradient_as_it_is() -> None:
    p = Parameter([2.0])
    give(p, np.ones(1))
    opt.SGD(0.5, [p], weight_decay=1.0).step()
    assert p.grad.tolist() == [1.0]


def test_a_penalty_of_ones_own() -> None:
    class Cubic(WeightDecayRegularizer):
        def grad_term(self, parameter: Tensor) -> Tensor:
            term: Tensor = parameter * parameter * 3.0
            return term

    p = Parameter([2.0])
    give(p, np.ones(1))
    opt.SGD(0.5, [p], weight_decay=Cubic()).step()
    assert p.tolist() == [-4.5]
    with pytest.raises(NotImplementedError, match="write grad_term"):
        WeightDecayRegularizer().grad_term(p)


@pytest.mark.parametrize("kind", [L1Decay, L2Decay])
def test_the_coefficient_is_a_number_and_shown(kind: Any) -> None:
    assert kind().coeff == 0.0
    assert repr(kind(0.1)) == f"{kind.__name__}, coeff=0.100000"
    for wrong in (None, "x", dg.to_tensor(1.0)):
        with pytest.raises(TypeError, match=rf"\[{kind.__name__}\] coeff is"):
            kind(wrong)
