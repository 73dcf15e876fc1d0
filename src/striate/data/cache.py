"""The user's cache: fetched files, what is known of checked ones, decoded copies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from striate.errors import StriateError
from striate.files import write_json, written_beside


def cache_directory() -> Path:
    """Return the folder of the user's cache that is for data; it need not exist yet."""
    return platformdirs.user_cache_path("striate") / "data"


def has_sha256(path: Path, sha256: str) -> bool:
    """Tell whether a file has this SHA-256.

    The answer is kept with the file's size and time of change, so that a file is read for it
    once only.
    """
    status = path.stat()
    key = str(path.resolve())
    state = [status.st_size, status.st_mtime_ns]
    ledger = cache_directory() / "checked.json"
    known = _ledger(ledger)
    if known.get(key, [])[:2] == state:
        return bool(known[key][2] == sha256)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    _quietly(lambda: write_json(ledger, {**_ledger(ledger), key: [*state, digest]}))
    return digest == sha256


def _ledger(path: Path) -> dict[str, list[int | str]]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def decoded(key: str, decode: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return arrays that take long to decode, from an uncompressed copy where there is one.

    Parameters
    ----------
    key
        Names the copy; must change with the contents, so it is made of checksums.
    decode
        Makes the arrays, when there is no sound copy. They are then copied, if the cache can be
        written.
    """
    path = cache_directory() / "decoded" / f"{key}.npz"
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as copy:
            return {name: copy[name] for name in copy.files}
    except Exception:  # no copy, or a damaged one: either way it is made anew
        arrays = dict(decode())
    _quietly(lambda: _write_arrays(path, arrays))
    return arrays


def _write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    with written_beside(path) as beside, beside.open("wb") as stream:
        np.savez(stream, **arrays)


def _quietly(write: Callable[[], None]) -> None:
    """Write to the cache; a cache that cannot be written costs time and nothing else."""
    try:
        write()
    except OSError:
        return


def checked(path: Path, sha256: str) -> Path:
    """Return `path`, if it has this SHA-256.

    Raises
    ------
    StriateError
        If it has another.
    """
    if has_sha256(path, sha256):
        return path
    raise StriateError(
        f"{path}: not the official file, its SHA-256 is not {sha256[:12]}...: "
        "remove it and load again, or give its path to load it as your own data"
    )
