"""striate, by its two ways to train: the `fit` of `st.Sequential`, and `st.train`."""

from __future__ import annotations

import tempfile
import time
from typing import Any, Literal

import striate as st

# isort: split
# After striate, which selects Keras's JAX backend.
from benchmarks.peers.keras_program import KerasTrainer, build
from benchmarks.trainer import FirstStep, Trainer
from benchmarks.workloads import Inputs, Workload


def prepare(
    workload: Workload, inputs: Inputs, *, shuffle: bool, way: Literal["fit", "train"]
) -> Trainer:
    """Build the network as `st.Sequential` and return one of its two ways to train."""
    model = build(st.Sequential, workload, inputs)
    if way == "fit":
        return KerasTrainer(model, workload, inputs, shuffle=shuffle)
    return RunTrainer(model, workload, inputs, shuffle=shuffle)


class RunTrainer(Trainer):
    """`st.train`: each call makes a run directory with checkpoints and trains the model on."""

    def __init__(self, model: Any, workload: Workload, inputs: Inputs, *, shuffle: bool) -> None:
        self.model = model
        one_batch = inputs.first(workload.batch_size)
        self.data = st.Dataset(
            train=_split(inputs),
            validation=None,
            test=_split(one_batch),
            class_names=tuple("0123456789"),
            name="noise",
            provenance={"source": "benchmarks.workloads.make_inputs"},
        )
        self.settings: dict[str, Any] = {
            "batch_size": workload.batch_size,
            "shuffle": shuffle,
            "seed": 0,
        }

    def train(self, epochs: int, on_first_step: FirstStep | None = None) -> list[float]:
        """Call `st.train`; the time of the first step is what the run has noted."""
        begin = time.monotonic()
        run = self._run(epochs, None)
        if on_first_step is not None:
            on_first_step(begin + run.config["timing"]["seconds_to_first_step"])
        return [float(loss) for loss in run.history["loss"]]

    def seconds(self, epochs: int) -> float:
        """Train one epoch more and return what all but the first took.

        Each call of `st.train` makes its program anew, in the first epoch. What it writes
        (checkpoints, log, the trained network) is part of the time.
        """
        clock = _EndOfFirstEpoch()
        self._run(epochs + 1, clock)
        return time.perf_counter() - clock.time

    def _run(self, epochs: int, observer: Any) -> Any:
        with tempfile.TemporaryDirectory() as directory:
            return st.train(
                self.model,
                self.data,
                epochs=epochs,
                directory=directory,
                observer=observer,
                verbose=0,
                **self.settings,
            )


class _EndOfFirstEpoch(st.runs.Observer):
    time = float("nan")

    def on_epoch(self, epoch: int, *_: Any) -> None:
        if epoch == 1:
            self.time = time.perf_counter()


def _split(inputs: Inputs) -> Any:
    return st.Split(pixels=inputs.pixels, labels=inputs.labels, weights=None, observables={})
