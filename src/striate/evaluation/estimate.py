"""A number with its confidence interval, and the interval of a fraction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.errors import StriateError

LEVEL = 0.95


class Estimate(float):
    """A number with a confidence interval; it behaves as the number.

    Attributes
    ----------
    low, high
        The ends of the interval.
    level
        The confidence level, 0.95 unless told otherwise.

    Examples
    --------
    >>> accuracy = Estimate(0.9778, 0.9568, 0.9887)
    >>> print(accuracy)
    0.9778 [0.9568, 0.9887]
    >>> f"{accuracy:.1%}"
    '97.8%'
    """

    low: float
    high: float
    level: float

    def __new__(cls, value: float, low: float, high: float, level: float = LEVEL) -> Estimate:
        """Make the number `value` with the interval from `low` to `high`."""
        self = super().__new__(cls, value)
        self.low = float(low)
        self.high = float(high)
        self.level = float(level)
        return self

    def __str__(self) -> str:
        return f"{float(self):.4f} [{self.low:.4f}, {self.high:.4f}]"

    def __repr__(self) -> str:
        return f"Estimate({float(self)!r}, {self.low!r}, {self.high!r}, level={self.level!r})"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (float(self), self.low, self.high, self.level)

    @property
    def error(self) -> float:
        """One standard deviation: half the interval, divided by its number of deviations."""
        return (self.high - self.low) / 2 / deviations(self.level)

    def as_dict(self) -> dict[str, float | None]:
        """Return the number, its interval and the level, as JSON can hold them (NaN is None)."""
        values = {
            "value": float(self),
            "low": self.low,
            "high": self.high,
            "level": self.level,
        }
        return {name: value if math.isfinite(value) else None for name, value in values.items()}


def deviations(level: float) -> float:
    """Return how many standard deviations either side hold the share `level` of a Gaussian."""
    # Imported here: scipy.special takes longer to import than the rest of this package.
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def wilson(fraction: float, trials: float, level: float = LEVEL) -> Estimate:
    """Estimate a probability from the fraction of `trials` in which it came about.

    The interval is Wilson's score interval: it stays within [0, 1] and has a width when all or
    none of the trials succeed, where the usual error is zero.

    Parameters
    ----------
    fraction
        Successes divided by trials. Negative event weights can bring it outside [0, 1]; the
        interval is then that of the nearer end.
    trials
        Their number; for weighted events the effective number, which need not be whole.

    Raises
    ------
    StriateError
        If there are no trials.

    References
    ----------
    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    if not trials > 0:
        raise StriateError(f"a fraction needs trials, but there are {trials:g}")
    z = deviations(level)
    inside = min(max(fraction, 0.0), 1.0)
    scale = 1 + z**2 / trials
    centre = (inside + z**2 / (2 * trials)) / scale
    half = z / scale * math.sqrt(inside * (1 - inside) / trials + z**2 / (4 * trials**2))
    # The ends are exact where all or none succeed; rounding must not push them past 0 or 1.
    low = 0.0 if inside == 0 else max(0.0, centre - half)
    high = 1.0 if inside == 1 else min(1.0, centre + half)
    return Estimate(fraction, low, high, level)


def weighted_fraction(
    succeeded: np.ndarray, weights: np.ndarray | None, level: float = LEVEL
) -> Estimate:
    """Estimate a probability from events, each with a weight or none.

    Weighted events count as ``sum(w)**2 / sum(w**2)`` unweighted ones in the interval, which are
    as many as have the same relative statistical error.

    Parameters
    ----------
    succeeded
        ``(n,)`` of bool.
    weights
        ``(n,)``, of either sign, or None.

    Raises
    ------
    StriateError
        If there are no events, or their weights do not add up to more than zero.
    """
    if weights is None:
        if succeeded.size == 0:
            raise StriateError("there are no events to count")
        return wilson(float(succeeded.mean()), succeeded.size, level)
    w = np.asarray(weights, dtype=np.float64)
    total = float(w.sum())
    if not total > 0:
        raise StriateError(
            f"the event weights add up to {total:g}: a fraction needs a positive sum of weights"
        )
    return wilson(float(w[succeeded].sum()) / total, total**2 / float((w**2).sum()), level)
