"""Derivatives of any order against finite differences, along random directions, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import dualgraph as dg
from dualgraph import Tensor

Scalar = Callable[[Sequence[Tensor]], Tensor]

_STEP = 1e-5


def check_derivatives(
    call: Callable[..., Any],
    arrays: Sequence[np.ndarray[Any, Any]],
    differentiable: Sequence[bool],
    order: int,
    rng: np.random.Generator,
    rtol: float = 2e-5,
) -> None:
    """Compare directional derivatives of a weighted sum of all floating outputs, up to an order.

    The function of each order is the directional derivative of the one before, computed by the
    tape, so that what is compared with a difference quotient is always one derivative of
    something exact.
    """
    function = _weighted_sum(call, arrays, rng)
    for level in range(1, order + 1):
        directions = [
            rng.uniform(-1, 1, a.shape) if d else None
            for a, d in zip(arrays, differentiable, strict=True)
        ]
        derivative = _along(function, directions)
        exact = derivative(_tensors(arrays, directions)).item()
        ahead = function(_tensors(_moved(arrays, directions, _STEP), directions)).item()
        behind = function(_tensors(_moved(arrays, directions, -_STEP), directions)).item()
        quotient = (ahead - behind) / (2 * _STEP)
        scale = max(1.0, abs(exact), abs(ahead), abs(behind))
        assert abs(exact - quotient) <= rtol * scale, (
            f"derivative {level}: the tape gives {exact}, differences give {quotient}"
        )
        function = derivative


def _weighted_sum(
    call: Callable[..., Any], arrays: Sequence[np.ndarray[Any, Any]], rng: np.random.Generator
) -> Scalar:
    outputs = _floating(call(*map(dg.to_tensor, arrays)))
    weights = [dg.to_tensor(rng.uniform(0.5, 1.5, out.shape)) for out in outputs]

    def function(inputs: Sequence[Tensor]) -> Tensor:
        total = dg.to_tensor(0.0, dtype="float64")
        for out, weight in zip(_floating(call(*inputs)), weights, strict=True):
            total = total + (out * weight).sum()
        return total

    return function


def _floating(outputs: Any) -> list[Tensor]:
    several = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [out for out in several if out.dtype == dg.float64]


def _along(function: Scalar, directions: Sequence[np.ndarray[Any, Any] | None]) -> Scalar:
    def derivative(inputs: Sequence[Tensor]) -> Tensor:
        total = dg.to_tensor(0.0, dtype="float64")
        wanted = [x for x, d in zip(inputs, directions, strict=True) if d is not None]
        value = function(inputs)
        if value.stop_gradient:
            return total
        grads = iter(dg.grad(value, wanted, create_graph=True, allow_unused=True))
        for direction in directions:
            if direction is not None and (g := next(grads)) is not None:
                total = total + (g * dg.to_tensor(direction)).sum()
        return total

    return derivative


def _tensors(
    arrays: Sequence[np.ndarray[Any, Any]], directions: Sequence[np.ndarray[Any, Any] | None]
) -> list[Tensor]:
    return [
        dg.to_tensor(a, stop_gradient=d is None) for a, d in zip(arrays, directions, strict=True)
    ]


def _moved(
    arrays: Sequence[np.ndarray[Any, Any]],
    directions: Sequence[np.ndarray[Any, Any] | None],
    step: float,
) -> list[np.ndarray[Any, Any]]:
    return [a if d is None else a + step * d for a, d in zip(arrays, directions, strict=True)]
