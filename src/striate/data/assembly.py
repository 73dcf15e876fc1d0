"""Make a dataset of what a reader found: check, number the classes, scale, limit, split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from striate.data import contents, splitting
from striate.data.contents import RawSplit
from striate.data.dataset import Dataset, Split
from striate.errors import StriateError


def assemble(
    raw: Mapping[str, RawSplit],
    *,
    name: str,
    source: str,
    class_names: Sequence[str] | None = None,
    files: Sequence[Mapping[str, Any]] = (),
    licence: str | None = None,
    notes: Sequence[str] = (),
    seed: int = 0,
    test: float = 0.2,
    validation: float = 0.0,
    limit: int | None = None,
    scale: float | None = None,
    channel_axis: int | None = None,
) -> Dataset:
    """Check, scale and split what a reader found; every dataset is made here.

    Parameters
    ----------
    raw
        ``"train"``, and ``"validation"`` and ``"test"`` where the source has them.
    source, files, licence, notes
        For the provenance.
    name, class_names, seed, test, validation, limit, scale, channel_axis
        As in :meth:`Dataset.from_arrays`.

    Raises
    ------
    StriateError
        For whatever :mod:`striate.data.contents` refuses.
    """
    if validation and "validation" in raw:
        raise StriateError(
            f"{name} has a validation split of its own, so validation={validation:g} cannot be "
            "drawn: leave it out"
        )
    images = {
        where: contents.image_array(split.images, split.where, channel_axis)
        for where, split in raw.items()
    }
    for where, split in raw.items():
        if len(images[where]) != len(split.labels):
            raise StriateError(
                f"{split.where}: {len(images[where])} images but {len(split.labels)} labels: "
                "each image needs one"
            )
    labels, names = contents.class_numbers(
        {where: split.labels for where, split in raw.items()},
        {where: split.where for where, split in raw.items()},
        class_names,
    )
    scaling = contents.find_scale(
        [(split.where, images[where]) for where, split in raw.items()], scale
    )
    said = list(notes) if scaling.usual else [*notes, f"Pixels: {scaling.sentence}."]
    splits: dict[str, Split] = {}
    for where, split in raw.items():
        rows: Any = slice(None)
        if limit is not None and limit < len(labels[where]):
            rows = splitting.limited(labels[where], limit, seed)
            said.append(limit_note(limit, len(labels[where]), where, seed))
        splits[where] = Split(
            scaling.pixels(images[where][rows], split.where),
            labels[where][rows],
            None if split.weights is None else np.asarray(split.weights)[rows],
            {key: np.asarray(value)[rows] for key, value in split.observables.items()},
        )
    how = _split(splits, raw["train"].where, seed, test, validation)
    return Dataset(
        splits["train"],
        splits.get("validation"),
        splits["test"],
        names,
        name,
        {
            "source": source,
            "files": [dict(file) for file in files],
            "split": how,
            "scaling": scaling.sentence,
            "licence": licence,
            "notes": said,
        },
    )


def limit_note(limit: int, n: int, where: str, seed: int) -> str:
    """Return the sentence that says which images a limit left."""
    return f"Limit: {limit} of {n} {where} images, stratified, seed {seed}."


def _split(
    splits: dict[str, Split], source: str, seed: int, test: float, validation: float
) -> dict[str, Any]:
    """Draw the test and validation splits that are wanted and not there; return how."""
    how: dict[str, Any] = {}
    if "test" in splits:
        how["test"] = "as in the source"
    else:
        kept, held = splitting.held_out(splits["train"].labels, test, seed, source, "test")
        splits["test"] = splits["train"].take(held)
        splits["train"] = splits["train"].take(kept)
        how |= {"test": f"{test:g} of all images, stratified", "seed": seed}
    if "validation" in splits:
        how["validation"] = "as in the source"
    elif validation:
        kept, held = splitting.held_out(
            splits["train"].labels, validation, seed, source, "validation"
        )
        # What stays keeps its order: the first training image of MNIST is still its first.
        splits["validation"] = splits["train"].take(np.sort(held))
        splits["train"] = splits["train"].take(np.sort(kept))
        how |= {"validation": f"{validation:g} of the training images, stratified", "seed": seed}
    return how
