"""Write the report of a scan: which cell is best, the heat maps, all cells, how to repeat it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from striate.files import write_text
from striate.plots import heatmap, history
from striate.quantities import plural
from striate.report.gallery import Gallery, beside
from striate.report.markup import Content, Html, facts, join, paragraph, section, table, tag
from striate.report.training import network_name, repeat_section, timing_section
from striate.report.words import decimal, setting, share
from striate.report.write import as_page

_CONTENTS = {
    "maps": "Heat maps",
    "best": "Best cells",
    "scan": "Scan",
    "cells": "All cells",
    "timing": "Timing",
    "provenance": "Provenance",
}
_BEST = 10


def write_grid_report(grid: Any, directory: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a scan as one HTML page, and its figures as PNG and PDF beside it.

    Parameters
    ----------
    grid
        A `striate.GridResult`; of one that is not finished, the cells that are done.
    directory
        Where to write ``report.html`` and ``figures/``; the scan's directory when not given.

    Returns
    -------
    pathlib.Path
        The path of ``report.html``.

    Raises
    ------
    StriateError
        If no cell is done.
    """
    place = Path(grid.directory if directory is None else directory)
    gallery = Gallery(place / "figures")
    config = grid.config
    sound = [row for row in grid.table() if row["diverged"] is None]
    sections = [
        _maps(grid, gallery),
        _best(grid, sound, gallery),
        _settings(config),
        section("All cells", _table(grid, grid.table(), "All cells"), identity="cells"),
        timing_section(config),
        repeat_section(_with_seed(config), gallery.names),
    ]
    page = place / "report.html"
    title = f"{network_name(config)} on {config['dataset']['name']}: {' x '.join(_sizes(grid))}"
    write_text(page, as_page(title, _headline(grid, sound), join(sections), _CONTENTS))
    return page


def _headline(grid: Any, sound: Sequence[Mapping[str, Any]]) -> Html:
    done = f"{len(grid.rows)} of {plural(len(grid.cells), 'cell')}"
    if not sound:
        return tag("p", f"{done} done, all diverged.", class_="result")
    best = grid.best()
    told = join(
        [
            tag("strong", share(best["test_accuracy"])),
            " of the test images are classified correctly by the best cell, ",
            _cell(grid, best),
            ". It was chosen by these very images, so expect a little less on others.",
        ]
    )
    tiles: list[tuple[Content, Content]] = [
        ("cells done", done),
        ("best test accuracy", decimal(best["test_accuracy"])),
        ("its training accuracy", decimal(best["train_accuracy"])),
        ("diverged", len(grid.rows) - len(sound)),
    ]
    return join([tag("p", told, class_="result"), facts(tiles, class_="tiles")])


def _maps(grid: Any, gallery: Gallery) -> Html:
    shown = []
    for what in ("train_accuracy", "test_accuracy"):
        values, diverged, axes = grid.plane(what)
        others = [name for name in grid.axes if name not in axes and len(grid.axes[name]) > 1]
        averaged = f" Averaged over {' and '.join(others)}." if others else ""
        words = what.replace("train", "training").replace("_", " ")
        shown.append(
            gallery.show(
                what,
                heatmap(values, axes, diverged=diverged, label=words),
                f"{words.capitalize()}.",
                f"Measured after the last epoch.{averaged}",
                alt=f"{words.capitalize()} over {' and '.join(axes)}, in words in the table below.",
            )
        )
    return section("Heat maps", beside(*shown), identity="maps")


def _best(grid: Any, sound: Sequence[Mapping[str, Any]], gallery: Gallery) -> Html:
    if not sound:
        return section("Best cells", paragraph("All cells diverged."), identity="best")
    ranked = sorted(sound, key=lambda row: -row["test_accuracy"])[:_BEST]
    best = grid.best()
    course = grid.histories.get(best["cell"], {})
    figure = None
    if course:
        figure = gallery.show(
            "history",
            history(course, validation=config_word(grid.config)),
            "Course of the training of the best cell.",
            _cell(grid, best),
            alt="Curves of loss and accuracy against epochs.",
        )
    return section(
        "Best cells",
        beside(_table(grid, ranked, f"The best {len(ranked)} by test accuracy"), figure),
        identity="best",
    )


def config_word(config: Mapping[str, Any]) -> str:
    """Return which images were followed during the training."""
    return str(config["training"].get("validation_on") or "validation")


def _settings(config: Mapping[str, Any]) -> Html:
    pairs: list[tuple[Content, Content]] = [("Network", network_name(config))]
    pairs += [(f"Axis: {name}", setting(values)) for name, values in config["axes"].items()]
    pairs += [(f"For all: {name}", setting(value)) for name, value in config["fixed"].items()]
    blocks = len(config["blocks"])
    pairs.append(("Blocks of cells", f"{blocks}, {config['side_by_side']} at a time"))
    return section("Scan", facts(pairs), identity="scan")


def _table(grid: Any, rows: Sequence[Mapping[str, Any]], caption: str) -> Html:
    columns = [*grid.axes, "test accuracy", "training accuracy", "test loss", "diverged in epoch"]
    return table(
        caption,
        columns,
        [
            (
                *(setting(row[name]) for name in grid.axes),
                decimal(row["test_accuracy"]),
                decimal(row["train_accuracy"]),
                decimal(row["test_loss"]),
                row["diverged"],
            )
            for row in rows
        ],
        words=0,
    )


def _cell(grid: Any, row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {setting(row[name])}" for name in grid.axes)


def _sizes(grid: Any) -> list[str]:
    return [f"{len(values)} {name.replace('_', ' ')}" for name, values in grid.axes.items()]


def _with_seed(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the configuration with the seeds where the section on provenance looks for them."""
    seed = config["axes"].get("seed", config["fixed"].get("seed"))
    return {**config, "training": {**config["training"], "seed": seed}}
