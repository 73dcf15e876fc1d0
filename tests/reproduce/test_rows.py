"""Every row of mathematics passes; those that train run, on little data, through the same code."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from striate.errors import StriateError
from striate.reproduce.lectures import LECTURES
from striate.reproduce.networks import elsewhere
from striate.reproduce.row import Result, at_least, close, equals, mean_of, percent
from striate.reproduce.table import ROWS, choose

BY_KEY = {row.key: row for row in ROWS}
# A training on so little cannot reach these, and the stand-in has other labels.
NEEDS_TRAINING = re.compile(
    "accuracy|verdict|predictions|the least|the best|against|first 25|falls|their labels"
)


def outcome(bench, key):
    return BY_KEY[key].run(bench)


@pytest.mark.parametrize("key", [row.key for row in ROWS if row.key[0] in "CW"])
def test_a_row_of_mathematics_passes(whole, key):
    found = outcome(whole, key)
    assert found.checks
    assert [check for check in found.checks if not check.passed] == []
    assert found.pictures
    assert found.ours


@pytest.mark.parametrize(
    "key",
    ["N1", "N2", "N4", "N7a", "N7b", "N7c", "N7e", "N8", "N10", "N11", "N12", "N13", "N15", "B1a"],
)
def test_a_row_that_trains_runs(bench, key):
    found = outcome(bench, key)
    wrong = [c for c in found.checks if not c.passed and not NEEDS_TRAINING.search(c.what)]
    assert wrong == []
    assert found.checks
    # All of it goes into files.
    written = json.loads(json.dumps(Result(key, "passed", "why", found, 1.0).as_dict()))
    assert Result.of(written).outcome.ours == found.ours


def test_the_trainings_are_shared_and_kept(bench):
    outcome(bench, "N1")
    first = {
        path: path.stat().st_mtime_ns for path in bench.directory.glob("trainings/*/*/*.keras")
    }
    assert any("mnist-heidelberg-" in str(path) for path in first)
    outcome(bench, "N1")
    again = {
        path: path.stat().st_mtime_ns for path in bench.directory.glob("trainings/*/*/*.keras")
    }
    assert again == first


def test_a_bound_that_is_missed_is_told(bench):
    found = outcome(bench, "N1")
    check = next(check for check in found.checks if "accuracy" in check.what)
    assert check.passed == (found.values["accuracy"]["mean"] >= 0.978)
    assert check.expected == "at least 97.8 %"


def test_the_wrong_channel_axis_is_shown_with_its_error(bench):
    check = next(c for c in outcome(bench, "N12").checks if "(n, 8, 1, 8)" in c.what)
    assert check.passed
    assert "np.moveaxis(x, 2, -1)" in check.ours


def test_the_same_training_in_a_process_on_a_named_platform(bench, tmp_path):
    config = {
        "training": {"epochs": 1, "batch_size": 100},
        "dataset": {"load": {"name_or_path": "digits"}},
        "model": {"name": "oslo_digits"},
    }
    assert elsewhere(bench, "cpu", config)["images_per_second"] > 0
    config["model"]["name"] = "oslo_digit"
    with pytest.raises(StriateError, match=r"training on cpu: .*did you mean 'oslo_digits'"):
        elsewhere(bench, "cpu", config)


def test_rows_are_those_of_the_lectures():
    assert [row.key for row in ROWS] == sorted(BY_KEY, key=lambda key: (
        key[0], int(re.search(r"\d+", key)[0]), key
    ))  # fmt: skip
    expected = {f"C{n}" for n in range(1, 10)} | {f"W{n}" for n in range(1, 6)}
    expected |= {f"N{n}" for n in range(1, 17) if n != 7} | {f"N7{part}" for part in "abcde"}
    assert expected <= set(BY_KEY)
    for row in ROWS:
        assert set(row.lectures) <= set(LECTURES)
        assert row.title
        assert row.figure
    assert [row.key for row in ROWS if row.run is None] == ["N16"]


def test_choosing_rows():
    assert [row.key for row in choose("isgc")] == ["C8", "C9", "N10", "N11", "N15", "N16"]
    assert [row.key for row in choose(None, ["N7", "w1"])] == [
        "N7a", "N7b", "N7c", "N7d", "N7e", "W1"
    ]  # fmt: skip
    assert [row.key for row in choose("nthu", ["W"])] == ["W1", "W2", "W3", "W4", "W5"]
    with pytest.raises(StriateError, match="there is no lecture 'olso': did you mean 'oslo'"):
        choose("olso")
    for key in ("N1x", "", "N100"):
        with pytest.raises(StriateError, match="there is no row"):
            choose("oslo", [key])


def test_checks_compare():
    assert equals("a", np.arange(3), [0, 1, 2]).passed
    assert not equals("a", np.arange(3), [0, 1, 3]).passed
    assert not equals("a", np.arange(3), [0, 1]).passed
    assert close("a", [1.0, 2.0], [1.0, 2.1], 0.11).passed
    assert not close("a", [1.0, math.nan], [1.0, 2.0], 1.0).passed
    mean = mean_of([0.978, 0.980])
    assert percent(mean) == "97.90 +- 0.10 % (2 seeds)"
    assert percent(mean_of([0.5])) == "50.00 % (1 seed)"
    assert at_least("a", mean, 0.979).passed
    assert not at_least("a", mean, 0.9791).passed
    assert not at_least("a", mean_of([math.nan]), 0.1).passed


def test_the_facts_stand_in_the_project():
    for key, fact in {"C8": "23,860", "N4": "87.7 %", "N5": "88.2 %", "N6": "91.4 %",
                      "N10": "7, 2, 1, 0", "N14": "1,024"}.items():  # fmt: skip
        assert fact in BY_KEY[key].figure
