"""Draws whose chances tensors give, and tensors overwritten with draws.

Poisson, binomial and gamma draws use up as much of a stream as the values happen to need. So they
come from numpy's generators over a Philox stream of their own, whose key is the seed and the
offset; the offset moves on by the size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops import philox
from dualgraph.ops.apply import apply
from dualgraph.ops.define import check_tensor, floating, to_dtype
from dualgraph.ops.elementwise import exp
from dualgraph.ops.generator import draw
from dualgraph.ops.interchange import replace_values
from dualgraph.ops.logic import less_than
from dualgraph.ops.manipulation import ShapeLike, detach, reshape
from dualgraph.ops.random import normal, rand, randn_of, uniform
from dualgraph.ops.registry import OPS, op
from dualgraph.ops.scan import cumsum
from dualgraph.ops.slicing import pick
from dualgraph.ops.sorting import searchsorted, topk
from dualgraph.tensor import Array, Tensor

__all__ = [
    "bernoulli",
    "bernoulli_",
    "binomial",
    "exponential_",
    "log_normal",
    "log_normal_",
    "multinomial",
    "normal_",
    "poisson",
    "standard_gamma",
    "uniform_",
]

Shape = tuple[int, ...]


# -- chances --------------------------------------------------------------------------------------


def _expand_bernoulli(
    seed: Any, offset: Any, p: Any, *, shape: Shape, dtype: np.dtype[Any], words: np.dtype[Any]
) -> Tensor:
    u = apply(OPS["rand"], (seed, offset), {"shape": shape, "dtype": words})
    return to_dtype(less_than(u, p), dtype)


@op(
    expand=_expand_bernoulli,
    infer=lambda *_, shape, dtype, words: (shape, dtype),
)
def _bernoulli(
    seed: int, offset: int, p: Any, *, shape: Shape, dtype: np.dtype[Any], words: np.dtype[Any]
) -> Any:
    if not np.all((p >= np.zeros((), words)) & (p <= np.ones((), words))):
        raise ValueError(message("bernoulli", "a probability is outside [0, 1], or nan"))
    u = philox.uniform(seed, offset, math.prod(shape), words).reshape(shape)
    return (u < p).astype(dtype)


def bernoulli(x: Tensor, p: float | None = None, name: str | None = None) -> Tensor:
    """Ones with the probabilities that x holds (or, given p, all with that), and zeros.

    In x's shape and dtype.     No gradient flows. ValueError for a probability outside [0, 1],
    TypeError if x is no Tensor.

    >>> import dualgraph as dg
    >>> dg.bernoulli(dg.to_tensor([0.0, 1.0])).tolist()
    [0.0, 1.0]
    """
    return _bernoulli_of("bernoulli", x, x if p is None else p)


def _bernoulli_of(op_name: str, x: Tensor, p: Any) -> Tensor:
    """Zeros and ones in the shape and dtype of x, with probabilities p."""
    data = check_tensor(op_name, x)._data
    words = data.dtype if dtypes.is_floating(data.dtype) else dtypes.default_float()
    if isinstance(p, Tensor):
        p = to_dtype(p, words)
    attrs = {"shape": data.shape, "dtype": data.dtype, "words": words}
    return draw(_bernoulli, data.size, words, (p,), attrs)


@op(expand=lambda x, *, needed: to_dtype(x, dtypes.float64.numpy))
def _weights(x: Array, *, needed: int) -> Array:
    """Weights as float64: finite, not negative, and at least so many of each row not 0."""
    if not (np.isfinite(x) & (x >= 0)).all():
        raise ValueError(message("multinomial", "a weight is negative, infinite or nan"))
    least = np.count_nonzero(x, axis=-1).min(initial=x.shape[-1])
    if least < needed:
        given = f"a row has {least} weights that are not 0"
        raise ValueError(message("multinomial", given, f"expected at least {needed}"))
    return x.astype(np.float64)


def multinomial(
    x: Tensor, num_samples: int = 1, replacement: bool = False, name: str | None = None
) -> Tensor:
    """Indices drawn by the weights in x [n] or [rows, n]: int64 [num_samples], or one row each.

    Without replacement no index comes twice, and each draw is by weight among those left: the first
    arrivals of exponential clocks (Efraimidis and Spirakis, "Weighted random sampling with a
    reservoir", 2006). ValueError for other shapes, weights that are negative or not finite, a row
    with fewer weights other than 0 than are to be drawn.

    >>> import dualgraph as dg
    >>> dg.multinomial(dg.to_tensor([0.0, 3.0, 0.0]), 2, replacement=True).tolist()
    [1, 1]
    """
    x = detach(floating("multinomial", check_tensor("multinomial", x)))
    if not 1 <= x.ndim <= 2:
        raise ValueError(message("multinomial", f"x is {describe(x)}", "expected [n] or [rows, n]"))
    count = int(num_samples)
    if count < 1:
        raise ValueError(message("multinomial", f"num_samples is {count}", "expected 1 or more"))
    weights = apply(_weights, (x,), {"needed": 1 if replacement else count})
    *batch, n = weights._data.shape
    if replacement:
        bounds = cumsum(weights, -1)
        total = pick(bounds, (*[(0, rows, 1) for rows in batch], (n - 1, n, 1)))
        points = rand([*batch, count], "float64") * total
        return searchsorted(bounds, points, right=True)
    return topk(_exponential((*batch, n), np.dtype(np.float64)) / weights, count, -1, False).indices


def _exponential(shape: Shape, dtype: np.dtype[Any]) -> Tensor:
    """Exponential values of mean 1: half the squared length of a normal pair."""
    z = randn_of((2, *shape), dtype)
    rows = [reshape(pick(z, ((i, i + 1, 1),)), shape) for i in range(2)]
    return (rows[0] * rows[0] + rows[1] * rows[1]) / 2


# -- counts and waiting times ---------------------------------------------------------------------


def _stream(seed: int, offset: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, offset]))


@op()
def _poisson(seed: int, offset: int, x: Array) -> Array:
    return np.asarray(_stream(seed, offset).poisson(x.astype(np.float64))).astype(x.dtype)


@op(infer=lambda _seed, _offset, n, p: (np.broadcast_shapes(n.shape, p.shape), dtypes.int64.numpy))
def _binomial(seed: int, offset: int, n: Array, p: Array) -> Array:
    drawn = _stream(seed, offset).binomial(n.astype(np.int64), p.astype(np.float64))
    return np.asarray(drawn, np.int64)


@op()
def _standard_gamma(seed: int, offset: int, x: Array) -> Array:
    return np.asarray(_stream(seed, offset).standard_gamma(x.astype(np.float64))).astype(x.dtype)


def poisson(x: Tensor, name: str | None = None) -> Tensor:
    """Counts from Poisson distributions whose rates x holds, in x's shape and floating dtype.

    No gradient flows. ValueError for a rate that is negative or nan, TypeError if x is no Tensor.

    >>> import dualgraph as dg
    >>> dg.poisson(dg.zeros([3])).tolist()
    [0.0, 0.0, 0.0]
    """
    x = floating("poisson", check_tensor("poisson", x))
    return draw(_poisson, x._data.size, None, (x,), {})


def binomial(count: Tensor, prob: Tensor, name: str | None = None) -> Tensor:
    """How many of `count` trials succeed, each with probability `prob`: int64, broadcast.

    No gradient flows. ValueError for a negative count or a probability outside [0, 1], TypeError
    for what is no Tensor.

    >>> import dualgraph as dg
    >>> dg.binomial(dg.to_tensor([5, 7]), dg.to_tensor([1.0, 0.0])).tolist()
    [5, 0]
    """
    n, p = check_tensor("binomial", count, "count"), check_tensor("binomial", prob, "prob")
    size = math.prod(np.broadcast_shapes(n._data.shape, p._data.shape))
    return draw(_binomial, size, None, (n, p), {})


def standard_gamma(x: Tensor, name: str | None = None) -> Tensor:
    """Values from gamma distributions of scale 1 whose shape parameters x holds.

    In x's shape and floating dtype.     No gradient flows. ValueError for a parameter that is
    negative or nan, TypeError if x is no Tensor.

    >>> import dualgraph as dg
    >>> dg.standard_gamma(dg.zeros([2])).tolist()
    [0.0, 0.0]
    """
    x = floating("standard_gamma", check_tensor("standard_gamma", x))
    return draw(_standard_gamma, x._data.size, None, (x,), {})


def log_normal(
    mean: float | Tensor = 1.0,
    std: float | Tensor = 2.0,
    shape: ShapeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """Values whose logarithms are normal with the given mean and deviation; else as `normal`.

    >>> import dualgraph as dg
    >>> bool((dg.log_normal(0.0, 1.0, [100]) > 0).all())
    True
    """
    return exp(normal(mean, std, shape))


# -- in place -------------------------------------------------------------------------------------


def _target(op_name: str, x: Any) -> tuple[Tensor, Shape, np.dtype[Any]]:
    data = check_tensor(op_name, x)._data
    if not dtypes.is_floating(data.dtype):
        raise TypeError(message(op_name, f"x is {describe(x)}", "expected a floating type"))
    return x, data.shape, data.dtype


def uniform_(
    x: Tensor, min: float = 0.0, max: float = 1.0, seed: int = 0, name: str | None = None
) -> Tensor:
    """Overwrite x with values uniform in [min, max), as `uniform` draws them, and return x.

    TypeError unless x is floating; ValueError if x is a leaf that needs a gradient.

    >>> import dualgraph as dg
    >>> dg.zeros([3]).uniform_(2.0, 2.0).tolist()
    [2.0, 2.0, 2.0]
    """
    x, shape, dtype = _target("uniform_", x)
    return replace_values("uniform_", x, lambda: uniform(shape, dtype, min, max, seed))


def normal_(x: Tensor, mean: float = 0.0, std: float = 1.0, name: str | None = None) -> Tensor:
    """Overwrite x with normal values of the given mean and standard deviation, and return x.

    TypeError unless x is floating; ValueError if x is a leaf that needs a gradient.

    >>> import dualgraph as dg
    >>> dg.zeros([3]).normal_(2.0, 0.0).tolist()
    [2.0, 2.0, 2.0]
    """
    x, shape, dtype = _target("normal_", x)
    return replace_values("normal_", x, lambda: randn_of(shape, dtype) * std + mean)


def log_normal_(x: Tensor, mean: float = 1.0, std: float = 2.0, name: str | None = None) -> Tensor:
    """Overwrite x with values whose logarithms are normal, and return x; errors as `normal_`."""
    x, shape, dtype = _target("log_normal_", x)
    return replace_values("log_normal_", x, lambda: exp(randn_of(shape, dtype) * std + mean))


def exponential_(x: Tensor, lam: float = 1.0, name: str | None = None) -> Tensor:
    """Overwrite x with exponential values of rate `lam`, and return x.

    TypeError unless x is floating; ValueError if x is a leaf that needs a gradient.

    >>> import dualgraph as dg
    >>> bool((dg.zeros([100]).exponential_(2.0) >= 0).all())
    True
    """
    x, shape, dtype = _target("exponential_", x)
    return replace_values("exponential_", x, lambda: _exponential(shape, dtype) / lam)


def bernoulli_(x: Tensor, p: float | Tensor = 0.5, name: str | None = None) -> Tensor:
    """Overwrite x with ones, each with probability p, and zeros, and return x.

    The probability is a number or a tensor that broadcasts to x.     ValueError for a probability
    outside [0, 1], or if x is a leaf that needs a gradient.

    >>> import dualgraph as dg
    >>> dg.zeros([3]).bernoulli_(1.0).tolist()
    [1.0, 1.0, 1.0]
    """
    target = check_tensor("bernoulli_", x)
    return replace_values("bernoulli_", target, lambda: _bernoulli_of("bernoulli_", target, p))
