"""How far a cut on a tagger bends the background's mass spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.evaluation.histogram import Histogram, fill

BINS = 30
_DRAWS = 200
_TAIL = 0.005


@dataclass(frozen=True, eq=False)
class Sculpting:
    """The background's mass before and after a cut.

    Attributes
    ----------
    before, after
        Histograms of all background jets and of those that pass.
    divergence
        Jensen and Shannon's, in bits: 0 for equal shapes, 1 for shapes without overlap; NaN where
        nothing passes.
    by_chance
        What a cut that knows nothing of the mass, but passes as many jets, gives on average: few
        jets never have quite the shape of all.
    """

    before: Histogram
    after: Histogram
    divergence: float
    by_chance: float


def mass_edges(mass: np.ndarray) -> np.ndarray:
    """Return edges of bins that hold nearly all masses, of a width that is a round number."""
    low, high = np.quantile(mass[np.isfinite(mass)], (_TAIL, 1 - _TAIL))
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    raw = (high - low) / BINS
    step = 10.0 ** np.floor(np.log10(raw))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if factor * step >= 0.999 * raw)
    return np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step


def sculpting(
    mass: np.ndarray,
    passes: np.ndarray,
    weights: np.ndarray,
    edges: np.ndarray,
    *,
    seed: int = 0,
) -> Sculpting:
    """Compare the mass of all background jets with that of those that pass.

    Parameters
    ----------
    mass
        ``(n,)`` of background jets.
    passes
        ``(n,)`` of bool.
    weights
        ``(n,)``, of either sign; a bin of which the sum is negative counts as empty.
    edges
        Of the histograms.
    seed
        Decides the cuts that know nothing of the mass.
    """
    before = fill(mass, edges, weights)
    after = fill(mass[passes], edges, weights[passes])
    random = np.random.default_rng(seed)
    inside = np.isfinite(mass) & (mass >= edges[0]) & (mass <= edges[-1])
    bins = np.clip(np.searchsorted(edges, mass, side="right") - 1, 0, len(edges) - 2)
    by_chance = []
    for _ in range(_DRAWS if passes.any() else 0):
        drawn = random.permutation(passes) & inside
        counts = np.bincount(bins[drawn], weights[drawn], minlength=len(edges) - 1)
        by_chance.append(jensen_shannon(before.sums, counts))
    sound = [value for value in by_chance if np.isfinite(value)]
    return Sculpting(
        before,
        after,
        jensen_shannon(before.sums, after.sums),
        float(np.mean(sound)) if sound else float("nan"),
    )


def jensen_shannon(one: np.ndarray, other: np.ndarray) -> float:
    """Return the divergence of two histograms in bits, between 0 and 1 (J. Lin, IEEE 1991).

    Negative bins count as empty; NaN where a histogram is empty altogether.
    """
    p, q = (np.maximum(np.asarray(counts, np.float64), 0) for counts in (one, other))
    if not (p.sum() > 0 and q.sum() > 0):
        return float("nan")
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2
    return float(sum(0.5 * _relative(share, middle) for share in (p, q)))


def _relative(share: np.ndarray, reference: np.ndarray) -> float:
    there = share > 0
    return float(share[there] @ np.log2(share[there] / reference[there]))
