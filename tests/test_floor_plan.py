"""The floor plan: each package lists its rooms in data-flow order, and imports only look back."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"dualgraph": ROOT / "src", "dualgraph_compiler": ROOT / "compiler"}
# Modules that may import one of ours, or llvmlite, inside a function: (importer, imported). To hold
# the one door through which `jit` loads the compiler, so that `import dualgraph` stays light.
DOORS: frozenset[tuple[str, str]] = frozenset()

OURS = ("dualgraph", "dualgraph_compiler")
HEAVY = ("dualgraph_compiler", "llvmlite")
OPEN = ("__init__", "__main__")  # files that are nobody's room: they may import from all of them


@dataclass(frozen=True)
class Module:
    """One file: its dotted name (the package's, for an `__init__`), where it is and its tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


@dataclass(frozen=True)
class Import:
    """One import statement's target, as the longest dotted name that could be a module."""

    target: str
    line: int
    in_function: bool


def read_modules(packages: dict[str, Path]) -> dict[str, Module]:
    modules = {}
    for package, folder in packages.items():
        for path in sorted((folder / package).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            modules[name] = Module(name, path, ast.parse(path.read_text("utf-8"), str(path)))
    return modules


def rooms_of(module: Module) -> tuple[str, ...] | None:
    for statement in module.tree.body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        if any(isinstance(target, ast.Name) and target.id == "__rooms__" for target in targets):
            rooms = ast.literal_eval(value)
            return rooms if isinstance(rooms, tuple) else None
    return None


def imports_of(module: Module, modules: dict[str, Module]) -> Iterator[Import]:
    pending: list[tuple[ast.AST, bool]] = [(module.tree, False)]
    while pending:
        node, in_function = pending.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Call)):
            for target in dict.fromkeys(targets_of(node, module, modules)):
                yield Import(target, node.lineno, in_function)
        inside = in_function or isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        )
        pending += [(child, inside) for child in reversed(children_of(node))]


def children_of(node: ast.AST) -> list[ast.AST]:
    guards = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    if isinstance(node, ast.If) and ast.unparse(node.test) in guards:
        return list(node.orelse)
    return list(ast.iter_child_nodes(node))


def targets_of(
    node: ast.Import | ast.ImportFrom | ast.Call, module: Module, modules: dict[str, Module]
) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            here = module.name.split(".")
            kept = len(here) - node.level + (1 if module.is_package else 0)
            base = ".".join(here[:kept] + ([base] if base else []))
        names = [f"{base}.{alias.name}" for alias in node.names]
        # `from package import room` means the room; `from package import name` the package.
        return [name if name in modules else base for name in names]
    if ast.unparse(node.func).endswith(("import_module", "__import__")):
        first = node.args[0] if node.args else None
        return [str(first.value) if isinstance(first, ast.Constant) else "?"]
    return []


def check_rooms(modules: dict[str, Module]) -> Iterator[str]:
    """Each package has `__rooms__`, and they are its modules and subpackages, each once."""
    parents = {name.rpartition(".")[0] for name in modules}
    for name in sorted(parents - {""}):
        package = modules.get(name)
        if package is None or not package.is_package:
            yield f"{name} has modules but no __init__.py"
    for module in modules.values():
        if not module.is_package:
            continue
        rooms = rooms_of(module)
        if rooms is None:
            yield f"{module.name} has no __rooms__ that is a tuple of strings"
            continue
        found = [n.rpartition(".") for n in modules]
        there = {child for parent, _, child in found if parent == module.name} - set(OPEN)
        for room in sorted(there - set(rooms)):
            yield f"{module.name}.{room} is not listed in {module.name}.__rooms__"
        for room in rooms:
            if room not in there:
                yield f"{module.name}.__rooms__ lists {room!r}, which does not exist"
            if rooms.count(room) > 1:
                yield f"{module.name}.__rooms__ lists {room!r} more than once"


def check_imports(
    modules: dict[str, Module], doors: frozenset[tuple[str, str]] = DOORS
) -> Iterator[str]:
    """Every import looks back, stays on its side of the house, and stands outside functions."""
    for module in modules.values():
        for found in imports_of(module, modules):
            where = f"{module.name}, line {found.line}"
            top = found.target.split(".")[0]
            if found.target == "?":
                yield f"{where}: imports a module whose name cannot be read"
            elif found.in_function and top in (*OURS, "llvmlite"):
                if (module.name, found.target) not in doors:
                    yield f"{where}: imports {found.target} inside a function"
                continue
            side = module.name.split(".")[0]
            if side == "dualgraph_compiler" and top == "dualgraph":
                yield f"{where}: the compiler imports {found.target}"
            elif side == "dualgraph" and top in HEAVY and not in_jit(module.name):
                yield f"{where}: imports {found.target} outside jit"
            elif top == side and (problem := looks_forward(module, found.target, modules)):
                yield f"{where}: {problem}"


