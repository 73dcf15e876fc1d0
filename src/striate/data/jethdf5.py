"""HDF5 files of jets: which of the known layouts a file has, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data import lhcjets, toptagging
from striate.data.jetfiles import Block, JetFile, described, in_blocks
from striate.data.layout import Layout, known_layouts, load_layout
from striate.data.source import one_line
from striate.errors import StriateError

if TYPE_CHECKING:
    import h5py


def open_jets(
    file: h5py.File, path: Path, layout: str | None = None, stored: str | None = None
) -> JetFile | None:
    """Open an HDF5 file as one of jets, or return None if it is none that is known.

    Parameters
    ----------
    file, path
        The file, open, and its path.
    layout
        A layout by name or TOML file; when None, it is found.
    stored
        Images that the file holds, to be taken as they are (hls4ml files).

    Raises
    ------
    StriateError
        If an array is missing or damaged.
    """
    chosen = load_layout(layout) if layout is not None else None
    if chosen is None:
        if toptagging.is_top_tagging(file):
            return _guarded(toptagging.open_top_tagging(_readable(file, path), path))
        if lhcjets.is_lhc_jets(file):
            return _guarded(lhcjets.open_lhc_jets(_readable(file, path), path, stored))
        fitting = (one for one in known_layouts().values() if one.branches <= set(file))
        chosen = next(fitting, None)
    if chosen is None:
        return None
    return _guarded(_open_layout(_readable(file, path), path, chosen))


def _open_layout(file: h5py.File, path: Path, layout: Layout) -> JetFile:
    present: list[str] = []
    file.visit(present.append)
    layout.require(present, str(path))
    if layout.jet_of:
        raise StriateError(
            f"{path}: the layout {layout.name!r} is of events, which are read from ROOT files only"
        )
    layout = layout.within(present)

    def all_of(name: str) -> np.ndarray:
        column = np.asarray(file[name])
        return column[:, 0] if column.ndim == 2 and column.shape[1] == 1 else column

    arrays = [file[name] for name in sorted(layout.contents)]
    entries = len(arrays[0])
    for array in arrays:
        if len(array) != entries:
            raise StriateError(f"{path}: {array.name!r} has {len(array)} entries, not {entries}")
    jet_bytes = sum(array.dtype.itemsize * float(np.prod(array.shape[1:])) for array in arrays)
    shape = None
    if layout.images is not None:
        _, rows, columns, *channels = arrays[0].shape
        shape = (rows, columns, channels[0] if channels else 1)

    def blocks(rows: np.ndarray | None) -> Iterator[Block]:
        import h5py

        with h5py.File(path, "r") as opened:

            def read(start: int, stop: int) -> Any:
                return layout.read_contents(lambda name: opened[name][start:stop])

            yield from in_blocks(path, entries, jet_bytes, read, rows)

    return described(path, layout, all_of, present, entries, blocks, shape)


def _guarded(file: JetFile) -> JetFile:
    """Return the same file, of which a damaged chunk is named with its entries."""
    inner = file.blocks

    def blocks(rows: np.ndarray | None) -> Iterator[Block]:
        done = 0
        try:
            for start, block in inner(rows):
                yield start, block
                done = start + len(block)
        except OSError as error:
            raise StriateError(
                f"{file.path}: damaged in the entries from {done}: {one_line(error)}"
            ) from None

    return replace(file, blocks=blocks)


def _readable(file: h5py.File, path: Path) -> h5py.File:
    """Return `file`; raise a StriateError if a filter of its arrays is not installed."""
    import h5py

    missing: dict[int, str] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            filters = item.id.get_create_plist()
            for i in range(filters.get_nfilters()):
                code = filters.get_filter(i)[0]
                if not h5py.h5z.filter_avail(code):
                    missing[code] = name

    file.visititems(note)
    if missing:
        try:
            import_module("hdf5plugin")  # which makes its filters known to HDF5
        except ImportError:
            code, name = next(iter(missing.items()))
            raise StriateError(
                f"{path}: {name!r} is compressed with HDF5 filter {code}, which h5py does not "
                "have: pip install hdf5plugin"
            ) from None
    return file
