"""The area under the ROC curve with its error, and the difference of two areas on the same jets."""

from __future__ import annotations

import numpy as np

from striate.evaluation.estimate import LEVEL, Estimate, deviations


def placements(scores: np.ndarray, signal: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return where each jet stands among those of the other class.

    Parameters
    ----------
    scores
        ``(n,)``, higher for signal.
    signal
        ``(n,)`` of bool, both values present.
    weights
        ``(n,)``, of either sign.

    Returns
    -------
    numpy.ndarray
        ``(n,)``: for a jet of signal the share of the background's weight that scores less, for one
        of background the share of the signal's weight that scores more; equal scores count half.
        The weighted mean over either class is the area under the ROC curve.
    """
    result = np.empty(len(scores))
    for this, sign in ((signal, 1.0), (~signal, -1.0)):
        others, total = sign * scores[~this], float(weights[~this].sum())
        order = np.argsort(others, kind="stable")
        below = np.concatenate([[0.0], np.cumsum(weights[~this][order])])
        own = sign * scores[this]
        less = np.searchsorted(others[order], own, side="left")
        up_to = np.searchsorted(others[order], own, side="right")
        result[this] = 0.5 * (below[less] + below[up_to]) / total
    return result


def area(
    placed: np.ndarray, signal: np.ndarray, weights: np.ndarray, level: float = LEVEL
) -> Estimate:
    """Return the mean of placements with its error: of one score, the area under the ROC curve.

    The error is that of E. R. DeLong et al., Biometrics 44 (1988) 837, which counts both classes
    and the correlation that their common pairs cause; event weights enter by their squares.

    Parameters
    ----------
    placed
        As :func:`placements` returns them; or the difference of those of two scores, whose mean is
        the difference of their areas, with the error that their being of the same jets leaves.
    signal, weights
        As in :func:`placements`.
    level
        Of the interval, which is symmetric.
    """
    values, variance = [], 0.0
    for this in (signal, ~signal):
        w = weights[this] / weights[this].sum()
        mean = float(w @ placed[this])
        values.append(mean)
        # Of so many unweighted jets the mean would have this error.
        effective = 1 / float(w @ w)
        unbiased = effective / (effective - 1) if effective > 1 else 1.0
        variance += unbiased * float(w**2 @ (placed[this] - mean) ** 2)
    value = 0.5 * sum(values)
    half = deviations(level) * variance**0.5
    return Estimate(value, value - half, value + half, level)
