"""What the rows work with: datasets, trainings that are kept and shared, pictures."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate import runs, scans
from striate.data import Dataset, describe_known, fetch, load
from striate.errors import StriateError
from striate.evaluation import Evaluation, evaluate
from striate.explain.scenes.writing import Picture as Explained
from striate.models.registry import lookup
from striate.plots import Figure, save
from striate.report.gallery import Picture
from striate.runs import Observer, Run, Runs
from striate.runs.provenance import versions
from striate.scans import GridResult, ScanObserver


class NoDataError(StriateError):
    """A dataset is not here, and cannot be fetched; says how to get it."""


_TRIAL_IMAGES = 12_800


@dataclass(frozen=True)
class Settings:
    """How thoroughly rows are run.

    Attributes
    ----------
    seeds
        How many networks a figure is the mean of.
    quick
        Whether rows may train for fewer epochs or on fewer images than the lecture; they say so.
    images
        Take at most so many images of each split; all when None.
    epochs
        Train for at most so many epochs; as long as the row says when None.
    """

    seeds: int = 5
    quick: bool = False
    images: int | None = None
    epochs: int | None = None


@dataclass(frozen=True)
class Watching:
    """Who is told how trainings, scans and downloads go.

    Attributes
    ----------
    training, scan
        Give an observer for as long as one of them takes.
    fetch
        Fetches a known dataset, or raises a `StriateError`.
    """

    training: Callable[[], AbstractContextManager[Observer]] = lambda: nullcontext(Observer())
    scan: Callable[[], AbstractContextManager[ScanObserver]] = lambda: nullcontext(ScanObserver())
    fetch: Callable[[str], object] = fetch


class Workbench:
    """What the rows of one call share.

    Trainings and scans lie in ``trainings/``, each under a name that depends on all that decides
    it, so that rows share them, and a call that was stopped goes on. Pictures lie in ``figures/``.

    Parameters
    ----------
    directory
        Where all is kept.
    settings
        How thoroughly.
    watching
        Who is told.
    read
        Gives a known dataset; takes its name and options as `striate.load` does.
    """

    def __init__(
        self,
        directory: Path,
        settings: Settings | None = None,
        watching: Watching | None = None,
        read: Callable[..., Dataset] = load,
    ) -> None:
        self.directory = directory
        self.settings = settings or Settings()
        self._watching = watching or Watching()
        self._read = read
        self._data: dict[tuple[str, int | None], Dataset] = {}
        self._absent: dict[str, NoDataError] = {}
        self._evaluations: dict[Path, Evaluation] = {}

    @property
    def quick(self) -> bool:
        """Whether rows are to be short."""
        return self.settings.quick

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, from 0 on."""
        return tuple(range(self.settings.seeds))

    def require(self, name: str) -> None:
        """Fetch a known dataset, unless it is here.

        Raises
        ------
        NoDataError
            If it cannot be fetched; that is tried once.
        """
        if name in self._absent:
            raise self._absent[name]
        known = next(known for known in describe_known() if known.name == name)
        if known.here or not known.download_bytes:
            return
        try:
            self._watching.fetch(name)
        except StriateError as error:
            self._absent[name] = NoDataError(
                f"data not here: {name} ({known.download_bytes / 1e6:.0f} MB). How to get it: run "
                f"'striate data fetch {name}' with a network, or name in STRIATE_DATA a folder "
                f"that has it in {name}/. ({error})"
            )
            raise self._absent[name] from None

    def data(self, name: str, most: int | None = None) -> Dataset:
        """Return a known dataset, or at most `most` images of each of its splits."""
        limits = [limit for limit in (most, self.settings.images) if limit is not None]
        key = (name, min(limits) if limits else None)
        if key not in self._data:
            options = {} if key[1] is None else {"limit": key[1]}
            self._data[key] = self._read(name, **options)
        return self._data[key]

    def epochs(self, usual: int) -> int:
        """Return how many epochs to train where `usual` ones are wanted."""
        most = self.settings.epochs
        return usual if most is None else min(usual, most)

    def train(
        self,
        model: str,
        data: Dataset,
        *,
        epochs: int | None = None,
        seeds: Sequence[int] | None = None,
        **arguments: Any,
    ) -> Runs:
        """Train a lecture network, once for each seed, unless that is done already.

        Parameters
        ----------
        model
            Its name; it is trained as `striate.models.registry` says.
        data
            The dataset.
        epochs
            In place of the lecture's.
        seeds
            In place of those of this call.
        **arguments
            Of the network's function, or its optimizer.
        """
        entry = lookup(model)
        given = {
            "epochs": self.epochs(epochs or entry.epochs),
            "batch_size": entry.batch_size,
            **arguments,
        }
        place = self._place(f"{data.name}-{model}", data, given)
        chosen = self.seeds if seeds is None else seeds
        return Runs(place, tuple(self._run(place, model, data, seed, given) for seed in chosen))

    def _run(
        self, place: Path, model: str, data: Dataset, seed: int, given: Mapping[str, Any]
    ) -> Run:
        path = place / f"seed-{seed}"
        if path.exists() and not (path / "config.json").exists():
            # Stopped before there was anything to go on with.
            shutil.rmtree(path)
        if not path.exists():
            with self._watching.training() as observer:
                return runs.train(
                    model, data, seed=seed, directory=place, name=path.name, observer=observer,
                    **given,
                )  # fmt: skip
        run = Run.load(path)
        if run.state == "finished":
            return run
        with self._watching.training() as observer:
            runs.resume(path, data, observer=observer)
        return Run.load(path)

    def epoch_seconds(self, model: str, data: Dataset, **arguments: Any) -> float:
        """Return how long an epoch takes here, with its look at the test images.

        Measured once, in a short training.
        """
        few = self.data(data.name, _TRIAL_IMAGES)
        run = self.train(model, few, epochs=2, seeds=[0], **arguments)[0]
        timing = run.config["timing"]
        last = float(timing["seconds_last_epoch"])
        # A training so short that all its steps were compiled first has no speed of its own.
        rate = timing.get("images_per_second", len(few.train) / last)
        testing = max(0.0, last - len(few.train) / rate) / len(few.test)
        return float(len(data.train) / rate + len(data.test) * testing)

    def grid(self, model: str, data: Dataset, *, epochs: int, **axes: Any) -> GridResult:
        """Scan a lecture network, unless that is done already; see `striate.grid`."""
        given = {"epochs": self.epochs(epochs), **axes}
        path = self._place(f"{data.name}-{model}-grid", data, given)
        if path.exists() and not (path / "scan.json").exists():
            shutil.rmtree(path)
        with self._watching.scan() as observer:
            if not path.exists():
                return scans.grid(
                    model, data, directory=path.parent, name=path.name, observer=observer, **given
                )
            found = GridResult.load(path)
            return found if found.finished else scans.resume(path, data=data, observer=observer)

    def evaluate(self, run: Run, data: Dataset, train_limit: int | None = None) -> Evaluation:
        """Evaluate a run, once; see `striate.evaluate`."""
        if run.directory not in self._evaluations:
            self._evaluations[run.directory] = evaluate(run, data, train_limit=train_limit)
        return self._evaluations[run.directory]

    def show(self, name: str, picture: Figure | Explained, title: str, caption: str) -> Picture:
        """Write a picture into ``figures/`` as PNG and PDF, and return what the page needs."""
        figure = picture.figure if isinstance(picture, Explained) else picture
        save(figure, self.directory / "figures" / name)
        width, height = (float(side) for side in figure.get_size_inches())
        return Picture(name, title, caption, f"{title} {caption}", width, height)

    def _place(self, name: str, data: Dataset, given: Mapping[str, Any]) -> Path:
        # What is trained with other versions is another training.
        deciding = [data.fingerprint, given, versions()]
        text = json.dumps(deciding, sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return self.directory / "trainings" / f"{name}-{digest}"
