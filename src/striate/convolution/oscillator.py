"""A damped oscillator under a periodic force: each harmonic answers on its own (row C3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.convolution.series import Floats, FourierSeries, fourier_series, harmonic_sum
from striate.errors import StriateError


@dataclass(frozen=True, eq=False)
class DrivenOscillator:
    """The motion that remains of m x'' + c x' + k x = F(t) once the beginning is forgotten.

    Calling it with times evaluates the sum of the answers to each harmonic of the force,

        x_p(t) = mean + sum_n alpha_n cos(n w t - delta_n) + beta_n sin(n w t - delta_n).

    Attributes
    ----------
    force
        The Fourier series of F.
    mass, damping, stiffness
        m, c and k.
    mean
        f_0 / (2 k), about which it moves.
    cosines, sines
        Amplitudes alpha_n and beta_n for n = 1, 2, ...
    phases
        delta_n in radians, from 0 (far below the resonance) to pi (far above).
    """

    force: FourierSeries
    mass: float
    damping: float
    stiffness: float
    mean: float
    cosines: Floats
    sines: Floats
    phases: Floats

    @property
    def natural_frequency(self) -> float:
        """Angular frequency without damping and force, w_0 = sqrt(k / m)."""
        return math.sqrt(self.stiffness / self.mass)

    @property
    def amplitudes(self) -> Floats:
        """How far each harmonic swings, sqrt(alpha_n^2 + beta_n^2)."""
        return np.hypot(self.cosines, self.sines)

    def __call__(self, t: npt.ArrayLike) -> Floats:
        """Return the displacement at the times `t`."""
        cosines, sines = self._unshifted
        return harmonic_sum(t, self.mean, cosines, sines, self.force.frequency)

    def velocity(self, t: npt.ArrayLike) -> Floats:
        """Return dx_p / dt."""
        cosines, sines = self._unshifted
        rates = np.arange(1, self.force.terms + 1) * self.force.frequency
        return harmonic_sum(t, 0.0, rates * sines, -rates * cosines, self.force.frequency)

    @property
    def _unshifted(self) -> tuple[Floats, Floats]:
        """The same motion in cos(n w t) and sin(n w t), without phases."""
        cosine, sine = np.cos(self.phases), np.sin(self.phases)
        return (
            self.cosines * cosine - self.sines * sine,
            self.cosines * sine + self.sines * cosine,
        )


def driven_oscillator(
    force: FourierSeries | None = None,
    mass: float = 1.0,
    damping: float = 0.1,
    stiffness: float = 1.0,
) -> DrivenOscillator:
    """Solve m x'' + c x' + k x = F(t) for a periodic force, by superposition.

    The equation is linear, so the answers to the harmonics of the force add up. With
    w_0^2 = k / m and b = c / (2 m) they are

        alpha_n = (f_n / m) / sqrt((w_0^2 - n^2 w^2)^2 + (2 b n w)^2),   beta_n likewise from g_n,
        delta_n = arctan(2 b n w / (w_0^2 - n^2 w^2)), between 0 and pi.

    As printed in the lecture the first bracket lacks its square, without which it has not the
    dimension of the second.

    Parameters
    ----------
    force
        Its Fourier series; the square wave of the lecture, with 500 harmonics, when None.
    mass, damping, stiffness
        m, c and k, each above 0. Without damping the beginning is never forgotten.

    Returns
    -------
    DrivenOscillator
        With amplitudes and phases, and itself a function of time.

    Raises
    ------
    StriateError
        If a number is not above 0.

    Examples
    --------
    An oscillator as fast as the third harmonic of the force answers to it most:

    >>> force = fourier_series(5, period=2.0, width=1.0, height=1.0)
    >>> motion = driven_oscillator(force, stiffness=(3 * force.frequency) ** 2, damping=0.3)
    >>> motion.amplitudes.round(3), motion.phases.round(2)
    (array([0.008, 0.   , 0.075, 0.   , 0.001]), array([0.01, 0.04, 1.57, 3.09, 3.11]))
    """
    driving = fourier_series() if force is None else force
    for name, value in (("mass", mass), ("damping", damping), ("stiffness", stiffness)):
        if not (value > 0 and math.isfinite(value)):
            raise StriateError(f"{name} must be above 0, not {value}")
    frequencies = np.arange(1, driving.terms + 1) * driving.frequency
    # m times the two brackets: what stiffness and inertia, and what damping hold against F.
    elastic = stiffness - mass * frequencies**2
    resistive = damping * frequencies
    resistance = np.hypot(elastic, resistive)
    return DrivenOscillator(
        driving,
        mass,
        damping,
        stiffness,
        driving.mean / stiffness,
        driving.cosines / resistance,
        driving.sines / resistance,
        np.arctan2(resistive, elastic),
    )
