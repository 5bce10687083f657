"""The random stream: what it yields again, how it moves on, and whether that is as it should be.

The statistical tests have fixed seeds, so they pass or fail for good; the bounds are five standard
errors.
"""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.ops import philox
from dualgraph.ops.generator import Generator, GeneratorState, default_generator
from dualgraph.ops.random import keep_mask

N = 20_000

DRAWS: dict[str, Callable[[], Tensor]] = {
    "rand": lambda: dg.rand([5]),
    "rand float64": lambda: dg.rand([5], "float64"),
    "randn": lambda: dg.randn([2, 3]),
    "standard_normal": lambda: dg.standard_normal([3], "float16"),
    "uniform": lambda: dg.uniform([3], min=-2.0),
    "normal": lambda: dg.normal(1.0, 2.0, [3]),
    "normal of tensors": lambda: dg.normal(dg.ones([3]), dg.ones([3])),
    "randint": lambda: dg.randint(0, 100, [4]),
    "randint_like": lambda: dg.randint_like(dg.ones([3]), 50),
    "randperm": lambda: dg.randperm(20),
    "rand_like": lambda: dg.rand_like(dg.ones([3])),
    "randn_like": lambda: dg.randn_like(dg.ones([3])),
    "bernoulli": lambda: dg.bernoulli(dg.full([40], 0.5)),
    "multinomial": lambda: dg.multinomial(dg.ones([30]), 9),
    "multinomial with replacement": lambda: dg.multinomial(dg.ones([30]), 9, True),
    "poisson": lambda: dg.poisson(dg.full([9], 30.0)),
    "binomial": lambda: dg.binomial(dg.full([9], 50, "int64"), dg.full([9], 0.5)),
    "standard_gamma": lambda: dg.standard_gamma(dg.ones([3])),
    "log_normal": lambda: dg.log_normal(shape=[3]),
    "keep_mask": lambda: keep_mask((40,), 0.5),
    "uniform_": lambda: dg.zeros([3]).uniform_(),
    "normal_": lambda: dg.zeros([3]).normal_(),
    "bernoulli_": lambda: dg.zeros([40]).bernoulli_(),
    "exponential_": lambda: dg.zeros([3]).exponential_(),
    "log_normal_": lambda: dg.log_normal_(dg.zeros([3])),
}
every_draw = pytest.mark.parametrize("name", list(DRAWS))


def offset() -> int:
    return dg.get_rng_state()[0].offset


# -- the stream ------------------------------------------------------------------------------------


@every_draw
def test_the_same_seed_gives_the_same_draw_and_another_one_another(name: str) -> None:
    found = []
    for seed in (3, 3, 4):
        dg.seed(seed)
        found.append(DRAWS[name]().tolist())
    assert found[0] == found[1]
    assert found[0] != found[2]


@every_draw
def test_a_draw_after_another_is_another(name: str) -> None:
    before = offset()
    first = DRAWS[name]().tolist()
    assert first != DRAWS[name]().tolist()
    assert offset() == before + 2 * (offset() - before) // 2 > before


@every_draw
def test_a_state_that_is_set_again_replays_what_followed(name: str) -> None:
    dg.rand([7])
    state = dg.get_rng_state()
    first = [DRAWS[name]().tolist(), dg.rand([2]).tolist()]
    dg.set_rng_state(pickle.loads(pickle.dumps(state)))
    assert dg.get_rng_state() == state
    assert [DRAWS[name]().tolist(), dg.rand([2]).tolist()] == first


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=3),
    st.sampled_from(["float16", "float32", "float64"]),
)
def test_the_offset_moves_by_size_and_dtype_alone(shape: list[int], dtype: str) -> None:
    words = np.dtype(dtype)
    for draw, kind in ((dg.rand, "uniform"), (dg.randn, "normal")):
        steps = set()
        for seed in (1, 2):
            dg.seed(seed)
            draw(shape, dtype)
            steps.add(offset())
        assert steps == {philox.counters_for(kind, math.prod(shape), words)}


def test_values_come_from_the_documented_generator() -> None:
    dg.seed(7)
    dg.rand([3])
    at = offset()
    np.testing.assert_array_equal(dg.rand([2, 2]).numpy().ravel(), philox.uniform(7, at, 4))
    at = offset()
    np.testing.assert_array_equal(
        dg.randn([5], "float64").numpy(), philox.normal(7, at, 5, np.float64)
    )
    at = offset()
    np.testing.assert_array_equal(dg.randperm(9).numpy(), philox.permutation(7, at, 9))


