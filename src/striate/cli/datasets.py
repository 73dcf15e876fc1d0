"""Datasets for the commands: loaded, fetched with a bar that moves, and put in a line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.cli import output
from striate.errors import StriateError

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.models import LectureModel
    from striate.runs import Run


def load(name: str, **options: Any) -> Dataset:
    """Load a dataset; what has to be downloaded for it is shown as it arrives."""
    import striate
    from striate.data import describe_known

    known = {d.name: d for d in describe_known()}
    if name not in known:
        # A run remembers where its data were, and may be resumed from another folder.
        name = str(Path(name).expanduser().absolute()) if Path(name).expanduser().exists() else name
    elif known[name].download_bytes and not known[name].here:
        fetch(name)
    with output.waiting(f"reading {name} ..."):
        return striate.load(name, **options)


# What an error of a reader names as an option, and how it is given to a command.
_ON_THE_COMMAND_LINE = {
    "arrays=": "--load arrays.x=NAME --load arrays.y=NAME",
    "layout=": "--load layout=mine.toml",
    "tree=": "--load tree=NAME",
}


def loaded_as(name: str, options: Mapping[str, Any]) -> Dataset:
    """Load a dataset as ``--load`` says; an error that names an option says how to give it."""
    try:
        return load(name, **options)
    except StriateError as error:
        how = [words for option, words in _ON_THE_COMMAND_LINE.items() if option in str(error)]
        if not how:
            raise
        raise StriateError(f"{error}, here: {how[0]}") from None


def with_network(
    name: str, model: str | None, options: Mapping[str, Any] | None = None
) -> tuple[Dataset, LectureModel]:
    """Load a dataset, and look up the lecture network of that name, or else the dataset's own.

    `options` are those of ``--load``, of the commands that have it.
    """
    from striate.models.registry import default_model_for, lookup

    # A wrong name is found before a large file is read.
    entry = None if model is None else lookup(model)
    data = load(name) if options is None else loaded_as(name, options)
    return data, entry or lookup(default_model_for(name, data))


def of_run(run: Run, name: str | None = None) -> Dataset:
    """Load the dataset of a run, or another one by its name or path.

    Raises
    ------
    StriateError
        If the run does not tell what its data were loaded from.
    """
    if name is not None:
        return load(name)
    described = run.config["dataset"]
    how = described.get("load")
    if how is None:
        raise StriateError(
            f"{run.directory} was trained on {described['name']!r}, which is not at hand "
            f"({described.get('source')}): name the data with --data PATH"
        )
    return load(how["name_or_path"], **how["options"])


def fetch(name: str) -> Path | None:
    """Fetch a known dataset, unless it is here; return its folder, None if it has none."""
    from striate import data

    with _shown() as progress:
        return data.fetch(name, progress)


def describe(dataset: Dataset) -> str:
    """Return in a line what a dataset is."""
    sizes = " + ".join(f"{len(split):,} {name}" for name, split in dataset.splits.items())
    shape = " x ".join(str(side) for side in dataset.image_shape)
    return f"{dataset.name}: {sizes} images, {shape}, {dataset.classes} classes"


def megabytes(size: int) -> str:
    """Return a number of bytes in MB; nothing for none."""
    return f"{size / 1e6:.0f} MB" if size else ""


@contextmanager
def _shown() -> Iterator[Callable[[str, int, int], None]]:
    """Give what a download reports to: a bar on a terminal, a line for each file elsewhere."""
    begun: dict[str, Any] = {}
    if not sys.stderr.isatty():

        def tell(name: str, _done: int, size: int) -> None:
            if name not in begun:
                begun[name] = True
                output.note(f"fetching {name} ({megabytes(size)})")

        yield tell
        return
    from rich import progress

    bar = progress.Progress(
        "fetching {task.description}",
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=output.console(stderr=True),
    )
    with bar:

        def move(name: str, done: int, size: int) -> None:
            if name not in begun:
                begun[name] = bar.add_task(name, total=size)
            bar.update(begun[name], completed=done)

        yield move
