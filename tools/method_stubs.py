"""Write `src/dualgraph/_tensor_methods.pyi`: Tensor's methods for type checkers and editors.

The methods themselves come from the table in `dualgraph.methods`. Run this after changing that
table: `python tools/method_stubs.py`. A test fails while the file is out of date.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dualgraph.methods import METHODS, OPERATORS, PROPERTIES

TARGET = Path(__file__).parent.parent / "src" / "dualgraph" / "_tensor_methods.pyi"

HEADER = '''\
"""Made by tools/method_stubs.py from the table in methods.py; not to be edited."""

{imports}
class TensorMethods:
{methods}
'''
# Names that annotations use, with where they come from; builtins need no import.
_IMPORTS = {
    "Callable": "collections.abc",
    "Iterator": "collections.abc",
    "Sequence": "collections.abc",
    "Any": "typing",
    "Literal": "typing",
    "DType": "dualgraph.dtypes",
    "DTypeLike": "dualgraph.dtypes",
    "Operand": "dualgraph.ops.define",
    "Scalar": "dualgraph.ops.define",
    "Array": "dualgraph.tensor",
    "Tensor": "dualgraph.tensor",
}
_WIDTH = 100

# Operators answer whatever Python hands them; comparison must accept what `object` accepts.
_OPERATOR = "    def {name}(self, other: Any) -> Tensor: ...{note}"
_NOTES = {"__eq__": "  # type: ignore[override]", "__ne__": "  # type: ignore[override]"}
_SPECIAL = {
    "__getitem__": "    def __getitem__(self, index: Any) -> Tensor: ...",
    "__setitem__": "    def __setitem__(self, index: Any, value: Any) -> None: ...",
    "__iter__": "    def __iter__(self) -> Iterator[Tensor]: ...",
    "__len__": "    def __len__(self) -> int: ...",
    "__contains__": "    def __contains__(self, item: Any) -> bool: ...",
    "__neg__": "    def __neg__(self) -> Tensor: ...",
    "__pos__": "    def __pos__(self) -> Tensor: ...",
    "__abs__": "    def __abs__(self) -> Tensor: ...",
    "__invert__": "    def __invert__(self) -> Tensor: ...",
    "__pow__": "    def __pow__(self, other: Any) -> Tensor: ...",
}


class Stubs:
    """The text of the stubs, and the imports they turn out to need."""

    def __init__(self) -> None:
        self.imports: dict[str, set[str]] = {}

    def method(self, name: str, function: Callable[..., Any]) -> str:
        """One method: the function's signature, its first parameter become self."""
        signature = inspect.signature(function)
        scope = inspect.unwrap(function).__globals__
        parameters = list(signature.parameters.values())
        parts = ["self", *(self._parameter(p, scope) for p in parameters[1:])]
        kinds = [p.kind for p in parameters]
        if inspect.Parameter.VAR_POSITIONAL not in kinds:
            with contextlib.suppress(ValueError):
                parts.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
        returned = self._annotation(signature.return_annotation, scope)
        line = f"    def {name}({', '.join(parts)}) -> {returned}: ..."
        if len(line) <= _WIDTH:
            return line
        one_each = "".join(f"        {part},\n" for part in parts)
        return f"    def {name}(\n{one_each}    ) -> {returned}: ..."

    def _parameter(self, parameter: inspect.Parameter, scope: dict[str, Any]) -> str:
        star = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
        default = "" if parameter.default is inspect.Parameter.empty else " = ..."
        annotation = self._annotation(parameter.annotation, scope)
        return f"{star.get(parameter.kind, '')}{parameter.name}: {annotation}{default}"

    def _annotation(self, annotation: Any, scope: dict[str, Any]) -> str:
        """An annotation with the module's own aliases written out."""
        if not isinstance(annotation, str):
            return "Any"
        return re.sub(r"[A-Za-z_][\w.]*", lambda m: self._name(m[0], scope), annotation)

    def _name(self, name: str, scope: dict[str, Any]) -> str:
        root = name.partition(".")[0]
        if root == "builtins":
            return name.partition(".")[2]
        if root in _IMPORTS:
            self.imports.setdefault(_IMPORTS[root], set()).add(root)
            return name
        if hasattr(builtins, root):
            return name
        meaning = scope.get(name)
        if isinstance(meaning, str):
            return self._annotation(meaning, scope)
        if isinstance(meaning, type):
            self.imports.setdefault(meaning.__module__, set()).add(name)
            return name
        if meaning is None:
            return name  # inside a Literal
        return re.sub(r"(?:[\w]+\.)+(?=\w)", "", repr(meaning))

    def text(self) -> str:
        """The whole file."""
        lines = [
            _SPECIAL.get(name) or _OPERATOR.format(name=name, note=_NOTES.get(name, ""))
            for name in OPERATORS
        ]
        lines.append("    def __hash__(self) -> int: ...")
        lines += [f"    @property\n    def {name}(self) -> Tensor: ..." for name in PROPERTIES]
        lines += [self.method(name, function) for name, function in METHODS.items()]
        for name in ("Any", "Iterator", "Tensor"):  # the fixed lines above use these
            self._name(name, {})
        return HEADER.format(imports=self._import_lines(), methods="\n".join(lines))

    def _import_lines(self) -> str:
        """The imports, the standard library's first."""
        lines = [
            f"from {module} import {', '.join(sorted(names, key=_import_order))}\n"
            for module, names in sorted(self.imports.items())
        ]
        own = [line for line in lines if line.startswith("from dualgraph")]
        return "".join(line for line in lines if line not in own) + "\n" + "".join(own)


def _import_order(name: str) -> tuple[bool, str]:
    return not name.isupper(), name


if __name__ == "__main__":
    TARGET.write_text(Stubs().text())
