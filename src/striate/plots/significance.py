"""By how much a cut on a tagger improves the significance of a search."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from striate.evaluation.rejection import SIGNAL_EFFICIENCIES
from striate.evaluation.tagging import Tagging
from striate.plots.rejection import mark_low_statistics
from striate.plots.style import (
    COLOURS,
    LINES,
    SMALL,
    WIDTH,
    Figure,
    clipped,
    context,
    label_experiment,
)


def significance(tagging: Tagging) -> Figure:
    """Draw signal efficiency over root of background efficiency against the signal efficiency.

    A curve ends where fewer than 20 background jets pass; its dot is the maximum, which the legend
    gives with its error and place. The region where that is so for the network is grey.
    """
    with context():
        figure = Figure(figsize=(WIDTH, 3.5 + 0.2 * len(tagging.taggers)), layout="constrained")
        axes = figure.subplots()
        top = 1.0
        for position, tagger in enumerate(tagging.taggers):
            curve = tagger.curve
            shown = curve.trusted & np.isfinite(curve.improvement)
            best = curve.best_improvement()
            if best is None:
                continue
            colour = COLOURS[position % len(COLOURS)]
            at = SIGNAL_EFFICIENCIES[shown]
            low, high = (ends[shown] for ends in curve.improvement_band)
            axes.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(
                at,
                curve.improvement[shown],
                color=colour,
                linestyle=LINES[position % len(LINES)],
                linewidth=2.0 if position == 0 else 1.4,
                label=f"{clipped(tagger.name, 15)}  {best[1]:.2f} ± {best[1].error:.2f} "
                f"at {best[0]:.2f}",
            )
            axes.plot(*best, "o", color=colour, markersize=6, markeredgecolor="white", zorder=4)
            top = max(top, float(np.nanmax(high)))
        axes.axhline(1, color="#6b6b6b", linewidth=0.8, linestyle=":")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.1 * top)
        axes.yaxis.set_major_locator(MaxNLocator(6, prune="lower"))
        mark_low_statistics(axes, tagging)
        axes.set_xlabel(f"signal efficiency ({clipped(tagging.signal_name, 12)})")
        axes.set_ylabel("significance improvement")
        label_experiment(axes)
        if axes.get_legend_handles_labels()[0]:
            figure.legend(
                loc="outside lower center",
                ncols=1,
                title="largest improvement, and where",
                title_fontsize=SMALL,
                fontsize=SMALL,
            )
    return figure
