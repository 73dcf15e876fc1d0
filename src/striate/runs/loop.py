"""The loop of a training: epochs, checkpoints, history, times, and stopping on a signal."""

from __future__ import annotations

import math
import shlex
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import jax.numpy as jnp
import numpy as np

from striate.engine import Position, Program, Progress
from striate.errors import StriateError
from striate.files import write_json, written_beside
from striate.runs import checkpoint, directory, provenance
from striate.runs.checkpoint import Checkpoint
from striate.runs.directory import Log
from striate.runs.interrupt import Interrupted, StopRequest, stop_on_signals
from striate.runs.observer import Observer, epoch_line
from striate.runs.run import Run

# Between two checkpoints at epoch ends at least so long; a digits epoch takes a few milliseconds.
EPOCH_SECONDS = 1.0
# In the middle of an epoch one after so long.
LONG_EPOCH_SECONDS = 30.0
# Writing may take one part in so many of the time: a slow disk or a large network gets fewer.
LEAST_BETWEEN = 20
PROGRESS_SECONDS = 0.1


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
            "seconds_training": self.training,
            "images_per_second": self.images / self.stepping if self.stepping else None,
            "seconds_total": self.total(),
            "peak_memory_bytes": provenance.peak_memory_bytes(),
        }
        return {name: value for name, value in described.items() if value is not None}


@dataclass
class Session:
    """One process's part in a run, from its first or last checkpoint to its end.

    Attributes
    ----------
    path, config
        The run directory, and what its ``config.json`` says.
    log, observer
        Who is told.
    program, state, position
        The training, its state, and where it goes on.
    history
        One value an epoch for each of Keras's keys.
    times
        What is measured.
    """

    path: Path
    config: dict[str, Any]
    log: Log
    observer: Observer
    program: Program
    state: Any
    position: Position
    times: Times
    history: directory.History = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._epochs = int(self.config["training"]["epochs"])
        self._stop = StopRequest()
        self._compiled: set[bool] = set()
        self._epoch_seconds = 0.0
        self._step = 0
        self._mark = self._told = self._saved = time.perf_counter()
        self._saving = 0.0
        self._diverged = any(not math.isfinite(v) for v in self.history.get("loss", []))

    def train(self, *, keep_model: bool, messages: Sequence[str] = ()) -> Run:
        """Train to the last epoch and write the trained network.

        Parameters
        ----------
        messages
            What to tell before the training.
        keep_model
            Whether the run is given the model itself, not a copy read from its file when asked
            for: right for a model that nobody else has.

        Raises
        ------
        Interrupted
            After Ctrl-C or SIGTERM, when the checkpoint is written.
        StriateError
            If the directory cannot be written to.
        """
        with stop_on_signals() as self._stop:
            self.observer.on_start(self.path, self.config)
            for message in messages:
                self._message(message)
            while self.position.epoch < self._epochs:
                if self._stop.signal is not None:
                    self._interrupt()
                self._epoch()
            self._finish()
            if self._stop.signal is not None:
                raise Interrupted(
                    f"stopped; the run was finished in the meantime: {self.path}",
                    self._stop.signal,
                    self.path,
                )
        run = Run.load(self.path)
        if keep_model:
            vars(run)["model"] = self.program.model
        self.observer.on_end(run)
        return run

    def _message(self, text: str) -> None:
        """Tell log and observer."""
        self.log.write(text)
        self.observer.on_message(text)

    def save(self) -> None:
        """Write a checkpoint, then the history that belongs to it."""
        began = time.perf_counter()
        state = [[np.asarray(value) for value in group] for group in self.state]
        kept = Checkpoint(
            self.position.epoch, self.position.step, state, self.history, self.times.kept()
        )
        with directory.writing(self.path):
            checkpoint.write(self.path / directory.CHECKPOINTS, kept)
            directory.write_history(self.path, self.history)
        self._saved = time.perf_counter()
        self._saving = self._saved - began

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

    def _epoch(self) -> None:
        """Train to the end of the epoch, or to a reason to write a checkpoint within it."""
        began = self._mark = time.perf_counter()
        epoch = self.position.epoch
        self._step = self.position.step
        self.state, self.position, logs = self.program.run_epoch(
            self.state, self.position, self._on_chunk
        )
        if self.position.epoch == epoch:
            self._spend(began)
            self.save()
            return
        validated = self.program.validate(self.state)
        self._spend(began)
        if self.times.first_epoch is None:
            self.times.first_epoch = self.times.total()
        logs |= {f"val_{name}": value for name, value in validated.items()}
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self.log.write(epoch_line(epoch + 1, self._epochs, logs, self._epoch_seconds))
        self.observer.on_epoch(epoch + 1, self._epochs, logs, self._epoch_seconds)
        self._epoch_seconds = 0.0
        if not self._diverged and not math.isfinite(logs["loss"]):
            self._diverged = True
            self._message(
                f"the loss is {logs['loss']} since epoch {epoch + 1}: the training goes on, as in "
                "Keras, but will not recover; try a smaller learning rate"
            )
        if self._due(EPOCH_SECONDS):
            self.save()

    def _on_chunk(self, progress: Progress) -> bool:
        """Take the time of a chunk; answer whether to leave the loop for a checkpoint."""
        now = time.perf_counter()
        size = self.program.batch_size
        images = min(progress.step * size, self.program.images) - self._step * size
        # The first chunk of whole batches, and the first partial batch, are compiled before.
        partial = progress.step * size > self.program.images
        if partial in self._compiled:
            self.times.stepping += now - self._mark
            self.times.images += images
        self._compiled.add(partial)
        if self.times.first_step is None:
            self.times.first_step = self.times.total()
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
        self.times.training += seconds
        self._epoch_seconds += seconds

    def _interrupt(self) -> NoReturn:
        """Write a checkpoint and say how to go on."""
        assert self._stop.signal is not None  # noqa: S101  # for the type checker
        self.save()
        self.write_config()
        self.program.attach(self.state)
        done = f"{self.position.epoch} of {self._epochs} epochs"
        if self.position.step:
            done += f" and {self.position.step} of {self.program.steps} steps"
        name = "Ctrl-C" if self._stop.signal == signal.SIGINT else "SIGTERM"
        text = (
            f"stopped by {name} after {done}; "
            f"go on with: striate train --resume {shlex.quote(str(self.path))}"
        )
        self.log.write(text)
        raise Interrupted(text, self._stop.signal, self.path)

    def _finish(self) -> None:
        """Write the last checkpoint, the times, and, as the sign that all is done, the network."""
        self.save()
        self.program.attach(self.state)
        model = self.program.model
        # What Keras does at the end of fit: averaged weights take the place of the last ones.
        model.optimizer.finalize_variable_values(model.trainable_variables)
        self.write_config()
        with directory.writing(self.path), written_beside(self.path / directory.MODEL) as beside:
            model.save(beside)
        self.log.write(f"finished after {self.times.total():.3g} s")


def restored(kept: Checkpoint, program: Program) -> Any:
    """Return the state of a checkpoint as the program takes it.

    Raises
    ------
    StriateError
        If it is the state of another network.
    """
    fresh = program.start()
    shapes = [[(v.shape, v.dtype) for v in group] for group in fresh]
    if shapes != [[(v.shape, v.dtype) for v in group] for group in kept.state]:
        raise StriateError(
            f"{kept.file_name} is of another network than {directory.NETWORK}: one of them was "
            "replaced"
        )
    # Copies: the training gives its arrays up, and NumPy's memory is not JAX's to reuse.
    return tuple([jnp.array(value) for value in group] for group in kept.state)
