"""What a network has learned, looked at directly: output weights and first-layer kernels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator, NullLocator

from striate.errors import StriateError
from striate.plots import tiles
from striate.plots.style import DIVERGING, QUIET, SMALL, WIDTH, Figure, clipped, context

MOST_INPUTS = 400
"""More inputs than these are drawn in groups, each by its largest weight, as the axis says."""

MOST_KERNELS = 64
"""More kernels than these are sampled evenly, and the figure says so."""


def output_weights(weights: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Draw the weights of the output layer as a heat map: a row for each class, a column an input.

    Row N2. The colour scale is symmetric around zero; lighter is positive.

    Parameters
    ----------
    weights
        Shape (input, class), as Keras's ``Dense.kernel``. One column for two classes is the weight
        towards the second class.
    class_names
        One name a class.

    Raises
    ------
    StriateError
        If the number of columns does not fit the number of classes.
    """
    values = np.asarray(weights, dtype=float)
    if values.ndim != 2:
        raise StriateError(f"output weights have shape (input, class), not {values.shape}")
    names = list(class_names)
    if values.shape[1] == 1 and len(names) == 2:
        names = names[1:]
    if values.shape[1] != len(names):
        raise StriateError(
            f"the weights have {values.shape[1]} columns for {len(names)} classes: "
            "give the kernel of the output layer"
        )
    inputs, classes = values.shape
    group = -(-inputs // MOST_INPUTS)
    largest = tiles.limit(values)
    with context():
        height = min(9.0, max(0.5, 0.22 * classes))
        figure = Figure(figsize=(WIDTH, height + 1.25), layout="constrained")
        axes = figure.subplots()
        picture = axes.imshow(
            _strongest(values, group).T,
            cmap=DIVERGING,
            vmin=-largest,
            vmax=largest,
            aspect="auto",
            interpolation="nearest",
            extent=(-0.5, inputs - 0.5, classes - 0.5, -0.5),
        )
        # Sixteen points a class up to the tallest figure; then every fifth class is named.
        shown = range(0, classes, 1 if classes <= 45 else 5)
        axes.set_yticks(shown, [clipped(names[i]) for i in shown])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        axes.minorticks_off()
        axes.tick_params(top=False, right=False, direction="out", length=3)
        axes.set_xlabel(
            "input of the output layer" if group == 1 else f"input, of each {group} the largest",
            loc="center",
        )
        axes.set_ylabel("class", loc="center")
        pad = max(0.02, 0.06 / height)  # of the height, but never so little that it touches
        bar = figure.colorbar(picture, ax=axes, location="top", fraction=0.08, aspect=40, pad=pad)
        bar.ax.xaxis.set_minor_locator(NullLocator())
        bar.ax.tick_params(direction="out", length=3, bottom=False)
        bar.set_label("weight", loc="center")
    return figure


def kernels(weights: np.ndarray) -> Figure:
    """Draw the kernels of a first layer as small images on one symmetric scale around zero.

    Parameters
    ----------
    weights
        Shape (row, col, input channel, kernel), as Keras's ``Conv2D.kernel``; the weights of a
        dense layer on the pixels fit in when reshaped to the image. Kernels on three channels are
        drawn in colour (grey is zero); on two, or four and more, each channel is a picture of its
        own, kernel after kernel.

    Raises
    ------
    StriateError
        If the array has another number of axes.
    """
    values = np.asarray(weights, dtype=float)
    if values.ndim != 4:
        raise StriateError(
            f"kernels have shape (row, col, input channel, kernel), not {values.shape}"
        )
    channels, count = values.shape[2:]
    largest = tiles.limit(values)
    chosen = tiles.spread(
        count, MOST_KERNELS if channels in {1, 3} else max(1, MOST_KERNELS // channels)
    )
    if channels == 3:
        pictures = [0.5 + 0.5 * values[..., kernel] / largest for kernel in chosen]
    else:
        pictures = [
            values[..., channel, kernel] for kernel in chosen for channel in range(channels)
        ]
    words = f"{count} kernels" if len(chosen) == count else f"{len(chosen)} of {count} kernels"
    if channels not in {1, 3}:
        words += f" of {channels} channels each, kernel after kernel"
    down = tiles.rows(len(pictures)) * (tiles.height_of(pictures) + tiles.MARGIN)
    with context():
        figure = Figure(figsize=(WIDTH, 0.3 + down + (0.25 if channels == 3 else 0.5)))
        tiles.write(figure, tiles.MARGIN, 0.06, words, color=QUIET)
        limits = (-largest, largest)
        tiles.draw(tiles.canvas(figure), pictures, 0.27, colours=DIVERGING, limits=limits)
        if channels == 3:
            tiles.write(
                figure,
                tiles.MARGIN,
                0.33 + down,
                f"weights on red, green and blue: grey is 0, black −{largest:.2g}, "
                f"white +{largest:.2g}",
            )
        else:
            axes = tiles.place(figure, 0.3, 0.33 + down, WIDTH - 0.6, 0.1)
            scale = ScalarMappable(Normalize(-largest, largest), DIVERGING)
            bar = figure.colorbar(scale, cax=axes, orientation="horizontal")
            bar.ax.xaxis.set_minor_locator(NullLocator())
            bar.ax.tick_params(direction="out", length=2, top=False, labelsize=SMALL, pad=2)
            bar.set_label("weight", fontsize=SMALL, labelpad=0, loc="center")
    return figure


def _strongest(values: np.ndarray, group: int) -> np.ndarray:
    """Return, of each `group` neighbouring rows, the value of largest magnitude in each column."""
    if group == 1:
        return values
    filled = np.pad(values, ((0, -len(values) % group), (0, 0)))
    blocks = filled.reshape(-1, group, values.shape[1])
    return np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)[:, 0]
