"""The worked examples of the NTHU lecture, number by number."""

from __future__ import annotations

import numpy as np
import pytest

from striate.convolution import padding_example, steps, worked_example
from striate.data.ox import letter
from striate.errors import StriateError


def test_w1_the_feature_maps():
    o, x = worked_example("O"), worked_example("X")
    assert o.image.shape == x.image.shape == (6, 6)
    assert (o.kernel.tolist(), o.bias) == ([[0, 0, 1], [0, 1, 0], [1, 0, 0]], -2)
    assert o.feature_map.tolist() == [
        [1, -1, -2, -1],
        [-1, -2, -1, -2],
        [-2, -1, -2, -1],
        [-1, -2, -1, 1],
    ]
    for example in (o, x):
        *_, last = steps(example.image, example.kernel, example.bias)
        np.testing.assert_array_equal(last.output_map, example.feature_map)


def test_w1_the_images_are_those_that_the_data_set_begins_with():
    for name in "OX":
        np.testing.assert_array_equal(worked_example(name).image, letter(name, 6))


def test_w2_relu_and_pooling():
    o, x = worked_example("O"), worked_example("X")
    assert o.activated.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert o.max_pooled.tolist() == [[1, 0], [0, 1]]
    assert x.max_pooled.tolist() == [[0, 1], [1, 0]]
    assert o.average_pooled.tolist() == [[0.25, 0], [0, 0.25]]
    assert x.average_pooled.tolist() == [[0, 0.5], [0.5, 0]]
    assert o.flattened.tolist() == [1, 0, 0, 1]


def test_w4_zero_padding_keeps_the_size_and_two_entries_are_misprints():
    example = padding_example()
    printed = [
        [-4, -5, -1, 3, -5, 5],
        [-10, -14, -1, 10, -1, 7],
        [-8, -11, -11, 7, 12, 8],
        [11, -7, -10, 1, 13, 13],
        [-6, 5, -16, -4, 10, 12],
        [-6, 4, -7, -1, 2, 8],
    ]
    assert example.feature_map.shape == example.image.shape
    differences = {
        (row, column): printed[row][column]
        for row, column in np.argwhere(example.feature_map != printed).tolist()
    }
    assert differences == example.misprints == {(3, 0): 11, (4, 4): 10}
    assert (example.feature_map[3, 0], example.feature_map[4, 4]) == (-11, 11)
    *_, last = steps(example.image, example.kernel, padding=example.padding)
    np.testing.assert_array_equal(last.output_map, example.feature_map)


def test_w5_strides_and_colours_step_by_step():
    image = np.random.default_rng(0).integers(0, 9, (7, 6, 3))
    kernel = np.random.default_rng(1).integers(-1, 2, (3, 3, 3))
    for step in steps(image, kernel, stride=2):
        row, column = step.position
        assert step.position == (2 * step.index[0], 2 * step.index[1])
        assert step.window.shape == (3, 3, 3)
        layers = [
            (image[row : row + 3, column : column + 3, c] * kernel[..., c]).sum() for c in range(3)
        ]
        assert step.output == sum(layers)
    assert step.count == 3 * 2


def test_another_letter_is_refused():
    with pytest.raises(StriateError, match="letter 'Y' is unknown: known: O, X"):
        worked_example("Y")
