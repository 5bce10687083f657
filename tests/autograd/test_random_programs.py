"""Random programs of ops, views and in-place writes against the naive twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, precondition, rule

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.errors import OverwrittenValueError
from tests.autograd.twin import COLUMNS, Array, Twin

Pair = tuple[Tensor, Twin]

SHAPES = [(), (1,), (3,), (2, 3), (3, 2), (1, 3), (2, 1), (0, 3)]
UNARY: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "exp": (np.exp, np.exp),
    "square": (np.square, lambda x: 2 * x),
    "neg": (np.negative, lambda x: -np.ones_like(x)),
}
LIMIT = 20.0  # programs stay where float64 is exact enough to compare


def small(x: Tensor) -> bool:
    return x.size == 0 or float(np.abs(x.numpy()).max()) < LIMIT


def fits(x: Tensor, y: Tensor) -> bool:
    try:
        np.broadcast_shapes(tuple(x.shape), tuple(y.shape))
    except ValueError:
        return False
    return True


class Programs(RuleBasedStateMachine):
    """Each tensor is made twice: by the library, and by its twin."""

    tensors: Any = Bundle("tensors")

    def __init__(self) -> None:
        super().__init__()
        self.leaves: list[tuple[Tensor, int]] = []
        self.used = 0

    # -- making ------------------------------------------------------------------------------------

    @precondition(lambda self: self.used + 6 <= COLUMNS)
    @rule(target=tensors, shape=st.sampled_from(SHAPES), data=st.data())
    def leaf(self, shape: tuple[int, ...], data: st.DataObject) -> Pair:
        values = self.values(shape, data)
        x = dg.to_tensor(values, stop_gradient=False)
        self.leaves.append((x, self.used))
        twin = Twin.leaf(values, self.used)
        self.used += values.size
        return x, twin

    @rule(target=tensors, shape=st.sampled_from(SHAPES), data=st.data())
    def constant(self, shape: tuple[int, ...], data: st.DataObject) -> Pair:
        values = self.values(shape, data)
        return dg.to_tensor(values), Twin.constant(values)

    @staticmethod
    def values(shape: tuple[int, ...], data: st.DataObject) -> np.ndarray[Any, Any]:
        count = int(np.prod(shape))
        drawn = data.draw(st.lists(st.integers(-8, 8), min_size=count, max_size=count))
        return np.array(drawn, np.float64).reshape(shape) / 8

    # -- computing ---------------------------------------------------------------------------------

    @rule(target=tensors, pair=tensors, name=st.sampled_from(sorted(UNARY)))
    def unary(self, pair: Pair, name: str) -> Pair:
        x, twin = pair
        if not small(x):
            x, twin = x.tanh(), twin.unary(*UNARY["tanh"])
        return getattr(dg, name)(x), twin.unary(*UNARY[name])

    @rule(target=tensors, one=tensors, two=tensors, product=st.booleans())
    def binary(self, one: Pair, two: Pair, product: bool) -> Pair:
        (x, a), (y, b) = one, two
        if not fits(x, y) or not (small(x) and small(y)):
            return one
        if product:
            return x * y, broadcast(a, b)[0] * broadcast(a, b)[1]
        return x + y, broadcast(a, b)[0] + broadcast(a, b)[1]

    @rule(target=tensors, pair=tensors, axis=st.integers(0, 1))
    def sum(self, pair: Pair, axis: int) -> Pair:
        x, twin = pair
        return (x.sum(axis=axis), twin.sum(axis)) if axis < x.ndim else pair

    @rule(target=tensors, pair=tensors)
    def unrecorded(self, pair: Pair) -> Pair:
        x, twin = pair
        with dg.no_grad():
            return x * 2.0, Twin.constant(twin.value * 2.0)

    # -- viewing -----------------------------------------------------------------------------------

    @rule(target=tensors, pair=tensors, step=st.sampled_from([1, -1, 2]), start=st.integers(0, 1))
    def sliced(self, pair: Pair, step: int, start: int) -> Pair:
        x, twin = pair
        if x.ndim == 0:
            return pair
        index = slice(None, None, step) if step < 0 else slice(start, None, step)
        return x[index], twin.view(lambda a: a[index])

    @rule(target=tensors, pair=tensors)
    def picked(self, pair: Pair) -> Pair:
        x, twin = pair
        return (x[0], twin.view(lambda a: a[0])) if x.ndim and x.shape[0] else pair

    @rule(target=tensors, pair=tensors)
    def transposed(self, pair: Pair) -> Pair:
        x, twin = pair
        return (x.transpose([1, 0]), twin.view(lambda a: a.T)) if x.ndim == 2 else pair

    @rule(target=tensors, pair=tensors)
    def flattened(self, pair: Pair) -> Pair:
        x, twin = pair
        # Where numpy has to copy, a reshape is no view.
        if not x.is_contiguous():
            return pair
        return x.reshape([x.size]), twin.view(lambda a: a.reshape(-1))

    # -- writing -----------------------------------------------------------------------------------

    @rule(one=tensors, two=tensors, product=st.booleans())
    def in_place(self, one: Pair, two: Pair, product: bool) -> None:
        (x, a), (y, b) = one, two
        if not self.can_take(x, y):
            return
        if product:
            x.multiply_(y)
            a.write(a * broadcast(b, a)[0])
        else:
            x.add_(y)
            a.write(a + broadcast(b, a)[0])

    @rule(one=tensors, two=tensors)
    def assigned(self, one: Pair, two: Pair) -> None:
        (x, a), (y, b) = one, two
        if self.can_take(x, y):
            x[...] = y
            a.write(Twin.of(b.value, b.slope))

    @rule(pair=tensors)
    def doubled_unrecorded(self, pair: Pair) -> None:
        x, twin = pair
        if small(x):
            with dg.no_grad():
                x.multiply_(dg.to_tensor(2.0, dtype="float64"))
            twin.write(Twin.constant(twin.value * 2.0), slopes=False)

    def can_take(self, x: Tensor, y: Tensor) -> bool:
        """Whether x may be overwritten with something of y's: no leaf, no larger shape."""
        # numpy finds no shared memory where there is none: an empty leaf would look like any other.
        if not x.size or not fits(x, y) or not (small(x) and small(y)):
            return False
        if np.broadcast_shapes(tuple(x.shape), tuple(y.shape)) != tuple(x.shape):
            return False
        return not any(np.shares_memory(x._data, leaf._data) for leaf, _ in self.leaves)

    # -- comparing ---------------------------------------------------------------------------------

    @rule(pair=tensors)
    def values_agree(self, pair: Pair) -> None:
        x, twin = pair
        np.testing.assert_allclose(x.numpy(), twin.value, rtol=1e-9, atol=1e-9)

    @rule(pair=tensors)
    def gradients_agree_or_are_refused(self, pair: Pair) -> None:
        x, twin = pair
        wanted = [leaf for leaf, _ in self.leaves]
        if not wanted:
            return
        total = x.sum()
        expected = twin.slope.reshape(-1, COLUMNS).sum(0)
        if total.stop_gradient:
            assert not expected.any()
            return
        try:
            grads = dg.grad(total, wanted, retain_graph=True, allow_unused=True)
        except OverwrittenValueError:
            return
        for (leaf, first), g in zip(self.leaves, grads, strict=True):
            columns = expected[first : first + leaf.size]
            found = np.zeros(leaf.size) if g is None else g.numpy().reshape(-1)
            np.testing.assert_allclose(found, columns, rtol=1e-7, atol=1e-7)

    @rule(pair=consumes(tensors))
    def dropped(self, pair: Pair) -> None:
        del pair


def broadcast(a: Twin, b: Twin) -> tuple[Twin, Twin]:
    """Both as views of their common shape."""
    shape = np.broadcast_shapes(a.where.shape, b.where.shape)
    return a.view(lambda w: np.broadcast_to(w, shape)), b.view(lambda w: np.broadcast_to(w, shape))


TestRandomPrograms = Programs.TestCase
TestRandomPrograms.settings = settings(stateful_step_count=40)
