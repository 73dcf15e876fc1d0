"""A folder of files of jets: many of one set, or of several splits by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.data.jetfiles import JetFile, jet_source
from striate.data.source import Source, one_line
from striate.errors import StriateError

_SPLIT = re.compile(r"(?:^|[^a-z])(train|val|valid|validation|test)(?:[^a-z]|$)")
_SUFFIXES = (".root", ".h5", ".hdf5")


def read_jet_folder(
    path: Path,
    *,
    image: Mapping[str, Any] | None = None,
    layout: str | None = None,
    tree: str | None = None,
) -> Source:
    """Read a folder of ROOT or HDF5 files of jets, also in folders such as ``train_100M``.

    A file is of the split that its name, or its folder's, says: ``train``, ``val`` or ``test`` as
    a word, as in ``val.h5`` or ``val_5M/HToBB_000.root``; the others are for training. Files are
    taken in the order of their names.

    Parameters
    ----------
    path
        The folder.
    image, layout, tree
        As in :func:`~striate.data.root.read_root`.

    Raises
    ------
    StriateError
        If a file is none of jets, or the files do not fit together.
    """
    found = [
        file
        for file in sorted([*path.glob("*"), *path.glob("*/*")])
        if file.suffix.lower() in _SUFFIXES and file.is_file()
    ]
    files: dict[str, list[JetFile]] = {}
    for file in found:
        files.setdefault(_split_of(file.relative_to(path)), []).append(_open(file, layout, tree))
    if "train" not in files:
        raise StriateError(f"{path}: no file for training, all have 'val' or 'test' in their names")
    return jet_source(files, name=path.name, origin=str(path), image=image)


def _open(file: Path, layout: str | None, tree: str | None) -> JetFile:
    if file.suffix.lower() == ".root":
        from striate.data.root import open_root

        return open_root(file, layout, tree)
    import h5py

    from striate.data.jethdf5 import open_jets

    try:
        with h5py.File(file, "r") as opened:
            jets = open_jets(opened, file, layout)
    except OSError as error:
        raise StriateError(f"{file}: not an HDF5 file, or damaged: {one_line(error)}") from None
    if jets is None:
        raise StriateError(f"{file}: not a file of jets that is known: give layout='mine.toml'")
    return jets


def _split_of(relative: Path) -> str:
    for part in reversed(relative.with_suffix("").parts):
        word = _SPLIT.search(part.lower())
        if word:
            name = word.group(1)
            return "validation" if name.startswith("val") else name
    return "train"
