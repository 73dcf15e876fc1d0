"""The figure of a network's architecture: a block for each layer, with what it gives and sees."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from striate.models.anatomy import Anatomy, LayerAnatomy
from striate.plots import tiles
from striate.plots.style import INK, QUIET, WIDTH, Figure, clipped, context
from striate.quantities import operations, plural
from striate.report.words import sizes

_ROW = 0.78
_HEAD = 2 * tiles.LINE + 0.18
_BLOCK_LEFT, _BLOCK_WIDTH = 0.1, 1.25
_WORDS_LEFT = 1.5
_VIEW_SIDE = 0.56
_VIEW_LEFT = WIDTH - _VIEW_SIDE - 0.14
_SIDES = ("#e8edf3", "#c3cfdc", "#93a5b8")
"""Front, top and side of a block: apart in grey as well."""

_FIELD = "#2a6fb0"

_MERGING = frozenset(
    {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"}
)


def architecture(network: Anatomy) -> Figure:
    """Draw the layers of a network, from the input down, in the order in which they compute.

    At the left a block for each output: its face rows and columns, its depth the channels, or a
    bar for a row of neurons; sides grow with the logarithm of their lengths. At the right which
    part of the image a neuron in the middle of the layer sees.

    Parameters
    ----------
    network
        See `striate.models.anatomy`.
    """
    image = network.input_shapes[0] if network.input_shapes else ()
    rows = len(network.layers) + bool(image)
    with context():
        figure = Figure(figsize=(WIDTH, _HEAD + _ROW * rows + 2.3 * tiles.LINE))
        tiles.write(figure, _BLOCK_LEFT, 0.06, clipped(network.name, 30), fontweight="bold")
        tiles.write(
            figure,
            _BLOCK_LEFT,
            0.08 + tiles.LINE,
            f"{plural(network.parameters, 'parameter')}, {operations(network.flops)} an image",
            color=QUIET,
        )
        tiles.write(figure, WIDTH - 0.14, 0.08 + tiles.LINE, "sees", ha="right", color=QUIET)
        top = _HEAD
        if image:
            _block(figure, image, top)
            _words(figure, top, "input", "", sizes(image), "")
            _arrow(figure, top)
            top += _ROW
        for number, layer in enumerate(network.layers):
            _layer(figure, network, layer, image, top)
            if number + 1 < len(network.layers):
                _arrow(figure, top)
            top += _ROW
        branches = any(layer.kind in _MERGING for layer in network.layers)
        end = "its branches are not drawn" if branches else "from top to bottom"
        for number, line in enumerate(
            (
                f"In the order of computation, {end}. Sides of blocks:",
                "logarithmic. Blue: the part of the image that one neuron sees.",
            )
        ):
            tiles.write(figure, _BLOCK_LEFT, top + 0.04 + number * tiles.LINE, line, color=QUIET)
    return figure


def _layer(
    figure: Figure,
    network: Anatomy,
    layer: LayerAnatomy,
    image: Sequence[int | None],
    top: float,
) -> None:
    if layer.output_shape is not None:
        _block(figure, layer.output_shape, top)
    cost = "operations not counted"
    if layer.name not in network.uncounted:
        cost = operations(layer.flops) if layer.flops else ""
    parameters = plural(layer.parameters, "parameter") if layer.parameters else ""
    sees = ""
    if layer.receptive_field:
        sees = f"sees {sizes(layer.receptive_field)}"
        if layer.stride:
            sees += f", step {sizes(layer.stride)}"
    shape = "output not known" if layer.output_shape is None else sizes(layer.output_shape)
    _words(
        figure,
        top,
        clipped(layer.name, 24),
        "" if layer.name.lower() == layer.kind.lower() else layer.kind,
        "; ".join(filter(None, (shape, parameters))),
        "; ".join(filter(None, (sees, cost))),
    )
    if layer.receptive_field and len(layer.receptive_field) == 2 and len(image) == 3:
        _view(figure, layer.receptive_field, image[:2], top)


def _words(figure: Figure, top: float, name: str, kind: str, first: str, second: str) -> None:
    upper = top + 0.5 * (_ROW - 3 * tiles.LINE)
    head = name if not kind else f"{name}  ({clipped(kind, 18)})"
    tiles.write(figure, _WORDS_LEFT, upper, head, fontweight="bold")
    tiles.write(figure, _WORDS_LEFT, upper + tiles.LINE, first)
    tiles.write(figure, _WORDS_LEFT, upper + 2 * tiles.LINE, second, color=QUIET)


def _canvas(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Return axes without a frame that measure in inches, downwards from their corner."""
    axes = tiles.place(figure, left, top, width, height)
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(height, 0))
    return axes


