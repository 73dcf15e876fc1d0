"""What a picture is made of: boxes, words, curves, in inches from its upper left corner."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, overload

from striate.plots.style import INK

WIDE, HIGH = 9.6, 5.4
"""Inches of a picture: the shape of a slide."""

Align = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class Box:
    """A rectangle.

    Attributes
    ----------
    left, top, width, height
        In inches.
    fill, edge
        Colours; None for none.
    line
        Width of the edge in points.
    dashed
        Whether the edge is.
    """

    left: float
    top: float
    width: float
    height: float
    fill: str | None = None
    edge: str | None = None
    line: float = 0.6
    dashed: bool = False

    def as_list(self) -> list[Any]:
        """Return the shape as the page reads it."""
        corner = _points(self.left, self.top, self.width, self.height)
        return ["box", *corner, self.fill, self.edge, self.line, int(self.dashed)]


@dataclass(frozen=True)
class Words:
    """One line of text.

    Attributes
    ----------
    x, y
        Inches; y is the middle of the line.
    text
        What it says.
    size
        In points.
    align
        Which of its ends, or its middle, is at x.
    bold
        Whether it is.
    colour
        Of the letters.
    """

    x: float
    y: float
    text: str
    size: float = 12.0
    align: Align = "start"
    bold: bool = False
    colour: str = INK

    def as_list(self) -> list[Any]:
        """Return the shape as the page reads it."""
        place = _points(self.x, self.baseline)
        return ["words", *place, self.text, self.size, self.align, int(self.bold), self.colour]

    @property
    def baseline(self) -> float:
        """Inches from the top to the foot of the digits: their middle is at y."""
        return self.y + 0.36 * self.size / 72

    @property
    def width(self) -> float:
        """About how wide it is, in inches."""
        return width_in_ems(self.text) * self.size / 72 * (1.06 if self.bold else 1.0)


@dataclass(frozen=True)
class Arrow:
    """A straight arrow.

    Attributes
    ----------
    x, y, to_x, to_y
        Its two ends, in inches.
    colour
        Of the whole arrow.
    line
        Its width in points.
    """

    x: float
    y: float
    to_x: float
    to_y: float
    colour: str = "#6b6b6b"
    line: float = 1.2

    def as_list(self) -> list[Any]:
        """Return the shape as the page reads it."""
        return ["arrow", *_points(self.x, self.y, self.to_x, self.to_y), self.colour, self.line]


@dataclass(frozen=True)
class Curve:
    """A line through points.

    Attributes
    ----------
    points
        (x, y) in inches.
    colour
        Of the line.
    line
        Its width in points.
    """

    points: tuple[tuple[float, float], ...]
    colour: str = INK
    line: float = 1.2

    def as_list(self) -> list[Any]:
        """Return the shape as the page reads it."""
        return ["curve", [_points(*point) for point in self.points], self.colour, self.line]


@dataclass(frozen=True)
class Raster:
    """A picture made elsewhere, as the bytes of a PNG file.

    Attributes
    ----------
    left, top, width, height
        In inches.
    png
        The file.
    """

    left: float
    top: float
    width: float
    height: float
    png: bytes

    def as_list(self) -> list[Any]:
        """Return the shape as the page reads it."""
        data = base64.b64encode(self.png).decode("ascii")
        corner = _points(self.left, self.top, self.width, self.height)
        return ["raster", *corner, f"data:image/png;base64,{data}"]


Shape = Box | Words | Arrow | Curve | Raster


@dataclass(frozen=True)
class Scene:
    """One picture, or one step of several that have the same shapes in the same order.

    Attributes
    ----------
    shapes
        What it is made of; later ones lie upon earlier ones.
    caption
        A sentence that says what it shows, also to those who do not see it.
    width, height
        In inches.
    """

    shapes: tuple[Shape, ...]
    caption: str
    width: float = WIDE
    height: float = HIGH

    @property
    def texts(self) -> list[str]:
        """All that is written in it, in order."""
        return [shape.text for shape in self.shapes if isinstance(shape, Words) and shape.text]


class Steps(Sequence[Scene]):
    """Scenes that are made when they are asked for: a still picture does without them.

    Parameters
    ----------
    make
        Returns the scene of a step, numbered from 0.
    count
        How many there are.
    """

    def __init__(self, make: Callable[[int], Scene], count: int) -> None:
        self._make, self._count = make, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, step: int) -> Scene: ...
    @overload
    def __getitem__(self, step: slice) -> Steps: ...
    def __getitem__(self, step: int | slice) -> Scene | Steps:
        """Return one scene, or some of them."""
        chosen = range(self._count)[step]
        if isinstance(chosen, int):
            return self._make(chosen)
        return Steps(lambda number: self._make(chosen[number]), len(chosen))


# Advance widths of Helvetica in thousandths of an em; other letters are taken as wide as a digit.
_NARROW = dict.fromkeys(" .,:;!'/|()[]ijlIftr·", 300)
_LARGE = dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZmwMW+−=×→⌊⌋", 720) | dict.fromkeys("mwMW→", 880)
_WIDTHS = _NARROW | _LARGE


def width_in_ems(text: str) -> float:
    """Return about how wide a line of text is, in units of its size."""
    return sum(_WIDTHS.get(letter, 556) for letter in text) / 1000


def _points(*inches: float) -> list[float]:
    return [round(72 * value, 2) for value in inches]
