"""``striate.grid``: every combination of hyperparameters, as few compiled programs."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from striate import quantities
from striate.data import Dataset, as_dataset
from striate.engine import programs_at_once
from striate.errors import StriateError
from striate.files import remove_half_written, write_json
from striate.runs import directory as runs_files
from striate.runs import provenance
from striate.runs.interrupt import Interrupted, stop_on_signals
from striate.scans import beginning, files, keeping, plan
from striate.scans import block as blocks
from striate.scans.cluster import Cluster, connected
from striate.scans.observer import ScanLines, ScanObserver
from striate.scans.plan import Recipe
from striate.scans.result import GridResult
from striate.scans.space import Cell, axes_and_fixed, product
from striate.scans.workers import Workers

if TYPE_CHECKING:
    from striate.scans.distribution import Distribution


def grid(
    build: Any,
    data: Dataset | str | os.PathLike[str],
    *,
    epochs: int | Sequence[int] | None = None,
    batch_size: int | Sequence[int] | None = None,
    seed: int | Sequence[int] = 0,
    shuffle: bool = True,
    directory: str | os.PathLike[str] = "runs",
    name: str | None = None,
    memory: int | str | None = None,
    side_by_side: int | None = None,
    cluster: Any = None,
    keep_models: bool = False,
    observer: ScanObserver | None = None,
    verbose: int | None = None,
    command: str | None = None,
    kind: str = "grid",
    **arguments: Any,
) -> GridResult:
    """Train a network with every combination of the values given.

    A list (or tuple, range, one-dimensional array) is an axis; anything else holds for all cells.
    Cells whose networks differ only in numbers (learning rate, momentum, L1, L2, dropout rate,
    label smoothing, seed ...) are trained as one compiled program, in blocks that fit into
    memory; those of other shapes, classes or batch sizes as programs of their own. Each cell
    begins with the weights and goes through the images in the order that `striate.train` has for
    its settings, and agrees with it but for rounding.

    The directory keeps all that is done: a scan that was stopped, by Ctrl-C or a kill, goes on with
    `striate.scans.resume` to the same table, bit for bit on the same machine.

    Parameters
    ----------
    build
        A function that returns a compiled Keras model, or the name of a lecture network.
    data
        A dataset, or what `striate.load` takes.
    epochs, batch_size
        The lecture's for a lecture network, 3 and 64 for others.
    seed
        Decides initial weights, dropout and, unless ``shuffle_seed`` is given, the order of images.
    shuffle
        Whether the images come in a new order in each epoch.
    directory, name
        The scan is ``directory/name``; without a name it is
        ``<data>-<network>-grid-<date>-<time>``.
    memory
        How much the programs may need, in bytes or as ``"4 GB"``; half of what is free if not
        given. With a cluster, in each of its workers.
    side_by_side
        How many programs run at once, each on one core; the cores, or the threads of all workers,
        if not given.
    cluster
        Where the programs run, if not in this process: a number of worker processes to start on
        this machine, a `striate.scans.BatchSystem`, the address of a Dask scheduler, or a Dask
        client or cluster.
    keep_models
        Whether to keep the trained networks, as ``models/cell-000.keras`` in the directory.
    observer
        Is told how it goes, in place of `verbose`.
    verbose
        1 writes lines on stderr, 0 nothing; 1 on a terminal and 0 elsewhere when not given.
    command
        What to write down as the command that repeats this.
    kind
        What to call the scan, in the name of its directory.
    **arguments
        Passed to the function if it takes them (``l2``); else set on the optimizer
        (``learning_rate``). Values are numbers or words.

    Returns
    -------
    GridResult
        With the accuracies as arrays shaped by the axes, and the directory.

    Raises
    ------
    StriateError
        If a network cannot be built or does not fit the data, or an argument belongs to nothing.
    Interrupted
        After Ctrl-C or SIGTERM.

    Examples
    --------
    >>> grid = st.grid(st.models.oslo_digits, "digits", learning_rate=[0.01, 0.1], l2=[0, 1e-3],
    ...                epochs=30)                                        # doctest: +SKIP
    >>> grid.test_accuracy.shape, grid.best()["learning_rate"]           # doctest: +SKIP
    ((2, 2), 0.1)
    """
    began = time.perf_counter()
    started = datetime.now().astimezone()
    given = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "shuffle": shuffle}
    axes, fixed = axes_and_fixed(
        {**arguments, **{key: value for key, value in given.items() if value is not None}}
    )
    with connected(cluster) as machines:
        return run(
            build,
            as_dataset(data),
            axes,
            product(axes),
            fixed,
            kind=kind,
            directory=Path(directory),
            name=name,
            memory=memory,
            side_by_side=side_by_side,
            cluster=machines,
            keep_models=keep_models,
            observer=observer_for(observer, verbose),
            command=command,
            started=started,
            began=began,
        )


def run(
    build: Any,
    data: Dataset,
    axes: Mapping[str, Sequence[Any]],
    cells: Sequence[Cell],
    fixed: Mapping[str, Any],
    *,
    kind: str,
    directory: Path,
    name: str | None,
    memory: int | str | None,
    side_by_side: int | None,
    cluster: Cluster | None,
    keep_models: bool,
    observer: ScanObserver,
    command: str | None,
    started: datetime,
    began: float,
) -> GridResult:
    """Divide cells into blocks, make the scan's directory, and compute them; see `grid`."""
    recipe, first = beginning.recipe(build, data, fixed, cells)
    limit = plan.memory_limit(memory) if cluster is None else cluster.memory_limit(memory)
    if cluster is not None:
        made, side_by_side = cluster.blocks(recipe, cells, limit, side_by_side, observer.on_build)
    else:
        at_once = programs_at_once() if side_by_side is None else side_by_side
        made, side_by_side = plan.blocks(recipe, cells, limit, at_once, observer.on_build)
    values = {axis: list(values) for axis, values in axes.items()}
    repeat = command or _python_call(kind, first.code, data, axes, fixed)
    scan: dict[str, Any] = {
        **beginning.describe(kind, recipe, first, values, repeat),
        "cells": list(cells),
        "blocks": made,
        "side_by_side": side_by_side,
        "one_thread": side_by_side > 1 or cluster is not None,
        "memory_bytes": limit,
        "keep_models": keep_models,
        "timing": beginning.timing(started),
    }
    subject = f"{data.name}-{first.title}-{kind}"
    path = runs_files.create(directory, subject, name, started)
    with runs_files.Log(path) as log:
        log.write(scan["command"])
        with runs_files.writing(path):
            files.write_table(path, {})
            # From here on the scan can be killed and resumed.
            write_json(path / files.SCAN, scan)
        return _Scan(path, scan, recipe, log, observer, began, cluster).compute()


