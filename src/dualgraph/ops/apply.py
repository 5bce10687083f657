"""The one door all arithmetic passes: evaluate with numpy, write to the tape, tell the recorder.

`apply` makes new tensors, `overwrite` and `write` let a tensor become an op of itself, `commit`
updates state that no gradient flows through (parameters by an optimizer, running statistics).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dualgraph.errors import describe, message
from dualgraph.ops.record import (
    ALONE,
    Reshaped,
    attach,
    attach_many,
    keep_copies,
    needed_gradients,
    record,
    refresh,
    viewed,
)
from dualgraph.ops.registry import Op, op
from dualgraph.tape import Leaf, Node, next_number, thread
from dualgraph.tensor import Array, Tensor, View, storage_of, wrap

__all__ = ["apply", "apply_many", "become", "commit", "commit_each", "overwrite", "share", "write"]

_new = Tensor.__new__
_NO_ATTRS: dict[str, Any] = {}
_FAILURES = (
    ValueError,
    TypeError,
    IndexError,
    ZeroDivisionError,
    OverflowError,
    np.linalg.LinAlgError,
)


def apply(op: Op, inputs: Sequence[Any], attrs: dict[str, Any] = _NO_ATTRS) -> Tensor:
    """Run an op of one output.

    Inputs are tensors, or Python numbers and None where the op takes them.
    """
    mode = thread.mode
    arrays = []
    needed = 0
    bit = 1
    taped = mode.grad and op.vjp is not None
    for x in inputs:
        if isinstance(x, Tensor):
            arrays.append(x._data)
            if taped:
                storage = x._storage
                if storage is not None and x._seen != storage.history:
                    refresh(x)
                if not x._stop:
                    needed |= bit
        else:
            arrays.append(x)
        bit += bit
    try:
        result = mode.quietly(op.forward, *arrays, **attrs)
    except _FAILURES as failure:
        raise _explained(op, inputs, failure) from failure
    out = _new(Tensor)
    out._data = result = result if type(result) is np.ndarray else np.asarray(result)
    if op.view:
        share(op, inputs[0], attrs, out)
    if needed and result.dtype.kind not in "biu":
        attach(op, record(op, inputs, attrs, needed, result), out)
    if mode.recorder is not None:
        mode.recorder.on_apply(op, inputs, attrs, (out,))
    return out


def apply_many(
    op: Op, inputs: Sequence[Any], attrs: dict[str, Any] = _NO_ATTRS
) -> tuple[Tensor, ...]:
    """Run an op of several outputs."""
    mode = thread.mode
    needed = needed_gradients(inputs) if mode.grad and op.vjp is not None else 0
    arrays = [x._data if isinstance(x, Tensor) else x for x in inputs]
    try:
        results = mode.quietly(op.forward, *arrays, **attrs)
    except _FAILURES as failure:
        raise _explained(op, inputs, failure) from failure
    outs = tuple([wrap(r if type(r) is np.ndarray else np.asarray(r)) for r in results])
    if needed and outs:
        attach_many(op, record(op, inputs, attrs, needed, outs[0]._data), outs)
    if mode.recorder is not None:
        mode.recorder.on_apply(op, inputs, attrs, outs)
    return outs


def share(op: Op, x: Tensor, attrs: dict[str, Any], out: Tensor) -> None:
    """Let a view share the storage record of what it views, unless numpy had to copy instead."""
    seen, result = x._data, out._data
    base = result.base
    if (
        result is not seen
        and (base is None or (base is not seen and base is not seen.base))
        and not np.may_share_memory(result, seen)
    ):
        return
    out._storage = storage = storage_of(x)
    if op.vjp is not None and thread.mode.grad:
        out._seen = storage.history
        out._view = View(x, op, attrs, refresh)
    else:
        out._seen = ALONE


def overwrite(
    name: str, x: Tensor, function: Callable[..., Tensor], *args: Any, **kwargs: Any
) -> Tensor:
    """Overwrite x with `function(x, *args, **kwargs)`, and return x: every in-place method.

    ValueError, before anything has changed, if x is a leaf that needs a gradient (or a view of
    one), or if the result does not have x's shape; TypeError if x's dtype cannot hold it.
    """
    old = _before_writing(name, x)
    taped = thread.mode.grad and needed_gradients((old,)) > 0
    first = next_number()
    out = function(old, *args, **kwargs)
    array, result = x._data, out._data
    if result.shape != array.shape:
        given = f"x is {describe(x)}, the result is {describe(out)}"
        raise ValueError(message(name, given, "an in-place op keeps the shape"))
    if result.dtype != array.dtype and array.dtype.kind in "biu" and result.dtype.kind not in "biu":
        given = f"x is {describe(x)}, the result is {describe(out)}"
        raise TypeError(message(name, given, "x cannot hold it", "cast x first"))
    # A result that needs no gradient is on the tape, too, if what it overwrites was.
    taped = thread.mode.grad and (taped or not out._stop)
    node = None if out._stop else out._node or out._gradient_node()
    if taped:
        _refuse_overlaps(name, x)
    if isinstance(node, Leaf):
        node = record(assign, (out,), _NO_ATTRS, 1, array)
    elif taped and node is not None:
        keep_copies(node, first, storage_of(x))
    thread.mode.quietly(np.copyto, array, result, "unsafe")
    _written(x, node, taped)
    if thread.mode.recorder is not None:
        thread.mode.recorder.on_write(assign, (x,), (out,), _NO_ATTRS)
    return x


def write(
    op: Op, x: Tensor, others: Sequence[Any], attrs: dict[str, Any], put: Callable[..., None]
) -> None:
    """Let x become `op(x, *others, **attrs)`, for an op that changes a part of x only.

    `put(array, *others, **attrs)` writes that part, and raises before it has written anything or
    not at all.
    """
    mode = thread.mode
    old = _before_writing(op.name, x)
    inputs = (old, *others)
    arrays = [y._data if isinstance(y, Tensor) else y for y in inputs]
    taped = mode.grad and op.vjp is not None and x._data.dtype.kind not in "biu"
    needed = needed_gradients(inputs) if taped else 0
    if needed:
        _refuse_overlaps(op.name, x)
    try:
        mode.quietly(put, *arrays, **attrs)
    except _FAILURES as failure:
        raise _explained(op, (x, *others), failure) from failure
    node = record(op, inputs, attrs, needed, x._data) if needed else None
    _written(x, node, needed > 0)
    if mode.recorder is not None:
        mode.recorder.on_write(op, (x,), others, attrs)


def commit(
    op: Op, targets: Sequence[Tensor], inputs: Sequence[Any], attrs: dict[str, Any] = _NO_ATTRS
) -> None:
    """Run an op whose forward overwrites its first arrays, the targets'.

    No gradient flows through it.
    """
    commit_each(op, [(targets, inputs)], attrs)


def commit_each(
    op: Op,
    turns: Sequence[tuple[Sequence[Tensor], Sequence[Any]]],
    attrs: dict[str, Any] = _NO_ATTRS,
) -> None:
    """`commit` for each pair of targets and inputs, at the price of about one."""
    mode = thread.mode
    arrays = [
        [x._data if isinstance(x, Tensor) else x for x in (*targets, *inputs)]
        for targets, inputs in turns
    ]
    try:
        mode.quietly(_run_each, op.forward, arrays, attrs)
    except _FAILURES as failure:
        raise _explained(op, [x for turn in turns for xs in turn for x in xs], failure) from failure
    for targets, inputs in turns:
        for target in targets:
            (target._storage or storage_of(target)).version += 1
        if mode.recorder is not None:
            mode.recorder.on_write(op, tuple(targets), inputs, attrs)


def _run_each(forward: Any, arrays: list[list[Any]], attrs: dict[str, Any]) -> None:
    for own in arrays:
        forward(*own, **attrs)


def become(name: str, x: Tensor, view: Op, attrs: dict[str, Any]) -> Tensor:
    """Let x become a view of itself as it is, over the same memory, and return it.

    That is how x is reshaped in place. Tensors that view x go on viewing what it was. ValueError,
    before anything has changed, if x is a leaf that needs a gradient. Counts as a write.
    """
    old = _before_writing(name, x)
    needed = needed_gradients((old,))
    shown = view.forward(x._data, **attrs)
    node = None
    if needed and not (old._node is None or isinstance(old._node, Leaf)):
        # Also with gradients off: x keeps its past, and that must have x's shape.
        node = record(view, (old,), attrs, needed, shown)
    elif x._grad is not None:
        x._grad = wrap(view.forward(x._grad._data, **attrs))
    _move(x, node, old._seen)
    x._stop, x._data, x._view = old._stop, shown, Reshaped(old, view, attrs, refresh)
    storage_of(x).version += 1
    if thread.mode.recorder is not None:
        thread.mode.recorder.on_write(view, (x,), (), attrs)
    return x


def _before_writing(name: str, x: Tensor) -> Tensor:
    """Return x as it is, for the tape; refuse read-only memory and leaves that need a gradient."""
    above: Tensor | None = x
    while above is not None and thread.mode.grad:
        if not above._stop and (above._node is None or isinstance(above._node, Leaf)):
            what = "x" if above is x else "the tensor x is a view of"
            given = f"{what} is a leaf that needs a gradient"
            remedy = "write under no_grad(), or to a clone()"
            raise ValueError(message(name, given, "a leaf is not overwritten in place", remedy))
        above = above._view.parent if above._view is not None else None
    if not x._data.flags.writeable:
        raise ValueError(message(name, "the memory of x is read-only", "", "write to a clone()"))
    old = wrap(x._data)
    old._stop, old._node, old._seen, old._view = x._stop, x._node, x._seen, x._view
    old._storage = storage_of(x)
    return old


def _refuse_overlaps(name: str, x: Tensor) -> None:
    """Refuse a taped write into windows that overlap: it changes more than it says."""
    while x._view is not None:
        if _overlaps(x._data):
            given = "x is, or is part of, a view that shows elements more than once"
            remedy = "write to a clone(), or to what it views"
            raise ValueError(message(name, given, "no gradient could tell them apart", remedy))
        x = x._view.parent


def _overlaps(array: Array) -> bool:
    """Whether a view may show an element twice: a step is within the extent of the smaller ones."""
    extent = 0
    for step, size in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if size > 1:
            if step <= extent:
                return array.size > 0
            extent += step * (size - 1)
    return False


def _written(x: Tensor, node: Node | None, taped: bool) -> None:
    """Count the write; if it is on the tape, give x and every tensor it views their new nodes."""
    storage = storage_of(x)
    storage.version += 1
    if taped:
        storage.history += 1
        _move(x, node, storage.history)
        _rebase(x, storage.history)


def _move(x: Tensor, node: Node | None, history: int) -> None:
    """Give x a new node, which keeps x's gradient if the old one did; none if x is constant now."""
    old = x._node
    if old is not None and old.keeper is not None and old.keeper() is x and node is not None:
        node.keeper, old.keeper = old.keeper, None
    x._stop, x._node, x._seen = node is None, node, history


