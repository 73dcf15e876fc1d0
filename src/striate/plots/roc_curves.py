"""How many of a class are found against how many others are taken for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate.errors import StriateError
from striate.plots.style import (
    COLOURS,
    LINES,
    QUIET,
    SMALL,
    WIDTH,
    Figure,
    clipped,
    context,
)

if TYPE_CHECKING:
    from striate.evaluation import Evaluation

MOST_NAMED = 10
"""Above this number of classes only the worst are named; the others are drawn thin and grey."""

_WORST = 5


def roc(evaluation: Evaluation) -> Figure:
    """Draw a receiver operating characteristic for each class against all the others.

    The axis of the false-positive rate is logarithmic, from below one event of the largest
    background, because good classifiers differ only there. Of two classes, whose curves mirror
    each other, the second is drawn. Above ten classes, the five with the smallest area are named.

    Raises
    ------
    StriateError
        If no class has both images of its own and of others.
    """
    curves = {name: curve for name, curve in evaluation.roc.items() if np.isfinite(curve.auc)}
    if not curves:
        raise StriateError("no curve can be drawn: the test split holds images of one class only")
    if len(evaluation.class_names) == 2:
        curves = dict(list(curves.items())[-1:])
    named = list(curves)
    if len(curves) > MOST_NAMED:
        named = sorted(curves, key=lambda name: curves[name].auc)[:_WORST]
    smallest = min(
        float(rate)
        for curve in curves.values()
        for rate in np.asarray(curve.false_positive_rate)
        if rate > 0
    )
    with context():
        figure = Figure(figsize=(WIDTH, 3.7 + 0.09 * len(named)), layout="constrained")
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_xlim(0.5 * smallest, 1)
        axes.set_ylim(0, 1.04)
        for name in set(curves) - set(named):
            curve = curves[name]
            axes.plot(
                curve.false_positive_rate,
                curve.true_positive_rate,
                drawstyle="steps-post",
                color="#c4c4c4",
                linewidth=0.6,
                zorder=1,
            )
        for position, name in enumerate(named):
            curve = curves[name]
            axes.plot(
                curve.false_positive_rate,
                curve.true_positive_rate,
                drawstyle="steps-post",
                color=COLOURS[position],
                linestyle=LINES[position % len(LINES)],
                linewidth=1.8 if position < len(LINES) else 1.0,
                label=f"{clipped(name)}  {curve.auc:.4f}",
            )
        chance = np.geomspace(0.5 * smallest, 1, 200)
        axes.plot(chance, chance, color=QUIET, linewidth=0.8, linestyle=":", label="guessing  0.5")
        axes.set_xlabel("false-positive rate")
        axes.set_ylabel("true-positive rate")
        some = f" ({_WORST} smallest of {len(curves)})" if len(named) < len(curves) else ""
        figure.legend(
            loc="outside lower center",
            ncols=2,
            title=f"area under the curve{some}",
            title_fontsize=SMALL,
            fontsize=SMALL,
        )
    return figure
