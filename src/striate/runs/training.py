"""``striate.train``: train a network on a dataset, in a directory that remembers it."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from striate.data import Dataset, load
from striate.data.standard import KNOWN
from striate.engine import Position, compile_program
from striate.errors import StriateError
from striate.runs import directory as files
from striate.runs import network, provenance, storage
from striate.runs.loop import Session, Times
from striate.runs.observer import Lines, Observer
from striate.runs.run import Run

# For networks that no lecture trains.
EPOCHS = 3
BATCH_SIZE = 64


def train(
    model_or_build: Any,
    data: Dataset | str | os.PathLike[str],
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    directory: str | os.PathLike[str] = "runs",
    name: str | None = None,
    shuffle: bool = True,
    observer: Observer | None = None,
    verbose: int | None = None,
    command: str | None = None,
    **arguments: Any,
) -> Run:
    """Train a network; the run's directory holds all that was done, and survives a kill.

    The same seed, network, data and versions on the same machine give the same bits. A run that
    was stopped, however it was, goes on with `striate.runs.resume` to the bits of one that was
    not. Ctrl-C and SIGTERM, when they reach the main thread, stop it within about a quarter of a
    second after its checkpoint is written.

    Parameters
    ----------
    model_or_build
        A compiled Keras model, which is trained from its present weights; or a function that
        returns one, called after ``keras.utils.set_random_seed(seed)``; or the name of a lecture
        network, such as ``"heidelberg"``, which is built for the images and classes of the data.
    data
        A dataset, or what `striate.load` takes. Labels are encoded as the loss needs them. Where
        there are no validation images, the test images are followed.
    epochs, batch_size
        The lecture's for a lecture network, 3 and 64 for others.
    seed
        Decides the initial weights (of a function or a name), dropout and the order of images.
    directory, name
        The run is ``directory/name``; without a name it is ``<data>-<network>-<date>-<time>``.
        What exists is never overwritten.
    shuffle
        Whether the images come in a new order in each epoch.
    observer
        Is told how it goes, in place of `verbose`.
    verbose
        1 writes lines on stderr, 0 nothing; 1 on a terminal and 0 elsewhere when not given.
    command
        What to write down as the command that repeats this; a line of Python when not given.
    **arguments
        Passed to the function if it takes them (``l2``); else set on the optimizer
        (``learning_rate``, ``momentum``, ``weight_decay`` ...). Any but ``learning_rate`` make
        the optimizer of a model that was trained before begin anew.

    Returns
    -------
    Run
        With the directory, the history and the trained network.

    Raises
    ------
    StriateError
        If the network does not fit the data, an argument belongs to nothing, or the directory
        cannot be written to.
    Interrupted
        After Ctrl-C or SIGTERM.

    Examples
    --------
    >>> run = st.train("oslo_digits", "digits", epochs=20)          # doctest: +SKIP
    >>> run.history["val_accuracy"][-1]                             # doctest: +SKIP
    0.9722222089767456
    """
    began = time.perf_counter()
    started = datetime.now().astimezone()
    loaded_from = None if isinstance(data, Dataset) else _origin(data)
    dataset = data if isinstance(data, Dataset) else load(data)
    _refuse_not_natural("epochs", epochs, 1)
    _refuse_not_natural("batch_size", batch_size, 1)
    _refuse_not_natural("seed", seed, 0)
    net = network.prepare(model_or_build, dataset, seed, arguments)
    if epochs is None:
        epochs = net.lecture.epochs if net.lecture else EPOCHS
    if batch_size is None:
        batch_size = net.lecture.batch_size if net.lecture else BATCH_SIZE
    program = compile_program(net.model, dataset, batch_size=batch_size, seed=seed, shuffle=shuffle)
    training = {
        "epochs": epochs,
        "batch_size": program.batch_size,
        "seed": seed,
        "shuffle": shuffle,
        **net.describe_training(),
        "validation_on": "test" if dataset.validation is None else "validation",
    }
    if command is None:
        given = {"epochs": epochs, "batch_size": batch_size, "seed": seed}
        given |= ({} if shuffle else {"shuffle": False}) | arguments
        command = provenance.python_call(net.code, dataset, loaded_from, given)
    config = {
        "dataset": provenance.describe_data(dataset, loaded_from),
        "model": net.describe(),
        "training": training,
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "command": command,
        "timing": {"started": started.isoformat(timespec="seconds")},
    }
    path = files.create(Path(directory), f"{dataset.name}-{net.title}", name, started)
    with files.Log(path) as log:
        log.write(command)
        session = Session(
            path,
            config,
            log,
            observer_for(observer, verbose),
            program,
            program.start(),
            Position(),
            Times(began),
        )
        with files.writing(path):
            storage.store(path, net.model)
        session.save()
        # The last of the four: from here on the run can be killed and resumed.
        session.write_config()
        return session.train(keep_model=net.built)


def observer_for(observer: Observer | None, verbose: int | None) -> Observer:
    """Return who is told: the observer given, or lines on stderr, or nobody."""
    if observer is not None:
        return observer
    if verbose is None:
        verbose = int(sys.stderr.isatty())
    return Lines(sys.stderr) if verbose else Observer()


def _origin(name_or_path: str | os.PathLike[str]) -> str:
    """Return what loads the data again from any working directory."""
    text = os.fspath(name_or_path)
    path = Path(text).expanduser()
    known = isinstance(name_or_path, str) and text in KNOWN
    return text if known or not path.exists() else str(path.absolute())


def _refuse_not_natural(name: str, value: Any, least: int) -> None:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least
    ):
        raise StriateError(f"{name} must be a whole number from {least}, not {value!r}")
