import json
import math
import pickle

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as some

from striate.errors import StriateError
from striate.evaluation import Estimate, weighted_fraction, wilson


@given(some.integers(1, 100_000), some.floats(0, 1), some.sampled_from([0.68, 0.9, 0.95, 0.99]))
def test_wilson_agrees_with_scipy(trials, share, level):
    successes = round(share * trials)
    theirs = scipy.stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    ours = wilson(successes / trials, trials, level)
    assert ours == successes / trials
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-12)
    assert 0 <= ours.low <= ours <= ours.high <= 1


def test_wilson_by_hand():
    # 8 of 10, z = 2: centre (0.8 + 0.2) / 1.4, half sqrt(0.016 + 0.01) * 2 / 1.4.
    level = scipy.stats.norm.cdf(2) - scipy.stats.norm.cdf(-2)
    estimate = wilson(0.8, 10, level)
    half = 2 / 1.4 * math.sqrt(0.026)
    assert estimate.low == pytest.approx(1 / 1.4 - half)
    assert estimate.high == pytest.approx(1 / 1.4 + half)
    assert estimate.error == pytest.approx(half / 2)


def test_estimate_is_a_number_that_shows_its_interval():
    estimate = Estimate(0.97777, 0.9568, 0.98873)
    assert str(estimate) == f"{estimate}" == "0.9778 [0.9568, 0.9887]"
    assert f"{estimate:.1%}" == "97.8%"
    assert estimate > 0.97
    assert 1 - estimate == pytest.approx(0.02223)
    assert eval(repr(estimate), {"Estimate": Estimate}).high == estimate.high  # noqa: S307
    assert json.dumps(estimate) == "0.97777"
    assert json.dumps(estimate.as_dict(), allow_nan=False)


def test_estimate_survives_copying_between_processes():
    copy = pickle.loads(pickle.dumps(Estimate(0.5, 0.4, 0.6, 0.9)))  # noqa: S301
    assert (copy, copy.low, copy.high, copy.level) == (0.5, 0.4, 0.6, 0.9)


def test_equal_weights_count_as_none():
    succeeded = np.arange(50) % 7 != 0
    plain = weighted_fraction(succeeded, None)
    weighted = weighted_fraction(succeeded, np.full(50, 3.5, np.float32))
    assert weighted == pytest.approx(plain)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high))


def test_effective_count_by_hand():
    # Weights 1, 1, 2: sum 4, squares 6, so 16/6 events; of weight 4, 3 succeeded.
    estimate = weighted_fraction(np.array([True, False, True]), np.array([1.0, 1.0, 2.0]))
    expected = wilson(0.75, 16 / 6)
    assert (estimate, estimate.low, estimate.high) == (expected, expected.low, expected.high)
    assert estimate.high - estimate.low > wilson(0.75, 3).high - wilson(0.75, 3).low


def test_weighted_interval_covers_the_truth_as_often_as_it_says():
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(1000):
        weights = random.exponential(size=400)
        estimate = weighted_fraction(random.random(400) < 0.8, weights)
        covered += estimate.low <= 0.8 <= estimate.high
    # 95 % of 1000, four standard deviations of a binomial.
    assert abs(covered - 950) < 4 * math.sqrt(1000 * 0.95 * 0.05)


def test_nothing_to_count_is_refused():
    with pytest.raises(StriateError, match="no events"):
        weighted_fraction(np.zeros(0, bool), None)
    with pytest.raises(StriateError, match=r"weights add up to -1: .* positive sum"):
        weighted_fraction(np.ones(2, bool), np.array([1.0, -2.0]))
    with pytest.raises(StriateError, match="needs trials"):
        wilson(0.5, 0)
