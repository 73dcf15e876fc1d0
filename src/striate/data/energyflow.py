"""EnergyFlow's quark and gluon jets: ``.npz`` files of padded particles, read row by row.

doi:10.5281/zenodo.3164691 (Pythia) and 3066475 (Herwig), arXiv:1810.05165: Z + jet at 14 TeV,
anti-kT R = 0.4, pT from 500 to 550 GeV, rapidity below 1.7.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.jetfiles import BLOCK_BYTES, Block, JetFile
from striate.data.source import one_line
from striate.errors import StriateError
from striate.jets import Constituents
from striate.jets.particles import masses_gev

CLASS_NAMES = ("gluon", "quark")
_FEATURES = ("pt", "rapidity", "phi", "pdg_id")


def is_energyflow(path: Path) -> bool:
    """Return whether an ``.npz`` file has ``X`` of jets, particles and four features, and ``y``.

    An image may have four columns as well; so the fourth feature of the first jet must be numbers
    of the Particle Data Group, and 0 where the first is.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if not {"X.npy", "y.npy"} <= set(archive.namelist()):
                return False
            with archive.open("X.npy") as member:
                shape, _, dtype = _head(member)
                if len(shape) != 3 or shape[2] != len(_FEATURES) or not shape[0]:
                    return False
                row = np.frombuffer(member.read(shape[1] * shape[2] * dtype.itemsize), dtype)
    except (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zlib.error):
        return False
    except zipfile.BadZipFile:
        return False
    pt, *_, number = row.reshape(shape[1:]).T
    real = pt > 0
    known = np.isin(np.abs(number[real]), (11, 13, 22, 130, 211, 310, 321, 2112, 2212))
    return bool(real.any() and known.all() and (number[~real] == 0).all())


def open_energyflow(path: Path) -> JetFile:
    """Open such a file: labels are read, particles left.

    Raises
    ------
    StriateError
        If the arrays do not fit together, or the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open("y.npy") as member:
                labels = np.lib.format.read_array(member, allow_pickle=False)
            with archive.open("X.npy") as member:
                shape, fortran, dtype = _head(member)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise StriateError(f"{path}: damaged: {one_line(error)}") from None
    if fortran or dtype.kind != "f":
        raise StriateError(f"{path}: 'X' must be floating-point numbers in C order: save it anew")
    if labels.shape != shape[:1]:
        raise StriateError(f"{path}: {shape[0]} jets but labels of shape {labels.shape}")

    def blocks(rows: np.ndarray | None) -> Iterator[Block]:
        return _blocks(path, shape, dtype, rows)

    return JetFile(
        path,
        labels,
        blocks,
        class_names=CLASS_NAMES,
        about="EnergyFlow quark and gluon jets, arXiv:1810.05165",
    )


def _blocks(
    path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], rows: np.ndarray | None
) -> Iterator[Block]:
    """Read the array from its beginning to its end, where the checksum is."""
    jet_bytes = int(dtype.itemsize * np.prod(shape[1:]))
    size = max(1, BLOCK_BYTES // max(1, jet_bytes))
    start = 0
    try:
        with zipfile.ZipFile(path) as archive, archive.open("X.npy") as member:
            _head(member)
            for start in range(0, shape[0], size):
                count = min(size, shape[0] - start)
                content = member.read(count * jet_bytes)
                if rows is not None:
                    low, high = np.searchsorted(rows, (start, start + count))
                    if low == high:
                        continue
                # Fewer bytes than announced do not take the shape: a ValueError.
                block = np.frombuffer(content, dtype).reshape(count, *shape[1:])
                yield start, _constituents(block, path, start)
            member.read(1)
    except StriateError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise StriateError(
            f"{path}: 'X' is damaged in jets {start} to {min(start + size, shape[0]) - 1} or "
            f"before: {one_line(error)}"
        ) from None


def _constituents(block: np.ndarray, path: Path, start: int) -> Constituents:
    real = block[:, :, 0] != 0
    pt, rapidity, phi, number = block[real].T
    try:
        mass = masses_gev(number)
        # The files have rapidities, and massive particles.
        with np.errstate(over="ignore", invalid="ignore"):
            eta = np.arcsinh(np.hypot(pt, mass) / pt * np.sinh(rapidity))
        return Constituents.from_arrays(pt, eta, phi, mass, pdg_id=number, counts=real.sum(axis=1))
    except StriateError as error:
        raise StriateError(f"{path}: jets {start} to {start + len(block) - 1}: {error}") from None


def _head(member: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(member)
    return np.lib.format.read_array_header_2_0(member)
