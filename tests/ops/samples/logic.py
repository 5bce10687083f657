"""Samples of comparisons, logical and bitwise operations, and choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph.ops import bitwise, logic
from tests.ops.samples.base import Arr, Sample

INTS = Arr((3, 4), ints=(-3, 4))
BOOLS = Arr((3, 4), bools=True)
FLOATS = Arr((3, 4))


def between(
    function: Callable[..., Any], reference: Callable[..., Any], *kinds: Arr
) -> list[Sample]:
    """Samples with operands of each kind: of one shape, and broadcast."""
    found = []
    for kind in kinds:
        row = Arr((4,), kind.low, kind.high, ints=kind.ints, bools=kind.bools)
        found += [
            Sample(function, (kind, kind), reference, grad=False),
            Sample(function, (kind, row), reference, grad=False),
        ]
    return found


def comparison(function: Callable[..., Any], reference: Callable[..., Any]) -> list[Sample]:
    return [
        *between(function, reference, FLOATS, INTS, BOOLS),
        Sample(lambda x: function(x, 1), (INTS,), lambda x: reference(x, 1), grad=False),
        Sample(lambda x: function(0.5, x), (INTS,), lambda x: reference(0.5, x), grad=False),
        Sample(function, (Arr((0, 3)), Arr(())), reference, grad=False),
    ]


def question(function: Callable[..., Any], reference: Callable[..., Any]) -> list[Sample]:
    return [
        Sample(function, (kind,), reference, grad=False)
        for kind in (FLOATS, INTS, BOOLS, Arr(()), Arr((0, 2)))
    ]


def _with_inf(x: Any) -> Any:
    return x / (x > 0).astype(x.dtype)


SAMPLES: dict[str, list[Sample]] = {
    "select": [
        Sample(logic.select, (BOOLS, FLOATS, FLOATS), np.where),
        Sample(logic.select, (Arr((3, 1), bools=True), FLOATS, Arr(())), np.where),
        Sample(
            lambda c, x: logic.select(c, x, 0.5), (BOOLS, FLOATS), lambda c, x: np.where(c, x, 0.5)
        ),
        Sample(
            lambda c, x: logic.select(c, 2, x),
            (BOOLS, INTS),
            lambda c, x: np.where(c, 2, x),
            grad=False,
        ),
        Sample(lambda x: logic.select(True, x, 0.0), (FLOATS,), np.copy),
        Sample(logic.select, (Arr((0, 3), bools=True), Arr((3,)), Arr(())), np.where),
    ],
    "masked": [
        Sample(logic.masked, (FLOATS, BOOLS), np.multiply),
        Sample(logic.masked, (Arr(()), Arr((), bools=True)), np.multiply),
    ],
    "equal": comparison(logic.equal, np.equal),
    "not_equal": comparison(logic.not_equal, np.not_equal),
    "greater_than": comparison(logic.greater_than, np.greater),
    "greater_equal": comparison(logic.greater_equal, np.greater_equal),
    "less_than": comparison(logic.less_than, np.less),
    "less_equal": comparison(logic.less_equal, np.less_equal),
    "logical_and": between(logic.logical_and, np.logical_and, BOOLS, INTS, FLOATS),
    "logical_or": between(logic.logical_or, np.logical_or, BOOLS, INTS, FLOATS),
    "logical_xor": between(logic.logical_xor, np.logical_xor, BOOLS, INTS, FLOATS),
    "logical_not": question(logic.logical_not, np.logical_not),
    "isnan": question(logic.isnan, np.isnan),
    "isinf": question(logic.isinf, np.isinf),
    "isfinite": question(logic.isfinite, np.isfinite),
    "bitwise_and": between(bitwise.bitwise_and, np.bitwise_and, INTS, BOOLS),
    "bitwise_or": between(bitwise.bitwise_or, np.bitwise_or, INTS, BOOLS),
    "bitwise_xor": between(bitwise.bitwise_xor, np.bitwise_xor, INTS, BOOLS),
    "bitwise_not": [
        Sample(bitwise.bitwise_not, (INTS,), np.invert, grad=False),
        Sample(bitwise.bitwise_not, (BOOLS,), np.invert, grad=False),
    ],
    "bitwise_left_shift": between(
        bitwise.bitwise_left_shift, np.left_shift, Arr((3, 4), ints=(0, 6))
    ),
    "bitwise_right_shift": [
        *between(bitwise.bitwise_right_shift, np.right_shift, Arr((3, 4), ints=(0, 6))),
        Sample(
            lambda x: bitwise.bitwise_right_shift(x, 60, is_arithmetic=False),
            (INTS,),
            lambda x: (x.view(np.uint64) >> np.uint64(60)).view(np.int64),
            grad=False,
        ),
    ],
    "isclose": [
        Sample(
            lambda x, y: logic.isclose(x, y, atol=1.0),
            (FLOATS, Arr((4,))),
            lambda x, y: np.isclose(x, y, atol=1.0),
            grad=False,
        ),
        Sample(logic.isclose, (INTS, INTS), np.isclose, grad=False),
        Sample(
            lambda x, y: logic.isclose(x / 0.0, y / 0.0, equal_nan=True),
            (FLOATS, FLOATS),
            lambda x, y: np.sign(x) == np.sign(y),
            grad=False,
        ),
        Sample(
            lambda x: logic.allclose(x, x + 1e-9), (FLOATS,), lambda x: np.asarray(True), grad=False
        ),
    ],
    "all_true": [
        Sample(logic.all_true, (BOOLS,), np.all, grad=False),
        Sample(logic.all_true, (Arr((0,), bools=True),), np.all, grad=False),
        Sample(lambda x: logic.equal_all(x, x), (INTS,), lambda x: np.asarray(True), grad=False),
    ],
}
