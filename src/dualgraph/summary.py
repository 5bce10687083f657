"""`summary`: which layers a call of a network went through, with their shapes and parameters."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dualgraph.dtypes import DTypeLike
from dualgraph.errors import describe, message
from dualgraph.nn.container import LayerList, Sequential
from dualgraph.nn.layer import HookRemover, Layer
from dualgraph.ops.elementwise import cast
from dualgraph.ops.random import rand
from dualgraph.tensor import Tensor

__all__ = ["summary"]

_MEGABYTE = 1024.0**2
_FLOAT_BYTES = 4.0  # sizes are estimated for float32, as the tables that people compare with are


@dataclass
class _Row:
    """One layer of the table."""

    name: str
    input_shape: Any
    output_shape: Any
    parameters: int
    trainable: int


def summary(
    net: Layer,
    input_size: Any = None,
    dtypes: DTypeLike | list[DTypeLike] | tuple[DTypeLike, ...] | None = None,
    input: Any = None,
) -> dict[str, int]:
    """Run the network once, print a table of the layers it went through, and return the totals.

    `input_size` is a shape (an int for one axis), or a list of shapes for several inputs, with
    `dtypes` for each; or give the `input` itself: a tensor, or a list, tuple or dict of them. A
    network that decides its structure while it runs may show another table the next time.
    TypeError without a size and without an input.

    >>> import dualgraph as dg
    >>> dg.summary(dg.nn.Linear(2, 3), (1, 2))  # doctest: +ELLIPSIS
    -------...
    {'total_params': 9, 'trainable_params': 9}
    """
    if not isinstance(net, Layer):
        raise TypeError(message("summary", f"net is {describe(net)}", "expected a Layer"))
    if input is None and input_size is None:
        raise ValueError(
            message("summary", "neither input_size nor input is given", "expected one of them")
        )
    args: tuple[Any, ...]
    if input is None:
        sizes = _sizes(input_size)
        args = tuple(_inputs(sizes, dtypes))
    else:
        args = (input,)
        sizes = _shapes_of(input)
    was_training = [layer for layer in net.sublayers(include_self=True) if layer.training]
    net.eval()
    try:
        rows = _run(net, args)
    finally:
        for layer in was_training:
            layer.training = True
    total, trainable = sum(r.parameters for r in rows), sum(r.trainable for r in rows)
    print(_table(rows, sizes, total, trainable))
    return {"total_params": total, "trainable_params": trainable}


# -- inputs ----------------------------------------------------------------------------------------


def _is_shape(size: Any) -> bool:
    return isinstance(size, (list, tuple)) and all(
        isinstance(n, numbers.Number) or n is None for n in size
    )


def _sizes(input_size: Any) -> list[Any]:
    """Input sizes as a list of shapes, each checked."""
    if isinstance(input_size, numbers.Integral):
        return [_shape((input_size,))]
    if _is_shape(input_size):
        return [_shape(input_size)]
    if isinstance(input_size, (list, tuple)):
        return [_shape((n,) if isinstance(n, numbers.Integral) else n) for n in input_size]
    if isinstance(getattr(input_size, "shape", None), (list, tuple)):  # an InputSpec
        return [_shape(input_size.shape)]
    raise TypeError(
        message(
            "summary", f"input_size is {describe(input_size)}", "expected a shape or a list of them"
        )
    )


def _shape(size: Any) -> tuple[int, ...]:
    """One shape, with unknown sizes (None, -1) taken as 1."""
    size = getattr(size, "shape", size)
    if not _is_shape(size):
        raise TypeError(message("summary", f"a size is {describe(size)}", "expected a shape"))
    shape = tuple(1 if n is None or n == -1 else int(n) for n in size)
    if any(n <= 0 for n in shape):
        raise ValueError(
            message("summary", f"a size is {list(size)}", "expected positive numbers, None or -1")
        )
    return shape


def _inputs(sizes: list[tuple[int, ...]], dtypes: Any) -> list[Tensor]:
    kinds = (
        list(dtypes) if isinstance(dtypes, (list, tuple)) else [dtypes or "float32"] * len(sizes)
    )
    if len(kinds) < len(sizes):
        given = f"{len(sizes)} sizes and {len(kinds)} dtypes are given"
        raise ValueError(message("summary", given, "expected one dtype for each"))
    return [cast(rand(shape), kind) for shape, kind in zip(sizes, kinds, strict=False)]


def _shapes_of(value: Any) -> Any:
    """Shapes in the nesting of what a layer takes or gives."""
    if isinstance(value, Tensor):
        return value.shape
    if isinstance(value, dict):
        return [_shapes_of(item) for item in value.values()]
    if isinstance(value, (list, tuple)):
        return [_shapes_of(item) for item in value]
    return []


# -- the run ---------------------------------------------------------------------------------------


def _run(net: Layer, args: tuple[Any, ...]) -> list[_Row]:
    """A row for each layer that is called, in the order of their (last) end."""
    rows: dict[str, _Row] = {}
    layers = net.sublayers()
    watched = [layer for layer in layers if not isinstance(layer, (Sequential, LayerList))] or [net]
    hooks: list[HookRemover] = [
        layer.register_forward_post_hook(_row_into(rows)) for layer in dict.fromkeys(watched)
    ]
    try:
        net(*args)
    finally:
        for hook in hooks:
            hook.remove()
    return list(rows.values())


def _row_into(rows: dict[str, _Row]) -> Callable[[Layer, Any, Any], None]:
    def note(layer: Layer, inputs: Any, outputs: Any) -> None:
        number = layer.full_name().rpartition("_")[2]
        index = int(number) if number.isdigit() else len(rows)
        name = f"{type(layer).__name__}-{index + 1}"
        own = [p for p in layer._parameters.values() if p is not None]
        rows[name] = _Row(
            name,
            _shapes_of(inputs),
            _shapes_of(outputs),
            sum(p.size for p in own),
            sum(p.size for p in own if p.trainable),
        )

    return note


# -- the table -------------------------------------------------------------------------------------


def _elements(shape: Any) -> int:
    """How many elements the outputs of a layer have."""
    if _is_shape(shape):
        return math.prod(shape)
    return sum(_elements(inner) for inner in shape)


def _table(rows: list[_Row], sizes: Any, total: int, trainable: int) -> str:
    cells = [("Layer (type)", "Input Shape", "Output Shape", "Param #")]
    cells += [(r.name, str(r.input_shape), str(r.output_shape), f"{r.parameters:,}") for r in rows]
    widths = [15, 20, 20, 15]
    for row in cells[1:]:
        widths = [max(width, len(cell)) for width, cell in zip(widths, row, strict=True)]
    full = max(75, sum(widths) + 5)
    lines = [
        " ".join(f"{cell:^{width}}" for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    input_mb = _elements(sizes) * _FLOAT_BYTES / _MEGABYTE
    # Each output is counted twice: itself and its gradient.
    passes_mb = 2.0 * sum(_elements(r.output_shape) for r in rows) * _FLOAT_BYTES / _MEGABYTE
    params_mb = total * _FLOAT_BYTES / _MEGABYTE
    return (
        "\n".join(
            [
                "-" * full,
                lines[0],
                "=" * full,
                *lines[1:],
                "=" * full,
                f"Total params: {total:,}",
                f"Trainable params: {trainable:,}",
                f"Non-trainable params: {total - trainable:,}",
                "-" * full,
                f"Input size (MB): {input_mb:0.2f}",
                f"Forward/backward pass size (MB): {passes_mb:0.2f}",
                f"Params size (MB): {params_mb:0.2f}",
                f"Estimated Total Size (MB): {params_mb + passes_mb + input_mb:0.2f}",
                "-" * full,
            ]
        )
        + "\n"
    )
