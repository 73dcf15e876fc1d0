"""A plain PyTorch loop, one network after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks import grid_inputs
from benchmarks.grid_inputs import Cell
from benchmarks.peers.torch_program import prepare


def run(inputs: str, cells: Sequence[Cell], epochs: int) -> dict[str, Any]:
    """Train each cell eagerly, in PyTorch's own memory layout."""
    digits = grid_inputs.load(inputs)
    splits = [
        (torch.from_numpy(images.transpose(0, 3, 1, 2).copy()), torch.from_numpy(labels))
        for images, labels in (
            (digits.train_images, digits.train_labels),
            (digits.test_images, digits.test_labels),
        )
    ]
    accuracies = []
    begin = time.perf_counter()
    for cell in cells:
        network = grid_inputs.workload(cell, epochs)
        trainer = prepare(
            network, grid_inputs.given(digits, cell), shuffle=True, mode="eager", layout="nchw"
        )
        trainer.train(epochs)
        with torch.inference_mode():
            found = [
                float((trainer.model(images).argmax(1) == labels).float().mean())
                for images, labels in splits
            ]
        accuracies.append(found)
    return {"accuracies": accuracies, "seconds_cells": time.perf_counter() - begin}
