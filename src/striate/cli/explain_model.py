"""``striate explain model``: a network layer by layer, as a table and as a figure."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import options, output
from striate.cli.keras_loading import load_keras
from striate.errors import StriateError

if TYPE_CHECKING:
    from striate.models.anatomy import Anatomy

EXAMPLES = options.examples(
    "striate explain model                     the networks known by name",
    "striate explain model heidelberg",
    "striate explain model isgc --input-shape 32x32x3 --out isgc.pdf",
    "striate explain model oslo_digits --set filters=20 --json",
)


def model(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A lecture network, or a .keras file; without it the networks are listed.",
        ),
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
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the figure goes, .png or .pdf; both are written. [explain-model-NAME.png]",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Show the anatomy of a network.

    For each layer: the shape of its output, its parameters, its floating-point operations for one
    image, and how many pixels of the image one of its neurons sees; the figure draws them.
    """
    if name is None:
        _list_models(json=json)
        return
    described, parts = _anatomy(name, input_shape, classes, options.settings(arguments or []))
    with output.waiting("drawing ..."):
        from striate.explain.model import architecture
        from striate.plots import save

        stem = out or Path(f"explain-model-{described['model']}")
        if stem.suffix.lower() in {".png", ".pdf"}:
            stem = stem.with_suffix("")
        figure = output.from_here(save(architecture(parts), stem)[0])
    if json:
        output.say_json({**described, "anatomy": parts.as_dict(), "figure": figure})
        return
    if described["lecture"]:
        output.say(f"from {described['lecture']}; trained there on {described['dataset']}")
    output.say(parts.as_table())
    output.say(f"figure: {figure}")


def _anatomy(
    name: str, input_shape: str | None, classes: int | None, arguments: dict[str, Any]
) -> tuple[dict[str, Any], Anatomy]:
    """Return what is known of a network, and its anatomy."""
    path = Path(name).expanduser()
    if path.suffix == ".keras":
        if input_shape or classes or arguments:
            raise StriateError(
                f"{path} is a network as it was saved: --input-shape, --classes and --set are for "
                "those of the lectures"
            )
        if not path.is_file():
            raise StriateError(f"no file {path}: give a .keras file or the name of a network")
        load_keras()
        from striate.models.anatomy import anatomy
        from striate.runs.storage import load

        with warnings.catch_warnings():
            # On an optimizer that has not trained yet: only the layers are looked at.
            warnings.filterwarnings("ignore", "Skipping variable loading", UserWarning)
            parts = anatomy(load(path))
        return {"model": path.stem, "lecture": None, "dataset": None, "summary": None}, parts
    from striate.models import registry

    entry = registry.lookup(name)
    shape = options.image_shape(input_shape)
    load_keras()
    from striate.models.anatomy import anatomy

    described = {
        "model": entry.name,
        "lecture": entry.lecture,
        "dataset": entry.dataset,
        "summary": entry.summary,
    }
    return described, anatomy(entry.build(shape, classes, **arguments))


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
