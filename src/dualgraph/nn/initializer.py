"""Initializers: how a new parameter gets its first values.

Called with a tensor, an initializer overwrites its values. Random ones draw from the process's
generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dualgraph.autograd.mode import no_grad
from dualgraph.errors import describe, message
from dualgraph.nn.gain import calculate_gain, fans
from dualgraph.nn.quantile import normal_cdf, normal_quantile
from dualgraph.ops import random
from dualgraph.tensor import Array, Tensor, to_array

__all__ = [
    "Assign",
    "Bilinear",
    "Constant",
    "Dirac",
    "Initializer",
    "KaimingNormal",
    "KaimingUniform",
    "Normal",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "XavierNormal",
    "XavierUniform",
    "calculate_gain",
    "set_global_initializer",
]

_global: dict[bool, Callable[[Tensor], Any] | None] = {False: None, True: None}  # by is_bias


def set_global_initializer(
    weight_init: Callable[[Tensor], Any] | None, bias_init: Callable[[Tensor], Any] | None = None
) -> None:
    """Set what fills weights and biases of layers made from now on; None ends it.

    A layer's `ParamAttr` goes before it; it goes before the default of the layer. TypeError for
    what cannot be called.

    >>> import dualgraph as dg
    >>> dg.nn.initializer.set_global_initializer(dg.nn.initializer.Constant(0.5))
    >>> dg.nn.Linear(1, 2).weight.tolist()
    [[0.5, 0.5]]
    >>> dg.nn.initializer.set_global_initializer(None)
    """
    for what in (weight_init, bias_init):
        if what is not None and not callable(what):
            given = f"{describe(what)} is given"
            raise TypeError(
                message("set_global_initializer", given, "expected an initializer or None")
            )
    _global.update({False: weight_init, True: bias_init})


def default(is_bias: bool, given: Callable[[Tensor], Any] | None) -> Callable[[Tensor], Any]:
    """The initializer of a parameter whose ParamAttr has none: global, given or Paddle's."""
    return _global[is_bias] or given or (Constant(0.0) if is_bias else XavierUniform())


class Initializer:
    """The base of initializers: a subclass fills the tensor in `forward(param, block=None)`."""

    def __call__(self, param: Tensor, block: Any = None) -> None:
        with no_grad():
            self.forward(param, block)

    def forward(self, param: Tensor, block: Any = None) -> Any:
        """Overwrite the values of a tensor."""
        given = f"{type(self).__name__} defines no forward"
        raise NotImplementedError(
            message("Initializer", given, "", "define forward(self, param, block)")
        )


class _Normal(Initializer):
    """Normal values with `mean` and with the standard deviation that `std` gives for the tensor."""

    mean = 0.0

    def std_of(self, param: Tensor) -> float:
        raise NotImplementedError

    def forward(self, param: Tensor, block: Any = None) -> None:
        std = self.std_of(param)
        drawn = random.standard_normal(param.shape, dtype=param.dtype)
        param.set_value(drawn * std + self.mean)


class _Uniform(Initializer):
    """Uniform values between the bounds that `bounds_of` gives for the tensor."""

    def bounds_of(self, param: Tensor) -> tuple[float, float]:
        raise NotImplementedError

    def forward(self, param: Tensor, block: Any = None) -> None:
        low, high = self.bounds_of(param)
        param.set_value(random.uniform(param.shape, dtype=param.dtype, min=low, max=high))


class Constant(Initializer):
    """One value everywhere.

    >>> import dualgraph as dg
    >>> dg.nn.Linear(1, 2, weight_attr=dg.nn.initializer.Constant(2.0)).weight.tolist()
    [[2.0, 2.0]]
    """

    def __init__(self, value: float = 0.0) -> None:
        if not isinstance(value, (bool, int, float, np.generic)):
            raise ValueError(
                message("Constant", f"value is {describe(value)}", "expected a number")
            )
        self.value = value

    def forward(self, param: Tensor, block: Any = None) -> None:
        param.set_value(np.full(param.shape, self.value, param._data.dtype))


class Normal(_Normal):
    """Values from a normal distribution."""

    def __init__(self, mean: float = 0.0, std: float = 1.0, name: str | None = None) -> None:
        self.mean = mean
        self.std = std

    def std_of(self, param: Tensor) -> float:
        return self.std


