from __future__ import annotations

import functools
import gzip
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from striate.data import describe_known, fetch, load
from striate.data.cache import cache_directory
from striate.data.standard import KNOWN
from striate.errors import StriateError

# Counts per class of the published sets.
MNIST_TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
MNIST_TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_known_datasets_are_described() -> None:
    described = {one.name: one for one in describe_known()}
    assert set(described) == {"cifar10", "digits", "fashion_mnist", "jets", "mnist", "ox"}
    for name in ("digits", "jets", "ox"):
        assert described[name].where == "bundled"
    assert described["mnist"].where == "not here, striate data fetch mnist"
    assert not described["mnist"].here
    assert described["mnist"].download_bytes == 11_594_722


def test_every_file_has_checksum_and_address() -> None:
    for known in KNOWN.values():
        for remote in known.remote:
            assert len(bytes.fromhex(remote.sha256)) == 32
            assert all(address.endswith("/" + remote.name) for address in remote.addresses)


def test_fetch_of_what_needs_none() -> None:
    assert fetch("digits") is None
    with pytest.raises(StriateError, match="did you mean 'mnist'"):
        fetch("mnits")
    assert fetch("jets") is None


def test_data_folder_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(StriateError, match=r"STRIATE_DATA=.*nowhere is not a folder"):
        load("mnist")


def test_incomplete_set_in_the_data_folder_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(b"x")
    with pytest.raises(StriateError, match=r"mnist: train-labels-idx1-ubyte\.gz is missing"):
        load("mnist")
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "test_batch.npz").write_bytes(b"x")
    with pytest.raises(StriateError, match=r"cifar10: train_batch_1\.npz is missing"):
        load("cifar10")
    described = {one.name: one for one in describe_known()}
    assert "is missing" in described["mnist"].where
    assert not described["mnist"].here
    assert described["fashion_mnist"].where == "not here, striate data fetch fashion_mnist"


def test_archive_that_is_not_the_official_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path))
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "cifar-10-python.tar.gz").write_bytes(b"x")
    with pytest.raises(StriateError, match=r"python\.tar\.gz: not the official file"):
        load("cifar10")


@pytest.fixture
def mirror(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An http server that offers the real files, which are not at hand otherwise."""
    monkeypatch.delenv("STRIATE_DATA")
    handler = functools.partial(Quiet, directory=str(real_data))
    with QuietServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client may hang up."""


@pytest.mark.data
def test_mnist_is_fetched_from_a_mirror_and_found_again(mirror: str) -> None:
    seen = []
    folder = fetch("mnist", lambda name, *_: seen.append(name), addresses=[f"{mirror}/mnist/"])
    assert folder == cache_directory() / "mnist"
    assert set(seen) == {remote.name for remote in KNOWN["mnist"].remote}
    assert load("mnist").test.labels[:4].tolist() == [7, 2, 1, 0]
    where = {one.name: one.where for one in describe_known()}
    assert where["mnist"] == str(folder)
    assert fetch("mnist", addresses=["http://127.0.0.1:9"]) == folder


@pytest.mark.data
def test_fashion_is_not_taken_for_mnist(mirror: str, real_data: Path) -> None:
    with pytest.raises(StriateError, match=r"fetched from .* .more than the 9,912,422 bytes"):
        fetch("mnist", addresses=[f"{mirror}/fashion_mnist"])
    assert not list((cache_directory() / "mnist").glob("*.part"))
    shutil.copytree(real_data / "fashion_mnist", cache_directory() / "mnist", dirs_exist_ok=True)
    with pytest.raises(StriateError, match="not the official file of mnist"):
        load("mnist")


@pytest.mark.data
def test_mnist_is_the_published_set(real_data: Path) -> None:
    data = load("mnist")
    assert np.bincount(data.train.labels).tolist() == MNIST_TRAIN
    assert np.bincount(data.test.labels).tolist() == MNIST_TEST
    assert data.test.labels[:4].tolist() == [7, 2, 1, 0]
    assert data.image_shape == (28, 28, 1)
    assert data.train.pixels.dtype == np.uint8
    assert abs(data.train.pixels.mean() / 255 - 0.1307) < 5e-5
    assert data.provenance["notes"] == []
    assert data.fingerprint == load(real_data / "mnist").fingerprint
    limited = load("mnist", limit=1000, validation=0.1)
    assert [len(split) for split in limited.splits.values()] == [900, 100, 1000]


@pytest.mark.data
def test_decompressed_mnist_serves_as_well(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = load("mnist").fingerprint
    (tmp_path / "mnist").mkdir()
    for path in (real_data / "mnist").glob("*.gz"):
        (tmp_path / "mnist" / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path))
    assert load("mnist").fingerprint == expected


@pytest.mark.data
def test_fashion_mnist_is_the_published_set(real_data: Path) -> None:
    data = load("fashion_mnist")
    assert np.bincount(data.train.labels).tolist() == [6000] * 10
    assert np.bincount(data.test.labels).tolist() == [1000] * 10
    assert data.class_names[data.train.labels[0]] == "Ankle boot"
    assert abs(data.train.pixels.mean() / 255 - 0.2860) < 5e-5


@pytest.mark.data
@pytest.mark.slow
def test_cifar10_is_the_published_set_but_for_the_images_said(real_data: Path) -> None:
    data = load("cifar10")
    assert np.bincount(data.train.labels).tolist() == [5000] * 10
    assert np.bincount(data.test.labels).tolist() == [1000] * 10
    assert np.bincount(data.train.labels[:10_000]).tolist() == [
        *(1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981)
    ]
    assert data.class_names[data.train.labels[0]] == "frog"
    np.testing.assert_allclose(
        data.train.pixels.mean(axis=(0, 1, 2)) / 255, [0.4914, 0.4822, 0.4465], atol=5e-5
    )
    if data.train.observables:
        assert (~data.train.observables["exact"]).sum() == 127
        assert (~data.test.observables["exact"]).sum() == 34
        assert data.provenance["notes"][0].startswith("161 of 60,000 images come from a JPEG copy")
    assert load("cifar10").fingerprint == data.fingerprint
