"""``striate evaluate``: how good a trained network is, in detail."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import datasets, options, output, result, selection
from striate.cli.keras_loading import load_keras

EXAMPLES = options.examples(
    "striate evaluate last",
    "striate evaluate last --json",
)


def evaluate(
    run: options.RunName,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET", help="Other data, by name or path; those of the run if not given."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Say how good a trained network is on the test images.

    Accuracy with its interval, loss, a verdict on the training with its reasons, each class, and
    the classes that are most often confused. The result is also written into the run's directory,
    as evaluation.json; on other data as evaluation-NAME.json.
    """
    from striate.runs import Run

    trained = Run.load(selection.run_directory(run))
    dataset = datasets.of_run(trained, data)
    load_keras()
    with output.waiting("evaluating ..."):
        evaluation = result.evaluate(trained, dataset)
    if json:
        output.say_json({"run": str(trained.directory), **result.as_dict(evaluation, dataset)})
        return
    done, epochs = trained.epochs_done, trained.config["training"]["epochs"]
    if done < epochs:
        output.say(f"{trained.directory} is not finished: {done} of {epochs} epochs")
    result.say_details(evaluation)
