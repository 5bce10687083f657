"""The Op record: everything dualgraph knows about one operation, in one place."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from dualgraph.tape import thread

__all__ = ["ANY", "OPS", "Domain", "Op", "op"]

Forward = Callable[..., Any]
Rule = Callable[..., Any]
Vjp = tuple[Rule | None, ...] | Rule

_TAKES_VARARGS = 0x04


@dataclass(frozen=True)
class Domain:
    """Where an op is smooth.

    The interval its inputs should lie in when its derivatives are tested, and kinks: points inside
    it to keep away from.
    """

    low: float = -3.0
    high: float = 3.0
    kinks: tuple[float, ...] = ()


ANY = Domain()


class Op:
    """One operation.

    `forward(*arrays, **attrs)` computes with numpy; a tuple means several outputs. It returns
    fresh memory, or a view of its first input if the op is a `view`.

    `vjp` is the derivative, written in ops: a tuple of one rule per input (None: no gradient), or
    one joint rule returning a gradient per input. A rule is called `rule(g, out, *inputs,
    **attrs)`. What its parameter names say is what the tape keeps: a name with a leading
    underscore stands for shape and dtype only. Broadcasting is undone by the engine; a rule need
    not.

    `pull(g, *inputs, needed, **attrs)` gives the same gradients all at once, for speed; it runs
    where they will not be differentiated themselves. `needed` has a bit for each input that wants
    one, and inputs that no needed rule reads are not there.

    `expand(*tensors, **attrs)` is the op in simpler ops, for the compiler; None for one of its
    primitives. `infer(*specs, **attrs)` gives the outputs' (shape, dtype); without one, forward
    is run on blank inputs. `domain` is where tests may differentiate.
    """

    __slots__ = (
        "_read_for",
        "domain",
        "dynamic",
        "expand",
        "forward",
        "infer",
        "joint",
        "module",
        "name",
        "pull",
        "reads",
        "reads_out",
        "view",
        "vjp",
    )

    def __init__(
        self,
        name: str,
        forward: Forward,
        vjp: Vjp | None = None,
        *,
        pull: Rule | None = None,
        expand: Callable[..., Any] | None = None,
        infer: Callable[..., Any] | None = None,
        view: bool = False,
        dynamic: bool = False,
        domain: Domain = ANY,
    ) -> None:
        self.name = name
        self.module = forward.__module__
        self.forward = forward
        self.vjp = vjp
        self.pull = pull
        self.expand = expand
        self.infer = infer
        self.view = view
        self.dynamic = dynamic  # the output's shape depends on values
        self.domain = domain
        self.joint = callable(vjp)
        rules = () if vjp is None else (vjp,) if callable(vjp) else vjp
        masks = [(0, False) if rule is None else _what_is_read(rule.__code__) for rule in rules]
        self.reads: tuple[int, ...] = tuple(inputs for inputs, _ in masks)
        self._read_for: dict[int, int] = {}
        self.reads_out = any(out for _, out in masks)

    def read_for(self, needed: int) -> int:
        """Which inputs the rules of the needed inputs read; both as bit masks."""
        mask = self._read_for.get(needed)
        if mask is None:
            own = [reads for i, reads in enumerate(self.reads) if self.joint or needed >> i & 1]
            self._read_for[needed] = mask = functools.reduce(operator.or_, own, 0)
        return mask

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def output_types(self, specs: Sequence[Any], attrs: dict[str, Any]) -> list[tuple[Any, Any]]:
        """(shape, dtype) of each output; only shape and dtype of the inputs are looked at."""
        if self.infer is not None:
            found = self.infer(*specs, **attrs)
            return found if isinstance(found, list) else [found]
        blanks = [_blank(s) if hasattr(s, "dtype") else s for s in specs]
        out = thread.mode.quietly(self.forward, *blanks, **attrs)
        outs = out if isinstance(out, tuple) else (out,)
        return [(array.shape, array.dtype) for array in map(np.asarray, outs)]


def _blank(spec: Any) -> Any:
    """Ones of a shape and dtype that take the memory of one element."""
    return np.broadcast_to(np.ones((), spec.dtype), spec.shape)


def _what_is_read(code: CodeType) -> tuple[int, bool]:
    """Which inputs' values a rule reads, as a bit mask, and whether it reads the output's value."""
    names = code.co_varnames[1 : code.co_argcount]
    mask = sum(1 << i for i, name in enumerate(names[1:]) if not name.startswith("_"))
    if code.co_flags & _TAKES_VARARGS:
        rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        if not rest.startswith("_"):
            mask |= -1 << len(names) - 1  # every input from there on
    return mask, bool(names) and not names[0].startswith("_")


OPS: dict[str, Op] = {}


def op(
    vjp: Vjp | None = None, *, name: str | None = None, **options: Any
) -> Callable[[Forward], Op]:
    """Register the decorated numpy function as an op's forward, under its own name unless given."""

    def register(forward: Forward) -> Op:
        record = Op(name or forward.__name__.strip("_"), forward, vjp, **options)
        if record.name in OPS:
            raise ValueError(f"[registry] an op called {record.name} exists already")
        OPS[record.name] = record
        return record

    return register
