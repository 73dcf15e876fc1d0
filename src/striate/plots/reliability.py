"""Whether a network that says 90 % is right in nine cases of ten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator, NullLocator

from striate.errors import StriateError
from striate.evaluation import weighted_fraction
from striate.plots.style import COLOURS, QUIET, WIDTH, Figure, context

if TYPE_CHECKING:
    from striate.evaluation import Evaluation


def calibration(evaluation: Evaluation, bins: int = 10) -> Figure:
    """Draw how often the prediction is right against the probability that the network gives it.

    Points are the mean probability and the fraction right of the test images in one bin, with a
    95 % Wilson interval; below them, how many images the bin holds. Bins are equally wide, from
    the smallest probability that a predicted class can have. A bin without images, or whose event
    weights add up to nothing, has no point.

    Raises
    ------
    StriateError
        If the network gave no finite answer to any image.
    """
    answered = evaluation.predictions >= 0
    if not answered.any():
        raise StriateError("no test image has an answer: there is no calibration to draw")
    confidence = evaluation.probabilities[answered].max(axis=1)
    right = evaluation.correct[answered]
    weights = np.ones(len(right)) if evaluation.weights is None else evaluation.weights[answered]
    edges = np.linspace(1 / len(evaluation.class_names), 1, bins + 1)
    where = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, bins - 1)
    sums = np.bincount(where, weights=weights, minlength=bins)
    points = []
    for number in np.flatnonzero(sums > 0):
        inside = where == number
        fraction = weighted_fraction(
            right[inside], None if evaluation.weights is None else weights[inside]
        )
        mean = float(np.average(confidence[inside], weights=weights[inside]))
        points.append((mean, float(fraction), fraction.low, fraction.high))
    x, y, low, high = np.array(points).T
    with context():
        figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=":", label="as it says")
        upper.errorbar(
            x,
            y,
            yerr=(np.maximum(y - low, 0), np.maximum(high - y, 0)),
            fmt="o",
            color=COLOURS[0],
            elinewidth=1.2,
            clip_on=False,
            zorder=3,
            label="test images, 95 % interval",
        )
        upper.set_xlim(edges[0], 1)
        upper.set_ylim(-0.04, 1.04)
        upper.set_ylabel("fraction right")
        figure.legend(loc="outside upper center", ncols=2)
        lower.stairs(np.maximum(sums, 0), edges, fill=True, color="#c9dcef", edgecolor=COLOURS[0])
        lower.set_ylim(0, 1.12 * max(float(sums.max()), 1.0))
        lower.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True, prune="lower"))
        lower.yaxis.set_minor_locator(NullLocator())
        lower.set_ylabel("images" if evaluation.weights is None else "weight")
        lower.set_xlabel("probability of the predicted class")
    return figure
