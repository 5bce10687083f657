"""What the tests of optimizers share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from dualgraph import optimizer as opt

Array = np.ndarray[Any, Any]

LR = 0.05
KINDS = [
    "ASGD",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lamb",
    "Momentum",
    "NAdam",
    "RAdam",
    "RMSProp",
    "Rprop",
]
every_kind = pytest.mark.parametrize("kind", KINDS)


def make(kind: str, parameters: Any, **options: Any) -> opt.Optimizer:
    optimizer: opt.Optimizer = getattr(opt, kind)(
        learning_rate=LR, parameters=parameters, **options
    )
    return optimizer


def give(p: Any, g: Array) -> None:
    """Let a parameter have a gradient."""
    p.grad = dg.to_tensor(np.asarray(g, p.numpy().dtype))


def walk(
    optimizer: opt.Optimizer, parameters: list[Any], grads: list[list[Array]]
) -> list[list[Array]]:
    """The values of all parameters after each step."""
    seen = []
    for row in grads:
        for p, g in zip(parameters, row, strict=True):
            give(p, g)
        optimizer.step()
        seen.append([p.numpy() for p in parameters])
    return seen


def drawn(shapes: list[tuple[int, ...]], steps: int, seed: int = 0) -> tuple[list[Any], list[Any]]:
    """Starting values and gradients; some gradients are zero."""
    rng = np.random.default_rng(seed)
    starts = [rng.normal(size=shape) for shape in shapes]
    grads = [[rng.normal(size=s) * rng.integers(0, 2, s) for s in shapes] for _ in range(steps)]
    return starts, grads
