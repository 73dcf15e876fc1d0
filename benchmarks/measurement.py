"""What one process measured: the record that every table and plot is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """One program, network and repetition.

    Times are in seconds. `seconds_to_first_step` begins with the process, so it holds imports,
    reading the images, building and compiling. `seconds_whole_process` is the process from start
    to exit, less `seconds_beside_the_job` (the throughput measurement and the comparison of
    losses): what it takes to train the job and nothing else. `losses` are the mean losses of the
    epochs over the first batches, from the initial weights, in order; only where they were asked
    for. `own_cores` and `other_cores` are the processors kept busy by this process and by all
    others while throughput was measured.
    """

    program: str
    network: str
    repetition: int
    images: int
    batch_size: int
    job_epochs: int
    images_per_second: float
    images_timed: int
    seconds_timed: float
    epochs_a_call: int
    seconds_to_first_step: float
    seconds_job: float
    seconds_beside_the_job: float
    seconds_whole_process: float
    peak_memory_bytes: int
    own_cores: float
    other_cores: float | None
    losses: list[float] | None
    environment: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Failure:
    """A program that could not be measured, and why, in one line."""

    program: str
    network: str
    repetition: int
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return asdict(self)
