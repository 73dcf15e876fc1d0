"""The HDF5 file of jets: constituents, observables, images, and how they were made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import StriateError
from striate.files import written_beside
from striate.jets.blocks import Block
from striate.jets.constituents import Constituents, offsets_of

if TYPE_CHECKING:
    import h5py

FORMAT = "striate jets"
VERSION = 1

_PARTICLE_COLUMNS = ("pt_gev", "eta", "phi", "mass_gev", "charge", "pdg_id")
_CHUNK = 256


@dataclass(frozen=True, eq=False)
class Jets:
    """What a file of jets holds.

    Attributes
    ----------
    labels
        ``(n,)`` int32: 0 for background, 1 for signal.
    constituents
        Of the jets.
    in_groomed
        ``(particles,)`` bool: what trimming keeps.
    images
        float32 ``(n, row, col, channel)``, as the header's ``images`` says.
    observables
        By name, each ``(n,)`` float32.
    parton_pt_gev
        ``(n,)``: pT of the hardest jet of partons, which the pre-selection looked at. It is truth,
        no observable.
    header
        Settings, versions, cross-sections, and the hash of the contents.
    """

    labels: np.ndarray
    constituents: Constituents
    in_groomed: np.ndarray
    images: np.ndarray
    observables: Mapping[str, np.ndarray]
    parton_pt_gev: np.ndarray
    header: Mapping[str, Any]


def write_jets(
    path: Path, classes: Sequence[Iterator[Block]], header: Mapping[str, Any]
) -> dict[str, Any]:
    """Write blocks of jets, class after class, whole or not at all; return the header.

    Parameters
    ----------
    path
        The file.
    classes
        The blocks of background and signal, taken one by one, so that they need not fit into
        memory.
    header
        What is known so far, as JSON can hold it. Added are ``sha256``, over names, types and
        contents of all columns, whatever the header says, and the ``counts`` of each class.
    """
    import h5py

    counts: list[dict[str, float]] = []
    with written_beside(path) as beside, h5py.File(beside, "w") as file:
        columns = _Columns(file)
        for label, blocks in enumerate(classes):
            total: dict[str, float] = {"jets": 0}
            for block in blocks:
                columns.append(label, block)
                total["jets"] += len(block)
                _add_up(total, block.counts)
            counts.append(_with_cross_section(total))
        whole = dict(header) | {"sha256": columns.finish(), "counts": counts}
        file.attrs["format"] = FORMAT
        file.attrs["version"] = VERSION
        file.attrs["sha256"] = whole["sha256"]
        file.attrs["class_names"] = list(whole["class_names"])
        # A dataset: attributes may not be longer than 64 kB.
        file["header"] = json.dumps(whole, allow_nan=False)
    return whole


def _add_up(total: dict[str, float], counts: Mapping[str, float]) -> None:
    for name in ("collisions", "accepted", "tried", "seconds"):
        total[name] = total.get(name, 0.0) + counts[name]
    # Blocks estimate one cross-section; they are averaged with the collisions as weights.
    weight = counts["collisions"]
    total["sigma_pb"] = total.get("sigma_pb", 0.0) + weight * counts["sigma_pb"]
    total["variance"] = total.get("variance", 0.0) + (weight * counts["sigma_error_pb"]) ** 2


def _with_cross_section(total: dict[str, float]) -> dict[str, float]:
    collisions = max(total.get("collisions", 0.0), 1.0)
    sigma = total.pop("sigma_pb", 0.0) / collisions
    error = total.pop("variance", 0.0) ** 0.5 / collisions
    share = total.get("accepted", 0.0) / collisions
    binomial = (share * (1 - share) / collisions) ** 0.5
    return total | {
        "cross_section_pb": sigma * share,
        "cross_section_error_pb": float(np.hypot(error * share, sigma * binomial)),
    }


class _Columns:
    """The columns of a file that grows, and the digest of each."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._digests: dict[str, Any] = {}
        self._counts: list[np.ndarray] = []

    def append(self, label: int, block: Block) -> None:
        """Add the jets of a block."""
        self._add("labels", np.full(len(block), label, np.int32))
        self._add("images", block.images)
        self._add("truth/parton_pt_gev", block.parton_pt_gev)
        for name, values in sorted(block.observables.items()):
            self._add(f"observables/{name}", values)
        for name in _PARTICLE_COLUMNS:
            self._add(f"constituents/{name}", getattr(block.constituents, name))
        self._add("constituents/in_groomed", block.in_groomed)
        self._counts.append(block.constituents.counts)

    def _add(self, name: str, values: np.ndarray) -> None:
        if name not in self._digests:
            chunk = _CHUNK if values.ndim > 1 else 1 << 14
            self._file.create_dataset(
                name,
                shape=(0, *values.shape[1:]),
                maxshape=(None, *values.shape[1:]),
                dtype=values.dtype,
                chunks=(chunk, *values.shape[1:]),
                compression="gzip",
                shuffle=True,
            )
            self._digests[name] = hashlib.sha256()
        column = self._file[name]
        column.resize(len(column) + len(values), axis=0)
        column[len(column) - len(values) :] = values
        self._digests[name].update(_bytes(values))

    def finish(self) -> str:
        """Write where each jet begins; return the hash of all contents."""
        offsets = offsets_of(np.concatenate(self._counts))
        self._file.create_dataset("constituents/offsets", data=offsets, compression="gzip")
        self._digests["constituents/offsets"] = hashlib.sha256(_bytes(offsets))
        return _joined(
            {
                name: (self._file[name].dtype.str, self._file[name].shape, digest.hexdigest())
                for name, digest in self._digests.items()
            }
        )


