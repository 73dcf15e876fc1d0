"""Small pictures placed by hand, in inches: dozens of axes make matplotlib's own layout slow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from striate.plots.style import SMALL, WIDTH

COLUMNS = 8
MARGIN = 0.08
SIDE = (WIDTH - MARGIN) / COLUMNS - MARGIN
"""Side of one tile in inches."""

LINE = 1.35 * SMALL / 72
"""Height in inches of one line of small text."""


FRAME: Mapping[str, Any] = {"edgecolor": "#b0b0b0", "linewidth": 0.5}


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
        spine.set_linewidth(FRAME["linewidth"])
        spine.set_color(FRAME["edgecolor"])
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


def canvas(figure: Figure) -> Axes:
    """Return axes over a whole figure, in inches from its upper left corner, without ticks.

    Many small pictures are drawn into one of these: axes of their own cost far more than they do.
    """
    across, down = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, across), ylim=(down, 0))
    return axes


def picture(
    axes: Axes,
    values: np.ndarray,
    left: float,
    top: float,
    width: float,
    height: float,
    *,
    colours: Colormap | str,
    limits: tuple[float, float],
    frame: Mapping[str, Any] = FRAME,
) -> None:
    """Draw a picture into a `canvas`, in a frame.

    It is (row, col), coloured between `limits`, or (row, col, 3) with values in [0, 1].
    """
    box = (left, left + width, top + height, top)
    drawn = AxesImage(axes, cmap=colours, interpolation="nearest", extent=box, origin="upper")
    drawn.set_data(values)
    drawn.set_clim(*limits)
    axes.add_image(drawn)
    axes.add_patch(Rectangle((left, top), width, height, fill=False, clip_on=False, **frame))


def draw(
    axes: Axes,
    pictures: Sequence[np.ndarray],
    top: float,
    *,
    colours: Colormap | str,
    limits: tuple[float, float],
) -> None:
    """Draw pictures into a `canvas`, in rows of eight, the first row at `top`; see `picture`."""
    height = height_of(pictures)
    for position, values in enumerate(pictures):
        row, column = divmod(position, COLUMNS)
        across = MARGIN + column * (SIDE + MARGIN)
        down = top + row * (height + MARGIN)
        picture(axes, values, across, down, SIDE, height, colours=colours, limits=limits)


def spread(count: int, most: int) -> np.ndarray:
    """Return at most `most` indices below `count`, spread evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def limit(values: np.ndarray) -> float:
    """Return the largest finite absolute value, or 1 where there is none but zero."""
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max()) if np.any(finite) else 1.0
