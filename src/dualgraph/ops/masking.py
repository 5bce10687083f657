"""Choosing by conditions: masks, `where`, and the places where something holds."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from dualgraph import dtypes
from dualgraph.errors import describe, message
from dualgraph.ops.define import as_tensor, check_tensor, operands, to_dtype
from dualgraph.ops.indexing import filled, gather_at, in_dtype_of, nonzero_of, replace_at
from dualgraph.ops.joining import stack
from dualgraph.ops.logic import select
from dualgraph.ops.manipulation import broadcast_to, flatten, reshape
from dualgraph.ops.shapes import Shape
from dualgraph.ops.slicing import pick
from dualgraph.tensor import Tensor

__all__ = ["argwhere", "masked_fill", "masked_scatter", "masked_select", "nonzero", "where"]

Number: TypeAlias = bool | int | float


def _mask(op_name: str, mask: Any) -> Tensor:
    found = as_tensor(op_name, mask, "mask")
    if found._data.dtype.kind != "b":
        given = f"mask is {describe(found)}"
        raise TypeError(message(op_name, given, "expected a bool tensor", "cast it"))
    return found


def _common(op_name: str, x: Tensor, mask: Tensor) -> Shape:
    try:
        return np.broadcast_shapes(x._data.shape, mask._data.shape)
    except ValueError:
        given = f"x is {describe(x)}, mask is {describe(mask)}"
        raise ValueError(message(op_name, given, "expected shapes that broadcast")) from None


def _fits(small: Shape, large: Shape) -> bool:
    """Whether a shape broadcasts to another."""
    behind = large[len(large) - len(small) :]
    return len(small) <= len(large) and all(a in (1, b) for a, b in zip(small, behind, strict=True))


def _as_large(x: Tensor, shape: Shape) -> Tensor:
    return x if x._data.shape == shape else broadcast_to(x, shape)


def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
    """The elements of x where a bool mask is True, in row-major order [n]; both are broadcast.

    TypeError for a mask that is not bool, ValueError for shapes that do not broadcast.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([1, 2, 3])
    >>> dg.masked_select(x, x > 1).tolist()
    [2, 3]
    """
    x, mask = as_tensor("masked_select", x), _mask("masked_select", mask)
    shape = _common("masked_select", x, mask) or (1,)
    chosen = nonzero_of(_as_large(mask, shape))
    return gather_at(_as_large(x, shape), chosen, tuple(range(len(shape))))


def masked_fill(x: Tensor, mask: Tensor, value: Number | Tensor, name: str | None = None) -> Tensor:
    """x, broadcast against a bool mask, with a value where the mask is True; x's dtype.

    The mask may be integer, 0 for False; the value is a number or a tensor that broadcasts to the
    result. TypeError for another mask or a value of a dtype that does not go with x's, ValueError
    for shapes that do not broadcast.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([1, 2, 3])
    >>> dg.masked_fill(x, x > 1, 0).tolist()
    [1, 0, 0]
    """
    x, mask = as_tensor("masked_fill", x), as_tensor("masked_fill", mask, "mask")
    if mask._data.dtype.kind in "iu":
        mask = to_dtype(mask, dtypes.bool_.numpy)
    mask = _mask("masked_fill", mask)
    shape = _common("masked_fill", x, mask)
    if isinstance(value, Tensor):
        value = in_dtype_of("masked_fill", value, x)
        if not _fits(value._data.shape, shape):
            given = f"x and mask broadcast to {list(shape)}, value is {describe(value)}"
            raise ValueError(
                message("masked_fill", given, "expected a value that broadcasts to it")
            )
    return filled(x, mask, value)


def masked_scatter(x: Tensor, mask: Tensor, value: Tensor, name: str | None = None) -> Tensor:
    """`x` with the first elements of a value, in row-major order, where a bool mask is True.

    The mask is broadcast to x. ValueError if the value has too few elements or the mask does not
    broadcast, TypeError for a mask that is not bool or a value of another dtype.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([1, 2, 3])
    >>> dg.masked_scatter(x, x > 1, dg.to_tensor([8, 9, 10])).tolist()
    [1, 8, 9]
    """
    x, mask = as_tensor("masked_scatter", x), _mask("masked_scatter", mask)
    given = in_dtype_of("masked_scatter", check_tensor("masked_scatter", value, "value"), x)
    chosen = nonzero_of(broadcast_to(mask, x._data.shape or (1,)))
    count = chosen[0].size
    if given.size < count:
        text = f"value is {describe(given)}, the mask is True {count} times"
        raise ValueError(message("masked_scatter", text, "expected as many elements"))
    values = pick(flatten(given), ((0, count, 1),))
    deep = x if x.ndim else reshape(x, (1,))
    out = replace_at(deep, values, chosen, tuple(range(deep.ndim)), (), True)
    return out if x.ndim else reshape(out, ())


def nonzero(x: Tensor, as_tuple: bool = False) -> Any:
    """Where x is not zero (or not False): int64 indices [n, ndim], or a tuple of one [n] per axis.

    ValueError for a 0-d tensor.

    >>> import dualgraph as dg
    >>> dg.nonzero(dg.to_tensor([[0, 7], [8, 0]])).tolist()
    [[0, 1], [1, 0]]
    """
    x = as_tensor("nonzero", x)
    if not x.ndim:
        raise ValueError(message("nonzero", f"x is {describe(x)}", "expected at least one axis"))
    found = nonzero_of(x)
    return found if as_tuple else stack(found, 1)


def argwhere(input: Tensor) -> Any:
    """`nonzero` under its other name."""
    return nonzero(input)


def where(
    condition: Tensor,
    x: Tensor | Number | None = None,
    y: Tensor | Number | None = None,
    name: str | None = None,
) -> Any:
    """The elements of x where a bool condition is True, those of y elsewhere, all broadcast.

    x and y are tensors or numbers; a number takes the other's dtype, two floating dtypes the wider
    one. Without both, the places where the condition is not zero, as `nonzero(condition,
    as_tuple=True)` gives them. ValueError for one of the two alone, for a condition that is not
    bool or shapes that do not broadcast; TypeError for dtypes that do not go together.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor([1.0, -2.0])
    >>> dg.where(x > 0, x, 0.0).tolist(), [i.tolist() for i in dg.where(x > 0)]
    ([1.0, 0.0], [[0]])
    """
    condition = as_tensor("where", condition, "condition")
    if x is None and y is None:
        return nonzero(condition, as_tuple=True)
    if x is None or y is None:
        raise ValueError(message("where", "one of x and y is given", "expected both or neither"))
    if condition._data.dtype.kind != "b":
        given = f"condition is {describe(condition)}"
        raise ValueError(message("where", given, "expected a bool tensor", "cast it"))
    return select(condition, *operands("where", x, y, zero_d="tensor"))
