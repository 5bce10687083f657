"""The reverse pass: order, accumulation, freeing, hooks, errors that leave everything as it was."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.errors import GraphFreedError, OverwrittenValueError


def leaf(*values: float) -> Tensor:
    return dg.to_tensor(list(values), stop_gradient=False)


def grad_of(x: Tensor) -> list[float]:
    assert x.grad is not None
    found: list[float] = x.grad.tolist()
    return found


def test_a_chain_of_100_000_ops_is_walked_without_recursion() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert grad_of(x) == [1.0]
    del y
    gc.collect()


def test_a_chain_of_100_000_ops_can_be_dropped_unused() -> None:
    y = leaf(1.0)
    for _ in range(100_000):
        y = y * 1.0
    del y
    gc.collect()


def test_a_diamond_adds_up_both_ways() -> None:
    x = leaf(2.0)
    a, b = x * 3.0, x * x
    (a * b).backward()
    assert grad_of(x) == [3 * 3 * 4.0]


def test_a_ladder_of_diamonds_costs_linear_work() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert grad_of(x) == [2.0**60]


def test_a_leaf_used_in_many_places_collects_all_gradients() -> None:
    x = leaf(1.0, 2.0)
    sum((x * float(i) for i in range(5)), start=x * 0.0).sum().backward()
    assert grad_of(x) == [10.0, 10.0]


def test_gradients_accumulate_over_backward_calls_until_cleared() -> None:
    x = leaf(1.0)
    (x * 2.0).backward()
    (x * 3.0).backward()
    assert grad_of(x) == [5.0]
    x.clear_grad()
    assert grad_of(x) == [0.0]
    (x * 3.0).backward()
    assert grad_of(x) == [3.0]


def test_clearing_to_none_leaves_none() -> None:
    x = leaf(1.0)
    x.clear_grad()
    assert x.grad is None
    (x * 2.0).backward()
    x.clear_gradient(False)
    assert x.grad is None


def test_each_leaf_has_a_gradient_of_its_own_memory() -> None:
    x, y = leaf(1.0), leaf(1.0)
    (x + y).backward()
    assert x.grad is not None
    assert y.grad is not None
    assert not np.shares_memory(x.grad._data, y.grad._data)


def test_a_broadcast_gradient_is_writable_memory() -> None:
    x = leaf(1.0, 2.0)
    x.sum().backward()
    assert x.grad is not None
    assert x.grad._data.flags.writeable
    assert x.grad._data.strides == (4,)


def test_the_gradient_given_is_not_taken_for_ones_own() -> None:
    x = leaf(1.0, 2.0)
    seed = dg.to_tensor([3.0, 4.0])
    (x + 0.0).backward(seed)
    assert x.grad is not None
    assert not np.shares_memory(x.grad._data, seed._data)
    assert grad_of(x) == [3.0, 4.0]


def test_a_root_of_many_elements_is_seeded_with_ones() -> None:
    x = leaf(1.0, 2.0)
    (x * x).backward()
    assert grad_of(x) == [2.0, 4.0]


def test_a_given_gradient_of_another_shape_is_refused() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match=r"\[backward\].*\[3\].*\[2\]"):
        (x * x).backward(dg.ones([3]))
    assert x.grad is None


def test_backward_of_a_tensor_without_gradient_does_nothing() -> None:
    dg.to_tensor([1.0]).backward()


def test_an_integer_leaf_has_an_integer_gradient() -> None:
    x = dg.to_tensor([1, 2])
    x.stop_gradient = False
    (x * 2.5).sum().backward()
    assert grad_of(x) == [2, 2]


def test_a_leaf_can_be_the_root() -> None:
    x = leaf(1.0, 2.0)
    x.backward()
    assert grad_of(x) == [1.0, 1.0]


# -- freeing ---------------------------------------------------------------------------------------


def test_a_second_backward_says_what_to_do() -> None:
    x = leaf(1.0)
    y = x * x
    y.backward()
    with pytest.raises(GraphFreedError, match="retain_graph=True"):
        y.backward()
    assert grad_of(x) == [2.0]


def test_retain_graph_allows_another_backward() -> None:
    x = leaf(1.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert grad_of(x) == [4.0]


def test_a_trunk_freed_by_one_head_is_missed_by_the_other() -> None:
    x = leaf(1.0)
    trunk = x * x
    a, b = trunk * 2.0, trunk * 3.0
    a.backward()
    with pytest.raises(GraphFreedError):
        b.backward()
    assert grad_of(x) == [4.0]


def test_what_was_saved_is_released_by_backward() -> None:
    x = leaf(1.0, 2.0)
    big = dg.to_tensor(np.ones(1000, np.float32)) * 2.0
    watched = weakref.ref(big)
    y = (big * x.sum()).sum()
    del big
    assert watched() is not None
    y.backward()
    assert watched() is None


def test_a_graph_holds_no_reference_cycle() -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        y = x.exp().exp()
        watched = weakref.ref(y)
        del y
        assert watched() is None
    finally:
        gc.enable()


def test_activations_that_no_rule_reads_are_not_kept() -> None:
    x = leaf(1.0, 2.0)
    middle = x + 1.0
    watched = weakref.ref(middle)
    y = middle + 1.0
    del middle
    assert watched() is None
    y.backward()
    assert grad_of(x) == [1.0, 1.0]


# -- grad() ----------------------------------------------------------------------------------------


def test_grad_returns_a_list_and_leaves_grads_alone() -> None:
    x, y = leaf(2.0), leaf(3.0)
    grads = dg.grad(x * y, [x, y])
    assert [g.tolist() for g in grads if g is not None] == [[3.0], [2.0]]
    assert x.grad is None
    assert y.grad is None


def test_grad_with_respect_to_an_inner_tensor() -> None:
    x = leaf(2.0)
    inner = x * x
    (g,) = dg.grad(inner * inner, inner)
    assert g is not None
    assert g.tolist() == [8.0]


def test_grad_after_an_upstream_part_was_freed() -> None:
    x = leaf(2.0)
    inner = x * x
    outer = inner * 3.0
    inner.backward()
    (g,) = dg.grad(outer, inner)
    assert g is not None
    assert g.tolist() == [3.0]


def test_grad_of_an_unused_input_needs_leave() -> None:
    x, y = leaf(2.0), leaf(3.0)
    with pytest.raises(ValueError, match="allow_unused"):
        dg.grad(x * x, [x, y], retain_graph=True)
    first, second = dg.grad(x * x, [x, y], allow_unused=True)
    assert first is not None
    assert second is None


def test_gradients_do_not_pass_no_grad_vars() -> None:
    x = leaf(2.0)
    a = x * 3.0
    (g,) = dg.grad(a * x, x, no_grad_vars=[a])
    assert g is not None
    assert g.tolist() == [6.0]


def test_derivatives_of_any_order() -> None:
    x = leaf(0.5)
    y = x.tanh()
    for expected in (0.786448, -0.726862, -0.565209, 3.952220):
        (dy,) = dg.grad(y, x, create_graph=True)
        assert dy is not None
        y = dy
        assert y.item() == pytest.approx(expected, abs=2e-5)


def test_a_gradient_can_be_trained_through() -> None:
    x = leaf(3.0)
    (g,) = dg.grad(x * x * x, x, create_graph=True)
    assert g is not None
    (g * g).backward()
    assert grad_of(x) == [2 * 27.0 * 18.0]


def test_several_outputs_are_summed_with_their_weights() -> None:
    x = leaf(1.0)
    (g,) = dg.grad([x * 2.0, x * 3.0], [x], grad_outputs=[dg.to_tensor([10.0]), None])
    assert g is not None
    assert g.tolist() == [23.0]


@pytest.mark.parametrize("bad", [1.0, [1.0], None, "x"])
def test_grad_names_an_argument_that_is_no_tensor(bad: object) -> None:
    with pytest.raises(TypeError, match=r"\[grad\] inputs"):
        dg.grad(leaf(1.0) * 2.0, bad)  # type: ignore[arg-type]  # the mistake under test


# -- hooks -----------------------------------------------------------------------------------------


def test_a_hook_sees_and_may_replace_the_gradient() -> None:
    x = leaf(1.0)
    y = x * 2.0
    seen: list[list[float]] = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g * 10.0)
    (y * 3.0).backward()
    assert seen == [[3.0]]
    assert grad_of(x) == [60.0]


def test_a_leaf_hook_runs_once_with_the_whole_gradient() -> None:
    x = leaf(1.0)
    seen: list[list[float]] = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 2.0 + x * 3.0).backward()
    assert seen == [[5.0]]


def test_a_removed_hook_is_silent() -> None:
    x = leaf(1.0)
    handle = x.register_hook(lambda g: g * 0.0)
    assert handle.remove()
    assert not handle.remove()
    (x * 2.0).backward()
    assert grad_of(x) == [2.0]


def test_a_gradient_that_a_hook_keeps_is_not_the_leafs() -> None:
    x = leaf(1.0)
    kept: list[Tensor] = []
    x.register_hook(kept.append)
    (x * 2.0).backward()
    assert x.grad is not None
    assert not np.shares_memory(kept[0]._data, x.grad._data)


def test_a_failing_hook_leaves_all_gradients_as_they_were() -> None:
    x, y = leaf(1.0), leaf(1.0)

    def fail(_: Tensor) -> None:
        raise KeyError("from the hook")

    x.register_hook(fail)
    with pytest.raises(KeyError, match="from the hook"):
        (x * y).backward()
    assert x.grad is None
    assert y.grad is None
    assert dg.is_grad_enabled()


def test_a_hook_with_a_wrong_answer_is_named() -> None:
    x = leaf(1.0)
    x.register_hook(lambda _g: dg.ones([2]))
    with pytest.raises(ValueError, match="hook"):
        (x * 2.0).backward()


def test_a_tensor_without_gradient_takes_no_hook() -> None:
    with pytest.raises(RuntimeError, match="stop_gradient"):
        dg.to_tensor([1.0]).register_hook(lambda g: g)


def test_an_inner_tensor_may_retain_its_gradient() -> None:
    x = leaf(1.0)
    y = x * 2.0
    y.retain_grads()
    (y * y).backward()
    assert grad_of(y) == [4.0]
    assert grad_of(x) == [8.0]


def test_an_inner_tensor_has_no_gradient_otherwise() -> None:
    x = leaf(1.0)
    y = x * 2.0
    (y * y).backward()
    assert y.grad is None


# -- overwritten values ----------------------------------------------------------------------------


def test_a_value_that_backward_needs_may_not_be_overwritten() -> None:
    x, w = leaf(1.0), leaf(2.0)
    y = w * 1.0
    z = x * y
    with dg.no_grad():
        y.set_value(np.array([5.0], np.float32))
    with pytest.raises(OverwrittenValueError, match="multiply"):
        z.backward()
    assert x.grad is None
    assert w.grad is None


def test_a_value_that_backward_does_not_need_may_be_overwritten() -> None:
    x = leaf(1.0)
    y = x + 1.0
    z = y + 1.0
    y.set_value(np.array([5.0], np.float32))
    z.backward()
    assert grad_of(x) == [1.0]


def test_an_output_that_its_own_rule_reads_may_not_be_overwritten() -> None:
    x = leaf(1.0)
    y = x.exp()
    z = y + 1.0
    y.set_value(np.array([5.0], np.float32))
    with pytest.raises(OverwrittenValueError, match="exp"):
        z.backward()


# -- modes and threads -----------------------------------------------------------------------------


def test_no_grad_is_a_context_and_a_decorator() -> None:
    x = leaf(1.0)
    with dg.no_grad():
        assert (x * 2.0).stop_gradient
        with dg.enable_grad():
            assert not (x * 2.0).stop_gradient

    @dg.no_grad()
    def called(t: Tensor) -> Tensor:
        return t * 2.0

    @dg.no_grad
    def bare(t: Tensor) -> Tensor:
        return t * 2.0

    assert called(x).stop_gradient
    assert bare(x).stop_gradient
    assert not (x * 2.0).stop_gradient


def test_no_grad_around_a_generator_holds_inside_only() -> None:
    x = leaf(1.0)

    @dg.no_grad()
    def steps() -> Iterator[Tensor]:
        yield x * 2.0
        yield x * 3.0

    for y in steps():
        assert y.stop_gradient
        assert not (x * 2.0).stop_gradient


def test_set_grad_enabled_works_as_call_and_as_context() -> None:
    with dg.set_grad_enabled(False):
        assert not dg.is_grad_enabled()
    assert dg.is_grad_enabled()
    dg.set_grad_enabled(False)
    try:
        assert not dg.is_grad_enabled()
    finally:
        dg.set_grad_enabled(True)


def test_the_mode_is_restored_after_an_exception() -> None:
    with pytest.raises(KeyError), dg.no_grad():
        raise KeyError
    assert dg.is_grad_enabled()


def test_threads_differentiate_side_by_side() -> None:
    shared = leaf(2.0)
    results: list[float] = []
    failures: list[BaseException] = []

    def work(k: float) -> None:
        try:
            for _ in range(50):
                y = shared * k
                (g,) = dg.grad(y * y, shared)
                assert g is not None
                assert g.tolist() == [4.0 * k * k]
            results.append(k)
        except BaseException as failure:  # noqa: BLE001 - handed to the main thread
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(results) == [float(k) for k in range(1, 9)]


def test_no_grad_of_one_thread_is_not_the_others() -> None:
    seen: list[bool] = []
    with dg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(dg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_numpy_keeps_its_own_warnings() -> None:
    before = np.geterr()
    (dg.to_tensor([0.0]) / 0.0).numpy()
    assert np.geterr() == before
    with pytest.warns(RuntimeWarning):
        np.array([1.0]) / np.array([0.0])
