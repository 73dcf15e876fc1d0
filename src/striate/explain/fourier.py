"""Fourier series of a square wave, its error and overshoot, and an oscillator that it drives."""

from __future__ import annotations

import functools
import io
import math

import numpy as np
from matplotlib.axes import Axes

from striate.convolution import DrivenOscillator, FourierSeries
from striate.errors import StriateError
from striate.explain.scenes.shapes import HIGH, WIDE, Raster, Scene, Steps
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
    counts = _counts(series.terms)
    few = [n for n in _SHOWN if n <= series.terms]
    last = counts[-1]

    # Drawing takes a while, and more than one format may ask for it.
    @functools.cache
    def scene(step: int) -> Scene:
        n = counts[step]
        return Scene(
            (Raster(0, 0, WIDE, HIGH, _png(_figure(series, [n], counts, n))),),
            f"{n} term{'s' if n > 1 else ''}: root mean square error {series.error(n):.3g}, "
            f"overshoot {_percent(series.overshoot(n))} of the jump.",
        )

    return Picture(
        "fourier",
        "Fourier series of a square wave",
        _figure(series, few, counts, last),
        Steps(scene, len(counts)),
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


def _figure(series: FourierSeries, drawn: list[int], counts: list[int], marked: int) -> Figure:
    errors = np.array([series.error(n) for n in counts])
    overshoots = np.array([series.overshoot(n) for n in counts])
    with context():
        figure = Figure(figsize=(WIDE, HIGH), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(1.45, 1))
        _wave(figure.add_subplot(grid[:, 0]), series, drawn)
        error, overshoot = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
        error.loglog(counts, errors, "o-", color=COLOURS[0])
        error.loglog([marked], [series.error(marked)], "s", color=COLOURS[1], markersize=8)
        error.set(
            title="The error in the mean falls", xlabel="terms n", ylabel="r.m.s. error of F / N"
        )
        overshoot.semilogx(counts, 100 * overshoots, "o-", color=COLOURS[0])
        overshoot.semilogx(
            [marked], [100 * series.overshoot(marked)], "s", color=COLOURS[1], markersize=8
        )
        overshoot.axhline(100 * GIBBS, color=INK, linestyle="--")
        low, high = min(0.0, 100 * overshoots.min()), max(12.0, 100 * overshoots.max())
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
        figure.supxlabel(
            f"Red square, n = {marked}: error {series.error(marked):.3g} N, overshoot "
            f"{_percent(series.overshoot(marked))} of the jump",
            fontsize=11,
        )
    return figure


def _wave(axes: Axes, series: FourierSeries, drawn: list[int]) -> None:
    times = np.linspace(-0.5 * series.period, series.period, _POINTS)
    axes.plot(times, series.wave(times), color=QUIET, linewidth=3, alpha=0.5, label="square wave")
    for number, n in enumerate(drawn):
        many = number == len(drawn) - 1
        axes.plot(
            times,
            series(times, n),
            color=INK if many else COLOURS[number],
            linestyle="-" if many else LINES[(number + 1) % len(LINES)],
            linewidth=1.1 if many else 1.8,
            label=f"{n} term{'s' if n > 1 else ''}",
        )
    # The overshoot and the words above it need room.
    axes.set_ylim(-0.35 * series.height, 1.65 * series.height)
    axes.set(xlabel="time t / s", ylabel="force F / N", title="Fourier series of a square wave")
    axes.legend(loc="upper center", ncols=3)


def _counts(terms: int) -> list[int]:
    """Return which numbers of terms are looked at: 1, 2, 3, 5 of each decade, up to all."""
    found = {
        factor * 10**power
        for power in range(int(math.log10(terms)) + 1)
        for factor in (1, 2, 3, 5)
        if factor * 10**power <= terms
    }
    return sorted(found | {terms})


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %".replace("-", "−")


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120, metadata={"Software": None})
    return buffer.getvalue()
