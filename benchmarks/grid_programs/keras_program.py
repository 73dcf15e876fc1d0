"""The lecture's loop: build, compile, fit and evaluate one network after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import keras

from benchmarks import grid_inputs
from benchmarks.grid_inputs import Cell
from benchmarks.peers.keras_program import build


def run(inputs: str, cells: Sequence[Cell], epochs: int) -> dict[str, Any]:
    """Train each cell by Keras's `fit`, with its defaults."""
    digits = grid_inputs.load(inputs)
    train = digits.train_images, keras.utils.to_categorical(digits.train_labels, 10)
    test = digits.test_images, keras.utils.to_categorical(digits.test_labels, 10)
    accuracies = []
    begin = time.perf_counter()
    for cell in cells:
        network = grid_inputs.workload(cell, epochs)
        model = build(keras.Sequential, network, grid_inputs.given(digits, cell))
        model.fit(*train, epochs=epochs, batch_size=network.batch_size, verbose=0)
        found = [model.evaluate(*split, verbose=0)[1] for split in (train, test)]
        accuracies.append([float(value) for value in found])
    return {"accuracies": accuracies, "seconds_cells": time.perf_counter() - begin}
