"""The top-tagging reference set: a table that pandas wrote to HDF5, read without pandas.

doi:10.5281/zenodo.2603256, arXiv:1902.09914: 1.2 million jets for training, 0.4 million each for
validation and test, up to 200 constituents, top quarks against light quarks and gluons.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.jetfiles import BLOCK_BYTES, Block, JetFile, in_blocks
from striate.errors import StriateError
from striate.jets import Constituents

if TYPE_CHECKING:
    import h5py

TABLE = "table/table"
CLASS_NAMES = ("QCD", "top")
_BLOCK = re.compile(r"values_block_\d+")


def is_top_tagging(file: h5py.File) -> bool:
    """Return whether the file holds a table of blocks, as pandas writes them."""
    import h5py

    table = file.get(TABLE)
    return isinstance(table, h5py.Dataset) and "values_block_0" in (table.dtype.names or ())


def open_top_tagging(file: h5py.File, path: Path) -> JetFile:
    """Open a file of the reference set: labels are read, constituents left.

    Columns ``E_0, PX_0, PY_0, PZ_0, E_1, ...`` in GeV and ``is_signal_new`` are found by their
    names. Those are attributes that pandas pickles; they are taken from the pickle's text, which
    is never executed.

    Raises
    ------
    StriateError
        If a column is missing.
    """
    table = file[TABLE]
    where = {
        name: (block, i)
        for block in table.dtype.names
        if _BLOCK.fullmatch(block)
        for i, name in enumerate(_names(table, block, path))
    }
    most = 0
    while f"E_{most}" in where:
        most += 1
    wanted = [f"{axis}_{i}" for i in range(most) for axis in ("E", "PX", "PY", "PZ")]
    for name in (*wanted, "E_0", "is_signal_new"):
        if name not in where:
            raise StriateError(
                f"{path}: the table has no column {name!r}, which the top-tagging reference set "
                f"has (it has {', '.join(list(where)[:5])}, ...)"
            )
    block, position = where["is_signal_new"]
    entries, jet_bytes = len(table), table.dtype.itemsize
    size = max(1, BLOCK_BYTES // jet_bytes)
    labels = np.concatenate(
        [
            table.fields(block)[start : start + size][:, position]
            for start in range(0, entries, size)
        ]
    )

    def blocks(rows: np.ndarray | None) -> Iterator[Block]:
        import h5py

        with h5py.File(path, "r") as opened:

            def read(start: int, stop: int) -> Constituents:
                return _constituents(opened[TABLE][start:stop], where, most)

            yield from in_blocks(path, entries, jet_bytes, read, rows)

    return JetFile(
        path,
        labels,
        blocks,
        class_names=CLASS_NAMES,
        about="top-tagging reference set, doi:10.5281/zenodo.2603256",
    )


def _constituents(
    records: np.ndarray, where: dict[str, tuple[str, int]], most: int
) -> Constituents:
    momenta = []
    for axis in ("E", "PX", "PY", "PZ"):
        columns = [where[f"{axis}_{i}"] for i in range(most)]
        if len({block for block, _ in columns}) == 1:
            chosen = records[columns[0][0]][:, [i for _, i in columns]]
        else:
            chosen = np.stack([records[block][:, i] for block, i in columns], axis=1)
        momenta.append(chosen)
    return Constituents.from_four_momenta(*momenta)


def _names(table: Any, block: str, path: Path) -> list[str]:
    """Return the names of a block's columns, the strings of a pickled list."""
    text = table.attrs.get(f"{block}_kind")
    if isinstance(text, str):
        text = text.encode("latin-1")
    if text is None:
        raise StriateError(f"{path}: the table does not name the columns of {block}")
    try:
        operations = list(pickletools.genops(bytes(text)))
    except ValueError as error:
        raise StriateError(f"{path}: the names of {block} cannot be read: {error}") from None
    return [
        value if isinstance(value, str) else bytes(value or b"").decode("latin-1")
        for operation, value, _ in operations
        if "UNICODE" in operation.name or "STRING" in operation.name
    ]
