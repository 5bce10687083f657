"""Samples of sorting, ranks, searching and counting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dualgraph as dg
from dualgraph import Tensor
from tests.ops.samples.base import Arr, Sample

CASES: list[tuple[tuple[int, ...], int]] = [
    ((5,), 0),
    ((3, 4), 0),
    ((2, 3, 4), -2),
    ((2, 0), 1),
    ((), -1),
]


def ordered(
    function: Callable[..., Tensor], reference: Callable[..., Any], descending: bool, **options: Any
) -> list[Sample]:
    """Orders along one axis."""

    def sample(shape: tuple[int, ...], axis: int) -> Sample:
        def expected(x: Any) -> Any:
            if not x.ndim:
                return x if reference is not np.argsort else 0
            return reference(-x if descending else x, axis)

        return Sample(lambda x: function(x, axis, descending), (Arr(shape),), expected, **options)

    return [sample(shape, axis) for shape, axis in CASES]


def sorted_down(x: Any, axis: int) -> Any:
    return -np.sort(x, axis)  # x comes negated


def largest(k: int, axis: int) -> Callable[[Any], tuple[Any, Any]]:
    def expected(x: Any) -> tuple[Any, Any]:
        places = np.take(np.argsort(-x, axis, kind="stable"), range(k), axis)
        return np.take_along_axis(x, places, axis), places

    return expected


def kth(k: int, axis: int) -> Callable[[Any], tuple[Any, Any]]:
    def expected(x: Any) -> tuple[Any, Any]:
        return np.sort(x, axis).take(k - 1, axis), np.argsort(x, axis).take(k - 1, axis)

    return expected


SEQUENCE = dg.to_tensor(np.array([-1.5, 0.0, 0.5, 2.0]))


SAMPLES: dict[str, list[Sample]] = {
    "sort": [*ordered(dg.sort, np.sort, False), *ordered(dg.sort, sorted_down, True)],
    "argsort": [
        *ordered(dg.argsort, np.argsort, False, grad=False),
        *ordered(dg.argsort, np.argsort, True, grad=False),
        Sample(
            lambda x: dg.argsort(x, descending=True),
            (Arr((12,), ints=(0, 4)),),
            lambda x: np.argsort(-x, kind="stable"),
            grad=False,
        ),
        Sample(lambda x: dg.kthvalue(x, 2), (Arr((3, 4)),), kth(2, -1)),
        Sample(lambda x: dg.kthvalue(x, 3, 0), (Arr((3, 4)),), kth(3, 0)),
    ],
    "topk_indices": [
        Sample(lambda x: dg.topk(x, 2), (Arr((3, 4)),), largest(2, -1)),
        Sample(lambda x: dg.topk(x, 3, axis=0), (Arr((3, 4)),), largest(3, 0)),
        Sample(lambda x: dg.topk(x, 7, axis=1), (Arr((2, 300, 2)),), largest(7, 1), order=1),
        Sample(
            lambda x: dg.topk(x, 9, largest=False),
            (Arr((2, 400), ints=(0, 30)),),
            lambda x: (np.sort(x)[:, :9], np.argsort(x, kind="stable")[:, :9]),
            grad=False,
        ),
    ],
    "mode_indices": [
        Sample(lambda x: dg.mode(x, 0), (Arr((3, 2)),), lambda x: (x.min(0), x.argmin(0))),
        Sample(lambda x: dg.mode(x, 1, keepdim=True), (Arr((2, 9), ints=(0, 4)),), grad=False),
    ],
    "searchsorted": [
        Sample(
            lambda x: dg.searchsorted(SEQUENCE, x),
            (Arr((3, 4)),),
            lambda x: np.searchsorted(SEQUENCE.numpy(), x),
            grad=False,
        ),
        Sample(
            lambda x: dg.searchsorted(dg.sort(x), x, right=True),
            (Arr((2, 5)),),
            lambda x: np.argsort(np.argsort(x)) + 1,
            grad=False,
        ),
        Sample(
            lambda x: dg.bucketize(x, SEQUENCE, out_int32=True),
            (Arr((3,)),),
            lambda x: np.digitize(x, SEQUENCE.numpy(), right=True),
            grad=False,
        ),
    ],
    "ranked": [
        Sample(dg.median, (Arr((3, 4)),), np.median),
        Sample(
            lambda x: dg.median(x, 1, True),
            (Arr((2, 5)),),
            lambda x: np.median(x, 1, keepdims=True),
        ),
        Sample(
            lambda x: dg.nanmedian(x, [0, 2]), (Arr((2, 3, 4)),), lambda x: np.nanmedian(x, (0, 2))
        ),
        Sample(lambda x: dg.median(x, mode="min"), (Arr((4,)),), lambda x: np.sort(x)[1]),
    ],
    "unique": [
        Sample(dg.unique, (Arr((9,), ints=(0, 4)),), np.unique, grad=False),
        Sample(
            lambda x: dg.unique(x, True, True, True),
            (Arr((3, 4), ints=(0, 4)),),
            lambda x: [o.ravel() for o in np.unique(x, True, True, True)],
            grad=False,
        ),
        Sample(
            lambda x: dg.unique(x, axis=0),
            (Arr((9, 2), ints=(0, 2)),),
            lambda x: np.unique(x, axis=0),
            grad=False,
        ),
    ],
    "unique_consecutive": [
        Sample(
            lambda x: dg.unique_consecutive(x, True, True), (Arr((9,), ints=(0, 2)),), grad=False
        ),
        Sample(lambda x: dg.unique_consecutive(x, axis=1), (Arr((2, 9), ints=(0, 2)),), grad=False),
        Sample(
            lambda x: dg.unique_consecutive(x, True),
            (Arr((0,)),),
            lambda x: (x, x.astype(int)),
            grad=False,
        ),
    ],
    "histogram": [
        Sample(
            lambda x: dg.histogram(x, 5),
            (Arr((3, 4)),),
            lambda x: np.histogram(x, 5)[0],
            grad=False,
            special=False,
        ),
        Sample(
            lambda x: dg.histogram(x, 4, -1.0, 2.0),
            (Arr((20,)),),
            lambda x: np.histogram(x, 4, (-1.0, 2.0))[0],
            grad=False,
        ),
    ],
    "histogram_bin_edges": [
        Sample(
            lambda x: dg.histogram_bin_edges(x, 5, -2, 3),
            (Arr((3, 4)),),
            lambda x: np.linspace(-2, 3, 6).astype("float32"),
            grad=False,
        ),
    ],
    "bincount": [
        Sample(dg.bincount, (Arr((9,), ints=(0, 5)),), np.bincount, grad=False),
        Sample(dg.bincount, (Arr((9,), ints=(0, 5)), Arr((9,))), np.bincount, grad=False),
        Sample(
            lambda x: dg.bincount(x, minlength=8),
            (Arr((0,), ints=(0, 5)),),
            lambda x: np.zeros(8, int),
            grad=False,
        ),
    ],
}
