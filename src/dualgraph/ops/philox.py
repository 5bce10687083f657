"""Counter-based random numbers: Philox4x32-10, and the draws that are made of its words.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.

The state of a random stream is (seed, offset), two integers modulo 2^64. A draw does not change
it: these functions are pure, and the caller adds `counters_for(kind, n, dtype)` to the offset.
That number depends on the size and the dtype of a draw alone, never on the values drawn, so a
compiled kernel knows it before it runs.

Block i of a draw is Philox4x32-10 of the counter (c0, c1, c2, c3) under the key (k0, k1), where

    c0, c1 = low and high word of (offset + i) mod 2^64     c2 = lane     c3 = 0
    k0, k1 = low and high word of seed mod 2^64

The lane is 0 except where `integers` says otherwise. A block is four words of 32 bits, w0 w1 w2
w3, used in this order; what is left over at the end of a draw is dropped:

    32 bits a value     w0, w1, w2, w3       uniform and normal of float32, float16, bfloat16
    64 bits a value     w0 << 32 | w1,       uniform and normal of float64, all integers,
                        w2 << 32 | w3        permutation

So a draw begins with the values of every shorter one, and where a draw fills its last block, a draw
at the offset after it continues it. (`permutation` is the exception: it orders all its words.)
float16 and bfloat16 are drawn as float32. `random_math` turns words into values.

Large draws run vectorised over chunks that stay in cache; small ones run in Python's integers,
since a numpy call costs more than the arithmetic of a block. Both give the same bits.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from dualgraph.errors import message
from dualgraph.ops.random_math import (
    multiply_high,
    multiply_high_wide,
    normal_pair,
    unit_interval,
)

__all__ = [
    "counters_for",
    "integers",
    "normal",
    "permutation",
    "philox_block",
    "philox_blocks",
    "random_bits",
    "round_keys",
    "uniform",
]

Kind: TypeAlias = Literal["uniform", "normal", "integers", "permutation", "bits"]
Array: TypeAlias = npt.NDArray[Any]
Longs: TypeAlias = npt.NDArray[np.uint64]
RoundKeys: TypeAlias = tuple[tuple[int, int], ...]
Block: TypeAlias = tuple[int, int, int, int]

_MULTIPLIERS: Final = (0xD2511F53, 0xCD9E8D57)
_KEY_STEPS: Final = (0x9E3779B9, 0xBB67AE85)
_ROUNDS: Final = 10
_MASK32: Final = 0xFFFFFFFF
_MASK64: Final = 0xFFFFFFFFFFFFFFFF

# Up to so many blocks Python's integers are faster than a hundred numpy calls.
_SMALL_BLOCKS: Final = 16
# Up to so many values, formulas in Python's numbers are faster than three to six numpy calls.
_SMALL_DRAW: Final = 24
# Blocks per chunk of a large draw: 48 bytes a block, so that a chunk stays in a small L2 cache.
_CHUNK: Final = 4096
# Blocks that are computed ahead for small draws in a row.
_AHEAD: Final = 128
_LANES: Final = np.arange(_CHUNK, dtype=np.uint64)
_SHIFT: Final = np.uint64(32)
# Where the upper and the lower half of a uint64 are in a uint32 view of it.
_UPPER, _LOWER = (1, 0) if sys.byteorder == "little" else (0, 1)


class _FloatFormat(NamedTuple):
    """How a floating type is drawn: its words, and what a narrower type keeps of a float32."""

    words: type[Any]
    keep: int  # mask on float32 bits; 0 where the values are already of the type asked for


_FLOATS: dict[Any, _FloatFormat] = {
    None: _FloatFormat(np.uint32, 0),
    np.dtype(np.float32): _FloatFormat(np.uint32, 0),
    np.dtype(np.float64): _FloatFormat(np.uint64, 0),
    np.dtype(np.float16): _FloatFormat(np.uint32, 0xFFFFE000),
}


@lru_cache(maxsize=256)
def round_keys(seed: int) -> RoundKeys:
    """Return the ten pairs of key words that the rounds use under `seed`, an int modulo 2^64.

    >>> from dualgraph.ops import philox
    >>> philox.round_keys(7)[0]
    (7, 0)
    """
    k0, k1 = seed & _MASK32, seed >> 32 & _MASK32
    steps = range(_ROUNDS)
    return tuple(
        ((k0 + r * _KEY_STEPS[0]) & _MASK32, (k1 + r * _KEY_STEPS[1]) & _MASK32) for r in steps
    )


def philox_block(c0: int, c1: int, c2: int, c3: int, keys: RoundKeys) -> Block:
    """Return the four words of one counter, computed in Python's integers.

    >>> from dualgraph.ops import philox
    >>> [hex(word) for word in philox.philox_block(0, 0, 0, 0, philox.round_keys(0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    m0, m1 = _MULTIPLIERS
    for k0, k1 in keys:
        p0, p1 = m0 * c0, m1 * c2
        c0, c1 = p1 >> 32 ^ c1 ^ k0, p1 & _MASK32
        c2, c3 = p0 >> 32 ^ c3 ^ k1, p0 & _MASK32
    return c0, c1, c2, c3


def philox_blocks(x: Longs, y: Longs, scratch: tuple[Longs, Longs], keys: RoundKeys) -> None:
    """Turn counters into words, in place, vectorised.

    `x` holds c0 << 32 | c1 before and w0 << 32 | w1 after, `y` likewise the words 2 and 3. All four
    arrays are uint64 of one shape.

    >>> import numpy as np
    >>> from dualgraph.ops import philox
    >>> x, y, p, q = np.zeros((4, 1), np.uint64)
    >>> philox.philox_blocks(x, y, (p, q), philox.round_keys(0))
    >>> hex(x[0]), hex(y[0])
    ('0x6627e8d5e169c58d', '0xbc57ac4c9b00dbd8')
    """
    p0, p1 = scratch
    m0, m1 = (np.uint64(m) for m in _MULTIPLIERS)
    for k0, k1 in keys:
        np.right_shift(x, _SHIFT, out=p0)
        np.multiply(p0, m0, out=p0)
        np.right_shift(y, _SHIFT, out=p1)
        np.multiply(p1, m1, out=p1)
        np.left_shift(x, _SHIFT, out=x)
        np.bitwise_xor(x, p1, out=x)
        np.bitwise_xor(x, np.uint64(k0 << 32), out=x)
        np.left_shift(y, _SHIFT, out=y)
        np.bitwise_xor(y, p0, out=y)
        np.bitwise_xor(y, np.uint64(k1 << 32), out=y)


def counters_for(kind: Kind, n: int, dtype: npt.DTypeLike | None = None) -> int:
    """Return how far a draw of `n` values moves the offset.

    `dtype` matters to "uniform", "normal" and "bits" only, where None is float32 or uint32.
    TypeError if a draw of that kind has no such dtype, ValueError if `n` is negative.

    >>> from dualgraph.ops import philox
    >>> philox.counters_for("uniform", 5, "float32"), philox.counters_for("integers", 5)
    (2, 3)
    """
    _check_size(kind, n)
    words: type[Any] = np.uint64
    if kind in ("uniform", "normal"):
        words = _float_format(kind, dtype).words
    elif kind == "bits":
        words = np.uint32 if dtype is None else _word_type(dtype)
    return (n + 3) // 4 if words is np.uint32 else (n + 1) // 2


def random_bits(seed: int, offset: int, n: int, dtype: npt.DTypeLike = np.uint32) -> Array:
    """Draw `n` uniformly random words: an array [n] of uint32 or uint64.

    TypeError for another dtype, ValueError if `n` is negative.

    >>> from dualgraph.ops import philox
    >>> philox.random_bits(0, 0, 2)
    array([1713891541, 3781805453], dtype=uint32)
    """
    words = _word_type(dtype)
    _check_size("bits", n)
    out = np.empty(n, words)
    for at, bits in _stream(seed, offset, n, words):
        out[at : at + len(bits)] = bits
    return out


def uniform(seed: int, offset: int, n: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """Draw `n` values uniform in [0, 1), never 1: an array [n] of a floating dtype.

    float32 has 24 random bits, float64 53. float16 and bfloat16 are the float32 draw rounded
    towards zero, so that u < p comes out alike for each p that the narrow type can hold. TypeError
    for another dtype, ValueError if `n` is negative.

    >>> from dualgraph.ops import philox
    >>> philox.uniform(0, 0, 2)
    array([0.39904642, 0.88052016], dtype=float32)
    """
    words, keep = _float_format("uniform", dtype)
    _check_size("uniform", n)
    real = np.float32 if words is np.uint32 else np.float64
    if n <= _SMALL_DRAW:
        out = np.array(_small_uniform(seed, offset, n, words), real)
    else:
        out = np.empty(n, real)
        for at, bits in _stream(seed, offset, n, words):
            out[at : at + len(bits)] = unit_interval(bits)
    if not keep:
        return out
    return (out.view(np.uint32) & np.uint32(keep)).view(np.float32).astype(dtype)


def normal(seed: int, offset: int, n: int, dtype: npt.DTypeLike = np.float32) -> Array:
    """Draw `n` standard normal values: an array [n] of a floating dtype.

    Values 2i and 2i+1 are the pair that `random_math.normal_pair` makes of words 2i and 2i+1.
    float16 and bfloat16 are the float32 draw rounded to nearest. TypeError for another dtype,
    ValueError if `n` is negative.

    >>> from dualgraph.ops import philox
    >>> philox.normal(0, 0, 4).shape
    (4,)
    """
    words, keep = _float_format("normal", dtype)
    _check_size("normal", n)
    even = n + n % 2
    out = np.empty(even, np.float32 if words is np.uint32 else np.float64)
    for at, bits in _stream(seed, offset, even, words):
        stop = at + len(bits)
        if stop - at == 2:  # numpy's scalars are several times cheaper than its small arrays
            out[at], out[at + 1] = normal_pair(bits[0], bits[1])
        else:
            out[at:stop:2], out[at + 1 : stop : 2] = normal_pair(bits[::2], bits[1::2])
    if even != n:
        out = out[:n].copy()
    return out.astype(dtype) if keep else out


def integers(
    seed: int, offset: int, n: int, low: int, high: int, dtype: npt.DTypeLike = np.int64
) -> Array:
    """Draw `n` integers uniform in [low, high): an array [n] of an integer dtype.

    A value is low + floor(w (high - low) / 2^64), where w is its 64 random bits: no probability is
    off by more than one part in 2^32. Where high - low exceeds 2^32, w is lengthened to 128 bits by
    the word at the same place of lane 1, below it, and divided by 2^128: at most one part in 2^64.
    ValueError if [low, high) is empty or does not fit the dtype or if `n` is negative, TypeError if
    the dtype is not an integer type. Method: Lemire, "Fast random integer generation in an
    interval", ACM TOMACS 29, 2019, without its rejection step.

    >>> from dualgraph.ops import philox
    >>> philox.integers(0, 0, 3, low=0, high=10)
    array([3, 7, 9])
    """
    dtype = np.dtype(dtype)
    _check_size("integers", n)
    span = _checked_span(low, high, dtype)
    if n <= _SMALL_DRAW and span <= 1 << 32:
        longs = _small_longs(seed, offset, n)
        return np.array([low + (bits * span >> 64) for bits in longs], dtype)
    out = np.empty(n, np.uint64)
    upper = _stream(seed, offset, n, np.uint64)
    if span <= 1 << 32:
        for at, bits in upper:
            out[at : at + len(bits)] = multiply_high(bits, span)
    else:
        lower = _stream(seed, offset, n, np.uint64, lane=1)
        for (at, bits), (_, more) in zip(upper, lower, strict=True):
            out[at : at + len(bits)] = multiply_high_wide(bits, more, span)
    out += np.uint64(low & _MASK64)
    return out.view(np.int64).astype(dtype, copy=False)


def permutation(seed: int, offset: int, n: int) -> npt.NDArray[np.int64]:
    """Draw a random order of 0, 1, ..., n - 1: an array [n] of int64.

    The order sorts n different keys: the 64 random bits of each index, whose low bits (as many as
    n - 1 has) are replaced by the index. So every sorting method gives this order. Two of the
    random parts agree with a probability below n^3 / 2^64; then the smaller index comes first.
    ValueError if `n` is negative.

    >>> from dualgraph.ops import philox
    >>> sorted(philox.permutation(0, 0, 4).tolist())
    [0, 1, 2, 3]
    """
    _check_size("permutation", n)
    keys = random_bits(seed, offset, n, np.uint64)
    mask = np.uint64((1 << max(n - 1, 0).bit_length()) - 1)
    keys &= ~mask
    keys |= np.arange(n, dtype=np.uint64)
    keys.sort()
    keys &= mask
    return keys.view(np.int64)


def _stream(
    seed: int, offset: int, n: int, words: type[Any], lane: int = 0
) -> Iterator[tuple[int, Array]]:
    """Yield (position, words) until `n` words have come; the next chunk overwrites the words."""
    per_block = 4 if words is np.uint32 else 2
    count = -(-n // per_block)
    if count <= _SMALL_BLOCKS:
        small = _small_words if words is np.uint32 else _small_longs
        if n:
            yield 0, np.array(small(seed, offset, n, lane), words)
        return
    at = 0
    for bits in _chunks(seed, offset, count, words, lane):
        yield at, bits[: n - at]
        at += len(bits)


def _chunks(seed: int, offset: int, count: int, words: type[Any], lane: int) -> Iterator[Array]:
    """Yield the words of `count` counters in chunks, each in the memory of the one before."""
    per_block = 4 if words is np.uint32 else 2
    keys = round_keys(seed & _MASK64)
    size = min(count, _CHUNK)
    scratch = np.empty((4, size), np.uint64)
    buffer = np.empty(size * per_block, words)
    for start in range(0, count, size):
        length = min(size, count - start)
        x, y, p, q = scratch[:, :length]
        np.add(_LANES[:length], np.uint64((offset + start) & _MASK64), out=p)
        np.left_shift(p, _SHIFT, out=x)
        np.right_shift(p, _SHIFT, out=p)
        np.bitwise_or(x, p, out=x)
        y.fill(lane << 32)
        philox_blocks(x, y, (p, q), keys)
        bits = buffer[: length * per_block]
        _interleave(x, y, bits)
        yield bits


def _interleave(x: Longs, y: Longs, out: Array) -> None:
    """Write the halves of blocks to `out` in the order of the stream, as words of its dtype."""
    if out.dtype.itemsize == 8:
        out[0::2], out[1::2] = x, y
    else:
        for first, longs in ((0, x), (2, y)):
            halves = longs.view(np.uint32)
            out[first::4], out[first + 1 :: 4] = halves[_UPPER::2], halves[_LOWER::2]


class _Window(NamedTuple):
    """Blocks of consecutive counters, as lists of words."""

    seed: int
    lane: int
    first: int
    blocks: list[Any]


# Small draws mostly follow one another, as the coins of a training loop do. The second in a row has
# the blocks of the next ones computed with it, in the time of about five. Replaced as a whole, so
# that threads never see a half-made one.
_ahead: list[_Window] = [_Window(0, 0, 0, [])]


def _block(seed: int, counter: int, lane: int) -> Any:
    """Return the words of one counter."""
    window = _ahead[0]
    at = counter - window.first
    known = seed == window.seed and lane == window.lane and 0 <= at <= len(window.blocks)
    if known and at < len(window.blocks):
        return window.blocks[at]
    blocks: list[Any]
    if known and at:
        bits = next(_chunks(seed, counter, _AHEAD, np.uint32, lane))
        blocks = bits.reshape(_AHEAD, 4).tolist()
    else:
        keys = round_keys(seed & _MASK64)
        blocks = [philox_block(counter & _MASK32, counter >> 32 & _MASK32, lane, 0, keys)]
    _ahead[0] = _Window(seed, lane, counter, blocks)
    return blocks[0]


def _small_words(seed: int, offset: int, n: int, lane: int = 0) -> list[int]:
    """Return the first `n` 32-bit words of a draw."""
    words: list[int] = []
    for counter in range(offset, offset + (n + 3) // 4):
        words += _block(seed, counter, lane)
    return words[:n]


def _small_longs(seed: int, offset: int, n: int, lane: int = 0) -> list[int]:
    """Return the first `n` 64-bit words of a draw."""
    words = _small_words(seed, offset, 2 * n, lane)
    return [high << 32 | low for high, low in zip(words[::2], words[1::2], strict=True)]


def _small_uniform(seed: int, offset: int, n: int, words: type[Any]) -> list[float]:
    """Return what `unit_interval` makes of a draw's words; Python's floats hold it exactly."""
    if words is np.uint32:
        return [(word >> 8) * 2.0**-24 for word in _small_words(seed, offset, n)]
    return [(word >> 11) * 2.0**-53 for word in _small_longs(seed, offset, n)]


def _check_size(kind: str, n: int) -> None:
    if n < 0:
        raise ValueError(message(kind, f"{n} values are asked for", "expected 0 or more"))


def _word_type(dtype: npt.DTypeLike) -> type[Any]:
    words = np.dtype(dtype).type
    if words in (np.uint32, np.uint64):
        return words
    given, expected = f"the dtype is {np.dtype(dtype)}", "expected uint32 or uint64"
    raise TypeError(message("bits", given, expected))


def _float_format(kind: str, dtype: npt.DTypeLike | None) -> _FloatFormat:
    known = _FLOATS.get(dtype)
    if known is not None:
        return known
    given = np.dtype(dtype)
    if given not in _FLOATS and given.name == "bfloat16":  # no type of numpy's own
        _FLOATS[given] = _FloatFormat(np.uint32, 0xFFFF0000)
    if given in _FLOATS:
        return _FLOATS[given]
    expected = "expected float16, bfloat16, float32 or float64"
    raise TypeError(message(kind, f"the dtype is {given}", expected, "draw float32 and cast it"))


def _checked_span(low: int, high: int, dtype: np.dtype[Any]) -> int:
    """Return high - low, where [low, high) holds something and fits `dtype`."""
    if dtype.kind not in "iu":
        raise TypeError(message("integers", f"the dtype is {dtype}", "expected an integer type"))
    limits = np.iinfo(dtype)
    if not limits.min <= low < high <= int(limits.max) + 1:
        given = f"low is {low}, high is {high}"
        expected = f"expected {limits.min} <= low < high <= {int(limits.max) + 1} for {dtype}"
        raise ValueError(message("integers", given, expected))
    return high - low
