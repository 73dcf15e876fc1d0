"""What each kernel looks for: the patches of images that excite it most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from striate.models.receptive import View
from striate.plots import tiles
from striate.plots.style import DIVERGING, QUIET, WIDTH, Figure, clipped, context

MOST_KERNELS = 8
"""More kernels than these are drawn in a sample spread evenly, and the figure says so."""


class Responses(Protocol):
    """The strongest response of each kernel to each image, as `striate.engine.scores` finds it."""

    @property
    def values(self) -> np.ndarray:
        """Shape (n, kernel)."""

    @property
    def rows(self) -> np.ndarray:
        """Where in the layer's output it is, shape (n, kernel)."""

    @property
    def columns(self) -> np.ndarray:
        """Where in the layer's output it is, shape (n, kernel)."""


@dataclass(frozen=True, eq=False)
class Patch:
    """What a neuron saw when it was excited.

    Attributes
    ----------
    pixels
        Shape (row, col, channel); NaN beyond the border of the image.
    value
        The output of the layer there.
    image
        The number of the image among those that were searched.
    """

    pixels: np.ndarray
    value: float
    image: int


def exciting_patches(
    responses: Responses, images: np.ndarray, view: View, kernel: int, most: int = tiles.COLUMNS
) -> list[Patch]:
    """Return the patches that excite a kernel most, strongest first, at most one of each image.

    An image to which a rectified kernel gives 0 throughout does not excite it, and gives none.

    Parameters
    ----------
    responses
        Of the layer to `images`.
    images
        Shape (n, row, col, channel).
    view
        What the neurons of the layer see of an image.
    kernel
        The number of the kernel.
    most
        How many patches.
    """
    values = responses.values[:, kernel]
    order = [n for n in np.argsort(-values, kind="stable")[:most] if values[n] != 0]
    down, across = view.axes
    found = []
    for number in order:
        place = (int(responses.rows[number, kernel]), int(responses.columns[number, kernel]))
        corner = [
            math.floor(axis.start + i * axis.jump)
            for axis, i in zip((down, across), place, strict=True)
        ]
        sides = [math.ceil(axis.field) for axis in (down, across)]
        found.append(
            Patch(
                _cut(images[number], corner, sides),
                float(values[number]),
                int(number),
            )
        )
    return found


def patches_figure(
    layer: str,
    responses: Responses,
    images: np.ndarray,
    view: View,
    *,
    kernels: np.ndarray | None = None,
    searched: str,
) -> Figure:
    """Draw, for each kernel of a convolution layer, the patches that excite it most.

    A row for each kernel: the kernel itself where it acts on one channel or three, then the
    patches, strongest first, with the layer's output for the first and the last. What is hatched
    lies beyond the border of the image.

    Parameters
    ----------
    layer
        Its name.
    responses, images, view
        See `exciting_patches`.
    kernels
        Shape (row, col, input channel, kernel), if they are to be drawn.
    searched
        Which images these are, for the heading.
    """
    count = responses.values.shape[1]
    chosen = tiles.spread(count, MOST_KERNELS)
    drawn = kernels is not None and kernels.shape[2] in {1, 3} and kernels.shape[3] == count
    columns = tiles.COLUMNS - drawn
    rows = [exciting_patches(responses, images, view, int(k), columns) for k in chosen]
    brightest = float(images.max()) or 1.0
    sides = [math.ceil(axis.field) for axis in view.axes]
    height = tiles.height_of([np.empty(sides)])
    pitch = tiles.LINE + 0.03 + height + tiles.MARGIN
    top = (2 + drawn) * tiles.LINE + 0.16
    field = " × ".join(map(str, sides))
    number = f"{len(chosen)} of {count} kernels" if len(chosen) < count else f"{count} kernels"
    scale = (tiles.limit(kernels) or 1.0) if kernels is not None else 1.0
    hints = [f"{'then ' if drawn else ''}the patches that excite it most, of {searched}"]
    if drawn:
        hints.insert(0, f"first the kernel, weights from dark −{scale:.2g} to light {scale:.2g};")
    with context():
        figure = Figure(figsize=(WIDTH, top + pitch * len(chosen) + tiles.MARGIN))
        tiles.write(figure, tiles.MARGIN, 0.04, clipped(layer, 22), fontweight="bold")
        tiles.write(
            figure,
            WIDTH - tiles.MARGIN,
            0.04,
            f"{number}, patches of {field}",
            ha="right",
            color=QUIET,
        )
        for line, hint in enumerate(hints, 1):
            tiles.write(figure, tiles.MARGIN, 0.06 + line * tiles.LINE, hint, color=QUIET)
        for position, (kernel, row) in enumerate(zip(chosen, rows, strict=True)):
            upper = top + position * pitch
            words = _strength(row)
            tiles.write(figure, tiles.MARGIN, upper, f"kernel {kernel + 1}: {words}")
            lower = upper + tiles.LINE + 0.03
            if drawn and kernels is not None:
                _draw_kernel(figure, kernels[..., kernel], scale, lower, height)
            for place, patch in enumerate(row, int(drawn)):
                _draw_patch(figure, patch.pixels, brightest, place, lower, height)
    return figure


def _strength(row: Sequence[Patch]) -> str:
    if not row:
        return "active on none of these images"
    return f"output {row[0].value:.3g} to {row[-1].value:.3g}".replace("-", "−")


def _cut(image: np.ndarray, corner: Sequence[int], sides: Sequence[int]) -> np.ndarray:
    """Return a part of the image that may reach beyond it, NaN there."""
    part = np.full((*sides, image.shape[2]), np.nan, dtype=np.float32)
    ours, its = [], []
    for first, side, whole in zip(corner, sides, image.shape[:2], strict=True):
        low, high = max(first, 0), max(min(first + side, whole), max(first, 0))
        ours.append(slice(low - first, high - first))
        its.append(slice(low, high))
    part[tuple(ours)] = image[tuple(its)]
    return part


def _draw_kernel(
    figure: Figure, weights: np.ndarray, scale: float, top: float, height: float
) -> None:
    axes = tiles.place(figure, tiles.MARGIN, top, tiles.SIDE, height)
    colour = weights.shape[2] == 3
    picture = 0.5 + 0.5 * weights / scale if colour else weights[..., 0]
    axes.imshow(picture, cmap=DIVERGING, vmin=-scale, vmax=scale, aspect="auto")


def _draw_patch(
    figure: Figure, pixels: np.ndarray, brightest: float, place: int, top: float, height: float
) -> None:
    left = tiles.MARGIN + place * (tiles.SIDE + tiles.MARGIN)
    axes = tiles.place(figure, left, top, tiles.SIDE, height)
    axes.patch.set(hatch="/////", facecolor="white", edgecolor="#b0b0b0", linewidth=0)
    if pixels.shape[2] == 3:
        inside = np.isfinite(pixels).all(axis=2, keepdims=True)
        shown = np.concatenate([np.clip(np.nan_to_num(pixels), 0, 1), inside], axis=2)
    else:
        shown = pixels.mean(axis=2)
    axes.imshow(
        shown, cmap="gray_r", vmin=0, vmax=brightest, interpolation="nearest", aspect="auto"
    )
