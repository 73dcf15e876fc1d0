"""Measure how fast trained lecture networks predict, one image at a time and in batches."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import command, inference_tables, machine, process
from benchmarks.programs import Program, select
from benchmarks.workloads import WORKLOADS, make_inputs, save_inputs
from striate.errors import StriateError, nearest

RESULTS = Path(__file__).parent / "results"
LIMIT = 900.0
NETWORKS = ("N1", "N10", "N14")
BATCHES = (1, 256)


def _program(
    name: str, title: str, module: str, *needs: str, backend: str | None = None, **options: Any
) -> Program:
    return Program(
        name=name,
        family=title.split(",")[0],
        title=title,
        module=f"benchmarks.inference_programs.{module}",
        needs=needs,
        options=options,
        backend=backend,
    )


PROGRAMS = {
    program.name: program
    for program in (
        _program("striate-call", "striate, compiled call", "striate_program", "striate",
                 backend="jax", way="call"),
        _program("striate-predict", "striate, predict", "striate_program", "striate",
                 backend="jax", way="predict"),
        _program("onnxruntime", "ONNX Runtime", "onnx_program", "onnxruntime", "onnx"),
        *(
            _program(f"torch-{mode}-{layout}", f"PyTorch, {mode}, {layout.upper()}",
                     "torch_program", "torch", mode=mode, layout=layout)
            for mode in ("eager", "compile")
            for layout in ("nchw", "nhwc")
        ),
        *(
            _program(f"keras-{backend}-{way}", f"Keras on {title}, {way}", "keras_program",
                     "keras", backend, backend=backend, way=way)
            for backend, title in (("tensorflow", "TensorFlow"), ("jax", "JAX"),
                                   ("torch", "PyTorch"))
            for way in ("predict", "on-batch")
        ),
    )
}  # fmt: skip

PROGRAM_LINES = "\n".join(f"  {p.name:26} {p.title}" for p in PROGRAMS.values())
EPILOG = f"""\
programs (the beginning of a name stands for all that continue it)
{PROGRAM_LINES}

NumPy arrays go in and come out. PyTorch and ONNX Runtime get the images in their own order of
axes. Every program has the same weights; if outputs differ, the comparison is void and the exit
status is 1. Each program is a process of its own, repetitions are interleaved.
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.inference",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--programs", nargs="+", metavar="NAME", default=list(PROGRAMS), help="default: all")
    add("--networks", nargs="+", metavar="KEY", default=list(NETWORKS), help="default: N1 N10 N14")
    add("--batches", nargs="+", type=int, metavar="N", default=list(BATCHES),
        help="default: 1 256")  # fmt: skip
    add("--repetitions", type=int, metavar="N", help="default: 5")
    add("--seconds", type=float, metavar="S", help="for one batch size, default: 0.5")
    add("--quick", action="store_true", help="one repetition, short: a trial, no measurement")
    add("--out", type=Path, default=RESULTS, metavar="DIR", help="default: benchmarks/results")
    return parser.parse_args(arguments)


def measure_all(
    programs: Sequence[Program],
    networks: Sequence[str],
    batches: Sequence[int],
    *,
    repetitions: int,
    seconds: float,
) -> dict[str, Any]:
    """Measure all programs, repetition after repetition."""
    found: dict[str, Any] = {"busy_cores": [], "measurements": [], "failures": {}}
    with tempfile.TemporaryDirectory(prefix="striate-bench-") as name:
        directory = Path(name)
        inputs = {}
        for key in networks:
            workload = replace(WORKLOADS[key], images=max(batches))
            inputs[key] = str(directory / f"{key}.npz")
            save_inputs(make_inputs(workload), Path(inputs[key]))
        for repetition in range(1, repetitions + 1):
            for program in programs:
                if program.name in found["failures"]:
                    continue
                print(f"repetition {repetition} of {repetitions}: {program.name} ...", flush=True)
                task = {
                    "module": program.module,
                    "networks": inputs,
                    "batches": batches,
                    "seconds": seconds,
                    "options": dict(program.options),
                }
                processors = machine.Processors()
                try:
                    measured = process.call(
                        "benchmarks.inference_timing:measure",
                        task,
                        directory=directory,
                        environment=process.inherited() | program.environment,
                        limit=LIMIT,
                    )
                except RuntimeError as error:
                    found["failures"][program.name] = str(error)
                    print(f"  FAILED: {error}")
                    continue
                found["busy_cores"].append(processors.busy()[1])
                found["measurements"] += [
                    {"program": program.name, "repetition": repetition, **one} for one in measured
                ]
    return found


def start(options: argparse.Namespace) -> dict[str, Any]:
    """Measure what the command line asks for, and return it with its making."""
    for key in options.networks:
        if key not in WORKLOADS:
            raise StriateError(f"--networks: unknown network {key!r}: {nearest(key, WORKLOADS)}")
    if min(options.batches) < 1:
        raise StriateError("--batches must be above zero")
    repetitions = options.repetitions or (1 if options.quick else 5)
    seconds = options.seconds or (0.02 if options.quick else 0.5)
    asked = select(options.programs, PROGRAMS)
    missing = {program.name: program.missing() for program in asked if program.missing()}
    now = datetime.now().astimezone()
    made = command.making(
        "inference",
        now,
        repetitions=repetitions,
        seconds=seconds,
    )
    programs = [program for program in asked if program.name not in missing]
    found = measure_all(
        programs, options.networks, options.batches, repetitions=repetitions, seconds=seconds
    )
    result = {"made": made, "missing": missing, **found}
    keep = command.result_file(options.out, "inference", now)
    command.keep(keep, result, inference_tables.markdown(result))
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 0, 1 if a program failed or outputs differ, 2 for a wrong call."""
    return command.status(lambda: start(parse(arguments)), inference_tables.strangers)


if __name__ == "__main__":
    sys.exit(main())
