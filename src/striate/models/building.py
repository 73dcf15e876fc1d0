"""Make a network of its layers, as every lecture network is made."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from striate import backend


def compiled(
    name: str,
    stack: Sequence[keras.layers.Layer],
    *,
    loss: str | keras.losses.Loss = "categorical_crossentropy",
    optimizer: str | keras.optimizers.Optimizer = "adam",
) -> keras.Sequential:
    """Return a `striate.Sequential` of these layers, compiled; its metric is the accuracy."""
    model: keras.Sequential = backend.sequential_class()(list(stack), name=name)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return model


def adam(learning_rate: float, training_steps: int | None) -> keras.optimizers.Optimizer:
    """Return Adam with a rate that falls to zero along a half cosine, if it is known how long."""
    if training_steps is None:
        return keras.optimizers.Adam(learning_rate)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, training_steps)
    return keras.optimizers.Adam(schedule)
