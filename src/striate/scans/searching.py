"""``striate.search``: proposals instead of every combination, a batch of them as one program."""

from __future__ import annotations

import math
import os
import shlex
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from striate import quantities
from striate.data import Dataset, as_dataset
from striate.engine import programs_at_once
from striate.errors import StriateError, nearest
from striate.files import remove_half_written, write_json
from striate.runs import directory as runs_files
from striate.runs import provenance
from striate.runs.interrupt import Interrupted, StopRequest, stop_on_signals
from striate.scans import beginning, files, plan
from striate.scans import block as blocks
from striate.scans.findings import SearchResult
from striate.scans.observer import ScanObserver
from striate.scans.plan import Recipe
from striate.scans.programs import Programs
from striate.scans.proposals import (
    SAMPLERS,
    Axis,
    Between,
    Study,
    axis_from,
    rungs,
    shown,
    surviving,
)
from striate.scans.space import Cell, axes_and_fixed, words
from striate.scans.training import observer_for

TRIALS = 64
AT_ONCE = 32
DATABASE = "search.db"


def search(
    build: Any,
    data: Dataset | str | os.PathLike[str],
    *,
    trials: int = TRIALS,
    at_once: int = AT_ONCE,
    sampler: str = "random",
    reduction: int | None = None,
    least_epochs: int | None = None,
    epochs: int | None = None,
    batch_size: Any = None,
    seed: Any = 0,
    search_seed: int = 0,
    storage: str | None = None,
    study: str | None = None,
    directory: str | os.PathLike[str] = "runs",
    name: str | None = None,
    memory: int | str | None = None,
    side_by_side: int | None = None,
    observer: ScanObserver | None = None,
    verbose: int | None = None,
    command: str | None = None,
    **arguments: Any,
) -> SearchResult:
    """Train networks with hyperparameters that are proposed, and go on with what is promising.

    An axis is a list of values, as in `striate.grid`, or `striate.scans.Between` two numbers;
    anything else holds for all. A batch of proposals is trained as few compiled programs, as the
    cells of a grid are. With a reduction of 3, a third goes on where the epochs have tripled
    (asynchronous successive halving); it is compared with all that have come so far, in this batch,
    before, and in other processes.

    What is best is decided on the validation images; on the test images where there are none,
    after which the test accuracy of the best is no measure of it any more.

    Parameters
    ----------
    build, data
        As in `striate.grid`.
    trials
        How many proposals.
    at_once
        How many are trained together. The next are proposed when all these are done.
    sampler
        ``"random"``, or ``"tpe"``, which learns from what is done (tree of Parzen estimators).
    reduction
        One in so many goes on from rung to rung; all are trained to the end if not given.
    least_epochs
        The first rung; so that there are three more, or what that leaves, if not given.
    epochs, batch_size, seed
        As in `striate.grid`; epochs are the same for all.
    search_seed
        Decides what is proposed.
    storage, study
        The data base that Optuna keeps the proposals in, as ``"postgresql://user@host/name"``, and
        the name of the study in it; searches of several processes that give the same ones share
        them. If not given, an SQLite file in the directory of the search.
    directory, name, memory, side_by_side, observer, verbose, command
        As in `striate.grid`.
    **arguments
        As in `striate.grid`.

    Returns
    -------
    SearchResult
        Its ``best()`` is a row with the hyperparameters.

    Raises
    ------
    StriateError
        If a network cannot be built or does not fit, the data base does not answer, or Optuna is
        not installed.
    Interrupted
        After Ctrl-C or SIGTERM.

    Examples
    --------
    >>> found = st.scans.search("oslo_digits", "digits", learning_rate=Between(1e-5, 10),
    ...                   filters=[5, 10, 20], trials=64, reduction=3)   # doctest: +SKIP
    >>> found.best()["learning_rate"]                                    # doctest: +SKIP
    0.27
    """
    began = time.perf_counter()
    started = datetime.now().astimezone()
    if sampler not in SAMPLERS:
        raise StriateError(f"sampler={sampler!r} is unknown: {nearest(sampler, SAMPLERS)}")
    refuse_less_than(1, trials=trials, at_once=at_once, least_epochs=least_epochs or 1)
    refuse_less_than(2, reduction=reduction or 2)
    given = {"epochs": epochs, "batch_size": batch_size, "seed": seed, **arguments}
    given = {key: value for key, value in given.items() if value is not None}
    ranges: dict[str, Axis] = {k: v for k, v in given.items() if isinstance(v, Between)}
    lists, fixed = axes_and_fixed({k: v for k, v in given.items() if k not in ranges})
    axes = {key: {**ranges, **lists}[key] for key in given if key not in fixed}
    if not axes:
        raise StriateError("a search needs something to vary: give a list, or Between two numbers")
    if "epochs" in axes:
        raise StriateError("epochs cannot be searched: reduction= trains the promising for longer")
    loaded = as_dataset(data)
    first = {key: of.low if isinstance(of, Between) else of[0] for key, of in axes.items()}
    first = {k: int(v) if getattr(axes[k], "whole", False) else v for k, v in first.items()}
    recipe, network = beginning.recipe(build, loaded, fixed, [first])
    last = recipe.fixed["epochs"]
    least = least_epochs or max(1, last // (reduction or 1) ** 3)
    described = {k: v.describe() if isinstance(v, Between) else list(v) for k, v in axes.items()}
    path = runs_files.create(
        Path(directory), f"{loaded.name}-{network.title}-search", name, started
    )
    scan: dict[str, Any] = {
        **beginning.describe("search", recipe, network, described, command),
        "trials": trials,
        "at_once": at_once,
        "sampler": sampler,
        "search_seed": search_seed,
        "reduction": reduction,
        "rungs": list(rungs(last, least, reduction)),
        "storage": None if storage is None else shown(storage),
        "study": study or path.name,
        "memory_bytes": plan.memory_limit(memory),
        "side_by_side": programs_at_once() if side_by_side is None else side_by_side,
        "cells": [],
        "proposals": [],
        "blocks": [],
        "timing": beginning.timing(started),
    }
    with runs_files.Log(path) as log:
        log.write(command or "a search")
        work = _Search(path, scan, recipe, storage, log, observer_for(observer, verbose), began)
        work.write()
        return work.compute()


def resume_search(
    directory: str | os.PathLike[str],
    build: Any = None,
    data: Dataset | None = None,
    *,
    storage: str | None = None,
    observer: ScanObserver | None = None,
    verbose: int | None = None,
) -> SearchResult:
    """Go on with a search that was stopped, to what it would have come to.

    Parameters
    ----------
    directory
        The directory of the search.
    build, data
        The function and the dataset, where the search was made of others than a lecture network
        and data that `striate.load` makes.
    storage
        The address of the data base again where it has a password, which is kept nowhere.
    observer, verbose
        As in `striate.grid`.

    Raises
    ------
    StriateError
        If the directory is no search, is being computed, or was made with other versions or data.
    Interrupted
        After Ctrl-C or SIGTERM.
    """
    began = time.perf_counter()
    path = Path(directory)
    told = observer_for(observer, verbose)
    found = SearchResult.load(path)
    if found.finished:
        told.on_message(f"{path} is finished, there is nothing to go on with")
        return found
    scan = dict(found.config)
    with runs_files.Log(path) as log:
        provenance.refuse_other_versions(scan, path)
        recipe = blocks.recipe_of(scan, build, data)
        for line in provenance.other_machine(scan, "scan"):
            log.write(line)
            told.on_message(line)
        remove_half_written(path)
        log.write(f"resumed with {len(found.rows)} proposals done")
        return _Search(path, scan, recipe, storage, log, told, began).compute()


def refuse_less_than(least: int, **values: Any) -> None:
    """Raise if one of these is no whole number, or less."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise StriateError(f"{name} must be a whole number from {least}, not {value!r}")


class _Search:
    """One process's part in a search."""

    def __init__(
        self,
        path: Path,
        scan: dict[str, Any],
        recipe: Recipe,
        storage: str | None,
        log: runs_files.Log,
        observer: ScanObserver,
        began: float,
    ) -> None:
        self._path, self._scan, self._recipe = path, scan, recipe
        self._log, self._observer, self._began = log, observer, began
        self._rows = files.read_table(path, scan["cells"])
        self._study = Study(
            storage or scan["storage"] or f"sqlite:///{(path / DATABASE).resolve()}",
            scan["study"],
            {name: axis_from(of) for name, of in scan["axes"].items()},
            scan["sampler"],
            scan["search_seed"],
        )
        # What the directory has, the data base may have missed, and the other way round.
        for cell in self._rows:
            self._tell(cell)
        for number in scan["proposals"][len(self._rows) :]:
            self._study.again(number)
        self._forget_unfinished()

    def compute(self) -> SearchResult:
        """Train batch after batch."""
        with stop_on_signals() as stop:
            self._observer.on_start(self._result())
            while len(self._rows) < self._scan["trials"]:
                first = len(self._rows)
                count = min(self._scan["at_once"], self._scan["trials"] - first)
                asked = self._study.ask(count, first)
                self._scan["cells"] += [cell for _, cell in asked]
                self._scan["proposals"] += [number for number, _ in asked]
                self.write()
                self._batch(first, [cell for _, cell in asked], stop)
        seconds = time.perf_counter() - self._began
        total = self._scan["timing"].get("seconds_total", 0.0) + seconds
        self._scan["timing"] = self._scan["timing"] | {"seconds_total": total}
        self.write()
        self._log.write(f"finished after {quantities.seconds(seconds)}")
        self._observer.on_end(self._result())
        return self._result()

    def _batch(self, first: int, cells: Sequence[Cell], stop: StopRequest) -> None:
        """Train a batch from rung to rung, and write what it gave."""
        recipe, scan = self._recipe, self._scan
        made, at_once = plan.blocks(
            recipe, cells, scan["memory_bytes"], scan["side_by_side"], self._observer.on_build
        )
        described = {"cells": cells, "blocks": made, "one_thread": scan["side_by_side"] > 1}
        programs = Programs(recipe, described)
        trainings = [blocks.BlockTraining(recipe, described, n, programs) for n in range(len(made))]
        alive: set[int] = set(range(len(cells)))
        rows: dict[int, dict[str, Any]] = {}
        with ThreadPoolExecutor(at_once) as pool:
            for rung in scan["rungs"]:
                going = [t for t in trainings if alive & set(t.cells)]
                jobs = [
                    pool.submit(t.train, rung, lambda _: stop.signal is not None) for t in going
                ]
                if not all(job.result() for job in jobs):
                    self._interrupt(stop.signal or signal.SIGINT)
                for training in going:
                    rows |= {row["cell"]: row for row in training.result().rows}
                best = self._decide(first, rung, {cell: rows[cell] for cell in alive}, trainings)
                self._say(first, rung, alive, best, rows)
                alive = best
                if not alive:
                    break
                for training in going:
                    if alive & set(training.cells):
                        training.keep(alive)
        histories = {c: h for t in trainings for c, h in zip(t.cells, t.histories, strict=True)}
        numbers = [first + cell for cell in range(len(cells))]
        self._rows |= {first + c: {**rows[c], "cell": first + c} for c in range(len(cells))}
        with runs_files.writing(self._path):
            files.write_histories(
                self._path, first, numbers, [histories[c] for c in range(len(cells))]
            )
            files.write_table(self._path, self._rows)
        for number in numbers:
            self._tell(number)
        self._log.write(f"{len(self._rows)} of {scan['trials']} proposals done")

    def _decide(
        self,
        first: int,
        rung: int,
        rows: Mapping[int, Mapping[str, Any]],
        trainings: Sequence[blocks.BlockTraining],
    ) -> set[int]:
        """Tell the study how good those at a rung are, and return who goes on."""
        values = {}
        for training in trainings:
            for cell, lost in zip(training.cells, training.diverged, strict=True):
                if cell in rows:
                    value = rows[cell][f"{self._result().watched}_accuracy"]
                    values[cell] = math.nan if lost is not None else value
        proposals = self._scan["proposals"][first:]
        by_number = {proposals[cell]: value for cell, value in values.items()}
        for number, value in by_number.items():
            if math.isfinite(value):
                self._study.report(number, value, rung)
        if rung == self._scan["rungs"][-1]:
            return set()
        kept = surviving(by_number, self._study.values(rung), self._scan["reduction"])
        return {cell for cell in values if proposals[cell] in kept}

    def _say(
        self,
        first: int,
        rung: int,
        alive: Collection[int],
        best: Collection[int],
        rows: Mapping[int, Mapping[str, Any]],
    ) -> None:
        measure = f"{self._result().watched}_accuracy"
        top = max(alive, key=lambda cell: rows[cell][measure])
        hyperparameters = words({name: rows[top][name] for name in self._scan["axes"]})
        last = len(self._scan["cells"])
        one = last == first + 1
        proposals = f"proposal {last}" if one else f"proposals {first + 1} to {last}"
        networks = "1 network" if len(alive) == 1 else f"{len(alive)} networks"
        ahead = f", {len(best)} {'goes' if len(best) == 1 else 'go'} on" if best else ""
        self._observer.on_message(
            f"{proposals}, epoch {rung}: "
            f"{networks}{ahead}; best {rows[top][measure]:.4f} with {hyperparameters}"
        )

    def _tell(self, cell: int) -> None:
        row = self._rows[cell]
        complete = row["diverged"] is None and row["epochs_done"] == self._scan["rungs"][-1]
        value = float(row[f"{self._result().watched}_accuracy"])
        self._study.tell(self._scan["proposals"][cell], value, complete=complete)

    def _forget_unfinished(self) -> None:
        for name in ("cells", "proposals"):
            self._scan[name] = self._scan[name][: len(self._rows)]

    def write(self) -> None:
        """Write ``scan.json``, after which the search can be killed and resumed."""
        with runs_files.writing(self._path):
            write_json(self._path / files.SCAN, self._scan)

    def _interrupt(self, number: int) -> NoReturn:
        name = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
        text = (
            f"stopped by {name} with {len(self._rows)} of {self._scan['trials']} proposals done; "
            f"go on with: striate search --resume {shlex.quote(str(self._path))}"
        )
        self._log.write(text)
        raise Interrupted(text, number, self._path)

    def _result(self) -> SearchResult:
        return SearchResult(self._path, self._scan, dict(self._rows))
