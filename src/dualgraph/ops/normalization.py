"""Normalisation over layers, batches, groups, instances and neighbouring channels."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph.errors import message
from dualgraph.ops.apply import apply, commit
from dualgraph.ops.creation import zeros
from dualgraph.ops.define import check_tensor, floating, to_dtype
from dualgraph.ops.elementwise import add, divide, multiply
from dualgraph.ops.joining import concat
from dualgraph.ops.manipulation import clone, reshape
from dualgraph.ops.registry import op
from dualgraph.ops.slicing import slice as slice_of
from dualgraph.ops.standardize import Axes, affine, standardize
from dualgraph.tensor import Array, Tensor

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
]


def _fitted(name: str, x: Tensor, shape: Sequence[int], **given: Any) -> list[Any]:
    """Tensors of one element per channel in x's dtype and a shape that broadcasts; None stays."""
    fitted = []
    for argument, value in given.items():
        if value is not None:
            value = _checked(name, argument, value, shape)
            value = reshape(to_dtype(value, x._data.dtype), shape)
        fitted.append(value)
    return fitted


def _checked(name: str, argument: str, value: Any, shape: Sequence[int]) -> Tensor:
    found = check_tensor(name, value, argument)
    size = math.prod(shape)
    if found._data.shape not in ((size,), tuple(shape)):
        given = f"{argument} is {found.shape}"
        raise ValueError(message(name, given, f"expected [{size}]"))
    return found


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    return x if weight is None and bias is None else affine(x, weight, bias)


def _last_axes(name: str, x: Tensor, normalized_shape: Any) -> Axes:
    """The axes, the last ones of x, that a shape stands for; ValueError if x has others."""
    one = isinstance(normalized_shape, (int, np.integer))
    sizes = (normalized_shape,) if one else normalized_shape
    known = isinstance(sizes, (list, tuple))
    if not known or not all(isinstance(n, (int, np.integer)) for n in sizes):
        given = f"normalized_shape is {normalized_shape!r}"
        raise ValueError(message(name, given, "expected an int or a list of ints"))
    first = x.ndim - len(sizes)
    if first < 0 or x._data.shape[first:] != tuple(sizes):
        given = f"x is {x.shape}, normalized_shape is {list(sizes)}"
        raise ValueError(message(name, given, "expected the last axes of x to have that shape"))
    return tuple(range(first, x.ndim))


def layer_norm(
    x: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    epsilon: float = 1e-5,
    name: str | None = None,
) -> Tensor:
    """Normalise x over its last axes, of the shape given; then multiply by weight, add bias.

    Weight and bias have an element for each normalised one. ValueError for shapes that do not fit.
    Ba, Kiros and Hinton, "Layer normalization" (2016).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.layer_norm(dg.to_tensor([[1.0, 3.0]]), 2, epsilon=0.0).tolist()
    [[-1.0, 1.0]]
    """
    x = floating("layer_norm", x)
    axis = _last_axes("layer_norm", x, normalized_shape)
    shape = x._data.shape[axis[0] :] if axis else ()
    weight, bias = _fitted("layer_norm", x, shape, weight=weight, bias=bias)
    return _scaled(standardize(x, axis, epsilon)[0], weight, bias)


