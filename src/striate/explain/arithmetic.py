"""Convolution arithmetic: how many outputs there are, for each way to pad, stride and dilate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.convolution import extent, output_size, padding_for
from striate.convolution.arguments import Padding
from striate.errors import StriateError
from striate.explain.layout import headed
from striate.explain.scenes.cells import PADDING, Table, sizes
from striate.explain.scenes.drawing import figure
from striate.explain.scenes.shapes import Box, Scene, Shape, Steps, Words
from striate.explain.scenes.writing import Picture
from striate.explain.window import Motion, Window
from striate.plots.style import QUIET

MOST_SIDE, MOST_KERNEL = 12, 7
"""Pixels and taps along an axis that are drawn."""

_PIXEL, _OUTPUT, _EDGE = "#cfdeee", "#7fa6cd", "#7a7a7a"


@dataclass(frozen=True)
class Case:
    """One setting.

    Attributes
    ----------
    name
        What it is called.
    stride, padding, dilation
        As in `striate.convolution.output_size`.
    """

    name: str
    stride: int = 1
    padding: Padding = 0
    dilation: int = 1


CASES = (
    Case("valid: no padding"),
    Case("half (same) padding", padding="same"),
    Case("full padding", padding="full"),
    Case("stride 2", stride=2),
    Case("stride 2, padding 1", stride=2, padding=1),
    Case("dilation 2", dilation=2),
)
"""One for each panel (row C6, Oslo lecture; Dumoulin and Visin, arXiv:1603.07285)."""


def arithmetic(size: tuple[int, int] = (6, 6), kernel: tuple[int, int] = (3, 3)) -> Picture:
    """Show how many outputs remain, in six panels that share image and kernel.

    Parameters
    ----------
    size, kernel
        Rows and columns.

    Raises
    ------
    StriateError
        If they are too large to be drawn, or no output remains in one of the cases.
    """
    if max(size) > MOST_SIDE or max(kernel) > MOST_KERNEL:
        raise StriateError(
            f"an image of {sizes(size)} and a kernel of {sizes(kernel)}: they are drawn up to "
            f"{MOST_SIDE} and {MOST_KERNEL} on a side"
        )
    panels = [
        _Panel(case, size, kernel, 0.3 + 3.1 * (number % 3), 0.98 + 2.08 * (number // 3))
        for number, case in enumerate(CASES)
    ]
    longest = max(panel.count for panel in panels)
    about = (
        f"image i = {sizes(size)}, kernel k = {sizes(kernel)};   "
        "o = ⌊(i + 2p − e) / s⌋ + 1,   e = d (k − 1) + 1"
    )
    foot = "Orange: the window and its output. Dashed grey: zeros of the padding."

    def scene(step: int) -> Scene:
        shapes: list[Shape] = []
        for panel in panels:
            shapes += panel.shapes(min(step, panel.count - 1))
        shapes += headed(
            "How many outputs a convolution has", about, f"step {step + 1} of {longest}", foot
        )
        told = "; ".join(f"{panel.case.name} gives {panel.outputs}" for panel in panels)
        return Scene(tuple(shapes), f"Step {step + 1} of {longest}. {told}.")

    return Picture(
        "arithmetic",
        "How many outputs a convolution has",
        figure(scene(0)),
        Steps(scene, longest),
    )


class _Panel:
    """One case: the image with its padding, the window, the outputs, and the formula."""

    def __init__(
        self, case: Case, size: tuple[int, int], kernel: tuple[int, int], left: float, top: float
    ) -> None:
        self.case = case
        motion = Motion(0, case.stride, case.padding, case.dilation)
        self._window = Window(np.ones(size), np.ones(kernel), motion)
        outside = self._window.outside
        rows, columns = self._window.feature_map.shape
        self.count = rows * columns
        self.outputs = sizes((rows, columns))
        high, wide = outside.shape
        # Both tables have the same cells.
        side = min(1.22 / max(high, rows), 2.55 / (wide + columns))
        self._image = Table(left, top + 0.5 * (1.22 - side * high) + 0.3, high, wide, side)
        self._map = Table(
            self._image.right + 0.3, top + 0.5 * (1.22 - side * rows) + 0.3, rows, columns, side
        )
        self._still: list[Shape] = [
            Words(left, top + 0.12, f"{case.name}: {self.outputs}", 11.5, bold=True),
            *(
                Words(left, top + 1.7 + 0.21 * line, text, 11.0)
                for line, text in enumerate(self._formulas(size, kernel))
            ),
            *_cells(self._image, outside),
            *_cells(self._map, None),
        ]

    def _formulas(self, size: tuple[int, int], kernel: tuple[int, int]) -> list[str]:
        """Return the formula of each axis; axes of equal numbers have one between them."""
        case = self.case
        found = []
        for i, k in zip(size, kernel, strict=True):
            before, after = padding_for(i, k, case.stride, case.padding, case.dilation)
            pads = f"2·{before}" if before == after else f"({before} + {after})"
            outputs = output_size(i, k, case.stride, case.padding, case.dilation)
            span = extent(k, case.dilation)
            found.append(f"o = ⌊({i} + {pads} − {span}) / {case.stride}⌋ + 1 = {outputs}")
        return list(dict.fromkeys(found))

    def shapes(self, step: int) -> list[Shape]:
        at = self._window.steps[step]
        rows, columns = self._window.taps
        apart = self.case.dilation
        taps = [
            self._image.outline(
                at.position[0] + row * apart, at.position[1] + column * apart, line=1.6
            )
            for row in range(rows)
            for column in range(columns)
        ]
        return [*self._still, *taps, self._map.outline(*at.index, line=1.8)]


def _cells(table: Table, outside: np.ndarray | None) -> list[Shape]:
    shapes: list[Shape] = []
    for row, column in np.ndindex(table.rows, table.columns):
        beyond = outside is not None and bool(outside[row, column])
        fill = PADDING if beyond else _OUTPUT if outside is None else _PIXEL
        shapes.append(
            Box(
                table.left + column * table.side,
                table.top + row * table.side,
                table.side,
                table.side,
                fill,
                QUIET if beyond else _EDGE,
                0.5,
                beyond,
            )
        )
    return shapes
