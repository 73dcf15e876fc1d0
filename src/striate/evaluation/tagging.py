"""What is known of a network as a tagger: its curves, cuts and errors, beside its baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from striate.evaluation.compatibility import kolmogorov_smirnov
from striate.evaluation.efficiency import EfficiencyCurve
from striate.evaluation.estimate import Estimate
from striate.evaluation.rejection import RejectionCurve, ratio_of_rejections
from striate.evaluation.roc_area import area
from striate.evaluation.sculpting import Sculpting

WORKING_POINTS = (0.3, 0.5)
"""Signal efficiencies at which rejections are told."""

WORKING_POINT = 0.5
"""The one whose cut is looked at closer."""


@dataclass(frozen=True, eq=False)
class Tagger:
    """A score of the test jets, and how well it tells signal from background.

    Attributes
    ----------
    name, how
        What it is called, and a sentence on what it is.
    scores
        ``(n,)`` of the test jets that have an answer, higher for signal.
    placed
        ``(n,)``: as :func:`~striate.evaluation.roc_area.placements` returns them.
    auc
        Area under the ROC curve with its 95 % interval.
    curve
        Background efficiency against signal efficiency, with its bootstrap.
    sculpting
        Of the background's mass by the cut at `WORKING_POINT`; None where there is no mass.
    """

    name: str
    how: str
    scores: np.ndarray
    placed: np.ndarray
    auc: Estimate
    curve: RejectionCurve
    sculpting: Sculpting | None


@dataclass(frozen=True, eq=False)
class Tagging:
    """A network as a tagger of the test jets, beside its baselines; weights are honoured.

    Attributes
    ----------
    taggers
        The network first, then other networks, then the baselines.
    signal_name, background_name
        The classes: the second of the data is signal.
    is_signal, weights
        ``(n,)`` of the test jets that have an answer; weights are 1 where the data have none.
    train_scores, train_is_signal, train_weights
        Of the training jets; the signal probability that the network gives.
    efficiencies
        Of the network's cut at `WORKING_POINT`, by observable.
    mass_name
        The observable that serves as mass, or None.
    calibration_error
        See :func:`~striate.evaluation.calibration.calibration_error`.
    notes
        Sentences on what was left out.
    """

    taggers: tuple[Tagger, ...]
    signal_name: str
    background_name: str
    is_signal: np.ndarray
    weights: np.ndarray
    train_scores: np.ndarray
    train_is_signal: np.ndarray
    train_weights: np.ndarray
    efficiencies: Mapping[str, EfficiencyCurve]
    mass_name: str | None
    calibration_error: float
    notes: tuple[str, ...]

    @property
    def network(self) -> Tagger:
        """The network that was evaluated."""
        return self.taggers[0]

    @cached_property
    def same_distribution(self) -> Mapping[str, float]:
        """Probability that training and test scores of a class are of one distribution.

        By Kolmogorov and Smirnov's test; a small one, below 0.01, means that the network answers
        otherwise to jets that it was trained on. By name of the class.
        """
        found = {}
        for name, value in ((self.signal_name, True), (self.background_name, False)):
            train, test = self.train_is_signal == value, self.is_signal == value
            _, found[name] = kolmogorov_smirnov(
                self.train_scores[train],
                self.network.scores[test],
                self.train_weights[train],
                self.weights[test],
            )
        return MappingProxyType(found)

    def advantage(self, other: Tagger) -> Estimate:
        """Return by how much the network's area is larger, with the error of the difference.

        Both are of the same jets, so the error is smaller than both errors added.
        """
        return area(self.network.placed - other.placed, self.is_signal, self.weights)

    def rejection_ratio(self, other: Tagger, signal_efficiency: float = WORKING_POINT) -> Estimate:
        """Return how many times more background the network rejects than another tagger."""
        return ratio_of_rejections(self.network.curve, other.curve, signal_efficiency)

    def as_dict(self) -> dict[str, Any]:
        """Return a summary as JSON can hold it: no values per jet, None in place of NaN."""
        return {
            "signal": self.signal_name,
            "background": self.background_name,
            "jets": {
                "signal": int(self.is_signal.sum()),
                "background": int((~self.is_signal).sum()),
            },
            "calibration_error": _number(self.calibration_error),
            "same_distribution_probability": {
                name: _number(value) for name, value in self.same_distribution.items()
            },
            "mass": self.mass_name,
            "taggers": [self._tagger_as_dict(tagger) for tagger in self.taggers],
            "efficiency": {
                name: {
                    "edges": curve.edges.tolist(),
                    "signal": [_estimate(value) for value in curve.signal],
                    "background": [_estimate(value) for value in curve.background],
                }
                for name, curve in self.efficiencies.items()
            },
            "notes": list(self.notes),
        }

    def _tagger_as_dict(self, tagger: Tagger) -> dict[str, Any]:
        best = tagger.curve.best_improvement()
        bent = tagger.sculpting
        return {
            "name": tagger.name,
            "how": tagger.how,
            "auc": _estimate(tagger.auc),
            "rejection": {
                f"{point:g}": _estimate(tagger.curve.rejection(point)) for point in WORKING_POINTS
            },
            "significance_improvement": None
            if best is None
            else {"signal_efficiency": best[0], **(_estimate(best[1]) or {})},
            "jensen_shannon_bits": None if bent is None else _number(bent.divergence),
            "jensen_shannon_bits_by_chance": None if bent is None else _number(bent.by_chance),
            "network_minus_this_auc": None
            if tagger is self.network
            else _estimate(self.advantage(tagger)),
            "network_rejection_over_this": None
            if tagger is self.network
            else _estimate(self.rejection_ratio(tagger)),
        }


def _estimate(value: Estimate | None) -> dict[str, float | None] | None:
    if value is None:
        return None
    return {**value.as_dict(), "error": _number(value.error)}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
