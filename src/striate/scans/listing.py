"""List the scans in a folder."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from striate.errors import StriateError
from striate.runs.directory import SCAN, State, is_locked
from striate.runs.listing import changed, size_of
from striate.scans.result import GridResult


@dataclass(frozen=True)
class ScanSummary:
    """One line of the list of scans.

    Attributes
    ----------
    name, directory
        The scan's directory, relative to the folder that was listed, and its path.
    state
        "finished", "interrupted", "running" or "damaged".
    dataset, model
        Their names; None where ``scan.json`` cannot be read.
    cells_done, cells
        How many cells are in the table, and how many there are to be.
    accuracy
        The best test accuracy so far.
    started
        When, in local time.
    bytes
        Size of all files.
    reason
        What is damaged, else None.
    """

    name: str
    directory: Path
    state: State
    dataset: str | None = None
    model: str | None = None
    cells_done: int = 0
    cells: int | None = None
    accuracy: float | None = None
    started: datetime | None = None
    bytes: int = 0
    reason: str | None = None


def list_scans(directory: str | os.PathLike[str] = "runs") -> list[ScanSummary]:
    """Return the scans in a folder, oldest first; none where the folder does not exist.

    Raises
    ------
    StriateError
        If it is no folder, or cannot be read.
    """
    folder = Path(directory)
    try:
        found = [path.parent for path in folder.glob(f"*/{SCAN}")]
    except OSError as error:
        raise StriateError(f"{folder}: cannot be listed: {error.strerror or error}") from None
    scans = [_summary(folder, path) for path in found]
    return sorted(scans, key=lambda s: (s.started or changed(s.directory), s.name))


def _summary(folder: Path, path: Path) -> ScanSummary:
    name, size = path.relative_to(folder).as_posix(), size_of(path)
    try:
        grid = GridResult.load(path)
        sound = [row for row in grid.rows.values() if row["diverged"] is None]
        cells = int(grid.config.get("trials", len(grid.cells)))
        best = max((row["test_accuracy"] for row in sound), default=None)
        started = None
        with suppress(KeyError, TypeError, ValueError):
            started = datetime.fromisoformat(grid.config["timing"]["started"]).astimezone()
        state: State = "running" if is_locked(path) else "interrupted"
        return ScanSummary(
            name,
            path,
            "finished" if len(grid.rows) == cells else state,
            grid.config["dataset"]["name"],
            grid.config["model"]["name"],
            len(grid.rows),
            cells,
            best,
            started,
            size,
        )
    except StriateError as error:
        return ScanSummary(name, path, "damaged", bytes=size, reason=str(error))
