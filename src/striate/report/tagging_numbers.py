"""The numbers behind the section on tagging, as files: JSON, and CSV to be drawn anew."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from striate.evaluation import Estimate
from striate.evaluation.histogram import fill
from striate.evaluation.rejection import SIGNAL_EFFICIENCIES
from striate.evaluation.tagging import WORKING_POINTS, Tagging
from striate.files import write_json, write_text
from striate.plots.response import BINS

_Row = Sequence[Any]


def write_tagging_numbers(tagging: Tagging, directory: Path) -> None:
    """Write ``tagging.json`` and tables of taggers, curves, responses, efficiencies and masses.

    Parameters
    ----------
    tagging
        What was found.
    directory
        Where; made if it is not there. Infinity and NaN are empty cells.
    """
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / "tagging.json", tagging.as_dict())
    for name, (columns, rows) in {
        "taggers": _taggers(tagging),
        "roc": _curves(tagging),
        "response": _responses(tagging),
        "efficiency": _efficiencies(tagging),
        "mass": _masses(tagging),
    }.items():
        write_text(directory / f"{name}.csv", _as_csv(columns, rows))


def _as_csv(columns: Sequence[str], rows: Iterable[_Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.8g}" if np.isfinite(value) else ""
    return value


def _taggers(tagging: Tagging) -> tuple[list[str], Iterator[_Row]]:
    columns = ["tagger", "auc", "auc_error"]
    for point in WORKING_POINTS:
        columns += [f"rejection_at_{point:g}", f"rejection_at_{point:g}_error"]
    columns += ["significance_improvement", "significance_improvement_error", "at"]
    columns += ["mass_divergence_bits", "mass_divergence_bits_by_chance"]

    def rows() -> Iterator[_Row]:
        for tagger in tagging.taggers:
            best = tagger.curve.best_improvement()
            bent = tagger.sculpting
            yield [
                tagger.name,
                *_with_error(tagger.auc),
                *(x for p in WORKING_POINTS for x in _with_error(tagger.curve.rejection(p))),
                *((np.nan,) * 3 if best is None else (*_with_error(best[1]), best[0])),
                *((np.nan,) * 2 if bent is None else (bent.divergence, bent.by_chance)),
            ]

    return columns, rows()


def _with_error(value: Estimate) -> tuple[float, float]:
    return float(value), value.error


def _curves(tagging: Tagging) -> tuple[list[str], Iterator[_Row]]:
    columns = ["tagger", "signal_efficiency", "background_efficiency", "low", "high", "passing"]

    def rows() -> Iterator[_Row]:
        for tagger in tagging.taggers:
            curve = tagger.curve
            low, high = curve.band
            yield from (
                [tagger.name, *map(float, values)]
                for values in zip(
                    SIGNAL_EFFICIENCIES,
                    curve.background_efficiency,
                    low,
                    high,
                    curve.passing,
                    strict=True,
                )
            )

    return columns, rows()


def _responses(tagging: Tagging) -> tuple[list[str], Iterator[_Row]]:
    edges = np.linspace(0, 1, BINS + 1)
    samples = (
        ("train", tagging.train_scores, tagging.train_is_signal, tagging.train_weights),
        ("test", tagging.network.scores, tagging.is_signal, tagging.weights),
    )

    def rows() -> Iterator[_Row]:
        for split, scores, is_signal, weights in samples:
            for value, name in ((True, tagging.signal_name), (False, tagging.background_name)):
                this = is_signal == value
                filled = fill(scores[this], edges, weights[this])
                yield from _bins([split, name], filled.edges, filled.sums, filled.variances)

    return ["split", "class", "low_edge", "high_edge", "sum", "error"], rows()


def _masses(tagging: Tagging) -> tuple[list[str], Iterator[_Row]]:
    def rows() -> Iterator[_Row]:
        for number, tagger in enumerate(tagging.taggers):
            if tagger.sculpting is None:
                continue
            before, after = tagger.sculpting.before, tagger.sculpting.after
            if number == 0:
                yield from _bins(["all"], before.edges, before.sums, before.variances)
            yield from _bins([tagger.name], after.edges, after.sums, after.variances)

    return ["passing", "low_edge", "high_edge", "sum", "error"], rows()


def _bins(
    names: Sequence[str], edges: np.ndarray, sums: np.ndarray, variances: np.ndarray
) -> Iterator[_Row]:
    errors = np.sqrt(variances)
    for values in zip(edges[:-1], edges[1:], sums, errors, strict=True):
        yield [*names, *map(float, values)]


def _efficiencies(tagging: Tagging) -> tuple[list[str], Iterator[_Row]]:
    def rows() -> Iterator[_Row]:
        for observable, curve in tagging.efficiencies.items():
            for name, values in (
                (tagging.signal_name, curve.signal),
                (tagging.background_name, curve.background),
            ):
                for low, high, value in zip(curve.edges[:-1], curve.edges[1:], values, strict=True):
                    ends = (np.nan,) * 3 if value is None else (value, value.low, value.high)
                    yield [observable, name, *map(float, (low, high, *ends))]

    return ["observable", "class", "low_edge", "high_edge", "efficiency", "low", "high"], rows()
