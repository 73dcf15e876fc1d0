"""Measurements as Markdown, for people, and as CSV, for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.comparison import Comparison
from benchmarks.programs import PROGRAMS
from benchmarks.summary import TOLERANCE, Agreement, Row, Spread, best_of_families
from benchmarks.workloads import WORKLOADS

# Above this many processors kept busy by others, a machine is not quiet.
QUIET = 0.1


def markdown(comparison: Comparison) -> str:
    """Return the whole result as Markdown."""
    rows = comparison.rows()
    parts = [
        f"# Training speed, {comparison.made['date']}",
        *_making(comparison),
        *(_agreement(result) for result in comparison.agreements()),
    ]
    if rows:
        parts.append(_overview(comparison, rows))
    for network in comparison.networks:
        parts.append(_network(comparison, [row for row in rows if row.network == network]))
    parts += _left_out(comparison)
    return "\n\n".join(parts) + "\n"


def _making(comparison: Comparison) -> list[str]:
    made = comparison.made
    machine = made["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; processor only, "
        f"GPUs are not used. {versions}.",
        f"Made by `{made['command']}`. Each measurement is a process of its own; "
        f"repetitions: {made['repetitions']}, interleaved; throughput over at least "
        f"{made['seconds']:g} s of whole epochs after the training named in each title; seeded "
        "noise as images. Medians, with the smallest and largest in brackets.",
    ]
    lines.append(busy(m.other_cores for m in comparison.measurements))
    if made.get("interrupted"):
        lines.append("**Interrupted**: not everything that was asked for has been measured.")
    return lines


def _agreement(result: Agreement) -> str:
    if result.agrees is None:
        return f"{result.network}: one program alone; there are no first losses to compare."
    worst = max(result.deviations.values())
    if result.agrees:
        return (
            f"{result.network}: from equal weights and batches, the first losses of "
            f"{len(result.deviations)} programs agree to {worst:.0e}."
        )
    strangers = ", ".join(f"{name} by {result.deviations[name]:.0e}" for name in result.strangers)
    return (
        f"**{result.network} is void**: from equal weights and batches, first losses differ from "
        f"the median of all by more than {TOLERANCE:.0e}: {strangers}. These programs do not "
        "train the same network, so their speeds must not be compared."
    )


def _overview(comparison: Comparison, rows: Sequence[Row]) -> str:
    networks = comparison.networks
    best = {network: best_of_families(rows, network) for network in networks}
    families = dict.fromkeys(row.family for row in rows)
    body = []
    for family in families:
        cells = []
        for network in networks:
            row = best[network].get(family)
            cells.append(
                "-" if row is None else f"{significant(row.throughput.median)}{_times(row.ratio)}"
            )
        body.append([family, *cells])
    return (
        "## Images per second, the best of each family\n\n"
        f"In brackets: how many times as fast `{comparison.reference}` is, the median of the "
        "ratios within each repetition.\n\n"
        + table(["", *(f"{key} {WORKLOADS[key].title}" for key in networks)], body)
    )


def _times(ratio: Spread | None) -> str:
    return "" if ratio is None else f" ({significant(ratio.median)}x)"


def _network(comparison: Comparison, rows: Sequence[Row]) -> str:
    workload = WORKLOADS[rows[0].network]
    some = next(m for m in comparison.measurements if m.network == workload.key)
    best = {row.program for row in best_of_families(rows, workload.key).values()}
    body = [
        [
            f"**{row.program}**" if row.program in best else row.program,
            spread_or_none(row.throughput),
            str(row.throughput.n),
            spread_or_none(row.ratio),
            one_or_none(row.first_step_first_start),
            spread_or_none(row.first_step_later_starts),
            one_or_none(row.process_first_start),
            spread_or_none(row.process_later_starts),
            significant(row.peak_memory_bytes.median / 1e6),
        ]
        for row in sorted(rows, key=lambda row: -row.throughput.median)
    ]
    return (
        f"## {workload.key} {workload.title}: batches of {some.batch_size}, "
        f"{some.job_epochs} epochs of {some.images:,} images\n\n"
        + table(
            [
                "program (bold: best of its family)",
                "images/s",
                "n",
                f"{comparison.reference} / this",
                "first step, s: first start",
                "later starts",
                "whole process, s: first start",
                "later starts",
                "peak MB",
            ],
            body,
        )
    )


def _left_out(comparison: Comparison) -> list[str]:
    lines = [f"- {line}" for line in not_installed(comparison.missing)]
    lines += [
        f"- {failure.program} on {failure.network}, repetition {failure.repetition}: "
        f"{failure.reason}"
        for failure in comparison.failures
    ]
    return ["## Left out\n\n" + "\n".join(lines)] if lines else []


def busy(cores_of_others: Iterable[float | None]) -> str:
    """Return a sentence on what other processes used meanwhile."""
    spread = Spread.of(cores for cores in cores_of_others if cores is not None)
    if spread is None:
        return "What other processes used meanwhile is not known (psutil is not installed)."
    verdict = "" if spread.median <= QUIET else " **The machine was not quiet.**"
    return (
        f"Meanwhile other processes kept {spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f}) "
        f"cores busy.{verdict}"
    )


def not_installed(missing: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line for each set of packages that programs lack."""
    programs: dict[str, list[str]] = {}
    for program, packages in missing.items():
        programs.setdefault(" and ".join(packages), []).append(program)
    return [
        f"{packages} not installed: pip install 'striate[bench]'; left out: {', '.join(names)}"
        for packages, names in programs.items()
    ]


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table: the first column left, the others right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def significant(value: float, digits: int = 3) -> str:
    """Return the number with three significant digits, thousands separated, no exponent.

    Examples
    --------
    >>> significant(123456.0), significant(1.234), significant(0.01234)
    ('123,000', '1.23', '0.0123')
    """
    rounded = float(f"{value:.{digits}g}")
    decimals = max(0, digits - 1 - _exponent(rounded))
    return f"{rounded:,.{decimals}f}"


def _exponent(value: float) -> int:
    return int(f"{value:e}".split("e")[1])


def one_or_none(value: float | None) -> str:
    """Return three digits, or a dash for None."""
    return "-" if value is None else significant(value)


def spread_or_none(spread: Spread | None) -> str:
    """Return the median with its range, the median alone of one value, a dash for None."""
    if spread is None:
        return "-"
    if spread.n == 1:
        return significant(spread.median)
    low, high = significant(spread.low), significant(spread.high)
    return f"{significant(spread.median)} ({low}-{high})"


def comma_separated(comparison: Comparison) -> str:
    """Return one line a measurement, all numbers, as CSV."""
    flat = [
        {"family": PROGRAMS[m.program].family}
        | {k: v for k, v in m.as_dict().items() if not isinstance(v, dict | list)}
        for m in comparison.measurements
    ]
    # The first losses are in the JSON file; here they would make columns of their own.
    for line in flat:
        line.pop("losses", None)
    text = io.StringIO()
    if flat:
        writer = csv.DictWriter(text, fieldnames=list(flat[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)
    return text.getvalue()
