"""The loop of a training: epochs, checkpoints, history, times, and stopping on a signal."""

from __future__ import annotations

import shlex
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np

from striate.engine import Position, Progress
from striate.runs.interrupt import Interrupted, StopRequest, stop_on_signals
from striate.runs.observer import Observer
from striate.runs.record import Record
from striate.runs.run import Run

# Between two checkpoints at epoch ends at least so long; a digits epoch takes a few milliseconds.
EPOCH_SECONDS = 1.0
# In the middle of an epoch one after so long.
LONG_EPOCH_SECONDS = 30.0
# Writing may take one part in so many of the time: a slow disk or a large network gets fewer.
LEAST_BETWEEN = 20
PROGRESS_SECONDS = 0.1


class Training(Protocol):
    """A compiled training of one network, or of several side by side (`striate.runs.trainings`).

    The state is its own; what it returns of each network is in the order of the records.
    """

    @property
    def images(self) -> int:
        """Training images."""

    @property
    def batch_size(self) -> int:
        """Images in a batch."""

    @property
    def steps(self) -> int:
        """Steps in an epoch."""

    def run_epoch(self, state: Any, position: Position, on_chunk: Any) -> tuple[Any, Position, Any]:
        """Train to the end of the epoch, or until `on_chunk` answers True."""

    def validate(self, state: Any) -> Any:
        """Return loss and metrics on the images that are followed."""

    def logs_of_each(self, logs: Any) -> list[dict[str, float]]:
        """Return loss and metrics of each network."""

    def states_of_each(self, state: Any) -> list[list[list[np.ndarray]]]:
        """Return the state of each network, as a checkpoint keeps it."""

    def attach(self, state: Any) -> Sequence[Any]:
        """Write the state into the networks' variables; return the networks."""