def _rebase(x: Tensor, history: int) -> None:
    """Let each tensor that a written view shows become itself with that region replaced."""
    while x._view is not None:
        view = x._view
        parent = viewed(x)
        old = wrap(parent._data)
        old._stop, old._node = parent._stop, parent._node
        attrs = {"view": view.op, "attrs": view.attrs}
        needed = (not old._stop) + 2 * (not x._stop)
        node = record(view_write, (old, x), attrs, needed, parent._data) if needed else None
        _move(parent, node, history)
        x = parent


@op((lambda g, _out, _x: g,))
def assign(x: Array) -> Array:
    """A copy of x: what an in-place op writes."""
    return x.copy()


def _outside(g: Tensor, view: Op, attrs: dict[str, Any]) -> Tensor:
    """The gradient of what a view does not show."""
    return apply(outside_view, (g,), {"view": view, "attrs": attrs})


@op((lambda g, _out, _x, view, attrs: _outside(g, view, attrs),))
def outside_view(x: Array, *, view: Op, attrs: dict[str, Any]) -> Array:
    """A copy of x with zeros in the region that a view shows."""
    out = x.copy(order="C")
    view.forward(out, **attrs)[...] = 0
    return out


@op(
    (
        lambda g, _out, _x, _y, view, attrs: _outside(g, view, attrs),
        lambda g, _out, _x, _y, view, attrs: apply(view, (g,), attrs),
    ),
)
def view_write(x: Array, y: Array, *, view: Op, attrs: dict[str, Any]) -> Array:
    """A copy of x with the region that a view shows replaced by y."""
    out = x.copy(order="C")
    view.forward(out, **attrs)[...] = y
    return out


def _explained(op: Op, inputs: Sequence[Any], failure: Exception) -> Exception:
    """The failure of a forward, with the op and its inputs named."""
    text = str(failure)
    if text.startswith("["):
        return failure
    kind = type(failure) if type(failure) in _FAILURES else ValueError
    given = ", ".join(describe(x) for x in inputs)
    return kind(message(op.name, f"given {given}", text))
