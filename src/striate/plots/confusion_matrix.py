"""Which class is taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.ticker import FuncFormatter, NullLocator

from striate.plots.style import INK, QUIET, SEQUENTIAL, SMALL, WIDTH, Figure, clipped, context

if TYPE_CHECKING:
    from striate.evaluation import Evaluation

MOST_WITH_COUNTS = 30
"""Above this number of classes the cells are too small for a count, and the figure says so."""


def confusion(evaluation: Evaluation) -> Figure:
    """Draw the confusion matrix: a row for each true class, a column for each predicted one.

    Row N7 c. The cell holds the count (for weighted events the sum of weights); its colour is the
    fraction of the row on a square-root scale, on which one mistake in a hundred is visible. A
    class without a test image has a hatched row.
    """
    counts = np.asarray(evaluation.confusion, dtype=float)
    fractions = np.asarray(evaluation.confusion_by_row, dtype=float)
    classes = len(counts)
    written = classes <= MOST_WITH_COUNTS
    names = [clipped(name) for name in evaluation.class_names]
    texts = [[_count(value) for value in row] for row in counts]
    widest = max(len(text) for row in texts for text in row)
    # In inches: room for the widest count at 7 points or more, or for a label of 6.5 points.
    cell = max(0.3, 0.06 * widest + 0.06) if written else 0.105
    side = max(2.6, classes * cell)
    with context():
        figure = Figure(figsize=(max(WIDTH, side + 1.9), side + 1.2), layout="compressed")
        axes = figure.subplots()
        picture = axes.imshow(
            np.ma.masked_invalid(fractions), cmap=SEQUENTIAL, norm=PowerNorm(0.5, vmin=0, vmax=1)
        )
        absent = np.flatnonzero(~np.isfinite(fractions).all(axis=1))
        for row in absent:
            axes.axhspan(
                row - 0.5, row + 0.5, fill=False, hatch="////", color="#c8c8c8", linewidth=0
            )
        size = min(10.0, 0.9 * 72 * side / classes / (0.58 * max(widest, 2))) if written else 0.0
        for (row, column), value in np.ndenumerate(counts):
            if not written or row in absent:
                continue
            axes.text(
                column,
                row,
                texts[row][column],
                ha="center",
                va="center",
                fontsize=size,
                color=_ink(value, float(fractions[row, column])),
            )
        label_size = SMALL + 1 if classes <= 12 else SMALL if written else 6.5
        upright = max(len(name) for name in names) * 0.6 * label_size / 72 < side / classes
        axes.set_xticks(range(classes), names, rotation=0 if upright else 90, fontsize=label_size)
        axes.set_yticks(range(classes), names, fontsize=label_size)
        axes.minorticks_off()
        axes.tick_params(length=0)
        axes.set_xlabel("predicted class", loc="center")
        axes.set_ylabel("true class", loc="center")
        notes = []
        if not written:
            notes.append(f"counts are not written above {MOST_WITH_COUNTS} classes")
        if len(absent):
            notes.append("hatched: no test image of this class")
        if evaluation.unanswered:
            notes.append(f"{evaluation.unanswered} images without an answer are in no cell")
        if notes:
            axes.set_title("\n".join(notes), fontsize=SMALL, fontweight="normal", color=QUIET)
        bar = figure.colorbar(picture, ax=axes, pad=0.03, fraction=0.05, aspect=25 * side / 3)
        bar.set_ticks([0, 0.01, 0.05, 0.1, 0.2, 0.5, 1])
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.set_label("fraction of the true class", loc="center")
    return figure


def _count(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"


def _ink(value: float, fraction: float) -> str:
    if value == 0:
        return "#9a9a9a"
    return "white" if fraction > 0.3 else INK
