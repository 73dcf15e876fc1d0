"""The datasets known by name: where they are, fetching them, reading them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from striate.data import cifar, official
from striate.data.cache import cache_directory, checked, decoded
from striate.data.digits import read_digits
from striate.data.idx import FILES, idx_source
from striate.data.jets import read_bundled_jets
from striate.data.npz import batches_source
from striate.data.official import RemoteFile
from striate.data.ox import read_ox
from striate.data.source import RawSplit, Source
from striate.errors import StriateError, nearest

if TYPE_CHECKING:
    from striate.data.download import Progress

_VARIABLE = "STRIATE_DATA"


@dataclass(frozen=True)
class Known:
    """A dataset known by name.

    Attributes
    ----------
    what
        What it is, in a line.
    read
        Reads it; its keyword arguments are the options of `load` that belong to it.
    remote
        What is fetched for it; nothing, if it comes with striate.
    """

    what: str
    read: Callable[..., Source]
    remote: tuple[RemoteFile, ...] = ()


@dataclass(frozen=True)
class Description:
    """One line of the list of known datasets.

    Attributes
    ----------
    name, what
        The name, and what it is.
    where
        ``"bundled"``, the folder that holds it, or how to get it.
    here
        Whether it can be loaded without a download.
    download_bytes
        The size of what would be fetched; 0 if nothing is.
    """

    name: str
    what: str
    where: str
    here: bool
    download_bytes: int


def read_mnist() -> Source:
    """Read MNIST: 60,000 and 10,000 handwritten digits, 28x28, as the official IDX files.

    By Y. LeCun, C. Cortes and C. Burges; no licence is stated. Lecture rows N1, N8 and N10.
    """
    names = [str(digit) for digit in range(10)]
    return _read_idx_set("mnist", official.MNIST, names, official.MNIST_LICENCE)


def read_fashion_mnist() -> Source:
    """Read Fashion-MNIST: 60,000 and 10,000 pictures of clothes, 28x28, as the official IDX files.

    By H. Xiao, K. Rasul and R. Vollgraf, arXiv:1708.07747; MIT licence, (c) 2017 Zalando SE.
    Lecture rows N4, N5 and N6.
    """
    return _read_idx_set(
        "fashion_mnist",
        official.FASHION_MNIST,
        official.FASHION_CLASSES,
        official.FASHION_LICENCE,
    )


def read_cifar10() -> Source:
    """Read CIFAR-10: 50,000 and 10,000 colour pictures of ten things, 32x32.

    By A. Krizhevsky, V. Nair and G. Hinton (Learning Multiple Layers of Features from Tiny Images,
    Toronto 2009); no licence is stated. Lecture row N14. Either official archive serves, or NumPy
    batches in which 161 images come from a JPEG copy; the notes then say so, and the observable
    ``exact`` is 0 for them. The decoded images are kept in the user's cache, 184 MB.
    """
    files = _find_cifar10()
    if files is None:
        fetch("cifar10")
        archive = cache_directory() / "cifar10" / official.CIFAR10.name
        files = {archive: official.CIFAR10.sha256}
    paths = [checked(path, sha256) for path, sha256 in files.items()]
    arrays = decoded(
        "cifar10-" + hashlib.sha256("".join(files.values()).encode()).hexdigest()[:16],
        lambda: _cifar10_arrays(paths),
    )
    splits = {
        split: RawSplit(
            arrays[f"x_{split}"],
            arrays[f"y_{split}"],
            observables={"exact": arrays[f"exact_{split}"]} if f"exact_{split}" in arrays else {},
            where=str(paths[0].parent),
        )
        for split in ("train", "test")
    }
    exact = [split.observables["exact"] for split in splits.values() if split.observables]
    inexact = sum(int((e == 0).sum()) for e in exact)
    return Source(
        splits,
        name="cifar10",
        origin=str(paths[0] if len(paths) == 1 else paths[0].parent),
        class_names=cifar.CLASS_NAMES,
        files=[
            {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256}
            for path, sha256 in files.items()
        ],
        licence=cifar.LICENCE,
        notes=[
            f"{inexact} of {sum(map(len, exact)):,} images come from a JPEG copy and are not exact "
            "(observable 'exact' is 0)."
        ]
        if inexact
        else [],
    )


KNOWN = {
    "cifar10": Known("colour pictures of ten things, 32x32", read_cifar10, (official.CIFAR10,)),
    "digits": Known("handwritten digits of scikit-learn, 8x8", read_digits),
    "fashion_mnist": Known(
        "pictures of clothes, 28x28", read_fashion_mnist, official.FASHION_MNIST
    ),
    "jets": Known("images of 10,000 W and 10,000 QCD jets, 25x25", read_bundled_jets),
    "mnist": Known("handwritten digits, 28x28", read_mnist, official.MNIST),
    "ox": Known("generated letters O and X, 6x6 and larger", read_ox),
}


def describe_known() -> list[Description]:
    """Describe every known dataset and say where it is; nothing is read or fetched."""
    return [_describe(name, known) for name, known in KNOWN.items()]


def _describe(name: str, known: Known) -> Description:
    if not known.remote:
        return Description(name, known.what, "bundled", here=True, download_bytes=0)
    size = sum(remote.size for remote in known.remote)
    try:
        found = _find(name)
        where = f"not here, striate data fetch {name}"
    except StriateError as error:
        found, where = None, str(error)
    if found is None:
        return Description(name, known.what, where, here=False, download_bytes=size)
    return Description(name, known.what, str(found[0].parent), here=True, download_bytes=size)


def fetch(
    name: str, progress: Progress = False, *, addresses: Sequence[str] | None = None
) -> Path | None:
    """Fetch a known dataset into the user's cache, unless it is here already.

    Parameters
    ----------
    name
        The dataset.
    progress
        Called as ``progress(file, bytes_here, bytes_in_all)``; False for silence.
    addresses
        Folders of a mirror to take the files from, in place of the official addresses.

    Returns
    -------
    pathlib.Path or None
        The folder that holds its files; None for a dataset that comes with striate.

    Raises
    ------
    StriateError
        If the name is unknown, or no address gives the right files.
    """
    if name not in KNOWN:
        raise StriateError(f"unknown dataset {name!r}: {nearest(name, KNOWN)}")
    found = _find(name)
    if found is not None:
        return found[0].parent
    from striate.data.download import fetch_file

    directory = cache_directory() / name
    for remote in KNOWN[name].remote:
        if addresses is not None:
            mirrors = tuple(f"{folder.rstrip('/')}/{remote.name}" for folder in addresses)
            remote = replace(remote, addresses=mirrors)
        fetch_file(remote, directory, progress)
    return directory if KNOWN[name].remote else None


def _find(name: str) -> list[Path] | None:
    """Return the files of a dataset that is not bundled, if they are here."""
    if name == "cifar10":
        files = _find_cifar10()
        return None if files is None else list(files)
    return _find_files(name, KNOWN[name].remote) if KNOWN[name].remote else None


def _places(name: str) -> list[tuple[Path, bool]]:
    """Return the folders that may hold a dataset, and whether they are the user's own."""
    places = [(cache_directory() / name, False)]
    chosen = os.environ.get(_VARIABLE)
    if chosen:
        if not Path(chosen).is_dir():
            raise StriateError(f"{_VARIABLE}={chosen} is not a folder: mend it, or unset it")
        places.insert(0, (Path(chosen) / name, True))
    return places


