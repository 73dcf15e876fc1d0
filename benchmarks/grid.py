"""Train the lecture's grid of 49 networks with striate and its peers, side by side."""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import command, grid_inputs, grid_tables, isolate, machine, process
from benchmarks.grid_inputs import Cell
from benchmarks.programs import Program, select
from striate import data, files
from striate.errors import StriateError

RESULTS = Path(__file__).parent / "results"
LIMIT = 1800.0
VALUES = tuple(10.0**power for power in range(-5, 2))
# The cell that stands for a good one where a single network is trained.
GOOD = (0.1, 1e-3, 0)
SIZES = (1, 7, 49, 343)


def _program(name: str, title: str, module: str, *needs: str, **options: Any) -> Program:
    return Program(
        name=name,
        family=name.partition("-")[0],
        title=title,
        module=f"benchmarks.grid_programs.{module}",
        needs=needs,
        options={key: value for key, value in options.items() if key != "backend"},
        backend=options.get("backend"),
    )


PROGRAMS = {
    program.name: program
    for program in (
        _program("striate", "striate, st.grid", "striate_program", "striate", backend="jax"),
        _program("keras-tensorflow", "Keras on TensorFlow, a loop", "keras_program", "keras",
                 "tensorflow", backend="tensorflow"),
        _program("torch", "PyTorch, a loop", "torch_program", "torch"),
        *(
            _program(f"jax-{how}", f"JAX by hand, vmap, convolution by {how}", "jax_program",
                     "jax", convolution=how)
            for how in ("shifts", "patches")
        ),
    )
}  # fmt: skip
LOOPS = ("keras-tensorflow", "torch")

