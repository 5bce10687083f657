"""What is drawn from the random stream itself: uniform, normal, integers, orders, masks."""

from __future__ import annotations

import math
import operator
from typing import Any, Final

import numpy as np

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.ops import philox
from dualgraph.ops.apply import apply
from dualgraph.ops.creation import new_shape
from dualgraph.ops.define import as_tensor, check_tensor, floating, to_dtype
from dualgraph.ops.elementwise import add, multiply, subtract
from dualgraph.ops.generator import (
    Generator,
    draw,
    get_rng_state,
    seed,
    set_rng_state,
)
from dualgraph.ops.logic import less_equal, less_than, logical_or, select
from dualgraph.ops.manipulation import ShapeLike
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor

__all__ = [
    "Generator",
    "get_rng_state",
    "keep_mask",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
    "standard_normal",
    "uniform",
]

Shape = tuple[int, ...]
_LIMIT: Final = 1 << 64


def _floats(op_name: str, dtype: DTypeLike | None) -> np.dtype[Any]:
    """The floating dtype asked for, or the default; TypeError for another."""
    found = dtypes.as_numpy(dtype)
    if not dtypes.is_floating(found):
        given = f"dtype is {found.name}"
        raise TypeError(message(op_name, given, "expected a floating type"))
    return found


# -- uniform --------------------------------------------------------------------------------------


def _drawn(*_: Any, shape: Shape, dtype: np.dtype[Any]) -> tuple[Shape, np.dtype[Any]]:
    return shape, dtype


@op(infer=_drawn)
def _rand(seed: int, offset: int, *, shape: Shape, dtype: np.dtype[Any]) -> Array:
    return philox.uniform(seed, offset, math.prod(shape), dtype).reshape(shape)


def _rand_of(shape: Shape, dtype: np.dtype[Any]) -> Tensor:
    return draw(_rand, math.prod(shape), dtype, (), {"shape": shape, "dtype": dtype})


