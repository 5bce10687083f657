"""Joining tensors along an axis they have or a new one; rolling, which joins what was cut."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.apply import apply
from dualgraph.ops.define import as_tensor, axis_of, check_tensor
from dualgraph.ops.manipulation import flatten, reshape, unsqueeze
from dualgraph.ops.registry import op
from dualgraph.ops.shapes import Axes, Shape, ShapeLike, sizes_of, strict_axis
from dualgraph.ops.slicing import pick, place
from dualgraph.tensor import Array, Tensor

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "column_stack",
    "concat",
    "dstack",
    "hstack",
    "part_of",
    "roll",
    "row_stack",
    "stack",
    "vstack",
]

Axis: TypeAlias = "int | Tensor"
Tensors: TypeAlias = Sequence[Tensor]


# -- joining --------------------------------------------------------------------------------------


def _tensors(op_name: str, x: Any) -> list[Tensor]:
    """The tensors of a list, which have to be of one dtype.

    ValueError without any, or for different dtypes; TypeError for what is no tensor.
    """
    if isinstance(x, Tensor) or not isinstance(x, (list, tuple)) or not x:
        raise ValueError(message(op_name, f"x is {describe(x)}", "expected a list of tensors"))
    xs = [check_tensor(op_name, item, f"x[{i}]") for i, item in enumerate(x)]
    first = xs[0]._data.dtype
    if any(item._data.dtype != first for item in xs):
        given = f"the dtypes are {', '.join(item.dtype.name for item in xs)}"
        raise ValueError(message(op_name, given, "expected one dtype", "cast the others to it"))
    return xs


def part_of(x: Any, axis: int, what: Any) -> tuple[Any, ...]:
    """The basic index of a position, or of a slice, along one axis."""
    return (*[(0, n, 1) for n in x.shape[:axis]], what)


def _concat_gradients(g: Tensor, _out: Any, *_xs: Any, axis: int) -> list[Tensor]:
    ends = itertools.accumulate((x.shape[axis] for x in _xs), initial=0)
    return [pick(g, part_of(g, axis, (a, b, 1))) for a, b in itertools.pairwise(ends)]


@op(_concat_gradients)
def _concat(*xs: Array, axis: int) -> Array:
    return np.concatenate(xs, axis)


def concat(x: Tensors, axis: Axis = 0, name: str | None = None) -> Tensor:
    """The tensors joined along an axis they have, of equal sizes in all others.

    ValueError for different dtypes, for shapes that do not fit, and for 0-d tensors, which `stack`
    joins; TypeError for what is no tensor.

    >>> import dualgraph as dg
    >>> dg.concat([dg.to_tensor([[1, 2]]), dg.to_tensor([[3, 4]])], axis=1).tolist()
    [[1, 2, 3, 4]]
    """
    xs = _tensors("concat", x)
    if not all(item._data.ndim for item in xs):
        raise ValueError(message("concat", "x has a 0-d tensor", "expected axes", "use stack()"))
    return apply(_concat, xs, {"axis": axis_of("concat", axis, xs[0]._data.ndim)})


def _stack_gradients(g: Tensor, _out: Any, *_xs: Any, axis: int) -> list[Tensor]:
    return [pick(g, part_of(g, axis, i)) for i in range(len(_xs))]


@op(
    _stack_gradients,
    expand=lambda *xs, axis: concat([unsqueeze(x, axis) for x in xs], axis),
)
def _stack(*xs: Array, axis: int) -> Array:
    return np.stack(xs, axis)


def stack(x: Tensors, axis: Axis = 0, name: str | None = None) -> Tensor:
    """Tensors of one shape, joined along a new axis.

    Floating dtypes are brought to the widest. ValueError for other dtypes, for shapes that differ,
    or for an axis outside -(n+1) to n for n axes; TypeError for what is no tensor.

    >>> import dualgraph as dg
    >>> dg.stack([dg.to_tensor([1, 2]), dg.to_tensor([3, 4])], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    xs = _tensors("stack", x)
    return apply(_stack, xs, {"axis": axis_of("stack", axis, xs[0]._data.ndim + 1)})


def atleast_1d(*inputs: Any, name: str | None = None) -> Any:
    """Each input with at least one axis; a list of them if there are several inputs."""
    return _each("atleast_1d", inputs, lambda x: x if x.ndim else reshape(x, (1,)))


def atleast_2d(*inputs: Any, name: str | None = None) -> Any:
    """Each input with at least two axes, new ones in front; a list of them if there are several.

    >>> import dualgraph as dg
    >>> dg.atleast_2d(dg.zeros([3])).shape
    [1, 3]
    """
    return _each("atleast_2d", inputs, lambda x: x if x.ndim > 1 else reshape(x, (1, x.size)))


def atleast_3d(*inputs: Any, name: str | None = None) -> Any:
    """Each input with at least three axes; a list of them if there are several inputs.

    >>> import dualgraph as dg
    >>> dg.atleast_3d(dg.zeros([3])).shape, dg.atleast_3d(dg.zeros([2, 3])).shape
    ([1, 3, 1], [2, 3, 1])
    """

    def deep(x: Tensor) -> Tensor:
        return x if x.ndim > 2 else reshape(x, (*_matrix_sizes(x), 1))

    return _each("atleast_3d", inputs, deep)


def _matrix_sizes(x: Tensor) -> Shape:
    return x._data.shape if x.ndim == 2 else (1, x.size)


def _each(op_name: str, inputs: tuple[Any, ...], function: Any) -> Any:
    outs = [function(as_tensor(op_name, x)) for x in inputs]
    return outs[0] if len(outs) == 1 else outs


def hstack(x: Tensors, name: str | None = None) -> Tensor:
    """The tensors joined side by side: vectors along their axis, others along the second."""
    xs = [atleast_1d(item) for item in _tensors("hstack", x)]
    return concat(xs, 0 if xs[0].ndim == 1 else 1)


def vstack(x: Tensors, name: str | None = None) -> Tensor:
    """The tensors joined below each other along the first axis, vectors as rows.

    >>> import dualgraph as dg
    >>> dg.vstack([dg.to_tensor([1, 2]), dg.to_tensor([3, 4])]).tolist()
    [[1, 2], [3, 4]]
    """
    return concat([atleast_2d(item) for item in _tensors("vstack", x)], 0)


row_stack = vstack


def dstack(x: Tensors, name: str | None = None) -> Tensor:
    """The tensors joined along the third axis, which they get if they have none."""
    return concat([atleast_3d(item) for item in _tensors("dstack", x)], 2)


def column_stack(x: Tensors, name: str | None = None) -> Tensor:
    """The tensors joined side by side along the second axis, vectors as columns."""
    xs = _tensors("column_stack", x)
    return concat([item if item.ndim > 1 else reshape(item, (item.size, 1)) for item in xs], 1)


def block_diag(inputs: Tensors, name: str | None = None) -> Tensor:
    """The matrix with the given ones along its diagonal and zeros elsewhere; vectors are rows.

    ValueError for more than two axes.

    >>> import dualgraph as dg
    >>> dg.block_diag([dg.to_tensor([[1, 2]]), dg.to_tensor(3)]).tolist()
    [[1, 2, 0], [0, 0, 3]]
    """
    blocks = [atleast_2d(item) for item in _tensors("block_diag", inputs)]
    if any(block.ndim > 2 for block in blocks):
        given = f"the shapes are {[block.shape for block in blocks]}"
        raise ValueError(message("block_diag", given, "expected at most two axes"))
    ends = [0, *itertools.accumulate(block._data.shape[1] for block in blocks)]
    rows = [
        place(block, (block._data.shape[0], ends[-1]), ((0, block._data.shape[0], 1), (a, b, 1)))
        for block, (a, b) in zip(blocks, itertools.pairwise(ends), strict=True)
    ]
    return concat(rows, 0)


# -- rolling --------------------------------------------------------------------------------------


def _expanded_roll(x: Tensor, *, shifts: Shape, axis: Shape) -> Tensor:
    for shift, along in zip(shifts, axis, strict=True):
        size = x._data.shape[along]
        cut = size - shift % size if size else 0
        x = concat([pick(x, part_of(x, along, s)) for s in ((cut, size, 1), (0, cut, 1))], along)
    return x


@op(
    (lambda g, _out, _x, shifts, axis: roll(g, [-shift for shift in shifts], list(axis)),),
    expand=_expanded_roll,
)
def _roll(x: Array, *, shifts: Shape, axis: Shape) -> Array:
    return np.roll(x, shifts, axis)


def roll(x: Tensor, shifts: ShapeLike, axis: Axes | None = None, name: str | None = None) -> Tensor:
    """`x` with its elements moved along axes, those beyond the end coming in at the front.

    Without axes x is rolled as if it were flat. ValueError if there are not as many shifts as axes.

    >>> import dualgraph as dg
    >>> dg.roll(dg.to_tensor([1, 2, 3]), 1).tolist()
    [3, 1, 2]
    """
    x = as_tensor("roll", x)
    steps = sizes_of("roll", shifts, (), "shifts")
    if axis is None:
        if len(steps) != 1:
            raise ValueError(message("roll", f"shifts is {list(steps)}", "expected one shift"))
        return reshape(apply(_roll, (flatten(x),), {"shifts": steps, "axis": (0,)}), x._data.shape)
    along = axis.tolist() if isinstance(axis, Tensor) else axis
    along = along if isinstance(along, (list, tuple)) else [along]
    axes = tuple(strict_axis("roll", a, x._data.ndim) for a in along)
    if len(axes) != len(steps):
        given = f"shifts is {list(steps)}, axis is {list(axes)}"
        raise ValueError(message("roll", given, "expected as many shifts as axes"))
    return apply(_roll, (x,), {"shifts": steps, "axis": axes})
