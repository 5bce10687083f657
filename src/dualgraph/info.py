"""What `python -m dualgraph info` prints: versions, CPU features, threads, cache directory."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

from dualgraph.version import full_version

__all__ = ["cache_directory", "text"]

_OPTIONAL = ("safetensors", "ml_dtypes")
_THREAD_VARIABLES = (
    "DUALGRAPH_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)


def cache_directory() -> Path:
    """Where compiled kernels are kept.

    $DUALGRAPH_CACHE_DIR if that is set, else `dualgraph` in the user's cache directory.
    """
    chosen = os.environ.get("DUALGRAPH_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "dualgraph"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dualgraph"


def text() -> str:
    """The report, one fact a line."""
    facts = {
        "dualgraph": full_version,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "numpy": f"{np.__version__}, BLAS {_blas()}",
        "llvmlite": _version("llvmlite"),
        **{name: _version(name) for name in _OPTIONAL},
        "system": f"{platform.system()} {platform.machine()}",
        "CPU features": " ".join(_features()) or "unknown",
        "threads": _threads(),
        "cache directory": str(cache_directory()),
    }
    width = max(map(len, facts)) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in facts.items())


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _config() -> dict[str, Any]:
    found: Any = np.show_config(mode="dicts")
    return found if isinstance(found, dict) else {}


def _blas() -> str:
    blas = _config().get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _features() -> list[str]:
    simd = _config().get("SIMD Extensions", {})
    return [*simd.get("baseline", []), *simd.get("found", [])]


def _threads() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    set_to = [f"{name}={os.environ[name]}" for name in _THREAD_VARIABLES if name in os.environ]
    return ", ".join([f"{usable} usable", *set_to])
