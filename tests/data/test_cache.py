from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from striate.data.cache import cache_directory, checked, decoded, has_sha256
from striate.errors import StriateError


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_verdict_is_kept_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    first = sha256(path)
    assert has_sha256(path, first)
    state = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert has_sha256(path, first), "same size and time: the file is not read again"
    os.utime(path, ns=(0, 0))
    assert not has_sha256(path, first)
    assert has_sha256(path, sha256(path))


def test_wrong_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    assert checked(path, sha256(path)) == path
    with pytest.raises(StriateError, match="a: not the official file, its SHA-256 is not 0000"):
        checked(path, "0" * 64)


@pytest.mark.parametrize("content", ["", "nonsense", "[]", "{"])
def test_damaged_ledger_is_no_hindrance(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    cache_directory().mkdir(parents=True)
    (cache_directory() / "checked.json").write_text(content)
    assert has_sha256(path, sha256(path))


def test_decoded_arrays_are_made_once_and_again_when_damaged() -> None:
    calls = []

    def decode() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"x": np.arange(5000, dtype=np.uint16)}

    for _ in range(2):
        assert (decoded("key", decode)["x"] == np.arange(5000)).all()
    assert len(calls) == 1
    copy = cache_directory() / "decoded" / "key.npz"
    whole = copy.read_bytes()
    for spoilt in (whole[:100], whole[:4000] + b"damage" + whole[4006:]):
        copy.write_bytes(spoilt)
        assert (decoded("key", decode)["x"] == np.arange(5000)).all()
    assert len(calls) == 3
    assert copy.read_bytes() == whole


def test_cache_that_cannot_be_written_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "occupied").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "occupied"))
    path = tmp_path / "a"
    path.write_bytes(b"one")
    assert has_sha256(path, sha256(path))
    assert decoded("key", lambda: {"x": np.arange(3)})["x"].tolist() == [0, 1, 2]
