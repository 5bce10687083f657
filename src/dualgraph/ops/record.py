"""Writing to the tape: the node of an op's output, and what in-place writes do to views' nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph.errors import OverwrittenValueError, describe, message
from dualgraph.ops.registry import Op
from dualgraph.tape import Edge, Node, Pick, Spec, next_number
from dualgraph.tensor import Array, Storage, Tensor, View, storage_of, wrap

__all__ = [
    "ALONE",
    "OpNode",
    "Reshaped",
    "attach",
    "attach_many",
    "keep_copies",
    "needed_gradients",
    "record",
    "refresh",
    "viewed",
]

# What `_seen` is for an alias that no gradient reaches through its memory: one that was detached,
# or made with gradients off. It is a constant, whatever is written under the tape elsewhere.
ALONE = -1


class Reshaped(View):
    """How a tensor that was reshaped in place views what it was before."""

    __slots__ = ()


class OpNode(Node):
    """The node of an op's output: which op, with which attributes, and what its rule will read."""

    # The output is kept as an array: its tensor holds this node, and must not be held in turn.
    out: Any = None
    storage: Storage | None = None
    outputs: tuple[Spec, ...] | None = None
    needed: int  # which inputs need a gradient, as a bit mask

    def __init__(self, op: Op, attrs: dict[str, Any], array: Array) -> None:
        # Without super(): this is on the path of every op that is recorded.
        self.op = op
        self.attrs = attrs
        self.edges: list[Edge] = []
        self.saved: list[Any] = []
        # Of what was saved; -1 for what is not read, and no list at all if nothing is.
        self.versions: list[int] = []
        self.shape = array.shape
        self.dtype = array.dtype

    @property
    def name(self) -> str:
        """The op's name."""
        return self.op.name

    def check(self) -> None:
        """Raise OverwrittenValueError if an input or output that the rule reads was overwritten."""
        for x, version in zip(self.saved, self.versions, strict=False):
            if version >= 0 and x._storage is not None and x._storage.version != version:
                raise self._overwritten(f"its input {describe(x)}")
        if self.storage is not None and self.storage.version:
            raise self._overwritten(f"its output {list(self.shape)}")

    def _overwritten(self, what: str) -> OverwrittenValueError:
        given = f"the gradient of {self.op.name} reads {what}, which was overwritten in place since"
        return OverwrittenValueError(message("backward", given, "", "write to a clone() instead"))

    def pull(self, g: Any, create_graph: bool) -> Sequence[Tensor | None]:
        """The gradients of the op's inputs by its rules."""
        op = self.op
        if op.pull is not None and not create_graph:
            at_once: Sequence[Tensor | None] = op.pull(
                g, *self.saved, needed=self.needed, **self.attrs
            )
            return at_once
        out = self._output(create_graph) if op.reads_out else self
        if self.outputs is not None:
            g = self._all_gradients(g)
        rules: Any = op.vjp
        saved, attrs = self.saved, self.attrs
        if op.joint:
            joint: Sequence[Tensor | None] = rules(g, out, *saved, **attrs)
            return joint
        edges = self.edges or ()
        if len(edges) == 1:
            return (rules[0](g, out, *saved, **attrs),)
        return [
            None if edge is None or rule is None else rule(g, out, *saved, **attrs)
            for edge, rule in zip(edges, rules, strict=False)
        ]

    def _output(self, create_graph: bool) -> Any:
        """The saved output as a tensor again, with a past if the rule's own ops go on the tape."""
        if self.outputs is None:
            return self._tensor(self.out, self, create_graph)
        picks = (Pick(self, i, array) for i, array in enumerate(self.out))
        return tuple(
            self._tensor(array, pick, create_graph)
            for array, pick in zip(self.out, picks, strict=True)
        )

    def _tensor(self, array: Array, node: Node, create_graph: bool) -> Tensor:
        out = wrap(array)
        if create_graph:
            out._stop, out._node = False, node
        return out

    def _all_gradients(self, g: dict[int, Tensor]) -> list[Tensor]:
        """The gradients of all outputs, zeros for those that nobody used."""
        specs = self.outputs or ()
        return [g[i] if i in g else wrap(np.zeros(s.shape, s.dtype)) for i, s in enumerate(specs)]

    def free(self) -> None:
        """Drop what was saved for backward."""
        self.edges = None  # type: ignore[assignment]  # a list while the node is being recorded
        self.out = None
        self.saved, self.versions = [], []


