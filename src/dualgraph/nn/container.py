"""Layers that hold layers or parameters: in a row, in a list, in a dict."""

from __future__ import annotations

import operator
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, TypeVar

from dualgraph.errors import describe, message
from dualgraph.nn.layer import Layer
from dualgraph.nn.parameter import Parameter

__all__ = ["LayerDict", "LayerList", "ParameterDict", "ParameterList", "Sequential"]

Self = TypeVar("Self", bound="Layer")


def _position(where: str, index: Any, length: int) -> int:
    """An index from 0 to length-1; IndexError out of range, TypeError for what is no integer."""
    try:
        number = operator.index(index)
    except TypeError:
        given = f"the index is {describe(index)}"
        raise TypeError(message(where, given, "expected an int or a slice")) from None
    if not -length <= number < length:
        given = f"the index is {number}, there are {length} items"
        raise IndexError(message(where, given, f"expected {-length} to {length - 1}"))
    return number % length


def _pairs(where: str, given: Any) -> Iterator[tuple[str, Any]]:
    """The (name, item) pairs of a mapping, of a container, or of an iterable of pairs."""
    if isinstance(given, Mapping) or hasattr(given, "items"):
        yield from given.items()
        return
    if not isinstance(given, Iterable):
        raise TypeError(message(where, f"{describe(given)} is given", "expected a dict or pairs"))
    for number, pair in enumerate(given):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            what = f"item {number} is {describe(pair)}"
            raise ValueError(message(where, what, "expected a pair of a name and a value"))
        yield pair[0], pair[1]


class Sequential(Layer):
    """Layers run one after the other, each on the output of the one before.

    Given as arguments, as (name, layer) pairs or as one dict; names are the positions unless given.
    IndexError for an index out of range, TypeError for what is no layer.

    >>> import dualgraph as dg
    >>> net = dg.nn.Sequential(dg.nn.Linear(4, 8), dg.nn.ReLU(), dg.nn.Linear(8, 1))
    >>> net(dg.zeros([2, 4])).shape
    [2, 1]
    """

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            named = _pairs("Sequential", layers[0])
        elif layers and all(isinstance(layer, (list, tuple)) for layer in layers):
            named = _pairs("Sequential", layers)
        else:
            named = ((str(i), layer) for i, layer in enumerate(layers))
        for name, layer in named:
            self.add_sublayer(name, layer)

    def forward(self, input: Any) -> Any:
        for layer in self._sub_layers.values():
            input = layer(input)
        return input

    def _name(self, key: str | int) -> str:
        if isinstance(key, str):
            return key
        return list(self._sub_layers)[_position("Sequential", key, len(self))]

    def __getitem__(self, name: str | int | slice) -> Any:
        if isinstance(name, slice):
            return type(self)(*list(self._sub_layers.values())[name])
        return self._sub_layers[self._name(name)]

    def __setitem__(self, name: str | int, layer: Layer) -> None:
        self.add_sublayer(self._name(name), layer)

    def __delitem__(self, name: str | int) -> None:
        del self._sub_layers[self._name(name)]

    def __len__(self) -> int:
        return len(self._sub_layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._sub_layers.values())

    def append(self: Self, module: Layer) -> Self:
        """Add a layer at the end."""
        number = len(self._sub_layers)
        while str(number) in self._sub_layers:  # others were deleted before it
            number += 1
        self.add_sublayer(str(number), module)
        return self

    def insert(self: Self, index: int, module: Layer) -> Self:
        """Add a layer before a position; all layers are then named by their positions."""
        layers = list(self._sub_layers.values())
        _insert("Sequential", layers, index, module)
        _renumber(self, layers)
        return self

    def extend(self: Self, sequential: Iterable[Layer]) -> Self:
        """Add layers at the end."""
        for layer in list(sequential):
            self.append(layer)
        return self


def _insert(where: str, layers: list[Any], index: int, layer: Any) -> None:
    if not -len(layers) <= index <= len(layers):
        given = f"the index is {index}, there are {len(layers)} layers"
        raise IndexError(message(where, given, f"expected {-len(layers)} to {len(layers)}"))
    layers.insert(index, layer)


def _renumber(holder: Layer, layers: list[Any]) -> None:
    """Let a container hold just these layers, named by position, if all of them are layers."""
    for layer in layers:
        if layer is not None and not isinstance(layer, Layer):
            where = type(holder).__name__
            raise TypeError(message(where, f"{describe(layer)} is given", "expected a Layer"))
    holder._sub_layers.clear()
    holder._sub_layers.update((str(i), layer) for i, layer in enumerate(layers))


