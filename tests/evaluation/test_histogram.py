"""Histograms are filled alike by hist and by NumPy."""

import sys

import numpy as np
import pytest

from striate.evaluation.histogram import fill

VALUES = np.array([0.0, 0.5, 1.0, 1.0, 2.0, -0.1, 2.1, np.nan])
WEIGHTS = np.array([1.0, 2.0, 3.0, -1.0, 5.0, 7.0, 7.0, 7.0])
EDGES = np.array([0.0, 1.0, 2.0])


@pytest.mark.parametrize("installed", [True, False])
def test_sums_and_variances(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if installed:
        pytest.importorskip("hist")
    else:
        # What importing a package does that is not installed.
        monkeypatch.setitem(sys.modules, "hist", None)
    found = fill(VALUES, EDGES, WEIGHTS)
    # The last edge belongs to the last bin, what lies outside to none.
    np.testing.assert_allclose(found.sums, [3, 7])
    np.testing.assert_allclose(found.variances, [5, 35])
    density, errors = found.density()
    np.testing.assert_allclose(density, [0.3, 0.7])
    np.testing.assert_allclose(errors, np.sqrt([5, 35]) / 10)
    np.testing.assert_array_equal(fill(VALUES, EDGES).sums, [2, 3])


def test_an_empty_histogram_has_no_density() -> None:
    density, errors = fill(np.empty(0), EDGES).density()
    assert not density.any()
    assert not errors.any()
