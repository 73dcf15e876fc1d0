"""Whether two samples can come from one distribution: Kolmogorov and Smirnov's test, weighted."""

from __future__ import annotations

import numpy as np

from striate.errors import StriateError


def kolmogorov_smirnov(
    one: np.ndarray,
    other: np.ndarray,
    one_weights: np.ndarray | None = None,
    other_weights: np.ndarray | None = None,
) -> tuple[float, float]:
    """Compare two samples by the largest distance of their cumulative distributions.

    Parameters
    ----------
    one, other
        ``(n,)`` and ``(m,)`` values, not binned.
    one_weights, other_weights
        Their weights, of either sign, or None.

    Returns
    -------
    distance : float
        Between 0 and 1; with negative weights it may be larger.
    probability : float
        That two samples of one distribution are at least so far apart; of weighted ones by their
        effective numbers, ``sum(w)**2 / sum(w**2)``.

    Raises
    ------
    StriateError
        If a sample is empty, or its weights do not add up to more than zero.
    """
    # scipy.stats takes half a second to import.
    from scipy.stats import kstwo

    sides = [_cumulative(one, one_weights), _cumulative(other, other_weights)]
    everywhere = np.concatenate([values for values, _, _ in sides])
    shares = [
        share[np.searchsorted(values, everywhere, side="right")] for values, share, _ in sides
    ]
    distance = float(np.abs(shares[0] - shares[1]).max())
    first, second = (number for _, _, number in sides)
    together = max(1, round(first * second / (first + second)))
    return distance, float(kstwo.sf(min(distance, 1.0), together))


def _cumulative(
    values: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return sorted values, the share of weight before each and all, and the effective number."""
    w = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    total = float(w.sum())
    if not total > 0:
        raise StriateError(
            f"{len(values)} values whose weights add up to {total:g} have no distribution: "
            "a comparison needs a positive sum of weights"
        )
    order = np.argsort(values, kind="stable")
    share = np.concatenate([[0.0], np.cumsum(w[order])]) / total
    return np.asarray(values)[order], share, total**2 / float(w @ w)
