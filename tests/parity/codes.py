"""Short codes for dtypes, and tables written in them.

Codes: b bool, u1 uint8, i1 i2 i4 i8 signed integers, f2 f4 f8 floats, bf bfloat16. In a table `-`
is a TypeError, `?` is not checked (Paddle has no kernel and there is no one right answer, or its
answer is an accident), and a star is ours: Paddle's CPU build has no such kernel; its other builds
and plain sense give this type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dualgraph as dg

Function = Callable[..., Any]

NAMES = {
    "b": "bool",
    "u1": "uint8",
    "i1": "int8",
    "i2": "int16",
    "i4": "int32",
    "i8": "int64",
    "f2": "float16",
    "f4": "float32",
    "f8": "float64",
    "bf": "bfloat16",
}
CODES = tuple(NAMES)[:9]


def ones(shape: list[int], code: str) -> Any:
    return dg.ones(shape).astype(NAMES[code])


def code_of(tensor: Any) -> str:
    name = str(tensor.dtype).rpartition(".")[2]
    return next(code for code, known in NAMES.items() if known == name)


def check(expected: str, run: Callable[[], Any]) -> None:
    """`expected` is a code, or `-` for a TypeError."""
    if expected == "-":
        with pytest.raises(TypeError):
            run()
    else:
        assert code_of(run()) == expected


def cases(rows: list[tuple[Any, ...]]) -> list[Any]:
    """Rows whose last item is a table cell: `?` dropped, starred cells marked as ours."""
    out = []
    for *args, cell in rows:
        ident = "-".join(str(a) for a in args)
        if cell.endswith("*"):
            reason = "Paddle's CPU build has no kernel for this type"
            out.append(pytest.param(*args, cell[:-1], marks=pytest.mark.ours(reason), id=ident))
        elif cell != "?":
            out.append(pytest.param(*args, cell, id=ident))
    return out
