"""Peers as processes: a worker that stays for its rounds, or an interpreter for each import."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from benchmarks.harness import PeerFailed, PeerSkipped

ROOT = Path(__file__).resolve().parent.parent
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
CAN_PAUSE = hasattr(signal, "SIGSTOP")


def environment(threads: int) -> dict[str, str]:
    """This process's environment with every BLAS's threads fixed, for a process to be started."""
    # Importing from source each time would be timed as if it were importing.
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | dict.fromkeys(THREAD_VARIABLES, str(threads))


class WorkerRunner:
    """A peer in a worker process, started at the first case and again after it has died.

    Between its rounds the process is stopped: a thread pool that spins while it waits would
    otherwise take a core from the next peer.
    """

    def __init__(self, name: str, python: str, threads: int, module: str | None = None) -> None:
        self.name = name
        self.version = ""
        self._python = python
        self._threads = threads
        self._module = module or f"benchmarks.peers.{name}_peer"
        self._process: subprocess.Popen[str] | None = None
        self._stderr: IO[str] | None = None
        self._open = ExitStack()
        self._fault: PeerSkipped | PeerFailed | None = None

    def prepare(self, case: str, seconds: float) -> list[float]:
        """Start the worker if need be, build the case in it and fix its repetitions."""
        if self._fault is not None:
            raise self._fault
        if self._process is None:
            self._start()
            self._load()
        answer = self._ask({"do": "prepare", "case": case, "seconds": seconds})
        if "skip" in answer:
            raise PeerSkipped(answer["skip"])
        check: list[float] = answer["check"]
        return check

    def round(self) -> float:
        """Seconds of one operation."""
        seconds: float = self._ask({"do": "round"})["seconds"]
        return seconds

    def close(self) -> None:
        """End the worker."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()  # a stopped process dies of it, too
        self._process = self._stderr = None
        self._open.close()

    def _start(self) -> None:
        words = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - the stack closes it
        stderr = self._open.enter_context(words)
        try:
            worker = subprocess.Popen(
                [self._python, "-m", "benchmarks.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=ROOT,
                env=environment(self._threads),
                text=True,
            )
        except OSError as error:
            self.close()
            self._fault = PeerSkipped(f"{self._python} does not run: {error.strerror}")
            raise self._fault from error
        self._process, self._stderr = self._open.enter_context(worker), stderr

    def _load(self) -> None:
        """Import the peer; what prevents it once prevents it for every case."""
        request = {"do": "load", "module": self._module, "threads": self._threads}
        try:
            answer = self._ask(request)
        except PeerFailed as fault:
            self._fault = fault
            raise
        if "skip" in answer:
            self.close()
            self._fault = PeerSkipped(answer["skip"])
            raise self._fault
        self.version = answer["version"]

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("[ask] no worker is running; expected a case; call prepare first")
        self._signal(process, "SIGCONT")
        try:
            # Past the buffer, which would keep what a dead worker did not take.
            os.write(process.stdin.fileno(), f"{json.dumps(request)}\n".encode())
        except BrokenPipeError:
            raise PeerFailed(self._last_words(process)) from None
        line = process.stdout.readline()
        if not line:
            raise PeerFailed(self._last_words(process))
        self._signal(process, "SIGSTOP")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _signal(self, process: subprocess.Popen[str], name: str) -> None:
        if CAN_PAUSE:
            process.send_signal(getattr(signal, name))

    def _last_words(self, process: subprocess.Popen[str]) -> str:
        """How the worker ended; what it wrote on stderr is passed on if an exception ended it."""
        code = process.wait()
        words = ""
        if code >= 0 and self._stderr is not None:
            self._stderr.seek(0)
            words = self._stderr.read()
            sys.stderr.write(f"\n{words}")
        self.close()
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}: {words.strip().rpartition(chr(10))[2]}"


class ImportRunner:
    """`import numpy`, for another peer that peer too, timed from outside in fresh interpreters."""

    def __init__(self, name: str, python: str, threads: int) -> None:
        self.name = name
        self.version = ""
        self._python = python
        self._environment = environment(threads)
        self._statement = "import numpy" if name == "numpy" else f"import numpy, {name}"

    def prepare(self, case: str, seconds: float) -> list[float]:
        """See whether the peer is there; this warms the disk cache and writes its bytecode, too."""
        # A folder without __init__ imports as an empty package: only a file counts.
        probe = (
            f"import importlib.util as u; s = u.find_spec({self.name!r}); "
            "raise SystemExit(3 if s is None or s.origin is None else 0)"
        )
        try:
            found = self._run(probe)
        except OSError as error:
            raise PeerSkipped(f"{self._python} does not run: {error.strerror}") from error
        if found.returncode == 3:
            raise PeerSkipped("not installed")
        loaded = self._run(
            f"{self._statement}; print(getattr({self.name}, '__version__', 'unknown'))"
        )
        if loaded.returncode:
            raise PeerFailed(f"does not import: {loaded.stderr.strip().rpartition(chr(10))[2]}")
        self.version = loaded.stdout.strip()
        return []

    def round(self) -> float:
        """Seconds from start to end of one interpreter."""
        start = time.perf_counter()
        done = self._run(self._statement)
        elapsed = time.perf_counter() - start
        if done.returncode:
            raise PeerFailed(f"the interpreter ended with exit code {done.returncode}")
        return elapsed

    def close(self) -> None:
        """Nothing stays open between rounds."""

    def _run(self, program: str) -> subprocess.CompletedProcess[str]:
        command = [self._python, "-c", program]
        return subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False
        )


AnyRunner = WorkerRunner | ImportRunner


def make_runners(
    peers: tuple[str, ...], pythons: Mapping[str, str], threads: int, fresh: bool
) -> list[AnyRunner]:
    """A runner for each peer, in the interpreter named for it, else in this one."""
    kind = ImportRunner if fresh else WorkerRunner
    return [kind(peer, pythons.get(peer, sys.executable), threads) for peer in peers]
