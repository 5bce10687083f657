"""Samples of integers as rows of zeros and ones."""

from __future__ import annotations

import numpy as np

import dualgraph.nn.functional as F
from tests.ops.samples.base import Arr, Sample

SAMPLES: dict[str, list[Sample]] = {
    "one_hot": [
        Sample(
            lambda x: F.one_hot(x, 5),
            (Arr((2, 3), ints=(0, 5)),),
            lambda x: np.eye(5, dtype="float32")[x],
            grad=False,
        ),
        Sample(
            F.one_hot,
            (Arr((4,), ints=(0, 3)),),
            lambda x: np.eye(x.max() + 1, dtype="float32")[x],
            grad=False,
        ),
        Sample(
            lambda x: F.one_hot(x, 2),
            (Arr((0, 2), ints=(0, 2)),),
            lambda x: np.zeros((0, 2, 2)),
            grad=False,
        ),
    ],
}
