"""What a tagger must beat: cuts on observables, their likelihood, and a boosted tree on all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from striate.data import Split

MASSES = ("groomed_mass_gev", "soft_drop_mass_gev", "mass_gev")
"""Observables that serve as the mass, the first that there is."""

MASS_WINDOW = "mass window"
TAU_21 = "tau_21"
LIKELIHOOD = "mass and tau_21"
BOOSTED_TREE = "boosted tree"

# Names of tau_1 and tau_2 here and in files of experiments.
_TAUS = (("tau_1", "tau_2"), ("tau1", "tau2"), ("tau1_wta", "tau2_wta"))
_OF_A_BIN = 40  # training jets in a bin of a likelihood, of both classes, before smoothing
_SMOOTHING = 1.0  # bins
_WORTH_THREADS = 200_000


@dataclass(frozen=True, eq=False)
class Baseline:
    """A score of jets by their observables.

    Attributes
    ----------
    name
        Of those above.
    how
        A sentence on how it was made.
    scores
        ``(n,)`` of the jets to be judged, higher for signal; -infinity where an observable that it
        needs is no number.
    """

    name: str
    how: str
    scores: np.ndarray


def baselines(train: Split, test: Split) -> tuple[list[Baseline], tuple[str, ...]]:
    """Fit all baselines to training jets and score the test jets.

    Parameters
    ----------
    train, test
        Splits of two classes, the second of which is signal.

    Returns
    -------
    list of Baseline
        Those for which there are observables.
    tuple of str
        Sentences on what was left out, and on what was done about negative weights.
    """
    notes: list[str] = []
    found: list[Baseline] = []
    mass = next((name for name in MASSES if name in test.observables), None)
    shape = _tau_21(test.observables)
    known, judged = _columns(train, mass), _columns(test, mass)
    weights = balanced_weights(train)
    if (weights < 0).any():
        notes.append("Jets of negative weight take no part in fitting the boosted tree.")
    signal = train.labels == 1
    if mass is None:
        notes.append(f"There is no {', '.join(MASSES)}: no mass window, no likelihood.")
    else:
        ratio = likelihood_ratio(known[:, :1], signal, weights)
        how = f"{mass}, by the ratio of its densities for signal and background"
        found.append(Baseline(MASS_WINDOW, how, ratio(judged[:, :1])))
    if shape is None:
        notes.append("There is no tau_21, nor tau_1 and tau_2: no likelihood with the mass.")
    else:
        scores = np.where(np.isfinite(shape), -shape, -np.inf)
        found.append(Baseline(TAU_21, "tau_21 itself, below a value", scores))
    if mass is not None and shape is not None:
        ratio = likelihood_ratio(known, signal, weights)
        how = f"{mass} and tau_21, by the ratio of their densities in two dimensions"
        found.append(Baseline(LIKELIHOOD, how, ratio(judged)))
    names = tuple(sorted(test.observables))
    if names:
        how = f"scikit-learn's HistGradientBoosting on {len(names)} observables"
        found.append(Baseline(BOOSTED_TREE, how, boosted_tree(train, test, names)))
    return found, tuple(notes)


def balanced_weights(split: Split) -> np.ndarray:
    """Return event weights, float64, scaled so that both classes have a sum of 1."""
    weights = np.ones(len(split)) if split.weights is None else split.weights.astype(np.float64)
    for label in (0, 1):
        this = split.labels == label
        total = weights[this].sum()
        weights[this] /= total if total > 0 else 1.0
    return weights


def boosted_tree(train: Split, test: Split, names: tuple[str, ...]) -> np.ndarray:
    """Return the signal probability of test jets by a boosted tree on observables, ``(n,)``.

    Trees of 15 leaves, learning rate 0.05, until a tenth of the training jets gets no better; the
    seed is fixed. Jets of negative weight are left out of the fit.
    """
    # scikit-learn takes half a second to import.
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    weights = balanced_weights(train)
    used = weights > 0
    # Of fewer, too few would be held out to tell when to stop.
    enough = int(used.sum()) >= 500
    # scikit-learn's penalties are made for weights around 1.
    scale = used.sum() / weights[used].sum()
    tree = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=300 if enough else 60,
        max_leaf_nodes=15,
        l2_regularization=1.0,
        early_stopping=enough,
        validation_fraction=0.1,
        n_iter_no_change=10,
        random_state=0,
    )
    # Threads wait for each other at every node of a tree, longer than few jets take.
    with threadpool_limits(1 if len(train) < _WORTH_THREADS else None, user_api="openmp"):
        tree.fit(_matrix(train, names)[used], train.labels[used], scale * weights[used])
    return np.asarray(tree.predict_proba(_matrix(test, names))[:, 1], np.float64)


def likelihood_ratio(
    values: np.ndarray, signal: np.ndarray, weights: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Fit densities of signal and background; return what gives the logarithm of their ratio.

    Each column is put into bins of equal numbers of jets, the histograms are smoothed by a normal
    distribution of one bin, and the ratio is interpolated between the bins' centres.

    Parameters
    ----------
    values
        ``(n, d)``.
    signal
        ``(n,)`` of bool.
    weights
        ``(n,)``, of either sign.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    finite = np.isfinite(values).all(axis=1)
    dimensions = values.shape[1]
    bins = int(np.clip((finite.sum() / _OF_A_BIN) ** (1 / dimensions), 3, 60))
    knots = [_knots(column, bins) for column in values[finite].T]
    edges = [np.arange(len(knot) + 1) - 0.5 for knot in knots]
    places = _places(values[finite], knots)
    densities = []
    for this in (signal[finite], ~signal[finite]):
        w = weights[finite][this]
        counts, _ = np.histogramdd(places[this], edges, weights=w)
        smooth = gaussian_filter(counts, _SMOOTHING, mode="nearest")
        # As if half a jet of mean weight were in each bin: no density is zero, or negative.
        least = 0.5 * abs(float(w.sum())) / max(len(w), 1)
        densities.append(np.maximum(smooth, 0) + least)
    ratio = np.log(densities[0] / densities[1])

    def score(asked: np.ndarray) -> np.ndarray:
        known = np.isfinite(asked).all(axis=1)
        result = np.full(len(asked), -np.inf)
        where = _places(asked[known], knots)
        result[known] = map_coordinates(ratio, where.T, order=1, mode="nearest")
        return result

    return score


def _knots(column: np.ndarray, bins: int) -> np.ndarray:
    """Return the centres of bins that hold equal numbers."""
    return np.unique(np.quantile(column, (np.arange(bins) + 0.5) / bins))


def _places(values: np.ndarray, knots: list[np.ndarray]) -> np.ndarray:
    """Return where values lie among the knots, in bins, not whole numbers."""
    return np.stack(
        [
            np.interp(column, knot, np.arange(len(knot)))
            for column, knot in zip(values.T, knots, strict=True)
        ],
        axis=1,
    )


def _columns(split: Split, mass: str | None) -> np.ndarray:
    """Return mass and tau_21, as far as there are, as columns."""
    found = [] if mass is None else [split.observables[mass]]
    shape = _tau_21(split.observables)
    if shape is not None:
        found.append(shape)
    columns = [np.asarray(column, np.float64) for column in found]
    return np.stack(columns, axis=1) if columns else np.empty((len(split), 0))


def _tau_21(observables: Mapping[str, np.ndarray]) -> np.ndarray | None:
    if "tau_21" in observables:
        return np.asarray(observables["tau_21"], np.float64)
    for names in _TAUS:
        if set(names) <= set(observables):
            one, two = (np.asarray(observables[name], np.float64) for name in names)
            return np.divide(two, one, out=np.zeros_like(one), where=one > 0)
    return None


def _matrix(split: Split, names: tuple[str, ...]) -> np.ndarray:
    columns = np.stack([np.asarray(split.observables[name], np.float64) for name in names], axis=1)
    # The tree knows what to do with NaN, but not with infinity.
    return np.where(np.isfinite(columns), columns, np.nan)
