"""``striate runs``: the runs in a folder, and how far each has come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import options, output, selection
from striate.errors import StriateError

if TYPE_CHECKING:
    from striate.runs import RunSummary
    from striate.scans import ScanSummary

_COLUMNS = ("run", "state", "epochs", "accuracy", "network", "dataset", "begun", "size")

_ROOM_FOR_ALL = 128
"""Characters in a line that hold all columns; the name of a run tells most of the last ones."""

EXAMPLES = options.examples(
    "striate runs",
    "striate runs --json",
)


def runs(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that holds the runs.")
    ] = selection.RUNS,
    json: options.Json = False,
) -> None:
    """List the runs in a folder, oldest first.

    A run is finished, interrupted (striate train --resume goes on with it), running now, or
    damaged. Its accuracy is the last one on the validation images, or on the test images where
    there are none. A scan (striate grid) is listed with its cells and its best test accuracy.
    """
    from striate.runs import list_runs
    from striate.scans import list_scans

    if directory != selection.RUNS and not directory.exists():
        raise StriateError(f"{directory}: no such folder")
    found, scans = list_runs(directory), list_scans(directory)
    if json:
        output.say_json(
            {"runs": [_as_dict(run) for run in found], "scans": [_as_dict(scan) for scan in scans]}
        )
        return
    if scans:
        _say_scans(scans)
    if scans and not found:
        return
    if not found:
        output.say(f"no runs in {directory}: begin one, as in striate train digits")
        return
    columns = _COLUMNS if output.width() >= _ROOM_FOR_ALL else _COLUMNS[:4]
    output.say_table(columns, [_row(run)[: len(columns)] for run in found], numbers=(2, 3, 7))
    for run in found:
        if run.reason:
            output.say(f"{run.name}: {run.reason}", hang=2)
    size = sum(run.bytes for run in found) / 1e6
    output.say(f"{len(found)} run{'s' if len(found) > 1 else ''} in {directory}, {size:.1f} MB")


def _row(run: RunSummary) -> tuple[str, ...]:
    return (
        run.name,
        run.state,
        "" if run.epochs is None else f"{run.epochs_done}/{run.epochs}",
        "" if run.accuracy is None else f"{run.accuracy:.4f}",
        run.model or "",
        run.dataset or "",
        "" if run.started is None else f"{run.started:%Y-%m-%d %H:%M}",
        f"{run.bytes / 1e6:.1f} MB",
    )


def _say_scans(scans: Sequence[ScanSummary]) -> None:
    columns = ("scan", "state", "cells", "best", *_COLUMNS[4:])
    shown = columns if output.width() >= _ROOM_FOR_ALL else columns[:4]
    rows = [
        (
            scan.name,
            scan.state,
            "" if scan.cells is None else f"{scan.cells_done}/{scan.cells}",
            "" if scan.accuracy is None else f"{scan.accuracy:.4f}",
            scan.model or "",
            scan.dataset or "",
            "" if scan.started is None else f"{scan.started:%Y-%m-%d %H:%M}",
            f"{scan.bytes / 1e6:.1f} MB",
        )
        for scan in scans
    ]
    output.say_table(shown, [row[: len(shown)] for row in rows], numbers=(2, 3, 7))
    for scan in scans:
        if scan.reason:
            output.say(f"{scan.name}: {scan.reason}", hang=2)
    output.say()


def _as_dict(run: RunSummary | ScanSummary) -> dict[str, Any]:
    return vars(run) | {
        "directory": str(run.directory),
        "started": None if run.started is None else run.started.isoformat(timespec="seconds"),
    }
