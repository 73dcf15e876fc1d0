"""The LHC jet files of hls4ml: five classes of jets, as particles and as images, in HDF5.

doi:10.5281/zenodo.3602260 (150 particles a jet; others have 30, 50 or 100): gluons, light quarks,
W, Z and top quarks at transverse momenta of about 1 TeV, anti-kT R = 0.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from striate.data.jetfiles import Block, JetFile, in_blocks
from striate.errors import StriateError, nearest
from striate.jets import Constituents

if TYPE_CHECKING:
    import h5py

PARTICLES = "jetConstituentList"
STORED = ("jetImage", "jetImageECAL", "jetImageHCAL")
_NAMES = "particleFeatureNames"
_FLAGS = {"j_g": "gluon", "j_q": "quark", "j_w": "W", "j_z": "Z", "j_t": "top"}
_OBSERVABLES = {
    "pt_gev": "j_pt",
    "eta": "j_eta",
    "mass_gev": "j_mass",
    "soft_drop_mass_gev": "j_mass_mmdt",
    "multiplicity": "j_multiplicity",
}


def is_lhc_jets(file: h5py.File) -> bool:
    """Return whether the file has the arrays of these files."""
    return {PARTICLES, _NAMES, "jets", "jetFeatureNames"} <= set(file)


def open_lhc_jets(file: h5py.File, path: Path, stored: str | None = None) -> JetFile:
    """Open one of these files: labels and observables are read, particles or images left.

    Parameters
    ----------
    file, path
        The file, open, and its path.
    stored
        ``"jetImage"``, ``"jetImageECAL"`` or ``"jetImageHCAL"``: take these images as they are, in
        place of images of the particles.

    Raises
    ------
    StriateError
        If a feature is missing, a jet is not of one class, or there are no such images.
    """
    of_jets = _positions(file["jetFeatureNames"])
    jets = np.asarray(file["jets"])
    for name in _FLAGS:
        if name not in of_jets:
            raise StriateError(f"{path}: 'jets' has no {name!r}: {nearest(name, of_jets)}")
    flags = jets[:, [of_jets[name] for name in _FLAGS]] != 0
    if (flags.sum(axis=1) != 1).any():
        entry = int(np.argmax(flags.sum(axis=1) != 1))
        raise StriateError(f"{path}: jet {entry} is not of one class")
    of_particles = _positions(file[_NAMES])
    needed = [f"j1_{name}" for name in ("e", "px", "py", "pz")]
    for name in needed:
        if name not in of_particles:
            raise StriateError(f"{path}: particles have no {name!r}: {nearest(name, of_particles)}")
    if stored is not None and stored not in file:
        raise StriateError(f"{path}: no images {stored!r}: {nearest(stored, STORED)}")
    array = file[stored or PARTICLES]
    if len(array) != len(jets):
        raise StriateError(f"{path}: {len(jets)} jets but {len(array)} in {array.name!r}")
    shape = None
    if stored is not None:
        shape = (*array.shape[1:3], array.shape[3] if array.ndim > 3 else 1)
    jet_bytes = array.dtype.itemsize * np.prod(array.shape[1:])

    def blocks(rows: np.ndarray | None) -> Iterator[Block]:
        import h5py

        with h5py.File(path, "r") as opened:

            def read(start: int, stop: int) -> Constituents | np.ndarray:
                block = opened[stored or PARTICLES][start:stop]
                if stored is not None:
                    return np.asarray(block)
                return Constituents.from_four_momenta(
                    *(block[:, :, of_particles[name]] for name in needed)
                )

            yield from in_blocks(path, len(jets), float(jet_bytes), read, rows)

    return JetFile(
        path,
        flags.argmax(axis=1),
        blocks,
        class_names=tuple(_FLAGS.values()),
        observables={
            name: jets[:, of_jets[feature]].astype(np.float32)
            for name, feature in _OBSERVABLES.items()
            if feature in of_jets
        },
        image_shape=shape,
        about="hls4ml LHC jets, doi:10.5281/zenodo.3602260",
    )


def _positions(names: h5py.Dataset) -> dict[str, int]:
    listed = [name.decode() if isinstance(name, bytes) else str(name) for name in names[...]]
    return {name: position for position, name in enumerate(listed)}
