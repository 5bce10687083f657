"""The stubs of Tensor's methods follow the table they are made from."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import dualgraph as dg

TOOL = Path(__file__).parent.parent / "tools" / "method_stubs.py"


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("method_stubs", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stubs_are_up_to_date() -> None:
    module = tool()
    assert module.TARGET.read_text() == module.Stubs().text(), "run python tools/method_stubs.py"


def test_every_method_of_the_table_is_a_method_of_tensor() -> None:
    module = tool()
    for name, function in (module.METHODS | module.OPERATORS).items():
        assert getattr(dg.Tensor, name) is function
