"""Options that say on which workers a scan is computed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.errors import StriateError

Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Compute in N worker processes of this machine; with --slurm or --htcondor, in N "
        "jobs.",
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Compute on the workers of the Dask scheduler there, as tcp://host:8786.",
    ),
]
Slurm = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Compute in SLURM jobs; the file (YAML, as dask-jobqueue reads it) says what one "
        "gets: cores, memory, walltime, queue.",
    ),
]
HTCondor = Annotated[
    Path | None,
    typer.Option(
        "--htcondor", metavar="FILE", help="Compute in HTCondor jobs: cores, memory, disk."
    ),
]


def chosen(workers: int | None, dask: str | None, slurm: Path | None, htcondor: Path | None) -> Any:
    """Return what `striate.grid` takes as its cluster.

    Raises
    ------
    StriateError
        If more than one is given.
    """
    given = {"--dask": dask, "--slurm": slurm, "--htcondor": htcondor}
    named = [option for option, value in given.items() if value is not None]
    if len(named) > 1 or (dask is not None and workers is not None):
        both = " and ".join(named) if len(named) > 1 else "--dask and --workers"
        raise StriateError(f"{both} say different places for one scan: give one of them")
    if dask is not None:
        return dask
    if not named:
        return workers
    from striate.scans.batch import BatchSystem

    system = named[0].removeprefix("--")
    return BatchSystem(system, slurm or htcondor or "", 1 if workers is None else workers)
