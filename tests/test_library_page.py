"""docs/library.md has every public name, each where it says it is, and none that does not exist."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import dualgraph as dg

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "library.md").read_text("utf-8")
# What the page's tables and prose speak of, by the names that they use.
ROOTS: dict[str, Any] = {
    "dg": dg,
    "nn": dg.nn,
    "F": dg.nn.functional,
    "optimizer": dg.optimizer,
    "Tensor": dg.Tensor,
    "x": dg.Tensor,
    "Layer": dg.nn.Layer,
    "Optimizer": dg.optimizer.Optimizer,
    "LRScheduler": dg.optimizer.lr.LRScheduler,
}
# Calls by a bare name in prose may be of any of these.
PLACES = (dg, dg.nn.functional, dg.Tensor, dg.nn.Layer, dg.optimizer.Optimizer)
BUILTINS = ("help", "len", "bool", "int", "float")
MODULES = [
    dg,
    dg.linalg,
    dg.autograd,
    dg.nn,
    dg.nn.functional,
    dg.nn.initializer,
    dg.nn.utils,
    dg.optimizer,
    dg.optimizer.lr,
    dg.regularizer,
]
CLASSES = [
    dg.Tensor,
    dg.nn.Layer,
    dg.optimizer.Optimizer,
    dg.optimizer.lr.LRScheduler,
]
SPAN = re.compile(r"`([^`]+)`")
CALL = re.compile(r"([A-Za-z_][\w.]*)\(([^()]*)\)")


def resolve(dotted: str) -> Any:
    """What a name such as `dg.nn.Linear` stands for on the page; AttributeError if nothing."""
    first, *rest = dotted.split(".")
    if first not in ROOTS:
        raise AttributeError(f"{dotted} begins with no name that the page explains")
    found = ROOTS[first]
    for name in rest:
        found = getattr(found, name)
    return found


def prose_of(page: str) -> str:
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def entries_of(page: str) -> Iterator[tuple[str, str]]:
    """The rows' names as (where, name), the name as it is written: perhaps with arguments."""
    where = ""
    previous = ""
    for line in prose_of(page).splitlines():
        if not line.startswith("|"):
            previous = ""
            continue
        first = line.split("|")[1]
        if not previous:
            (where,) = SPAN.findall(first)
        elif not first.startswith("---"):
            yield from ((where, name) for name in SPAN.findall(first))
        previous = line


ENTRIES = list(entries_of(PAGE))


def names_in(place: Any, entries: list[tuple[str, str]]) -> set[str]:
    return {name.partition("(")[0] for where, name in entries if resolve(where) is place}


def missing_arguments(function: Any, written: str) -> list[str]:
    """Arguments that the page gives a function and that it does not have."""
    given = re.findall(r"\w+", written.partition("(")[2])
    return [a for a in given if a not in inspect.signature(function).parameters]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_the_page_has_every_public_name_of_the_module_and_no_other(module: ModuleType) -> None:
    on_page = names_in(module, ENTRIES)
    assert sorted(set(module.__all__) - on_page) == []
    assert sorted(on_page - set(module.__all__)) == []


@pytest.mark.parametrize("kind", CLASSES, ids=lambda c: c.__name__)
def test_the_page_has_every_public_attribute_of_the_class(kind: type) -> None:
    public = {name for name in dir(kind) if not name.startswith("_")}
    on_page = names_in(kind, ENTRIES)
    assert sorted(on_page - public) == []
    if kind is dg.Tensor:  # methods that are functions of `dg` or `F`, too, are listed there
        on_page |= names_in(dg, ENTRIES) | names_in(dg.nn.functional, ENTRIES)
        on_page |= set(re.findall(r"`x\.(\w+)\(", PAGE))
    assert sorted(public - on_page) == []


def test_arguments_in_the_tables_are_those_of_the_functions() -> None:
    wrong = [
        (where, name, missing)
        for where, name in ENTRIES
        if "(" in name
        and (missing := missing_arguments(getattr(resolve(where), name.partition("(")[0]), name))
    ]
    assert wrong == []


def test_calls_beside_the_names_are_of_what_exists() -> None:
    # Of a table's row, the first cell has the names.
    lines = [line.split("|", 2)[-1] for line in prose_of(PAGE).splitlines()]
    for span in SPAN.findall("\n".join(lines)):
        for name, _ in CALL.findall(span):
            if "." in name:
                resolve(name)
            else:
                assert name in BUILTINS or any(hasattr(place, name) for place in PLACES), name


def test_a_name_too_few_or_too_many_is_found() -> None:
    page = "| `dg` | |\n|---|---|\n| `zeros(shape)` `nowhere` | |\n"
    entries = list(entries_of(page))
    assert entries == [("dg", "zeros(shape)"), ("dg", "nowhere")]
    assert names_in(dg, entries) - set(dg.__all__) == {"nowhere"}
    assert missing_arguments(dg.zeros, "zeros(shape, size)") == ["size"]
    with pytest.raises(AttributeError):
        resolve("dg.nn.Nowhere")
