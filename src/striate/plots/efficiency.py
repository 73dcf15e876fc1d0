"""The efficiency of a cut on a tagger against observables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from striate.errors import StriateError
from striate.evaluation import Estimate
from striate.evaluation.tagging import WORKING_POINT, Tagging
from striate.plots.observable_names import axis_name
from striate.plots.style import (
    COLOURS,
    QUIET,
    SMALL,
    WIDTH,
    Figure,
    clipped,
    context,
    label_experiment,
)


def efficiencies(tagging: Tagging) -> Figure:
    """Draw the share of signal and of background that passes, in bins of pT, eta and pile-up.

    The cut keeps half of all signal jets. Bins hold equal numbers of jets; errors are 68 % Wilson
    intervals; dotted is the mean of the bins.

    Raises
    ------
    StriateError
        If the data have none of those observables.
    """
    curves = tagging.efficiencies
    if not curves:
        raise StriateError("the data have no pT, eta or pile-up: there is no efficiency to draw")
    with context():
        figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
        grid = figure.subplots(2, len(curves), squeeze=False, sharex="col", sharey="row")
        for column, (name, curve) in enumerate(curves.items()):
            for row, values in enumerate((curve.signal, curve.background)):
                _points(grid[row, column], curve.edges, values, COLOURS[row], "os"[row])
            grid[1, column].set_xlabel(axis_name(name), fontsize=SMALL, loc="center")
        for row, name in enumerate((tagging.signal_name, tagging.background_name)):
            grid[row, 0].set_ylabel(f"{clipped(name, 10)} efficiency", fontsize=SMALL + 1)
            for axes in grid[row]:
                axes.tick_params(labelsize=SMALL)
                axes.set_ylim(bottom=0)
                axes.yaxis.set_major_locator(MaxNLocator(5, prune="lower"))
        label_experiment(grid[0, 0])
        figure.suptitle(
            f"cut at {100 * WORKING_POINT:.0f} % signal efficiency",
            fontsize=SMALL + 1,
            fontweight="normal",
        )
    return figure


def _points(
    axes: Axes, edges: np.ndarray, values: Sequence[Estimate | None], colour: str, marker: str
) -> None:
    there = [i for i, value in enumerate(values) if value is not None]
    found = [value for value in values if value is not None]
    y = np.array([float(value) for value in found])
    centres, halves = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    axes.errorbar(
        centres[there],
        y,
        xerr=halves[there],
        yerr=(
            np.maximum(y - [value.low for value in found], 0),
            np.maximum([value.high for value in found] - y, 0),
        ),
        fmt=marker,
        color=colour,
        elinewidth=1.2,
    )
    if len(y):
        axes.axhline(float(y.mean()), color=QUIET, linewidth=0.8, linestyle=":")
