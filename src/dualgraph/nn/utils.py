"""Helpers for what a network learns: clipping its gradients, and its parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from dualgraph.autograd.mode import no_grad
from dualgraph.errors import describe, message
from dualgraph.nn.clip import scale_gradients, total_norm
from dualgraph.ops.apply import commit
from dualgraph.ops.joining import concat
from dualgraph.ops.registry import op
from dualgraph.tensor import Array, Tensor, wrap

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "parameters_to_vector",
    "vector_to_parameters",
]

Parameters = Tensor | Iterable[Tensor]

_ORDERS = (math.inf, 0, 1, 2)


def _listed(name: str, parameters: Any) -> list[Tensor]:
    if isinstance(parameters, Tensor):
        return [parameters]
    if not isinstance(parameters, Iterable):
        given = f"parameters is {describe(parameters)}"
        raise TypeError(message(name, given, "expected a Tensor or a list of them"))
    found = list(parameters)
    for number, parameter in enumerate(found):
        if not isinstance(parameter, Tensor):
            given = f"parameter {number} is {describe(parameter)}"
            raise TypeError(message(name, given, "expected a Tensor"))
    return found


def _gradients(name: str, parameters: Any) -> list[Tensor]:
    return [g for p in _listed(name, parameters) if (g := p.grad) is not None]


def clip_grad_norm_(
    parameters: Parameters,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients in place so that the norm of them together is at most `max_norm`.

    Returns the norm before, 0-d. `norm_type` is 2, 1 or inf, or 0 for the number of gradients that
    are not zero. ValueError for another type or a negative `max_norm`; RuntimeError, before
    anything has changed, if the norm is not finite and `error_if_nonfinite`.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([0.0, 0.0])
    >>> (p * dg.to_tensor([6.0, 8.0])).sum().backward()
    >>> dg.nn.utils.clip_grad_norm_([p], 5.0).item()
    10.0
    >>> [round(g, 3) for g in p.grad.tolist()]
    [3.0, 4.0]
    """
    name = "clip_grad_norm_"
    if norm_type not in _ORDERS:
        raise ValueError(message(name, f"norm_type is {norm_type!r}", "expected 2, 1, 0 or inf"))
    limit = float(max_norm)
    if not limit >= 0:
        raise ValueError(message(name, f"max_norm is {max_norm}", "expected 0 or more"))
    grads = _gradients(name, parameters)
    if not grads:
        return wrap(np.zeros((), np.float32))
    with no_grad():
        norm = total_norm(grads, float(norm_type))
        if error_if_nonfinite and not math.isfinite(norm.item()):
            remedy = "look for the cause, or leave error_if_nonfinite out"
            raise RuntimeError(message(name, f"the norm is {norm.item()}", "", remedy))
        # The small term is Paddle's: it lets a norm of 0 pass.
        scale_gradients(grads, (limit / (norm + 1e-6)).clip(max=1.0))
    return norm


@op(
    name="clip_gradient",
    expand=lambda g, limit: (g.clip(-limit, limit),),
    infer=lambda g, limit: [(g.shape, g.dtype)],
)
def _clip_gradient(g: Array, limit: float) -> None:
    np.clip(g, -limit, limit, out=g)


def clip_grad_value_(parameters: Parameters, clip_value: float) -> None:
    """Bring each element of all gradients between `-clip_value` and `clip_value`, in place.

    ValueError if `clip_value` is negative.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([0.0, 0.0])
    >>> (p * dg.to_tensor([6.0, -0.5])).sum().backward()
    >>> dg.nn.utils.clip_grad_value_([p], 2.0)
    >>> p.grad.tolist()
    [2.0, -0.5]
    """
    name = "clip_grad_value_"
    limit = float(clip_value)
    if not limit >= 0:
        raise ValueError(message(name, f"clip_value is {clip_value}", "expected 0 or more"))
    for g in _gradients(name, parameters):
        commit(_clip_gradient, (g,), (limit,))


def parameters_to_vector(parameters: Parameters, name: str | None = None) -> Tensor:
    """The values of all parameters one after the other, as a copy of shape [n].

    It is a leaf with `stop_gradient=False`. ValueError if there are none.

    >>> import dualgraph as dg
    >>> p, q = dg.nn.Parameter([[1.0, 2.0]]), dg.nn.Parameter([3.0])
    >>> dg.nn.utils.parameters_to_vector([p, q]).tolist()
    [1.0, 2.0, 3.0]
    """
    found = _listed("parameters_to_vector", parameters)
    if not found:
        given = "parameters is empty"
        raise ValueError(message("parameters_to_vector", given, "expected at least one tensor"))
    with no_grad():
        out = concat([p.reshape([-1]) for p in found])
    out.stop_gradient = False
    return out


def vector_to_parameters(vec: Tensor, parameters: Parameters, name: str | None = None) -> None:
    """Overwrite the parameters with the elements of a vector, in order.

    Elements that are left over are ignored. The parameters keep their dtypes. TypeError or
    ValueError, before anything has changed, if `vec` is not a tensor of shape [n] with enough
    elements.

    >>> import dualgraph as dg
    >>> p = dg.nn.Parameter([[1.0, 2.0]])
    >>> dg.nn.utils.vector_to_parameters(dg.to_tensor([3.0, 4.0]), [p])
    >>> p.tolist()
    [[3.0, 4.0]]
    """
    this = "vector_to_parameters"
    found = _listed(this, parameters)
    if not isinstance(vec, Tensor):
        raise TypeError(message(this, f"vec is {describe(vec)}", "expected a Tensor"))
    needed = sum(p.size for p in found)
    if vec.ndim != 1 or vec.size < needed:
        raise ValueError(message(this, f"vec is {describe(vec)}", f"expected [n], n >= {needed}"))
    start = 0
    with no_grad():
        for p in found:
            p.set_value(vec[start : start + p.size].reshape(p.shape).astype(p.dtype))
            start += p.size
