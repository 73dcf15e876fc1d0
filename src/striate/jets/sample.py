"""A small file of jets: images and observables only, sparse, as the bundled sample is.

Of each image the pixels that are not empty are kept: their places, as gaps from one to the next
along the rows, and their transverse energies in whole steps of 1/64 GeV. So a pixel is wrong by
8 MeV at most; those below that vanish. Observables are kept in single precision, which is how they
were computed. Which jets are for training, validation and test is fixed when the file is made.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import StriateError
from striate.files import written_beside
from striate.jets.constituents import offsets_of
from striate.jets.file import Jets

STEP_GEV = 1 / 64
"""What a pixel's transverse energy is a multiple of."""

SPLITS = ("train", "validation", "test")
SHARES = (0.7, 0.1, 0.2)
"""The shares of the splits, of each class."""

# A gap of 255 empty pixels, and no pixel after it: the next entry goes on.
_LONGEST_GAP = 255


@dataclass(frozen=True, eq=False)
class Sample:
    """What such a file holds.

    Attributes
    ----------
    images
        float32 ``(n, row, col, channel)`` in GeV.
    labels, splits
        ``(n,)``: class numbers, and the place of each jet's split in :data:`SPLITS`.
    observables
        By name, each ``(n,)`` float32.
    header
        That of the file that the jets come from.
    """

    images: np.ndarray
    labels: np.ndarray
    splits: np.ndarray
    observables: Mapping[str, np.ndarray]
    header: Mapping[str, Any]


def write_sample(path: Path, jets: Jets) -> None:
    """Write images and observables of jets of one channel to a small ``.npz`` file.

    Raises
    ------
    StriateError
        If a pixel is too hot to be written, or there is more than one channel.
    """
    if jets.images.shape[3] != 1:
        raise StriateError("a sample holds images of one channel")
    steps = np.rint(jets.images.astype(np.float64) / STEP_GEV).reshape(len(jets.labels), -1)
    if steps.max() > np.iinfo(np.uint16).max:
        raise StriateError(f"a pixel has {steps.max() * STEP_GEV:g} GeV, more than can be written")
    image, place = np.nonzero(steps)
    first = np.append(True, image[1:] != image[:-1])
    before = np.where(first, -1, np.append(-1, place[:-1]))
    gaps = place - before - 1
    # Long gaps become entries of their own, with an energy of 0.
    pieces = gaps // _LONGEST_GAP + 1
    ends = np.cumsum(pieces) - 1
    gap = np.full(int(pieces.sum()), _LONGEST_GAP, np.uint8)
    gap[ends] = gaps % _LONGEST_GAP
    energy = np.zeros(len(gap), np.uint16)
    energy[ends] = steps[image, place]
    entries = np.bincount(image, weights=pieces, minlength=len(steps)).astype(np.uint16)
    columns: dict[str, Any] = {
        "gap": gap,
        # Bytes apart compress better: the high ones are mostly 0.
        "energy_low": (energy & 0xFF).astype(np.uint8),
        "energy_high": (energy >> 8).astype(np.uint8),
        "entries": entries,
        "shape": np.array(jets.images.shape, np.int64),
        "labels": jets.labels.astype(np.uint8),
        "splits": _drawn(jets.labels),
        "header": np.frombuffer(json.dumps(dict(jets.header)).encode(), np.uint8),
    }
    for name, values in jets.observables.items():
        columns[f"observables/{name}"] = values
    with written_beside(path) as beside, beside.open("wb") as stream:
        np.savez_compressed(stream, **columns)


def _drawn(labels: np.ndarray) -> np.ndarray:
    """Return the split of each jet: of every ten of a class, seven, one and two.

    Jets of one class are independent of each other, so their order is as good as chance.
    """
    splits = np.zeros(len(labels), np.uint8)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        ends = np.rint(np.cumsum(SHARES) * len(rows)).astype(np.int64)
        splits[rows] = np.searchsorted(ends, np.arange(len(rows)), side="right")
    return splits


def read_sample(path: Path) -> Sample:
    """Read a file that `write_sample` wrote.

    Raises
    ------
    StriateError
        If it is damaged.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            columns = {name: file[name] for name in file.files}
        shape = tuple(columns["shape"])
        entries = columns["entries"]
        gap = columns["gap"].astype(np.int64)
        energy = columns["energy_low"] + 256.0 * columns["energy_high"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise StriateError(f"{path}: damaged ({error}): install striate again") from None
    # Where there is no pixel, a long gap moves by itself only.
    steps = gap + (energy > 0)
    offsets = offsets_of(entries)
    moved = np.cumsum(steps)
    before = np.concatenate([[0], moved])[offsets[:-1]]
    place = moved - np.repeat(before, entries) - 1
    image = np.repeat(np.arange(len(entries)), entries)
    images = np.zeros((shape[0], shape[1] * shape[2]), np.float32)
    real = energy > 0
    images[image[real], place[real]] = energy[real] * STEP_GEV
    return Sample(
        images.reshape(shape),
        columns["labels"].astype(np.int32),
        columns["splits"],
        {
            name.removeprefix("observables/"): values
            for name, values in columns.items()
            if name.startswith("observables/")
        },
        json.loads(columns["header"].tobytes()),
    )
