"""``striate data``: the datasets known by name, what is in one, and fetching it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import datasets, options, output
from striate.errors import StriateError

if TYPE_CHECKING:
    from striate.data import Dataset

app = typer.Typer(
    epilog=options.examples(
        "striate data list         what is known, and where it is",
        "striate data info digits  what is in it",
    )
)


@app.callback()
def data() -> None:
    """List the datasets known by name, look into one, or fetch it."""


@app.command(
    "list",
    epilog=options.examples(
        "striate data list",
        "striate data list --json",
    ),
)
def list_known(json: options.Json = False) -> None:
    """List the datasets known by name, and where they are.

    The folder in the environment variable STRIATE_DATA is looked at first, then the user's cache.
    """
    from striate.data import describe_known

    known = describe_known()
    if json:
        output.say_json({"datasets": [vars(description) for description in known]})
        return
    output.say_table(
        ("name", "what", "where", "download"),
        [(d.name, d.what, d.where, datasets.megabytes(d.download_bytes)) for d in known],
        numbers=(3,),
    )
    output.say("Any other dataset is given by its path: IDX, npz, HDF5, or a folder of images.")


@app.command(
    epilog=options.examples(
        "striate data info digits",
        "striate data info ox --json",
    )
)
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A known name, or a path.")],
    json: options.Json = False,
) -> None:
    """Say what is in a dataset: sizes, classes, origin, fingerprint.

    Nothing is downloaded: a dataset that is not here has to be fetched first.
    """
    from striate.data import describe_known

    for description in describe_known():
        if description.name == name and description.download_bytes and not description.here:
            raise StriateError(
                f"{name} is not here: striate data fetch {name} "
                f"({datasets.megabytes(description.download_bytes)})"
            )
    dataset = datasets.load(name)
    facts = _facts(dataset)
    if json:
        output.say_json(facts)
        return
    output.say(datasets.describe(dataset))
    counts = facts["images_by_class"]
    output.say_table(
        ("class", *counts),
        [
            (class_name, *(f"{split[class_name]:,}" for split in counts.values()))
            for class_name in dataset.class_names
        ],
        numbers=range(1, 1 + len(counts)),
    )
    provenance = dataset.provenance
    output.say(f"source       {provenance['source']}")
    output.say(f"values       {provenance['scaling']}")
    output.say(f"licence      {provenance['licence'] or 'not known'}")
    output.say(f"fingerprint  {dataset.fingerprint}")
    for remark in provenance["notes"]:
        output.say(f"note         {remark}", hang=13)


@app.command(epilog=options.examples("striate data fetch digits"))
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A known name.")],
) -> None:
    """Fetch a dataset from its official address into the user's cache.

    Each file is checked by its SHA-256; a download that breaks off goes on where it stopped.
    """
    directory = datasets.fetch(name)
    output.say(f"{name} comes with striate" if directory is None else f"{name}: {directory}")


def _facts(dataset: Dataset) -> dict[str, Any]:
    import numpy as np

    counts = {
        name: np.bincount(split.labels, minlength=dataset.classes).tolist()
        for name, split in dataset.splits.items()
    }
    return {
        "name": dataset.name,
        "sizes": {name: len(split) for name, split in dataset.splits.items()},
        "image_shape": list(dataset.image_shape),
        "class_names": list(dataset.class_names),
        "images_by_class": {
            name: dict(zip(dataset.class_names, numbers, strict=True))
            for name, numbers in counts.items()
        },
        "weighted": dataset.train.weights is not None,
        "observables": sorted(dataset.train.observables),
        "provenance": dict(dataset.provenance),
        "fingerprint": dataset.fingerprint,
    }
