"""Places, kept for the sake of programs that name them: every tensor lives on the CPU."""

from __future__ import annotations

import warnings
from typing import Any

from dualgraph.errors import message

__all__ = [
    "CPU",
    "DEVICES",
    "CPUPlace",
    "CUDAPlace",
    "Place",
    "get_device",
    "is_compiled_with_cuda",
    "set_device",
]


class Place:
    """Where a tensor lives."""

    def __init__(self, kind: str = "cpu") -> None:
        self.kind = kind

    def is_cpu_place(self) -> bool:
        """True."""
        return True

    def is_gpu_place(self) -> bool:
        """False: there is no other place than the CPU."""
        return False

    def __repr__(self) -> str:
        return f"Place({self.kind})"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Place)

    def __hash__(self) -> int:
        return hash(self.kind)


class CPUPlace(Place):
    """The CPU."""

    def __init__(self) -> None:
        super().__init__("cpu")


class CUDAPlace(Place):
    """Accepted and mapped to the CPU, so that scripts written for a GPU run."""

    def __init__(self, device_id: int = 0) -> None:
        super().__init__("cpu")
        self.device_id = device_id


CPU = CPUPlace()
DEVICES = ("cpu", "gpu", "xpu", "npu", "cuda")  # kinds that programs name


def set_device(device: str) -> Place:
    """Choose the device; all but "cpu" become the CPU with a warning. ValueError if unknown."""
    kind = str(device).partition(":")[0]
    if kind not in DEVICES:
        raise ValueError(
            message("set_device", f"{device!r} is given", "expected 'cpu' or 'gpu[:n]'")
        )
    if kind != "cpu":
        warnings.warn(f"[set_device] {device!r} is not available; the CPU is used", stacklevel=2)
    return CPU


def get_device() -> str:
    """The device in use: "cpu"."""
    return "cpu"


def is_compiled_with_cuda() -> bool:
    """False."""
    return False
