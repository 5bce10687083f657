"""Samples of calls that change shape and order."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph.ops import manipulation as m
from tests.ops.samples.base import Arr, Sample

MATRIX = (Arr((3, 4)),)
CUBE = (Arr((2, 3, 4)),)
POINT = (Arr(()),)
EMPTY = (Arr((0, 3)),)


def _with_columns(x: Any) -> Any:
    return x.reshape(3, 2, 2)


SAMPLES = {
    "detach": [
        Sample(m.detach, MATRIX, np.copy, grad=False),
        Sample(m.detach, POINT, np.copy, grad=False),
    ],
    "clone": [
        Sample(m.clone, MATRIX, np.copy),
        Sample(m.clone, POINT, np.copy),
        Sample(m.clone, EMPTY, np.copy),
    ],
    "reshape": [
        Sample(lambda x: m.reshape(x, [4, 3]), MATRIX, lambda x: x.reshape(4, 3)),
        Sample(lambda x: m.reshape(x, [0, 2, -1]), MATRIX, _with_columns),
        Sample(lambda x: m.reshape(x, [-1]), POINT, lambda x: x.reshape(1)),
        Sample(lambda x: m.reshape(x, [0, -1]), EMPTY, np.copy),
        Sample(lambda x: m.squeeze(m.unsqueeze(x, [0, -1]), 0), MATRIX, lambda x: x[..., None]),
        Sample(lambda x: m.flatten(x, 1), CUBE, lambda x: x.reshape(2, 12)),
        Sample(lambda x: m.unflatten(x, 1, [2, -1]), MATRIX, _with_columns),
        # A reshape that has to copy.
        Sample(lambda x: m.flatten(m.transpose_all(x)), MATRIX, lambda x: x.T.reshape(-1)),
    ],
    "bitcast": [
        Sample(lambda x: m.view(m.clone(x), "int64"), MATRIX, lambda x: x.view("i8"), grad=False),
        Sample(lambda x: m.view(m.clone(x), "int32"), MATRIX, lambda x: x.view("i4"), grad=False),
    ],
    "transpose": [
        Sample(lambda x: m.transpose(x, [2, 0, 1]), CUBE, lambda x: x.transpose(2, 0, 1)),
        Sample(lambda x: m.transpose(x, [-1, 1, 0]), CUBE, lambda x: x.transpose(2, 1, 0)),
        Sample(lambda x: m.transpose(x, []), POINT, np.copy),
        Sample(m.t, EMPTY, np.transpose),
        Sample(
            lambda x: m.moveaxis(x, [0, 2], [-1, 0]),
            CUBE,
            lambda x: np.moveaxis(x, [0, 2], [-1, 0]),
        ),
        Sample(lambda x: m.swapaxes(x, 0, -1), CUBE, lambda x: x.swapaxes(0, -1)),
    ],
    "broadcast_to": [
        Sample(lambda x: m.broadcast_to(x, [2, 3, 4]), MATRIX, lambda x: np.array([x, x])),
        Sample(
            lambda x: m.expand(x, [2, -1, 3]),
            (Arr((2, 1)),),
            lambda x: np.array([x, x]).repeat(3, 2),
        ),
        Sample(lambda x: m.broadcast_to(x, [2, 2]), POINT, lambda x: np.full((2, 2), x)),
        Sample(lambda x: m.broadcast_to(x, [0, 3]), (Arr((1, 3)),), lambda x: x[:0]),
    ],
}