def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float = 1e-5,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Divide x by its root mean square over its last axes; also return one over that root.

    ValueError for shapes that do not fit. Zhang and Sennrich, "Root mean square layer
    normalization" (2019).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.rms_norm(dg.to_tensor([[3.0, 3.0]]), [2], eps=0.0)[0].tolist()
    [[1.0, 1.0]]
    """
    x = floating("rms_norm", input)
    axis = _last_axes("rms_norm", x, normalized_shape)
    first = x.ndim - len(axis)
    (weight,) = _fitted("rms_norm", x, x._data.shape[first:], weight=weight)
    out, rstd = standardize(x, axis, eps, centre=False)
    return _scaled(out, weight, None), reshape(rstd, x._data.shape[:first])


_FORMATS = ("NC", "NCL", "NCHW", "NCDHW", "NLC", "NHWC", "NDHWC")


def _channels(name: str, x: Tensor, data_format: str, least: int = 2) -> tuple[int, list[int]]:
    """The axis of the channels, and a shape that puts a number per channel there."""
    if data_format not in _FORMATS:
        expected = f"expected one of {', '.join(_FORMATS)}"
        raise ValueError(message(name, f"data_format is {data_format!r}", expected))
    if x.ndim < least:
        raise ValueError(message(name, f"x is {x.shape}", f"expected {least} or more axes"))
    axis = 1 if data_format[1] == "C" else x.ndim - 1
    shape = [1] * x.ndim
    shape[axis] = x._data.shape[axis]
    return axis, shape


@op(
    expand=lambda mean, var, new_mean, new_var, momentum: (
        mean * momentum + reshape(new_mean, mean.shape) * (1 - momentum),
        var * momentum + reshape(new_var, var.shape) * (1 - momentum),
    )
)
def _track(mean: Array, var: Array, new_mean: Array, new_var: Array, *, momentum: float) -> None:
    """Move running statistics towards new ones, in place; momentum is the part that stays."""
    for old, new in ((mean, new_mean), (var, new_var)):
        old *= momentum
        old += new.reshape(old.shape) * (1 - momentum)


def batch_norm(
    x: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.9,
    epsilon: float = 1e-5,
    data_format: str = "NCHW",
    use_global_stats: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """Normalise x for each channel over all other axes; then multiply by weight, add bias.

    Uses the batch's own mean and variance if `training` (or as `use_global_stats` says, if given),
    and then updates the running ones: running = momentum * running + (1 - momentum) * batch's, with
    the variance not corrected for the sample's size. Otherwise uses the running ones. With one
    element per channel, x comes back as it is. ValueError for shapes that do not fit. Ioffe and
    Szegedy, "Batch normalization" (2015).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> mean, var = dg.zeros([1]), dg.ones([1])
    >>> F.batch_norm(dg.to_tensor([[1.0], [3.0]]), mean, var, training=True, epsilon=0.0).tolist()
    [[-1.0], [1.0]]
    >>> mean.tolist()
    [0.20000000298023224]
    """
    x = floating("batch_norm", x)
    channel, shape = _channels("batch_norm", x, data_format)
    mean = _checked("batch_norm", "running_mean", running_mean, shape)
    var = _checked("batch_norm", "running_var", running_var, shape)
    scale = _fitted("batch_norm", x, shape, weight=weight, bias=bias)
    if not (training if use_global_stats is None else not use_global_stats):
        statistics = _fitted("batch_norm", x, shape, running_mean=mean, running_var=var)
        return _with_statistics(x, epsilon, *statistics, *scale)
    if x.size <= shape[channel]:
        return clone(x)
    axis = tuple(i for i in range(x.ndim) if i != channel)
    out, _, new_mean, new_var = standardize(x, axis, epsilon, moments=True)
    commit(_track, (mean, var), (new_mean, new_var), {"momentum": float(momentum)})
    return _scaled(out, *scale)


def _with_statistics(
    x: Tensor, epsilon: float, mean: Any, var: Any, weight: Any = None, bias: Any = None
) -> Tensor:
    """Normalise x with given statistics: one multiplication and one addition per element."""
    scale = (var + epsilon) ** -0.5
    if weight is not None:
        scale = scale * weight
    shift = -(mean * scale)
    return affine(x, scale, shift if bias is None else shift + bias)


def group_norm(
    x: Tensor,
    num_groups: int,
    epsilon: float = 1e-5,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """Normalise x for each sample and group of channels; then multiply by weight, add bias.

    ValueError unless the groups divide the channels. Wu and He, "Group normalization" (2018).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.group_norm(dg.to_tensor([[1.0, 3.0, 5.0, 9.0]]), 2, epsilon=0.0).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    x = floating("group_norm", x)
    channel, shape = _channels("group_norm", x, data_format)
    size = shape[channel]
    if num_groups < 1 or size % num_groups:
        given = f"x is {x.shape} with {size} channels, num_groups is {num_groups}"
        raise ValueError(message("group_norm", given, "expected the groups to divide the channels"))
    sizes = x._data.shape
    before, after = math.prod(sizes[1:channel]), math.prod(sizes[channel + 1 :])
    groups = reshape(x, (sizes[0], before, num_groups, size // num_groups * after))
    weight, bias = _fitted("group_norm", x, shape, weight=weight, bias=bias)
    out = standardize(groups, (1, 3) if before > 1 else (3,), epsilon)[0]
    return _scaled(reshape(out, sizes), weight, bias)


def instance_norm(
    x: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.9,
    eps: float = 1e-5,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """Normalise x for each sample and channel; then multiply by weight, add bias.

    The running statistics are used without `use_input_stats`, and are never updated. ValueError for
    shapes that do not fit. Ulyanov, Vedaldi and Lempitsky, "Instance normalization" (2016).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.instance_norm(dg.to_tensor([[[1.0, 3.0], [5.0, 5.0]]]), eps=0.5).tolist()[0][1]
    [0.0, 0.0]
    """
    x = floating("instance_norm", x)
    channel, shape = _channels("instance_norm", x, data_format)
    given = {"running_mean": running_mean, "running_var": running_var}
    fitted = _fitted("instance_norm", x, shape, **given, weight=weight, bias=bias)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            found = "use_input_stats is False and no statistics are given"
            expected = "expected running_mean and running_var"
            raise ValueError(message("instance_norm", found, expected))
        return _with_statistics(x, eps, *fitted)
    axis = tuple(i for i in range(1, x.ndim) if i != channel)
    return _scaled(standardize(x, axis, eps)[0], *fitted[2:])


def _summed(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    return apply(_window_sum, (x,), {"axis": axis, "before": before, "after": after})


def _window_sum_in_steps(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    size = x._data.shape[axis]
    edges = [list(x.shape), list(x.shape)]
    edges[0][axis], edges[1][axis] = before, after
    padded = concat([zeros(edges[0], x.dtype), x, zeros(edges[1], x.dtype)], axis)
    parts = (slice_of(padded, [axis], [i], [i + size]) for i in range(before + after + 1))
    return functools.reduce(add, parts)


@op(
    (lambda g, _out, _x, axis, before, after: _summed(g, axis, after, before),),
    expand=_window_sum_in_steps,
)
def _window_sum(x: Array, *, axis: int, before: int, after: int) -> Array:
    """At each place along an axis, the sum of x from some places before to some after."""
    out = x.copy()
    source, target = np.moveaxis(x, axis, 0), np.moveaxis(out, axis, 0)
    for step in range(1, before + 1):
        target[step:] += source[:-step]
    for step in range(1, after + 1):
        target[:-step] += source[step:]
    return out


def local_response_norm(
    x: Tensor,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
    data_format: str = "NCHW",
    name: str | None = None,
) -> Tensor:
    """Divide x by `(k + alpha * mean of squares) ** beta` of `size` neighbouring channels.

    Channels outside count as zeros. ValueError for fewer than three axes. Krizhevsky, Sutskever and
    Hinton, "ImageNet classification with deep convolutional neural networks" (2012).

    >>> import dualgraph as dg
    >>> import dualgraph.nn.functional as F
    >>> F.local_response_norm(dg.ones([1, 3, 1]), 3, alpha=3.0, beta=1.0).tolist()
    [[[0.3333333432674408], [0.25], [0.3333333432674408]]]
    """
    x = floating("local_response_norm", x)
    channel, _ = _channels("local_response_norm", x, data_format, least=3)
    if 0 in x._data.shape[1:]:
        given = f"x is {x.shape}"
        raise ValueError(message("local_response_norm", given, "expected sizes above 0"))
    total = _summed(multiply(x, x), channel, size // 2, (size - 1) // 2)
    return divide(x, (total * (alpha / size) + k) ** beta)
