"""Stepping: whose turn it is, with which gradient, factor and rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from dualgraph import optimizer as opt
from dualgraph.nn import ClipGradByGlobalNorm, ClipGradByValue, Parameter
from dualgraph.regularizer import L1Decay, L2Decay
from tests.optimizer.common import KINDS, give, make

# ---- stepping ------------------------------------------------------------------------------------


def test_a_parameter_without_gradient_is_left_alone_and_one_of_zeros_moves() -> None:
    a, b, c = (Parameter([1.0]) for _ in range(3))
    optimizer = opt.Momentum(0.5, 0.5, [a, b, c])
    give(a, np.ones(1))
    give(b, np.ones(1))
    optimizer.step()
    optimizer.clear_grad()
    a.clear_grad(set_to_zero=False)
    optimizer.step()
    assert (a.tolist(), b.tolist(), c.tolist()) == ([0.5], [0.25], [1.0])


def test_a_parameter_that_is_not_trainable_is_left_alone() -> None:
    p = Parameter([1.0])
    give(p, np.ones(1))
    p.stop_gradient = True
    optimizer = opt.SGD(0.5, [p])
    optimizer.step()
    optimizer.clear_grad()
    assert (p.tolist(), p.grad.tolist()) == ([1.0], [1.0])


def test_gradients_may_lie_in_memory_in_any_order() -> None:
    g = np.arange(12.0).reshape(3, 4)
    for kind in KINDS:
        plain, other = Parameter(np.ones((3, 4))), Parameter(np.ones((3, 4)))
        for p, laid_out in ((plain, g), (other, np.asfortranarray(g))):
            optimizer = make(kind, [p])
            p.grad = dg.to_tensor(g)
            p.grad._data = laid_out
            optimizer.step()
        np.testing.assert_allclose(other.numpy(), plain.numpy(), rtol=1e-15)


def test_minimize_steps_and_returns_the_pairs_but_runs_no_backward() -> None:
    p, q = Parameter([1.0], name="p"), Parameter([1.0], name="q")
    optimizer = opt.SGD(0.5, [p, q])
    loss = (p * 2.0 + q).sum()
    assert optimizer.minimize(loss) == ([], [])
    loss.backward()
    (first, g), second = optimizer.minimize(loss)[1]
    assert first is p
    assert g is p.grad
    assert second == (q, q.grad)
    assert (p.tolist(), q.tolist()) == ([0.0], [0.5])
    optimizer.minimize(loss, parameters=[p])
    optimizer.minimize(loss, no_grad_set={"p"})
    assert (p.tolist(), q.tolist()) == ([-1.0], [0.0])
    with pytest.raises(TypeError, match=r"SGD.minimize\] loss is float 1.0; expected a Tensor"):
        optimizer.minimize(1.0)


def test_clear_grad_and_zero_grad() -> None:
    p = Parameter([1.0])
    optimizer = opt.SGD(0.5, [{"params": p}])
    for clear, left in (
        (optimizer.clear_grad, [0.0]),
        (optimizer.clear_gradients, [0.0]),
        (lambda: optimizer.clear_grad(set_to_zero=False), None),
        (optimizer.zero_grad, None),
        (lambda: optimizer.zero_grad(set_to_none=False), [0.0]),
    ):
        give(p, np.ones(1))
        clear()
        assert (p.grad if left is None else p.grad.tolist()) == left


def test_a_step_records_nothing_for_gradients() -> None:
    p = Parameter([1.0, 2.0])
    optimizer = opt.Adam(0.1, parameters=[p], weight_decay=0.1, grad_clip=ClipGradByValue(0.5))
    (p * p).sum().backward()
    optimizer.step()
    assert p.is_leaf
    assert not p.stop_gradient
    assert all(v.stop_gradient for v in optimizer.state_dict().values())
    assert dg.is_grad_enabled()


def test_backward_through_an_updated_parameter_fails_clearly() -> None:
    p = Parameter([1.0])
    loss = (p * p).sum()
    give(p, np.ones(1))
    opt.SGD(0.1, [p]).step()
    with pytest.raises(RuntimeError, match="overwritten"):
        loss.backward()


# ---- groups, and what a parameter says itself ----------------------------------------------------


def test_a_group_has_its_own_factor_decay_clip_and_hyperparameters() -> None:
    a, b = Parameter([1.0]), Parameter([1.0])
    groups = [
        {"params": [a], "learning_rate": 0.5, "weight_decay": 1.0, "momentum": 0.0},
        {"params": b, "grad_clip": ClipGradByValue(0.5)},
    ]
    optimizer = opt.Momentum(0.5, 0.5, groups, weight_decay=L2Decay(2.0))
    for _ in range(2):
        give(a, np.ones(1))
        give(b, np.ones(1))
        optimizer.step()
    # a: 1 - 0.25 * (1 + 1) = 0.5, then - 0.25 * (1 + 0.5); b: v = 0.5 + 2, then 1.25 + 0.5 - 0.5
    assert (a.tolist(), b.tolist()) == ([0.125], [-0.875])
    assert groups[1] == {"params": b, "grad_clip": groups[1]["grad_clip"]}


def test_a_global_norm_is_the_norm_of_a_group() -> None:
    a, b = Parameter([0.0]), Parameter([0.0])
    clip = ClipGradByGlobalNorm(1.0)
    for given_as in ([{"params": [a]}, {"params": [b]}], [a, b]):
        give(a, np.full(1, 3.0))
        give(b, np.full(1, 4.0))
        opt.SGD(1.0, given_as, grad_clip=clip).step()
    np.testing.assert_allclose([a.item(), b.item()], [-1.6, -1.8], rtol=1e-6)


def test_outside_of_groups_a_parameters_own_factor_and_regularizer_count() -> None:
    a, b = Parameter([1.0]), Parameter([1.0])
    a.optimize_attr["learning_rate"] = 0.5
    a.regularizer = L1Decay(1.0)
    optimizer = opt.SGD(0.5, [a, b], weight_decay=2.0)
    for p in (a, b):
        give(p, np.ones(1))
    optimizer.step()
    assert (a.tolist(), b.tolist()) == ([0.5], [-0.5])
    a.optimize_attr["learning_rate"] = 2.0
    optimizer.step()
    assert a.tolist() == [-1.5]


def test_adamw_decays_only_the_parameters_it_is_told_to() -> None:
    a, b = Parameter([1.0], name="a"), Parameter([1.0], name="b")
    for p in (a, b):
        give(p, np.zeros(1))
    opt.AdamW(0.5, parameters=[a, b], weight_decay=1.0, apply_decay_param_fun="a".__eq__).step()
    assert (a.tolist(), b.tolist()) == ([0.5], [1.0])


def test_lamb_decays_all_but_the_parameters_it_is_told() -> None:
    a, b = Parameter([1.0], name="a"), Parameter([1.0], name="b")
    for p in (a, b):
        give(p, np.zeros(1))
    opt.Lamb(0.5, 1.0, parameters=[a, b], exclude_from_weight_decay_fn=lambda p: p is b).step()
    assert (a.tolist(), b.tolist()) == ([0.5], [1.0])


def test_lr_ratio_multiplies_the_rate_of_step_and_decay() -> None:
    a, b = Parameter([1.0], name="a"), Parameter([1.0], name="b")
    for p in (a, b):
        give(p, np.ones(1))
    ratio = {"a": 0.5, "b": 1.0}
    opt.AdamW(0.5, parameters=[a, b], weight_decay=1.0, lr_ratio=lambda p: ratio[p.name]).step()
    np.testing.assert_allclose([a.item(), b.item()], [0.5, 0.0], atol=1e-6)


def test_rescale_grad_multiplies_the_gradient_but_not_the_l2_decay() -> None:
    p, q = Parameter([1.0]), Parameter([1.0])
    for parameter, decay in ((p, 0.5), (q, L1Decay(0.5))):
        give(parameter, np.full(1, 2.0))
        opt.Momentum(0.5, parameters=[parameter], rescale_grad=0.5, weight_decay=decay).step()
    assert (p.tolist(), q.tolist()) == ([0.25], [0.375])


# ---- rate ----------------------------------------------------------------------------------------


def test_the_rate_is_read_at_each_step() -> None:
    p = Parameter([0.0])
    optimizer = opt.SGD(1.0, [p])
    seen = []
    for rate in (1.0, 0.5, 2):
        optimizer.set_lr(rate)
        p.set_value([0.0])
        give(p, np.ones(1))
        optimizer.step()
        seen.append((optimizer.get_lr(), -p.item()))
    assert seen == [(1.0, 1.0), (0.5, 0.5), (2.0, 2.0)]


def test_a_scheduler_sets_the_rate_once_given() -> None:
    p = Parameter([0.0])
    optimizer = opt.SGD(1.0, [p])
    scheduler = opt.lr.StepDecay(0.5, 1, 0.5)
    optimizer.set_lr_scheduler(scheduler)
    give(p, np.ones(1))
    optimizer.step()
    scheduler.step()
    optimizer.step()
    assert (p.item(), optimizer.get_lr()) == (-0.75, 0.25)
    with pytest.raises(RuntimeError, match=r"\[SGD.set_lr\] the rate is a scheduler's"):
        optimizer.set_lr(1.0)
    with pytest.raises(TypeError, match="expected an LRScheduler"):
        optimizer.set_lr_scheduler(0.5)


@pytest.mark.parametrize("rate", ["1", None, np.ones(1)])
def test_set_lr_wants_a_number(rate: Any) -> None:
    optimizer = opt.SGD(1.0, [Parameter([0.0])])
    with pytest.raises(TypeError, match=r"\[SGD.set_lr\] value is"):
        optimizer.set_lr(rate)
    with pytest.raises(TypeError, match=r"value is float32 \[\]"):
        optimizer.set_lr(dg.to_tensor(1.0))
    assert optimizer.get_lr() == 1.0


def test_betas_may_be_tensors_that_change() -> None:
    beta = dg.to_tensor([0.5])
    p, q = Parameter([1.0]), Parameter([1.0])
    with_tensor, with_number = (
        opt.Adam(0.1, beta, parameters=[p]),
        opt.Adam(0.1, 0.5, parameters=[q]),
    )
    for value in (0.5, 0.25):
        beta.set_value([value])
        with_number._beta1 = value
        for x in (p, q):
            give(x, np.ones(1))
        with_tensor.step()
        with_number.step()
        if value == 0.5:  # the powers start at 0.9 with a tensor, as in Paddle
            power = with_tensor.state_dict()[f"{p.name}_beta1_pow_acc_0"]
            assert power.item() == pytest.approx(0.45)
            power.set_value([0.25])
            p.set_value(q)
    assert p.item() == q.item()
