"""Gradients on request: `backward` accumulates into leaves, `grad` returns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph.autograd.engine import run_backward
from dualgraph.errors import describe, message
from dualgraph.tensor import Tensor, wrap

__all__ = ["backward", "grad", "tensor_backward"]

Tensors = Tensor | Sequence[Tensor]


def tensor_backward(
    tensor: Tensor, grad_tensor: Tensor | None = None, retain_graph: bool = False
) -> None:
    """Accumulate the gradient of this tensor into `.grad` of the leaves it was computed from.

    `grad_tensor` is the gradient of the tensor itself, of its shape; ones by default. The graph
    is freed unless `retain_graph`. Does nothing for a tensor with `stop_gradient`.
    GraphFreedError for a second pass over a freed graph, OverwrittenValueError if a needed value
    was overwritten; `.grad` is untouched by both.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor(3.0, stop_gradient=False)
    >>> (x * x).backward()
    >>> x.grad.item()
    6.0
    """
    seed = _seed("backward", tensor, grad_tensor)
    if not tensor.stop_gradient:
        run_backward([(tensor, seed)], retain_graph=retain_graph, create_graph=False)


def backward(
    tensors: Tensors,
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool = False,
) -> None:
    """Accumulate several tensors' gradients into the leaves, as `Tensor.backward` does for one."""
    outputs = _tensors("backward", "tensors", tensors)
    seeds = _seeds("backward", outputs, grad_tensors)
    roots = [(y, s) for y, s in zip(outputs, seeds, strict=True) if not y.stop_gradient]
    if roots:
        run_backward(roots, retain_graph=retain_graph, create_graph=False)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool = False,
    no_grad_vars: Tensors | None = None,
    name: str | None = None,
) -> list[Tensor | None]:
    """The gradients of the outputs' sum with respect to the inputs.

    Each output is weighted by its `grad_outputs` (ones if None). Returns a list with one tensor
    per input, of that input's shape and dtype. `create_graph` puts the gradients on the tape, so
    that they can be differentiated again; it also keeps the graph, as `retain_graph` does.
    ValueError for an input the outputs do not depend on, unless `allow_unused`, which gives None
    for it. Gradients do not pass `no_grad_vars`. `.grad` of no tensor changes.

    >>> import dualgraph as dg
    >>> x = dg.to_tensor(2.0, stop_gradient=False)
    >>> (dx,) = dg.grad(x**3, x, create_graph=True)
    >>> dx.item(), dg.grad(dx, x)[0].item()
    (12.0, 12.0)
    """
    if not only_inputs:
        given = "only_inputs=False is given"
        raise ValueError(message("grad", given, "only True is supported", "use backward()"))
    ys, xs = _tensors("grad", "outputs", outputs), _tensors("grad", "inputs", inputs)
    seeds = _seeds("grad", ys, grad_outputs)
    blocked = [] if no_grad_vars is None else _tensors("grad", "no_grad_vars", no_grad_vars)
    roots = [(y, s) for y, s in zip(ys, seeds, strict=True) if not y.stop_gradient]
    found = run_backward(
        roots,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        targets={x._gradient_node() for x in xs if not x.stop_gradient},
        blocked={x._gradient_node() for x in blocked if not x.stop_gradient},
    )
    grads = [None if x._stop else found.get(x._gradient_node()) for x in xs]
    for i, g in enumerate(grads):
        if g is None and not allow_unused:
            given = f"inputs[{i}], {describe(xs[i])}, does not reach the outputs"
            raise ValueError(
                message("grad", given, "", "give allow_unused=True to get None for it")
            )
    return grads


def _tensors(function: str, argument: str, value: Any) -> list[Tensor]:
    """A tensor or a sequence of them as a list; TypeError for anything else."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (list, tuple)) and all(isinstance(item, Tensor) for item in value):
        if value or argument == "no_grad_vars":
            return list(value)
        raise ValueError(message(function, f"{argument} is empty", "expected at least one Tensor"))
    given = f"{argument} is {describe(value)}"
    raise TypeError(message(function, given, "expected a Tensor or a list of them"))


def _seeds(function: str, outputs: list[Tensor], given: Any) -> list[Tensor]:
    """The gradients to start from: those given, ones where none is."""
    if given is None:
        seeds: list[Any] = [None] * len(outputs)
    else:
        seeds = [given] if isinstance(given, Tensor) else list(given)
    if len(seeds) != len(outputs):
        what = f"{len(seeds)} gradients are given for {len(outputs)} tensors"
        raise ValueError(message(function, what, "expected one for each"))
    return [_seed(function, y, s) for y, s in zip(outputs, seeds, strict=True)]


def _seed(function: str, output: Tensor, seed: Any) -> Tensor:
    if seed is None:
        ones = np.empty(output._data.shape, output._data.dtype)
        ones.fill(1)
        return wrap(ones)
    if not isinstance(seed, Tensor):
        what = f"the gradient given is a {type(seed).__name__}"
        raise TypeError(message(function, what, "expected a Tensor"))
    if seed._data.shape != output._data.shape or seed._data.dtype != output._data.dtype:
        what = f"the gradient given is {describe(seed)}"
        raise ValueError(message(function, what, f"expected {describe(output)}, as the tensor"))
    return seed
