"""Numbers in cells, as on a slide: shaded by their value, outlined where one should look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.explain.scenes.shapes import Box, Shape, Words, width_in_ems
from striate.plots.style import INK, QUIET

Values = npt.NDArray[Any]

SMALLEST = 7.0
"""Points of the smallest number that is still written; below it, cells are only shaded."""

LARGEST = 17.0

LOOK = "#d9480f"
"""Of the outline of the window, and of the cells that it gives."""

PADDING = "#ececec"
_GRID = "#9a9a9a"
_PALE, _DARK = (255, 255, 255), (24, 82, 140)


def decimals(*tables: npt.ArrayLike) -> int:
    """Return how many decimals the numbers of these tables are shown with: none, or up to 3.

    Examples
    --------
    >>> decimals([1, -2]), decimals([0.25, 1.0]), decimals([123.456])
    (0, 2, 1)
    """
    values = np.concatenate([np.ravel(np.asarray(table, float)) for table in tables])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0
    most = 3 if np.abs(values).max() < 0.1 else 2 if np.abs(values).max() < 100 else 1
    for few in range(most):
        if np.allclose(values, values.round(few), rtol=0, atol=1e-12):
            return few
    return most


def rounded(shown: int, *tables: npt.ArrayLike) -> bool:
    """Return whether some of these numbers have more decimals than are shown."""
    return any(
        not np.allclose(
            finite := np.ravel(np.asarray(table, float))[np.isfinite(np.ravel(table))],
            finite.round(shown),
            rtol=0,
            atol=1e-12,
        )
        for table in tables
    )


def number(value: float, shown: int = 0) -> str:
    """Return a number as it is written in a cell, with a true minus; nothing for NaN.

    Examples
    --------
    >>> number(-2), number(0.25, 2), number(-0.001, 2), number(float("nan"))
    ('−2', '0.25', '0.00', '')
    """
    if not np.isfinite(value):
        return ""
    text = f"{value:.{shown}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


@dataclass(frozen=True)
class Table:
    """Where a table of cells lies: the corner of its first cell, and the side of each.

    Attributes
    ----------
    left, top
        Inches.
    rows, columns
        How many cells.
    side
        Of a cell, in inches.
    """

    left: float
    top: float
    rows: int
    columns: int
    side: float

    @classmethod
    def within(
        cls,
        shape: Sequence[int],
        left: float,
        top: float,
        width: float,
        height: float,
        *,
        largest: float = 0.52,
    ) -> Table:
        """Return the table with the largest cells that fits into a box, in its middle."""
        rows, columns = shape
        side = min(width / columns, height / rows, largest)
        return cls(
            left + 0.5 * (width - side * columns),
            top + 0.5 * (height - side * rows),
            rows,
            columns,
            side,
        )

    @property
    def right(self) -> float:
        """Inches."""
        return self.left + self.columns * self.side

    @property
    def bottom(self) -> float:
        """Inches."""
        return self.top + self.rows * self.side

    @property
    def middle(self) -> float:
        """Inches from the left to its middle."""
        return 0.5 * (self.left + self.right)

    @property
    def centre(self) -> float:
        """Inches from the top to its middle."""
        return 0.5 * (self.top + self.bottom)

    def size_for(self, texts: Iterable[str]) -> float:
        """Return the size in points with which all of these fit into cells; 0 if none is legible.

        The height of a cell holds the letters and some air, its width the longest of the texts.
        """
        longest = max((width_in_ems(text) for text in texts), default=0.01)
        points = 72 * self.side
        size = min(0.52 * points, 0.83 * points / longest, LARGEST)
        if size >= SMALLEST:
            return size
        # The smallest letters may come nearer to the edges of their cell.
        return SMALLEST if min(0.6 * points, 0.96 * points / longest) >= SMALLEST else 0.0

    def outline(
        self,
        row: int,
        column: int,
        rows: int = 1,
        columns: int = 1,
        *,
        colour: str = LOOK,
        line: float = 2.6,
        dashed: bool = False,
    ) -> Box:
        """Return a frame around some of the cells."""
        return Box(
            self.left + column * self.side,
            self.top + row * self.side,
            columns * self.side,
            rows * self.side,
            None,
            colour,
            line,
            dashed,
        )


class Numbers:
    """How the numbers of a table are drawn, the same in every step: shades, decimals, size.

    Parameters
    ----------
    table
        Where they lie.
    values
        All that will ever be in it; the last axes are rows and columns.
    limits
        The palest and the darkest value; those of `values` when None.
    shown
        Decimals; those that `values` need when None.
    outside
        Cells that are padding, (row, column) of bool.
    """

    def __init__(
        self,
        table: Table,
        values: npt.ArrayLike,
        *,
        limits: tuple[float, float] | None = None,
        shown: int | None = None,
        outside: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        everything = np.asarray(values, float)
        finite = everything[np.isfinite(everything)]
        self.table = table
        self.shown = decimals(everything) if shown is None else shown
        self.low, self.high = limits or (
            (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        )
        self.size = table.size_for({number(value, self.shown) for value in np.unique(finite)})
        self._outside = np.zeros((table.rows, table.columns), bool) if outside is None else outside

    @property
    def written(self) -> bool:
        """Whether the cells are large enough for numbers."""
        return self.size > 0

    def draw(self, values: npt.ArrayLike) -> list[Shape]:
        """Return a shaded cell for each value, and its number if there is room for it.

        A cell with NaN, not yet computed, is empty.
        """
        table = self.table
        shapes: list[Shape] = []
        for row, line in enumerate(np.asarray(values, float).tolist()):
            for column, value in enumerate(line):
                left, top = table.left + column * table.side, table.top + row * table.side
                beyond = bool(self._outside[row, column])
                fill, ink = (PADDING, QUIET) if beyond else self._shade(value)
                shapes.append(
                    Box(left, top, table.side, table.side, fill, _GRID, 0.6 if self.size else 0.2)
                )
                if self.size:
                    shapes.append(
                        Words(
                            left + table.side / 2,
                            top + table.side / 2,
                            number(value, self.shown),
                            self.size,
                            "middle",
                            colour=ink,
                        )
                    )
        return shapes

    def _shade(self, value: float) -> tuple[str, str]:
        """Return the colour of a cell and of its number; darker for larger values."""
        if not np.isfinite(value):
            return "#ffffff", INK
        span = self.high - self.low
        share = min(max((value - self.low) / span, 0.0), 1.0) if span > 0 else 0.25
        red, green, blue = (
            round(pale + share * (dark - pale)) for pale, dark in zip(_PALE, _DARK, strict=True)
        )
        return f"#{red:02x}{green:02x}{blue:02x}", "#ffffff" if share > 0.7 else INK


def title(table: Table, text: str, *, size: float = 11.5, above: float = 0.15) -> Words:
    """Return the title of a table, over its middle."""
    return Words(table.middle, table.top - above, text, size, "middle")


def sizes(shape: Sequence[int]) -> str:
    """Return rows and columns as words.

    Examples
    --------
    >>> sizes((6, 4))
    '6 × 4'
    """
    return " × ".join(str(side) for side in shape)
