"""Samples of the normalisations and of the two ops that they rest on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph import Tensor
from dualgraph.ops import normalization, standardize
from dualgraph.ops.apply import apply
from dualgraph.ops.creation import ones, zeros
from dualgraph.ops.registry import OPS
from tests.ops.samples.base import Arr, Sample

IMAGE = Arr((2, 4, 3, 2))
PER_CHANNEL = Arr((4,))


def normalised(x: Any, axis: Any, epsilon: float, centre: bool = True) -> Any:
    mean = x.mean(axis=axis, keepdims=True) if centre else 0
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=axis, keepdims=True) + epsilon)


def standard(
    shape: tuple[int, ...], axis: tuple[int, ...], centre: bool = True, order: int = 2
) -> Sample:
    def reference(x: Any) -> Any:
        out = normalised(x, axis, 0.1, centre)
        mean = x.mean(axis=axis, keepdims=True) if centre else 0
        return out, ((x - mean) ** 2).mean(axis=axis, keepdims=True).__add__(0.1) ** -0.5

    return Sample(
        lambda x: standardize.standardize(x, axis, 0.1, centre=centre),
        (Arr(shape),),
        reference,
        order=order,
    )


def pulled(axis: tuple[int, ...], small: tuple[int, ...], centre: bool) -> Sample:
    def reference(g: Any, h: Any, out: Any, rstd: Any) -> Any:
        n = out.size / rstd.size
        slope = (g * out).mean(axis, keepdims=True) + h * rstd / n
        level = g - g.mean(axis, keepdims=True) if centre else g
        return rstd * (level - out * slope)

    attrs = {"axis": axis, "centre": centre}
    return Sample(
        lambda *xs: apply(OPS["standardize_pull"], xs, attrs),
        (Arr((2, 3, 4)), Arr(small), Arr((2, 3, 4)), Arr(small, 0.5, 2.0)),
        reference,
    )


def _shaped(x: Any, ndim: int, channel: int = 1) -> Any:
    return x.reshape([-1 if i == channel else 1 for i in range(ndim)])


def _group_reference(x: Any, groups: int) -> Any:
    split = x.reshape(len(x), groups, -1)
    return normalised(split, 2, 1e-5).reshape(x.shape)


def _last(x: Any, function: Callable[[Any], Any]) -> Any:
    return np.moveaxis(function(np.moveaxis(x, -1, 1)), 1, -1)


def _batch(x: Tensor, *weights: Tensor, **options: Any) -> Tensor:
    size = x.shape[-1 if options.get("data_format") == "NHWC" else 1]
    mean, var = zeros([size], x.dtype), ones([size], x.dtype)
    return normalization.batch_norm(x, mean, var, *weights, **options)


def _responses(x: Any, before: int, after: int) -> Any:
    padded = np.pad(x * x, [(0, 0), (before, after), (0, 0)])
    total = sum(padded[:, i : i + x.shape[1]] for i in range(before + after + 1))
    return x / (1 + 0.5 * total / (before + after + 1)) ** 0.75


SAMPLES = {
    "standardize": [
        standard((4, 3), (1,), order=3),
        standard((4, 3), (0,)),
        standard((2, 3, 4), (0, 2)),
        standard((2, 3, 4), (1, 2), centre=False),
        standard((3,), (0,), centre=False),
        standard((2, 3), ()),
        standard((0, 3), (1,)),
        Sample(
            lambda x: normalization.layer_norm(x, [3, 2], epsilon=0.1),
            (IMAGE,),
            lambda x: normalised(x, (2, 3), 0.1),
        ),
        Sample(
            lambda x: normalization.group_norm(x, 2),
            (IMAGE,),
            lambda x: _group_reference(x, 2),
        ),
        Sample(
            lambda x: normalization.group_norm(x, 2, data_format="NHWC"),
            (Arr((2, 3, 2, 4)),),
            lambda x: _last(x, lambda y: _group_reference(y, 2)),
        ),
        Sample(
            normalization.instance_norm,
            (IMAGE,),
            lambda x: normalised(x, (2, 3), 1e-5),
        ),
        Sample(
            lambda x: _batch(x, training=True),
            (IMAGE,),
            lambda x: normalised(x, (0, 2, 3), 1e-5),
        ),
        Sample(
            lambda x: normalization.rms_norm(x, [2], eps=0.1),
            (IMAGE,),
            lambda x: (
                normalised(x, 3, 0.1, centre=False),
                (np.mean(x * x, axis=3) + 0.1) ** -0.5,
            ),
        ),
    ],
    "standardize_pull": [
        pulled((2,), (2, 3, 1), centre=True),
        pulled((0, 2), (1, 3, 1), centre=True),
        pulled((1, 2), (2, 1, 1), centre=False),
    ],
    "affine": [
        Sample(standardize.affine, (Arr((2, 3)), Arr((3,)), Arr((3,))), lambda x, w, b: x * w + b),
        Sample(
            lambda x, w: standardize.affine(x, w, None),
            (Arr((2, 3)), Arr((2, 1))),
            np.multiply,
        ),
        Sample(lambda x, b: standardize.affine(x, None, b), (Arr((2, 3)), Arr((3,))), np.add),
        Sample(
            lambda x, w, b: normalization.layer_norm(x, 2, w, b),
            (IMAGE, Arr((2,)), Arr((2,))),
            lambda x, w, b: normalised(x, 3, 1e-5) * w + b,
        ),
        Sample(
            lambda x, w, b: normalization.group_norm(x, 2, 1e-5, w, b),
            (IMAGE, PER_CHANNEL, PER_CHANNEL),
            lambda x, w, b: _group_reference(x, 2) * _shaped(w, 4) + _shaped(b, 4),
        ),
        Sample(
            lambda x, w, b: normalization.instance_norm(x, None, None, w, b, data_format="NHWC"),
            (Arr((2, 3, 2, 4)), PER_CHANNEL, PER_CHANNEL),
            lambda x, w, b: normalised(x, (1, 2), 1e-5) * w + b,
        ),
        Sample(
            lambda x, w, b: _batch(x, w, b, training=True, data_format="NHWC"),
            (Arr((2, 3, 2, 4)), PER_CHANNEL, PER_CHANNEL),
            lambda x, w, b: normalised(x, (0, 1, 2), 1e-5) * w + b,
        ),
        Sample(
            normalization.batch_norm,
            (IMAGE, PER_CHANNEL, Arr((4,), 0.5, 2.0), PER_CHANNEL, PER_CHANNEL),
            lambda x, m, v, w, b: (
                (x - _shaped(m, 4)) / np.sqrt(_shaped(v, 4) + 1e-5) * _shaped(w, 4) + _shaped(b, 4)
            ),
        ),
    ],
    "track": [Sample(lambda x: _batch(x, training=True), (Arr((4, 3)),), grad=False)],
    "window_sum": [
        Sample(
            lambda x: normalization.local_response_norm(x, 3, 0.5),
            (Arr((2, 5, 3)),),
            lambda x: _responses(x, 1, 1),
        ),
        Sample(
            lambda x: normalization.local_response_norm(x, 4, 0.5, data_format="NLC"),
            (Arr((2, 3, 5)),),
            lambda x: _last(x, lambda y: _responses(y, 2, 1)),
        ),
        Sample(
            lambda x: normalization.local_response_norm(x, 7, 0.5),
            (Arr((1, 2, 1)),),
            lambda x: _responses(x, 3, 3),
        ),
    ],
}
