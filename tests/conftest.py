"""What all tests share: how hard Hypothesis tries, and that no test leaves a switch turned."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import dualgraph as dg
from dualgraph import flags
from dualgraph.autograd import is_grad_enabled, set_grad_enabled
from dualgraph.dtypes import get_default_dtype, set_default_dtype

CI = bool(os.environ.get("CI"))
# The first example of a test imports and warms up what it uses, so no example has a deadline.
settings.register_profile("fast", deadline=None, max_examples=50, derandomize=CI)
settings.register_profile(
    "deep",
    deadline=None,
    max_examples=2000,
    suppress_health_check=[HealthCheck.too_slow],
)
# Overridden by --hypothesis-profile, which pytest reads later.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def restore_flags(values: dict[str, Any]) -> None:
    for name, value in values.items():
        flags.set(name, value)


# Every switch of the process: its name, how to read it and how to put it back.
SWITCHES: list[tuple[str, Callable[[], Any], Callable[[Any], Any]]] = [
    ("default dtype", get_default_dtype, set_default_dtype),
    ("gradient mode", is_grad_enabled, set_grad_enabled),
    ("flags", flags.snapshot, restore_flags),
    ("numpy's error handling", np.geterr, lambda value: np.seterr(**value)),
    ("numpy's print options", np.get_printoptions, lambda value: np.set_printoptions(**value)),
]


@pytest.fixture(autouse=True)
def _no_switch_is_left_turned() -> Iterator[None]:
    before = [read() for _, read, _ in SWITCHES]
    yield
    leaks = []
    for (name, read, restore), value in zip(SWITCHES, before, strict=True):
        if (now := read()) != value:
            restore(value)
            leaks.append(f"{name}: was {value}, is {now}")
    if leaks:
        pytest.fail("the test left a switch turned: " + "; ".join(leaks), pytrace=False)


@pytest.fixture(autouse=True)
def _same_random_numbers_in_each_test() -> None:
    if hasattr(dg, "seed"):
        dg.seed(0)
