"""Train the lecture networks with striate and its peers, side by side, and write what it took."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from benchmarks import isolate, machine, plot, table
from benchmarks.comparison import Comparison
from benchmarks.measure import COMPARED_BATCHES
from benchmarks.measurement import Failure, Measurement
from benchmarks.programs import PROGRAMS, Program, select
from benchmarks.workloads import WORKLOADS, Workload, make_inputs, save_inputs
from striate import files
from striate.errors import StriateError, nearest

RESULTS = Path(__file__).parent / "results"
QUICK_BATCHES = 6
LIMIT = 900.0

NETWORK_LINES = "\n".join(
    f"  {w.key:4} {w.title}, batches of {w.batch_size}, epochs of {w.images:,}"
    for w in WORKLOADS.values()
)
PROGRAM_LINES = "\n".join(f"  {p.name:21} {p.title}" for p in PROGRAMS.values())
EPILOG = f"""\
networks
{NETWORK_LINES}

programs (the beginning of a name stands for all that continue it: torch, jax, keras-jax-100)
{PROGRAM_LINES}

examples
  python -m benchmarks.networks                         everything: about an hour
  python -m benchmarks.networks --quick                 does all of it run? numbers mean nothing
  python -m benchmarks.networks --networks N1 --programs striate keras-tensorflow --repetitions 9
  python -m benchmarks.networks --from FILE.json        tables and picture again, nothing measured

