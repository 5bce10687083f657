"""Everyday layers: linear maps, embeddings, dropout, reshaping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dualgraph import dtypes
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.nn import functional as F
from dualgraph.nn.layer import Layer
from dualgraph.nn.parameter import Parameter
from dualgraph.ops.contraction import linear
from dualgraph.ops.manipulation import flatten, unflatten
from dualgraph.tensor import Tensor

__all__ = [
    "AlphaDropout",
    "Bilinear",
    "CosineSimilarity",
    "Dropout",
    "Dropout2D",
    "Dropout3D",
    "Embedding",
    "Flatten",
    "Identity",
    "Linear",
    "Unflatten",
    "named",
]


def named(text: str, name: str | None) -> str:
    """The text of a layer with its name behind it, if it has one."""
    return f"{text}, name={name}" if name else text


class Linear(Layer):
    """x @ weight + bias, with `weight` [in_features, out_features] and `bias` [out_features].

    x is [..., in_features], the output [..., out_features]; `bias_attr=False` leaves the bias out.
    ValueError for an x with another last axis.

    >>> import dualgraph as dg
    >>> layer = dg.nn.Linear(3, 2)
    >>> layer(dg.ones([4, 3])).shape
    [4, 2]
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        weight_attr: Any = None,
        bias_attr: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._dtype = dtypes.get_default_dtype()
        self.in_features = in_features
        self.out_features = out_features
        shape = [in_features, out_features]
        self.weight: Any = self.create_parameter(shape, weight_attr, self._dtype)
        self.bias = self.create_parameter([out_features], bias_attr, self._dtype, is_bias=True)
        self.name = name

    def forward(self, input: Tensor) -> Tensor:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        return named(f"{sizes}, dtype={self._dtype}", self.name)


class Identity(Layer):
    """Hands its input through; the arguments it is made with are ignored.

    >>> import dualgraph as dg
    >>> x = dg.ones([2])
    >>> dg.nn.Identity()(x) is x
    True
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Embedding(Layer):
    """Rows of a table `weight` [num_embeddings, embedding_dim], picked by integers.

    Integers [...] give [..., embedding_dim]. The row at `padding_idx` starts as zeros and gets no
    gradient; rows longer than `max_norm` are scaled down to it, in place, when they are used.
    ValueError for an id out of range, for sizes that are not positive and for a `padding_idx` out
    of range.

    >>> import dualgraph as dg
    >>> table = dg.nn.Embedding(10, 4, padding_idx=0)
    >>> table(dg.to_tensor([[1, 0, 9]])).shape
    [1, 3, 4]
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        *,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: DTypeLike | None = None,
        weight_attr: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        if num_embeddings <= 0 or embedding_dim <= 0:
            given = f"num_embeddings is {num_embeddings}, embedding_dim is {embedding_dim}"
            raise ValueError(message("Embedding", given, "expected positive sizes"))
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            given = f"padding_idx is {padding_idx}"
            expected = f"expected {-num_embeddings} to {num_embeddings - 1}"
            raise ValueError(message("Embedding", given, expected))
        self._dtype = dtypes.get(dtype or dtypes.get_default_dtype()).name
        self._num_embeddings = num_embeddings
        self._embedding_dim = embedding_dim
        self._padding_idx = padding_idx
        self._max_norm = max_norm
        self._norm_type = norm_type
        self._scale_grad_by_freq = scale_grad_by_freq
        self._sparse = sparse
        self._name = name
        shape = [num_embeddings, embedding_dim]
        self.weight: Parameter = (
            self._new_table(shape, weight_attr)
            if _weight is None
            else self._given_table(shape, _weight, trainable=not _freeze)
        )

    def _new_table(self, shape: list[int], attr: Any) -> Parameter:
        table = self.create_parameter(shape, attr, self._dtype)
        if table is None:
            given = "weight_attr is False"
            raise ValueError(message("Embedding", given, "an embedding is nothing but its weight"))
        if self._padding_idx is not None:
            values = table.numpy()
            values[self._padding_idx] = 0
            table.set_value(values)
        return table

    def _given_table(self, shape: list[int], values: Any, trainable: bool) -> Parameter:
        table = Parameter(values, self._dtype, trainable=trainable)
        if table.shape != shape:
            given = f"_weight is {describe(table)}"
            raise ValueError(message("Embedding", given, f"expected {shape}"))
        return table

    def forward(self, x: Tensor) -> Tensor:
        return F.embedding(
            x,
            self.weight,
            padding_idx=self._padding_idx,
            max_norm=self._max_norm,
            norm_type=self._norm_type,
            sparse=self._sparse,
            scale_grad_by_freq=self._scale_grad_by_freq,
        )

    def extra_repr(self) -> str:
        text = f"{self._num_embeddings}, {self._embedding_dim}"
        if self._padding_idx is not None:
            text += f", padding_idx={self._padding_idx}"
        text += f", sparse={self._sparse}, scale_grad_by_freq={self._scale_grad_by_freq}"
        return named(text, self._name)


