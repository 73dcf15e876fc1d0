"""Options that the pictures of convolution share, and how what they wrote is told."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import datasets, output
from striate.errors import StriateError

if TYPE_CHECKING:
    from striate.explain.images import Source
    from striate.explain.scenes.writing import Picture
    from striate.explain.window import Motion

Image = Annotated[
    str,
    typer.Option(
        metavar="IMAGE",
        help="o, x, edges, ramp, checker, count, disc, padding, rgb or photo; a PNG, JPEG or npy "
        "file; or a dataset and the number of a test image, as digits:3 or mnist:5.",
    ),
]
Kernel = Annotated[
    str,
    typer.Option(
        metavar="KERNEL",
        help="identity, shift, blur, binomial, gaussian, sharpen, edge, laplacian, sobel, sobel-y, "
        "prewitt, vertical, diagonal or emboss; or its rows, as '1 0 -1; 1 0 -1; 1 0 -1'. Layers "
        "for the channels of a colour image stand between bars.",
    ),
]
Shrink = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Shrink the image to at most N pixels a side, first."),
]
Grey = Annotated[bool, typer.Option("--grey", help="Take the average of the colours.")]
Stride = Annotated[
    str, typer.Option(metavar="N|RxC", help="Step of the window; rows x columns, if they differ.")
]
Padding = Annotated[
    str, typer.Option(metavar="N|RxC|NAME", help="Zeros around it; or valid, same, full.")
]
Dilation = Annotated[str, typer.Option(metavar="N|RxC", help="Distance between kernel taps.")]
Step = Annotated[
    int, typer.Option(metavar="N", help="The step that the still picture shows, from 1.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Where to: .gif, .html (to step through), .png or .pdf (both are written); without "
        "suffix, all of them. [explain-COMMAND]",
    ),
]


def image(word: str, shrink: int | None = None, *, grey: bool = False) -> Source:
    """Return the image that a word means, in grey and shrunk if asked for."""
    from striate.explain.images import shrunk, source

    found = source(word, datasets.load)
    if grey:
        found = found.grey
    return found if shrink is None else shrunk(found, shrink)


def motion(
    stride: str = "1",
    padding: str = "0",
    dilation: str = "1",
    bias: float = 0.0,
    *,
    flip: bool = False,
) -> Motion:
    """Return how the window moves, from words."""
    from striate.explain.window import Motion

    if not math.isfinite(bias):
        raise StriateError(f"--bias must be a number, not {bias}")
    padded: Any = padding if padding.isalpha() else per_axis(padding, "--padding")
    return Motion(
        int(bias) if bias.is_integer() else bias,
        per_axis(stride, "--stride"),
        padded,
        per_axis(dilation, "--dilation"),
        flip,
    )


def per_axis(text: str, option: str) -> int | tuple[int, int]:
    """Return a number, or that of rows and that of columns, from words such as 2 or 2x1."""
    parts = re.split(r"[x,]", text.strip().lower())
    if not 1 <= len(parts) <= 2 or not all(part.isdecimal() and len(part) < 5 for part in parts):
        raise StriateError(f"{option} {text!r}: write a number, or rows x columns, as 2x1")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def both_axes(text: str, option: str) -> tuple[int, int]:
    """Return the number of rows and that of columns, from words such as 6 or 7x5."""
    found = per_axis(text, option)
    return (found, found) if isinstance(found, int) else found


def numbers(text: str, option: str) -> list[float]:
    """Return numbers from words such as ``1 2 1`` or ``1,2,1``; whole ones stay whole."""
    try:
        found = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise StriateError(f"{option} {text!r}: write numbers, as '1 2 1'") from None
    if not found or not all(map(math.isfinite, found)):
        raise StriateError(f"{option} {text!r}: write numbers, as '1 2 1'")
    return [int(value) if value.is_integer() else value for value in found]


def write(
    pictures: Sequence[Picture],
    out: Path | None,
    command: str,
    facts: Mapping[str, Any],
    *,
    lines: Sequence[str] = (),
    json: bool,
) -> None:
    """Write pictures, and say which files there are now.

    Parameters
    ----------
    pictures
        The first takes the name `out`.
    out
        The file; named after the `command` when None.
    command
        Its name.
    facts
        The numbers, for ``--json``.
    lines
        What to print of them otherwise.
    json
        Whether to print the facts.
    """
    from striate.explain.scenes.writing import write as write_pictures

    with output.waiting("drawing ..."):
        written = write_pictures(pictures, out, f"explain-{command}")
    figures = [output.from_here(path) for path in written.paths]
    if json:
        output.say_json({**facts, "figures": figures, "notes": list(written.notes)})
        return
    for line in lines:
        output.say(line)
    if lines:
        output.say()
    for figure in figures:
        output.say(figure)
    for note in written.notes:
        output.say(f"note: {note}", hang=2)


def table(values: Any) -> list[str]:
    """Return the rows of an array as lines, its numbers aligned."""
    from striate.explain.scenes.cells import decimals, number

    shown = decimals(values)
    cells = [[number(value, shown) for value in row] for row in values]
    wide = max(len(cell) for row in cells for cell in row)
    return ["  ".join(cell.rjust(wide) for cell in row) for row in cells]
