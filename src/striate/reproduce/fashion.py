"""Rows N3 to N6: Fashion-MNIST and the two extreme cases of training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from striate import plots
from striate.evaluation.overtraining import TrainingVerdict
from striate.reproduce.row import Check, Outcome, Row, at_least, holds, mean_of, percent
from striate.reproduce.training import accuracies, watched

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.reproduce.workbench import Workbench
    from striate.runs import Run, Runs

_UNFIT = {"neurons": 1}
_SHORT = {"learning_rate": 1e-5}


def _verdict(bench: Workbench, run: Run, data: Dataset) -> TrainingVerdict:
    verdict = bench.evaluate(run, data).training
    if verdict is None:
        raise RuntimeError("an evaluation that looked at training images has a verdict")
    return verdict


def _extremes(bench: Workbench) -> Outcome:
    data = bench.data("fashion_mnist")
    cases = {
        "unfit": ("one hidden neuron", bench.train("fashion_dense", data, epochs=3, seeds=[0],
                                                   **_UNFIT), "underfit"),
        "short": ("3 epochs at a learning rate of 1e-5",
                  bench.train("fashion_dense", data, epochs=3, seeds=[0], **_SHORT), "underfit"),
        "overtrained": ("the lecture's dense network",
                        bench.train("fashion_dense", data, seeds=[0]), "overtrained"),
    }  # fmt: skip
    checks: list[Check] = []
    pictures = []
    notes = []
    for name, (words, trained, expected) in cases.items():
        verdict = _verdict(bench, trained[0], data)
        checks.append(
            holds(f"verdict on {words}", verdict.verdict == expected, verdict.verdict, expected)
        )
        pictures.append(
            bench.show(
                f"N3-{name}", plots.history(trained.history, validation=watched(trained[0])),
                f"{verdict.verdict.capitalize()}: {words}.",
                f"Training {verdict.train_accuracy:.1%}, test {verdict.test_accuracy:.1%}.",
            )
        )  # fmt: skip
        notes.append(f"{words.capitalize()}: {' '.join(verdict.reasons)}")
    return Outcome(
        ", ".join(f"{words}: {check.ours}"
                  for (words, _, _), check in zip(cases.values(), checks, strict=True)),
        checks,
        pictures,
        ["The lecture names a model that does not fit, training that is insufficient, and "
         "overtraining; the three trainings are ours.", *notes],
    )  # fmt: skip


def _judged(
    bench: Workbench, key: str, data: Dataset, trained: Runs, bound: float, *, overtrained: bool
) -> Outcome:
    accuracy = mean_of(accuracies(trained))
    verdicts = [_verdict(bench, run, data) for run in trained]
    first = verdicts[0]
    same = all((verdict.verdict == "overtrained") == overtrained for verdict in verdicts)
    word = "overtrained" if overtrained else "not overtrained"
    gap = mean_of([verdict.gap for verdict in verdicts])
    picture = bench.show(
        f"{key}-history", plots.history(trained.history, validation=watched(trained[0])),
        f"{first.verdict.capitalize()}.",
        f"Training {first.train_accuracy:.1%}, test {first.test_accuracy:.1%}, of seed 0.",
    )  # fmt: skip
    told = ", ".join(verdict.verdict for verdict in verdicts)
    return Outcome(
        f"{percent(accuracy)}; {word if same else told}",
        [
            at_least(f"test accuracy after {trained[0].epochs_done} epochs", accuracy, bound),
            holds("verdict on the training, each seed", same, told, word),
        ],
        [picture],
        [f"Training minus test accuracy: {percent(gap)}.", *first.reasons],
        {"accuracy": accuracy._asdict(), "gap": gap._asdict(),
         "verdicts": [verdict.verdict for verdict in verdicts]},
    )  # fmt: skip


def _dense(bench: Workbench) -> Outcome:
    data = bench.data("fashion_mnist")
    trained = bench.train("fashion_dense", data)
    return _judged(bench, "N4", data, trained, 0.877, overtrained=True)


def _dropout(bench: Workbench) -> Outcome:
    data = bench.data("fashion_mnist")
    trained = bench.train("fashion_dropout", data)
    return _judged(bench, "N5", data, trained, 0.882, overtrained=False)


def _convolutional(bench: Workbench) -> Outcome:
    data = bench.data("fashion_mnist")
    trained = bench.train("fashion_cnn", data, epochs=10 if bench.quick else None)
    found = _judged(bench, "N6", data, trained, 0.914, overtrained=False)
    quick = ["Quick: 10 epochs in place of 15."] if bench.quick else []
    return replace(found, notes=[*found.notes, *quick])


_HEIDELBERG, _DATA = ("heidelberg",), ("fashion_mnist",)
ROWS = (
    Row("N3", _HEIDELBERG, "The two extreme cases of training: unfit, and overtrained",
        "shown by curves", _extremes, _DATA),
    Row("N4", _HEIDELBERG, "Fashion-MNIST, two dense layers", "87.7 %, overtrained", _dense, _DATA),
    Row("N5", _HEIDELBERG, "The same with dropout and softmax", "88.2 %, not overtrained",
        _dropout, _DATA),
    Row("N6", _HEIDELBERG, "Fashion-MNIST, convolutions, pooling, dropout",
        "91.4 %, not overtrained", _convolutional, _DATA),
)  # fmt: skip
