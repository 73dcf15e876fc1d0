"""Keras's own `fit`, as the lectures call it; the backend is chosen by KERAS_BACKEND."""

from __future__ import annotations

from typing import Any

import keras

from benchmarks.trainer import FirstStep, Trainer
from benchmarks.workloads import (
    Convolution,
    Dense,
    Flatten,
    Inputs,
    MaxPooling,
    Workload,
)


def prepare(
    workload: Workload, inputs: Inputs, *, shuffle: bool, steps_per_execution: int = 1
) -> KerasTrainer:
    """Build the network with Keras and return its `fit`."""
    model = build(keras.Sequential, workload, inputs, steps_per_execution=steps_per_execution)
    return KerasTrainer(model, workload, inputs, shuffle=shuffle)


def build(
    sequential: Any, workload: Workload, inputs: Inputs, *, steps_per_execution: int = 1
) -> Any:
    """Build and compile the network as an instance of the class `sequential`."""
    regularizer = keras.regularizers.L2(workload.l2) if workload.l2 else None
    layers: list[Any] = [keras.layers.Input(workload.image_shape)]
    for layer in workload.layers:
        match layer:
            case Convolution(filters=filters, kernel_size=size):
                layers.append(
                    keras.layers.Conv2D(
                        filters, size, activation="relu", kernel_regularizer=regularizer
                    )
                )
            case MaxPooling(size=size):
                layers.append(keras.layers.MaxPooling2D(size))
            case Flatten():
                layers.append(keras.layers.Flatten())
            case Dense(neurons=neurons, activation=activation):
                layers.append(
                    keras.layers.Dense(
                        neurons,
                        activation=None if activation == "logits" else activation,
                        kernel_regularizer=regularizer,
                    )
                )
    model = sequential(layers)
    model.set_weights([array for pair in inputs.weights for array in pair])
    optimizer = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[workload.optimizer]
    loss: Any = "categorical_crossentropy"
    if _ends_in_logits(workload):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        optimizer=optimizer(learning_rate=workload.learning_rate),
        loss=loss,
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    return model


def targets(workload: Workload, inputs: Inputs) -> Any:
    """Return the labels as the network's loss wants them: one-hot, or integers for logits."""
    if _ends_in_logits(workload):
        return inputs.labels
    return keras.utils.to_categorical(inputs.labels, 10)


def _ends_in_logits(workload: Workload) -> bool:
    last = workload.layers[-1]
    return isinstance(last, Dense) and last.activation == "logits"


class KerasTrainer(Trainer):
    """The `fit` of a compiled Keras model."""

    def __init__(self, model: Any, workload: Workload, inputs: Inputs, *, shuffle: bool) -> None:
        self.model = model
        self.images = inputs.images
        self.targets = targets(workload, inputs)
        self.settings = {"batch_size": workload.batch_size, "shuffle": shuffle, "verbose": 0}

    def train(self, epochs: int, on_first_step: FirstStep | None = None) -> list[float]:
        """Call `fit`; with `on_first_step` twice, so that only one epoch has a callback."""
        if on_first_step is not None:
            losses = self._fit(1, [_FirstBatch(on_first_step)])
            return losses + (self._fit(epochs - 1, []) if epochs > 1 else [])
        return self._fit(epochs, [])

    def _fit(self, epochs: int, callbacks: list[Any]) -> list[float]:
        history = self.model.fit(
            self.images, self.targets, epochs=epochs, callbacks=callbacks, **self.settings
        )
        return [float(loss) for loss in history.history["loss"]]


class _FirstBatch(keras.callbacks.Callback):
    # With it, Keras does not wait for the result of each batch because of this callback.
    async_safe = True

    def __init__(self, report: FirstStep) -> None:
        super().__init__()
        self.report: FirstStep | None = report

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        if self.report is not None:
            float((logs or {})["loss"])
            self.report()
            self.report = None
