"""``striate explain``: pictures of convolution, of a network, and of what it looks at."""

from __future__ import annotations

import typer

from striate.cli import (
    explain_arithmetic,
    explain_blur,
    explain_convolution,
    explain_fourier,
    explain_gallery,
    explain_matrix,
    explain_model,
    explain_padding,
    explain_pooling,
    explain_run,
    explain_worked_example,
    options,
)

app = typer.Typer(
    epilog=options.examples(
        "striate explain convolution          window, numbers, feature map",
        "striate explain worked-example       an O and an X, number by number",
        "striate explain model heidelberg     a lecture network, layer by layer",
        "striate explain run last --image 7   what a network makes of an image",
    )
)


@app.callback()
def explain() -> None:
    """Show what convolution is, a network layer by layer, and what it looks at."""


app.command("convolution", epilog=explain_convolution.EXAMPLES)(explain_convolution.convolution)
app.command("matrix", epilog=explain_matrix.EXAMPLES)(explain_matrix.matrix)
app.command("fourier", epilog=explain_fourier.EXAMPLES)(explain_fourier.fourier)
app.command("arithmetic", epilog=explain_arithmetic.EXAMPLES)(explain_arithmetic.arithmetic)
app.command("pooling", epilog=explain_pooling.EXAMPLES)(explain_pooling.pooling)
app.command("blur", epilog=explain_blur.EXAMPLES)(explain_blur.blur)
app.command("padding", epilog=explain_padding.EXAMPLES)(explain_padding.padding)
app.command("worked-example", epilog=explain_worked_example.EXAMPLES)(
    explain_worked_example.worked_example
)
app.command("model", epilog=explain_model.EXAMPLES)(explain_model.model)
app.command("run", epilog=explain_run.EXAMPLES)(explain_run.run)
app.command("gallery", epilog=explain_gallery.EXAMPLES)(explain_gallery.gallery)
