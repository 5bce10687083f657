"""Samples of windows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from dualgraph.ops import windows as w
from dualgraph.ops.manipulation import clone
from tests.ops.samples.base import Arr, Sample

MATRIX = Arr((3, 5))


def _folded(x: Any) -> Any:
    out = np.zeros((5, 2))
    for k in range(2):
        out[2 * k : 2 * k + 3] += x[k].T
    return out


SAMPLES = {
    "unfold_windows": [
        Sample(
            lambda x: w.tensor_unfold(x, 1, 3, 1), (MATRIX,), lambda x: sliding_window_view(x, 3, 1)
        ),
        Sample(
            lambda x: w.tensor_unfold(x, 0, 2, 2),
            (MATRIX,),
            lambda x: sliding_window_view(x, 2, 0)[::2],
        ),
        Sample(lambda x: w.tensor_unfold(x, -1, 5, 9), (MATRIX,), lambda x: x[:, None]),
        Sample(
            lambda x: w.tensor_unfold(x, 0, 0, 1), (Arr((0, 2)),), lambda x: np.zeros((1, 2, 0))
        ),
    ],
    "fold_windows": [
        Sample(lambda x: w.folded(x, (5, 2), 0, 3, 2), (Arr((2, 2, 3)),), _folded),
    ],
    "as_strided": [
        Sample(
            lambda x: w.as_strided(clone(x), [3, 4], [3, 2], 1),
            (MATRIX,),
            lambda x: x.reshape(-1)[1 + np.arange(3)[:, None] * 3 + np.arange(4) * 2],
        ),
        Sample(
            lambda x: w.as_strided(clone(x), [2, 3], [0, 1]),
            (MATRIX,),
            lambda x: np.array([x[0, :3]] * 2),
        ),
        Sample(
            lambda x: w.as_strided(clone(x), [0, 3], [1, 1]), (MATRIX,), lambda x: np.zeros((0, 3))
        ),
        Sample(lambda x: w.as_strided(clone(x), [], []), (Arr(()),), np.copy),
    ],
}
