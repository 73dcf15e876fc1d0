"""The response of a tagger to signal and background, trained on and not."""

from __future__ import annotations

import numpy as np

from striate.evaluation.histogram import fill
from striate.evaluation.tagging import Tagging
from striate.plots.style import COLOURS, WIDTH, Figure, clipped, context, label_experiment

BINS = 25


def response(tagging: Tagging, bins: int = BINS) -> Figure:
    """Draw the distributions of the network's output: test jets as histograms, training as points.

    Each has an area of 1; errors are those of the sums of weights. The probability of Kolmogorov
    and Smirnov's test, that training and test jets are of one distribution, stands in the legend.
    This is the overtraining plot of TMVA (arXiv:physics/0703039).
    """
    edges = np.linspace(0, 1, bins + 1)
    centres = (edges[1:] + edges[:-1]) / 2
    looks = (
        (False, tagging.background_name, COLOURS[1], {"hatch": "////", "fill": False}),
        (True, tagging.signal_name, COLOURS[0], {"fill": True, "alpha": 0.35}),
    )
    smallest, largest = np.inf, 0.0
    with context():
        figure = Figure(figsize=(WIDTH, 4.1), layout="constrained")
        axes = figure.subplots()
        for value, name, colour, look in looks:
            test, train = tagging.is_signal == value, tagging.train_is_signal == value
            short = clipped(name, 12)
            drawn = fill(tagging.network.scores[test], edges, tagging.weights[test])
            density, _ = drawn.density()
            axes.stairs(density, edges, color=colour, linewidth=0.8, **look)
            axes.stairs(density, edges, color=colour, linewidth=1.4, label=f"{short}, test")
            points = fill(tagging.train_scores[train], edges, tagging.train_weights[train])
            heights, errors = points.density()
            there = heights > 0
            axes.errorbar(
                centres[there],
                heights[there],
                yerr=np.minimum(errors, 0.999 * heights)[there],
                fmt="o" if value else "s",
                markersize=4,
                color=colour,
                markerfacecolor=colour if value else "white",
                elinewidth=1,
                label=f"{short}, training (KS {_probability(tagging.same_distribution[name])})",
            )
            seen = np.concatenate([density[density > 0], heights[there]])
            smallest, largest = min(smallest, seen.min()), max(largest, seen.max())
        axes.set_yscale("log")
        axes.set_xlim(0, 1)
        axes.set_ylim(0.5 * smallest, 2 * largest)
        axes.set_xlabel(f"output for {clipped(tagging.signal_name, 16)}")
        axes.set_ylabel("jets, area 1")
        label_experiment(axes)
        figure.legend(loc="outside lower center", ncols=2, columnspacing=1.0)
    return figure


def _probability(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.2g}"
