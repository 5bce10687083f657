"""Indexing and assignment with all kinds of keys: shapes, values, gradients, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dualgraph as dg
from tests.parity.samples import a, b, check, s, t, v, x

Run = Callable[[], Any]

WRONG_KIND = (
    TypeError,
    ValueError,
    IndexError,
)  # of an index's type or dtype; Paddle uses ValueError


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: a()[0], ("int64 [3]", [0, 1, 2])),
        (lambda: a()[-1], ("int64 [3]", [3, 4, 5])),
        (lambda: a()[1, 2], ("int64 []", 5)),
        (lambda: a()[1, -1], ("int64 []", 5)),
        (lambda: a()[0:1], ("int64 [1, 3]", [[0, 1, 2]])),
        (lambda: a()[:, 1], ("int64 [2]", [1, 4])),
        (lambda: a()[:, 1:], ("int64 [2, 2]", [[1, 2], [4, 5]])),
        (lambda: a()[::-1], ("int64 [2, 3]", [[3, 4, 5], [0, 1, 2]])),
        (lambda: a()[:, ::2], ("int64 [2, 2]", [[0, 2], [3, 5]])),
        (lambda: a()[..., 0], ("int64 [2]", [0, 3])),
        (lambda: b()[..., 0].shape, [2, 3]),
        (lambda: b()[0, ..., 1], ("int64 [3]", [1, 5, 9])),
        (lambda: b()[1, :, 1:3], ("int64 [3, 2]", [[13, 14], [17, 18], [21, 22]])),
        (lambda: a()[None].shape, [1, 2, 3]),
        (lambda: a()[:, None].shape, [2, 1, 3]),
        (lambda: a()[..., None].shape, [2, 3, 1]),
        (lambda: a()[None, 0].shape, [1, 3]),
        (lambda: a()[[1, 0]], ("int64 [2, 3]", [[3, 4, 5], [0, 1, 2]])),
        (lambda: a()[[0, 1], [2, 0]], ("int64 [2]", [2, 3])),
        (lambda: a()[[0, 1], 1], ("int64 [2]", [1, 4])),
        (lambda: a()[:, [0, 2]], ("int64 [2, 2]", [[0, 2], [3, 5]])),
        (
            lambda: a()[[[0, 1], [1, 0]]],
            ("int64 [2, 2, 3]", [[[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]]),
        ),
        (lambda: a()[t([1, 0])], ("int64 [2, 3]", [[3, 4, 5], [0, 1, 2]])),
        (lambda: a()[t(1)], ("int64 [3]", [3, 4, 5])),
        (lambda: a()[t([0, 1]), t([2, 2])], ("int64 [2]", [2, 5])),
        (lambda: a()[t([[0, 1], [1, 0]])].shape, [2, 2, 3]),
        (lambda: a()[:, t([0, 2])], ("int64 [2, 2]", [[0, 2], [3, 5]])),
        (lambda: a()[a() > 2], ("int64 [3]", [3, 4, 5])),
        (lambda: a()[t([True, False])], ("int64 [1, 3]", [[0, 1, 2]])),
        (lambda: a()[[True, False]], ("int64 [1, 3]", [[0, 1, 2]])),
        (lambda: a()[:, t([True, False, True])], ("int64 [2, 2]", [[0, 2], [3, 5]])),
        (lambda: a()[t([True, False]), 1], ("int64 [1]", [1])),
        (lambda: a()[np.array([1, 0])], ("int64 [2, 3]", [[3, 4, 5], [0, 1, 2]])),
        (lambda: b()[[0, 1], :, [2, 3]], ("int64 [2, 3]", [[2, 6, 10], [15, 19, 23]])),
        (lambda: b()[:, [0, 2], [1, 1]].shape, [2, 2]),
        (lambda: b()[0, [0, 2]].shape, [2, 4]),
        (lambda: b()[[0], :, 1].shape, [1, 3]),
        (lambda: b()[t([0, 1]), 1:, 0], ("int64 [2, 2]", [[4, 8], [16, 20]])),
        (lambda: a()[5:], ("int64 [0, 3]", [])),
        (lambda: a()[2:1], ("int64 [0, 3]", [])),
        (lambda: a()[-10:10], ("int64 [2, 3]", [[0, 1, 2], [3, 4, 5]])),
        (lambda: a()[()].shape, [2, 3]),
        (lambda: a()[...].shape, [2, 3]),
        (lambda: v()[1:3], ("float32 [2]", [3.0, 8.0])),
        (lambda: v()[t([-1])], ("float32 [1]", [1.0])),
        (lambda: v()[[-1, 0]], ("float32 [2]", [1.0, 5.0])),
        (lambda: s()[...], ("float32 []", 7.0)),
        (lambda: s()[None], ("float32 [1]", [7.0])),
        (lambda: a()[0][1], ("int64 []", 1)),
        (lambda: a()[None, None, 0].shape, [1, 1, 3]),
        (lambda: a()[0:2, t([0, 1])].shape, [2, 2]),
        (lambda: a()[dg.zeros([0], "int64")].shape, [0, 3]),
        (lambda: a()[a() > 100], ("int64 [0]", [])),
        (lambda: a()[1:, :0], ("int64 [1, 0]", [[]])),
    ],
)
def test_indexing(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: a()[2], IndexError),
        (lambda: a()[-3], IndexError),
        (lambda: a()[0, 3], IndexError),
        (lambda: a()[0, 0, 0], IndexError),
        (lambda: a()[..., ..., 0], ValueError),
        (lambda: a()[1.0], WRONG_KIND),
        (lambda: a()["a"], WRONG_KIND),
        (lambda: a()[t([0.5])], WRONG_KIND),
        (lambda: a()[t([True, False, True])], IndexError),
        (lambda: a()[[0, 1], [0, 1, 2]], ValueError),
        (lambda: a()[::0], ValueError),
        (lambda: s()[0], IndexError),
    ],
)
def test_indexing_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.ours("Paddle reads foreign memory")
@pytest.mark.parametrize("index", [[0, 2], [-3]], ids=str)
@pytest.mark.parametrize("as_tensor", [False, True], ids=["list", "tensor"])
def test_lists_and_tensors_out_of_range_are_index_errors(index: Any, as_tensor: bool) -> None:
    key = t(index) if as_tensor else index
    with pytest.raises(IndexError):
        a()[key]
    target = a()
    with pytest.raises(IndexError):
        target[key] = 1
    assert target.tolist() == a().tolist()


def test_gradients_flow_through_indexing() -> None:
    y = dg.to_tensor([[3.0, 1.0, 2.0], [0.5, -1.0, 4.0]], stop_gradient=False)
    (y[0, 1:].sum() + y[[1, 1], [0, 0]].sum() + y[y > 2].sum() + y[None, ..., -1].sum()).backward()
    assert y.grad.tolist() == [[1.0, 1.0, 2.0], [2.0, 0.0, 2.0]]


# ---- assignment ----------------------------------------------------------------------------------

Write = Callable[[Any], None]


def put(key: Any, value: Any) -> Write:
    """Write `value` at `key`; a callable makes its own from the target."""

    def write(target: Any) -> None:
        target[key(target) if callable(key) else key] = value() if callable(value) else value

    return write


def zeros() -> Any:
    return dg.zeros([2, 3, 4])


@pytest.mark.parametrize(
    ("make", "key", "value", "expected"),
    [
        (a, 0, 9, [[9, 9, 9], [3, 4, 5]]),
        (a, np.s_[1, 2], 9, [[0, 1, 2], [3, 4, 9]]),
        (a, np.s_[-1, -1], 9, [[0, 1, 2], [3, 4, 9]]),
        (a, np.s_[:, 1], 9, [[0, 9, 2], [3, 9, 5]]),
        (a, np.s_[:, 1:], 9, [[0, 9, 9], [3, 9, 9]]),
        (a, np.s_[::-1], lambda: t([[1, 1, 1], [2, 2, 2]]), [[2, 2, 2], [1, 1, 1]]),
        (a, np.s_[..., 0], lambda: t([7, 8]), [[7, 1, 2], [8, 4, 5]]),
        (a, 0, lambda: t([7, 8, 9]), [[7, 8, 9], [3, 4, 5]]),
        (a, np.s_[:], lambda: t([7, 8, 9]), [[7, 8, 9], [7, 8, 9]]),
        (a, np.s_[:, None], 5, [[5, 5, 5], [5, 5, 5]]),
        (a, np.s_[[0, 1], [2, 0]], 9, [[0, 1, 9], [9, 4, 5]]),
        (a, [1], lambda: t([[7, 8, 9]]), [[0, 1, 2], [7, 8, 9]]),
        (a, np.s_[:, [0, 2]], lambda: t([[7, 8], [9, 10]]), [[7, 1, 8], [9, 4, 10]]),
        (a, lambda z: np.s_[t([0, 1]), t([2, 2])], 9, [[0, 1, 9], [3, 4, 9]]),
        (a, lambda z: t([1]), 9, [[0, 1, 2], [9, 9, 9]]),
        (a, lambda z: t(1), 9, [[0, 1, 2], [9, 9, 9]]),
        (a, lambda z: z > 2, 0, [[0, 1, 2], [0, 0, 0]]),
        (a, lambda z: z > 2, lambda: t([7, 8, 9]), [[0, 1, 2], [7, 8, 9]]),
        (a, lambda z: t([True, False]), 9, [[9, 9, 9], [3, 4, 5]]),
        (a, lambda z: t([True, False]), lambda: t([7, 8, 9]), [[7, 8, 9], [3, 4, 5]]),
        (a, lambda z: np.s_[:, t([True, False, True])], 9, [[9, 1, 9], [9, 4, 9]]),
        (a, np.s_[[0, 0], [0, 0]], lambda: t([7, 8]), [[8, 1, 2], [3, 4, 5]]),
        (a, np.s_[np.array([0, 1]), 0], np.array([7, 8]), [[7, 1, 2], [8, 4, 5]]),
        (a, 0, np.array([7, 8, 9]), [[7, 8, 9], [3, 4, 5]]),
        (a, 0, 2.7, [[2, 2, 2], [3, 4, 5]]),
        (a, 0, True, [[1, 1, 1], [3, 4, 5]]),
        (a, 0, lambda: t([1.5, 2.5, 3.5]), [[1, 2, 3], [3, 4, 5]]),
        (a, 0, lambda: t([7, 8, 9], dtype="int32"), [[7, 8, 9], [3, 4, 5]]),
        (x, 0, 1, [[1.0, 1.0, 1.0], [0.5, -1.0, 4.0]]),
        (x, 0, lambda: t([1, 2, 3]), [[1.0, 2.0, 3.0], [0.5, -1.0, 4.0]]),
        (x, 0, lambda: t([1.5, 2.5, 3.5], dtype="float64"), [[1.5, 2.5, 3.5], [0.5, -1.0, 4.0]]),
        (v, np.s_[1:3], lambda: t([9.0]), [5.0, 9.0, 9.0, 1.0]),
        (v, np.s_[5:], 9, [5.0, 3.0, 8.0, 1.0]),
        (s, np.s_[...], 3.0, 3.0),
        (s, (), 3.0, 3.0),
        (s, None, 3.0, 3.0),
        (
            zeros,
            np.s_[0, ..., 1],
            lambda: t([1.0, 2.0, 3.0]),
            [
                [[0.0, 1.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 3.0, 0.0, 0.0]],
                [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
            ],
        ),
        (
            zeros,
            np.s_[[0, 1], :, [2, 3]],
            lambda: t([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
            [
                [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 3.0, 0.0]],
                [[0.0, 0.0, 0.0, 4.0], [0.0, 0.0, 0.0, 5.0], [0.0, 0.0, 0.0, 6.0]],
            ],
        ),
        (
            zeros,
            np.s_[0, 1:, [0, 2]],
            1.0,
            [
                [[0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]],
                [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
            ],
        ),
    ],
)
def test_assignment(make: Callable[[], Any], key: Any, value: Any, expected: Any) -> None:
    target = make()
    dtype = target.dtype
    put(key, value)(target)
    assert target.tolist() == expected
    assert target.dtype == dtype


@pytest.mark.parametrize(
    ("make", "key", "value", "error"),
    [
        (a, 0, lambda: t([1, 2]), ValueError),
        (a, np.s_[0, 0], lambda: t([1, 2]), ValueError),
        (a, 2, 1, IndexError),
        (a, np.s_[0, 3], 1, IndexError),
        (a, np.s_[0, 0, 0], 1, IndexError),
        (a, "a", 1, WRONG_KIND),
        (a, 1.0, 1, WRONG_KIND),
        (a, 0, "a", WRONG_KIND),
        (a, 0, None, WRONG_KIND),
        (a, lambda z: z > 2, lambda: t([1, 2]), ValueError),
        (a, lambda z: t([True, False, True]), 1, IndexError),
        (a, lambda z: t([0.5]), 1, WRONG_KIND),
        (s, 0, 1.0, IndexError),
        (a, 5, 1, IndexError),
    ],
)
def test_assignment_refuses_and_changes_nothing(
    make: Callable[[], Any], key: Any, value: Any, error: Any
) -> None:
    target = make()
    with pytest.raises(error):
        put(key, value)(target)
    assert target.tolist() == make().tolist()
