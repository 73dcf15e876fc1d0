"""`st.grid` as a user calls it; its directory and the history of each cell are part of the time."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from typing import Any

import striate as st
from benchmarks.grid_inputs import Cell


def run(inputs: str, cells: Sequence[Cell], epochs: int) -> dict[str, Any]:
    """Train the cells, which must be all combinations of their values."""
    del inputs  # striate has the digits itself; the file was made of them
    axes: dict[str, Any] = {
        name: list(dict.fromkeys(cell[place] for cell in cells))
        for place, name in enumerate(("learning_rate", "l2", "seed"))
    }
    axes["seed"] = [int(seed) for seed in axes["seed"]]
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        grid = st.grid(
            "oslo_digits",
            "digits",
            epochs=epochs,
            batch_size=100,
            directory=directory,
            verbose=0,
            **axes,
        )
    found = {
        tuple(row[name] for name in axes): [row["train_accuracy"], row["test_accuracy"]]
        for row in grid.table()
    }
    return {
        "accuracies": [found[rate, l2, int(seed)] for rate, l2, seed in cells],
        "seconds_cells": time.perf_counter() - begin,
        "peak_memory_bytes": grid.config["timing"]["peak_memory_bytes"],
    }
