"""Random bits and the draws of them: known answers, one stream for all sizes, distributions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dualgraph.ops import philox

WORDS32 = st.integers(0, 2**32 - 1)
WORDS64 = st.integers(0, 2**64 - 1)
OFFSETS = (0, 1, 2**32 - 3, 2**32, 2**63 + 5, 2**64 - 3)
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
SEED = 20_240_229

Draw = Callable[[int, int, int], "np.ndarray[Any, Any]"]
DRAWS: dict[str, Draw] = {
    "bits32": lambda s, o, n: philox.random_bits(s, o, n, np.uint32),
    "bits64": lambda s, o, n: philox.random_bits(s, o, n, np.uint64),
    "uniform32": lambda s, o, n: philox.uniform(s, o, n, np.float32),
    "uniform64": lambda s, o, n: philox.uniform(s, o, n, np.float64),
    "uniform16": lambda s, o, n: philox.uniform(s, o, n, np.float16),
    "normal32": lambda s, o, n: philox.normal(s, o, n, np.float32),
    "normal64": lambda s, o, n: philox.normal(s, o, n, np.float64),
    "integers": lambda s, o, n: philox.integers(s, o, n, -7, 1000, np.int32),
    "integers_wide": lambda s, o, n: philox.integers(s, o, n, -(2**60), 2**62, np.int64),
}
COUNTERS: dict[str, tuple[philox.Kind, Any]] = {
    "bits32": ("bits", np.uint32),
    "bits64": ("bits", np.uint64),
    "uniform32": ("uniform", np.float32),
    "uniform64": ("uniform", np.float64),
    "uniform16": ("uniform", np.float16),
    "normal32": ("normal", np.float32),
    "normal64": ("normal", np.float64),
    "integers": ("integers", np.int32),
    "integers_wide": ("integers", np.int64),
}
each_draw = pytest.mark.parametrize("name", DRAWS)


def same_bits(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def block_at(seed: int, offset: int, lane: int = 0) -> tuple[int, int, int, int]:
    offset %= 2**64
    return philox.philox_block(offset % 2**32, offset >> 32, lane, 0, philox.round_keys(seed))


# Philox itself


@given(st.tuples(WORDS32, WORDS32, WORDS32, WORDS32), WORDS64)
def test_vectorised_blocks_are_the_blocks_of_python_integers(
    counter: tuple[int, int, int, int], seed: int
) -> None:
    c0, c1, c2, c3 = counter
    x, y, p, q = np.zeros((4, 3), np.uint64)
    x[:], y[:] = c0 << 32 | c1, c2 << 32 | c3
    philox.philox_blocks(x, y, (p, q), philox.round_keys(seed))
    w0, w1, w2, w3 = philox.philox_block(*counter, philox.round_keys(seed))
    assert x.tolist() == [w0 << 32 | w1] * 3
    assert y.tolist() == [w2 << 32 | w3] * 3


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000",
         "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
         "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
         "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)  # fmt: skip
def test_known_answers_of_the_random123_distribution(counter: str, key: str, words: str) -> None:
    c0, c1, c2, c3 = (int(word, 16) for word in counter.split())
    k0, k1 = (int(word, 16) for word in key.split())
    block = philox.philox_block(c0, c1, c2, c3, philox.round_keys(k1 << 32 | k0))
    assert " ".join(f"{word:08x}" for word in block) == words


def test_words_follow_the_counter_through_the_documented_layout() -> None:
    block = block_at(SEED, 2**40 + 9) + block_at(SEED, 2**40 + 10)
    assert philox.random_bits(SEED, 2**40 + 9, 7).tolist() == list(block[:7])
    longs = [block[i] << 32 | block[i + 1] for i in (0, 2, 4)]
    assert philox.random_bits(SEED, 2**40 + 9, 3, np.uint64).tolist() == longs


# One stream, whatever the size of a draw


@each_draw
@pytest.mark.parametrize("offset", OFFSETS)
def test_small_and_large_draws_are_computed_differently_to_the_same_bits(
    name: str, offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, sizes = DRAWS[name], [*range(9), 23, 24, 25, 31, 32, 33, 63, 64, 65, 80]
    monkeypatch.setattr(philox, "_SMALL_BLOCKS", 10**9)
    monkeypatch.setattr(philox, "_SMALL_DRAW", 10**9)
    small = [draw(SEED, offset, n) for n in sizes]
    monkeypatch.setattr(philox, "_SMALL_BLOCKS", 0)
    monkeypatch.setattr(philox, "_SMALL_DRAW", 0)
    monkeypatch.setattr(philox, "_CHUNK", 5)
    large = [draw(SEED, offset, n) for n in sizes]
    assert all(map(same_bits, small, large))


@each_draw
@given(seed=WORDS64, offset=WORDS64, n=st.integers(0, 90), more=st.integers(0, 90))
def test_a_draw_begins_with_the_values_of_a_shorter_one(
    name: str, seed: int, offset: int, n: int, more: int
) -> None:
    draw = DRAWS[name]
    assert same_bits(draw(seed, offset, n + more)[:n], draw(seed, offset, n))


@each_draw
@pytest.mark.parametrize("first", [4, 64, 16_384, 20_000])
@pytest.mark.parametrize("offset", OFFSETS)
def test_a_draw_of_whole_blocks_is_continued_at_the_offset_after_it(
    name: str, first: int, offset: int
) -> None:
    draw = DRAWS[name]
    kind, dtype = COUNTERS[name]
    after = (offset + philox.counters_for(kind, first, dtype)) % 2**64
    both = np.concatenate([draw(SEED, offset, first), draw(SEED, after, 37)])
    assert same_bits(both, draw(SEED, offset, first + 37))


@given(n=st.integers(0, 10**12))
def test_the_offset_moves_by_size_and_width_alone(n: int) -> None:
    for dtype in (None, "float16", BFLOAT16, "float32"):
        assert philox.counters_for("uniform", n, dtype) == math.ceil(n / 4)
        assert philox.counters_for("normal", n, dtype) == math.ceil(n / 4)
    assert philox.counters_for("uniform", n, "float64") == math.ceil(n / 2)
    assert philox.counters_for("normal", n, np.float64) == math.ceil(n / 2)
    assert philox.counters_for("bits", n) == math.ceil(n / 4)
    assert philox.counters_for("bits", n, "uint64") == math.ceil(n / 2)
    assert philox.counters_for("integers", n) == math.ceil(n / 2)
    assert philox.counters_for("permutation", n) == math.ceil(n / 2)


@each_draw
def test_seed_and_offset_count_modulo_two_to_the_64(name: str) -> None:
    for n in (5, 400):
        a = DRAWS[name](-3, -5, n)
        assert same_bits(a, DRAWS[name](2**64 - 3, 2**64 - 5, n))


@each_draw
def test_another_seed_or_offset_gives_other_values(name: str) -> None:
    seeds = (0, 1, 2, 2**32, 2**32 + 1, 2**63)
    assert len({DRAWS[name](s, 0, 16).tobytes() for s in seeds}) == len(seeds)
    assert len({DRAWS[name](0, s, 16).tobytes() for s in seeds}) == len(seeds)


@each_draw
def test_a_draw_of_nothing_is_empty_and_moves_nothing(name: str) -> None:
    assert DRAWS[name](1, 1, 0).shape == (0,)
    kind, dtype = COUNTERS[name]
    assert philox.counters_for(kind, 0, dtype) == 0


# Distributions


@pytest.mark.parametrize("name", ["uniform32", "uniform64"])
def test_uniform_passes_kolmogorov_smirnov_and_chi_square(name: str) -> None:
    u = DRAWS[name](SEED, 0, 200_000).astype(np.float64)
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    for cells in (64, 1000):
        counts = np.bincount((u * cells).astype(np.int64), minlength=cells)
        assert stats.chisquare(counts).pvalue > 1e-3
    pairs = (u[::2] * 32).astype(np.int64) * 32 + (u[1::2] * 32).astype(np.int64)
    assert stats.chisquare(np.bincount(pairs, minlength=1024)).pvalue > 1e-3


def test_every_bit_of_a_word_is_fair_and_independent_of_the_others() -> None:
    n = 100_000
    words = philox.random_bits(SEED, 0, n).astype("<u4")
    bits = np.unpackbits(words.view(np.uint8)).reshape(n, 32).astype(np.float64) - 0.5
    assert np.abs(bits.mean(axis=0)).max() < 4.5 * 0.5 / math.sqrt(n)
    products = bits.T @ bits / n
    assert np.abs(products - np.diag(np.diag(products))).max() < 5 * 0.25 / math.sqrt(n)


@pytest.mark.parametrize("name", ["normal32", "normal64"])
def test_normal_passes_kolmogorov_smirnov_and_has_its_moments(name: str) -> None:
    n = 400_000
    z = DRAWS[name](SEED, 0, n).astype(np.float64)
    assert stats.kstest(z, "norm").pvalue > 1e-3
    assert stats.kstest(z[::2], "norm").pvalue > 1e-3
    assert stats.kstest(z[1::2], "norm").pvalue > 1e-3
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10_170)):
        assert abs((z**power).mean() - moment) < 4 * math.sqrt(variance / n)


def test_normal_has_its_tails() -> None:
    n = 2_000_000
    size = np.abs(philox.normal(SEED, 0, n))
    for sigmas in (2.0, 3.0, 4.0, 4.5):
        expected = n * math.erfc(sigmas / math.sqrt(2))
        assert abs(int((size > sigmas).sum()) - expected) < 4 * math.sqrt(expected)


@pytest.mark.parametrize("name", ["normal32", "normal64"])
def test_both_values_of_a_normal_pair_are_independent(name: str) -> None:
    z = DRAWS[name](SEED, 0, 200_000).astype(np.float64).reshape(-1, 2)
    cells = np.minimum((stats.norm.cdf(z) * 16).astype(np.int64), 15)
    counts = np.bincount(cells[:, 0] * 16 + cells[:, 1], minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert stats.kstest((z**2).sum(axis=1), "chi2", args=(2,)).pvalue > 1e-3


@pytest.mark.parametrize("name", ["uniform32", "uniform64", "normal32", "normal64"])
def test_neighbours_in_a_draw_are_uncorrelated(name: str) -> None:
    n = 200_000
    x = DRAWS[name](SEED, 0, n).astype(np.float64)
    for values in (x, np.abs(x - x.mean())):
        centred = (values - values.mean()) / values.std()
        for lag in (1, 2, 3, 4, 5, 8, 16, 4096 * 4):
            assert abs((centred[:-lag] * centred[lag:]).mean()) < 4.5 / math.sqrt(n)


def test_neighbouring_seeds_and_offsets_are_uncorrelated() -> None:
    n = 100_000
    x = philox.normal(SEED, 0, n).astype(np.float64)
    for seed, offset in ((SEED + 1, 0), (SEED ^ 1 << 40, 0), (SEED, 1), (SEED, 1 << 32)):
        assert abs((x * philox.normal(seed, offset, n)).mean()) < 4.5 / math.sqrt(n)


def test_one_value_at_each_of_many_offsets_is_uniform_too() -> None:
    u = [float(philox.uniform(SEED, offset, 1)[0]) for offset in range(4000)]
    assert stats.kstest(u, "uniform").pvalue > 1e-3


# Narrow floating types


@pytest.mark.parametrize("dtype", [np.dtype(np.float16), BFLOAT16])
def test_narrow_uniforms_are_float32_ones_rounded_towards_zero(dtype: np.dtype[Any]) -> None:
    for n in (6, 1 << 15):
        wide, narrow = philox.uniform(SEED, 0, n), philox.uniform(SEED, 0, n, dtype)
        assert narrow.dtype == dtype
        gap = wide - narrow.astype(np.float32)
        step = np.maximum(wide * float(ml_dtypes.finfo(dtype).eps), 2.0**-24)
        assert ((gap >= 0) & (gap < step)).all()
    assert float(narrow.max()) == 1 - float(ml_dtypes.finfo(dtype).eps) / 2


@pytest.mark.parametrize("dtype", [np.dtype(np.float16), BFLOAT16])
def test_a_coin_falls_alike_in_every_precision(dtype: np.dtype[Any]) -> None:
    wide, narrow = philox.uniform(SEED, 0, 50_000), philox.uniform(SEED, 0, 50_000, dtype)
    for p in (0.0, 2.0**-9, 0.25, 0.5, 0.8125, 1.0):
        assert ((wide < p) == (narrow.astype(np.float32) < p)).all()


@pytest.mark.parametrize("dtype", [np.dtype(np.float16), BFLOAT16])
def test_narrow_normals_are_float32_ones_rounded_to_nearest(dtype: np.dtype[Any]) -> None:
    for n in (5, 3000):
        assert same_bits(philox.normal(SEED, 0, n, dtype), philox.normal(SEED, 0, n).astype(dtype))


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype(np.float32)])
def test_a_dtype_is_given_by_name_class_or_object(dtype: Any) -> None:
    assert same_bits(philox.uniform(1, 2, 3, dtype), philox.uniform(1, 2, 3))
    assert same_bits(philox.normal(1, 2, 3, dtype), philox.normal(1, 2, 3))


# Integers


@given(low=st.integers(-(2**63), 2**63 - 1), data=st.data(), seed=WORDS64, n=st.integers(1, 40))
def test_integers_stay_in_range_whatever_the_range(
    low: int, data: st.DataObject, seed: int, n: int
) -> None:
    high = data.draw(st.integers(low + 1, 2**63))
    values = philox.integers(seed, 0, n, low, high).tolist()
    assert all(low <= value < high for value in values)
    words = philox.random_bits(seed, 0, n, np.uint64).tolist()
    if high - low <= 2**32:
        assert values == [low + (w * (high - low) >> 64) for w in words]


def test_wide_integers_take_their_lower_bits_from_lane_one() -> None:
    span = 3 * 2**62
    upper, lower = block_at(SEED, 6), block_at(SEED, 6, lane=1)
    word = upper[0] << 96 | upper[1] << 64 | lower[0] << 32 | lower[1]
    drawn = philox.integers(SEED, 6, 1, -(2**63), span - 2**63)
    assert int(drawn[0]) == (word * span >> 128) - 2**63


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        (np.int32, -(2**31), 2**31),
        (np.int64, -(2**63), 2**63),
        (np.int64, 2**62, 2**62 + 3),
        (np.int64, -5, 2**32 - 5),
        (np.int64, -5, 2**32 - 4),
        (np.uint8, 0, 256),
        (np.uint64, 0, 2**64),
        (np.uint64, 2**64 - 1, 2**64),
    ],
)
def test_integers_cover_the_range_they_are_given(dtype: Any, low: int, high: int) -> None:
    for n in (24, 4000):
        values = philox.integers(SEED, 0, n, low, high, dtype)
        assert values.dtype == dtype
        assert all(low <= value < high for value in values.tolist())
    cells = min(high - low, 8)
    counts = np.bincount(
        [(value - low) * cells // (high - low) for value in values.tolist()], minlength=cells
    )
    assert counts.min() > 0
    assert stats.chisquare(counts).pvalue > 1e-3 if cells > 1 else counts.tolist() == [4000]


def test_integers_reach_both_ends_and_each_value_equally_often() -> None:
    values = philox.integers(SEED, 0, 100_000, 3, 40)
    assert values.dtype == np.int64
    counts = np.bincount(values, minlength=40)
    assert counts[:3].sum() == 0
    assert stats.chisquare(counts[3:]).pvalue > 1e-3


# Permutations


@given(seed=WORDS64, offset=WORDS64, n=st.integers(0, 200))
def test_a_permutation_has_every_index_once(seed: int, offset: int, n: int) -> None:
    order = philox.permutation(seed, offset, n)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(n))


@pytest.mark.parametrize("n", [1, 2, 24, 300, 5000])
def test_a_permutation_is_the_stable_sort_of_the_upper_bits(n: int) -> None:
    low_bits = np.uint64((n - 1).bit_length())
    keys = philox.random_bits(SEED, 3, n, np.uint64) >> low_bits
    assert philox.permutation(SEED, 3, n).tolist() == np.argsort(keys, kind="stable").tolist()


def test_all_orders_of_four_are_equally_likely() -> None:
    drawn = [tuple(philox.permutation(SEED, 2 * i, 4).tolist()) for i in range(4800)]
    orders, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(orders) == 24
    assert stats.chisquare(counts).pvalue > 1e-3


# Refusals


@pytest.mark.parametrize("dtype", [np.int32, np.complex64, np.longdouble])
def test_a_draw_of_floats_refuses_other_dtypes(dtype: Any) -> None:
    with pytest.raises(TypeError, match=r"\[uniform\] the dtype is .* expected float16"):
        philox.uniform(0, 0, 1, dtype)
    with pytest.raises(TypeError, match=r"\[normal\]"):
        philox.normal(0, 0, 1, dtype)
    with pytest.raises(TypeError, match=r"\[normal\]"):
        philox.counters_for("normal", 1, dtype)


def test_words_and_integers_refuse_floating_dtypes() -> None:
    with pytest.raises(TypeError, match=r"\[bits\] the dtype is float32; expected uint32"):
        philox.random_bits(0, 0, 1, np.float32)
    with pytest.raises(TypeError, match=r"\[integers\] the dtype is float32"):
        philox.integers(0, 0, 1, 0, 2, np.float32)


@pytest.mark.parametrize(("low", "high"), [(3, 3), (4, 3), (0, 2**31 + 1), (-(2**31) - 1, 0)])
def test_an_empty_range_or_one_beyond_the_dtype_is_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match=rf"\[integers\] low is {low}, high is {high}; expected"):
        philox.integers(0, 0, 1, low, high, np.int32)


@each_draw
def test_a_negative_size_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="-1 values are asked for; expected 0 or more"):
        DRAWS[name](0, 0, -1)
    with pytest.raises(ValueError, match="-1 values"):
        philox.permutation(0, 0, -1)
    kind, dtype = COUNTERS[name]
    with pytest.raises(ValueError, match="-1 values"):
        philox.counters_for(kind, -1, dtype)