PROGRAM_LINES = "\n".join(f"  {p.name:18} {p.title}" for p in PROGRAMS.values())
EPILOG = f"""\
programs (the beginning of a name stands for all that continue it)
{PROGRAM_LINES}

examples
  python -m benchmarks.grid                            all 49 cells with every program
  python -m benchmarks.grid --loop-cells 4             loops train 4 cells; the rest is extrapolated
  python -m benchmarks.grid --sizes 1 7 49 343         also: how the time grows with the cells
  python -m benchmarks.grid --quick                    does all of it run? numbers mean nothing

The grid: learning rate and L2, each 1e-5 ... 1e1, of the network with 10 filters and 50 neurons
on the 8x8 digits, batches of 100. Each time is that of a whole process, from start to exit.
Repetitions are interleaved; the first finds empty caches of compiled programs.
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.grid",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--programs", nargs="+", metavar="NAME", default=list(PROGRAMS), help="default: all")
    add("--epochs", type=int, metavar="N", help="default: 100")
    add("--repetitions", type=int, metavar="N", help="default: 3")
    add("--loop-cells", type=int, metavar="N", help="cells that loops train, default: all 49")
    add("--sizes", nargs="*", type=int, metavar="N", default=[], help="also: 1, 7, 49, 343 cells")
    add("--seeds", type=int, metavar="N", default=0, help="also: the best cell with so many seeds")
    add("--quick", action="store_true", help="one repetition, two epochs, few cells: a trial")
    add("--out", type=Path, default=RESULTS, metavar="DIR", help="default: benchmarks/results")
    return parser.parse_args(arguments)


def cells_of(size: int) -> list[Cell]:
    """Return so many cells: one, seven learning rates, the lecture's grid, or it with seven seeds.

    Raises
    ------
    StriateError
        If there is no grid of this size.
    """
    rates, strengths, seeds = {
        1: (GOOD[:1], GOOD[1:2], GOOD[2:]),
        7: (VALUES, GOOD[1:2], GOOD[2:]),
        49: (VALUES, VALUES, GOOD[2:]),
        343: (VALUES, VALUES, tuple(range(7))),
    }.get(size, ((), (), ()))
    if not rates:
        raise StriateError(f"--sizes {size}: there are grids of {', '.join(map(str, SIZES))} cells")
    return [list(cell) for cell in itertools.product(rates, strengths, seeds)]


def spread_over(cells: Sequence[Cell], number: int) -> list[Cell]:
    """Return so many cells, evenly spread over the grid: all, if so many are asked for.

    Every cell costs a loop the same, because none is stopped, not even one that diverges.
    """
    step = len(cells) / number
    return [cells[int((place + 0.5) * step)] for place in range(number)]


def measure(
    program: Program, cells: Sequence[Cell], epochs: int, *, inputs: Path, directory: Path
) -> dict[str, Any]:
    """Run one program in a process of its own and return what it gave and the time of it all.

    Raises
    ------
    RuntimeError
        If it fails, with the last line that it wrote.
    """
    processors, spent = machine.Processors(), _children_seconds()
    begin = time.monotonic()
    found: dict[str, Any] = process.call(
        f"{program.module}:run",
        {"inputs": str(inputs), "cells": cells, "epochs": epochs, **program.options},
        directory=directory,
        environment=isolate.environment(program, directory),
        limit=LIMIT,
        name=program.name,
    )
    found["seconds_process"] = time.monotonic() - begin
    found["seconds_processor"] = _children_seconds() - spent
    found["other_cores"] = processors.busy()[1]
    return found


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_all(
    programs: Sequence[Program],
    *,
    epochs: int,
    repetitions: int,
    loop_cells: int,
    sizes: Sequence[int],
    seeds: int,
    grid: Sequence[Cell],
    found: dict[str, Any],
    keep: Path,
) -> None:
    """Measure the grid with all programs, then its growth with those that do not loop.

    What is measured is added to `found`, and written to `keep` after each process.
    """
    jobs = [("grid", program, grid) for program in programs]
    jobs += [
        (f"size {size}", program, cells_of(size))
        for size in sizes
        for program in programs
        if program.name not in LOOPS
    ]
    with tempfile.TemporaryDirectory(prefix="striate-bench-") as name:
        directory, inputs = Path(name), Path(name) / "digits.npz"
        grid_inputs.save(digits(), inputs)

        def done(what: str, program: Program, cells: Sequence[Cell], repetition: int) -> Any:
            if program.name in found["failures"]:
                return None
            trained = spread_over(cells, loop_cells) if program.name in LOOPS else list(cells)
            print(f"repetition {repetition} of {repetitions}, {what}: {program.name} ... ", end="")
            sys.stdout.flush()
            try:
                gave = measure(program, trained, epochs, inputs=inputs, directory=directory)
            except RuntimeError as error:
                found["failures"][program.name] = str(error)
                print(f"FAILED ({error})", flush=True)
                return None
            print(f"{gave['seconds_process']:.1f} s", flush=True)
            return {
                "what": what,
                "program": program.name,
                "repetition": repetition,
                "cells": len(cells),
                "trained": trained,
                **gave,
            }

        for repetition in range(1, repetitions + 1):
            for what, program, cells in jobs:
                measured = done(what, program, cells, repetition)
                if measured is not None:
                    found["measurements"].append(measured)
                    files.write_json(keep, found)
        striate = PROGRAMS["striate"]
        if seeds and any(m["program"] == "striate" for m in found["measurements"]):
            rate, l2, _ = grid_tables.best_cell(found)
            found["seeds"] = done("seeds", striate, [(rate, l2, s) for s in range(seeds)], 1)


def digits() -> grid_inputs.Digits:
    """Return the digits that striate trains on, as arrays."""
    loaded = data.load("digits")
    return grid_inputs.Digits(
        loaded.train.images, loaded.train.labels, loaded.test.images, loaded.test.labels
    )


def start(options: argparse.Namespace) -> dict[str, Any]:
    """Measure what the command line asks for, and return it with its making."""
    quick = options.quick
    grid = cells_of(7) if quick else cells_of(49)
    repetitions = (1 if quick else 3) if options.repetitions is None else options.repetitions
    epochs = (2 if quick else 100) if options.epochs is None else options.epochs
    loop_cells = (2 if quick else 49) if options.loop_cells is None else options.loop_cells
    if min(repetitions, epochs, loop_cells) < 1 or loop_cells > len(grid):
        raise StriateError(
            "--repetitions, --epochs and --loop-cells must be above zero, and cells at most "
            f"{len(grid)}"
        )
    for size in options.sizes:
        cells_of(size)
    asked = select(options.programs, PROGRAMS)
    missing = {program.name: program.missing() for program in asked if program.missing()}
    now = datetime.now().astimezone()
    made = command.making(
        "grid",
        now,
        repetitions=repetitions,
        epochs=epochs,
    )
    keep = command.result_file(options.out, "grid", now)
    result: dict[str, Any] = {"made": made, "missing": missing}
    result |= {"measurements": [], "failures": {}, "seeds": None}
    measure_all(
        [program for program in asked if program.name not in missing],
        epochs=epochs,
        repetitions=repetitions,
        loop_cells=loop_cells,
        sizes=options.sizes,
        seeds=options.seeds,
        grid=grid,
        found=result,
        keep=keep,
    )
    command.keep(keep, result, grid_tables.markdown(result))
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 0, 1 if a program failed or trains something else, 2 for a wrong call."""
    return command.status(lambda: start(parse(arguments)), grid_tables.strangers)


if __name__ == "__main__":
    sys.exit(main())
