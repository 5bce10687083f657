"""Samples of what optimizers do: decay, clipping, and the updates themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dualgraph import optimizer as opt
from dualgraph.nn import ClipGradByNorm, Parameter
from dualgraph.nn.clip import scale_gradients, total_norm
from dualgraph.nn.utils import clip_grad_value_
from dualgraph.regularizer import L1Decay, L2Decay
from tests.ops.samples.base import Arr, Sample

SHAPES: tuple[tuple[int, ...], ...] = ((2, 3), (), (0, 2))


def _stepped(kind: str, **options: Any) -> Any:
    """Two steps of an optimizer: the parameter and its state afterwards."""

    def call(p: Any, g: Any) -> Any:
        parameter = Parameter(p)
        parameter._data = np.array(p._data, order="K")
        parameter.grad = g
        optimizer = getattr(opt, kind)(learning_rate=0.05, parameters=[parameter], **options)
        optimizer.step()
        optimizer.step()
        return [parameter, *optimizer.state_dict().values()]

    return call


def _update(kind: str, *variants: dict[str, Any], shapes: Any = SHAPES) -> list[Sample]:
    return [
        Sample(_stepped(kind, **options), (Arr(shape), Arr(shape)), grad=False)
        for options in ({}, *variants)
        for shape in shapes
    ]


def _stored(x: Any) -> Any:
    p = Parameter(np.zeros(x.shape, np.float16))
    p.grad = x.astype("float16")
    opt.SGD(1.0, [p]).step()
    return p


def _scaled(g: Any, factor: Any) -> Any:
    out = g.clone()
    scale_gradients([out], factor)
    return out


def _clipped(g: Any) -> Any:
    p = Parameter(np.zeros(g.shape))
    p.grad = g.clone()
    clip_grad_value_(p, 1.0)
    return p.grad


def _clipped_by_norm(limit: float) -> Any:
    def call(g: Any) -> Any:
        p = Parameter(np.zeros(g.shape))
        return ClipGradByNorm(limit)([(p, g)])[0][1]

    return call


def _norm(order: float) -> Sample:
    def reference(*grads: Any) -> Any:
        flat = np.concatenate([g.ravel() for g in grads])
        if order == 0:
            return np.float64(sum(g.any() for g in grads))
        return np.linalg.norm(flat, order) if flat.size else np.float64(0.0)

    return Sample(
        lambda *grads: total_norm(grads, order),
        (Arr((2, 3)), Arr(()), Arr((4,))),
        reference,
        grad=False,
    )


SAMPLES = {
    "l1_decay": [
        Sample(
            lambda g, p: L1Decay(0.5).added_to(g, p),
            (Arr(shape), Arr(shape)),
            lambda g, p: g + 0.5 * np.sign(p),
            grad=False,
        )
        for shape in SHAPES
    ],
    "l2_decay": [
        Sample(
            lambda g, p: L2Decay(0.5).added_to(g, p),
            (Arr(shape), Arr(shape)),
            lambda g, p: g + 0.5 * p,
            grad=False,
        )
        for shape in SHAPES
    ],
    "total_norm": [_norm(order) for order in (0, 1, 2, math.inf)],
    "clip_by_norm": [
        Sample(
            _clipped_by_norm(limit),
            (Arr((2, 3)),),
            lambda g, limit=limit: g * min(1.0, limit / np.linalg.norm(g)),
            grad=False,
        )
        for limit in (0.5, 100.0)
    ],
    "scale_gradients": [
        Sample(_scaled, (Arr(shape), Arr(())), lambda g, x: g * x, grad=False) for shape in SHAPES
    ],
    "clip_gradient": [
        Sample(_clipped, (Arr(shape),), lambda g: np.clip(g, -1, 1), grad=False) for shape in SHAPES
    ],
    "store": [
        Sample(
            _stored,
            (Arr((2, 3), dtype="float16"),),
            lambda x: (-x.astype("f4")).astype("f2"),
            grad=False,
        )
    ],
    "sgd_update": _update("SGD"),
    "momentum_update": _update("Momentum", {"use_nesterov": True, "rescale_grad": 0.5}),
    "adam_update": [*_update("Adam", {"amsgrad": True}), *_update("AdamW")],
    "rmsprop_update": _update("RMSProp", {"momentum": 0.5, "centered": True}),
    "adagrad_update": _update("Adagrad"),
    "adadelta_update": _update("Adadelta"),
    "adamax_update": _update("Adamax"),
    "lamb_update": _update("Lamb", {"lamb_weight_decay": 0.0}),
    "nadam_update": _update("NAdam"),
    "radam_update": _update("RAdam", {"beta2": 0.5}),
    "rprop_update": _update("Rprop"),
    "asgd_update": _update("ASGD", {"batch_num": 2}, shapes=((2, 3), (0, 2))),
}
