"""The driven oscillator: its sum of harmonics solves the equation of motion."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from striate.convolution import driven_oscillator, fourier_series
from striate.errors import StriateError


def integrated(motion, start, times, force):
    """Solve the equation of motion numerically, from a displacement and a velocity."""

    def derivatives(t, state):
        x, v = state
        return v, (force(t) - motion.damping * v - motion.stiffness * x) / motion.mass

    solution = integrate.solve_ivp(
        derivatives, (times[0], times[-1]), start, "DOP853", times, rtol=1e-10, atol=1e-12
    )
    assert solution.success
    return solution.y


@settings(max_examples=8)
@given(
    mass=st.floats(0.2, 3),
    damping=st.floats(0.2, 3),
    stiffness=st.floats(0.2, 30),
    width=st.floats(0.2, 1.8),
    centre=st.floats(-1, 1),
    terms=st.integers(1, 8),
)
def test_c3_the_sum_solves_the_equation(mass, damping, stiffness, width, centre, terms):
    """With the same harmonics as force, and both cosines and sines in it."""
    force = fourier_series(terms, 2.0, width, 1.5, centre)
    motion = driven_oscillator(force, mass, damping, stiffness)
    times = np.linspace(0.3, 6.3, 50)
    x, v = integrated(motion, (motion(0.3), motion.velocity(0.3)), times, force)
    np.testing.assert_allclose(x, motion(times), atol=1e-7)
    np.testing.assert_allclose(v, motion.velocity(times), atol=1e-7)


def test_c3_the_lectures_force_drives_it_as_the_square_wave_does():
    """T = 0.2, W = 0.1, F = 2 and 500 harmonics, against the wave itself, piece by piece."""
    motion = driven_oscillator(stiffness=900.0, damping=2.0)
    assert motion.force.terms == 500
    edges = [0.0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55]  # from the middle of a pulse
    state = (motion(0.0), motion.velocity(0.0))
    for number, (begin, end) in enumerate(pairwise(edges)):
        times = np.linspace(begin, end, 20)
        height = 0.0 if number % 2 else 2.0
        x, v = integrated(motion, state, times, lambda t, f=height: f)
        np.testing.assert_allclose(x, motion(times), atol=1e-7)
        state = (x[-1], v[-1])


def test_c3_whatever_the_beginning_it_is_forgotten():
    force = fourier_series(5, 1.0, 0.5, 1.0)
    motion = driven_oscillator(force, damping=2.0, stiffness=30.0)
    times = np.linspace(0, 30, 100)
    x, _ = integrated(motion, (2.0, -5.0), times, force)
    assert abs(x[0] - motion(0.0)) > 1
    np.testing.assert_allclose(x[80:], motion(times[80:]), atol=1e-7)


def test_c3_amplitude_and_phase_of_each_harmonic():
    """A harmonic alone, from the complex response 1 / (k - m w^2 + i c w)."""
    force = fourier_series(40, 0.2, 0.07, 2.0)
    motion = driven_oscillator(force, mass=0.5, damping=3.0, stiffness=2e4)
    n = np.arange(1, 41)
    response = 1 / (2e4 - 0.5 * (n * force.frequency) ** 2 + 3.0j * n * force.frequency)
    np.testing.assert_allclose(motion.amplitudes, np.abs(force.cosines * response))
    np.testing.assert_allclose(motion.phases, -np.angle(response))
    assert np.all(np.diff(motion.phases) > 0)
    assert 0 < motion.phases[0] < motion.phases[-1] < math.pi
    assert motion.mean == pytest.approx(force.mean / 2e4)
    assert motion.natural_frequency == 200


@pytest.mark.parametrize("name", ["mass", "damping", "stiffness"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_mistakes_are_refused(name, value):
    with pytest.raises(StriateError, match=f"{name} must be above 0, not {value}"):
        driven_oscillator(**{name: value})
