"""Make a dataset of what a reader found: number the classes, limit, check, scale, split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.data import contents, splitting
from striate.data.dataset import Dataset, Split
from striate.data.source import Lazy, RawSplit, Source
from striate.errors import StriateError


def assemble(
    source: Source,
    *,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    test: float | None = None,
    validation: float = 0.0,
    limit: int | None = None,
    scale: float | None = None,
    channel_axis: int | None = None,
) -> Dataset:
    """Check, scale and split what a reader found; every dataset is made here.

    Parameters
    ----------
    source
        What the reader found.
    class_names
        Names in the order of the class numbers, in place of those that the source has.
    seed, test, validation, limit, scale, channel_axis
        As in :meth:`Dataset.from_arrays`.

    Raises
    ------
    StriateError
        For whatever :mod:`striate.data.contents` refuses.
    """
    raw = source.splits
    splitting.require_seed(seed)
    for name, share in (("validation", validation), ("test", test)):
        if share and name in raw:
            raise StriateError(
                f"{source.name} has a {name} split of its own: leave {name}={share:g} out"
            )
    for split in raw.values():
        n, labelled = _count(split.images), _count(split.labels)
        if n != labelled:
            raise StriateError(
                f"{split.where}: {n} images but {labelled} labels: each image needs one"
            )
    numbers, names = contents.class_numbers(
        {name: split.labels for name, split in raw.items()},
        {name: split.where for name, split in raw.items()},
        class_names if class_names is not None else source.class_names,
    )
    notes = list(source.notes)
    rows: dict[str, np.ndarray | None] = dict.fromkeys(raw)
    for name, labels in numbers.items():
        if limit is not None and limit < len(labels):
            rows[name] = splitting.limited(labels, limit, seed)
            notes.append(f"Limit: {limit} of {len(labels)} {name} images, stratified, seed {seed}.")
    images = {
        name: contents.image_array(_read(split.images, rows[name]), split.where, channel_axis)
        for name, split in raw.items()
    }
    scaling = contents.find_scale(
        [(split.where, images[name]) for name, split in raw.items()], scale
    )
    if not scaling.usual:
        notes.append(f"Pixels: {scaling.sentence}.")
    splits = {
        name: Split(
            scaling.pixels(images[name], split.where),
            _read(numbers[name], rows[name]),
            None if split.weights is None else _read(split.weights, rows[name]),
            {key: _read(value, rows[name]) for key, value in split.observables.items()},
        )
        for name, split in raw.items()
    }
    how = _draw_splits(splits, raw["train"], seed, 0.2 if test is None else test, validation)
    for name, finished in splits.items():
        counts = np.bincount(finished.labels, minlength=len(names))
        if name != "train" and not counts.all():
            notes.append(f"There is no {name} image of class {names[int(counts.argmin())]!r}.")
    return Dataset(
        splits["train"],
        splits.get("validation"),
        splits["test"],
        names,
        source.name,
        {
            "source": source.origin,
            "files": [dict(file) for file in source.files],
            "split": how,
            "scaling": scaling.sentence,
            "licence": source.licence,
            "notes": notes,
            **source.details,
        },
    )


def _count(values: Any) -> int:
    shape = values.shape if isinstance(values, Lazy) else np.shape(values)
    return int(shape[0]) if shape else 0


def _read(values: Any, rows: np.ndarray | None) -> np.ndarray:
    if isinstance(values, Lazy):
        return values.read(rows)
    array = np.asarray(values)
    return array if rows is None else array[rows]


def _draw_splits(
    splits: dict[str, Split], raw: RawSplit, seed: int, test: float, validation: float
) -> dict[str, Any]:
    """Draw the test and validation splits that are wanted and not there; return how."""
    how: dict[str, Any] = {}
    if "test" in splits:
        how["test"] = "as in the source"
    else:
        kept, held = splitting.held_out(splits["train"].labels, test, seed, raw.where, "test")
        splits["test"] = splits["train"].take(held)
        splits["train"] = splits["train"].take(kept)
        how |= {"test": f"{test:g} of all images, stratified", "seed": seed}
    if "validation" in splits:
        how["validation"] = "as in the source"
    elif validation:
        kept, held = splitting.held_out(
            splits["train"].labels, validation, seed, raw.where, "validation"
        )
        # What stays keeps its order: the first training image of MNIST is still its first.
        splits["validation"] = splits["train"].take(np.sort(held))
        splits["train"] = splits["train"].take(np.sort(kept))
        how |= {"validation": f"{validation:g} of the training images, stratified", "seed": seed}
    return how
