"""Tensor: storage, shape, dtype, gradient slot and version, and all doors to Python. No arithmetic.

Operators and methods that compute are given to the class by `methods`; what is here only holds
and hands out. Every door through which Python learns a value passes `concretize`.
"""

from __future__ import annotations

import copy
import itertools
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from dualgraph import dtypes, printing
from dualgraph.dtypes import DType, DTypeLike
from dualgraph.errors import describe, message
from dualgraph.place import CPU, Place
from dualgraph.tape import Leaf, Node, thread

if TYPE_CHECKING:
    from dualgraph._tensor_methods import TensorMethods
else:
    TensorMethods = object

__all__ = [
    "Array",
    "Storage",
    "Tensor",
    "View",
    "concretize",
    "from_data",
    "storage_of",
    "to_array",
    "wrap",
]

Array: TypeAlias = "np.ndarray[Any, Any]"

_name_numbers = itertools.count()
_hook_numbers = itertools.count()
_copy_numbers = itertools.count()


class Storage:
    """What tensors over one memory share: how often it was written, also under the tape."""

    version = 0
    history = 0


class View:
    """How a tensor views another one's memory: by which op, with which attributes.

    `renew` brings the tensor's node up to date after that memory was written under the tape.
    """

    __slots__ = ("attrs", "op", "parent", "renew")

    def __init__(
        self, parent: Tensor, op: Any, attrs: dict[str, Any], renew: Callable[[Tensor], None]
    ) -> None:
        self.parent = parent
        self.op = op
        self.attrs = attrs
        self.renew = renew


