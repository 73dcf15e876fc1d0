"""Convolution by Fourier transform, and the Gaussian blur that shows it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal

from striate.convolution import convolve, fft_convolve, gaussian_blur, gaussian_kernel
from striate.errors import StriateError

shapes = st.integers(1, 3).flatmap(
    lambda axes: st.tuples(*[st.tuples(*[st.integers(1, 9)] * axes)] * 2)
)
seeds = st.integers(0, 2**32 - 1)


@given(shapes=shapes, mode=st.sampled_from(["full", "same", "valid"]), seed=seeds)
def test_c3_the_convolution_theorem(shapes, mode, seed):
    random = np.random.default_rng(seed)
    x, w = (random.normal(size=shape) for shape in shapes)
    if mode == "valid" and any(np.less(*shapes)):
        with pytest.raises(StriateError, match="no output remains"):
            fft_convolve(x, w, mode)
        return
    result = fft_convolve(x, w, mode)
    np.testing.assert_allclose(result, convolve(x, w, mode), atol=1e-12)
    np.testing.assert_allclose(result, signal.fftconvolve(x, w, mode), atol=1e-12)
    if mode == "full":
        shape = result.shape
        axes = range(len(shape))
        spectrum = np.fft.fftn(x, shape, axes) * np.fft.fftn(w, shape, axes)
        np.testing.assert_allclose(np.fft.fftn(result), spectrum, atol=1e-9)


@given(shapes=shapes, padding=st.integers(0, 9), seed=seeds)
def test_whole_numbers_come_back_exactly(shapes, padding, seed):
    random = np.random.default_rng(seed)
    x, w = (random.integers(-(10**5), 10**5, shape) for shape in shapes)
    result = fft_convolve(x, w)
    assert result.dtype == np.int64
    np.testing.assert_array_equal(result, convolve(x, w))
    pads = ((padding, 0),) * x.ndim
    if all(n + padding >= k for n, k in zip(*shapes, strict=True)):
        np.testing.assert_array_equal(fft_convolve(x, w, pads), convolve(x, w, pads))


def test_whole_numbers_that_rounding_could_miss_are_refused():
    with pytest.raises(StriateError, match=r"errors up to .*: use convolve, or give float64"):
        fft_convolve([2**40, 1], [2**20, 1])
    large = np.array([2.0**40, 1])
    # In float64 it is not refused, and has the error that the message speaks of.
    result = fft_convolve(large, [2**20, 1])
    np.testing.assert_allclose(result, convolve(large, [2**20, 1]), rtol=0, atol=5e3)


def test_whole_numbers_that_are_not_refused_are_right():
    """The largest that are let through, where the error of the transform is nearest its bound."""
    random = np.random.default_rng(3)
    refused = 0
    for power in range(10, 27):
        x, w = random.integers(-(2**power), 2**power, (2, 1000))
        try:
            result = fft_convolve(x, w)
        except StriateError:
            refused += 1
            continue
        np.testing.assert_array_equal(result, convolve(x, w))
    assert 0 < refused < 16


@given(
    size=st.tuples(st.integers(3, 14), st.integers(3, 14)),
    sigma=st.floats(0.2, 3) | st.tuples(st.floats(0.2, 3), st.floats(0.2, 3)),
    border=st.sampled_from([("reflect", "reflect"), ("zero", "constant"), ("periodic", "wrap")]),
    seed=seeds,
)
def test_c7_all_methods_agree_with_scipy(size, sigma, border, seed):
    image = np.random.default_rng(seed).normal(size=size)
    expected = ndimage.gaussian_filter(image, sigma, mode=border[1])
    for method in ("fft", "direct", "separable"):
        result = gaussian_blur(image, sigma, method, border=border[0])
        np.testing.assert_allclose(result, expected, atol=1e-12)


def test_c7_a_wider_gaussian_blurs_more_and_keeps_the_brightness():
    image = np.zeros((41, 41))
    image[20, 20] = 1
    blurred = [gaussian_blur(image, sigma) for sigma in (1, 2, 3, 4)]
    assert np.all(np.diff([b.max() for b in blurred]) < 0)
    for sigma, result in zip((1, 2, 3, 4), blurred, strict=True):
        assert result.sum() == pytest.approx(1)
        variance = (result.sum(axis=1) * (np.arange(41) - 20) ** 2).sum()
        # Cut off at 4 sigma and sampled at whole pixels.
        assert variance == pytest.approx(sigma**2, rel=0.02)


def test_c7_each_colour_is_blurred_on_its_own():
    image = np.random.default_rng(0).integers(0, 256, (9, 8, 3)).astype(np.uint8)
    for method in ("fft", "direct", "separable"):
        result = gaussian_blur(image, 1.5, method, channels=True)
        for c in range(3):
            np.testing.assert_allclose(result[..., c], gaussian_blur(image[..., c], 1.5))


def test_the_kernel_is_a_gaussian_of_sum_1():
    kernel = gaussian_kernel(1.5, axes=1)
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(kernel, ndimage.gaussian_filter(np.eye(13)[6], 1.5))
    ratio = kernel[6:] / kernel[6]
    np.testing.assert_allclose(ratio, np.exp(-(np.arange(7) ** 2) / (2 * 1.5**2)))
    np.testing.assert_allclose(gaussian_kernel(1.5), np.outer(kernel, kernel))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sigma": 0}, "sigma must be a number of pixels above 0"),
        ({"sigma": (1, 2, 3)}, "or one for each of 2 axes"),
        ({"sigma": np.inf}, "sigma must be a number of pixels"),
        ({"method": "ftt"}, "method 'ftt' is unknown: did you mean 'fft'"),
        ({"border": "mirror"}, "border 'mirror' is unknown"),
        ({"truncate": 0}, "truncate must be above 0, not 0"),
        ({"image": [1, 2], "channels": True}, r"an image of shape \(2,\) has no axis to blur"),
    ],
)
def test_mistakes_are_refused(arguments, words):
    with pytest.raises(StriateError, match=words):
        gaussian_blur(**{"image": np.eye(3), "sigma": 1.0} | arguments)
