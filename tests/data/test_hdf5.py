from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from striate.data import Dataset, load
from striate.errors import StriateError


@pytest.fixture
def path(tmp_path: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    path = tmp_path / "jets.h5"
    with h5py.File(path, "w") as file:
        file["train/images"] = images
        file["train/labels"] = labels
        file["train/weights"] = np.arange(20) / 10
        file["train/observables/pt_gev"] = np.arange(20.0)
        file["test/images"] = images[:6]
        file["test/labels"] = labels[:6]
        file["test/weights"] = np.arange(6) / 10
        file["test/observables/pt_gev"] = np.arange(6.0)
        file.attrs["class_names"] = ["QCD", "W"]
    return path


def test_groups_are_splits(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    data = load(path)
    assert (data.train.pixels[..., 0] == images).all()
    assert (data.test.labels == labels[:6]).all()
    assert data.class_names == ("QCD", "W")
    assert data.train.weights is not None
    np.testing.assert_allclose(data.train.weights, np.arange(20) / 10, rtol=1e-6)
    assert (data.test.observables["pt_gev"] == np.arange(6)).all()
    assert len(data.provenance["files"][0]["sha256"]) == 64


def test_limit_reads_the_same_images_as_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (300, 8, 8), dtype=np.uint8)
    labels = np.arange(300) % 3
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=images, chunks=(7, 8, 8), compression="gzip")
        file["y"] = labels
    monkeypatch.setattr("striate.data.hdf5._BLOCK_BYTES", 8 * 8 * 40)
    for limit in (9, 100, 299, 1000):
        from_file = load(path, limit=limit)
        from_memory = Dataset.from_arrays(images, labels, limit=limit)
        assert from_file.fingerprint == from_memory.fingerprint
        assert from_file.provenance["notes"] == from_memory.provenance["notes"]


def test_names_may_be_given_and_labels_be_words(tmp_path: Path, images: np.ndarray) -> None:
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        file["calo/deposits"] = images
        file["calo/kind"] = ["W", "QCD"] * 10
    with pytest.raises(StriateError, match=r"calo/deposits \(20, 6, 5\)"):
        load(path)
    data = load(path, arrays={"x": "calo/deposits", "y": "calo/kind"})
    assert data.class_names == ("QCD", "W")


def test_class_names_may_be_an_array(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = images, labels
        file["class_names"] = ["O", "X"]
        file["empty"] = h5py.Empty("f")
    assert load(path).class_names == ("O", "X")


def test_nan_in_a_file_is_refused_with_the_file(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    path = tmp_path / "a.h5"
    values = images.astype(np.float32)
    values[7, 0, 3] = np.nan
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = values, labels
    with pytest.raises(StriateError, match=r"a\.h5: x: pixel at index \(7, 0, 3, 0\) is NaN"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"nonsense" * 100])
def test_what_is_no_hdf5_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(StriateError, match=r"a\.h5: not an HDF5 file, or damaged"):
        load(tmp_path / "a.h5")


def test_large_file_is_not_hashed_and_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = load(path)
    monkeypatch.setattr("striate.data.source._HASHED_BYTES", 100)
    data = load(path)
    assert "sha256" not in data.provenance["files"][0]
    assert "was not hashed" in data.provenance["notes"][-1]
    assert data.fingerprint == hashed.fingerprint


def test_truncated_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(StriateError, match="not an HDF5 file, or damaged"):
        load(path)


def test_images_that_are_no_numbers_are_refused(tmp_path: Path, labels: np.ndarray) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = ["a"] * 20
        file["y"] = labels
    with pytest.raises(StriateError, match="'x' does not hold numbers"):
        load(path)


def test_labels_that_are_neither_numbers_nor_names_are_refused(
    tmp_path: Path, images: np.ndarray
) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = images
        file.create_dataset("y", (20,), dtype=h5py.ref_dtype)
    with pytest.raises(StriateError, match="should hold numbers or names"):
        load(path)
