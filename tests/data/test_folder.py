from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data import load
from striate.errors import StriateError


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def grey() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 6, 5), dtype=np.uint8)


@pytest.fixture
def root(tmp_path: Path, grey: np.ndarray) -> Path:
    """Folders cat and dog, ten pictures each."""
    for i in range(20):
        save(tmp_path / "pets" / ("cat", "dog")[i // 10] / f"{i:02}.png", grey[i])
    return tmp_path / "pets"


def test_classes_are_folders(root: Path, grey: np.ndarray) -> None:
    data = load(root)
    assert data.name == "pets"
    assert data.class_names == ("cat", "dog")
    assert data.image_shape == (6, 5, 1)
    assert (len(data.train), len(data.test)) == (16, 4)
    pixels = np.concatenate([data.train.pixels, data.test.pixels])[..., 0]
    labels = np.concatenate([data.train.labels, data.test.labels])
    number = {image.tobytes(): i // 10 for i, image in enumerate(grey)}
    assert [number[image.tobytes()] for image in pixels] == labels.tolist()


def test_train_and_test_folders_are_splits(tmp_path: Path, grey: np.ndarray) -> None:
    for split, rows in (("train", range(8)), ("val", range(8, 12)), ("Test", range(12, 16))):
        for i in rows:
            save(tmp_path / split / ("cat", "dog")[i % 2] / f"{i:02}.png", grey[i])
    data = load(tmp_path)
    assert data.validation is not None
    assert [len(s) for s in data.splits.values()] == [8, 4, 4]
    assert (data.train.pixels[..., 0] == grey[[0, 2, 4, 6, 1, 3, 5, 7]]).all()
    assert data.train.labels.tolist() == [0] * 4 + [1] * 4


def test_colour_transparency_and_palettes_become_three_channels(tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(0, 256, (4, 3, 3, 3), dtype=np.uint8)
    opaque = np.concatenate([colour[1], np.full((3, 3, 1), 9, np.uint8)], axis=-1)
    save(tmp_path / "a" / "1.png", colour[0])
    save(tmp_path / "a" / "2.png", opaque)
    save(tmp_path / "b" / "1.png", colour[2])
    Image.fromarray(colour[3]).quantize(9).save(tmp_path / "b" / "2.png")
    data = load(tmp_path, test=0.5)
    assert data.image_shape == (3, 3, 3)
    seen = {p.tobytes() for s in data.splits.values() for p in s.pixels}
    assert {colour[0].tobytes(), colour[1].tobytes(), colour[2].tobytes()} < seen


def test_one_coloured_picture_makes_all_coloured(root: Path, grey: np.ndarray) -> None:
    save(root / "cat" / "00.png", np.stack([grey[0]] * 3, axis=-1))
    assert load(root).image_shape == (6, 5, 3)


def test_black_and_white_and_sixteen_bits_are_grey(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        save(tmp_path / "bits" / name, np.eye(4, dtype=bool))
        save(tmp_path / "deep" / name, np.full((4, 4), 40000, np.uint16))
    bits = load(tmp_path / "bits", test=0.5)
    assert (bits.train.images[0, ..., 0] == np.eye(4)).all()
    deep = load(tmp_path / "deep", test=0.5)
    assert deep.train.images.max() == np.float32(40000) / np.float32(65535)


def test_picture_is_turned_upright(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    turned = Image.Exif()
    turned[0x0112] = 6
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        save(tmp_path / name, pixels, exif=turned)
    data = load(tmp_path, test=0.5)
    assert (data.train.pixels[0, ..., 0] == np.rot90(pixels, -1)).all()


def test_broken_picture_is_named(root: Path) -> None:
    path = root / "dog" / "13.png"
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"no picture"):
        path.write_bytes(content)
        with pytest.raises(StriateError, match=r"dog/13\.png: the picture is broken") as caught:
            load(root)
        assert "\n" not in str(caught.value)


def test_bomb_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(StriateError, match=r"cat/00\.png: the picture is broken .*bomb"):
        load(root)


def test_class_without_a_picture_is_refused(root: Path) -> None:
    (root / "ant").mkdir()
    (root / "ant" / "notes.txt").write_text("nothing here")
    with pytest.raises(StriateError, match="ant: class 'ant' has no image"):
        load(root)


def test_other_files_are_skipped_and_counted(root: Path) -> None:
    (root / "cat" / "notes.txt").write_text("hello")
    (root / "cat" / ".DS_Store").write_text("hidden")
    data = load(root)
    assert data.provenance["notes"] == ["1 files that are not pictures were skipped."]


def test_different_sizes_need_resize(root: Path) -> None:
    odd = save(root / "dog" / "17.png", np.full((9, 9), 200, np.uint8))
    with pytest.raises(StriateError, match="9 x 9 pixels, but most pictures have 6 x 5") as caught:
        load(root)
    assert str(odd) in str(caught.value)
    data = load(root, resize=(4, 3))
    assert data.image_shape == (4, 3, 1)
    assert "Pictures were resized to 4 x 3, bilinear." in data.provenance["notes"]
    brightest = np.concatenate([data.train.pixels, data.test.pixels]).min(axis=(1, 2, 3)).max()
    assert brightest == 200


def test_limit_decodes_only_what_it_takes(root: Path, grey: np.ndarray) -> None:
    taken = load(root, limit=4, test=0.5)
    names = {image.tobytes(): i for i, image in enumerate(grey[..., np.newaxis])}
    rows = {names[p.tobytes()] for s in taken.splits.values() for p in s.pixels}
    for i in set(range(20)) - rows:
        path = root / ("cat", "dog")[i // 10] / f"{i:02}.png"
        path.write_bytes(path.read_bytes()[:-25])
    assert load(root, limit=4, test=0.5).fingerprint == taken.fingerprint
    with pytest.raises(StriateError, match="broken"):
        load(root)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ((), "no folders in it"),
        (("train/cat", "train/dog", "other/cat"), "has splits .train. and also 'other'"),
        (("train/cat", "training/cat"), "has splits .training. and also 'train'"),
        (("test/cat", "test/dog"), "has no folder 'train' beside 'test'"),
        (("train/cat", "train/dog", "test/cow"), "'cow' is not among the training classes"),
        (("train/cat", "train/dog", "test/cat"), "test/dog: class 'dog' has no image"),
    ],
)
def test_folders_that_make_no_dataset(
    tmp_path: Path, grey: np.ndarray, folders: tuple[str, ...], message: str
) -> None:
    for folder in folders:
        save(tmp_path / folder / "1.png", grey[0])
    with pytest.raises(StriateError, match=message):
        load(tmp_path)


def test_grey_and_coloured_splits_do_not_fit(tmp_path: Path, grey: np.ndarray) -> None:
    for name in ("cat", "dog"):
        save(tmp_path / "train" / name / "1.png", grey[0])
        save(tmp_path / "test" / name / "1.png", np.stack([grey[0]] * 3, axis=-1))
    with pytest.raises(StriateError, match="one split are grey"):
        load(tmp_path)
