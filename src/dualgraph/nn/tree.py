"""The tree a network is: parameters, buffers, sublayers by attribute name, and ways to walk it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from dualgraph.errors import describe, message
from dualgraph.nn.parameter import Parameter
from dualgraph.tensor import Tensor

__all__ = ["LayerTree"]

Self = TypeVar("Self", bound="LayerTree")


class LayerTree:
    """What a Layer holds: a Parameter, Layer or Tensor set as an attribute is filed in its dict."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _sub_layers: dict[str, Any]
    _non_persistable_buffer_names_set: set[str]

    def __init__(self) -> None:
        for name in ("_parameters", "_buffers", "_sub_layers"):
            self.__dict__[name] = {}
        self.__dict__["_non_persistable_buffer_names_set"] = set()

    # -- attributes --------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        # Reached only for what is no ordinary attribute.
        attributes = self.__dict__
        if "_parameters" in attributes:
            # Written out, since every use of a parameter or sublayer comes here.
            held = attributes["_parameters"]
            if name in held:
                return held[name]
            held = attributes["_sub_layers"]
            if name in held:
                return held[name]
            held = attributes["_buffers"]
            if name in held:
                return held[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        kind = self._kind(value)
        if kind is not None and not isinstance(getattr(type(self), name, None), property):
            self._file(kind, name, value)
            return
        for held_kind in ("_parameters", "_sub_layers", "_buffers"):
            held = self.__dict__.get(held_kind, ())
            if name in held:
                if value is not None:
                    what = {"_parameters": "parameter", "_sub_layers": "sublayer"}.get(
                        held_kind, "buffer"
                    )
                    given = f"{what} {name!r} is set to {describe(value)}"
                    expected = f"expected a {what} or None"
                    raise TypeError(
                        message(type(self).__name__, given, expected, "delete it first")
                    )
                self.__dict__[held_kind][name] = None
                return
        object.__setattr__(self, name, value)

    @staticmethod
    def _kind(value: Any) -> str | None:
        if isinstance(value, Parameter):
            return "_parameters"
        if isinstance(value, LayerTree):
            return "_sub_layers"
        return "_buffers" if isinstance(value, Tensor) else None

    def _file(self, kind: str, name: str, value: Any) -> None:
        attributes = self.__dict__
        if kind not in attributes:
            given = f"{name!r} is set before Layer.__init__ has run"
            raise ValueError(
                message(type(self).__name__, given, "", "call super().__init__() first")
            )
        if kind == "_buffers" and attributes["_parameters"].get(name) is not None:
            given = f"parameter {name!r} is set to a plain Tensor"
            remedy = "use set_value() to change its values"
            raise TypeError(
                message(type(self).__name__, given, "expected a Parameter or None", remedy)
            )
        if kind == "_buffers" and name not in self._buffers:
            self._non_persistable_buffer_names_set.add(name)
        attributes.pop(name, None)
        for other in ("_parameters", "_sub_layers", "_buffers"):
            if other != kind:
                attributes[other].pop(name, None)
        attributes[kind][name] = value

    def __delattr__(self, name: str) -> None:
        for kind in ("_parameters", "_sub_layers", "_buffers"):
            if name in self.__dict__.get(kind, ()):
                del self.__dict__[kind][name]
                self._non_persistable_buffer_names_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._sub_layers, *self._buffers})

    # -- adding under a name -----------------------------------------------------------------------

    def add_parameter(self, name: str, parameter: Parameter | None) -> Parameter | None:
        """File a parameter under a name, and return it.

        KeyError for a name that is empty, dotted or taken.
        """
        self._check_name("add_parameter", name, self._parameters)
        if parameter is not None and not isinstance(parameter, Parameter):
            given = f"{name!r} is {describe(parameter)}"
            raise TypeError(message("add_parameter", given, "expected a Parameter or None"))
        self._parameters[name] = parameter
        return parameter

    register_parameter = add_parameter

    def register_buffer(self, name: str, tensor: Tensor | None, persistable: bool = True) -> None:
        """File a tensor that is held but not learnt; `state_dict` has it if persistable."""
        self._check_name("register_buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            given = f"{name!r} is {describe(tensor)}"
            raise TypeError(message("register_buffer", given, "expected a Tensor or None"))
        self._buffers[name] = tensor
        if persistable:
            self._non_persistable_buffer_names_set.discard(name)
        else:
            self._non_persistable_buffer_names_set.add(name)

    def add_sublayer(self, name: str, sublayer: Any) -> Any:
        """File a layer under a name, and return it."""
        if sublayer is not None and not isinstance(sublayer, LayerTree):
            given = f"{name!r} is {describe(sublayer)}"
            raise TypeError(message("add_sublayer", given, "expected a Layer or None"))
        self._sub_layers[str(name)] = sublayer
        return sublayer

    add_module = add_sublayer

    def _check_name(self, function: str, name: Any, held: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(message(function, f"name is {describe(name)}", "expected a string"))
        if "." in name or not name:
            raise KeyError(
                message(function, f"name is {name!r}", "expected no dot, and not the empty name")
            )
        if name not in held and hasattr(self, name):
            raise KeyError(
                message(function, f"the layer has an attribute {name!r}", "expected a new name")
            )

    # -- walking -----------------------------------------------------------------------------------

    def named_children(self: Self) -> Iterator[tuple[str, Any]]:
        """(name, layer) of the direct sublayers, each layer once."""
        seen: set[int] = set()
        for name, layer in self._sub_layers.items():
            if layer is not None and id(layer) not in seen:
                seen.add(id(layer))
                yield name, layer

    def children(self) -> Iterator[Any]:
        """The direct sublayers."""
        for _, layer in self.named_children():
            yield layer

    def named_sublayers(
        self,
        prefix: str = "",
        include_self: bool = False,
        layers_set: set[int] | None = None,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        """(dotted name, layer) of all layers below, parents first.

        Each layer comes once, under its first name, unless `remove_duplicate` is off.
        """
        seen = set() if layers_set is None else layers_set
        if remove_duplicate and id(self) in seen:
            return
        seen.add(id(self))
        if include_self:
            yield prefix, self
        for name, layer in self._sub_layers.items():
            if layer is not None:
                below = f"{prefix}.{name}" if prefix else name
                yield from layer.named_sublayers(below, True, seen, remove_duplicate)

    def sublayers(self, include_self: bool = False) -> list[Any]:
        """All layers below, parents first."""
        return [layer for _, layer in self.named_sublayers(include_self=include_self)]

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """(dotted name, layer) of this layer and all below."""
        return self.named_sublayers(prefix, True, memo, remove_duplicate)

    def modules(self) -> Iterator[Any]:
        """This layer and all below."""
        return (layer for _, layer in self.named_modules())

    def named_parameters(
        self, prefix: str = "", include_sublayers: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter), each parameter once under its first name."""
        return self._named("_parameters", prefix, include_sublayers, remove_duplicate)

    def parameters(self, include_sublayers: bool = True) -> list[Parameter]:
        """All parameters of this layer and of those below."""
        return [p for _, p in self.named_parameters(include_sublayers=include_sublayers)]

    def named_buffers(
        self, prefix: str = "", include_sublayers: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer), each buffer once under its first name."""
        return self._named("_buffers", prefix, include_sublayers, remove_duplicate)

    def buffers(self, include_sublayers: bool = True) -> list[Tensor]:
        """All buffers of this layer and of those below."""
        return [b for _, b in self.named_buffers(include_sublayers=include_sublayers)]

    def _named(self, kind: str, prefix: str, below: bool, once: bool) -> Iterator[tuple[str, Any]]:
        layers = self.named_sublayers(prefix, True, None, once) if below else iter([(prefix, self)])
        seen: set[int] = set()
        for path, layer in layers:
            for name, held in layer.__dict__[kind].items():
                if held is None or (once and id(held) in seen):
                    continue
                seen.add(id(held))
                yield (f"{path}.{name}" if path else name), held

    def get_sublayer(self, target: str) -> Any:
        """The layer under a dotted name; AttributeError if there is none."""
        layer: Any = self
        for name in target.split(".") if target else []:
            held = layer._sub_layers.get(name) if isinstance(layer, LayerTree) else None
            # A LayerDict may hold a layer under the name of a method.
            layer = getattr(layer, name) if held is None else held
        if not isinstance(layer, LayerTree):
            raise AttributeError(
                message("get_sublayer", f"{target!r} is {describe(layer)}", "expected a layer")
            )
        return layer

    get_submodule = get_sublayer

    def get_parameter(self, target: str) -> Parameter:
        """The parameter under a dotted name; AttributeError if there is none."""
        found: Parameter = self._get(target, "_parameters")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer under a dotted name; AttributeError if there is none."""
        found: Tensor = self._get(target, "_buffers")
        return found

    def _get(self, target: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        found = self.get_sublayer(path).__dict__[kind].get(name)
        if found is None:
            raise AttributeError(
                message(type(self).__name__, f"there is no {target!r} among its {kind[1:]}")
            )
        return found