class Uniform(_Uniform):
    """Values uniform in [low, high)."""

    def __init__(self, low: float = -1.0, high: float = 1.0, name: str | None = None) -> None:
        if not low <= high:
            given = f"low is {low}, high is {high}"
            raise ValueError(message("Uniform", given, "expected low <= high"))
        self.low = low
        self.high = high

    def bounds_of(self, param: Tensor) -> tuple[float, float]:
        return self.low, self.high


class TruncatedNormal(Initializer):
    """Values from the part of a normal distribution between the bounds a and b.

    The bounds are values, not multiples of `std`. ValueError if a > b or if `std` is not positive.
    """

    def __init__(
        self,
        mean: float = 0.0,
        std: float = 1.0,
        a: float = -2.0,
        b: float = 2.0,
        name: str | None = None,
    ) -> None:
        if not a <= b or not std > 0:
            given = f"std is {std}, a is {a}, b is {b}"
            raise ValueError(message("TruncatedNormal", given, "expected std > 0 and a <= b"))
        self.mean = mean
        self.std = std
        self.a = a
        self.b = b

    def forward(self, param: Tensor, block: Any = None) -> None:
        drawn = random.uniform(param.shape, dtype="float64", min=0.0, max=1.0)._data
        values = self._between(drawn)
        param.set_value(values.astype(param._data.dtype))

    def _between(self, u: Array) -> Array:
        """The values at fractions u of the probability between the bounds."""
        low, high = (self.a - self.mean) / self.std, (self.b - self.mean) / self.std
        # Probabilities are precise in the lower tail; an interval above the middle is mirrored.
        sign = 1.0 if low + high <= 0 else -1.0
        if sign < 0:
            low, high = -high, -low
        below, above = normal_cdf(low), normal_cdf(high)
        limits = np.finfo(np.float64)
        p = np.clip(below + u * (above - below), limits.tiny, 1.0 - limits.epsneg)
        return np.clip(self.mean + self.std * sign * normal_quantile(p), self.a, self.b)


class _Xavier:
    """Scales by the mean of the fans."""

    def __init__(
        self,
        fan_in: float | None = None,
        fan_out: float | None = None,
        gain: float = 1.0,
        name: str | None = None,
    ) -> None:
        self.fan_in = fan_in
        self.fan_out = fan_out
        self.gain = gain

    def std_of(self, param: Tensor) -> float:
        own_in, own_out = fans(param.shape)
        fan_in = own_in if self.fan_in is None else self.fan_in
        fan_out = own_out if self.fan_out is None else self.fan_out
        # A weight without inputs or outputs has no elements to scale.
        return self.gain * math.sqrt(2.0 / (fan_in + fan_out)) if fan_in and fan_out else 0.0


class XavierNormal(_Xavier, _Normal):
    """Normal values of standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010.
    """


class XavierUniform(_Xavier, _Uniform):
    """Values uniform within gain * sqrt(6 / (fan_in + fan_out)) of 0: the default of weights.

    Source: that of `XavierNormal`.
    """

    def bounds_of(self, param: Tensor) -> tuple[float, float]:
        limit = math.sqrt(3.0) * self.std_of(param)
        return -limit, limit


class _Kaiming:
    """Scales by one of the fans."""

    def __init__(
        self,
        fan_in: float | None = None,
        negative_slope: float = 0.0,
        nonlinearity: str = "relu",
        mode: str = "fan_in",
    ) -> None:
        if mode not in ("fan_in", "fan_out"):
            given = f"mode is {mode!r}"
            raise ValueError(message(type(self).__name__, given, "expected 'fan_in' or 'fan_out'"))
        if mode == "fan_out" and fan_in is not None:
            given = f"mode is 'fan_out' and fan_in is {fan_in}"
            raise ValueError(message(type(self).__name__, given, "", "leave fan_in out"))
        self.fan_in = fan_in
        self.mode = mode
        self.gain = calculate_gain(nonlinearity, negative_slope)

    def std_of(self, param: Tensor) -> float:
        fan_in, fan_out = fans(param.shape)
        fan = fan_out if self.mode == "fan_out" else fan_in if self.fan_in is None else self.fan_in
        return self.gain / math.sqrt(fan) if fan else 0.0


class KaimingNormal(_Kaiming, _Normal):
    """Normal values of standard deviation gain / sqrt(fan).

    `fan` is that of the tensor on the side that `mode` names, unless `fan_in` gives it. ValueError
    for another mode, and for a `fan_in` with mode "fan_out". Source: He, Zhang, Ren and Sun,
    "Delving deep into rectifiers", 2015.
    """


