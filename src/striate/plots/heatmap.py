"""A measure over two hyperparameters: which cell is best, and where the training diverges."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, NullLocator

from striate.errors import StriateError
from striate.plots.style import INK, QUIET, SMALL, WIDTH, WRONG, Figure, clipped, context

MOST_WRITTEN = 400
"""Above this number of cells they are too small for numbers, and the figure says so."""

# From dark to light, as the eye takes it in grey, too.
_COLOURS = "viridis"


def heatmap(
    values: np.ndarray,
    axes: Mapping[str, Sequence[Any]],
    *,
    diverged: np.ndarray | None = None,
    label: str = "test accuracy",
    smallest_is_best: bool | None = None,
) -> Figure:
    """Draw annotated cells over two axes of a scan, as the Oslo lecture does (row N13).

    Parameters
    ----------
    values
        (values of the first axis, values of the second one), or with a single axis (values,).
        NaN where nothing was measured.
    axes
        The values of the axes by their names; the first goes down, the second to the right.
    diverged
        Where the training diverged: hatched, and never the best.
    label
        What the numbers are.
    smallest_is_best
        True for a loss; by the label if not given.

    Raises
    ------
    StriateError
        If `values` does not have the shape of the axes, or there are more than two.
    """
    shape = tuple(len(of) for of in axes.values())
    numbers = np.asarray(values, np.float64)
    if numbers.shape != shape or len(shape) > 2:
        raise StriateError(
            f"a heat map shows values over one or two axes, but here are {numbers.shape} values "
            f"for axes of {shape}: choose a value of the other axes"
        )
    gone = np.zeros(shape, bool) if diverged is None else np.asarray(diverged, bool)
    # A single axis lies along the bottom.
    down = next(iter(axes.items())) if len(shape) == 2 else ("", [""])
    right = list(axes.items())[-1] if shape else ("", [""])
    numbers, gone = (a.reshape(len(down[1]), len(right[1])) for a in (numbers, gone))
    loss = label.endswith("loss") if smallest_is_best is None else smallest_is_best
    shown = np.where(gone, np.nan, numbers)
    written = numbers.size <= MOST_WRITTEN
    best = None
    if np.isfinite(shown).any():
        best = np.unravel_index(np.nanargmin(shown) if loss else np.nanargmax(shown), shown.shape)
    with context():
        across = max(WIDTH - 1.6, 0.5 * len(right[1])) if written else WIDTH - 1.6
        high = max(1.0, 0.38 * len(down[1])) if written else 3.2
        figure = Figure(figsize=(across + 1.9, high + 1.3), layout="compressed")
        plot = figure.subplots()
        picture = plot.imshow(np.ma.masked_invalid(shown), cmap=_COLOURS, aspect="auto")
        for row, column in np.argwhere(gone):
            corner = (column - 0.5, row - 0.5)
            plot.add_patch(
                Rectangle(corner, 1, 1, fill=False, hatch="////", edgecolor="#b0b0b0", linewidth=0)
            )
        if written:
            _write(plot, numbers, gone, picture, across / len(right[1]))
        if best is not None:
            corner = (best[1] - 0.5, best[0] - 0.5)
            plot.add_patch(
                Rectangle(corner, 1, 1, fill=False, edgecolor=WRONG, linewidth=2.4, clip_on=False)
            )
        _name(plot, down, right)
        notes = [] if best is None else ["red frame: best"]
        if gone.any():
            notes.append("hatched: diverged")
        if not written:
            notes.append(f"numbers are not written above {MOST_WRITTEN} cells")
        plot.set_title(", ".join(notes), fontsize=SMALL, fontweight="normal", color=QUIET)
        if best is not None:
            bar = figure.colorbar(picture, ax=plot, pad=0.03, fraction=0.06)
            bar.ax.yaxis.set_major_locator(MaxNLocator(5))
            bar.ax.yaxis.set_minor_locator(NullLocator())
            bar.set_label(label, loc="center")
    return figure


def _write(plot: Any, numbers: np.ndarray, gone: np.ndarray, picture: Any, width: float) -> None:
    """Write each number into its cell, in ink that is read on its colour."""
    texts = {place: _text(value) for place, value in np.ndenumerate(numbers)}
    widest = max(len(text) for text in texts.values())
    size = min(10.0, 0.86 * 72 * width / (0.56 * max(widest, 3)))
    for (row, column), text in texts.items():
        colour = QUIET
        if not gone[row, column] and np.isfinite(numbers[row, column]):
            red, green, blue, _ = picture.cmap(picture.norm(numbers[row, column]))
            colour = INK if 0.3 * red + 0.59 * green + 0.11 * blue > 0.45 else "white"
        plot.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)


def _name(plot: Any, down: tuple[str, Sequence[Any]], right: tuple[str, Sequence[Any]]) -> None:
    plot.set_xticks(range(len(right[1])), _values(right[1]))
    plot.set_yticks(range(len(down[1])), _values(down[1]))
    if any(len(word) > 6 and not word.startswith("$") for word in _values(right[1])):
        plot.tick_params(axis="x", rotation=60)
    plot.minorticks_off()
    plot.tick_params(length=0)
    plot.set_xlabel(right[0].replace("_", " "), loc="center")
    plot.set_ylabel(down[0].replace("_", " "), loc="center")


def _values(values: Sequence[Any]) -> list[str]:
    """Return what to write at an axis: powers of ten as such where all are."""
    powers = [_power(value) for value in values]
    if len(values) > 1 and all(power is not None for power in powers):
        return [f"$10^{{{power}}}$" for power in powers]
    return [f"{v:.3g}" if isinstance(v, float) else clipped(str(v), 14) for v in values]


def _power(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    power = round(math.log10(value))
    return power if math.isclose(value, 10.0**power, rel_tol=1e-9) else None


def _text(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return (
        f"{value:.3f}"
        if abs(value) < 10
        else f"{value:.2g}"
        if abs(value) < 1e4
        else f"{value:.0e}"
    )
