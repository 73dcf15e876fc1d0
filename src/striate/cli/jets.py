"""``striate jets``: from simulated collisions to a file of jets."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import options, output
from striate.errors import StriateError

if TYPE_CHECKING:
    from striate.jets.generate import Generated

app = typer.Typer(
    epilog=options.examples(
        "striate jets generate -n 2000 --out jets.h5   W against QCD, in some minutes",
        "striate train jets.h5",
    )
)

_BETWEEN_LINES = 10.0


@app.callback()
def jets() -> None:
    """Simulate collisions and keep their jets."""


@app.command(
    epilog=options.examples(
        "striate jets generate -n 2000 --out jets.h5",
        "striate jets generate --signal top --pt 500:600 -n 1000 --out top.h5",
        "striate jets generate --pileup 20 --subtract-charged -n 500 --out pileup.h5",
        "striate jets generate -n 2000 --out jets.h5 --resume",
    )
)
def generate(
    context: typer.Context,
    out: Annotated[Path, typer.Option(metavar="FILE.h5", help="The file to write.")],
    signal: Annotated[
        str, typer.Option(metavar="NAME", help="W, Z, top or Higgs (to b quarks).")
    ] = "W",
    background: Annotated[
        str, typer.Option(metavar="NAME", help="QCD (dijets), quark or gluon.")
    ] = "QCD",
    n: Annotated[int, typer.Option("-n", metavar="N", min=1, help="Jets of each class.")] = 10_000,
    pt: Annotated[
        str, typer.Option(metavar="LOW:HIGH", help="Window in the jet's pT, in GeV.")
    ] = "250:300",
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Decides all jets.")] = 1,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Processes; as many as there are cores if not given."
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers are to do it."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Make only what an earlier call did not finish.")
    ] = False,
    energy: Annotated[
        float, typer.Option(metavar="TEV", help="Of both protons together, in TeV.")
    ] = 13.0,
    eta: Annotated[float, typer.Option(metavar="X", help="Largest |eta| of the jet.")] = 2.0,
    radius: Annotated[float, typer.Option(metavar="R", help="Of the anti-kT jets.")] = 1.0,
    trim_radius: Annotated[
        float, typer.Option(metavar="R", help="Of the kT subjets that trimming looks at.")
    ] = 0.3,
    trim_fraction: Annotated[
        float, typer.Option(metavar="X", help="Of the jet's pT that a subjet needs to stay.")
    ] = 0.05,
    tune: Annotated[int, typer.Option(metavar="N", help="Pythia's tune; 14 is Monash 2013.")] = 14,
    mpi: Annotated[bool, typer.Option("--mpi/--no-mpi", help="Multi-parton interactions.")] = True,
    pileup: Annotated[
        float, typer.Option(metavar="MEAN", min=0, help="Minimum-bias collisions on top of each.")
    ] = 0.0,
    subtract_charged: Annotated[
        bool,
        typer.Option(
            "--subtract-charged", help="Remove charged particles of pile-up, |eta| < 2.5."
        ),
    ] = False,
    grid: Annotated[int, typer.Option(metavar="N", help="Pixels along a side of the images.")] = 25,
    width: Annotated[float, typer.Option(metavar="X", help="Length of a side.")] = 2.5,
    channels: Annotated[
        str, typer.Option(metavar="A,B", help="Of the images: et, charged_pt, neutral_pt, ...")
    ] = "et",
    images_of: Annotated[
        str, typer.Option(metavar="WHICH", help="Draw 'jet', or what is left of it, 'trimmed'.")
    ] = "jet",
    preselection: Annotated[
        str,
        typer.Option(
            metavar="WHICH", help="Of partons: normal; wide or none, to measure its bias."
        ),
    ] = "normal",
    pythia: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE", help="A further setting of Pythia; may be given again."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    json: options.Json = False,
) -> None:
    """Simulate collisions and write their jets: constituents, observables, images.

    Pythia 8 makes the collisions; the hardest anti-kT jet of each is kept if its pT lies in the
    window, one jet a collision. For a signal it must lie within R of the particle. The same
    command gives the same contents with any number of workers, and after a kill and --resume: the
    hash printed at the end says so.
    """
    from striate.jets.generate import Plan
    from striate.jets.generate import generate as make
    from striate.jets.processes import lookup
    from striate.jets.simulation import Simulation

    low, high = _window(pt)
    common: dict[str, Any] = {
        "pt_low_gev": low,
        "pt_high_gev": high,
        "energy_gev": 1000.0 * energy,
        "eta_max": eta,
        "radius": radius,
        "trim_radius": trim_radius,
        "trim_fraction": trim_fraction,
        "tune": tune,
        "mpi": mpi,
        "pileup": pileup,
        "charged_subtraction": subtract_charged,
        "preselection": preselection,
        "images": {"grid": grid, "width": width, "channels": channels.split(",")},
        "images_of": images_of,
        "pythia": tuple(pythia or ()),
    }
    plan = Plan(
        Simulation(lookup(background, "background").name, **common),
        Simulation(lookup(signal, "signal").name, **common),
        n,
        seed,
    )
    if dask is not None and workers is not None:
        raise StriateError("--workers are processes of this machine: leave it out with --dask")
    begun = time.monotonic()
    try:
        with _shown(quiet=quiet) as progress:
            done = make(
                plan,
                out,
                workers=workers or _cores(),
                dask=dask,
                resume=resume,
                command=_command(context),
                progress=progress,
            )
    except KeyboardInterrupt:
        output.note(f"striate: stopped; add --resume to go on ({out}.blocks holds what is done)")
        raise typer.Exit(130) from None
    _tell(done, time.monotonic() - begun, json=json)


@app.command(
    epilog=options.examples(
        "striate jets generate -n 2000 --preselection none --out all.h5",
        "striate jets compare jets.h5 all.h5",
    )
)
def compare(
    first: Annotated[Path, typer.Argument(metavar="FILE.h5", help="A file of jets.")],
    second: Annotated[Path, typer.Argument(metavar="FILE.h5", help="Another.")],
    json: options.Json = False,
) -> None:
    """Say whether the jets of two files are distributed alike, class by class.

    Give a file made with --preselection wide or none to measure the bias of the pre-selection: how
    many of its jets that would have lost, and the Kolmogorov-Smirnov probabilities of all
    observables.
    """
    from striate.jets.comparison import compare as compared
    from striate.jets.file import read_jets

    classes = compared(read_jets(first), read_jets(second))
    if json:
        output.say_json({"classes": [vars(one) for one in classes]})
        return
    output.say_table(
        ("observable", *(one.name for one in classes)),
        [
            (name, *(f"{one.probabilities[name]:.3f}" for one in classes))
            for name in classes[0].probabilities
        ],
        numbers=range(1, 1 + len(classes)),
    )
    for one in classes:
        for file, lost, n in zip((first, second), one.outside, one.jets, strict=True):
            output.say(
                f"{one.name} in {file.name}: the pre-selection 'normal' loses {lost} of {n:,} jets"
            )


def _tell(done: Generated, seconds: float, *, json: bool) -> None:
    header = done.header
    if json:
        output.say_json(
            {
                "file": str(done.path),
                "sha256": header["sha256"],
                "seconds": seconds,
                "classes": dict(zip(header["class_names"], header["counts"], strict=True)),
            }
        )
        return
    for name, counts in zip(header["class_names"], header["counts"], strict=True):
        output.say(
            f"{name}: {counts['jets']:,.0f} jets, {counts['accepted'] / counts['collisions']:.0%} "
            f"of {counts['collisions']:,.0f} collisions; "
            f"{counts['accepted'] / counts['seconds']:,.0f} jets/s a core; cross-section "
            f"{counts['cross_section_pb']:.4g} ± {counts['cross_section_error_pb']:.2g} pb"
        )
    output.say(f"sha256: {header['sha256']}")
    output.say(f"file: {output.from_here(done.path)}")


def _window(text: str) -> tuple[float, float]:
    low, colon, high = text.partition(":")
    try:
        if colon:
            return float(low), float(high)
    except ValueError:
        pass
    raise StriateError(f"--pt {text}: write LOW:HIGH in GeV, as --pt 250:300")


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Give what shows how many jets there are: a bar on a terminal, lines elsewhere."""
    if quiet:
        yield None
    elif not sys.stderr.isatty():
        yield _Lines()
    else:
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        with Progress(
            SpinnerColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f} jets"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=output.console(stderr=True),
            transient=True,
        ) as bar:
            task = bar.add_task("jets", total=1, rate="starting Pythia")
            rate = _Rate()

            def move(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total, rate=rate(done))

            yield move


