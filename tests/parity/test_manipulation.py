"""Reshaping, transposing, joining, splitting, expanding: shapes, values, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dualgraph as dg
from tests.parity.samples import a, b, check, s, t, v

Run = Callable[[], Any]

NAN = float("nan")
WRONG_KIND = (TypeError, ValueError)  # of an argument's type or dtype; Paddle uses either
OUT_OF_RANGE = (IndexError, ValueError)  # of an index; Paddle uses either
ASSERTION = pytest.mark.ours("Paddle raises AssertionError")


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: a().reshape([3, 2]), ("int64 [3, 2]", [[0, 1], [2, 3], [4, 5]])),
        (lambda: a().reshape([-1]), ("int64 [6]", [0, 1, 2, 3, 4, 5])),
        (lambda: a().reshape([0, -1]), ("int64 [2, 3]", [[0, 1, 2], [3, 4, 5]])),
        (lambda: a().reshape([3, -1]), ("int64 [3, 2]", [[0, 1], [2, 3], [4, 5]])),
        (
            lambda: b().reshape([0, -1]),
            (
                "int64 [2, 12]",
                [
                    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
                    [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23],
                ],
            ),
        ),
        (
            lambda: b().reshape([0, 0, 2, -1]),
            (
                "int64 [2, 3, 2, 2]",
                [
                    [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]],
                    [[[12, 13], [14, 15]], [[16, 17], [18, 19]], [[20, 21], [22, 23]]],
                ],
            ),
        ),
        (lambda: a().reshape((6,)), ("int64 [6]", [0, 1, 2, 3, 4, 5])),
        (lambda: a().reshape(3, 2), ("int64 [3, 2]", [[0, 1], [2, 3], [4, 5]])),
        (lambda: a().reshape([t(3), 2]), ("int64 [3, 2]", [[0, 1], [2, 3], [4, 5]])),
        (lambda: a().reshape(t([3, 2])), ("int64 [3, 2]", [[0, 1], [2, 3], [4, 5]])),
        (lambda: s().reshape([1, 1]), ("float32 [1, 1]", [[7.0]])),
        (lambda: t([7]).reshape([]), ("int64 []", 7)),
        (lambda: dg.zeros([0, 3]).reshape([0, 3]), ("float32 [0, 3]", [])),
        (lambda: dg.zeros([0, 3]).reshape([3, 0]), ("float32 [3, 0]", [[], [], []])),
        (lambda: dg.zeros([0, 3]).reshape([-1]), ("float32 [0]", [])),
    ],
)
def test_reshape(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: a().reshape([4, 2]), ValueError),
        (lambda: a().reshape([-1, -1]), ValueError),
        (lambda: a().reshape([4, -1]), ValueError),
        (lambda: a().reshape([0, 0, 0]), ValueError),
        (lambda: a().reshape([-2, 3]), ValueError),
        (lambda: a().reshape([2.5, 2]), WRONG_KIND),
    ],
)
def test_reshape_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: a().transpose([1, 0]), ("int64 [3, 2]", [[0, 3], [1, 4], [2, 5]])),
        (lambda: b().transpose([2, 0, 1])[0], ("int64 [2, 3]", [[0, 4, 8], [12, 16, 20]])),
        (lambda: b().transpose([-1, 0, 1])[0], ("int64 [2, 3]", [[0, 4, 8], [12, 16, 20]])),
        (lambda: a().T, ("int64 [3, 2]", [[0, 3], [1, 4], [2, 5]])),
        (lambda: b().T.shape, [4, 3, 2]),
        (lambda: dg.t(a()), ("int64 [3, 2]", [[0, 3], [1, 4], [2, 5]])),
        (lambda: dg.t(v()), ("float32 [4]", [5.0, 3.0, 8.0, 1.0])),
        (lambda: dg.moveaxis(b(), 0, -1)[0, 0], ("int64 [2]", [0, 12])),
        (lambda: dg.moveaxis(b(), [0, 1], [1, 0]).shape, [3, 2, 4]),
        (lambda: s().transpose([]), ("float32 []", 7.0)),
    ],
)
def test_transpose(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: a().transpose([0, 0]), ValueError),
        (lambda: a().transpose([0, 2]), ValueError),
        (lambda: a().transpose([0, 1, 2]), ValueError),
        (lambda: dg.t(b()), ValueError),
    ],
)
def test_transpose_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: dg.ones([1, 2, 1]).squeeze().shape, [2]),
        (lambda: dg.ones([1, 2, 1]).squeeze(0).shape, [2, 1]),
        (lambda: dg.ones([1, 2, 1]).squeeze(-1).shape, [1, 2]),
        (lambda: dg.ones([1, 2, 1]).squeeze(1).shape, [1, 2, 1]),
        (lambda: dg.ones([1, 2, 1]).squeeze([0, 2]).shape, [2]),
        (lambda: dg.ones([1, 2, 1]).squeeze((0, 1)).shape, [2, 1]),
        (lambda: dg.ones([1, 2, 1]).squeeze([]).shape, [2]),
        (lambda: dg.ones([1, 1]).squeeze().shape, []),
        (lambda: v().unsqueeze(0).shape, [1, 4]),
        (lambda: v().unsqueeze(-1).shape, [4, 1]),
        (lambda: v().unsqueeze([0, 2]).shape, [1, 4, 1]),
        (lambda: v().unsqueeze([0, 0]).shape, [1, 1, 4]),
        (lambda: v().unsqueeze([-1, 0]).shape, [1, 4, 1]),
        (lambda: s().unsqueeze(0), ("float32 [1]", [7.0])),
        (lambda: v().unsqueeze(t(1)).shape, [4, 1]),
    ],
)
def test_squeeze_and_unsqueeze(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: dg.ones([1, 2, 1]).squeeze(3), ValueError),
        (lambda: dg.ones([1, 2, 1]).squeeze(-4), ValueError),
        (lambda: v().unsqueeze(2), ValueError),
        (lambda: v().unsqueeze(-3), ValueError),
        (lambda: v().unsqueeze("a"), WRONG_KIND),
    ],
)
def test_squeeze_and_unsqueeze_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda: b().flatten().shape, [24]),
        (lambda: b().flatten(1).shape, [2, 12]),
        (lambda: b().flatten(0, 1).shape, [6, 4]),
        (lambda: b().flatten(1, -1).shape, [2, 12]),
        (lambda: b().flatten(-2, -1).shape, [2, 12]),
        (lambda: b().flatten(1, 1).shape, [2, 3, 4]),
        (lambda: s().flatten(), ("float32 [1]", [7.0])),
        (lambda: dg.nn.Flatten()(b()).shape, [2, 12]),
        (lambda: dg.nn.Flatten(0, 1)(b()).shape, [6, 4]),
    ],
)
def test_flatten(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: b().flatten(2, 1), ValueError),
        (lambda: b().flatten(3), ValueError),
        (lambda: b().flatten(0, 3), ValueError),
    ],
)
def test_flatten_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (
            lambda: dg.concat([a(), a()]),
            ("int64 [4, 3]", [[0, 1, 2], [3, 4, 5], [0, 1, 2], [3, 4, 5]]),
        ),
        (
            lambda: dg.concat([a(), a()], axis=1),
            ("int64 [2, 6]", [[0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]]),
        ),
        (lambda: dg.concat([a(), a()], axis=-1).shape, [2, 6]),
        (lambda: dg.concat((a(), a()[:1])), ("int64 [3, 3]", [[0, 1, 2], [3, 4, 5], [0, 1, 2]])),
        (
            lambda: dg.concat([a(), dg.zeros([0, 3], "int64")]),
            ("int64 [2, 3]", [[0, 1, 2], [3, 4, 5]]),
        ),
        (lambda: dg.concat([a()]), ("int64 [2, 3]", [[0, 1, 2], [3, 4, 5]])),
        (lambda: dg.concat([a(), a()], axis=t(1)).shape, [2, 6]),
        (
            lambda: dg.stack([v(), v()]),
            ("float32 [2, 4]", [[5.0, 3.0, 8.0, 1.0], [5.0, 3.0, 8.0, 1.0]]),
        ),
        (
            lambda: dg.stack([v(), v()], axis=1),
            ("float32 [4, 2]", [[5.0, 5.0], [3.0, 3.0], [8.0, 8.0], [1.0, 1.0]]),
        ),
        (lambda: dg.stack([v(), v()], axis=-1).shape, [4, 2]),
        (lambda: dg.stack([s(), s()]), ("float32 [2]", [7.0, 7.0])),
    ],
)
def test_concat_and_stack(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: dg.concat([a(), a()], axis=2), ValueError),
        (lambda: dg.concat([a(), a()], axis=-3), ValueError),
        (lambda: dg.concat([a(), a()[:, :2]]), ValueError),
        (lambda: dg.concat([a(), v().astype("int64")]), ValueError),
        (lambda: dg.concat([]), ValueError),
        (lambda: dg.concat([s(), s()]), ValueError),
        (lambda: dg.stack([v(), v()], axis=2), ValueError),
        (lambda: dg.stack([v(), v()], axis=-3), ValueError),
        (lambda: dg.stack([v(), v()[:2]]), ValueError),
        (lambda: dg.stack([]), ValueError),
    ],
)
def test_concat_and_stack_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (
            lambda: dg.split(b(), 3, axis=1)[2],
            ("int64 [2, 1, 4]", [[[8, 9, 10, 11]], [[20, 21, 22, 23]]]),
        ),
        (lambda: dg.split(v(), 2), [("float32 [2]", [5.0, 3.0]), ("float32 [2]", [8.0, 1.0])]),
        (lambda: dg.split(v(), [1, 3]), [("float32 [1]", [5.0]), ("float32 [3]", [3.0, 8.0, 1.0])]),
        (
            lambda: dg.split(v(), [1, -1]),
            [("float32 [1]", [5.0]), ("float32 [3]", [3.0, 8.0, 1.0])],
        ),
        (
            lambda: dg.split(v(), [1, 1, -1]),
            [("float32 [1]", [5.0]), ("float32 [1]", [3.0]), ("float32 [2]", [8.0, 1.0])],
        ),
        (
            lambda: dg.split(a(), [1, 2], axis=-1),
            [("int64 [2, 1]", [[0], [3]]), ("int64 [2, 2]", [[1, 2], [4, 5]])],
        ),
        (lambda: dg.split(v(), [4]), [("float32 [4]", [5.0, 3.0, 8.0, 1.0])]),
        (lambda: dg.split(v(), 1), [("float32 [4]", [5.0, 3.0, 8.0, 1.0])]),
        (lambda: v().split(2), [("float32 [2]", [5.0, 3.0]), ("float32 [2]", [8.0, 1.0])]),
        (
            lambda: dg.split(v(), [0, 4]),
            [("float32 [0]", []), ("float32 [4]", [5.0, 3.0, 8.0, 1.0])],
        ),
        (lambda: dg.chunk(v(), 2), [("float32 [2]", [5.0, 3.0]), ("float32 [2]", [8.0, 1.0])]),
        (
            lambda: dg.chunk(v(), 4),
            [
                ("float32 [1]", [5.0]),
                ("float32 [1]", [3.0]),
                ("float32 [1]", [8.0]),
                ("float32 [1]", [1.0]),
            ],
        ),
        (
            lambda: dg.chunk(a(), 3, axis=1),
            [
                ("int64 [2, 1]", [[0], [3]]),
                ("int64 [2, 1]", [[1], [4]]),
                ("int64 [2, 1]", [[2], [5]]),
            ],
        ),
        (lambda: dg.unbind(a()), [("int64 [3]", [0, 1, 2]), ("int64 [3]", [3, 4, 5])]),
        (
            lambda: dg.unbind(a(), axis=1),
            [("int64 [2]", [0, 3]), ("int64 [2]", [1, 4]), ("int64 [2]", [2, 5])],
        ),
        (
            lambda: dg.unstack(a(), axis=-1),
            [("int64 [2]", [0, 3]), ("int64 [2]", [1, 4]), ("int64 [2]", [2, 5])],
        ),
    ],
)
def test_split_chunk_and_unbind(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: dg.split(v(), 3), ValueError),
        (lambda: dg.split(v(), [1, 2]), ValueError),
        (lambda: dg.split(v(), [5, -1]), ValueError),
        (lambda: dg.split(v(), [-1, -1]), ValueError),
        (lambda: dg.split(v(), 2, axis=1), ValueError),
        (lambda: dg.split(v(), 0), ValueError),
        (lambda: dg.split(v(), "a"), WRONG_KIND),
        (lambda: dg.chunk(v(), 3), ValueError),
        (lambda: dg.chunk(v(), 0), ValueError),
        (lambda: dg.unbind(a(), axis=2), ValueError),
    ],
)
def test_split_chunk_and_unbind_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (
            lambda: v().expand([2, 4]),
            ("float32 [2, 4]", [[5.0, 3.0, 8.0, 1.0], [5.0, 3.0, 8.0, 1.0]]),
        ),
        (
            lambda: v().expand([2, -1]),
            ("float32 [2, 4]", [[5.0, 3.0, 8.0, 1.0], [5.0, 3.0, 8.0, 1.0]]),
        ),
        (lambda: t([[1], [2]]).expand([2, 3]), ("int64 [2, 3]", [[1, 1, 1], [2, 2, 2]])),
        (lambda: t([[1], [2]]).expand([-1, 3]), ("int64 [2, 3]", [[1, 1, 1], [2, 2, 2]])),
        (lambda: s().expand([2]), ("float32 [2]", [7.0, 7.0])),
        (
            lambda: v().expand_as(dg.ones([2, 4])),
            ("float32 [2, 4]", [[5.0, 3.0, 8.0, 1.0], [5.0, 3.0, 8.0, 1.0]]),
        ),
        (
            lambda: v().broadcast_to([2, 4]),
            ("float32 [2, 4]", [[5.0, 3.0, 8.0, 1.0], [5.0, 3.0, 8.0, 1.0]]),
        ),
        (lambda: dg.broadcast_to(v(), [2, 4]).shape, [2, 4]),
        (lambda: v().expand([4]), ("float32 [4]", [5.0, 3.0, 8.0, 1.0])),
        (lambda: v().expand([0, 4]).shape, [0, 4]),
        (lambda: v().tile(2), ("float32 [8]", [5.0, 3.0, 8.0, 1.0, 5.0, 3.0, 8.0, 1.0])),
        (lambda: v().tile([2]), ("float32 [8]", [5.0, 3.0, 8.0, 1.0, 5.0, 3.0, 8.0, 1.0])),
        (
            lambda: v().tile([2, 1]),
            ("float32 [2, 4]", [[5.0, 3.0, 8.0, 1.0], [5.0, 3.0, 8.0, 1.0]]),
        ),
        (lambda: a().tile([2]), ("int64 [2, 6]", [[0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]])),
        (lambda: a().tile([1, 2]), ("int64 [2, 6]", [[0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]])),
        (lambda: s().tile([2]), ("float32 [2]", [7.0, 7.0])),
        (lambda: v().tile([0]), ("float32 [0]", [])),
        (lambda: v().tile([]), ("float32 [4]", [5.0, 3.0, 8.0, 1.0])),
        (lambda: dg.broadcast_shape([2, 1, 3], [4, 1]), [2, 4, 3]),
        (
            lambda: dg.repeat_interleave(v(), 2),
            ("float32 [8]", [5.0, 5.0, 3.0, 3.0, 8.0, 8.0, 1.0, 1.0]),
        ),
        (
            lambda: dg.repeat_interleave(a(), t([1, 2]), axis=0),
            ("int64 [3, 3]", [[0, 1, 2], [3, 4, 5], [3, 4, 5]]),
        ),
    ],
)
def test_expand_and_tile(run: Run, expected: Any) -> None:
    check(run(), expected)


@pytest.mark.parametrize(
    ("run", "error"),
    [
        (lambda: v().expand([3]), ValueError),
        (lambda: v().expand([2]), ValueError),
        (lambda: v().expand([4, 2]), ValueError),
        (lambda: a().expand([3]), ValueError),
        (lambda: v().expand([-1, 4]), ValueError),
        (lambda: v().tile([-1]), ValueError),
        (lambda: dg.broadcast_shape([2], [3]), ValueError),
    ],
)
def test_expand_and_tile_refuses(run: Run, error: Any) -> None:
    with pytest.raises(error):
        run()
