"""The directory of a scan: its files, and how they are written and read.

::

    scan.json                data, network, axes, cells, blocks, versions, machine, command, times
    table.csv                one row a cell, those of a block at once when it is done
    histories/block-000.json one value an epoch for each of Keras's keys, by cell
    checkpoints/block-000/   the last two of a block that is computed on this machine
    models/cell-000.keras    the trained networks, where they are kept
    log.txt                  what happened, line by line; locked while a process computes
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from striate.errors import StriateError
from striate.files import write_json, write_text
from striate.runs.directory import SCAN as SCAN

TABLE = "table.csv"
HISTORIES = "histories"
MODELS = "models"

Row = dict[str, Any]


def read_scan(directory: Path) -> dict[str, Any]:
    """Return ``scan.json``.

    Raises
    ------
    StriateError
        If this is no scan, or the file is damaged.
    """
    path = directory / SCAN
    if not path.exists():
        if not directory.is_dir():
            raise StriateError(f"{directory}: no such scan")
        raise StriateError(f"{directory} is no scan, or was stopped before it began: no {SCAN}")
    scan = _read_json(path)
    for section in ("dataset", "model", "axes", "cells", "blocks", "fixed", "versions"):
        if section not in scan:
            raise StriateError(f"{path} is damaged: it says nothing of {section}")
    return scan


def write_table(directory: Path, rows: Mapping[int, Row]) -> None:
    """Write the rows, in the order of their cells."""
    text = io.StringIO()
    if rows:
        names = next(iter(rows.values())).keys()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        for number in sorted(rows):
            # repr() of a float is read again to the same bits.
            writer.writerow({name: _written(value) for name, value in rows[number].items()})
    write_text(directory / TABLE, text.getvalue())


def read_table(directory: Path, cells: Sequence[Mapping[str, Any]]) -> dict[int, Row]:
    """Return the rows that are done, by the number of the cell.

    Parameters
    ----------
    cells
        Those of ``scan.json``, which hold the values of the axes as they are.

    Raises
    ------
    StriateError
        If the file is damaged.
    """
    path = directory / TABLE
    if not path.exists():
        return {}
    rows = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                number = int(line.pop("cell"))
                cell = cells[number]
                row: Row = {"cell": number, **cell}
                for name, value in line.items():
                    if name not in cell:
                        row[name] = _read(name, value)
                rows[number] = row
    except (KeyError, ValueError, IndexError, TypeError, OSError, csv.Error) as error:
        raise StriateError(f"{path} is damaged ({error}): remove it, and resume the scan") from None
    return rows


def write_histories(
    directory: Path, block: int, cells: Sequence[int], histories: Sequence[Mapping[str, Any]]
) -> None:
    """Write the histories of a block; JSON knows no NaN, so null stands for what is not finite."""
    folder = directory / HISTORIES
    folder.mkdir(exist_ok=True)
    finite = {
        str(cell): {
            name: [value if math.isfinite(value) else None for value in values]
            for name, values in history.items()
        }
        for cell, history in zip(cells, histories, strict=True)
    }
    write_json(folder / f"block-{block:03d}.json", finite)


def read_histories(directory: Path) -> dict[int, dict[str, list[float]]]:
    """Return the histories that are written, by the number of the cell."""
    return {
        int(cell): {
            name: [math.nan if value is None else float(value) for value in values]
            for name, values in history.items()
        }
        for path in sorted((directory / HISTORIES).glob("block-*.json"))
        for cell, history in _read_json(path).items()
    }


def model_file(directory: Path, cell: int) -> Path:
    """Return where the trained network of a cell is kept."""
    return directory / MODELS / f"cell-{cell:03d}.keras"


def _written(value: Any) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def _read(name: str, value: str) -> float | int | None:
    if not value:
        return None
    return int(value) if name in {"epochs_done", "diverged"} else float(value)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StriateError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise StriateError(f"{path} is damaged: {error}") from None
    if not isinstance(value, dict):
        raise StriateError(f"{path} is damaged: it holds no JSON object")
    return value
