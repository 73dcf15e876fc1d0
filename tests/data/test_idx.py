from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data import load
from striate.data.idx import parse_idx
from striate.errors import StriateError

Write = Callable[[Path, np.ndarray], Path]


@pytest.fixture
def folder(tmp_path: Path, images: np.ndarray, labels: np.ndarray, write_idx: Write) -> Path:
    """A folder laid out as MNIST: 20 training images, 8 test images."""
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", images)
    write_idx(tmp_path / "train-labels-idx1-ubyte", labels)
    write_idx(tmp_path / "t10k-images-idx3-ubyte", images[:8])
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", labels[:8])
    return tmp_path


def test_folder_is_read_compressed_or_not(
    folder: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    data = load(folder)
    assert (data.train.pixels[..., 0] == images).all()
    assert (data.train.labels == labels).all()
    assert (data.test.pixels[..., 0] == images[:8]).all()
    assert data.provenance["split"] == {"test": "as in the source"}
    assert [file["name"] for file in data.provenance["files"]] == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte.gz",
    ]


def test_file_of_images_finds_its_labels_and_its_test_set(folder: Path) -> None:
    by_file = load(folder / "train-images-idx3-ubyte.gz")
    assert by_file.fingerprint == load(folder).fingerprint


def test_file_without_a_test_set_is_split(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray, write_idx: Write
) -> None:
    write_idx(tmp_path / "my-images.idx", images)
    write_idx(tmp_path / "my-labels.idx", labels)
    data = load(tmp_path / "my-images.idx", seed=5)
    assert (len(data.train), len(data.test)) == (16, 4)
    assert data.provenance["split"] == {"test": "0.2 of all images, stratified", "seed": 5}


def test_labels_may_be_named(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray, write_idx: Write
) -> None:
    path = write_idx(tmp_path / "a.idx", images)
    with pytest.raises(StriateError, match="labels=PATH"):
        load(path)
    data = load(path, labels=write_idx(tmp_path / "b.idx", labels))
    assert len(data.train) == 16


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_every_type_of_number_is_read(
    tmp_path: Path, labels: np.ndarray, write_idx: Write, dtype: str
) -> None:
    values = np.arange(20 * 4).reshape(20, 2, 2).astype(dtype)
    write_idx(tmp_path / "x-images.idx", values)
    write_idx(tmp_path / "x-labels.idx", labels)
    data = load(tmp_path / "x-images.idx", scale=100)
    seen = np.sort(np.concatenate([data.train.images, data.test.images]).ravel())
    np.testing.assert_allclose(seen, np.arange(80) / 100, rtol=1e-6)


def broken(content: bytes) -> bytes:
    return content[:-8] + bytes(byte ^ 0xFF for byte in content[-8:-4]) + content[-4:]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: c[:-100], r"gzip data are cut short at byte [\d,]+: fetch the file again"),
        (broken, "gzip data are damaged"),
        (lambda _: b"", "the file is empty"),
        (lambda _: gzip.compress(b""), "not an IDX file: its first bytes are missing"),
        (lambda _: b"\x89PNG\r\n", "not an IDX file: its first bytes are 89 50 4e 47"),
        (lambda c: b"\0\0\x07\x03" + gzip.decompress(c)[4:], "first bytes are 00 00 07 03"),
        (lambda c: gzip.decompress(c)[:9], "header is cut short at byte 9"),
        (
            lambda c: gzip.decompress(c)[:-7],
            r"609 bytes, fewer than the 616 that the IDX header says for shape \(20, 6, 5\)",
        ),
        (lambda c: gzip.compress(gzip.decompress(c) + b"x"), "617 bytes, more than the 616"),
    ],
)
def test_spoilt_file_is_named_with_what_is_wrong(
    folder: Path, spoil: Callable[[bytes], bytes], message: str
) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(StriateError, match=message) as caught:
        load(folder)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_gzip_in_several_members_is_read_whole(folder: Path) -> None:
    path = folder / "train-images-idx3-ubyte.gz"
    before = load(folder).fingerprint
    plain = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(plain[:300]) + gzip.compress(plain[300:]))
    assert load(folder).fingerprint == before


@given(
    head=st.sampled_from(
        [b"", b"\0\0\x08\x01", b"\0\0\x0b\x03", b"\0\0\x08\xff", b"\x1f\x8b\x08\0"]
    ),
    rest=st.binary(max_size=400),
)
def test_any_bytes_are_an_array_or_a_one_line_error(head: bytes, rest: bytes) -> None:
    try:
        array = parse_idx(head + rest, Path("a.idx"))
    except StriateError as error:
        assert "a.idx: " in str(error)
        assert "\n" not in str(error)
    else:
        assert array.nbytes < len(head + rest)


def test_missing_partner_is_named(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    for path in (folder, folder / "train-images-idx3-ubyte.gz"):
        with pytest.raises(StriateError, match="t10k-labels-idx1-ubyte: no such file"):
            load(path)


def test_images_and_labels_of_different_number(
    folder: Path, labels: np.ndarray, write_idx: Write
) -> None:
    write_idx(folder / "train-labels-idx1-ubyte", labels[:-3])
    with pytest.raises(StriateError, match="20 images but 17 labels"):
        load(folder)


def test_labels_in_place_of_images(folder: Path, labels: np.ndarray, write_idx: Write) -> None:
    write_idx(folder / "train-images-idx3-ubyte.gz", labels)
    with pytest.raises(StriateError, match=r"must have shape \(n, row, col\)"):
        load(folder)
