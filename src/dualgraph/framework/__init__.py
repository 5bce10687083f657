"""Keeping things: `save` and `load`."""

from __future__ import annotations

from dualgraph.framework.serialization import load, save

__all__ = ["load", "save"]

__rooms__ = ("arrays", "structure", "pdparams", "serialization")
