"""``striate.runs.resume``: go on with a run to the bits of one that was never stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from striate.data import Dataset, load_again
from striate.engine import Position, compile_program
from striate.errors import StriateError
from striate.files import remove_half_written
from striate.runs import checkpoint, provenance, storage
from striate.runs import directory as files
from striate.runs.checkpoint import Checkpoint
from striate.runs.loop import Session
from striate.runs.observer import Observer
from striate.runs.record import Record, Times
from striate.runs.run import Run, refuse_not_a_run
from striate.runs.seeds import Runs, members_of, seeds_words
from striate.runs.training import observer_for
from striate.runs.trainings import Alone, Together


def resume(
    directory: str | os.PathLike[str],
    data: Dataset | None = None,
    *,
    observer: Observer | None = None,
    verbose: int | None = None,
) -> Run | Runs:
    """Go on with a run that was stopped, by Ctrl-C, a kill or a power cut.

    The result has the bits of a run that was never stopped, on the same machine. A checkpoint
    that turns out damaged is set aside, and the one before it is used. A run that is finished is
    returned as it is, so that a job may be started again without harm.

    Parameters
    ----------
    directory
        The run directory; it is all that is needed for data that `striate.load` makes of a name
        or path. Runs of several seeds that are one program go on together, whether one of them
        is named or the directory that holds them.
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
    members = members_of(path)
    if members == [path]:
        refuse_not_a_run(path)
    first = files.read_config(members[0])
    if all((member / files.MODEL).exists() for member in members):
        told.on_message(f"{path} is finished, there is nothing to go on with")
        return _result(path, members, tuple(map(Run.load, members)))
    with ExitStack() as stack:
        logs = [stack.enter_context(files.Log(member)) for member in members]
        configs = [files.read_config(member) for member in members]
        provenance.refuse_other_versions(first, path)
        kept, damaged = _newest_good(members, configs)
        training = _training(members, configs, _same_data(first["dataset"], data, path))
        records = [
            Record(
                member,
                _resumed(config),
                log,
                Times(began, **own.times),
                {name: list(values) for name, values in own.history.items()},
            )
            for member, config, log, own in zip(members, configs, logs, kept, strict=True)
        ]
        position = Position(kept[0].epoch, kept[0].step)
        group = members[0].parent if len(members) > 1 else path
        session = Session(group, records, told, training, training.restored(kept), position)
        messages = [
            f"{reason}: set aside, going on from {kept[0].file_name}"
            for reason in _set_aside(damaged)
        ]
        for member, log in zip(members, logs, strict=True):
            remove_half_written(member)
            _remove_later(member, kept[0])
            log.write(f"resumed after {kept[0].epoch} of {first['training']['epochs']} epochs")
        if len(members) > 1:
            seeds = [config["training"]["seed"] for config in configs]
            messages.insert(0, seeds_words(seeds))
        runs = session.train(
            keep_model=True, messages=[*messages, *provenance.other_machine(first)]
        )
    return _result(path, members, runs)


def _result(path: Path, members: Sequence[Path], runs: tuple[Run, ...]) -> Run | Runs:
    """Return the run that was named, or all of a group."""
    if path in members:
        return runs[members.index(path)]
    return Runs(path, runs)


def _training(
    members: Sequence[Path], configs: Sequence[Mapping[str, Any]], dataset: Dataset
) -> Alone | Together:
    training = configs[0]["training"]
    batch_size, shuffle = training["batch_size"], training["shuffle"]
    models = [storage.restore(member) for member in members]
    if len(models) == 1:
        return Alone(
            compile_program(
                models[0], dataset, batch_size=batch_size, seed=training["seed"], shuffle=shuffle
            )
        )
    seeds = [config["training"]["seed"] for config in configs]
    together = Together.of(models, dataset, batch_size=batch_size, seeds=seeds, shuffle=shuffle)
    if isinstance(together, str):
        raise StriateError(f"{members[0].parent} cannot go on as one program: {together}")
    return together


def _newest_good(
    members: Sequence[Path], configs: Sequence[Mapping[str, Any]]
) -> tuple[list[Checkpoint], list[tuple[Path, str]]]:
    """Return the newest sound checkpoint that all members have, and the damaged ones."""
    try:
        newest = [checkpoint.newest_good(member / files.CHECKPOINTS) for member in members]
        # A kill may have come when some had written theirs and others had not.
        oldest = min(kept.file_name for kept, _ in newest)
        kept = [
            own if own.file_name == oldest else checkpoint.read(member / files.CHECKPOINTS / oldest)
            for member, (own, _) in zip(members, newest, strict=True)
        ]
    except StriateError as error:
        again = configs[0].get("command") or "the command that made it"
        raise StriateError(f"{error}; it can only be started anew: {again}") from None
    return kept, [found for _, damaged in newest for found in damaged]


def _remove_later(member: Path, kept: Checkpoint) -> None:
    """Remove checkpoints that others do not have: all go on from the same position."""
    for path in checkpoint.files(member / files.CHECKPOINTS):
        if path.name > kept.file_name:
            path.unlink()


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
