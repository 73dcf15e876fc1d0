"""Load a dataset by its name, or from a path by the reader for its format."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from striate.data import cifar, folder, hdf5, idx, jets, npz
from striate.data.assembly import assemble
from striate.data.dataset import Dataset
from striate.data.source import Source
from striate.data.standard import KNOWN
from striate.errors import StriateError, nearest
from striate.jets.file import is_jets_file

_FORMATS = (
    "IDX (-ubyte or .idx, also .gz), .npz, HDF5 (.h5, .hdf5), ROOT (.root), CIFAR-10 (.bin, "
    ".tar.gz), or a folder of IDX files, of .npz batches, of CIFAR-10 batches, of files of jets "
    "or of images by class"
)


def load(name_or_path: str | os.PathLike[str], **options: Any) -> Dataset:
    """Load a known dataset, or images from a file or folder.

    Parameters
    ----------
    name_or_path
        ``"digits"``, ``"ox"``, ``"mnist"``, ``"fashion_mnist"``, ``"cifar10"``; or the path of an
        IDX file, an ``.npz`` file, an HDF5 file, a ROOT file of jets or a CIFAR-10 archive; or of
        a folder of such files, or of images by class. A known name wins over a file of that name:
        write ``./digits`` for the file. What is not here is fetched from its official address and
        kept in the user's cache; a folder named by ``STRIATE_DATA`` is looked at first.
    **options
        For every dataset:

        - ``seed=0``: decides whatever is drawn
        - ``validation=0.0``: a fraction, or a number, of training images to hold out, stratified
        - ``test=0.2``: likewise for a test split, where the source has one set only
        - ``limit=None``: take at most so many images of each set in the source, stratified
        - ``class_names=None``: names in the order of the class numbers
        - ``scale=None``: the full scale of the pixels, in place of the one found
        - ``channel_axis=None``: the axis of the channels, where it is not the last

        Others belong to a reader: ``arrays`` (npz, HDF5: :func:`~striate.data.npz.read_npz`),
        ``image``, ``layout`` and ``tree`` (jets: :func:`~striate.data.root.read_root`),
        ``normalise`` (jets of our own: :func:`~striate.data.jets.read_jets`),
        ``labels`` (IDX), ``resize`` (folder of images), ``size``, ``n`` and ``noise`` (ox:
        :func:`~striate.data.ox.read_ox`).

    Raises
    ------
    StriateError
        If there is no such dataset or file, an option is unknown, or the contents are unsound.

    Examples
    --------
    >>> load("digits")
    Dataset('digits': 1437 train, 360 test; images 8 x 8 x 1; 10 classes)
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise StriateError(
            "a dataset is known by its name or path, not by a value of type "
            f"{type(name_or_path).__name__}: arrays become one by "
            "st.Dataset.from_arrays(x_train, y_train, x_test, y_test)"
        )
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, str) and text in KNOWN:
        return _remembering(_load(KNOWN[text].read, text, (), options), text, options)
    path = Path(text).expanduser()
    if not text or not path.exists():
        if isinstance(name_or_path, str) and path.name == text and not path.suffix:
            raise StriateError(f"unknown dataset {text!r}: {nearest(text, KNOWN)}")
        raise StriateError(f"{path}: no such file or folder")
    dataset = _load(_reader(path), str(path), (path,), options)
    return _remembering(dataset, str(path.absolute()), options)


def as_dataset(data: Dataset | str | os.PathLike[str]) -> Dataset:
    """Return a dataset as it is; load one that is given by its name or path."""
    return data if isinstance(data, Dataset) else load(data)


def load_again(provenance: Mapping[str, Any]) -> Dataset | None:
    """Load a dataset again by what its provenance says of how it was loaded.

    Returns None where it does not say: for arrays given in memory, or options that JSON does not
    hold. That the contents are still the same is for the fingerprint to tell.
    """
    how = provenance.get("load")
    return None if how is None else load(how["name_or_path"], **how["options"])


def _remembering(dataset: Dataset, name_or_path: str, options: dict[str, Any]) -> Dataset:
    """Write into the provenance what loads the dataset again from any working directory."""
    try:
        json.dumps(options, allow_nan=False)
    except (TypeError, ValueError):
        return dataset
    # The provenance is the dataset's own dictionary, made just now.
    cast("dict[str, Any]", dataset.provenance)["load"] = {
        "name_or_path": name_or_path,
        "options": options,
    }
    return dataset


def _load(
    reader: Callable[..., Source], what: str, given: tuple[Path, ...], options: dict[str, Any]
) -> Dataset:
    common = _keywords(assemble)
    own = _keywords(reader)
    for name in options:
        if name not in common | own:
            raise StriateError(
                f"{what} takes no option {name!r}: {nearest(name, sorted(common | own))}"
            )
    source = reader(*given, **{name: v for name, v in options.items() if name in own})
    return assemble(source, **{name: v for name, v in options.items() if name in common})


def _keywords(function: Callable[..., Any]) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def _reader(path: Path) -> Callable[..., Source]:
    """Choose the reader for a file or folder that exists."""
    if path.is_dir():
        return _folder_reader(path)
    name = path.name.lower()
    if name.endswith((".tar.gz", ".tgz", ".tar", ".bin")) or cifar.is_cifar(path):
        return cifar.read_cifar
    bare = name.removesuffix(".gz")
    if bare.endswith((".idx", "-ubyte", ".idx1", ".idx3")):
        return idx.read_idx
    match path.suffix.lower():
        case ".npz":
            return npz.read_npz
        case ".h5" | ".hdf5" | ".hdf":
            return jets.read_jets if is_jets_file(path) else hdf5.read_hdf5
        case ".root":
            from striate.data.root import read_root

            return read_root
        case suffix:
            what = repr(suffix) if suffix else "a name without ending"
            raise StriateError(f"{path}: no reader for {what}: {_FORMATS}")


def _folder_reader(path: Path) -> Callable[..., Source]:
    if cifar.is_cifar(path):
        return cifar.read_cifar
    if any(path.glob("*.npz")):
        return npz.read_npz
    if any(path.glob("*-ubyte*")):
        return idx.read_idx
    if any(path.glob("*.root")) or any(path.glob("*/*.root")) or any(path.glob("*.h5")):
        from striate.data.jetfolder import read_jet_folder

        return read_jet_folder
    return folder.read_folder
