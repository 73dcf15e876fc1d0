"""What commands that measure have in common: what a result says of its making, and its files."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import machine
from striate import files
from striate.errors import StriateError

Result = Mapping[str, Any]


def making(command: str, now: datetime, **settings: Any) -> dict[str, Any]:
    """Return the section `made`: when, by which command line, on what, with which settings."""
    return {
        "date": now.isoformat(sep=" ", timespec="minutes"),
        "command": f"python -m benchmarks.{command} {shlex.join(sys.argv[1:])}",
        "machine": machine.describe(),
        "versions": machine.versions(),
        **settings,
    }


def result_file(directory: Path, command: str, now: datetime) -> Path:
    """Return where the result of a measurement goes; its tables lie beside it."""
    return directory / f"{command}-{now:%Y%m%d-%H%M%S}.json"


def keep(path: Path, result: Result, tables: str) -> None:
    """Write the result and its tables, and print the tables."""
    files.write_json(path, result)
    files.write_text(path.with_suffix(".md"), tables)
    print(f"\n{tables}\nwritten: {path.with_suffix('')}.json, .md")


def status(measure: Callable[[], Result], strangers: Callable[[Result], list[str]]) -> int:
    """Measure; return 0, 1 if a program failed or is a stranger, 2 for a wrong call."""
    try:
        result = measure()
    except StriateError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 1 if result["failures"] or strangers(result) else 0
