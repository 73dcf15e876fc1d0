"""The errors that striate raises for a user's mistake."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class StriateError(ValueError):
    """A user's mistake: one line that says what is wrong, where, and what to do.

    The command line prints the line and exits with status 2; Python shows it as the message of a
    ``ValueError``. Failures of striate itself are never of this class.
    """


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> str:
    """Return a hint for a misspelt name: the nearest known ones, or all of them.

    Parameters
    ----------
    name
        What the user wrote.
    known
        The names that would have been right.
    most
        How many near names to give at most.

    Returns
    -------
    str
        ``"did you mean 'digits'?"`` or ``"known: digits, ox"``.
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=most, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(repr(c) for c in close) + "?"
    return "known: " + ", ".join(names)
