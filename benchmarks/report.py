"""What was measured, as a table for people and as JSON for programs."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.harness import Measurement, Target, agree, difference, ratio, spread
from benchmarks.suite import Benchmark, Case

HEADINGS = ("case", "peer", "median", "IQR", "ratio", "over", "target", "verdict")
LEFT_ALIGNED = {"case", "peer", "target", "verdict"}
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def duration(seconds: float) -> str:
    """Three digits and the largest unit that leaves one before the point."""
    size = abs(seconds)
    scale, unit = next((pair for pair in UNITS if size >= pair[0]), UNITS[-1])
    value = seconds / scale
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f} {unit}"


def over(seconds: float) -> str:
    """A difference, with its sign."""
    return f"{'+' if seconds >= 0 else ''}{duration(seconds)}"


def wanted(target: Target) -> str:
    """A target in words."""
    if target.kind == "ratio":
        return f"<= {target.limit:.2f} x {target.reference}"
    return f"<= {target.reference} + {duration(target.limit)}"


def value(measured: Measurement, target: Target) -> float | None:
    """The figure that a target is about, or None where a peer was not measured."""
    ours = measured.samples.get(target.peer)
    theirs = measured.samples.get(target.reference)
    if not ours or not theirs:
        return None
    return (ratio if target.kind == "ratio" else difference)(ours, theirs)


def verdict(measured: Measurement, target: Target) -> str:
    """`met`, `missed by …`, or `not measured`."""
    figure = value(measured, target)
    if figure is None:
        return "not measured"
    if figure <= target.limit:
        return "met"
    missed = figure - target.limit
    return f"missed by {f'{missed:.2f}' if target.kind == 'ratio' else duration(missed)}"


def comparison(measured: Measurement, peer: str, reference: str) -> tuple[str, str]:
    """The ratio and the difference of two peers, blank where one was not measured."""
    ours, theirs = measured.samples.get(peer), measured.samples.get(reference)
    if not ours or not theirs or peer == reference:
        return "", ""
    return f"{ratio(ours, theirs):.2f}", over(difference(ours, theirs))


def case_rows(benchmark: Benchmark, case: Case, measured: Measurement) -> list[list[str]]:
    """A row for each peer that ran or has a target; a further row for each further target."""
    reference = benchmark.peers[0]
    rows = []
    for peer in benchmark.peers:
        targets = [target for target in case.targets if target.peer == peer]
        row = [case.name, peer, "", "", "", ""]
        if peer in measured.samples:
            samples = measured.samples[peer]
            figures = comparison(measured, peer, reference)
            row[2:] = [duration(median(samples)), duration(spread(samples)), *figures]
        elif not targets or peer not in measured.skipped | measured.failed:
            continue
        if not matches(measured, peer, reference):
            rows.append([*row, "", f"DIFFERS from {reference}: not the same computation"])
            continue
        first = targets[:1]
        rows.append(row + [text for t in first for text in (wanted(t), verdict(measured, t))])
        for target in targets[1:]:
            figures = comparison(measured, peer, target.reference)
            further = [wanted(target), verdict(measured, target)]
            rows.append(["", "", "", "", *figures, *further])
    return rows


def matches(measured: Measurement, peer: str, reference: str) -> bool:
    """Whether a peer computed what the reference did; true where either is missing."""
    ours, theirs = measured.checks.get(peer), measured.checks.get(reference)
    return ours is None or theirs is None or agree(ours, theirs)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows under the headings, in columns as wide as they need to be; repeated cases named once."""
    filled = [[*row, *[""] * (len(HEADINGS) - len(row))] for row in rows]
    named = ""
    for row in filled:
        named, row[0] = (row[0] or named), ("" if row[0] == named else row[0])
    grid = [list(HEADINGS), *filled]
    widths = [max(len(row[column]) for row in grid) for column in range(len(HEADINGS))]
    lines = []
    for row in grid:
        cells = (
            text.ljust(width) if heading in LEFT_ALIGNED else text.rjust(width)
            for text, width, heading in zip(row, widths, HEADINGS, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def notes(measurements: Sequence[Measurement], versions: dict[str, str]) -> list[str]:
    """Which peers took part, which did not and why, which broke."""
    lines = ["peers: " + ", ".join(f"{name} {version}" for name, version in versions.items())]
    for word in ("skipped", "failed"):
        reasons: dict[str, list[str]] = {}
        for measured in measurements:
            for peer, reason in getattr(measured, word).items():
                reasons.setdefault(f"{word}: {peer} ({reason})", []).append(measured.case)
        everywhere = len(measurements)
        for line, cases in reasons.items():
            lines.append(line if len(cases) == everywhere else f"{line} in {', '.join(cases)}")
    return lines


def as_text(
    benchmark: Benchmark, measurements: Sequence[Measurement], versions: dict[str, str]
) -> str:
    """A benchmark's heading, table and notes."""
    rows = [
        row
        for case, measured in zip(benchmark.cases, measurements, strict=True)
        for row in case_rows(benchmark, case, measured)
    ]
    lines = [f"{benchmark.name}: {benchmark.about}", table(rows), *notes(measurements, versions)]
    return "\n".join(lines)


def case_record(benchmark: Benchmark, case: Case, measured: Measurement) -> dict[str, Any]:
    """One case with every round, so that other statistics can be drawn later."""
    reference = benchmark.peers[0]
    peers = {
        peer: {
            "median": median(samples),
            "iqr": spread(samples),
            "same_as_reference": matches(measured, peer, reference),
            "rounds": samples,
        }
        for peer, samples in measured.samples.items()
    }
    targets = [
        {
            "peer": target.peer,
            "reference": target.reference,
            "kind": target.kind,
            "limit": target.limit,
            "value": value(measured, target),
            "verdict": verdict(measured, target),
        }
        for target in case.targets
    ]
    return {
        "case": case.name,
        "peers": peers,
        "targets": targets,
        "skipped": measured.skipped,
        "failed": measured.failed,
    }


def as_record(
    benchmark: Benchmark, measurements: Sequence[Measurement], versions: dict[str, str]
) -> dict[str, Any]:
    """A benchmark as plain data; times are seconds."""
    pairs = zip(benchmark.cases, measurements, strict=True)
    return {
        "name": benchmark.name,
        "versions": versions,
        "cases": [case_record(benchmark, case, measured) for case, measured in pairs],
    }
