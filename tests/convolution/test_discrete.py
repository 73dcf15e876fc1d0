"""Convolution and cross-correlation: the lecture's facts, and agreement with SciPy and NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, signal

from striate.convolution import (
    convolve,
    correlate,
    extent,
    output_size,
    padded,
    padding_for,
    polynomial_product,
)
from striate.errors import StriateError


@st.composite
def problems(draw, axes=None):
    """An image and a kernel of whole numbers or not, of 1 to 3 axes, with stride and dilation."""
    axes = draw(st.integers(1, 3)) if axes is None else axes
    most = {1: 20, 2: 9, 3: 6}[axes]
    shape = draw(st.tuples(*[st.integers(1, most)] * axes))
    window = draw(st.tuples(*[st.integers(1, 5)] * axes))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        arrays = (random.integers(-99, 100, size) for size in (shape, window))
    else:
        arrays = (random.normal(size=size) for size in (shape, window))
    steps, gaps = (draw(st.tuples(*[st.integers(1, 3)] * axes)) for _ in "ab")
    return *arrays, steps, gaps


def spread(kernel, dilation):
    """Return the kernel with zeros between its taps, as dilation means it."""
    wide = np.zeros([extent(k, d) for k, d in zip(kernel.shape, dilation, strict=True)])
    wide = wide.astype(kernel.dtype)
    wide[tuple(slice(None, None, d) for d in dilation)] = kernel
    return wide


def every(array, stride):
    return array[tuple(slice(None, None, s) for s in stride)]


@given(problem=problems(), mode=st.sampled_from(["full", "same", "valid"]))
def test_both_agree_with_scipy(problem, mode):
    image, kernel, stride, dilation = problem
    wide = spread(kernel, dilation)
    for ours, theirs in ((convolve, signal.convolve), (correlate, signal.correlate)):
        if mode == "valid" and any(np.less(image.shape, wide.shape)):
            with pytest.raises(StriateError, match="no output remains"):
                ours(image, kernel, mode, stride, dilation)
            continue
        expected = every(theirs(image, wide, mode, method="direct"), stride)
        result = ours(image, kernel, mode, stride, dilation)
        assert result.dtype == image.dtype
        if image.dtype.kind == "i":
            np.testing.assert_array_equal(result, expected)
        else:
            np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-12)


@given(problem=problems())
def test_same_agrees_with_scipys_images(problem):
    image, kernel, _, _ = problem
    np.testing.assert_allclose(
        correlate(image, kernel, "same"),
        ndimage.correlate(image, kernel, mode="constant"),
        atol=1e-12,
    )


@given(problem=problems())
def test_c1_convolution_commutes(problem):
    image, kernel, _, _ = problem
    np.testing.assert_allclose(convolve(image, kernel), convolve(kernel, image), atol=1e-12)


@given(problem=problems(axes=1))
def test_c1_convolution_is_its_sum(problem):
    x, w, _, _ = problem
    total = [
        sum(x[a] * w[t - a] for a in range(len(x)) if 0 <= t - a < len(w))
        for t in range(len(x) + len(w) - 1)
    ]
    np.testing.assert_allclose(convolve(x, w), total, atol=1e-12)
    np.testing.assert_allclose(convolve(x, w), np.convolve(x, w), atol=1e-12)


@given(problem=problems(axes=1))
def test_c2_polynomials_multiply_by_convolution(problem):
    alpha, beta, _, _ = problem
    product = polynomial_product(alpha, beta)
    # Not trimmed, where NumPy drops leading zeros of highest powers first.
    trimmed = np.polymul(alpha[::-1], beta[::-1])[::-1]
    np.testing.assert_allclose(product[: len(trimmed)], trimmed, atol=1e-12)
    assert not np.any(product[len(trimmed) :])


def test_c4_the_lectures_2x2_result_is_the_cross_correlation():
    random = np.random.default_rng(0)
    i, w = random.integers(-9, 10, (3, 3)), random.integers(-9, 10, (2, 2))
    printed = [
        [
            i[r, c] * w[0, 0]
            + i[r, c + 1] * w[0, 1]
            + i[r + 1, c] * w[1, 0]
            + i[r + 1, c + 1] * w[1, 1]
            for c in range(2)
        ]
        for r in range(2)
    ]
    np.testing.assert_array_equal(correlate(i, w, "valid"), printed)
    assert not np.array_equal(convolve(i, w, "valid"), printed)


@given(problem=problems(), mode=st.sampled_from(["full", "same", "valid"]))
def test_c4_a_flip_turns_the_one_into_the_other(problem, mode):
    image, kernel, stride, dilation = problem
    try:
        expected = correlate(image, np.flip(kernel), mode, stride, dilation)
    except StriateError:
        return
    np.testing.assert_array_equal(convolve(image, kernel, mode, stride, dilation), expected)


@given(problem=problems(), padding=st.integers(0, 3))
def test_c6_a_stride_keeps_every_so_many_th_output(problem, padding):
    image, kernel, stride, _ = problem
    pads = ((padding, padding + 1),) * image.ndim
    try:
        dense = correlate(image, kernel, pads)
    except StriateError:
        return
    strided = correlate(image, kernel, pads, stride)
    np.testing.assert_array_equal(strided, every(dense, stride))
    assert strided.shape == output_size(image.shape, kernel.shape, stride, pads)
    np.testing.assert_array_equal(correlate(padded(image, pads), kernel, "valid"), dense)


@given(
    problem=problems(axes=2),
    channels=st.integers(1, 3),
    filters=st.integers(1, 3),
    ours=st.sampled_from([convolve, correlate]),
)
def test_w5_a_colour_image_takes_one_layer_of_the_kernel_a_channel(
    problem, channels, filters, ours
):
    image, kernel, stride, dilation = problem
    factors = np.arange(1, channels + 1)
    colours = image[..., None] * factors
    layers = kernel[..., None] + factors
    arguments = ("full", stride, dilation)
    expected = sum(
        ours(colours[..., c], layers[..., c], *arguments).astype(float) for c in range(channels)
    )
    one_map = ours(colours, layers, *arguments, channels=True)
    np.testing.assert_allclose(one_map, expected, rtol=1e-12, atol=1e-10)
    stack = np.stack([layers * (f + 1) for f in range(filters)], axis=-1)
    maps = ours(colours, stack, *arguments, channels=True)
    assert maps.shape == (*expected.shape, filters)
    for f in range(filters):
        np.testing.assert_allclose(maps[..., f], expected * (f + 1), rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize(("size", "kernel", "stride"), [(8, 3, 2), (7, 4, 1), (9, 2, 3)])
def test_the_same_of_a_layer_is_had_by_its_padding(size, kernel, stride):
    """Keras puts the odd pixel at the end, SciPy at the beginning."""
    image = np.random.default_rng(1).integers(-5, 6, (size, size))
    weights = np.random.default_rng(2).integers(-5, 6, (kernel, kernel))
    layer = keras.ops.conv(
        image[None, ..., None].astype("float32"),
        weights[..., None, None].astype("float32"),
        stride,
        "same",
        "channels_last",
    )
    pads = padding_for(image.shape, kernel, stride)
    np.testing.assert_array_equal(correlate(image, weights, pads, stride), layer[0, ..., 0])


def test_whole_numbers_are_exact_where_float64_is_not():
    big = 2**53 + 1
    assert convolve([big, 1], [1, 0]).tolist() == [big, 1, 0]
    assert correlate([True, True], [2]).dtype == np.int64
    assert convolve(np.full(3, 255, np.uint8), np.full(2, 255, np.uint8)).max() == 2 * 255**2
    assert convolve([0.5], [2]).dtype == np.float64
    assert convolve(np.float32([0.1]), [1]).dtype == np.float64


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([2**62], [2]), r"can exceed 2\^63 - 1: give float64"),
        (([-(2**63)], [1]), r"can exceed 2\^63 - 1: give float64"),
        (([2**63], [1]), r"the image has whole numbers beyond 2\^63 - 1: give float64"),
        (([1j], [1]), "the image is of type complex128: give real numbers"),
        (([1], [None]), "the kernel is of type object: give real numbers"),
        (([], [1]), r"the image is empty, of shape \(0,\)"),
        ((1, 1), "both need the same number of axes, 1 or more"),
        (([[1]], [1]), r"a kernel of shape \(1,\) does not fit an image of shape \(1, 1\)"),
        (([1], [1], "vaild"), "mode 'vaild' is unknown: did you mean 'valid'"),
        (([1], [1, 2], "valid"), "no output remains: axis 0 has 1 pixels and 0 of padding"),
        (([1], [1], "full", 0), "stride must be 1 or more"),
        (([1], [1], "full", 1, 0), "dilation must be 1 or more"),
        (([1], [1], -1), "padding must be 0 or more"),
    ],
)
def test_mistakes_are_refused_in_one_line(arguments, words):
    for ours in (convolve, correlate):
        with pytest.raises(StriateError, match=words) as error:
            ours(*arguments)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("image", "kernel", "words"),
    [
        ((4, 4, 3), (2, 2, 1), "the image has 3 channels, the kernel 1: give one layer"),
        ((4, 4, 3), (2, 2), "with channels the image is"),
        ((4,), (2, 1), "with channels the image is"),
    ],
)
def test_channels_that_do_not_fit_are_refused(image, kernel, words):
    with pytest.raises(StriateError, match=words):
        correlate(np.ones(image), np.ones(kernel), channels=True)


def test_a_polynomial_is_one_row():
    with pytest.raises(StriateError, match="a polynomial is a row of coefficients"):
        polynomial_product([[1]], [1])
