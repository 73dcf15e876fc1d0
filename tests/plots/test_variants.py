"""Settings side by side, with their errors."""

import math

import pytest

from striate.errors import StriateError
from striate.plots import variants


def test_each_setting_has_a_point_and_its_error():
    figure = variants(
        {"one": (98.0, 0.1), "two": (99.0, math.nan)}, "accuracy (%)", bound=97.8, bound_name="b"
    )
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["one", "two"]
    assert [bars.has_xerr for bars in axes.containers] == [True, False]
    assert [bars.lines[0].get_xdata()[0] for bars in axes.containers] == [98.0, 99.0]
    assert axes.get_title(loc="left") == "dashed: b"


def test_no_setting_is_refused():
    with pytest.raises(StriateError, match="no setting"):
        variants({}, "accuracy")