def resume(
    directory: str | os.PathLike[str],
    build: Any = None,
    data: Dataset | None = None,
    *,
    cluster: Any = None,
    observer: ScanObserver | None = None,
    verbose: int | None = None,
) -> GridResult:
    """Go on with a scan that was stopped: compute the cells that are missing.

    The table has the bits of one that was never stopped, on the same machine. A scan that is
    finished is returned as it is.

    Parameters
    ----------
    directory
        The directory of the scan; all that is needed for a lecture network and data that
        `striate.load` makes of a name or path.
    build, data
        The function and the dataset of the scan, where it was made of others.
    cluster, observer, verbose
        As in `striate.grid`; a scan may go on elsewhere than it began.

    Raises
    ------
    StriateError
        If the directory is no scan, is being computed, or was made with other versions or data.
    Interrupted
        After Ctrl-C or SIGTERM.
    """
    began = time.perf_counter()
    path = Path(directory)
    told = observer_for(observer, verbose)
    scan = files.read_scan(path)
    if scan["kind"] == "search":
        raise StriateError(f"{path} is a search, not a grid: striate search --resume goes on")
    if GridResult.load(path).finished:
        told.on_message(f"{path} is finished, there is nothing to go on with")
        return GridResult.load(path)
    with connected(cluster) as machines, runs_files.Log(path) as log:
        provenance.refuse_other_versions(scan, path)
        recipe = blocks.recipe_of(scan, build, data)
        for line in provenance.other_machine(scan, "scan"):
            log.write(line)
            told.on_message(line)
        remove_half_written(path)
        log.write(f"resumed with {len(files.read_table(path, scan['cells']))} cells done")
        return _Scan(path, scan, recipe, log, told, began, machines).compute()


