"""Rows N1, N2, N7 and N15: the first network, its training, and what can be seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate import plots
from striate.data import Dataset
from striate.models.registry import lookup
from striate.reproduce.lectures import EVERY
from striate.reproduce.row import Outcome, Row, at_least, equals, holds, mean_of, percent

if TYPE_CHECKING:
    from striate.reproduce.workbench import Workbench
    from striate.runs import Run, Runs

_USUAL = 0.978


def accuracies(trained: Runs) -> list[float]:
    """Return the test accuracy of each seed; NaN for a network without accuracies."""
    return [float("nan") if run.accuracy is None else run.accuracy for run in trained]


def watched(run: Run) -> str:
    """Return which images a training was followed on."""
    return str(run.config["training"]["validation_on"])


def _first(bench: Workbench) -> tuple[Dataset, Runs]:
    data = bench.data("mnist")
    return data, bench.train("heidelberg", data)


def _trained(bench: Workbench) -> Outcome:
    _, trained = _first(bench)
    accuracy = mean_of(accuracies(trained))
    epochs = trained[0].epochs_done
    layers = [layer.name for layer in trained[0].model.layers]
    picture = bench.show(
        "N1-history", plots.history(trained.history, validation=watched(trained[0])),
        "Course of the training.", "Of seed 0.",
    )  # fmt: skip
    return Outcome(
        percent(accuracy),
        [
            equals("layers", layers, ["conv", "pool", "flatten", "hidden", "output"]),
            equals("parameters", trained[0].model.count_params(), 320 + 5408 * 32 + 32 + 330),
            at_least(f"test accuracy after {epochs} epochs", accuracy, _USUAL),
        ],
        [picture],
        ["The lecture prints no figure; about 98 % is usual, and 97.8 % is asked for."],
        {"accuracy": accuracy._asdict()},
    )


def _output_weights(bench: Workbench) -> Outcome:
    data, trained = _first(bench)
    weights = np.asarray(trained[0].model.layers[-1].get_weights()[0])
    picture = bench.show(
        "N2-weights", plots.output_weights(weights, data.class_names),
        "Weights of the output layer.",
        "A row for each digit, a column for each of the 32 hidden neurons.",
    )  # fmt: skip
    return Outcome(
        f"32 x 10 weights, from {weights.min():.2f} to {weights.max():.2f}",
        [
            equals("shape of the weights", weights.shape, (32, 10)),
            holds("they are finite and not all alike",
                  bool(np.isfinite(weights).all() and weights.std() > 0),
                  f"standard deviation {weights.std():.2f}", "a spread above 0"),
        ],
        [picture],
    )  # fmt: skip


def _curves(bench: Workbench) -> Outcome:
    _, trained = _first(bench)
    history = trained.history
    epochs = trained[0].epochs_done
    names = ("loss", "val_loss", "accuracy", "val_accuracy")
    picture = bench.show(
        "N7a-curves", plots.history(history, validation=watched(trained[0])),
        "Loss and accuracy against epoch.", "Training and validation, of seed 0.",
    )  # fmt: skip
    return Outcome(
        f"loss {history['loss'][0]:.3f} to {history['loss'][-1]:.3f} in {epochs} epochs",
        [
            equals("values of each of the four curves", [len(history[name]) for name in names],
                   [epochs] * 4),
            holds("the training loss falls", history["loss"][-1] < history["loss"][0],
                  " ".join(f"{value:.3f}" for value in history["loss"]), "falling"),
        ],
        [picture],
    )  # fmt: skip


def _test_accuracy(bench: Workbench) -> Outcome:
    data, trained = _first(bench)
    accuracy = bench.evaluate(trained[0], data, 0).accuracy
    counted = float(np.mean(bench.evaluate(trained[0], data, 0).correct))
    return Outcome(
        f"{accuracy:.2%}, {accuracy.low:.2%} to {accuracy.high:.2%} with 95 % confidence",
        [
            holds("right answers, counted", counted == float(accuracy), f"{counted:.4f}",
                  f"{accuracy:.4f}"),
            holds("what the training saw last", abs(accuracies(trained)[0] - accuracy) < 1e-6,
                  f"{accuracies(trained)[0]:.4f}", f"{accuracy:.4f}"),
            holds("test accuracy of seed 0", accuracy >= _USUAL, f"{accuracy:.2%}",
                  "at least 97.8 %"),
        ],
        values={"accuracy": accuracy.as_dict()},
    )  # fmt: skip


def _confusion(bench: Workbench) -> Outcome:
    data, trained = _first(bench)
    result = bench.evaluate(trained[0], data, 0)
    confused = result.most_confused(1)
    told = "nothing is confused"
    if confused:
        true, predicted, count, share = confused[0]
        told = f"most confused: {true} taken for {predicted}, {count:g} times ({share:.1%})"
    picture = bench.show(
        "N7c-confusion", plots.confusion(result), "True label against the one found.",
        f"Of {len(result.labels):,} test images.",
    )  # fmt: skip
    return Outcome(
        told,
        [
            equals("sum of all cells", int(result.confusion.sum()), len(data.test)),
            equals("sum of the diagonal", int(np.trace(result.confusion)),
                   int(result.correct.sum())),
            equals("sums of the rows", result.confusion.sum(axis=1),
                   np.bincount(data.test.labels, minlength=data.classes)),
        ],
        [picture],
    )  # fmt: skip


def _predictions(bench: Workbench) -> Outcome:
    data, trained = _first(bench)
    result = bench.evaluate(trained[0], data, 0)
    pictures = [
        bench.show(
            "N7e-predictions", plots.predictions(result, data.test.images, range(25)),
            "The first test images.", "With prediction and probability.",
        )
    ]  # fmt: skip
    if not result.correct.all():
        pictures.append(
            bench.show(
                "N7e-mistakes", plots.mistakes(result, data.test.images),
                "The surest mistakes.", "What the network was wrong about and sure of.",
            )
        )  # fmt: skip
    right = int(result.correct[:25].sum())
    return Outcome(
        f"{right} of the first 25 right",
        [holds("right among the first 25", right >= 23, str(right), "at least 23")],
        pictures,
    )


def _prepared(bench: Workbench) -> Outcome:
    data = bench.data("digits")
    images, labels = data.train.images, data.train.labels
    one_hot = np.eye(data.classes, dtype=np.float32)[labels]
    network = lookup("oslo_digits").build(data.image_shape, data.classes)
    loss, _ = network.evaluate(images, one_hot, verbose=0)
    network.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    sparse, _ = network.evaluate(images, labels, verbose=0)
    total = len(data.train) + len(data.test)
    picture = bench.show(
        "N15-samples", plots.samples(data.train.pixels, labels, data.class_names, n=25),
        "Training images.", "25 at random, with their labels.",
    )  # fmt: skip
    whole = bench.settings.images is None
    return Outcome(
        f"{images.shape[0]:,} + {len(data.test):,} images of shape {data.image_shape}",
        [
            equals("range of the pixels", [images.min(), images.max()], [0, 1]),
            equals("axes: image, row, column, channel", images.ndim, 4),
            equals("one-hot labels: ones in each row", one_hot.sum(axis=1),
                   np.ones(len(labels))),
            holds("loss on one-hot labels, against that on class numbers",
                  abs(loss - sparse) < 1e-5, f"{loss:.6f}", f"{sparse:.6f}"),
            holds("share of the test images", abs(len(data.test) / total - 0.2) < 0.01 or not whole,
                  f"{len(data.test) / total:.1%}", "20 %"),
            equals("classes in both splits", np.unique(data.test.labels), np.unique(labels)),
        ],
        [picture],
        [f"Provenance: {data.provenance.get('source')}; fingerprint {data.fingerprint}."],
    )  # fmt: skip


_HEIDELBERG, _MNIST = ("heidelberg",), ("mnist",)
ROWS = (
    Row("N1", _HEIDELBERG, "MNIST: Conv 32, pool, dense 32, dense 10; Adam, batch 64, 3 epochs",
        "none printed (about 98 % is usual)", _trained, _MNIST),
    Row("N2", _HEIDELBERG, "The output layer as a heat map", "a heat map with colour bar",
        _output_weights, _MNIST),
    Row("N7a", _HEIDELBERG, "Exercise a: loss and accuracy against epoch", "exercise", _curves,
        _MNIST),
    Row("N7b", _HEIDELBERG, "Exercise b: accuracy on the test set", "exercise", _test_accuracy,
        _MNIST),
    Row("N7c", _HEIDELBERG, "Exercise c: confusion matrix", "exercise", _confusion, _MNIST),
    Row("N7e", _HEIDELBERG, "Exercise e: test images with their predictions", "exercise",
        _predictions, _MNIST),
    Row("N15", EVERY, "Normalise, one-hot, reshape to 4-D, split; random images with labels",
        "pixels in [0, 1], one-hot labels, 4-D images, 80 / 20", _prepared),
)  # fmt: skip
