from __future__ import annotations

import numpy as np
import pytest

from striate.jets import Constituents


def two_prongs(
    n: int = 200, seed: int = 3, *, share: float = 0.4, apart: float = 0.6, jets_with_one: int = 0
) -> Constituents:
    """Make jets of two cores with soft radiation around, in any direction of the detector."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(12, 50, n)
    jet = np.repeat(np.arange(n), counts)
    particles = len(jet)
    axis, azimuth, tilt = rng.uniform(-1.5, 1.5, n), rng.uniform(-4, 4, n), rng.uniform(-4, 4, n)
    second = rng.random(particles) < share
    second &= jet >= jets_with_one
    far = np.where(second, apart, 0.0)
    width = rng.choice([0.03, 0.25], particles, p=[0.7, 0.3])
    return Constituents.from_arrays(
        rng.exponential(5, particles) + 0.3,
        axis[jet] + far * np.cos(tilt[jet]) + rng.normal(0, width),
        azimuth[jet] + far * np.sin(tilt[jet]) + rng.normal(0, width),
        charge=rng.integers(-1, 2, particles),
        counts=counts,
    )


@pytest.fixture(scope="session")
def jets() -> Constituents:
    """Two hundred jets with two cores, but for the first five."""
    return two_prongs(jets_with_one=5)
