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
REPORTED = ("seconds_to_first_step", "seconds_to_first_epoch")


def seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Return the seconds of a whole process.

    Raises
    ------
    SystemExit
        If the command fails, with the end of what it said.
    """
    begin = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    took = time.monotonic() - begin
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}: {said[-1:]}")
    return took


def trained(directory: Path, environment: Mapping[str, str]) -> dict[str, float]:
    """Train one epoch of the digits; return the process's seconds and what its run has noted."""
    command = [*STRIATE, "train", "digits", "--epochs", "1", "--out", str(directory)]
    times = {"whole process": seconds(command, environment)}
    for path in directory.glob("*/config.json"):
        timing = json.loads(path.read_text(encoding="utf-8")).get("timing", {})
        times |= {name: timing[name] for name in REPORTED if name in timing}
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
        helped = [seconds([*STRIATE, "--help"], environment) for _ in range(options.times)]
        starts = [trained(directory / f"runs{i}", environment) for i in range(options.times)]
    body = [["striate --help", one_or_none(helped[0]), spread_or_none(Spread.of(helped[1:]))]]
    for key in starts[0]:
        label = f"striate train digits --epochs 1: {key.replace('_', ' ')}"
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