Each measurement is a process of its own. Repetitions are interleaved (A B C, A B C), because a
machine's speed drifts. Every program starts from the same weights; if the first losses differ,
the comparison is void and the exit status is 1. Close other programs first: what others used
meanwhile is measured and written with the result.
"""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.networks",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--programs", nargs="+", metavar="NAME", default=list(PROGRAMS), help="default: all")
    add("--networks", nargs="+", metavar="KEY", default=list(WORKLOADS), help="default: all")
    add("--repetitions", type=int, metavar="N", help="default: 5")
    add("--seconds", type=float, metavar="S", help="least time for a throughput, default: 3")
    add("--images", type=int, metavar="N", help="images in an epoch, default: as below")
    add("--quick", action="store_true", help="one repetition, tiny sizes: a trial, no measurement")
    add("--out", type=Path, default=RESULTS, metavar="DIR", help="default: benchmarks/results")
    add("--from", dest="source", type=Path, metavar="FILE.json", help="do not measure: redo tables")
    return parser.parse_args(arguments)


def plan_networks(keys: Sequence[str], images: int | None, *, quick: bool) -> list[Workload]:
    """Return the asked networks, of the asked size.

    Raises
    ------
    StriateError
        If a network is unknown, or an epoch is too small for the comparison of losses.
    """
    workloads = []
    for key in keys:
        if key not in WORKLOADS:
            raise StriateError(f"--networks: unknown network {key!r}: {nearest(key, WORKLOADS)}")
        workload = WORKLOADS[key]
        if quick:
            workload = replace(workload, images=QUICK_BATCHES * workload.batch_size, epochs=2)
        if images is not None:
            workload = replace(workload, images=images)
        least = COMPARED_BATCHES * workload.batch_size
        if workload.images < least:
            raise StriateError(
                f"--images {workload.images}: {key} needs at least {least} ({COMPARED_BATCHES} "
                f"batches of {workload.batch_size}), because so many are compared"
            )
        workloads.append(workload)
    return workloads


def measure_all(
    comparison: Comparison,
    programs: Sequence[Program],
    workloads: Sequence[Workload],
    *,
    repetitions: int,
    seconds: float,
    keep: Path,
) -> None:
    """Measure every program on every network, repetition after repetition.

    What is measured is written to `keep` after each process, so that nothing is lost when this
    one is ended. A program that fails on a network is not tried on it again.
    """
    total = repetitions * len(workloads) * len(programs)
    done = 0
    durations: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory(prefix="striate-bench-") as name:
        directory = Path(name)
        for workload in workloads:
            save_inputs(make_inputs(workload), directory / f"{workload.key}.npz")
        pairs = [(workload, program) for workload in workloads for program in programs]
        for repetition in range(1, repetitions + 1):
            for workload, program in pairs:
                done += 1
                pair = (workload.key, program.name)
                if any((f.network, f.program) == pair for f in comparison.failures):
                    continue
                print(
                    f"[{done:{len(str(total))}}/{total}] {workload.key} repetition {repetition} of "
                    f"{repetitions}: {program.name} ... ",
                    end="",
                    flush=True,
                )
                begin = time.monotonic()
                outcome = isolate.run(
                    program,
                    workload,
                    repetition,
                    inputs=directory / f"{workload.key}.npz",
                    directory=directory,
                    seconds=seconds,
                    compare=repetition == 1,
                    limit=LIMIT + 10 * seconds,
                )
                durations[pair] = time.monotonic() - begin
                comparison.add(outcome)
                comparison.save(keep)
                print(_told(outcome) + _left(durations, total - done), flush=True)


def _told(outcome: Measurement | Failure) -> str:
    if isinstance(outcome, Failure):
        return f"FAILED ({outcome.reason})"
    return (
        f"{table.significant(outcome.images_per_second)} images/s, first step "
        f"{outcome.seconds_to_first_step:.1f} s, {outcome.peak_memory_bytes / 1e6:.0f} MB"
    )


def _left(durations: dict[tuple[str, str], float], remaining: int) -> str:
    seconds = remaining * sum(durations.values()) / len(durations)
    if remaining == 0:
        return ""
    return (
        f"; about {seconds / 60:.0f} min left" if seconds > 90 else f"; about {seconds:.0f} s left"
    )


def start(options: argparse.Namespace) -> Comparison:
    """Say what will be measured, measure it, and return it; Ctrl-C ends it early."""
    usual_repetitions, usual_seconds = (1, 0.2) if options.quick else (5, 3.0)
    repetitions = usual_repetitions if options.repetitions is None else options.repetitions
    seconds = usual_seconds if options.seconds is None else options.seconds
    if repetitions < 1 or seconds <= 0:
        raise StriateError("--repetitions and --seconds must be above zero")
    asked = select(options.programs)
    workloads = plan_networks(options.networks, options.images, quick=options.quick)
    missing = {program.name: program.missing() for program in asked if program.missing()}
    programs = [program for program in asked if program.name not in missing]
    for line in table.not_installed(missing):
        print(line)
    if not programs:
        raise StriateError("none of the programs is installed: pip install 'striate[bench]'")
    now = datetime.now().astimezone()
    comparison = Comparison(
        made={
            "date": now.isoformat(sep=" ", timespec="minutes"),
            "command": "python -m benchmarks.networks " + shlex.join(sys.argv[1:]),
            "machine": machine.describe(),
            "versions": machine.versions(),
            "repetitions": repetitions,
            "seconds": seconds,
            "quick": options.quick,
        },
        missing=missing,
    )
    keep = options.out / f"networks-{now:%Y%m%d-%H%M%S}.json"
    print(f"{len(programs)} programs x {len(workloads)} networks x {repetitions} -> {keep}")
    try:
        measure_all(
            comparison, programs, workloads, repetitions=repetitions, seconds=seconds, keep=keep
        )
    except KeyboardInterrupt:
        print("interrupted; writing what has been measured", flush=True)
        comparison.made["interrupted"] = True
    comparison.save(keep)
    write(comparison, keep)
    return comparison


def write(comparison: Comparison, beside: Path) -> None:
    """Write tables and picture beside the JSON file, and print the Markdown."""
    text = table.markdown(comparison)
    files.write_text(beside.with_suffix(".md"), text)
    files.write_text(beside.with_suffix(".csv"), table.comma_separated(comparison))
    if comparison.measurements:
        plot.save(comparison, beside.with_suffix(".png"))
    print(f"\n{text}\nwritten: {beside.with_suffix('')}.json, .md, .csv, .png")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 0, 1 if void or a program failed, 2 for a wrong call, 130 after Ctrl-C."""
    options = parse(arguments)
    try:
        if options.source is not None:
            comparison = Comparison.load(options.source)
            write(comparison, options.source)
        else:
            comparison = start(options)
    except StriateError as error:
        print(error, file=sys.stderr)
        return 2
    if comparison.made.get("interrupted"):
        return 130
    return 1 if comparison.void or comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
