"""Counts, durations, memory and arithmetic in words."""

import pytest

from striate.quantities import count, memory, operations, plural, seconds


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (seconds(0.0123456), "12.3 ms"),
        (seconds(12.3456), "12.3 s"),
        (seconds(125.4), "2 min 5 s"),
        (seconds(7384), "2 h 3 min"),
        (memory(812_000_000), "774 MiB"),
        (memory(3 * 2**30), "3.00 GiB"),
        (operations(1_800_000), "1.8 MFLOP"),
        (operations(12), "12 FLOP"),
        (count(1797), "1,797"),
        (count(1234.56789), "1,235"),
        (count(0.123456), "0.1235"),
        (count(float("nan")), "–"),
        (plural(1, "image"), "1 image"),
        (plural(2, "class", "classes"), "2 classes"),
        (seconds(119.96), "120 s"),
        (seconds(1512), "25 min 12 s"),
        (seconds(float("nan")), "–"),
    ],
)
def test_quantities(made: str, expected: str) -> None:
    assert made == expected
