"""The table of switches."""

from __future__ import annotations

from typing import Any

import pytest

from dualgraph import flags


def test_every_switch_has_a_default_that_it_admits_and_a_meaning() -> None:
    for name, flag in flags.FLAGS.items():
        assert flags.get(name) == flag.default
        assert flag.choices is None or flag.default in flag.choices
        assert flag.doc
        flags.set(name, flag.default)


def test_a_switch_keeps_what_it_is_set_to_until_reset() -> None:
    before = flags.snapshot()
    flags.set("print_precision", 3)
    assert flags.get("print_precision") == 3
    assert before["print_precision"] == 8, "a snapshot is a copy"
    flags.reset()
    assert flags.snapshot() == before


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("no_such_switch", 1, KeyError),
        ("default_dtype", "int32", ValueError),
        ("default_dtype", None, ValueError),
        ("print_precision", 8.0, TypeError),
        ("print_precision", True, TypeError),
        ("print_sci_mode", 1, TypeError),
    ],
)
def test_a_refused_value_changes_nothing(name: str, value: Any, kind: type[Exception]) -> None:
    before = flags.snapshot()
    with pytest.raises(kind, match=r"\[flags\] "):
        flags.set(name, value)
    assert flags.snapshot() == before


def test_reading_an_unknown_switch_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        flags.get("no_such_switch")
