from __future__ import annotations

import numpy as np
import pytest

from striate.data.contents import class_numbers, find_scale, image_array
from striate.errors import StriateError


def one(labels: object, class_names: list[str] | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    numbers, names = class_numbers({"train": labels}, {"train": "y_train"}, class_names)
    return numbers["train"], names


def test_grey_images_get_a_channel_axis() -> None:
    array = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    result = image_array(array, "x")
    assert result.shape == (2, 3, 4, 1)
    assert (result[..., 0] == array).all()


@pytest.mark.parametrize(
    "shape", [(5, 8, 8, 1), (5, 32, 32, 3), (5, 33, 33, 7), (5, 40, 3, 1), (5, 3, 3, 4)]
)
def test_channels_that_are_last_are_left(shape: tuple[int, ...]) -> None:
    assert image_array(np.zeros(shape), "x").shape == shape


@pytest.mark.parametrize(
    ("shape", "axis"), [((5, 8, 1, 8), 2), ((5, 1, 8, 8), 1), ((5, 3, 9, 9), 1)]
)
def test_channels_in_the_wrong_place_are_refused_with_the_remedy(
    shape: tuple[int, ...], axis: int
) -> None:
    array = np.random.default_rng(0).random(shape)
    with pytest.raises(StriateError, match=rf"np\.moveaxis\(x, {axis}, -1\)") as caught:
        image_array(array, "x_train")
    assert str(shape) in str(caught.value)
    mended = image_array(np.moveaxis(array, axis, -1), "x_train")
    assert (image_array(array, "x_train", channel_axis=axis) == mended).all()


def test_channel_axis_that_is_given_is_believed() -> None:
    assert image_array(np.zeros((5, 3, 3, 64)), "x", channel_axis=3).shape == (5, 3, 3, 64)


def test_channel_axis_must_be_one_of_the_image() -> None:
    with pytest.raises(StriateError, match="channel_axis must be 1, 2 or 3, not 4"):
        image_array(np.zeros((5, 3, 3, 3)), "x", channel_axis=4)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 64)), r"flat, shape \(5, 64\).*x\.reshape\(-1, 8, 8, 1\)"),
        (np.zeros((5, 60)), r"x\.reshape\(-1, rows, columns, channels\)"),
        (np.zeros(5), r"must have shape \(n, row, col\)"),
        (np.zeros((1, 2, 3, 4, 5)), r"not \(1, 2, 3, 4, 5\)"),
        (np.zeros((0, 8, 8)), "there are no images"),
        (np.array([[["a"]]]), "real numbers"),
        (np.zeros((2, 3, 3), dtype=complex), "real numbers"),
        (np.array([None, {}], dtype=object), "real numbers"),
        ([np.zeros((3, 3)), np.zeros((4, 4))], "different shapes"),
    ],
)
def test_what_are_not_images_is_refused(array: object, message: str) -> None:
    with pytest.raises(StriateError, match=message):
        image_array(array, "x_train")


@pytest.mark.parametrize(
    ("value", "kind"), [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "inf")]
)
def test_pixels_that_are_not_finite_are_refused_with_their_place(value: float, kind: str) -> None:
    array = np.zeros((4, 3, 3, 1))
    array[2, 1, 0, 0] = value
    with pytest.raises(StriateError, match=rf"x_test: pixel at index \(2, 1, 0, 0\) is {kind}"):
        find_scale([("x_train", np.zeros((4, 3, 3, 1))), ("x_test", array)])


@pytest.mark.parametrize(
    ("array", "hint"),
    [
        (np.array([-1.0, 1.0]), r"\(x \+ 1\) / 2"),
        (np.array([-3.0, 9.0]), r"x - x\.min\(\)"),
    ],
)
def test_negative_pixels_are_refused(array: np.ndarray, hint: str) -> None:
    with pytest.raises(StriateError, match=f"must not be negative.*{hint}"):
        find_scale([("x", array.reshape(1, 1, 2, 1))])


