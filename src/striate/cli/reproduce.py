"""``striate reproduce``: run what the lectures show, and set our figures beside theirs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli import datasets, options, output
from striate.cli.keras_loading import load_keras
from striate.errors import StriateError
from striate.quantities import seconds

if TYPE_CHECKING:
    from striate.reproduce.row import Result, Row, State
    from striate.reproduce.running import Progress
    from striate.reproduce.workbench import Watching

EXAMPLES = options.examples(
    "striate reproduce --list                what there is to run",
    "striate reproduce --rows C,W1,W2        the mathematics: seconds",
    "striate reproduce oslo --rows N13 --seeds 2",
    "striate reproduce isgc --quick",
    "striate reproduce best --rows B2,B4     MNIST, CIFAR-10, as good as we can",
    "striate reproduce                       all four lectures: half an hour",
)


def reproduce(
    lecture: Annotated[
        str | None,
        typer.Argument(
            metavar="[LECTURE]",
            help="heidelberg, nthu, isgc or oslo; all four when none is named. Beyond them: best, "
            "the most in 60 s and in 10 min of training.",
            show_default=False,
        ),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(metavar="KEYS", help="Only these rows, as C1,N13; N7 means N7a to N7e."),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List the rows and what they need, run nothing.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="One seed, and long trainings cut short (the page says which)."
        ),
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Networks a figure is the mean of; 5 (best: 3), or 1 if quick."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where pages, pictures and trainings are kept.")
    ] = Path("reproduced"),
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress, only the result.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Reproduce the lectures: run their rows, compare, write one page.

    Each row is computed now, by striate's public functions, and compared with the lecture's figure;
    trainings give the mean over seeds with its standard error. The page is LECTURE.html (of all:
    lectures.html) in the folder, with the numbers as JSON beside it. What is done is kept: call
    again to go on after Ctrl-C; remove the folder to begin anew. Datasets are fetched; a row whose
    data cannot be had says how to get it and does not count as passed. Exit status 1 if a row
    fails.
    """
    from striate.reproduce.lectures import LECTURES
    from striate.reproduce.table import choose

    keys = [] if rows is None else [key.strip() for key in rows.split(",")]
    chosen = choose(lecture, keys)
    if listed:
        _list(chosen, json=json)
        return
    if out.exists() and not out.is_dir():
        raise StriateError(f"--out {out} is a file: name a folder")
    load_keras()
    from striate import runs
    from striate.reproduce import running
    from striate.reproduce.workbench import Settings

    usual = LECTURES[lecture].seeds if lecture else Settings().seeds
    settings = Settings(seeds or (1 if quick else usual), quick)
    try:
        results, page = running.reproduce(
            chosen,
            out,
            title=LECTURES[lecture].title if lecture else "Four lectures, reproduced",
            name=lecture or "lectures",
            settings=settings,
            watching=_watching(quiet=quiet),
            progress=None if quiet else _lines()(),
        )
    except runs.Interrupted as stop:
        output.note(f"striate: {stop}; the same command goes on")
        raise typer.Exit(128 + stop.signal) from None
    counts = running.count(results)
    if json:
        output.say_json({"page": str(page), **running.as_dict(chosen, results, settings)})
    else:
        _say(results, counts, page)
    if counts["failed"]:
        raise typer.Exit(1)


def _list(rows: tuple[Row, ...], *, json: bool) -> None:
    entries = [
        {
            "key": row.key,
            "title": row.title,
            "lectures": list(row.lectures),
            "lecture_figure": row.figure,
            "data": list(row.data),
        }
        for row in rows
    ]
    if json:
        output.say_json(entries)
        return
    from striate.reproduce.lectures import LECTURES

    output.say_table(
        ("row", "lectures", "what", LECTURES[rows[0].lectures[0]].figure, "data"),
        [
            (row.key, ", ".join(row.lectures), row.title, row.figure, ", ".join(row.data))
            for row in rows
        ],
    )


def _watching(*, quiet: bool) -> Watching:
    from striate.cli import progress, scan_progress
    from striate.reproduce.workbench import Watching

    # Elsewhere than on a terminal a line a row is enough.
    silent = quiet or not output.console(stderr=True).is_terminal
    return Watching(
        lambda: progress.shown(quiet=silent),
        lambda: scan_progress.shown(quiet=silent),
        datasets.fetch,
    )


def _lines() -> type[Progress]:
    from striate.reproduce.running import Progress

    class Lines(Progress):
        """Writes a line when a row begins, and one when it is done."""

        def on_row(self, row: Row, number: int, count: int) -> None:
            output.note(f"[{number}/{count}] {row.key}: {row.title}")

        def on_result(self, result: Result, *, kept: bool) -> None:
            after = "kept" if kept else seconds(result.seconds)
            timed = "" if result.state == "named" else f" ({after})"
            what = result.outcome.ours if result.outcome else result.reason
            output.note(f"  {result.state}{timed}: {what}")

    return Lines


def _say(results: list[Result], counts: Mapping[State, int], page: Path) -> None:
    for result in results:
        if result.state in ("failed", "no data"):
            output.say(f"{result.key} {result.state}: {result.reason}", hang=2)
    tried = len(results) - counts["named"]
    line = f"{counts['passed']} of {tried} rows passed"
    if counts["no data"]:
        line += f", {counts['no data']} without their data"
    output.say(line)
    output.say(f"page: {output.from_here(page)}")
