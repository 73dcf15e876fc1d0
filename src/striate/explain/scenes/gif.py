"""Scenes as an animated GIF, painted by Pillow: matplotlib takes ten times as long for a frame."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from striate.explain.scenes.shapes import Arrow, Box, Curve, Raster, Scene, Shape, Words
from striate.files import written_beside
from striate.plots.style import context

MOST_FRAMES = 64
"""Of more steps than these, so many are taken, evenly spread, the first and the last among them."""

_DPI = 100
_FINE = 2
"""Frames are painted so many times larger, then reduced: that smooths edges."""

_COLOURS = 96
_WHOLE_MS = 24_000
_SHORTEST_MS, _LONGEST_MS, _LAST_MS = 120, 1200, 3000

_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
_FAMILIES = ("TeX Gyre Heros", "DejaVu Sans")


def write_gif(scenes: Sequence[Scene], path: Path) -> int:
    """Write scenes as an animation that begins again at its end.

    Parameters
    ----------
    scenes
        One for each step.
    path
        Of the file.

    Returns
    -------
    int
        How many frames were written: at most `MOST_FRAMES`.
    """
    count = min(len(scenes), MOST_FRAMES)
    taken = sorted({round(place) for place in np.linspace(0, len(scenes) - 1, count)})
    frames = [
        painted(scenes[number]).quantize(_COLOURS, dither=Image.Dither.NONE) for number in taken
    ]
    lasting = min(max(_WHOLE_MS // len(frames), _SHORTEST_MS), _LONGEST_MS)
    times = [lasting] * (len(frames) - 1) + [_LAST_MS]
    with written_beside(path) as beside:
        frames[0].save(
            beside,
            format="GIF",
            save_all=True,
            append_images=frames[1:],
            duration=times,
            loop=0,
        )
    return len(frames)


def painted(scene: Scene) -> Image.Image:
    """Return a scene as a picture of 100 pixels an inch."""
    scale = _DPI * _FINE
    canvas = Image.new("RGB", (round(scene.width * scale), round(scene.height * scale)), "white")
    pen = ImageDraw.Draw(canvas)
    for shape in scene.shapes:
        _paint(canvas, pen, shape, scale)
    return canvas.reduce(_FINE)


def _paint(canvas: Image.Image, pen: ImageDraw.ImageDraw, shape: Shape, scale: int) -> None:
    match shape:
        case Box():
            left, top = shape.left * scale, shape.top * scale
            right, bottom = left + shape.width * scale, top + shape.height * scale
            width = max(1, round(shape.line * scale / 72))
            if shape.dashed and shape.edge:
                for ends in (
                    (left, top, right, top),
                    (right, top, right, bottom),
                    (right, bottom, left, bottom),
                    (left, bottom, left, top),
                ):
                    _dash(pen, *ends, colour=shape.edge, width=width)
            elif shape.fill or shape.edge:
                # The edge of a box runs along its middle, Pillow's within it.
                out = width / 2 if shape.edge else 0
                pen.rectangle(
                    (left - out, top - out, right + out, bottom + out),
                    shape.fill,
                    shape.edge,
                    width if shape.edge else 0,
                )
        case Words():
            if shape.text:
                pen.text(
                    (shape.x * scale, shape.baseline * scale),
                    shape.text,
                    shape.colour,
                    _font(shape.text, shape.size * scale / 72, shape.bold),
                    _ANCHORS[shape.align],
                )
        case Arrow():
            _arrow(pen, shape, scale)
        case Curve():
            points = [(scale * x, scale * y) for x, y in shape.points]
            pen.line(points, shape.colour, max(1, round(shape.line * scale / 72)), "curve")
        case Raster():
            picture = Image.open(io.BytesIO(shape.png)).convert("RGB")
            size = round(shape.width * scale), round(shape.height * scale)
            canvas.paste(
                picture.resize(size, Image.Resampling.LANCZOS),
                (round(shape.left * scale), round(shape.top * scale)),
            )


def _dash(
    pen: ImageDraw.ImageDraw,
    x: float,
    y: float,
    to_x: float,
    to_y: float,
    *,
    colour: str,
    width: int,
) -> None:
    length = math.hypot(to_x - x, to_y - y)
    across, down = (to_x - x) / length, (to_y - y) / length
    for begin in np.arange(0, length, 5 * width):
        end = min(begin + 3 * width, length)
        pen.line(
            (x + across * begin, y + down * begin, x + across * end, y + down * end), colour, width
        )


def _arrow(pen: ImageDraw.ImageDraw, arrow: Arrow, scale: int) -> None:
    x, y, to_x, to_y = (scale * end for end in (arrow.x, arrow.y, arrow.to_x, arrow.to_y))
    length = math.hypot(to_x - x, to_y - y)
    across, down = (to_x - x) / length, (to_y - y) / length
    head, half = 7 * scale / 72, 3 * scale / 72
    foot_x, foot_y = to_x - head * across, to_y - head * down
    pen.line((x, y, foot_x, foot_y), arrow.colour, max(1, round(arrow.line * scale / 72)))
    pen.polygon(
        (
            (to_x, to_y),
            (foot_x - half * down, foot_y + half * across),
            (foot_x + half * down, foot_y - half * across),
        ),
        arrow.colour,
    )


def _font(text: str, size: float, bold: bool) -> ImageFont.FreeTypeFont:
    """Return the font of the figures, or the one that has the signs which that lacks."""
    first, second = _FAMILIES
    family = first if all(map(_letters(first, bold).__contains__, text)) else second
    return _sized(family, bold, size)


@functools.cache
def _sized(family: str, bold: bool, size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_file(family, bold), size)


@functools.cache
def _letters(family: str, bold: bool) -> frozenset[str]:
    return frozenset(map(chr, font_manager.get_font(_file(family, bold)).get_charmap()))


@functools.cache
def _file(family: str, bold: bool) -> str:
    with context():
        asked = font_manager.FontProperties(family=[family], weight="bold" if bold else "normal")
        return font_manager.findfont(asked)
