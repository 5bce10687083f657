"""Update ops: one event each, expansions that agree, blocks, and memory that nobody else sees."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from dualgraph import Tensor
from dualgraph import optimizer as opt
from dualgraph.nn import Parameter
from dualgraph.ops.registry import OPS, Op
from dualgraph.optimizer import updates
from dualgraph.tape import thread
from dualgraph.tensor import wrap
from tests.optimizer.common import KINDS, drawn, every_kind, give, make, walk

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{kind: (kind, {}) for kind in KINDS},
    "Momentum, Nesterov": ("Momentum", {"use_nesterov": True, "rescale_grad": 0.5}),
    "Adam, amsgrad": ("Adam", {"amsgrad": True, "beta2": 0.5}),
    "Adam, tensors": ("Adam", {"beta1": dg.to_tensor([0.5]), "epsilon": dg.to_tensor([0.1])}),
    "RMSProp, all": ("RMSProp", {"momentum": 0.5, "centered": True}),
    "RAdam, settled": ("RAdam", {"beta2": 0.5}),
    "Lamb, plain": ("Lamb", {"lamb_weight_decay": 0.0}),
    "ASGD, 3": ("ASGD", {"batch_num": 3}),
}


class Writes:
    """A recorder that keeps what was written, by which op, from what."""

    def __init__(self) -> None:
        self.events: list[tuple[Op, tuple[Tensor, ...], Sequence[Any], dict[str, Any]]] = []
        self.applied: list[str] = []

    def on_apply(self, op: Op, *_: Any) -> None:
        self.applied.append(op.name)

    def on_write(
        self, op: Op, targets: tuple[Tensor, ...], inputs: Sequence[Any], attrs: dict[str, Any]
    ) -> None:
        self.events.append((op, targets, inputs, attrs))

    def on_set_value(self, target: Tensor, value: Any) -> None:
        raise AssertionError("a step sets no values from outside")

    def on_concretize(self, tensor: Tensor) -> None:
        raise AssertionError("a step looks at no value")


def recorded(act: Any) -> Writes:
    """What an act tells a recorder."""
    writes = Writes()
    thread.mode.recorder = writes
    try:
        act()
    finally:
        thread.mode.recorder = None
    return writes


def agrees_with_expansion(act: Any) -> None:
    """Run an act twice; the second time its events must do what their ops' expansions say."""
    first = recorded(act).events
    before = [[wrap(t.numpy()) for t in targets] for _, targets, _, _ in first]
    expected = [
        op.expand(*old, *inputs, **attrs)  # type: ignore[misc]  # every update has an expansion
        for old, (op, _, inputs, attrs) in zip(before, first, strict=True)
    ]
    second = recorded(act).events
    for news, old, (op, targets, inputs, attrs) in zip(expected, before, second, strict=True):
        specs = [*old, *(x for x in inputs)]
        types = [(t._data.shape, t._data.dtype) for t in targets]
        assert op.output_types([getattr(x, "_data", x) for x in specs], attrs) == types
        assert [(new._data.shape, new._data.dtype) for new in news] == types
        for new, target in zip(news, targets, strict=True):
            np.testing.assert_allclose(target.numpy(), new.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0)])
def test_an_expansion_gives_the_targets_their_new_values(
    variant: str, shape: tuple[int, ...]
) -> None:
    kind, options = VARIANTS[variant]
    (start,), ((g,),) = drawn([shape], 1)
    p = Parameter(start)
    optimizer = make(kind, [p], **options)
    walk(optimizer, [p], drawn([shape], 3, seed=1)[1])
    give(p, g)
    agrees_with_expansion(optimizer.step)


@pytest.mark.parametrize(
    ("name", "targets", "inputs"),
    [
        ("scale_gradients", [np.ones((2, 3)), np.full((), 3.0)], [np.full((), 0.5)]),
        ("scale_gradients", [np.ones(2, np.float32), np.ones(2)], [np.full((), 0.5)]),
        ("clip_gradient", [np.array([-3.0, 0.5, 3.0])], [1.0]),
        ("store", [np.ones(2, np.float16)], [np.array([2.0, 3.0], np.float32)]),
        ("store", [np.ones((), np.float32)], [np.full((), 0.5, np.float16)]),
    ],
)
def test_expansions_of_the_small_updates(name: str, targets: Any, inputs: Any) -> None:
    op = OPS[name]
    assert op.expand is not None
    given_tensors = [wrap(x) if isinstance(x, np.ndarray) else x for x in (*targets, *inputs)]
    expected = [new.numpy() for new in op.expand(*given_tensors)]
    types = [(x.shape, x.dtype) for x in targets]
    assert op.output_types([*targets, *inputs], {}) == types
    op.forward(*targets, *inputs)
    assert [(x.shape, x.dtype) for x in expected] == types
    for new, target in zip(expected, targets, strict=True):
        np.testing.assert_array_equal(target, new)


