"""The hardest subjets of many jets at once: the kT algorithm, vectorised over jets in NumPy.

fastjet clusters one jet after the other and is an optional package; images should not depend on
what is installed. The tests compare with fastjet.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from striate.errors import StriateError
from striate.jets.constituents import Constituents

# Jets x particles of one batch: its arrays then lie in a core's second-level cache.
_BATCH = 1 << 14
# Where particles that are gone are put: out of reach of each other and of all that is left.
_AWAY = 1e4


class Subjets(NamedTuple):
    """The hardest subjets of each jet, ``(n, most)``, hardest first; pT 0 where there is none."""

    pt_gev: np.ndarray
    rapidity: np.ndarray
    phi: np.ndarray


def leading_subjets(jets: Constituents, radius: float = 0.3, most: int = 2) -> Subjets:
    """Cluster each jet with the inclusive kT algorithm and return its hardest subjets.

    Distances are ``min(pt_i, pt_j)**2 * dR**2 / radius**2`` with dR in rapidity and azimuth, and
    momenta are added (E scheme), as in arXiv:hep-ph/9305266 and in fastjet.

    Parameters
    ----------
    jets
        The jets.
    radius
        The kT radius; 0.3 as in arXiv:1511.05190.
    most
        How many subjets to return.

    Returns
    -------
    Subjets
        In GeV and radians, float64; azimuth in (-pi, pi].

    Raises
    ------
    StriateError
        If `radius` is not positive.
    """
    if not radius > 0:
        raise StriateError(f"the radius of subjets must be positive, not {radius!r}")
    found = Subjets(*(np.zeros((len(jets), most)) for _ in range(3)))
    counts = jets.counts
    momenta = jets.four_momenta()
    # Jets of similar size together, so that little of a batch is padding.
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    while len(order):
        # From the largest down: the size of the first decides how many fit.
        largest = int(counts[order[-1]])
        batch, order = np.split(order[::-1], [max(1, _BATCH // largest)])
        order = order[::-1]
        places = np.arange(largest)
        real = places < counts[batch][:, np.newaxis]
        rows = np.where(real, jets.offsets[batch][:, np.newaxis] + places, 0)
        padded = np.stack([np.where(real, component[rows], 0.0) for component in momenta])
        for kept, values in zip(found, _cluster(padded, real, radius**2, most), strict=True):
            kept[batch] = values
    return found


def _cluster(momenta: np.ndarray, real: np.ndarray, reach: float, most: int) -> Subjets:
    """Cluster one batch, ``momenta`` (4, jets, particles); `reach` is the radius squared.

    Each particle remembers its nearest neighbour within reach. The pair with the smallest kT
    distance is always a particle and its nearest neighbour (hep-ph/0512210), so that a step costs
    a few passes over (jets, particles) and not over all pairs.
    """
    n, size = real.shape
    everyone = np.arange(n)
    kt2, y, phi = _direction(momenta)
    gone = _AWAY * (1 + np.arange(size))
    kt2[~real] = np.inf
    y = np.where(real, y, gone)
    near = np.full((n, size), reach)
    neighbour = np.full((n, size), -1)
    for k in range(size):
        distance = _squared(y, phi, y[:, k : k + 1], phi[:, k : k + 1])
        distance[:, k] = reach
        closer = distance < near
        np.copyto(near, distance, where=closer)
        neighbour[closer] = k
    final = np.zeros((3, n, size))
    left = real.sum(axis=1)
    while True:
        jets = everyone[left > 0]
        if not len(jets):
            break
        if len(jets) < n:
            # Jets that are finished are the small ones, behind: the others stay in front.
            n = int(jets[-1]) + 1
        first = (kt2[:n] * near[:n]).argmin(axis=1)[jets]
        second = neighbour[jets, first]
        alone = second < 0
        ends, at = jets[alone], first[alone]
        final[:, ends, at] = np.sqrt(kt2[ends, at]), y[ends, at], phi[ends, at]
        kt2[jets, first], near[jets, first] = np.inf, reach
        y[jets, first] = gone[first]
        left[jets] -= 1
        jets, first, second = jets[~alone], first[~alone], second[~alone]
        if not len(jets):
            continue
        momenta[:, jets, second] += momenta[:, jets, first]
        kt2[jets, second], y[jets, second], phi[jets, second] = _direction(momenta[:, jets, second])
        _find_neighbours(y, phi, near, neighbour, jets, first, second, reach)
    order = np.argsort(-final[0], axis=1, kind="stable")[:, :most]
    best = np.take_along_axis(final, order[np.newaxis], axis=2)
    if best.shape[2] < most:
        best = np.pad(best, ((0, 0), (0, 0), (0, most - best.shape[2])))
    best[2] = np.pi - (np.pi - best[2]) % (2 * np.pi)
    return Subjets(*best)


def _find_neighbours(
    y: np.ndarray,
    phi: np.ndarray,
    near: np.ndarray,
    neighbour: np.ndarray,
    jets: np.ndarray,
    gone: np.ndarray,
    moved: np.ndarray,
    reach: float,
) -> None:
    """Bring the nearest neighbours up to date after `gone` was added to `moved` in each of `jets`.

    A particle is affected if it is near the moved one, or if one of the two was its neighbour.
    """
    here = np.arange(len(jets))
    distance = _squared(
        y[jets], phi[jets], y[jets, moved][:, np.newaxis], phi[jets, moved][:, np.newaxis]
    )
    distance[here, moved] = reach
    nearest, who = near[jets], neighbour[jets]
    stale = (who == gone[:, np.newaxis]) | (who == moved[:, np.newaxis])
    stale[here, moved] = True
    stale[here, gone] = False
    closer = distance < nearest
    np.copyto(nearest, distance, where=closer)
    np.copyto(who, moved[:, np.newaxis], where=closer)
    near[jets], neighbour[jets] = nearest, who
    row, particle = np.nonzero(stale)
    jet = jets[row]
    again = _squared(
        y[jet], phi[jet], y[jet, particle][:, np.newaxis], phi[jet, particle][:, np.newaxis]
    )
    again[np.arange(len(jet)), particle] = reach
    best = again.argmin(axis=1)
    least = again[np.arange(len(jet)), best]
    near[jet, particle] = np.minimum(least, reach)
    neighbour[jet, particle] = np.where(least < reach, best, -1)


def _direction(momenta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pT squared, rapidity and azimuth."""
    energy, px, py, pz = momenta
    kt2 = px * px + py * py
    # From the transverse mass, which is known better than energy minus momentum along the beam.
    transverse = np.maximum((energy - pz) * (energy + pz), kt2)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.arcsinh(np.where(transverse > 0, pz / np.sqrt(transverse), 0.0))
    return kt2, y, np.arctan2(py, px)


def _squared(y: np.ndarray, phi: np.ndarray, y_0: np.ndarray, phi_0: np.ndarray) -> np.ndarray:
    """Return the squared distance in rapidity and azimuth."""
    turned = np.abs(phi - phi_0)
    np.minimum(turned, 2 * np.pi - turned, out=turned)
    turned *= turned
    along = y - y_0
    along *= along
    along += turned
    return along
