"""Baselines on jets whose best score is known."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from striate.data import Split
from striate.evaluation.baselines import (
    BOOSTED_TREE,
    LIKELIHOOD,
    MASS_WINDOW,
    TAU_21,
    baselines,
    likelihood_ratio,
)


def jets(seed: int, n: int = 6000, weights: np.ndarray | None = None, **changes) -> Split:
    """Masses around 80 for signal, falling for background; tau_21 apart from it."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 2).astype(np.int32)
    observables = {
        "groomed_mass_gev": np.where(labels == 1, rng.normal(80, 8, n), rng.exponential(50, n)),
        "tau_21": np.clip(rng.normal(np.where(labels == 1, 0.4, 0.6), 0.15), 0, 1),
        "eta": rng.uniform(-2, 2, n),
    } | changes
    pixels = np.zeros((n, 1, 1, 1), np.float32)
    kept = {name: values for name, values in observables.items() if values is not None}
    return Split(pixels, labels, weights, kept)


def areas(train: Split, test: Split) -> dict[str, float]:
    found, _ = baselines(train, test)
    return {one.name: roc_auc_score(test.labels, one.scores) for one in found}


def exact(test: Split) -> np.ndarray:
    """The logarithm of the ratio of densities, up to a constant; the window of masses alone."""
    mass = test.observables["groomed_mass_gev"]
    return -((mass - 80) ** 2) / (2 * 8**2) + mass / 50


def test_baselines_come_near_the_best_that_there_is() -> None:
    train, test = jets(1), jets(2)
    found = areas(train, test)
    tau = test.observables["tau_21"]
    best_of_mass = roc_auc_score(test.labels, exact(test))
    both = exact(test) - ((tau - 0.4) ** 2 - (tau - 0.6) ** 2) / (2 * 0.15**2)
    best = roc_auc_score(test.labels, both)
    assert found[TAU_21] == pytest.approx(roc_auc_score(test.labels, -tau))
    assert best_of_mass - 0.004 < found[MASS_WINDOW] < best_of_mass + 0.002
    assert best - 0.006 < found[LIKELIHOOD] < best + 0.002
    assert best - 0.006 < found[BOOSTED_TREE] < best + 0.002
    assert found[LIKELIHOOD] > max(found[MASS_WINDOW], found[TAU_21])


def test_a_window_is_high_around_the_peak_and_falls_on_both_sides() -> None:
    train = jets(3)
    mass = train.observables["groomed_mass_gev"][:, np.newaxis]
    ratio = likelihood_ratio(mass, train.labels == 1, np.ones(len(mass)))
    asked = np.array([[30.0], [80.0], [130.0], [np.nan]])
    low, peak, high, unknown = ratio(asked)
    assert peak > low + 2
    assert peak > high + 2
    assert unknown == -np.inf


def test_weights_count_and_negative_ones_are_told() -> None:
    rng = np.random.default_rng(7)
    n = 2000
    spoiled = rng.random(n) < 0.3
    train = jets(4, n)
    # Jets with the wrong mass, whose weights take them away from the densities again.
    mass = np.where(spoiled, 20.0, train.observables["groomed_mass_gev"])
    weights = np.where(spoiled, 1e-4, 1.0).astype(np.float32)
    test = jets(5, n)
    kept = areas(jets(4, n, weights=weights, groomed_mass_gev=mass), test)
    clean = areas(train, test)
    assert kept[MASS_WINDOW] == pytest.approx(clean[MASS_WINDOW], abs=0.015)
    assert kept[BOOSTED_TREE] == pytest.approx(clean[BOOSTED_TREE], abs=0.015)
    weights[::10] = -0.5
    found, notes = baselines(jets(4, n, weights=weights), test)
    assert notes == ("Jets of negative weight take no part in fitting the boosted tree.",)
    assert all(np.isfinite(one.scores).all() for one in found)


def test_what_lacks_an_observable_is_left_out_and_said() -> None:
    without_mass = {"groomed_mass_gev": None, "tau_21": None}
    tau = {"tau1": np.full(400, 0.5), "tau2": np.linspace(0, 0.5, 400)}
    found, notes = baselines(
        jets(8, 400, **without_mass, **tau), jets(9, 400, **without_mass, **tau)
    )
    assert [one.name for one in found] == [TAU_21, BOOSTED_TREE]
    np.testing.assert_allclose(found[0].scores, -np.linspace(0, 1, 400))
    assert "no mass window" in notes[0]
    nothing = without_mass | {"eta": None}
    assert baselines(jets(8, 400, **nothing), jets(9, 400, **nothing))[0] == []
