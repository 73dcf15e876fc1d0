"""Rows N10 to N12, N14 and N16: the networks of ISGC and Oslo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from striate import plots
from striate.data import Dataset
from striate.errors import StriateError
from striate.models.anatomy import anatomy
from striate.reproduce.row import Outcome, Row, at_least, equals, holds, mean_of, percent
from striate.reproduce.training import accuracies, watched
from striate.runs.provenance import machine

if TYPE_CHECKING:
    from striate.reproduce.workbench import Workbench
    from striate.runs import Runs


def _lab(bench: Workbench) -> tuple[Dataset, Runs]:
    data = bench.data("mnist")
    return data, bench.train("isgc", data, epochs=1 if bench.quick else None)


def _predicted(bench: Workbench) -> Outcome:
    data, trained = _lab(bench)
    accuracy = mean_of(accuracies(trained))
    first = data.test.images[:4]
    answers = np.stack([np.asarray(run.model.predict(first, verbose=0)) for run in trained])
    digits = answers.argmax(axis=-1)
    sums = float(np.abs(answers.astype(np.float64).sum(axis=-1) - 1).max())
    epochs = trained[0].epochs_done
    pictures = [
        bench.show(
            "N10-history", plots.history(trained.history, validation=watched(trained[0])),
            "Course of the training.", "Of seed 0.",
        ),
        bench.show(
            "N10-predictions",
            plots.predictions(
                bench.evaluate(trained[0], data, 0), data.test.images, range(20)
            ),
            "The first test images.", "With prediction and probability.",
        ),
    ]  # fmt: skip
    notes = [] if not bench.quick else ["Quick: one epoch in place of three."]
    return Outcome(
        f"{percent(accuracy)}; {', '.join(map(str, digits[0]))}",
        [
            at_least(f"test accuracy after {epochs} epoch{'s' * (epochs > 1)}", accuracy, 0.98),
            equals("predictions for the first four test images, every seed", digits,
                   [[7, 2, 1, 0]] * len(trained)),
            equals("their labels", data.test.labels[:4], [7, 2, 1, 0]),
            holds("each prediction adds up to 1", sums < 1e-5, f"off by {sums:.0e}",
                  "within 1e-05"),
        ],
        pictures,
        notes,
        {"accuracy": accuracy._asdict()},
    )  # fmt: skip


def _devices(bench: Workbench) -> Outcome:
    _, trained = _lab(bench)
    here = machine()
    own = here["devices"][0].partition(":")[0]
    rates = {own: [float(run.config["timing"]["images_per_second"]) for run in trained]}
    # Where JAX computes on an accelerator, the processor is a device all the same.
    for other in {"cpu"} - {own}:
        rates[other] = [elsewhere(bench, other, trained[0].config)["images_per_second"]]
    told = ", ".join(f"{name}: {np.mean(rate):,.0f} images/s" for name, rate in rates.items())
    notes = [f"{here['processor']}, {here['cores']} cores, kernels {here['kernels']}; devices: "
             f"{', '.join(here['devices'])}."]  # fmt: skip
    if len(rates) == 1:
        notes.append("No other device is here, so there is nothing to compare with.")
    return Outcome(
        told,
        [
            holds(f"timed on {name}", bool(rate) and min(rate) > 0,
                  f"{np.mean(rate):,.0f} images/s", "a rate")
            for name, rate in rates.items()
        ],
        notes=notes,
        values={"images_per_second": rates},
    )  # fmt: skip


def elsewhere(bench: Workbench, platform: str, config: Any) -> dict[str, Any]:
    """Train as a run was trained, in a process that computes on another platform of JAX's.

    Returns the section ``timing`` of its configuration.
    """
    out = bench.directory / "trainings" / f"on-{platform}"
    training, data = config["training"], config["dataset"]["load"]["name_or_path"]
    done = subprocess.run(  # noqa: S603 - this program, with words of its own
        [sys.executable, "-m", "striate", "train", data, "--model", config["model"]["name"],
         "--epochs", str(training["epochs"]), "--batch-size", str(training["batch_size"]),
         "--out", str(out), "--no-report", "--quiet", "--json"],
        env=os.environ | {"JAX_PLATFORMS": platform},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise StriateError(f"training on {platform}: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return dict(found["timing"])


def _digits(bench: Workbench) -> Outcome:
    data = bench.data("digits")
    trained = bench.train("oslo_digits", data)
    accuracy = mean_of(accuracies(trained))
    images, labels = data.train.pixels[..., 0], data.train.labels
    try:
        Dataset.from_arrays(images[:, :, None, :], labels, name="the listing's images")
        told = "no error"
    except StriateError as error:
        told = str(error)
    picture = bench.show(
        "N12-history", plots.history(trained.history, validation=watched(trained[0])),
        "Course of the training.", "Of seed 0.",
    )  # fmt: skip
    return Outcome(
        percent(accuracy),
        [
            at_least(f"test accuracy after {trained[0].epochs_done} epochs", accuracy, 0.96),
            holds("images (n, 8, 1, 8) are refused, and the error says why",
                  "channel axis must be the last" in told and "moveaxis" in told, told,
                  "one line that says where the channel axis belongs"),
            equals("images of a batch", trained[0].config["training"]["batch_size"], 100),
        ],
        [picture],
        ["The lecture prints no figure of its own. Learning rate 0.1 without L2 is taken from the "
         "grid of row N13."],
        {"accuracy": accuracy._asdict()},
    )  # fmt: skip


def _cifar(bench: Workbench) -> Outcome:
    data = bench.data("cifar10")
    trained = bench.train("oslo_cifar10", data, epochs=6 if bench.quick else None)
    accuracy = mean_of(accuracies(trained))
    epochs = trained[0].epochs_done
    layers = {layer.name: layer for layer in anatomy(trained[0].model).layers}
    pictures = [
        bench.show(
            "N14-samples",
            plots.samples(data.train.pixels[:25], data.train.labels[:25], data.class_names, n=25),
            "The first 25 training images.", "In a random order, with the names of their classes.",
        ),
        bench.show(
            "N14-history", plots.history(trained.history, validation=watched(trained[0])),
            "Course of the training.", "Of seed 0.",
        ),
    ]  # fmt: skip
    usual = 0.66 if bench.quick else 0.70
    return Outcome(
        percent(accuracy),
        [
            equals("volume after the last convolution", _shape(layers["conv_3"]), (4, 4, 64)),
            equals("values after flattening", _shape(layers["flatten"]), (1024,)),
            at_least(f"test accuracy after {epochs} epochs", accuracy, usual),
        ],
        pictures,
        [*(["Quick: 6 epochs in place of 10, and 66 % asked for in place of 70 %."]
           if bench.quick else []),
         *map(str, data.provenance.get("notes") or ())],
        {"accuracy": accuracy._asdict()},
    )  # fmt: skip


def _shape(layer: Any) -> tuple[int, ...]:
    """Return the shape of a layer's output, without the axis of the images if there is one."""
    shape = tuple(layer.output_shape)
    return shape[1:] if shape and shape[0] is None else shape


_LAB, _OSLO = ("isgc",), ("oslo",)
ROWS = (
    Row("N10", _LAB, "MNIST: Conv 64, Conv 32, dense 10; Adam, one-hot labels",
        "7, 2, 1, 0; each prediction sums to 1", _predicted, ("mnist",)),
    Row("N11", _LAB, "CPU against GPU: the same training timed on every device", "exercise",
        _devices, ("mnist",)),
    Row("N12", _OSLO, "Digits 8x8: Conv 10, pool, dense 50, dense 10 with L2; SGD; 80 / 20",
        "none printed; the listing's channel axis is misplaced", _digits),
    Row("N14", _OSLO, "CIFAR-10: 25 images; three convolutions, 10 epochs; curves",
        "about 70 % is usual; (4, 4, 64), then 1,024", _cifar, ("cifar10",)),
    Row("N16", _LAB, "Object detection and semantic segmentation", "named as further tasks", None),
)  # fmt: skip
