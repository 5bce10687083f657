"""Everything that the documentation shows is run: the pages' Python blocks and the docstrings."""

from __future__ import annotations

import doctest
import importlib
import linecache
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import dualgraph as dg

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)")
# What an example may use without importing it.
NAMES = {"dg": dg, "np": np}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language and marks, its text, and the line it begins on."""

    info: tuple[str, ...]
    text: str
    line: int

    @property
    def runs(self) -> bool:
        return self.info[:1] == ("python",) and "no-run" not in self.info


def blocks_of(page: str) -> Iterator[Block]:
    lines = iter(enumerate(page.splitlines(), start=1))
    for number, line in lines:
        begin = FENCE.fullmatch(line)
        if begin is None:
            continue
        body = []
        for _, inner in lines:
            end = FENCE.fullmatch(inner)
            if end and end["ticks"].startswith(begin["ticks"]) and not end["info"].strip():
                break
            body.append(inner.removeprefix(begin["indent"]) + "\n")
        else:
            raise ValueError(f"the block that begins on line {number} does not end")
        yield Block(tuple(begin["info"].split()), "".join(body), number + 1)


def run_page(name: str, page: str) -> None:
    """Run a page's Python blocks in order, in one namespace; a traceback shows the page's lines."""
    linecache.cache[name] = (len(page), None, page.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "__page__"}
    for block in blocks_of(page):
        if not block.runs:
            continue
        if block.text.startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(
                block.text, namespace, name, name, block.line - 1
            )
            told = run_examples(test)
            assert not told, told
            namespace = test.globs
        else:
            # Blank lines in front make the numbers of the lines those of the page.
            exec(compile("\n" * (block.line - 1) + block.text, name, "exec"), namespace)


def run_examples(test: doctest.DocTest) -> str:
    """What goes wrong in a docstring's examples; nothing if they give what they show."""
    told: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.DocTestRunner(optionflags=flags).run(test, out=told.append, clear_globs=False)
    return "".join(told)


class Finder(doctest.DocTestFinder):
    """Finds the examples of ops too, whose functions are made elsewhere for their module."""

    def _from_module(self, module: ModuleType | None, object: Any) -> bool:
        if module is not None and getattr(object, "__module__", None) == module.__name__:
            return True
        return bool(super()._from_module(module, object))  # type: ignore[misc]


def examples_of(module: ModuleType) -> list[doctest.DocTest]:
    found = Finder().find(module, globs=dict(NAMES))
    return [test for test in found if test.examples]


def public_modules() -> list[str]:
    """All modules of both packages whose names have no underscore in front."""
    names = []
    for folder in (ROOT / "src", ROOT / "compiler"):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if not any(part.startswith("_") for part in parts):
                names.append(".".join(parts))
    return names


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_python_block_of_the_page_runs(page: Path) -> None:
    run_page(str(page.relative_to(ROOT)), page.read_text("utf-8"))


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("name", public_modules())
def test_every_example_of_the_module_gives_what_it_shows(name: str) -> None:
    told = "".join(run_examples(test) for test in examples_of(importlib.import_module(name)))
    assert not told, told


def test_the_examples_of_ops_are_found() -> None:
    names = {
        test.name for test in examples_of(importlib.import_module("dualgraph.ops.elementwise"))
    }
    assert "dualgraph.ops.elementwise.add" in names


PAGE = """# A page
```python
x = 2
```
```python no-run
raise RuntimeError
```
```text
raise RuntimeError
```
1. In a list:
   ````python
   s = '''
```
   '''
   x += 1
   ````
```python
>>> x
3
>>> y = 4
```
~~~python
assert (x, y) == (3, 4)
~~~
"""


def test_blocks_share_a_namespace_and_marked_ones_are_skipped() -> None:
    run_page("page.md", PAGE)


def test_a_failing_block_is_shown_with_its_line_on_the_page() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run_page("page.md", PAGE + "```python\nx = 1\n1 / 0\n```\n")
    last = caught.traceback[-1]
    assert (str(last.path), last.lineno + 1) == ("page.md", PAGE.count("\n") + 3)


def test_a_session_that_shows_something_else_fails() -> None:
    with pytest.raises(AssertionError, match=r"page\.md.*line 2(?s:.)*Expected:\s+2\s+Got:\s+3"):
        run_page("page.md", "```python\n>>> 1 + 2\n2\n```\n")


def test_a_block_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="line 2 does not end"):
        list(blocks_of("text\n```python\nx = 1\n"))


def test_a_wrong_example_in_a_docstring_is_found() -> None:
    module = ModuleType("wrong", ">>> dg.__name__\n'dualgraph'\n>>> 1 + 1\n3\n")
    (test,) = examples_of(module)
    assert "Expected:\n    3\nGot:\n    2" in run_examples(test)
