"""``striate explain fourier``: a square wave from harmonics, and an oscillator driven by it."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli import explain_options as given
from striate.cli import options, output

EXAMPLES = options.examples(
    "striate explain fourier",
    "striate explain fourier --terms 50 --width 0.05 --out narrow.html",
)


def fourier(
    terms: Annotated[int, typer.Option(metavar="N", min=3, max=5000, help="Harmonics.")] = 500,
    period: Annotated[float, typer.Option(metavar="T", help="Period of the wave, s.")] = 0.2,
    width: Annotated[float, typer.Option(metavar="T", help="Width of its pulse, s.")] = 0.1,
    height: Annotated[float, typer.Option(metavar="F", help="Height of its pulse, N.")] = 2.0,
    mass: Annotated[float, typer.Option(metavar="M", help="Of the oscillator, kg.")] = 1.0,
    damping: Annotated[float, typer.Option(metavar="C", help="Of the oscillator, kg/s.")] = 10.0,
    stiffness: Annotated[float, typer.Option(metavar="K", help="Of its spring, N/m.")] = 1e4,
    out: given.Out = None,
    json: options.Json = False,
) -> None:
    """Show a Fourier series of a square wave.

    The more terms, the smaller the error in the mean; the overshoot at the jump stays near 9 %.
    Further files that end in -oscillator show an oscillator that the wave drives: each harmonic
    with its amplitude and phase, and the motion that they add up to.
    """
    with output.waiting("drawing ..."):
        from striate.convolution import driven_oscillator, fourier_series
        from striate.explain import fourier as pictures

        series = fourier_series(terms, period, width, height)
        motion = driven_oscillator(series, mass, damping, stiffness)
        drawn = [pictures.fourier(series), pictures.oscillator(motion)]
    error, overshoot = series.error(), series.overshoot()
    strongest = int(motion.amplitudes.argmax()) + 1
    given.write(
        drawn,
        out,
        "fourier",
        {
            "terms": terms,
            "error": error,
            "overshoot": overshoot,
            "resonance": motion.natural_frequency / series.frequency,
            "amplitudes": motion.amplitudes.tolist(),
            "phases": motion.phases.tolist(),
        },
        lines=[
            f"{terms} terms: error {error:.3g} N, overshoot {overshoot:.2%} of the jump",
            f"harmonic {strongest} swings most, by {motion.amplitudes[strongest - 1]:.3g} m",
        ],
        json=json,
    )
