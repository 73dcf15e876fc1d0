"""A row: one thing that a lecture shows, and what striate makes of it now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from striate.report.gallery import Picture
from striate.runs.seeds import Mean

if TYPE_CHECKING:
    from striate.reproduce.workbench import Workbench

State = Literal["passed", "failed", "no data", "named"]


@dataclass(frozen=True)
class Check:
    """Something that was computed now, beside what it must be.

    Attributes
    ----------
    what
        What is compared.
    expected, ours
        What it must be and what it is, in words.
    passed
        Whether it is.
    """

    what: str
    expected: str
    ours: str
    passed: bool


@dataclass(frozen=True)
class Outcome:
    """What came out of a row.

    Attributes
    ----------
    ours
        The figure to set beside the lecture's, in words.
    checks
        What was compared; the row is passed if all of them are, and there is one.
    pictures
        In their order.
    notes
        Sentences: what the lecture leaves open and what was taken, what is to be known.
    values
        The numbers, as JSON can hold them.
    """

    ours: str
    checks: Sequence[Check]
    pictures: Sequence[Picture] = ()
    notes: Sequence[str] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One thing that a lecture shows.

    Attributes
    ----------
    key
        Such as ``"C1"`` or ``"N13"``.
    lectures
        Keys of the lectures that show it.
    title
        What it is.
    figure
        What the lecture gives as its result: a fact that can be checked, or words where it gives
        none.
    run
        Computes it; None for what the lecture only names.
    data
        Known datasets that it needs.
    """

    key: str
    lectures: tuple[str, ...]
    title: str
    figure: str
    run: Callable[[Workbench], Outcome] | None
    data: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """A row that was run, or could not be.

    Attributes
    ----------
    key
        Of the row.
    state
        ``"passed"``, ``"failed"``, ``"no data"``, or ``"named"`` for what a lecture only names.
    reason
        Why, in a sentence.
    outcome
        What came out, if anything did.
    seconds
        How long it took.
    """

    key: str
    state: State
    reason: str
    outcome: Outcome | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> Result:
        """Return what `as_dict` wrote."""
        told = written["outcome"]
        outcome = None
        if told is not None:
            outcome = Outcome(
                told["ours"],
                [Check(**check) for check in told["checks"]],
                [Picture(**picture) for picture in told["pictures"]],
                told["notes"],
                told["values"],
            )
        return cls(**{**written, "outcome": outcome})


def holds(what: str, passed: bool, ours: str, expected: str = "yes") -> Check:
    """Return a check of something that is so or not."""
    return Check(what, expected, ours, bool(passed))


def equals(what: str, ours: Any, expected: Any) -> Check:
    """Return a check that numbers or arrays are exactly those expected."""
    one, other = np.asarray(ours), np.asarray(expected)
    same = one.shape == other.shape and bool((one == other).all())
    return Check(what, _text(expected), _text(ours), same)


def close(what: str, ours: Any, expected: Any, tolerance: float) -> Check:
    """Return a check that no number is further from its expected one than `tolerance`."""
    difference = float(np.max(np.abs(np.asarray(ours, float) - np.asarray(expected, float))))
    # A comparison with NaN is never true.
    return Check(
        what, f"within {tolerance:.0e}", f"off by {difference:.1e}", difference <= tolerance
    )


def at_least(what: str, mean: Mean, bound: float) -> Check:
    """Return a check that a mean accuracy is not below a bound."""
    return Check(what, f"at least {100 * bound:.1f} %", percent(mean), mean.mean >= bound)


def percent(mean: Mean) -> str:
    """Return a mean with its standard error and seeds: ``98.01 +- 0.05 % (5 seeds)``."""
    if mean.n == 1:
        return f"{100 * mean.mean:.2f} % (1 seed)"
    return f"{100 * mean.mean:.2f} +- {100 * mean.error:.2f} % ({mean.n} seeds)"


def mean_of(values: Sequence[float]) -> Mean:
    """Return mean and standard error of one value a seed."""
    numbers = np.asarray(values, float)
    n = len(numbers)
    error = float(numbers.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return Mean(float(numbers.mean()), error, n)


def _text(value: Any) -> str:
    if isinstance(value, str | bool):
        return str(value)
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{array.item():,}" if array.dtype.kind in "iu" else f"{array.item():g}"
    if array.size > 40:
        return f"{' x '.join(map(str, array.shape))} numbers"
    return np.array2string(array, separator=", ", threshold=100).replace("\n", "").replace(" ", "")
