"""The figure of the Fourier series says what the series does (row C3)."""

import math

import numpy as np
import pytest
from scipy import integrate

from striate.convolution import driven_oscillator, fourier_series
from striate.errors import StriateError
from striate.explain.fourier import GIBBS, fourier, oscillator


def test_the_error_falls_and_the_overshoot_stays_near_nine_percent():
    picture = fourier(fourier_series(100))
    wave, error, overshoot = picture.figure.axes
    counts, errors = error.lines[0].get_data()
    assert list(counts[[0, -1]]) == [1, 100]
    assert np.all(np.diff(errors) <= 0)
    assert errors[-1] < errors[0] / 5
    shares = overshoot.lines[0].get_ydata()
    assert shares[-1] == pytest.approx(100 * GIBBS, abs=0.1)
    assert overshoot.get_title(loc="left") == "The overshoot stays near 9 %"
    assert [text.get_text() for text in overshoot.texts] == ["Gibbs: 8.95 %"]
    assert [line.get_label() for line in wave.lines] == [
        "square wave",
        "1 term",
        "3 terms",
        "10 terms",
        "50 terms",
    ]
    for axes in picture.figure.axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel()


def test_gibbs_number_is_the_integral():
    si, _ = integrate.quad(lambda x: math.sin(x) / x, 0, math.pi)
    assert pytest.approx(si / math.pi - 0.5, abs=1e-6) == GIBBS


def test_the_curves_are_the_series():
    series = fourier_series(10)
    drawn = fourier(series).figure.axes[0].lines[2]
    t, values = drawn.get_data()
    expected = 1 + sum(
        4 / (n * np.pi) * np.sin(n * np.pi / 2) * np.cos(2 * np.pi * n * t / 0.2)
        for n in range(1, 4)
    )
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_each_step_adds_terms_and_says_what_they_give():
    captions = [scene.caption for scene in fourier(fourier_series(10)).scenes]
    assert [caption.split()[0] for caption in captions] == ["1", "2", "3", "5", "10"]
    t = np.linspace(0, 0.05, 20001)
    ten = sum(
        4 / (n * np.pi) * np.sin(n * np.pi / 2) * np.cos(10 * np.pi * n * t) for n in range(1, 11)
    )
    assert f"overshoot {50 * (ten.max() - 1):.2f} % of the jump" in captions[-1]


def test_the_oscillator_has_amplitudes_phases_and_the_motion():
    motion = driven_oscillator(
        fourier_series(30, 2.0, 1.0, 1.0), damping=0.3, stiffness=(3 * math.pi) ** 2
    )
    figure = oscillator(motion).figure
    _, path, amplitudes, phases = figure.axes
    t, x = path.lines[0].get_data()
    np.testing.assert_allclose(x, motion(t))
    n, found = amplitudes.lines[0].get_data()
    assert n[np.argmax(found)] == 3
    # At the resonance it lags a quarter turn behind.
    assert phases.lines[0].get_ydata()[list(n).index(3)] == pytest.approx(0.5)
    assert [a.get_ylabel() for a in figure.axes] == [
        "force F / N",
        "displacement x / m",
        "amplitude / m",
        "phase lag / π",
    ]


def test_two_terms_show_too_little():
    with pytest.raises(StriateError, match="take 3 or more"):
        fourier(fourier_series(2))
