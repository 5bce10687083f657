"""How a tensor is printed, and the options that say how."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dualgraph import dtypes, flags
from dualgraph.errors import message

__all__ = ["set_printoptions", "tensor_text"]

Array = np.ndarray[Any, Any]


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    sci_mode: bool | None = None,
    linewidth: int | None = None,
) -> None:
    """Set how tensors are printed; what is None stays as it is.

    `precision` digits after the point, summarised beyond `threshold` elements to `edgeitems` at
    each end of an axis, in lines of `linewidth` columns; `sci_mode` prints floats in scientific
    notation. TypeError for another type, ValueError for a negative number or for no `edgeitems`;
    nothing has changed then.

    >>> import dualgraph as dg
    >>> dg.set_printoptions(precision=2)
    >>> print(dg.to_tensor([0.125, 3.0]))
    Tensor(shape=[2], dtype=float32, place=Place(cpu), stop_gradient=True,
           [0.12, 3.  ])
    >>> dg.set_printoptions(precision=8)
    """
    numbers = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    given: dict[str, Any] = {name: n for name, n in numbers.items() if n is not None}
    for name, number in given.items():
        _check(name, number, int)
        least = 1 if name == "edgeitems" else 0
        if number < least:
            what = f"{name} is {number}"
            raise ValueError(message("set_printoptions", what, f"expected {least} or more"))
    if sci_mode is not None:
        _check("sci_mode", sci_mode, bool)
        given["sci_mode"] = sci_mode
    for name, value in given.items():
        flags.set(f"print_{name}", value)


def _check(name: str, value: Any, kind: type) -> None:
    if type(value) is not kind:
        what = f"{name} is {value!r}"
        raise TypeError(message("set_printoptions", what, f"expected {kind.__name__}"))


def tensor_text(kind: str, array: Array, facts: str) -> str:
    """The text of a tensor: a header line with shape, dtype and further facts, then the values."""
    indent = len(kind) + 1
    dtype = dtypes.from_numpy(array.dtype)
    if dtype is dtypes.bfloat16:
        array = array.astype(np.float32)
    header = f"{kind}(shape={list(array.shape)}, dtype={dtype.name}, {facts},\n"
    return f"{header}{' ' * indent}{_Layout(array).text(indent)})"


class _Layout:
    """The values of one tensor as nested lines: what is left out, how wide columns are."""

    def __init__(self, array: Array) -> None:
        self.edge: int = flags.get("print_edgeitems")
        self.precision: int = flags.get("print_precision")
        self.linewidth: int = flags.get("print_linewidth")
        self.scientific: bool = flags.get("print_sci_mode")
        # Columns are as wide as the widest element at the edges, even if the middle is shown.
        edges = self.edges_of(array)
        self.signed = bool((edges < 0).any())
        self.width = max((len(self.bare(x)) for x in edges.flat), default=0)
        # An axis without elements still prints its brackets: they count as elements here.
        lines = math.prod(max(size, 1) for size in array.shape)
        self.summarised = lines > flags.get("print_threshold")
        self.shape = array.shape
        self.shown = edges if self.summarised else array

    def edges_of(self, array: Array) -> Array:
        """The elements within `edgeitems` of an end of every axis."""
        for axis, size in enumerate(array.shape):
            if size > 2 * self.edge:
                ends = (*range(self.edge), *range(size - self.edge, size))
                array = array.take(np.asarray(ends, np.intp), axis)
        return array

    def bare(self, x: Any) -> str:
        """One element without padding. Whole floats end with a point."""
        if x.dtype.kind != "f":
            return str(x.item())
        value = float(x)
        if self.scientific:
            return f"{value:.{self.precision}e}"
        if value.is_integer() or math.isinf(value):
            return f"{value:.0f}."
        return f"{value:.{self.precision}f}"

    def element(self, x: Any) -> str:
        """One element, padded to the column; beside negative ones, room is left for the sign."""
        text = self.bare(x)
        if len(text) < self.width and self.signed and not x < 0:
            text = f" {text}"
        return text.ljust(self.width)

    def text(self, indent: int) -> str:
        """All that is shown, each line below the first indented."""
        return self.block(self.shown, 0, indent) if self.shown.ndim else self.bare(self.shown[()])

    def block(self, part: Array, axis: int, indent: int) -> str:
        """The part of the values at one index of all axes before `axis`, in brackets."""
        if axis == len(self.shape) - 1:
            items = [self.element(x) for x in part]
            per_line = max(1, (self.linewidth - indent) // (self.width + 2))
        else:
            items = [self.block(inner, axis + 1, indent + 1) for inner in part]
            per_line = 1
        if self.summarised and self.shape[axis] > 2 * self.edge:
            items.insert(self.edge, "...")
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        # Rows stand one below the other, matrices with a blank line between them, and so on.
        breaks = "\n" * max(1, len(self.shape) - 1 - axis)
        return "[" + f",{breaks}{' ' * (indent + 1)}".join(lines) + "]"