@pytest.mark.parametrize(
    "fail",
    [
        lambda: dg.rand([-1]),
        lambda: dg.rand([2], "int32"),
        lambda: dg.randn(2.5),
        lambda: dg.uniform([2], "int64"),
        lambda: dg.uniform([2], min="a"),
        dg.normal,
        lambda: dg.normal(0.0, 1.0, [-3]),
        lambda: dg.randint(5, 5, [2]),
        lambda: dg.randint(0),
        lambda: dg.randint(0, 2.5, [2]),
        lambda: dg.randint(0, 300, [2], "uint8"),
        lambda: dg.randint(0, 5, [2], "float32"),
        lambda: dg.randint_like(dg.ones([2]), 0),
        lambda: dg.randperm(-1),
        lambda: dg.randperm(2.0),
        lambda: dg.bernoulli(dg.to_tensor([1.5])),
        lambda: dg.bernoulli(dg.to_tensor([float("nan")])),
        lambda: dg.bernoulli(dg.ones([2]), p=-0.5),
        lambda: dg.bernoulli([0.5]),
        lambda: dg.multinomial(dg.to_tensor([1.0, -1.0])),
        lambda: dg.multinomial(dg.to_tensor([1.0, float("inf")])),
        lambda: dg.multinomial(dg.to_tensor([1.0, float("nan")])),
        lambda: dg.multinomial(dg.to_tensor([0.0, 0.0]), 1, True),
        lambda: dg.multinomial(dg.to_tensor([0.0, 1.0, 2.0]), 3),
        lambda: dg.multinomial(dg.ones([2]), 0),
        lambda: dg.multinomial(dg.ones([1, 1, 2])),
        lambda: dg.multinomial(dg.ones([])),
        lambda: dg.poisson(dg.to_tensor([-1.0])),
        lambda: dg.binomial(dg.to_tensor([5]), dg.to_tensor([2.0])),
        lambda: dg.standard_gamma(dg.to_tensor([-1.0])),
        lambda: dg.zeros([2], "int64").uniform_(),
        lambda: dg.zeros([2], "int64").normal_(),
        lambda: dg.to_tensor([1.0], stop_gradient=False).uniform_(),
        lambda: dg.to_tensor([1.0], stop_gradient=False).bernoulli_(),
        lambda: dg.zeros([2]).bernoulli_(2.0),
    ],
)
def test_a_draw_that_fails_leaves_the_stream_where_it_was(fail: Callable[[], Any]) -> None:
    before = dg.get_rng_state()
    with pytest.raises((ValueError, TypeError), match=r"^\[\w+\]"):
        fail()
    assert dg.get_rng_state() == before


def test_seeds_start_the_stream_anew() -> None:
    generator = dg.seed(5)
    assert generator is default_generator
    assert (generator.initial_seed(), generator.offset) == (5, 0)
    assert dg.seed(2**64 - 1).initial_seed() == 2**64 - 1
    for wrong in (-1, 2**64):
        with pytest.raises(ValueError, match=r"\[seed\]"):
            dg.seed(wrong)
    assert default_generator.initial_seed() == 2**64 - 1


def test_states_are_checked_before_they_are_set() -> None:
    state = dg.get_rng_state()
    for wrong, kind in (
        (3, TypeError),
        ([3], TypeError),
        (state * 2, ValueError),
        ([], ValueError),
    ):
        with pytest.raises(kind, match=r"set_(rng_)?state"):
            dg.set_rng_state(wrong)
    assert dg.get_rng_state() == state
    assert dg.get_rng_state("cpu") == state
    assert state == [GeneratorState(state[0].seed, state[0].offset)]


def test_generators_have_states_of_their_own() -> None:
    one, other = Generator(1), Generator(2)
    one.set_state(GeneratorState(9, 4))
    assert (one.get_state(), other.get_state()) == (GeneratorState(9, 4), GeneratorState(2, 0))
    assert repr(one) == "Generator(seed=9, offset=4)"


def test_the_offset_runs_round() -> None:
    dg.set_rng_state([GeneratorState(1, 2**64 - 1)])
    dg.rand([8])
    assert offset() == 1


def test_a_seed_of_its_own_draws_the_same_each_time_and_moves_nothing() -> None:
    before = dg.get_rng_state()
    first = dg.uniform([3], seed=3).tolist()
    assert dg.uniform([3], seed=3).tolist() == first
    assert dg.uniform([3], seed=4).tolist() != first
    assert dg.zeros([3]).uniform_(0.0, 1.0, seed=3).tolist() == first
    assert dg.get_rng_state() == before


