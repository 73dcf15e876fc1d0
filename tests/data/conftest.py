from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.jets import Constituents


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


@pytest.fixture
def make_jets() -> Callable[..., Constituents]:
    """Return a function that makes jets of one core each, of massive particles with charges."""

    def make(n: int = 60, seed: int = 4) -> Constituents:
        rng = np.random.default_rng(seed)
        counts = rng.integers(1, 20, n)
        jet, particles = np.repeat(np.arange(n), counts), int(counts.sum())
        number = rng.choice([22, 211, -211, 130, 2212], particles)
        mass = {22: 0.0, 211: 0.139570, 130: 0.497611, 2212: 0.938272}
        return Constituents.from_arrays(
            rng.exponential(9, particles) + 0.5,
            rng.uniform(-1.5, 1.5, n)[jet] + rng.normal(0, 0.2, particles),
            rng.uniform(-3, 3, n)[jet] + rng.normal(0, 0.2, particles),
            np.array([mass[abs(int(i))] for i in number]),
            np.where(np.isin(number, (22, 130)), 0, np.sign(number)),
            number,
            counts=counts,
        )

    return make


def padded(values: np.ndarray, jets: Constituents, most: int) -> np.ndarray:
    """Pad flat values with zeros, the first `most` of each jet."""
    array = np.zeros((len(jets), most), np.float64)
    place = np.arange(len(values)) - np.repeat(jets.offsets[:-1], jets.counts)
    array[jets.jet_index, place] = values
    return array


@pytest.fixture
def pad() -> Callable[[np.ndarray, Constituents, int], np.ndarray]:
    """The function that pads flat values of jets."""
    return padded
