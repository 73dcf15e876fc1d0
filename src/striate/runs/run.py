"""A run as its directory tells it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from striate.errors import StriateError
from striate.runs import directory as files
from striate.runs.directory import State


@dataclass(frozen=True, eq=False)
class Run:
    """A trained network and how it was made; also one that is not finished yet.

    Made by `striate.train`, or by `Run.load` of a directory.

    Attributes
    ----------
    directory
        The run directory.
    config
        Its ``config.json``: dataset, model, training, versions, machine, command, timing.
    history
        One value an epoch for each of Keras's keys (``loss``, ``val_accuracy`` ...).
    """

    directory: Path
    config: Mapping[str, Any]
    history: Mapping[str, list[float]]

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> Run:
        """Read a run from its directory; the network is read when it is first asked for.

        Raises
        ------
        StriateError
            If the directory is no run, or a file of it is damaged.
        """
        path = Path(directory)
        return cls(path, files.read_config(path), files.read_history(path))

    @cached_property
    def model(self) -> Any:
        """The compiled Keras model; of a run that is not finished, that of its last checkpoint.

        Raises
        ------
        StriateError
            If the file is damaged, or a class of the user's own is not known here.
        """
        # Keras is loaded only by those who want the network.
        from striate.runs import storage

        if (self.directory / files.MODEL).exists():
            return storage.load(self.directory / files.MODEL)
        from striate.runs.checkpoint import newest_good

        kept, _ = newest_good(self.directory / files.CHECKPOINTS)
        model = storage.restore(self.directory)
        storage.assign(model, kept.state)
        return model

    @property
    def state(self) -> State:
        """Whether the run is "finished", "running" or "interrupted"."""
        return files.state_of(self.directory)

    @property
    def epochs_done(self) -> int:
        """Whole epochs in the history."""
        return max((len(values) for values in self.history.values()), default=0)

    @property
    def accuracy(self) -> float | None:
        """The last accuracy on the validation images; None where none was measured.

        Where the data have no validation images it is that on the test images
        (``config["training"]["validation_on"]`` says which).
        """
        for name, values in self.history.items():
            if name.startswith("val_") and name.endswith(("accuracy", "acc")) and values:
                return values[-1]
        return None

    def __repr__(self) -> str:
        what = f"{self.config['model']['name']} on {self.config['dataset']['name']}"
        epochs = f"{self.epochs_done}/{self.config['training']['epochs']} epochs"
        accuracy = self.accuracy
        end = "" if accuracy is None or math.isnan(accuracy) else f", accuracy {accuracy:.4f}"
        return f"Run('{self.directory}': {what}, {self.state}, {epochs}{end})"


def load(directory: str | os.PathLike[str]) -> Run:
    """Read a run from its directory; see `Run.load`."""
    return Run.load(directory)


def refuse_not_a_run(path: Path) -> None:
    """Raise if a directory holds several runs and is none itself."""
    inside = sorted(p.parent.name for p in path.glob(f"*/{files.CONFIG}"))
    if inside and not (path / files.CONFIG).exists():
        raise StriateError(f"{path} holds several runs: name one of {', '.join(inside)}")
