"""How long striate's command line takes to start: the help, and a training's first epoch.

Run with ``python -m benchmarks.startup``. The first start finds empty caches of compiled
programs, later starts find what it has left.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.machine import describe, versions
from benchmarks.summary import Spread
from benchmarks.table import one_or_none, spread_or_none, table

STRIATE = [sys.executable, "-m", "striate"]
TRAIN = ["train", "digits", "--epochs", "1", "--no-report"]
FIRST_EPOCH = "epoch 1/"
REPORTED = ("seconds_to_first_step", "seconds_to_first_epoch")


def watched(command: Sequence[str], environment: Mapping[str, str]) -> dict[str, float]:
    """Return the seconds of a whole process, and those until it told of its first epoch.

    Raises
    ------
    SystemExit
        If the command fails, with the end of what it said.
    """
    times = {}
    said = []
    begin = time.monotonic()
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    ) as process:
        for line in process.stdout or ():
            said.append(line.strip())
            if line.startswith(FIRST_EPOCH) and "first epoch's end" not in times:
                times["first epoch's end"] = time.monotonic() - begin
    times["whole process"] = time.monotonic() - begin
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit status {process.returncode}: {said[-1:]}")
    return times


def trained(directory: Path, environment: Mapping[str, str]) -> dict[str, float]:
    """Train one epoch of the digits; return what it took, and what its run has noted."""
    times = watched([*STRIATE, *TRAIN, "--out", str(directory)], environment)
    for path in directory.glob("*/config.json"):
        timing = json.loads(path.read_text(encoding="utf-8")).get("timing", {})
        times |= {f"run's {name}": timing[name] for name in REPORTED if name in timing}
    return times


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--times", type=int, default=7, metavar="N", help="default: 7")
    options = parser.parse_args(arguments)
    if options.times < 2:
        parser.error("--times must be at least 2: a first start and a later one")
    with tempfile.TemporaryDirectory(prefix="striate-startup-") as name:
        directory = Path(name)
        environment = {**os.environ, "XDG_CACHE_HOME": str(directory / "cache")}
        helped = [
            watched([*STRIATE, "--help"], environment)["whole process"]
            for _ in range(options.times)
        ]
        starts = [trained(directory / f"runs{i}", environment) for i in range(options.times)]
    body = [["striate --help", one_or_none(helped[0]), spread_or_none(Spread.of(helped[1:]))]]
    for key in starts[0]:
        label = f"striate {' '.join(TRAIN)}: {key}"
        later = Spread.of(start[key] for start in starts[1:] if key in start)
        body.append([label, one_or_none(starts[0][key]), spread_or_none(later)])
    machine, packages = describe(), versions()
    print(
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, "
        f"striate {packages['striate']}, jax {packages['jax']}, n = {options.times}\n"
    )
    print(table(["seconds", "first start", "later starts: median (range)"], body))
    return 0


if __name__ == "__main__":
    sys.exit(main())
