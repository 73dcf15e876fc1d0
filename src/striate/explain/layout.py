"""A window laid out on a slide: image, kernel, products, their sum, and the feature map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.convolution import Step, extent
from striate.convolution.arguments import per_axis
from striate.explain.scenes.cells import (
    Numbers,
    Table,
    decimals,
    number,
    rounded,
    sizes,
    title,
)
from striate.explain.scenes.shapes import HIGH, WIDE, Shape, Words, width_in_ems
from striate.explain.window import Values, Window, layers
from striate.plots.style import QUIET

Place = tuple[float, float, float, float]
"""Left, top, width and height in inches."""

COLOURS = ("red ", "green ", "blue ")

_FORMULA = 12.0
_MOST_TERMS = 12


@dataclass(frozen=True)
class Places:
    """Where the parts of a window are drawn.

    Attributes
    ----------
    image, kernel, products
        One place for each channel.
    window
        Likewise; none if the numbers of the image can be read in the image itself.
    feature_map
        Of the result.
    formula
        x of the middle, y and width of two lines that add up.
    """

    image: tuple[Place, ...]
    kernel: tuple[Place, ...]
    products: tuple[Place, ...]
    window: tuple[Place, ...]
    feature_map: Place
    formula: tuple[float, float, float]


class Layout:
    """A window laid out in its places.

    Parameters
    ----------
    window
        What to draw.
    places
        Where.
    """

    def __init__(self, window: Window, places: Places) -> None:
        self._window, self._places = window, places
        self._image = decimals(window.surrounded)
        self._weight = decimals(window.kernel)
        products = np.stack([layers(step.products) for step in window.steps])
        sums = np.array([step.sum for step in window.steps])
        # The same decimals for what is added up, and for what it gives.
        self._sum = decimals(products, sums)
        self._output = decimals(sums, window.feature_map, [window.motion.bias])
        self._images = [Table.within(window.outside.shape, *place) for place in places.image]
        self._products = [
            _legible(Table.within(window.taps, *place), products, self._sum)
            for place in places.products
        ]
        self._seen = [
            Numbers(Table.within(window.taps, *place), window.surrounded, shown=self._image)
            for place in places.window
        ]
        self._outputs = Numbers(
            Table.within(window.feature_map.shape, *places.feature_map),
            window.feature_map,
            shown=self._output,
        )
        self._still = self._titles() + self._cells()
        self._rounds = (
            rounded(self._image, window.surrounded)
            or rounded(self._weight, window.kernel)
            or rounded(self._products[0].shown, products)
            or rounded(self._sum, sums)
            or rounded(self._output, window.feature_map)
        )
        longest = max(width_in_ems(self._terms(step)) for step in window.steps)
        self._long = (
            window.kernel.size <= _MOST_TERMS and longest * _FORMULA / 72 <= places.formula[2]
        )

    @property
    def outputs(self) -> Table:
        """Where the feature map lies."""
        return self._outputs.table

    @property
    def foot(self) -> str:
        """What shades mean, and whether numbers are rounded."""
        words = ["Darker cells hold larger numbers."]
        if self._window.outside.any():
            words.append("Grey cells are the zeros of the padding.")
        if not self._outputs.written:
            low, high = (number(v, self._output) for v in (self._outputs.low, self._outputs.high))
            words.append(f"Feature map: palest {low}, darkest {high}.")
        if self._rounds:
            words.append("Numbers are rounded.")
        return " ".join(words)

    def shapes(self, step: Step, outputs: Values | None = None) -> list[Shape]:
        """Return all shapes of one step.

        Parameters
        ----------
        step
            Of the window.
        outputs
            The feature map to show; what has been computed up to this step when None.
        """
        shapes = list(self._still)
        for table, values in zip(self._products, layers(step.products), strict=True):
            shapes += table.draw(values)
        if self._seen:
            for table, values in zip(self._seen, layers(step.window), strict=True):
                shapes += table.draw(values)
        shapes += self._outputs.draw(step.output_map if outputs is None else outputs)
        for place in self._images:
            shapes += self._outlines(place, step)
        shapes.append(self._outputs.table.outline(*step.index))
        return shapes + self._added(step)

    def result(self, step: Step) -> str:
        """Return how the output of a step comes about, from sum and bias."""
        total, bias, output = (
            number(value, self._output) for value in (step.sum, step.bias, step.output)
        )
        return f"sum {total} + bias {_bracketed(bias)} = {output}"

    def _titles(self) -> list[Shape]:
        window = self._window
        sides = sizes(window.image.shape[:2])
        if window.outside.any():
            sides += f", padded {sizes(window.outside.shape)}"
        turned = "kernel, turned" if window.motion.flip else "kernel"
        found: list[Shape] = [
            title(self._outputs.table, f"feature map {sizes(window.feature_map.shape)}")
        ]
        names = [""] if window.channels == 1 else COLOURS
        weights = [Table.within(window.taps, *place) for place in self._places.kernel]
        for channel, name in enumerate(names):
            found.append(
                title(self._images[channel], f"{name}image {sides if not channel else ''}")
            )
            found.append(title(weights[channel], f"{name}{turned}"))
            found.append(title(self._products[channel].table, "products"))
            if self._seen:
                found.append(title(self._seen[channel].table, "window"))
        return found

    def _cells(self) -> list[Shape]:
        """Return the cells that do not change: image and kernel."""
        window = self._window
        found: list[Shape] = []
        for channel, place in enumerate(self._places.kernel):
            image = Numbers(
                self._images[channel], window.surrounded, shown=self._image, outside=window.outside
            )
            found += image.draw(window.surrounded[channel])
            weights = Numbers(Table.within(window.taps, *place), window.kernel, shown=self._weight)
            found += weights.draw(layers(window.laid)[channel])
        return found

    def _outlines(self, table: Table, step: Step) -> list[Shape]:
        top, left = step.position
        down, across = per_axis(self._window.motion.dilation, 2, "dilation")
        rows, columns = self._window.taps
        if (down, across) == (1, 1):
            return [table.outline(top, left, rows, columns)]
        taps = [
            table.outline(top + row * down, left + column * across)
            for row in range(rows)
            for column in range(columns)
        ]
        spans = extent(rows, down), extent(columns, across)
        return [table.outline(top, left, *spans, line=1.2, dashed=True), *taps]

    def _added(self, step: Step) -> list[Shape]:
        x, y, _ = self._places.formula
        terms = self._terms(step) if self._long else f"the {step.products.size} products add up to"
        return [
            Words(
                x,
                y,
                f"{terms} {'=' if self._long else ''} {number(step.sum, self._sum)}".replace(
                    "  ", " "
                ),
                _FORMULA,
                "middle",
                colour=QUIET,
            ),
            Words(x, y + 0.28, self.result(step), 14.0, "middle", bold=True),
        ]

    def _terms(self, step: Step) -> str:
        """Return the sum of the products, each written as pixel times weight."""
        return " + ".join(
            f"{number(pixel, self._image)}·{_bracketed(number(weight, self._weight))}"
            for pixel, weight in zip(
                np.ravel(step.window), np.ravel(self._window.laid), strict=True
            )
        )


def numbers_fit(window: Window, place: Place) -> bool:
    """Return whether the numbers of the image can be read when it is drawn in a place."""
    return Numbers(Table.within(window.outside.shape, *place), window.surrounded).written


def whole_slide(window: Window) -> Places:
    """Return the places of one window alone on a slide."""
    formula = (4.8, 4.66, 9.2)
    if window.channels > 1:
        rows = [(1.3 + 1.13 * channel, 0.86) for channel in range(window.channels)]
        image = [(0.2, top, 2.0, height) for top, height in rows]
        return Places(
            tuple(image),
            tuple((3.6, top, 1.2, height) for top, height in rows),
            tuple((4.9, top, 1.3, height) for top, height in rows),
            ()
            if numbers_fit(window, image[0])
            else tuple((2.3, top, 1.2, height) for top, height in rows),
            (6.5, 1.3, 2.8, 3.08),
            formula,
        )
    whole = (0.3, 1.3, 3.1, 3.05)
    if numbers_fit(window, whole):
        kernel, products, seen = (3.75, 1.3, 2.1, 1.32), (3.75, 3.03, 2.1, 1.32), None
    else:
        seen, kernel = (3.75, 1.3, 2.1, 0.87), (3.75, 2.45, 2.1, 0.87)
        products = (3.75, 3.6, 2.1, 0.87)
    return Places(
        (whole,), (kernel,), (products,), (seen,) if seen else (), (6.2, 1.3, 3.1, 3.05), formula
    )


def half_slide(window: Window, left: float) -> Places:
    """Return the places of one of two windows side by side, this one beginning at `left`."""
    formula = (left + 2.25, 4.68, 4.4)
    image = (left, 1.56, 2.1, 1.72)
    lower = [(left + 0.1 + 1.5 * n, 3.66, 1.3, 0.8) for n in range(3)]
    seen: Sequence[Place] = ()
    if not numbers_fit(window, image):
        seen = (lower.pop(0),)
    return Places(
        (image,), (lower[0],), (lower[1],), tuple(seen), (left + 2.35, 1.56, 2.1, 1.72), formula
    )


def _legible(table: Table, values: Values, shown: int) -> Numbers:
    """Return numbers with as many decimals as there is room for."""
    for fewer in range(shown, 0, -1):
        numbers = Numbers(table, values, shown=fewer)
        if numbers.written:
            return numbers
    return Numbers(table, values, shown=0)


def headed(heading: str, about: str, place: str, foot: str) -> list[Shape]:
    """Return the lines above and below a picture, the same in all of them."""
    return [
        Words(0.3, 0.32, heading, 16.0, bold=True),
        Words(0.3, 0.66, about, 11.0, colour=QUIET),
        Words(WIDE - 0.3, 0.32, place, 11.0, "end"),
        Words(0.3, HIGH - 0.15, foot, 9.5, colour=QUIET),
    ]


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("−") else text
