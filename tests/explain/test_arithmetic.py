"""Each panel states the formula of its case, and what Keras's layers give (row C6)."""

import pytest

from striate.errors import StriateError
from striate.explain.arithmetic import arithmetic


def test_c6_the_six_cases_with_their_formulas():
    picture = arithmetic()
    texts = picture.scenes[0].texts
    for heading, formula in (
        ("valid: no padding: 4 × 4", "o = ⌊(6 + 2·0 − 3) / 1⌋ + 1 = 4"),
        ("half (same) padding: 6 × 6", "o = ⌊(6 + 2·1 − 3) / 1⌋ + 1 = 6"),
        ("full padding: 8 × 8", "o = ⌊(6 + 2·2 − 3) / 1⌋ + 1 = 8"),
        ("stride 2: 2 × 2", "o = ⌊(6 + 2·0 − 3) / 2⌋ + 1 = 2"),
        ("stride 2, padding 1: 3 × 3", "o = ⌊(6 + 2·1 − 3) / 2⌋ + 1 = 3"),
        ("dilation 2: 2 × 2", "o = ⌊(6 + 2·0 − 5) / 1⌋ + 1 = 2"),
    ):
        assert heading in texts
        assert formula in texts
    assert len(picture.scenes) == 64


def test_axes_that_differ_have_a_formula_each():
    texts = arithmetic((7, 5), (3, 2)).scenes[0].texts
    assert "half (same) padding: 7 × 5" in texts
    assert "o = ⌊(5 + (0 + 1) − 2) / 1⌋ + 1 = 5" in texts


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(StriateError, match="drawn up to 12 and 7"):
        arithmetic((13, 13))
    with pytest.raises(StriateError, match="no output remains"):
        arithmetic((4, 4), (3, 3))
