"""Fourier series of a square wave, its error and overshoot, and an oscillator that it drives."""

from __future__ import annotations

import functools
import io
import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from striate.convolution import DrivenOscillator, FourierSeries
from striate.errors import StriateError
from striate.explain.scenes.shapes import (
    HIGH,
    WIDE,
    Box,
    Curve,
    Raster,
    Scene,
    Shape,
    Steps,
    Words,
)
from striate.explain.scenes.writing import Picture
from striate.plots.style import COLOURS, INK, LINES, QUIET, Figure, context

GIBBS = 0.0894899
"""Si(pi) / pi - 1/2, what the overshoot goes to."""

_SHOWN = (1, 3, 10, 50)
_POINTS = 2000


def fourier(series: FourierSeries) -> Picture:
    """Show how a Fourier series comes near a square wave, but for its overshoot (row C3).

    Parameters
    ----------
    series
        Of 3 harmonics or more.

    Raises
    ------
    StriateError
        If there are fewer.
    """
    if series.terms < 3:
        raise StriateError(f"a series of {series.terms} terms shows too little: take 3 or more")
    approach = _Approach.of(series)
    few = [n for n in _SHOWN if n <= series.terms]
    last = len(approach.counts) - 1
    return Picture(
        "fourier",
        "Fourier series of a square wave",
        _whole(series, approach, few, last),
        _steps(series, approach),
    )


def oscillator(motion: DrivenOscillator) -> Picture:
    """Show how each harmonic of a force drives an oscillator, and the motion that they add up to.

    Parameters
    ----------
    motion
        Its force is a series.
    """
    force = motion.force
    n = np.arange(1, min(force.terms, 25) + 1)
    amplitudes, phases = motion.amplitudes[: len(n)], motion.phases[: len(n)]
    times = np.linspace(0, 3 * force.period, _POINTS)
    with context():
        figure = Figure(figsize=(WIDE, HIGH), layout="constrained")
        force_axes, motion_axes, amplitude_axes, phase_axes = (
            figure.add_subplot(2, 2, number) for number in range(1, 5)
        )
        figure.suptitle(
            "Each harmonic drives the oscillator by itself; their answers add up",
            x=0.02,
            ha="left",
            fontsize=14,
            fontweight="bold",
        )
        force_axes.plot(times, force.wave(times), color=QUIET, linestyle="--", label="square wave")
        force_axes.plot(times, force(times), color=INK, linewidth=1, label=f"{force.terms} terms")
        force_axes.set(xlabel="time t / s", ylabel="force F / N", title="The force")
        force_axes.set_ylim(-0.25 * force.height, 1.7 * force.height)
        force_axes.legend(loc="upper right", ncols=2)
        motion_axes.plot(times, motion(times), color=COLOURS[0])
        motion_axes.axhline(motion.mean, color=QUIET, linestyle=":", label="mean")
        motion_axes.set(xlabel="time t / s", ylabel="displacement x / m", title="The motion")
        motion_axes.margins(y=0.3)
        motion_axes.legend(loc="upper right")
        answering = amplitudes > 1e-12 * amplitudes.max()
        amplitude_axes.vlines(
            n[answering], amplitudes[answering].min() / 3, amplitudes[answering], color=COLOURS[0]
        )
        amplitude_axes.plot(n[answering], amplitudes[answering], "o", color=COLOURS[0])
        amplitude_axes.set_yscale("log")
        resonance = motion.natural_frequency / force.frequency
        phase_axes.plot(n[answering], phases[answering] / math.pi, "o", color=COLOURS[0])
        phase_axes.set_ylim(-0.08, 1.2)
        for axes, words in (
            (amplitude_axes, "amplitude / m"),
            (phase_axes, "phase lag / π"),
        ):
            if 0 < resonance < n[-1]:
                axes.axvline(
                    resonance, color=COLOURS[1], linestyle="--", label=f"resonance, {resonance:.2g}"
                )
                axes.legend(loc="upper right" if axes is amplitude_axes else "lower right")
            axes.set(xlabel="harmonic n", ylabel=words, xlim=(0, n[-1] + 1))
        amplitude_axes.set_title("How far each harmonic swings")
        phase_axes.set_title("How far each lags behind")
        figure.supxlabel(
            f"mass {motion.mass:g} kg, damping {motion.damping:g} kg/s, stiffness "
            f"{motion.stiffness:g} N/m. Harmonics that the force lacks are left out.",
            fontsize=9.5,
            color=QUIET,
            x=0.02,
            ha="left",
        )
    return Picture("oscillator", "A driven oscillator", figure)


@dataclass(frozen=True, eq=False)
class _Approach:
    """How near the first so many terms come: error in N, overshoot in % of the jump."""

    counts: list[int]
    errors: list[float]
    overshoots: list[float]

    @classmethod
    def of(cls, series: FourierSeries) -> _Approach:
        counts = _counts(series.terms)
        return cls(
            counts,
            [series.error(n) for n in counts],
            [100 * series.overshoot(n) for n in counts],
        )

    def told(self, step: int) -> str:
        overshoot = f"{self.overshoots[step]:.2f}".replace("-", "−")
        return f"error {self.errors[step]:.3g} N, overshoot {overshoot} % of the jump"


