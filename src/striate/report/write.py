"""Write the report of a run: one page that needs nothing else, and its figures as files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from striate.data import Dataset, as_dataset
from striate.errors import StriateError
from striate.evaluation import Evaluation
from striate.evaluation.tagger import can_tag, evaluate_tagger
from striate.evaluation.tagging import Tagging
from striate.files import write_text
from striate.plots.style import PLAIN, styled
from striate.report.data import data_section
from striate.report.gallery import Gallery
from striate.report.jet_pictures import has_jet_images, jet_pictures_section
from striate.report.markup import Html, join, tag
from striate.report.network import inside_section, network_section
from striate.report.result import evaluation_section, headline, predictions_section
from striate.report.tagging import tagging_section
from striate.report.tagging_numbers import write_tagging_numbers
from striate.report.training import network_name, repeat_section, timing_section, training_section
from striate.runs import Run

_CONTENTS = {
    "data": "Data",
    "network": "Network",
    "training": "Training",
    "evaluation": "Evaluation",
    "tagging": "Tagging",
    "jets": "Jets",
    "predictions": "Predictions",
    "inside": "Inside",
    "timing": "Timing",
    "provenance": "Provenance",
}


def write_report(
    run: Run,
    evaluation: Evaluation,
    data: Dataset | str | os.PathLike[str],
    directory: str | os.PathLike[str] | None = None,
    *,
    tagging: Tagging | None = None,
    style: str = PLAIN,
) -> Path:
    """Write the report of a run as one HTML page, and its figures as PNG and PDF beside it.

    The page holds its pictures and loads nothing; it can be sent by itself. The same run gives the
    same bytes. What does not apply to the network or the data is left out, and a sentence says so.

    Parameters
    ----------
    run
        What was trained, fresh or loaded from disk.
    evaluation
        Of the run on the test split of `data`.
    data
        The dataset it was trained and evaluated on, or the name or path to load.
    directory
        Where to write ``report.html`` and ``figures/``; the run's directory when not given.
    tagging
        Of the run on `data`, where it is a tagger of jets: two classes, with observables. Made
        here when not given; its numbers are written to ``numbers/``, as JSON and CSV.
    style
        Of the figures: one of :data:`striate.plots.style.STYLES`.

    Returns
    -------
    pathlib.Path
        The path of ``report.html``.

    Raises
    ------
    StriateError
        If `run` is no run, there is no such style, or `evaluation` is not one of the test split of
        `data`, judged by size and class names.

    Examples
    --------
    >>> run = st.train(st.models.oslo_digits(), data)      # doctest: +SKIP
    >>> st.write_report(run, st.evaluate(run, data), data)  # doctest: +SKIP
    PosixPath('runs/.../report.html')
    """
    if not isinstance(run, Run):
        raise StriateError(
            f"a report is of one run, as st.train and st.runs.load return it, not of a value of "
            f"type {type(run).__name__}"
        )
    data = as_dataset(data)
    if len(evaluation.labels) != len(data.test) or evaluation.class_names != data.class_names:
        raise StriateError(
            f"the evaluation is of {len(evaluation.labels)} images in "
            f"{len(evaluation.class_names)} classes, but the test split of {data.name!r} has "
            f"{len(data.test)} in {data.classes}: evaluate the run on the data of the report"
        )
    place = Path(run.directory if directory is None else directory)
    gallery = Gallery(place / "figures")
    if tagging is None and can_tag(evaluation, data):
        tagging = evaluate_tagger(run, data, evaluation)
    if tagging is not None:
        write_tagging_numbers(tagging, place / "numbers")
    with styled(style):
        sections = _sections(run, evaluation, data, tagging, gallery)
    page = place / "report.html"
    write_text(
        page,
        as_page(
            f"{network_name(run.config)} on {data.name}",
            headline(evaluation, run.config),
            join(sections.values()),
            {name: words for name, words in _CONTENTS.items() if name in sections},
        ),
    )
    return page


def _sections(
    run: Run, evaluation: Evaluation, data: Dataset, tagging: Tagging | None, gallery: Gallery
) -> dict[str, Html]:
    """Return the sections of the page by their identities."""
    config, model = run.config, run.model
    sections = {
        "data": data_section(data, gallery),
        "network": network_section(model),
        "training": training_section(config, run.history, gallery),
        "evaluation": evaluation_section(evaluation, gallery),
    }
    if tagging is not None:
        sections["tagging"] = tagging_section(tagging, gallery)
    if has_jet_images(data):
        sections["jets"] = jet_pictures_section(evaluation, data, gallery)
    return sections | {
        "predictions": predictions_section(evaluation, data, gallery),
        "inside": inside_section(model, evaluation, data, gallery),
        "timing": timing_section(config),
        # Last, since it tells how many figures there are.
        "provenance": repeat_section(config, gallery.names),
    }


def as_page(title: str, head: Html, body: Html, contents: Mapping[str, str]) -> str:
    """Return a whole page: its head, the links to its sections (identity: words), its body."""
    package = files("striate.report")
    links = (tag("li", tag("a", words, href=f"#{name}")) for name, words in contents.items())
    return Template((package / "page.html").read_text(encoding="utf-8")).substitute(
        title=join([title]),
        style=(package / "style.css").read_text(encoding="utf-8"),
        headline=head,
        contents=tag("nav", tag("ul", *links), aria_label="Contents"),
        body=body,
    )
