"""``striate evaluate``: how good a trained network is, in detail."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import datasets, options, output, result, selection
from striate.cli.keras_loading import load_keras

EXAMPLES = options.examples(
    "striate evaluate last",
    "striate evaluate last --json",
    "striate evaluate runs/jet_cnn-... --against runs/jet_dense-...",
)


def evaluate(
    run: options.RunName,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET", help="Other data, by name or path; those of the run if not given."
        ),
    ] = None,
    against: options.Against = None,
    json: options.Json = False,
) -> None:
    """Say how good a trained network is on the test images.

    Accuracy with its interval, loss, a verdict on the training with its reasons, each class, and
    the classes that are most often confused. Of jets, two classes with observables, also the area
    under the ROC curve and the background rejection, beside cuts on observables and a boosted tree.
    The result is also written into the run's directory, as evaluation.json; on other data as
    evaluation-NAME.json.
    """
    from striate.runs import Run

    trained = Run.load(selection.run_directory(run))
    dataset = datasets.of_run(trained, data)
    others = [Run.load(selection.run_directory(word)) for word in against or ()]
    load_keras()
    with output.waiting("evaluating ..."):
        evaluation = result.evaluate(trained, dataset)
        tagging = result.evaluate_tagger(trained, dataset, evaluation, others)
    if json:
        found = {"run": str(trained.directory), **result.as_dict(evaluation, dataset)}
        output.say_json(found if tagging is None else {**found, "tagging": tagging.as_dict()})
        return
    done, epochs = trained.epochs_done, trained.config["training"]["epochs"]
    if done < epochs:
        output.say(f"{trained.directory} is not finished: {done} of {epochs} epochs")
    result.say_details(evaluation)
    if tagging is not None:
        result.say_tagging(tagging)
