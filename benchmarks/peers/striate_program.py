"""striate, by its two ways to train: the `fit` of `st.Sequential`, and `st.train`."""

from __future__ import annotations

import tempfile
import time
from typing import Any, Literal

import striate as st

# isort: split
# After striate, which selects Keras's JAX backend.
from benchmarks.peers.keras_program import KerasTrainer, build
from benchmarks.workloads import FirstStep, Inputs, Trainer, Workload


def prepare(
    workload: Workload, inputs: Inputs, *, shuffle: bool, way: Literal["fit", "train"]
) -> Trainer:
    """Build the network as `st.Sequential` and return one of its two ways to train."""
    model = build(st.Sequential, workload, inputs)
    if way == "fit":
        return KerasTrainer(model, workload, inputs, shuffle=shuffle)
    return RunTrainer(model, workload, inputs, shuffle=shuffle)


class RunTrainer:
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
        self.settings = {"batch_size": workload.batch_size, "shuffle": shuffle, "seed": 0}

    def train(self, epochs: int, on_first_step: FirstStep | None = None) -> list[float]:
        """Call `st.train`; the time of the first step is what the run has noted."""
        with tempfile.TemporaryDirectory() as directory:
            begin = time.monotonic()
            run = st.train(
                self.model, self.data, epochs=epochs, directory=directory, **self.settings
            )
            if on_first_step is not None:
                on_first_step(begin + run.config["timing"]["seconds_to_first_step"])
            return [float(loss) for loss in run.history["loss"]]


def _split(inputs: Inputs) -> Any:
    return st.Split(pixels=inputs.pixels, labels=inputs.labels, weights=None, observables={})
