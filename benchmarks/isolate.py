"""One measurement in a process of its own, with a stated environment."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from benchmarks import process
from benchmarks.measurement import Failure, Measurement
from benchmarks.programs import Program
from benchmarks.workloads import Workload


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

    done = process.start(
        "benchmarks.measure",
        task,
        log=log,
        environment=environment(program, directory),
        limit=limit,
    )
    if isinstance(done, str):
        return failure(done)
    wall = time.monotonic() - started
    if done.returncode != 0 or not result.exists():
        return failure(f"exit status {done.returncode}: {process.last_line(log)}")
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
    return (
        process.inherited()
        | {"XDG_CACHE_HOME": str(caches), "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor")}
        | program.environment
    )
