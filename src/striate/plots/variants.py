"""One measure of several settings, side by side with its errors."""

from __future__ import annotations

import math
from collections.abc import Mapping

from striate.errors import StriateError
from striate.plots.style import COLOURS, QUIET, SMALL, WIDTH, Figure, clipped, context


def variants(
    values: Mapping[str, tuple[float, float]],
    label: str,
    *,
    bound: float | None = None,
    bound_name: str = "",
) -> Figure:
    """Draw a point with its error for each setting, in the order given, from the top down.

    Parameters
    ----------
    values
        Name of a setting to its mean and the standard error of it; an error of NaN, as one seed
        has, is not drawn.
    label
        What is measured, with its unit.
    bound
        A value to compare with, drawn as a line.
    bound_name
        What to call it.

    Raises
    ------
    StriateError
        If there is no setting.
    """
    if not values:
        raise StriateError("there is no setting to draw: give at least one")
    names = list(values)
    with context():
        figure = Figure(figsize=(WIDTH, 1.0 + 0.26 * len(names)), layout="constrained")
        axes = figure.subplots()
        for row, (mean, error) in enumerate(values.values()):
            axes.errorbar(
                mean, row, xerr=None if math.isnan(error) else error, fmt="o", capsize=3,
                color=COLOURS[0],
            )  # fmt: skip
        if bound is not None:
            axes.axvline(bound, color=QUIET, linestyle="--", linewidth=1.0)
            axes.set_title(
                f"dashed: {bound_name}", fontsize=SMALL, fontweight="normal", color=QUIET
            )
        axes.set_yticks(range(len(names)), [clipped(name, 34) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.tick_params(axis="y", which="both", length=0)
        axes.margins(x=0.1)
        axes.grid(axis="x", color="#e4e4e4")
        axes.set_axisbelow(True)
        axes.set_xlabel(label)
    return figure
