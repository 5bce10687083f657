"""The fixtures that all tests share do what they are for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).with_name("conftest.py")

LEAKS = """
import dualgraph as dg
import numpy as np

def test_dtype():
    dg.set_default_dtype("float64")

def test_gradient():
    dg.set_grad_enabled(False)

def test_flag():
    dg.flags.set("print_precision", 3)

def test_numpy():
    np.seterr(all="raise")

def test_nothing():
    assert dg.get_default_dtype() == "float32"
    assert dg.is_grad_enabled()
    assert dg.flags.get("print_precision") != 3
    with dg.no_grad():
        pass
"""

DRAWS = """
import dualgraph as dg

drawn = []

def test_one():
    drawn.append(dg.rand([4]).tolist())

def test_two():
    drawn.append(dg.rand([4]).tolist())
    assert drawn[0] == drawn[1]
"""


def outcome(folder: Path, tests: str) -> tuple[str, int, int]:
    """What pytest says of some tests under our conftest, and how many passed and went wrong."""
    (folder / "conftest.py").write_text(CONFTEST.read_text("utf-8"), "utf-8")
    (folder / "test_some.py").write_text(tests, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", ".", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", done.stdout)}
    wrong = counts.get("failed", 0) + counts.get("error", 0)
    return done.stdout, counts.get("passed", 0), wrong


def test_a_test_that_leaves_a_switch_turned_fails_and_the_next_one_does_not(tmp_path: Path) -> None:
    told, passed, wrong = outcome(tmp_path, LEAKS)
    assert (passed, wrong) == (5, 4), told
    assert "default dtype: was float32, is float64" in told
    assert "gradient mode: was True, is False" in told


def test_each_test_draws_the_same_random_numbers(tmp_path: Path) -> None:
    told, passed, wrong = outcome(tmp_path, DRAWS)
    assert (passed, wrong) == (2, 0), told
