"""Which run is meant by a word of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from striate.errors import StriateError, nearest

if TYPE_CHECKING:
    from striate.runs import RunSummary

RUNS = Path("runs")
"""Where runs are made unless another folder is named."""


def run_directory(
    word: str,
    states: Sequence[str] = ("finished", "interrupted", "running"),
    *,
    together: bool = False,
) -> Path:
    """Return the directory of a run.

    Parameters
    ----------
    word
        A path, that of a folder with a single run in it included; the name of a run in
        ``runs/``; or ``last``, for the newest there.
    states
        What ``last`` may be, the first of them that there is.
    together
        Whether a folder of runs that are one program is meant as a whole.

    Raises
    ------
    StriateError
        If there is no such run.
    """
    from striate.runs import list_runs
    from striate.runs.seeds import members_of

    for path in (Path(word).expanduser(), RUNS / word):
        if (path / "config.json").exists():
            return path
        if path.is_dir():
            if together and len(members_of(path)) > 1:
                return path
            inside = list_runs(path)
            if len(inside) == 1:
                return inside[0].directory
            if inside:
                names = ", ".join(run.name for run in inside[-3:])
                raise StriateError(f"{path} holds {len(inside)} runs: name one, such as {names}")
            raise StriateError(f"{path} is no run: it holds no config.json")
    known = list_runs(RUNS)
    if word != "last":
        raise StriateError(f"no run {word!r}, neither a path nor in {RUNS}/: {_hint(word, known)}")
    for run in reversed(known):
        if run.state in states:
            return run.directory
    raise StriateError(
        f"{RUNS}/ holds no run that is {' or '.join(states)}: begin one, as in striate train digits"
    )


def scan_directory(word: str) -> Path:
    """Return the directory of a scan: a path, a name in ``runs/``, or ``last`` for the newest.

    Raises
    ------
    StriateError
        If there is no such scan.
    """
    from striate.scans import list_scans

    for path in (Path(word).expanduser(), RUNS / word):
        if (path / "scan.json").exists():
            return path
    known = list_scans(RUNS)
    if word == "last" and known:
        return known[-1].directory
    names = [scan.name for scan in known]
    begin = "begin one, as in striate grid digits --learning-rate 1e-3:1e0:4"
    raise StriateError(
        f"no scan {word!r}, neither a path nor in {RUNS}/: "
        + (nearest(word, names) if names else f"it holds none; {begin}")
    )


def _hint(word: str, known: Sequence[RunSummary]) -> str:
    if not known:
        return "it holds none; begin one, as in striate train digits"
    names = [run.name for run in known]
    # Without a similar name it would be all of them.
    close = nearest(word, names)
    return close if close.startswith("did you mean") else f"the newest is {names[-1]}"
