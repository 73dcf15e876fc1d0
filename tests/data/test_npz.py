from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.data import load
from striate.errors import StriateError


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_one_file_with_both_splits(tmp_path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    path = save(
        tmp_path / "set.npz", x_train=images, y_train=labels, x_test=images[:6], y_test=labels[:6]
    )
    data = load(path)
    assert data.name == "set"
    assert (data.train.pixels[..., 0] == images).all()
    assert (data.test.labels == labels[:6]).all()
    assert data.provenance["source"] == str(path)
    assert data.provenance["files"][0]["bytes"] == path.stat().st_size


@pytest.mark.parametrize(
    "names",
    [
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("train/image", "train/target", "test/image", "test/target"),
        ("data_training", "targets_training", "data_testing", "targets_testing"),
    ],
)
def test_usual_names_are_understood(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray, names: tuple[str, ...]
) -> None:
    arrays = dict(zip(names, (images, labels, images[:6], labels[:6]), strict=True))
    data = load(save(tmp_path / "a.npz", **arrays))
    assert (len(data.train), len(data.test)) == (20, 6)


def test_same_contents_have_the_same_fingerprint_in_any_file(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    first = load(save(tmp_path / "a.npz", x=images, y=labels))
    other = tmp_path / "b.npz"
    np.savez_compressed(other, labels=labels.astype(np.int64), images=images)
    assert load(other).fingerprint == first.fingerprint


def test_other_columns_are_weights_observables_and_class_names(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    data = load(
        save(
            tmp_path / "jets.npz",
            x=images,
            y=labels,
            weights=np.full(20, -0.5),
            pt_gev=np.arange(20.0),
            unrelated=np.zeros((20, 2)),
            files=np.array(["a.root"] * 20),
            class_names=np.array(["QCD", "W"]),
        ),
        test=0.5,
    )
    assert data.class_names == ("QCD", "W")
    assert set(data.train.observables) == {"pt_gev"}
    assert data.provenance["notes"] == ["Arrays not used: unrelated, files."]
    together = np.concatenate([data.train.observables["pt_gev"], data.test.observables["pt_gev"]])
    assert sorted(together) == list(range(20))
    assert (data.train.observables["pt_gev"] % 2 == data.train.labels).all()
    assert data.train.weights is not None
    assert (data.train.weights == -0.5).all()


def test_names_may_be_given(tmp_path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    path = save(tmp_path / "a.npz", calo=images, is_signal=labels, x=images[:, :2], eta=labels)
    data = load(path, arrays={"x": "calo", "y": "is_signal"})
    assert data.image_shape == (6, 5, 1)
    assert set(data.train.observables) == {"eta"}
    assert data.provenance["notes"] == ["Arrays not used: x."]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": "cola", "y": "is_signal"}, "no array 'cola': did you mean 'calo'"),
        ({"z": "calo"}, "'z' is not a role"),
        ({"x": "calo"}, "no labels among the arrays"),
        (None, r"no training images among the arrays \(calo \(20, 6, 5\), is_signal \(20,\)\)"),
    ],
)
def test_names_that_do_not_fit_are_refused(
    tmp_path: Path,
    images: np.ndarray,
    labels: np.ndarray,
    given: dict[str, str] | None,
    message: str,
) -> None:
    path = save(tmp_path / "a.npz", calo=images, is_signal=labels)
    with pytest.raises(StriateError, match=message):
        load(path, arrays=given)


def test_two_candidates_are_refused(tmp_path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(StriateError, match="both 'x' and 'images' could be 'x'"):
        load(save(tmp_path / "a.npz", x=images, images=images, y=labels))
    with pytest.raises(StriateError, match="with and without 'train'"):
        load(save(tmp_path / "b.npz", x=images, y=labels, x_train=images, y_train=labels))


def test_test_set_alone_is_refused(tmp_path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(StriateError, match="no training images"):
        load(save(tmp_path / "a.npz", x_test=images, y_test=labels))


class Malicious:
    """Would make a file, if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["x", "y", "remark"])
def test_object_array_is_refused_and_never_built(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray, name: str
) -> None:
    objects = np.array([Malicious(tmp_path / "touched")] * 20, dtype=object)
    path = save(tmp_path / "a.npz", **{"x": images, "y": labels, name: objects})
    with pytest.raises(StriateError, match=f"array '{name}' holds Python objects"):
        load(path)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "not an .npz file"), (b"nonsense", "not an .npz file"), (b"PK\3\4cut", "not an .npz")],
)
def test_what_is_no_npz_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(StriateError, match=message):
        load(path)


def test_bare_array_is_refused(tmp_path: Path, images: np.ndarray) -> None:
    with (tmp_path / "a.npz").open("wb") as stream:
        np.save(stream, images)
    with pytest.raises(StriateError, match="one bare array"):
        load(tmp_path / "a.npz")


def test_cut_and_damaged_files_are_refused(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    path = save(tmp_path / "a.npz", x=images, y=labels)
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    with pytest.raises(StriateError, match=r"not an \.npz file, or damaged"):
        load(path)
    place = whole.index(images.tobytes()[:16]) + 100
    path.write_bytes(whole[:place] + b"damage" + whole[place + 6 :])
    with pytest.raises(StriateError, match="'x' cannot be read: Bad CRC"):
        load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY nonsense")
    with pytest.raises(StriateError, match="'x' cannot be read"):
        load(path)


def test_folder_of_batches_is_joined_in_the_order_of_numbers(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    for number, start in ((2, 5), (10, 10), (1, 0)):
        with zipfile.ZipFile(
            tmp_path / f"train_batch_{number}.npz", "w", zipfile.ZIP_LZMA
        ) as archive:
            for name, array in (("x", images), ("y", labels)):
                with archive.open(f"{name}.npy", "w") as member:
                    np.save(member, array[start : start + 5])
    save(tmp_path / "test_batch.npz", x=images[15:], y=labels[15:], exact=labels[15:] == 1)
    data = load(tmp_path)
    assert (data.train.pixels[..., 0] == images[:15]).all()
    assert (data.test.labels == labels[15:]).all()
    assert set(data.test.observables) == {"exact"}
    assert len(data.provenance["files"]) == 4


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"x": np.zeros((3, 4, 4)), "y": np.zeros(3)}, r"images of shape \(4, 4\), but \(6, 5\)"),
        ({"x": np.zeros((3, 6, 5)), "y": np.zeros(2)}, "3 images but 2 labels"),
        (
            {
                "x_train": np.zeros((3, 6, 5)),
                "y_train": np.zeros(3),
                "x_test": np.zeros((3, 6, 5)),
                "y_test": np.zeros(3),
            },
            "must hold one set",
        ),
        ({"x": np.zeros((3, 6, 5)), "y": np.zeros(3), "w": np.zeros(3)}, "some have none"),
    ],
)
def test_batches_that_do_not_fit_are_refused(
    tmp_path: Path,
    images: np.ndarray,
    labels: np.ndarray,
    second: dict[str, np.ndarray],
    message: str,
) -> None:
    save(tmp_path / "batch_1.npz", x=images, y=labels)
    save(tmp_path / "batch_2.npz", **second)
    with pytest.raises(StriateError, match=message):
        load(tmp_path)


def test_one_batch_that_is_named_as_those_of_cifar(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    assert len(load(save(tmp_path / "test_batch.npz", x=images, y=labels)).train) == 16


def test_folder_of_test_batches_alone_is_refused(
    tmp_path: Path, images: np.ndarray, labels: np.ndarray
) -> None:
    save(tmp_path / "test_1.npz", x=images, y=labels)
    with pytest.raises(StriateError, match="every batch has 'test' or 'val' in its name"):
        load(tmp_path)
