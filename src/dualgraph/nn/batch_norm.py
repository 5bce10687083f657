"""Batch normalisation as layers: each channel over the batch, with running statistics."""

from __future__ import annotations

from typing import Any

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import message
from dualgraph.nn import functional as F
from dualgraph.nn.initializer import Constant
from dualgraph.nn.layer import Layer
from dualgraph.nn.norm import Norm
from dualgraph.nn.parameter import ParamAttr
from dualgraph.tensor import Tensor

__all__ = ["BatchNorm", "BatchNorm1D", "BatchNorm2D", "BatchNorm3D", "SyncBatchNorm"]


class _BatchNorm(Norm):
    """What the batch normalisations share: learnt scale and shift, and running statistics.

    `_mean` and `_variance` are parameters that are not trained, as in Paddle: they are in
    `parameters()` and in the state dict. `momentum` is the weight of their old values.
    """

    _axes: tuple[int, ...] = ()  # how many an input may have; any number if empty
    _layout = "NCHW"

    def __init__(
        self,
        num_features: int,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str | None = None,
        use_global_stats: bool | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._dtype = dtypes.get_default_dtype()
        self._num_features = num_features
        self._momentum = momentum
        self._epsilon = epsilon
        self._weight_attr = weight_attr
        self._bias_attr = bias_attr
        self._data_format = data_format or self._layout
        self._use_global_stats = use_global_stats
        self._name = name
        self.weight = self.make_scale(num_features, weight_attr)
        self.bias = self.make_shift(num_features, bias_attr)
        self._mean = self._make_statistic(num_features, 0.0)
        self._variance = self._make_statistic(num_features, 1.0)

    def _make_statistic(self, size: int, value: float, name: str | None = None) -> Any:
        attr = ParamAttr(name=name, initializer=Constant(value), trainable=False)
        return self.create_parameter([size], attr, self._dtype)

    def forward(self, input: Tensor) -> Tensor:
        self.check_axes(input, self._axes, self._data_format)
        return F.batch_norm(
            input,
            self._mean,
            self._variance,
            self.weight,
            self.bias,
            training=self.training,
            momentum=self._momentum,
            epsilon=self._epsilon,
            data_format=self._data_format,
            use_global_stats=self._use_global_stats,
        )

    def extra_repr(self) -> str:
        text = (
            f"num_features={self._num_features}, momentum={self._momentum}, epsilon={self._epsilon}"
        )
        if self._data_format != "NCHW":
            text += f", data_format={self._data_format}"
        return f"{text}, name={self._name}" if self._name else text


class BatchNorm1D(_BatchNorm):
    """Batch normalisation of [N, C], [N, C, L] or [N, L, C]: each channel over all examples.

    Training uses the batch's mean and variance and updates the running ones; `eval()` uses those.
    ValueError for other shapes. Source: Ioffe and Szegedy, "Batch normalization", 2015.

    >>> import dualgraph as dg
    >>> layer = dg.nn.BatchNorm1D(1)
    >>> layer(dg.to_tensor([[0.0], [4.0]])).round().tolist()
    [[-1.0], [1.0]]
    >>> round(layer._mean.item(), 4)
    0.2
    """

    _axes = (2, 3)
    _layout = "NCL"


class BatchNorm2D(_BatchNorm):
    """Batch normalisation of images [N, C, H, W] or [N, H, W, C]."""

    _axes = (4,)


class BatchNorm3D(_BatchNorm):
    """Batch normalisation of volumes [N, C, D, H, W] or [N, D, H, W, C]."""

    _axes = (5,)
    _layout = "NCDHW"


class SyncBatchNorm(_BatchNorm):
    """Batch normalisation over all processes; there is one here, so it is that of its own batch."""

    def __init__(
        self,
        num_features: int,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        weight_attr: Any = None,
        bias_attr: Any = None,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        super().__init__(
            num_features, momentum, epsilon, weight_attr, bias_attr, data_format, None, name
        )

    @classmethod
    def convert_sync_batchnorm(cls, layer: Layer) -> Layer:
        """The network with each batch normalisation made one of this class; parameters stay."""
        converted = layer
        if isinstance(layer, _BatchNorm) and not isinstance(layer, cls):
            converted = cls(
                layer._num_features,
                layer._momentum,
                layer._epsilon,
                layer._weight_attr,
                layer._bias_attr,
                layer._data_format,
                layer._name,
            )
            converted._parameters.update(layer._parameters)
            converted.training = layer.training
        for name, child in list(layer.named_children()):
            converted.add_sublayer(name, cls.convert_sync_batchnorm(child))
        return converted


class BatchNorm(_BatchNorm):
    """Batch normalisation of any [N, C, ...], with an activation behind it if asked for.

    `act` names a function of `functional`; ValueError for one that is not there. `is_test` and
    `use_global_stats` always use the running statistics, `trainable_statistics` always the batch's.
    """

    def __init__(
        self,
        num_channels: int,
        act: str | None = None,
        is_test: bool = False,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        param_attr: Any = None,
        bias_attr: Any = None,
        dtype: DTypeLike = "float32",
        data_layout: str = "NCHW",
        in_place: bool = False,
        moving_mean_name: str | None = None,
        moving_variance_name: str | None = None,
        do_model_average_for_mean_and_var: bool = True,
        use_global_stats: bool = False,
        trainable_statistics: bool = False,
    ) -> None:
        super(_BatchNorm, self).__init__()
        if act is not None and not hasattr(F, act):
            given = f"act is {act!r}"
            raise ValueError(message("BatchNorm", given, "expected the name of an activation"))
        self._dtype = dtypes.get(dtype).name
        self._num_features = num_channels
        self._act = act
        self._is_test = is_test
        self._momentum = momentum
        self._epsilon = epsilon
        self._weight_attr = param_attr
        self._bias_attr = bias_attr
        self._data_format = data_layout
        self._use_global_stats = use_global_stats
        self._trainable_statistics = trainable_statistics
        self._name = None
        self.weight = self.make_scale(num_channels, param_attr)
        self.bias = self.make_shift(num_channels, bias_attr)
        self._mean = self._make_statistic(num_channels, 0.0, moving_mean_name)
        self._variance = self._make_statistic(num_channels, 1.0, moving_variance_name)

    def forward(self, input: Tensor) -> Tensor:
        training = (self.training and not self._is_test) or self._trainable_statistics
        out = F.batch_norm(
            input,
            self._mean,
            self._variance,
            self.weight,
            self.bias,
            training=training,
            momentum=self._momentum,
            epsilon=self._epsilon,
            data_format=self._data_format,
            use_global_stats=True if self._use_global_stats else None,
        )
        return out if self._act is None else getattr(F, self._act)(out)

    def extra_repr(self) -> str:
        return ""
