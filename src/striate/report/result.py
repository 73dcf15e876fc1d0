"""The result first, and the section on the evaluation behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from striate import plots
from striate.data import Dataset
from striate.evaluation import Evaluation, TrainingVerdict
from striate.plots.confusion_matrix import MOST_WITH_COUNTS
from striate.quantities import count, plural, seconds
from striate.report.data import MOST_CLASSES
from striate.report.gallery import Gallery, beside
from striate.report.markup import (
    Content,
    Html,
    bullets,
    facts,
    join,
    paragraph,
    section,
    table,
    tag,
)
from striate.report.words import decimal, estimate_digits, interval, sentence, share

_VERDICTS = {
    "good": "The training is good: the network does about as well on images it has not seen.",
    "overtrained": "The training is overtrained: the network does worse on images it has not seen.",
    "underfit": "The training is underfit: the network has not learned what it could.",
    "diverged": "The training diverged: the network gives answers that are not numbers.",
}

_PREDICTIONS = 25
_MISTAKES = 10


def headline(evaluation: Evaluation, config: Mapping[str, Any]) -> Html:
    """Return the result in one sentence, the verdict on the training, and the main numbers."""
    accuracy = evaluation.accuracy
    digits = estimate_digits(accuracy)
    n = len(evaluation.labels)
    what = "of the weight of" if evaluation.weights is not None else "of"
    told = join(
        [
            tag("strong", share(float(accuracy), digits)),
            f" {what} {plural(n, 'test image')} are classified correctly"
            f" (95 % interval {interval(accuracy)}).",
        ]
    )
    timing = dict(config.get("timing") or {})
    tiles: list[tuple[Content, Content]] = [
        ("test accuracy", share(float(accuracy), digits)),
        ("test loss", decimal(evaluation.loss, 3)),
        (f"wrong of {count(n)}", count(int((~evaluation.correct).sum()))),
    ]
    if timing.get("seconds_training") is not None:
        tiles.append(("training time", seconds(timing["seconds_training"])))
    verdict = evaluation.training
    return join(
        [
            tag("p", told, class_="result"),
            None
            if verdict is None
            else tag("p", _verdict(verdict), class_=f"verdict {verdict.verdict}"),
            facts(tiles, class_="tiles"),
        ]
    )


def evaluation_section(evaluation: Evaluation, gallery: Gallery) -> Html:
    """Return the section on accuracy, classes, confusion and the verdict on the training."""
    accuracy = evaluation.accuracy
    classes = len(evaluation.class_names)
    pairs: list[tuple[Content, Content]] = [
        ("Test accuracy", f"{accuracy} (Wilson interval, {share(accuracy.level, 0)})"),
        ("Test loss", f"{decimal(evaluation.loss)} (cross-entropy in nats, without penalties)"),
    ]
    if evaluation.weights is not None:
        total, squares = evaluation.weights.sum(), np.square(evaluation.weights).sum()
        pairs.append(
            (
                "Weights",
                f"the events count by weight, {count(round(float(total), 4))} in all; "
                f"as many as {total**2 / squares:.0f} without weights",
            )
        )
    if evaluation.unanswered:
        pairs.append(("No answer", f"{plural(evaluation.unanswered, 'image')}, counted as wrong"))
    figures: list[Content] = []
    too_many = None
    if classes <= MOST_CLASSES:
        figures.append(tag("div", _confusion(evaluation, gallery), _pairs(evaluation)))
    else:
        figures.append(_pairs(evaluation))
        too_many = paragraph(
            f"The confusion matrix is left out: there are more than {MOST_CLASSES} classes."
        )
    figures.append(_classes(evaluation))
    if any(np.isfinite(curve.auc) for curve in evaluation.roc.values()):
        figures.append(_roc(evaluation, gallery))
    if evaluation.unanswered < len(evaluation.labels):
        figures.append(_calibration(evaluation, gallery))
    return section(
        "Evaluation",
        facts(pairs),
        bullets([sentence(note) for note in evaluation.notes]) if evaluation.notes else None,
        _training(evaluation.training),
        too_many,
        beside(*figures),
        identity="evaluation",
    )


def predictions_section(evaluation: Evaluation, data: Dataset, gallery: Gallery) -> Html:
    """Return the section on test images, predicted right and wrong, and the surest mistakes."""
    n = min(_PREDICTIONS, len(evaluation.labels))
    right = int(evaluation.correct[:n].sum())
    figures = [
        gallery.show(
            "predictions",
            plots.predictions(evaluation, data.test.pixels, n=n),
            "Predictions.",
            f"The first {plural(n, 'test image')} with the predicted class and its probability; "
            "✗, a thick broken frame and the true class below mark a wrong one.",
            alt=f"The first {plural(n, 'test image')} with their predictions: "
            f"{right} right, {n - right} wrong.",
        )
    ]
    surest = evaluation.surest_mistakes(_MISTAKES)
    none = None
    if len(surest):
        names = evaluation.class_names
        told = ", ".join(
            f"{names[int(evaluation.labels[i])]} taken for {names[int(evaluation.predictions[i])]}"
            for i in surest
        )
        figures.append(
            gallery.show(
                "mistakes",
                plots.mistakes(evaluation, data.test.pixels, n=_MISTAKES),
                "The surest mistakes.",
                "The wrong predictions to which the network gave the highest probability, "
                "highest first.",
                alt=f"{plural(len(surest), 'test image')} classified wrongly: {told}.",
            )
        )
    else:
        none = paragraph("There is no mistake to show: every test image is classified correctly.")
    return section("Predictions", beside(*figures), none, identity="predictions")


def _verdict(verdict: TrainingVerdict) -> Content:
    return _VERDICTS.get(verdict.verdict, f"The training is {verdict.verdict}.")


def _training(verdict: TrainingVerdict | None) -> Html:
    if verdict is None:
        return paragraph(
            "The training images were not looked at, so there is no verdict on the training."
        )
    return join(
        [
            tag("h3", f"Verdict on the training: {verdict.verdict}"),
            beside(
                facts(
                    [
                        ("Training accuracy", str(verdict.train_accuracy)),
                        ("Test accuracy", str(verdict.test_accuracy)),
                        (
                            "Difference",
                            sentence(f"{verdict.gap:+.4f} ± {verdict.gap_error:.4f}"),
                        ),
                    ]
                ),
                bullets([sentence(reason) for reason in verdict.reasons]),
            ),
        ]
    )


def _classes(evaluation: Evaluation) -> Html:
    order = np.arange(len(evaluation.class_names))
    caption = "Precision, recall, F1 and area under the ROC curve of each class"
    if len(order) > MOST_CLASSES:
        worst = np.argsort(np.nan_to_num(evaluation.f1, nan=-1.0), kind="stable")
        order = worst[:MOST_CLASSES]
        caption += f", the {MOST_CLASSES} of {len(worst)} with the smallest F1"
    images = "weight" if evaluation.weights is not None else "images"
    return table(
        caption,
        ["class", images, "precision", "recall", "F1", "area"],
        [
            [
                evaluation.class_names[i],
                count(evaluation.support[i]),
                decimal(evaluation.precision[i], 3),
                decimal(evaluation.recall[i], 3),
                decimal(evaluation.f1[i], 3),
                decimal(evaluation.roc[evaluation.class_names[i]].auc),
            ]
            for i in order
        ],
    )


def _pairs(evaluation: Evaluation) -> Html:
    confused = evaluation.most_confused(5)
    if not confused:
        return paragraph("No class is taken for another.")
    return table(
        "Most confused pairs",
        ["true class", "predicted", "how many", "of the true class"],
        [[true, predicted, count(n), share(part)] for true, predicted, n, part in confused],
        words=2,
    )


def _confusion(evaluation: Evaluation, gallery: Gallery) -> Html:
    written = len(evaluation.class_names) <= MOST_WITH_COUNTS
    confused = evaluation.most_confused(1)
    most = (
        f" The commonest mistake is {confused[0][0]} taken for {confused[0][1]}, "
        f"{count(confused[0][2])} times."
        if confused
        else " No class is taken for another."
    )
    counts = "The number is a count, the colour" if written else "The colour is"
    return gallery.show(
        "confusion",
        plots.confusion(evaluation),
        "Confusion matrix.",
        f"{counts} the fraction of the true class, on a square-root scale.",
        alt=f"Confusion matrix of {len(evaluation.class_names)} classes.{most}",
    )


def _roc(evaluation: Evaluation, gallery: Gallery) -> Html:
    areas = {name: curve.auc for name, curve in evaluation.roc.items() if np.isfinite(curve.auc)}
    worst = min(areas, key=lambda name: areas[name])
    mirrored = (
        " The curve of the other class is its mirror image."
        if len(evaluation.class_names) == 2
        else ""
    )
    return gallery.show(
        "roc",
        plots.roc(evaluation),
        "ROC curves.",
        "Each class against all others: the share of its images that is found, against the share "
        f"of other images taken for it.{mirrored}",
        alt="Receiver operating characteristics, one class against the rest; "
        f"the smallest area is {decimal(areas[worst])}, of {worst}.",
    )


def _calibration(evaluation: Evaluation, gallery: Gallery) -> Html:
    answered = evaluation.predictions >= 0
    confidence = float(
        np.average(
            evaluation.probabilities[answered].max(axis=1),
            weights=None if evaluation.weights is None else evaluation.weights[answered],
        )
    )
    return gallery.show(
        "calibration",
        plots.calibration(evaluation),
        "Calibration.",
        "How often the network is right against how sure it is, and how many images there are; "
        "points below the dotted line mean that it is too sure of itself.",
        alt="Fraction of right predictions against the probability of the predicted class; "
        f"the mean probability is {share(confidence)}, the accuracy "
        f"{share(float(evaluation.accuracy))}.",
    )
