"""Layer: the base of every network. Calling it runs `forward` between its hooks."""

from __future__ import annotations

import copy
import itertools
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from dualgraph import dtypes, naming
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.nn import initializer
from dualgraph.nn.parameter import ParamAttr, Parameter, make_parameter
from dualgraph.nn.tree import LayerTree
from dualgraph.tensor import Tensor, wrap

__all__ = ["HookRemover", "Layer"]

Self = TypeVar("Self", bound="Layer")

_hook_numbers = itertools.count()


class HookRemover:
    """What registering a hook returns: `remove()` takes it off again."""

    def __init__(self, hooks: dict[int, Any], number: int) -> None:
        self._hooks = hooks
        self._number = number

    def remove(self) -> None:
        """Take the hook off; nothing happens if it is off already."""
        self._hooks.pop(self._number, None)


class Layer(LayerTree):
    """The base of layers and networks.

    A subclass makes its parts in `__init__` and computes in `forward`.

    >>> import dualgraph as dg
    >>> class Twice(dg.nn.Layer):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = dg.nn.Linear(3, 3)
    ...     def forward(self, x):
    ...         return self.fc(self.fc(x))
    >>> [name for name, _ in Twice().named_parameters()]
    ['fc.weight', 'fc.bias']
    """

    training: bool

    def __init__(self, name_scope: str | None = None, dtype: DTypeLike = "float32") -> None:
        super().__init__()
        self.training = True
        scope = name_scope or naming.snake_case(type(self).__name__)
        self._full_name = naming.unique(scope)
        self._dtype = dtype
        self._forward_pre_hooks: dict[int, tuple[Callable[..., Any], bool]] = {}
        self._forward_post_hooks: dict[int, tuple[Callable[..., Any], bool]] = {}
        self._state_dict_hooks: dict[int, Callable[..., Any]] = {}

    def full_name(self) -> str:
        """The name of this layer that is unique in the process, as `linear_0`."""
        return self._full_name

    # -- calling -----------------------------------------------------------------------------------

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Compute the outputs; to be overridden."""
        given = f"{type(self).__name__} defines no forward"
        raise NotImplementedError(message("Layer", given, "", "define forward(self, ...)"))

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        if not self._forward_pre_hooks and not self._forward_post_hooks:
            return self.forward(*inputs, **kwargs)
        for hook, with_kwargs in list(self._forward_pre_hooks.values()):
            inputs, kwargs = _after_pre_hook(self, hook, with_kwargs, inputs, kwargs)
        outputs = self.forward(*inputs, **kwargs)
        for hook, with_kwargs in list(self._forward_post_hooks.values()):
            args = (self, inputs, kwargs, outputs) if with_kwargs else (self, inputs, outputs)
            changed = hook(*args)
            if changed is not None:
                outputs = changed
        return outputs

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookRemover:
        """Call `hook(layer, inputs)` before forward; inputs that it returns replace those given."""
        return _register(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_post_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookRemover:
        """Call `hook(layer, inputs, outputs)` after forward; what it returns replaces the outputs.

        Outputs stay as they are where it returns None.
        """
        return _register(self._forward_post_hooks, (hook, with_kwargs), prepend)

    register_forward_hook = register_forward_post_hook

    # -- making parts ------------------------------------------------------------------------------

    def create_parameter(
        self,
        shape: list[int] | tuple[int, ...],
        attr: Any = None,
        dtype: DTypeLike | None = None,
        is_bias: bool = False,
        default_initializer: Callable[[Tensor], Any] | None = None,
        device: Any = None,
    ) -> Parameter | None:
        """A parameter for this layer, for an attribute to hold; None if `attr` is False.

        Filled by the initializer of `attr`, else by the global one, else by
        `default_initializer`, else by zeros for a bias and Xavier-uniform for a weight. The dtype
        is the default one unless it is given here or the layer was made or cast with another.
        """
        wanted = ParamAttr.of(attr)
        if wanted is None:
            return None
        fill = initializer.default(is_bias, default_initializer)
        name = "" if wanted.name else naming.unique(f"{self._full_name}.{'b' if is_bias else 'w'}")
        return make_parameter(shape, dtype or self._own_dtype(), wanted, name, fill)

    def _own_dtype(self) -> DTypeLike | None:
        """The layer's dtype; None, for the default, unless it was made or cast with another."""
        return None if self._dtype == "float32" else self._dtype

    def create_tensor(
        self,
        name: str | None = None,
        persistable: bool | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """An empty tensor that the caller may register as a buffer."""
        tensor = wrap(np.zeros((0,), dtypes.as_numpy(dtype or self._dtype)))
        tensor._name = name or naming.unique(f"{self._full_name}._generated_var")
        tensor.persistable = bool(persistable)
        return tensor

    create_variable = create_tensor

    def set_sublayer(self, target: str, layer: Layer) -> None:
        """Replace the layer under a dotted name."""
        path, _, name = target.rpartition(".")
        self.get_sublayer(path).add_sublayer(name, layer)

    set_submodule = set_sublayer

    # -- modes -------------------------------------------------------------------------------------

    def train(self: Self, mode: bool = True) -> Self:
        """Let this layer and all below behave as in training: Dropout drops, and so on."""
        for layer in self.sublayers(include_self=True):
            layer.training = bool(mode)
        return self

    def eval(self: Self) -> Self:
        """Let this layer and all below behave as when the network is used."""
        return self.train(False)

    def apply(self: Self, fn: Callable[[Any], Any]) -> Self:
        """Call `fn` on every layer below, children first, then on this one."""
        for layer in self.children():
            layer.apply(fn)
        fn(self)
        return self

    def clear_gradients(self, set_to_zero: bool = True) -> None:
        """Set the gradients of all trainable parameters to zeros, or to None."""
        for parameter in self.parameters():
            if parameter.trainable:
                parameter.clear_gradient(set_to_zero)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all trainable parameters to None, or to zeros."""
        self.clear_gradients(not set_to_none)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Make all parameters trainable, or none."""
        for parameter in self.parameters():
            parameter.stop_gradient = not requires_grad
        return self

    # -- state -------------------------------------------------------------------------------------

    def state_dict(
        self,
        destination: dict[str, Any] | None = None,
        include_sublayers: bool = True,
        structured_name_prefix: str = "",
        use_hook: bool = True,
        keep_vars: bool = True,
    ) -> dict[str, Tensor]:
        """All parameters and persistable buffers under their dotted names.

        They are the tensors themselves; with `keep_vars=False`, detached ones over the same memory.
        """
        state: dict[str, Any] = {} if destination is None else destination
        for kind in (self._parameters, self._buffers):
            for name, held in kind.items():
                if held is not None and (
                    kind is self._parameters or name not in self._non_persistable_buffer_names_set
                ):
                    state[structured_name_prefix + name] = held if keep_vars else held.detach()
        if include_sublayers:
            for name, layer in self._sub_layers.items():
                if layer is not None:
                    layer.state_dict(
                        state, True, f"{structured_name_prefix}{name}.", use_hook, keep_vars
                    )
        if use_hook:
            for hook in list(self._state_dict_hooks.values()):
                state = hook(state) or state
        return state

    def register_state_dict_hook(self, hook: Callable[[dict[str, Any]], Any]) -> HookRemover:
        """Call `hook(state_dict)` whenever a state dict of this layer is made."""
        return _register(self._state_dict_hooks, hook, prepend=False)

    def set_state_dict(
        self, state_dict: Mapping[str, Any], use_structured_name: bool = True
    ) -> tuple[list[str], list[str]]:
        """Overwrite parameters and persistable buffers with the values of a state dict.

        Returns the keys that were missing (or had another shape; a warning names each) and those
        nobody wanted. With `use_structured_name=False` keys are tensor names (`linear_0.w_0`)
        instead of dotted names. TypeError, before anything has changed, for another dtype.
        """
        missing: list[str] = []
        found: list[tuple[Tensor, Any]] = []
        used: set[str] = set()
        for key, held in self.state_dict(use_hook=False).items():
            name = key if use_structured_name else held.name
            problem = _mismatch(name, held, state_dict)
            if problem:
                missing.append(name)
                warnings.warn(f"Skip loading for {key}. {problem}", stacklevel=2)
            else:
                used.add(name)
                found.append((held, _loadable(key, held, state_dict[name])))
        for held, value in found:
            held.set_value(value)
        return missing, [key for key in state_dict if key not in used]

    set_dict = set_state_dict
    load_dict = set_state_dict

    # -- conversion --------------------------------------------------------------------------------

    def to(
        self: Self,
        device: Any = None,
        dtype: DTypeLike | None = None,
        blocking: bool | None = None,
        non_blocking: bool | None = None,
    ) -> Self:
        """Cast floating parameters and buffers to a dtype; every device is the CPU."""
        return self if dtype is None else self.astype(dtype)

    def astype(self: Self, dtype: DTypeLike | None = None) -> Self:
        """Cast floating parameters and buffers of this layer and all below, in place."""
        wanted = dtypes.as_numpy(dtype)
        for layer in self.sublayers(include_self=True):
            layer._dtype = dtypes.from_numpy(wanted).name
        for held in (*self.parameters(), *self.buffers()):
            if dtypes.is_floating(held._data.dtype) and held._data.dtype != wanted:
                held._become(held._data.astype(wanted))
        return self

    def float(self: Self) -> Self:
        """Cast to float32."""
        return self.astype("float32")

    def double(self: Self) -> Self:
        """Cast to float64."""
        return self.astype("float64")

    def half(self: Self) -> Self:
        """Cast to float16."""
        return self.astype("float16")

    float16 = half

    def bfloat16(self: Self) -> Self:
        """Cast to bfloat16."""
        return self.astype("bfloat16")

    def cpu(self: Self) -> Self:
        """The layer itself: it lives on the CPU."""
        return self

    def __deepcopy__(self: Self, memo: dict[int, Any]) -> Self:
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        for name, value in self.__dict__.items():
            twin.__dict__[name] = copy.deepcopy(value, memo)
        return twin

    # -- text --------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the parentheses when the layer is printed; to be overridden."""
        return ""

    def __repr__(self) -> str:
        name, extra = type(self).__name__, self.extra_repr()
        lines = [
            f"({key}): " + repr(layer).replace("\n", "\n  ")
            for key, layer in self._sub_layers.items()
        ]
        if not lines:
            return f"{name}({extra})"
        return "\n  ".join([f"{name}({extra}", *lines]) + "\n)"


def _register(hooks: dict[int, Any], hook: Any, prepend: bool) -> HookRemover:
    number = next(_hook_numbers)
    later = dict(hooks) if prepend else {}
    if prepend:
        hooks.clear()
    hooks[number] = hook
    hooks.update(later)
    return HookRemover(hooks, number)


def _after_pre_hook(
    layer: Layer,
    hook: Callable[..., Any],
    with_kwargs: bool,
    inputs: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The inputs as a pre-hook leaves them."""
    if not with_kwargs:
        changed = hook(layer, inputs)
        if changed is None:
            return inputs, kwargs
        return (changed if isinstance(changed, tuple) else (changed,)), kwargs
    changed = hook(layer, inputs, kwargs)
    if changed is None:
        return inputs, kwargs
    if not isinstance(changed, tuple) or len(changed) != 2:
        given = f"a pre-hook returned {describe(changed)}"
        raise RuntimeError(
            message(type(layer).__name__, given, "expected None or (inputs, kwargs)")
        )
    return changed[0], changed[1]


def _loadable(key: str, held: Tensor, value: Any) -> Any:
    """A state dict's value; TypeError if it has another dtype than the tensor it is for."""
    array = value._data if isinstance(value, Tensor) else value
    if isinstance(array, np.ndarray) and array.dtype != held._data.dtype:
        given = f"{key} is {describe(held)}, the value is {describe(value)}"
        raise TypeError(message("set_state_dict", given, "expected equal dtypes", "cast the value"))
    return value


def _mismatch(name: str, held: Tensor, state_dict: Mapping[str, Any]) -> str:
    """Why a state dict's entry cannot be loaded; empty if it can."""
    value = state_dict.get(name)
    if value is None:
        return f"{name} is not found in the provided dict."
    shape = list(np.shape(value)) if not hasattr(value, "shape") else list(value.shape)
    if shape != held.shape:
        return f"{name} receives a shape {shape}, but the expected shape is {held.shape}."
    return ""
