"""How many jets a second one core simulates: striate, Pythia alone, and a loop over particles.

Run with ``python -m benchmarks.jets``. Everything runs in this process, one thread, one program
after the other, again for each repetition.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

# Before NumPy comes in: as in a worker of `striate jets generate`.
os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))

from benchmarks.jets_by_loop import jets_by_loop
from benchmarks.machine import Processors, describe
from benchmarks.summary import Spread
from benchmarks.table import spread_or_none, table
from striate.jets.blocks import BLOCK, simulate_block
from striate.jets.collisions import started
from striate.jets.preselection import preselection_hook
from striate.jets.simulation import Simulation, seed_of

T = TypeVar("T")

PROCESSES = ("W", "QCD")


class Rates(NamedTuple):
    """Jets a second of processor time, of one repetition; and Pythia's share of striate's time."""

    striate: float
    loop: float
    pythia_share: float


def measured(process: str, jets: int, loop_jets: int, seed: int) -> Rates:
    """Measure one process once."""
    simulation = Simulation(process)
    block, seconds = _timed(lambda: simulate_block(simulation, seed, 0, jets))
    made = int(block.counts["collisions"])
    _, alone = _timed(lambda: pythia_alone(simulation, seed_of(seed, process, 0), made))
    found, by_loop = _timed(lambda: jets_by_loop(simulation, seed, loop_jets))
    return Rates(jets / seconds, found / by_loop, alone / seconds)


def pythia_alone(simulation: Simulation, seed: int, collisions: int) -> list[float]:
    """Make the same collisions, with the same pre-selection, and take nothing from them.

    Returns what the pre-selection looked at, by which they can be told.
    """
    hook = preselection_hook(simulation)
    pythia = started(simulation.pythia_lines(), seed, hook)
    for _ in range(collisions):
        pythia.next()
    return list(hook.parton_pt_gev)


def _timed(function: Callable[[], T]) -> tuple[T, float]:
    begun = time.process_time()
    return function(), time.process_time() - begun


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jets", description=__doc__)
    parser.add_argument("--jets", type=int, default=BLOCK, metavar="N", help="default: a block")
    parser.add_argument("--loop-jets", type=int, default=200, metavar="N", help="default: 200")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="default: 3")
    options = parser.parse_args(arguments)
    if min(options.jets, options.loop_jets, options.times) < 1:
        parser.error("--jets, --loop-jets and --times must be at least 1")
    # What a worker does once: packages, and Pythia's table of particles.
    simulate_block(Simulation("W", mpi=False), 1, 0, 1)
    processors = Processors()
    found = {
        process: [
            measured(process, options.jets, options.loop_jets, seed)
            for seed in range(1, options.times + 1)
        ]
        for process in PROCESSES
    }
    _, others = processors.busy()
    columns: list[tuple[str, Callable[[Rates], float]]] = [
        ("striate, jets/s", lambda rates: rates.striate),
        ("loop, jets/s", lambda rates: rates.loop),
        ("ratio", lambda rates: rates.striate / rates.loop),
        ("Pythia's share", lambda rates: rates.pythia_share),
    ]
    body = [
        [process, *(spread_or_none(Spread.of(map(value, rates))) for _, value in columns)]
        for process, rates in found.items()
    ]
    machine = describe()
    load = "not known" if others is None else f"{others:.2f}"
    print(
        f"{machine['processor']}, one core, {machine['system']}; {options.jets} jets a repetition, "
        f"{options.loop_jets} by the loop, n = {options.times}; other processes used {load} "
        "processors meanwhile\n"
    )
    print(table(["median (range)", *(name for name, _ in columns)], body))
    return 0


if __name__ == "__main__":
    sys.exit(main())
