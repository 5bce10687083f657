"""Peers as processes: the line protocol, absence, death, and the command line with few rounds."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.harness import PeerFailed, PeerSkipped
from benchmarks.processes import ROOT, THREAD_VARIABLES, ImportRunner, WorkerRunner
from benchmarks.suite import BENCHMARKS

FAKE_PEER = """
import os
import fake_library
from benchmarks.workload import Workload

LIBRARY = fake_library
print("libraries print while they load")


def fine():
    facts = [1.5, float(os.environ["OMP_NUM_THREADS"]), os.getpid()]
    return Workload(check=lambda: facts, run=lambda n: None)


def wrong():
    raise ValueError("[fake] nothing was given")


def dead():
    return Workload(check=lambda: [], run=lambda n: os.kill(os.getpid(), 11))


def load(threads):
    print("and while they run")
    return {"b/fine": fine, "b/wrong": wrong, "b/dead": dead, "b/threads": fine}
"""

Make = Callable[..., WorkerRunner]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Runners of peers whose modules lie in a folder of this test's own."""
    (tmp_path / "fake_library.py").write_text('__version__ = "7.5"\n')
    (tmp_path / "fake_library_peer.py").write_text(FAKE_PEER)
    (tmp_path / "missing_peer.py").write_text("import missing\n")
    (tmp_path / "torn_peer.py").write_text("from fake_library import nothing\n")
    (tmp_path / "broken_peer.py").write_text("1 / 0\n")
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow_peer.py").write_text("import hollow\nLIBRARY = hollow\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    opened: list[WorkerRunner] = []

    def build(module: str = "fake_library_peer", python: str = sys.executable) -> WorkerRunner:
        opened.append(WorkerRunner("fake", python, 3, module))
        return opened[-1]

    yield build
    for runner in opened:
        runner.close()


def test_a_worker_prepares_and_runs_rounds_on_request(make: Make) -> None:
    runner = make()
    check = runner.prepare("b/fine", 0.0)
    assert check[0] == 1.5
    assert runner.round() >= 0.0
    assert runner.round() >= 0.0
    assert runner.version == "7.5"


def test_a_workers_threads_are_fixed_before_it_imports_anything(make: Make) -> None:
    assert "OMP_NUM_THREADS" in THREAD_VARIABLES
    assert make().prepare("b/threads", 0.0)[1] == 3.0


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("missing_peer", "not installed"),
        ("hollow_peer", "not installed"),
        ("torn_peer", "does not import: cannot import name 'nothing'"),
    ],
)
def test_a_peer_that_does_not_import_is_skipped_with_the_reason(
    make: Make, module: str, reason: str
) -> None:
    runner = make(module)
    for _ in range(2):
        with pytest.raises(PeerSkipped, match=reason):
            runner.prepare("b/fine", 0.0)


def test_an_interpreter_that_does_not_exist_is_skipped(make: Make) -> None:
    with pytest.raises(PeerSkipped, match="/nowhere/python does not run"):
        make(python="/nowhere/python").prepare("b/fine", 0.0)


def test_a_case_that_a_peer_has_not_is_skipped_and_the_worker_lives(make: Make) -> None:
    runner = make()
    with pytest.raises(PeerSkipped, match="has no such case"):
        runner.prepare("b/unheard of", 0.0)
    assert runner.prepare("b/fine", 0.0)[0] == 1.5


