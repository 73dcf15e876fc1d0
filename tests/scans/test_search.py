"""Searches: what is proposed, who goes on, and that a kill changes nothing."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest

import striate as st
from striate.errors import StriateError
from striate.scans import Between, ScanObserver, SearchResult, list_scans, resume, resume_search
from striate.scans.proposals import Study, rungs, shown, surviving

optuna = pytest.importorskip("optuna", reason="the extra 'cluster' is not installed")
# SQLAlchemy keeps connections in its pool until they are collected.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

RANGES = {"learning_rate": Between(1e-3, 1.0), "l2": Between(1e-6, 1e-2)}


def search(folder, name, **given):
    settings = {"trials": 6, "at_once": 4, "epochs": 4, "batch_size": 60, "filters": 2}
    return st.scans.search(
        "oslo_digits",
        st.load("digits", limit=400),
        directory=folder,
        name=name,
        side_by_side=1,
        **{**settings, **RANGES, **given},
    )


@pytest.fixture(scope="module")
def halved(tmp_path_factory) -> SearchResult:
    """Six proposals in two batches: for one epoch, the better half for two, and so on to four."""
    return search(tmp_path_factory.mktemp("halved"), "search", reduction=2, least_epochs=1)


def test_half_go_on_from_rung_to_rung(halved):
    done = [row["epochs_done"] for row in halved.table()]
    assert halved.finished
    assert halved.config["rungs"] == [1, 2, 4]
    assert sorted(done[:4]) == [1, 1, 2, 4]
    assert set(done[4:]) <= {1, 2, 4}
    for cell, row in halved.rows.items():
        history = halved.histories[cell]
        assert len(history["loss"]) == row["epochs_done"]
        assert row["test_accuracy"] == pytest.approx(history["val_accuracy"][-1])
    first = [halved.histories[cell]["val_accuracy"][0] for cell in range(4)]
    stopped = [cell for cell in range(4) if done[cell] == 1]
    assert max(first[cell] for cell in stopped) <= min(
        first[cell] for cell in range(4) if cell not in stopped
    )


def test_what_goes_on_is_trained_as_if_nothing_had_been_stopped(halved, tmp_path):
    whole = search(tmp_path, "whole", trials=4)
    assert whole.cells == halved.cells[:4]
    for cell in range(4):
        assert whole.rows[cell]["epochs_done"] == 4
        for name, values in halved.histories[cell].items():
            expected = whole.histories[cell][name][: len(values)]
            # Programs of other sizes round otherwise; one image is worth 1/320.
            bound = {"atol": 0.004} if name.endswith("accuracy") else {"rtol": 1e-4}
            np.testing.assert_allclose(values, expected, **bound)


def test_the_data_base_tells_the_same(halved):
    (stored,) = (optuna.get_all_study_names(f"sqlite:///{halved.directory / 'search.db'}"),)
    assert stored == ["search"]
    study = optuna.load_study(
        study_name="search", storage=f"sqlite:///{halved.directory / 'search.db'}"
    )
    for trial, cell, row in zip(study.trials, halved.cells, halved.table(), strict=True):
        assert trial.params == cell
        complete = row["epochs_done"] == 4
        assert trial.state.name == ("COMPLETE" if complete else "PRUNED")
        assert trial.intermediate_values[row["epochs_done"]] == row["test_accuracy"]
    best = halved.best()
    assert best["test_accuracy"] == max(row["test_accuracy"] for row in halved.table())


def test_it_is_listed_with_the_scans(halved):
    (line,) = list_scans(halved.directory.parent)
    assert (line.state, line.cells_done, line.cells) == ("finished", 6, 6)


class Ends(ScanObserver):
    """Ends the process's part, without a word to anyone, at some rung."""

    def __init__(self, rung):
        self.left = rung

    def on_message(self, text):
        self.left -= 1
        if not self.left:
            raise SystemExit


