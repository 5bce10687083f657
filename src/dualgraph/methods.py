"""The one table that gives Tensor its operators and methods.

Each is the public function of an op under another spelling. `tools/method_stubs.py` writes the same
table for type checkers, into `_tensor_methods.pyi`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from dualgraph.autograd.functional import tensor_backward
from dualgraph.ops import (
    activation,
    along_axis,
    bitwise,
    bounds,
    counting,
    creation,
    decomposition,
    einsum,
    elementwise,
    extreme,
    gathering,
    inplace,
    joining,
    linalg,
    logic,
    manipulation,
    masking,
    mixing,
    norms,
    power,
    products,
    reduction,
    sampling,
    scan,
    slicing,
    sorting,
    spectrum,
    splitting,
    statistic,
    subscript,
    transcendental,
    triangle,
    windows,
)
from dualgraph.ops.apply import overwrite
from dualgraph.ops.define import as_tensor, is_operand
from dualgraph.place import DEVICES, Place
from dualgraph.tensor import Tensor

__all__ = ["METHODS", "OPERATORS", "PROPERTIES"]

Function = Callable[..., Any]


def _operator(function: Function, reflected: bool = False) -> Function:
    """A binary operator: NotImplemented for what no tensor can be combined with, as Python asks."""

    def operator(x: Tensor, y: Any) -> Any:
        if not is_operand(y):
            return NotImplemented
        return function(y, x) if reflected else function(x, y)

    return operator


def _in_place(name: str, function: Function) -> Function:
    """The method that overwrites its tensor with what the function of it gives."""

    def method(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return overwrite(name, x, function, *args, **kwargs)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"Overwrite the tensor with `{name[:-1]}` of itself, and return it."
    method.__wrapped__ = function  # type: ignore[attr-defined]  # inspect reads the signature there
    return method


def _contains(x: Tensor, item: Any) -> bool:
    return bool(reduction.any(logic.equal(x, item)))


def _fill(x: Tensor, value: Any) -> Tensor:
    """What `fill_` writes: the value, everywhere."""
    return creation.full_like(x, value)


def _zero(x: Tensor) -> Tensor:
    """What `zero_` writes."""
    return creation.zeros_like(x)


def _copy(x: Tensor, other: Any, blocking: bool = True) -> Tensor:
    """What `copy_` writes: another tensor's values, broadcast to x's shape, in x's dtype."""
    values = elementwise.cast(as_tensor("copy_", other, "other"), x.dtype)
    return manipulation.broadcast_to(values, x.shape)


def _where_(condition: Tensor, x: Tensor, y: Any, name: str | None = None) -> Tensor:
    """Overwrite x with y where the condition is false, and return x."""
    return overwrite("where_", x, lambda old: masking.where(condition, old, y))


def _same(x: Tensor, *_: Any, **__: Any) -> Tensor:
    """The tensor itself: it lives on the CPU already."""
    return x


def _to(x: Tensor, *args: Any, dtype: Any = None, **_: Any) -> Tensor:
    """The tensor with a dtype, or with the dtype of another tensor; every device is the CPU.

    Takes `to(dtype)`, `to(device)`, `to(device, dtype)` and `to(other)`, as Paddle does.
    """
    for arg in args:
        if isinstance(arg, Tensor):
            dtype = arg.dtype
        elif isinstance(arg, Place) or (isinstance(arg, str) and arg.partition(":")[0] in DEVICES):
            continue
        elif arg is not None and not isinstance(arg, bool):
            dtype = arg
    return x if dtype is None else elementwise.cast(x, dtype)


_BINARY: dict[str, Function] = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.mod,
    "pow": power.pow,
    "matmul": linalg.matmul,
    "and": bitwise.bitwise_and,
    "or": bitwise.bitwise_or,
    "xor": bitwise.bitwise_xor,
    "lshift": bitwise.bitwise_left_shift,
    "rshift": bitwise.bitwise_right_shift,
}
_COMPARISONS: dict[str, Function] = {
    "eq": _operator(logic.equal),
    "ne": _operator(logic.not_equal),
    "lt": _operator(logic.less_than),
    "le": _operator(logic.less_equal),
    "gt": _operator(logic.greater_than),
    "ge": _operator(logic.greater_equal),
}

OPERATORS: dict[str, Function] = {
    **{f"__{name}__": _operator(function) for name, function in _BINARY.items()},
    **{f"__r{name}__": _operator(function, True) for name, function in _BINARY.items()},
    **{f"__{name}__": function for name, function in _COMPARISONS.items()},
    "__neg__": elementwise.neg,
    "__pos__": manipulation.clone,
    "__abs__": elementwise.abs,
    "__invert__": bitwise.bitwise_not,
    "__getitem__": subscript.getitem,
    "__setitem__": subscript.setitem,
    "__iter__": subscript.iterate,
    "__len__": subscript.length,
    "__contains__": _contains,
}

