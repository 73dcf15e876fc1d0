"""The page of rows: a table of all, then each with its checks and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import striate
from striate.files import write_text
from striate.quantities import plural, seconds
from striate.report.gallery import beside, framed
from striate.report.markup import (
    Content,
    Html,
    bullets,
    facts,
    join,
    paragraph,
    section,
    table,
    tag,
)
from striate.report.words import sentence, setting
from striate.report.write import as_page
from striate.reproduce.lectures import LECTURES, Lecture
from striate.reproduce.row import Result, Row
from striate.reproduce.workbench import Settings
from striate.runs.provenance import machine, versions

_WORDS = {
    "passed": "passed",
    "failed": "not passed",
    "no data": "data not here",
    "named": "only named",
}


def write_page(
    page: Path, title: str, rows: Sequence[Row], results: Sequence[Result], settings: Settings
) -> None:
    """Write the page; it holds its pictures and loads nothing.

    Parameters
    ----------
    page
        Where to; ``figures/`` lies beside it.
    title
        Its heading.
    rows, results
        What was run, and what came out.
    settings
        With which settings.
    """
    pairs = list(zip(rows, results, strict=True))
    kind = LECTURES[rows[0].lectures[0]]
    sections = [
        _all(pairs, kind),
        *(_one(row, result, page.parent / "figures") for row, result in pairs),
        _how(rows, settings),
    ]
    contents = {"all": "All rows", **{row.key: row.key for row in rows}, "how": "How"}
    write_text(page, as_page(title, _headline(results, settings, kind), join(sections), contents))


def _headline(results: Sequence[Result], settings: Settings, kind: Lecture) -> Html:
    states = [result.state for result in results]
    tried = [state for state in states if state != "named"]
    told = join(
        [
            tag("strong", f"{states.count('passed')} of {plural(len(tried), 'row')}"),
            f" {kind.headline}.",
        ]
    )
    tiles: list[tuple[Content, Content]] = [
        (words, states.count(state)) for state, words in _WORDS.items() if state in states
    ]
    tiles.append(("time", seconds(sum(result.seconds for result in results))))
    tiles.append(("seeds", settings.seeds))
    quick = (
        tag("p", "Quick: some rows train for fewer epochs or on fewer images; they say so.")
        if settings.quick
        else None
    )
    return join([tag("p", told, class_="result"), facts(tiles, class_="tiles"), quick])


def _all(pairs: Sequence[tuple[Row, Result]], kind: Lecture) -> Html:
    return section(
        "All rows",
        table(
            "What was to be shown, and what came out here",
            ["row", "what", kind.figure, "ours", "time", ""],
            [
                (
                    tag("a", row.key, href=f"#{row.key}"),
                    row.title,
                    row.figure,
                    sentence(result.outcome.ours) if result.outcome else "–",
                    seconds(result.seconds) if result.seconds else "–",
                    _WORDS[result.state],
                )
                for row, result in pairs
            ],
            words=6,
        ),
        identity="all",
    )


def _one(row: Row, result: Result, figures: Path) -> Html:
    outcome = result.outcome
    verdict = tag(
        "p",
        tag("strong", f"{_WORDS[result.state].capitalize()}. "),
        sentence(result.reason),
        class_="verdict good" if result.state in ("passed", "named") else "verdict",
    )
    pairs: list[tuple[Content, Content]] = [
        ("From", "; ".join(LECTURES[key].source for key in row.lectures)),
        (sentence(LECTURES[row.lectures[0]].figure).capitalize(), row.figure),
    ]
    parts: list[Content] = []
    if outcome is not None:
        pairs += [("Ours", sentence(outcome.ours)), ("Time", seconds(result.seconds))]
        parts = [
            table(
                f"Checks of {row.key}",
                ["what", "expected", "found", ""],
                [
                    (sentence(check.what), sentence(check.expected), sentence(check.ours),
                     "holds" if check.passed else "does not hold")
                    for check in outcome.checks
                ],
                words=4,
            ),
            beside(*(framed(figures, shown) for shown in outcome.pictures))
            if outcome.pictures
            else None,
            bullets([sentence(note) for note in outcome.notes]) if outcome.notes else None,
        ]  # fmt: skip
    return section(f"{row.key}: {row.title}", verdict, facts(pairs), *parts, identity=row.key)


def _how(rows: Sequence[Row], settings: Settings) -> Html:
    keys = ",".join(row.key for row in rows)
    named = sorted({key for row in rows for key in row.lectures if not LECTURES[key].usual})
    words = ["striate", "reproduce", *named, "--rows", keys]
    words += ["--quick"] if settings.quick else ["--seeds", str(settings.seeds)]
    pairs: list[tuple[Content, Content]] = [
        ("striate", striate.__version__),
        ("Versions", setting(versions())),
        *((f"Machine: {key}", setting(value)) for key, value in machine().items()),
        ("Seeds", setting(list(range(settings.seeds)))),
    ]
    return section(
        "How",
        facts(pairs),
        paragraph("Figures with an error are means over the seeds, with their standard errors."),
        tag("h3", "Run it again"),
        tag("pre", tag("code", " ".join(words)), class_="command", tabindex=0),
        identity="how",
    )
