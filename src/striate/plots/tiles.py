"""Small pictures placed by hand, in inches: dozens of axes make matplotlib's own layout slow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from striate.plots.style import SMALL, WIDTH

COLUMNS = 8
MARGIN = 0.08
SIDE = (WIDTH - MARGIN) / COLUMNS - MARGIN
"""Side of one tile in inches."""

LINE = 1.35 * SMALL / 72
"""Height in inches of one line of small text."""


def place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes without ticks, `left` and `top` measured in inches from the upper left corner."""
    across, down = figure.get_size_inches()
    box = (left / across, 1 - (top + height) / down, width / across, height / down)
    axes = figure.add_axes(box, label=f"{left:.3f} {top:.3f}")
    axes.set_xticks([])
    axes.set_yticks([])
    # The style draws minor ticks even where there is no major one.
    axes.minorticks_off()
    for spine in axes.spines.values():
        spine.set_linewidth(0.5)
        spine.set_color("#b0b0b0")
    return axes


def write(figure: Figure, left: float, top: float, text: str, **look: Any) -> None:
    """Write one line of small text, `left` and `top` in inches from the upper left corner."""
    across, down = figure.get_size_inches()
    settings: dict[str, Any] = {"fontsize": SMALL, "va": "top", **look}
    figure.text(left / across, 1 - top / down, text, **settings)


def height_of(pictures: Sequence[np.ndarray], width: float = SIDE) -> float:
    """Return the height in inches of tiles `width` wide; long shapes are kept within bounds."""
    rows, columns = pictures[0].shape[:2]
    return width * min(max(rows / columns, 0.4), 2.0)


def rows(count: int) -> int:
    """Return how many rows of tiles `count` pictures take."""
    return -(-count // COLUMNS)


def draw(
    figure: Figure,
    pictures: Sequence[np.ndarray],
    top: float,
    *,
    colours: Colormap | str,
    limits: tuple[float, float],
) -> None:
    """Draw pictures in rows of eight tiles, the first row at `top` inches from the upper edge.

    Each is (row, col), coloured between `limits`, or (row, col, 3) with values in [0, 1].
    """
    height = height_of(pictures)
    for position, picture in enumerate(pictures):
        row, column = divmod(position, COLUMNS)
        axes = place(
            figure,
            MARGIN + column * (SIDE + MARGIN),
            top + row * (height + MARGIN),
            SIDE,
            height,
        )
        axes.imshow(
            picture,
            cmap=colours,
            vmin=limits[0],
            vmax=limits[1],
            interpolation="nearest",
            aspect="auto",
        )


def spread(count: int, most: int) -> np.ndarray:
    """Return at most `most` indices below `count`, spread evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def limit(values: np.ndarray) -> float:
    """Return the largest finite absolute value, or 1 where there is none but zero."""
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max()) if np.any(finite) else 1.0
