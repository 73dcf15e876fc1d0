"""The report of a tagger: its sections, its figures, its numbers as files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import striate as st
from striate.data import Split
from striate.evaluation import Estimate
from striate.evaluation.tagger import evaluate_tagger
from striate.evaluation.tagging import Tagging
from striate.report.tagging import verdicts, with_error

FIGURES = {
    "average_jets",
    "efficiency",
    "output_correlation",
    "rejection",
    "response",
    "sculpting",
    "significance",
    "surest_wrong_jets",
}


@pytest.fixture(scope="module")
def jets() -> st.Dataset:
    """Images with one pixel that tells, and observables."""
    rng = np.random.default_rng(31)

    def split(n: int) -> Split:
        labels = (np.arange(n) % 2).astype(np.int32)
        pixels = rng.random((n, 9, 9, 1)).astype(np.float32)
        pixels[:, 6, 4, 0] = rng.beta(1 + labels, 2 - labels)
        observables = {
            "groomed_mass_gev": np.where(labels == 1, rng.normal(80, 9, n), rng.exponential(60, n)),
            "tau_21": rng.normal(0.6 - 0.2 * labels, 0.15),
            "pt_gev": rng.uniform(250, 300, n),
        }
        return Split(pixels, labels, None, observables)

    image = {"grid": 9, "width": 2.0, "normalise": "sqrt", "centre": "subjet", "rotate": "subjet"}
    return st.Dataset(split(500), None, split(500), ("QCD", "W"), "pixel jets", {"image": image})


@pytest.fixture(scope="module")
def run(jets: st.Dataset, tmp_path_factory: pytest.TempPathFactory) -> st.Run:
    def build() -> keras.Model:
        model = st.Sequential(
            [
                keras.Input((9, 9, 1)),
                keras.layers.Conv2D(2, 3, activation="relu", name="conv"),
                keras.layers.Flatten(name="flatten"),
                keras.layers.Dense(2, activation="softmax", name="output"),
            ],
            name="small_tagger",
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    return st.train(
        build, jets, epochs=4, batch_size=50, seed=1, directory=tmp_path_factory.mktemp("runs")
    )


@pytest.fixture(scope="module")
def tagging(run: st.Run, jets: st.Dataset) -> Tagging:
    return evaluate_tagger(run, jets, replicas=30)


@pytest.fixture(scope="module")
def report(run: st.Run, jets: st.Dataset, tagging: Tagging) -> Path:
    return st.write_report(run, st.evaluate(run, jets), jets, tagging=tagging, style="ATLAS")


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_sections_and_figures_are_there(report: Path, read_page) -> None:
    page = read_page(report)
    assert page.faults == []
    names = [section["id"] for section in page.all("section")]
    assert names[names.index("evaluation") + 1 :][:2] == ["tagging", "jets"]
    assert [link["href"] for link in page.all("a")] == [f"#{name}" for name in names]
    files = {path.stem for path in (report.parent / "figures").iterdir()}
    assert files >= FIGURES
    assert all(len(image["alt"]) > 30 for image in page.all("img"))


def test_the_numbers_are_those_of_the_evaluation(report: Path, read_page, tagging) -> None:
    page = read_page(report)
    for tagger in tagging.taggers:
        assert f"{tagger.auc:.4f} ± {tagger.auc.error:.4f}" in page.words["td"]
    told = " ".join(page.words["li"])
    for sentence in verdicts(tagging):
        assert sentence in told


def test_numbers_are_files_too(report: Path, tagging: Tagging) -> None:
    numbers = report.parent / "numbers"
    assert json.loads((numbers / "tagging.json").read_text("utf-8")) == tagging.as_dict()
    rows = table(numbers / "taggers.csv")
    assert [row["tagger"] for row in rows] == [tagger.name for tagger in tagging.taggers]
    assert float(rows[0]["auc"]) == pytest.approx(float(tagging.network.auc))
    curves = table(numbers / "roc.csv")
    assert len(curves) == 100 * len(tagging.taggers)
    for split, of in (("train", tagging.train_is_signal), ("test", tagging.is_signal)):
        counted = [
            float(row["sum"])
            for row in table(numbers / "response.csv")
            if (row["split"], row["class"]) == (split, "W")
        ]
        assert sum(counted) == of.sum()
    assert {row["observable"] for row in table(numbers / "efficiency.csv")} == {"pt_gev"}
    assert {row["passing"] for row in table(numbers / "mass.csv")} >= {"all", "boosted tree"}


def test_who_is_better_is_said_as_far_as_errors_allow(tagging: Tagging) -> None:
    network, window, *_ = tagging.taggers
    perfect = replace(network, placed=np.ones(len(network.placed)))
    hopeless = replace(window, placed=np.full(len(window.placed), 0.5))
    above = verdicts(replace(tagging, taggers=(perfect, hopeless)))
    assert "is above that of mass window: +0.5000" in above[0]
    below = verdicts(replace(tagging, taggers=(hopeless, perfect)))
    assert f"is below that of {network.name}: −0.5000" in below[0]
    noise = np.random.default_rng(1).normal(0, 0.3, len(network.placed))
    near = replace(window, placed=network.placed + noise)
    assert "is not clearly apart from" in verdicts(replace(tagging, taggers=(network, near)))[0]


def test_numbers_that_are_not_are_written_as_they_are() -> None:
    assert with_error(Estimate(85.0, 75.0, 95.0, 0.6827), 1) == "85.0 ± 10.0"
    assert with_error(Estimate(np.inf, 101.2, np.inf, 0.6827), 1) == "> 101"
    assert with_error(Estimate(600.0, 300.0, np.inf, 0.6827), 1) == "600.0 (> 300.0)"
    assert with_error(Estimate(np.nan, np.nan, np.nan, 0.6827)) == "–"
