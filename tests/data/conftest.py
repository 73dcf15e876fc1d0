from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests away from the user's cache and data."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("STRIATE_DATA", raising=False)


@pytest.fixture
def real_data(data_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with MNIST, Fashion-MNIST and CIFAR-10, named by STRIATE_DATA again."""
    monkeypatch.setenv("STRIATE_DATA", str(data_directory))
    return data_directory


@pytest.fixture
def images() -> np.ndarray:
    """Twenty grey images of 6x5 pixels, uint8."""
    return np.random.default_rng(1).integers(0, 256, (20, 6, 5), dtype=np.uint8)


@pytest.fixture
def labels() -> np.ndarray:
    """Their labels: two classes, ten of each."""
    return np.arange(20, dtype=np.uint8) % 2


def idx_bytes(array: np.ndarray) -> bytes:
    """IDX as its description says, written independently of the reader."""
    codes = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    code = codes[array.dtype.newbyteorder("=").str[1:]]
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def write_idx() -> Callable[[Path, np.ndarray], Path]:
    """Write an array as IDX, compressed if the name says ``.gz``."""

    def write(path: Path, array: np.ndarray) -> Path:
        content = idx_bytes(array)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return path

    return write
