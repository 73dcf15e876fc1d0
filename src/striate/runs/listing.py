"""List the runs in a folder, the damaged ones with what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from striate.errors import StriateError
from striate.runs import directory as files
from striate.runs.checkpoint import newest_good
from striate.runs.directory import State
from striate.runs.run import Run


@dataclass(frozen=True)
class RunSummary:
    """One line of the list of runs.

    Attributes
    ----------
    name, directory
        The run directory, relative to the folder that was listed, and its path.
    state
        "finished", "interrupted", "running" or "damaged".
    dataset, model
        Their names; None where ``config.json`` cannot be read.
    epochs_done, epochs
        Whole epochs in the history, and how many there are to be.
    accuracy
        The last accuracy on the validation images, else test images, if any was measured.
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
    epochs_done: int = 0
    epochs: int | None = None
    accuracy: float | None = None
    started: datetime | None = None
    bytes: int = 0
    reason: str | None = None


def list_runs(directory: str | os.PathLike[str] = "runs") -> list[RunSummary]:
    """Return the runs in a folder, oldest first; those of several seeds one by one.

    Scans, which lie among them, are left out: `striate.scans.list_scans`.

    Parameters
    ----------
    directory
        The folder; when it does not exist there are no runs in it.

    Raises
    ------
    StriateError
        If it is no folder, or cannot be read.
    """
    folder = Path(directory)
    try:
        found = list(_run_directories(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StriateError(f"{folder}: cannot be listed: {error.strerror or error}") from None
    runs = [_summary(folder, path) for path in found]
    # Where config.json cannot say when, the directory's own time is next best.
    return sorted(runs, key=lambda r: (r.started or changed(r.directory), r.name))


def _run_directories(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.is_dir() or path.name.startswith(".") or (path / files.SCAN).exists():
            continue
        inside = sorted(config.parent for config in path.glob(f"*/{files.CONFIG}"))
        if inside and not (path / files.CONFIG).exists():
            yield from inside
        else:
            yield path


def _summary(folder: Path, path: Path) -> RunSummary:
    name = path.relative_to(folder).as_posix()
    size = size_of(path)
    try:
        run = Run.load(path)
    except StriateError as error:
        # A run that has just begun has not written everything yet.
        if files.is_locked(path):
            return RunSummary(name, path, "running", bytes=size)
        return RunSummary(name, path, "damaged", bytes=size, reason=str(error))
    state, reason = run.state, None
    if state == "interrupted":
        try:
            newest_good(path / files.CHECKPOINTS)
        except StriateError as error:
            state, reason = "damaged", str(error)
    return RunSummary(
        name,
        path,
        state,
        run.config["dataset"]["name"],
        run.config["model"]["name"],
        run.epochs_done,
        run.config["training"]["epochs"],
        run.accuracy,
        _started(run),
        size,
        reason,
    )


def _started(run: Run) -> datetime | None:
    with suppress(KeyError, TypeError, ValueError):
        return datetime.fromisoformat(run.config["timing"]["started"]).astimezone()
    return None


def size_of(path: Path) -> int:
    """Return the size of all files in a directory."""
    size = 0
    for file in path.rglob("*"):
        # A run that is being trained renames and removes files meanwhile.
        with suppress(FileNotFoundError):
            size += file.stat().st_size if file.is_file() else 0
    return size


def changed(path: Path) -> datetime:
    """Return when something was last made or removed in a directory."""
    return datetime.fromtimestamp(path.stat().st_mtime).astimezone()
