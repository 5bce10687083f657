"""The formulas of random draws: exact against whole numbers, and operation by operation."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgraph.ops import philox, random_math

WORDS32 = st.integers(0, 2**32 - 1)
WORDS64 = st.integers(0, 2**64 - 1)


@given(st.lists(WORDS32, min_size=1), st.lists(WORDS64, min_size=1))
def test_unit_interval_takes_the_top_bits(words: list[int], longs: list[int]) -> None:
    singles = random_math.unit_interval(np.array(words, np.uint32))
    doubles = random_math.unit_interval(np.array(longs, np.uint64))
    assert singles.dtype == np.float32
    assert singles.tolist() == [math.ldexp(word >> 8, -24) for word in words]
    assert doubles.dtype == np.float64
    assert doubles.tolist() == [math.ldexp(word >> 11, -53) for word in longs]


def test_the_largest_word_stays_below_one() -> None:
    assert random_math.unit_interval(np.array([2**32 - 1], np.uint32))[0] == 1 - 2.0**-24
    assert random_math.unit_interval(np.array([2**64 - 1], np.uint64))[0] == 1 - 2.0**-53


@given(bits=WORDS64, lower=WORDS64, span=st.integers(1, 2**64))
def test_multiply_high_is_the_quotient_of_whole_numbers(bits: int, lower: int, span: int) -> None:
    x, y = np.array([bits], np.uint64), np.array([lower], np.uint64)
    wide = random_math.multiply_high_wide(x, y, span)
    assert wide.tolist() == [(bits << 64 | lower) * span >> 128]
    narrow = min(span, 2**32)
    assert random_math.multiply_high(x, narrow).tolist() == [bits * narrow >> 64]


def to_single(x: float) -> float:
    return float(struct.unpack("f", struct.pack("f", x))[0])


def documented_pair(w: int, v: int, width: int) -> tuple[float, float]:
    """Follow the module's docstring operation by operation, in Python's floats.

    Rounding the double result of + - * / or sqrt to single is the single operation exactly.
    """
    constants = random_math._NORMAL32 if width == 32 else random_math._NORMAL64
    rounded: Callable[[float], float] = to_single if width == 32 else float
    half = float(constants.real(math.sqrt(0.5)))

    def polynomial(z: float, coefficients: tuple[Any, ...]) -> float:
        y = float(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            y = rounded(rounded(y * z) + float(c))
        return y

    x = rounded(rounded(float(w >> 1)) + 0.5)
    m, e = math.frexp(x)
    if m < half:
        m, e = 2 * m, e - 1
    s = rounded((m - 1) / rounded(m + 1))
    step = rounded((e - width + 1) * float(constants.log_step))
    q = rounded(step + rounded(s * polynomial(rounded(s * s), constants.log)))
    r = rounded(math.sqrt(q)) * (-1 if w & 1 else 1)
    t = rounded(float(v - (v >> width - 1 << width))) * 2.0**-width
    z = rounded(t * t)
    first = rounded(r * polynomial(z, constants.cos))
    return first, rounded(r * rounded(t * polynomial(z, constants.sin)))


@given(WORDS32, WORDS32)
def test_float32_normals_follow_the_documented_operations_to_the_bit(w: int, v: int) -> None:
    pair = random_math.normal_pair(np.array([w], np.uint32), np.array([v], np.uint32))
    scalars = random_math.normal_pair(np.uint32(w), np.uint32(v))
    expected = documented_pair(w, v, 32)
    assert tuple(float(values[0]) for values in pair) == expected
    assert tuple(map(float, scalars)) == expected
    assert pair[0].dtype == scalars[1].dtype == np.float32


@given(WORDS64, WORDS64)
def test_float64_normals_follow_the_documented_operations_to_the_bit(w: int, v: int) -> None:
    pair = random_math.normal_pair(np.array([w], np.uint64), np.array([v], np.uint64))
    scalars = random_math.normal_pair(np.uint64(w), np.uint64(v))
    expected = documented_pair(w, v, 64)
    assert tuple(float(values[0]) for values in pair) == expected
    assert tuple(map(float, scalars)) == expected
    assert pair[0].dtype == scalars[1].dtype == np.float64


@pytest.mark.parametrize("width", [32, 64])
def test_normals_are_within_two_and_a_half_epsilons_of_the_exact_formula(width: int) -> None:
    words = np.uint32 if width == 32 else np.uint64
    w, v = philox.random_bits(20_240_229, 0, 20_000, words).reshape(2, -1)
    w[:500] = np.arange(500)
    first, second = random_math.normal_pair(w, v)
    x = (w >> 1).astype(first.dtype) + first.dtype.type(0.5)
    u = x.astype(np.float64) * np.float64(2.0 ** (1 - width))
    r = np.sqrt(-2 * np.log(u)) * np.where(w & 1, -1, 1)
    turn = np.pi * 2.0**-width * v.view(np.int32 if width == 32 else np.int64)
    # The float64 reference has roundings of its own.
    bound = (2.5 + width / 64) * np.finfo(first.dtype).eps * np.abs(r)
    assert (np.abs(first - r * np.cos(turn)) <= bound).all()
    assert (np.abs(second - r * np.sin(turn)) <= bound).all()


@pytest.mark.parametrize("words", [np.uint32, np.uint64])
def test_the_extreme_words_give_finite_normals(words: type[Any]) -> None:
    top = np.iinfo(words).max
    ends = np.array([0, 1, 2, top // 2, top // 2 + 1, top - 1, top], words)
    w, v = (grid.ravel() for grid in np.meshgrid(ends, ends))
    values = np.concatenate(random_math.normal_pair(w, v))
    assert np.isfinite(values).all()
    assert np.abs(values).max() == pytest.approx(math.sqrt(np.iinfo(words).bits * math.log(4)))


@pytest.mark.parametrize("sigmas", [4.0, 5.0, 5.5, 6.0])
def test_float32_radii_beyond_a_bound_are_as_frequent_as_they_should_be(sigmas: float) -> None:
    # The radius falls as its word grows, so the words of the tail are the first ones.
    expected = 2.0**31 * math.exp(-(sigmas**2) / 2)
    w = np.arange(0, 2 * int(1.5 * expected) + 8, 2, dtype=np.uint32)
    radius, _ = random_math.normal_pair(w, np.zeros_like(w))
    assert (radius[:-1] >= radius[1:]).all()
    assert abs(int((radius > sigmas).sum()) - expected) <= 0.6 + 1e-5 * expected