class Tensor(TensorMethods):
    """A multi-dimensional array that can record what was done to it.

    Made by `to_tensor` and the creation functions. `stop_gradient` is True unless it was asked
    otherwise.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([[1.0, 2.0], [3.0, 4.0]], stop_gradient=False)
    >>> (x * x).sum().backward()
    >>> x.grad.tolist()
    [[2.0, 4.0], [6.0, 8.0]]
    """

    # Class-level defaults keep the making of a tensor, which every op does, to one attribute.
    _data: Array
    _stop: bool = True
    _node: Node | None = None
    _grad: Tensor | None = None
    _grad_is_zero: bool = False  # with `_grad` None: zeros that nobody has looked at yet
    _storage: Storage | None = None
    _seen: int = 0  # the storage's history that `_node` speaks of
    _view: View | None = None
    _name: str | None = None
    _prefix: str = "eager_tmp"  # of the name that is made when somebody asks
    persistable: bool = False

    # numpy leaves `array + tensor` to the tensor, and refuses `np.sin(tensor)`.
    __array_ufunc__ = None

    def __init__(
        self,
        *data: Any,
        dtype: DTypeLike | None = None,
        place: Any = None,
        stop_gradient: bool = True,
    ) -> None:
        """Make a tensor from sizes, `Tensor(2, 3)`, or from data, both of the default dtype.

        An array or a tensor keeps its own. `to_tensor` is the usual way.
        """
        if len(data) == 1 and not isinstance(data[0], int):
            kept = dtype is not None or isinstance(data[0], (Tensor, np.ndarray))
            self._data = to_array(data[0], dtype if kept else dtypes.get_default_dtype())
        else:
            self._data = np.zeros(data or (0,), dtypes.as_numpy(dtype))
        self._stop = bool(stop_gradient)

    # -- what it is --------------------------------------------------------------------------------

    @property
    def shape(self) -> list[int]:
        """The sizes of all axes, as a list."""
        return list(self._data.shape)

    @property
    def dtype(self) -> DType:
        """The data type."""
        return dtypes.from_numpy(self._data.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    def dim(self) -> int:
        """The number of axes."""
        return self._data.ndim

    ndimension = dim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._data.size

    @property
    def place(self) -> Place:
        """Where the tensor lives: the CPU."""
        return CPU

    @property
    def name(self) -> str:
        """A name that is unique in the process unless it was set."""
        if self._name is None:
            self._name = f"{self._prefix}_{next(_name_numbers)}"
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = str(value)

    def element_size(self) -> int:
        """The bytes one element takes."""
        return self._data.itemsize

    @property
    def strides(self) -> list[int]:
        """Steps between neighbours along each axis, in elements."""
        return [step // self._data.itemsize for step in self._data.strides]

    def is_contiguous(self) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        return self._data.flags.c_contiguous

    @property
    def inplace_version(self) -> int:
        """How often the memory of this tensor was overwritten in place."""
        return 0 if self._storage is None else self._storage.version

    # -- gradient ----------------------------------------------------------------------------------

    @property
    def stop_gradient(self) -> bool:
        """Whether gradients stop here; True for data, False for what is to be learnt."""
        self._renew()
        return self._stop

    @stop_gradient.setter
    def stop_gradient(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(
                message("stop_gradient", f"{describe(value)} is given", "expected a bool")
            )
        self._stop = bool(value)

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change it; the opposite of `stop_gradient`."""
        return not self._stop

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(message("trainable", f"{describe(value)} is given", "expected a bool"))
        self.stop_gradient = not value

    @property
    def requires_grad(self) -> bool:
        """The opposite of `stop_gradient`."""
        return not self.stop_gradient

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.stop_gradient = not value

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was not computed from one that needs a gradient."""
        return self.stop_gradient or self._node is None or isinstance(self._node, Leaf)

    @property
    def grad_fn(self) -> Node | None:
        """The tape node that computed this tensor; None for a leaf."""
        return None if self.is_leaf else self._node

    @property
    def grad(self) -> Tensor | None:
        """The gradient so far, of the tensor's shape and dtype; None if there was none."""
        if self._grad is None and self._grad_is_zero:
            self._grad = wrap(np.zeros_like(self._data))
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                given = f"a {type(value).__name__} is given"
                raise TypeError(message("grad", given, "expected a Tensor or None"))
            if value._data.shape != self._data.shape or value._data.dtype != self._data.dtype:
                given = f"the gradient is {describe(value)}"
                raise ValueError(
                    message("grad", given, f"expected {describe(self)}, as the tensor")
                )
        self._grad = value
        self._grad_is_zero = False

    def gradient(self) -> Array | None:
        """The gradient as a numpy array, or None."""
        grad = self.grad
        return None if grad is None else grad.numpy()

    def clear_gradient(self, set_to_zero: bool = True) -> None:
        """Set the gradient to zeros, or to None with `set_to_zero=False`. None stays None."""
        self._grad_is_zero = set_to_zero and (self._grad is not None or self._grad_is_zero)
        self._grad = None

    clear_grad = clear_gradient

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> HookHandle:
        """Call `hook(gradient)` once this tensor's gradient is known; an answer replaces it.

        RuntimeError for a tensor with `stop_gradient`, which never has one.
        """
        if self.stop_gradient:
            remedy = "set stop_gradient = False first"
            raise RuntimeError(
                message("register_hook", "the tensor has stop_gradient=True", "", remedy)
            )
        node = self._gradient_node()
        hooks = node.hooks = {} if node.hooks is None else node.hooks
        number = next(_hook_numbers)
        hooks[number] = hook
        return HookHandle(hooks, number)

    def retain_grads(self) -> None:
        """Keep the gradient of this computed tensor in `.grad`, as leaves do."""
        if not self.stop_gradient:
            self._gradient_node().keeper = weakref.ref(self)

    def _renew(self) -> None:
        """Bring the node up to date, if this views memory that was written under the tape."""
        storage, view = self._storage, self._view
        if storage is not None and view is not None and self._seen != storage.history:
            view.renew(self)

    def _gradient_node(self) -> Node:
        """The node of a tensor that needs a gradient; leaves get theirs when first asked."""
        node = self._node
        if node is None:
            node = self._node = Leaf((), self._data)
            node.keeper = weakref.ref(self)
        return node

    # -- doors to Python ---------------------------------------------------------------------------

    def numpy(self) -> Array:
        """A copy of the values as a numpy array."""
        return concretize(self).copy()

    def tolist(self) -> Any:
        """The values as nested Python lists; a plain number for a 0-d tensor."""
        return concretize(self).tolist()

    def item(self, *args: int) -> bool | int | float:
        """The one element as a Python number, or the one at the given flat or per-axis index.

        ValueError without an index unless there is one element, or with an index for another
        number of axes; IndexError for an index out of range; TypeError for what is no index.
        """
        value: bool | int | float
        if not args:
            value = self._only("item", "give the index of one, or use tolist()")
            return value
        try:
            value = concretize(self).item(*args)
        except (IndexError, ValueError, TypeError) as failure:
            given = f"the index is {args}, the tensor is {describe(self)}"
            raise type(failure)(message("item", given, str(failure))) from failure
        return value

    def __bool__(self) -> bool:
        return bool(self._only("bool"))

    def __int__(self) -> int:
        return int(self._only("int"))

    def __float__(self) -> float:
        return float(self._only("float"))

    def __index__(self) -> int:
        if self._data.dtype.kind not in "bui":
            raise TypeError(
                message("index", f"the tensor is {describe(self)}", "expected an integer type")
            )
        return int(self._only("index"))

    def _only(
        self, door: str, remedy: str = "reduce it first, for example with any(), all() or sum()"
    ) -> Any:
        array = concretize(self)
        if array.size != 1:
            given = f"the tensor is {describe(self)}"
            raise ValueError(message(door, given, "expected one element", remedy))
        return array.item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        # Where numpy leaves the choice this is a copy, as in Paddle; copy=False shares the memory.
        array = concretize(self)
        return np.asarray(array, dtype, copy=False) if copy is False else np.array(array, dtype)

    def __dlpack__(self, **options: Any) -> Any:
        if not self._stop:
            given, expected = "the tensor needs a gradient", "writes from outside have none"
            raise BufferError(message("dlpack", given, expected, "share detach() instead"))
        return concretize(self).__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._data.__dlpack_device__()

    def __format__(self, spec: str) -> str:
        return super().__format__(spec) if self.ndim else format(self.item(), spec)

    def __repr__(self) -> str:
        return printing.tensor_text("Tensor", concretize(self), self._facts())

    def _facts(self) -> str:
        return f"place={self.place}, stop_gradient={self._stop}"

    # Identity, although `==` compares elements. Left to `object`, whose hash costs no Python call.
    __hash__ = object.__hash__

    # -- new values --------------------------------------------------------------------------------

    def set_value(self, value: Any) -> None:
        """Overwrite the values with those of a tensor or array of the same shape and dtype.

        Python numbers and nested lists of them take the tensor's dtype. Not recorded for gradients,
        but counted as a write. ValueError for another shape, TypeError for another dtype; nothing
        has changed then.
        """
        if isinstance(value, (Tensor, np.ndarray)):
            array = value._data if isinstance(value, Tensor) else value
        else:
            array = to_array(value, self.dtype)
        what = f"the tensor is {describe(self)}, the value is {describe(array)}"
        if array.shape != self._data.shape:
            raise ValueError(message("set_value", what, "expected equal shapes"))
        if array.dtype != self._data.dtype:
            raise TypeError(message("set_value", what, "expected equal dtypes", "cast the value"))
        if not self._data.flags.writeable:
            raise ValueError(message("set_value", "the memory of the tensor is read-only"))
        np.copyto(self._data, array)
        storage_of(self).version += 1
        recorder = thread.mode.recorder
        if recorder is not None:
            recorder.on_set_value(self, value)

    def _become(self, array: Array) -> None:
        """Take another array, of any dtype and shape, for the values; nothing shares it then."""
        version = self.inplace_version + 1
        self._data = array
        self._storage, self._seen, self._view = Storage(), 0, None
        self._storage.version = version
        self._node = None
        self._grad, self._grad_is_zero = None, False

    # -- copies of the object ----------------------------------------------------------------------

    def __copy__(self) -> Tensor:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        # The copy is a leaf without a gradient, and has a name of its own.
        twin: Tensor = type(self).__new__(type(self))
        memo[id(self)] = twin
        skipped = {"_data", "_node", "_storage", "_seen", "_view", "_grad", "_grad_is_zero"}
        kept = {k: v for k, v in self.__dict__.items() if k not in skipped}
        twin.__dict__.update(copy.deepcopy(kept, memo))
        twin._data = concretize(self).copy()
        if self._name is not None:
            twin._name = f"{self._name}_deepcopy_{next(_copy_numbers)}"
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), concretize(self), self._stop, self._name)


class HookHandle:
    """What `register_hook` returns: `remove()` takes the hook off again."""

    def __init__(self, hooks: dict[int, Any], number: int) -> None:
        self._hooks = hooks
        self._number = number

    def remove(self) -> bool:
        """Take the hook off; False if it was off already."""
        return self._hooks.pop(self._number, None) is not None


def _rebuild(kind: type[Tensor], array: Array, stop: bool, name: str | None) -> Tensor:
    tensor = kind.__new__(kind)
    tensor._data = array
    tensor._stop = stop
    tensor._name = name
    return tensor


def concretize(tensor: Tensor) -> Array:
    """The values of a tensor, for Python to see; the array is the tensor's own, so only read it."""
    recorder = thread.mode.recorder
    if recorder is not None:
        recorder.on_concretize(tensor)
    return tensor._data


def wrap(array: Array) -> Tensor:
    """A tensor over exactly this array."""
    tensor = Tensor.__new__(Tensor)
    tensor._data = array
    return tensor


def storage_of(tensor: Tensor) -> Storage:
    """The storage record of a tensor, made when first asked."""
    storage = tensor._storage
    if storage is None:
        storage = tensor._storage = Storage()
    return storage


def from_data(data: Any, dtype: DTypeLike | None = None, stop_gradient: bool = True) -> Tensor:
    """A tensor that holds a copy of data from outside, as `to_array` reads it."""
    tensor = wrap(to_array(data, dtype))
    tensor._stop = stop_gradient
    tensor._prefix = "generated_tensor"
    return tensor


def to_array(data: Any, dtype: DTypeLike | None = None) -> Array:
    """A fresh array of the data, in row-major order, with Paddle's choice of dtype.

    Python floats and all floats in lists get the default type, ints int64; arrays, tensors and
    lists of tensors keep theirs. TypeError for what no tensor can hold; ValueError for ragged lists
    and for ints beyond 64 bits.
    """
    python = isinstance(data, (list, tuple, int, float)) and not isinstance(data, np.generic)
    try:
        array = np.asarray(concretize(data) if isinstance(data, Tensor) else data)
    except ValueError as ragged:
        given = f"a nested {type(data).__name__} is given"
        raise ValueError(
            message("to_tensor", given, f"expected equal lengths: {ragged}")
        ) from ragged
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise _not_numbers(data, array)
    if dtype is not None:
        wanted = dtypes.as_numpy(dtype)
    else:
        wanted = _usual_dtype(data, array) if python else array.dtype
        dtypes.from_numpy(wanted)
    fresh: Array = thread.mode.quietly(np.array, array, wanted, copy=not python or None, order="C")
    return fresh


def _usual_dtype(data: Any, array: Array) -> np.dtype[Any]:
    """The dtype that Python numbers, or nested lists of them, become."""
    if array.dtype == np.uint64:
        raise _not_numbers(data, array)
    dtype: np.dtype[Any] = array.dtype
    if _only_tensors(data):
        return dtype
    if dtypes.is_floating(dtype):
        return dtypes.default_float()
    return dtypes.int64.numpy if dtype == np.int32 else dtype


def _only_tensors(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return bool(data) and all(map(_only_tensors, data))
    return isinstance(data, Tensor)


def _not_numbers(data: Any, array: Array) -> Exception:
    given = f"{describe(data)} is given"
    if array.size and all(isinstance(x, int) for x in array.ravel().tolist()):
        return ValueError(message("to_tensor", given, "expected ints that int64 can hold"))
    expected = "expected numbers, nested lists of them, or an array"
    return TypeError(message("to_tensor", given, expected))
