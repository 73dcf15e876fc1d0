"""The efficiency of a cut in bins of an observable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.evaluation.estimate import Estimate, weighted_fraction
from striate.evaluation.rejection import ONE_SIGMA

BINS = 6


@dataclass(frozen=True, eq=False)
class EfficiencyCurve:
    """The share of signal and of background jets that pass, in bins of an observable.

    Attributes
    ----------
    edges
        ``(bins + 1,)``.
    signal, background
        One for each bin, with a 68.27 % Wilson interval; None where a bin has no jet of that class,
        or the weights do not add up to more than zero.
    """

    edges: np.ndarray
    signal: tuple[Estimate | None, ...]
    background: tuple[Estimate | None, ...]


def efficiency_against(
    observable: np.ndarray,
    passes: np.ndarray,
    is_signal: np.ndarray,
    weights: np.ndarray,
    bins: int = BINS,
) -> EfficiencyCurve | None:
    """Compute the efficiencies in bins that hold equal numbers of jets.

    Parameters
    ----------
    observable
        ``(n,)``; jets where it is no number are in no bin.
    passes, is_signal
        ``(n,)`` of bool.
    weights
        ``(n,)``, of either sign.
    bins
        How many; fewer where many jets share one value. None is returned if it never varies.
    """
    known = np.isfinite(observable)
    if not known.any():
        return None
    ends = np.linspace(0, 1, bins + 1)
    # Observed values, so that numbers such as those of collisions are not divided.
    edges = np.unique(np.quantile(observable[known], ends, method="nearest"))
    if len(edges) < 2:
        return None
    where = np.clip(np.searchsorted(edges, observable, side="right") - 1, 0, len(edges) - 2)
    sides: list[tuple[Estimate | None, ...]] = []
    for this in (is_signal, ~is_signal):
        inside = [known & this & (where == number) for number in range(len(edges) - 1)]
        sides.append(tuple(_share(passes[these], weights[these]) for these in inside))
    return EfficiencyCurve(edges, sides[0], sides[1])


def _share(passes: np.ndarray, weights: np.ndarray) -> Estimate | None:
    return weighted_fraction(passes, weights, ONE_SIGMA) if weights.sum() > 0 else None
