"""What `benchmarks.inference` has measured, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.summary import Spread
from benchmarks.table import busy, not_installed, significant, spread_or_none, table
from benchmarks.workloads import WORKLOADS

Result = Mapping[str, Any]

REFERENCE = "striate-call"
TOLERANCE = 1e-5


def strangers(result: Result) -> list[str]:
    """Return a line for each program whose outputs differ from the median of all."""
    outputs: dict[tuple[str, int], dict[str, Any]] = {}
    for m in result["measurements"]:
        key = (m["network"], m["batch"])
        outputs.setdefault(key, {})[m["program"]] = np.array(m["outputs"])
    lines = []
    for (network, batch), of_programs in outputs.items():
        middle = np.median(list(of_programs.values()), axis=0)
        for program, values in of_programs.items():
            off = float(abs(values - middle).max() / abs(middle).max())
            if not off <= TOLERANCE:
                lines.append(f"{program} on {network}, batch {batch}: by {off:.0e}")
    return lines


def times(result: Result, network: str, batch: int) -> dict[str, dict[int, float]]:
    """Return, for each program and repetition, the median seconds of a call."""
    found: dict[str, dict[int, float]] = {}
    for m in result["measurements"]:
        if (m["network"], m["batch"]) == (network, batch):
            middle = statistics.median(m["seconds"])
            found.setdefault(m["program"], {})[m["repetition"]] = middle
    return found


def markdown(result: Result) -> str:
    """Return the whole result as Markdown."""
    made = result["made"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    parts = [
        f"# Inference, {made['date']}",
        f"{made['machine']['processor']}, {made['machine']['cores']} cores, "
        f"{made['machine']['system']}; processor only. {versions}.",
        f"Made by `{made['command']}`; repetitions: {made['repetitions']}, interleaved; "
        f"{made['seconds']:g} s a batch size in five blocks. Medians, with the smallest and "
        "largest in brackets; ratios are taken within each repetition. NumPy arrays go in and "
        "come out.",
        busy(result["busy_cores"]),
    ]
    differing = strangers(result)
    if differing:
        parts.append("**Void**: outputs differ from the median of all: " + "; ".join(differing))
    elif len({m["program"] for m in result["measurements"]}) > 1:
        parts.append(f"The outputs of all programs agree to {TOLERANCE:.0e}.")
    pairs = dict.fromkeys((m["network"], m["batch"]) for m in result["measurements"])
    parts += [_network(result, network, batch) for network, batch in pairs]
    lines = [f"- {line}" for line in not_installed(result["missing"])]
    lines += [f"- {program}: {reason}" for program, reason in result["failures"].items()]
    if lines:
        parts.append("## Left out\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _network(result: Result, network: str, batch: int) -> str:
    measured = times(result, network, batch)
    reference = measured.get(REFERENCE, {})
    rows = []
    for program, taken in sorted(measured.items(), key=lambda item: min(item[1].values())):
        middle = statistics.median(taken.values())
        ratio = Spread.of(taken[r] / reference[r] for r in taken if r in reference)
        rows.append(
            [
                program,
                spread_or_none(Spread.of(1e6 * seconds for seconds in taken.values())),
                significant(batch / middle),
                spread_or_none(ratio),
            ]
        )
    return f"## {network} {WORKLOADS[network].title}, batch {batch}\n\n" + table(
        ["program", "us a call", "images/s", f"this / {REFERENCE}"], rows
    )