@dataclass
class Session:
    """One process's part in a training, from its first or last checkpoint to its end.

    Attributes
    ----------
    path
        What is gone on with after a stop: the run's directory, or that of several.
    records
        What is kept of each network.
    observer
        Who is told; of several networks the means.
    training, state, position
        The training, its state, and where it goes on.
    """

    path: Path
    records: Sequence[Record]
    observer: Observer
    training: Training
    state: Any
    position: Position

    def __post_init__(self) -> None:
        self._epochs = int(self.records[0].config["training"]["epochs"])
        self._stop = StopRequest()
        self._compiled: set[bool] = set()
        self._epoch_seconds = 0.0
        self._step = 0
        self._mark = self._told = self._saved = time.perf_counter()
        self._saving = 0.0

    def train(self, *, keep_model: bool, messages: Sequence[str] = ()) -> tuple[Run, ...]:
        """Train to the last epoch and write the trained networks.

        Parameters
        ----------
        messages
            What to tell before the training.
        keep_model
            Whether a run is given the model itself, not a copy read from its file when asked
            for: right for a model that nobody else has.

        Raises
        ------
        Interrupted
            After Ctrl-C or SIGTERM, when the checkpoint is written.
        StriateError
            If the directory cannot be written to.
        """
        with stop_on_signals() as self._stop:
            self.observer.on_start(self.path, self.records[0].config)
            for message in messages:
                self._message(message)
            while self.position.epoch < self._epochs:
                if self._stop.signal is not None:
                    self._interrupt()
                self._epoch()
            models = self._finish()
            if self._stop.signal is not None:
                raise Interrupted(
                    f"stopped; the run was finished in the meantime: {self.path}",
                    self._stop.signal,
                    self.path,
                )
        runs = tuple(Run.load(record.path) for record in self.records)
        for run, model in zip(runs, models, strict=True):
            if keep_model:
                vars(run)["model"] = model
            self.observer.on_end(run)
        return runs

    def begin(self) -> None:
        """Write the first checkpoints and ``config.json``: the training can be killed from then."""
        self.save()
        for record in self.records:
            record.write_config()

    def _message(self, text: str) -> None:
        """Tell log and observer."""
        for record in self.records:
            record.log.write(text)
        self.observer.on_message(text)

    def save(self) -> None:
        """Write a checkpoint of each network."""
        began = time.perf_counter()
        states = self.training.states_of_each(self.state)
        for record, state in zip(self.records, states, strict=True):
            record.save(self.position, state)
        self._saved = time.perf_counter()
        self._saving = self._saved - began

    def _epoch(self) -> None:
        """Train to the end of the epoch, or to a reason to write a checkpoint within it."""
        began = self._mark = time.perf_counter()
        epoch = self.position.epoch
        self._step = self.position.step
        self.state, self.position, logs = self.training.run_epoch(
            self.state, self.position, self._on_chunk
        )
        if self.position.epoch == epoch:
            self._spend(began)
            self.save()
            return
        watched = self.training.validate(self.state)
        self._spend(began)
        each = [
            trained | {f"val_{name}": value for name, value in validated.items()}
            for trained, validated in zip(
                self.training.logs_of_each(logs), self.training.logs_of_each(watched), strict=True
            )
        ]
        self._note(epoch + 1, each)
        if self._due(EPOCH_SECONDS):
            self.save()

    def _note(self, epoch: int, each: Sequence[Mapping[str, float]]) -> None:
        """Tell records and observer of the end of an epoch, from 1."""
        seconds, self._epoch_seconds = self._epoch_seconds, 0.0
        lost = []
        for record, logs in zip(self.records, each, strict=True):
            if record.times.first_epoch is None:
                record.times.first_epoch = record.times.total()
            if record.note(epoch, self._epochs, logs, seconds):
                name = "" if len(self.records) == 1 else f"{record.path.name}: "
                lost.append(
                    f"{name}the loss is {logs['loss']} since epoch {epoch}: the training goes on, "
                    "as in Keras, but will not recover; try a smaller learning rate"
                )
        means = {name: float(np.mean([logs[name] for logs in each])) for name in each[0]}
        self.observer.on_epoch(epoch, self._epochs, means, seconds)
        for text in lost:
            self._message(text)

    def _on_chunk(self, progress: Progress) -> bool:
        """Take the time of a chunk; answer whether to leave the loop for a checkpoint."""
        now = time.perf_counter()
        size = self.training.batch_size
        images = min(progress.step * size, self.training.images) - self._step * size
        # The first chunk of whole batches, and the first partial batch, are compiled before.
        partial = progress.step * size > self.training.images
        for record in self.records:
            if partial in self._compiled:
                record.times.stepping += now - self._mark
                record.times.images += images
            if record.times.first_step is None:
                record.times.first_step = record.times.total()
        self._compiled.add(partial)
        self._step = progress.step
        if now - self._told >= PROGRESS_SECONDS:
            self._told = now
            self.observer.on_progress(progress)
        self._mark = time.perf_counter()
        return self._stop.signal is not None or self._due(LONG_EPOCH_SECONDS)

    def _due(self, seconds: float) -> bool:
        """Return whether it is time for a checkpoint."""
        return time.perf_counter() - self._saved >= max(seconds, LEAST_BETWEEN * self._saving)

    def _spend(self, began: float) -> None:
        seconds = time.perf_counter() - began
        for record in self.records:
            record.times.training += seconds
        self._epoch_seconds += seconds

    def _interrupt(self) -> NoReturn:
        """Write a checkpoint and say how to go on."""
        assert self._stop.signal is not None  # noqa: S101  # for the type checker
        self.begin()
        self.training.attach(self.state)
        done = f"{self.position.epoch} of {self._epochs} epochs"
        if self.position.step:
            done += f" and {self.position.step} of {self.training.steps} steps"
        name = "Ctrl-C" if self._stop.signal == signal.SIGINT else "SIGTERM"
        text = (
            f"stopped by {name} after {done}; "
            f"go on with: striate train --resume {shlex.quote(str(self.path))}"
        )
        for record in self.records:
            record.log.write(text)
        raise Interrupted(text, self._stop.signal, self.path)

    def _finish(self) -> Sequence[Any]:
        """Write the last checkpoints, times and networks; return the networks."""
        self.save()
        models = self.training.attach(self.state)
        for record, model in zip(self.records, models, strict=True):
            record.finish(model)
        return models