class LayerList(Layer):
    """A list of layers that registers them, to be called by the forward of the layer that holds it.

    Layers are named by their positions. IndexError for an index out of range, TypeError for what is
    no layer.

    >>> import dualgraph as dg
    >>> layers = dg.nn.LayerList(dg.nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), len(layers.parameters())
    (3, 6)
    """

    def __init__(self, sublayers: Iterable[Layer] | None = None) -> None:
        super().__init__()
        _renumber(self, list(sublayers or ()))

    def __getitem__(self, idx: int | slice | str) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        if isinstance(idx, str):
            return self._sub_layers[idx]
        return self._sub_layers[str(_position("LayerList", idx, len(self)))]

    def __setitem__(self, idx: int | slice, sublayer: Any) -> None:
        layers = list(self)
        if isinstance(idx, slice):
            layers[idx] = sublayer
        else:
            layers[_position("LayerList", idx, len(self))] = sublayer
        _renumber(self, layers)

    def __delitem__(self, idx: int | slice) -> None:
        layers = list(self)
        if isinstance(idx, slice):
            del layers[idx]
        else:
            del layers[_position("LayerList", idx, len(self))]
        _renumber(self, layers)

    def __len__(self) -> int:
        return len(self._sub_layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._sub_layers.values())

    def __add__(self, other: Iterable[Layer]) -> LayerList:
        return LayerList([*self, *other])

    def __iadd__(self: Self, modules: Iterable[Layer]) -> Self:
        _renumber(self, [*self._sub_layers.values(), *modules])
        return self

    def append(self: Self, sublayer: Layer) -> Self:
        """Add a layer at the end."""
        self.add_sublayer(str(len(self._sub_layers)), sublayer)
        return self

    def extend(self: Self, sublayers: Iterable[Layer]) -> Self:
        """Add layers at the end."""
        _renumber(self, [*self._sub_layers.values(), *sublayers])
        return self

    def insert(self, index: int, sublayer: Layer) -> None:
        """Add a layer before a position."""
        layers = list(self)
        _insert("LayerList", layers, index, sublayer)
        _renumber(self, layers)

    def pop(self, key: int | slice = -1) -> Any:
        """Take out a layer, or a slice of them, and return it."""
        taken = self[key]
        del self[key]
        return taken


class LayerDict(Layer):
    """A dict of layers that registers them, in the order in which they came.

    KeyError for a key that is not there, TypeError for what is no layer.

    >>> import dualgraph as dg
    >>> heads = dg.nn.LayerDict({"cat": dg.nn.Linear(2, 1), "dog": dg.nn.Linear(2, 1)})
    >>> list(heads)
    ['cat', 'dog']
    """

    def __init__(self, sublayers: Any = None) -> None:
        super().__init__()
        if sublayers is not None:
            self.update(sublayers)

    def __getitem__(self, key: str) -> Any:
        return self._sub_layers[key]

    def __setitem__(self, key: str, sublayer: Layer) -> None:
        self.add_sublayer(key, sublayer)

    def __delitem__(self, key: str) -> None:
        del self._sub_layers[key]

    def __len__(self) -> int:
        return len(self._sub_layers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sub_layers)

    def __contains__(self, key: object) -> bool:
        return key in self._sub_layers

    def clear(self) -> None:
        """Take all layers out."""
        self._sub_layers.clear()

    def pop(self, key: str) -> Any:
        """Take out the layer under a key, and return it."""
        return self._sub_layers.pop(key)

    def keys(self) -> KeysView[str]:
        """The keys."""
        return self._sub_layers.keys()

    def items(self) -> ItemsView[str, Any]:
        """The (key, layer) pairs."""
        return self._sub_layers.items()

    def values(self) -> ValuesView[Any]:
        """The layers."""
        return self._sub_layers.values()

    def update(self, sublayers: Any) -> None:
        """Add or replace layers, given as a dict, a LayerDict or (key, layer) pairs."""
        for key, layer in list(_pairs("LayerDict", sublayers)):
            self.add_sublayer(key, layer)


class ParameterList(Layer):
    """A list of parameters that registers them, named by their positions.

    IndexError for an index out of range, TypeError for what is no Parameter.

    >>> import dualgraph as dg
    >>> scales = dg.nn.ParameterList(dg.create_parameter([2], "float32") for _ in range(3))
    >>> [name for name, _ in scales.named_parameters()]
    ['0', '1', '2']
    """

    def __init__(self, parameters: Iterable[Parameter] | None = None) -> None:
        super().__init__()
        self.extend(parameters or ())

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return ParameterList(list(self)[idx])
        return self._parameters[str(_position("ParameterList", idx, len(self)))]

    def __setitem__(self, idx: int, param: Parameter) -> None:
        name = str(_position("ParameterList", idx, len(self)))
        self.add_parameter(name, _parameter("ParameterList", param))

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parameters.values())

    def append(self: Self, parameter: Parameter) -> Self:
        """Add a parameter at the end."""
        name = str(len(self._parameters))
        self.add_parameter(name, _parameter("ParameterList", parameter))
        return self

    def extend(self: Self, parameters: Iterable[Parameter]) -> Self:
        """Add parameters at the end."""
        for parameter in list(parameters):
            self.add_parameter(str(len(self._parameters)), _parameter("ParameterList", parameter))
        return self


class ParameterDict(Layer):
    """A dict of parameters that registers them, in the order in which they came.

    KeyError for a key that is not there, TypeError for what is no Parameter.

    >>> import dualgraph as dg
    >>> gains = dg.nn.ParameterDict({"left": dg.create_parameter([2], "float32")})
    >>> list(gains), gains["left"].shape
    (['left'], [2])
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return self._parameters[key]

    def __setitem__(self, key: str, param: Parameter) -> None:
        self.add_parameter(key, _parameter("ParameterDict", param))

    def __delitem__(self, key: str) -> None:
        del self._parameters[key]

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def keys(self) -> KeysView[str]:
        """The keys."""
        return self._parameters.keys()

    def items(self) -> ItemsView[str, Any]:
        """The (key, parameter) pairs."""
        return self._parameters.items()

    def values(self) -> ValuesView[Any]:
        """The parameters."""
        return self._parameters.values()

    def update(self, parameters: Any) -> None:
        """Add or replace parameters, given as a dict, a ParameterDict or (key, parameter) pairs."""
        for key, parameter in list(_pairs("ParameterDict", parameters)):
            self.add_parameter(key, _parameter("ParameterDict", parameter))


def _parameter(where: str, value: Any) -> Parameter:
    if isinstance(value, Parameter):
        return value
    raise TypeError(message(where, f"{describe(value)} is given", "expected a Parameter"))
