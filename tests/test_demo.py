"""The command line: `python -m dualgraph`, its report, its progress bar, and `info`."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

import dualgraph as dg
from dualgraph import demo, info
from dualgraph.__main__ import main
from dualgraph.progress import bar, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_training_takes_both_structures_and_learns() -> None:
    run = demo.train(steps=400, seed=3)
    short, long = sorted(run.seconds, key=len)
    assert short == ("linear1", "linear3")
    assert long == ("linear1", "linear2", "linear3")
    assert (run.parameters[short], run.parameters[long]) == (33_281, 99_073)
    assert sum(map(len, run.seconds.values())) == len(run.losses) == 400
    # 400 tosses of a fair coin: this far from half once in 10^12.
    assert 130 < len(run.seconds[short]) < 270
    assert sum(run.losses[-50:]) < 0.7 * sum(run.losses[:50])


def test_the_same_seed_trains_the_same() -> None:
    first, second = demo.train(steps=5, seed=1), demo.train(steps=5, seed=1)
    assert first.losses == second.losses
    assert first.losses != demo.train(steps=5, seed=2).losses


def test_the_command_shows_structures_shares_loss_and_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--steps", "30"]) == 0
    shown = capsys.readouterr().out
    assert "33,281" in shown
    assert "99,073" in shown
    shares = [float(s) for s in re.findall(r"share of steps +([\d.]+)%", shown)]
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert len(re.findall(r"time per step +[\d.]+ ms", shown)) == 3
    assert re.search(r"mean loss, first 1 +\d", shown)


def test_runs_stand_side_by_side() -> None:
    run = demo.train(steps=10)
    other = demo.Run("other", run.losses, run.seconds, run.parameters)
    head, *rows = demo.report([run, other]).splitlines()
    assert head.split() == ["eager", "other"]
    assert next(row for row in rows if "parameters" in row).split()[-2:] == ["33,281"] * 2


@pytest.mark.parametrize("steps", ["0", "-3", "x"])
def test_a_number_of_steps_that_makes_no_sense_is_refused(
    steps: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--steps", steps])
    assert "--steps" in capsys.readouterr().err


def test_info_names_versions_features_threads_and_cache(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUALGRAPH_CACHE_DIR", "somewhere")
    assert main(["info"]) == 0
    facts = dict(re.split(r"\s{2,}", line) for line in capsys.readouterr().out.splitlines())
    assert facts["dualgraph"] == dg.__version__
    assert {"python", "numpy", "llvmlite", "CPU features", "threads"} <= set(facts)
    assert facts["cache directory"] == "somewhere"


def test_the_cache_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUALGRAPH_CACHE_DIR", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert info.cache_directory() == Path("/caches/dualgraph")
    monkeypatch.setattr("sys.platform", "darwin")
    assert info.cache_directory() == Path.home() / "Library" / "Caches" / "dualgraph"


def test_a_package_that_is_missing_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(info, "_OPTIONAL", ("no-such-package",))
    assert re.search(r"no-such-package +not installed", info.text())


# -- progress --------------------------------------------------------------------------------------


def test_progress_is_silent_where_nobody_watches() -> None:
    stream = io.StringIO()
    assert list(progress(range(3), 3, "work", stream)) == [0, 1, 2]
    assert stream.getvalue() == ""


def test_progress_draws_and_wipes_its_line() -> None:
    stream = Terminal()
    assert list(progress(range(3), 3, "work", stream)) == [0, 1, 2]
    shown = stream.getvalue()
    assert "work" in shown
    assert "0/3" in shown
    assert shown.endswith("\r")


def test_progress_wipes_its_line_when_work_fails() -> None:
    stream = Terminal()
    items = progress(range(3), 3, "work", stream)
    next(items)
    with pytest.raises(KeyError):
        items.throw(KeyError)
    assert stream.getvalue().endswith("\r")


def test_a_bar_fills_up_and_says_what_is_left() -> None:
    assert "░" not in bar("work", 10, 10, 5.0)
    assert "█" not in bar("work", 0, 10, 0.0)
    assert "5 s left" in bar("work", 5, 10, 5.0)


# -- the example -----------------------------------------------------------------------------------


def test_the_example_runs_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    demo.example().main(steps=3)
    shown = capsys.readouterr().out
    assert shown.startswith("0 ")
    assert re.search(r"Total params: (33,281|99,073)", shown)


def test_the_example_takes_inputs_without_a_batch_axis() -> None:
    model = demo.example().DynamicMLP()
    assert model(dg.randn([demo.example().INPUTS])).shape == [1]
