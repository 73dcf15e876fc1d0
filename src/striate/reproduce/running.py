"""Running rows one after the other; what is done is kept."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import striate
from striate.errors import StriateError
from striate.files import write_json, write_text
from striate.reproduce.page import write_page
from striate.reproduce.row import Outcome, Result, Row, State
from striate.reproduce.workbench import NoDataError, Settings, Watching, Workbench


class Progress:
    """Is told how the rows go; a subclass overrides what it wants to know."""

    def on_row(self, row: Row, number: int, count: int) -> None:
        """Hear that a row begins."""

    def on_result(self, result: Result, *, kept: bool) -> None:
        """Hear what came out of a row, and whether it was done before."""


def reproduce(
    rows: Sequence[Row],
    directory: Path,
    *,
    title: str,
    name: str = "lectures",
    settings: Settings | None = None,
    watching: Watching | None = None,
    progress: Progress | None = None,
) -> tuple[list[Result], Path]:
    """Run rows, and write their page.

    A row that was done in the directory with the same settings and the same striate is kept; a
    training that was stopped goes on. The page, ``NAME.html``, and ``NAME.json`` are written anew
    after each row.

    Parameters
    ----------
    rows
        Which, in their order.
    directory
        Where everything is kept.
    title, name
        Of the page.
    settings
        How thoroughly.
    watching, progress
        Who is told.

    Returns
    -------
    list of Result, pathlib.Path
        Of each row, and the page.
    """
    bench = Workbench(directory, settings, watching)
    told = progress or Progress()
    results: list[Result] = []
    page = directory / f"{name}.html"
    for number, row in enumerate(rows, 1):
        told.on_row(row, number, len(rows))
        kept = _kept(bench, row)
        result = kept or _run(bench, row)
        if kept is None and result.state in ("passed", "failed") and result.outcome is not None:
            write_json(_file(bench, row), {"settings": _deciding(bench), "result": _json(result)})
        results.append(result)
        done = rows[:number]
        write_json(directory / f"{name}.json", as_dict(done, results, bench.settings))
        write_page(page, title, done, results, bench.settings)
        told.on_result(result, kept=kept is not None)
    return results, page


def as_dict(rows: Sequence[Row], results: Sequence[Result], settings: Settings) -> dict[str, Any]:
    """Return what the page tells, as JSON can hold it."""
    return {
        "striate": striate.__version__,
        "settings": asdict(settings),
        "counts": count(results),
        "rows": [
            {"title": row.title, "lectures": list(row.lectures), "lecture_figure": row.figure,
             **_json(result)}
            for row, result in zip(rows, results, strict=True)
        ],
    }  # fmt: skip


def count(results: Sequence[Result]) -> dict[State, int]:
    """Return how many rows are in each state."""
    states: tuple[State, ...] = ("passed", "failed", "no data", "named")
    return {state: sum(result.state == state for result in results) for state in states}


def _run(bench: Workbench, row: Row) -> Result:
    if row.run is None:
        return Result(row.key, "named", f"Only {row.figure}.")
    began = time.perf_counter()
    try:
        for name in row.data:
            bench.require(name)
        outcome = row.run(bench)
    except NoDataError as error:
        return Result(row.key, "no data", str(error), seconds=time.perf_counter() - began)
    except Exception as error:  # the other rows go on, whatever is wrong with this one
        words = " ".join(str(error).split())
        if not isinstance(error, StriateError):
            log = bench.directory / "rows" / f"{row.key}.log"
            write_text(log, traceback.format_exc())
            words = f"{type(error).__name__}: {words} (see {log.name} in rows/)"
        return Result(row.key, "failed", words, seconds=time.perf_counter() - began)
    seconds = time.perf_counter() - began
    return Result(row.key, *_judged(outcome), outcome, seconds)


def _judged(outcome: Outcome) -> tuple[State, str]:
    wrong = [check for check in outcome.checks if not check.passed]
    if wrong:
        told = "; ".join(f"{c.what}: {c.ours}, but must be {c.expected}" for c in wrong)
        return "failed", f"{told}."
    if not outcome.checks:
        return "failed", "Nothing was compared."
    held = len(outcome.checks)
    return "passed", "The check holds." if held == 1 else f"All {held} checks hold."


def _kept(bench: Workbench, row: Row) -> Result | None:
    """Return what came out of a row before, if it was run with the same settings."""
    try:
        written = json.loads(_file(bench, row).read_text(encoding="utf-8"))
        if written["settings"] != _deciding(bench):
            return None
        result = Result.of(written["result"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    pictures = result.outcome.pictures if result.outcome else ()
    folder = bench.directory / "figures"
    there = all((folder / f"{picture.name}.png").is_file() for picture in pictures)
    return result if there and result.state == "passed" else None


def _deciding(bench: Workbench) -> dict[str, Any]:
    return {"striate": striate.__version__, **asdict(bench.settings)}


def _file(bench: Workbench, row: Row) -> Path:
    return bench.directory / "rows" / f"{row.key}.json"


def _json(result: Result) -> dict[str, Any]:
    """Return a result in types that JSON has; NaN, as the error of one seed, becomes None."""
    told: dict[str, Any] = json.loads(json.dumps(result.as_dict()), parse_constant=lambda _: None)
    return told
