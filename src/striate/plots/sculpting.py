"""The background's mass before and after a cut on a tagger."""

from __future__ import annotations

import numpy as np

from striate.errors import StriateError
from striate.evaluation.baselines import BOOSTED_TREE
from striate.evaluation.sculpting import Sculpting
from striate.evaluation.tagging import WORKING_POINT, Tagging
from striate.plots.observable_names import axis_name
from striate.plots.style import COLOURS, WIDTH, Figure, clipped, context, label_experiment


def mass_sculpting(tagging: Tagging) -> Figure:
    """Draw the background's mass: all jets, and those that a cut at 50 % signal efficiency passes.

    Of the network as points, of the boosted tree as a line, each with an area of 1; the legend has
    the Jensen-Shannon divergence from all jets.

    Raises
    ------
    StriateError
        If the data have no mass.
    """
    bent = tagging.network.sculpting
    if bent is None or tagging.mass_name is None:
        raise StriateError("the data have no mass: there is no sculpting to draw")
    with context():
        figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
        axes = figure.subplots()
        edges = bent.before.edges
        density, _ = bent.before.density()
        axes.stairs(
            density,
            edges,
            fill=True,
            color="#d9d9d9",
            label=f"all {clipped(tagging.background_name, 12)}",
        )
        axes.stairs(density, edges, color="#6b6b6b", linewidth=1.0)
        top = float(density.max())
        for tagger in tagging.taggers:
            if tagger.name != BOOSTED_TREE or tagger.sculpting is None:
                continue
            heights, _ = tagger.sculpting.after.density()
            axes.stairs(
                heights,
                edges,
                color=COLOURS[1],
                linestyle="--",
                linewidth=1.4,
                label=_passing(tagger.name, tagger.sculpting),
            )
            top = max(top, float(heights.max()))
        heights, errors = bent.after.density()
        there = heights > 0
        axes.errorbar(
            ((edges[1:] + edges[:-1]) / 2)[there],
            heights[there],
            yerr=np.minimum(errors, heights)[there],
            fmt="o",
            color=COLOURS[0],
            elinewidth=1,
            label=_passing(tagging.network.name, bent),
        )
        top = max(top, float((heights + errors)[there].max(initial=0)))
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(0, 1.08 * top)
        axes.set_xlabel(axis_name(tagging.mass_name))
        axes.set_ylabel(f"jets at {100 * WORKING_POINT:.0f} % signal, area 1")
        label_experiment(axes)
        figure.legend(loc="outside lower center", ncols=1)
    return figure


def _passing(name: str, bent: Sculpting) -> str:
    words = f"passing {clipped(name, 14)}"
    if not np.isfinite(bent.divergence):
        return f"{words}  (none)"
    return f"{words}  {bent.divergence:.2f} bits"
