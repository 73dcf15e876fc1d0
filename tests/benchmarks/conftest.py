from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.comparison import Comparison
from benchmarks.measurement import Measurement


def _measured(program: str, repetition: int, speed: float, **other: Any) -> Measurement:
    """One measurement with invented numbers, all of them given where they matter."""
    fields: dict[str, Any] = {
        "network": "N12",
        "images": 1437,
        "batch_size": 100,
        "job_epochs": 100,
        "images_timed": 14370,
        "seconds_timed": 14370 / speed,
        "epochs_a_call": 5,
        "seconds_to_first_step": 4.0 if repetition == 1 else 2.0,
        "seconds_job": 5.0,
        "seconds_beside_the_job": 1.0,
        "seconds_whole_process": 6.0 if repetition == 1 else 3.0,
        "peak_memory_bytes": 400_000_000,
        "own_cores": 1.9,
        "other_cores": 0.02,
        "losses": [2.5, 2.25] if repetition == 1 else None,
        "environment": {"versions": {}},
    }
    return Measurement(
        program=program, repetition=repetition, images_per_second=speed, **(fields | other)
    )


@pytest.fixture
def measured() -> Callable[..., Measurement]:
    """The function that invents a measurement."""
    return _measured


@pytest.fixture
def comparison() -> Comparison:
    """Three programs, three repetitions; the machine is half as fast in the second."""
    drift = {1: 1.0, 2: 0.5, 3: 1.0}
    speeds = {"striate-fit": 60_000.0, "keras-tensorflow": 20_000.0, "keras-jax": 30_000.0}
    result = Comparison(
        made={
            "date": "2026-01-02 03:04+00:00",
            "command": "python -m benchmarks.networks",
            "machine": {"processor": "Abacus", "cores": 2, "system": "Linux"},
            "versions": {"python": "3.11", "jax": "0.8"},
            "repetitions": 3,
            "seconds": 3.0,
        },
        missing={"torch-eager-nchw": ["torch"], "torch-eager-nhwc": ["torch"]},
    )
    for repetition, factor in drift.items():
        for program, speed in speeds.items():
            result.add(_measured(program, repetition, speed * factor))
    return result
