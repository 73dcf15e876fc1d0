"""Kernels by name and as typed."""

import numpy as np
import pytest

from striate.errors import StriateError
from striate.explain.kernels import KERNELS, kernel


@pytest.mark.parametrize("name", KERNELS)
def test_what_a_kernel_adds_up_to(name):
    weights = kernel(name)
    assert weights.shape == (3, 3)
    averages = {"identity", "shift", "blur", "binomial", "sharpen", "emboss"}
    expected = 3 if name == "diagonal" else float(name in averages)
    assert weights.sum() == pytest.approx(expected)


def test_the_gaussian_is_symmetric_and_adds_up_to_one():
    weights = kernel("gaussian")
    assert weights.shape == (5, 5)
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_array_equal(weights, weights.T)
    np.testing.assert_array_equal(weights, weights[::-1])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("1 0 -1; 1 0 -1; 1 0 -1", [[1, 0, -1]] * 3),
        ("1,2;3,4;", [[1, 2], [3, 4]]),
        ("1/4 .5; −1 2.", [[0.25, 0.5], [-1, 2]]),
        ("7", [[7]]),
        ("1 0; 0 1 | 2 2; 2 2 | 0 0; 0 0", [[[1, 2, 0], [0, 2, 0]], [[0, 2, 0], [1, 2, 0]]]),
    ],
)
def test_typed_kernels(word, expected):
    np.testing.assert_array_equal(kernel(word), expected)


def test_whole_numbers_stay_whole():
    assert kernel("1 2; 3 4").dtype == np.int64
    assert kernel("1 2; 3 1/2").dtype == np.float64


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("sobl", "did you mean 'sobel'"),
        ("", "unknown kernel"),
        ("1 2; 3", "row 2 has 1 numbers, row 1 has 2"),
        ("1 two", "'two' is no number"),
        ("1e999999999", "is no number"),
        ("1/0", "is no number"),
        ("nan 1", "is no number"),
        ("1; ;2", "row 2 has 0 numbers"),
        ("1 2 | 1", "differ in shape"),
        ("9999999 1", "too large"),
        ("; ".join(["1"] * 12), "up to 11 x 11"),
    ],
)
def test_a_wrong_kernel_is_one_line(word, words):
    with pytest.raises(StriateError, match=words) as raised:
        kernel(word)
    assert "\n" not in str(raised.value)
