"""Searches from the command line."""

from __future__ import annotations

import json

import pytest

from striate.cli.search import axis
from striate.errors import StriateError

pytest.importorskip("optuna", reason="the extra 'cluster' is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.mark.parametrize(
    ("text", "low", "high", "log", "whole"),
    [
        ("1e-5:1e1", 1e-5, 10.0, True, False),
        ("4:64", 4, 64, True, True),
        ("lin:0:0.5", 0, 0.5, False, False),
        ("lin:0:8", 0, 8, False, True),
    ],
)
def test_two_numbers_are_any_between(text, low, high, log, whole):
    found = axis("--l2", text)
    assert (found.low, found.high, found.log, found.whole) == (low, high, log, whole)


def test_the_rest_is_what_it_is_for_a_grid():
    assert axis("--l2", "1e-2:1e0:3") == [0.01, 0.1, 1.0]
    assert axis("--set optimizer", "sgd,adam") == ["sgd", "adam"]
    assert axis("--l2", "0.1") == 0.1
    with pytest.raises(StriateError, match=r"--l2 0:1: .*begin above 0"):
        axis("--l2", "0:1")


def test_it_ends_with_the_best_and_goes_on_when_asked(striate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--learning-rate", "1e-3:1e-1", "--set", "filters=2,3", "--trials", "3"]
    words += ["--at-once", "2", "--epochs", "2", "--halving", "2", "--least-epochs", "1"]
    status, out, err = striate("search", "ox", *words, "--json")
    assert status == 0, err
    found = json.loads(out)
    assert len(found["proposals"]) == 3
    assert found["best"] in found["proposals"]
    assert "2 networks, 1 goes on; best" in err
    (directory,) = (tmp_path / "runs").iterdir()
    assert json.loads((directory / "scan.json").read_text())["command"].startswith(
        "striate search ox --model nthu_ox --learning-rate 1e-3:1e-1 --epochs 2"
    )
    status, out, err = striate("search", "--resume", str(directory))
    assert status == 0
    assert "nothing to go on with" in err
    assert "3 networks" in out
    status, out, _ = striate("runs")
    assert "finished" in out
    assert "3/3" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "needs a dataset"),
        (["ox", "--resume", "x"], "leave out dataset and settings"),
        (["ox", "--set", "filters"], "write NAME=RANGE"),
        (["ox", "--l2", "0.1", "--set", "l2=0.1"], "set twice"),
        (["ox", "--learning-rate", "0.1"], "something to vary"),
    ],
)
def test_a_wrong_call_is_one_line(striate, words, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = striate("search", *words)
    assert status == 2
    assert complaint in err.splitlines()[-1]
