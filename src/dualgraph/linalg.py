"""Linear algebra: the functions that Paddle keeps in `paddle.linalg`."""

from dualgraph.ops.decomposition import (
    cholesky,
    det,
    inv,
    matrix_power,
    qr,
    slogdet,
    solve,
    triangular_solve,
)
from dualgraph.ops.linalg import matmul, multi_dot, vecdot
from dualgraph.ops.manipulation import matrix_transpose
from dualgraph.ops.norms import cond, matrix_norm, norm, vector_norm
from dualgraph.ops.products import cross
from dualgraph.ops.spectrum import eigh, eigvalsh, lstsq, matrix_rank, pinv, svd, svdvals

__all__ = [
    "cholesky",
    "cond",
    "cross",
    "det",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "triangular_solve",
    "vecdot",
    "vector_norm",
]
