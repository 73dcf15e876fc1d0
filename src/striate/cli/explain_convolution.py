"""``striate explain convolution``: a kernel on its way over an image."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import explain_options as given
from striate.cli import options, output
from striate.errors import StriateError

EXAMPLES = options.examples(
    "striate explain convolution",
    "striate explain convolution --image digits:3 --kernel sobel --out d.html",
    "striate explain convolution --image x --kernel '1 0; 0 1' --out typed.html",
    "striate explain convolution --image disc --stride 2 --padding 1 --out s.gif",
    "striate explain convolution --image rgb --kernel vertical --out colour.html",
    "striate explain convolution --kernel sobel --compare --out c.html",
)


def convolution(
    image: given.Image = "o",
    kernel: given.Kernel = "diagonal",
    bias: Annotated[float, typer.Option(metavar="B", help="Added to each sum.")] = 0.0,
    stride: given.Stride = "1",
    padding: given.Padding = "0",
    dilation: given.Dilation = "1",
    flip: Annotated[
        bool,
        typer.Option(
            "--flip", help="Turn the kernel by half a turn: the convolution of mathematics."
        ),
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Cross-correlation and convolution side by side.")
    ] = False,
    step: given.Step = 1,
    shrink: given.Shrink = None,
    grey: given.Grey = False,
    out: given.Out = None,
    json: options.Json = False,
) -> None:
    """Show a convolution step by step.

    The window on the image, the kernel, the products, their sum, the bias, and the feature map as
    it fills. What networks call convolution is a cross-correlation; --flip turns the kernel first.
    """
    if flip and compare:
        raise StriateError("--compare shows both already: leave out --flip")
    with output.waiting("drawing ..."):
        from striate.explain import convolution as pictures
        from striate.explain.kernels import kernel as kernel_of
        from striate.explain.window import Window

        source = given.image(image, shrink, grey=grey)
        weights = kernel_of(kernel)
        moved = given.motion(stride, padding, dilation, bias, flip=flip)
        make = pictures.comparison if compare else pictures.convolution
        picture = make(source, weights, moved, kernel_name=kernel, step=step)
        feature_map = Window(source.pixels, weights, moved).feature_map
    given.write(
        [picture],
        out,
        "convolution",
        {
            "image": source.name,
            "kernel": weights.tolist(),
            "bias": moved.bias,
            "steps": len(picture.scenes),
            "feature_map": feature_map.tolist(),
        },
        lines=given.table(feature_map) if feature_map.size <= _MOST_PRINTED else (),
        json=json,
    )


_MOST_PRINTED = 100
