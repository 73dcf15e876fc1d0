"""Jets of our own making: the files of ``striate jets generate``, and the bundled sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.jetfiles import Block, JetFile, in_blocks, jet_source
from striate.data.source import RawSplit, Source, file_record
from striate.errors import StriateError, nearest
from striate.jets import Constituents, ImageOptions
from striate.jets.file import read_header
from striate.jets.normalisation import normalised
from striate.jets.sample import SPLITS, STEP_GEV, read_sample

SAMPLE = Path(__file__).with_name("jets_sample.npz")
"""The bundled sample."""

NORMALISE = "sqrt"
"""How pixels come into [0, 1] unless told otherwise: networks learn most from the soft ones."""

_IN_RANGE = ("sum", "sqrt", "l2")
_LICENCE = "Apache-2.0, as striate"


def read_jets(
    path: Path, *, normalise: str | None = None, image: Mapping[str, Any] | None = None
) -> Source:
    """Read a file of ``striate jets generate``.

    Parameters
    ----------
    path
        The file.
    normalise
        How the pixels of the stored images come into [0, 1]: ``"sqrt"`` of the share of the image's
        transverse energy, which is the default, ``"sum"``: the share itself, ``"l2"``.
    image
        Options of :class:`~striate.jets.ImageOptions`, to make other images of the constituents;
        what is not given is as in the file.

    Raises
    ------
    StriateError
        If the file is of a later version or damaged, or an option is not known.
    """
    import h5py

    if image is not None and normalise is not None:
        raise StriateError(
            "give normalise=, for the stored images, or image=, for others; not both"
        )
    header = read_header(path)
    settings = header["classes"][-1]
    how = _options(settings["images"], normalise) if image is None else None
    with h5py.File(path, "r") as file:
        labels = file["labels"][...]
        observables = {name: column[...] for name, column in file["observables"].items()}
        particles = len(file["constituents/pt_gev"])

    def blocks(rows: np.ndarray | None) -> Iterator[Block]:
        with h5py.File(path, "r") as file:
            if how is not None:
                stored = file["images"]

                def images(start: int, stop: int) -> np.ndarray:
                    return normalised(stored[start:stop], how.channels, how.normalise)

                yield from in_blocks(path, len(labels), 4 * float(np.prod(how.shape)), images, rows)
            else:
                offsets = file["constituents/offsets"][...]

                def constituents(start: int, stop: int) -> Constituents:
                    return _constituents(file, offsets, start, stop, settings["images_of"])

                yield from in_blocks(
                    path, len(labels), 40 * particles / len(labels), constituents, rows
                )

    jets = JetFile(
        path,
        labels,
        blocks,
        class_names=header["class_names"],
        observables=observables,
        image_shape=None if how is None else how.shape,
        about="striate jets",
    )
    given = None if image is None else _stored(settings["images"]) | dict(image)
    source = jet_source({"train": [jets]}, name=path.stem, origin=str(path), image=given)
    details = dict(source.details) | {"simulation": header}
    if how is not None:
        details["image"] = how.as_json()
    return replace(source, details=details, licence=_LICENCE)


def read_bundled_jets(*, normalise: str | None = None) -> Source:
    """Read the bundled sample: images and observables of 10,000 W and 10,000 QCD jets.

    Simulated by the command in the provenance: 250 to 300 GeV, anti-kT, R = 1.0, at 13 TeV. The
    split, 70 % for training, 10 % for validation, 20 % for test, is fixed. Lecture row N9.

    Parameters
    ----------
    normalise
        As in :func:`read_jets`.

    Raises
    ------
    StriateError
        If the file is damaged, or `normalise` is not known.
    """
    sample = read_sample(SAMPLE)
    header = sample.header
    how = _options(header["classes"][-1]["images"], normalise)
    images = normalised(sample.images, how.channels, how.normalise)
    splits = {}
    for number, name in enumerate(SPLITS):
        rows = np.flatnonzero(sample.splits == number)
        # Both classes in turn, so that a part of a split has both, too.
        rows = rows[np.argsort(_turn(sample.labels[rows]), kind="stable")]
        splits[name] = RawSplit(
            images[rows],
            sample.labels[rows],
            observables={key: values[rows] for key, values in sample.observables.items()},
            where="jets",
        )
    return Source(
        splits,
        name="jets",
        origin=f"bundled, made by: {header['command']}",
        class_names=header["class_names"],
        files=[file_record(SAMPLE)],
        licence=_LICENCE,
        notes=[
            f"Transverse energies of pixels are multiples of {1000 * STEP_GEV:.3g} MeV; "
            "constituents are not bundled: the command makes them."
        ],
        details={"simulation": dict(header), "image": how.as_json()},
    )


def _turn(labels: np.ndarray) -> np.ndarray:
    """Return the place of each jet among those of its class."""
    turn = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rows = labels == label
        turn[rows] = np.arange(np.count_nonzero(rows))
    return turn


def _stored(images: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of stored images, which are in GeV, but for their normalisation."""
    return {name: value for name, value in images.items() if name != "normalise"}


def _options(images: Mapping[str, Any], normalise: str | None) -> ImageOptions:
    chosen = NORMALISE if normalise is None else normalise
    if chosen not in _IN_RANGE:
        raise StriateError(
            f"normalise={chosen!r} is none for the pixels of a dataset, which lie in [0, 1]: "
            f"{nearest(chosen, _IN_RANGE)}"
        )
    return ImageOptions.of(_stored(images), normalise=chosen)


def _constituents(
    file: Any, offsets: np.ndarray, start: int, stop: int, images_of: str
) -> Constituents:
    low, high = int(offsets[start]), int(offsets[stop])
    group = file["constituents"]
    columns = (
        group[name][low:high] for name in ("pt_gev", "eta", "phi", "mass_gev", "charge", "pdg_id")
    )
    jets = Constituents(offsets[start : stop + 1] - low, *columns)
    return jets.keep(group["in_groomed"][low:high]) if images_of == "trimmed" else jets
