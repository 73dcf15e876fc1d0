"""``striate explain pooling``: the largest and the average of each window."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import explain_options as given
from striate.cli import options, output

EXAMPLES = options.examples(
    "striate explain pooling",
    "striate explain pooling --image digits:3 --out pooling.html",
    "striate explain pooling --image ramp --window 3 --stride 1 --out p.gif",
)


def pooling(
    image: given.Image = "padding",
    window: Annotated[int, typer.Option(metavar="N", min=1, help="Its side in pixels.")] = 2,
    stride: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Its step. [its side]")
    ] = None,
    shrink: given.Shrink = None,
    out: given.Out = None,
    json: options.Json = False,
) -> None:
    """Show max and average pooling, window by window.

    With the position of each maximum, to which alone a gradient goes back.
    """
    with output.waiting("drawing ..."):
        from striate.convolution import pool, positions_of_maxima
        from striate.explain import pooling as pictures

        source = given.image(image, shrink, grey=True)
        picture = pictures.pooling(source, window, stride)
        maxima, averages = (
            pool(source.pixels, window, stride, kind) for kind in ("max", "average")
        )
        places = positions_of_maxima(source.pixels, window, stride)
    given.write(
        [picture],
        out,
        "pooling",
        {"max": maxima.tolist(), "average": averages.tolist(), "positions": places.tolist()},
        json=json,
    )
