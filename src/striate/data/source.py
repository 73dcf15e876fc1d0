"""What a reader hands over, before anything is checked, scaled or split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from striate.errors import StriateError

_HASHED_BYTES = 1 << 30
_UNHASHED = "Larger than 1 GiB, a file was not hashed; the fingerprint is of what was read."


@runtime_checkable
class Lazy(Protocol):
    """Images that are still on disk, so that only those which are wanted are read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of all of them, n first."""

    def read(self, rows: np.ndarray | None) -> np.ndarray:
        """Read the images at `rows`, which rise; or all."""


@dataclass(frozen=True, eq=False)
class RawSplit:
    """Images and labels of one split as they were found.

    Attributes
    ----------
    images
        ``(n, row, col)`` or ``(n, row, col, channel)``, numbers of any kind; or Lazy.
    labels
        ``(n,)``, ``(n, 1)`` or one-hot ``(n, classes)``; numbers or names.
    weights
        ``(n,)`` event weights, or None.
    observables
        Further quantities, each ``(n,)``.
    where
        What an error calls this split: a file, or ``"x_train"``.
    """

    images: Any
    labels: Any
    weights: Any = None
    observables: Mapping[str, Any] = field(default_factory=dict)
    where: str = "images"


@dataclass(frozen=True, eq=False)
class Source:
    """The splits that a reader found, and what it knows of their origin.

    Attributes
    ----------
    splits
        ``"train"``, and ``"validation"`` and ``"test"`` where the source has them.
    name
        A short name for the dataset.
    origin
        Where it came from: a path, or words.
    class_names
        Names in the order of the class numbers, or None where the source has none.
    files
        Records of :func:`file_record`.
    licence, notes
        What a user of the data must know; notes are sentences.
    details
        What else belongs into the provenance, by a key of its own, as JSON can hold it.
    """

    splits: Mapping[str, RawSplit]
    name: str
    origin: str
    class_names: Sequence[str] | None = None
    files: Sequence[Mapping[str, Any]] = ()
    licence: str | None = None
    notes: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


def one_line(error: Exception) -> str:
    """Return what a library says of an error, without its line breaks."""
    return " ".join(str(error).split()) or type(error).__name__


def file_record(path: Path, content: bytes | None = None) -> dict[str, Any]:
    """Return name, size and SHA-256 of a file, from its `content` where that is already read."""
    if content is None:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = path.stat().st_size
    else:
        digest = hashlib.sha256(content).hexdigest()
        size = len(content)
    return {"name": path.name, "bytes": size, "sha256": digest}


def file_records(paths: Sequence[Path]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a record of each file, without the hash of large ones, and a note that says so."""
    hashed = [path.stat().st_size <= _HASHED_BYTES for path in paths]
    records = [
        file_record(path) if small else {"name": path.name, "bytes": path.stat().st_size}
        for path, small in zip(paths, hashed, strict=True)
    ]
    return records, [] if all(hashed) else [_UNHASHED]


def read_bytes(path: Path) -> bytes:
    """Return all bytes of a file.

    Raises
    ------
    StriateError
        If it is missing, may not be read, or is empty.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StriateError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not content:
        raise StriateError(f"{path}: the file is empty")
    return content
