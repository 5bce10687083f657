"""Samples of inverses, factors, eigenvalues and singular values, at well-conditioned matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph import Tensor
from dualgraph.ops import decomposition, spectrum
from dualgraph.ops.apply import apply
from dualgraph.ops.creation import eye
from dualgraph.ops.linalg import matmul
from dualgraph.ops.registry import OPS
from tests.ops.samples.base import Arr, Sample

SQUARE = Arr((3, 3))
BATCH = Arr((2, 3, 3))


def _regular(x: Tensor) -> Tensor:
    """A matrix far from singular and not symmetric."""
    return x + eye(x.shape[-1], dtype=x.dtype) * 9.0


def _regular_array(x: Any) -> Any:
    return x + 9 * np.eye(x.shape[-1])


def _positive(x: Tensor) -> Tensor:
    """A symmetric matrix with positive eigenvalues that are apart."""
    own = matmul(x, x, transpose_y=True)
    return own + eye(x.shape[-1], dtype=x.dtype)


def _positive_array(x: Any) -> Any:
    return x @ np.swapaxes(x, -1, -2) + np.eye(x.shape[-1])


def regular(
    call: Callable[..., Any],
    reference: Callable[..., Any],
    *more: Arr,
    arr: Arr = SQUARE,
    **options: Any,
) -> Sample:
    return Sample(
        lambda x, *rest: call(_regular(x), *rest),
        (arr, *more),
        lambda x, *rest: reference(_regular_array(x), *rest),
        special=False,
        **options,
    )


def positive(call: Callable[..., Any], reference: Callable[..., Any], arr: Arr = SQUARE) -> Sample:
    return Sample(
        lambda x: call(_positive(x)),
        (arr,),
        lambda x: reference(_positive_array(x)),
        special=False,
    )


def plain(
    call: Callable[..., Any], reference: Callable[..., Any], shape: tuple[int, ...], **options: Any
) -> Sample:
    return Sample(call, (Arr(shape),), reference, special=False, **options)


def _triangle(x: Any, upper: bool, unit: bool) -> Any:
    a = np.triu(x) if upper else np.tril(x)
    return a - np.diag(np.diag(a)) + np.eye(len(a)) if unit else a


def triangular(upper: bool, transpose: bool, unit: bool) -> Sample:
    def reference(x: Any, y: Any) -> Any:
        a = _triangle(x, upper, unit)
        return np.linalg.solve(a.T if transpose else a, y)

    return regular(
        lambda x, y: decomposition.triangular_solve(x, y, upper, transpose, unit),
        reference,
        Arr((3, 2)),
    )


def _signs(x: Any) -> Any:
    return np.stack(np.linalg.slogdet(x))


SAMPLES = {
    "inv": [
        regular(decomposition.inv, np.linalg.inv, order=3),
        regular(decomposition.inv, np.linalg.inv, arr=BATCH),
        plain(decomposition.inv, np.linalg.inv, (0, 2, 2)),
        regular(
            lambda x: decomposition.matrix_power(x, -3),
            lambda x: np.linalg.matrix_power(x, -3),
        ),
    ],
    "det": [
        plain(decomposition.det, np.linalg.det, (3, 3), order=3),
        plain(decomposition.det, np.linalg.det, (2, 2, 2)),
        plain(decomposition.det, np.linalg.det, (0, 0)),
    ],
    "cofactor": [
        regular(
            lambda x: apply(OPS["cofactor"], (x,)),
            lambda x: np.linalg.det(x) * np.linalg.inv(x).T,
        ),
    ],
    "slogdet": [
        regular(decomposition.slogdet, _signs),
        regular(decomposition.slogdet, _signs, arr=BATCH),
    ],
    "solve": [
        regular(decomposition.solve, np.linalg.solve, Arr((3, 2))),
        regular(decomposition.solve, np.linalg.solve, Arr((3,))),
        regular(decomposition.solve, np.linalg.solve, Arr((3, 2)), arr=BATCH),
        regular(
            decomposition.solve,
            lambda x, y: np.linalg.solve(x, y[..., None])[..., 0],
            Arr((2, 3)),
            arr=BATCH,
        ),
        regular(
            lambda x, y: decomposition.solve(x, y, left=False),
            lambda x, y: y @ np.linalg.inv(x),
            Arr((2, 3)),
        ),
    ],
    "triangular_solve": [
        triangular(upper, transpose, unit)
        for upper in (False, True)
        for transpose in (False, True)
        for unit in (False, True)
    ],
    "cholesky": [
        positive(decomposition.cholesky, np.linalg.cholesky),
        positive(decomposition.cholesky, np.linalg.cholesky, BATCH),
        positive(
            lambda x: decomposition.cholesky(x, upper=True), lambda x: np.linalg.cholesky(x).T
        ),
    ],
    "qr": [
        plain(decomposition.qr, np.linalg.qr, (4, 2)),
        plain(decomposition.qr, np.linalg.qr, (2, 3, 3)),
        plain(decomposition.qr, np.linalg.qr, (2, 4)),
        plain(
            lambda x: decomposition.qr(x, "complete"),
            lambda x: np.linalg.qr(x, "complete"),
            (3, 2),
            grad=False,
        ),
        plain(lambda x: decomposition.qr(x, "r"), lambda x: np.linalg.qr(x, "r"), (3, 2)),
    ],
    "reciprocal_or_zero": [
        Sample(spectrum.reciprocal_or_zero, (Arr((2, 3), 0.5, 3.0),), lambda x: 1 / x, order=3),
    ],
    "svd": [
        plain(spectrum.svd, lambda x: np.linalg.svd(x, full_matrices=False), shape)
        for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2))
    ]
    + [
        plain(lambda x: spectrum.svd(x, full_matrices=True), np.linalg.svd, (3, 2), grad=False),
        plain(
            lambda x: spectrum.svd(x, full_matrices=True)[1],
            lambda x: np.linalg.svd(x)[1],
            (2, 3),
        ),
    ],
    "svdvals": [
        plain(spectrum.svdvals, lambda x: np.linalg.svd(x, compute_uv=False), shape)
        for shape in ((3, 3), (2, 4, 2), (2, 0))
    ],
    "eigh": [
        positive(spectrum.eigh, np.linalg.eigh),
        positive(lambda x: spectrum.eigh(x, "U"), lambda x: np.linalg.eigh(x, "U"), BATCH),
    ],
    "eigvalsh": [
        positive(spectrum.eigvalsh, np.linalg.eigvalsh),
        positive(lambda x: spectrum.eigvalsh(x, "U"), np.linalg.eigvalsh, BATCH),
    ],
    "pinv": [
        *[plain(spectrum.pinv, np.linalg.pinv, s) for s in ((3, 2), (2, 3), (2, 3, 3))],
        positive(lambda x: spectrum.pinv(x, hermitian=True), np.linalg.pinv),
        Sample(
            lambda x, y: spectrum.lstsq(x, y, driver="gelsd")[:2],
            (Arr((4, 2)), Arr((4, 3))),
            lambda x, y: np.linalg.lstsq(x, y, rcond=None)[:2],
            special=False,
        ),
    ],
    "matrix_rank": [
        plain(spectrum.matrix_rank, np.linalg.matrix_rank, (3, 2), grad=False),
        plain(
            lambda x: spectrum.matrix_rank(x, tol=1.0),
            lambda x: np.linalg.matrix_rank(x, tol=1.0),
            (2, 3, 3),
            grad=False,
        ),
    ],
}
