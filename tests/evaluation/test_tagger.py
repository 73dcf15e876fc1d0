"""A network as a tagger, from images to its comparison with baselines."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from striate.data import Dataset
from striate.errors import StriateError
from striate.evaluation import evaluate
from striate.evaluation.tagger import can_tag, evaluate_tagger


@pytest.fixture(scope="module")
def tagging(tagged_jets, reader):
    return evaluate_tagger(reader(), tagged_jets(), replicas=40)


def test_the_network_comes_first_and_its_numbers_are_of_its_output(tagging, tagged_jets) -> None:
    data = tagged_jets()
    output = data.test.images[:, 0, 0, 0]
    assert [tagger.name for tagger in tagging.taggers] == [
        "reader",
        "mass window",
        "tau_21",
        "mass and tau_21",
        "boosted tree",
    ]
    assert tagging.network.auc == pytest.approx(roc_auc_score(data.test.labels, output))
    assert (tagging.signal_name, tagging.background_name) == ("W", "QCD")
    for name, label in (("QCD", 0), ("W", 1)):
        one = data.train.images[data.train.labels == label, 0, 0, 0].astype(float)
        other = output[data.test.labels == label].astype(float)
        expected = ks_2samp(one, other, method="asymp").pvalue
        assert tagging.same_distribution[name] == pytest.approx(expected)
    assert set(tagging.efficiencies) == {"pt_gev", "eta", "pileup"}
    assert np.mean(tagging.efficiencies["eta"].signal) == pytest.approx(0.5, abs=0.01)


def test_it_gains_on_what_is_worse(tagging) -> None:
    window, shape = tagging.taggers[1:3]
    gain = tagging.advantage(shape)
    assert gain == pytest.approx(tagging.network.auc - shape.auc)
    assert gain > 3 * gain.error
    assert tagging.advantage(tagging.network) == 0
    # The mass window bends the mass, the pixel knows nothing of it.
    assert window.sculpting.divergence > 3 * window.sculpting.by_chance
    assert tagging.network.sculpting.divergence < 2 * tagging.network.sculpting.by_chance


def test_weights_of_one_change_nothing_and_others_are_honoured(tagged_jets, reader) -> None:
    plain = tagged_jets()
    ones = Dataset(
        replace(plain.train, weights=np.ones(len(plain.train))),
        None,
        replace(plain.test, weights=np.ones(len(plain.test))),
        plain.class_names,
        "ones",
        {},
    )
    found = [evaluate_tagger(reader(), data, replicas=10).as_dict() for data in (plain, ones)]
    assert found[0] == found[1]
    weighted = tagged_jets(weighted=True)
    output, test = weighted.test.images[:, 0, 0, 0], weighted.test
    expected = roc_auc_score(test.labels, output, sample_weight=test.weights)
    tagging = evaluate_tagger(reader(), weighted, replicas=10)
    assert tagging.network.auc == pytest.approx(expected, abs=1e-6)


def test_another_network_is_judged_by_the_same_jets(tagged_jets, reader) -> None:
    data = tagged_jets()
    other = {"noisy": reader("noisy", noise=0.3)}
    tagging = evaluate_tagger(reader(), data, against=other, replicas=20)
    assert tagging.taggers[1].name == "noisy"
    assert tagging.advantage(tagging.taggers[1]) > 0
    with pytest.raises(StriateError, match="two taggers have the same name"):
        evaluate_tagger(reader(), data, against={"tau_21": reader()}, replicas=1)


def test_the_summary_is_json_without_nan(tagging) -> None:
    summary = json.loads(json.dumps(tagging.as_dict(), allow_nan=False))
    network, *others = summary["taggers"]
    assert network["auc"]["value"] == pytest.approx(float(tagging.network.auc))
    assert set(network["rejection"]) == {"0.3", "0.5"}
    assert network["network_minus_this_auc"] is None
    assert all(other["network_minus_this_auc"]["error"] > 0 for other in others)
    assert len(summary["efficiency"]["pt_gev"]["edges"]) == 7


def test_jets_without_an_answer_are_left_out_and_told(tagged_jets, reader) -> None:
    class Silent(reader):
        def predict(self, images, batch_size, verbose):
            answers = super().predict(images, batch_size, verbose)
            answers[:3] = np.nan
            return answers

    data = tagged_jets()
    tagging = evaluate_tagger(Silent(), data, replicas=5)
    assert len(tagging.is_signal) == len(data.test) - 3
    assert "3 test jets have no answer and are left out." in tagging.notes


def test_what_is_no_tagger_is_refused(tagged_jets, reader) -> None:
    data = tagged_jets()
    assert can_tag(evaluate(reader(), data), data)
    bare = tagged_jets(observables=False)
    assert not can_tag(evaluate(reader(), bare), bare)
    alone = replace(data, test=data.test.take(np.flatnonzero(data.test.labels == 1)))
    assert not can_tag(evaluate(reader(), alone), alone)
    with pytest.raises(StriateError, match="there is no background jet"):
        evaluate_tagger(reader(), alone, replicas=1)
    labels = (np.arange(len(data.train)) % 3).astype(np.int32)
    three = Dataset(
        replace(data.train, labels=labels), None, data.test, ("QCD", "W", "top"), "three", {}
    )
    with pytest.raises(StriateError, match="'three' has 3 classes"):
        evaluate_tagger(reader(), three)
