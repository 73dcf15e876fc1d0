"""Keras on the backend that KERAS_BACKEND names: `predict`, or `predict_on_batch`."""

from __future__ import annotations

from typing import Literal

import keras

from benchmarks.inference_programs import Predictor
from benchmarks.peers.keras_program import build
from benchmarks.workloads import Inputs, Workload


def prepare(
    workload: Workload, inputs: Inputs, *, way: Literal["predict", "on-batch"]
) -> Predictor:
    """Build the network with Keras."""
    model = build(keras.Sequential, workload, inputs)
    if way == "on-batch":
        return Predictor(lambda images: images, model.predict_on_batch)
    return Predictor(
        lambda images: images,
        lambda images: model.predict(images, batch_size=len(images), verbose=0),
    )