@pytest.mark.parametrize(
    ("values", "dtype", "divisor", "kept_as"),
    [
        ([0, 1], np.uint8, 1, np.float32),
        ([0, 0.25, 1], np.float64, 1, np.float32),
        ([0, 7, 16], np.float64, 16, np.float32),
        ([0, 7, 200], np.float64, 255, np.uint8),
        ([0, 7, 255], np.int64, 255, np.uint8),
        ([0, 7, 255], np.uint8, 255, np.uint8),
        ([0, 256, 65535], np.uint16, 65535, np.float32),
        ([0, 70000], np.int64, 70000, np.float32),
        ([0, 0.5, 812.5], np.float64, 812.5, np.float32),
    ],
)
def test_scale_is_found_from_the_values(
    values: list[float], dtype: type, divisor: float, kept_as: type
) -> None:
    array = np.array(values, dtype=dtype).reshape(1, 1, -1, 1)
    scale = find_scale([("x", array)])
    pixels = scale.pixels(array, "x")
    assert scale.divisor == divisor
    assert pixels.dtype == kept_as
    shown = pixels / np.float32(255) if kept_as is np.uint8 else pixels
    np.testing.assert_allclose(shown.ravel(), np.array(values) / divisor, rtol=1e-6)
    assert shown.max() <= 1


def test_one_scale_serves_all_splits() -> None:
    train, test = np.full((1, 2, 2, 1), 100), np.full((1, 2, 2, 1), 1)
    scale = find_scale([("x_train", train), ("x_test", test)])
    assert scale.pixels(test, "x_test").max() == 1
    assert scale.divisor == 255


def test_scale_that_is_asked_for_is_taken_and_must_suffice() -> None:
    array = np.array([0.0, 50.0]).reshape(1, 1, 2, 1)
    assert find_scale([("x", array)], 100).pixels(array, "x").max() == np.float32(0.5)
    with pytest.raises(StriateError, match="50, is beyond the scale 40"):
        find_scale([("x", array)], 40).pixels(array, "x")
    with pytest.raises(StriateError, match="scale must be a positive number"):
        find_scale([("x", array)], -1)


@pytest.mark.parametrize(
    "labels",
    [
        [2, 0, 1],
        np.array([2.0, 0.0, 1.0]),
        np.array([[2], [0], [1]]),
        np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=np.float32),
    ],
)
def test_every_form_of_labels_becomes_numbers(labels: object) -> None:
    numbers, names = one(labels)
    assert numbers.dtype == np.int32
    assert numbers.tolist() == [2, 0, 1]
    assert names == ("0", "1", "2")


def test_names_become_numbers_in_sorted_order_or_in_the_order_given() -> None:
    labels = np.array(["dog", "cat", "dog"])
    assert one(labels)[0].tolist() == [1, 0, 1]
    numbers, names = one(labels.astype("S"), ["dog", "cat"])
    assert numbers.tolist() == [0, 1, 0]
    assert names == ("dog", "cat")


def test_test_labels_are_numbered_as_the_training_labels() -> None:
    numbers, names = class_numbers(
        {"train": np.array(["a", "b", "c"]), "test": np.array(["c", "b"])},
        {"train": "y_train", "test": "y_test"},
        None,
    )
    assert numbers["test"].tolist() == [2, 1]
    assert names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("labels", "class_names", "message"),
    [
        ([0, 1, 1.5], None, "label 1.5 at index 2 is not a whole number"),
        ([0, 1, np.nan], None, "label at index .2,. is NaN"),
        ([0, 1, -1], None, "label -1 at index 2 is negative"),
        ([0, 1, 5], ["a", "b", "c"], "label 5 at index 2 is out of range: .* 0 to 2"),
        ([0, 1, 3], None, "class 2 has no image, though labels go up to 3"),
        ([1, 1, 1], None, "every label is 1, but a network needs two classes"),
        ([], None, "there are no labels"),
        ([[0, 1], [1, 1]], None, "row 1 is not a single 1"),
        ([[0.0, 1.0], [0.3, 0.7]], None, "row 1 is not a single 1"),
        (np.zeros((2, 2, 2)), None, r"not \(2, 2, 2\)"),
        (np.array([None, 1], dtype=object), None, "whole numbers or names, not object"),
        (np.array(["cat", "dgo"]), ["cat", "dog"], "'dgo' at index 1 .*did you mean 'dog'"),
    ],
)
def test_labels_that_are_none_are_refused(
    labels: object, class_names: list[str] | None, message: str
) -> None:
    with pytest.raises(StriateError, match="y_train: .*" + message):
        one(labels, class_names)
