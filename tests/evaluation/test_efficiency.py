"""Efficiencies in bins, against counts."""

import numpy as np
import pytest

from striate.evaluation.efficiency import efficiency_against
from striate.evaluation.estimate import wilson
from striate.evaluation.rejection import ONE_SIGMA


def test_bins_hold_equal_numbers_and_shares_are_counted() -> None:
    rng = np.random.default_rng(6)
    pt = rng.uniform(250, 300, 1200)
    signal = np.arange(1200) % 2 == 0
    passes = rng.random(1200) < np.where(signal, (pt - 250) / 50, 0.1)
    found = efficiency_against(pt, passes, signal, np.ones(1200), bins=4)
    assert len(found.edges) == 5
    for low, high, share in zip(found.edges[:-1], found.edges[1:], found.signal, strict=True):
        inside = signal & (pt >= low) & ((pt < high) | (high == found.edges[-1]))
        expected = wilson(passes[inside].mean(), inside.sum(), ONE_SIGMA)
        assert share == pytest.approx(float(expected))
        assert (share.low, share.high) == pytest.approx((expected.low, expected.high))
    assert list(found.signal) == sorted(found.signal)
    assert np.mean(found.background) == pytest.approx(0.1, abs=0.03)


def test_few_values_few_bins_and_none_without_jets() -> None:
    pileup = np.repeat([20.0, 21.0, np.nan], 10)
    signal = np.arange(30) >= 10
    found = efficiency_against(pileup, signal, signal, np.ones(30))
    assert found.edges.tolist() == [20, 21]
    constant = efficiency_against(np.ones(30), signal, signal, np.ones(30))
    assert constant is None
    assert efficiency_against(np.full(30, np.nan), signal, signal, np.ones(30)) is None
    nothing = efficiency_against(np.arange(30.0), signal, signal, np.ones(30), bins=3)
    assert nothing.signal[0] is None
    assert nothing.background[2] is None
