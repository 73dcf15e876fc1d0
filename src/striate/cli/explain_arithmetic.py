"""``striate explain arithmetic``: how many outputs a convolution has."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import explain_options as given
from striate.cli import options, output

EXAMPLES = options.examples(
    "striate explain arithmetic",
    "striate explain arithmetic --size 7x5 --kernel 3x2 --out sizes.pdf",
)


def arithmetic(
    size: Annotated[str, typer.Option(metavar="N|RxC", help="Of the image, in pixels.")] = "6",
    kernel: Annotated[str, typer.Option(metavar="N|RxC", help="Its size.")] = "3",
    out: given.Out = None,
    json: options.Json = False,
) -> None:
    """Show how many outputs a convolution has.

    Valid, half and full padding, strides and dilation, each with its formula,
    o = floor((i + 2p - e) / s) + 1 for a kernel that spans e = d (k - 1) + 1 pixels.
    """
    sides, taps = given.both_axes(size, "--size"), given.both_axes(kernel, "--kernel")
    with output.waiting("drawing ..."):
        from striate.convolution import output_size
        from striate.explain import arithmetic as pictures

        picture = pictures.arithmetic(sides, taps)
        found = {
            case.name: output_size(sides, taps, case.stride, case.padding, case.dilation)
            for case in pictures.CASES
        }
    given.write(
        [picture],
        out,
        "arithmetic",
        {"outputs": {name: list(outputs) for name, outputs in found.items()}},
        lines=[f"{name}: {rows} x {columns}" for name, (rows, columns) in found.items()],
        json=json,
    )
