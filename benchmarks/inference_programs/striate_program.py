"""striate: `predict`, or the network as one compiled call."""

from __future__ import annotations

from typing import Any, Literal

import jax
import numpy as np

import striate as st

# isort: split
# After striate, which selects Keras's JAX backend.
from benchmarks.inference_programs import Predictor
from benchmarks.peers.keras_program import build
from benchmarks.workloads import Inputs, Workload
from striate.engine.lowering import Lowering
from striate.engine.pieces import in_pieces


def prepare(workload: Workload, inputs: Inputs, *, way: Literal["call", "predict"]) -> Predictor:
    """Build the network as `st.Sequential`."""
    model = build(st.Sequential, workload, inputs)
    if way == "predict":
        return Predictor(
            lambda images: images,
            lambda images: model.predict(images, batch_size=len(images), verbose=0),
        )
    call = compiled(model)
    return Predictor(lambda images: images, lambda images: np.asarray(call(images)))


def compiled(model: Any) -> Any:
    """Return the model as one compiled function of the images, with its present weights."""
    weights = [[v.value for v in part] for part in (model.trainable_variables,
                                                    model.non_trainable_variables)]  # fmt: skip
    lowering = Lowering(model)

    def step(state: Any, images: Any) -> Any:
        return model.stateless_call(*state, images, training=False)[0], state

    predict = in_pieces(model, step)

    def call(images: Any) -> Any:
        with lowering.applied():
            return predict(weights, images)[0]

    return jax.jit(call)
