"""Samples of gathers and scatters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph.ops import along_axis as a
from dualgraph.ops import gathering as g
from dualgraph.ops import indexing as i
from dualgraph.ops import masking as m
from dualgraph.ops.subscript import getitem, setitem
from tests.ops.samples.base import Arr, Sample

VECTOR = Arr((5,))
MATRIX = Arr((3, 4))
CUBE = Arr((2, 3, 4))


def at(n: int, *shape: int) -> Arr:
    """Integer indices of an axis of size n, negative ones among them."""
    return Arr(shape, ints=(-n, n))


def added(shape: tuple[int, ...], place: Callable[..., Any]) -> Callable[..., Any]:
    """Reference of a scatter-add: place(*indices) is the index in numpy's words."""

    def reference(x: Any, *indices: Any) -> Any:
        out = np.zeros(shape)
        np.add.at(out, place(*indices), x)
        return out

    return reference


def put(place: Callable[..., Any]) -> Callable[..., Any]:
    """Reference of a replacement."""

    def reference(x: Any, value: Any, *indices: Any) -> Any:
        out = x.copy()
        out[place(*indices)] = value
        return out

    return reference


def along(shape: tuple[int, ...], index: Any, axis: int) -> tuple[Any, ...]:
    """What numpy calls the index of take_along_axis."""
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in shape)])
    grid[axis] = index
    return tuple(grid)


def reduced(ufunc: np.ufunc, axis: int, neutral: float | None = None) -> Callable[..., Any]:
    def reference(x: Any, value: Any, index: Any) -> Any:
        out = x.copy()
        place = along(x.shape, index, axis)
        if neutral is not None:
            out[place] = neutral
        ufunc.at(out, place, value)
        return out

    return reference


def averaged(x: Any, value: Any, index: Any) -> Any:
    place = along(x.shape, index, 1)
    out, count = x.copy(), np.ones_like(x)
    np.add.at(out, place, value)
    np.add.at(count, place, 1.0)
    return out / count


def written(x: Any, value: Any, index: Any, place: Any) -> Any:
    """A copy of x, written in place."""
    out = x.clone()
    setitem(out, place(index), value)
    return out