def _find_files(name: str, remote: Sequence[RemoteFile]) -> list[Path] | None:
    for place, own in _places(name):
        found, missing = [], []
        for file in remote:
            forms = (place / file.name, place / file.name.removesuffix(".gz"))
            present = [path for path in forms if path.is_file()]
            found += present[:1]
            missing += [] if present else [file.name]
        if not missing:
            return found
        if own and found:
            raise StriateError(f"{place}: {missing[0]} is missing, though {found[0].name} is there")
    return None


def _find_cifar10() -> dict[Path, str] | None:
    for place, own in _places("cifar10"):
        for archive in (official.CIFAR10, official.CIFAR10_PYTHON):
            if (place / archive.name).is_file():
                return {place / archive.name: archive.sha256}
        batches = {place / name: sha256 for name, sha256 in official.CIFAR10_BATCHES.items()}
        missing = [path for path in batches if not path.is_file()]
        if not missing:
            return batches
        if own and len(missing) < len(batches):
            raise StriateError(f"{place}: {missing[0].name} is missing, though others are there")
    return None


def _read_idx_set(
    name: str, remote: Sequence[RemoteFile], class_names: Sequence[str], licence: str
) -> Source:
    paths = _find_files(name, remote)
    if paths is None:
        fetch(name)
        paths = [cache_directory() / name / file.name for file in remote]
    pairs = dict(zip(FILES, ((paths[0], paths[1]), (paths[2], paths[3])), strict=True))
    source = idx_source(
        pairs, name=name, origin=str(paths[0].parent), class_names=class_names, licence=licence
    )
    for path, record, file in zip(paths, source.files, remote, strict=True):
        right = {file.sha256, official.DECOMPRESSED_SHA256[file.sha256]}
        if record["sha256"] not in right:
            raise StriateError(
                f"{path}: not the official file of {name}, its SHA-256 is another: "
                "remove it and load again, or give the folder's path to load it as your own data"
            )
    return source


def _cifar10_arrays(paths: Sequence[Path]) -> Mapping[str, np.ndarray]:
    source = (
        cifar.read_cifar(paths[0])
        if len(paths) == 1
        else batches_source(paths, name="cifar10", origin="")
    )
    arrays = {}
    for split, raw in source.splits.items():
        arrays[f"x_{split}"] = np.ascontiguousarray(raw.images)
        arrays[f"y_{split}"] = np.asarray(raw.labels)
        arrays |= {f"{key}_{split}": value for key, value in raw.observables.items()}
    return arrays