def _bytes(values: np.ndarray) -> bytes:
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def _joined(columns: Mapping[str, tuple[str, tuple[int, ...], str]]) -> str:
    entries = [[name, kind, list(shape), digest] for name, (kind, shape, digest) in columns.items()]
    return hashlib.sha256(json.dumps([FORMAT, VERSION, sorted(entries)]).encode()).hexdigest()


def is_jets_file(path: Path) -> bool:
    """Return whether a path is an HDF5 file of jets as written here."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return bool(file.attrs.get("format") == FORMAT)
    except OSError:
        return False


def read_header(path: Path) -> dict[str, Any]:
    """Read the header of a file of jets.

    Raises
    ------
    StriateError
        If it is none, or of a later version.
    """
    import h5py

    if not path.exists():
        raise StriateError(f"{path}: no such file")
    if not is_jets_file(path):
        raise StriateError(f"{path}: not a file of jets as 'striate jets generate' writes it")
    with h5py.File(path, "r") as file:
        if file.attrs["version"] > VERSION:
            raise StriateError(
                f"{path}: written by a later version of striate (format {file.attrs['version']}, "
                f"this one reads {VERSION}): update striate"
            )
        header: dict[str, Any] = json.loads(file["header"][()])
        return header


def read_jets(path: Path) -> Jets:
    """Read a file of jets and check its hash.

    Raises
    ------
    StriateError
        If it is none, is damaged, or was changed.
    """
    import h5py

    header = read_header(path)
    columns: dict[str, np.ndarray] = {}

    def read(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and name != "header":
            columns[name] = item[...]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(read)
    except (OSError, RuntimeError) as error:
        raise StriateError(f"{path}: damaged: {' '.join(str(error).split())}") from None
    found = {
        name: (values.dtype.str, values.shape, hashlib.sha256(_bytes(values)).hexdigest())
        for name, values in columns.items()
    }
    if _joined(found) != header["sha256"]:
        raise StriateError(f"{path}: the contents do not have the hash in the header: damaged")
    return Jets(
        columns["labels"],
        Constituents(
            columns["constituents/offsets"],
            *(columns[f"constituents/{name}"] for name in _PARTICLE_COLUMNS),
        ),
        columns["constituents/in_groomed"],
        columns["images"],
        {
            name.removeprefix("observables/"): values
            for name, values in columns.items()
            if name.startswith("observables/")
        },
        columns["truth/parton_pt_gev"],
        header,
    )
