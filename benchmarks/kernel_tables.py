"""What `benchmarks.kernels` has measured, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import layers, operands
from benchmarks.limits import Limits
from benchmarks.table import busy, not_installed, significant, table
from striate.kernels.cases import Case

Result = Mapping[str, Any]
Place = tuple[str, str]
"""A layer and an operation."""

# Digests of sums of up to some ten thousand products in float32 differ by less.
TOLERANCE = 1e-4


def median_seconds(result: Result) -> dict[str, dict[Place, float]]:
    """Return, for each program, the median of the repetitions' medians."""
    gathered: dict[str, dict[Place, list[float]]] = {}
    for m in result["measurements"]:
        place = (m["layer"], m["operation"])
        times = gathered.setdefault(m["program"], {}).setdefault(place, [])
        times.append(statistics.median(m["seconds"]))
    return {
        program: {place: statistics.median(times) for place, times in of_program.items()}
        for program, of_program in gathered.items()
    }


def strangers(result: Result) -> list[str]:
    """Return a line for each result that differs from those of most programs."""
    digests: dict[Place, dict[str, list[float]]] = {}
    for m in result["measurements"]:
        digests.setdefault((m["layer"], m["operation"]), {})[m["program"]] = m["digest"]
    lines = []
    for (layer, operation), of_programs in digests.items():
        middle = [statistics.median(numbers) for numbers in zip(*of_programs.values(), strict=True)]
        for program, numbers in of_programs.items():
            off = operands.difference(middle, numbers)
            if not off <= TOLERANCE:
                lines.append(f"{program}, {layer}, {operation}: by {off:.0e}")
    return lines


def middle_limits(measured: Sequence[Mapping[str, Any]]) -> Limits:
    """Return the median limits of all repetitions."""
    first = measured[0]
    return Limits(
        cores=first["cores"],
        flops={
            isa: statistics.median(one["flops"][isa] for one in measured) for isa in first["flops"]
        },
        copy={
            int(size): statistics.median(one["copy"][size] for one in measured)
            for size in first["copy"]
        },
    )


