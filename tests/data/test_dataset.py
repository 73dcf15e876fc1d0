from __future__ import annotations

import doctest
import json
import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate.data.dataset
from striate.data import Dataset, Split, load, load_again
from striate.data.digits import read_digits
from striate.errors import StriateError


@pytest.fixture
def arrays(images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    return {"x_train": images, "y_train": labels, "x_test": images[:6], "y_test": labels[:6]}


def test_images_are_bytes_divided_by_255_and_made_once(arrays: dict[str, Any]) -> None:
    split = Dataset.from_arrays(**arrays).train
    assert split.pixels.dtype == np.uint8
    expected = arrays["x_train"][..., np.newaxis].astype(np.float32) / np.float32(255)
    assert split.images.dtype == np.float32
    assert (split.images == expected).all()
    assert split.images is split.images
    assert len(split) == 20


def test_arrays_are_read_only_and_the_users_own_are_not(arrays: dict[str, Any]) -> None:
    data = Dataset.from_arrays(**arrays, w_train=np.ones(20), w_test=np.ones(6))
    for array in (data.train.pixels, data.train.images, data.train.labels, data.train.weights):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    arrays["x_train"][0] = 0
    with pytest.raises(FrozenInstanceError):
        data.name = "other"


def test_dataset_knows_its_shape_and_classes(arrays: dict[str, Any]) -> None:
    data = Dataset.from_arrays(**arrays, class_names=["cat", "dog"], name="pets")
    assert data.image_shape == (6, 5, 1)
    assert data.classes == 2
    assert data.class_names == ("cat", "dog")
    assert data.validation is None
    assert repr(data) == "Dataset('pets': 20 train, 6 test; images 6 x 5 x 1; 2 classes)"


def test_split_is_drawn_where_none_is_given(images: np.ndarray, labels: np.ndarray) -> None:
    data = Dataset.from_arrays(images, labels, validation=0.25, seed=3)
    assert [len(s) for s in data.splits.values()] == [12, 4, 4]
    for split in data.splits.values():
        assert np.ptp(np.bincount(split.labels)) == 0
    together = np.concatenate([split.pixels for split in data.splits.values()])
    assert {p.tobytes() for p in together} == {p.tobytes() for p in images}
    assert data.provenance["split"] == {
        "test": "0.2 of all images, stratified",
        "seed": 3,
        "validation": "0.25 of the training images, stratified",
    }


def test_validation_of_an_official_set_leaves_order_and_test(arrays: dict[str, Any]) -> None:
    data = Dataset.from_arrays(**arrays, validation=4)
    assert data.validation is not None
    assert len(data.validation) == 4
    position = {p.tobytes(): i for i, p in enumerate(arrays["x_train"][..., np.newaxis])}
    kept = [position[p.tobytes()] for p in data.train.pixels]
    assert kept == sorted(kept)
    assert (data.test.pixels[..., 0] == arrays["x_test"]).all()
    assert data.provenance["split"]["test"] == "as in the source"


def test_validation_may_be_given_but_not_twice(arrays: dict[str, Any]) -> None:
    given = {"x_validation": arrays["x_test"], "y_validation": arrays["y_test"]}
    data = Dataset.from_arrays(**arrays, **given)
    assert data.validation is not None
    assert data.provenance["split"]["validation"] == "as in the source"
    with pytest.raises(StriateError, match="validation split of its own"):
        Dataset.from_arrays(**arrays, **given, validation=0.1)
    with pytest.raises(StriateError, match=r"test split of its own: leave test=0\.3 out"):
        Dataset.from_arrays(**arrays, test=0.3)


def test_limit_is_said(arrays: dict[str, Any]) -> None:
    data = Dataset.from_arrays(**arrays, limit=8)
    assert (len(data.train), len(data.test)) == (8, 6)
    assert "Limit: 8 of 20 train images, stratified, seed 0." in data.provenance["notes"]


def test_weights_and_labels_stay_with_their_images(images: np.ndarray, labels: np.ndarray) -> None:
    weights = images[:, 0, 0].astype(float) - 100
    data = Dataset.from_arrays(images, labels, w_train=weights, limit=16, validation=0.25)
    number = {image.tobytes(): i for i, image in enumerate(images[..., np.newaxis])}
    for split in data.splits.values():
        rows = [number[p.tobytes()] for p in split.pixels]
        assert split.weights is not None
        assert split.weights.dtype == np.float32
        assert (split.weights == weights[rows]).all()
        assert (split.labels == labels[rows]).all()


def test_unusual_scaling_is_noted_and_usual_is_not(images: np.ndarray, labels: np.ndarray) -> None:
    usual = Dataset.from_arrays(images, labels)
    assert usual.provenance["notes"] == []
    assert usual.provenance["scaling"] == "whole numbers up to 255 divided by 255"
    floats = Dataset.from_arrays(images.astype(float), labels)
    assert floats.provenance["notes"] == ["Pixels: whole numbers up to 255 divided by 255."]
    assert (floats.train.images == usual.train.images).all()
    energies = Dataset.from_arrays(images * 0.5, labels)
    assert energies.provenance["notes"] == ["Pixels: values divided by the largest, 127.5."]


def test_provenance_is_json(arrays: dict[str, Any]) -> None:
    provenance = Dataset.from_arrays(**arrays, limit=8).provenance
    assert json.loads(json.dumps(provenance)) == provenance


def test_class_without_a_test_image_is_noted(arrays: dict[str, Any]) -> None:
    arrays |= {"x_test": arrays["x_train"][::2], "y_test": arrays["y_train"][::2]}
    data = Dataset.from_arrays(**arrays, class_names=["cat", "dog"])
    assert data.provenance["notes"] == ["There is no test image of class 'dog'."]


def test_fingerprint_is_of_the_contents_alone(arrays: dict[str, Any]) -> None:
    first = Dataset.from_arrays(**arrays, name="a")
    again = Dataset.from_arrays(**{k: v.copy() for k, v in arrays.items()}, name="b")
    assert first.fingerprint == again.fingerprint
    assert len(first.fingerprint) == 64


def test_fingerprint_changes_with_anything(arrays: dict[str, Any]) -> None:
    base = Dataset.from_arrays(**arrays)
    pixel = arrays["x_test"].copy()
    pixel[3, 2, 1] ^= 1
    label = arrays["y_train"].copy()
    label[5] ^= 1
    split = base.train
    others = [
        Dataset.from_arrays(**{**arrays, "x_test": pixel}),
        Dataset.from_arrays(**{**arrays, "y_train": label}),
        Dataset.from_arrays(**arrays, class_names=["a", "b"]),
        Dataset.from_arrays(**arrays, w_train=np.ones(20)),
        Dataset.from_arrays(**arrays, validation=0.2),
        Dataset(base.test, None, base.train, base.class_names, "", {}),
        Dataset(base.train, base.test, base.test, base.class_names, "", {}),
        Dataset(
            Split(split.pixels, split.labels, None, {"eta": np.zeros(20)}),
            None,
            base.test,
            base.class_names,
            "",
            {},
        ),
        Dataset(
            Split(split.pixels.reshape(20, 5, 6, 1), split.labels),
            None,
            Split(base.test.pixels.reshape(6, 5, 6, 1), base.test.labels),
            base.class_names,
            "",
            {},
        ),
    ]
    prints = {data.fingerprint for data in [base, *others]}
    assert len(prints) == 1 + len(others)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_train": np.zeros(19, dtype=int)}, "train: 20 images but 19 labels"),
        ({"y_test": None}, "test: give both images and labels"),
        ({"x_test": np.zeros((6, 6, 6))}, "test images have shape"),
        ({"w_train": np.ones(3)}, r"20 images but weights of shape \(3,\)"),
        ({"w_train": ["a"] * 20}, "weights must be numbers, not <U1"),
        ({"w_train": np.full(20, np.nan)}, "weight at index .0,. is NaN"),
        ({"class_names": ["a", "b", "c"]}, "class 'c' has no training image"),
        ({"class_names": ["a", "a"]}, "two classes have the same name"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_unsound_arrays_are_refused(
    arrays: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(StriateError, match=message) as caught:
        Dataset.from_arrays(**{**arrays, **change})
    assert "\n" not in str(caught.value)


def test_wrong_channel_axis_of_the_oslo_listing_is_refused() -> None:
    digits = read_digits().splits["train"]
    wrong = digits.images[:, :, np.newaxis, :]
    with pytest.raises(StriateError, match=r"\(1797, 8, 1, 8\) has it as axis 2"):
        Dataset.from_arrays(wrong, digits.labels)
    mended = Dataset.from_arrays(wrong, digits.labels, channel_axis=2)
    assert mended.fingerprint == Dataset.from_arrays(digits.images, digits.labels).fingerprint


def test_observables_are_numbers() -> None:
    pixels, labels = np.zeros((2, 3, 3, 1), np.uint8), np.zeros(2, np.int32)
    with pytest.raises(StriateError, match="observable 'file' must hold numbers, not <U1"):
        Split(pixels, labels, None, {"file": np.array(["a", "b"])})


def test_dataset_travels_to_another_process(arrays: dict[str, Any]) -> None:
    data = Dataset.from_arrays(**arrays, w_train=np.ones(20), w_test=np.ones(6))
    size = len(pickle.dumps(data))
    assert data.train.images.nbytes > 0
    copy = pickle.loads(pickle.dumps(data))  # noqa: S301 (our own)
    assert len(pickle.dumps(data)) == size, "images in floating point do not travel"
    assert copy.fingerprint == data.fingerprint
    assert not copy.train.pixels.flags.writeable


@pytest.mark.parametrize(
    ("pixels", "labels", "message"),
    [
        (np.zeros((2, 3, 3, 1)), np.zeros(2, np.int32), "uint8 or float32, not float64"),
        (np.full((2, 3, 3, 1), 2, np.float32), np.zeros(2, np.int32), r"must lie in \[0, 1\]"),
        (np.full((2, 3, 3, 1), np.nan, np.float32), np.zeros(2, np.int32), "is NaN"),
        (np.zeros((2, 3, 3, 1), np.uint8), np.zeros(2), "labels must be int32"),
        (np.zeros((2, 3, 3, 1), np.uint8), np.zeros(3, np.int32), "2 images but labels"),
    ],
)
def test_split_holds_what_it_promises(pixels: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(StriateError, match=message):
        Split(pixels, labels)


def test_dataset_holds_what_it_promises() -> None:
    pixels = np.zeros((2, 3, 3, 1), np.uint8)
    good = Split(pixels, np.array([0, 1], np.int32))
    bad = Split(pixels, np.array([0, 2], np.int32))
    with pytest.raises(StriateError, match="test has labels from 0 to 2, but there are 2 classes"):
        Dataset(good, None, bad, ("a", "b"), "x", {})
    with pytest.raises(StriateError, match="two classes or more"):
        Dataset(good, None, good, ("a",), "x", {})


def test_examples_run() -> None:
    failed, tried = doctest.testmod(striate.data.dataset)
    assert (failed, tried > 0) == (0, True)


def test_a_dataset_knows_how_it_was_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load("digits", limit=300, seed=3)
    again = load_again(first.provenance)
    assert again is not None
    assert again.fingerprint == first.fingerprint
    np.savez(tmp_path / "mine.npz", x=first.train.pixels, y=first.train.labels)
    monkeypatch.chdir(tmp_path)
    from_file = load("mine.npz")
    monkeypatch.chdir("/")
    assert load_again(from_file.provenance).fingerprint == from_file.fingerprint
    arrays = Dataset.from_arrays(first.train.images, first.train.labels)
    assert load_again(arrays.provenance) is None
