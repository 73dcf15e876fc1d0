"""What a training tells while it runs, and an observer that writes it as plain lines."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from striate import quantities

if TYPE_CHECKING:
    from striate.engine import Progress
    from striate.runs.run import Run


class Observer:
    """Is told how a training goes; a subclass overrides what it wants to know.

    All methods are called in the thread that trains, which waits for them. An epoch may take a
    few milliseconds, so what is slow (drawing, sending) belongs behind a look at the clock.
    """

    def on_start(self, directory: Path, config: Mapping[str, Any]) -> None:
        """Hear that the training begins, or goes on: its directory, and its ``config.json``."""

    def on_progress(self, progress: Progress) -> None:
        """Hear how far an epoch is; at most ten times a second."""

    def on_epoch(self, epoch: int, epochs: int, logs: Mapping[str, float], seconds: float) -> None:
        """Hear that `epoch` (from 1) of `epochs` is done, its history's values, and its time."""

    def on_message(self, text: str) -> None:
        """Hear a sentence for the user: a warning, or what is done about something."""

    def on_end(self, run: Run) -> None:
        """Hear that the run is finished."""


class Lines(Observer):
    """Writes a line an epoch, and in long epochs a line now and then.

    Parameters
    ----------
    stream
        Where to, such as ``sys.stderr``.
    seconds
        At least so long between two lines on the progress; the first and the last epoch are
        always written.
    """

    def __init__(self, stream: TextIO, seconds: float = 2.0) -> None:
        self._stream = stream
        self._seconds = seconds
        self._written = -math.inf
        self._epochs = 0

    def on_start(self, directory: Path, config: Mapping[str, Any]) -> None:
        """Write where the run is."""
        self._epochs = int(config["training"]["epochs"])
        self._written = time.monotonic()
        self._write(
            f"training {config['model']['name']} on {config['dataset']['name']}: {directory}"
        )

    def on_progress(self, progress: Progress) -> None:
        """Write how far the epoch is."""
        if self._due():
            share = progress.step / progress.steps
            self._write(
                f"epoch {progress.epoch + 1}/{self._epochs}: {share:.0%}, "
                f"{progress.images_per_second:,.0f} images/s"
            )

    def on_epoch(self, epoch: int, epochs: int, logs: Mapping[str, float], seconds: float) -> None:
        """Write loss and metrics."""
        if epoch in (1, epochs) or self._due():
            self._written = time.monotonic()
            self._write(epoch_line(epoch, epochs, logs, seconds))

    def on_message(self, text: str) -> None:
        """Write the sentence."""
        self._write(text)

    def _due(self) -> bool:
        if time.monotonic() - self._written < self._seconds:
            return False
        self._written = time.monotonic()
        return True

    def _write(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()


def epoch_line(epoch: int, epochs: int, logs: Mapping[str, float], seconds: float) -> str:
    """Return one line on an epoch: ``epoch 3/100: loss 0.1234, accuracy 0.9700 (0.02 s)``."""
    values = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
    return f"epoch {epoch}/{epochs}: {values} ({quantities.seconds(seconds)})"