def in_jit(name: str) -> bool:
    return f"{name}.".startswith("dualgraph.jit.")


def looks_forward(module: Module, target: str, modules: dict[str, Module]) -> str | None:
    here, there = module.name.split("."), target.split(".")
    common = 0
    while common < min(len(here), len(there)) and here[common] == there[common]:
        common += 1
    if common == len(here) and module.is_package:
        return None  # a package gathers its rooms
    if here[common:] == ["__main__"]:
        return None
    if common == len(there):
        return f"imports {target}, which it is part of; import the room instead"
    if "__main__" in there:
        return f"imports {target}, which is a door to the street"
    parent = modules.get(".".join(here[:common]))
    rooms = rooms_of(parent) if parent else None
    if rooms is None:
        return None  # check_rooms says so
    own, other = here[common], there[common]
    for room in (own, other):
        if room not in rooms:
            return f"imports {target}, but {room!r} is not among the rooms"
    if rooms.index(other) >= rooms.index(own):
        return f"imports {target}, but room {other!r} comes after {own!r}"
    return None


def plant(folder: Path, files: dict[str, str]) -> dict[str, Module]:
    for package in OURS:
        (folder / package).mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return read_modules(dict.fromkeys(OURS, folder))


@pytest.fixture(scope="module")
def house() -> dict[str, Module]:
    return read_modules(PACKAGES)


def test_every_file_is_listed_in_the_rooms_of_its_package(house: dict[str, Module]) -> None:
    problems = list(check_rooms(house))
    assert not problems, "\n".join(problems)


def test_imports_follow_the_order_of_the_rooms(house: dict[str, Module]) -> None:
    problems = list(check_imports(house))
    assert not problems, "\n".join(problems)


def test_every_door_is_in_use(house: dict[str, Module]) -> None:
    used = {
        (module.name, found.target)
        for module in house.values()
        for found in imports_of(module, house)
        if found.in_function
    }
    assert used >= DOORS


