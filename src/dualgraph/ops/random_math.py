"""Formulas that turn random bits into values: unit intervals, normal pairs, bounded integers.

Every formula is a fixed sequence of IEEE operations (+ - * / sqrt, conversions, operations on
integers, reinterpretation of bits), each rounded to nearest even on its own: no fused multiply-add,
no reassociation, no call into libm. A compiled kernel that does the same operations in the same
order gives the same bits. Constants are in hexadecimal, so that parsing loses nothing. The formulas
take numpy arrays and numpy scalars alike: one definition serves large and small draws.

`unit_interval` is float(w >> 8) * 2^-24 for 32-bit words and float(w >> 11) * 2^-53 for 64-bit
ones; both are exact.

`normal_pair` is the method of Box and Muller ("A note on the generation of random normal deviates",
Ann. Math. Statist. 29, 1958): a radius sqrt(-2 ln u) and a direction. For words w and v of B bits
(B = 32 or 64), in the float type of B bits, whose fraction has F bits (F = 23 or 52):

    x = float(w >> 1) + 1/2                          u = x / 2^(B-1) lies in [2^-B, 1]
    b = bits(x) - (bits(sqrt 1/2) + ((B-1) << F))    as a signed integer
    e = b >> F, arithmetic                           u = m 2^e with m in [sqrt 1/2, sqrt 2)
    m = from_bits((b & (2^F - 1)) + bits(sqrt 1/2))
    s = (m - 1) / (m + 1)                            ln m = 2 atanh s
    q = float(e) * (-2 ln 2) + s * LOG(s * s)        q = -2 ln u
    r = sqrt(q), its sign bit flipped if w is odd
    t = float(signed v) * 2^-B                       in [-1/2, 1/2]: half a turn, since r has a sign
    z = t * t
    first, second = r * COS(z), r * (t * SIN(z))

LOG, SIN and COS are polynomials by Horner's rule: start with the last coefficient; for each one
before it, multiply by z, then add it. LOG(z) is -4 atanh(sqrt z) / sqrt z for 0 <= z <= 0.02945,
SIN(z) is sin(pi sqrt z) / sqrt z and COS(z) is cos(pi sqrt z) for 0 <= z <= 1/4. The coefficients
are minimax, found by Remez exchange in 60 digits (relative error for LOG and SIN, absolute for
COS), rounded from the constant term on with the rest fitted anew after each rounding. Largest
errors before the rounding of the evaluation: in float32 8.1e-10 (LOG), 2.9e-8 (SIN: pi itself
rounded), 1.1e-9 (COS); in float64 1.3e-18, 4.0e-17, 5.5e-18.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["multiply_high", "multiply_high_wide", "normal_pair", "unit_interval"]

# An array of words or values, or one numpy scalar of the same type.
Bits: TypeAlias = Any
Reals: TypeAlias = Any
Longs: TypeAlias = "npt.NDArray[np.uint64]"


_HALF = np.uint64(32)
_LOW_HALF = np.uint64(0xFFFFFFFF)


class _Normal(NamedTuple):
    """Constants of `normal_pair` in one precision."""

    signed: type[Any]
    real: type[Any]
    fraction_bits: int
    fraction_mask: int
    sqrt_half: int  # the bits of sqrt(1/2)
    split: int  # those bits with the exponent of 2^(B-1) added
    sign_shift: int
    log_step: Any  # -2 ln 2
    turn: Any  # 2^-B
    log: tuple[Any, ...]  # constant term first
    sin: tuple[Any, ...]
    cos: tuple[Any, ...]


def _reals(real: type[Any], *hexadecimal: str) -> tuple[Any, ...]:
    return tuple(real(float.fromhex(digits)) for digits in hexadecimal)


_NORMAL32 = _Normal(
    signed=np.int32,
    real=np.float32,
    fraction_bits=23,
    fraction_mask=0x7FFFFF,
    sqrt_half=0x3F3504F3,
    split=0x3F3504F3 + (31 << 23),
    sign_shift=31,
    log_step=np.float32(float.fromhex("-0x1.62e430p+0")),
    turn=np.float32(2.0**-32),
    log=_reals(np.float32, "-0x1p+2", "-0x1.55557ap+0", "-0x1.995ed8p-1", "-0x1.31e03cp-1"),
    sin=_reals(
        np.float32,
        *("0x1.921fb6p+1", "-0x1.4abbf0p+2", "0x1.466f3ep+1", "-0x1.32e974p-1", "0x1.4701dep-4"),
    ),
    cos=_reals(
        np.float32,
        *("0x1p+0", "-0x1.3bd3ccp+2", "0x1.03c1d4p+2"),
        *("-0x1.55cd26p+0", "0x1.e0a1e2p-3", "-0x1.889fc6p-6"),
    ),
)

_NORMAL64 = _Normal(
    signed=np.int64,
    real=np.float64,
    fraction_bits=52,
    fraction_mask=0xFFFFFFFFFFFFF,
    sqrt_half=0x3FE6A09E667F3BCD,
    split=0x3FE6A09E667F3BCD + (63 << 52),
    sign_shift=63,
    log_step=np.float64(float.fromhex("-0x1.62e42fefa39efp+0")),
    turn=np.float64(2.0**-64),
    log=_reals(
        np.float64,
        *("-0x1p+2", "-0x1.5555555555592p+0", "-0x1.999999997ff4ep-1", "-0x1.24924941dd2e9p-1"),
        *("-0x1.c71c52181c965p-2", "-0x1.74663c1ebe07ap-2"),
        *("-0x1.39a1fd8d6f14bp-2", "-0x1.2f02ee410ba10p-2"),
    ),
    sin=_reals(
        np.float64,
        *("0x1.921fb54442d18p+1", "-0x1.4abbce625be0fp+2", "0x1.466bc67757ff6p+1"),
        *("-0x1.32d2cce4ddd0cp-1", "0x1.507833e7530cfp-4", "-0x1.e306fb7c73ba5p-8"),
        *("0x1.e8db7786c97a5p-12", "-0x1.6bda9f2a76b1bp-16", "0x1.2ad03bb1f118ep-21"),
    ),
    cos=_reals(
        np.float64,
        *("0x1p+0", "-0x1.3bd3cc9be45dcp+2", "0x1.03c1f081b599ap+2"),
        *("-0x1.55d3c7e3bf6c1p+0", "0x1.e1f50680e2150p-3", "-0x1.a6d1efa7c487ep-6"),
        *("0x1.f9d2485359976p-10", "-0x1.b693569ebebe0p-14", "0x1.16529c1a6aa5fp-18"),
    ),
)


def unit_interval(bits: Bits) -> Reals:
    """Return values in [0, 1): float32 from the top 24 of 32 bits, float64 from 53 of 64."""
    if bits.dtype.itemsize == 4:
        return (bits >> 8).view(np.int32).astype(np.float32) * np.float32(2.0**-24)
    return (bits >> 11).view(np.int64).astype(np.float64) * np.float64(2.0**-53)


def normal_pair(radius: Bits, angle: Bits) -> tuple[Reals, Reals]:
    """Return two independent standard normals for each two words, both uint32 or both uint64.

    The largest magnitude is sqrt(2 B ln 2): 6.66 for float32, 9.42 for float64. The error is below
    2.5 machine epsilons of the pair's radius.
    """
    c = _NORMAL32 if radius.dtype.itemsize == 4 else _NORMAL64
    x = (radius >> 1).view(c.signed).astype(c.real) + c.real(0.5)
    b = x.view(c.signed) - c.split
    e = (b >> c.fraction_bits).astype(c.real)
    m = ((b & c.fraction_mask) + c.sqrt_half).view(c.real)
    s = (m - c.real(1)) / (m + c.real(1))
    r = np.sqrt(e * c.log_step + s * _polynomial(s * s, c.log))
    r = (r.view(radius.dtype) ^ (radius << c.sign_shift)).view(c.real)
    t = angle.view(c.signed).astype(c.real) * c.turn
    z = t * t
    return r * _polynomial(z, c.cos), r * (t * _polynomial(z, c.sin))


def _polynomial(z: Reals, coefficients: tuple[Any, ...]) -> Reals:
    """Evaluate by Horner's rule; the constant term comes first in `coefficients`."""
    y = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        y = y * z + coefficient
    return y


