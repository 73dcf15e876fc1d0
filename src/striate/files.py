"""Writing files so that a reader, or a crash, never meets half of one."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# As tempfile names what `written_beside` asks for.
_BESIDE = re.compile(r"\..+\.[a-z0-9_]{8}(\.[^.]+)?")


@contextmanager
def written_beside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends well.

    The bytes are forced to disk before the rename, and the directory entry after it, so that a
    crash at any moment leaves the old file or the new one. When the block raises, the temporary
    file is removed and `path` is untouched. The temporary name keeps the suffix of `path`,
    because writers such as matplotlib and Keras choose their format by it.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        prefix=f".{target.stem}.", suffix=target.suffix, dir=target.parent
    )
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        # mkstemp makes files that only their owner may read; give them the usual permissions.
        mask = os.umask(0)
        os.umask(mask)
        beside.chmod(0o666 & ~mask)
        _force_to_disk(beside)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _force_to_disk(target.parent)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` (UTF-8) to `path`, whole or not at all."""
    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def remove_half_written(directory: str | os.PathLike[str]) -> None:
    """Remove what a kill left of files that were being written, in `directory` and below."""
    for left in Path(directory).rglob(".*"):
        if _BESIDE.fullmatch(left.name) and left.is_file():
            left.unlink(missing_ok=True)


def _force_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