@every_kind
def test_a_step_is_one_event_for_each_parameter(kind: str) -> None:
    starts, (grads,) = drawn([(2,), (3, 2)], 1)
    ps = [Parameter(start) for start in starts]
    optimizer = make(kind, ps)
    for p, g in zip(ps, grads, strict=True):
        give(p, g)
    writes = recorded(optimizer.step)
    assert [targets[0] for _, targets, _, _ in writes.events] == ps
    assert {op.name for op, _, _, _ in writes.events} == {
        {"AdamW": "adam"}.get(kind, kind.lower()) + "_update"
    }
    assert writes.applied == []


def test_the_rate_is_one_tensor_that_all_updates_read() -> None:
    ps = [Parameter([1.0]) for _ in range(3)]
    ps[2].optimize_attr["learning_rate"] = 0.5
    optimizer = opt.SGD(0.5, ps)
    for p in ps:
        give(p, np.ones(1))
    rates = [inputs[1] for _, _, inputs, _ in recorded(optimizer.step).events]
    optimizer.set_lr(0.25)
    assert rates[0] is rates[1]
    assert [rate.item() for rate in rates] == [0.25, 0.25, 0.125]
    assert [inputs[1] for _, _, inputs, _ in recorded(optimizer.step).events] == rates


def test_sgd_does_nothing_about_zeros_that_nobody_has_looked_at() -> None:
    p = Parameter([1.0])
    optimizer = opt.SGD(0.5, [p])
    give(p, np.ones(1))
    optimizer.clear_grad()
    assert recorded(optimizer.step).events == []
    decaying = opt.SGD(0.5, [p], weight_decay=1.0)
    decaying.step()
    assert (p.tolist(), p.grad.tolist()) == ([0.5], [0.0])


# ---- blocks --------------------------------------------------------------------------------------

LARGE = (3, updates._BLOCK // 2 + 1)  # two blocks, the second smaller


@pytest.mark.parametrize("variant", [v for v in VARIANTS if not v.startswith("Lamb")])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_large_parameter_moves_as_its_rows_do(variant: str, order: Any) -> None:
    kind, options = VARIANTS[variant]
    rng = np.random.default_rng(0)
    start = rng.normal(size=LARGE).astype(np.float32)
    grads = [rng.normal(size=LARGE).astype(np.float32) for _ in range(2)]
    whole = [Parameter(np.asarray(start, order=order))]
    rows = [Parameter(row) for row in start]
    one, many = make(kind, whole, **options), make(kind, rows, **options)
    walk(many, rows, [list(g) for g in grads])
    for g in grads:
        whole[0].grad = dg.to_tensor(g)
        whole[0].grad._data = np.asarray(g, order=order)
        one.step()
    np.testing.assert_allclose(whole[0].numpy(), np.stack([r.numpy() for r in rows]), rtol=1e-6)


def test_a_large_parameter_under_lamb_is_scaled_as_a_whole() -> None:
    start = np.ones(LARGE)
    p, twice = Parameter(start), Parameter(start * 2)
    for x in (p, twice):
        give(x, start)
        opt.Lamb(0.5, 0.0, parameters=[x], always_adapt=True, epsilon=0.0).step()
    np.testing.assert_allclose(p.numpy(), 0.5)
    np.testing.assert_allclose(twice.numpy(), 1.0)


@pytest.mark.parametrize("variant", [v for v in VARIANTS if not v.startswith("Lamb")])
def test_a_step_allocates_nothing_of_the_size_of_a_parameter(variant: str) -> None:
    kind, options = VARIANTS[variant]
    p = Parameter(np.ones(20 * updates._BLOCK, np.float32))
    give(p, np.ones(p.shape))
    optimizer = make(kind, [p], **options)
    optimizer.step()
    tracemalloc.start()
    optimizer.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < p.numpy().nbytes / 4


def test_what_updates_compute_in_is_seen_by_nobody() -> None:
    p = Parameter(np.ones(4))
    give(p, np.ones(4))
    optimizers = [make(kind, [p]) for kind in KINDS]
    for optimizer in optimizers:
        optimizer.step()
    visible = [p, p.grad, *(v for o in optimizers for v in o.state_dict().values())]
    for buffer in updates._memory.buffers.values():
        assert not any(np.shares_memory(buffer, x._data) for x in visible)


def test_views_of_the_memory_are_not_kept_without_end() -> None:
    for n in range(updates._SHAPES + 10):
        p = Parameter(np.ones(n))
        give(p, np.ones(n))
        opt.SGD(0.5, [p]).step()
    assert len(updates._memory.views) <= updates._SHAPES


def test_threads_do_not_disturb_each_other() -> None:
    starts, grads = drawn([(50, 7)], 40)
    alone = Parameter(starts[0])
    expected = walk(make("Adam", [alone]), [alone], grads)[-1][0]
    ends: list[Any] = []

    def work() -> None:
        p = Parameter(starts[0])
        ends.append(walk(make("Adam", [p]), [p], grads)[-1][0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(ends) == 4
    for end in ends:
        np.testing.assert_array_equal(end, expected)
