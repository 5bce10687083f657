"""Activations as layers: each is the function of `functional` that its docstring names."""

from __future__ import annotations

from typing import Any

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.nn import functional as F
from dualgraph.nn.initializer import Constant
from dualgraph.nn.layer import Layer
from dualgraph.tensor import Tensor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Maxout",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Silu",
    "Softmax",
    "Softmax2D",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Swish",
    "Tanh",
    "Tanhshrink",
    "ThresholdedReLU",
]


class _Activation(Layer):
    """What activations share: a name, and a text that shows the attributes in `_shown`."""

    _shown: tuple[str, ...] = ()

    def __init__(self, name: str | None = None) -> None:
        super().__init__()
        self._name = name

    def extra_repr(self) -> str:
        parts = [f"{shown}={getattr(self, '_' + shown)}" for shown in self._shown]
        return ", ".join([*parts, f"name={self._name}"] if self._name else parts)


class ReLU(_Activation):
    """`functional.relu`: x where it is positive, else 0.

    >>> import dualgraph as dg
    >>> dg.nn.ReLU()(dg.to_tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


class ReLU6(_Activation):
    """`functional.relu6`: x held between 0 and 6."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x)


class Sigmoid(_Activation):
    """`functional.sigmoid`: 1 / (1 + exp(-x))."""

    def forward(self, x: Tensor) -> Tensor:
        return F.sigmoid(x)


class Tanh(_Activation):
    """`functional.tanh`: the hyperbolic tangent."""

    def forward(self, x: Tensor) -> Tensor:
        return F.tanh(x)


class Hardsigmoid(_Activation):
    """`functional.hardsigmoid`: x / 6 + 1 / 2 held between 0 and 1."""

    def forward(self, x: Tensor) -> Tensor:
        return F.hardsigmoid(x)


class Hardswish(_Activation):
    """`functional.hardswish`: x times its hard sigmoid."""

    def forward(self, x: Tensor) -> Tensor:
        return F.hardswish(x)


class LogSigmoid(_Activation):
    """`functional.log_sigmoid`: the logarithm of the sigmoid."""

    def forward(self, x: Tensor) -> Tensor:
        return F.log_sigmoid(x)


class Mish(_Activation):
    """`functional.mish`: x * tanh(softplus(x))."""

    def forward(self, x: Tensor) -> Tensor:
        return F.mish(x)


