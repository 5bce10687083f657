"""The benchmarks: what is measured, in which peers, against which targets."""

from dataclasses import dataclass

from benchmarks.harness import Target

LIBRARIES = ("numpy", "dualgraph", "torch", "paddle")
SMALL_OPS = ("add", "x + y", "exp", "x * 2.0", "relu")
RECORDED = ", recorded"
UPDATES = ("SGD", "Momentum", "Adam", "AdamW")


@dataclass(frozen=True)
class Case:
    """One table row per peer; the name is the one the peers know it by, after the benchmark's."""

    name: str
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Benchmark:
    """Cases with the same peers. The first peer is the reference of every ratio.

    `seconds` is the least length of a round; `fresh` starts an interpreter for each round.
    """

    name: str
    about: str
    cases: tuple[Case, ...]
    rounds: int
    seconds: float
    peers: tuple[str, ...] = LIBRARIES
    fresh: bool = False


STEP_TARGETS = (Target("numpy", 1.3), Target("torch", 0.7), Target("paddle", 0.35))
SMALL_TARGET = (Target("numpy", 2e-6, "difference"),)
IMPORT_TARGET = (Target("numpy", 60e-3, "difference"),)

BENCHMARKS = (
    Benchmark(
        name="seed_step",
        about="one training step of the coin-tossing network, batch 64, both faces in equal parts",
        cases=(Case("step", STEP_TARGETS),),
        rounds=30,
        seconds=0.1,
    ),
    Benchmark(
        name="small_op",
        about="one op on a [1, 16] float32 tensor; `recorded` with a gradient to come",
        cases=tuple(Case(name, SMALL_TARGET) for name in SMALL_OPS)
        + tuple(Case(name + RECORDED) for name in SMALL_OPS),
        rounds=20,
        seconds=0.01,
    ),
    Benchmark(
        name="import_time",
        about="a fresh interpreter that imports numpy, or numpy and dualgraph",
        cases=(Case("import", IMPORT_TARGET),),
        rounds=40,
        seconds=0.0,
        peers=("numpy", "dualgraph"),
        fresh=True,
    ),
    Benchmark(
        name="backward_chain",
        about="y = y * 0.99999, 100,000 times, and backward through all; per op, both ways",
        cases=(Case("op"),),
        rounds=7,
        seconds=0.1,
    ),
    Benchmark(
        name="optimizers",
        about="one update of the network's 99,073 parameters from gradients that are there",
        cases=tuple(Case(name) for name in UPDATES),
        rounds=20,
        seconds=0.03,
    ),
)
