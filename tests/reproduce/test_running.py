"""Rows one after the other: their page, what is kept, and what happens when something fails."""

from __future__ import annotations

import json

import pytest

from striate import data
from striate.reproduce.row import Outcome, Row, holds
from striate.reproduce.running import Progress, count, reproduce
from striate.reproduce.table import choose
from striate.reproduce.workbench import Settings, Watching

ONE = Settings(seeds=1, quick=True)


class Told(Progress):
    def __init__(self):
        self.rows, self.kept = [], []

    def on_row(self, row, number, count):
        self.rows.append((row.key, number, count))

    def on_result(self, result, *, kept):
        self.kept.append(kept)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("made")
    rows = choose(None, ["C4", "W1", "N16"])
    return place, rows, *reproduce(rows, place, title="Some <rows>", settings=ONE)


def test_the_page_has_rows_figures_checks_and_pictures(made):
    place, _, results, page = made
    assert [result.state for result in results] == ["passed", "named", "passed"]
    text = page.read_text(encoding="utf-8")
    assert page == place / "lectures.html"
    assert "Some &lt;rows&gt;" in text
    assert "2 of 2 rows" in text
    for words in (
        "printed 2x2 result",
        'id="C4"',
        'href="#W1"',
        "PHYS591000, NTHU, CNN, 2022",
        "holds",
        "striate reproduce --rows C4,N16,W1 --quick",
        "only named",
    ):
        assert words in text
    assert text.count("data:image/png;base64,") == 2
    assert "http" not in text.replace("http-equiv", "")
    assert str(place) not in text
    assert (place / "figures" / "C4-flip.pdf").is_file()


def test_the_numbers_are_json(made):
    place, *_ = made
    told = json.loads((place / "lectures.json").read_text(encoding="utf-8"))
    assert told["counts"] == {"passed": 2, "failed": 0, "no data": 0, "named": 1}
    assert [row["key"] for row in told["rows"]] == ["C4", "N16", "W1"]
    assert told["rows"][0]["outcome"]["checks"][0]["passed"] is True
    assert told["rows"][0]["lecture_figure"].startswith("3x3 image")


def test_a_row_that_was_done_with_the_same_settings_is_kept(made):
    place, rows, results, _ = made
    told = Told()
    again, _ = reproduce(rows, place, title="Again", settings=ONE, progress=told)
    assert told.rows == [("C4", 1, 3), ("N16", 2, 3), ("W1", 3, 3)]
    assert told.kept == [True, False, True]
    assert [result.seconds for result in again] == [result.seconds for result in results]


def test_other_settings_or_a_lost_picture_make_a_row_run_again(made, tmp_path):
    place, rows, *_ = made
    for name in ("rows/W1.json", "rows/C4.json", "figures/W1-convolution.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((place / name).read_bytes())
    told = Told()
    rows = [row for row in rows if row.key == "W1"]
    reproduce(rows, tmp_path, title="t", settings=Settings(seeds=2, quick=True), progress=told)
    (tmp_path / "figures" / "W1-convolution.png").unlink()
    reproduce(rows, tmp_path, title="t", settings=Settings(seeds=2, quick=True), progress=told)
    assert told.kept == [False, False]


def test_without_data_and_network_a_row_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.delenv("STRIATE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tried = []

    def fetch(name):
        tried.append(name)
        # A port that nobody listens on: refused at once, whether there is a network or not.
        return data.fetch(name, addresses=["http://127.0.0.1:9/"])

    results, page = reproduce(
        choose(None, ["N1", "N7b", "N16"]), tmp_path, title="t", settings=ONE,
        watching=Watching(fetch=fetch),
    )  # fmt: skip
    assert [result.state for result in results] == ["no data", "no data", "named"]
    assert count(results)["passed"] == 0
    assert tried == ["mnist"]
    text = page.read_text(encoding="utf-8")
    assert "0 of 2 rows" in text
    assert "striate data fetch mnist" in text
    assert "127.0.0.1" in results[0].reason
    assert not (tmp_path / "rows").exists()


def test_a_row_that_fails_says_why_and_the_others_go_on(tmp_path):
    def broken(_):
        raise RuntimeError("a kernel is missing")

    def wrong(_):
        return Outcome("7", [holds("half of it", False, "7", "8"), holds("the other", True, "1")])

    rows = [
        Row("C1", ("oslo",), "breaks", "1", broken),
        Row("C2", ("oslo",), "is wrong", "8", wrong),
        Row("C3", ("oslo",), "compares nothing", "8", lambda _: Outcome("7", [])),
        Row("C4", ("oslo",), "is right", "8", _right),
    ]
    results, page = reproduce(rows, tmp_path, title="t", name="oslo", settings=ONE)
    assert [result.state for result in results] == ["failed", "failed", "failed", "passed"]
    assert results[0].reason == "RuntimeError: a kernel is missing (see C1.log in rows/)"
    assert "a kernel is missing" in (tmp_path / "rows" / "C1.log").read_text()
    assert results[1].reason == "half of it: 7, but must be 8."
    assert results[2].reason == "Nothing was compared."
    text = page.read_text(encoding="utf-8")
    assert "1 of 4 rows" in text
    assert "does not hold" in text
    # What did not pass is not kept.
    told = Told()
    reproduce(rows, tmp_path, title="t", name="oslo", settings=ONE, progress=told)
    assert told.kept == [False, False, False, True]


def _right(_):
    return Outcome("8", [holds("all of it", True, "8", "8")], notes=["8 < 9"])
