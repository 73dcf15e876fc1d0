"""Pooling and positions of maxima, against windows taken one by one, SciPy and Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from striate.convolution import padding_for, pool, pooled_size, positions_of_maxima
from striate.errors import StriateError


@st.composite
def poolings(draw):
    """An image with many equal pixels, a window, a stride and a padding, of 1 to 3 axes."""
    axes = draw(st.integers(1, 3))
    window = draw(st.tuples(*[st.integers(1, 4)] * axes))
    sides = [draw(st.integers(k, k + 5)) for k in window]
    stride = draw(st.none() | st.tuples(*[st.integers(1, 4)] * axes))
    padding = draw(st.sampled_from(["valid", "same"]) | st.just(None))
    if padding is None:
        padding = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in window)
    channels = draw(st.none() | st.integers(1, 3))
    shape = (*sides, *([] if channels is None else [channels]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = random.integers(-4, 5, shape)
    if draw(st.booleans()):
        image = np.where(random.random(shape) < 0.3, -np.inf, image)
    return image, window, stride, padding, channels is not None


@given(poolings())
def test_each_output_is_what_its_window_says(problem):
    image, window, stride, padding, channels = problem
    axes = len(window)
    steps = window if stride is None else stride
    sides = padding_for(image.shape[:axes], window, steps, padding)
    largest = pool(image, window, stride, "max", padding, channels=channels)
    places = positions_of_maxima(image, window, stride, padding, channels=channels)
    assert largest.dtype == image.dtype
    assert largest.shape[:axes] == pooled_size(image.shape[:axes], window, stride, padding)
    finite = np.where(np.isinf(image), 0, image)
    means = pool(finite, window, stride, "average", padding, channels=channels)
    for index in np.ndindex(largest.shape):
        layer = index[axes:]
        starts = [i * s - before for i, s, (before, _) in zip(index, steps, sides, strict=False)]
        inside = tuple(slice(max(a, 0), a + k) for a, k in zip(starts, window, strict=True)) + layer
        seen = image[inside]
        assert largest[index] == seen.max()
        assert means[index] == pytest.approx(finite[inside].mean(), abs=1e-12)
        first = np.unravel_index(seen.argmax(), seen.shape)
        expected = [max(a, 0) + at for a, at in zip(starts, first, strict=True)]
        assert places[index].tolist() == expected


@given(size=st.tuples(*[st.integers(3, 12)] * 2), k=st.integers(0, 1), s=st.integers(1, 3))
def test_maxima_and_means_agree_with_scipy(size, k, s):
    """Odd windows about each pixel, of which those that fit into the image are kept."""
    image = np.random.default_rng(size[0]).normal(size=size)
    kept = (slice(k, size[0] - k, s), slice(k, size[1] - k, s))
    window = 2 * k + 1
    expected = ndimage.maximum_filter(image, window)[kept]
    np.testing.assert_array_equal(pool(image, window, s), expected)
    expected = ndimage.uniform_filter(image, window)[kept]
    np.testing.assert_allclose(pool(image, window, s, "average"), expected, atol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 2), ((2, 3), (3, 1))])
def test_both_agree_with_keras(padding, window, stride):
    image = np.random.default_rng(0).integers(-9, 10, (9, 8, 2)).astype("float32")
    for kind, theirs in (("max", keras.ops.max_pool), ("average", keras.ops.average_pool)):
        expected = theirs(image[None], window, stride, padding, "channels_last")
        result = pool(image, window, stride, kind, padding, channels=True)
        np.testing.assert_allclose(result, expected[0], rtol=1e-6)


def test_nan_spreads_over_its_windows():
    image = np.ones((4, 4))
    image[0, 1] = np.nan
    assert np.isnan(pool(image)).tolist() == [[True, False], [False, False]]
    assert positions_of_maxima(image)[0, 0].tolist() == [0, 0]
    # Padding is not the first pixel of a window.
    assert positions_of_maxima(image, padding=1)[0].tolist() == [[0, 0], [0, 1], [0, 3]]


def test_means_of_large_whole_numbers_do_not_wrap_around():
    assert pool([2**62] * 4, 4, kind="average").tolist() == [2.0**62]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "mean"}, "kind 'mean' is unknown"),
        ({"window": 5}, "no output remains"),
        ({"window": 0}, "window must be 1 or more"),
        ({"stride": 0}, "stride must be 1 or more"),
        ({"padding": 2}, r"padding \(2, 2\) is not smaller than the window of 2"),
        ({"image": [1, 2], "channels": True}, "has no axis to pool along"),
    ],
)
def test_mistakes_are_refused(arguments, words):
    with pytest.raises(StriateError, match=words):
        pool(**{"image": np.eye(4)} | arguments)
