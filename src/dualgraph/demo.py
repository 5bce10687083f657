"""What `python -m dualgraph` shows: the model of examples/dynamic_mlp.py, trained and looked at."""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from dualgraph.nn.layer import Layer
from dualgraph.progress import progress

__all__ = ["Run", "example", "report", "train"]

_HERE = Path(__file__).parent
# The wheel carries the example beside this file; a checkout has it in its own folder.
_PLACES = (_HERE / "examples" / "dynamic_mlp.py", _HERE.parents[1] / "examples" / "dynamic_mlp.py")


def example() -> ModuleType:
    """The module examples/dynamic_mlp.py. FileNotFoundError if this installation lacks it."""
    for path in _PLACES:
        spec = importlib.util.spec_from_file_location("dualgraph_example", path)
        if path.is_file() and spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise FileNotFoundError(
        f"[demo] examples/dynamic_mlp.py is in none of {[str(p) for p in _PLACES]}"
    )


@dataclass
class Run:
    """One training of the model in one mode: times of each structure's steps, and all losses."""

    mode: str
    losses: list[float] = field(default_factory=list)
    seconds: dict[tuple[str, ...], list[float]] = field(default_factory=dict)
    parameters: dict[tuple[str, ...], int] = field(default_factory=dict)

    @property
    def step_seconds(self) -> float:
        """The median time of a step, over all structures."""
        return statistics.median(s for times in self.seconds.values() for s in times)


class _Path:
    """Notes which layers a forward pass goes through."""

    def __init__(self, model: Layer) -> None:
        self.names: list[str] = []
        self.sizes = {
            name: sum(p.size for p in layer.parameters()) for name, layer in model.named_children()
        }
        for name, layer in model.named_children():
            layer.register_forward_pre_hook(self._noting(name))

    def _noting(self, name: str) -> Callable[[Any, Any], None]:
        return lambda _layer, _inputs: self.names.append(name)

    def taken(self) -> tuple[str, ...]:
        """The layers since the last question."""
        names, self.names = tuple(self.names), []
        return names


def train(steps: int, seed: int = 0) -> Run:
    """Train the model eagerly and note loss, structure and time of every step."""
    training = example().Training(seed)
    run = Run("eager")
    path = _Path(training.model)
    for _ in progress(range(steps), steps, "training"):
        x, y = training.batch()
        start = time.perf_counter()
        loss = training.step(x, y)
        seconds = time.perf_counter() - start
        taken = path.taken()
        run.seconds.setdefault(taken, []).append(seconds)
        run.parameters[taken] = sum(path.sizes[name] for name in taken)
        run.losses.append(loss.item())
    return run


def report(runs: list[Run]) -> str:
    """The runs side by side, a column each.

    Rows: each structure with its share and time of steps, then losses and time per step.
    """
    steps = len(runs[0].losses)
    structures = sorted(runs[0].seconds, key=len)
    rows: list[list[str]] = [["", *(run.mode for run in runs)]]
    for structure in structures:
        shares = [run.seconds.get(structure, []) for run in runs]
        rows.append([" → ".join(structure), ""])
        rows.append(["  parameters", *(f"{run.parameters.get(structure, 0):,}" for run in runs)])
        rows.append(["  share of steps", *(f"{len(times) / steps:.1%}" for times in shares)])
        rows.append(["  time per step", *(_milliseconds(times) for times in shares)])
    rows.append(["all steps", ""])
    head = max(1, steps // 20)
    rows.append(
        [f"  mean loss, first {head}", *(f"{statistics.fmean(r.losses[:head]):.4f}" for r in runs)]
    )
    rows.append(
        [f"  mean loss, last {head}", *(f"{statistics.fmean(r.losses[-head:]):.4f}" for r in runs)]
    )
    rows.append(["  time per step", *(f"{run.step_seconds * 1e3:.3f} ms" for run in runs)])
    width = max(len(row[0]) for row in rows) + 2
    return "\n".join(
        (f"{row[0]:<{width}}" + "".join(f"{c:>14}" for c in row[1:])).rstrip() for row in rows
    )


def _milliseconds(times: list[float]) -> str:
    return f"{statistics.median(times) * 1e3:.3f} ms" if times else "-"
