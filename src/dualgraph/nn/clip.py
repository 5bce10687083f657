"""Gradient clipping: what an optimizer does to gradients before it uses them, its `grad_clip`."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from dualgraph.autograd.mode import no_grad
from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply, commit
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor, wrap

__all__ = [
    "ClipGradBase",
    "ClipGradByGlobalNorm",
    "ClipGradByNorm",
    "ClipGradByValue",
    "scale_gradients",
    "total_norm",
]

Pairs: TypeAlias = "list[tuple[Tensor, Tensor]]"


def _square_sum(g: Array) -> float:
    flat = g.reshape(-1) if g.dtype.itemsize > 2 else g.reshape(-1).astype(np.float32)
    return float(np.dot(flat, flat))


def _norm_type(grads: Sequence[Any]) -> np.dtype[Any]:
    wide = any(g.dtype == np.float64 for g in grads)
    return np.dtype(np.float64 if wide else np.float32)


def _expand_total_norm(*grads: Any, order: float) -> Tensor:
    wide = _norm_type([g._data for g in grads])
    sizes: list[Any] = [g.astype(wide).abs() for g in grads]
    if order == math.inf:
        parts = [size.max() for size in sizes]
        greatest: Tensor = functools.reduce(lambda x, y: x.maximum(y), parts)
        return greatest
    if order == 0:
        parts = [(size.sum() > 0).astype(wide) for size in sizes]
    else:
        parts = [(size if order == 1 else size * size).sum() for size in sizes]
    total: Tensor = functools.reduce(lambda x, y: x + y, parts)
    return total.sqrt() if order == 2 else total


@op(
    name="total_norm",
    expand=_expand_total_norm,
    infer=lambda *grads, order: ((), _norm_type(grads)),
)
def _total_norm(*grads: Array, order: float) -> Array:
    if order == math.inf:
        total = np.max([np.max(np.abs(g), initial=0) for g in grads])
    elif order == 0:
        total = sum(bool(g.any()) for g in grads)
    elif order == 1:
        total = math.fsum(float(np.abs(g).sum()) for g in grads)
    else:
        total = math.sqrt(sum(map(_square_sum, grads)))
    return np.array(total, _norm_type(grads))


def total_norm(grads: Sequence[Tensor], order: float = 2.0) -> Tensor:
    """The norm of all gradients together, as if they were one vector.

    A 0-d tensor of float32, or of float64 if one of them is.

    `order` is 2, 1 or inf, or 0 for the number of gradients that are not zero.
    """
    return apply(_total_norm, grads, {"order": float(order)})


def _expand_scale(*arguments: Any) -> tuple[Tensor, ...]:
    *grads, factor = arguments
    return tuple(g * factor.astype(g.dtype) for g in grads)


@op(
    name="scale_gradients",
    expand=_expand_scale,
    infer=lambda *specs: [(g.shape, g.dtype) for g in specs[:-1]],
)
def _scale_gradients(*arrays: Array) -> None:
    *grads, factor = arrays
    value = factor.item()
    for g in grads:
        np.multiply(g, value, out=g)


def scale_gradients(grads: Sequence[Tensor], factor: Tensor) -> None:
    """Multiply each gradient by a 0-d tensor, in place."""
    commit(_scale_gradients, grads, (factor,))


def _expand_clip_by_norm(g: Any, limit: float) -> Tensor:
    norm = (g * g).sum().sqrt()
    factor = (norm > limit).where(limit / norm, wrap(np.ones((), norm._data.dtype)))
    out: Tensor = g * factor
    return out


@op(name="clip_by_norm", expand=_expand_clip_by_norm)
def _clip_by_norm(g: Array, limit: float) -> Any:
    norm = math.sqrt(_square_sum(g))
    return np.multiply(g, limit / norm if norm > limit else 1.0)


class ClipGradBase:
    """Base of the clips: called with (parameter, gradient) pairs, it returns them clipped.

    Pairs without a gradient are left out, and parameters with `need_clip=False` keep theirs as they
    are.
    """

    def __call__(self, params_grads: Sequence[tuple[Tensor, Tensor | None]]) -> Pairs:
        """The pairs with gradients that are clipped."""
        pairs = [(p, g) for p, g in params_grads if g is not None]
        with no_grad():
            return self._clip(pairs)

    def _clip(self, pairs: Pairs) -> Pairs:
        return [(p, self._clip_one(g) if _needs_clip(p) else g) for p, g in pairs]

    def _clip_one(self, g: Tensor) -> Tensor:
        """A clipped copy of one gradient; what a derived class writes."""
        given = f"{type(self).__name__} has no _clip_one"
        raise NotImplementedError(message("clip", given, "", "use ClipGradByGlobalNorm or another"))


def _needs_clip(parameter: Tensor) -> bool:
    return getattr(parameter, "need_clip", True) is not False


class ClipGradByValue(ClipGradBase):
    """Bring each element of each gradient between `min` and `max`; `min` is `-max` unless given.

    TypeError unless they are numbers; ValueError if `max` is not positive and `min` is not given,
    or is less than `min`.

    >>> import dualgraph as dg
    >>> clip = dg.nn.ClipGradByValue(1.0)
    >>> p = dg.nn.Parameter([0.0, 0.0])
    >>> [(_, g)] = clip([(p, dg.to_tensor([0.5, -3.0]))])
    >>> g.tolist()
    [0.5, -1.0]
    """

    def __init__(self, max: float, min: float | None = None) -> None:
        name = type(self).__name__
        self.max = _number(name, "max", max)
        if min is None and self.max <= 0:
            raise ValueError(message(name, f"max is {max}", "expected more than 0, or min as well"))
        self.min = -self.max if min is None else _number(name, "min", min)
        if self.min > self.max:
            raise ValueError(message(name, f"min is {min}, max is {max}", "expected min <= max"))

    def _clip_one(self, g: Tensor) -> Tensor:
        out: Tensor = g.clip(self.min, self.max)
        return out

    def __repr__(self) -> str:
        return f"{type(self).__name__}(max={self.max}, min={self.min})"


class ClipGradByNorm(ClipGradBase):
    """Scale each gradient whose own norm is greater than `clip_norm` down to it.

    TypeError unless `clip_norm` is a number, ValueError unless it is positive.

    >>> import dualgraph as dg
    >>> clip = dg.nn.ClipGradByNorm(1.0)
    >>> p = dg.nn.Parameter([0.0, 0.0])
    >>> [(_, g)] = clip([(p, dg.to_tensor([6.0, -8.0]))])
    >>> g.tolist()
    [0.6000000238418579, -0.800000011920929]
    """

    def __init__(self, clip_norm: float) -> None:
        self.clip_norm = _positive(type(self).__name__, "clip_norm", clip_norm)

    def _clip_one(self, g: Tensor) -> Tensor:
        return apply(_clip_by_norm, (g, self.clip_norm))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(clip_norm={self.clip_norm})"


class ClipGradByGlobalNorm(ClipGradBase):
    """Scale all gradients by one factor so that the norm of them together is at most `clip_norm`.

    The gradients themselves are overwritten, as in Paddle. With parameter groups each group has its
    own norm. `auto_skip_clip` looks at the norm first and leaves gradients alone that are small
    enough. TypeError unless `clip_norm` is a number, ValueError unless it is positive. Source:
    Pascanu et al., "On the difficulty of training recurrent neural networks", 2013.

    >>> import dualgraph as dg
    >>> clip = dg.nn.ClipGradByGlobalNorm(1.0)
    >>> p, q = dg.nn.Parameter([0.0]), dg.nn.Parameter([0.0])
    >>> pairs = clip([(p, dg.to_tensor([6.0])), (q, dg.to_tensor([-8.0]))])
    >>> [round(g.item(), 6) for _, g in pairs]
    [0.6, -0.8]
    """

    def __init__(
        self, clip_norm: float, group_name: str = "default_group", auto_skip_clip: bool = False
    ) -> None:
        name = type(self).__name__
        self.clip_norm = _positive(name, "clip_norm", clip_norm)
        if not isinstance(auto_skip_clip, bool):
            given = f"auto_skip_clip is {describe(auto_skip_clip)}"
            raise TypeError(message(name, given, "expected a bool"))
        self.group_name = group_name
        self.auto_skip_clip = auto_skip_clip

    def _clip(self, pairs: Pairs) -> Pairs:
        grads = [g for p, g in pairs if _needs_clip(p)]
        if grads:
            norm = total_norm(grads)
            if not self.auto_skip_clip or norm > self.clip_norm:
                scale_gradients(grads, self.clip_norm / norm.maximum(self.clip_norm))
        return pairs

    def __repr__(self) -> str:
        return f"{type(self).__name__}(clip_norm={self.clip_norm})"


def _number(name: str, argument: str, value: Any) -> float:
    if not isinstance(value, (int, float)):
        given = f"{argument} is {describe(value)}"
        raise TypeError(message(name, given, "expected an int or float"))
    return float(value)


def _positive(name: str, argument: str, value: Any) -> float:
    number = _number(name, argument, value)
    if not number > 0:
        raise ValueError(message(name, f"{argument} is {value}", "expected more than 0"))
    return number