# -- shapes and dtypes -----------------------------------------------------------------------------


def test_shapes_and_dtypes_of_draws() -> None:
    assert dg.rand([]).shape == []
    assert dg.rand(3).shape == [3]
    assert dg.rand(dg.to_tensor([2, 0])).shape == [2, 0]
    assert dg.rand([dg.to_tensor(2), 3], "bfloat16").dtype == dg.bfloat16
    assert dg.rand_like(dg.ones([2], "int64"), "float64").dtype == dg.float64
    assert dg.randn_like(dg.ones([2], "float64")).dtype == dg.float64
    assert dg.randint(10).shape == [1]
    assert dg.randint(0, 5, [3], "uint8").dtype == dg.uint8
    assert dg.randint_like(dg.ones([2]), 5).dtype == dg.float32
    assert dg.randint_like(dg.ones([2], "bool"), 2).dtype == dg.bool
    assert dg.randperm(0).shape == [0]
    assert dg.randperm(3, "float32").dtype == dg.float32
    assert dg.normal(0.0, dg.ones([2, 1]), [9]).shape == [2, 1]
    assert dg.normal(dg.ones([2, 1]), dg.ones([3], "float64")).dtype == dg.float64
    assert dg.normal(0, 1, [2]).dtype == dg.float32
    assert dg.multinomial(dg.ones([2, 3]), 2).shape == [2, 2]
    assert dg.multinomial(dg.ones([3]), 5, True).dtype == dg.int64
    assert dg.bernoulli(dg.ones([2], "float64")).dtype == dg.float64
    assert dg.bernoulli(dg.ones([2], "int64"), p=0.0).tolist() == [0, 0]
    assert dg.poisson(dg.ones([2], "float64")).dtype == dg.float64
    assert dg.binomial(dg.to_tensor(10), dg.to_tensor([0.0, 1.0])).tolist() == [0, 10]
    assert all(DRAWS[name]().stop_gradient for name in DRAWS)


def test_gradients_flow_to_the_mean_and_the_standard_deviation() -> None:
    mean = dg.to_tensor([1.0, 2.0], stop_gradient=False)
    std = dg.to_tensor([1.0, 1.0], stop_gradient=False)
    out = dg.normal(mean, std)
    out.sum().backward()
    assert mean.grad is not None
    assert std.grad is not None
    assert mean.grad.tolist() == [1.0, 1.0]
    np.testing.assert_allclose(std.grad.numpy(), (out - mean).numpy(), rtol=1e-5)


def test_draws_in_place_overwrite_and_cut_off_the_past() -> None:
    x = dg.zeros([3])
    assert x.uniform_(2.0, 3.0) is x
    assert ((x >= 2.0) & (x < 3.0)).all()
    leaf = dg.to_tensor([1.0], stop_gradient=False)
    y = leaf * 2
    y.normal_()
    assert y.stop_gradient
    with dg.no_grad():
        leaf.uniform_(5.0, 6.0)
    assert leaf.item() >= 5.0
    assert not leaf.stop_gradient


# -- distributions ---------------------------------------------------------------------------------


def close_to(values: Any, mean: float, variance: float) -> None:
    """The sample mean and variance lie within five standard errors."""
    values = np.asarray(values, np.float64).ravel()
    n = values.size
    assert abs(values.mean() - mean) <= 5 * math.sqrt(variance / n)
    fourth = np.mean((values - mean) ** 4)
    assert abs(values.var() - variance) < 5 * math.sqrt(max(fourth - variance**2, 0) / n) + 1e-9


def follows(values: Any, distribution: Any) -> None:
    assert stats.kstest(np.asarray(values, np.float64).ravel(), distribution.cdf).pvalue > 1e-4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_follow_their_distributions(dtype: str) -> None:
    dg.seed(11)
    follows(dg.rand([N], dtype).numpy(), stats.uniform())
    follows(dg.randn([N], dtype).numpy(), stats.norm())
    follows(dg.uniform([N], dtype, -3.0, 5.0).numpy(), stats.uniform(-3, 8))
    follows(dg.zeros([N], dtype).exponential_(2.0).numpy(), stats.expon(scale=0.5))
    follows(
        dg.log_normal_(dg.zeros([N], dtype), 0.5, 0.3).numpy(),
        stats.lognorm(0.3, scale=math.exp(0.5)),
    )
    follows(dg.zeros([N], dtype).normal_(4.0, 0.5).numpy(), stats.norm(4, 0.5))
    follows(dg.standard_gamma(dg.full([N], 2.5, dtype)).numpy(), stats.gamma(2.5))
    follows(dg.normal(dg.full([N], -1.0, dtype), 3.0).numpy(), stats.norm(-1, 3))


