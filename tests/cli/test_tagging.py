"""Taggers from the command line, on the bundled jets."""

from __future__ import annotations

import json

import numpy as np
import pytest

from striate.runs import Run


@pytest.fixture
def trained(striate) -> None:
    """One run on the bundled jets, of a moment, in the working folder."""
    words = ("--model", "jet_dense", "--epochs", "1", "--no-report", "--quiet")
    status, _, err = striate("train", "jets", "--load", "limit=4000", *words)
    assert status == 0, err


def test_a_tagger_is_told_beside_its_baselines_and_another_run(striate, trained, tmp_path) -> None:
    (run,) = (tmp_path / "runs").iterdir()
    status, out, err = striate("evaluate", "last", "--against", run.name, "--json")
    assert status == 0, err
    tagging = json.loads(out)["tagging"]
    network, same, *baselines = tagging["taggers"]
    # A run against itself, under the name of its folder.
    assert (network["name"], same["name"]) == ("jet_dense", run.name)
    assert same["network_minus_this_auc"]["value"] == 0
    names = [one["name"] for one in baselines]
    assert names == ["mass window", "tau_21", "mass and tau_21", "boosted tree"]
    areas = {one["name"]: one["auc"]["value"] for one in tagging["taggers"]}
    # As for the sample when it was made; the first trials of others gave 0.889 and 0.919.
    assert 0.88 < areas["mass window"] < areas["mass and tau_21"] < areas["boosted tree"] < 0.96
    # The tree is ahead, and it is said what it is without pT and multiplicity.
    (why,) = tagging["notes"]
    without = float(why.partition("its area is ")[2][:6])
    assert areas["mass and tau_21"] < without < areas["boosted tree"]
    assert Run.load(run).config["model"]["name"] == network["name"]
    assert np.isfinite(network["rejection"]["0.5"]["error"])


def test_other_styles_and_other_data_are_refused(striate) -> None:
    words = ("--epochs", "1", "--no-report", "--quiet")
    assert striate("train", "ox", *words).status == 0
    status, _, err = striate("evaluate", "last", "--against", "last")
    assert status == 2
    assert "only taggers of jets are compared" in err
    status, _, err = striate("report", "last", "--style", "Atlass")
    assert status == 2
    assert err == "striate: there is no style 'Atlass': known: ATLAS, CMS, plain\n"
