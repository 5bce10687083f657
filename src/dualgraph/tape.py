"""The tape: what a differentiable call leaves behind, and each thread's modes for `apply`.

Each tensor that needs a gradient has one node. A node knows the nodes of the inputs it was made
from (its edges), what its derivative rule will read, and the shape and dtype of its tensor. Nodes
are numbered as they are made; an edge always leads to a smaller number, so the tape in falling
order is a reverse topological order.
"""

from __future__ import annotations

import contextvars
import itertools
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from dualgraph.ops.registry import Op
    from dualgraph.tensor import Tensor

__all__ = [
    "Edge",
    "Leaf",
    "Mode",
    "Node",
    "Pick",
    "Recorder",
    "Spec",
    "next_number",
    "thread",
]

Shape = tuple[int, ...]
Hook = Callable[["Tensor"], "Tensor | None"]

next_number = itertools.count().__next__


class Recorder(Protocol):
    """What `apply` tells about each act while a function is being recorded."""

    def on_apply(
        self, op: Op, inputs: Sequence[Any], attrs: dict[str, Any], outputs: tuple[Tensor, ...]
    ) -> None:
        """An op has run and made fresh tensors (or views)."""

    def on_write(
        self, op: Op, targets: tuple[Tensor, ...], inputs: Sequence[Any], attrs: dict[str, Any]
    ) -> None:
        """An op has overwritten tensors in place."""

    def on_set_value(self, target: Tensor, value: Any) -> None:
        """A tensor's values were replaced by data from outside or by another tensor's values."""

    def on_concretize(self, tensor: Tensor) -> None:
        """Python is about to see the value of a tensor."""


class Mode:
    """The modes of one thread: whether gradients are recorded, and who else is listening."""

    __slots__ = ("grad", "quietly", "recorder")

    def __init__(self) -> None:
        self.grad = True
        self.recorder: Recorder | None = None
        # numpy keeps its floating-point warnings in a context variable. Entering a prepared context
        # costs a tenth of `np.errstate`, and the user's own settings stay untouched.
        context = contextvars.copy_context()
        context.run(np.seterr, all="ignore")
        self.quietly: Callable[..., Any] = context.run


class _Thread(threading.local):
    def __init__(self) -> None:
        self.mode = Mode()


thread = _Thread()


class Spec:
    """Shape and dtype of an input whose value the derivative rule does not read."""

    __slots__ = ("dtype", "shape")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.shape: Shape = array.shape
        self.dtype: np.dtype[Any] = array.dtype


class Node:
    """The tape's record of one tensor."""

    # Defaults of the class, not of each instance: making a node is on the path of every op.
    hooks: dict[int, Hook] | None = None
    keeper: weakref.ref[Tensor] | None = None  # the tensor that keeps this gradient in its `.grad`
    edges: Sequence[Edge] | None  # None once a backward pass has freed it

    def __init__(self, edges: Sequence[Edge], array: np.ndarray[Any, Any]) -> None:
        self.edges = edges
        self.shape: Shape = array.shape
        self.dtype: np.dtype[Any] = array.dtype
        self.number = next_number()

    @property
    def name(self) -> str:
        """What `grad_fn` shows."""
        return type(self).__name__

    def check(self) -> None:
        """Raise OverwrittenValueError if something saved for backward was overwritten since."""

    def pull(self, g: Any, create_graph: bool) -> Sequence[Tensor | None]:
        """The gradients of the edges, given the gradient of this node's tensor."""
        raise TypeError(f"{self.name} has no derivative rule")

    def free(self) -> None:
        """Drop what was saved for backward."""
        self.edges = None

    def __repr__(self) -> str:
        return f"<{self.name} {list(self.shape)}>"


Edge = Node | None


class Leaf(Node):
    """The node of a tensor that was not computed: gradients end in its `.grad`."""

    def free(self) -> None:
        """A leaf outlives every backward pass."""


class Pick(Node):
    """The node of one of an op's several outputs; it hands its gradient to the op's own node."""

    def __init__(self, source: Node, index: int, array: np.ndarray[Any, Any]) -> None:
        super().__init__((source,), array)
        self.index = index

    @property
    def name(self) -> str:
        """The name of the op's own node."""
        source = self.edges[0] if self.edges else None
        return super().name if source is None else source.name
