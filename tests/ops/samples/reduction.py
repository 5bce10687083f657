"""Samples of the reductions over axes, and of the running reductions along one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import logsumexp

import dualgraph as dg
from dualgraph import Tensor
from dualgraph.ops.apply import apply
from dualgraph.ops.reduction import sum_to
from dualgraph.ops.registry import OPS
from tests.ops.samples.base import Arr, Sample

SHAPES: list[tuple[tuple[int, ...], Any]] = [
    ((3, 4), None),
    ((2, 3, 4), (0, 2)),
    ((2, 3, 4), -2),
    ((), None),
    ((3, 0), 1),
]


def reduced(
    function: Callable[..., Tensor],
    reference: Callable[..., Any] | None,
    shapes: list[tuple[tuple[int, ...], Any]] = SHAPES,
    **options: Any,
) -> list[Sample]:
    """A reduction over some axes, with and without keeping them."""

    def sample(shape: tuple[int, ...], axis: Any, keepdim: bool) -> Sample:
        def call(x: Tensor) -> Tensor:
            return function(x, axis=axis, keepdim=keepdim)

        def expected(x: Any) -> Any:
            return reference(x, axis=axis, keepdims=keepdim)  # type: ignore[misc]

        return Sample(call, (Arr(shape),), reference and expected, **options)

    return [sample(shape, axis, i % 2 == 1) for i, (shape, axis) in enumerate(shapes)]


NOT_EMPTY = SHAPES[:4]


def along(
    function: Callable[..., Any], reference: Callable[..., Any] | None, **options: Any
) -> list[Sample]:
    """A reduction that runs along one axis."""

    def sample(shape: tuple[int, ...], axis: int | None) -> Sample:
        def call(x: Tensor) -> Any:
            return function(x, axis)

        def expected(x: Any) -> Any:
            return reference(x, axis)  # type: ignore[misc]

        return Sample(call, (Arr(shape),), reference and expected, **options)

    shapes = [((3, 4), 0), ((2, 5), -1), ((2, 3), None), ((1,), 0), ((3, 0), 1)]
    return [sample(shape, axis) for shape, axis in shapes]


def with_correction(correction: float) -> Callable[..., Tensor]:
    def function(x: Tensor, axis: Any, keepdim: bool) -> Tensor:
        return dg.var(x, axis, keepdim=keepdim, correction=correction)

    return function


def product_of_line(x: Tensor) -> Tensor:
    return dg.prod(x * dg.to_tensor([1, 0, 1, 1]).astype(x.dtype), 1)


def shifted(ahead: bool, fill: int) -> Callable[[Tensor], Tensor]:
    return lambda x: apply(OPS["shifted"], (x,), {"axis": 1, "ahead": ahead, "fill": fill})


def recurrence(axis: int, reverse: bool) -> Sample:
    attrs = {"axis": axis, "reverse": reverse}

    def expected(a: Any, b: Any) -> Any:
        a, b = (np.moveaxis(y, axis, 0)[:: -1 if reverse else 1] for y in (a, b))
        s = [b[0]]
        for factor, term in zip(a[1:], b[1:], strict=True):
            s.append(term + factor * s[-1])
        return np.moveaxis(np.array(s)[:: -1 if reverse else 1], 0, axis)

    return Sample(
        lambda a, b: apply(OPS["linear_recurrence"], (a, b), attrs),
        (Arr((3, 4)), Arr((3, 4))),
        expected,
        order=3,
    )


def running_log_of_sum(x: Any, axis: int | None) -> Any:
    return np.logaddexp.accumulate(x.ravel() if axis is None else x, axis or 0)


def running(ufunc: Any) -> Callable[..., Any]:
    def expected(x: Any, axis: int | None) -> tuple[Any, Any]:
        x, axis = (x.ravel(), 0) if axis is None else (x, axis)
        values = ufunc.accumulate(x, axis)
        places = np.arange(x.shape[axis]).reshape(
            [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
        )
        return values, np.maximum.accumulate(np.where(x == values, places, 0), axis)

    return expected


def spread(
    shape: tuple[int, ...], axis: tuple[int, ...], name: str = "spread"
) -> Callable[[Tensor], Tensor]:
    return lambda g: apply(OPS[name], (g,), {"shape": shape, "axis": axis})


SAMPLES: dict[str, list[Sample]] = {
    "sum_to": [
        Sample(lambda x: sum_to(x, (3, 1)), (Arr((2, 3, 4)),), lambda x: x.sum((0, 2))[:, None]),
        Sample(lambda x: sum_to(x, ()), (Arr((2, 3)),), np.sum),
        Sample(lambda x: sum_to(x, (2, 3)), (Arr((2, 3)),), np.copy),
    ],
    "spread": [
        Sample(spread((2, 3), (0,)), (Arr((3,)),), lambda g: np.tile(g, (2, 1))),
        Sample(spread((2, 3), (1,)), (Arr((2, 1)),), lambda g: np.tile(g, (1, 3))),
        Sample(spread((2, 3), (0, 1)), (Arr(()),), lambda g: np.full((2, 3), g)),
        Sample(spread((2, 0), (1,)), (Arr((2,)),), lambda g: np.zeros((2, 0))),
    ],
    "spread_evenly": [
        Sample(
            spread((2, 3), (0,), "spread_evenly"), (Arr((3,)),), lambda g: np.tile(g / 2, (2, 1))
        ),
        Sample(
            spread((2, 3), (0, 1), "spread_evenly"), (Arr(()),), lambda g: np.full((2, 3), g / 6)
        ),
        Sample(
            spread((2, 0), (1,), "spread_evenly"),
            (Arr((2, 1)),),
            lambda g: np.zeros((2, 0)),
            grad=False,
        ),
    ],
    "sum": [
        *reduced(dg.sum, np.sum),
        Sample(dg.sum, (Arr((4,), ints=(-5, 5)),), np.sum, grad=False),
        Sample(dg.nansum, (Arr((2, 3)),), np.nansum),
        Sample(dg.count_nonzero, (Arr((9,), ints=(0, 3)),), np.count_nonzero, grad=False),
    ],
    "mean": [
        *reduced(dg.mean, np.mean, NOT_EMPTY),
        Sample(lambda x: dg.mean(x, 1), (Arr((2, 0)),), lambda x: np.full(2, np.nan), grad=False),
    ],
    "prod": [
        *reduced(dg.prod, np.prod, order=3),
        Sample(product_of_line, (Arr((2, 4)),), lambda x: 0 * x[:, 0], order=3),
    ],
    "var": [
        *reduced(
            dg.var, lambda x, axis, keepdims: np.var(x, axis, ddof=1, keepdims=keepdims), SHAPES[:3]
        ),
        *reduced(
            with_correction(0.5),
            lambda x, axis, keepdims: np.var(x, axis, ddof=0.5, keepdims=keepdims),
            SHAPES[1:2],
        ),
        *reduced(
            dg.std, lambda x, axis, keepdims: np.std(x, axis, ddof=1, keepdims=keepdims), SHAPES[:3]
        ),
    ],
    "any": [
        *reduced(dg.any, np.any, grad=False),
        Sample(lambda x: dg.any(x, 1), (Arr((3, 4), bools=True),), lambda x: x.any(1), grad=False),
    ],
    "all": [
        *reduced(dg.all, np.all, grad=False),
        Sample(lambda x: dg.all(x, 1), (Arr((3, 2), bools=True),), lambda x: x.all(1), grad=False),
    ],
    "max": [
        *reduced(dg.max, np.max, NOT_EMPTY),
        *reduced(dg.amax, np.max, NOT_EMPTY[:1]),
        Sample(dg.max, (Arr((5,), ints=(-9, 9)),), np.max, grad=False),
    ],
    "min": [
        *reduced(dg.min, np.min, NOT_EMPTY),
        *reduced(dg.amin, np.min, NOT_EMPTY[:1]),
        Sample(dg.min, (Arr((5,), ints=(-9, 9)),), np.min, grad=False),
    ],
    "argmax": [
        *reduced(dg.argmax, np.argmax, [((3, 4), None), ((2, 3, 4), 1), ((2, 3), -1)], grad=False),
        Sample(dg.argmax, (Arr((5,), ints=(0, 3)),), np.argmax, grad=False),
    ],
    "argmin": [
        *reduced(dg.argmin, np.argmin, [((3, 4), None), ((2, 3, 4), 1), ((2, 3), -1)], grad=False),
        Sample(dg.argmin, (Arr((5,), ints=(0, 3)),), np.argmin, grad=False),
    ],
    "logsumexp": [
        *reduced(dg.logsumexp, logsumexp, SHAPES[:3]),
        Sample(dg.logsumexp, (Arr(()),), np.copy),
        Sample(
            lambda x: dg.logsumexp(x, 1), (Arr((2, 0)),), lambda x: np.full(2, -np.inf), grad=False
        ),
        Sample(dg.logsumexp, (Arr((4,), low=-900, high=900),), logsumexp, order=1),
    ],
    "cumsum": along(dg.cumsum, np.cumsum),
    "cumprod": [
        *along(dg.cumprod, np.cumprod, order=3),
        Sample(
            lambda x: dg.cumprod(x * dg.to_tensor([1, 0, 1, 0, 1]).astype(x.dtype), 0),
            (Arr((5,)),),
            order=3,
        ),
    ],
    "logcumsumexp": [
        *along(dg.logcumsumexp, running_log_of_sum),
        Sample(lambda x: dg.logcumsumexp(x, 0), (Arr((5,), low=-900, high=900),), order=1),
    ],
    "shifted": [
        Sample(shifted(True, 0), (Arr((2, 3)),), lambda x: np.pad(x, ((0, 0), (1, 0)))[:, :-1]),
        Sample(shifted(False, 1), (Arr((2, 3)),), lambda x: np.c_[x[:, 1:], np.ones(2)]),
        Sample(shifted(True, 1), (Arr((2, 0)),), np.copy),
    ],
    "linear_recurrence": [recurrence(0, False), recurrence(1, True), recurrence(1, False)],
    "running_arg": [*along(dg.cummax, running(np.maximum)), *along(dg.cummin, running(np.minimum))],
}
