"""``striate report``: write the report of a run anew."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import datasets, options, output, result, selection
from striate.cli.keras_loading import load_keras

EXAMPLES = options.examples("striate report last", "striate report last --style CMS")


def report(
    run: options.RunName,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET", help="Other data, by name or path; those of the run if not given."
        ),
    ] = None,
    against: options.Against = None,
    style: Annotated[
        str, typer.Option(metavar="NAME", help="Of the figures: plain, ATLAS or CMS.")
    ] = "plain",
) -> None:
    """Write the report of a run anew.

    It is one page of HTML that needs nothing else; its figures lie beside it as PNG and PDF. Of
    jets, the numbers behind the figures lie in numbers/ as JSON and CSV.
    """
    from striate.runs import Run

    trained = Run.load(selection.run_directory(run))
    others = [Run.load(selection.run_directory(word)) for word in against or ()]
    dataset = datasets.of_run(trained, data)
    load_keras()
    with output.waiting("evaluating ..."):
        evaluation = result.evaluate(trained, dataset)
        tagging = result.evaluate_tagger(trained, dataset, evaluation, others)
    with output.waiting("writing the report ..."):
        from striate.report import write_report

        path = write_report(trained, evaluation, dataset, tagging=tagging, style=style)
    output.say(f"report: {output.from_here(path)}")