def test_moments_of_counts_and_coins() -> None:
    dg.seed(12)
    close_to(dg.poisson(dg.full([N], 0.7)).numpy(), 0.7, 0.7)
    close_to(dg.poisson(dg.full([N], 90.0)).numpy(), 90.0, 90.0)
    close_to(dg.binomial(dg.full([N], 20, "int64"), dg.full([N], 0.3)).numpy(), 6.0, 4.2)
    for p in (0.0, 0.25, 1.0):
        close_to(dg.bernoulli(dg.full([N], p)).numpy(), p, p * (1 - p))
        close_to(dg.zeros([N]).bernoulli_(dg.to_tensor(p)).numpy(), p, p * (1 - p))
        close_to(keep_mask((N,), p).numpy(), 1 - p, p * (1 - p))
    close_to(dg.randint(-3, 7, [N]).numpy(), 1.5, 99 / 12)


@given(st.floats(-1e4, 1e4, width=32), st.floats(0, 1e3, width=32), st.integers(0, 2**32))
def test_uniform_values_stay_below_the_upper_bound(low: float, span: float, seed: int) -> None:
    high = float(np.float32(low + span))
    dg.seed(seed)
    for dtype in ("float16", "float32"):
        out = dg.uniform([64], dtype, low, high).numpy()
        first, last = np.asarray(low, dtype), np.asarray(high, dtype)
        assert (out >= first).all()
        assert ((out < last) | (first >= last)).all()


def test_bounds_in_the_wrong_order_and_as_tensors() -> None:
    out = dg.uniform([100], min=3.0, max=1.0).numpy()
    assert ((out > 1.0) & (out <= 3.0)).all()
    out = dg.uniform([100], min=dg.to_tensor([2.0]), max=dg.to_tensor(4.0)).numpy()
    assert ((out >= 2.0) & (out < 4.0)).all()


@given(st.integers(0, 200), st.integers(0, 2**32))
def test_permutations_hold_each_number_once(n: int, seed: int) -> None:
    dg.seed(seed)
    assert sorted(dg.randperm(n).tolist()) == list(range(n))


def test_all_orders_are_equally_likely() -> None:
    dg.seed(13)
    orders = [tuple(dg.randperm(3).tolist()) for _ in range(3000)]
    counts = [orders.count(order) for order in itertools.permutations(range(3))]
    assert stats.chisquare(counts).pvalue > 1e-4


def test_indices_are_drawn_by_weight() -> None:
    dg.seed(14)
    weights = np.array([[1.0, 2.0, 0.0, 5.0], [0.0, 3.0, 3.0, 0.0]])
    drawn = dg.multinomial(dg.to_tensor(weights), N, replacement=True).numpy()
    for row, indices in zip(weights, drawn, strict=True):
        counts = np.bincount(indices, minlength=4)
        assert counts[row == 0].sum() == 0
        assert stats.chisquare(counts[row > 0], N * row[row > 0] / row.sum()).pvalue > 1e-4


def test_without_replacement_each_draw_is_by_weight_among_those_left() -> None:
    dg.seed(15)
    weights = np.array([1.0, 2.0, 3.0])
    rows = dg.to_tensor(np.tile(weights, (N, 1)))
    drawn = [tuple(row) for row in dg.multinomial(rows, 2).tolist()]
    pairs = list(itertools.permutations(range(3), 2))
    expected = [weights[a] / 6 * weights[b] / (6 - weights[a]) * N for a, b in pairs]
    assert stats.chisquare([drawn.count(pair) for pair in pairs], expected).pvalue > 1e-4


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 7.0]), min_size=1, max_size=9), st.data())
def test_without_replacement_no_index_comes_twice(
    weights: list[float], data: st.DataObject
) -> None:
    positive = sum(w > 0 for w in weights)
    if not positive:
        return
    count = data.draw(st.integers(1, positive))
    drawn = dg.multinomial(dg.to_tensor(weights), count).tolist()
    assert len(set(drawn)) == count
    assert all(weights[i] > 0 for i in drawn)
