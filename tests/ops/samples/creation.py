"""Samples of what makes tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dualgraph as dg
from dualgraph import Tensor
from tests.ops.samples.base import Arr, Sample


def made(call: Callable[[], Tensor], expected: Any) -> Sample:
    """A call without tensors and what it gives."""
    return Sample(call, (), lambda: np.asarray(expected), grad=False)


def triangles(function: Callable[..., Tensor], reference: Callable[..., Any]) -> list[Sample]:
    return [
        Sample(function, (Arr((3, 3)),), reference),
        Sample(lambda x: function(x, 1), (Arr((2, 2, 4)),), lambda x: reference(x, 1)),
        Sample(lambda x: function(x, -1), (Arr((4, 2)),), lambda x: reference(x, -1)),
        Sample(function, (Arr((0, 3)),), reference),
    ]


SAMPLES: dict[str, list[Sample]] = {
    "full": [
        made(lambda: dg.zeros([2, 3]), np.zeros((2, 3))),
        made(lambda: dg.ones([], "int64"), 1),
        made(lambda: dg.full([2], 2.5, "float64"), [2.5, 2.5]),
        Sample(
            lambda x: dg.full([2, 2], x, "float64"),
            (Arr((1,)),),
            lambda x: np.full((2, 2), x),
            grad=False,
        ),
        Sample(lambda x: dg.full_like(x, 7), (Arr((3,)),), lambda x: np.full(3, 7.0), grad=False),
    ],
    "arange": [
        made(lambda: dg.arange(5), np.arange(5)),
        made(lambda: dg.arange(7, 1, -2, "int32"), np.arange(7, 1, -2)),
        made(lambda: dg.arange(0.0, 1.0, 0.1, "float64"), np.arange(0.0, 1.0, 0.1)),
        made(lambda: dg.arange(3, 1), np.arange(0)),
    ],
    "linspace": [
        made(lambda: dg.linspace(0, 1, 7, "float64"), np.linspace(0, 1, 7)),
        made(lambda: dg.linspace(1, -3, 4, "int64"), np.linspace(1, -3, 4).astype(int)),
        made(lambda: dg.linspace(2, 9, 1, "float64"), [2.0]),
        made(lambda: dg.linspace(2, 9, 0, "float64"), np.zeros(0)),
        Sample(
            lambda x: dg.linspace(x, 2.0, 5, "float64"),
            (Arr(()),),
            lambda x: np.linspace(x, 2.0, 5),
            grad=False,
        ),
    ],
    "eye": [
        made(lambda: dg.eye(3), np.eye(3)),
        made(lambda: dg.eye(2, 4, "int32"), np.eye(2, 4)),
        made(lambda: dg.eye(0), np.eye(0)),
    ],
    "tril": triangles(dg.tril, np.tril),
    "triu": triangles(dg.triu, np.triu),
    "triangle_indices": [
        made(lambda: dg.tril_indices(3, 4, 1), np.tril_indices(3, 1, 4)),
        made(lambda: dg.triu_indices(3, 4, -1), np.triu_indices(3, -1, 4)),
        made(lambda: dg.triu_indices(3, dtype="int32"), np.triu_indices(3)),
    ],
    "place_diagonal": [
        Sample(dg.diag, (Arr((3,)),), np.diag),
        Sample(lambda x: dg.diag(x, -1), (Arr((3,)),), lambda x: np.diag(x, -1)),
        Sample(
            lambda x: dg.diag(x, 1, 5.0),
            (Arr((2,)),),
            lambda x: np.array([[5, x[0], 5], [5, 5, x[1]], [5, 5, 5]]),
        ),
        Sample(lambda x: dg.diagflat(x, 2), (Arr((2, 2)),), lambda x: np.diagflat(x, 2)),
        Sample(dg.diag_embed, (Arr((2, 3)),), lambda x: np.stack([np.diag(r) for r in x])),
        Sample(
            lambda x: dg.diag_embed(x, 1, 0, 2),
            (Arr((2, 3)),),
            lambda x: np.stack([np.diag(r, 1) for r in x], 1),
        ),
    ],
    "diagonal": [
        Sample(lambda x: dg.diag(x, 1), (Arr((3, 4)),), lambda x: np.diag(x, 1)),
    ],
    "assign": [
        Sample(dg.assign, (Arr((2, 3)),), np.copy),
        Sample(dg.to_tensor, (Arr((2,)),), np.copy, grad=False),
    ],
    "broadcast_to": [
        Sample(
            dg.meshgrid,
            (Arr((2,)), Arr((3,))),
            lambda x, y: np.meshgrid(x, y, indexing="ij"),
        ),
    ],
    "pow": [made(lambda: dg.logspace(-1, 2, 4, dtype="float64"), np.logspace(-1, 2, 4))],
}
