"""Collisions from Pythia 8, in batches, as flat arrays of the particles that a detector sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from striate.errors import StriateError
from striate.jets.constituents import offsets_of
from striate.jets.extra import required, silent_banners
from striate.jets.preselection import preselection_hook
from striate.jets.simulation import Simulation, seed_of

_PURPOSE = "the simulation of collisions"
_STEEPEST = 5.0
_MILLIBARN_IN_PICOBARN = 1e9


class Particles(NamedTuple):
    """The particles of many collisions; those of collision i at ``offsets[i]:offsets[i + 1]``."""

    offsets: np.ndarray
    px: np.ndarray
    py: np.ndarray
    pz: np.ndarray
    energy: np.ndarray
    pdg_id: np.ndarray

    @property
    def event(self) -> np.ndarray:
        """The collision that each particle belongs to."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


class Directions(NamedTuple):
    """Particles that a jet may come from: the collision of each, and its direction."""

    event: np.ndarray
    eta: np.ndarray
    phi: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """Some collisions.

    Attributes
    ----------
    particles
        What a detector sees within abs(eta) < 5: all that is stable, but neutrinos.
    targets
        The particles of :attr:`Process.particles`, before their decay.
    parton_pt_gev
        The pT that the pre-selection looked at.
    """

    particles: Particles
    targets: Directions
    parton_pt_gev: np.ndarray

    def __len__(self) -> int:
        return len(self.parton_pt_gev)


class Collisions:
    """Pythia, set up for one process; what comes depends on simulation and seed alone."""

    def __init__(self, simulation: Simulation, seed: int) -> None:
        self._hook = preselection_hook(simulation)
        self._pythia = started(simulation.pythia_lines(), seed, self._hook)
        self._targets = simulation.kind.particles

    def batch(self, n: int) -> Batch:
        """Return the next `n` collisions that pass the pre-selection."""
        before = len(self._hook.parton_pt_gev)
        with silent_banners():
            events = self._pythia.nextBatch(n, "fail")
        looked_at = np.array(self._hook.parton_pt_gev[before:])
        counts, columns = flat(events)
        rows = columns["id"]
        event = np.repeat(np.arange(len(counts)), counts)
        last = np.isin(rows, self._targets)
        targets = _last_copies(event[last], rows[last], *(columns[p][last] for p in "xyz"))
        if len(looked_at) != len(counts):
            raise RuntimeError(
                f"the pre-selection passed {len(looked_at)} events, Pythia gave {len(counts)}"
            )
        return Batch(visible(event, len(counts), columns), targets, looked_at)

    def cross_section_pb(self) -> tuple[float, float]:
        """Return the cross-section of what passed the pre-selection, and its error, in pb."""
        info = self._pythia.infoPython()
        return (
            info.sigmaGen() * _MILLIBARN_IN_PICOBARN,
            info.sigmaErr() * _MILLIBARN_IN_PICOBARN,
        )

    def tried(self) -> int:
        """Return how many collisions were tried, at the phase space of the hard scattering."""
        return int(self._pythia.infoPython().nTried())


def started(lines: list[str], seed: int, hook: Any = None) -> Any:
    """Return a Pythia that is ready.

    Raises
    ------
    StriateError
        If Pythia does not know a setting, or cannot start with them.
    """
    pythia8 = required("pythia8mc", _PURPOSE)
    required("awkward", _PURPOSE)
    fresh = _defaults()
    # A copy of the defaults spares reading them from hundreds of XML pages again.
    pythia = pythia8.Pythia(fresh.settings, fresh.particleData, False)
    seeds = ["Print:quiet = on", "Random:setSeed = on", f"Random:seed = {seed}"]
    with silent_banners():
        for line in [*seeds, *lines]:
            if not pythia.readString(line):
                raise StriateError(f"Pythia does not know the setting {line!r}")
        if hook is not None:
            pythia.addUserHooksPtr(hook)
        if not pythia.init():
            raise StriateError(
                f"Pythia cannot start with these settings: {'; '.join(lines)}: try another window "
                "or energy"
            )
    return pythia


def flat(events: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the number of entries of each event, and flat columns of number, status, momentum."""
    offsets, entries = lists(events.prt.layout)
    momenta = entries["p"]
    columns = {
        "id": entries["id"],
        "status": entries["status"],
        "x": momenta["px"],
        "y": momenta["py"],
        "z": momenta["pz"],
        "e": momenta["e"],
    }
    return np.diff(offsets), {name: np.asarray(column.data) for name, column in columns.items()}


def lists(layout: Any) -> tuple[np.ndarray, Any]:
    """Return where each list of an awkward array begins, and what is in all of them.

    Straight from the buffers: an operation of awkward takes a millisecond, however little there is.
    """
    compact = layout.to_ListOffsetArray64(True)
    offsets = np.asarray(compact.offsets.data)
    return offsets, compact.content[: offsets[-1]]


def visible(event: np.ndarray, events: int, columns: dict[str, np.ndarray]) -> Particles:
    """Return the final particles, but neutrinos, within abs(eta) < 5."""
    number = np.abs(columns["id"])
    seen = (columns["status"] > 0) & (number != 12) & (number != 14) & (number != 16)
    transverse = np.hypot(columns["x"], columns["y"])
    seen &= np.abs(columns["z"]) < np.sinh(_STEEPEST) * transverse
    counts = np.bincount(event[seen], minlength=events)
    return Particles(
        offsets_of(counts), *(columns[name][seen] for name in ("x", "y", "z", "e", "id"))
    )


def charges(pdg_id: np.ndarray) -> np.ndarray:
    """Return the charge of each particle in units of the proton's, int8, from Pythia's table."""
    numbers, inverse = np.unique(pdg_id, return_inverse=True)
    table = _defaults().particleData
    return np.array([round(table.charge(int(one))) for one in numbers], np.int8)[inverse]


@cache
def _defaults() -> Any:
    """Return a Pythia that is never started, for its settings and its table of particles."""
    with silent_banners():
        return required("pythia8mc", _PURPOSE).Pythia("", False)


def _last_copies(
    event: np.ndarray, number: np.ndarray, px: np.ndarray, py: np.ndarray, pz: np.ndarray
) -> Directions:
    """Return the last entry of each particle in each event: what it was when it decayed."""
    key = event * 100 + number + 50
    # The first of each key in reverse is the last.
    _, from_behind = np.unique(key[::-1], return_index=True)
    last = len(key) - 1 - from_behind
    eta = np.arcsinh(pz[last] / np.maximum(np.hypot(px[last], py[last]), 1e-9))
    return Directions(event[last], eta, np.arctan2(py[last], px[last]))


def minimum_bias(simulation: Simulation, seed: int, n: int) -> Particles:
    """Return `n` inelastic collisions without any hard scattering: pile-up."""
    lines = [
        f"Beams:eCM = {simulation.energy_gev!r}",
        f"Tune:pp = {simulation.tune}",
        "ParticleDecays:limitTau0 = on",
        "Check:event = off",
        "SoftQCD:inelastic = on",
    ]
    pythia = started(lines, seed_of(seed, "pile-up"))
    with silent_banners():
        events = pythia.nextBatch(n, "fail")
    counts, columns = flat(events)
    return visible(np.repeat(np.arange(n), counts), n, columns)
