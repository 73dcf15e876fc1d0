"""HDF5 files: named arrays, of which only those that are wanted are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.arraynames import Head, find_class_names, find_columns, unused
from striate.data.jetfiles import jet_source
from striate.data.jethdf5 import open_jets
from striate.data.source import RawSplit, Source, file_records, one_line
from striate.errors import StriateError

if TYPE_CHECKING:
    import h5py

_BLOCK_BYTES = 1 << 26


def read_hdf5(
    path: Path,
    *,
    arrays: Mapping[str, str] | None = None,
    image: Mapping[str, Any] | None = None,
    layout: str | None = None,
    stored: str | None = None,
) -> Source:
    """Read images and labels, or jets, from an HDF5 file.

    Parameters
    ----------
    path
        The file. Datasets in groups have names such as ``train/images``; which names are
        understood says :func:`striate.data.arraynames.find_columns`. A dataset or attribute
        ``class_names`` of the file names the classes.
    arrays
        Names in the file by role, ``{"x": "calo/images", "y": "calo/is_signal"}``, where they
        are not found.
    image, layout
        Of a file of jets: how constituents become images, and which arrays hold what, as in
        :func:`striate.data.root.read_root`. The top-tagging reference set, the files of hls4ml and
        those of ATLAS are known by their contents.
    stored
        Of a file of hls4ml: the images to be taken as they are, e.g. ``"jetImage"``.

    Raises
    ------
    StriateError
        If it is no HDF5 file or damaged, or images or labels are not found.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            jets = None if arrays is not None else open_jets(file, path, layout, stored)
            if jets is not None:
                return jet_source({"train": [jets]}, name=path.stem, origin=str(path), image=image)
            for option, value in (("image", image), ("layout", layout), ("stored", stored)):
                if value is not None:
                    raise StriateError(f"{path}: no file of jets, which takes no {option}=")
            return _read(file, path, arrays)
    except (OSError, RuntimeError, KeyError) as error:
        raise StriateError(f"{path}: not an HDF5 file, or damaged: {one_line(error)}") from None


def _read(file: h5py.File, path: Path, given: Mapping[str, str] | None) -> Source:
    import h5py

    found: dict[str, Any] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            found[name] = item

    file.visititems(note)
    heads = {name: Head(tuple(item.shape), item.dtype.kind) for name, item in found.items()}
    columns_of = find_columns(heads, str(path), given)
    names = find_class_names(heads)
    class_names = None
    if names is not None:
        class_names = [str(name) for name in _texts(found[names])]
    elif "class_names" in file.attrs:
        class_names = [
            name.decode() if isinstance(name, bytes) else str(name)
            for name in file.attrs["class_names"]
        ]
    splits = {}
    for split, columns in columns_of.items():
        labels = found[columns.labels]
        splits[split] = RawSplit(
            _Stored(path, columns.images, heads[columns.images].shape),
            _texts(labels) if labels.dtype.kind in "OS" else labels[...],
            None if columns.weights is None else found[columns.weights][...],
            {key: found[name][...] for key, name in columns.observables.items()},
            where=f"{path}: {columns.images}",
        )
        stored = found[columns.images].dtype
        if stored.kind not in "buif":
            raise StriateError(f"{path}: {columns.images!r} does not hold numbers, but {stored}")
    files, unhashed = file_records([path])
    return Source(
        splits,
        name=path.stem,
        origin=str(path),
        class_names=class_names,
        files=files,
        notes=[*unused(heads, columns_of), *unhashed],
    )


def _texts(dataset: h5py.Dataset) -> np.ndarray:
    import h5py

    if h5py.check_string_dtype(dataset.dtype) is None:
        raise StriateError(
            f"{dataset.file.filename}: {dataset.name!r} should hold numbers or names, "
            f"not {dataset.dtype}"
        )
    return np.asarray(dataset.asstr()[...], dtype=np.str_)


@dataclass(frozen=True)
class _Stored:
    """Images in a file, read when they are asked for."""

    path: Path
    name: str
    shape: tuple[int, ...]

    def read(self, rows: np.ndarray | None) -> np.ndarray:
        """Read the images at `rows`, block by block, so that the others do not fill memory."""
        import h5py

        with h5py.File(self.path, "r") as file:
            stored = file[self.name]
            try:
                if rows is None:
                    return np.asarray(stored[...])
                block = max(1, _BLOCK_BYTES // max(1, stored.nbytes // max(1, len(stored))))
                chosen = []
                for start in range(0, len(stored), block):
                    low, high = np.searchsorted(rows, (start, start + block))
                    if low < high:
                        first, last = int(rows[low]), int(rows[high - 1])
                        chosen.append(stored[first : last + 1][rows[low:high] - first])
                return np.concatenate(chosen)
            except OSError as error:
                raise StriateError(
                    f"{self.path}: {self.name!r} cannot be read: {one_line(error)}"
                ) from None
