"""``striate explain blur``: one image under several Gaussians, directly and by FFT."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import explain_options as given
from striate.cli import options, output

EXAMPLES = options.examples(
    "striate explain blur",
    "striate explain blur --image disc --sigma '0.5 1 2' --out blur.png",
)


def blur(
    image: given.Image = "photo",
    sigma: Annotated[
        str, typer.Option(metavar="NUMBERS", help="Up to four widths, in pixels.")
    ] = "1 2 4 8",
    shrink: given.Shrink = 128,
    out: given.Out = None,
    json: options.Json = False,
) -> None:
    """Show Gaussian blur, directly and by FFT.

    One image under several widths, how well both methods agree, and the time that each takes for
    kernels of growing size, measured while the figure is made.
    """
    with output.waiting("blurring and timing ..."):
        from striate.explain import blur as pictures

        source = given.image(image, shrink, grey=True)
        made = pictures.blur(source, given.numbers(sigma, "--sigma"))
    timing = made.timing
    given.write(
        [made.picture],
        out,
        "blur",
        {
            "differences": {f"{width:g}": value for width, value in made.differences.items()},
            "kernel_sides": list(timing.sides),
            "direct_seconds": list(timing.direct),
            "fft_seconds": list(timing.transform),
            "fft_wins_from": timing.wins_from,
        },
        lines=[
            f"both methods agree within {max(made.differences.values()):.1e}",
            str(timing),
        ],
        json=json,
    )
