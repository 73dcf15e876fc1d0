"""Kolmogorov and Smirnov's test, against SciPy's, and with weights."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from striate.errors import StriateError
from striate.evaluation.compatibility import kolmogorov_smirnov

RNG = np.random.default_rng(3)


def test_without_weights_it_is_scipys() -> None:
    one, other = RNG.normal(0, 1, 700), np.round(RNG.normal(0.1, 1, 300), 1)
    distance, probability = kolmogorov_smirnov(one, other)
    expected = ks_2samp(one, other, method="asymp")
    assert distance == pytest.approx(expected.statistic)
    assert probability == pytest.approx(expected.pvalue)


def test_probabilities_of_one_distribution_are_uniform() -> None:
    found = []
    for _ in range(200):
        one, other = RNG.normal(size=300), RNG.normal(size=150)
        found.append(kolmogorov_smirnov(one, other, RNG.uniform(0.1, 1, 300), None)[1])
    assert ks_2samp(found, np.linspace(0, 1, 2001)).pvalue > 1e-3


def test_a_weight_counts_as_so_many_jets() -> None:
    values = RNG.normal(size=50)
    other = RNG.normal(0.5, 1, 80)
    weights = RNG.integers(1, 4, 50)
    distance, _ = kolmogorov_smirnov(values, other, weights)
    assert distance == pytest.approx(kolmogorov_smirnov(np.repeat(values, weights), other)[0])
    # A negative weight takes its jet away again.
    again = np.append(values, 9.0), np.append(weights, 2)
    taken = np.append(again[0], 9.0), np.append(again[1], -2)
    assert kolmogorov_smirnov(taken[0], other, taken[1])[0] == pytest.approx(distance)


def test_what_has_no_distribution_is_refused() -> None:
    with pytest.raises(StriateError, match="add up to 0"):
        kolmogorov_smirnov(np.zeros(2), np.zeros(2), np.array([1.0, -1.0]))
    with pytest.raises(StriateError, match="0 values"):
        kolmogorov_smirnov(np.zeros(0), np.zeros(2))
