"""NumPy's ``.npz`` files: one with the arrays of all splits, or a folder of batches."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.arraynames import Head, find_class_names, find_columns, unused
from striate.data.energyflow import is_energyflow, open_energyflow
from striate.data.jetfiles import JetFile, jet_source
from striate.data.source import RawSplit, Source, file_record, one_line
from striate.errors import StriateError

# What zipfile and numpy raise for contents that they cannot read. A Python may lack lzma; zipfile
# then raises RuntimeError for members that need it.
_UNREADABLE: tuple[type[Exception], ...] = (
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
try:
    from lzma import LZMAError
except ImportError:
    pass
else:
    _UNREADABLE += (LZMAError,)


def read_npz(
    path: Path,
    *,
    arrays: Mapping[str, str] | None = None,
    image: Mapping[str, Any] | None = None,
) -> Source:
    """Read one ``.npz`` file, or a folder of batches of which each holds images and labels.

    Parameters
    ----------
    path
        The file: ``x_train``, ``y_train`` and, where they are, ``x_test``, ``y_test``, or ``x``,
        ``y``, or names as :func:`striate.data.arraynames.find_columns` understands them. Or the
        folder: files with ``test`` or ``val`` in their names are those splits, the others training,
        in the order of the numbers in their names.
    arrays
        Names in the file by role, ``{"x": "jet_images", "y": "is_signal"}``, where they are not
        found.
    image
        Of EnergyFlow's jets, which are known by their contents: how constituents become images, as
        in :func:`striate.data.root.read_root`.

    Raises
    ------
    StriateError
        If a file is damaged or holds pickled objects, or images or labels are not found.
    """
    batches = sorted(path.glob("*.npz"), key=_natural) if path.is_dir() else [path]
    if arrays is None and is_energyflow(batches[0]):
        jets: dict[str, list[JetFile]] = {}
        for batch in batches:
            jets.setdefault(_split_of(batch), []).append(open_energyflow(batch))
        return jet_source(jets, name=path.stem, origin=str(path), image=image)
    if image is not None:
        raise StriateError(f"{path}: no file of jets, which takes no image=")
    if not path.is_dir():
        splits, class_names, notes = _read_file(path, arrays)
        return Source(
            splits,
            name=path.stem,
            origin=str(path),
            class_names=class_names,
            files=[file_record(path)],
            notes=notes,
        )
    return batches_source(batches, name=path.name, origin=str(path), arrays=arrays)


def batches_source(
    batches: Sequence[Path], *, arrays: Mapping[str, str] | None = None, **about: Any
) -> Source:
    """Read batches, in parallel, and join those of each split.

    Parameters
    ----------
    batches
        The files, in order.
    arrays
        As in :func:`read_npz`.
    **about
        Fields of Source.
    """
    with ThreadPoolExecutor() as pool:
        read = list(pool.map(lambda path: _read_file(path, arrays), batches))
        files = list(pool.map(file_record, batches))
    by_split: dict[str, list[RawSplit]] = {}
    for path, (splits, _, _) in zip(batches, read, strict=True):
        if list(splits) != ["train"]:
            raise StriateError(f"{path}: a batch in a folder must hold one set, x and y")
        by_split.setdefault(_split_of(path), []).append(splits["train"])
    if "train" not in by_split:
        raise StriateError(f"{batches[0].parent}: every batch has 'test' or 'val' in its name")
    joined = {split: _join(parts) for split, parts in by_split.items()}
    about.setdefault("class_names", read[0][1])
    about.setdefault("notes", sorted({note for _, _, notes in read for note in notes}))
    return Source(joined, files=files, **about)


def _read_file(
    path: Path, given: Mapping[str, str] | None
) -> tuple[dict[str, RawSplit], list[str] | None, list[str]]:
    with _opened(path) as archive:
        heads = {name: _head(archive, name, path) for name in archive.files}
        columns_of = find_columns(heads, str(path), given)
        names = find_class_names(heads)
        class_names = None if names is None else [str(n) for n in _array(archive, names, path)]
        splits = {
            split: RawSplit(
                _array(archive, columns.images, path),
                _array(archive, columns.labels, path),
                None if columns.weights is None else _array(archive, columns.weights, path),
                {k: _array(archive, name, path) for k, name in columns.observables.items()},
                where=f"{path}: {columns.images}",
            )
            for split, columns in columns_of.items()
        }
        return splits, class_names, unused(heads, columns_of)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with ExitStack() as stack:
        try:
            # Opened here, because numpy.load leaves a file open that is no sound archive.
            stream = stack.enter_context(path.open("rb"))
            archive = np.load(stream, allow_pickle=False)
        except OSError as error:
            raise StriateError(f"{path}: cannot be read: {error.strerror or error}") from None
        except _UNREADABLE:
            raise StriateError(f"{path}: not an .npz file, or damaged") from None
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise StriateError(f"{path}: one bare array, where an .npz file holds named ones")
        yield stack.enter_context(archive)


def _head(archive: Any, name: str, path: Path) -> Head:
    """Read shape and kind of one array, without its numbers."""
    try:
        with archive.zip.open(f"{name}.npy") as member:
            version = np.lib.format.read_magic(member)
            read_head = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read_head(member)
    except _UNREADABLE as error:
        raise StriateError(f"{path}: {name!r} cannot be read: {one_line(error)}") from None
    if dtype.hasobject:
        raise StriateError(
            f"{path}: array {name!r} holds Python objects, which could run code when they are "
            "read: save it as numbers, e.g. np.stack(list(a))"
        )
    return Head(tuple(int(side) for side in shape), dtype.kind)


def _array(archive: Any, name: str, path: Path) -> np.ndarray:
    try:
        return np.asarray(archive[name])
    except _UNREADABLE as error:
        raise StriateError(f"{path}: {name!r} cannot be read: {one_line(error)}") from None


def _natural(path: Path) -> list[int | str]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]


def _split_of(path: Path) -> str:
    stem = path.stem.lower()
    return "test" if "test" in stem else "validation" if "val" in stem else "train"


def _join(parts: Sequence[RawSplit]) -> RawSplit:
    first = parts[0]
    for part in parts[1:]:
        if np.shape(part.images)[1:] != np.shape(first.images)[1:]:
            raise StriateError(
                f"{part.where}: images of shape {np.shape(part.images)[1:]}, "
                f"but {np.shape(first.images)[1:]} in {first.where}"
            )
    for part in parts:
        if len(part.images) != len(part.labels):
            raise StriateError(
                f"{part.where}: {len(part.images)} images but {len(part.labels)} labels: "
                "each image needs one"
            )
    shared = [key for key in first.observables if all(key in part.observables for part in parts)]
    weighted = [part.weights for part in parts if part.weights is not None]
    if weighted and len(weighted) < len(parts):
        raise StriateError(f"{first.where}: some batches have weights and some have none")
    return RawSplit(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate(weighted) if weighted else None,
        {key: np.concatenate([part.observables[key] for part in parts]) for key in shared},
        where=first.where if len(parts) == 1 else str(Path(first.where.split(":")[0]).parent),
    )
