"""`python -m benchmarks [name ...]`: run benchmarks, print tables. Exit code 1 if a peer broke."""

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.harness import Measurement, measure
from benchmarks.processes import AnyRunner, make_runners
from benchmarks.suite import BENCHMARKS, LIBRARIES, Benchmark


def peer_python(text: str) -> tuple[str, str]:
    """`torch=/path/to/python` as a pair."""
    peer, equals, python = text.partition("=")
    if not equals or not python or peer not in LIBRARIES:
        raise argparse.ArgumentTypeError(
            f"{text!r} given; expected PEER=PYTHON with a peer of {', '.join(LIBRARIES)}"
        )
    return peer, python


def peer_list(text: str) -> tuple[str, ...]:
    """`numpy,dualgraph` as names."""
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in LIBRARIES]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown)} given; expected some of {', '.join(LIBRARIES)}"
        )
    return names


def count(text: str) -> int:
    """A whole number from one up."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} given; expected at least 1")
    return number


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Speed of dualgraph beside its peers."
    )
    names = [benchmark.name for benchmark in BENCHMARKS]
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(names)}; all")
    parser.add_argument("--rounds", type=count, help="rounds of each peer; the benchmark's own")
    parser.add_argument("--threads", type=count, default=1, help="BLAS threads of each peer; 1")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    parser.add_argument("--peers", type=peer_list, default=LIBRARIES, help="a,b,…; all there are")
    parser.add_argument(
        "--peer-python",
        type=peer_python,
        action="append",
        default=[],
        metavar="PEER=PYTHON",
        help="the interpreter that has a peer (and numpy), if this one has not; repeatable",
    )
    parser.add_argument(
        "--round-seconds", type=float, help="least length of a round; the benchmark's own"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in names]
    if unknown:
        parser.error(f"{', '.join(unknown)} given; expected some of {', '.join(names)}")
    return options


def show_progress(benchmark: str, rounds: int, case: str, index: int, peer: str) -> None:
    """One line on stderr that is written over, if somebody is looking."""
    if sys.stderr.isatty():
        stage = f"round {index}/{rounds}" if index else "preparing"
        sys.stderr.write(f"\r\033[K{benchmark}/{case}  {stage}  {peer}")
        sys.stderr.flush()


def clear_progress() -> None:
    """Take the progress line away."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()


def run(
    benchmark: Benchmark, options: argparse.Namespace
) -> tuple[list[Measurement], dict[str, str]]:
    """Measure all cases of a benchmark; give them and the versions of the peers that took part."""
    rounds: int = options.rounds or benchmark.rounds
    seconds: float = benchmark.seconds if options.round_seconds is None else options.round_seconds
    peers = tuple(peer for peer in benchmark.peers if peer in options.peers)
    runners: list[AnyRunner] = make_runners(
        peers, dict(options.peer_python), options.threads, benchmark.fresh
    )

    def progress(case: str, index: int, peer: str) -> None:
        show_progress(benchmark.name, rounds, case.partition("/")[2], index, peer)

    try:
        measurements = [
            measure(runners, f"{benchmark.name}/{case.name}", rounds, seconds, progress)
            for case in benchmark.cases
        ]
    finally:
        clear_progress()
        for runner in runners:
            runner.close()
    return measurements, {runner.name: runner.version for runner in runners if runner.version}


def machine(threads: int) -> dict[str, Any]:
    """What the figures depend on, beside the peers."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "threads": threads,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    options = parse(arguments)
    facts = machine(options.threads)
    print(", ".join(f"{name} {fact}" for name, fact in facts.items()))
    records = []
    broken = False
    for benchmark in BENCHMARKS:
        if options.names and benchmark.name not in options.names:
            continue
        measurements, versions = run(benchmark, options)
        print(f"\n{report.as_text(benchmark, measurements, versions)}", flush=True)
        records.append(report.as_record(benchmark, measurements, versions))
        broken = broken or any(measured.failed for measured in measurements)
    if options.json is not None:
        document = {"machine": facts, "benchmarks": records}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    # A plain SIGTERM would leave stopped workers behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    sys.exit(main())
