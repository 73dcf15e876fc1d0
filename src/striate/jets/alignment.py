"""Centre, rotate and flip jets: positions of all constituents at once, before pixels are made.

Constituents are points, so turning them is exact: no interpolation, no pT lost at the corners.
arXiv:1511.05190 turns pixels, with a cubic spline, because its cells come from a calorimeter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.jets.constituents import Constituents
from striate.jets.subjets import Subjets

# Positions are stored as float32: what is nearer to the middle than this is in the middle.
_MIDDLE = 1e-5


@dataclass(frozen=True, eq=False)
class Plane:
    """Constituents as massless points in the plane of a jet's image.

    Attributes
    ----------
    jets
        Offsets and pT of the constituents; their ``eta`` is the position along the beam.
    x, y
        ``(particles,)`` float64: position along the beam (to the right) and azimuth (upwards),
        relative to the centre of the jet.
    """

    jets: Constituents
    x: np.ndarray
    y: np.ndarray

    def spread(self, per_jet: np.ndarray) -> np.ndarray:
        """Repeat one value a jet for each of its constituents."""
        return np.repeat(per_jet, self.jets.counts)

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return the pT-weighted mean over each jet; 0 for a jet without constituents."""
        pt = np.asarray(self.jets.pt_gev, np.float64)
        total = self.jets.jet_sum(pt)
        return self.jets.jet_sum(pt * values) / np.where(total > 0, total, 1.0)

    def moved(self, x: np.ndarray, y: np.ndarray) -> Plane:
        """Return the plane with the point ``(x, y)`` of each jet at the centre."""
        return Plane(self.jets, self.x - self.spread(x), self.y - self.spread(y))


def placed(jets: Constituents, x: np.ndarray, y: np.ndarray) -> Plane:
    """Place massless `jets` relative to the point ``(x, y)`` of each, by the shorter way around.

    Moving along the beam is a boost, and moving in azimuth a rotation about the beam: pT, and with
    it the mass of massless particles, stays. It would not if pixels held energies.
    """
    plane = Plane(jets, np.asarray(jets.eta, np.float64), np.asarray(jets.phi, np.float64))
    plane = plane.moved(x, y)
    return Plane(jets, plane.x, wrapped(plane.y))


def wrapped(angle: np.ndarray) -> np.ndarray:
    """Return angles in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def centred_on_centroid(plane: Plane) -> Plane:
    """Centre on the pT-weighted mean position."""
    return plane.moved(plane.mean(plane.x), plane.mean(plane.y))


def turned(plane: Plane, angle: np.ndarray) -> Plane:
    """Turn each jet about its centre by `angle`, counter-clockwise.

    Distances are kept to lowest order; the mass changes a little, since it depends on
    ``cosh(dx) - cos(dy)`` and not on ``dx**2 + dy**2``.
    """
    cos, sin = plane.spread(np.cos(angle)), plane.spread(np.sin(angle))
    return Plane(plane.jets, cos * plane.x - sin * plane.y, sin * plane.x + cos * plane.y)


def below(angle: np.ndarray) -> np.ndarray:
    """Return by what angle to turn so that what lay at `angle` is straight below."""
    return -np.pi / 2 - angle


def angle_of_second_subjet(plane: Plane, subjets: Subjets) -> np.ndarray:
    """Return the direction from the leading to the second subjet, or of the longer tail."""
    dx = subjets.rapidity[:, 1] - subjets.rapidity[:, 0]
    dy = wrapped(subjets.phi[:, 1] - subjets.phi[:, 0])
    return np.where(subjets.pt_gev[:, 1] > 0, np.arctan2(dy, dx), angle_of_long_tail(plane))


def angle_of_long_tail(plane: Plane) -> np.ndarray:
    """Return the direction of the principal axis, towards the longer tail of pT along it.

    The axis is that of the largest pT-weighted variance. The third moment along it chooses the
    side: of two prongs the softer one lies farther from the centroid, so it is the tail.
    """
    x, y = plane.x - plane.spread(plane.mean(plane.x)), plane.y - plane.spread(plane.mean(plane.y))
    xx, yy, xy = plane.mean(x * x), plane.mean(y * y), plane.mean(x * y)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    along = plane.spread(np.cos(angle)) * x + plane.spread(np.sin(angle)) * y
    return np.where(plane.mean(along**3) < 0, angle + np.pi, angle)


def flipped(plane: Plane, *, upwards: bool) -> Plane:
    """Reflect each jet, if need be, so that the right half holds the more pT; up as well if asked.

    A reflection keeps the mass.
    """
    x = plane.x * plane.spread(_towards_more(plane, plane.x))
    y = plane.y * plane.spread(_towards_more(plane, plane.y)) if upwards else plane.y
    return Plane(plane.jets, x, y)


def _towards_more(plane: Plane, position: np.ndarray) -> np.ndarray:
    # A leading subjet of one particle lies at the centre, but for rounding: it takes no side.
    side = np.where(np.abs(position) < _MIDDLE, 0.0, np.sign(position))
    return np.where(plane.mean(side) < 0, -1.0, 1.0)
