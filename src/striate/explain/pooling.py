"""Pooling: the largest and the average of each window, and where the largest lies."""

from __future__ import annotations

import numpy as np

from striate.convolution import pool, pooled_size, positions_of_maxima
from striate.errors import StriateError
from striate.explain.images import Source
from striate.explain.layout import headed
from striate.explain.scenes.cells import Numbers, Table, decimals, number, rounded, sizes, title
from striate.explain.scenes.drawing import figure
from striate.explain.scenes.shapes import Scene, Shape, Steps, Words
from striate.explain.scenes.writing import Picture
from striate.explain.window import MOST_PIXELS
from striate.plots.style import INK, clipped


def pooling(image: Source, window: int = 2, stride: int | None = None) -> Picture:
    """Show max and average pooling of an image, window by window.

    Parameters
    ----------
    image
        In grey.
    window
        Its side in pixels.
    stride
        Its step; its side when None, so that windows touch.

    Raises
    ------
    StriateError
        If the image has channels or is too large for cells, or no output remains.
    """
    pixels = image.pixels
    if pixels.ndim != 2:
        raise StriateError("pooling is shown for images without channels: give a grey one")
    if max(pixels.shape) > MOST_PIXELS:
        raise StriateError(
            f"{sizes(pixels.shape)} pixels are too many for cells: shrink the image to "
            f"{MOST_PIXELS} or fewer, as --shrink 28 does"
        )
    step = window if stride is None else stride
    largest, average = (pool(pixels, window, step, kind) for kind in ("max", "average"))
    places = positions_of_maxima(pixels, window, step)
    found = Numbers(Table.within(pixels.shape, 0.3, 1.35, 3.3, 3.0), pixels)
    maxima = Numbers(
        Table.within(largest.shape, 4.1, 1.35, 2.5, 3.0), largest, shown=decimals(pixels)
    )
    means = Numbers(Table.within(average.shape, 6.9, 1.35, 2.4, 3.0), average)
    outputs = pooled_size(len(pixels), window, step)
    about = (
        f"image {clipped(image.name, 28)}, window {sizes((window, window))}, stride {step}: "
        f"o = ⌊({len(pixels)} − {window}) / {step}⌋ + 1 = {outputs}"
    )
    foot = (
        "Dark frames: where each largest pixel lies (the first of equal ones); to it alone a "
        "gradient goes back."
    )
    if rounded(means.shown, average):
        foot += " Averages are rounded."
    still: list[Shape] = [
        title(found.table, f"image {sizes(pixels.shape)}"),
        title(maxima.table, f"max {sizes(largest.shape)}"),
        title(means.table, f"average {sizes(average.shape)}"),
        *found.draw(pixels),
    ]

    def scene(count: int, *, whole: bool = False) -> Scene:
        at = np.unravel_index(count, largest.shape)
        row, column = int(at[0]), int(at[1])
        last = largest.size if whole else count + 1
        shapes = list(still)
        for numbers, values in ((maxima, largest), (means, average)):
            so_far = values.astype(float)
            so_far.flat[last:] = np.nan
            shapes += numbers.draw(so_far)
        for index, place in enumerate(places.reshape(-1, 2).tolist()):
            width = 1.6 if index < last else 0.0
            shapes.append(
                found.table.outline(*place, colour=INK if width else "#9a9a9a", line=width or 0.6)
            )
        shapes += [
            found.table.outline(row * step, column * step, window, window),
            maxima.table.outline(row, column),
            means.table.outline(row, column),
        ]
        high, mean = largest[row, column], average[row, column]
        there = places[row, column]
        told = (
            f"largest {number(high, maxima.shown)}, in row {there[0] + 1}, column {there[1] + 1};"
            f" average {number(mean, means.shown)}"
        )
        shapes.append(Words(4.8, 4.8, told, 14.0, "middle", bold=True))
        where = f"window {count + 1} of {largest.size}"
        shapes += headed("Pooling keeps one number of each window", about, where, foot)
        return Scene(tuple(shapes), f"W{where[1:]}: {told}.")

    return Picture(
        "pooling",
        "Pooling keeps one number of each window",
        figure(scene(0, whole=True)),
        Steps(scene, largest.size),
    )