class KaimingUniform(_Kaiming, _Uniform):
    """Values uniform within gain * sqrt(3 / fan) of 0.

    Arguments, errors and source as those of `KaimingNormal`.
    """

    def bounds_of(self, param: Tensor) -> tuple[float, float]:
        limit = math.sqrt(3.0) * self.std_of(param)
        return -limit, limit


class Assign(Initializer):
    """The values of a list, tuple, array or tensor, which has the parameter's shape.

    TypeError for another type; ValueError, when it is used, for another shape.

    >>> import dualgraph as dg
    >>> dg.nn.Linear(1, 2, bias_attr=dg.nn.initializer.Assign([3.0, 4.0])).bias.tolist()
    [3.0, 4.0]
    """

    def __init__(self, value: Any, name: str | None = None) -> None:
        if not isinstance(value, (list, tuple, np.ndarray, Tensor)):
            given = f"value is {describe(value)}"
            raise TypeError(message("Assign", given, "expected a list, tuple, array or Tensor"))
        self.value = to_array(value)

    def forward(self, param: Tensor, block: Any = None) -> None:
        if self.value.shape != param._data.shape:
            given = f"the value is {describe(self.value)}, the parameter is {describe(param)}"
            raise ValueError(message("Assign", given, "expected equal shapes"))
        param.set_value(self.value.astype(param._data.dtype))


class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, times `gain`.

    Axes after the first are taken as one. ValueError, when it is used, for a tensor of fewer than
    two axes. Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", 2014.
    """

    def __init__(self, gain: float = 1.0, name: str | None = None) -> None:
        self.gain = gain

    def forward(self, param: Tensor, block: Any = None) -> None:
        shape = param.shape
        if len(shape) < 2:
            raise ValueError(
                message(
                    "Orthogonal", f"the tensor is {describe(param)}", "expected two axes or more"
                )
            )
        rows, columns = shape[0], math.prod(shape[1:])
        drawn = random.standard_normal([max(rows, columns), min(rows, columns)], dtype="float64")
        q, r = np.linalg.qr(drawn._data)
        # The signs make the distribution uniform over the orthogonal matrices.
        q = q * np.where(np.diagonal(r) < 0, -self.gain, self.gain)
        matrix = q if rows >= columns else q.T
        param.set_value(matrix.reshape(shape).astype(param._data.dtype))


class Dirac(Initializer):
    """Filters that hand each input channel through: 1 in the middle of the window, 0 elsewhere.

    For weights [out, in, *window] of convolutions, in `groups` groups. ValueError, when it is used,
    for a tensor of other than 3, 4 or 5 axes, or whose first axis is not a multiple of `groups`.
    """

    def __init__(self, groups: int = 1, name: str | None = None) -> None:
        if not isinstance(groups, int) or groups < 1:
            raise ValueError(
                message("Dirac", f"groups is {describe(groups)}", "expected a positive int")
            )
        self.groups = groups

    def forward(self, param: Tensor, block: Any = None) -> None:
        shape = param.shape
        if len(shape) not in (3, 4, 5) or shape[0] % self.groups:
            given = f"the tensor is {describe(param)}, groups is {self.groups}"
            raise ValueError(
                message("Dirac", given, "expected 3 to 5 axes, the first a multiple of groups")
            )
        values = np.zeros(shape, param._data.dtype)
        middle = tuple(n // 2 for n in shape[2:])
        per_group = shape[0] // self.groups
        for group in range(self.groups):
            for channel in range(min(per_group, shape[1])):
                values[(group * per_group + channel, channel, *middle)] = 1
        param.set_value(values)


class Bilinear(Initializer):
    """Filters that interpolate bilinearly: the same tent [k, k] for each channel.

    For weights of transposed convolutions. ValueError, when it is used, for a tensor that is not
    [.., .., k, k].
    """

    def forward(self, param: Tensor, block: Any = None) -> None:
        shape = param.shape
        if len(shape) != 4 or shape[2] != shape[3]:
            given = f"the tensor is {describe(param)}"
            raise ValueError(
                message("Bilinear", given, "expected four axes, the last two of one size")
            )
        factor = math.ceil(shape[3] / 2)
        centre = (2 * factor - 1 - factor % 2) / (2.0 * factor)
        tent = 1.0 - np.abs(np.arange(shape[3]) / factor - centre)
        values = np.broadcast_to(tent[:, None] * tent, shape)
        param.set_value(values.astype(param._data.dtype))
