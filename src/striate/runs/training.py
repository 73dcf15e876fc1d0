"""``striate.train``: train a network on a dataset, in a directory that remembers it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, overload

import keras
import numpy as np

from striate.data import Dataset, as_dataset
from striate.engine import Position, compile_program
from striate.errors import StriateError
from striate.runs import directory as files
from striate.runs import network, provenance, storage
from striate.runs.loop import Session, Training
from striate.runs.network import Length, Network, length_of
from striate.runs.observer import Lines, Observer
from striate.runs.record import Record, Times
from striate.runs.run import Run
from striate.runs.seeds import SEED, Runs, chosen, seeds_words
from striate.runs.trainings import Alone, Together


@overload
def train(
    model_or_build: Any,
    data: Dataset | str | os.PathLike[str],
    *,
    seeds: None = None,
    **options: Any,
) -> Run: ...


@overload
def train(
    model_or_build: Any,
    data: Dataset | str | os.PathLike[str],
    *,
    seeds: int | Sequence[int],
    **options: Any,
) -> Runs: ...


def train(
    model_or_build: Any,
    data: Dataset | str | os.PathLike[str],
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    seeds: int | Sequence[int] | None = None,
    directory: str | os.PathLike[str] = "runs",
    name: str | None = None,
    shuffle: bool = True,
    observer: Observer | None = None,
    verbose: int | None = None,
    command: str | None = None,
    **arguments: Any,
) -> Run | Runs:
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
        A function that takes ``training_steps`` is told how many batches the training has, for
        its learning rate to fall.
    data
        A dataset, or what `striate.load` takes. Labels are encoded as the loss needs them. Where
        there are no validation images, the test images are followed.
    epochs, batch_size
        The lecture's for a lecture network, 3 and 64 for others.
    seed
        Decides the initial weights (of a function or a name), dropout and the order of images.
    seeds
        So many seeds from `seed` on, or the seeds themselves, for a network that is built: as one
        program, each with a run directory of its own within the one that `directory` and `name`
        say. They agree but for rounding with runs of one seed each, and stop and go on together.
        Networks that cannot be one program, or need more than half of the memory that is free, are
        trained one after the other, which is said; then each goes on by itself.
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
        With the directory, the history and the trained network; with `seeds` a `Runs`, a
        sequence of them with the mean accuracy and its standard error.

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
    for what, value, least in (("epochs", epochs, 1), ("batch_size", batch_size, 1)):
        _refuse_not_natural(what, value, least)
    request = _Request(
        model_or_build,
        as_dataset(data),
        epochs,
        batch_size,
        shuffle,
        observer_for(observer, verbose),
        command,
        arguments,
    )
    if seeds is None:
        return request.train(seed, Path(directory), name, began)
    numbers = chosen(seeds, seed)
    if isinstance(model_or_build, keras.Model):
        raise StriateError(
            "seeds= needs a function that builds the network, or a lecture network's name: a "
            "model has its weights already"
        )
    return request.train_seeds(numbers, Path(directory), name, began)


@dataclass(frozen=True, eq=False)
class _Request:
    """What `train` was asked for, but for the seed and the place."""

    model_or_build: Any
    data: Dataset
    epochs: int | None
    batch_size: int | None
    shuffle: bool
    observer: Observer
    command: str | None
    arguments: Mapping[str, Any]

    def train(self, seed: int, directory: Path, name: str | None, began: float) -> Run:
        """Make one run."""
        # Before the network is built: its initial weights are compiled programs, too.
        started = datetime.now().astimezone()
        net = self._network(seed)
        program = compile_program(
            net.model,
            self.data,
            batch_size=self._length(net).batch_size,
            seed=seed,
            shuffle=self.shuffle,
        )
        training = Alone(program)
        config = self._config(net, training, seed, started)
        path = files.create(directory, f"{self.data.name}-{net.title}", name, started)
        with files.Log(path) as log:
            record = _begun(path, net, config, log, began)
            session = Session(path, [record], self.observer, training, program.start(), Position())
            session.begin()
            return session.train(keep_model=net.built)[0]

    def train_seeds(
        self, seeds: Sequence[int], directory: Path, name: str | None, began: float
    ) -> Runs:
        """Make a run for each seed: as one program, or else one after the other."""
        started = datetime.now().astimezone()
        nets = [self._network(seed) for seed in seeds]
        training = Together.of(
            [net.model for net in nets],
            self.data,
            batch_size=self._length(nets[0]).batch_size,
            seeds=seeds,
            shuffle=self.shuffle,
        )
        group = files.create(directory, f"{self.data.name}-{nets[0].title}", name, started)
        if isinstance(training, str):
            self.observer.on_message(f"the seeds are trained one after the other: {training}")
            return self._one_by_one(seeds, group)
        with ExitStack() as stack:
            records = []
            for seed, net in zip(seeds, nets, strict=True):
                path = files.create(group, "", f"{SEED}{seed}", started)
                config = self._config(net, training, seed, started)
                config["training"]["together_with"] = [f"{SEED}{s}" for s in seeds]
                log = stack.enter_context(files.Log(path))
                records.append(_begun(path, net, config, log, began))
            session = Session(group, records, self.observer, training, training.start(), Position())
            session.begin()
            return Runs(group, session.train(keep_model=True, messages=[seeds_words(seeds)]))

    def _one_by_one(self, seeds: Sequence[int], group: Path) -> Runs:
        runs = []
        for number, seed in enumerate(seeds, start=1):
            self.observer.on_message(f"seed {seed} ({number} of {len(seeds)})")
            runs.append(self.train(seed, group, f"{SEED}{seed}", time.perf_counter()))
        return Runs(group, tuple(runs))

    def _network(self, seed: int) -> Network:
        _refuse_not_natural("seed", seed, 0)
        return network.prepare(
            self.model_or_build, self.data, seed, self.arguments, self.epochs, self.batch_size
        )

    def _length(self, net: Network) -> Length:
        return length_of(net.lecture, self.epochs, self.batch_size)

    def _config(
        self, net: Network, training: Training, seed: int, started: datetime
    ) -> dict[str, Any]:
        """Return what ``config.json`` says at the beginning."""
        given = {
            "epochs": self._length(net).epochs,
            "batch_size": training.batch_size,
            "seed": seed,
        }
        validation_on = "test" if self.data.validation is None else "validation"
        return {
            "dataset": provenance.describe_data(self.data),
            "model": net.describe(),
            "training": {
                **given,
                "shuffle": self.shuffle,
                **net.describe_training(),
                "validation_on": validation_on,
            },
            "versions": provenance.versions(),
            "machine": provenance.machine(),
            "command": self.command
            or provenance.python_call(
                net.code,
                self.data,
                given | ({} if self.shuffle else {"shuffle": False}) | dict(self.arguments),
            ),
            "timing": {"started": started.isoformat(timespec="seconds")},
        }


def _begun(
    path: Path, net: Network, config: dict[str, Any], log: files.Log, began: float
) -> Record:
    """Write a run's command and network; return what keeps the rest."""
    log.write(config["command"])
    with files.writing(path):
        storage.store(path, net.model)
    return Record(path, config, log, Times(began))


def observer_for(observer: Observer | None, verbose: int | None) -> Observer:
    """Return who is told: the observer given, or lines on stderr, or nobody."""
    if observer is not None:
        return observer
    if verbose is None:
        verbose = int(sys.stderr.isatty())
    return Lines(sys.stderr) if verbose else Observer()


def _refuse_not_natural(name: str, value: Any, least: int) -> None:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least
    ):
        raise StriateError(f"{name} must be a whole number from {least}, not {value!r}")
