"""The reverse pass: walk the tape in falling order, pull gradients from node to node to the leaves.

Nothing a user can see changes before the walk is over: gradients for leaves are collected and
stored at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from dualgraph.errors import GraphFreedError, message
from dualgraph.ops.apply import commit
from dualgraph.ops.define import to_dtype
from dualgraph.ops.elementwise import add
from dualgraph.ops.reduction import sum_to
from dualgraph.ops.registry import op
from dualgraph.tape import Node, Pick, thread
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["run_backward"]

_number = attrgetter("number")


def run_backward(
    roots: Sequence[tuple[Tensor, Tensor]],
    *,
    retain_graph: bool,
    create_graph: bool,
    targets: Collection[Node] | None = None,
    blocked: Collection[Node] = (),
) -> dict[Node, Tensor]:
    """Pull the given gradients of the roots back through the tape.

    Without targets, gradients are accumulated into `.grad` of the leaves and of tensors that
    retain theirs; with targets, the gradients of those nodes are returned and nothing else is
    touched. Gradients do not pass blocked nodes.
    """
    # Arrays that somebody else holds, too: a leaf must not take them for its own.
    visible = {id(seed._data) for _, seed in roots}
    grads = _seeded(roots)
    order = _falling_order(grads, targets, blocked)
    found: dict[Node, Tensor] = {}
    mode = thread.mode
    before, mode.grad = mode.grad, create_graph
    try:
        for node in order:
            g = grads.pop(node, None)
            if g is None:
                continue
            if node.hooks:
                g = _hooked(node, g, visible)
            if node.keeper is not None if targets is None else node in targets:
                found[node] = g
            edges = node.edges
            if not edges:
                continue
            if isinstance(node, Pick):
                # An output has one pick for each time its tensor was made.
                source: Any = edges[0]
                parts = grads.setdefault(source, {})
                parts[node.index] = add(parts[node.index], g) if node.index in parts else g
                continue
            for edge, pulled in zip(edges, node.pull(g, create_graph), strict=False):
                if edge is None or pulled is None or edge in blocked:
                    continue
                array = pulled._data
                if array.dtype is not edge.dtype or array.shape != edge.shape:
                    pulled = _fitted(pulled, edge)
                grads[edge] = add(grads[edge], pulled) if edge in grads else pulled
            if not retain_graph:
                node.free()
        if targets is None:
            _store(found, visible, create_graph)
    finally:
        mode.grad = before
    return found


def _seeded(roots: Sequence[tuple[Tensor, Tensor]]) -> dict[Node, Any]:
    """The gradients given for the roots, by node; those of a root that is given twice are added."""
    grads: dict[Node, Any] = {}
    for root, seed in roots:
        node = root._gradient_node()
        grads[node] = add(grads[node], seed) if node in grads else seed
    return grads


def _fitted(pulled: Tensor, edge: Node) -> Tensor:
    """A pulled gradient with broadcasting and promotion undone."""
    if pulled._data.shape != edge.shape:
        pulled = sum_to(pulled, edge.shape)
    return to_dtype(pulled, edge.dtype)


def _falling_order(
    roots: Iterable[Node], targets: Collection[Node] | None, blocked: Collection[Node]
) -> list[Node]:
    """All nodes that gradients will reach, youngest first; checked, so that nothing fails half-way.

    With targets, only nodes that lead to one. GraphFreedError, OverwrittenValueError.
    """
    oldest = min((t.number for t in targets), default=0) if targets is not None else -1
    seen = set(roots)
    stack = list(seen)
    while stack:
        node = stack.pop()
        if node.number <= oldest:
            continue  # only what is younger leads to a target; this may have been freed
        edges = node.edges
        if edges is None:
            given = "the graph was freed by an earlier backward pass"
            raise GraphFreedError(message("backward", given, "", "give that one retain_graph=True"))
        for edge in edges:
            if edge is not None and edge not in seen:
                if edge.number < oldest or edge in blocked:
                    continue
                seen.add(edge)
                if edge.edges != ():
                    stack.append(edge)
    order = sorted(seen, key=_number, reverse=True)
    if targets is not None:
        useful = set(targets)
        for node in reversed(order):
            if not useful.isdisjoint(node.edges or ()):
                useful.add(node)
        order = [node for node in order if node in useful]
    for node in order:
        node.check()
    return order


def _store(found: dict[Node, Tensor], visible: set[int], create_graph: bool) -> None:
    """Accumulate gradients into the tensors that keep them, each in memory of its own."""
    for node, g in found.items():
        tensor = node.keeper() if node.keeper is not None else None
        if tensor is None:
            continue
        if tensor._grad is not None:
            if create_graph:
                tensor._grad = add(tensor._grad, g)
            else:
                commit(_accumulate, (tensor._grad,), (g,))
            continue
        array = g._data
        if (array.base is not None or id(array) in visible) and not create_graph:
            g = wrap(array.copy())
        visible.add(id(array))
        tensor._grad = g
        tensor._grad_is_zero = False


@op(name="accumulate", expand=lambda x, g: (add(x, g),))
def _accumulate(x: Array, g: Array) -> None:
    """Add a gradient to what a leaf has collected, in place: who holds that sees it grow."""
    np.add(x, g, out=x)


def _hooked(node: Node, g: Tensor, visible: set[int]) -> Tensor:
    """The gradient of a node as its hooks leave it."""
    hooks: Any = node.hooks
    for hook in list(hooks.values()):
        visible.add(id(g._data))
        changed = hook(g)
        if changed is not None:
            _check_hook(node, changed)
            g = changed
            visible.add(id(g._data))
    return g


def _check_hook(node: Node, changed: Any) -> None:
    if not isinstance(changed, Tensor):
        given = f"a gradient hook returned a {type(changed).__name__}"
        raise TypeError(message("register_hook", given, "expected a Tensor or None"))
    if changed._data.shape != node.shape:
        given = f"a gradient hook returned shape {changed.shape}"
        raise ValueError(message("register_hook", given, f"expected {list(node.shape)}"))
