"""Measure how one program predicts, in this process.

Nothing here imports striate, which would select Keras's JAX backend for every peer.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.timing import seconds_a_call
from benchmarks.workloads import WORKLOADS, load_inputs

COMPARED = 8


def measure(
    module: str,
    networks: Mapping[str, str],
    batches: Sequence[int],
    seconds: float,
    options: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Time calls on batches of each size, for each network (its key and its file of inputs).

    Returns
    -------
    list of dict
        Network, batch, seconds a call in each block, and the outputs for the first images.
    """
    prepare = importlib.import_module(module).prepare
    found = []
    for key, inputs in networks.items():
        given = load_inputs(Path(inputs))
        predictor = prepare(WORKLOADS[key], given, **options)
        for batch in batches:
            images = predictor.place(given.images[:batch])

            def run(n: int, images: Any = images, predict: Any = predictor.predict) -> None:
                for _ in range(n):
                    predict(images)

            found.append(
                {
                    "network": key,
                    "batch": batch,
                    "seconds": seconds_a_call(run, seconds),
                    "outputs": predictor.predict(images)[:COMPARED].tolist(),
                }
            )
    return found
