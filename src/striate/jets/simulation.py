"""What is simulated: collider, window, jets, grooming, pile-up, and images."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from striate.errors import StriateError
from striate.jets.images import ImageOptions
from striate.jets.processes import PROCESSES, Process, w_prime_mass_gev

PRESELECTIONS = ("normal", "wide", "none")

VETO_SCALE_GEV = 10.0
"""Down to which pT the evolution of radiation and multi-parton interactions is followed before
an event is given up: their softer part takes most of the time."""

# Pythia takes seeds up to 900,000,000; 0 would be the time of day.
_SEEDS = 900_000_000

# What minimum-bias collisions add to a jet, in GeV a collision for a radius of 1: about 0.65 GeV
# per unit of area, of which a third is neutral. Only the width of the pre-selection depends on it.
_PILEUP_GEV, _PILEUP_NEUTRAL_GEV = 2.0, 0.8

# What the underlying event adds to a jet of radius 1; the mass of the W' depends on it.
_UNDERLYING_GEV = 5.0


@dataclass(frozen=True)
class Simulation:
    """All that decides the jets of one class, but for their number and the seed.

    Attributes
    ----------
    process
        A name in :data:`striate.jets.processes.PROCESSES`.
    pt_low_gev, pt_high_gev
        Window in the transverse momentum of the jet, before grooming.
    energy_gev
        Energy of the two protons together.
    eta_max
        Largest absolute pseudorapidity of the jet.
    radius
        Of anti-kT (arXiv:0802.1189).
    trim_radius, trim_fraction
        Trimming (arXiv:0912.1342): kT subjets of that radius are kept if they have at least that
        fraction of the jet's pT.
    tune
        Pythia's number of the tune of its parameters; 14 is Monash 2013 (arXiv:1404.5630).
    mpi
        Whether there are multi-parton interactions.
    pileup
        Mean number of minimum-bias collisions on top of each.
    charged_subtraction
        Whether charged particles of pile-up within the tracker, abs(eta) < 2.5, are removed.
    preselection
        ``"normal"``; ``"wide"``, with margins three times as large, or ``"none"``, to measure the
        bias of the first. Hard scatterings of QCD begin at half the lower edge of its window, or
        at 0.4 of the window in the jet's pT where there is none.
    images
        Options of :func:`striate.jets.jet_images`.
    images_of
        ``"jet"``: all constituents; ``"trimmed"``: those that trimming leaves.
    pythia
        Further lines for Pythia, which come last and so win.

    Raises
    ------
    StriateError
        If a value makes no sense.
    """

    process: str
    pt_low_gev: float = 250.0
    pt_high_gev: float = 300.0
    energy_gev: float = 13_000.0
    eta_max: float = 2.0
    radius: float = 1.0
    trim_radius: float = 0.3
    trim_fraction: float = 0.05
    tune: int = 14
    mpi: bool = True
    pileup: float = 0.0
    charged_subtraction: bool = False
    preselection: str = "normal"
    images: Mapping[str, Any] = field(default_factory=dict)
    images_of: str = "jet"
    pythia: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", ImageOptions.of(self.images).as_json())
        object.__setattr__(self, "pythia", tuple(self.pythia))
        if self.process not in PROCESSES:
            raise StriateError(f"unknown process {self.process!r}: known: {', '.join(PROCESSES)}")
        low, high = self.pt_low_gev, self.pt_high_gev
        if not low < high:
            raise StriateError(
                f"the pT window {low:g}:{high:g} GeV is reversed or empty: write LOW:HIGH, as "
                f"{min(low, high):g}:{max(low, high) + (low == high):g}"
            )
        for name, value, smallest, largest in (
            ("energy in GeV", self.energy_gev, 500.0, 200_000.0),
            ("pT window", low, 20.0, self.energy_gev / 2),
            ("pT window", high, 20.0, self.energy_gev / 2),
            ("eta_max", self.eta_max, 0.1, 4.5),
            ("radius", self.radius, 0.1, 2.0),
            ("trimming radius", self.trim_radius, 0.01, self.radius),
            ("trimming fraction", self.trim_fraction, 0.0, 0.5),
            ("pile-up", self.pileup, 0.0, 1000.0),
        ):
            if not (math.isfinite(value) and smallest <= value <= largest):
                raise StriateError(
                    f"{name} must be from {smallest:g} to {largest:g}, not {value:g}"
                )
        if self.preselection not in PRESELECTIONS:
            raise StriateError(
                f"preselection must be one of {', '.join(PRESELECTIONS)}, not {self.preselection!r}"
            )
        if self.images_of not in ("jet", "trimmed"):
            raise StriateError(f"images_of must be 'jet' or 'trimmed', not {self.images_of!r}")

    @property
    def kind(self) -> Process:
        """The process itself."""
        return PROCESSES[self.process]

    def as_json(self) -> dict[str, Any]:
        """Return all settings as JSON can hold them."""
        return asdict(self) | {"images": dict(self.images), "pythia": list(self.pythia)}

    @classmethod
    def from_json(cls, settings: Mapping[str, Any]) -> Simulation:
        """Return the simulation of which these are the settings."""
        return cls(**settings)

    def parton_window_gev(self, preselection: str | None = None) -> tuple[float, float]:
        """Return between which pT particle or parton jet must lie before it is simulated further.

        That is when the evolution has come down to :data:`VETO_SCALE_GEV`. The margins cover what
        comes afterwards: softer radiation, the underlying event, hadrons outside the jet.
        """
        match preselection or self.preselection:
            case "none":
                return 0.0, math.inf
            case "wide":
                margin = 3.0
            case _:
                margin = 1.0
        each = _PILEUP_NEUTRAL_GEV if self.charged_subtraction else _PILEUP_GEV
        offset = 1.5 * self.pileup * each * self.radius**2
        # A spectrum that falls steeply is fed from below.
        reach = 0.11 if self.kind.particles else 0.15
        below = margin * max(28.0, reach * self.pt_low_gev) + offset
        above = margin * max(34.0, 0.11 * self.pt_high_gev)
        return max(self.pt_low_gev - below, 0.0), self.pt_high_gev + above

    def pythia_lines(self) -> list[str]:
        """Return Pythia's settings, all but the seed."""
        lines = [
            f"Beams:eCM = {self.energy_gev!r}",
            f"Tune:pp = {self.tune}",
            f"PartonLevel:MPI = {'on' if self.mpi else 'off'}",
            # No charmonium or bottomonium from multi-parton interactions, one in some thousand of
            # them: the search for it takes a tenth of the time.
            "MultipartonInteractions:processLevel = 2",
            # Stable is what flies 10 mm, as in the experiments' definition of a particle.
            "ParticleDecays:limitTau0 = on",
            # Repeats conservation laws that are kept anyway; takes some per cent of the time.
            "Check:event = off",
            *self.kind.lines,
        ]
        if self.kind.from_resonance:
            each = _PILEUP_NEUTRAL_GEV if self.charged_subtraction else _PILEUP_GEV
            added = (_UNDERLYING_GEV + self.pileup * each) * self.radius**2
            # The spectrum of a two-body decay piles up at the largest pT.
            aim = self.pt_low_gev + 0.7 * (self.pt_high_gev - self.pt_low_gev) - added
            mass = w_prime_mass_gev(max(aim, 20.0))
            width = max(0.02 * mass, self.pt_high_gev - self.pt_low_gev - 40.0)
            lines += [
                f"34:m0 = {mass:.3f}",
                "34:doForceWidth = on",
                f"34:mWidth = {width:.3f}",
                f"34:mMin = {max(0.6 * mass, 173.0):.3f}",
                f"34:mMax = {1.6 * mass:.3f}",
            ]
        else:
            low, high = self.parton_window_gev()
            # A jet may be harder than the scattering that it belongs to, by radiation before it.
            least = 0.5 * low if self.preselection != "none" else 0.4 * self.pt_low_gev
            lines.append(f"PhaseSpace:pTHatMin = {least:.3f}")
            if self.kind.particles and math.isfinite(high):
                lines.append(f"PhaseSpace:pTHatMax = {2.0 * high:.3f}")
        return [*lines, *self.pythia]


def seed_of(*parts: int | str) -> int:
    """Return a seed for Pythia made of a run's seed and what it is to be used for."""
    numbers = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in parts]
    return int(np.random.SeedSequence(numbers).generate_state(1)[0]) % (_SEEDS - 1) + 1
