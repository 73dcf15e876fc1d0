from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from striate.data import load
from striate.data.cifar import CLASS_NAMES, parse_pickle
from striate.errors import StriateError

N = 20


def batch(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Images ``(n, 3, 32, 32)`` as CIFAR-10 stores them, and labels."""
    images = np.random.default_rng(number).integers(0, 256, (N, 3, 32, 32), dtype=np.uint8)
    return images, np.arange(N) % 10


def binary(number: int) -> bytes:
    images, labels = batch(number)
    return b"".join(
        bytes([label]) + image.tobytes() for image, label in zip(images, labels, strict=True)
    )


def pickled(number: int) -> bytes:
    """A batch as Python 2 and NumPy 1 pickled the official ones: protocol 2, bytes as keys."""
    images, labels = batch(number)
    rows = images.reshape(N, -1)
    stream = io.BytesIO()
    Python2Pickler(stream, protocol=2).dump(
        {
            b"batch_label": b"training batch",
            b"labels": labels.tolist(),
            b"data": rows,
            b"filenames": [b"a.png"] * N,
        }
    )
    return stream.getvalue()


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings, so that the reader meets the old opcodes."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value: bytes) -> None:
        if len(value) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(value)]) + value)
        else:
            self.write(pickle.BINSTRING + len(value).to_bytes(4, "little") + value)
        self.memoize(value)

    dispatch[bytes] = save_bytes


NAMES = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]


def contents(kind: str) -> dict[str, bytes]:
    if kind == "binary":
        return {f"{name}.bin": binary(i) for i, name in enumerate(NAMES)}
    return {name: pickled(i) for i, name in enumerate(NAMES)}


def archive_of(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture(params=["binary", "python"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def check(data: Any) -> None:
    images = [batch(i)[0].transpose(0, 2, 3, 1) for i in range(6)]
    assert (data.train.pixels == np.concatenate(images[:5])).all()
    assert (data.test.pixels == images[5]).all()
    assert (data.test.labels == np.arange(N) % 10).all()
    assert data.class_names == CLASS_NAMES
    assert data.image_shape == (32, 32, 3)


def test_folder_of_batches(tmp_path: Path, kind: str) -> None:
    for name, content in contents(kind).items():
        (tmp_path / name).write_bytes(content)
    check(load(tmp_path))


def test_archive_is_read_and_not_unpacked(tmp_path: Path, kind: str) -> None:
    files = {"readme.html": b"hello", "batches.meta": b"", **contents(kind)}
    check(load(archive_of(tmp_path / f"cifar-10-{kind}.tar.gz", files)))
    assert len(list(tmp_path.rglob("*"))) == 1


def test_archive_cannot_write_outside(tmp_path: Path) -> None:
    files = {"../../outside_batch.bin": b"x", **contents("binary")}
    (tmp_path / "deep").mkdir()
    check(load(archive_of(tmp_path / "deep" / "cifar-10-binary.tar.gz", files)))
    assert [p.name for p in tmp_path.rglob("*")] == ["deep", "cifar-10-binary.tar.gz"]


def test_one_batch_is_one_set(tmp_path: Path, kind: str) -> None:
    name = "test_batch.bin" if kind == "binary" else "data_batch_3"
    (tmp_path / name).write_bytes(binary(0) if kind == "binary" else pickled(0))
    data = load(tmp_path / name, test=10)
    assert (len(data.train), len(data.test)) == (10, 10)


def test_missing_batch_is_named(tmp_path: Path, kind: str) -> None:
    files = contents(kind)
    missing = list(files)[2]
    del files[missing]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StriateError, match=f"not complete, {missing} is missing"):
        load(tmp_path)
    with pytest.raises(StriateError, match=f"not complete, {missing} is missing"):
        load(archive_of(tmp_path / "a.tar.gz", files))


def test_cut_binary_batch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(binary(0)[:-1])
    with pytest.raises(StriateError, match="not whole CIFAR-10 records of 3073"):
        load(tmp_path / "data_batch_1.bin")


def test_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.tar.gz", contents("binary"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StriateError, match="not a tar archive, or damaged"):
        load(path)
    path.write_bytes(gzip.compress(b"nonsense"))
    with pytest.raises(StriateError, match="not a tar archive, or damaged"):
        load(path)
    with pytest.raises(StriateError, match="no CIFAR-10 batches in it"):
        load(archive_of(tmp_path / "b.tar.gz", {"readme.html": b"hello"}))


class Call:
    """Pickles as a call of any function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def malicious(target: Path) -> dict[str, bytes]:
    touch = f"touch {target}"
    rows = batch(0)[0].reshape(N, -1)
    inner = {"data": rows, "labels": Call(os.system, touch)}
    return {
        "os.system": pickle.dumps(Call(os.system, touch)),
        "within a batch": pickle.dumps(inner),
        "Path.touch": pickle.dumps(Call(Path.touch, target)),
        "eval": pickle.dumps(Call(eval, f"open({str(target)!r}, 'w')")),
        "builtins.getattr": pickle.dumps(Call(getattr, Path, "touch")),
        "old opcodes": b"cos\nsystem\n(S'" + touch.encode() + b"'\ntR.",
        "instance": b"(S'" + touch.encode() + b"'\nios\nsystem\n.",
        "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c"
        + bytes([len(touch)])
        + touch.encode()
        + b"\x85R.",
        "numpy's own loader": pickle.dumps(Call(np.load, "a.npy")),
        "persistent": b"Pos.system\n.",
        "extension": b"\x80\x02\x82\x01.",
    }


@pytest.mark.parametrize("attack", sorted(malicious(Path("x"))))
def test_malicious_pickle_is_refused_and_runs_nothing(tmp_path: Path, attack: str) -> None:
    target = tmp_path / "touched"
    path = tmp_path / "data_batch_1"
    path.write_bytes(malicious(target)[attack])
    with pytest.raises(StriateError, match=r"data_batch_1.*(refused|not a pickled)"):
        load(path)
    assert not target.exists()


def test_the_attacks_would_work_on_the_usual_reader(tmp_path: Path) -> None:
    target = tmp_path / "touched"
    pickle.loads(malicious(target)["old opcodes"])  # noqa: S301 (our own, and it must run)
    assert target.exists()


@pytest.mark.parametrize(
    "value",
    [
        {"data": 3, "labels": [1]},
        {"labels": [1]},
        [1, 2],
        {"data": np.zeros((2, 5), np.uint8), "labels": [0, 1]},
        {"data": np.zeros((2, 3072)), "labels": [0, 1]},
        {"data": np.array([["a"] * 3072], dtype=object), "labels": [0]},
    ],
)
def test_pickle_of_something_else_is_refused(value: Any) -> None:
    with pytest.raises(StriateError, match=r"a/data_batch_1: .*(batch|array of bytes)"):
        parse_pickle(pickle.dumps(value, protocol=2), "a/data_batch_1")


def test_cut_pickle_is_refused() -> None:
    with pytest.raises(StriateError, match="not a pickled CIFAR-10 batch"):
        parse_pickle(pickled(0)[:500], "a/data_batch_1")


def test_array_in_fortran_order_is_read() -> None:
    rows = np.asfortranarray(batch(0)[0].reshape(N, -1))
    images, _ = parse_pickle(pickle.dumps({"data": rows, "labels": [0] * N}), "a")
    assert (images == batch(0)[0].transpose(0, 2, 3, 1)).all()
