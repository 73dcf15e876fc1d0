"""Row N9: W jets against QCD jets, by a convolutional and by a dense network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate import plots
from striate.evaluation.tagger import evaluate_tagger
from striate.evaluation.tagging import WORKING_POINT
from striate.reproduce.row import Outcome, Row, holds, mean_of

if TYPE_CHECKING:
    from striate.reproduce.workbench import Workbench


def _tagged(bench: Workbench) -> Outcome:
    data = bench.data("jets")
    convolutional = bench.train("jet_cnn", data, epochs=4 if bench.quick else None)
    dense = bench.train("jet_dense", data)
    areas = {
        name: mean_of(
            [float(next(iter(bench.evaluate(run, data, 0).roc.values())).auc) for run in trained]
        )
        for name, trained in (("jet_cnn", convolutional), ("jet_dense", dense))
    }
    tagging = evaluate_tagger(
        convolutional[0], data, bench.evaluate(convolutional[0], data, 0),
        against={"jet_dense": dense[0]},
    )  # fmt: skip
    other = next(tagger for tagger in tagging.taggers if tagger.name == "jet_dense")
    gain = tagging.advantage(other)
    rejections = {
        tagger.name: tagger.curve.rejection(WORKING_POINT) for tagger in (tagging.network, other)
    }
    width = float(dict(data.provenance["image"])["width"])
    pictures = [
        bench.show(
            "N9-jets",
            plots.average_images(
                data.test.images, data.test.labels, data.class_names, width=width, unit="pixel"
            ),
            "Average jet images.", "Of the test jets, and their difference.",
        ),
        bench.show(
            "N9-rejection", plots.rejection(tagging), "Background rejection.",
            "Against the signal efficiency; seed 0 of both networks, and the baselines.",
        ),
    ]  # fmt: skip
    told = ", ".join(f"1/background {value:.0f} +- {value.error:.0f} ({name})"
                     for name, value in rejections.items())  # fmt: skip
    by_seed = ", ".join(f"{name} {_area(mean)}" for name, mean in areas.items())
    return Outcome(
        f"AUC {by_seed}",
        [
            holds("AUC of the convolutional network minus that of the dense one, same jets",
                  gain > 0 and gain.low > 0, f"{gain:+.4f} +- {gain.error:.4f}",
                  "above 0 with 95 % confidence"),
            holds("AUC of the convolutional network, mean over seeds",
                  areas["jet_cnn"].mean > 0.9, _area(areas["jet_cnn"]), "above 0.9"),
        ],
        pictures,
        [f"At a signal efficiency of {WORKING_POINT:g}: {told}.",
         "The lab's jets are not published; these are our own, simulated with Pythia 8.",
         *(["Quick: 4 epochs in place of 12."] if bench.quick else [])],
        {name: mean._asdict() for name, mean in areas.items()},
    )  # fmt: skip


def _area(mean: object) -> str:
    return str(mean).replace("(1 seeds)", "(1 seed)").replace(" +- nan", "")


ROWS = (
    Row("N9", ("nthu",), "W jets against QCD jets: convolutional and dense network",
        "lab: no figure given", _tagged),
)  # fmt: skip
