"""What a scan gave, as arrays with one dimension for each of its axes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import StriateError, nearest
from striate.scans import files
from striate.scans.space import words

if TYPE_CHECKING:
    from striate.plots.style import Figure


@dataclass(frozen=True, eq=False)
class GridResult:
    """A scan as its directory tells it; also one that is not finished yet.

    Made by `striate.grid`, or by `GridResult.load` of a directory. Each array has the shape of the
    axes, in the order in which they were given, with ``epochs``, ``batch_size`` and ``seed`` last:
    ``grid.test_accuracy[i, j]`` is that of ``axes["learning_rate"][i]`` and ``axes["l2"][j]``. It
    is NaN where a cell is not done yet.

    Attributes
    ----------
    directory
        The directory of the scan.
    config
        Its ``scan.json``: dataset, network, axes, cells, blocks, versions, machine, command.
    rows
        For each cell that is done, by its number, what ``table.csv`` says of it.
    """

    directory: Path
    config: Mapping[str, Any]
    rows: Mapping[int, Mapping[str, Any]]

    @classmethod
    def load(cls, directory: str | os.PathLike[str]) -> GridResult:
        """Read a scan from its directory.

        Raises
        ------
        StriateError
            If the directory is no scan, or a file of it is damaged.
        """
        path = Path(directory)
        scan = files.read_scan(path)
        return cls(path, scan, files.read_table(path, scan["cells"]))

    @property
    def axes(self) -> Mapping[str, list[Any]]:
        """The values of each axis, by its name."""
        return self.config["axes"]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(values) for values in self.axes.values())

    @property
    def cells(self) -> Sequence[Mapping[str, Any]]:
        """The values of the axes for each cell, the last axis fastest."""
        return self.config["cells"]

    @property
    def finished(self) -> bool:
        """Whether all cells are done."""
        return len(self.rows) == len(self.cells)

    @property
    def train_accuracy(self) -> np.ndarray:
        """The accuracy on the training images, after the last epoch."""
        return self._array("train_accuracy")

    @property
    def test_accuracy(self) -> np.ndarray:
        """The accuracy on the test images, after the last epoch."""
        return self._array("test_accuracy")

    @property
    def train_loss(self) -> np.ndarray:
        """The loss on the training images, regularisation included."""
        return self._array("train_loss")

    @property
    def test_loss(self) -> np.ndarray:
        """The loss on the test images, regularisation included."""
        return self._array("test_loss")

    @property
    def diverged(self) -> np.ndarray:
        """Whether the loss of a cell stopped being finite, of bool."""
        values = [
            number in self.rows and self.rows[number]["diverged"] is not None
            for number in range(len(self.cells))
        ]
        return np.array(values, bool).reshape(self.shape)

    @cached_property
    def histories(self) -> Mapping[int, Mapping[str, list[float]]]:
        """For each cell that is done one value an epoch, for each of Keras's keys.

        The history of a cell that diverged ends with the epoch in which it did.
        """
        return files.read_histories(self.directory)

    def best(self, by: str = "test_accuracy") -> dict[str, Any]:
        """Return the row of the best cell: its values of the axes, accuracies and losses.

        Of equal cells it is the first. A cell that diverged is never the best.

        Parameters
        ----------
        by
            A column: an accuracy, of which the largest is best, or a loss.

        Raises
        ------
        StriateError
            If there is no such column, or no cell is done that did not diverge.
        """
        rows = [row for _, row in sorted(self.rows.items()) if row["diverged"] is None]
        if not rows:
            raise StriateError(f"{self.directory}: no cell is done, or all diverged")
        known = [name for name in rows[0] if name.endswith(("_accuracy", "_loss"))]
        if by not in known:
            raise StriateError(f"by={by!r} is no measure of this scan: {nearest(by, known)}")
        sign = 1 if by.endswith("_loss") else -1
        return dict(min(rows, key=lambda row: sign * row[by]))

    def table(self) -> list[dict[str, Any]]:
        """Return the rows that are done, in the order of the cells."""
        return [dict(self.rows[number]) for number in sorted(self.rows)]

    def heatmap(self, what: str = "test_accuracy", **at: Any) -> Figure:
        """Draw a measure over two axes, as annotated cells: the best marked, diverged hatched.

        Parameters
        ----------
        what
            ``test_accuracy``, ``train_accuracy``, ``test_loss`` or ``train_loss``.
        **at
            Where the scan has more than two axes: the values of the others. An axis that is left
            out beyond the first two is averaged over, as seeds are.

        Returns
        -------
        striate.plots.style.Figure
            To be saved, or shown by a notebook.
        """
        from striate import plots

        values, diverged, axes = self.plane(what, **at)
        return plots.heatmap(values, axes, diverged=diverged, label=what.replace("_", " "))

    def plane(self, what: str, **at: Any) -> tuple[np.ndarray, np.ndarray, dict[str, list[Any]]]:
        """Return a measure over at most two axes, where a cell diverged, and these axes."""
        if not self.rows:
            raise StriateError(f"{self.directory}: no cell is done yet")
        values, diverged = self._array(what), self.diverged
        axes = {name: list(of) for name, of in self.axes.items()}
        for name, value in at.items():
            if name not in axes:
                raise StriateError(f"{name}= is no axis of this scan: {nearest(name, axes)}")
            if value not in axes[name]:
                raise StriateError(f"{name}={value!r} is not among its values {axes[name]}")
            number, place = list(axes).index(name), axes[name].index(value)
            values, diverged = (np.take(a, place, axis=number) for a in (values, diverged))
            del axes[name]
        # Seeds are what one averages over; they are never an axis of the picture if others are.
        order = sorted(range(len(axes)), key=lambda n: list(axes)[n] in {"seed", "shuffle_seed"})
        shown = sorted(order[:2])
        others = tuple(n for n in range(len(axes)) if n not in shown)
        names = list(axes)
        return (
            values.mean(axis=others),
            np.asarray(diverged.any(axis=others)),
            {names[n]: axes[names[n]] for n in shown},
        )

    def _array(self, name: str) -> np.ndarray:
        first = next(iter(self.rows.values()), None)
        if first is not None and name not in first:
            raise StriateError(f"no measure {name!r} in this scan: {nearest(name, first)}")
        values = [
            self.rows[number][name] if number in self.rows else np.nan
            for number in range(len(self.cells))
        ]
        return np.array(values, np.float64).reshape(self.shape)

    def __repr__(self) -> str:
        what = f"{self.config['model']['title']} on {self.config['dataset']['name']}"
        axes = " x ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        varied = f", {axes}" if axes else ""
        done = f"{len(self.rows)}/{len(self.cells)} cells"
        end = ""
        if any(row["diverged"] is None for row in self.rows.values()):
            best = self.best()
            cell = words({name: best[name] for name in self.axes})
            end = f", best test accuracy {best['test_accuracy']:.4f}"
            end += f" with {cell}" if cell else ""
        return f"GridResult('{self.directory}': {what}{varied}, {done}{end})"
