"""What a run achieved, in words and as JSON: the same for training and for evaluation."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from striate.cli import output
from striate.errors import StriateError
from striate.files import write_json
from striate.quantities import seconds

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.evaluation import Estimate, Evaluation
    from striate.evaluation.tagging import Tagging
    from striate.runs import Run

FIRST = 4
"""How many test images are shown with their predictions, as in the ISGC lecture (row N10)."""


def evaluate(run: Run, data: Dataset) -> Evaluation:
    """Evaluate a run, and write the result into its directory."""
    from striate.evaluation import evaluate

    evaluation = evaluate(run, data, name=run.config["model"]["name"])
    own = data.fingerprint == run.config["dataset"]["fingerprint"]
    plain = re.sub(r"[^\w.-]+", "_", data.name)
    name = "evaluation.json" if own else f"evaluation-{plain}.json"
    write_json(run.directory / name, output.finite(as_dict(evaluation, data)))
    return evaluation


def evaluate_tagger(
    run: Run, data: Dataset, evaluation: Evaluation, others: Sequence[Run] = ()
) -> Tagging | None:
    """Evaluate a run as a tagger, if its data are of jets of two classes with observables."""
    from striate.evaluation.tagger import can_tag, evaluate_tagger

    if not can_tag(evaluation, data):
        if others:
            raise StriateError(
                f"{data.name!r} has no two classes with observables: only taggers of jets are "
                "compared"
            )
        return None
    names = [other.config["model"]["name"] for other in others]
    against = {
        name if [evaluation.name, *names].count(name) == 1 else other.directory.name: other
        for name, other in zip(names, others, strict=True)
    }
    return evaluate_tagger(run, data, evaluation, against=against)


def say_tagging(tagging: Tagging) -> None:
    """Print the taggers with their areas and rejections, and what the network gains."""
    from striate.evaluation.tagging import WORKING_POINTS

    rows = []
    for tagger in tagging.taggers:
        gain = tagging.advantage(tagger)
        rejections = [tagger.curve.rejection(point) for point in WORKING_POINTS]
        rows.append(
            (
                tagger.name,
                f"{tagger.auc:.4f} +- {tagger.auc.error:.4f}",
                *(_rejection(value) for value in rejections),
                "" if tagger is tagging.network else f"{gain:+.4f} +- {gain.error:.4f}",
            )
        )
    output.say()
    points = (f"1/background at {point:g}" for point in WORKING_POINTS)
    output.say_table(("tagger", "AUC", *points, "network's gain in AUC"), rows, numbers=range(1, 5))
    for remark in tagging.notes:
        output.say(f"note: {remark}", hang=2)


def _rejection(value: Estimate) -> str:
    if math.isinf(value):
        return f"> {value.low:.0f}"
    if not math.isfinite(value.error):
        return f"{value:.1f} (> {value.low:.1f})"
    return f"{value:.1f} +- {value.error:.1f}"


def as_dict(evaluation: Evaluation, data: Dataset) -> dict[str, Any]:
    """Return the evaluation as JSON can hold it, with the data and the first predictions."""
    return {
        "dataset": {"name": data.name, "fingerprint": data.fingerprint},
        **evaluation.as_dict(),
        "first_predictions": first_as_dict(evaluation),
    }


def summary(evaluation: Evaluation, timing: Mapping[str, Any]) -> str:
    """Return in a line how good the network is and how long its training took."""
    parts = [f"test accuracy {evaluation.accuracy} (95 % interval)"]
    if evaluation.training is not None:
        parts.append(f"verdict {evaluation.training.verdict}")
    if "seconds_training" in timing:
        parts.append(seconds(timing["seconds_training"]))
    if "images_per_second" in timing:
        parts.append(f"{_three_digits(timing['images_per_second'])} images/s")
    return ", ".join(parts)


def first_predictions(evaluation: Evaluation) -> str:
    """Return what the first test images are taken for, and what they are."""
    names = first_as_dict(evaluation)
    predicted, true = ([name or "?" for name in names[key]] for key in ("predicted", "true"))
    # Names of several words need more than a space between them.
    between = ", " if any(" " in name for name in predicted + true) else " "
    many = {2: "two ", 3: "three ", 4: "four "}.get(len(true), "")
    return (
        f"first {many}test images: predicted {between.join(predicted)} (true {between.join(true)})"
    )


def first_as_dict(evaluation: Evaluation) -> dict[str, list[str | None]]:
    """Return predicted and true class names of the first test images; None for no answer."""
    names = evaluation.class_names
    return {
        "predicted": [names[p] if p >= 0 else None for p in evaluation.predictions[:FIRST]],
        "true": [names[label] for label in evaluation.labels[:FIRST]],
    }


def say_details(evaluation: Evaluation) -> None:
    """Print accuracy, loss, verdict with its reasons, classes, confusions and notes."""
    output.say(f"{evaluation.name}, {len(evaluation.labels):,} test images")
    output.say(f"accuracy  {evaluation.accuracy} (95 % interval)")
    output.say(f"loss      {evaluation.loss:.4f}")
    if evaluation.training is not None:
        output.say(f"training  {evaluation.training.verdict}")
        for reason in evaluation.training.reasons:
            output.say(f"  {reason}", hang=2)
    output.say()
    output.say_table(
        ("class", "images", "precision", "recall", "F1", "AUC"),
        [
            (
                entry["name"],
                f"{entry['support']:,.5g}"
                if evaluation.weights is not None
                else f"{entry['support']:,}",
                *(_decimal(entry[key]) for key in ("precision", "recall", "f1", "auc")),
            )
            for entry in evaluation.as_dict()["classes"]
        ],
        numbers=range(1, 6),
    )
    output.say()
    confused = evaluation.most_confused()
    for true, predicted, count, share in confused:
        output.say(f"{true} taken for {predicted}: {count:g} ({share:.1%})")
    if not confused:
        output.say("no image is taken for another class")
    output.say()
    output.say(first_predictions(evaluation))
    for remark in evaluation.notes:
        output.say(f"note: {remark}", hang=2)


def _decimal(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _three_digits(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.0f}" if math.isfinite(value) else "-"
