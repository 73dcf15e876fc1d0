"""How a training is shown while it runs: a bar on a terminal, few plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from striate import quantities
from striate.cli import output
from striate.runs import Observer

if TYPE_CHECKING:
    from striate import engine

SHOWN_EPOCHS = 10
"""However short the epochs, about so many of them get a line."""

BETWEEN_EPOCHS = 1.0
"""Seconds after which another epoch gets a line all the same."""

WITHIN_EPOCH = 10.0
"""Seconds after which a long epoch gets a plain line on how far it is."""

_DRAWINGS_A_SECOND = 8


@contextmanager
def shown(*, quiet: bool) -> Iterator[Observer]:
    """Give what shows a training on standard error, in the way that suits it."""
    if quiet:
        yield Silent()
    elif not sys.stderr.isatty():
        yield Plain()
    else:
        bar = Bar()
        with bar.live:
            yield bar


class Silent(Observer):
    """Passes on what must be heard, and nothing else."""

    def on_message(self, text: str) -> None:
        """Write the sentence."""
        output.note(text)


class Plain(Silent):
    """Writes a line for the first epoch, about ten others and the last, and now and then."""

    def __init__(self) -> None:
        self._training: Mapping[str, Any] = {}
        self._written = -math.inf

    def on_start(self, _directory: Path, config: Mapping[str, Any]) -> None:
        """Note what is trained."""
        self._training = config["training"]
        self._written = time.monotonic()

    def on_progress(self, progress: engine.Progress) -> None:
        """Write how far a long epoch is."""
        if time.monotonic() - self._written >= WITHIN_EPOCH:
            self._write(
                f"epoch {progress.epoch + 1}/{self._training['epochs']}: batch {progress.step}/"
                f"{progress.steps}, {progress.images_per_second:,.0f} images/s, "
                f"{values(progress.logs)}"
            )

    def on_epoch(self, epoch: int, epochs: int, logs: Mapping[str, float], seconds: float) -> None:
        """Write loss and metrics of an epoch that gets a line."""
        if gets_line(epoch, epochs) or time.monotonic() - self._written >= BETWEEN_EPOCHS:
            self._write(epoch_line(epoch, logs, seconds, self._training))

    def _write(self, line: str) -> None:
        self._written = time.monotonic()
        output.note(line)


class Bar(Observer):
    """Draws a bar with epoch, batch, rate, time left, loss and metrics; lines of epochs above it.

    The bar moves in a thread of its own, so that it also lives while the network is compiled.
    """

    def __init__(self) -> None:
        self.live = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[batches]}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            TextColumn("{task.fields[values]}"),
            console=output.console(stderr=True),
            transient=True,
            refresh_per_second=_DRAWINGS_A_SECOND,
        )
        self._task = self.live.add_task(
            "building the network", total=None, batches="", rate="", values=""
        )
        self._training: Mapping[str, Any] = {}
        self._steps = 1
        self._drawn = -math.inf

    def on_start(self, _directory: Path, config: Mapping[str, Any]) -> None:
        """Note how long it will be."""
        self._training = config["training"]
        images = config["dataset"]["sizes"]["train"]
        self._steps = math.ceil(images / self._training["batch_size"])
        self.live.reset(self._task, description="compiling", batches="", rate="", values="")

    def on_progress(self, progress: engine.Progress) -> None:
        """Move the bar."""
        self._move(
            progress.epoch,
            progress.step,
            rate=f"{progress.images_per_second:,.0f} images/s",
            values=values(progress.logs),
        )

    def on_epoch(self, epoch: int, epochs: int, logs: Mapping[str, float], seconds: float) -> None:
        """Write the epoch's line if it gets one, and move the bar now and then."""
        if gets_line(epoch, epochs):
            line = epoch_line(epoch, logs, seconds, self._training)
            self.live.console.print(line, markup=False)
        if time.monotonic() - self._drawn >= 1 / _DRAWINGS_A_SECOND:
            self._move(epoch - 1, self._steps, values=values(logs))

    def on_message(self, text: str) -> None:
        """Write the sentence above the bar."""
        self.live.console.print(text, markup=False)

    def _move(self, epoch: int, step: int, **fields: Any) -> None:
        self._drawn = time.monotonic()
        self.live.update(
            self._task,
            description=f"epoch {epoch + 1}/{self._training['epochs']}",
            total=self._training["epochs"] * self._steps,
            completed=epoch * self._steps + step,
            batches=f"batch {step}/{self._steps}",
            **fields,
        )


def gets_line(epoch: int, epochs: int) -> bool:
    """Return whether an epoch (from 1) is the first, the last or one of about ten between."""
    return epoch in (1, epochs) or epoch % math.ceil(epochs / SHOWN_EPOCHS) == 0


def epoch_line(
    epoch: int, logs: Mapping[str, float], seconds: float, training: Mapping[str, Any]
) -> str:
    """Return one line on an epoch: ``epoch 3/100: loss 0.1234 (test 0.1342), ... 20 ms``.

    Parameters
    ----------
    epoch
        From 1.
    logs, seconds
        The values of its history, and its time.
    training
        The section of the run's configuration.
    """
    return (
        f"epoch {epoch}/{training['epochs']}: {values(logs, training['validation_on'])}, "
        + quantities.seconds(seconds)
    )


def values(logs: Mapping[str, float], validation: str = "validation") -> str:
    """Return loss and metrics, the loss first, each with its value on the validation images."""
    parts = []
    for name in sorted(logs, key=lambda name: name != "loss"):
        if not name.startswith("val_"):
            parts.append(f"{name} {logs[name]:.4f}")
            if f"val_{name}" in logs:
                parts[-1] += f" ({validation} {logs[f'val_{name}']:.4f})"
    return ", ".join(parts)
