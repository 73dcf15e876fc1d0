"""``striate bench``: striate and its peers, measured on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from striate.cli import options
from striate.errors import StriateError

EXAMPLES = options.examples(
    "striate bench                                 convolutions: some minutes",
    "striate bench networks --quick                does all of it run?",
    "striate bench networks --network N1 --program striate --program torch",
    "striate bench inference --repetitions 3",
)


class Benchmark(StrEnum):
    """What can be measured."""

    networks = "networks"
    kernels = "kernels"
    inference = "inference"


def bench(
    what: Annotated[
        Benchmark,
        typer.Argument(
            help="networks: training of lecture networks (about an hour); kernels: convolution "
            "layers against the processor's limits; inference: predictions of trained networks.",
        ),
    ] = Benchmark.kernels,
    network: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Measure only this network, as N1; may be given again."),
    ] = None,
    program: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Measure only this program, or those whose names begin so, as torch; may be "
            "given again.",
        ),
    ] = None,
    repetitions: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Repetitions; 5 if not given.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Try whether all of it runs: numbers mean nothing.")
    ] = False,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the results are written.")
    ] = Path("bench"),
) -> None:
    """Measure striate beside its peers on this machine.

    Peers that are not installed are named and left out: pip install 'striate[bench]' brings them.
    Tables are printed, and written as Markdown and JSON. Close other programs first. The exit
    status is 1 if a program fails or if the programs' results differ.
    """
    words = ["--out", str(out.absolute())]
    for name, values in (("--networks", network), ("--programs", program)):
        if values:
            words += [name, *values]
    if repetitions is not None:
        words += ["--repetitions", str(repetitions)]
    if quick:
        words.append("--quick")
    # A process of its own, since Keras's backend is chosen before any of it is imported.
    status = subprocess.call(  # noqa: S603 - our own module
        [sys.executable, "-m", f"benchmarks.{what.value}", *words],
        env=os.environ | {"PYTHONPATH": _search_path()},
    )
    if status:
        raise typer.Exit(status)


def _search_path() -> str:
    there = [str(_home())]
    return os.pathsep.join(there + [p for p in [os.environ.get("PYTHONPATH")] if p])


def _home() -> Path:
    """Return the folder that holds the package `benchmarks`: installed, or the repository."""
    here = Path(__file__)
    for folder in (here.parents[1] / "bench", here.parents[3]):
        if (folder / "benchmarks" / "networks.py").is_file():
            return folder
    raise StriateError("the benchmarks are not part of this installation: install striate again")