class _Scan:
    """One process's part in a scan."""

    def __init__(
        self,
        path: Path,
        scan: dict[str, Any],
        recipe: Recipe,
        log: runs_files.Log,
        observer: ScanObserver,
        began: float,
        cluster: Cluster | None,
    ) -> None:
        self._path, self._scan, self._recipe = path, scan, recipe
        self._cluster = cluster
        self._log, self._observer, self._began = log, observer, began
        self._rows = files.read_table(path, scan["cells"])

    def compute(self) -> GridResult:
        """Compute the blocks that are missing, several at once."""
        missing = [
            number
            for number, block in enumerate(self._scan["blocks"])
            if any(cell not in self._rows for cell in block["cells"])
        ]
        with stop_on_signals() as stop:
            self._observer.on_start(self._result())
            workers: Workers | Distribution
            if self._cluster is None:
                workers = Workers(self._recipe, self._scan, missing, self._path)
            else:
                workers = self._cluster.workers(self._recipe, self._scan, missing)
            for number, training, done in workers.events(lambda: stop.signal is not None):
                if done is None:
                    self._observer.on_epoch(number, training)
                else:
                    self._keep(number, training.cells, done)
            if stop.signal is not None and not self._result().finished:
                self._interrupt(stop.signal)
        self._finish()
        grid = self._result()
        self._observer.on_end(grid)
        return grid

    def _keep(self, number: int, cells: Sequence[int], done: blocks.Result) -> None:
        """Write what a block gave; the rows of the table last, as the sign that all is there."""
        with runs_files.writing(self._path):
            files.write_histories(self._path, number, cells, done.histories)
            for cell, weights in zip(cells, done.weights, strict=False):
                blocks.save_model(
                    self._recipe,
                    self._scan["cells"][cell],
                    weights,
                    files.model_file(self._path, cell),
                )
            self._rows |= {row["cell"]: row for row in done.rows}
            files.write_table(self._path, self._rows)
            keeping.remove(self._path, number)
        self._log.write(f"block {number + 1}: {quantities.plural(len(cells), 'cell')} done")
        self._observer.on_block(number, done)

    def _finish(self) -> None:
        seconds = time.perf_counter() - self._began
        timing = {
            "seconds_total": self._scan["timing"].get("seconds_total", 0.0) + seconds,
            "peak_memory_bytes": provenance.peak_memory_bytes(),
        }
        self._scan["timing"] = self._scan["timing"] | timing
        with runs_files.writing(self._path):
            write_json(self._path / files.SCAN, self._scan)
        self._log.write(f"finished after {quantities.seconds(seconds)}")

    def _interrupt(self, number: int) -> NoReturn:
        name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
        text = (
            f"stopped by {name} with {len(self._rows)} of {len(self._scan['cells'])} cells done; "
            f"go on with: striate grid --resume {shlex.quote(str(self._path))}"
        )
        self._log.write(text)
        raise Interrupted(text, number, self._path)

    def _result(self) -> GridResult:
        return GridResult(self._path, self._scan, dict(self._rows))


def observer_for(observer: ScanObserver | None, verbose: int | None) -> ScanObserver:
    """Return who is told: the observer given, or lines on stderr, or nobody."""
    if observer is not None:
        return observer
    if verbose is None:
        verbose = int(sys.stderr.isatty())
    return ScanLines(sys.stderr) if verbose else ScanObserver()


def _python_call(
    kind: str, code: str, data: Dataset, axes: Mapping[str, Any], fixed: Mapping[str, Any]
) -> str:
    line = provenance.python_call(code, data, {**axes, **fixed})
    return line.replace("st.train(", f"st.{kind}(", 1)
