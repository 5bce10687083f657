"""Padding as layers."""

from __future__ import annotations

from typing import Any

from dualgraph.nn import functional as F
from dualgraph.nn.common import named
from dualgraph.nn.layer import Layer
from dualgraph.tensor import Tensor

__all__ = ["Pad1D", "Pad2D", "Pad3D", "ZeroPad2D"]


class _Pad(Layer):
    """Padding of the last axes; subclasses say how many, and the layout."""

    _axes: int
    _layout: str

    def __init__(
        self,
        padding: Any,
        mode: str = "constant",
        value: float = 0.0,
        data_format: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self.padding = [padding] * (2 * self._axes) if isinstance(padding, int) else padding
        self._mode = mode
        self.value = value
        self._data_format = data_format or self._layout
        self._name = name

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.padding, self._mode, self.value, self._data_format)

    def extra_repr(self) -> str:
        text = (
            f"padding={self.padding}, mode={self._mode}, value={self.value}, "
            f"data_format={self._data_format}"
        )
        return named(text, self._name)


class Pad1D(_Pad):
    """Pads the last axis of [N, C, L] (or the middle one of [N, L, C]); see `functional.pad`.

    >>> import dualgraph as dg
    >>> dg.nn.Pad1D([1, 2])(dg.ones([1, 1, 2])).tolist()
    [[[0.0, 1.0, 1.0, 0.0, 0.0]]]
    """

    _axes = 1
    _layout = "NCL"


class Pad2D(_Pad):
    """Pads [N, C, H, W] or [N, H, W, C]: left, right, top, bottom; see `functional.pad`."""

    _axes = 2
    _layout = "NCHW"


class Pad3D(_Pad):
    """Pads [N, C, D, H, W] or [N, D, H, W, C], the last axis first; see `functional.pad`."""

    _axes = 3
    _layout = "NCDHW"


class ZeroPad2D(Pad2D):
    """Pads images with zeros; see `Pad2D`."""

    def __init__(self, padding: Any, data_format: str = "NCHW", name: str | None = None) -> None:
        super().__init__(padding, "constant", 0.0, data_format, name)
