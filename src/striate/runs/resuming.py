"""``striate.runs.resume``: go on with a run to the bits of one that was never stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from striate.data import Dataset, load_again
from striate.engine import Position, compile_program
from striate.errors import StriateError
from striate.runs import checkpoint, provenance, storage
from striate.runs import directory as files
from striate.runs.checkpoint import Checkpoint
from striate.runs.loop import Session, Times, restored
from striate.runs.observer import Observer
from striate.runs.run import Run, refuse_not_a_run
from striate.runs.training import observer_for


def resume(
    directory: str | os.PathLike[str],
    data: Dataset | None = None,
    *,
    observer: Observer | None = None,
    verbose: int | None = None,
) -> Run:
    """Go on with a run that was stopped, by Ctrl-C, a kill or a power cut.

    The result has the bits of a run that was never stopped, on the same machine. A checkpoint
    that turns out damaged is set aside, and the one before it is used. A run that is finished is
    returned as it is, so that a job may be started again without harm.

    Parameters
    ----------
    directory
        The run directory; it is all that is needed for data that `striate.load` makes of a name
        or path.
    data
        The dataset of the run, where it was made of arrays or with options.
    observer, verbose
        As in `striate.train`.

    Raises
    ------
    StriateError
        If the directory is no run, is being trained, was made with other versions or other data,
        or has no sound checkpoint.
    Interrupted
        After Ctrl-C or SIGTERM.
    """
    began = time.perf_counter()
    path = Path(directory)
    told = observer_for(observer, verbose)
    refuse_not_a_run(path)
    config = files.read_config(path)
    if (path / files.MODEL).exists():
        told.on_message(f"{path} is finished, there is nothing to go on with")
        return Run.load(path)
    with files.Log(path) as log:
        provenance.refuse_other_versions(config, path)
        kept, damaged = _newest_good(path, config)
        dataset = _same_data(config["dataset"], data, path)
        training = config["training"]
        program = compile_program(
            storage.restore(path),
            dataset,
            batch_size=training["batch_size"],
            seed=training["seed"],
            shuffle=training["shuffle"],
        )
        session = Session(
            path,
            _resumed(config),
            log,
            told,
            program,
            restored(kept, program),
            Position(kept.epoch, kept.step),
            Times(began, **kept.times),
            {name: list(values) for name, values in kept.history.items()},
        )
        set_aside = [
            f"{reason}: set aside, going on from {kept.file_name}" for reason in _set_aside(damaged)
        ]
        _remove_half_written(path)
        log.write(f"resumed after {kept.epoch} of {training['epochs']} epochs")
        return session.train(
            keep_model=True, messages=[*set_aside, *provenance.other_machine(config)]
        )


def _newest_good(
    path: Path, config: Mapping[str, Any]
) -> tuple[Checkpoint, list[tuple[Path, str]]]:
    try:
        return checkpoint.newest_good(path / files.CHECKPOINTS)
    except StriateError as error:
        again = config.get("command") or "the command that made it"
        raise StriateError(f"{error}; it can only be started anew: {again}") from None


def _same_data(described: Mapping[str, Any], data: Dataset | None, path: Path) -> Dataset:
    """Return the dataset of the run, given or loaded; refuse another one."""
    give = f"give the dataset itself: striate.runs.resume({str(path)!r}, data)"
    if data is None:
        data = load_again(described)
    if data is None:
        raise StriateError(f"{path} was trained on {described['name']!r} in memory: {give}")
    if data.fingerprint != described["fingerprint"]:
        raise StriateError(
            f"{path} was trained on other data: {described['name']!r} with fingerprint "
            f"{described['fingerprint'][:12]}, not {data.name!r} with {data.fingerprint[:12]}; "
            f"where those are at hand, {give}"
        )
    return data


def _resumed(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with the time of this start added."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    timing = config.get("timing", {})
    return config | {"timing": timing | {"resumed": [*timing.get("resumed", []), now]}}


def _set_aside(damaged: Sequence[tuple[Path, str]]) -> Iterator[str]:
    """Rename damaged checkpoints, so that they are neither used nor lost; yield the reasons."""
    for path, reason in damaged:
        with files.writing(path):
            path.replace(path.with_suffix(".damaged"))
        yield reason


def _remove_half_written(path: Path) -> None:
    """Remove what a kill left of files that were being written (`striate.files`)."""
    names = [Path(name) for name in (files.CONFIG, files.HISTORY, files.NETWORK, files.MODEL)]
    patterns = [f".{name.stem}.*{name.suffix}" for name in names]
    for pattern in (*patterns, f"{files.CHECKPOINTS}/.epoch-*.npz"):
        for left in path.glob(pattern):
            left.unlink()
