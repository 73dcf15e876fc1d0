"""How a scan is shown while it runs: a live table of cells on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from striate.cli import output
from striate.scans.observer import ScanLines, ScanObserver

if TYPE_CHECKING:
    from striate.scans import GridResult
    from striate.scans.block import Progress, Result

_DRAWINGS_A_SECOND = 4
_SHADES = ("grey37", "grey50", "steel_blue", "deep_sky_blue3", "dark_cyan", "green3", "green1")
_MOST_COLUMNS, _MOST_ROWS = 12, 24


@contextmanager
def shown(*, quiet: bool) -> Iterator[ScanObserver]:
    """Give what shows a scan on standard error, in the way that suits it."""
    if quiet:
        yield Silent()
    elif not sys.stderr.isatty():
        yield Lines(sys.stderr)
    else:
        table = LiveTable()
        with table.live:
            yield table


class Lines(ScanLines):
    """Leaves what came out to the command."""

    def on_end(self, grid: GridResult) -> None:
        """Write nothing."""


class Silent(ScanObserver):
    """Passes on what must be heard, and nothing else."""

    def on_message(self, text: str) -> None:
        """Write the sentence."""
        output.note(text)


class LiveTable(ScanObserver):
    """Draws the cells with their latest accuracies, those of a block all at once.

    Two axes make a table like the heat map; other scans are listed by their best cells.
    """

    def __init__(self) -> None:
        self.live = Live(
            Text("building the networks"),
            console=output.console(stderr=True),
            refresh_per_second=_DRAWINGS_A_SECOND,
            transient=True,
        )
        self._grid: GridResult | None = None
        self._accuracy: dict[int, float] = {}
        self._diverged: set[int] = set()
        self._epochs: dict[int, tuple[int, int, int]] = {}
        self._done: set[int] = set()
        self._drawn = 0.0
        self._began = time.monotonic()

    def on_build(self, number: int, cells: int) -> None:
        """Say how many networks are built."""
        self.live.update(Text(f"building the networks: {number + 1} of {cells}"))

    def on_start(self, grid: GridResult) -> None:
        """Note the axes, and the cells that are done."""
        self._grid = grid
        for cell, row in grid.rows.items():
            self._note(cell, row["test_accuracy"], row["diverged"] is not None)
            self._done.add(cell)
        self._draw()

    def on_epoch(self, block: int, training: Progress) -> None:
        """Take the latest accuracies."""
        self._epochs[block] = (training.epoch, training.epochs, len(training.cells))
        for cell, history, diverged in zip(
            training.cells, training.histories, training.diverged, strict=True
        ):
            watched = [name for name in history if name.startswith("val_") and "acc" in name]
            if watched:
                self._note(cell, history[watched[0]][-1], diverged is not None)
        if time.monotonic() - self._drawn >= 1 / _DRAWINGS_A_SECOND:
            self._draw()

    def on_block(self, _block: int, result: Result) -> None:
        """Take the last accuracies."""
        for row in result.rows:
            self._note(row["cell"], row["test_accuracy"], row["diverged"] is not None)
            self._done.add(row["cell"])
        self._draw()

    def on_message(self, text: str) -> None:
        """Write the sentence above the table."""
        self.live.console.print(text, markup=False)

    def _note(self, cell: int, accuracy: float, diverged: bool) -> None:
        self._accuracy[cell] = accuracy
        if diverged:
            self._diverged.add(cell)

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        assert self._grid is not None  # noqa: S101  # for the type checker
        shape = self._grid.shape
        small = len(shape) == 2 and shape[0] <= _MOST_ROWS and shape[1] <= _MOST_COLUMNS
        title, table = self._as_map() if small else self._as_list()
        # Title and caption of a table would be folded to its width.
        self.live.update(Group(Text(title), table, Text(self._words())))

    def _words(self) -> str:
        assert self._grid is not None  # noqa: S101  # for the type checker
        running = [
            f"epoch {epoch}/{epochs}"
            for block, (epoch, epochs, _) in sorted(self._epochs.items())
            if epoch < epochs
        ]
        seconds = time.monotonic() - self._began
        done = f"{len(self._done)} of {len(self._grid.cells)} cells done, {seconds:.0f} s"
        return ", ".join([done, *running])

    def _as_map(self) -> tuple[str, Table]:
        assert self._grid is not None  # noqa: S101  # for the type checker
        (down, rows), (right, columns) = self._grid.axes.items()
        table = Table(pad_edge=False)
        table.add_column("", justify="right")
        for value in columns:
            table.add_column(_short(value), justify="right")
        for number, value in enumerate(rows):
            first = number * len(columns)
            table.add_row(
                _short(value), *(self._cell(first + place) for place in range(len(columns)))
            )
        return f"test accuracy: {down} down, {right} across", table

    def _as_list(self) -> tuple[str, Table]:
        assert self._grid is not None  # noqa: S101  # for the type checker
        sound = [cell for cell in self._accuracy if cell not in self._diverged]
        best = sorted(sound, key=lambda cell: -self._accuracy[cell])[:_MOST_ROWS]
        table = Table(pad_edge=False)
        for name in (*self._grid.axes, "accuracy"):
            table.add_column(name, justify="right")
        for cell in best:
            values = self._grid.cells[cell]
            table.add_row(*(_short(values[name]) for name in self._grid.axes), self._cell(cell))
        return "best cells so far", table

    def _cell(self, cell: int) -> Text:
        if cell in self._diverged:
            return Text("diverged", style="grey50")
        accuracy = self._accuracy.get(cell)
        if accuracy is None:
            return Text("·", style="grey37")
        shade = _SHADES[min(int(accuracy * len(_SHADES)), len(_SHADES) - 1)]
        sound = [a for c, a in self._accuracy.items() if c not in self._diverged]
        bold = "bold reverse " if accuracy == max(sound) else ""
        return Text(f"{accuracy:.3f}", style=bold + shade)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