class _Rate:
    """How many jets come in a second since the first count."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def __call__(self, done: int) -> str:
        now = time.monotonic()
        if self._first is None:
            self._first = done, now
        made, seconds = done - self._first[0], now - self._first[1]
        return f"{made / seconds:,.0f} jets/s" if made and seconds > 0 else ""


class _Lines:
    """Writes a line now and then."""

    def __init__(self) -> None:
        self._rate = _Rate()
        self._begun = self._written = time.monotonic()
        self._before = self._last = 0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        rate = self._rate(done)
        if not rate:
            self._before = done
        elif now - self._written >= _BETWEEN_LINES or (done == total and done > self._last):
            left = (now - self._begun) / (done - self._before) * (total - done)
            output.note(f"{done:,}/{total:,} jets, {rate}, {left:,.0f} s left")
            self._written = now
        self._last = done


# What decides the jets is part of the command that repeats them, given or not; these do not.
_ALWAYS = ("signal", "background", "n", "pt", "seed")
_NEVER = ("workers", "dask", "resume", "quiet", "json", "help")


def _command(context: typer.Context) -> str:
    """Return the command that makes the same jets, however it was written."""
    words = ["striate", "jets", "generate"]
    out = context.params["out"]
    for option in context.command.params:
        name, value = option.name, context.params.get(option.name or "")
        if name in _NEVER or name == "out":
            continue
        # An option that may be given again is an empty tuple where it was not.
        if name not in _ALWAYS and (value == option.default or value == ()):
            continue
        if isinstance(value, bool):
            words.append(option.opts[0] if value else option.secondary_opts[0])
        else:
            for one in value if isinstance(value, list | tuple) else [value]:
                words += [option.opts[0], str(one)]
    return shlex.join([*words, "--out", Path(out).name])