def rand(shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """Values uniform in [0, 1), of the default dtype unless a floating one is given.

    A shape is an int, a list of ints and 0-d tensors, or a 1-d tensor. ValueError for a negative
    size, TypeError for what is no shape or another dtype.

    >>> import dualgraph as dg
    >>> dg.rand([2, 3]).shape
    [2, 3]
    """
    return _rand_of(new_shape("rand", shape), _floats("rand", dtype))


def rand_like(x: Tensor, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """Values uniform in [0, 1) in x's shape, and in its dtype unless a floating one is given.

    TypeError if x is no Tensor or the dtype is not floating.

    >>> import dualgraph as dg
    >>> dg.rand_like(dg.zeros([3])).shape
    [3]
    """
    data = check_tensor("rand_like", x)._data
    return _rand_of(data.shape, _floats("rand_like", data.dtype if dtype is None else dtype))


def _expand_uniform(
    seed: Any, offset: Any, low: Any, high: Any, *, shape: Shape, dtype: np.dtype[Any]
) -> Tensor:
    u = apply(_rand, (seed, offset), {"shape": shape, "dtype": dtype})
    first, last = (to_dtype(as_tensor("uniform", v), dtype) for v in (low, high))
    out = add(multiply(u, subtract(last, first)), first)
    return select(logical_or(less_than(out, last), less_equal(last, first)), out, first)


@op(expand=_expand_uniform, infer=_drawn)
def _uniform(
    seed: int, offset: int, low: Any, high: Any, *, shape: Shape, dtype: np.dtype[Any]
) -> Array:
    u = philox.uniform(seed, offset, math.prod(shape), dtype).reshape(shape)
    first, last = (np.asarray(v).reshape(()).astype(dtype) for v in (low, high))
    out = u * (last - first) + first
    # Rounding can make the upper bound of what lies just below it.
    return np.where((out < last) | (last <= first), out, first)


def uniform(
    shape: ShapeLike,
    dtype: DTypeLike | None = None,
    min: float = 0.0,
    max: float = 1.0,
    seed: int = 0,
    name: str | None = None,
) -> Tensor:
    """Values uniform in [min, max), of the default dtype unless a floating one is given.

    A `seed` other than 0 draws from the start of a stream of its own, and so always the same.
    Shapes and errors as `rand`.

    >>> import dualgraph as dg
    >>> x = dg.uniform([100], min=2.0, max=3.0)
    >>> bool((x >= 2.0).all()), bool((x < 3.0).all())
    (True, True)
    """
    sizes = new_shape("uniform", shape)
    return _uniform_of(sizes, _floats("uniform", dtype), min, max, seed)


def _uniform_of(shape: Shape, dtype: np.dtype[Any], low: Any, high: Any, seed: int) -> Tensor:
    attrs = {"shape": shape, "dtype": dtype}
    if seed:
        return apply(_uniform, (operator.index(seed) % _LIMIT, 0, low, high), attrs)
    return draw(_uniform, math.prod(shape), dtype, (low, high), attrs)


@op(infer=lambda *_, shape: (shape, np.dtype(np.bool_)))
def _keep_mask(seed: int, offset: int, p: float, *, shape: Shape) -> Array:
    return philox.uniform(seed, offset, math.prod(shape)).reshape(shape) >= p


def keep_mask(shape: Shape, p: float) -> Tensor:
    """Bools of a shape, each false with probability p: what dropout keeps. p lies in [0, 1].

    >>> from dualgraph.ops.random import keep_mask
    >>> keep_mask((3,), 0.0).tolist()
    [True, True, True]
    """
    return draw(_keep_mask, math.prod(shape), None, (p,), {"shape": shape})


# -- normal ---------------------------------------------------------------------------------------


@op(infer=_drawn)
def _randn(seed: int, offset: int, *, shape: Shape, dtype: np.dtype[Any]) -> Array:
    return philox.normal(seed, offset, math.prod(shape), dtype).reshape(shape)


def randn_of(shape: Shape, dtype: np.dtype[Any]) -> Tensor:
    """Standard normal values of a shape and a floating dtype."""
    return draw(_randn, math.prod(shape), dtype, (), {"shape": shape, "dtype": dtype})


def randn(shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """Values from the normal distribution of mean 0 and variance 1.

    Shapes, dtypes and errors as `rand`.

    >>> import dualgraph as dg
    >>> dg.randn([2, 3]).shape
    [2, 3]
    """
    return randn_of(new_shape("randn", shape), _floats("randn", dtype))


def standard_normal(
    shape: ShapeLike, dtype: DTypeLike | None = None, name: str | None = None
) -> Tensor:
    """Values from the normal distribution of mean 0 and variance 1: `randn` under another name.

    >>> import dualgraph as dg
    >>> dg.standard_normal([2, 3]).shape
    [2, 3]
    """
    return randn_of(new_shape("standard_normal", shape), _floats("standard_normal", dtype))


def randn_like(x: Tensor, dtype: DTypeLike | None = None, name: str | None = None) -> Tensor:
    """Standard normal values in x's shape, and in its dtype unless a floating one is given.

    TypeError if x is no Tensor or the dtype is not floating.

    >>> import dualgraph as dg
    >>> dg.randn_like(dg.zeros([3])).shape
    [3]
    """
    data = check_tensor("randn_like", x)._data
    return randn_of(data.shape, _floats("randn_like", data.dtype if dtype is None else dtype))


def normal(
    mean: float | Tensor = 0.0,
    std: float | Tensor = 1.0,
    shape: ShapeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """Values from normal distributions of given means and standard deviations.

    Numbers need a shape and give the default dtype. Tensors give their own shape, broadcast, and
    dtype, and gradients flow to them. Shapes and errors as `rand`; ValueError if there is no shape.

    >>> import dualgraph as dg
    >>> dg.normal(5.0, 0.1, [2, 3]).shape, dg.normal(dg.zeros([4])).shape
    ([2, 3], [4])
    """
    return _normal_of("normal", mean, std, shape)


def _normal_of(op_name: str, mean: Any, std: Any, shape: Any) -> Tensor:
    given = [floating(op_name, v) for v in (mean, std) if isinstance(v, Tensor)]
    if given:
        sizes = np.broadcast_shapes(*[v._data.shape for v in given])
        dtype = np.result_type(*[v._data.dtype for v in given])
    elif shape is None:
        raise ValueError(message(op_name, "mean and std are numbers", "expected a shape, too"))
    else:
        sizes, dtype = new_shape(op_name, shape), dtypes.default_float()
    return add(multiply(randn_of(sizes, dtype), std), mean)


# -- integers -------------------------------------------------------------------------------------


@op(infer=_drawn)
def _randint(
    seed: int, offset: int, low: int, high: int, *, shape: Shape, dtype: np.dtype[Any]
) -> Array:
    return philox.integers(seed, offset, math.prod(shape), low, high, dtype).reshape(shape)


def _randint_of(op_name: str, low: Any, high: Any, shape: Shape, dtype: np.dtype[Any]) -> Tensor:
    if high is None:
        low, high = 0, low
    try:
        first, last = operator.index(low), operator.index(high)
    except TypeError:
        given = f"low is {describe(low)}, high is {describe(high)}"
        raise TypeError(message(op_name, given, "expected ints")) from None
    limits = np.iinfo(dtype)
    if not limits.min <= first < last <= int(limits.max) + 1:
        given = f"low is {first}, high is {last}"
        expected = f"expected low < high, both within {dtype.name}"
        raise ValueError(message(op_name, given, expected))
    attrs = {"shape": shape, "dtype": dtype}
    return draw(_randint, math.prod(shape), dtype, (first, last), attrs)


def randint(
    low: int = 0,
    high: int | None = None,
    shape: ShapeLike = (1,),
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """Integers uniform in [low, high), or in [0, low) given one bound; int64 unless told.

    ValueError for an empty range, one that the dtype cannot hold or a negative size; TypeError for
    what is no int, no shape or no integer type.

    >>> import dualgraph as dg
    >>> dg.randint(5, 6, [3]).tolist()
    [5, 5, 5]
    """
    sizes = new_shape("randint", shape)
    number_type = dtypes.int64.numpy if dtype is None else dtypes.as_numpy(dtype)
    if number_type.kind not in "iu":
        given = f"dtype is {number_type.name}"
        raise TypeError(message("randint", given, "expected an integer type"))
    return _randint_of("randint", low, high, sizes, number_type)


def randint_like(
    x: Tensor,
    low: int = 0,
    high: int | None = None,
    dtype: DTypeLike | None = None,
    name: str | None = None,
) -> Tensor:
    """Integers uniform in [low, high), or in [0, low), in x's shape, and its dtype unless told.

    ValueError for an empty range, TypeError for what is no int or no Tensor.

    >>> import dualgraph as dg
    >>> dg.randint_like(dg.zeros([2]), 3, 4).tolist()
    [3.0, 3.0]
    """
    data = check_tensor("randint_like", x)._data
    wanted = data.dtype if dtype is None else dtypes.as_numpy(dtype)
    drawn = wanted if wanted.kind in "iu" else dtypes.int64.numpy
    return to_dtype(_randint_of("randint_like", low, high, data.shape, drawn), wanted)


@op(infer=lambda *_, n, dtype: ((n,), dtype))
def _randperm(seed: int, offset: int, *, n: int, dtype: np.dtype[Any]) -> Array:
    return philox.permutation(seed, offset, n).astype(dtype, copy=False)


def randperm(n: int, dtype: DTypeLike = "int64", name: str | None = None) -> Tensor:
    """The numbers 0 to n - 1 in random order, as int64 unless a dtype is given.

    ValueError for a negative n, TypeError for what is no int.

    >>> import dualgraph as dg
    >>> sorted(dg.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    (size,) = new_shape("randperm", [n])
    return draw(_randperm, size, None, (), {"n": size, "dtype": dtypes.as_numpy(dtype)})
