"""The other side of a measurement: one process that holds one peer and runs its rounds on request.

Requests and answers are one JSON object a line, over stdin and stdout:

    {"do": "load", "module": "benchmarks.peers.torch_peer", "threads": 1}
        -> {"version": "2.13.0"} or {"skip": "not installed"}
    {"do": "prepare", "case": "seed_step/step", "seconds": 0.1}
        -> {"check": [1.27, …], "repetitions": 64} or {"skip": "has no such case"}
    {"do": "round"}
        -> {"seconds": 0.00053}, for one operation

A fault in the peer ends the process with its traceback on stderr. Nothing here needs dualgraph:
the interpreter may be any that has numpy and the peer.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from benchmarks.workload import Workload, Workloads, calibrated, timed

Answer = dict[str, Any]


def why_absent(error: ImportError, peer: str) -> str:
    """One line on why a peer cannot be imported."""
    library = peer.rpartition(".")[2].removesuffix("_peer")
    if isinstance(error, ModuleNotFoundError) and error.name == library:
        return "not installed"
    return f"does not import: {error}"


class Worker:
    """The peer that is loaded, and the workload that is being measured."""

    def __init__(self) -> None:
        self.workloads: Workloads = {}
        self.workload: Workload | None = None
        self.repetitions = 0

    def load(self, module: str, threads: int) -> Answer:
        try:
            peer = importlib.import_module(module)
        except ImportError as error:
            return {"skip": why_absent(error, module)}
        library: ModuleType = peer.LIBRARY
        if library.__file__ is None:
            return {"skip": "not installed"}  # an empty folder of that name on the path
        self.workloads = peer.load(threads)
        return {"version": str(getattr(library, "__version__", "unknown"))}

    def prepare(self, case: str, seconds: float) -> Answer:
        self.workload = None  # what was measured before is freed first
        build = self.workloads.get(case)
        if build is None:
            return {"skip": "has no such case"}
        workload = build()
        check = workload.check()
        self.repetitions = calibrated(workload, seconds)
        self.workload = workload
        return {"check": check, "repetitions": self.repetitions}

    def round(self) -> Answer:
        if self.workload is None:
            raise RuntimeError("[round] nothing is prepared; expected a case; send prepare first")
        elapsed = timed(self.workload, self.repetitions)
        return {"seconds": elapsed / (self.repetitions * self.workload.operations)}

    def answer(self, request: dict[str, Any]) -> Answer:
        arguments = {key: value for key, value in request.items() if key != "do"}
        acts: dict[str, Callable[..., Answer]] = {
            "load": self.load,
            "prepare": self.prepare,
            "round": self.round,
        }
        return acts[request["do"]](**arguments)


def main() -> None:
    """Answer requests until stdin ends."""
    # Libraries print while they load: the protocol keeps stdout, all else goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        answers.write(json.dumps(worker.answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
