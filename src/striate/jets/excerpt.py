"""One jet of a large file, without the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from striate.errors import StriateError
from striate.jets.constituents import Constituents


def read_one_jet(path: Path, label: int) -> Constituents:
    """Read the constituents of the first jet of a class from a file of ``striate jets generate``.

    The hash of the file is not checked.

    Parameters
    ----------
    path
        The file.
    label
        0 for background, 1 for signal.

    Raises
    ------
    StriateError
        If the class has no jet.
    """
    import h5py

    with h5py.File(path, "r") as file:
        rows = np.flatnonzero(file["labels"][...] == label)
        if not len(rows):
            raise StriateError(f"{path}: there is no jet of class {label}")
        row = int(rows[0])
        low, high = (int(offset) for offset in file["constituents/offsets"][row : row + 2])
        group = file["constituents"]
        columns = (
            group[name][low:high]
            for name in ("pt_gev", "eta", "phi", "mass_gev", "charge", "pdg_id")
        )
        return Constituents(np.array([0, high - low]), *columns)
