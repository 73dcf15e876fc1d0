"""Scenes as matplotlib figures."""

from __future__ import annotations

import io

import matplotlib.image
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from striate.explain.scenes.shapes import Arrow, Box, Curve, Raster, Scene, Shape, Words
from striate.plots.style import Figure, context

_ALIGN = {"start": "left", "middle": "center", "end": "right"}


def figure(scene: Scene) -> Figure:
    """Return a figure of one scene."""
    with context():
        drawn = Figure(figsize=(scene.width, scene.height))
        axes = drawn.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, scene.width), ylim=(scene.height, 0))
        axes.set_axis_off()
        for order, shape in enumerate(scene.shapes, 1):
            _add(axes, shape, order)
    return drawn


def _add(axes: Axes, shape: Shape, order: int) -> None:
    match shape:
        case Box():
            axes.add_patch(
                Rectangle(
                    (shape.left, shape.top),
                    shape.width,
                    shape.height,
                    facecolor=shape.fill or "none",
                    edgecolor=shape.edge or "none",
                    linewidth=shape.line,
                    linestyle=(0, (3, 2)) if shape.dashed else "-",
                    clip_on=False,
                    zorder=order,
                )
            )
        case Words():
            axes.text(
                shape.x,
                shape.baseline,
                # A dollar would begin a formula.
                shape.text.replace("$", r"\$"),
                fontsize=shape.size,
                ha=_ALIGN[shape.align],
                va="baseline",
                fontweight="bold" if shape.bold else "normal",
                color=shape.colour,
                zorder=order,
            )
        case Arrow():
            axes.add_patch(
                FancyArrowPatch(
                    (shape.x, shape.y),
                    (shape.to_x, shape.to_y),
                    arrowstyle="-|>",
                    mutation_scale=9,
                    shrinkA=0,
                    shrinkB=0,
                    color=shape.colour,
                    linewidth=shape.line,
                    zorder=order,
                )
            )
        case Curve():
            x, y = zip(*shape.points, strict=True)
            axes.plot(x, y, color=shape.colour, linewidth=shape.line, zorder=order)
        case Raster():
            pixels = matplotlib.image.imread(io.BytesIO(shape.png), format="png")
            box = (shape.left, shape.left + shape.width, shape.top + shape.height, shape.top)
            axes.imshow(pixels, extent=box, aspect="auto", zorder=order)
