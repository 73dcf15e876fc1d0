"""Numbers and sentences as a reader wants them."""

import pytest

from striate.evaluation import Estimate
from striate.report import words
from striate.report.markup import Html, facts, join, table, tag


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (words.decimal(0.98765), "0.9877"),
        (words.decimal(float("inf")), "–"),
        (words.share(0.97777), "97.8\N{NO-BREAK SPACE}%"),
        (words.moment("2026-11-20T10:55:29.123456+00:00"), "2026-11-20 10:55:29 UTC"),
        (words.moment("yesterday"), "yesterday"),
        (words.setting(None), "none"),
        (words.setting(True), "yes"),
        (words.setting(0.0010000000474974513), "0.001"),
        (words.setting({"a": [1, 2.5], "b": {}}), "a 1, 2.5, b none"),
        (words.setting([]), "none"),
        (words.sentence("-0.01 +- 0.02, x-1, 5% and 7 %"), "−0.01 ± 0.02, x-1, 5\xa0% and 7\xa0%"),
    ],
)
def test_words(made: str, expected: str) -> None:
    assert made == expected


def test_an_interval_has_the_digits_that_it_supports() -> None:
    wide, narrow = Estimate(0.95, 0.93, 0.97), Estimate(0.95, 0.949, 0.951)
    assert words.interval(wide) == "93.0\xa0% to 97.0\xa0%"
    assert words.interval(narrow) == "94.90\xa0% to 95.10\xa0%"


def test_sizes() -> None:
    assert words.sizes((26, 26.0, None)).replace("\xa0", " ") == "26 × 26 × ?"
    assert words.sizes(None) == "–"


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "a < b & c", tag("b", "<")) == "<p>a &lt; b &amp; c<b>&lt;</b></p>"
    assert tag("img", alt='"quoted" <&>') == '<img alt="&quot;quoted&quot; &lt;&amp;&gt;">'
    assert tag("p", None, 1.5, class_="x", aria_label=None) == '<p class="x">1.5</p>'
    assert isinstance(join(["<", Html("<br>")]), Html)
    assert join(["<", Html("<br>")]) == "&lt;<br>"


def test_what_is_made_of_markup_and_text_is_text_again() -> None:
    """Only the builders make markup: adding to it, or formatting it, gives text to be escaped."""
    made = tag("b", "x")
    assert not isinstance(made + "<i>", Html)
    assert not isinstance(f"{made}<i>", Html)


def test_tables_and_facts_escape_their_cells() -> None:
    made = table("<caption>", ["<", "b"], [["<row>", "<cell>"]])
    assert "<row>" not in made
    assert "<cell>" not in made
    assert "<caption>&lt;caption&gt;</caption>" in made
    assert "<dd>&lt;v&gt;</dd>" in facts([("k", "<v>")])