def test_importing_dualgraph_loads_numpy_and_nothing_else() -> None:
    script = """
import sys, numpy
before = {name.partition(".")[0] for name in sys.modules}
import dualgraph
after = {name.partition(".")[0] for name in sys.modules}
print(*sorted(after - before - {"dualgraph"} - set(sys.stdlib_module_names)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


GOOD = {
    "dualgraph/__init__.py": "from dualgraph.ops import add\n"
    "__rooms__ = ('errors', 'tensor', 'ops', 'jit')\n",
    "dualgraph/__main__.py": "import dualgraph\nfrom dualgraph import jit\n",
    "dualgraph/errors.py": "import os\n",
    "dualgraph/tensor.py": "from typing import TYPE_CHECKING\nfrom dualgraph import errors\n"
    "if TYPE_CHECKING:\n    from dualgraph.ops.math import add\n",
    "dualgraph/ops/__init__.py": "from dualgraph.ops.math import add\n"
    "__rooms__ = ('registry', 'math')\n",
    "dualgraph/ops/registry.py": "from dualgraph.tensor import Tensor\n",
    "dualgraph/ops/math.py": "from dualgraph.ops import registry\nfrom .registry import op\n"
    "def load():\n    import json\n",
    "dualgraph/jit/__init__.py": "__rooms__: tuple[str, ...] = ('driver',)\n",
    "dualgraph/jit/driver.py": "import dualgraph_compiler.ir\nfrom dualgraph.ops import add\n",
    "dualgraph_compiler/__init__.py": "__rooms__ = ('ir',)\n",
    "dualgraph_compiler/ir.py": "import llvmlite\n",
}


def test_a_house_in_order_has_no_complaints(tmp_path: Path) -> None:
    modules = plant(tmp_path, GOOD)
    assert [*check_rooms(modules), *check_imports(modules)] == []


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("dualgraph/extra.py", "", "dualgraph.extra is not listed in dualgraph.__rooms__"),
        ("dualgraph/ops/extra.py", "", "dualgraph.ops.extra is not listed"),
        ("dualgraph/loose/a.py", "", "dualgraph.loose has modules but no __init__.py"),
        ("dualgraph/ops/__init__.py", "x = 1", "dualgraph.ops has no __rooms__"),
        ("dualgraph/jit/__init__.py", "__rooms__ = ['driver']", "dualgraph.jit has no __rooms__"),
        ("dualgraph/jit/__init__.py", "__rooms__ = ('driver', 'x')", "'x', which does not exist"),
        (
            "dualgraph/jit/__init__.py",
            "__rooms__ = ('driver', 'driver')",
            "'driver' more than once",
        ),
    ],
)
def test_a_room_that_is_not_as_listed_is_found(
    tmp_path: Path, file: str, text: str, complaint: str
) -> None:
    problems = list(check_rooms(plant(tmp_path, {**GOOD, file: text})))
    assert any(complaint in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("errors.py", "import dualgraph.tensor", "'tensor' comes after 'errors'"),
        ("errors.py", "from dualgraph import tensor", "'tensor' comes after 'errors'"),
        ("errors.py", "from .tensor import Tensor", "'tensor' comes after 'errors'"),
        ("errors.py", "from . import tensor", "'tensor' comes after 'errors'"),
        ("errors.py", "if True:\n    import dualgraph.tensor", "'tensor' comes after 'errors'"),
        ("tensor.py", "from dualgraph.ops.math import add", "'ops' comes after 'tensor'"),
        ("tensor.py", "from dualgraph.ops import add", "'ops' comes after 'tensor'"),
        ("tensor.py", "class A:\n    import dualgraph.ops", "'ops' comes after 'tensor'"),
        ("tensor.py", "if not TYPE_CHECKING:\n    import dualgraph.ops", "'ops' comes after"),
        ("tensor.py", "if TYPE_CHECKING:\n    x = 1\nelse:\n    import dualgraph.ops", "'ops'"),
        ("ops/registry.py", "from .math import add", "'math' comes after 'registry'"),
        ("ops/registry.py", "from dualgraph.jit import driver", "'jit' comes after 'ops'"),
        ("ops/math.py", "from dualgraph.ops import add", "which it is part of"),
        ("ops/math.py", "import dualgraph", "which it is part of"),
        ("ops/math.py", "import dualgraph.ops.math", "which it is part of"),
        ("ops/__init__.py", "from dualgraph import jit", "'jit' comes after 'ops'"),
        ("ops/math.py", "from dualgraph.nowhere import x", "'nowhere' is not among the rooms"),
        ("ops/new.py", "import dualgraph.ops.math", "'new' is not among the rooms"),
        ("ops/math.py", "import dualgraph.__main__", "a door to the street"),
        ("ops/math.py", "import llvmlite.ir", "imports llvmlite.ir outside jit"),
        ("ops/math.py", "import dualgraph_compiler", "imports dualgraph_compiler outside jit"),
        ("__init__.py", "import dualgraph_compiler", "imports dualgraph_compiler outside jit"),
        ("jit/driver.py", "def f():\n    import dualgraph_compiler", "inside a function"),
        ("jit/driver.py", "async def f():\n    import llvmlite", "inside a function"),
        ("ops/math.py", "class A:\n    def f(self):\n        from .registry import op", "function"),
        ("ops/math.py", "f = lambda: import_module('dualgraph.jit')", "inside a function"),
        ("ops/math.py", "importlib.import_module('dualgraph.jit')", "'jit' comes after 'ops'"),
        ("ops/math.py", "importlib.import_module(name)", "whose name cannot be read"),
        ("../dualgraph_compiler/ir.py", "import dualgraph.errors", "the compiler imports"),
        ("../dualgraph_compiler/ir.py", "from dualgraph import errors", "the compiler imports"),
    ],
)
def test_an_import_out_of_order_is_found(
    tmp_path: Path, file: str, text: str, complaint: str
) -> None:
    problems = list(check_imports(plant(tmp_path, {**GOOD, f"dualgraph/{file}": text})))
    assert any(complaint in problem for problem in problems), problems


def test_a_named_door_may_load_the_compiler_inside_a_function(tmp_path: Path) -> None:
    text = "def load():\n    return import_module('dualgraph_compiler')\n"
    modules = plant(tmp_path, {**GOOD, "dualgraph/jit/driver.py": text})
    door = frozenset({("dualgraph.jit.driver", "dualgraph_compiler")})
    assert list(check_imports(modules, door)) == []
    assert list(check_imports(modules, frozenset())) != []
