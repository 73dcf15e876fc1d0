"""The hard processes that jets come from, and Pythia's settings for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from striate.errors import StriateError, nearest

_W_MASS, _Z_MASS = 80.38, 91.19
_W_PRIME = 34
_TO_QUARKS = "1 2 3 4 5"
_TO_NEUTRINOS = "12 14 16"


@dataclass(frozen=True)
class Process:
    """One kind of jet: what is collided to make it.

    Attributes
    ----------
    name
        As on the command line.
    role
        ``"signal"`` or ``"background"``.
    summary
        What happens, in a line.
    particles
        PDG numbers of the particles that a jet has to come from; none, if any leading jet will do.
    lines
        Pythia's settings.
    from_resonance
        Whether the particle comes from a W' whose mass is chosen for the window in pT. The other
        processes are limited by the transverse momentum of the hard scattering.
    """

    name: str
    role: str
    summary: str
    particles: tuple[int, ...]
    lines: tuple[str, ...]
    from_resonance: bool = False


def _decays(particle: int, *lines: str) -> tuple[str, ...]:
    return (f"{particle}:onMode = off", *(f"{particle}:{line}" for line in lines))


PROCESSES = {
    process.name: process
    for process in (
        Process(
            "W",
            "signal",
            "q qbar' -> W' -> W Z, W -> q qbar', Z -> neutrinos",
            (24, -24),
            (
                "NewGaugeBoson:ffbar2Wprime = on",
                "Wprime:coup2WZ = 1.",
                *_decays(_W_PRIME, "onIfMatch = 24 23"),
                *_decays(24, f"onIfAny = {_TO_QUARKS}"),
                *_decays(23, f"onIfAny = {_TO_NEUTRINOS}"),
            ),
            from_resonance=True,
        ),
        Process(
            "Z",
            "signal",
            "q qbar -> Z H, Z -> q qbar, H to neutrinos, so that nothing else is seen",
            (23,),
            (
                "HiggsSM:ffbar2HZ = on",
                *_decays(23, f"onIfAny = {_TO_QUARKS}"),
                "25:oneChannel = 1 1.0 100 12 -12",
            ),
        ),
        Process(
            "top",
            "signal",
            "g g, q qbar -> t tbar, both to b q qbar'",
            (6, -6),
            (
                "Top:gg2ttbar = on",
                "Top:qqbar2ttbar = on",
                *_decays(24, f"onIfAny = {_TO_QUARKS}"),
            ),
        ),
        Process(
            "Higgs",
            "signal",
            "q qbar -> Z H, H -> b bbar, Z -> neutrinos",
            (25,),
            (
                "HiggsSM:ffbar2HZ = on",
                *_decays(25, "onIfMatch = 5 -5"),
                *_decays(23, f"onIfAny = {_TO_NEUTRINOS}"),
            ),
        ),
        Process("QCD", "background", "all 2 -> 2 scatterings of QCD", (), ("HardQCD:all = on",)),
        Process(
            "quark",
            "background",
            "scatterings of QCD with two quarks in the final state",
            (),
            (
                "HardQCD:qq2qq = on",
                "HardQCD:gg2qqbar = on",
                "HardQCD:qqbar2qqbarNew = on",
                "HardQCD:gg2ccbar = on",
                "HardQCD:qqbar2ccbar = on",
                "HardQCD:gg2bbbar = on",
                "HardQCD:qqbar2bbbar = on",
            ),
        ),
        Process(
            "gluon",
            "background",
            "scatterings of QCD with two gluons in the final state",
            (),
            ("HardQCD:gg2gg = on", "HardQCD:qqbar2gg = on"),
        ),
    )
}


def lookup(name: str, role: str) -> Process:
    """Return the process of that name, in whatever case, which must have that role.

    Raises
    ------
    StriateError
        If there is none, with the nearest names.
    """
    names = [process.name for process in PROCESSES.values() if process.role == role]
    for known in names:
        if known.lower() == name.lower():
            return PROCESSES[known]
    raise StriateError(f"unknown {role} {name!r}: {nearest(name, names)}")


def w_prime_mass_gev(pt_gev: float) -> float:
    """Return the mass of a W' at rest of which a decay across the beam gives W and Z that pT."""
    return math.hypot(pt_gev, _W_MASS) + math.hypot(pt_gev, _Z_MASS)
