"""Samples of the ops that `apply` itself and the definitions of others rest on."""

from __future__ import annotations

from typing import Any

import numpy as np

import dualgraph as dg
from dualgraph.ops.apply import apply, assign, outside_view, view_write
from dualgraph.ops.registry import OPS
from tests.ops.samples.base import Arr, Sample


def _second_row_outside(x: Any) -> Any:
    out = x.copy()
    out[1] = 0
    return out


def _second_row_replaced(x: Any, y: Any) -> Any:
    out = x.copy()
    out[1] = y
    return out


def _transpose_attrs() -> dict[str, Any]:
    """A view that shows everything, in another order."""
    return {"view": OPS["reshape"], "attrs": {"shape": (6,)}}


class _SecondRow:
    """The view op `x[1]`, found by looking at how the library makes that view."""

    @staticmethod
    def attrs() -> dict[str, Any]:
        view: Any = dg.zeros([3, 2])[1]._view
        return {"view": view.op, "attrs": view.attrs}


def _twice_backward(x: Any) -> Any:
    leaf = dg.to_tensor(x, stop_gradient=False)
    for _ in range(2):
        (leaf * 3.0).sum().backward()
    return leaf.grad


SAMPLES = {
    "cast": [
        Sample(
            lambda x: dg.cast(x, "float64"),
            (Arr((2, 3), dtype="float32"),),
            lambda x: x.astype("f8"),
            grad=False,
        ),
        Sample(
            lambda x: dg.cast(x, "int32"),
            (Arr((3,)),),
            lambda x: x.astype("i4"),
            grad=False,
            special=False,
        ),
        Sample(lambda x: dg.cast(x, "bool"), (Arr((0, 3)),), lambda x: x.astype(bool), grad=False),
    ],
    "accumulate": [
        Sample(_twice_backward, (Arr((2, 3)),), lambda x: np.full_like(x, 6.0), grad=False)
    ],
    "assign": [Sample(lambda x: apply(assign, (x,)), (Arr((2, 3)),), np.copy)],
    "outside_view": [
        Sample(
            lambda x: apply(outside_view, (x,), _SecondRow.attrs()),
            (Arr((3, 2)),),
            _second_row_outside,
        ),
        Sample(
            lambda x: apply(outside_view, (x,), _transpose_attrs()), (Arr((3, 2)),), np.zeros_like
        ),
    ],
    "view_write": [
        Sample(
            lambda x, y: apply(view_write, (x, y), _SecondRow.attrs()),
            (Arr((3, 2)), Arr((2,))),
            _second_row_replaced,
        )
    ],
}
