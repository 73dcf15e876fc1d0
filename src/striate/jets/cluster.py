"""Jets and their grooming with fastjet, many events at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.jets.collisions import Particles, charges, lists
from striate.jets.constituents import Constituents, offsets_of
from striate.jets.extra import required, silent_banners

_PURPOSE = "the clustering of jets"


def leading_jets(
    particles: Particles, radius: float, eta_max: float, pt_min_gev: float
) -> tuple[np.ndarray, Constituents]:
    """Find the hardest anti-kT jet of each event within a range of pseudorapidity.

    Parameters
    ----------
    particles
        Of the events.
    radius, eta_max, pt_min_gev
        Of anti-kT (arXiv:0802.1189), and which jets count.

    Returns
    -------
    events, constituents
        The events that have such a jet, and its constituents, hardest first.
    """
    inputs = _ragged(particles.offsets, particles.px, particles.py, particles.pz, particles.energy)
    sequence = clustered(inputs, "antikt", radius)
    of_event, jets = lists(sequence.inclusive_jets(min_pt=pt_min_gev).layout)
    px, py, pz = (np.asarray(jets[name].data) for name in ("px", "py", "pz"))
    pt = np.hypot(px, py)
    event = np.repeat(np.arange(len(of_event) - 1), np.diff(of_event))
    central = np.flatnonzero(np.abs(pz) < np.sinh(eta_max) * pt)
    by_pt = central[np.lexsort((-pt[central], event[central]))]
    events, first = np.unique(event[by_pt], return_index=True)
    leading = by_pt[first]
    _, members = lists(sequence.constituent_index(min_pt=pt_min_gev).layout)
    of_jet, members = lists(members)
    counts = np.diff(of_jet)[leading]
    within = np.arange(counts.sum()) - np.repeat(offsets_of(counts)[:-1], counts)
    rows = np.asarray(members.data)[np.repeat(of_jet[leading], counts) + within].astype(np.int64)
    rows += np.repeat(particles.offsets[events], counts)
    order = np.lexsort((-np.hypot(particles.px, particles.py)[rows], np.repeat(events, counts)))
    rows = rows[order]
    jet_particles = Particles(offsets_of(counts), *(column[rows] for column in particles[1:]))
    return events, _constituents(jet_particles)


def trimmed(jets: Constituents, radius: float, fraction: float) -> np.ndarray:
    """Return which constituents trimming keeps, ``(particles,)`` bool.

    Those of each jet are clustered with kT, and a subjet is kept if it has at least that fraction
    of the jet's transverse momentum (arXiv:0912.1342).
    """
    ak = required("awkward", _PURPOSE)

    energy, px, py, pz = jets.four_momenta()
    sequence = clustered(_ragged(jets.offsets, px, py, pz, energy), "kt", radius)
    subjets = sequence.inclusive_jets(min_pt=0.0)
    enough = np.hypot(subjets.px, subjets.py) >= fraction * ak.Array(jets.sums().pt_gev)
    members = sequence.constituent_index(min_pt=0.0)[enough]
    counts = ak.to_numpy(ak.sum(ak.num(members, axis=2), axis=1))
    rows = ak.to_numpy(ak.flatten(members, axis=None)).astype(np.int64)
    kept = np.zeros(len(px), np.bool_)
    kept[rows + np.repeat(jets.offsets[:-1], counts)] = True
    return kept


def n_subjettiness(jets: Constituents, most: int, radius: float, beta: float = 1.0) -> np.ndarray:
    """Return tau_1 to tau_most, ``(n, most)``, after fastjet-contrib (arXiv:1011.2268).

    Axes are those of exclusive kT subjets, improved by one pass of minimisation; the measure is
    normalised by the sum of pT times the radius. A jet of N constituents or fewer has tau_N = 0.
    """
    result = np.zeros((len(jets), most))
    # All at once where there are enough particles, since they then share the clustering.
    enough = np.minimum(jets.counts - 1, most)
    for number in range(1, most + 1):
        chosen = np.flatnonzero(enough == number)
        if len(chosen):
            part = jets.take(chosen)
            energy, px, py, pz = part.four_momenta()
            sequence = clustered(_ragged(part.offsets, px, py, pz, energy), "kt", radius)
            with silent_banners():
                values = sequence.njettiness(
                    measure_definition="NormalizedMeasure",
                    axes_definition="OnePass_KT_Axes",
                    njets=list(range(1, number + 1)),
                    beta=beta,
                    R0=radius,
                )
            result[chosen, :number] = np.asarray(values)
    return result


def clustered(inputs: Any, algorithm: str, radius: float) -> Any:
    """Return fastjet's cluster sequence of an awkward array of events."""
    fastjet = required("fastjet", _PURPOSE)
    definition = fastjet.JetDefinition(getattr(fastjet, f"{algorithm}_algorithm"), radius)
    with silent_banners():
        return fastjet.ClusterSequence(inputs, definition)


def _ragged(
    offsets: np.ndarray, px: np.ndarray, py: np.ndarray, pz: np.ndarray, energy: np.ndarray
) -> Any:
    ak = required("awkward", _PURPOSE)
    momenta = {"px": px, "py": py, "pz": pz, "E": energy}
    contents = [ak.contents.NumpyArray(np.ascontiguousarray(c)) for c in momenta.values()]
    record = ak.contents.RecordArray(
        contents, list(momenta), parameters={"__record__": "Momentum4D"}
    )
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), record))


def _constituents(particles: Particles) -> Constituents:
    return Constituents.from_four_momenta(
        particles.energy,
        particles.px,
        particles.py,
        particles.pz,
        charges(particles.pdg_id),
        particles.pdg_id,
        counts=np.diff(particles.offsets),
    )


def distance(
    eta: np.ndarray, phi: np.ndarray, other_eta: np.ndarray, other_phi: np.ndarray
) -> np.ndarray:
    """Return the distance in pseudorapidity and azimuth."""
    turn = np.abs(phi - other_phi) % (2 * math.pi)
    return np.hypot(eta - other_eta, np.minimum(turn, 2 * math.pi - turn))
