"""How many background jets pass at a given efficiency for signal, with bands from a bootstrap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from striate.errors import StriateError
from striate.evaluation.estimate import Estimate, wilson

SIGNAL_EFFICIENCIES = np.linspace(0.01, 1, 100)
"""Where curves are evaluated."""

REPLICAS = 200
"""How often jets are drawn again; an error from so many is known to 5 %."""

ONE_SIGMA = 0.6827
"""The level of bands and of errors of rejections."""

LEAST_BACKGROUND = 20
"""Background jets that must pass for a significance to be believed: its error is then 11 %."""

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class RejectionCurve:
    """The share of background that passes the cut that keeps at least so much of the signal.

    Attributes
    ----------
    background_efficiency
        ``(g,)`` at :data:`SIGNAL_EFFICIENCIES`.
    replicas
        ``(r, g)``: the same for jets that were drawn again. Those of several scores at one place
        are of the same drawn jets, so that they can be compared.
    passing
        ``(g,)``: how many background jets pass; of weighted ones the effective number.
    background
        The effective number of all background jets.
    """

    background_efficiency: np.ndarray
    replicas: np.ndarray
    passing: np.ndarray
    background: float

    @property
    def band(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the background efficiency, each ``(g,)``, central 68.27 %."""
        return _quantiles(self.replicas)

    def rejection(self, signal_efficiency: float) -> Estimate:
        """Return one over the background efficiency; infinity where no background jet passes.

        The interval is the central 68.27 % of the bootstrap. Where no background jet passes, its
        lower end is that of Wilson's interval.
        """
        at = nearest_point(signal_efficiency)
        value = float(self.background_efficiency[at])
        low, high = (float(ends[at]) for ends in self.band)
        if value <= 0:
            low, high = 0.0, max(high, wilson(0.0, self.background, ONE_SIGMA).high)
        return Estimate(_inverse(value), _inverse(high), _inverse(low), ONE_SIGMA)

    @property
    def improvement(self) -> np.ndarray:
        """The significance improvement, signal efficiency over root of background efficiency.

        By so much a cut multiplies the significance S / sqrt(B) (arXiv:1001.5027). NaN where no
        background passes.
        """
        return _improvement(self.background_efficiency)

    @property
    def improvement_band(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the significance improvement, each ``(g,)``."""
        low, high = self.band
        return _improvement(high), _improvement(low)

    @property
    def trusted(self) -> np.ndarray:
        """Where at least `LEAST_BACKGROUND` background jets pass, ``(g,)`` of bool."""
        return np.asarray(self.passing >= LEAST_BACKGROUND)

    def best_improvement(self) -> tuple[float, Estimate] | None:
        """Return the signal efficiency where the improvement is largest, and the improvement.

        Only where enough background passes; None if that is nowhere.
        """
        believed = np.where(self.trusted, self.improvement, np.nan)
        if not np.isfinite(believed).any():
            return None
        at = int(np.nanargmax(believed))
        low, high = (float(ends[at]) for ends in self.improvement_band)
        return float(SIGNAL_EFFICIENCIES[at]), Estimate(believed[at], low, high, ONE_SIGMA)


def nearest_point(signal_efficiency: float) -> int:
    """Return the place in :data:`SIGNAL_EFFICIENCIES` that is nearest."""
    return int(np.abs(SIGNAL_EFFICIENCIES - signal_efficiency).argmin())


def ratio_of_rejections(
    curve: RejectionCurve, other: RejectionCurve, signal_efficiency: float
) -> Estimate:
    """Return by what factor `curve` rejects more background than `other` does.

    Both must be of the same drawn jets; what moves both cancels. NaN where one lets none pass.
    """
    at = nearest_point(signal_efficiency)
    mine, its = float(curve.background_efficiency[at]), float(other.background_efficiency[at])
    if not (mine > 0 and its > 0):
        return Estimate(np.nan, np.nan, np.nan, ONE_SIGMA)
    # Infinite where none passes, or where none passes of both.
    drawn = _divided(other.replicas[:, at], curve.replicas[:, at], np.inf)
    low, high = _quantiles(drawn[:, np.newaxis])
    return Estimate(its / mine, float(low[0]), float(high[0]), ONE_SIGMA)


def rejection_curves(
    scores: Mapping[str, np.ndarray],
    signal: np.ndarray,
    weights: np.ndarray,
    *,
    replicas: int = REPLICAS,
    seed: int = 0,
) -> dict[str, RejectionCurve]:
    """Compute the rejection curve of several scores of the same jets.

    Parameters
    ----------
    scores
        By name, each ``(n,)``, higher for signal. Jets of equal score pass together.
    signal
        ``(n,)`` of bool.
    weights
        ``(n,)``, of either sign. With negative ones the first threshold counts at which the signal
        efficiency is reached.
    replicas
        How often the jets are drawn again, each with a number from a Poisson distribution of mean
        1, as many measurements would have them.
    seed
        Decides which.

    Raises
    ------
    StriateError
        If a class has no jets, or their weights do not add up to more than zero.
    """
    refuse_empty(signal, weights)
    steps = {name: _Steps(values, signal, weights) for name, values in scores.items()}
    drawn = {name: np.empty((replicas, len(SIGNAL_EFFICIENCIES))) for name in scores}
    random = np.random.default_rng(seed)
    for i in range(replicas):
        times = random.poisson(1.0, len(signal)).astype(np.float64)
        for name, step in steps.items():
            drawn[name][i] = step.background_efficiency(times)
    squares = float((weights[~signal] ** 2).sum())
    return {
        name: RejectionCurve(
            step.background_efficiency(np.ones(len(signal))),
            # Draws without one class say nothing; they are the same ones for all scores.
            drawn[name][np.isfinite(drawn[name]).all(axis=1)],
            step.passing(),
            float(weights[~signal].sum()) ** 2 / squares,
        )
        for name, step in steps.items()
    }


def refuse_empty(signal: np.ndarray, weights: np.ndarray) -> None:
    """Raise a StriateError if the weights of a class do not add up to more than zero."""
    for this, what in ((signal, "signal"), (~signal, "background")):
        if not this.any():
            raise StriateError(
                f"there is no {what} jet: a tagger is judged by jets of both classes"
            )
        total = float(weights[this].sum())
        if not total > 0:
            raise StriateError(
                f"the weights of the {what} jets add up to {total:g}: an efficiency needs a "
                "positive sum of weights"
            )


def threshold_at(
    scores: np.ndarray, signal: np.ndarray, weights: np.ndarray, signal_efficiency: float
) -> float:
    """Return the highest score at which a cut keeps at least that share of the signal."""
    own = scores[signal]
    order = np.argsort(-own, kind="stable")
    kept = np.cumsum(weights[signal][order]) / weights[signal].sum()
    return float(own[order][np.argmax(kept >= signal_efficiency - _ROUNDING)])


class _Steps:
    """The steps of the ROC curve of one score: jets by falling score, equal ones together."""

    def __init__(self, scores: np.ndarray, signal: np.ndarray, weights: np.ndarray) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        self._signal = np.where(signal, weights, 0.0)[self._order]
        self._background = np.where(signal, 0.0, weights)[self._order]

    def background_efficiency(self, times: np.ndarray) -> np.ndarray:
        """Return it at the signal efficiencies, each jet taken so many times."""
        drawn = times[self._order]
        background = self._summed(self._background * drawn)
        total = background[-1]
        if not total > 0:
            return np.full(len(SIGNAL_EFFICIENCIES), np.nan)
        return self._at(self._signal * drawn, background / total)

    def passing(self) -> np.ndarray:
        """Return the effective number of background jets that pass."""
        sums = self._at(self._signal, self._summed(self._background))
        squares = self._at(self._signal, self._summed(self._background**2))
        return _divided(sums**2, squares, 0.0)

    def _summed(self, weights: np.ndarray) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(weights)[self._ends]])

    def _at(self, signal: np.ndarray, values: np.ndarray) -> np.ndarray:
        passed = self._summed(signal)
        if not passed[-1] > 0:
            return np.full(len(SIGNAL_EFFICIENCIES), np.nan)
        # Negative weights can make it fall; the first threshold that reaches a value counts.
        rising = np.maximum.accumulate(passed / passed[-1])
        # Rounding must not ask for one jet more.
        return values[np.searchsorted(rising, SIGNAL_EFFICIENCIES - _ROUNDING)]


def _quantiles(replicas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ends = [(1 - ONE_SIGMA) / 2, (1 + ONE_SIGMA) / 2]
    low, high = np.quantile(replicas, ends, axis=0, method="nearest")
    return low, high


def _improvement(background_efficiency: np.ndarray) -> np.ndarray:
    return _divided(SIGNAL_EFFICIENCIES, np.sqrt(np.maximum(background_efficiency, 0)))


def _divided(above: np.ndarray, below: np.ndarray, otherwise: float = np.nan) -> np.ndarray:
    return np.divide(above, below, out=np.full(np.shape(above), otherwise), where=below > 0)


def _inverse(value: float) -> float:
    return 1 / value if value > 0 else float("inf")
