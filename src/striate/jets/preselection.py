"""Giving up hopeless collisions before most of the time is spent on them.

Pythia evolves radiation and multi-parton interactions together from hard to soft. Half way down,
the pT of the hardest jet of partons says that of the jet to some 10 GeV, and nine tenths of the
work lie ahead; so that is where an event far from the window is given up.
"""

from __future__ import annotations

from typing import Any

from striate.errors import StriateError
from striate.jets.extra import required
from striate.jets.simulation import VETO_SCALE_GEV, Simulation

# Beyond the largest pseudorapidity of jets; parton and jet are closer than that.
_ETA_MARGIN = 0.6
_SOFTEST_GEV = 20.0
# In a row; it takes some seconds.
_MOST_GIVEN_UP = 10_000
# Where Pythia asks again, for the showers of each decay.
_AT_DECAYS = 5
# In the record of the hard scattering: 0 is the system, then two protons and two partons.
_FIRST_OUTGOING = 5
_OUTGOING = 23


def preselection_hook(simulation: Simulation) -> Any:
    """Return the hook for Pythia that gives up events.

    Its attribute ``parton_pt_gev`` is a list to which it adds, for every event that it lets pass,
    the pT of the hardest jet of partons; 0 where there is none.
    """
    pythia8 = required("pythia8mc", "the simulation of collisions")
    low, high = simulation.parton_window_gev()
    steepest = simulation.eta_max + _ETA_MARGIN

    class Preselection(pythia8.UserHooks):  # type: ignore[name-defined]
        def __init__(self) -> None:
            pythia8.UserHooks.__init__(self)
            self.parton_pt_gev: list[float] = []
            self.pt = 0.0
            self.given_up = 0
            # All that is visible, with its mass.
            self.jets = pythia8.SlowJet(-1, simulation.radius, _SOFTEST_GEV, steepest, 2, 2)
            self.decays: dict[int, tuple[Any, list[tuple[int, Any, float]]]] = {}

        def canVetoProcessLevel(self) -> bool:  # noqa: N802
            return True

        def doVetoProcessLevel(self, process: Any) -> bool:  # noqa: N802
            """Remember how the particles of the hard scattering decay."""
            self.decays = {}
            for entry in range(_FIRST_OUTGOING, process.size()):
                particle = process[entry]
                if not particle.isFinal():
                    continue
                ancestor = entry
                while process[ancestor].mother1() >= _FIRST_OUTGOING:
                    ancestor = process[ancestor].mother1()
                if ancestor != entry:
                    origin = process[ancestor]
                    _, products = self.decays.setdefault(
                        origin.id(), (pythia8.Vec4(origin.p()), [])
                    )
                    products.append((particle.id(), pythia8.Vec4(particle.p()), particle.m()))
            return False

        def canVetoPT(self) -> bool:  # noqa: N802
            return True

        def scaleVetoPT(self) -> float:  # noqa: N802
            return VETO_SCALE_GEV

        def doVetoPT(self, where: int, event: Any) -> bool:  # noqa: N802
            """Give up if the hardest parton jet is far from the window."""
            if where == _AT_DECAYS:
                return False
            self.jets.analyze(self._decayed(event) if self.decays else event)
            pt = self.jets.pT(0) if self.jets.sizeJet() else 0.0
            if not low <= pt < high:
                self.given_up += 1
                if self.given_up == _MOST_GIVEN_UP:
                    raise StriateError(
                        f"{simulation.process}: none of {_MOST_GIVEN_UP:,} collisions came near a "
                        f"jet of {simulation.pt_low_gev:g} to {simulation.pt_high_gev:g} GeV: "
                        "choose another window"
                    )
                return True
            self.pt, self.given_up = pt, 0
            return False

        def onEndEvent(self, status: Any) -> None:  # noqa: N802
            """Add the event if it came through; an evolution may be repeated, or fail later."""
            if status == pythia8.PhysicsBase.COMPLETE:
                self.parton_pt_gev.append(self.pt)

        def _decayed(self, event: Any) -> Any:
            """Return the event with the products of decays in place of what decays.

            Pythia adds them only after this evolution. They move with the particle, which recoils
            from radiation, from where it was at the hard scattering.
            """
            partons = pythia8.Event(event)
            for entry in range(1, event.size()):
                number = event[entry].id()
                if number not in self.decays or not event[entry].isFinal():
                    continue
                before, products = self.decays[number]
                partons[entry].statusNeg()
                for product, momentum, mass in products:
                    moved = pythia8.Vec4(momentum)
                    moved.bstback(before)
                    moved.bst(event[entry].p())
                    partons.append(product, _OUTGOING, 0, 0, moved, mass)
            return partons

    return Preselection()
