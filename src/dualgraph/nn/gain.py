"""How large new weights should be: the fans of a tensor, and the gains of nonlinearities."""

from __future__ import annotations

import math

from dualgraph.errors import describe, message

__all__ = ["calculate_gain", "fans"]


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights in front of a nonlinearity should be larger.

    `param` is the slope of leaky_relu.

    ValueError for an unknown nonlinearity, TypeError for a `param` that is no number.

    >>> import dualgraph as dg
    >>> dg.nn.initializer.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if param is not None and not isinstance(param, (bool, int, float)):
        raise TypeError(
            message("calculate_gain", f"param is {describe(param)}", "expected a number")
        )
    slope = 0.01 if param is None else float(param)
    gains = {
        "sigmoid": 1.0,
        "linear": 1.0,
        "tanh": 5.0 / 3.0,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1.0 + slope * slope)),
        "selu": 0.75,
    }
    kind = "linear" if str(nonlinearity).startswith("conv") else nonlinearity
    if kind not in gains:
        given = f"nonlinearity is {nonlinearity!r}"
        raise ValueError(
            message("calculate_gain", given, f"expected one of {', '.join(gains)}, conv2d")
        )
    return gains[kind]


def fans(shape: list[int]) -> tuple[int, int]:
    """The inputs and outputs of a weight [in, out] or [out, in, *window], the window counted."""
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    if len(shape) == 2:
        return shape[0], shape[1]
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window
