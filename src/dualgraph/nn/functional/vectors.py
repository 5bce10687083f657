"""Lengths of vectors and angles between them, and labels made less certain."""

from __future__ import annotations

from dualgraph.errors import message
from dualgraph.ops.bounds import clip, maximum
from dualgraph.ops.define import check_tensor, floating
from dualgraph.ops.elementwise import add, divide, multiply, sqrt, subtract
from dualgraph.ops.norms import norm
from dualgraph.ops.reduction import sum as sum_of
from dualgraph.tensor import Tensor

__all__ = ["cosine_similarity", "label_smooth", "normalize", "pairwise_distance"]


def normalize(
    x: Tensor,
    p: float = 2,
    axis: int = 1,
    epsilon: float = 1e-12,
    out: Tensor | None = None,
    name: str | None = None,
) -> Tensor:
    """Divide x by its p-norm along an axis, or by `epsilon` where the norm is smaller.

    ValueError for an axis that x does not have; TypeError if `out` is given.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.normalize(dg.to_tensor([[3.0, 4.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    if out is not None:
        raise TypeError(message("normalize", "out is given", "", "use the tensor that is returned"))
    x = floating("normalize", x)
    length = norm(x, float(p), axis, keepdim=True)
    return divide(x, maximum(length, epsilon))


def cosine_similarity(x1: Tensor, x2: Tensor, axis: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between x1 and x2 along an axis.

    The product of their lengths is taken to be at least `eps`. The shapes are broadcast against
    each other. ValueError for an axis they do not have.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.cosine_similarity(dg.to_tensor([[1.0, 0.0]]), dg.to_tensor([[2.0, 0.0]])).tolist()
    [1.0]
    """
    x1, x2 = floating("cosine_similarity", x1), floating("cosine_similarity", x2)
    dot = sum_of(multiply(x1, x2), axis)
    squares = multiply(sum_of(multiply(x1, x1), axis), sum_of(multiply(x2, x2), axis))
    return divide(dot, sqrt(clip(squares, min=eps * eps)))


def pairwise_distance(
    x: Tensor,
    y: Tensor,
    p: float = 2.0,
    epsilon: float = 1e-6,
    keepdim: bool = False,
    name: str | None = None,
) -> Tensor:
    """The p-norm of x - y + epsilon along the last axis.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> round(F.pairwise_distance(dg.zeros([1, 2]), dg.to_tensor([[3.0, 4.0]])).item(), 4)
    5.0
    """
    x, y = check_tensor("pairwise_distance", x), check_tensor("pairwise_distance", y, "y")
    return norm(add(subtract(x, y), epsilon), float(p), -1, keepdim=keepdim)


def label_smooth(
    label: Tensor,
    prior_dist: Tensor | None = None,
    epsilon: float = 0.1,
    name: str | None = None,
) -> Tensor:
    """Labels made less certain: (1 - epsilon) * label + epsilon * prior.

    Labels are probabilities along the last axis. The prior is uniform by default. ValueError unless
    `epsilon` is between 0 and 1.

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.label_smooth(dg.to_tensor([[0.0, 1.0]]), epsilon=0.5).tolist()
    [[0.25, 0.75]]
    """
    if not 0.0 <= epsilon <= 1.0:
        given = f"epsilon is {epsilon}"
        raise ValueError(message("label_smooth", given, "expected a number from 0 to 1"))
    label = floating("label_smooth", label)
    kept = multiply(label, 1.0 - epsilon)
    if prior_dist is None:
        return add(kept, epsilon / label._data.shape[-1])
    return add(kept, multiply(prior_dist, epsilon))
