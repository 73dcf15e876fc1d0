"""The Fourier series of a square wave: its coefficients, its error and its overshoot."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, signal, special

from striate.convolution import fourier_series
from striate.errors import StriateError


def test_c3_the_lectures_series():
    """Its listing sums cosines with 2 F / (pi n) sin(pi n W / T), n below 500, about F W / T."""
    t = np.linspace(0, 1, 500, endpoint=False)
    expected = np.full(500, 2.0 * 0.1 / 0.2)
    for n in range(1, 500):
        amplitude = 2 * 2.0 / (np.pi * n) * np.sin(np.pi * n * 0.1 / 0.2)
        expected += amplitude * np.cos(2 * np.pi * n * t / 0.2)
    series = fourier_series(terms=499)
    np.testing.assert_allclose(series(t), expected, atol=1e-12)
    away = np.abs(np.mod(t, 0.1) - 0.05) > 0.005  # from the jumps
    np.testing.assert_allclose(series(t)[away], series.wave(t)[away], atol=0.05)


@given(share=st.floats(0.05, 0.95), centre=st.floats(-2, 2), n=st.integers(1, 12))
def test_c3_coefficients_are_the_integrals(share, centre, n):
    period, height = 1.7, 3.0
    series = fourier_series(12, period, share * period, height, centre)
    start, end = centre - share * period / 2, centre + share * period / 2
    for function, coefficients in ((np.cos, series.cosines), (np.sin, series.sines)):
        value, _ = integrate.quad(
            lambda t, f=function: height * f(2 * np.pi * n * t / period), start, end
        )
        assert coefficients[n - 1] == pytest.approx(2 / period * value, abs=1e-9)
    assert series.mean == pytest.approx(height * share)


@given(share=st.floats(0.05, 0.95), seed=st.integers(0, 2**32 - 1))
def test_c3_the_wave_agrees_with_scipy(share, seed):
    t = np.random.default_rng(seed).uniform(-3, 3, 200)
    series = fourier_series(1, period=1.5, width=share * 1.5, centre=share * 0.75, height=2.0)
    expected = 1 + signal.square(2 * np.pi * t / 1.5, duty=share)
    np.testing.assert_array_equal(series.wave(t), expected)


@given(share=st.floats(0.1, 0.9))
def test_c3_the_error_in_the_mean_falls_with_more_terms(share):
    series = fourier_series(200, period=1.0, width=share, height=1.0)
    errors = [series.error(n) for n in range(1, 201)]
    # Harmonics that vanish, as the even ones of half a period, do not change it.
    assert np.all(np.diff(errors) <= 0)
    assert errors[199] < errors[19] < errors[1]
    # What is left out falls as 1 / n^2, so its sum as 1 / n.
    assert errors[199] < 1.1 * math.sqrt(2 / (math.pi**2 * 200))


def test_c3_the_error_is_that_of_the_curves():
    series = fourier_series(20, period=1.0, width=0.3, height=2.0)
    t = (np.arange(200_000) + 0.5) / 200_000
    for n in (1, 5, 20):
        measured = np.sqrt(np.mean((series(t, n) - series.wave(t)) ** 2))
        assert series.error(n) == pytest.approx(measured, rel=1e-4)


def test_c3_the_overshoot_stays_near_9_percent():
    gibbs = special.sici(np.pi)[0] / np.pi - 0.5
    assert gibbs == pytest.approx(0.08949, abs=1e-5)
    series = fourier_series(2000)
    shares = [series.overshoot(n) for n in (5, 51, 501, 1999)]
    assert np.all(np.diff(shares) < 0)
    assert all(0.089 < share < 0.095 for share in shares)
    assert shares[-1] == pytest.approx(gibbs, abs=1e-5)
    # A pulse of another width comes there, too, though its neighbours pull at it.
    assert fourier_series(5000, 1.0, 0.23, 7.0).overshoot() == pytest.approx(gibbs, abs=5e-4)


def test_c3_the_overshoot_is_the_highest_point():
    series = fourier_series(41, period=1.0, width=0.4, height=3.0, centre=0.2)
    highest = series(np.linspace(0, 1, 200_001)).max()
    assert series.overshoot() == pytest.approx(highest / 3 - 1, abs=1e-6)


def test_at_a_jump_the_series_goes_through_the_middle():
    series = fourier_series()
    jumps = np.array([-0.05, 0.05, 0.15, 0.25])
    np.testing.assert_allclose(series(jumps), 1.0, atol=1e-9)
    np.testing.assert_array_equal(series.wave(jumps), 1.0)
    assert series(0.0).shape == ()
    assert series.terms == 500


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"terms": 0}, "terms must be 1 or more, not 0"),
        ({"period": 0}, "period must be above 0, not 0"),
        ({"width": 0.2}, "width must be above 0 and below the period 0.2, not 0.2"),
        ({"width": -0.1}, "width must be above 0"),
        ({"height": math.nan}, "height must be above 0, not nan"),
        ({"centre": math.inf}, "centre must be a time, not inf"),
    ],
)
def test_mistakes_are_refused(arguments, words):
    with pytest.raises(StriateError, match=words):
        fourier_series(**arguments)


def test_no_more_terms_than_there_are():
    with pytest.raises(StriateError, match="terms must be 3 or fewer, not 4"):
        fourier_series(3)(0.0, terms=4)
