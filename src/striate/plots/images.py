"""Grids of images: random samples, predictions right and wrong, the surest mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from striate.errors import StriateError
from striate.plots import tiles
from striate.plots.style import (
    INK,
    QUIET,
    RIGHT,
    SMALL,
    WIDTH,
    WRONG,
    Figure,
    context,
    percent,
    shorten,
)

if TYPE_CHECKING:
    from striate.evaluation import Evaluation

COLUMNS = 5

_FRAMES: Mapping[bool | None, Mapping[str, Any]] = {
    None: tiles.FRAME,
    True: {"edgecolor": RIGHT, "linewidth": 1.0, "linestyle": "-"},
    False: {"edgecolor": WRONG, "linewidth": 2.4, "linestyle": (0, (3, 1))},
}
"""The frame of a picture, by whether the prediction is right."""


class _Cell(NamedTuple):
    """One image with its words; `right` is None where nothing was predicted."""

    image: np.ndarray
    above: tuple[str, ...]
    below: str
    right: bool | None


def samples(
    images: np.ndarray,
    labels: np.ndarray,
    class_names: Sequence[str],
    n: int = 25,
    seed: int = 0,
) -> Figure:
    """Draw `n` images chosen at random, without repetition, with the names of their classes.

    Rows N14 and N15.

    Parameters
    ----------
    images
        Shape (n, row, col, channel), values in [0, 1], or whole numbers up to 255. One channel is
        drawn dark on light, three as colour, any other number as the mean over the channels, and
        the figure says so.
    labels
        Shape (n,), indices into `class_names`.
    class_names
        One name a class.
    n
        How many at most.
    seed
        Of the choice; it depends on nothing else.

    Raises
    ------
    StriateError
        If there is no image, or images and labels differ in number.
    """
    if len(images) != len(labels):
        raise StriateError(
            f"{len(images)} images but {len(labels)} labels: give one label for each image"
        )
    chosen = np.random.default_rng(seed).permutation(len(images))[:n]
    return _grid([_Cell(images[i], (class_names[int(labels[i])],), "", None) for i in chosen])


def predictions(
    evaluation: Evaluation,
    images: np.ndarray,
    indices: Sequence[int] | np.ndarray | None = None,
    n: int = 25,
) -> Figure:
    """Draw test images with the predicted class and its probability, right and wrong marked.

    Row N7 e. A right prediction has a tick and a thin frame; a wrong one a cross, a thick broken
    frame, and the true class below it; an image on which the network gave no finite answer is
    wrong.

    Parameters
    ----------
    evaluation
        Of the network on the test split.
    images
        Shape (n, row, col, channel): the images of that split, all of them, in its order.
    indices
        Which images to draw; the first `n` when not given.
    n
        How many at most.

    Raises
    ------
    StriateError
        If the images are not those that were evaluated, judged by their number, or none is chosen.
    """
    if len(images) != len(evaluation.labels):
        raise StriateError(
            f"{len(images)} images for an evaluation of {len(evaluation.labels)}: "
            "give the whole test split that was evaluated"
        )
    chosen = np.arange(len(images)) if indices is None else np.asarray(indices, dtype=int)
    short = max(map(len, evaluation.class_names)) <= 2
    cells = []
    for i in chosen[:n]:
        predicted, true = int(evaluation.predictions[i]), int(evaluation.labels[i])
        right = predicted == true
        sign = "✓" if right else "✗"
        if predicted < 0:
            above: tuple[str, ...] = (f"{sign} no answer",)
        else:
            name = f"{sign} {evaluation.class_names[predicted]}"
            chance = percent(float(evaluation.probabilities[i, predicted]))
            above = (f"{name}  {chance}",) if short else (name, chance)
        below = "" if right else f"is {evaluation.class_names[true]}"
        cells.append(_Cell(images[i], above, below, right))
    return _grid(cells)


def mistakes(evaluation: Evaluation, images: np.ndarray, n: int = 10) -> Figure:
    """Draw the `n` wrong predictions that the network was surest of, surest first.

    Raises
    ------
    StriateError
        If every prediction is right.
    """
    indices = evaluation.surest_mistakes(n)
    if len(indices) == 0:
        raise StriateError("there is no mistake to draw: every test image was classified correctly")
    return predictions(evaluation, images, indices, n)


def _grid(cells: Sequence[_Cell]) -> Figure:
    if not cells:
        raise StriateError("there is no image to draw: choose at least one")
    pictures = [_picture(cell.image) for cell in cells]
    channels = cells[0].image.shape[-1]
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    width = (WIDTH - tiles.MARGIN) / COLUMNS - tiles.MARGIN
    height = tiles.height_of([cells[0].image], width)
    above = tiles.LINE * max(len(cell.above) for cell in cells)
    # The upper edge of each row, and the lower edge of the last; a row has a line below its images
    # only where one of them needs it.
    edges = [0.0]
    for row in range(rows):
        below = any(cell.below for cell in cells[row * columns : (row + 1) * columns])
        edges.append(edges[-1] + above + height + tiles.LINE * below + 2 * tiles.MARGIN)
    note = "" if channels in {1, 3} else f"drawn: the mean over {channels} channels"
    brightest = max(float(picture.max()) for picture in pictures) or 1.0
    with context():
        across = WIDTH if note else tiles.MARGIN + columns * (width + tiles.MARGIN)
        figure = Figure(figsize=(across, edges[-1] + (1.4 * tiles.LINE if note else 0.0)))
        canvas = tiles.canvas(figure)
        for position, (cell, picture) in enumerate(zip(cells, pictures, strict=True)):
            row, column = divmod(position, columns)
            left = tiles.MARGIN + column * (width + tiles.MARGIN)
            top = tiles.MARGIN + edges[row] + above
            tiles.picture(
                canvas,
                picture,
                left,
                top,
                width,
                height,
                colours="gray_r",
                limits=(0, brightest),
                frame=_FRAMES[cell.right],
            )
            _write(canvas, cell, left + width / 2, (top + height, top), width + 0.2 * tiles.MARGIN)
        if note:
            tiles.write(figure, tiles.MARGIN, edges[-1] + 0.03, note, color=QUIET)
    return figure


def _write(
    axes: Axes, cell: _Cell, middle: float, edges: tuple[float, float], width: float
) -> None:
    """Write the words of a cell above and below its picture, none wider than `width` inches.

    `edges` are the lower and the upper one of the picture, `middle` lies between its sides.
    """
    pitch = 72 * tiles.LINE
    lower, upper = edges
    lines = [(text, upper, 4.0 + i * pitch) for i, text in enumerate(reversed(cell.above))]
    if cell.below:
        lines.append((cell.below, lower, -0.9 * pitch))
    for text, edge, offset in lines:
        drawn = axes.annotate(
            text,
            (middle, edge),
            (0, offset),
            textcoords="offset points",
            ha="center",
            # On one baseline along a row, whatever letters a name has.
            va="baseline",
            fontsize=SMALL,
            color=WRONG if cell.right is False else INK,
        )
        shorten(drawn, width)


def _picture(image: np.ndarray) -> np.ndarray:
    values = image / 255.0 if image.dtype == np.uint8 else image
    return np.clip(values, 0, 1) if values.shape[-1] == 3 else values.mean(axis=-1)
