"""Numbers in cells: decimals, sizes, shades that stay apart in grey."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from striate.explain.scenes.cells import SMALLEST, Numbers, Table, decimals, number, rounded
from striate.explain.scenes.shapes import Box, Words


@pytest.mark.parametrize(
    ("values", "shown", "text"),
    [
        ([1, -2], 0, "−2"),
        ([0.5, 2], 1, "2.0"),
        ([1 / 3, -1 / 9], 2, "−0.11"),
        ([0.001, 0.01], 3, "0.010"),
        ([1234.5678], 1, "1234.6"),
        ([np.nan, 3], 0, "3"),
        ([-0.0004, 5], 2, "5.00"),
    ],
)
def test_decimals_are_as_many_as_needed(values, shown, text):
    assert decimals(values) == shown
    assert number(values[-1], shown) == text


def test_nothing_is_negative_zero_and_rounding_is_noticed():
    assert number(-0.0004, 2) == "0.00"
    assert number(np.nan, 2) == ""
    assert rounded(2, [0.25, np.nan], [1 / 3])
    assert not rounded(2, [0.25, np.nan])


def test_numbers_fit_their_cells_or_are_not_written():
    values = np.array([[-123.4, 0.0], [5.0, 6.0]])
    for side in (0.5, 0.3, 0.1):
        numbers = Numbers(Table(0, 0, 2, 2, side), values)
        assert numbers.size == 0 or numbers.size >= SMALLEST
        for shape in numbers.draw(values):
            if isinstance(shape, Words):
                assert shape.width <= 0.96 * side
    assert not numbers.written
    assert not any(isinstance(shape, Words) for shape in numbers.draw(values))


def test_darker_is_larger_in_grey_and_numbers_stand_out():
    values = np.linspace(0, 1, 21)[None]
    shapes = Numbers(Table(0, 0, 1, 21, 0.5), values).draw(values)
    grey = [_luminance(shape.fill) for shape in shapes if isinstance(shape, Box)]
    assert all(np.diff(grey) < 0)
    for box, words in zip(shapes[::2], shapes[1::2], strict=True):
        light, dark = sorted((_luminance(box.fill), _luminance(words.colour)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3.8


def test_what_is_not_computed_yet_is_an_empty_cell():
    box, words = Numbers(Table(0, 0, 1, 1, 0.5), [[1.0]]).draw([[np.nan]])
    assert (box.fill, words.text) == ("#ffffff", "")


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
