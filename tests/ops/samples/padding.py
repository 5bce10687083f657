"""Samples of padding with a value. Other modes are gathers, whose samples are with indexing."""

from __future__ import annotations

import numpy as np

import dualgraph.nn.functional as F
from tests.ops.samples.base import Arr, Sample

SAMPLES: dict[str, list[Sample]] = {
    "pad": [
        Sample(
            lambda x: F.pad(x, [1, 2, 0, 1], value=7.0),
            (Arr((2, 3)),),
            lambda x: np.pad(x, ((1, 2), (0, 1)), constant_values=7.0),
        ),
        Sample(
            lambda x: F.pad(x, [1, 2]),
            (Arr((1, 2, 3)),),
            lambda x: np.pad(x, ((0, 0), (0, 0), (1, 2))),
        ),
        Sample(
            lambda x: F.pad(x, [1, 0, 0, 2], data_format="NHWC", value=-1.0),
            (Arr((1, 2, 2, 2)),),
            lambda x: np.pad(x, ((0, 0), (0, 2), (1, 0), (0, 0)), constant_values=-1.0),
        ),
        Sample(
            lambda x: F.pad(x, [-1, 2], value=0.5),
            (Arr((4,)),),
            lambda x: np.concatenate([x[1:], [0.5, 0.5]]),
        ),
        Sample(lambda x: F.pad(x, [1, 1, 1, 0]), (Arr((0, 2)),), lambda x: np.zeros((2, 3))),
        Sample(
            lambda x: F.pad(x, [1, 1], value=3.0),
            (Arr((3,), ints=(-5, 5)),),
            lambda x: np.pad(x, 1, constant_values=3),
            grad=False,
        ),
    ],
}