def needed_gradients(inputs: Sequence[Any]) -> int:
    """Which inputs need a gradient, as a bit mask. Brings stale views up to date in passing."""
    needed = 0
    bit = 1
    for x in inputs:
        if isinstance(x, Tensor):
            storage = x._storage
            if storage is not None and x._seen != storage.history:
                refresh(x)
            if not x._stop:
                needed |= bit
        bit += bit
    return needed


def record(
    op: Op, inputs: Sequence[Any], attrs: dict[str, Any], needed: int, array: Array
) -> OpNode:
    """The node of an op's output, given which inputs need a gradient."""
    node = OpNode(op, attrs, array)
    node.needed = needed
    edges, saved, versions = node.edges, node.saved, node.versions
    read = op.read_for(needed)
    bit = 1
    for x in inputs:
        edge = None
        version = -1
        if isinstance(x, Tensor):
            if needed & bit:
                edge = x._node or x._gradient_node()
            if read & bit:
                version = 0 if x._storage is None else x._storage.version
            else:
                x = edge or Spec(x._data)  # what is saved in its place
        edges.append(edge)
        saved.append(x)
        if read:
            versions.append(version)
        bit += bit
    # Numbered last: an input's node may have been made just now, and edges lead to smaller numbers.
    node.number = next_number()
    return node


def attach(op: Op, node: OpNode, out: Tensor) -> None:
    """Let the node be that of the op's only output."""
    out._stop = False
    out._node = node
    if op.reads_out:
        node.out = out._data
        # A fresh output starts at version 0, so any write to it shows.
        node.storage = out._storage = Storage()


def attach_many(op: Op, node: OpNode, outs: tuple[Tensor, ...]) -> None:
    """Let each floating output of a many-output op have its own node, which leads to the op's."""
    node.outputs = tuple(Spec(out._data) for out in outs)
    if op.reads_out:
        node.out = tuple(out._data for out in outs)
        node.storage = Storage()
        for out in outs:
            out._storage = node.storage
    for i, out in enumerate(outs):
        if out._data.dtype.kind not in "biu":
            out._stop, out._node = False, Pick(node, i, out._data)


def keep_copies(node: Node, first: int, storage: Storage) -> None:
    """Let the nodes numbered from `first` on, back from this one, own what they saved of a memory.

    An in-place op overwrites what its own rule reads.
    """
    seen = {node}
    stack = [node]
    while stack:
        found = stack.pop()
        if isinstance(found, OpNode):
            for i, (x, version) in enumerate(zip(found.saved, found.versions, strict=False)):
                if version >= 0 and x._storage is storage:
                    found.saved[i] = copy = wrap(x._data.copy())
                    copy._stop, copy._node = x._stop, x._node
                    found.versions[i] = 0
        for edge in found.edges or ():
            if edge is not None and edge.number >= first and edge not in seen:
                seen.add(edge)
                stack.append(edge)


def viewed(x: Tensor) -> Tensor:
    """The tensor that x is a view of: its parent, as that was before it was reshaped in place."""
    view: Any = x._view
    parent: Tensor = view.parent
    while type(parent._view) is Reshaped and type(view) is View and not _shows(view, x, parent):
        parent = parent._view.parent
    return parent


def _shows(view: View, x: Tensor, parent: Tensor) -> bool:
    """Whether the view of the parent is x's memory, as x has it."""
    try:
        seen = view.op.forward(parent._data, **view.attrs)
    except (ValueError, IndexError):
        return False
    return all(
        seen.__array_interface__[key] == x._data.__array_interface__[key]
        for key in ("data", "shape", "strides")
    )


def refresh(x: Tensor) -> None:
    """Bring a tensor's node up to date after another tensor wrote its memory under the tape.

    A view is a view of its parent as that is now, so it gets a new node for the same view of it.
    OverwrittenValueError where the tensor is not a view: it was written through a detached alias.
    """
    history = storage_of(x).history
    chain: list[tuple[Tensor, Tensor]] = []
    while x._seen not in (history, ALONE):
        if x._view is None:
            how = "overwritten, with gradients on, through a tensor detached from it"
            given = f"{describe(x)} was {how}"
            raise OverwrittenValueError(message("tape", given, "", "write to the tensor itself"))
        parent = viewed(x)
        chain.append((x, parent))
        x = parent
    for stale, parent in reversed(chain):
        view: Any = stale._view
        stale._stop, stale._node = True, None
        if not parent._stop:
            stale._stop = False
            stale._node = record(view.op, (parent,), view.attrs, 1, stale._data)
        stale._seen = history
