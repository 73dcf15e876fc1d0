"""One run's directory while it is trained: its checkpoints, history, log and times."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from striate import quantities
from striate.backend import without_tensorflow
from striate.engine import Position
from striate.files import write_json, written_beside
from striate.runs import checkpoint, directory, provenance
from striate.runs.checkpoint import Checkpoint
from striate.runs.directory import Log
from striate.runs.observer import epoch_line


@dataclass
class Times:
    """What is measured, over all processes that a run has had.

    Attributes
    ----------
    process_began
        Clock of this process at its beginning.
    first_step, first_epoch
        Seconds from the beginning of the run until the first step, and the first epoch with its
        validation, were done.
    last_epoch
        Seconds of the last epoch, its validation included.
    training
        Seconds in training and validation, compilation included.
    stepping, images
        Seconds in training steps that were compiled already, and the images in them.
    before
        Seconds in earlier processes, as far as checkpoints know.
    """

    process_began: float
    first_step: float | None = None
    first_epoch: float | None = None
    last_epoch: float | None = None
    training: float = 0.0
    stepping: float = 0.0
    images: int = 0
    before: float = 0.0

    def total(self) -> float:
        """Return seconds in all."""
        return self.before + time.perf_counter() - self.process_began

    def kept(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        kept = {name: value for name, value in vars(self).items() if name != "process_began"}
        return kept | {"before": self.total()}

    def described(self) -> dict[str, Any]:
        """Return the ``timing`` section of ``config.json``."""
        described = {
            "seconds_to_first_step": self.first_step,
            "seconds_to_first_epoch": self.first_epoch,
            "seconds_last_epoch": self.last_epoch,
            "seconds_training": self.training,
            "images_per_second": self.images / self.stepping if self.stepping else None,
            "seconds_total": self.total(),
            "peak_memory_bytes": provenance.peak_memory_bytes(),
        }
        return {name: value for name, value in described.items() if value is not None}


@dataclass
class Record:
    """What is kept of one run.

    Attributes
    ----------
    path, config
        The run directory, and what its ``config.json`` says.
    log
        Its log, open.
    times
        What is measured.
    history
        One value an epoch for each of Keras's keys.
    """

    path: Path
    config: dict[str, Any]
    log: Log
    times: Times
    history: directory.History = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._diverged = any(not math.isfinite(v) for v in self.history.get("loss", []))

    def note(self, epoch: int, epochs: int, logs: Mapping[str, float], seconds: float) -> bool:
        """Add an epoch to history and log; answer whether its loss is the first that is lost."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self.times.last_epoch = seconds
        self.log.write(epoch_line(epoch, epochs, logs, seconds))
        lost = not self._diverged and not math.isfinite(logs["loss"])
        self._diverged = self._diverged or lost
        return lost

    def save(self, position: Position, state: Sequence[Sequence[np.ndarray]]) -> None:
        """Write a checkpoint, then the history that belongs to it."""
        kept = Checkpoint(position.epoch, position.step, state, self.history, self.times.kept())
        with directory.writing(self.path):
            checkpoint.write(self.path / directory.CHECKPOINTS, kept)
            directory.write_history(self.path, self.history)

    def write_config(self) -> None:
        """Write ``config.json`` with the times so far."""
        started = {
            name: self.config["timing"][name]
            for name in ("started", "resumed")
            if name in self.config["timing"]
        }
        self.config["timing"] = started | self.times.described()
        with directory.writing(self.path):
            write_json(self.path / directory.CONFIG, self.config)

    def finish(self, model: Any) -> None:
        """Write the times and, as the sign that all is done, the network."""
        # What Keras does at the end of fit: averaged weights take the place of the last ones.
        model.optimizer.finalize_variable_values(model.trainable_variables)
        self.write_config()
        place = self.path / directory.MODEL
        with directory.writing(self.path), written_beside(place) as beside, without_tensorflow():
            model.save(beside)
        self.log.write(f"finished after {quantities.seconds(self.times.total())}")
