"""Background rejection, against cuts made by hand and closed forms of normal distributions."""

import numpy as np
import pytest
from scipy.stats import norm

from striate.errors import StriateError
from striate.evaluation.rejection import (
    SIGNAL_EFFICIENCIES,
    RejectionCurve,
    nearest_point,
    ratio_of_rejections,
    rejection_curves,
    threshold_at,
)

APART = 1.5


def drawn(seed: int, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    signal = np.arange(n) % 2 == 0
    return np.random.default_rng(seed).normal(signal * APART, 1), signal


def curve(scores: np.ndarray, signal: np.ndarray, weights: np.ndarray | None = None, **options):
    w = np.ones(len(scores)) if weights is None else weights
    return rejection_curves({"it": scores}, signal, w, **options)["it"]


def test_a_cut_by_hand_passes_as_much() -> None:
    scores, signal = drawn(1)
    weights = np.random.default_rng(2).uniform(0.5, 2, len(scores))
    found = curve(scores, signal, weights, replicas=2)
    for efficiency in (0.3, 0.5, 0.9):
        cut = threshold_at(scores, signal, weights, efficiency)
        passes = scores >= cut
        kept = weights[signal & passes].sum() / weights[signal].sum()
        assert efficiency <= kept < efficiency + 0.002
        by_hand = weights[~signal & passes].sum() / weights[~signal].sum()
        at = nearest_point(efficiency)
        assert found.background_efficiency[at] == pytest.approx(by_hand)
        w = weights[~signal & passes]
        assert found.passing[at] == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert found.background_efficiency[-1] <= 1
    assert (np.diff(found.background_efficiency) >= 0).all()


def test_equal_scores_pass_together() -> None:
    signal = np.array([True, True, False, False])
    found = curve(np.array([2.0, 1.0, 1.0, 0.0]), signal, replicas=1)
    # Half of the signal passes alone, the rest together with half of the background.
    assert found.background_efficiency[nearest_point(0.5)] == 0
    assert found.background_efficiency[nearest_point(0.51)] == pytest.approx(0.5)
    assert found.background_efficiency[-1] == pytest.approx(0.5)


def test_values_and_errors_are_those_of_normal_distributions() -> None:
    values, errors = [], []
    for seed in range(40):
        found = curve(*drawn(seed), replicas=60)
        at = found.rejection(0.5)
        values.append(float(at))
        errors.append(at.error)
    exact = 1 / norm.sf(APART)
    assert np.mean(values) == pytest.approx(exact, rel=0.04)
    # The spread of 40 is known to 11 %, and so is its mean.
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.35)


def test_weights_that_double_a_jet_are_two_jets() -> None:
    scores, signal = drawn(3, 600)
    doubled = curve(scores, signal, np.where(np.arange(600) < 300, 2.0, 1.0), replicas=1)
    twice = np.concatenate([np.arange(600), np.arange(300)])
    listed = curve(scores[twice], signal[twice], replicas=1)
    np.testing.assert_allclose(doubled.background_efficiency, listed.background_efficiency)


def test_negative_weights_count_as_they_are() -> None:
    scores, signal = drawn(4)
    weights = np.where(np.random.default_rng(5).random(len(scores)) < 0.1, -1.0, 1.0)
    found = curve(scores, signal, weights, replicas=30)
    # Signs are given by chance, so nothing is moved but the errors, which grow.
    plain = curve(scores, signal, replicas=30)
    at = nearest_point(0.5)
    error = np.std(found.replicas[:, at])
    assert abs(found.background_efficiency[at] - plain.background_efficiency[at]) < 4 * error
    assert found.passing[at] < plain.passing[at]


@pytest.mark.parametrize(
    ("signal", "weights", "told"),
    [
        ([True, True], [1.0, 1.0], "there is no background jet"),
        ([True, False], [-1.0, 1.0], "weights of the signal jets add up to -1"),
    ],
)
def test_a_class_without_weight_is_refused(signal, weights, told) -> None:
    with pytest.raises(StriateError, match=told):
        curve(np.zeros(2), np.array(signal), np.array(weights))


def test_where_nothing_passes_there_is_a_lower_limit() -> None:
    signal = np.arange(200) % 2 == 0
    found = curve(np.where(signal, 1.0, 0.0), signal, replicas=20)
    rejected = found.rejection(0.5)
    assert np.isinf(rejected)
    # One sigma of Wilson's for none of 100: (n + 1) / 1.
    assert rejected.low == pytest.approx(101, rel=0.01)
    assert found.best_improvement() is None
    other = ratio_of_rejections(found, found, 0.5)
    assert np.isnan(other)


def test_the_improvement_is_largest_where_it_is_believed() -> None:
    found = curve(*drawn(6, 20_000), replicas=20)
    where, best = found.best_improvement()
    at = nearest_point(where)
    assert found.passing[at] >= 20
    assert best == pytest.approx(where / found.background_efficiency[at] ** 0.5)
    assert best.low <= best <= best.high
    believed = found.improvement[found.trusted]
    assert best == np.nanmax(believed)
    exact = SIGNAL_EFFICIENCIES / np.sqrt(norm.sf(APART + norm.isf(SIGNAL_EFFICIENCIES)))
    np.testing.assert_allclose(found.improvement[49:99], exact[49:99], rtol=0.06)


def test_a_ratio_of_rejections_is_of_the_same_drawn_jets() -> None:
    scores, signal = drawn(7)
    worse = scores + np.random.default_rng(8).normal(0, 1, len(scores))
    both = rejection_curves({"a": scores, "b": worse}, signal, np.ones(len(scores)))
    ratio = ratio_of_rejections(both["a"], both["b"], 0.5)
    assert ratio == pytest.approx(both["a"].rejection(0.5) / both["b"].rejection(0.5))
    assert ratio.low > 1
    same = ratio_of_rejections(both["a"], both["a"], 0.5)
    assert (same, same.low, same.high) == (1, 1, 1)
    again = rejection_curves({"a": scores}, signal, np.ones(len(scores)))["a"]
    np.testing.assert_array_equal(again.replicas, both["a"].replicas)
    assert isinstance(again, RejectionCurve)
