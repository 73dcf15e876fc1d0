"""Does memory grow when a model is trained again and again? Prints what it holds after each time.

Run with ``python -m benchmarks.memory``; exit status 1 if it has grown too much.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from typing import Literal

import psutil

from benchmarks.peers.striate_program import prepare
from benchmarks.table import table
from benchmarks.workloads import WORKLOADS, make_inputs

# The first fits compile and fill caches; growth is counted from here.
SETTLED = 3
LARGEST_GROWTH = 0.05


def resident_after_each(way: Literal["fit", "train"], times: int) -> list[int]:
    """Train the network of row N12 again and again; return the resident bytes after each time."""
    workload = WORKLOADS["N12"]
    trainer = prepare(workload, make_inputs(workload), shuffle=True, way=way)
    process = psutil.Process()
    resident = []
    for _ in range(times):
        trainer.train(2)
        gc.collect()
        resident.append(process.memory_info().rss)
    return resident


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and the verdict."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--times", type=int, default=20, metavar="N", help="default: 20")
    parser.add_argument("--way", choices=("fit", "train"), default="fit", help="fit, or st.train")
    options = parser.parse_args(arguments)
    if options.times <= SETTLED:
        parser.error(f"--times must be above {SETTLED}")
    resident = resident_after_each(options.way, options.times)
    settled = resident[SETTLED - 1]
    body = [
        [str(i), f"{held / 1e6:.1f}", f"{held / settled - 1:+.2%}"]
        for i, held in enumerate(resident, start=1)
    ]
    print(table([options.way, "resident MB", f"against number {SETTLED}"], body))
    growth = max(resident[SETTLED:]) / settled - 1
    verdict = "too much" if growth > LARGEST_GROWTH else "within"
    print(f"\ngrowth after number {SETTLED}: {growth:+.2%}, {verdict} ({LARGEST_GROWTH:.0%})")
    return int(growth > LARGEST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
