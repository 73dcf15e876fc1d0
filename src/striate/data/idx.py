"""The IDX format of MNIST and Fashion-MNIST, compressed or not.

Source: the format is described on the MNIST page of Y. LeCun, C. Cortes and C. Burges: two zero
bytes, the type of the numbers, the number of axes, each axis as four bytes big-endian, the numbers.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.source import RawSplit, Source, file_record, read_bytes
from striate.errors import StriateError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 8
_GZIP = b"\x1f\x8b"
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def read_idx(path: Path, *, labels: str | Path | None = None) -> Source:
    """Read an IDX file of images with the labels beside it, or a folder of MNIST's four files.

    Beside ``train-images-idx3-ubyte`` are looked for ``train-labels-idx1-ubyte``, and
    ``t10k-images-idx3-ubyte`` with its labels as the test split; each with ``.gz`` or without.

    Parameters
    ----------
    path
        A folder, or the file of images.
    labels
        The file of labels, where its name is not the one expected; the images are then one set.

    Raises
    ------
    StriateError
        If a file is missing, or is not whole.
    """
    if path.is_dir():
        pairs = {
            split: (_either(path / images), _either(path / numbers))
            for split, (images, numbers) in FILES.items()
        }
    elif labels is not None:
        pairs = {"train": (path, Path(labels))}
    else:
        pairs = _partners(path)
    return idx_source(pairs, name=path.name.split(".")[0] or "idx", origin=str(path))


def idx_source(pairs: Mapping[str, tuple[Path, Path]], **about: Any) -> Source:
    """Read the files of images and of labels of each split.

    Parameters
    ----------
    pairs
        By split, the file of images and that of labels.
    **about
        Fields of Source.
    """
    splits, files = {}, []
    for split, (image_path, label_path) in pairs.items():
        image_bytes, label_bytes = read_bytes(image_path), read_bytes(label_path)
        splits[split] = RawSplit(
            parse_idx(image_bytes, image_path),
            parse_idx(label_bytes, label_path),
            where=str(image_path),
        )
        files += [file_record(image_path, image_bytes), file_record(label_path, label_bytes)]
    return Source(splits, files=files, **about)


def _partners(path: Path) -> dict[str, tuple[Path, Path]]:
    labels = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    if labels == path:
        raise StriateError(
            f"{path}: give the IDX file of images whose name says 'images', "
            "or the file of its labels with labels=PATH"
        )
    pairs = {"train": (path, _either(_plain(labels)))}
    test_images = _plain(path.with_name(path.name.replace("train", "t10k")))
    if test_images != _plain(path):
        test_labels = _plain(labels.with_name(labels.name.replace("train", "t10k")))
        if any(candidate.is_file() for candidate in _forms(test_images)):
            pairs["test"] = (_either(test_images), _either(test_labels))
    return pairs


def _plain(path: Path) -> Path:
    return path.with_suffix("") if path.suffix == ".gz" else path


def _forms(path: Path) -> tuple[Path, Path]:
    return path.with_name(path.name + ".gz"), path


def _either(path: Path) -> Path:
    for candidate in _forms(path):
        if candidate.is_file():
            return candidate
    raise StriateError(f"{path}: no such file, nor with .gz: the images and labels belong together")


def parse_idx(content: bytes, path: Path) -> np.ndarray:
    """Return the array in `content`, the bytes of the IDX file at `path`, compressed or not.

    Raises
    ------
    StriateError
        If these are not IDX, are cut short, or are more than the header says.
    """
    data = gunzip(content, path) if content[:2] == _GZIP else content
    if (
        len(data) < 4
        or data[:2] != b"\0\0"
        or data[2] not in _TYPES
        or not 0 < data[3] <= _MOST_AXES
    ):
        raise StriateError(
            f"{path}: not an IDX file: its first bytes are {data[:4].hex(' ') or 'missing'}, "
            "where images have 00 00 08 03 and labels 00 00 08 01"
        )
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise StriateError(f"{path}: the IDX header is cut short at byte {len(data)}")
    shape = tuple(int(side) for side in np.frombuffer(data, ">u4", data[3], 4))
    dtype = np.dtype(_TYPES[data[2]])
    promised = start + math.prod(shape) * dtype.itemsize
    if len(data) != promised:
        fewer = "fewer" if len(data) < promised else "more"
        raise StriateError(
            f"{path}: {len(data):,} bytes, {fewer} than the {promised:,} that the IDX header "
            f"says for shape {shape}: fetch the file again"
        )
    array = np.frombuffer(data, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def gunzip(content: bytes, path: Path) -> bytes:
    """Decompress `content`, the bytes of the gzip file at `path`.

    Raises
    ------
    StriateError
        If it is cut short or damaged.
    """
    parts = []
    rest = content
    while rest[:2] == _GZIP:
        inflater = zlib.decompressobj(wbits=31)
        try:
            parts.append(inflater.decompress(rest))
        except zlib.error as error:
            raise StriateError(
                f"{path}: the gzip data are damaged ({error}): fetch the file again"
            ) from None
        if not inflater.eof:
            raise StriateError(
                f"{path}: the gzip data are cut short at byte {len(content):,}: "
                "fetch the file again"
            )
        rest = inflater.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)
