"""Checkpoints: one file with everything that a training needs to go on to the same bits."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  # teaches NumPy the names of bfloat16 and its like
import numpy as np

from striate.errors import StriateError
from striate.files import written_beside

# How many are kept: should the newest turn out damaged, there is one to fall back to.
KEPT = 2

_FORMAT = 1
_HEAD = "head"
_DIGEST = "sha256"
_GROUPS = ("trainable", "non_trainable", "optimizer", "metrics")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A training at one position.

    Attributes
    ----------
    epoch, step
        Whole epochs done, and steps done in the present one.
    state
        The values of the trainable, non-trainable, optimizer and metrics variables.
    history
        One value an epoch for each of Keras's keys.
    times
        What has been measured so far, for the times in ``config.json``.
    """

    epoch: int
    step: int
    state: Sequence[Sequence[np.ndarray]]
    history: Mapping[str, Sequence[float]] = field(default_factory=dict)
    times: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        """Its name, which sorts by position."""
        return f"epoch-{self.epoch:06d}-step-{self.step:08d}.npz"


def write(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint whole or not at all, then remove all but the last two.

    The file is an ``.npz`` without pickles: an array a variable, a head (position, times, types)
    as JSON, and the SHA-256 of all of them.
    """
    arrays = {
        f"{group}/{i}": np.asarray(value)
        for group, values in zip(_GROUPS, checkpoint.state, strict=True)
        for i, value in enumerate(values)
    }
    types = {name: array.dtype.name for name, array in arrays.items()}
    arrays = {name: _storable(array) for name, array in arrays.items()}
    for key, values in checkpoint.history.items():
        arrays[f"history/{key}"] = np.asarray(values, np.float64)
    head = {
        "format": _FORMAT,
        "epoch": checkpoint.epoch,
        "step": checkpoint.step,
        "history": list(checkpoint.history),
        "times": dict(checkpoint.times),
        "types": types,
    }
    arrays[_HEAD] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    # NumPy's stubs take unpacked names for its own arguments, hence Any.
    contents: dict[str, Any] = {**arrays, _DIGEST: _digest(arrays)}
    path = folder / checkpoint.file_name
    with written_beside(path) as beside:
        np.savez(beside, **contents)
    for old in files(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def read(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    StriateError
        If it is damaged; the line says how.
    """
    if not zipfile.is_zipfile(path):
        raise StriateError(f"{path.name} is damaged: it is cut short, or no .npz file")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except Exception as error:  # what a damaged archive makes of zipfile and NumPy has no limits
        reason = str(error).partition("\n")[0]
        raise StriateError(f"{path.name} is damaged: {reason}") from error
    digest = arrays.pop(_DIGEST, None)
    if digest is None or not np.array_equal(digest, _digest(arrays)):
        raise StriateError(f"{path.name} is damaged: its contents do not match its SHA-256")
    head = json.loads(arrays[_HEAD].tobytes())
    if head["format"] != _FORMAT:
        raise StriateError(
            f"{path.name} has format {head['format']}, this version of striate reads {_FORMAT}"
        )
    return Checkpoint(
        head["epoch"],
        head["step"],
        [
            [
                arrays[name].view(np.dtype(kind))
                for name, kind in head["types"].items()
                if name.startswith(f"{group}/")
            ]
            for group in _GROUPS
        ],
        {key: arrays[f"history/{key}"].tolist() for key in head["history"]},
        head["times"],
    )


def files(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, newest first; half-written ones are not among them."""
    return sorted(folder.glob("epoch-*.npz"), reverse=True)


def newest_good(folder: Path) -> tuple[Checkpoint, list[tuple[Path, str]]]:
    """Return the newest checkpoint that is sound, and the damaged ones that are newer.

    Raises
    ------
    StriateError
        If there is none, or none is sound.
    """
    damaged: list[tuple[Path, str]] = []
    for path in files(folder):
        try:
            return read(path), damaged
        except StriateError as error:
            damaged.append((path, str(error)))
    if not damaged:
        raise StriateError(f"{folder} holds no checkpoint")
    raise StriateError(
        f"{folder} holds no sound checkpoint: " + "; ".join(reason for _, reason in damaged)
    )


def _storable(array: np.ndarray) -> np.ndarray:
    """Return the array in a type that .npy files know: bfloat16 and its like as plain bits."""
    return array if array.dtype.isbuiltin == 1 else array.view(f"u{array.dtype.itemsize}")


def _digest(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    digest = hashlib.sha256()
    for part in _parts(arrays):
        digest.update(part)
    return np.frombuffer(digest.digest(), np.uint8)


def _parts(arrays: Mapping[str, np.ndarray]) -> Iterator[Any]:
    for name, array in arrays.items():
        yield json.dumps([name, array.dtype.str, array.shape]).encode()
        yield np.ascontiguousarray(array).data
