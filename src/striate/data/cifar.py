"""CIFAR-10 as its authors distribute it: binary batches or Python pickles, loose or in the archive.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, Toronto 2009, and the
page of the data set: a record is one byte of label and 3072 of pixels, channel, row, column.
"""

from __future__ import annotations

import io
import pickle
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, NoReturn

import numpy as np

from striate.data.source import RawSplit, Source, file_record, one_line, read_bytes
from striate.errors import StriateError

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
LICENCE = "none stated; A. Krizhevsky, V. Nair and G. Hinton"
_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_MOST_BYTES = 64 << 20
_PYTHON = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
_BINARY = [f"{name}.bin" for name in _PYTHON]
_EXPECTED = frozenset(_BINARY + _PYTHON)


def is_cifar(path: Path) -> bool:
    """Tell whether `path` is a folder with CIFAR-10 batches, or has the name of one."""
    return path.name in _EXPECTED or any((path / name).is_file() for name in _EXPECTED)


def read_cifar(path: Path) -> Source:
    """Read CIFAR-10 from its archive, a folder of its batches, or one batch.

    Pickled batches go through a reader that can build numbers, text, lists, dictionaries and
    arrays of bytes, and nothing else. Of an archive only the batches are read, and nothing is
    written to disk.

    Parameters
    ----------
    path
        ``cifar-10-binary.tar.gz``, ``cifar-10-python.tar.gz``; a folder with ``data_batch_1.bin``
        or ``data_batch_1`` and so on; or one such file, which is then one set.

    Raises
    ------
    StriateError
        If a batch is missing, damaged, or is not what it should be.
    """
    if path.is_dir():
        contents, files = _folder(path)
    elif path.name.endswith((".tar.gz", ".tgz", ".tar")):
        contents, files = _archive(path), [file_record(path)]
    else:
        content = read_bytes(path)
        contents, files = {path.name: content}, [file_record(path, content)]
    where = str(path)
    batches = {name: _parse(content, f"{path}/{name}") for name, content in contents.items()}
    training = [batch for name, batch in batches.items() if not name.startswith("test_batch")]
    test = [batch for name, batch in batches.items() if name.startswith("test_batch")]
    if len(batches) == 1:
        training, test = list(batches.values()), []
    splits = {"train": _join(training, where)}
    if test:
        splits["test"] = _join(test, where)
    return Source(
        splits,
        name="cifar10",
        origin=where,
        class_names=CLASS_NAMES,
        files=files,
        licence=LICENCE,
    )


def _names(exists: Callable[[str], bool], where: Path) -> list[str]:
    for names in (_BINARY, _PYTHON):
        missing = [name for name in names if not exists(name)]
        if not missing:
            return names
        if len(missing) < len(names):
            raise StriateError(f"{where}: CIFAR-10 is not complete, {missing[0]} is missing")
    raise StriateError(f"{where}: no CIFAR-10 batches in it (data_batch_1 ... test_batch)")


def _folder(path: Path) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    names = _names(lambda name: (path / name).is_file(), path)
    contents = {name: read_bytes(path / name) for name in names}
    return contents, [file_record(path / name, contents[name]) for name in names]


def _archive(path: Path) -> dict[str, bytes]:
    try:
        with tarfile.open(path) as archive:
            contents = {}
            for member in archive:
                name = PurePosixPath(member.name).name
                if not member.isfile() or name not in _EXPECTED:
                    continue
                if member.size > _MOST_BYTES:
                    raise StriateError(f"{path}: {member.name} is too large for a batch")
                stream = archive.extractfile(member)
                contents[name] = stream.read() if stream else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise StriateError(
            f"{path}: not a tar archive, or damaged ({one_line(error)}): fetch it again"
        ) from None
    return {name: contents[name] for name in _names(contents.__contains__, path)}


def _parse(content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    if where.endswith(".bin"):
        return parse_binary(content, where)
    return parse_pickle(content, where)


def _join(batches: list[tuple[np.ndarray, np.ndarray]], where: str) -> RawSplit:
    return RawSplit(
        np.concatenate([pixels for pixels, _ in batches]),
        np.concatenate([labels for _, labels in batches]),
        where=where,
    )


def parse_binary(content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images ``(n, 32, 32, 3)`` and the labels of a binary batch.

    Raises
    ------
    StriateError
        If it does not consist of whole records.
    """
    if len(content) % (1 + _PIXELS):
        raise StriateError(
            f"{where}: {len(content):,} bytes are not whole CIFAR-10 records of {1 + _PIXELS}: "
            "fetch the file again"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + _PIXELS)
    return _channel_last(records[:, 1:]), records[:, 0]


def parse_pickle(content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images ``(n, 32, 32, 3)`` and the labels of a pickled batch.

    Raises
    ------
    StriateError
        If the pickle asks for anything but plain values and arrays of bytes, or is no batch.
    """
    try:
        batch = _BatchUnpickler(io.BytesIO(content), encoding="bytes").load()
    except StriateError as error:
        raise StriateError(f"{where}: {error}") from None
    except Exception as error:  # an unpickler meeting nonsense may raise almost anything
        raise StriateError(f"{where}: not a pickled CIFAR-10 batch ({one_line(error)})") from None
    if isinstance(batch, dict):
        batch = {k.decode() if isinstance(k, bytes) else k: value for k, value in batch.items()}
        pixels, labels = batch.get("data"), batch.get("labels")
        if isinstance(pixels, _PlainArray) and isinstance(labels, list):
            return _channel_last(pixels.array(where)), np.asarray(labels)
    raise StriateError(f"{where}: the pickle is not a CIFAR-10 batch with 'data' and 'labels'")


def _channel_last(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, *_SHAPE).transpose(0, 2, 3, 1)


class _PlainType:
    """Stands for ``numpy.dtype`` in a pickle; knows only which type was asked for."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code = code.decode() if isinstance(code, bytes) else code

    def __setstate__(self, state: Any) -> None:
        pass


class _PlainArray:
    """Stands for ``numpy.ndarray`` in a pickle; keeps what the pickle says of it."""

    def __init__(self, *_: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self, where: str) -> np.ndarray:
        """Return the array of bytes ``(n, 3072)``, or raise a StriateError if it is no such."""
        match self.state:
            case (_, (int(n), int(width)), _PlainType(code="u1"), fortran, bytes(content)) if (
                width == _PIXELS and n * width == len(content)
            ):
                order = np.frombuffer(content, np.uint8)
                return order.reshape((n, width), order="F" if fortran else "C")
        raise StriateError(f"{where}: 'data' is not an array of bytes (n, {_PIXELS})")


def _reconstruct(*_: Any) -> _PlainArray:
    return _PlainArray()


class _BatchUnpickler(pickle.Unpickler):
    """Finds three stand-ins by the names that NumPy gives its pickles, and nothing else."""

    _KNOWN: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): _PlainArray,
        ("numpy", "dtype"): _PlainType,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in, or refuse."""
        try:
            return self._KNOWN[module, name]
        except KeyError:
            self._refuse(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> NoReturn:
        """Refuse."""
        self._refuse(f"the outside object {pid!r}")

    @staticmethod
    def _refuse(what: str) -> NoReturn:
        raise StriateError(
            f"the pickle asks for {what}, which a batch of images does not need: refused, "
            "because it could run code"
        )
