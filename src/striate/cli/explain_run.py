"""``striate explain run``: what a trained network makes of one image."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli import datasets, options, output, selection
from striate.cli.keras_loading import load_keras
from striate.errors import StriateError

if TYPE_CHECKING:
    from striate.explain.run import Explanation

EXAMPLES = options.examples(
    "striate explain run last --image 7",
    "striate explain run last --image 7 --class 1   why not this class?",
    "striate explain run last --method occlusion --patch 3 --baseline mean",
)


class _Method(enum.StrEnum):
    GRADIENT_INPUT = "gradient-input"
    INTEGRATED_GRADIENTS = "integrated-gradients"
    OCCLUSION = "occlusion"
    GRAD_CAM = "grad-cam"


class _Score(enum.StrEnum):
    LOGIT = "logit"
    LOG_PROBABILITY = "log-probability"


def run(
    run: options.RunName,
    image: Annotated[
        int, typer.Option(metavar="N", help="The image: its number in the test split, from 0.")
    ] = 0,
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help="The class to explain, by name or number; the likeliest if not given.",
        ),
    ] = None,
    method: Annotated[
        list[_Method] | None,
        typer.Option(help="Which pixels mattered, by this method; may be given again. [all]"),
    ] = None,
    score: Annotated[
        _Score | None,
        typer.Option(
            help="What to explain: the class's value before softmax, or the logarithm of its "
            "probability. [the logit, where the network has one]"
        ),
    ] = None,
    baseline: Annotated[
        str,
        typer.Option(
            metavar="VALUE|mean|blur",
            help="What stands for nothing: a value from 0 to 1, the mean of the image, or the "
            "image blurred.",
        ),
    ] = "0",
    patch: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Side of the patch that occlusion hides, in pixels. [an eighth of the image]",
        ),
    ] = None,
    steps: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Steps of integrated gradients to begin with; they are doubled until the shares "
            "add up within 1 %.",
        ),
    ] = 32,
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The convolution layer for Grad-CAM; the last if not given."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET", help="Other data, by name or path; those of the run if not given."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The folder for the figures. [explain-image-N in that of the run]"
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Show what a trained network makes of one image.

    Which pixels mattered, by gradient x input, integrated gradients, occlusion and Grad-CAM, each
    with what its axiom says; the feature maps of each layer; the kernels; and the patches of the
    test images that excite each kernel most. Figures are written as PNG and PDF.
    """
    from striate.runs import Run

    trained = Run.load(selection.run_directory(run, ("finished",)))
    if trained.state != "finished":
        done, epochs = trained.epochs_done, trained.config["training"]["epochs"]
        raise StriateError(
            f"{trained.directory} is not finished ({done} of {epochs} epochs): "
            f"striate train --resume {trained.directory} goes on with it"
        )
    dataset = datasets.of_run(trained, data)
    load_keras()
    from striate.explain.run import Explainer, save_figures

    with output.waiting("explaining ..."):
        explainer = Explainer(trained.model, dataset, score.value if score else None)
        explanation = explainer.explain(
            image,
            class_name=class_name,
            methods=[m.value for m in method] if method else None,
            baseline=baseline,
            patch=patch,
            steps=steps,
            layer=layer,
        )
    with _searching() as searched:
        figures = explainer.figures(explanation, searched)
    directory = out or trained.directory / f"explain-image-{image}"
    with output.waiting("writing the figures ..."):
        written = [output.from_here(path) for path in save_figures(figures, directory)]
    if json:
        output.say_json(
            {"run": str(trained.directory), **explanation.as_dict(), "figures": written}
        )
        return
    _say(explanation)
    output.say()
    for path in written:
        output.say(path)


def _say(explanation: Explanation) -> None:
    names, chances = explanation.class_names, explanation.probabilities
    output.say(
        f"test image {explanation.index}: true class {names[explanation.true]}, predicted "
        f"{names[explanation.predicted]} ({chances[explanation.predicted]:.2%})"
    )
    output.say(
        f"explained: the {explanation.kind} of {names[explanation.explained]}, "
        f"{explanation.score:.4g}, for the baseline ({explanation.baseline}) "
        f"{explanation.baseline_score:.4g}"
    )
    output.say()
    output.say_table(
        ("method", "sum", "change", "off by", "axiom"),
        [
            (
                found.method,
                "-" if found.change is None else f"{found.total:.4g}",
                "-" if found.change is None else f"{found.change:.4g}",
                "-" if found.residue is None else f"{found.residue:.2%}",
                _axiom(found.complete, found.steps, found.patch, found.layer),
            )
            for found in explanation.attributions
        ],
        numbers=(1, 2, 3),
    )
    for note in explanation.notes:
        output.say(f"note: {note}", hang=2)


def _axiom(complete: bool | None, steps: int | None, patch: int | None, layer: str | None) -> str:
    if steps is not None:
        return f"{'complete' if complete else 'NOT complete'} within 1 %, {steps} steps"
    if patch is not None:
        return f"hidden: {patch} x {patch} pixels; what is not looked at gets 0"
    return f"maps of {layer}" if layer is not None else "adds up if the network is linear"


@contextmanager
def _searching() -> Iterator[Callable[[int, int], None]]:
    """Give what the search for patches reports to: a bar on a terminal, nothing elsewhere."""
    from rich.progress import Progress

    with Progress(
        console=output.console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("searching for patches", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
