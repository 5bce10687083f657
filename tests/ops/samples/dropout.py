"""Samples of dropout, from a seed of its own, and of hard samples that soft ones stand behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dualgraph as dg
import dualgraph.nn.functional as F
from dualgraph.ops import philox
from tests.ops.samples.base import Arr, Sample


def seeded(function: Callable[..., Any], *args: Any, **options: Any) -> Callable[[Any], Any]:
    """The function of a tensor that draws the same each time."""

    def call(x: Any) -> Any:
        dg.seed(3)
        return function(x, *args, **options)

    return call


def kept(shape: tuple[int, ...], p: float) -> Any:
    return (philox.uniform(3, 0, int(np.prod(shape))) >= p).reshape(shape)


X = Arr((4, 3))

SAMPLES: dict[str, list[Sample]] = {
    "dropout": [
        Sample(seeded(F.dropout, 0.25), (X,), lambda x: x * kept((4, 3), 0.25) / 0.75),
        Sample(seeded(F.dropout, 1.0), (X,), np.zeros_like),
        Sample(
            seeded(F.dropout, 0.5, mode="downscale_in_infer"),
            (X,),
            lambda x: x * kept((4, 3), 0.5),
        ),
        Sample(seeded(F.dropout, 0.5, axis=0), (X,), lambda x: 2 * x * kept((4, 1), 0.5)),
        Sample(seeded(F.dropout, 0.5), (Arr(()),), lambda x: 2 * x * kept((), 0.5)),
        Sample(seeded(F.dropout), (Arr((0, 2)),), lambda x: x),
        Sample(
            seeded(F.dropout2d, 0.5, data_format="NHWC"),
            (Arr((3, 2, 2, 4)),),
            lambda x: 2 * x * kept((3, 1, 1, 4), 0.5),
        ),
    ],
    "straight_through": [
        Sample(seeded(F.gumbel_softmax, hard=True), (X,), grad=False, special=False),
        Sample(seeded(F.gumbel_softmax, 0.5, True, 0), (X,), grad=False, special=False),
    ],
}
