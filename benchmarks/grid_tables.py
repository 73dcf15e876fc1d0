"""What `benchmarks.grid` has measured, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.summary import Spread
from benchmarks.table import busy, not_installed, spread_or_none, table

Result = Mapping[str, Any]
Measured = Mapping[str, Any]

REFERENCE = "striate"
# Half of the cells may differ by so much in test accuracy: initial weights and orders are others.
TOLERANCE = 0.03
# Before, what a network has learned depends on where it began.
LEARNED_EPOCHS = 50


def seconds(measured: Measured) -> float:
    """Return the seconds of a whole process, had it trained all cells.

    A loop that has trained some is taken to need as long for each of the others.
    """
    left = measured["cells"] / len(measured["trained"]) - 1
    return float(measured["seconds_process"] + left * measured["seconds_cells"])


def best_cell(result: Result) -> Sequence[float]:
    """Return the cell of the grid in which striate's test accuracy is largest."""
    (first, *_) = _of(result, "grid", REFERENCE)
    pairs = zip(first["accuracies"], first["trained"], strict=True)
    best: Sequence[float] = max(pairs, key=lambda pair: pair[0][1])[1]
    return best


def strangers(result: Result) -> list[str]:
    """Return a line for each program whose networks learn something else than striate's."""
    reference = _of(result, "grid", REFERENCE)
    if result["made"]["epochs"] < LEARNED_EPOCHS or not reference:
        return []
    expected = _by_cell(reference[0])
    lines = []
    for program in _programs(result):
        for measured in _of(result, "grid", program)[:1]:
            found = _by_cell(measured)
            off = statistics.median(abs(found[cell] - expected[cell]) for cell in found)
            if not off <= TOLERANCE:
                lines.append(f"{program}: by {off:.2f} in half of the cells")
    return lines


def markdown(result: Result) -> str:
    """Return the whole result as Markdown."""
    made = result["made"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    measurements = result["measurements"]
    parts = [
        f"# Grid of networks, {made['date']}",
        f"{made['machine']['processor']}, {made['machine']['cores']} cores, "
        f"{made['machine']['system']}; processor only. {versions}.",
        f"Made by `{made['command']}`: {made['epochs']} epochs; repetitions: "
        f"{made['repetitions']}, interleaved. Seconds of whole processes, from start to exit; "
        "medians, with the smallest and largest in brackets; ratios are taken within each "
        "repetition. The first start finds empty caches of compiled programs.",
        busy([measured["other_cores"] for measured in measurements]),
    ]
    differing = strangers(result)
    if differing:
        parts.append("**Void**: test accuracies differ from striate's: " + "; ".join(differing))
    if any(measured["what"] == "grid" for measured in measurements):
        parts.append(_grid(result))
    if any(measured["what"] != "grid" for measured in measurements):
        parts.append(_growth(result))
    if result["seeds"]:
        parts.append(_seeds(result["seeds"]))
    lines = [f"- {line}" for line in not_installed(result["missing"])]
    lines += [f"- {program}: {reason}" for program, reason in result["failures"].items()]
    if lines:
        parts.append("## Left out\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _grid(result: Result) -> str:
    rows = []
    against = {m["repetition"]: seconds(m) for m in _of(result, "grid", REFERENCE)}
    for program in _programs(result):
        measured = _of(result, "grid", program)
        if not measured:
            continue
        later = measured[1:] or measured
        ratio = Spread.of(
            seconds(m) / against[m["repetition"]] for m in later if m["repetition"] in against
        )
        first = measured[0]
        trained, cells = len(first["trained"]), first["cells"]
        rows.append(
            [
                program,
                f"{trained}" if trained == cells else f"{trained} of {cells}, rest extrapolated",
                f"{seconds(first):.1f}",
                spread_or_none(Spread.of(seconds(m) for m in later)),
                spread_or_none(ratio),
                "-"
                if trained < cells
                else f"{statistics.median(m['seconds_processor'] for m in later):.0f}",
                f"{max(test for _, test in first['accuracies']):.4f}",
                str(sum(test > 0.9 for _, test in first["accuracies"])),
            ]
        )
    head = ["program", "cells trained", "first start, s", "later starts, s"]
    head += [f"this / {REFERENCE}", "processor, s", "best test accuracy", "cells above 0.9"]
    return f"## {result['measurements'][0]['cells']} cells\n\n" + table(head, rows)


def _growth(result: Result) -> str:
    sizes = list(
        dict.fromkeys(m["cells"] for m in result["measurements"] if m["what"].startswith("size"))
    )
    rows = []
    for program in _programs(result):
        medians = {
            size: statistics.median(map(seconds, found))
            for size in sizes
            if (found := _of(result, f"size {size}", program))
        }
        if medians:
            rows.append([program, *(f"{medians[s]:.1f}" if s in medians else "-" for s in sizes)])
    return "## Seconds by the number of cells\n\n" + table(["program", *map(str, sizes)], rows)


def _seeds(measured: Measured) -> str:
    tests = [test for _, test in measured["accuracies"]]
    rate, l2, _ = measured["trained"][0]
    error = statistics.stdev(tests) / len(tests) ** 0.5 if len(tests) > 1 else float("nan")
    return (
        f"striate's best cell (learning rate {rate:g}, L2 {l2:g}) with {len(tests)} seeds: test "
        f"accuracy {statistics.mean(tests):.4f} +- {error:.4f}."
    )


def _of(result: Result, what: str, program: str) -> list[Measured]:
    return [m for m in result["measurements"] if (m["what"], m["program"]) == (what, program)]


def _programs(result: Result) -> list[str]:
    return list(dict.fromkeys(measured["program"] for measured in result["measurements"]))


def _by_cell(measured: Measured) -> dict[tuple[float, ...], float]:
    pairs = zip(measured["trained"], measured["accuracies"], strict=True)
    return {tuple(cell): test for cell, (_, test) in pairs}
