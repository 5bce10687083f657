"""Gathering, scattering, selecting, slicing, sorting, einsum, clip and cast: values, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dualgraph as dg
from tests.parity.samples import a, check, s, t, v, x

Run = Callable[[], Any]

NAN = float("nan")
WRONG_KIND = (TypeError, ValueError)  # of an argument's type or dtype; Paddle uses either
OUT_OF_RANGE = (IndexError, ValueError)  # of an index; Paddle uses either
ASSERTION = pytest.mark.ours("Paddle raises AssertionError")


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.gather(a(), t([1, 0])), ("int64 [2, 3]", [[3, 4, 5], [0, 1, 2]])),
        (lambda: dg.gather(a(), t([2, 0]), axis=1), ("int64 [2, 2]", [[2, 0], [5, 3]])),
        (lambda: dg.gather(a(), t(1)), ("int64 [3]", [3, 4, 5])),
        (lambda: dg.gather(v(), t([3, 3], dtype="int32")), ("float32 [2]", [1.0, 1.0])),
        (lambda: dg.gather(a(), t([1]), axis=-1), ("int64 [2, 1]", [[1], [4]])),
        (lambda: dg.gather(a(), dg.zeros([0], "int64")), ("int64 [0, 3]", [])),
        (lambda: dg.gather_nd(a(), t([[1, 2], [0, 0]])), ("int64 [2]", [5, 0])),
        (lambda: dg.gather_nd(a(), t([1])), ("int64 [3]", [3, 4, 5])),
        (lambda: dg.gather_nd(a(), t([[1], [0]])), ("int64 [2, 3]", [[3, 4, 5], [0, 1, 2]])),
        (lambda: dg.gather_nd(a(), t([[-1, 0]])), ("int64 [1]", [3])),
        (lambda: dg.index_select(a(), t([1, 1])), ("int64 [2, 3]", [[3, 4, 5], [3, 4, 5]])),
        (lambda: dg.index_select(a(), t([2, 0]), axis=1), ("int64 [2, 2]", [[2, 0], [5, 3]])),
        (lambda: dg.index_select(a(), t([-1])), ("int64 [1, 3]", [[3, 4, 5]])),
        (lambda: dg.index_sample(a(), t([[2, 0], [1, 1]])), ("int64 [2, 2]", [[2, 0], [4, 4]])),
        (lambda: dg.take_along_axis(a(), t([[2], [0]]), axis=1), ("int64 [2, 1]", [[2], [3]])),
        (lambda: dg.take_along_axis(a(), t([[0, 1, 0]]), axis=0), ("int64 [1, 3]", [[0, 4, 2]])),
        (
            lambda: dg.put_along_axis(a(), t([[2], [0]]), t([[9], [8]]), axis=1),
            ("int64 [2, 3]", [[0, 1, 9], [8, 4, 5]]),
        ),
        (
            lambda: dg.put_along_axis(a(), t([[2], [0]]), 9, axis=1),
            ("int64 [2, 3]", [[0, 1, 9], [9, 4, 5]]),
        ),
        (lambda: dg.masked_select(a(), a() > 2), ("int64 [3]", [3, 4, 5])),
        (lambda: dg.masked_fill(a(), a() > 2, 9), ("int64 [2, 3]", [[0, 1, 2], [9, 9, 9]])),
        (lambda: dg.scatter(v(), t([2, 0]), t([9.0, 8.0])), ("float32 [4]", [8.0, 3.0, 9.0, 1.0])),
        (
            lambda: dg.scatter(v(), t([2, 2]), t([9.0, 8.0]), overwrite=False),
            ("float32 [4]", [5.0, 3.0, 17.0, 1.0]),
        ),
        (
            lambda: dg.scatter(v(), t([2, 0]), t([9.0, 8.0]), overwrite=False),
            ("float32 [4]", [8.0, 3.0, 9.0, 1.0]),
        ),
        (
            lambda: dg.scatter(x(), t([1]), t([[9.0, 8.0, 7.0]])),
            ("float32 [2, 3]", [[3.0, 1.0, 2.0], [9.0, 8.0, 7.0]]),
        ),
        (
            lambda: dg.scatter(x(), t([1, 1]), dg.ones([2, 3]), overwrite=False),
            ("float32 [2, 3]", [[3.0, 1.0, 2.0], [2.0, 2.0, 2.0]]),
        ),
        (
            lambda: dg.scatter_nd_add(v(), t([[1], [1]]), t([9.0, 8.0])),
            ("float32 [4]", [5.0, 20.0, 8.0, 1.0]),
        ),
        (
            lambda: dg.scatter_nd(t([[1], [3]]), t([9.0, 8.0]), [4]),
            ("float32 [4]", [0.0, 9.0, 0.0, 8.0]),
        ),
        (
            lambda: dg.index_add(v(), t([0, 0]), 0, t([1.0, 2.0])),
            ("float32 [4]", [8.0, 3.0, 8.0, 1.0]),
        ),
    ],
)
def test_gather_and_scatter(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: dg.gather(a(), t([2])), IndexError),
        (lambda: dg.gather(a(), t([1.0])), WRONG_KIND),
        (lambda: dg.gather(a(), t([0]), axis=2), OUT_OF_RANGE),
        (lambda: dg.gather_nd(a(), t([[2, 0]])), OUT_OF_RANGE),
        (lambda: dg.gather_nd(a(), t([[0, 0, 0]])), ValueError),
        (lambda: dg.index_select(a(), t([2])), OUT_OF_RANGE),
        (lambda: dg.index_select(a(), t([0.0])), WRONG_KIND),
        (lambda: dg.take_along_axis(a(), t([[3], [0]]), axis=1), IndexError),
        (lambda: dg.scatter(v(), t(2), t([9.0])), ValueError),
        (lambda: dg.scatter(v(), t([4]), t([9.0])), IndexError),
        (lambda: dg.scatter(v(), t([0.0]), t([9.0])), WRONG_KIND),
        (lambda: dg.scatter(v(), t([0]), t([9])), WRONG_KIND),
    ],
)
def test_gather_and_scatter_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.where(a() > 2, a(), -a()), ("int64 [2, 3]", [[0, -1, -2], [3, 4, 5]])),
        (lambda: dg.where(a() > 2), [("int64 [3]", [1, 1, 1]), ("int64 [3]", [0, 1, 2])]),
        (
            lambda: dg.where(t([True, False, True]), a(), a() * 10),
            ("int64 [2, 3]", [[0, 10, 2], [3, 40, 5]]),
        ),
        (lambda: dg.where(t(True), s(), -s()), ("float32 []", 7.0)),
        (
            lambda: dg.where(a() > 2, 1.0, 0.0),
            ("float32 [2, 3]", [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]),
        ),
        (
            lambda: dg.where(a() > 2, x(), 0.0),
            ("float32 [2, 3]", [[0.0, 0.0, 0.0], [0.5, -1.0, 4.0]]),
        ),
        (lambda: (a() > 2).where(a(), -a()), ("int64 [2, 3]", [[0, -1, -2], [3, 4, 5]])),
        (lambda: dg.nonzero(a()), ("int64 [5, 2]", [[0, 1], [0, 2], [1, 0], [1, 1], [1, 2]])),
        (
            lambda: dg.nonzero(a(), as_tuple=True),
            [("int64 [5]", [0, 0, 1, 1, 1]), ("int64 [5]", [1, 2, 0, 1, 2])],
        ),
        (lambda: dg.nonzero(t([0, 3, 0, 4])), ("int64 [2, 1]", [[1], [3]])),
        (lambda: dg.nonzero(t([0, 3, 0, 4]), as_tuple=True), [("int64 [2]", [1, 3])]),
        (lambda: dg.nonzero(dg.zeros([2])), ("int64 [0, 1]", [])),
    ],
)
def test_where_and_nonzero(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: dg.where(a() > 2, a()), ValueError),
        (lambda: dg.where(a(), a(), a()), WRONG_KIND),
        (lambda: dg.where(a() > 2, v(), v()), ValueError),
    ],
)
def test_where_and_nonzero_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.slice(a(), [0], [1], [2]), ("int64 [1, 3]", [[3, 4, 5]])),
        (lambda: dg.slice(a(), [1], [-2], [100]), ("int64 [2, 2]", [[1, 2], [4, 5]])),
        (lambda: dg.slice(a(), [0, 1], [0, 1], [1, 3]), ("int64 [1, 2]", [[1, 2]])),
        (lambda: dg.slice(a(), [0], [2], [1]), ("int64 [0, 3]", [])),
        (lambda: dg.slice(a(), [0], [t(0)], [t(1)]), ("int64 [1, 3]", [[0, 1, 2]])),
        (lambda: dg.strided_slice(a(), [1], [0], [3], [2]), ("int64 [2, 2]", [[0, 2], [3, 5]])),
        (
            lambda: dg.strided_slice(a(), [1], [2], [-4], [-1]),
            ("int64 [2, 3]", [[2, 1, 0], [5, 4, 3]]),
        ),
        (lambda: dg.flip(a(), 0), ("int64 [2, 3]", [[3, 4, 5], [0, 1, 2]])),
        (lambda: dg.flip(a(), [0, 1]), ("int64 [2, 3]", [[5, 4, 3], [2, 1, 0]])),
        (lambda: dg.flip(a(), -1), ("int64 [2, 3]", [[2, 1, 0], [5, 4, 3]])),
        (lambda: dg.flip(a(), []), ("int64 [2, 3]", [[0, 1, 2], [3, 4, 5]])),
        (lambda: dg.roll(a(), 1), ("int64 [2, 3]", [[5, 0, 1], [2, 3, 4]])),
        (lambda: dg.roll(a(), 1, axis=0), ("int64 [2, 3]", [[3, 4, 5], [0, 1, 2]])),
        (lambda: dg.roll(a(), [1, -1], axis=[0, 1]), ("int64 [2, 3]", [[4, 5, 3], [1, 2, 0]])),
        (lambda: dg.roll(a(), -1, axis=-1), ("int64 [2, 3]", [[1, 2, 0], [4, 5, 3]])),
        (lambda: dg.roll(v(), 6), ("float32 [4]", [8.0, 1.0, 5.0, 3.0])),
        (lambda: dg.rot90(a()), ("int64 [3, 2]", [[2, 5], [1, 4], [0, 3]])),
        (lambda: dg.diff(v()), ("float32 [3]", [-2.0, 5.0, -7.0])),
        (lambda: dg.tril(x()), ("float32 [2, 3]", [[3.0, 0.0, 0.0], [0.5, -1.0, 0.0]])),
        (lambda: dg.triu(x(), 1), ("float32 [2, 3]", [[0.0, 1.0, 2.0], [0.0, 0.0, 4.0]])),
        (lambda: dg.diagonal(a()), ("int64 [2]", [0, 4])),
        (lambda: dg.trace(a()), ("int64 []", 4)),
    ],
)
def test_slice_flip_and_roll(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: dg.slice(a(), [0, 1], [0], [1]), ValueError),
        (lambda: dg.flip(a(), 2), ValueError),
        (lambda: dg.flip(a(), [0, 0]), ValueError),
        (lambda: dg.roll(a(), 1, axis=2), ValueError),
        (lambda: dg.roll(a(), [1, 2], axis=0), ValueError),
    ],
)
def test_slice_flip_and_roll_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.topk(v(), 2), [("float32 [2]", [8.0, 5.0]), ("int64 [2]", [2, 0])]),
        (
            lambda: dg.topk(v(), 2, largest=False),
            [("float32 [2]", [1.0, 3.0]), ("int64 [2]", [3, 1])],
        ),
        (
            lambda: dg.topk(x(), 1, axis=0),
            [("float32 [1, 3]", [[3.0, 1.0, 4.0]]), ("int64 [1, 3]", [[0, 0, 1]])],
        ),
        (
            lambda: dg.topk(x(), 2, axis=-1),
            [("float32 [2, 2]", [[3.0, 2.0], [4.0, 0.5]]), ("int64 [2, 2]", [[0, 2], [2, 0]])],
        ),
        (
            lambda: dg.topk(v(), 4),
            [("float32 [4]", [8.0, 5.0, 3.0, 1.0]), ("int64 [4]", [2, 0, 1, 3])],
        ),
        (lambda: dg.topk(v(), t(2)), [("float32 [2]", [8.0, 5.0]), ("int64 [2]", [2, 0])]),
        (lambda: dg.argsort(v()), ("int64 [4]", [3, 1, 0, 2])),
        (lambda: dg.argsort(v(), descending=True), ("int64 [4]", [2, 0, 1, 3])),
        (lambda: dg.argsort(x(), axis=0), ("int64 [2, 3]", [[1, 1, 0], [0, 0, 1]])),
        (lambda: dg.argsort(s()), ("int64 []", 0)),
        (lambda: dg.sort(v()), ("float32 [4]", [1.0, 3.0, 5.0, 8.0])),
        (lambda: dg.sort(x(), axis=0), ("float32 [2, 3]", [[0.5, -1.0, 2.0], [3.0, 1.0, 4.0]])),
        (
            lambda: dg.sort(x(), descending=True),
            ("float32 [2, 3]", [[3.0, 2.0, 1.0], [4.0, 0.5, -1.0]]),
        ),
        (lambda: dg.sort(s()), ("float32 []", 7.0)),
        (lambda: dg.sort(t([2.0, NAN, 1.0])), ("float32 [3]", [1.0, 2.0, NAN])),
        (lambda: dg.argsort(t([1.0, 1.0, 1.0]), stable=True), ("int64 [3]", [0, 1, 2])),
        (lambda: dg.unique(t([2, 1, 2, 3])), ("int64 [3]", [1, 2, 3])),
        (
            lambda: dg.unique(
                t([2, 1, 2, 3]), return_index=True, return_inverse=True, return_counts=True
            ),
            [
                ("int64 [3]", [1, 2, 3]),
                ("int64 [3]", [1, 0, 3]),
                ("int64 [4]", [1, 0, 1, 2]),
                ("int64 [3]", [1, 2, 1]),
            ],
        ),
        (
            lambda: dg.unique(t([[1, 2], [1, 2], [3, 0]]), axis=0),
            ("int64 [2, 2]", [[1, 2], [3, 0]]),
        ),
        (lambda: dg.searchsorted(t([1.0, 3.0, 5.0]), t([3.0, 6.0])), ("int64 [2]", [1, 3])),
        (
            lambda: dg.searchsorted(t([1.0, 3.0, 5.0]), t([3.0, 6.0]), right=True),
            ("int64 [2]", [2, 3]),
        ),
        (lambda: dg.bincount(t([0, 2, 2])), ("int64 [3]", [1, 0, 2])),
        (
            lambda: dg.histogram(t([0.0, 1.0, 1.0, 4.0]), bins=4, min=0, max=4),
            ("int64 [4]", [1, 2, 0, 1]),
        ),
    ],
)
def test_sorting_and_counting(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: dg.topk(v(), 5), ValueError),
        (lambda: dg.topk(v(), 0), ValueError),
        (lambda: dg.topk(v(), -1), ValueError),
        (lambda: dg.topk(v(), 1, axis=1), ValueError),
        (lambda: dg.argsort(v(), axis=1), ValueError),
        (lambda: dg.sort(v(), axis=-2), ValueError),
    ],
)
def test_sorting_and_counting_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (
            lambda: dg.einsum("ij,jk->ik", x(), x().T),
            ("float32 [2, 2]", [[14.0, 8.5], [8.5, 17.25]]),
        ),
        (lambda: dg.einsum("ij,kj", x(), x()), ("float32 [2, 2]", [[14.0, 8.5], [8.5, 17.25]])),
        (
            lambda: dg.einsum("ij->ji", a().astype("float32")),
            ("float32 [3, 2]", [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]),
        ),
        (lambda: dg.einsum("ij->", x()), ("float32 []", 9.5)),
        (lambda: dg.einsum("ij->i", x()), ("float32 [2]", [6.0, 3.5])),
        (lambda: dg.einsum("ii->i", x()[:, :2]), ("float32 [2]", [3.0, -1.0])),
        (lambda: dg.einsum("ii", x()[:, :2]), ("float32 []", 2.0)),
        (lambda: dg.einsum("i,i->", v(), v()), ("float32 []", 99.0)),
        (
            lambda: dg.einsum("i,j->ij", v()[:2], v()[:2]),
            ("float32 [2, 2]", [[25.0, 15.0], [15.0, 9.0]]),
        ),
        (lambda: dg.einsum("i,i->i", v(), v()), ("float32 [4]", [25.0, 9.0, 64.0, 1.0])),
        (
            lambda: dg.einsum("bij,bjk->bik", dg.ones([2, 1, 3]), dg.ones([2, 3, 2])),
            ("float32 [2, 1, 2]", [[[3.0, 3.0]], [[3.0, 3.0]]]),
        ),
        (
            lambda: dg.einsum("...ij,...jk->...ik", dg.ones([2, 1, 3]), dg.ones([2, 3, 2])).shape,
            [2, 1, 2],
        ),
        (lambda: dg.einsum("ij,jk,k->i", x(), x().T, v()[:2]), ("float32 [2]", [95.5, 94.25])),
        (lambda: dg.einsum("i j, j k -> i k", x(), x().T).shape, [2, 2]),
    ],
)
def test_einsum(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: dg.einsum("ij,jk->ik", x(), x()), ValueError),
        (lambda: dg.einsum("ij->ik", x()), ValueError),
        pytest.param(lambda: dg.einsum("ijk->ijk", x()), ValueError, marks=ASSERTION),
        pytest.param(lambda: dg.einsum("ij,jk->ik", x()), ValueError, marks=ASSERTION),
        pytest.param(lambda: dg.einsum("i1->i", x()), ValueError, marks=ASSERTION),
    ],
)
def test_einsum_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.clip(x(), 0.0, 2.0), ("float32 [2, 3]", [[2.0, 1.0, 2.0], [0.5, 0.0, 2.0]])),
        (lambda: dg.clip(x(), min=0.0), ("float32 [2, 3]", [[3.0, 1.0, 2.0], [0.5, 0.0, 4.0]])),
        (lambda: dg.clip(x(), max=2.0), ("float32 [2, 3]", [[2.0, 1.0, 2.0], [0.5, -1.0, 2.0]])),
        (lambda: dg.clip(x()), ("float32 [2, 3]", [[3.0, 1.0, 2.0], [0.5, -1.0, 4.0]])),
        (lambda: dg.clip(a(), 1, 4), ("int64 [2, 3]", [[1, 1, 2], [3, 4, 4]])),
        (
            lambda: dg.clip(x(), t(0.0), t(2.0)),
            ("float32 [2, 3]", [[2.0, 1.0, 2.0], [0.5, 0.0, 2.0]]),
        ),
        (lambda: dg.clip(t([NAN, 5.0]), 0.0, 1.0), ("float32 [2]", [NAN, 1.0])),
        (lambda: dg.cast(x(), "int32"), ("int32 [2, 3]", [[3, 1, 2], [0, -1, 4]])),
        (lambda: dg.cast(a(), "bool"), ("bool [2, 3]", [[False, True, True], [True, True, True]])),
        (lambda: dg.cast(t([300, -1]), "uint8"), ("uint8 [2]", [44, 255])),
    ],
)
def test_clip_and_cast(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: dg.clip(x(), 2.0, 0.0), ValueError),
        (lambda: dg.cast(x(), "foo"), WRONG_KIND),
    ],
)
def test_clip_and_cast_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()
