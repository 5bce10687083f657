"""Samples of joining, taking apart and repeating."""

from __future__ import annotations

import numpy as np

from dualgraph.ops import joining as j
from dualgraph.ops import splitting as p
from tests.ops.samples.base import Arr, Sample

VECTOR = Arr((5,))
MATRIX = Arr((3, 4))
CUBE = Arr((2, 3, 4))

SAMPLES = {
    "concat": [
        Sample(
            lambda x, y: j.concat([x, y]),
            (MATRIX, Arr((2, 4))),
            lambda x, y: np.concatenate([x, y]),
        ),
        Sample(
            lambda x, y, z: j.concat([x, y, z], -1),
            (CUBE, Arr((2, 3, 1)), Arr((2, 3, 0))),
            lambda x, y, z: np.concatenate([x, y, z], -1),
        ),
        Sample(lambda x: j.concat([x, x]), (VECTOR,), lambda x: np.concatenate([x, x])),
        Sample(
            lambda x, y, z: j.block_diag([x, y, z]),
            (Arr((1, 2)), Arr((2, 1)), Arr(())),
            lambda x, y, z: np.block(
                [
                    [x, np.zeros((1, 2))],
                    [np.zeros((2, 2)), y, np.zeros((2, 1))],
                    [np.zeros((1, 3)), z.reshape(1, 1)],
                ]
            ),
        ),
    ],
    "stack": [
        Sample(lambda x, y: j.stack([x, y]), (MATRIX, MATRIX), lambda x, y: np.stack([x, y])),
        Sample(lambda x, y: j.stack([x, y], -1), (CUBE, CUBE), lambda x, y: np.stack([x, y], -1)),
        Sample(lambda x, y: j.stack([x, y]), (Arr(()), Arr(())), lambda x, y: np.stack([x, y])),
        Sample(lambda x: j.stack([x, x], 1), (Arr((0, 2)),), lambda x: np.stack([x, x], 1)),
    ],
    "roll": [
        Sample(lambda x: j.roll(x, 2), (MATRIX,), lambda x: np.roll(x, 2)),
        Sample(
            lambda x: j.roll(x, [1, -5], [0, 2]), (CUBE,), lambda x: np.roll(x, (1, -5), (0, 2))
        ),
        Sample(lambda x: j.roll(x, [1, 1], [0, 0]), (MATRIX,), lambda x: np.roll(x, 2, 0)),
        Sample(lambda x: j.roll(x, 1, 0), (Arr((0, 2)),), np.copy),
    ],
    "split": [
        Sample(lambda x: p.split(x, 2, 1), (MATRIX,), lambda x: np.split(x, 2, 1)),
        Sample(lambda x: p.split(x, [1, 0, -1]), (VECTOR,), lambda x: np.split(x, [1, 1])),
        Sample(lambda x: p.split(x, 3, -2), (CUBE,), lambda x: np.split(x, 3, -2)),
        Sample(lambda x: p.unstack(x, 1), (MATRIX,), lambda x: list(x.T)),
    ],
    "unbind": [
        Sample(lambda x: p.unbind(x, 1), (CUBE,), lambda x: [x[:, i] for i in range(3)]),
        Sample(p.unbind, (VECTOR,), list),
        Sample(lambda x: p.unbind(x, -1)[1], (MATRIX,), lambda x: x[:, 1]),
    ],
    "repeated_positions": [
        Sample(
            lambda x, n: p.repeat_interleave(x, n, 0),
            (MATRIX, Arr((3,), ints=(0, 4))),
            lambda x, n: np.repeat(x, n, 0),
        ),
        Sample(
            p.repeat_interleave,
            (VECTOR, Arr((5,), ints=(0, 3))),
            np.repeat,
        ),
    ],
}
