"""One measurement in a process of its own, with a stated environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.measurement import Failure, Measurement
from benchmarks.programs import Program
from benchmarks.workloads import Workload

# Set by a user for other ends, these would make the programs unlike.
REMOVED = (
    "JAX_COMPILATION_CACHE_DIR",
    "KERAS_BACKEND",
    "MKL_NUM_THREADS",
    "NPROC",
    "OMP_NUM_THREADS",
    "STRIATE_CACHE",
    "XLA_FLAGS",
)


def run(
    program: Program,
    workload: Workload,
    repetition: int,
    *,
    inputs: Path,
    directory: Path,
    seconds: float,
    compare: bool,
    limit: float,
) -> Measurement | Failure:
    """Start the program's process, wait for its record, and add what only its parent knows.

    Parameters
    ----------
    inputs
        File of weights, images and labels, the same for every program.
    directory
        Where the process may write; a program's compilation caches stay in it from one
        repetition to the next, so that the first repetition is a first start.
    seconds
        Least time for the throughput measurement.
    compare
        Whether the first losses are recorded.
    limit
        Seconds after which the process is ended and counted as failed.
    """
    result = directory / f"{program.name}-{workload.key}-{repetition}.json"
    log = result.with_suffix(".log")
    started = time.monotonic()
    task = {
        "module": program.module,
        "options": dict(program.options),
        "network": workload.key,
        "images": workload.images,
        "job_epochs": workload.epochs,
        "inputs": str(inputs),
        "seconds": seconds,
        "compare": compare,
        "started": started,
        "result": str(result),
    }

    def failure(reason: str) -> Failure:
        return Failure(program.name, workload.key, repetition, reason)

    with log.open("w", encoding="utf-8") as output:
        try:
            process = subprocess.run(
                [sys.executable, "-m", "benchmarks.measure"],
                input=json.dumps(task),
                text=True,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(program, directory),
                cwd=Path(__file__).parent.parent,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return failure(f"ended after {limit:.0f} s; the end of its output: {_last_line(log)}")
    wall = time.monotonic() - started
    if process.returncode != 0 or not result.exists():
        return failure(f"exit status {process.returncode}: {_last_line(log)}")
    record: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    backend = record["environment"].get("keras_backend")
    if program.backend is not None and backend != program.backend:
        return failure(f"Keras ran on {backend!r} instead of {program.backend!r}")
    return Measurement(
        program=program.name,
        network=workload.key,
        repetition=repetition,
        seconds_whole_process=wall - record["seconds_beside_the_job"],
        **record,
    )


def environment(program: Program, directory: Path) -> dict[str, str]:
    """Return the variables of the program's process: ours, less what would change the programs."""
    caches = directory / "caches" / program.name
    kept = {name: value for name, value in os.environ.items() if name not in REMOVED}
    return (
        kept
        | {"XDG_CACHE_HOME": str(caches), "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor")}
        | program.environment
    )


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "no output"
