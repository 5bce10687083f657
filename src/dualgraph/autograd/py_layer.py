"""PyLayer: an op whose forward and backward the user writes in Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dualgraph.autograd.mode import no_grad
from dualgraph.errors import OverwrittenValueError, describe, message
from dualgraph.ops.manipulation import clone, detach
from dualgraph.tape import Node, Pick, Spec, thread
from dualgraph.tensor import Array, Tensor, wrap

__all__ = ["PyLayer", "PyLayerContext"]


class _SavedOutput:
    """An output that forward saved, as an array: its tensor holds the node that holds this."""

    def __init__(self, array: Array, index: int) -> None:
        self.array = array
        self.index = index


class PyLayerContext:
    """What a PyLayer's forward leaves for its backward. Attributes may be set freely."""

    def __init__(self) -> None:
        self._saved: tuple[Any, ...] = ()
        self._versions: tuple[int, ...] = ()
        self._node: Node | None = None
        self._non_differentiable: set[int] = set()
        self._materialize = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward, which raises OverwrittenValueError if one was overwritten."""
        self._saved = tensors
        self._versions = tuple(t.inplace_version if isinstance(t, Tensor) else 0 for t in tensors)

    def saved_tensor(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept."""
        return tuple(self._restored(value) for value in self._saved)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept."""
        return self.saved_tensor()

    def mark_not_inplace(self, *tensors: Tensor) -> None:
        """Accepted for Paddle's sake: an output that is an input always gets its own tensor."""

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these outputs have no gradient."""
        self._non_differentiable = {id(t) for t in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (True) or None for outputs that nobody used."""
        self._materialize = bool(value)

    def _restored(self, value: Any) -> Any:
        if not isinstance(value, _SavedOutput):
            return value
        out = wrap(value.array)
        if thread.mode.grad and self._node is not None:
            out._stop, out._node = False, Pick(self._node, value.index, value.array)
        return out

    def _detach_saved(self, outs: Sequence[Tensor]) -> None:
        index = {id(out): i for i, out in enumerate(outs)}
        self._saved = tuple(
            _SavedOutput(value._data, index[id(value)]) if id(value) in index else value
            for value in self._saved
        )


class PyLayerNode(Node):
    """The node of a PyLayer's call; each of its outputs picks from it."""

    __slots__ = ("context", "layer", "outputs")

    def __init__(
        self,
        layer: type[PyLayer],
        context: PyLayerContext,
        inputs: Sequence[Tensor],
        outs: Sequence[Tensor],
    ) -> None:
        super().__init__(
            tuple(None if x._stop else x._gradient_node() for x in inputs), outs[0]._data
        )
        self.layer = layer
        self.context: PyLayerContext | None = context
        self.outputs = tuple(Spec(out._data) for out in outs)

    @property
    def name(self) -> str:
        """The user's class name."""
        return self.layer.__name__

    def check(self) -> None:
        """Raise OverwrittenValueError if a saved tensor was overwritten."""
        context = self.context
        if context is None:
            return
        for value, version in zip(context._saved, context._versions, strict=True):
            if isinstance(value, Tensor) and value.inplace_version != version:
                given = f"{describe(value)}, saved by {self.name}, was overwritten in place since"
                raise OverwrittenValueError(
                    message("backward", given, "", "write to a clone() instead")
                )

    def pull(self, g: dict[int, Tensor], create_graph: bool) -> Sequence[Tensor | None]:
        """Call the user's backward."""
        context: Any = self.context
        given = [g[i] if i in g else self._missing(i, context) for i in range(len(self.outputs))]
        context._node = self
        try:
            pulled = self.layer.backward(context, *given)
        finally:
            context._node = None
        grads = list(pulled) if isinstance(pulled, (list, tuple)) else [pulled]
        edges = self.edges or ()
        if len(grads) != len(edges):
            what = f"backward returned {len(grads)} gradients"
            raise ValueError(message(self.name, what, f"forward took {len(edges)} tensors"))
        return [
            self._checked(x, edge, i) for i, (x, edge) in enumerate(zip(grads, edges, strict=True))
        ]

    def _missing(self, i: int, context: PyLayerContext) -> Tensor | None:
        spec = self.outputs[i]
        return wrap(np.zeros(spec.shape, spec.dtype)) if context._materialize else None

    def _checked(self, x: Any, edge: Node | None, i: int) -> Tensor | None:
        if x is None or edge is None:
            return None
        if not isinstance(x, Tensor):
            what = f"backward returned a {type(x).__name__} for input {i}"
            raise TypeError(message(self.name, what, "expected a Tensor or None"))
        if x._data.shape != edge.shape:
            what = f"backward returned {describe(x)} for input {i}"
            raise ValueError(message(self.name, what, f"expected shape {list(edge.shape)}"))
        # The user may have kept what is returned here, and a leaf must have memory of its own.
        return clone(x)

    def free(self) -> None:
        """Drop the context and what it saved."""
        self.edges = self.context = None


class PyLayer:
    """An op whose derivative the user writes.

    Subclass it with static methods `forward` and `backward`. `forward(ctx, *args, **kwargs)` runs
    with gradients off; `backward(ctx, *grads)` gets a gradient for each tensor that forward
    returned, and returns one (or None) for each tensor that forward took.

    >>> import dualgraph as dg
    >>> class Cube(dg.autograd.PyLayer):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensor()
    ...         return g * 3 * x * x
    >>> x = dg.to_tensor(2.0, stop_gradient=False)
    >>> Cube.apply(x).backward()
    >>> x.grad.item()
    12.0
    """

    @staticmethod
    def forward(ctx: PyLayerContext, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; to be overridden."""
        raise NotImplementedError(message("PyLayer", "forward is not defined", "define it"))

    @staticmethod
    def backward(ctx: PyLayerContext, *grads: Any) -> Any:
        """Compute the inputs' gradients; to be overridden."""
        raise NotImplementedError(message("PyLayer", "backward is not defined", "define it"))

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and put the call on the tape. Returns what forward returns."""
        inputs = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]
        context = PyLayerContext()
        with no_grad():
            returned = cls.forward(context, *args, **kwargs)
        items = list(returned) if isinstance(returned, (list, tuple)) else [returned]
        taken = {id(x) for x in inputs}
        items = [_own(x, taken, context) if isinstance(x, Tensor) else x for x in items]
        outs = [x for x in items if isinstance(x, Tensor)]
        if outs and thread.mode.grad and not all(x.stop_gradient for x in inputs):
            _record(cls, context, inputs, outs)
        if isinstance(returned, (list, tuple)):
            return items if isinstance(returned, list) else tuple(items)
        return items[0]


def _own(x: Tensor, taken: set[int], context: PyLayerContext) -> Tensor:
    """Give an output that is an input, or made elsewhere, its own tensor over that memory."""
    if id(x) not in taken and x._stop:
        return x
    alias = detach(x)
    if id(x) in context._non_differentiable:
        context._non_differentiable.add(id(alias))
    return alias


def _record(
    layer: type[PyLayer], context: PyLayerContext, inputs: Sequence[Tensor], outs: Sequence[Tensor]
) -> None:
    node = PyLayerNode(layer, context, inputs, outs)
    for i, out in enumerate(outs):
        if out._data.dtype.kind not in "biu" and id(out) not in context._non_differentiable:
            out._stop, out._node = False, Pick(node, i, out._data)
    context._detach_saved(outs)
