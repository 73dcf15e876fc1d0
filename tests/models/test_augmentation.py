"""Shifts and reflections of images on the device, against NumPy's."""

from __future__ import annotations

import numpy as np

from striate.models.augmentation import Mirrored, MirrorMean, RandomShift


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


def test_half_of_the_images_are_reflected_in_training():
    images = np.random.default_rng(0).random((64, 5, 7, 2)).astype(np.float32)
    found = np.asarray(Mirrored(seed=3)(images, training=True))
    kept = (found == images).all(axis=(1, 2, 3))
    assert (found[~kept] == images[~kept][:, :, ::-1]).all()
    assert 20 < kept.sum() < 44


def test_in_use_each_image_is_answered_both_ways_and_the_mean_is_taken():
    images = np.random.default_rng(0).random((3, 5, 7, 2)).astype(np.float32)
    both = np.asarray(Mirrored()(images))
    assert np.array_equal(both, np.concatenate([images, images[:, :, ::-1]]))
    answers = both[:, 0, 0]
    mean = MirrorMean()
    np.testing.assert_allclose(mean(answers), (answers[:3] + answers[3:]) / 2)
    assert np.array_equal(mean(answers, training=True), answers)


def test_reflections_are_made_again_from_their_configuration():
    layer = Mirrored(seed=7)
    again = Mirrored.from_config(layer.get_config())
    images = np.random.default_rng(0).random((16, 4, 4, 1)).astype(np.float32)
    assert np.array_equal(layer(images, training=True), again(images, training=True))