class Softsign(_Activation):
    """`functional.softsign`: x / (1 + |x|)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softsign(x)


class Swish(_Activation):
    """`functional.swish`: x * sigmoid(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.swish(x)


class Tanhshrink(_Activation):
    """`functional.tanhshrink`: x - tanh(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.tanhshrink(x)


class Silu(_Activation):
    """`functional.silu`: x * sigmoid(x)."""

    _shown = ("inplace",)

    def __init__(self, inplace: bool = False, name: str | None = None) -> None:
        super().__init__(name)
        self._inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x, self._inplace)


SiLU = Silu


class GELU(_Activation):
    """`functional.gelu`: x times the probability that a standard normal value is below it.

    >>> import dualgraph as dg
    >>> round(dg.nn.GELU()(dg.to_tensor(1.0)).item(), 4)
    0.8413
    """

    _shown = ("approximate",)

    def __init__(self, approximate: bool | str = False, name: str | None = None) -> None:
        super().__init__(name)
        self._approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x, self._approximate)


class LeakyReLU(_Activation):
    """`functional.leaky_relu`: x where it is positive, else `negative_slope` times x."""

    _shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, name: str | None = None) -> None:
        super().__init__(name)
        self._negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self._negative_slope)


class ELU(_Activation):
    """`functional.elu`: x where it is positive, else alpha * (exp(x) - 1)."""

    _shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, name: str | None = None) -> None:
        super().__init__(name)
        self._alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return F.elu(x, self._alpha)


class CELU(ELU):
    """`functional.celu`: x where it is positive, else alpha * (exp(x / alpha) - 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.celu(x, self._alpha)


class SELU(_Activation):
    """`functional.selu`: the ELU that keeps mean 0 and variance 1 from layer to layer."""

    _shown = ("scale", "alpha")

    def __init__(
        self,
        scale: float = 1.0507009873554804934193349852946,
        alpha: float = 1.6732632423543772848170429916717,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self._scale = scale
        self._alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return F.selu(x, self._scale, self._alpha)


class Hardtanh(_Activation):
    """`functional.hardtanh`: x held between `min` and `max`."""

    _shown = ("min", "max")

    def __init__(self, min: float = -1.0, max: float = 1.0, name: str | None = None) -> None:
        super().__init__(name)
        self._min = min
        self._max = max

    def forward(self, x: Tensor) -> Tensor:
        return F.hardtanh(x, self._min, self._max)


class Hardshrink(_Activation):
    """`functional.hardshrink`: x outside [-threshold, threshold], else 0."""

    _shown = ("threshold",)

    def __init__(self, threshold: float = 0.5, name: str | None = None) -> None:
        super().__init__(name)
        self._threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        return F.hardshrink(x, self._threshold)


class Softshrink(Hardshrink):
    """`functional.softshrink`: x moved towards 0 by `threshold`, and 0 within it."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softshrink(x, self._threshold)


class ThresholdedReLU(_Activation):
    """`functional.thresholded_relu`: x above `threshold`, else `value`."""

    _shown = ("threshold", "value")

    def __init__(self, threshold: float = 1.0, value: float = 0.0, name: str | None = None) -> None:
        super().__init__(name)
        self._threshold = threshold
        self._value = value

    def forward(self, x: Tensor) -> Tensor:
        return F.thresholded_relu(x, self._threshold, self._value)


class Softplus(_Activation):
    """`functional.softplus`: log(1 + exp(beta * x)) / beta, and x where beta * x > threshold."""

    _shown = ("beta", "threshold")

    def __init__(self, beta: float = 1, threshold: float = 20, name: str | None = None) -> None:
        super().__init__(name)
        self._beta = beta
        self._threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        return F.softplus(x, self._beta, self._threshold)


class Softmax(_Activation):
    """`functional.softmax`: exponentials along an axis, divided by their sum.

    >>> import dualgraph as dg
    >>> dg.nn.Softmax()(dg.zeros([1, 4])).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """

    _shown = ("axis",)

    def __init__(self, axis: int = -1, name: str | None = None) -> None:
        super().__init__(name)
        self._axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, self._axis)


class LogSoftmax(Softmax):
    """`functional.log_softmax`: the logarithm of the softmax along an axis."""

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(x, self._axis)


class Softmax2D(_Activation):
    """The softmax over the channels of [N, C, H, W] or [C, H, W]; ValueError for other shapes."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim not in (3, 4):
            raise ValueError(message("Softmax2D", f"x is {describe(x)}", "expected 3 or 4 axes"))
        return F.softmax(x, -3)


class GLU(_Activation):
    """`functional.glu`: the first half along an axis, times the sigmoid of the second."""

    _shown = ("axis",)

    def __init__(self, axis: int = -1, name: str | None = None) -> None:
        super().__init__(name)
        self._axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(x, self._axis)


class Maxout(_Activation):
    """`functional.maxout`: the largest of each group of `groups` channels along an axis."""

    _shown = ("groups", "axis")

    def __init__(self, groups: int, axis: int = 1, name: str | None = None) -> None:
        super().__init__(name)
        self._groups = groups
        self._axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return F.maxout(x, self._groups, self._axis)


class PReLU(_Activation):
    """`functional.prelu`: x where it is positive, else a learnt slope times x.

    One slope for all, or `num_parameters` for as many channels; `init` is what they start from.

    >>> import dualgraph as dg
    >>> dg.nn.PReLU(init=0.5)(dg.to_tensor([[-2.0, 2.0]])).tolist()
    [[-1.0, 2.0]]
    """

    _shown = ("num_parameters", "data_format", "init", "dtype")

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        weight_attr: Any = None,
        data_format: str = "NCHW",
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self._dtype = dtypes.get_default_dtype()
        self._num_parameters = num_parameters
        self._init = init
        self._data_format = data_format
        self._weight: Any = self.create_parameter(
            [num_parameters], weight_attr, self._dtype, default_initializer=Constant(init)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.prelu(x, self._weight, self._data_format)


class RReLU(_Activation):
    """`functional.rrelu`: x where it is positive, else x times a slope drawn from [lower, upper).

    When not training the slope is (lower + upper) / 2.
    """

    _shown = ("lower", "upper", "training", "dtype")

    def __init__(
        self, lower: float = 1.0 / 8.0, upper: float = 1.0 / 3.0, name: str | None = None
    ) -> None:
        super().__init__(name)
        self._lower = lower
        self._upper = upper

    @property
    def _training(self) -> bool:
        return self.training

    def forward(self, x: Tensor) -> Tensor:
        return F.rrelu(x, self._lower, self._upper, self.training)
