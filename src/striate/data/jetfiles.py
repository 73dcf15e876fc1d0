"""Files of jets whose constituents are read block by block, and become images at once.

A reader of one format says what is in a file (:class:`JetFile`); here blocks of constituents
become images and observables, so that a file may be larger than memory. The images stay.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.layout import Layout
from striate.data.source import RawSplit, Source, file_records
from striate.errors import StriateError
from striate.jets import Constituents, ImageOptions
from striate.jets.images import images_and_fractions

BLOCK_BYTES = 1 << 25
"""How much of a file is read at once, as far as jets can be counted beforehand."""

Block = tuple[int, "Constituents | np.ndarray"]
"""The first entry of a block, and the constituents or images of its entries."""

# Of each jet, from its constituents; what the file says itself comes first.
_MEASURED = ("pt_gev", "eta", "phi", "mass_gev", "multiplicity", "pt_fraction_in_image")


@dataclass(frozen=True, eq=False)
class JetFile:
    """What is in one file of jets; constituents or images are read when they are wanted.

    Attributes
    ----------
    path
        The file.
    labels
        ``(n,)``: class numbers or names of all entries.
    blocks
        Called with the entries that are wanted, which rise, or None for all: yields blocks of
        consecutive entries that cover at least those.
    class_names
        In the order of the class numbers, or None.
    weights, observables
        ``(n,)`` each.
    entries
        Which entries of the file `labels` and the others speak of; None for all.
    image_shape
        Rows, columns and channels, where the file holds images and not constituents.
    notes, about
        Sentences for the provenance; what the layout of the file is called.
    """

    path: Path
    labels: np.ndarray
    blocks: Callable[[np.ndarray | None], Iterator[Block]]
    class_names: Sequence[str] | None = None
    weights: np.ndarray | None = None
    observables: Mapping[str, np.ndarray] = field(default_factory=dict)
    entries: np.ndarray | None = None
    image_shape: tuple[int, int, int] | None = None
    notes: Sequence[str] = ()
    about: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    def wanted(self, rows: np.ndarray | None) -> np.ndarray | None:
        """Return the entries of the file that hold the jets at `rows`."""
        if self.entries is None:
            return rows
        return self.entries if rows is None else self.entries[rows]


def described(
    path: Path,
    layout: Layout,
    fetch: Callable[[str], np.ndarray],
    present: Collection[str],
    entries: int,
    blocks: Callable[[np.ndarray | None], Iterator[Block]],
    image_shape: tuple[int, int, int] | None,
) -> JetFile:
    """Make a JetFile by a layout: `fetch` reads a column of one value a jet, of all entries.

    Raises
    ------
    StriateError
        If a column has not one value for each entry, or labels do not fit the layout.
    """

    def checked(branch: str) -> np.ndarray:
        column = fetch(branch)
        if column.shape != (entries,):
            raise StriateError(
                f"{path}: {branch!r} has shape {column.shape}, not one value for each of "
                f"{entries} jets"
            )
        return column

    labels, kept = layout.read_labels(checked, str(path))
    observables = layout.read_observables(checked)
    weights = next((checked(name) for name in layout.weights if name in present), None)
    notes = []
    if kept is not None:
        notes.append(f"{entries - len(kept)} of {entries} jets are of no class and were left out.")
        observables = {name: values[kept] for name, values in observables.items()}
        weights = None if weights is None else weights[kept]
    return JetFile(
        path,
        labels,
        blocks,
        class_names=layout.class_names,
        weights=weights,
        observables=observables,
        entries=kept,
        image_shape=image_shape,
        notes=notes,
        about=layout.title,
    )


def in_blocks(
    path: Path,
    entries: int,
    jet_bytes: float,
    read: Callable[[int, int], Constituents | np.ndarray],
    wanted: np.ndarray | None,
) -> Iterator[Block]:
    """Read a file of random access in blocks, leaving out blocks of which nothing is wanted.

    Raises
    ------
    StriateError
        If the contents of a block make no sense; it names the file and the entries.
    """
    size = max(1, int(BLOCK_BYTES // max(1.0, jet_bytes)))
    for start in range(0, entries, size):
        stop = min(start + size, entries)
        if wanted is not None:
            low, high = np.searchsorted(wanted, (start, stop))
            if low == high:
                continue
            # Only as far as the wanted ones reach.
            start, stop = int(wanted[low]), int(wanted[high - 1]) + 1
        with naming(path, f"entries {start} to {stop - 1}: "):
            block = read(start, stop)
        yield start, block


@contextmanager
def naming(path: Path, entries: str = "") -> Iterator[None]:
    """Name the file, and which entries of it, in an error that does not."""
    try:
        yield
    except StriateError as error:
        if str(error).startswith(str(path)):
            raise
        raise StriateError(f"{path}: {entries}{error}") from None


def jet_source(
    files: Mapping[str, Sequence[JetFile]],
    *,
    name: str,
    origin: str,
    image: Mapping[str, Any] | None,
) -> Source:
    """Make a source of files of jets, one or more for each split.

    Parameters
    ----------
    files
        By split; those of a split follow each other.
    name, origin
        As of Source.
    image
        Options of :class:`~striate.jets.ImageOptions`; ``normalise`` is ``"sum"`` where it is not
        given, since pixels of a dataset lie in [0, 1].

    Raises
    ------
    StriateError
        If the files do not fit together, or images are stored and options given.
    """
    every = [file for of_split in files.values() for file in of_split]
    first = every[0]
    for file in every[1:]:
        if file.class_names != first.class_names or file.image_shape != first.image_shape:
            raise StriateError(f"{file.path}: other classes or images than in {first.path}")
    options = ImageOptions.of(image, normalise="sum") if first.image_shape is None else None
    if options is None and image:
        raise StriateError(f"{first.path}: holds images, which take no image options")
    if options is not None and options.normalise == "standardise":
        raise StriateError(
            "normalise='standardise' gives pixels outside [0, 1]: load with 'sum' and let the "
            "network begin with keras.layers.Normalization"
        )
    records, unhashed = file_records([file.path for file in every])
    notes = list(dict.fromkeys(note for file in every for note in file.notes))
    details = {"layout": first.about} | ({} if options is None else {"image": options.as_json()})
    splits = {split: _raw(of_split, options) for split, of_split in files.items()}
    return Source(
        splits,
        name=name,
        origin=origin,
        class_names=first.class_names,
        files=records,
        notes=[*notes, *unhashed],
        details=details,
    )


def _raw(files: Sequence[JetFile], options: ImageOptions | None) -> RawSplit:
    images = JetImages(files, options)
    shared = set(files[0].observables).intersection(*(file.observables for file in files))
    observables: dict[str, Any] = {}
    if options is not None:
        observables |= {name: _Measured(images, name) for name in _MEASURED}
    for name in files[0].observables:
        if name in shared:
            observables[name] = np.concatenate([file.observables[name] for file in files])
    weighted = [file.weights for file in files if file.weights is not None]
    if weighted and len(weighted) < len(files):
        raise StriateError(f"{files[0].path}: some files have weights and some have none")
    where = str(files[0].path if len(files) == 1 else files[0].path.parent)
    return RawSplit(
        images,
        np.concatenate([file.labels for file in files]),
        np.concatenate(weighted) if weighted else None,
        observables,
        where=where,
    )


class JetImages:
    """Images of the jets in files, made when they are asked for; and what was measured with it."""

    def __init__(self, files: Sequence[JetFile], options: ImageOptions | None) -> None:
        self._files = files
        self._options = options
        self._rows: np.ndarray | None = None
        self._measured: dict[str, np.ndarray] = {}
        size = files[0].image_shape if options is None else options.shape
        self.shape: tuple[int, ...] = (sum(map(len, files)), *(size or ()))

    def read(self, rows: np.ndarray | None) -> np.ndarray:
        """Make the images at `rows`, which rise, or all: one block of constituents at a time."""
        count = self.shape[0] if rows is None else len(rows)
        images = np.empty((count, *self.shape[1:]), np.float32)
        measured = {name: np.empty(count, np.float32) for name in _MEASURED}
        begin = filled = 0
        for file in self._files:
            end = begin + len(file)
            low, high = (begin, end) if rows is None else np.searchsorted(rows, (begin, end))
            mine = None if rows is None else rows[low:high] - begin
            if low < high:
                filled = self._fill(file, file.wanted(mine), images, measured, filled)
            begin = end
        self._rows, self._measured = rows, measured
        return images

    def _fill(
        self,
        file: JetFile,
        wanted: np.ndarray | None,
        images: np.ndarray,
        measured: dict[str, np.ndarray],
        filled: int,
    ) -> int:
        """Fill in the entries that are wanted of one file; return how far images are filled."""
        target = filled + (len(file) if wanted is None else len(wanted))
        for start, block in file.blocks(wanted):
            if wanted is not None:
                low, high = np.searchsorted(wanted, (start, start + len(block)))
                chosen = wanted[low:high] - start
                block = block.take(chosen) if isinstance(block, Constituents) else block[chosen]
            place = slice(filled, filled + len(block))
            if isinstance(block, Constituents):
                images[place] = self._make(block, {k: v[place] for k, v in measured.items()})
            else:
                images[place] = block.reshape(len(block), *self.shape[1:])
            filled = place.stop
        if filled != target:
            raise StriateError(
                f"{file.path}: {filled - target + len(file)} of {len(file)} jets could be read: "
                "the file is incomplete"
            )
        return filled

    def _make(self, jets: Constituents, measured: Mapping[str, np.ndarray]) -> np.ndarray:
        if self._options is None:
            raise TypeError("constituents where images were announced")
        for name, column in jets.sums()._asdict().items():
            measured[name][:] = column
        measured["multiplicity"][:] = jets.counts
        images, measured["pt_fraction_in_image"][:] = images_and_fractions(jets, self._options)
        return images

    def measured(self, name: str, rows: np.ndarray | None) -> np.ndarray:
        """Return what was measured of the jets at `rows`; read again if others were read last."""
        same = rows is self._rows or (
            rows is not None and self._rows is not None and np.array_equal(rows, self._rows)
        )
        if not same or not self._measured:
            self.read(rows)
        return self._measured[name]


@dataclass(frozen=True, eq=False)
class _Measured:
    """A column that comes with the images."""

    images: JetImages
    name: str

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of jets."""
        return self.images.shape[:1]

    def read(self, rows: np.ndarray | None) -> np.ndarray:
        """Return the column at `rows`."""
        return self.images.measured(self.name, rows)
