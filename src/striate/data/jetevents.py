"""Trees of one entry for each event, which has several jets, read as if each jet had an entry.

Such trees (NanoAOD) hold the particles of an event once, and a list of pairs: the index of a jet
and that of one of its particles, both within the event.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from striate.data.layout import Fetch, Jagged, Layout
from striate.errors import StriateError
from striate.jets.constituents import offsets_of

_NONE = -1
"""An index that refers to nothing, by the convention of NanoAOD."""


class JetsOfEvents:
    """Reads the branches of some events jet by jet: itself a `Fetch`.

    Parameters
    ----------
    layout
        One that has `jet_of` and `particle_of`.
    fetch
        Reads a branch of these events.
    start
        Which entry of the tree is the first of them.
    """

    def __init__(self, layout: Layout, fetch: Fetch, start: int = 0) -> None:
        self._layout, self._fetch, self._start = layout, fetch, start

    @cached_property
    def jets(self) -> np.ndarray:
        """How many jets each event has."""
        branch = self._layout.jet["pt_gev"]
        pt = self._fetch(branch)
        if not isinstance(pt, Jagged):
            raise StriateError(f"branch {branch!r} must hold a list for each event")
        return pt.counts

    def __call__(self, branch: str) -> np.ndarray | Jagged:
        """Return one value for each jet, or the values of its particles.

        Raises
        ------
        StriateError
            If the branch has other numbers of jets or particles than the rest, or an index refers
            to what the event does not have.
        """
        values = self._fetch(branch)
        if branch in self._layout.constituents.values():
            return self._of_particles(branch, values)
        if not isinstance(values, Jagged):
            return np.repeat(values, self.jets, axis=0)
        if not np.array_equal(values.counts, self.jets):
            raise StriateError(
                f"branch {branch!r} has other numbers of jets than {self._layout.jet['pt_gev']!r}"
            )
        return values.values

    def _of_particles(self, branch: str, values: np.ndarray | Jagged) -> Jagged:
        if not isinstance(values, Jagged):
            raise StriateError(f"branch {branch!r} must hold a list for each event")
        if not np.array_equal(values.counts, self._particles):
            raise StriateError(f"branch {branch!r} has other numbers of particles than the first")
        counts, rows = self._pairs
        return Jagged(counts, values.values[rows])

    @cached_property
    def _particles(self) -> np.ndarray:
        """How many particles each event has."""
        first = self._fetch(next(iter(self._layout.constituents.values())))
        return first.counts if isinstance(first, Jagged) else np.zeros(0, np.int64)

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """How many particles each jet has, and which, jet by jet, in the order of the pairs."""
        jet_of, particle_of = self._layout.jet_of, self._layout.particle_of
        jet, particle = self._fetch(jet_of), self._fetch(particle_of)
        if not (
            isinstance(jet, Jagged)
            and isinstance(particle, Jagged)
            and np.array_equal(jet.counts, particle.counts)
        ):
            raise StriateError(
                f"branches {jet_of!r} and {particle_of!r} must hold lists of the same length"
            )
        event = np.repeat(np.arange(len(jet.counts)), jet.counts)
        self._refuse_outside(jet_of, jet.values, event, self.jets, "jets")
        self._refuse_outside(particle_of, particle.values, event, self._particles, "particles")
        refers = (jet.values != _NONE) & (particle.values != _NONE)
        event = event[refers]
        of = offsets_of(self.jets)[event] + jet.values[refers]
        rows = offsets_of(self._particles)[event] + particle.values[refers]
        order = np.argsort(of, kind="stable")
        return np.bincount(of, minlength=int(self.jets.sum())), rows[order]

    def _refuse_outside(
        self, branch: str, index: np.ndarray, event: np.ndarray, counts: np.ndarray, what: str
    ) -> None:
        if index.dtype.kind not in "iu":
            raise StriateError(f"branch {branch!r} must hold whole numbers, not {index.dtype}")
        wrong = (index < _NONE) | (index >= counts[event])
        if wrong.any():
            first = int(np.argmax(wrong))
            raise StriateError(
                f"branch {branch!r} refers to number {index[first]} in entry "
                f"{self._start + event[first]}, an event of {counts[event[first]]} {what}"
            )
