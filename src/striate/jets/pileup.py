"""Pile-up: minimum-bias collisions on top of others.

A pool of minimum-bias collisions is made once for each block of jets and drawn from with
replacement; each that is drawn is turned by a random angle about the beam and, by chance, reflected
along it, which no physics depends on, so that no two are alike.
"""

from __future__ import annotations

import numpy as np

from striate.jets.collisions import Particles, charges, minimum_bias
from striate.jets.constituents import offsets_of
from striate.jets.simulation import Simulation

# Minimum-bias collisions in the pool: so many, or so many times as there are on top of each.
_POOL, _POOL_TIMES = 50, 10

_TRACKER = 2.5


class Pileup:
    """Adds pile-up to collisions; what is drawn depends on simulation and seed alone."""

    def __init__(self, simulation: Simulation, seed: int) -> None:
        self._mean = simulation.pileup
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, 1))))
        self._size = max(_POOL, round(_POOL_TIMES * self._mean))
        pool = minimum_bias(simulation, seed, self._size)
        if simulation.charged_subtraction:
            transverse = np.hypot(pool.px, pool.py)
            tracked = np.abs(pool.pz) < np.sinh(_TRACKER) * transverse
            pool = _kept(pool, ~(tracked & (charges(pool.pdg_id) != 0)))
        self._pool = pool

    def add_to(self, particles: Particles) -> tuple[Particles, np.ndarray]:
        """Return collisions with pile-up, and the number of pile-up collisions in each."""
        events = len(particles.offsets) - 1
        numbers = self._random.poisson(self._mean, events)
        drawn = self._random.integers(0, self._size, int(numbers.sum()))
        angle = self._random.uniform(0, 2 * np.pi, len(drawn))
        side = self._random.choice([-1.0, 1.0], len(drawn))
        pool = self._pool
        counts = np.diff(pool.offsets)[drawn]
        begins = offsets_of(counts)
        rows = np.arange(begins[-1]) + np.repeat(pool.offsets[:-1][drawn] - begins[:-1], counts)
        cosine, sine = np.repeat(np.cos(angle), counts), np.repeat(np.sin(angle), counts)
        px, py = pool.px[rows], pool.py[rows]
        added = (
            cosine * px - sine * py,
            sine * px + cosine * py,
            np.repeat(side, counts) * pool.pz[rows],
            pool.energy[rows],
            pool.pdg_id[rows],
        )
        event = np.concatenate(
            [particles.event, np.repeat(np.repeat(np.arange(events), numbers), counts)]
        )
        order = np.argsort(event, kind="stable")
        columns = (
            np.concatenate([hard, soft])[order]
            for hard, soft in zip(particles[1:], added, strict=True)
        )
        return Particles(offsets_of(np.bincount(event, minlength=events)), *columns), numbers


def _kept(particles: Particles, mask: np.ndarray) -> Particles:
    counts = np.bincount(particles.event[mask], minlength=len(particles.offsets) - 1)
    return Particles(offsets_of(counts), *(column[mask] for column in particles[1:]))
