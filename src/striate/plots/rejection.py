"""How much background a tagger rejects, against how much signal it keeps."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from striate.evaluation.rejection import LEAST_BACKGROUND, SIGNAL_EFFICIENCIES
from striate.evaluation.tagging import Tagging
from striate.plots.style import (
    COLOURS,
    LINES,
    QUIET,
    SMALL,
    WIDTH,
    Figure,
    clipped,
    context,
    label_experiment,
)

_FROM = 0.05
"""Signal efficiency where curves begin: below it a handful of jets decides."""


def rejection(tagging: Tagging) -> Figure:
    """Draw one over the background efficiency against the signal efficiency.

    The bands are the central 68 % of a bootstrap. Where fewer than 20 background jets pass the
    network's cut, the background of the figure is grey.
    """
    with context():
        figure = Figure(figsize=(WIDTH, 3.9 + 0.12 * len(tagging.taggers)), layout="constrained")
        axes = figure.subplots()
        axes.set_yscale("log")
        top = 1.0
        for position, tagger in enumerate(tagging.taggers):
            curve = tagger.curve
            low, high = curve.band
            shown = (curve.background_efficiency > 0) & (SIGNAL_EFFICIENCIES >= _FROM)
            if not shown.any():
                continue
            at, value = SIGNAL_EFFICIENCIES[shown], 1 / curve.background_efficiency[shown]
            # A band that reaches infinity ends at what one jet more would give.
            upper = 1 / np.maximum(low[shown], 0.5 / curve.background)
            colour = COLOURS[position % len(COLOURS)]
            axes.fill_between(at, 1 / high[shown], upper, color=colour, alpha=0.2, linewidth=0)
            label = f"{clipped(tagger.name, 15)}  {tagger.auc:.4f} ± {tagger.auc.error:.4f}"
            axes.plot(
                at,
                value,
                color=colour,
                linestyle=LINES[position % len(LINES)],
                linewidth=2.0 if position == 0 else 1.4,
                label=label,
            )
            top = max(top, float(value.max()))
        guess = SIGNAL_EFFICIENCIES[SIGNAL_EFFICIENCIES >= _FROM]
        axes.plot(guess, 1 / guess, color=QUIET, linewidth=0.8, linestyle=":", label="guessing")
        axes.set_xlim(0, 1)
        axes.set_ylim(0.9, 2 * top)
        mark_low_statistics(axes, tagging)
        axes.set_xlabel(f"signal efficiency ({clipped(tagging.signal_name, 12)})")
        axes.set_ylabel(f"1 / background efficiency ({clipped(tagging.background_name, 12)})")
        label_experiment(axes)
        figure.legend(
            loc="outside lower center",
            ncols=2,
            title="area under the ROC curve",
            title_fontsize=SMALL,
            fontsize=SMALL,
            columnspacing=0.9,
            handlelength=1.8,
        )
    return figure


def mark_low_statistics(axes: Axes, tagging: Tagging) -> None:
    """Shade where too few background jets pass the network's cut for a number to be believed."""
    trusted = tagging.network.curve.trusted
    if trusted.all():
        return
    end = float(SIGNAL_EFFICIENCIES[trusted][0]) if trusted.any() else 1.0
    name = clipped(tagging.background_name, 12)
    # In the legend, since curves may be anywhere.
    label = f"fewer than {LEAST_BACKGROUND} {name} pass"
    axes.axvspan(0, end, color="#ececec", zorder=0, linewidth=0, label=label)
