"""Samples of products of matrices and tensors, and of the contractions that are layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from dualgraph import Tensor
from dualgraph.ops import contraction, einsum, linalg, norms, products
from dualgraph.ops.contraction import _linear_pull
from tests.ops.samples.base import Arr, Sample
from tests.ops.samples.elementwise import quietly

IDS = Arr((3, 2), ints=(0, 5))


def multiplied(
    x: tuple[int, ...], y: tuple[int, ...], transpose_x: bool = False, transpose_y: bool = False
) -> Sample:
    def turned(a: Any, transpose: bool) -> Any:
        return np.swapaxes(a, -1, -2) if transpose and a.ndim > 1 else a

    return Sample(
        lambda a, b: linalg.matmul(a, b, transpose_x, transpose_y),
        (Arr(x), Arr(y)),
        lambda a, b: np.matmul(turned(a, transpose_x), turned(b, transpose_y)),
        order=3 if len(x) == 2 else 2,
    )


def contracted(equation: str, *shapes: tuple[int, ...]) -> Sample:
    return Sample(
        lambda *xs: einsum.einsum(equation, *xs),
        tuple(Arr(shape) for shape in shapes),
        lambda *xs: np.einsum(equation, *xs),
    )


def vectors(p: float, axis: Any = None, shape: tuple[int, ...] = (2, 3, 4)) -> Sample:
    def reference(x: Any) -> Any:
        flat = x.reshape(-1) if axis is None else x
        if isinstance(axis, tuple):
            flat = np.moveaxis(x, axis, (-2, -1)).reshape(*x.shape[:-2], -1)
        return np.linalg.norm(flat, p, axis=axis if isinstance(axis, int) else -1)

    arr = Arr(shape, kinks=(0.0,))
    return Sample(lambda x: norms.vector_norm(x, p, axis), (arr,), reference, grad=p != 0)


def matrices(p: Any, **options: Any) -> Sample:
    def reference(x: Any) -> Any:
        return np.linalg.norm(x, p, axis=(0, 1), keepdims=options.get("keepdim", False))

    arr = Arr((3, 2, 2), kinks=(0.0,))
    return Sample(
        lambda x: norms.matrix_norm(x, p, [0, 1], **options),
        (arr,),
        reference,
        special=p not in (2, -2, "nuc"),
    )


def looked_up(**options: Any) -> Sample:
    def reference(ids: Any, weight: Any) -> Any:
        out = weight[ids]
        if "padding_idx" in options:
            out[ids == options["padding_idx"] % len(weight)] = 0
        return out

    return Sample(
        lambda ids, weight: contraction.embedding(ids, weight, **options),
        (IDS, Arr((5, 4))),
        None if "scale_grad_by_freq" in options else reference,
        grad="scale_grad_by_freq" not in options,
    )


def _shortened(weight: Tensor, ids: Tensor) -> Tensor:
    return contraction.embedding(ids, weight.detach(), max_norm=2.0)


SAMPLES = {
    "matmul": [
        *[
            multiplied((4, 3) if tx else (3, 4), (2, 4) if ty else (4, 2), tx, ty)
            for tx in (False, True)
            for ty in (False, True)
        ],
        multiplied((2, 3, 4), (4, 5)),
        multiplied((2, 3, 4), (5, 4), transpose_y=True),
        multiplied((2, 4, 3), (4, 5), transpose_x=True),
        multiplied((3, 4), (2, 4, 5)),
        multiplied((2, 1, 3, 4), (5, 4, 2)),
        multiplied((2, 4, 3), (2, 5, 4), True, True),
        multiplied((4,), (4,)),
        multiplied((4,), (2, 4, 3)),
        multiplied((2, 3, 4), (4,), transpose_y=True),
        multiplied((3, 0), (0, 2)),
        multiplied((0, 3, 2), (2, 4)),
        Sample(
            linalg.matmul,
            (Arr((2, 3), ints=(-5, 5)), Arr((3, 2), ints=(-5, 5))),
            np.matmul,
            grad=False,
        ),
        Sample(
            lambda b, x, y: linalg.addmm(b, x, y, 0.5, 2.0),
            (Arr((1, 4)), Arr((2, 3)), Arr((3, 4))),
            lambda b, x, y: 0.5 * b + 2 * x @ y,
        ),
        Sample(
            lambda *xs: linalg.multi_dot(xs),
            (Arr((3,)), Arr((3, 4)), Arr((4, 2)), Arr((2, 5))),
            lambda *xs: np.linalg.multi_dot(xs),
        ),
        Sample(
            products.inner,
            (Arr((2, 3, 4)), Arr((5, 4))),
            np.inner,
        ),
    ],
    "outer_sum": [
        Sample(
            linalg.outer_sum,
            (Arr((*lead, 3)), Arr((*lead, 4))),
            lambda x, y: x.reshape(-1, 3).T @ y.reshape(-1, 4),
        )
        for lead in ((5,), (2, 3), (), (0, 2))
    ],
    "vecdot": [
        Sample(linalg.dot, (Arr((4,)), Arr((4,))), np.dot),
        Sample(linalg.dot, (Arr((3, 4)), Arr((3, 4))), np.vecdot),
        Sample(
            lambda x, y: linalg.vecdot(x, y, axis=0),
            (Arr((3, 4)), Arr((3, 4))),
            lambda x, y: np.vecdot(x, y, axis=0),
        ),
        Sample(linalg.vecdot, (Arr((2, 0)), Arr((2, 0))), np.vecdot),
    ],
    "cross": [
        Sample(products.cross, (Arr((2, 3)), Arr((2, 3))), np.cross),
        Sample(
            lambda x, y: products.cross(x, y, axis=0),
            (Arr((3, 3)), Arr((3, 3))),
            lambda x, y: np.cross(x, y, axis=0),
        ),
    ],
    "contract": [
        contracted("ij,jk->ik", (2, 3), (3, 4)),
        contracted("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
        contracted("bij,bkj->ikb", (2, 3, 4), (2, 5, 4)),
        contracted("ijk,jil->kl", (2, 3, 4), (3, 2, 5)),
        contracted("i,j->ji", (2,), (3,)),
        contracted("ij,ij->i", (2, 3), (2, 3)),
        contracted("ij,ij", (2, 3), (2, 3)),
        contracted("ij,ij->ij", (2, 3), (2, 3)),
        contracted("ii,ij->j", (3, 3), (3, 2)),
        contracted("ij,kl->il", (2, 3), (4, 5)),
        contracted("...ij,...jk->...ik", (5, 2, 3), (1, 3, 4)),
        contracted("i...,i...", (2, 3), (2, 4, 3)),
        contracted("ij,jk,kl,l->i", (2, 3), (3, 4), (4, 2), (2,)),
        contracted("i,i,i->i", (3,), (3,), (3,)),
        contracted("ij,ij->ij", (2, 3), (2, 1)),
        contracted("k,ij", (4,), (2, 3)),
        contracted("ij,jk", (2, 0), (0, 3)),
        Sample(
            lambda x, y: einsum.tensordot(x, y, 2),
            (Arr((2, 3, 4)), Arr((3, 4, 5))),
            lambda x, y: np.tensordot(x, y, 2),
        ),
        Sample(
            lambda x, y: einsum.tensordot(x, y, [[0, 2], [1]]),
            (Arr((2, 3, 4)), Arr((5, 2, 4))),
            lambda x, y: np.tensordot(x, y, ((0, 2), (1, 2))),
        ),
        Sample(
            contraction.bilinear,
            (Arr((2, 3)), Arr((2, 4)), Arr((5, 3, 4)), Arr((1, 5))),
            lambda x, y, w, b: np.einsum("bi,oij,bj->bo", x, w, y) + b,
        ),
    ],
    "linear_slopes": [
        Sample(
            quietly(lambda g, x, w: _linear_pull(g, x, w, None, needed=7)),
            (Arr((5, 3)), Arr((5, 2)), Arr((2, 3))),
            lambda g, x, w: [g @ w.T, x.T @ g, g.sum(0)],
            grad=False,
        ),
        Sample(
            quietly(lambda g, x, w: _linear_pull(g, x, w, None, needed=6)[1:]),
            (Arr((2, 4, 3)), Arr((2, 4, 2)), Arr((2, 3))),
            lambda g, x, w: [np.einsum("abi,abj->ij", x, g), g.sum((0, 1))],
            grad=False,
        ),
        Sample(
            quietly(lambda g, x, w: _linear_pull(g, x, w, None, needed=7)),
            (Arr((3,)), Arr((2,)), Arr((2, 3))),
            lambda g, x, w: [g @ w.T, np.outer(x, g), g],
            grad=False,
        ),
        Sample(
            quietly(lambda g, x, w: _linear_pull(g, x, w, None, needed=1)[:1]),
            (Arr((0, 3)), Arr((0, 2)), Arr((2, 3))),
            lambda g, x, w: [g @ w.T],
            grad=False,
        ),
    ],
    "linear": [
        Sample(
            contraction.linear,
            (Arr((*lead, 3)), Arr((3, 2)), Arr((2,))),
            lambda x, w, b: x @ w + b,
        )
        for lead in ((4,), (), (2, 5), (0,))
    ]
    + [
        Sample(contraction.linear, (Arr((4, 3)), Arr((3, 2))), np.matmul, order=3),
        Sample(
            contraction.linear,
            (Arr((4, 0)), Arr((0, 2)), Arr((2,))),
            lambda x, w, b: x @ w + b,
        ),
    ],
    "embedding": [looked_up(), looked_up(padding_idx=-2)],
    "embedding_shared": [looked_up(scale_grad_by_freq=True)],
    "embedding_renorm": [Sample(_shortened, (Arr((5, 4)), IDS), grad=False)],
    "p_norm": [
        *[vectors(p) for p in (0, 0.5, 1, 2, 3, -1, np.inf, -np.inf)],
        *[vectors(p, axis=1) for p in (0, 1, 2, 2.5, np.inf)],
        vectors(2, axis=(1, 2)),
        vectors(2, shape=()),
        vectors(1, axis=0, shape=(0, 3)),
        *[matrices(p) for p in ("fro", 1, -1, np.inf, -np.inf, 2, -2, "nuc")],
        *[matrices(p, keepdim=True) for p in ("fro", -1, np.inf, 2)],
        Sample(
            norms.dist,
            (Arr((2, 3)), Arr((3,))),
            lambda x, y: np.linalg.norm(x - y),
        ),
        Sample(norms.cond, (Arr((2, 3, 3)),), np.linalg.cond, special=False),
    ],
}
