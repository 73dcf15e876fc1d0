"""What each layer makes of one image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.errors import StriateError
from striate.plots import tiles
from striate.plots.style import DIVERGING, QUIET, WIDTH, Figure, clipped, context


def feature_maps(
    maps: Sequence[tuple[str, np.ndarray]], *, image: np.ndarray | None = None
) -> Figure:
    """Draw the outputs of the layers for one image, layer by layer, a row for each layer.

    Each layer has its own scale, which its heading gives. Of more than eight channels, eight are
    drawn, spread evenly, and the heading says so.

    Parameters
    ----------
    maps
        Name of the layer and its output of shape (row, col, channel), as
        :func:`striate.models.activations` returns them.
    image
        The image itself, shape (row, col, channel), to be drawn above them.

    Raises
    ------
    StriateError
        If there is no layer, or an output has another number of axes.
    """
    if not maps:
        raise StriateError("no layer has an output in rows and columns: there is no feature map")
    for name, values in maps:
        if values.ndim != 3:
            raise StriateError(
                f"the feature maps of {name!r} have shape (row, col, channel), not {values.shape}"
            )
    bands = [_Band.of_image(image)] if image is not None else []
    bands += [_Band.of_layer(name, values) for name, values in maps]
    with context():
        figure = Figure(figsize=(WIDTH, sum(band.height for band in bands)))
        canvas = tiles.canvas(figure)
        top = 0.0
        for band in bands:
            tiles.write(figure, tiles.MARGIN, top + 0.03, band.name, fontweight="bold")
            tiles.write(
                figure, WIDTH - tiles.MARGIN, top + 0.03, band.words, ha="right", color=QUIET
            )
            tiles.draw(
                canvas,
                band.pictures,
                top + tiles.LINE + 0.05,
                colours=DIVERGING if band.limits[0] < 0 else "gray_r",
                limits=band.limits,
            )
            top += band.height
    return figure


class _Band:
    """One row of the figure: its pictures and its words."""

    def __init__(
        self,
        name: str,
        words: str,
        pictures: list[np.ndarray],
        limits: tuple[float, float],
    ) -> None:
        self.name, self.words, self.pictures, self.limits = name, words, pictures, limits
        self.height = tiles.LINE + tiles.height_of(pictures) + 0.2

    @classmethod
    def of_image(cls, image: np.ndarray) -> _Band:
        picture = image if image.shape[-1] == 3 else image.mean(axis=-1)
        return cls("input", _size(image.shape), [picture], (0.0, 1.0))

    @classmethod
    def of_layer(cls, name: str, values: np.ndarray) -> _Band:
        count = values.shape[-1]
        chosen = tiles.spread(count, tiles.COLUMNS)
        largest = tiles.limit(values)
        signed = bool((values < 0).any())
        words = _size(values.shape)
        if len(chosen) < count:
            words += f" ({len(chosen)} drawn)"
        words += f", −{largest:.2g} to {largest:.2g}" if signed else f", 0 to {largest:.2g}"
        return cls(
            clipped(name, 22),
            words,
            [values[..., channel] for channel in chosen],
            (-largest if signed else 0.0, largest),
        )


def _size(shape: tuple[int, ...]) -> str:
    rows, columns, channels = shape
    return f"{rows} × {columns}, {channels} channel{'s' if channels != 1 else ''}"
