"""`python -m dualgraph`: train the dynamic model and show what it did.

`python -m dualgraph info`: print the set-up.
"""

from __future__ import annotations

import argparse
import sys

from dualgraph import demo, info


def main(arguments: list[str] | None = None) -> int:
    """Run one of the commands; returns the exit code."""
    parser = argparse.ArgumentParser("python -m dualgraph", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    for command in (
        parser,
        commands.add_parser("train", help="train the dynamic model (the default)"),
    ):
        command.add_argument("--steps", type=_positive, default=3000, help="training steps (3000)")
        command.add_argument(
            "--seed", type=int, default=0, help="seed of data, weights and coins (0)"
        )
    commands.add_parser("info", help="versions, CPU features, threads and cache directory")
    chosen = parser.parse_args(arguments)
    if chosen.command == "info":
        print(info.text())
        return 0
    print(f"A network that tosses a coin for its second layer, {chosen.steps} training steps.\n")
    print(demo.report([demo.train(chosen.steps, chosen.seed)]))
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} steps were asked for; expected at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
