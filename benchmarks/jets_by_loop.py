"""Jets as a first script makes them: event by event, and particle by particle in Python."""

from __future__ import annotations

import math
from typing import Any

import fastjet
import pythia8mc

from striate.jets.extra import silent_banners
from striate.jets.simulation import Simulation

# Of the lower edge of the window: what such scripts ask of the hard scattering. Jets that are
# harder than theirs by radiation are lost with it, one in some.
_LEAST_PT_HAT = 0.8


def jets_by_loop(simulation: Simulation, seed: int, n: int) -> int:
    """Make `n` jets of the same process, window and grooming; no pre-selection, no images.

    Returns their number.
    """
    pythia = pythia8mc.Pythia("", False)
    lines = [*simulation.pythia_lines(), "Print:quiet = on", "Random:setSeed = on"]
    lines.append(f"Random:seed = {seed}")
    if not simulation.kind.particles:
        lines.append(f"PhaseSpace:pTHatMin = {_LEAST_PT_HAT * simulation.pt_low_gev}")
    with silent_banners():
        for line in lines:
            pythia.readString(line)
        pythia.init()
        found = 0
        while found < n:
            if pythia.next() and _groomed_mass(pythia.event, simulation) is not None:
                found += 1
    return found


def _groomed_mass(event: Any, simulation: Simulation) -> float | None:
    """Return the groomed mass of the hardest jet, None if it is not in the window."""
    particles, target = [], None
    for entry in range(event.size()):
        particle = event[entry]
        if particle.id() in simulation.kind.particles:
            target = particle
        if particle.isFinal() and particle.isVisible() and abs(particle.eta()) < 5:
            particles.append(
                fastjet.PseudoJet(particle.px(), particle.py(), particle.pz(), particle.e())
            )
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, simulation.radius)
    sequence = fastjet.ClusterSequence(particles, definition)
    central = [
        jet
        for jet in fastjet.sorted_by_pt(sequence.inclusive_jets(0.9 * simulation.pt_low_gev))
        if abs(jet.eta()) < simulation.eta_max
    ]
    if not central or not simulation.pt_low_gev <= central[0].pt() < simulation.pt_high_gev:
        return None
    jet = central[0]
    if target is not None:
        turn = abs(jet.phi() - target.phi()) % (2 * math.pi)
        turn = min(turn, 2 * math.pi - turn)
        if math.hypot(jet.eta() - target.eta(), turn) > simulation.radius:
            return None
    definition = fastjet.JetDefinition(fastjet.kt_algorithm, simulation.trim_radius)
    # Kept until the subjets have been read: they belong to it.
    again = fastjet.ClusterSequence(list(jet.constituents()), definition)
    kept = [
        subjet
        for subjet in again.inclusive_jets()
        if subjet.pt() >= simulation.trim_fraction * jet.pt()
    ]
    px, py, pz, e = (sum(getattr(one, name)() for one in kept) for name in ("px", "py", "pz", "e"))
    return math.sqrt(max(e * e - px * px - py * py - pz * pz, 0.0))
