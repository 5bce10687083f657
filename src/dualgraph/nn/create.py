"""Parameters made outside of a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dualgraph import naming
from dualgraph.dtypes import DTypeLike
from dualgraph.errors import message
from dualgraph.nn import initializer
from dualgraph.nn.parameter import ParamAttr, Parameter, make_parameter
from dualgraph.tensor import Tensor

__all__ = ["create_parameter"]


def create_parameter(
    shape: Sequence[int],
    dtype: DTypeLike,
    name: str | None = None,
    attr: Any = None,
    is_bias: bool = False,
    default_initializer: Callable[[Tensor], Any] | None = None,
) -> Parameter:
    """A parameter of a shape and dtype, filled as `Layer.create_parameter` fills it.

    ValueError if `attr` is False, which asks for none, or for a name that was used before.

    >>> import dualgraph as dg
    >>> dg.create_parameter([2, 3], "float32", is_bias=True).shape
    [2, 3]
    """
    wanted = ParamAttr.of(attr)
    if wanted is None:
        given = "attr is False, which asks for no parameter"
        raise ValueError(message("create_parameter", given, "expected a ParamAttr or None"))
    fill = initializer.default(is_bias, default_initializer)
    if not name:
        name = f"{naming.unique('create_parameter')}.{'b' if is_bias else 'w'}_0"
    elif wanted.name is None:
        naming.claim(name)
    return make_parameter(shape, dtype, wanted, name, fill)
