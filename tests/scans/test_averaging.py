"""`striate.ensemble`: the single networks, and the predictor that averages them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import striate as st
from striate.errors import StriateError
from striate.evaluation import Evaluation
from striate.evaluation.calibration import calibration_error


@pytest.fixture(scope="module")
def ensemble(network, digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    given = {"epochs": 8, "batch_size": 60, "directory": folder, "learning_rate": 0.1}
    return st.ensemble(network, digits, n=3, seed=5, **given)


def test_mean_and_error_are_those_of_the_single_networks(ensemble):
    assert ensemble.seeds == [5, 6, 7]
    values = ensemble.accuracies
    assert values.shape == (3,)
    assert len(set(values)) > 1
    assert ensemble.accuracy.mean == pytest.approx(values.mean())
    assert ensemble.accuracy.error == pytest.approx(np.std(values, ddof=1) / math.sqrt(3))
    assert ensemble.spread == pytest.approx(np.std(values, ddof=1))


def test_probabilities_are_averaged(ensemble, digits):
    each = ensemble.predictions(digits.test.images)
    assert each.shape == (3, len(digits.test), 10)
    np.testing.assert_allclose(each.sum(axis=2), 1)
    for number, probabilities in enumerate(each):
        right = (probabilities.argmax(axis=1) == digits.test.labels).mean()
        assert right == pytest.approx(ensemble.accuracies[number], abs=1e-6)
    mean = ensemble.predict(digits.test.images)
    np.testing.assert_allclose(mean, each.mean(axis=0))
    np.testing.assert_allclose(ensemble.uncertainty(digits.test.images), each.std(axis=0, ddof=1))
    evaluation = st.evaluate(ensemble, digits)
    np.testing.assert_allclose(evaluation.probabilities, mean, atol=1e-12)
    assert evaluation.accuracy == ensemble.evaluation.accuracy
    assert ensemble.calibration_error == pytest.approx(calibration_error(evaluation))
    # By convexity the averaged predictor is never worse than the networks on average.
    losses = [-np.log(p[np.arange(len(p)), digits.test.labels]).mean() for p in each]
    assert evaluation.loss <= np.mean(losses) + 1e-9


def test_what_is_no_ensemble_is_refused(network, digits, tmp_path):
    with pytest.raises(StriateError, match="n must be a whole number"):
        st.ensemble(network, digits, n=0)
    with pytest.raises(StriateError, match="differs in its seeds only"):
        st.ensemble(network, digits, l2=[0.0, 0.1])


def evaluation(confidence, right, weights=None):
    """Return an evaluation of two classes with these probabilities of the predicted class."""
    confidence = np.asarray(confidence)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.where(right, 0, 1)
    return Evaluation("by hand", ("a", "b"), labels, probabilities, weights)


def test_the_calibration_error_by_hand():
    # Two bins: 0.6 with half right (off by 0.1, two images), 0.9 with all right (0.1, two images).
    by_hand = evaluation([0.6, 0.6, 0.9, 0.9], [True, False, True, True])
    assert calibration_error(by_hand, bins=10) == pytest.approx(0.1)
    weighted = evaluation([0.6, 0.9], [True, True], np.array([3.0, 1.0]))
    assert calibration_error(weighted, bins=10) == pytest.approx((3 * 0.4 + 0.1) / 4)
    assert calibration_error(evaluation([1.0, 1.0], [True, True])) == 0
    # One bin holds both: right and wrong make up for each other but for the mean, 0.7 - 0.5.
    mixed = evaluation([0.65, 0.75], [True, False])
    assert calibration_error(mixed, bins=5) == pytest.approx(0.2)


def test_without_an_answer_there_is_no_calibration():
    with pytest.raises(StriateError, match="no test image has an answer"):
        calibration_error(evaluation([np.nan], [True]))