_NAMES: dict[ModuleType, str] = {
    elementwise: (
        "abs add astype cast div divide exp floor_divide floor_mod log mod mul multiply neg "
        "reciprocal remainder rsqrt sign sqrt square sub subtract tanh"
    ),
    power: "pow",
    bounds: "ceil clamp clip floor fmax fmin frac maximum minimum nan_to_num round trunc",
    bitwise: (
        "bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor"
    ),
    logic: (
        "allclose eq equal equal_all ge greater_equal greater_than gt isclose isfinite isinf "
        "isnan le less_equal less_than logical_and logical_not logical_or logical_xor lt ne "
        "not_equal"
    ),
    transcendental: (
        "acos acosh asin asinh atan atan2 atanh cos cosh erf erfinv expm1 hypot log1p log2 "
        "log10 logit sigmoid sin sinh stanh tan"
    ),
    activation: "relu softmax",
    mixing: "lerp scale",
    manipulation: (
        "broadcast_to clone contiguous detach expand expand_as flatten matrix_transpose "
        "moveaxis permute reshape squeeze swapaxes t transpose unflatten unsqueeze view view_as"
    ),
    inplace: "flatten_ reshape_ squeeze_ t_ transpose_ unsqueeze_",
    slicing: "crop diagonal flip is_empty numel rank rot90 slice strided_slice",
    splitting: "chunk repeat_interleave split tensor_split tile unbind unstack",
    joining: "concat roll",
    gathering: (
        "gather gather_nd index_add index_fill index_put index_sample index_select multiplex "
        "scatter scatter_nd_add take"
    ),
    along_axis: "put_along_axis take_along_axis",
    masking: "masked_fill masked_scatter masked_select nonzero where",
    reduction: "all any count_nonzero mean nanmean nansum prod std sum var",
    extreme: "amax amin argmax argmin logsumexp max min",
    scan: "cummax cummin cumprod cumsum diff logcumsumexp",
    statistic: "median nanmedian nanquantile quantile",
    sorting: "argsort bucketize kthvalue mode sort topk",
    counting: "bincount histogram unique unique_consecutive",
    triangle: "diag diag_embed diagflat tril triu",
    linalg: "addmm bmm dot matmul mm mv",
    einsum: "tensordot",
    products: "cross inner kron outer trace",
    norms: "cond dist norm",
    decomposition: "cholesky inverse matrix_power qr solve",
    spectrum: "eigvalsh pinv",
    sampling: "bernoulli_ exponential_ log_normal_ normal_ uniform_ multinomial",
}

_IN_PLACE: dict[ModuleType, str] = {
    elementwise: (
        "abs add cast divide exp floor_divide floor_mod log mod multiply neg reciprocal "
        "remainder rsqrt sqrt square subtract tanh"
    ),
    power: "pow",
    bounds: "ceil clip floor frac nan_to_num round trunc",
    bitwise: "bitwise_and bitwise_not bitwise_or bitwise_xor",
    logic: (
        "equal greater_equal greater_than less_equal less_than logical_and logical_not "
        "logical_or logical_xor not_equal"
    ),
    transcendental: (
        "acos acosh asin asinh atan atanh cos cosh erf erfinv expm1 log1p log2 log10 logit "
        "sigmoid sin sinh tan"
    ),
    mixing: "lerp scale",
    gathering: "index_add index_fill index_put scatter",
    along_axis: "put_along_axis",
    masking: "masked_fill masked_scatter",
    scan: "cumprod cumsum",
    triangle: "tril triu",
    linalg: "addmm",
}

METHODS: dict[str, Function] = {
    **{name: getattr(module, name) for module, names in _NAMES.items() for name in names.split()},
    **{
        f"{name}_": _in_place(f"{name}_", getattr(module, name))
        for module, names in _IN_PLACE.items()
        for name in names.split()
    },
    "as_strided": windows.as_strided,
    "unfold": windows.tensor_unfold,
    "fill_": _in_place("fill_", _fill),
    "zero_": _in_place("zero_", _zero),
    "copy_": _in_place("copy_", _copy),
    "where_": _where_,
    "backward": tensor_backward,
    "to": _to,
    "cpu": _same,
    "cuda": _same,
    "pin_memory": _same,
}

PROPERTIES: dict[str, Function] = {
    "T": manipulation.transpose_all,
    "mT": manipulation.matrix_transpose,
}

for _name, _function in (METHODS | OPERATORS).items():
    setattr(Tensor, _name, _function)
for _name, _function in PROPERTIES.items():
    setattr(Tensor, _name, property(_function))
