"""The area under the ROC curve, against pairs counted one by one, and its error, against draws."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from striate.evaluation.roc_area import area, placements


def drawn(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    signal = np.arange(n) % 3 == 0
    # Rounded, so that some scores are equal.
    scores = np.round(rng.normal(signal * 1.2, 1), 1)
    return scores, signal, rng.uniform(0.2, 2, n)


def test_placements_and_area_are_those_of_all_pairs() -> None:
    scores, signal, weights = drawn(1, 60)
    weights[5] = -0.4
    placed = placements(scores, signal, weights)
    w, v = weights[signal], weights[~signal]
    wins = np.sign(scores[signal][:, None] - scores[~signal]) / 2 + 0.5
    np.testing.assert_allclose(placed[signal], wins @ v / v.sum())
    np.testing.assert_allclose(placed[~signal], w @ wins / w.sum())
    assert area(placed, signal, weights) == pytest.approx(w @ wins @ v / w.sum() / v.sum())


def test_the_area_is_scikit_learns() -> None:
    scores, signal, weights = drawn(2)
    for w in (np.ones(len(scores)), weights):
        found = area(placements(scores, signal, w), signal, w)
        assert found == pytest.approx(roc_auc_score(signal, scores, sample_weight=w), abs=1e-12)


def test_the_error_without_weights_is_delongs() -> None:
    scores, signal, _ = drawn(3)
    placed = placements(scores, signal, np.ones(len(scores)))
    # Covariances with n - 1, as in the paper.
    parts = [placed[this].var(ddof=1) / this.sum() for this in (signal, ~signal)]
    assert area(placed, signal, np.ones(len(scores))).error == pytest.approx(sum(parts) ** 0.5)


def test_the_error_is_the_spread_over_samples() -> None:
    found = [drawn(seed) for seed in range(100, 400)]
    areas = [area(placements(*one), *one[1:]) for one in found]
    assert np.mean([a.error for a in areas]) == pytest.approx(np.std(areas), rel=0.12)
    assert np.mean(areas) == pytest.approx(norm.cdf(1.2 / 2**0.5), abs=0.005)
    inside = [a.low <= norm.cdf(1.2 / 2**0.5) <= a.high for a in areas]
    assert 0.91 < np.mean(inside) < 0.99


def test_a_difference_on_the_same_jets_has_the_smaller_error() -> None:
    scores, signal, weights = drawn(4)
    nearly = scores + np.random.default_rng(5).normal(0, 0.1, len(scores))
    one, other = (placements(values, signal, weights) for values in (scores, nearly))
    gain = area(one - other, signal, weights)
    apart = area(one, signal, weights), area(other, signal, weights)
    assert gain == pytest.approx(apart[0] - apart[1])
    assert gain.error < 0.5 * apart[0].error
