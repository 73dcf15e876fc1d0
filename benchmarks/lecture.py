"""A lecture's training as a whole process: ``striate train`` beside the same script in Keras.

Run with ``python -m benchmarks.lecture``: MNIST, the Heidelberg network, three epochs, with its
validation after each. striate once with its report and once without; each has caches of compiled
programs of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import describe, versions
from benchmarks.programs import PROGRAMS
from benchmarks.startup import STRIATE, watched
from benchmarks.summary import Spread
from benchmarks.table import one_or_none, spread_or_none, table

TRAIN = ["train", "mnist", "--model", "heidelberg", "--epochs", "3", "--batch-size", "64"]
SCRIPT = Path(__file__).parent / "peers" / "lecture_script.py"
KERAS = "keras-tensorflow"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of whole processes and of how many times as long Keras's takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lecture", description=__doc__)
    parser.add_argument("--times", type=int, default=3, metavar="N", help="default: 3")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("STRIATE_DATA", ".")),
        metavar="DIRECTORY",
        help="where mnist/ with the four IDX files is; default: STRIATE_DATA",
    )
    options = parser.parse_args(arguments)
    if options.times < 2:
        parser.error("--times must be at least 2: a first start and a later one")
    mnist = options.data / "mnist"
    if not mnist.is_dir():
        parser.error(f"{mnist} is missing: give the directory that holds mnist/ with --data")
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="striate-lecture-") as name:
        directory = Path(name)
        environment = {**os.environ, "STRIATE_DATA": str(options.data)}
        train = [*STRIATE, *TRAIN, "--out", str(directory / "runs")]
        programs = {
            "striate train": (train, {}),
            "striate train --no-report": ([*train, "--no-report"], {}),
            PROGRAMS[KERAS].title: (
                [sys.executable, str(SCRIPT), str(mnist)],
                PROGRAMS[KERAS].environment,
            ),
        }
        for _ in range(options.times):
            for title, (command, variables) in programs.items():
                own = {"XDG_CACHE_HOME": str(directory / title)}
                took = watched(command, environment | own | variables)["whole process"]
                seconds.setdefault(title, []).append(took)
    reference = seconds[PROGRAMS[KERAS].title][1:]
    body = []
    for title, (first, *later) in seconds.items():
        ratios = Spread.of(peer / own for own, peer in zip(later, reference, strict=True))
        spread = spread_or_none(Spread.of(later))
        body.append([title, one_or_none(first), spread, spread_or_none(ratios)])
    machine, packages = describe(), versions()
    print(
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"striate {packages['striate']}, jax {packages['jax']}, n = {options.times}\n"
    )
    print(table(["seconds", "first start", "later starts", "Keras / this, later starts"], body))
    return 0


if __name__ == "__main__":
    sys.exit(main())
