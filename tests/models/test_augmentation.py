"""Shifts of images on the device, against NumPy's."""

from __future__ import annotations

import numpy as np

from striate.models.augmentation import RandomShift


def shifted(image, down, right):
    """Move an image by whole pixels with zeros behind it."""
    rows, columns, _ = image.shape
    wide = np.pad(image, ((rows, rows), (columns, columns), (0, 0)))
    return wide[rows - down : 2 * rows - down, columns - right : 2 * columns - right]


def test_each_image_is_moved_by_whole_pixels_of_its_own():
    images = np.random.default_rng(0).random((64, 5, 7, 2)).astype(np.float32)
    found = np.asarray(RandomShift(2, seed=3)(images, training=True))
    moves = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    chosen = []
    for image, moved in zip(images, found, strict=True):
        chosen += [move for move in moves if np.array_equal(moved, shifted(image, *move))]
    assert len(chosen) == len(images)
    # 64 draws of 25 equally likely moves hit about 23 of them.
    assert len(set(chosen)) > 15


def test_images_stay_as_they_are_in_inference():
    images = np.ones((2, 3, 3, 1), np.float32)
    assert np.array_equal(RandomShift(1)(images), images)


def test_it_is_made_again_from_its_configuration():
    layer = RandomShift(3, seed=7, name="shift")
    again = RandomShift.from_config(layer.get_config())
    images = np.random.default_rng(0).random((4, 8, 8, 1)).astype(np.float32)
    assert np.array_equal(layer(images, training=True), again(images, training=True))
