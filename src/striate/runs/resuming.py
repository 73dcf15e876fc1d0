"""``striate.runs.resume``: go on with a run to the bits of one that was never stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from striate.data import Dataset, load
from striate.data.standard import KNOWN
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
    with files.Log(path) as log:
        if files.state_of(path, locked_by_us=True) == "finished":
            told.on_message(f"{path} is finished, there is nothing to go on with")
            return Run.load(path)
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
            dict(kept.history),
        )
        _clear(path, damaged)
        for _, reason in damaged:
            session.message(f"{reason}: set aside, going on from {kept.file_name}")
        _say_other_machine(session, config)
        log.write(f"resumed after {kept.epoch} of {training['epochs']} epochs")
        return session.train(keep_model=True)
