"""Reductions: axes, shapes, empty and 0-d inputs, errors; norms, cumulative sums, sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualgraph as dg

INF, NAN = float("inf"), float("nan")


def t(data: Any, dtype: str | None = None) -> Any:
    return dg.to_tensor(data, dtype=dtype)


def floats() -> Any:
    return t([[3.0, 1.0, 2.0], [0.5, -1.0, 4.0]])


def bools() -> Any:
    return t([[True, False], [True, True]])


def same(x: Any, expected: Any) -> None:
    """Equal shapes and, to rounding, equal values; nan equals nan."""
    assert x.shape == list(np.shape(expected))
    np.testing.assert_allclose(x.numpy(), expected, rtol=2e-6, atol=1e-6)


# name: over all, over axis 0, over axis 1 of [[3, 1, 2], [0.5, -1, 4]]
FLOAT: dict[str, tuple[float, list[float], list[float]]] = {
    "sum": (9.5, [3.5, 0.0, 6.0], [6.0, 3.5]),
    "mean": (1.583333, [1.75, 0.0, 3.0], [2.0, 1.166667]),
    "max": (4.0, [3.0, 1.0, 4.0], [3.0, 4.0]),
    "min": (-1.0, [0.5, -1.0, 2.0], [1.0, -1.0]),
    "amax": (4.0, [3.0, 1.0, 4.0], [3.0, 4.0]),
    "amin": (-1.0, [0.5, -1.0, 2.0], [1.0, -1.0]),
    "prod": (-12.0, [1.5, -1.0, 8.0], [6.0, -2.0]),
    "logsumexp": (4.463695, [3.078890, 1.126928, 4.126928], [3.407606, 4.036270]),
    "std": (1.800463, [1.767767, 1.414214, 1.414214], [1.0, 2.565801]),
    "var": (3.241667, [3.125, 2.0, 2.0], [1.0, 6.583333]),
}
BOOL: dict[str, tuple[bool, list[bool], list[bool]]] = {
    "any": (True, [True, True], [True, True]),
    "all": (False, [True, False], [False, True]),
}
CASES: dict[str, tuple[Callable[[], Any], Any]] = {n: (floats, v) for n, v in FLOAT.items()}
CASES |= {n: (bools, v) for n, v in BOOL.items()}


@pytest.mark.parametrize("name", CASES)
def test_every_way_to_write_an_axis(name: str) -> None:
    make, (whole, columns, rows) = CASES[name]
    reduce, x = getattr(dg, name), make()
    for axis in (None, [], [0, 1], (0, 1), [-1, 0]):
        same(reduce(x, axis=axis), whole)
    for axis in (0, -2, [0], (0,)):
        same(reduce(x, axis=axis), columns)
    for axis in (1, -1, [1]):
        same(reduce(x, axis=axis), rows)
    same(getattr(x, name)(1), rows)


@pytest.mark.parametrize("name", CASES)
def test_keepdim_keeps_ones(name: str) -> None:
    make, (whole, columns, rows) = CASES[name]
    reduce, x = getattr(dg, name), make()
    same(reduce(x, keepdim=True), [[whole]])
    same(reduce(x, axis=0, keepdim=True), [columns])
    same(reduce(x, axis=1, keepdim=True), [[v] for v in rows])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("axis", [2, -3, [0, 2], [0, 0], [1, -1]], ids=str)
def test_axes_out_of_range_or_twice_are_value_errors(name: str, axis: Any) -> None:
    make, _ = CASES[name]
    with pytest.raises(ValueError, match=r"."):
        getattr(dg, name)(make(), axis=axis)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("axis", ["a", 1.5])
def test_axes_of_another_type_are_type_errors(name: str, axis: Any) -> None:
    make, _ = CASES[name]
    with pytest.raises(TypeError):
        getattr(dg, name)(make(), axis=axis)


@pytest.mark.parametrize("name", FLOAT)
def test_0d_has_axis_0_and_minus_1(name: str) -> None:
    expected = NAN if name in ("std", "var") else 7.0
    x, reduce = t(7.0), getattr(dg, name)
    for axis in (None, 0, -1, []):
        same(reduce(x, axis=axis), expected)
    same(reduce(x, keepdim=True), expected)
    with pytest.raises(ValueError, match=r"."):
        reduce(x, axis=1)


def test_several_axes_of_three() -> None:
    x = dg.arange(24.0).reshape([2, 3, 4])
    same(dg.sum(x, axis=[0, -1]), [60.0, 92.0, 124.0])
    same(dg.std(x, axis=[0, -1]), [6.524679, 6.524679, 6.524679])
    assert dg.max(x, axis=[0, 2], keepdim=True).shape == [1, 3, 1]


EMPTY = {"sum": 0.0, "mean": NAN, "prod": 1.0, "logsumexp": -INF, "std": NAN, "var": NAN}


@pytest.mark.parametrize("name", EMPTY)
def test_over_nothing(name: str) -> None:
    x, reduce = dg.zeros([0, 3]), getattr(dg, name)
    same(reduce(x), EMPTY[name])
    same(reduce(x, axis=0), [EMPTY[name]] * 3)
    assert reduce(x, axis=1).shape == [0]


@pytest.mark.parametrize("name", ["max", "min"])
def test_there_is_no_largest_or_smallest_of_nothing(name: str) -> None:
    x, reduce = dg.zeros([0, 3]), getattr(dg, name)
    for options in ({}, {"axis": 0}):
        with pytest.raises(ValueError, match=r"."):
            reduce(x, **options)
    assert reduce(x, axis=1).shape == [0]


def test_any_and_all_of_nothing() -> None:
    x = dg.zeros([0, 3]).astype("bool")
    assert (dg.any(x).item(), dg.all(x).item()) == (False, True)
    assert (dg.any(x, axis=0).tolist(), dg.all(x, axis=0).tolist()) == ([False] * 3, [True] * 3)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.std(floats(), unbiased=False), 1.64359),
        (lambda: dg.var(floats(), axis=1, unbiased=False), [0.6666667, 4.388889]),
        (lambda: dg.var(t([5.0])), NAN),
        (lambda: dg.max(t([2.0, NAN, 1.0])), NAN),
        (lambda: dg.min(t([2.0, NAN, 1.0])), NAN),
        (lambda: dg.mean(t([[0, 1, 2], [3, 4, 5]])), 2),
        (lambda: dg.prod(t([[0, 1, 2], [3, 4, 5]]), axis=1), [0, 60]),
        (lambda: dg.sum(bools()), 3),
        (lambda: dg.logsumexp(t([1000.0, 1000.0])), 1000.693),
        (lambda: dg.nansum(t([1.0, NAN])), 1.0),
        (lambda: dg.nanmean(t([1.0, NAN, 3.0])), 2.0),
        (lambda: dg.count_nonzero(t([[0, 1, 2], [3, 4, 5]]), axis=1), [2, 3]),
        (lambda: dg.median(t([5.0, 3.0, 8.0, 1.0])), 4.0),
        (lambda: dg.median(floats(), axis=1), [2.0, 0.5]),
        (lambda: dg.quantile(t([5.0, 3.0, 8.0, 1.0]), 0.5), 4.0),
    ],
)
def test_values(run: Callable[[], Any], expected: Any) -> None:
    same(run(), expected)


@pytest.mark.ours("Paddle gives nan")
def test_logsumexp_of_minus_infinities_is_minus_infinity() -> None:
    same(dg.logsumexp(t([-INF, -INF])), -INF)


# ---- argmax and argmin ---------------------------------------------------------------------------

ARG = {"argmax": (5, [0, 0, 1], [0, 2]), "argmin": (4, [1, 1, 0], [1, 1])}


@pytest.mark.parametrize("name", ARG)
def test_argmax_and_argmin(name: str) -> None:
    find, x = getattr(dg, name), floats()
    whole, columns, rows = ARG[name]
    same(find(x), whole)
    same(find(x, axis=0), columns)
    same(find(x, axis=-1), rows)
    same(find(x, axis=1, keepdim=True), [[v] for v in rows])
    same(find(x, keepdim=True), [[whole]])
    same(find(t(7.0)), 0)
    same(find(t(7.0), axis=0), 0)
    assert find(dg.zeros([0, 3]), axis=1).shape == [0]
    for axis in (2, -3):
        with pytest.raises(ValueError, match=r"."):
            find(x, axis=axis)
    with pytest.raises(TypeError):
        find(x, axis=[0])
    with pytest.raises((TypeError, ValueError)):
        find(x, dtype="float32")


@pytest.mark.ours("Paddle returns an arbitrary number")
@pytest.mark.parametrize("name", ARG)
def test_there_is_no_position_in_nothing(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        getattr(dg, name)(dg.zeros([0, 3]))


def test_argmax_takes_the_first_of_equals_and_skips_nan() -> None:
    assert dg.argmax(t([1.0, 3.0, 3.0, 1.0])).item() == 1
    assert dg.argmin(t([1.0, 3.0, 3.0, 1.0])).item() == 0
    assert dg.argmax(t([2.0, NAN, 1.0])).item() == 0
    assert dg.argmin(t([2.0, NAN, 1.0])).item() == 2


# ---- norms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 5.59017),
        ({"p": 0}, 6.0),
        ({"p": 1}, 11.5),
        ({"p": 2}, 5.59017),
        ({"p": 3}, 4.65893),
        ({"p": INF}, 4.0),
        ({"p": -INF}, 0.5),
        ({"p": "fro"}, 5.59017),
        ({"keepdim": True}, [[5.59017]]),
        ({"axis": 0}, [3.041381, 1.414214, 4.472136]),
        ({"p": 1, "axis": 0}, [3.5, 2.0, 6.0]),
        ({"p": 2, "axis": 1}, [3.741657, 4.153312]),
        ({"p": INF, "axis": 1}, [3.0, 4.0]),
        ({"p": 2, "axis": -1, "keepdim": True}, [[3.741657], [4.153312]]),
        ({"p": "fro", "axis": [0, 1]}, 5.59017),
        # With two axes, p is a matrix norm: column sums, largest singular value, row sums.
        ({"p": 1, "axis": [0, 1]}, 6.0),
        ({"p": 2, "axis": [0, 1]}, 4.927367),
        ({"p": INF, "axis": [0, 1]}, 6.0),
    ],
    ids=str,
)
def test_norm(options: dict[str, Any], expected: Any) -> None:
    same(dg.norm(floats(), **options), expected)
    same(dg.linalg.norm(floats(), **options), expected)


def test_norm_of_other_shapes() -> None:
    x = dg.arange(24.0).reshape([2, 3, 4])
    same(dg.norm(x, axis=[1, 2]), [22.4093, 61.78589])
    kept = dg.norm(x, p="fro", axis=(0, 2), keepdim=True)
    same(kept, [[[27.34959], [36.82391], [47.11687]]])
    same(dg.norm(t(7.0)), 7.0)
    same(dg.norm(dg.zeros([0, 3])), 0.0)


@pytest.mark.parametrize(
    "options",
    [{"p": "foo"}, {"axis": 2}, {"axis": -3}, {"p": 1, "axis": 2}, {"axis": [0, 1, 1]}],
    ids=str,
)
def test_norm_refuses(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        dg.norm(floats(), **options)


# ---- cumulative ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (dg.cumsum, [3.0, 4.0, 6.0, 6.5, 5.5, 9.5]),
        (lambda x: dg.cumsum(x, axis=0), [[3.0, 1.0, 2.0], [3.5, 0.0, 6.0]]),
        (lambda x: dg.cumsum(x, axis=-1), [[3.0, 4.0, 6.0], [0.5, -0.5, 3.5]]),
        (lambda x: dg.cumsum(x, axis=1, dtype="float64"), [[3.0, 4.0, 6.0], [0.5, -0.5, 3.5]]),
        (lambda x: dg.cumsum(t(7.0)), [7.0]),
        (lambda x: dg.cumsum(t(7.0), axis=0), 7.0),
        (lambda x: dg.cumsum(dg.zeros([0, 3]), axis=0), np.zeros((0, 3))),
        (lambda x: dg.cumprod(x, dim=1), [[3.0, 3.0, 6.0], [0.5, -0.5, -2.0]]),
        (lambda x: dg.cumprod(x, dim=0), [[3.0, 1.0, 2.0], [1.5, -1.0, 8.0]]),
    ],
)
def test_cumulative(run: Callable[[Any], Any], expected: Any) -> None:
    same(run(floats()), expected)


@pytest.mark.parametrize("axis", [2, -3])
def test_cumulative_axes_out_of_range(axis: int) -> None:
    with pytest.raises(IndexError):
        dg.cumsum(floats(), axis=axis)
    with pytest.raises(ValueError, match=r"."):
        dg.cumprod(floats(), dim=axis)


# ---- sorting -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (dg.sort, [[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]]),
        (lambda x: dg.sort(x, axis=0), [[0.5, -1.0, 2.0], [3.0, 1.0, 4.0]]),
        (lambda x: dg.sort(x, descending=True), [[3.0, 2.0, 1.0], [4.0, 0.5, -1.0]]),
        (lambda x: dg.sort(t([2.0, NAN, 1.0])), [1.0, 2.0, NAN]),
        (lambda x: dg.sort(t(7.0)), 7.0),
        (dg.argsort, [[1, 2, 0], [1, 0, 2]]),
        (lambda x: dg.argsort(x, axis=0), [[1, 1, 0], [0, 0, 1]]),
        (lambda x: dg.argsort(x, axis=-1, descending=True), [[0, 2, 1], [2, 0, 1]]),
        (lambda x: dg.argsort(t([1.0, 1.0, 1.0]), stable=True), [0, 1, 2]),
        (lambda x: dg.argsort(t(7.0)), 0),
        (lambda x: dg.topk(x, 2)[0], [[3.0, 2.0], [4.0, 0.5]]),
        (lambda x: dg.topk(x, 2)[1], [[0, 2], [2, 0]]),
        (lambda x: dg.topk(x, 1, axis=0)[0], [[3.0, 1.0, 4.0]]),
        (lambda x: dg.topk(x, 2, axis=0, largest=False)[1], [[1, 1, 0], [0, 0, 1]]),
        (lambda x: dg.topk(x, t(1))[1], [[0], [2]]),
        (lambda x: dg.topk(t(7.0), 1)[0], 7.0),
        (lambda x: dg.topk(dg.ones([2, 3, 4]), 2, axis=1)[0], np.ones((2, 2, 4))),
    ],
)
def test_sorting(run: Callable[[Any], Any], expected: Any) -> None:
    same(run(floats()), expected)


def test_sorting_nothing() -> None:
    assert dg.sort(dg.zeros([0, 3]), axis=0).shape == [0, 3]
    assert dg.argsort(dg.zeros([0, 3]), axis=1).shape == [0, 3]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: dg.sort(x, axis=2),
        lambda x: dg.sort(x, axis=-3),
        lambda x: dg.argsort(x, axis=2),
        lambda x: dg.topk(x, 4),
        lambda x: dg.topk(x, 0),
        lambda x: dg.topk(x, -1),
        lambda x: dg.topk(x, 1, axis=2),
    ],
)
def test_sorting_refuses(call: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        call(floats())
