"""Measure one program on one network, in this process, as the driver asks on standard input.

Nothing here imports striate, which would select Keras's JAX backend for every peer.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.machine import Processors, peak_memory_bytes, versions
from benchmarks.trainer import Trainer
from benchmarks.workloads import WORKLOADS, Inputs, Workload, load_inputs

# The comparison of losses: epochs over the first batches, in order. Few steps, because rounding
# grows with each step of Adam; more than one, so that gradients and optimizer are compared too.
COMPARED_BATCHES = 3
COMPARED_EPOCHS = 2

# Beginnings of the names of those variables that the libraries read.
VARIABLES = (
    *("CUDA_VISIBLE", "JAX_", "KERAS_", "KMP_", "MKL_", "NPROC", "OMP_", "ONEDNN_", "STRIATE_"),
    *("TF_CPP", "TF_ENABLE", "TF_NUM", "TF_XLA", "TORCH", "XDG_CACHE", "XLA_"),
)


class Clock:
    """Seconds since the driver started this process; `mark` notes the first step."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.first_step = float("nan")

    def now(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.started

    def mark(self, at: float | None = None) -> None:
        """Note that the first training step is done."""
        self.first_step = self.now() if at is None else at - self.started


def measure(
    prepare: Callable[..., Trainer],
    workload: Workload,
    inputs: Inputs,
    *,
    options: dict[str, Any],
    seconds: float,
    compare: bool,
    started: float,
) -> dict[str, Any]:
    """Train the job, then measure throughput, then the losses that are compared.

    Everything that the fields of a `Measurement` name is returned, but what only the driver knows.
    """
    clock = Clock(started)
    trainer = prepare(workload, inputs, shuffle=True, **options)
    trainer.train(workload.epochs, clock.mark)
    job = clock.now()
    record: dict[str, Any] = {
        "seconds_to_first_step": clock.first_step,
        "seconds_job": job,
        "job_epochs": workload.epochs,
        "images": workload.images,
        "batch_size": workload.batch_size,
        "peak_memory_bytes": peak_memory_bytes(),
    }
    record |= throughput(trainer, workload.images, seconds)
    record["losses"] = None
    if compare:
        few = inputs.first(COMPARED_BATCHES * workload.batch_size)
        fresh = prepare(workload, few, shuffle=False, **options)
        record["losses"] = fresh.train(COMPARED_EPOCHS)
    record["seconds_beside_the_job"] = clock.now() - job
    return record


def throughput(trainer: Trainer, images: int, seconds: float) -> dict[str, Any]:
    """Time whole epochs for at least `seconds`.

    Warm-up calls, each of more epochs, find how many make a call of a quarter of the time, so
    that what a call costs weighs as little as in a training of some length.
    """
    epochs, wanted = 1, seconds / 4
    while (took := trainer.seconds(epochs)) < wanted:
        epochs *= min(16, max(2, math.ceil(wanted / took)))
    done, spent = 0, 0.0
    processors = Processors()
    while spent < seconds:
        spent += trainer.seconds(epochs)
        done += epochs * images
    own, other = processors.busy()
    return {
        "images_per_second": done / spent,
        "images_timed": done,
        "seconds_timed": spent,
        "epochs_a_call": epochs,
        "own_cores": own,
        "other_cores": other,
    }


def environment() -> dict[str, Any]:
    """Return what the process ran with: versions, threads, variables that libraries read."""
    stated: dict[str, Any] = {"versions": versions()}
    if "torch" in sys.modules:
        stated["torch_threads"] = sys.modules["torch"].get_num_threads()
    if "tensorflow" in sys.modules:
        threading = sys.modules["tensorflow"].config.threading
        stated["tensorflow_threads"] = {
            "intra_op": threading.get_intra_op_parallelism_threads() or "one a core",
            "inter_op": threading.get_inter_op_parallelism_threads() or "one a core",
        }
    if "jax" in sys.modules:
        stated["jax_devices"] = [str(device) for device in sys.modules["jax"].devices()]
    if "keras" in sys.modules:
        stated["keras_backend"] = sys.modules["keras"].backend.backend()
    stated["variables"] = {
        name: value for name, value in sorted(os.environ.items()) if name.startswith(VARIABLES)
    }
    return stated


def main() -> None:
    """Read the task (JSON) from standard input and write the record to the file that it names."""
    task = json.load(sys.stdin)
    workload = replace(WORKLOADS[task["network"]], images=task["images"], epochs=task["job_epochs"])
    module = importlib.import_module(task["module"])
    record = measure(
        module.prepare,
        workload,
        load_inputs(Path(task["inputs"])),
        options=task["options"],
        seconds=task["seconds"],
        compare=task["compare"],
        started=task["started"],
    )
    record["environment"] = environment()
    Path(task["result"]).write_text(json.dumps(record), encoding="utf-8")


if __name__ == "__main__":
    main()
