"""``striate grid``: train a network with every combination of hyperparameters."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import cluster_options, datasets, options, output, ranges, selection
from striate.cli.keras_loading import load_keras
from striate.errors import StriateError
from striate.quantities import plural, seconds

if TYPE_CHECKING:
    from striate.scans import GridResult

EXAMPLES = options.examples(
    "striate grid digits --learning-rate 1e-5:1e1:7 --l2 1e-5:1e1:7 --epochs 100",
    "striate grid ox --learning-rate 0.001,0.01 --seed 0,1,2 --epochs 5",
    "striate grid digits --set filters=5,10 --learning-rate lin:0.05:0.2:4",
    "striate grid digits --learning-rate 1e-5:1e1:7 --seed 0,1,2,3 --workers 2",
    "striate grid --resume last",
)

Range = Annotated[str | None, typer.Option(metavar="RANGE", help=ranges.HELP + ".")]


def grid(
    dataset: Annotated[
        str | None,
        typer.Argument(
            metavar="DATASET",
            help="A known name (digits, ox, mnist, fashion_mnist, cifar10), or a path.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The lecture network ('striate explain model' lists them); the dataset's own "
            "when not given.",
        ),
    ] = None,
    learning_rate: Range = None,
    l2: Range = None,
    seed: Range = None,
    epochs: Range = None,
    batch_size: Range = None,
    arguments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=RANGE",
            help="Another argument of the network's function or its optimizer, such as "
            "filters=5,10 or momentum=0.9; may be given again.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the scan's directory is made; runs if not given."),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Memory for the training, as 4GB; half of what is free."),
    ] = None,
    workers: cluster_options.Workers = None,
    dask: cluster_options.Dask = None,
    slurm: cluster_options.Slurm = None,
    htcondor: cluster_options.HTCondor = None,
    keep_models: Annotated[
        bool, typer.Option("--keep-models", help="Keep the trained network of each cell.")
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="SCAN", help="Go on with a scan that was stopped; takes no other settings."
        ),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Whether to write a report.")
    ] = True,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress, only the result.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Train a network with every combination of the values given.

    Cells that differ only in numbers are trained as one compiled program. The scan's directory
    keeps each cell as soon as it is done (table.csv); a scan that was stopped, by Ctrl-C or a
    kill, is resumed to the same table, bit for bit. Its blocks run in this process, or on Dask
    workers: a worker that is lost costs only the time of its block. A resumed scan may run
    elsewhere than it began.
    """
    given = {
        "learning_rate": learning_rate,
        "l2": l2,
        "seed": seed,
        "epochs": epochs,
        "batch_size": batch_size,
    }
    words = {name: text for name, text in given.items() if text is not None}
    pairs = list(arguments or [])
    cluster = cluster_options.chosen(workers, dask, slurm, htcondor)
    if resume is not None:
        if dataset is not None or model is not None or words or pairs or out or memory:
            raise StriateError(
                "--resume goes on with a scan as it was begun: leave out dataset and settings"
            )
        path = selection.scan_directory(resume)
        with _computing(quiet=quiet) as (scans, observer):
            found = scans.resume(path, cluster=cluster, observer=observer)
    else:
        if dataset is None:
            raise StriateError(
                "grid needs a dataset, as in: striate grid digits --learning-rate 1e-3:1e0:4"
            )
        axes = ranges.axes(pairs)
        for name, text in words.items():
            if name in axes:
                raise StriateError(f"--set {name}= is given beside --{name.replace('_', '-')}")
            axes[name] = ranges.values(f"--{name.replace('_', '-')}", text)
        found = _new(
            dataset,
            model,
            axes,
            command=partial(_command, dataset, words=words, pairs=pairs),
            directory=out or selection.RUNS,
            memory=memory,
            cluster=cluster,
            keep_models=keep_models,
            quiet=quiet or json,
        )
    _end(found, report=report, json=json)


def _new(
    dataset: str,
    model: str | None,
    axes: Mapping[str, Any],
    *,
    command: Callable[[str], str],
    quiet: bool,
    **given: Any,
) -> GridResult:
    data, entry = datasets.with_network(dataset, model)
    if not quiet:
        output.say(datasets.describe(data))
        output.say(f"{entry.name}: {entry.summary}")
    with _computing(quiet=quiet) as (scans, observer):
        return scans.grid(
            entry.name, data, observer=observer, command=command(entry.name), **given, **axes
        )


@contextmanager
def _computing(*, quiet: bool) -> Iterator[tuple[Any, Any]]:
    """Give what scans and what shows it; turn a signal into its exit status."""
    load_keras()
    from striate import runs, scans
    from striate.cli import scan_progress

    try:
        with scan_progress.shown(quiet=quiet) as observer:
            yield scans, observer
    except runs.Interrupted as stop:
        output.note(f"striate: {stop}")
        raise typer.Exit(128 + stop.signal) from None


def _end(found: GridResult, *, report: bool, json: bool) -> None:
    """Write the report, and say what came out."""
    page = None
    if report:
        with output.waiting("writing the report ..."):
            from striate.report.grid import write_grid_report

            page = write_grid_report(found)
    diverged = int(found.diverged.sum())
    sound = diverged < len(found.cells)
    if json:
        output.say_json(
            {
                "scan": str(found.directory),
                "report": None if page is None else str(page),
                "axes": found.axes,
                "best": found.best() if sound else None,
                "cells": found.table(),
                "timing": found.config["timing"],
            }
        )
        return
    total = found.config["timing"].get("seconds_total")
    took = "" if total is None else f" in {seconds(total)}"
    output.say(f"{plural(len(found.cells), 'cell')}, {diverged} diverged{took}")
    if sound:
        best = found.best()
        cell = ", ".join(f"{name} {best[name]:g}" if isinstance(best[name], float)
                         else f"{name} {best[name]}" for name in found.axes)  # fmt: skip
        output.say(
            f"best: {cell}: test accuracy {best['test_accuracy']:.4f}, "
            f"training accuracy {best['train_accuracy']:.4f}"
        )
    output.say(f"scan: {output.from_here(found.directory)}")
    if page is not None:
        output.say(f"report: {output.from_here(page)}")


def _command(dataset: str, model: str, words: Mapping[str, str], pairs: list[str]) -> str:
    """Return the command that repeats the scan."""
    line = ["striate", "grid", dataset, "--model", model]
    for name, text in words.items():
        line += [f"--{name.replace('_', '-')}", text]
    for pair in pairs:
        line += ["--set", pair]
    return shlex.join(line)
