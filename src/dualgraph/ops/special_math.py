"""The error function and its inverse, which numpy does not have, as formulas on arrays.

Every formula is a sequence of + - * /, sqrt, exp and log, one branch chosen at the end, so that a
compiled kernel can do the same. nan gives nan.

`erf`, with t = x * x and a = |x|, has an error of at most 1.7 ulp in float32, 1.1 in float64:

    a < 27/32    x + x * R(t)
    otherwise    1 - exp(Q(min(a, limit))), with the sign of x

In float64, R is the rational function of Sun's s_erf.c (fdlibm, 1993) and exp(Q(a)) is
exp(-a * a) C(a) / D(a) of Cody, "Rational Chebyshev approximations for the error function" (Math.
Comp. 23, 1969); limit is 6. In float32, R and Q are polynomials, minimax in the relative error of
erf, found by Remez exchange in 40 digits and rounded from the constant term on with the rest fitted
anew after each rounding; their own errors are below 2^-27 and 2^-28, and limit is 3.95.

`erfinv` is the normal quantile of Wichura, "Algorithm AS 241" (Appl. Statist. 37, 1988), PPND16,
with its central variable p - 1/2 = x / 2 and its tail 1 - p = (1 - |x|) / 2, which are exact:
about 1e-16 in relative error. It is computed in float64 for every dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph.tensor import Array

__all__ = ["erf", "erfinv", "in_blocks"]

# Coefficients have the constant term first.
_SPLIT = 27 / 32


def _hexadecimal(*digits: str) -> tuple[float, ...]:
    return tuple(map(float.fromhex, digits))


_SMALL_32 = _hexadecimal(
    *("0x1.06eba8p-3", "-0x1.812728p-2", "0x1.ce25e8p-4"),
    *("-0x1.b73f58p-6", "0x1.4bbc48p-8", "-0x1.4e3b50p-11"),
)
_LARGE_32 = _hexadecimal(
    *("-0x1.9a519ep-14", "-0x1.20ca84p+0", "-0x1.45df0ep-1", "-0x1.ac5510p-4"),
    *("0x1.7157cep-6", "-0x1.997aeap-9", "0x1.ac864cp-13"),
)
_SMALL_OVER = (
    *(1.28379167095512558561e-1, -3.25042107247001499370e-1, -2.84817495755985104766e-2),
    *(-5.77027029648944159157e-3, -2.37630166566501626084e-5),
)
_SMALL_UNDER = (
    *(1.0, 3.97917223959155352819e-1, 6.50222499887672944485e-2),
    *(5.08130628187576562776e-3, 1.32494738004321644526e-4, -3.96022827877536812320e-6),
)
_LARGE_OVER = (
    *(1.23033935479799725e3, 2.05107837782607147e3, 1.71204761263407058e3),
    *(8.81952221241769090e2, 2.98635138197400131e2, 6.61191906371416295e1),
    *(8.88314979438837594e0, 5.64188496988670089e-1, 2.15311535474403846e-8),
)
_LARGE_UNDER = (
    *(1.23033935480374942e3, 3.43936767414372164e3, 4.36261909014324716e3),
    *(3.29079923573345963e3, 1.62138957456669019e3, 5.37181101862009858e2),
    *(1.17693950891312499e2, 1.57449261107098347e1, 1.0),
)
_CENTRE_OVER = (
    *(3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3),
    *(1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4),
    *(3.3430575583588128105e4, 2.5090809287301226727e3),
)
_CENTRE_UNDER = (
    *(1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3),
    *(2.1213794301586595867e4, 3.9307895800092710610e4),
    *(2.8729085735721942674e4, 5.2264952788528545610e3),
)
_MIDDLE_OVER = (
    *(1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0),
    *(3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1),
    *(2.27238449892691845833e-2, 7.74545014278341407640e-4),
)
_MIDDLE_UNDER = (
    *(1.0, 2.05319162663775882187e0, 1.67638483018380384940e0),
    *(6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2),
    *(5.47593808499534494600e-4, 1.05075007164441684324e-9),
)
_TAIL_OVER = (
    *(6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0),
    *(2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3),
    *(2.71155556874348757815e-5, 2.01033439929228813265e-7),
)
_TAIL_UNDER = (
    *(1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1),
    *(1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5),
    *(1.42151175831644588870e-7, 2.04426310338993978564e-15),
)

# Elements worked on at a time, so that the intermediate values stay in the cache.
_BLOCK = 1 << 14


def _polynomial(z: Any, coefficients: tuple[float, ...]) -> Any:
    """Evaluate by Horner's rule."""
    y = z * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        y += coefficient
        y *= z
    y += coefficients[0]
    return y


def in_blocks(function: Callable[[Array], Any], x: Array) -> Any:
    """Apply an elementwise function of many steps, a part of a large array at a time."""
    if x.size <= _BLOCK:
        return function(x)
    flat = x.reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        out[part] = function(flat[part])
    return out.reshape(x.shape)


def erf(x: Array) -> Any:
    """The error function of a float32 or float64 array."""
    return in_blocks(_erf32 if x.dtype.itemsize == 4 else _erf64, x)


def _erf32(x: Array) -> Any:
    a = np.abs(x)
    large = 1 - np.exp(_polynomial(np.minimum(a, 3.95), _LARGE_32))
    return np.where(a < _SPLIT, _near_zero(x, _polynomial(x * x, _SMALL_32)), np.copysign(large, x))


def _erf64(x: Array) -> Any:
    a, t = np.abs(x), x * x
    small = _near_zero(x, _polynomial(t, _SMALL_OVER) / _polynomial(t, _SMALL_UNDER))
    a6 = np.minimum(a, 6)
    quotient = _polynomial(a6, _LARGE_OVER) / _polynomial(a6, _LARGE_UNDER)
    return np.where(a < _SPLIT, small, np.copysign(1 - np.exp(-(a6 * a6)) * quotient, x))


def _near_zero(x: Array, factor: Any) -> Any:
    factor *= x
    factor += x
    return factor


def erfinv(x: Array) -> Any:
    """The inverse of the error function, in float64: infinite at -1 and 1, nan beyond."""
    x = x.astype(np.float64)
    q = x / 2
    r = 0.180625 - q * q
    centre = q * _polynomial(r, _CENTRE_OVER) / _polynomial(r, _CENTRE_UNDER)
    r = np.sqrt(-np.log((1 - np.abs(x)) / 2))
    m, t = r - 1.6, np.minimum(r, 8) - 5
    middle = _polynomial(m, _MIDDLE_OVER) / _polynomial(m, _MIDDLE_UNDER)
    tail = _polynomial(t, _TAIL_OVER) / _polynomial(t, _TAIL_UNDER)
    outer = np.copysign(np.where(r <= 5, middle, tail), x)
    inner = np.where(np.abs(q) <= 0.425, centre, outer) * np.sqrt(0.5)
    return np.where(np.abs(x) == 1, np.copysign(np.inf, x), inner)
