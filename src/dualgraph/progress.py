"""A progress bar for long work, on standard error, and only where somebody watches."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Generator, Iterable
from typing import TextIO, TypeVar

__all__ = ["progress"]

T = TypeVar("T")

_REDRAW_SECONDS = 0.1


def progress(
    items: Iterable[T], total: int, label: str, stream: TextIO | None = None
) -> Generator[T, None, None]:
    """Yield the items and draw how far they have come, if the stream is a terminal."""
    out = sys.stderr if stream is None else stream
    if not out.isatty():
        yield from items
        return
    start = drawn = time.perf_counter()
    try:
        for done, item in enumerate(items):
            now = time.perf_counter()
            if now - drawn > _REDRAW_SECONDS or done == 0:
                drawn = now
                out.write("\r" + bar(label, done, total, now - start))
                out.flush()
            yield item
    finally:
        out.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
        out.flush()


def bar(label: str, done: int, total: int, seconds: float) -> str:
    """One line: label, bar, count and the time that is left at this speed."""
    left = f"{seconds / done * (total - done):.0f} s left" if done else ""
    text = f"{label} {{}} {done}/{total} {left}"
    width = max(10, min(40, shutil.get_terminal_size().columns - len(text) - 2))
    full = round(width * done / total) if total else width
    return text.format("█" * full + "░" * (width - full))
