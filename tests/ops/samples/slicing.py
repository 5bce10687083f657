"""Samples of regular regions."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph.ops import slicing as s
from dualgraph.ops.subscript import getitem
from tests.ops.samples.base import Arr, Sample

CUBE = Arr((2, 3, 4))
MATRIX = Arr((3, 4))


def picked(index: Any, array: Arr = CUBE) -> Sample:
    return Sample(lambda x: getitem(x, index), (array,), lambda x: x[index])


def _placed(x: Any) -> Any:
    out = np.zeros((3, 4))
    out[1, ::-2] = x
    return out


def _replaced(x: Any, y: Any) -> Any:
    out = x.copy()
    out[1, ::-2] = y
    return out


def _on_diagonal(x: Any) -> Any:
    out = np.zeros((2, 3, 4))
    for i in range(2):
        np.fill_diagonal(out[i, :, 1:], x[i])
    return out


ROW: s.BasicIndex = (1, (3, None, -2))

SAMPLES = {
    "getitem": [
        picked(1),
        picked((slice(None), -1)),
        picked((0, slice(None, None, -2), None, slice(1, 3))),
        picked((..., 0, slice(2))),
        picked((slice(2, 0), slice(None))),
        picked((1, 2, 3)),
        picked((None, ...), Arr(())),
        picked(slice(1, None), Arr((0, 2))),
        Sample(lambda x: s.slice(x, [0, 2], [-1, 1], [9, -1]), (CUBE,), lambda x: x[-1:9, :, 1:-1]),
        Sample(lambda x: s.strided_slice(x, [1], [2], [-9], [-1]), (CUBE,), lambda x: x[:, ::-1]),
    ],
    "place": [
        Sample(lambda x: s.place(x, (3, 4), ROW), (Arr((2,)),), _placed),
        Sample(lambda x: s.place(x, (0, 4), ((0, 0, 1),)), (Arr((0, 4)),), np.copy),
    ],
    "setitem": [
        Sample(lambda x, y: s.replaced(x, y, ROW), (MATRIX, Arr((2,))), _replaced),
        Sample(lambda x, y: s.replaced(x, y, ROW), (MATRIX, Arr(())), _replaced),
        Sample(lambda x, y: s.replaced(x, y, ROW), (MATRIX, Arr((1, 1, 2))), _replaced),
        Sample(
            lambda x, y: s.replaced(x, y, ROW),
            (MATRIX, Arr((2,), dtype="float32")),
            _replaced,
            order=0,
            special=False,
        ),
        Sample(lambda x: s.replaced(x, 2.5, ROW), (MATRIX,), lambda x: _replaced(x, 2.5)),
        Sample(lambda x, y: s.replaced(x, y, ()), (Arr(()), Arr(())), lambda x, y: y),
    ],
    "flip": [
        Sample(lambda x: s.flip(x, 0), (MATRIX,), lambda x: x[::-1]),
        Sample(lambda x: s.flip(x, [0, -1]), (CUBE,), lambda x: x[::-1, :, ::-1]),
        Sample(lambda x: s.flip(x, []), (Arr(()),), np.copy),
        Sample(lambda x: s.flip(x, 1), (Arr((2, 0)),), np.copy),
        Sample(lambda x: s.rot90(x, 1, [0, 1]), (MATRIX,), np.rot90),
        Sample(lambda x: s.rot90(x, -1, [2, 0]), (CUBE,), lambda x: np.rot90(x, -1, (2, 0))),
    ],
    "diagonal": [
        Sample(s.diagonal, (MATRIX,), np.diagonal),
        Sample(lambda x: s.diagonal(x, 1, 0, 2), (CUBE,), lambda x: np.diagonal(x, 1, 0, 2)),
        Sample(lambda x: s.diagonal(x, -2, 2, 1), (CUBE,), lambda x: np.diagonal(x, -2, 2, 1)),
        Sample(lambda x: s.diagonal(x, 9), (MATRIX,), lambda x: np.diagonal(x, 9)),
        Sample(lambda x: s.diagonal(x, -1), (Arr((0, 2)),), lambda x: np.diagonal(x, -1)),
    ],
    "place_diagonal": [
        Sample(lambda x: s.placed_diagonal(x, (2, 3, 4), 1, 1, 2), (Arr((2, 3)),), _on_diagonal),
        Sample(
            lambda x: s.placed_diagonal(x, (2, 2), 5, 0, 1),
            (Arr((0,)),),
            lambda x: np.zeros((2, 2)),
        ),
    ],
}
