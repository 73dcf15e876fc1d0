"""The steps of a convolution: what is under the window, and what is drawn of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from striate.convolution import padded, steps, worked_example
from striate.errors import StriateError

LETTER_O, DIAGONAL = worked_example("O").image, worked_example("O").kernel


def test_w1_the_first_steps_of_the_worked_example():
    first, second, third, *_ = steps(LETTER_O, DIAGONAL, bias=-2)
    assert first.window.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert first.products.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert [(s.sum, s.bias, s.output) for s in (first, second, third)] == [
        (3, -2, 1),
        (1, -2, -1),
        (0, -2, -2),
    ]
    assert (first.index, second.index, third.position) == ((0, 0), (0, 1), (0, 2))


def test_the_map_fills_up_and_earlier_steps_keep_theirs():
    all_steps = list(steps(LETTER_O, DIAGONAL))
    for number, step in enumerate(all_steps):
        assert (step.number, step.count) == (number, 16)
        assert np.isnan(step.output_map).sum() == 15 - number
        assert step.output_map[step.index] == step.output


def test_whole_numbers_stay_whole_and_others_do_not():
    step = next(steps(np.eye(2, dtype=np.uint8), [[1]]))
    assert isinstance(step.output, int)
    assert isinstance(next(steps(np.eye(2), [[1]], bias=1)).output, float)
    assert next(steps([[1]], [[1]], bias=0.5)).output == 1.5


@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 2),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    channels=st.none() | st.integers(1, 3),
    flip=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_last_map_agrees_with_scipy(
    size, kernel, stride, padding, dilation, channels, flip, seed
):
    random = np.random.default_rng(seed)
    layers = () if channels is None else (channels,)
    image = random.integers(-9, 10, (*size, *layers))
    weights = random.integers(-9, 10, (*kernel, *layers))
    surrounded = np.pad(image, (*padding, *((0, 0) for _ in layers)))
    spread = np.zeros((*((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)), *layers))
    spread[:: dilation[0], :: dilation[1]] = weights[::-1, ::-1] if flip else weights
    if any(np.less(surrounded.shape, spread.shape)):
        with pytest.raises(StriateError, match="no output remains"):
            steps(image, weights, 0, stride, padding, dilation, flip=flip)
        return
    expected = signal.correlate(surrounded, spread, "valid", method="direct")
    expected = expected.reshape(expected.shape[:2])[:: stride[0], :: stride[1]]
    *_, last = steps(image, weights, 5, stride, padding, dilation, flip=flip)
    np.testing.assert_array_equal(last.output_map, expected + 5)
    assert last.window.shape == weights.shape
    top, left = last.position
    taps = surrounded[top:, left:][:: dilation[0], :: dilation[1]][: kernel[0], : kernel[1]]
    np.testing.assert_array_equal(last.window, taps)


def test_padded_leaves_channels_alone():
    image = np.ones((2, 3, 4), int)
    assert padded(image, ((1, 0), (0, 2)), channels=True).shape == (3, 5, 4)
    assert padded(image, 1).shape == (4, 5, 6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"stride": 0}, "stride must be 1 or more, not 0"),
        ({"stride": 1.5}, "stride must be a whole number, not 1.5"),
        ({"stride": (1, 1, 1)}, r"stride \(1, 1, 1\) has 3 numbers for 2 axes"),
        ({"padding": -1}, "padding must be 0 or more, not -1"),
        ({"padding": "sane"}, "padding 'sane' is unknown: did you mean 'same'"),
        ({"padding": ((1, 2, 3), 1)}, r"padding \(1, 2, 3\) of one axis has 3 numbers"),
        ({"dilation": 0}, "dilation must be 1 or more, not 0"),
        ({"dilation": 3}, "no output remains: axis 0 has 6 pixels and 0 of padding, the kernel"),
        ({"kernel": [1, 2]}, r"kernel \(2,\) over an image \(6, 6\) cannot be shown"),
        ({"kernel": [[1], [2, 3]]}, "the kernel is ragged"),
        ({"kernel": []}, r"the kernel is empty, of shape \(0,\)"),
        ({"kernel": [["a"]]}, "the kernel is of type <U1: give real numbers"),
        ({"kernel": [[2**62]] * 2}, "can exceed 2\\^63 - 1: give float64"),
        ({"kernel": [[2**70]]}, "the kernel is of type object"),
        ({"image": np.ones((6, 6), complex)}, "the image is of type complex128"),
        ({"image": np.ones((6, 6, 3)), "kernel": np.ones((3, 3, 1))}, "has 3 channels, the kern"),
    ],
)
def test_mistakes_are_refused_before_the_first_step_in_one_line(arguments, words):
    with pytest.raises(StriateError, match=words) as error:
        steps(**{"image": LETTER_O, "kernel": DIAGONAL} | arguments)
    assert "\n" not in str(error.value)


def test_padded_asks_for_numbers():
    with pytest.raises(StriateError, match="padding 'same' depends on the kernel"):
        padded(LETTER_O, "same")