SAMPLES = {
    "gather": [
        Sample(g.gather, (MATRIX, at(3, 5)), lambda x, n: x[n]),
        Sample(lambda x, n: g.gather(x, n, 1), (CUBE, at(3)), lambda x, n: x[:, n]),
        Sample(lambda x, n: g.index_select(x, n, -1), (CUBE, at(4, 2)), lambda x, n: x[..., n]),
        Sample(getitem, (MATRIX, at(3, 2, 2)), lambda x, n: x[n]),
        Sample(
            lambda x, n, k: getitem(x, (n, slice(None), k)),
            (CUBE, at(2, 2), at(4, 3, 1)),
            lambda x, n, k: x[n, :, k],
        ),
        Sample(
            lambda x, n, k: getitem(x, (..., n, k)),
            (CUBE, at(3, 2), at(4, 3, 1)),
            lambda x, n, k: x[:, n, k],
        ),
        Sample(
            lambda x, n: getitem(x, (1, slice(None), n)), (CUBE, at(4, 2)), lambda x, n: x[1][:, n]
        ),
        Sample(
            g.gather_nd,
            (CUBE, Arr((5, 2), ints=(0, 2))),
            lambda x, n: x[n[:, 0], n[:, 1]],
        ),
        Sample(g.take, (MATRIX, at(12, 2, 3)), lambda x, n: x.reshape(-1)[n]),
        Sample(
            lambda x, n: g.take(x, n, "wrap"),
            (VECTOR, Arr((6,), ints=(-12, 12))),
            lambda x, n: np.take(x, n, mode="wrap"),
        ),
        Sample(
            lambda x, n: g.take(x, n, "clip"),
            (VECTOR, Arr((6,), ints=(-12, 12))),
            lambda x, n: np.take(x, n, mode="clip"),
        ),
        Sample(
            lambda x, n: a.take_along_axis(x, n, 1),
            (CUBE, at(3, 2, 2, 4)),
            lambda x, n: np.take_along_axis(x, n, 1),
        ),
        Sample(
            lambda x, n: a.take_along_axis(x, n, 0),
            (Arr((3, 1)), at(3, 2, 4)),
            lambda x, n: np.take_along_axis(x, n, 0),
        ),
        Sample(g.gather, (Arr((3, 0)), at(3, 2)), lambda x, n: x[n]),
        Sample(g.gather, (MATRIX, at(3, 0)), lambda x, n: x[n]),
    ],
    "scatter_add": [
        Sample(
            lambda x, n: i.scatter_add_at(x, (4, 3), (n,), (0,)),
            (Arr((6, 3)), at(4, 6)),
            added((4, 3), lambda n: n),
        ),
        Sample(
            lambda x, n, k: i.scatter_add_at(x, (2, 3, 4), (n, k), (0, 2)),
            (Arr((5, 2, 3)), at(2, 2), at(4, 5, 1)),
            added((2, 3, 4), lambda n, k: (n, slice(None), k)),
        ),
        Sample(
            lambda x, n, k: i.scatter_add_at(x, (2, 3, 4), (n, k), (1, 2)),
            (Arr((2, 6)), at(3, 6), at(4, 6)),
            added((2, 3, 4), lambda n, k: (slice(None), n, k)),
        ),
        Sample(
            lambda x, n: g.scatter_nd(n, x, [4]),
            (VECTOR, at(4, 5, 1)),
            added((4,), lambda n: n[:, 0]),
        ),
        Sample(
            lambda x, n: i.scatter_add_at(x, (0, 2), (n,), (0,)),
            (Arr((0, 2)), Arr((0,), ints=(0, 1))),
            lambda x, n: x,
        ),
        Sample(
            lambda x, y, n: g.index_add(x, n, 1, y, alpha=2),
            (MATRIX, Arr((3, 2)), at(4, 2)),
            lambda x, y, n: x + 2 * added((3, 4), lambda n: (slice(None), n))(y, n),
        ),
    ],
    "replace": [
        Sample(
            lambda x, y, n: i.replace_at(x, y, (n,), (0,)),
            (MATRIX, Arr((5, 4)), at(3, 5)),
            put(lambda n: n),
        ),
        Sample(
            lambda x, y, n: i.replace_at(x, y, (n,), (1,)),
            (MATRIX, Arr((3, 1)), at(4, 6)),
            put(lambda n: (slice(None), n)),
        ),
        Sample(
            lambda x, y, n, k: i.replace_at(x, y, (n, k), (0, 2)),
            (CUBE, Arr((1, 4, 2, 3)), at(2, 2), at(4, 4, 1)),
            put(lambda n, k: (n, slice(None), k)),
        ),
        Sample(
            lambda x, y, n: i.replace_at(x, y, (n,), (1,), (1, (2, None, -2))),
            (CUBE, Arr((2, 3)), at(4, 3)),
            lambda x, y, n: np.stack([x[0], put(lambda n: (slice(2, None, -2), n))(x[1], y, n)]),
        ),
        Sample(
            lambda x, n: g.index_fill(x, n, 0, 7),
            (VECTOR, at(5, 2)),
            lambda x, n: put(lambda n: n)(x, 7, n),
        ),
        Sample(
            lambda x, y, n: g.scatter(x, n, y), (MATRIX, Arr((2, 4)), at(3, 2)), put(lambda n: n)
        ),
        Sample(
            lambda x, y, n: written(x, y, n, lambda n: (slice(None, None, -1), n)),
            (MATRIX, Arr((3, 2)), at(4, 2)),
            put(lambda n: (slice(None, None, -1), n)),
        ),
        Sample(
            lambda x, y, n: a.put_along_axis(x, n, y, 1),
            (MATRIX, Arr((3, 6)), at(4, 3, 6)),
            lambda x, y, n: put(lambda n: along(x.shape, n, 1))(x, y, n),
        ),
    ],
    "scatter_reduce": [
        Sample(
            lambda x, y, n: a.put_along_axis(x, n, y, 1, "mul"),
            (Arr((3, 4), kinks=(0.0,)), Arr((3, 6), kinks=(0.0,)), at(4, 3, 6)),
            reduced(np.multiply, 1),
        ),
        Sample(
            lambda x, y, n: a.put_along_axis(x, n, y, 0, "mul", include_self=False),
            (Arr((3, 4)), Arr((5, 4)), at(3, 5, 4)),
            reduced(np.multiply, 0, 1.0),
        ),
        Sample(
            lambda x, y, n: a.put_along_axis(x, n, y, 1, "amin"),
            (MATRIX, Arr((3, 6), low=-4, high=4), at(4, 3, 6)),
            reduced(np.minimum, 1),
        ),
        Sample(
            lambda x, y, n: a.put_along_axis(x, n, y, 1, "amax", include_self=False),
            (MATRIX, Arr((3, 6)), at(4, 3, 6)),
            reduced(np.maximum, 1, -np.inf),
        ),
    ],
    "nonzero": [
        Sample(
            lambda x: m.nonzero(x, as_tuple=True),
            (Arr((3, 4), bools=True),),
            np.nonzero,
            grad=False,
        ),
        Sample(m.nonzero, (Arr((3, 4), ints=(0, 2)),), np.argwhere, grad=False),
        Sample(getitem, (CUBE, Arr((2, 3), bools=True)), lambda x, k: x[k]),
        Sample(
            lambda x, k: getitem(x, (slice(None), k)),
            (CUBE, Arr((3,), bools=True)),
            lambda x, k: x[:, k],
        ),
        Sample(
            m.masked_select,
            (MATRIX, Arr((4,), bools=True)),
            lambda x, k: x[:, k].reshape(-1),
        ),
        Sample(
            lambda x, y, k: m.masked_scatter(x, k, y),
            (MATRIX, Arr((12,)), Arr((3, 4), bools=True)),
            lambda x, y, k: put(lambda k: k)(x, y[: k.sum()], k),
        ),
    ],
    "masked_fill": [
        Sample(
            lambda x, k: m.masked_fill(x, k, 7),
            (MATRIX, Arr((3, 4), bools=True)),
            lambda x, k: np.where(k, 7, x),
        ),
        Sample(
            m.masked_fill,
            (MATRIX, Arr((3, 1), bools=True), Arr((4,))),
            lambda x, k, y: np.where(k, y, x),
        ),
        Sample(
            m.masked_fill,
            (Arr((4,)), Arr((2, 1), bools=True), Arr(())),
            lambda x, k, y: np.where(k, y, x),
        ),
        Sample(
            lambda x, k, y: written(x, y, k, lambda k: k),
            (CUBE, Arr((2, 3), bools=True), Arr(())),
            lambda x, k, y: np.where(k[..., None], y, x),
        ),
    ],
}
