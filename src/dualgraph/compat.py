"""Names that Paddle programs call about static graphs, which dualgraph has none of."""

from __future__ import annotations

from dualgraph.errors import message

__all__ = ["disable_static", "enable_static", "in_dynamic_mode"]


def in_dynamic_mode() -> bool:
    """True: ops run when they are called."""
    return True


def disable_static(place: object = None) -> None:
    """Nothing: ops run when they are called, as always."""


def enable_static() -> None:
    """RuntimeError: there are no static graphs here."""
    given = "static graphs are asked for"
    remedy = "write the program for the dynamic graph"
    raise RuntimeError(message("enable_static", given, "only the dynamic graph exists", remedy))
