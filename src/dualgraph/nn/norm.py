"""Normalisation of each example as layers: over its last axes, groups of channels, channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.nn import functional as F
from dualgraph.nn.initializer import Constant
from dualgraph.nn.layer import Layer
from dualgraph.tensor import Tensor

__all__ = [
    "GroupNorm",
    "InstanceNorm1D",
    "InstanceNorm2D",
    "InstanceNorm3D",
    "LayerNorm",
    "Norm",
    "RMSNorm",
]


class Norm(Layer):
    """What normalisations share: a scale that starts as ones, a shift that starts as zeros."""

    def make_scale(self, size: int, attr: Any) -> Any:
        """The scale, or None if `attr` is False."""
        return self.create_parameter([size], attr, self._dtype, default_initializer=Constant(1.0))

    def make_shift(self, size: int, attr: Any) -> Any:
        """The shift, or None if `attr` is False."""
        return self.create_parameter([size], attr, self._dtype, is_bias=True)

    def check_axes(self, x: Tensor, allowed: tuple[int, ...], data_format: str) -> None:
        """ValueError unless x has one of the allowed numbers of axes."""
        if allowed and x._data.ndim not in allowed:
            given = f"x is {describe(x)}, the layout is {data_format}"
            expected = f"expected {' or '.join(map(str, allowed))} axes"
            raise ValueError(message(type(self).__name__, given, expected))


class LayerNorm(Norm):
    """Normalisation of each example over its last axes, those of the sizes `normalized_shape`.

    `weight` and `bias` are [product of the sizes]; `weight_attr=False` and `bias_attr=False` leave
    them out. ValueError for an x that does not end in those sizes. Source: Ba, Kiros and Hinton,
    "Layer normalization", 2016.

    >>> import dualgraph as dg
    >>> dg.nn.LayerNorm(2)(dg.to_tensor([[1.0, 3.0]])).round().tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        epsilon: float = 1e-5,
        *,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
        weight_attr: Any = None,
        bias_attr: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._dtype = dtypes.get(dtype or dtypes.get_default_dtype()).name
        self._normalized_shape = _sizes(normalized_shape)
        self._epsilon = epsilon
        size = math.prod(self._normalized_shape)
        self.weight = self.make_scale(size, weight_attr if elementwise_affine else False)
        self.bias = self.make_shift(size, bias_attr if elementwise_affine and bias else False)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self._normalized_shape, self.weight, self.bias, self._epsilon)

    def extra_repr(self) -> str:
        return f"normalized_shape={self._normalized_shape}, epsilon={self._epsilon}"


class RMSNorm(Norm):
    """Division by the root of the mean square over the last axes, and a learnt scale.

    `weight` is [product of the sizes in `normalized_shape`]; `weight_attr=False` leaves it out.
    ValueError for an x that does not end in those sizes. Source: Zhang and Sennrich, "Root mean
    square layer normalization", 2019.

    >>> import dualgraph as dg
    >>> dg.nn.RMSNorm(2)(dg.to_tensor([[3.0, 3.0]])).round().tolist()
    [[1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        epsilon: float = 1e-5,
        weight_attr: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._dtype = dtypes.get_default_dtype()
        self._normalized_shape = _sizes(normalized_shape)
        self._epsilon = epsilon
        self.weight = self.make_scale(math.prod(self._normalized_shape), weight_attr)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self._normalized_shape, self.weight, self._epsilon)[0]

    def extra_repr(self) -> str:
        return f"normalized_shape={self._normalized_shape}, epsilon={self._epsilon}"


def _sizes(normalized_shape: int | Sequence[int]) -> list[int]:
    return [normalized_shape] if isinstance(normalized_shape, int) else list(normalized_shape)


class GroupNorm(Norm):
    """Normalisation of each example over each of `num_groups` groups of its channels, [N, C, ...].

    `weight` and `bias` are [num_channels]. ValueError if the groups do not divide the channels.
    Source: Wu and He, "Group normalization", 2018.

    >>> import dualgraph as dg
    >>> dg.nn.GroupNorm(1, 2)(dg.to_tensor([[1.0, 3.0]])).round().tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        epsilon: float = 1e-5,
        *,
        affine: bool = True,
        device: Any = None,
        dtype: DTypeLike | None = None,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._dtype = dtypes.get(dtype or dtypes.get_default_dtype()).name
        if num_groups < 1 or num_channels % num_groups:
            given = f"num_groups is {num_groups}, num_channels is {num_channels}"
            raise ValueError(
                message("GroupNorm", given, "expected groups that divide the channels")
            )
        self._num_groups = num_groups
        self._num_channels = num_channels
        self._epsilon = epsilon
        self._data_format = data_format
        self.weight = self.make_scale(num_channels, weight_attr if affine else False)
        self.bias = self.make_shift(num_channels, bias_attr if affine else False)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(
            input, self._num_groups, self._epsilon, self.weight, self.bias, self._data_format
        )

    def extra_repr(self) -> str:
        return (
            f"num_groups={self._num_groups}, num_channels={self._num_channels}, "
            f"epsilon={self._epsilon}"
        )


class _InstanceNorm(Norm):
    """Normalisation of each channel of each example by itself; its scale is called `scale`."""

    _axes: tuple[int, ...]
    _layout: str

    def __init__(
        self,
        num_features: int,
        epsilon: float = 1e-5,
        momentum: float = 0.9,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._dtype = dtypes.get_default_dtype()
        if (weight_attr is False) != (bias_attr is False):
            given = f"weight_attr is {weight_attr!r}, bias_attr is {bias_attr!r}"
            raise ValueError(message(type(self).__name__, given, "expected both False, or neither"))
        self._num_features = num_features
        self._epsilon = epsilon
        self._momentum = momentum
        self._data_format = data_format or self._layout
        self.scale = self.make_scale(num_features, weight_attr)
        self.bias = self.make_shift(num_features, bias_attr)

    def forward(self, input: Tensor) -> Tensor:
        self.check_axes(input, self._axes, self._data_format)
        return F.instance_norm(
            input,
            weight=self.scale,
            bias=self.bias,
            momentum=self._momentum,
            eps=self._epsilon,
            data_format=self._data_format,
        )

    def extra_repr(self) -> str:
        return f"num_features={self._num_features}, epsilon={self._epsilon}"


class InstanceNorm1D(_InstanceNorm):
    """Instance normalisation of [N, C, L] or [N, C]: each channel of each example by itself."""

    _axes = (2, 3)
    _layout = "NCL"


class InstanceNorm2D(_InstanceNorm):
    """Instance normalisation of images [N, C, H, W]: each channel of each image over its pixels.

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016.
    """

    _axes = (4,)
    _layout = "NCHW"


class InstanceNorm3D(_InstanceNorm):
    """Instance normalisation of volumes [N, C, D, H, W]: each channel of each volume by itself."""

    _axes = (5,)
    _layout = "NCDHW"
