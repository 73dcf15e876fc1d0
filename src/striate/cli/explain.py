"""``striate explain``: a network, layer by layer."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import options, output
from striate.cli.keras_loading import load_keras

app = typer.Typer(epilog=options.examples("striate explain model heidelberg"))


@app.callback()
def explain() -> None:
    """Show a network, layer by layer."""


@app.command(
    epilog=options.examples(
        "striate explain model                     the networks known by name",
        "striate explain model heidelberg",
        "striate explain model isgc --input-shape 32x32x3",
        "striate explain model oslo_digits --set filters=20 --json",
    )
)
def model(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A lecture network; without it they are listed."),
    ] = None,
    input_shape: Annotated[
        str | None,
        typer.Option(
            metavar="SHAPE",
            help="Rows x columns x channels of an image, in place of the lecture's.",
        ),
    ] = None,
    classes: Annotated[
        int | None, typer.Option(metavar="N", min=2, help="Classes, in place of the lecture's.")
    ] = None,
    arguments: options.Settings = None,
    json: options.Json = False,
) -> None:
    """Show the anatomy of a network.

    For each layer: the shape of its output, its parameters, its floating-point operations for one
    image, and how many pixels of the image one of its neurons sees.
    """
    from striate.models import registry

    if name is None:
        _list_models(json=json)
        return
    entry = registry.lookup(name)
    shape = options.image_shape(input_shape)
    load_keras()
    from striate.models.anatomy import anatomy

    parts = anatomy(entry.build(shape, classes, **options.settings(arguments or [])))
    if json:
        output.say_json(
            {
                "model": entry.name,
                "lecture": entry.lecture,
                "dataset": entry.dataset,
                "summary": entry.summary,
                "anatomy": parts.as_dict(),
            }
        )
        return
    output.say(f"from {entry.lecture}; trained there on {entry.dataset}")
    output.say(parts.as_table())


def _list_models(*, json: bool) -> None:
    from striate.models.registry import REGISTRY

    models = REGISTRY.values()
    if json:
        output.say_json(
            {
                "models": [
                    {
                        "model": m.name,
                        "lecture": m.lecture,
                        "dataset": m.dataset,
                        "summary": m.summary,
                        "input_shape": m.input_shape,
                        "classes": m.classes,
                    }
                    for m in models
                ]
            }
        )
        return
    output.say_table(
        ("name", "dataset", "layers"),
        [(m.name, m.dataset, m.summary) for m in models],
    )
