"""The Fourier series of a square wave: harmonics that add up to a jump, but for its overshoot.

Oslo lecture, row C3: period 0.2, width 0.1, height 2, up to 500 harmonics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.convolution.arguments import whole
from striate.errors import StriateError

Floats = npt.NDArray[np.float64]


def harmonic_sum(
    t: npt.ArrayLike, mean: float, cosines: Floats, sines: Floats, frequency: float
) -> Floats:
    """Return mean + sum_n cosines_n cos(n w t) + sines_n sin(n w t), n from 1, w the frequency."""
    times = np.asarray(t, float)
    total = np.full(times.shape, float(mean))
    for n, (cosine, sine) in enumerate(zip(cosines, sines, strict=True), 1):
        total += cosine * np.cos(n * frequency * times) + sine * np.sin(n * frequency * times)
    return total


@dataclass(frozen=True, eq=False)
class FourierSeries:
    """A square wave, and the first harmonics of its Fourier series.

    Calling it with times evaluates the series,

        F(t) = f_0 / 2 + sum_n f_n cos(n w t) + g_n sin(n w t),   w = 2 pi / period.

    Attributes
    ----------
    period, width
        Of the wave and of its pulse, in the unit of time.
    height
        Of the pulse; the wave is zero between pulses.
    centre
        A time at which a pulse has its middle.
    mean
        Of the wave, f_0 / 2.
    cosines, sines
        f_n and g_n for n = 1, 2, ...
    """

    period: float
    width: float
    height: float
    centre: float
    mean: float
    cosines: Floats
    sines: Floats

    @property
    def terms(self) -> int:
        """How many harmonics there are."""
        return len(self.cosines)

    @property
    def frequency(self) -> float:
        """Angular frequency of the first harmonic, 2 pi / period."""
        return 2 * math.pi / self.period

    def __call__(self, t: npt.ArrayLike, terms: int | None = None) -> Floats:
        """Return the series at the times `t`, of all harmonics or of the first `terms`."""
        n = self._first(terms)
        return harmonic_sum(t, self.mean, self.cosines[:n], self.sines[:n], self.frequency)

    def wave(self, t: npt.ArrayLike) -> Floats:
        """Return the square wave itself; half its height at a jump, where the series goes to."""
        from_centre = np.abs(
            np.mod(np.asarray(t, float) - self.centre + self.period / 2, self.period)
            - self.period / 2
        )
        at_jump = np.isclose(from_centre, self.width / 2, rtol=0, atol=1e-9 * self.period)
        return self.height * np.where(at_jump, 0.5, from_centre < self.width / 2)

    def error(self, terms: int | None = None) -> float:
        """Return the root of the mean squared difference of wave and series over a period.

        By Parseval's theorem it is what the harmonics left out hold, so it never grows with more.
        """
        n = self._first(terms)
        share = self.width / self.period
        kept = math.fsum(0.5 * (self.cosines[:n] ** 2 + self.sines[:n] ** 2))
        return math.sqrt(max(self.height**2 * share * (1 - share) - kept, 0.0))

    def overshoot(self, terms: int | None = None) -> float:
        """Return how far the series rises above the pulse beside its jump, as a share of the jump.

        With more harmonics it does not vanish, but goes to Si(pi) / pi - 1/2 = 0.0895 (Gibbs).
        Harmonics too few to fill the pulse may stay below it: then the number is negative.
        """
        n = self._first(terms)
        # The highest point lies about half an oscillation of the last harmonic beside the jump.
        near = min(1.5 * self.period / n, self.width / 2)
        times = self.centre + self.width / 2 - np.linspace(0.0, near, 2001)
        return float(self(times, n).max()) / self.height - 1

    def _first(self, terms: int | None) -> int:
        if terms is None:
            return self.terms
        if whole(terms, "terms", 1) > self.terms:
            raise StriateError(
                f"terms must be {self.terms} or fewer, not {terms}: make a series of more"
            )
        return terms


def fourier_series(
    terms: int = 500,
    period: float = 0.2,
    width: float = 0.1,
    height: float = 2.0,
    centre: float = 0.0,
) -> FourierSeries:
    """Return the Fourier series of a square wave.

    With its middle at t = 0 the wave is even, and its harmonics are cosines,

        f_n = 2 height / (n pi) sin(n pi width / period),   g_n = 0;

    another `centre` turns each harmonic by n w centre.

    Parameters
    ----------
    terms
        How many harmonics to take.
    period
        Of the wave, in any unit of time.
    width
        Of its pulse, above 0 and below the period.
    height
        Of its pulse, above 0.
    centre
        Time of the middle of a pulse.

    Returns
    -------
    FourierSeries
        With its coefficients, and itself a function of time.

    Raises
    ------
    StriateError
        If a number is out of range.

    Examples
    --------
    >>> series = fourier_series(terms=3)
    >>> series.mean, series.cosines.round(4)
    (1.0, array([ 1.2732,  0.    , -0.4244]))
    >>> [round(fourier_series(n).overshoot(), 3) for n in (5, 50, 500)]
    [0.094, 0.09, 0.089]
    """
    count = whole(terms, "terms", 1)
    if not (period > 0 and math.isfinite(period)):
        raise StriateError(f"period must be above 0, not {period}")
    if not 0 < width < period:
        raise StriateError(f"width must be above 0 and below the period {period}, not {width}")
    if not (height > 0 and math.isfinite(height)):
        raise StriateError(f"height must be above 0, not {height}")
    if not math.isfinite(centre):
        raise StriateError(f"centre must be a time, not {centre}")
    n = np.arange(1, count + 1)
    amplitudes = 2 * height / (n * math.pi) * np.sin(n * math.pi * width / period)
    turned = n * 2 * math.pi * centre / period
    return FourierSeries(
        period,
        width,
        height,
        centre,
        height * width / period,
        amplitudes * np.cos(turned),
        amplitudes * np.sin(turned),
    )
