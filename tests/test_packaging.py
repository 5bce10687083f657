"""What is shipped: version, dependencies, files, and the set-up commands that the README shows."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import dualgraph as dg

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Imported only where they are installed, or part of the repository.
OURS = {"dualgraph", "dualgraph_compiler", "benchmarks", "examples", "tests", "tools"}
PEERS = {"paddle", "torch"}


def required(*lists: list[str]) -> set[str]:
    """The names in lists of requirements, those behind our own extras among them."""
    names = set()
    for requirement in (Requirement(text) for texts in lists for text in texts):
        if requirement.name == "dualgraph":
            names |= required(*(EXTRAS[extra] for extra in requirement.extras))
        else:
            names.add(requirement.name)
    return names


def imported(*folders: str) -> dict[str, str]:
    """The third-party packages that the files of some folders import, each with one such file."""
    found = {}
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                ("import_module", "importorskip")
            ):
                names = [str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)]
            for name in names:
                found[name.partition(".")[0]] = str(path.relative_to(ROOT))
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names}


def setup_commands() -> list[str]:
    readme = (ROOT / "README.md").read_text("utf-8")
    return re.findall(r"^python3 -m venv .*$", readme, re.MULTILINE)


def test_the_library_needs_numpy_and_llvmlite_and_nothing_else() -> None:
    assert required(PROJECT["dependencies"]) == {"numpy", "llvmlite"}


def test_what_the_library_imports_is_required_or_an_extra() -> None:
    allowed = required(PROJECT["dependencies"], EXTRAS["safetensors"], EXTRAS["bfloat16"])
    found = imported("src", "compiler")
    assert {name: found[name] for name in found.keys() - OURS - allowed} == {}


def test_what_the_tests_import_comes_with_the_test_extra() -> None:
    allowed = required(PROJECT["dependencies"], EXTRAS["test"])
    found = imported("tests")
    assert {name: found[name] for name in found.keys() - OURS - allowed} == {}


def test_what_benchmarks_examples_and_tools_import_comes_with_an_extra_or_is_a_peer() -> None:
    allowed = required(PROJECT["dependencies"], EXTRAS["bench"], EXTRAS["test"]) | PEERS
    found = imported("benchmarks", "examples", "tools")
    assert {name: found[name] for name in found.keys() - OURS - allowed} == {}


def test_the_version_is_the_one_of_the_version_module() -> None:
    assert dg.__version__ == dg.version.full_version
    assert (dg.version.major, dg.version.minor, dg.version.patch) == tuple(
        dg.__version__.split(".")
    )


def test_the_installed_distribution_has_that_version() -> None:
    try:
        installed = importlib.metadata.version("dualgraph")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("dualgraph is on the path, not installed")
    assert installed == dg.__version__


def test_the_changelog_speaks_of_this_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## .*{re.escape(dg.__version__)}", changes, re.MULTILINE)


@pytest.mark.parametrize("package", ["src/dualgraph", "compiler/dualgraph_compiler"])
def test_both_packages_say_that_they_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_licence_is_there_in_full() -> None:
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_the_readme_shows_one_command_to_run_and_one_to_test() -> None:
    run, test = setup_commands()
    assert run.endswith("&& .venv/bin/python -m dualgraph")
    assert test.endswith("&& .venv/bin/python -m pytest")
    assert "[dev]" in test


def test_continuous_integration_runs_the_commands_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "grep '^python3 -m venv ' README.md" in script.read_text("utf-8")
    subprocess.run(["bash", "-n", str(script)], check=True)