@pytest.mark.parametrize("rung", [2, 5])
def test_a_search_that_was_ended_anywhere_finds_the_same(halved, rung, tmp_path):
    with pytest.raises(SystemExit):
        search(tmp_path, "search", reduction=2, least_epochs=1, observer=Ends(rung))
    (line,) = list_scans(tmp_path)
    assert (line.state, line.cells_done, line.cells) == ("interrupted", 0 if rung == 2 else 4, 6)
    found = resume_search(tmp_path / "search")
    for name in ("table.csv", "histories/block-000.json", "histories/block-004.json"):
        assert (found.directory / name).read_bytes() == (halved.directory / name).read_bytes()
    assert resume_search(tmp_path / "search").rows == found.rows


def test_grids_and_searches_are_not_mistaken(halved, tmp_path):
    with pytest.raises(StriateError, match="striate search --resume"):
        resume(halved.directory)
    config = json.loads((halved.directory / "scan.json").read_text())
    (tmp_path / "scan.json").write_text(json.dumps({**config, "kind": "grid"}))
    with pytest.raises(StriateError, match="is a grid, not a search"):
        resume_search(tmp_path)


def test_survivors_are_the_best_of_all_that_came_so_far():
    values = {10: 0.5, 11: 0.9, 12: 0.7, 13: math.nan}
    assert sorted(surviving(values, values, 2)) == [11]
    known = {1: 0.95, 2: 0.2, 3: 0.1, **values}
    # Of six, the three best: 0.95, 0.9, 0.7.
    assert sorted(surviving(values, known, 2)) == [11, 12]
    assert surviving(values, dict.fromkeys(range(5), 0.99) | values, 4) == [11]
    assert surviving({13: math.nan}, known, 2) == []


def test_each_rung_has_so_many_times_the_epochs():
    assert rungs(100, 3, 3) == (3, 9, 27, 81, 100)
    assert rungs(100, 3, None) == (100,)
    assert rungs(2, 5, 2) == (2,)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_studies_share_what_they_find_and_repeat_what_they_propose(sampler, tmp_path):
    axes = {**RANGES, "filters": Between(2, 64, whole=True), "optimizer": ["sgd", "adam"]}

    def study(place, seed=1):
        return Study(f"sqlite:///{tmp_path / place}.db", "s", axes, sampler, seed)

    one, other = study("shared"), study("shared")
    first, second = one.ask(2, 0), other.ask(2, 2)
    assert [number for number, _ in first + second] == [0, 1, 2, 3]
    one.report(0, 0.25, 3)
    other.report(2, 0.5, 3)
    assert one.values(3) == other.values(3) == {0: 0.25, 2: 0.5}
    for _, cell in first:
        assert 1e-3 <= cell["learning_rate"] <= 1.0
        assert isinstance(cell["filters"], int)
        assert cell["optimizer"] in axes["optimizer"]
    again = study("alone")
    assert again.ask(2, 0) == first
    # Nobody finished these; what asks once more gets them once more, under new numbers.
    again.again(0)
    again.again(1)
    assert study("alone").ask(2, 0) == [(2, first[0][1]), (3, first[1][1])]
    assert study("elsewhere", seed=2).ask(2, 0) != first


def test_a_password_is_shown_to_nobody():
    assert shown("postgresql://ann:secret@host/base") == "postgresql://ann:***@host/base"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"learning_rate": 0.1, "l2": 0.0}, "something to vary"),
        ({"trials": 0}, "trials must be a whole number from 1"),
        ({"reduction": 1}, "reduction must be a whole number from 2"),
        ({"sampler": "tpf"}, "did you mean 'tpe'"),
        ({"epochs": [1, 2]}, "epochs cannot be searched"),
        ({"storage": "sqlite:////none/where.db"}, "the search cannot use sqlite:////none/where.db"),
        ({"storage": "postgresql://a:secret@b/c"}, r"cannot use postgresql://a:\*\*\*@b/c without"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_line(given, message, tmp_path):
    with pytest.raises(StriateError, match=message) as refused:
        search(tmp_path, "search", **given)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ((1.0, 1.0), "there is no number"),
        ((0.0, 1.0), "begin above 0"),
        ((0.5, 8, True, True), "no whole numbers"),
        ((1.0, math.inf), "there is no number"),
    ],
)
def test_what_is_no_range_is_refused(ends, message):
    with pytest.raises(StriateError, match=message):
        Between(*ends)


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(StriateError, match=r"needs optuna.*pip install 'striate\[cluster\]'"):
        Study("sqlite://", "s", RANGES, "random", 0)
