"""Ranges of values on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.cli import ranges
from striate.errors import StriateError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-5:1e1:7", [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0]),
        ("lin:0:0.5:6", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        ("lin:-1:1:3", [-1.0, 0.0, 1.0]),
        ("8,16,32", [8, 16, 32]),
        ("sgd,adam", ["sgd", "adam"]),
        ("0.1", 0.1),
        ("7", 7),
        ("adam", "adam"),
        ("true", True),
    ],
)
def test_ranges_lists_and_values(text, expected):
    found = ranges.values("--l2", text)
    assert found == expected
    assert type(found) is type(expected)


@given(st.floats(1e-8, 1e3), st.floats(1e-8, 1e3), st.integers(2, 50))
def test_ranges_are_those_of_numpy(low, high, count):
    np.testing.assert_allclose(
        ranges.spaced(low, high, count, linear=False), np.geomspace(low, high, count), rtol=1e-12
    )
    np.testing.assert_allclose(
        ranges.spaced(low, high, count, linear=True), np.linspace(low, high, count), rtol=1e-9
    )


@pytest.mark.parametrize(
    "text", ["1e-5:1e1", "1:2:3:4", "0:1:5", "-1:1:5", "1:2:1", "1:2:many", "a:b:3", "lin:1:2"]
)
def test_what_is_no_range_is_refused_in_one_line(text):
    with pytest.raises(StriateError, match=r"--l2 .* is no range.*lin:LOW:HIGH:N") as error:
        ranges.values("--l2", text)
    assert "\n" not in str(error.value)


def test_an_empty_value_is_refused():
    with pytest.raises(StriateError, match="nothing between two commas"):
        ranges.values("--l2", "0.1,")


def test_settings_hold_ranges():
    assert ranges.axes(["filters=5,10", "momentum=0.9"]) == {"filters": [5, 10], "momentum": 0.9}
    for pairs in (["filters"], ["5=3"], ["a=1", "a=2"]):
        with pytest.raises(StriateError, match="--set"):
            ranges.axes(pairs)
