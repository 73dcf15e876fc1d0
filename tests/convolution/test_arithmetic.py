"""Convolution arithmetic: the lecture's special cases, and the shapes that Keras gives."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras.src.ops import operation_utils

from striate.convolution import extent, output_size, padding_for, pooled_size
from striate.errors import StriateError
from striate.kernels import same_padding

sizes, kernels = st.integers(1, 60), st.integers(1, 11)


@given(i=sizes, k=kernels)
def test_c6_the_special_cases_at_stride_1(i, k):
    assert output_size(i + k, k) == i + k - k + 1
    assert output_size(i, k, padding=k) == i - k + 2 * k + 1
    assert output_size(i, 2 * k + 1, padding=k) == i  # half: an odd kernel, p = floor(k / 2)
    assert padding_for(i, 2 * k + 1) == (k, k)
    assert output_size(i, k, padding=k - 1) == i + k - 1
    assert padding_for(i, k, padding="full") == (k - 1, k - 1)
    assert output_size(i, k, padding="full") == i + k - 1


@given(i=sizes, k=kernels, s=st.integers(1, 6), p=st.integers(0, 5), d=st.integers(1, 3))
def test_c6_outputs_are_the_positions_that_fit(i, k, s, p, d):
    fitting = [at for at in range(0, i + 2 * p, s) if at + d * (k - 1) < i + 2 * p]
    if fitting:
        assert output_size(i, k, s, p, d) == len(fitting)
    else:
        with pytest.raises(StriateError, match="no output remains"):
            output_size(i, k, s, p, d)


@given(i=sizes, k=kernels, s=st.integers(1, 6))
def test_c6_pooling_arithmetic(i, k, s):
    assert pooled_size(i * k, k) == i
    assert pooled_size(i + k, k, s) == i // s + 1
    assert pooled_size((i + k, i * k), k) == ((i + k) // k, i)


@given(
    i=st.tuples(sizes, sizes),
    k=st.tuples(kernels, kernels),
    s=st.tuples(*[st.integers(1, 4)] * 2),
    d=st.tuples(*[st.integers(1, 3)] * 2),
)
def test_same_is_the_same_as_in_the_kernels(i, k, s, d):
    pads = padding_for(i, k, s, "same", d)
    assert pads == same_padding(i, k, s, d)
    assert output_size(i, k, s, pads, d) == output_size(i, k, s, "same", d)
    assert output_size(i, k, s, "same", d) == tuple(
        -(-n // step) for n, step in zip(i, s, strict=1)
    )


def random_settings(count):
    """Yield sizes, kernels, strides, paddings and dilations, of one to three axes."""
    random = np.random.default_rng(0)
    for number in range(count):
        axes = number % 3 + 1
        size, kernel = random.integers(1, 40, axes), random.integers(1, 12, axes)
        stride, dilation = np.ones(axes, int), np.ones(axes, int)
        if number % 2:  # Keras refuses both above 1
            stride = random.integers(1, 6, axes)
        else:
            dilation = random.integers(1, 5, axes)
        padding = ("valid", "same")[random.integers(2)]
        yield *(tuple(v.tolist()) for v in (size, kernel, stride, dilation)), padding


def test_c6_sizes_are_those_of_keras_for_ten_thousand_settings():
    """Or neither has an output. Also with the padding given in numbers, on a padded image."""
    empty = 0
    for size, kernel, stride, dilation, padding in random_settings(10_000):
        shape = (None, *size, 1)
        try:
            expected = operation_utils.compute_conv_output_shape(
                shape, 1, kernel, stride, padding, "channels_last", dilation
            )[1:-1]
        except ValueError:
            empty += 1
            with pytest.raises(StriateError, match="no output remains"):
                output_size(size, kernel, stride, padding, dilation)
            continue
        assert output_size(size, kernel, stride, padding, dilation) == expected
        pads = padding_for(size, kernel, stride, padding, dilation)
        assert output_size(size, kernel, stride, pads, dilation) == expected
    assert 500 < empty < 5000


def test_c6_sizes_are_those_of_keras_layers():
    convolutions = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
    poolings = (keras.layers.MaxPooling1D, keras.layers.AveragePooling2D, keras.layers.MaxPooling3D)
    for size, kernel, stride, dilation, padding in random_settings(300):
        if any(n < extent(k, d) for n, k, d in zip(size, kernel, dilation, strict=True)):
            continue
        axes, shape = len(size), (None, *size, 1)
        layer = convolutions[axes - 1](
            1, kernel, strides=stride, dilation_rate=dilation, padding=padding
        )
        expected = layer.compute_output_shape(shape)[1:-1]
        assert output_size(size, kernel, stride, padding, dilation) == expected
        layer = poolings[axes - 1](kernel, strides=stride, padding=padding)
        expected = layer.compute_output_shape(shape)[1:-1]
        assert pooled_size(size, kernel, stride, padding) == expected


def test_numbers_come_back_as_they_went_in():
    assert output_size(np.int64(28), 3) == 26
    assert output_size((28,), 3) == (26,)
    assert output_size(np.array([28, 20]), [3, 5]) == (26, 16)
    assert output_size(10, 3, padding=(1, 0)) == 9
    assert output_size((10,), 3, padding=((1, 0),)) == (9,)
    assert padding_for(10, 3, padding=(1, 0)) == (1, 0)
    assert padding_for((10, 8), 3, padding=(1, 0)) == ((1, 1), (0, 0))
    assert pooled_size((10, 8), (2, 3), (1, 2)) == (9, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((5, 6), "no output remains: axis 0 has 5 pixels and 0 of padding, the kernel spans 6"),
        (((9, 5), 3, 1, ((0, 0), (1, 1)), 4), "axis 1 has 5 pixels and 2 of padding, .* spans 9"),
        ((0, 1), "image size must be 1 or more, not 0"),
        ((5, 0), "kernel size must be 1 or more, not 0"),
        ((5, 3, 0), "stride must be 1 or more, not 0"),
        ((5, 3, 1, -1), "padding must be 0 or more, not -1"),
        ((5, 3, 1, "half"), "padding 'half' is unknown: known: full, same, valid"),
        ((5, 3, 1, 0, 0), "dilation must be 1 or more, not 0"),
        ((5.5, 3), "image size must be a whole number, not 5.5"),
        (("55", 3), "image size must be a whole number, not '5'"),
        (((), 3), "the image has no axis"),
        (((5, 5), (3, 3, 3)), r"kernel size \(3, 3, 3\) has 3 numbers for 2 axes"),
        (((5, 5), 3, 1, (1, 1, 1)), r"padding \(1, 1, 1\) has 3 entries for 2 axes"),
        ((5, 3, 1, (1, 1, 1)), r"padding \(1, 1, 1\) has 3 entries for 1 axis"),
        ((5, 3, 1, ((1, 1), (1, 1))), r"padding must be a whole number, not \(1, 1\)"),
        ((5, None), "kernel size must be a whole number, not None"),
    ],
)
def test_mistakes_are_refused_in_one_line(arguments, words):
    with pytest.raises(StriateError, match=words) as error:
        output_size(*arguments)
    assert "\n" not in str(error.value)