class Flatten(Layer):
    """The axes from `start_axis` to `stop_axis` made one.

    >>> import dualgraph as dg
    >>> dg.nn.Flatten()(dg.ones([2, 3, 4])).shape
    [2, 12]
    """

    def __init__(self, start_axis: int = 1, stop_axis: int = -1) -> None:
        super().__init__()
        self.start_axis = start_axis
        self.stop_axis = stop_axis

    def forward(self, input: Tensor) -> Tensor:
        return flatten(input, self.start_axis, self.stop_axis)


class Unflatten(Layer):
    """One axis made several, of the sizes `shape`, one of which may be -1.

    >>> import dualgraph as dg
    >>> dg.nn.Unflatten(1, [2, -1])(dg.ones([5, 6])).shape
    [5, 2, 3]
    """

    def __init__(self, axis: int, shape: Sequence[int], name: str | None = None) -> None:
        super().__init__()
        self.axis = axis
        self.shape = shape
        self.name = name

    def forward(self, input: Tensor) -> Tensor:
        return unflatten(input, self.axis, self.shape)

    def extra_repr(self) -> str:
        return named(f"axis={self.axis}, shape={self.shape}", self.name)


class Dropout(Layer):
    """Sets elements to zero with probability p while training; see `functional.dropout`.

    >>> import dualgraph as dg
    >>> layer = dg.nn.Dropout(0.5)
    >>> layer.eval()(dg.ones([2])).tolist()
    [1.0, 1.0]
    """

    def __init__(
        self,
        p: float = 0.5,
        inplace: bool = False,
        axis: int | Sequence[int] | None = None,
        mode: str = "upscale_in_train",
        name: str | None = None,
    ) -> None:
        super().__init__()
        self.p = p
        self.inplace = inplace
        self.axis = axis
        self.mode = mode
        self.name = name

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.axis, self.training, self.inplace, self.mode)

    def extra_repr(self) -> str:
        text = named(f"p={self.p}, axis={self.axis}, mode={self.mode}", self.name)
        return f"{text}, inplace={self.inplace}"


class _ChannelDropout(Layer):
    """Dropout of whole channels; subclasses say in which layout."""

    _layout: str
    _drop: Callable[..., Tensor]

    def __init__(
        self, p: float = 0.5, data_format: str | None = None, name: str | None = None
    ) -> None:
        super().__init__()
        self.p = p
        self.data_format = data_format or self._layout
        self.name = name

    def forward(self, input: Tensor) -> Tensor:
        return type(self)._drop(input, self.p, self.training, self.data_format)

    def extra_repr(self) -> str:
        return named(f"p={self.p}, data_format={self.data_format}", self.name)


class Dropout2D(_ChannelDropout):
    """Dropout of whole channels of images; see `functional.dropout2d`."""

    _layout = "NCHW"
    _drop = staticmethod(F.dropout2d)


class Dropout3D(_ChannelDropout):
    """Dropout of whole channels of volumes; see `functional.dropout3d`."""

    _layout = "NCDHW"
    _drop = staticmethod(F.dropout3d)


class AlphaDropout(Layer):
    """Dropout that keeps mean 0 and variance 1; see `functional.alpha_dropout`."""

    def __init__(self, p: float = 0.5, name: str | None = None) -> None:
        super().__init__()
        self.p = p
        self.name = name

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        return named(f"p={self.p}", self.name)


class Bilinear(Layer):
    """A bilinear form x1 @ weight[k] @ x2 + bias[k] for each output k.

    x1 is [N, in1_features], x2 [N, in2_features], the output [N, out_features].
    `weight` is [out_features, in1_features, in2_features], `bias` [1, out_features]. ValueError for
    other sizes.

    >>> import dualgraph as dg
    >>> dg.nn.Bilinear(2, 3, 4)(dg.ones([5, 2]), dg.ones([5, 3])).shape
    [5, 4]
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        weight_attr: Any = None,
        bias_attr: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__()
        self._dtype = dtypes.get_default_dtype()
        self._in1_features = in1_features
        self._in2_features = in2_features
        self._out_features = out_features
        self._name = name
        shape = [out_features, in1_features, in2_features]
        self.weight: Any = self.create_parameter(shape, weight_attr, self._dtype)
        self.bias = self.create_parameter([1, out_features], bias_attr, self._dtype, is_bias=True)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        sizes = (
            f"in1_features={self._in1_features}, in2_features={self._in2_features}, "
            f"out_features={self._out_features}"
        )
        return named(f"{sizes}, dtype={self._dtype}", self._name)


class CosineSimilarity(Layer):
    """The cosine of an angle between vectors; see `functional.cosine_similarity`."""

    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self._axis = axis
        self._eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self._axis, self._eps)

    def extra_repr(self) -> str:
        return f"axis={self._axis}, eps={self._eps}"