def _whole(series: FourierSeries, approach: _Approach, drawn: list[int], step: int) -> Figure:
    """Return the figure with several curves, and the last number of terms marked."""
    figure, wave, error, overshoot = _axes(series, approach)
    times = _times(series)
    with context():
        for number, n in enumerate(drawn):
            many = number == len(drawn) - 1
            wave.plot(
                times,
                series(times, n),
                color=INK if many else COLOURS[number],
                linestyle="-" if many else LINES[(number + 1) % len(LINES)],
                linewidth=1.1 if many else 1.8,
                label=_terms(n),
            )
        wave.legend(loc="upper center", ncols=3)
        n = approach.counts[step]
        for axes, values in ((error, approach.errors), (overshoot, approach.overshoots)):
            axes.plot([n], [values[step]], "s", color=COLOURS[1], markersize=8)
        figure.supxlabel(f"Red square, n = {n}: {approach.told(step)}", fontsize=11)
    return figure


def _steps(series: FourierSeries, approach: _Approach) -> Steps:
    """Return a scene for each number of terms, upon a background that is drawn once."""

    @functools.cache
    def background() -> tuple[Raster, tuple[Axes, ...]]:
        figure, *axes = _axes(series, approach)
        with context():
            axes[0].legend(loc="upper center")
            figure.supxlabel("n", fontsize=11, color="none")  # keeps room for words
            figure.canvas.draw()
            figure.set_layout_engine("none")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
        return Raster(0, 0, WIDE, HIGH, buffer.getvalue()), tuple(axes)

    def scene(step: int) -> Scene:
        raster, (wave, error, overshoot) = background()
        n, times = approach.counts[step], _times(series)
        curve = zip(times.tolist(), series(times, n).tolist(), strict=True)
        shapes: list[Shape] = [raster, Curve(tuple(_inches(wave, *point) for point in curve))]
        for axes, values in ((error, approach.errors), (overshoot, approach.overshoots)):
            x, y = _inches(axes, n, values[step])
            shapes.append(Box(x - 0.06, y - 0.06, 0.12, 0.12, COLOURS[1]))
        told = f"{_terms(n)}: {approach.told(step)}"
        shapes.append(Words(0.5 * WIDE, HIGH - 0.13, told, 12.0, "middle", bold=True))
        return Scene(tuple(shapes), f"{told}.")

    return Steps(scene, len(approach.counts))


def _axes(series: FourierSeries, approach: _Approach) -> tuple[Figure, Axes, Axes, Axes]:
    """Return the figure with the square wave, and what becomes of error and overshoot."""
    counts, overshoots = approach.counts, approach.overshoots
    with context():
        figure = Figure(figsize=(WIDE, HIGH), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(1.45, 1))
        wave = figure.add_subplot(grid[:, 0])
        error, overshoot = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
        times = _times(series)
        wave.plot(
            times, series.wave(times), color=QUIET, linewidth=3, alpha=0.5, label="square wave"
        )
        # The overshoot and the words above it need room.
        wave.set_ylim(-0.35 * series.height, 1.65 * series.height)
        wave.set(xlabel="time t / s", ylabel="force F / N", title="Fourier series of a square wave")
        error.loglog(counts, approach.errors, "o-", color=COLOURS[0])
        error.set(
            title="The error in the mean falls", xlabel="terms n", ylabel="r.m.s. error of F / N"
        )
        overshoot.semilogx(counts, overshoots, "o-", color=COLOURS[0])
        overshoot.axhline(100 * GIBBS, color=INK, linestyle="--")
        low, high = min(0.0, *overshoots), max(12.0, *overshoots)
        overshoot.set_ylim(low - 1, high + 0.35 * (high - low))
        overshoot.annotate(
            f"Gibbs: {100 * GIBBS:.2f} %",
            (counts[0], 100 * GIBBS),
            (0, -5),
            textcoords="offset points",
            va="top",
            fontsize=10,
        )
        overshoot.set(
            title="The overshoot stays near 9 %",
            xlabel="terms n",
            ylabel="overshoot / % of jump",
        )
    return figure, wave, error, overshoot


def _inches(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Return where a point of some axes lies, in inches from the upper left of the figure."""
    figure = axes.figure
    across, up = axes.transData.transform((x, y)) / figure.dpi
    return float(across), HIGH - float(up)


def _times(series: FourierSeries) -> np.ndarray:
    return np.linspace(-0.5 * series.period, series.period, _POINTS)


def _counts(terms: int) -> list[int]:
    """Return which numbers of terms are looked at: 1, 2, 3, 5 of each decade, up to all."""
    found = {
        factor * 10**power
        for power in range(int(math.log10(terms)) + 1)
        for factor in (1, 2, 3, 5)
        if factor * 10**power <= terms
    }
    return sorted(found | {terms})


def _terms(n: int) -> str:
    return f"{n} term{'s' if n > 1 else ''}"