def markdown(result: Result) -> str:
    """Return the whole result as Markdown."""
    everything, one_core = (middle_limits(result[name]) for name in ("limits", "limits_one_core"))
    seconds = median_seconds(result)
    measured = {place for of_program in seconds.values() for place in of_program}
    cases = [case for case in layers.measured() if any(case.name == name for name, _ in measured)]
    parts = [
        f"# Convolution layers, {result['made']['date']}",
        *_making(result),
        _limits(everything, one_core),
        _layers(result, cases, seconds, everything, one_core),
        _networks(cases, seconds, everything, one_core),
        _dense(seconds, everything),
        _poolings(seconds, everything, one_core),
        *_left_out(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _making(result: Result) -> list[str]:
    made = result["made"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    lines = [
        f"{made['machine']['processor']}, {made['machine']['cores']} cores, "
        f"{made['machine']['system']}. {versions}. striate's kernels: "
        + (made["instruction_set"] or f"not used ({made['why_not_native']})")
        + ".",
        f"Made by `{made['command']}`; repetitions: {made['repetitions']}, interleaved; "
        f"{made['seconds']:g} s an operation in five blocks. Medians.",
    ]
    lines.append(busy(result["busy_cores"]))
    differing = strangers(result)
    if differing:
        lines.append("**Void**: results differ from the median of all: " + "; ".join(differing))
    elif len(result["ran_on"]) > 1:
        lines.append(f"The results of all programs agree to {TOLERANCE:.0e}.")
    return lines


def _limits(everything: Limits, one_core: Limits) -> str:
    both = [one_core, everything]
    rows = [
        [f"multiply-adds on registers, {isa}, GFLOP/s"]
        + [significant(limits.flops[isa] / 1e9) for limits in both]
        for isa in everything.flops
    ] + [
        [f"copies of {size / 2**10:,.0f} KiB a core, GB/s"]
        + [significant(limits.copy[size] / 1e9) for limits in both]
        for size in everything.copy
    ]
    head = ["", "one core", f"{everything.cores} cores"]
    return (
        "## Limits\n\n" + table(head, rows) + "\n\nA copy's bytes are those read and those "
        "written. A layer's limit is the least time for its operations at the best peak, or for "
        "its bytes, each array once, at the speed of copies of as many bytes: the longer of "
        "the two."
    )


def _layers(
    result: Result,
    cases: Sequence[Case],
    seconds: Mapping[str, Mapping[Place, float]],
    everything: Limits,
    one_core: Limits,
) -> str:
    if not cases:
        return ""
    programs = list(seconds)
    head = ["layer", "operation", "MFLOP", "MB", "limit, GFLOP/s"]
    rows = []
    for program in programs:
        head.append(program)
        if program in ("striate", "striate-one-core"):
            head += ["GB/s", "of the limit"]
    for case in cases:
        for operation in layers.OPERATIONS:
            place, moved = (case.name, operation), layers.moved_bytes(case, operation)
            least = everything.seconds(case.flops, moved)
            row = [
                case.name,
                operation,
                significant(case.flops / 1e6),
                significant(moved / 1e6),
                "-" if least is None else significant(case.flops / least / 1e9),
            ]
            for program in programs:
                took = seconds[program].get(place)
                row.append("-" if took is None else significant(case.flops / took / 1e9))
                if program in ("striate", "striate-one-core"):
                    limits = everything if program == "striate" else one_core
                    row += _against(took, limits.seconds(case.flops, moved), moved)
            rows.append(row)
    ran_on = "; ".join(f"{name}: {kernels}" for name, kernels in result["ran_on"].items())
    return (
        "## Layers, GFLOP/s\n\nA batch as in the lecture, bias, ReLU and pooling in it; only the "
        f"convolution's operations are counted. {ran_on}.\n\n" + table(head, rows)
    )


def _against(took: float | None, least: float | None, moved: float) -> list[str]:
    if took is None:
        return ["-", "-"]
    return [significant(moved / took / 1e9), "-" if least is None else f"{least / took:.0%}"]


def _networks(
    cases: Sequence[Case],
    seconds: Mapping[str, Mapping[Place, float]],
    everything: Limits,
    one_core: Limits,
) -> str:
    """Compare whole networks: all operations, and those of a training step."""
    if not cases:
        return ""
    rows = []
    needed = layers.in_training(list(cases))
    for network in dict.fromkeys(layers.network(case) for case in cases):
        of_network = [case for case in cases if layers.network(case) == network]
        for words, operations in (
            ("all three", [(c, o) for c in of_network for o in layers.OPERATIONS]),
            (
                "of a training step",
                [(c, o) for c in of_network for o in layers.OPERATIONS if (c.name, o) in needed],
            ),
        ):
            rows.append(
                [network, words]
                + [
                    _whole(operations, of_program, one_core if "one-core" in name else everything)
                    for name, of_program in seconds.items()
                ]
            )
    return (
        "## Networks: GFLOP/s; part of the limit, weighted by operations; limit's time / time\n\n"
        "A training step takes no gradient to the network's first images.\n\n"
        + table(["network", "operations", *seconds], rows)
    )


def _whole(
    operations: Sequence[tuple[Case, str]], took: Mapping[Place, float], limits: Limits
) -> str:
    if any((case.name, operation) not in took for case, operation in operations):
        return "-"
    flops = sum(case.flops for case, _ in operations)
    time = sum(took[case.name, operation] for case, operation in operations)
    speed = significant(flops / time / 1e9)
    least = [
        limits.seconds(case.flops, layers.moved_bytes(case, operation))
        for case, operation in operations
    ]
    known = [value for value in least if value is not None]
    if len(known) < len(least):
        return speed
    parts = [
        case.flops / flops * value / took[case.name, operation]
        for (case, operation), value in zip(operations, known, strict=True)
    ]
    return f"{speed}; {sum(parts):.0%}; {sum(known) / time:.0%}"


def _dense(seconds: Mapping[str, Mapping[Place, float]], everything: Limits) -> str:
    """Compare dense layers."""
    rows = []
    for case in layers.measured_products():
        for operation in layers.OPERATIONS:
            took = [of_program.get((case.name, operation)) for of_program in seconds.values()]
            if not any(took):
                continue
            row = [
                case.name,
                f"{case.rows}x{case.inner} times {case.inner}x{case.columns}",
                operation,
                significant(case.flops / 1e6),
                significant(everything.peak / 1e9) if everything.peak else "-",
            ]
            speeds = ["-" if t is None else significant(case.flops / t / 1e9) for t in took]
            rows.append(row + speeds)
    if not rows:
        return ""
    head = ["layer", "product", "operation", "MFLOP", "peak, GFLOP/s", *seconds]
    return "## Dense layers, GFLOP/s\n\n" + table(head, rows)


def _poolings(
    seconds: Mapping[str, Mapping[Place, float]], everything: Limits, one_core: Limits
) -> str:
    """Compare poolings alone, which only move bytes."""
    rows = []
    for case in layers.measured_poolings():
        moved = case.moved_bytes
        for operation in ("forward", "to images"):
            took = [of_program.get((case.name, operation)) for of_program in seconds.values()]
            if not any(took):
                continue
            row = [
                case.name,
                "x".join(str(size) for size in (case.images, *case.image, case.channels)),
                operation,
                significant(moved / 1e6),
                *(significant(limits.bandwidth(moved) / 1e9) for limits in (one_core, everything)),
            ]
            rows.append(row + ["-" if t is None else significant(moved / t / 1e9) for t in took])
    if not rows:
        return ""
    copies = ["copy, one core", f"copy, {everything.cores} cores"]
    return (
        "## Poolings alone, GB/s\n\nImages, results and positions of maxima count once each; a "
        "copy is one of as many bytes.\n\n"
        + table(["pooling", "images", "operation", "MB", *copies, *seconds], rows)
    )


def _left_out(result: Result) -> list[str]:
    lines = [f"- {line}" for line in not_installed(result["missing"])]
    lines += [f"- {program}: {reason}" for program, reason in result["failures"].items()]
    return ["## Left out\n\n" + "\n".join(lines)] if lines else []