def test_a_peer_that_breaks_while_it_loads_is_not_loaded_again(
    make: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    runner = make("broken_peer")
    for _ in range(2):
        with pytest.raises(PeerFailed, match="ZeroDivisionError"):
            runner.prepare("b/fine", 0.0)
    assert capfd.readouterr().err.count("Traceback") == 1


def test_an_exception_in_a_peer_is_reported_and_the_next_case_has_a_new_worker(
    make: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    runner = make()
    with pytest.raises(PeerFailed, match=r"exit code 1: ValueError: \[fake\] nothing was given"):
        runner.prepare("b/wrong", 0.0)
    assert "Traceback" in capfd.readouterr().err
    assert runner.prepare("b/fine", 0.0)[0] == 1.5


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals")
def test_a_crash_of_a_peer_is_reported_with_its_signal(make: Make) -> None:
    runner = make()
    with pytest.raises(PeerFailed, match="ended by SIGSEGV"):
        runner.prepare("b/dead", 0.0)
    assert runner.prepare("b/fine", 0.0)[0] == 1.5


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs POSIX signals")
def test_a_worker_stands_still_between_its_rounds_and_its_death_there_is_noticed(
    make: Make,
) -> None:
    runner = make()
    pid = int(runner.prepare("b/fine", 0.0)[2])
    runner.round()
    assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(PeerFailed, match="ended by SIGKILL"):
        runner.round()


def test_the_worker_speaks_one_json_object_a_line_and_ends_with_its_input() -> None:
    requests: list[dict[str, Any]] = [
        {"do": "load", "module": "benchmarks.peers.numpy_peer", "threads": 1},
        {"do": "prepare", "case": "seed_step/step", "seconds": 0.0},
        {"do": "round"},
    ]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker"],
        input="".join(f"{json.dumps(request)}\n" for request in requests),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    version, prepared, timing = (json.loads(line) for line in done.stdout.splitlines())
    assert set(version) == {"version"}
    assert prepared["repetitions"] == 2
    assert len(prepared["check"]) == 4
    assert timing["seconds"] > 0.0


def test_the_worker_and_its_peers_load_without_dualgraph() -> None:
    program = (
        "import sys; sys.modules['dualgraph'] = None; "
        "import benchmarks.worker, benchmarks.peers.numpy_peer, benchmarks.peers.paddle_like"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_an_import_is_timed_in_a_fresh_interpreter() -> None:
    with closing(ImportRunner("numpy", sys.executable, 1)) as runner:
        assert runner.prepare("import_time/import", 0.0) == []
        assert runner.round() > 0.0
        assert runner.version


def test_an_import_that_is_not_there_is_skipped() -> None:
    with (
        closing(ImportRunner("no_such_library", sys.executable, 1)) as runner,
        pytest.raises(PeerSkipped, match="not installed"),
    ):
        runner.prepare("import_time/import", 0.0)


def dualgraph_is_importable() -> bool:
    """A folder that is not yet a package counts as absent."""
    spec = importlib.util.find_spec("dualgraph")
    return spec is not None and spec.origin is not None


QUICK = ["--rounds", "1", "--round-seconds", "0", "--peers", "numpy,dualgraph"]


@pytest.mark.parametrize("name", [benchmark.name for benchmark in BENCHMARKS])
def test_each_benchmark_runs_with_one_round(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.json"
    assert main([name, *QUICK, "--json", str(results)]) == 0
    text = capfd.readouterr().out
    assert f"\n{name}: " in text
    assert "DIFFERS" not in text
    (record,) = json.loads(results.read_text(encoding="utf-8"))["benchmarks"]
    expected = {"numpy", "dualgraph"} if dualgraph_is_importable() else {"numpy"}
    for case in record["cases"]:
        assert set(case["peers"]) == expected
        assert all(len(peer["rounds"]) == 1 for peer in case["peers"].values())


def test_an_absent_peer_is_named_in_the_output(capfd: pytest.CaptureFixture[str]) -> None:
    quick = ["--rounds", "1", "--round-seconds", "0", "--peers", "numpy,torch"]
    assert main(["optimizers", *quick, "--peer-python", "torch=/nowhere/python"]) == 0
    said = capfd.readouterr().out
    assert "skipped: torch (/nowhere/python does not run: No such file or directory)" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["no_such_benchmark"],
        ["--rounds", "0"],
        ["--threads", "0"],
        ["--peers", "numpy,jax"],
        ["--peer-python", "torch"],
        ["--peer-python", "jax=/usr/bin/python3"],
    ],
)
def test_a_command_line_that_means_nothing_is_refused(
    arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "error: " in capfd.readouterr().err