def _length(side: int | None, longest: float, most: int) -> float:
    """Return how long a side is drawn: at least a stroke, `longest` for `most` and more."""
    if side is None:
        return 0.6 * longest
    return max(0.04, longest * min(1.0, math.log1p(side) / math.log1p(most)))


def _block(figure: Figure, shape: Sequence[int | None], top: float) -> None:
    axes = _canvas(figure, _BLOCK_LEFT, top, _BLOCK_WIDTH, _ROW)
    if len(shape) == 3:
        down, across = _length(shape[0], 0.5, 64), _length(shape[1], 0.5, 64)
        depth = _length(shape[2], 0.6, 512)
    else:
        down, depth = 0.09, 0.07
        across = _length(shape[-1] if shape else 1, 1.05, 16384)
    # The depth runs to the upper right, flatter than a true diagonal, so that it stays in its row.
    x, y = depth * 0.85, -depth * 0.28
    left = 0.5 * (_BLOCK_WIDTH - across - x)
    lower = 0.5 * (_ROW + down - y)
    upper = lower - down
    right = left + across
    for face, corners in zip(
        _SIDES,
        (
            ((left, lower), (right, lower), (right, upper), (left, upper)),
            ((left, upper), (right, upper), (right + x, upper + y), (left + x, upper + y)),
            ((right, lower), (right + x, lower + y), (right + x, upper + y), (right, upper)),
        ),
        strict=True,
    ):
        axes.add_patch(Polygon(corners, facecolor=face, edgecolor=INK, linewidth=0.7))


def _arrow(figure: Figure, top: float) -> None:
    axes = _canvas(figure, _BLOCK_LEFT, top + _ROW - 0.1, _BLOCK_WIDTH, 0.2)
    middle = _BLOCK_WIDTH / 2
    axes.annotate(
        "",
        (middle, 0.19),
        (middle, 0.02),
        arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 0.9, "mutation_scale": 6},
    )


def _view(figure: Figure, field: Sequence[int], image: Sequence[int | None], top: float) -> None:
    """Draw the image as a frame, and in its middle what one neuron sees of it."""
    sides = [side or seen for side, seen in zip(image, field, strict=True)]
    scale = _VIEW_SIDE / max(sides)
    height, width = (scale * side for side in sides)
    axes = _canvas(
        figure, _VIEW_LEFT, top + 0.5 * (_ROW - _VIEW_SIDE), _VIEW_SIDE + 0.02, _VIEW_SIDE + 0.02
    )
    left, upper = 0.01 + 0.5 * (_VIEW_SIDE - width), 0.01 + 0.5 * (_VIEW_SIDE - height)
    # At pixels, not between them.
    corner = [
        math.floor((side - seen) / 2) * scale for side, seen in zip(sides, field, strict=True)
    ]
    axes.add_patch(
        Rectangle(
            (left + corner[1], upper + corner[0]),
            scale * field[1],
            scale * field[0],
            facecolor=_FIELD,
            linewidth=0,
        )
    )
    axes.add_patch(
        Rectangle((left, upper), width, height, fill=False, edgecolor=INK, linewidth=0.8)
    )
