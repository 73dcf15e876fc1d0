"""The page of a trained network: sound, self-contained, accessible, the same twice."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import striate as st

SECTIONS = [
    "data",
    "network",
    "training",
    "evaluation",
    "predictions",
    "inside",
    "timing",
    "provenance",
]
FIGURES = {
    "samples",
    "history",
    "confusion",
    "roc",
    "calibration",
    "predictions",
    "mistakes",
    "output_weights",
    "kernels",
    "feature_maps",
}


def test_every_tag_is_closed_in_order(page) -> None:
    assert page.faults == []
    assert page.source.startswith("<!DOCTYPE html>")


def test_nothing_is_loaded(page) -> None:
    assert "http:" not in page.source
    assert "https:" not in page.source
    assert page.all("link") == page.all("script") == page.all("iframe") == []
    assert "@import" not in page.source
    assert "url(" not in page.source
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    (policy,) = [m for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy["content"].startswith("default-src 'none'")


def test_every_picture_has_an_alternative_text_of_its_own_and_a_caption(page) -> None:
    images = page.all("img")
    assert len(images) == len(page.all("figcaption")) == len(FIGURES)
    alternatives = [image["alt"] for image in images]
    assert all(len(alternative) > 30 for alternative in alternatives)
    assert len(set(alternatives)) == len(alternatives)
    assert all(int(image["width"]) and int(image["height"]) for image in images)


def test_every_figure_lies_beside_the_page_as_png_and_pdf(page, trained) -> None:
    assert (trained.directory / "report.html").read_text(encoding="utf-8") == page.source
    files = {path.name for path in (trained.directory / "figures").iterdir()}
    assert files == {f"{name}.{kind}" for name in FIGURES for kind in ("png", "pdf")}
    assert "The 10 figures of this page" in page.text


def test_headings_tables_and_links(page) -> None:
    headings = [name for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    for before, after in itertools.pairwise(headings):
        assert int(after[1]) <= int(before[1]) + 1
    assert [section["id"] for section in page.all("section")] == SECTIONS
    assert len(page.all("table")) == len(page.all("caption")) >= 4
    identities = [a["id"] for _, a in page.elements if "id" in a]
    assert len(set(identities)) == len(identities)
    assert [link["href"] for link in page.all("a")] == [f"#{name}" for name in SECTIONS]
    for _, attributes in page.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in identities


def test_it_is_made_for_phones_dark_rooms_and_paper(page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all(
        "meta"
    )
    assert "prefers-color-scheme: dark" in page.source
    assert "@media print" in page.source


def test_the_result_comes_first(page, evaluation) -> None:
    start = page.text[: page.text.index("Fingerprint")].replace("\N{NO-BREAK SPACE}", " ")
    assert page.words["h1"] == ["small on digits"]
    assert f"{100 * evaluation.accuracy:.1f} % of 360 test images are classified" in start
    low, high = (100 * evaluation.accuracy.low, 100 * evaluation.accuracy.high)
    assert f"95 % interval {low:.1f} % to {high:.1f} %" in start
    assert {"good", "underfit"} >= {evaluation.training.verdict}
    assert f"training is {evaluation.training.verdict}" in start


def test_the_numbers_are_those_of_the_evaluation(page, evaluation, digits) -> None:
    cells = page.words["td"]
    for name, recall in zip(digits.class_names, evaluation.recall, strict=True):
        assert f"{recall:.3f}" in cells, name
    assert str(evaluation.accuracy) in page.text
    assert f"{evaluation.loss:.4f}" in page.text
    assert digits.fingerprint in page.text
    assert digits.provenance["scaling"] in page.text
    for true, predicted, *_ in evaluation.most_confused():
        assert true in cells or true in page.words["th"]
        assert predicted in cells
    counts = [str(n) for n in np.bincount(digits.test.labels)]
    assert set(counts) <= set(cells)


def test_the_anatomy_is_listed(page) -> None:
    cells = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in page.words["td"]]
    at = cells.index("Conv2D")
    assert cells[at : at + 6] == ["Conv2D", "6 × 6 × 4", "40", "2.59 kFLOP", "3 × 3", "1 × 1"]
    assert f"{40 + 36 * 10 + 10:,}" in cells


def test_how_each_layer_is_computed_is_listed(page, trained) -> None:
    for name, how in trained.model.engine_report().items():
        assert name in page.words["th"]
        assert how in page.words["td"]


def test_numbers_are_rounded(page) -> None:
    assert [piece for piece in page.pieces if re.search(r"\d\.\d{7}", piece)] == []
    assert "nan" not in page.text.lower().split()


def test_the_command_is_a_block_of_its_own(page, trained) -> None:
    assert page.words["pre"] == [trained.config["command"]]


def test_a_run_loaded_from_disk_gives_the_same_bytes(page, trained, digits, tmp_path: Path) -> None:
    loaded = st.Run.load(trained.directory)
    again = st.write_report(loaded, st.evaluate(loaded, digits), digits, tmp_path)
    assert again == tmp_path / "report.html"
    assert again.read_text(encoding="utf-8") == page.source
    for figure in (tmp_path / "figures").iterdir():
        assert figure.read_bytes() == (trained.directory / "figures" / figure.name).read_bytes()


def test_only_a_run_has_a_report(trained, evaluation, digits) -> None:
    with pytest.raises(st.StriateError, match="type PosixPath"):
        st.write_report(trained.directory, evaluation, digits)


def test_an_evaluation_of_other_data_is_refused(trained, evaluation, digits) -> None:
    smaller = st.Dataset(
        digits.train, None, digits.test.take(np.arange(300)), digits.class_names, "digits", {}
    )
    with pytest.raises(st.StriateError, match=r"360 images .* 300"):
        st.write_report(trained, evaluation, smaller)