def multiply_high(bits: Longs, span: int) -> Longs:
    """Return floor(bits * span / 2^64) for uint64 `bits` and 1 <= span <= 2^32."""
    factor = np.uint64(span)
    low_part = ((bits & _LOW_HALF) * factor) >> _HALF
    return ((bits >> _HALF) * factor + low_part) >> _HALF


def multiply_high_wide(bits: Longs, lower: Longs, span: int) -> Longs:
    """Return floor((bits * 2^64 + lower) * span / 2^128) for 1 <= span <= 2^64."""
    if span == 1 << 64:
        return bits.copy()
    product_low = bits * np.uint64(span)
    carry = product_low + _high_word(lower, span) < product_low
    return _high_word(bits, span) + carry.astype(np.uint64)


def _high_word(x: Longs, span: int) -> Longs:
    """Return the upper 64 bits of the products x * span, from products of 32-bit halves."""
    x_high, x_low = x >> _HALF, x & _LOW_HALF
    high, low = np.uint64(span >> 32), np.uint64(span & 0xFFFFFFFF)
    cross = x_low * high
    middle = ((x_low * low) >> _HALF) + (cross & _LOW_HALF) + x_high * low
    top: Longs = x_high * high + (cross >> _HALF) + (middle >> _HALF)
    return top
