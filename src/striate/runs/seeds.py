"""The same training with several seeds: the runs, and their mean accuracy with its error."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, overload

from striate.errors import StriateError
from striate.runs import directory as files
from striate.runs.run import Run

# What the names of their directories begin with.
SEED = "seed-"


class Mean(NamedTuple):
    """A mean over seeds.

    Attributes
    ----------
    mean
        The mean.
    error
        Its standard error, s / sqrt(n) with n - 1 in s; NaN for one seed.
    n
        How many seeds.
    """

    mean: float
    error: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.4f} +- {self.error:.4f} ({self.n} seeds)"


@dataclass(frozen=True, eq=False)
class Runs(Sequence[Run]):
    """The runs of one network with several seeds, in the order of the seeds.

    Attributes
    ----------
    directory
        The folder that holds their directories.
    runs
        The runs.
    """

    directory: Path
    runs: tuple[Run, ...]

    @property
    def accuracy(self) -> Mean | None:
        """Mean and standard error of the last accuracies (`Run.accuracy`), if all have one."""
        values = [run.accuracy for run in self.runs if run.accuracy is not None]
        if len(values) < len(self.runs):
            return None
        error = math.nan
        if len(values) > 1:
            error = statistics.stdev(values) / math.sqrt(len(values))
        return Mean(statistics.fmean(values), error, len(values))

    @property
    def history(self) -> Mapping[str, list[float]]:
        """The history of the first run."""
        return self.runs[0].history

    def __len__(self) -> int:
        return len(self.runs)

    @overload
    def __getitem__(self, index: int) -> Run: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Run, ...]: ...

    def __getitem__(self, index: int | slice) -> Run | tuple[Run, ...]:
        return self.runs[index]

    def __repr__(self) -> str:
        return f"Runs('{self.directory}': {len(self)} seeds, accuracy {self.accuracy})"


def chosen(seeds: int | Sequence[int], first: int) -> list[int]:
    """Return the seeds themselves: those given, or so many from `first` on.

    Raises
    ------
    StriateError
        If there is none, or one twice.
    """
    numbers = list(range(first, first + seeds)) if isinstance(seeds, int) else list(seeds)
    if not numbers or len(set(numbers)) < len(numbers):
        raise StriateError(f"seeds={seeds!r}: give a number from 1, or different seeds")
    return numbers


def seeds_words(seeds: Sequence[int]) -> str:
    """Say which seeds are trained together."""
    return f"seeds {', '.join(map(str, seeds))}: {len(seeds)} networks as one program"


def members_of(path: Path) -> list[Path]:
    """Return the runs that are one program with a run, or in a group of seeds; else the path.

    Raises
    ------
    StriateError
        If one of them is not there.
    """
    own = (path / files.CONFIG).exists()
    group = path.parent if own else path
    inside = [path] if own else sorted(c.parent for c in path.glob(f"{SEED}*/{files.CONFIG}"))
    names = files.read_config(inside[0])["training"].get("together_with") if inside else None
    if not names:
        return [path]
    missing = [name for name in names if not (group / name / files.CONFIG).exists()]
    if missing:
        raise StriateError(
            f"{path} was trained as one program with {', '.join(missing)}, which must lie in "
            f"{group} for it to go on"
        )
    return [group / name for name in names]
