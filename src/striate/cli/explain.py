"""``striate explain``: pictures of what a network computes, and of what it looks at."""

from __future__ import annotations

import typer

from striate.cli import explain_model, explain_run, options

app = typer.Typer(
    epilog=options.examples(
        "striate explain model heidelberg     a lecture network, layer by layer",
        "striate explain run last --image 7   what a network makes of an image",
    )
)


@app.callback()
def explain() -> None:
    """Show a network layer by layer, and what it looks at in an image."""


app.command("model", epilog=explain_model.EXAMPLES)(explain_model.model)
app.command("run", epilog=explain_run.EXAMPLES)(explain_run.run)
