from __future__ import annotations

import numpy as np
import pytest

from striate.data import load
from striate.errors import StriateError

# The images of the lecture: PHYS591000, NTHU, 2022, "CNN for image classification".
RING = """
001100
010010
100001
100001
010010
001100
"""
CROSS = """
100001
010010
001100
001100
010010
100001
"""


def picture(text: str) -> np.ndarray:
    return np.array([[int(digit) for digit in line] for line in text.split()])


@pytest.mark.parametrize("seed", [0, 7])
def test_first_two_images_are_those_of_the_lecture(seed: int) -> None:
    data = load("ox", seed=seed)
    assert data.class_names == ("O", "X")
    assert data.train.labels[:2].tolist() == [0, 1]
    assert (data.train.images[0, ..., 0] == picture(RING)).all()
    assert (data.train.images[1, ..., 0] == picture(CROSS)).all()


@pytest.mark.parametrize("size", [5, 6, 7, 12, 28])
def test_letters_can_be_told_apart_at_every_size(size: int) -> None:
    data = load("ox", size=size)
    assert data.image_shape == (size, size, 1)
    means = np.stack([data.train.images[data.train.labels == k].mean(axis=0) for k in (0, 1)])
    distance = ((data.test.images[:, np.newaxis] - means) ** 2).sum(axis=(2, 3, 4))
    assert (distance.argmin(axis=1) == data.test.labels).mean() > 0.95


def test_images_differ_in_place_and_stroke_and_noise() -> None:
    clean = load("ox", size=20, n=200, noise=0)
    assert set(np.unique(clean.train.pixels)) == {0, 255}
    rings = clean.train.images[clean.train.labels == 0][..., 0]
    rows, columns = np.nonzero(rings.sum(axis=(0, 2))), np.nonzero(rings.sum(axis=(0, 1)))
    middles = [np.argwhere(ring).mean(axis=0) for ring in rings]
    assert np.ptp(middles, axis=0).min() > 2
    ink = rings.sum(axis=(1, 2))
    assert ink.max() > 1.5 * ink.min()
    assert len(rows[0]) > 15
    assert len(columns[0]) > 15
    noisy = load("ox", size=20, n=200, noise=0.2)
    assert len(np.unique(noisy.train.pixels)) > 200


def test_seed_decides_everything() -> None:
    assert load("ox", seed=3).fingerprint == load("ox", seed=3).fingerprint
    assert load("ox", seed=3).fingerprint != load("ox", seed=4).fingerprint


@pytest.mark.parametrize("n", [20, 50, 1002])
def test_as_many_of_each(n: int) -> None:
    data = load("ox", n=n)
    assert len(data.train) + len(data.test) == n
    assert abs(len(data.test) - n / 5) < 2
    for split in data.splits.values():
        assert np.ptp(np.bincount(split.labels)) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 4}, "size must be 5 or more"),
        ({"n": 21}, "n must be an even number"),
        ({"n": 10}, "n must be an even number"),
        ({"noise": 1}, "noise must be at least 0 and below 1"),
        ({"seed": -3}, "seed must be a whole number"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(StriateError, match=message):
        load("ox", **options)
