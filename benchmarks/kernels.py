"""Measure convolutions, poolings and dense layers, both ways, against limits and peers."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import command, kernel_tables, layers, limits, machine, process
from benchmarks.programs import EVERYWHERE, Program, select
from striate.errors import StriateError
from striate.kernels import native
from striate.kernels.cases import Case, PoolingCase, ProductCase

RESULTS = Path(__file__).parent / "results"
LIMIT = 900.0


def _program(name: str, title: str, module: str, *needs: str, **options: Any) -> Program:
    return Program(
        name=name,
        family=title.split(",")[0],
        title=title,
        module=f"benchmarks.layer_programs.{module}",
        needs=needs,
        options=options,
    )


# Beside its options a program may have variables and a number of cores of its own.
PROGRAMS = {
    program.name: program
    for program in (
        _program("striate", "striate", "jax_program", "jax", how="striate"),
        _program("striate-one-core", "striate, one core", "jax_program", "jax", how="striate"),
        _program("striate-reference", "striate, without its kernels", "jax_program", "jax",
                 how="striate"),
        _program("jax-lax", "JAX, XLA's own convolution", "jax_program", "jax", how="lax"),
        _program("torch-nchw", "PyTorch, NCHW", "torch_program", "torch", layout="nchw"),
        _program("torch-nhwc", "PyTorch, NHWC", "torch_program", "torch", layout="nhwc"),
    )
}  # fmt: skip
VARIABLES = {"striate-reference": {"STRIATE_KERNELS": "reference"}}

PROGRAM_LINES = "\n".join(f"  {p.name:18} {p.title}" for p in PROGRAMS.values())
EPILOG = f"""\
programs (the beginning of a name stands for all that continue it)
{PROGRAM_LINES}

Each layer's operations run many times over the same arrays, each program in a process of
its own, repetitions interleaved. The limits are measured in the same run, before each repetition:
a loop of multiply-adds on registers, and copies of as many bytes as the operation has to move.
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kernels",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--programs", nargs="+", metavar="NAME", default=list(PROGRAMS), help="default: all")
    add(
        "--networks",
        nargs="+",
        metavar="KEY",
        help="such as N1 N10 jets pooling dense, default: all",
    )
    add("--repetitions", type=int, metavar="N", help="default: 5")
    add("--seconds", type=float, metavar="S", help="for one operation, default: 0.25")
    add("--quick", action="store_true", help="one repetition, short: a trial, no measurement")
    add("--out", type=Path, default=RESULTS, metavar="DIR", help="default: benchmarks/results")
    return parser.parse_args(arguments)


def measure_all(
    programs: Sequence[Program],
    cases: Sequence[Case | PoolingCase | ProductCase],
    *,
    repetitions: int,
    seconds: float,
) -> dict[str, Any]:
    """Measure limits and programs, repetition after repetition."""
    library = native.library()
    path = None if library is None else library._name
    cores = machine.core_numbers()
    described = [layers.describe(case) for case in cases]
    found: dict[str, Any] = {
        "limits": [],
        "limits_one_core": [],
        "busy_cores": [],
        "measurements": [],
        "ran_on": {},
        "failures": {},
    }
    with tempfile.TemporaryDirectory(prefix="striate-bench-") as name:
        directory = Path(name)
        for repetition in range(1, repetitions + 1):
            found["limits"].append(limits.measure(cores, path, directory).as_dict())
            found["limits_one_core"].append(limits.measure(cores[:1], path, directory).as_dict())
            for program in programs:
                if program.name in found["failures"]:
                    continue
                print(f"repetition {repetition} of {repetitions}: {program.name} ...", flush=True)
                one_core = program.name.endswith("one-core")
                own = VARIABLES.get(program.name, {})
                processors = machine.Processors()
                try:
                    record = process.call(
                        f"{program.module}:measure",
                        {"layers": described, "seconds": seconds, **program.options},
                        directory=directory,
                        environment=process.inherited() | EVERYWHERE | own,
                        limit=LIMIT,
                        cores=cores[:1] if one_core else None,
                    )
                except RuntimeError as error:
                    found["failures"][program.name] = str(error)
                    print(f"  FAILED: {error}")
                    continue
                found["busy_cores"].append(processors.busy()[1])
                found["measurements"] += [
                    {"program": program.name, "repetition": repetition, **measured}
                    for measured in record["measured"]
                ]
                found["ran_on"][program.name] = record["kernels"]
    return found


def start(options: argparse.Namespace) -> dict[str, Any]:
    """Measure what the command line asks for, and return it with its making."""
    repetitions = options.repetitions or (1 if options.quick else 5)
    seconds = options.seconds or (0.02 if options.quick else 0.25)
    asked = select(options.programs, PROGRAMS)
    missing = {program.name: program.missing() for program in asked if program.missing()}
    cases: list[Case | PoolingCase | ProductCase] = [
        *layers.measured(),
        *layers.measured_poolings(),
        *layers.measured_products(),
    ]
    known = list(dict.fromkeys(layers.network(case) for case in cases))
    for key in options.networks or ():
        if key not in known:
            raise StriateError(f"--networks: {key!r} is none of {', '.join(known)}")
    if options.networks:
        cases = [case for case in cases if layers.network(case) in options.networks]
    now = datetime.now().astimezone()
    made = command.making(
        "kernels",
        now,
        repetitions=repetitions,
        seconds=seconds,
        instruction_set=native.instruction_set(),
        why_not_native=native.why_not(),
    )
    programs = [program for program in asked if program.name not in missing]
    found = measure_all(programs, cases, repetitions=repetitions, seconds=seconds)
    result = {"made": made, "missing": missing, **found}
    keep = command.result_file(options.out, "kernels", now)
    command.keep(keep, result, kernel_tables.markdown(result))
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 0, 1 if a program failed or results differ, 2 for a wrong call."""
    return command.status(lambda: start(parse(arguments)), kernel_tables.strangers)


if __name__ == "__main__":
    sys.exit(main())
