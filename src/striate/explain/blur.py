"""Gaussian blur: one image under four widths, directly and by FFT, and how long each takes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from matplotlib.ticker import NullLocator, StrMethodFormatter

from striate.convolution import convolve, fft_convolve, gaussian_blur, gaussian_kernel
from striate.errors import StriateError
from striate.explain.images import Source
from striate.explain.scenes.shapes import HIGH, WIDE
from striate.explain.scenes.writing import Picture
from striate.plots.style import COLOURS, INK, QUIET, Figure, clipped, context

WIDTHS = (1.0, 2.0, 4.0, 8.0)
"""Standard deviations in pixels."""

MOST_PIXELS = 256
"""Longest side of an image that is blurred directly, too."""

_SIDES = (3, 5, 9, 17, 33, 65)
_REPETITIONS = 5
_TRUNCATE = 4.0


@dataclass(frozen=True)
class Timing:
    """How long a convolution with a square kernel takes.

    Attributes
    ----------
    sides
        Of the kernels, in pixels.
    direct, transform
        Seconds, medians of some repetitions.
    repetitions
        Of each.
    """

    sides: tuple[int, ...]
    direct: tuple[float, ...]
    transform: tuple[float, ...]
    repetitions: int

    @property
    def wins_from(self) -> int | None:
        """The smallest kernel from which on the transform is the faster one; None if never."""
        wins = None
        for side, direct, transform in reversed(
            list(zip(self.sides, self.direct, self.transform, strict=True))
        ):
            if transform >= direct:
                break
            wins = side
        return wins

    def __str__(self) -> str:
        ends = f"{self.direct[-1] / self.transform[-1]:.0f} times as fast"
        side = self.sides[-1]
        if self.wins_from is None:
            return f"directly is faster up to {side} x {side}"
        return (
            f"FFT wins from {self.wins_from} x {self.wins_from} on; at {side} x {side} it is {ends}"
        )


@dataclass(frozen=True, eq=False)
class Blurred:
    """What the figure of blur shows.

    Attributes
    ----------
    picture
        The figure.
    differences
        {width: largest difference of the two methods}.
    timing
        Measured while the figure was made.
    """

    picture: Picture
    differences: dict[float, float]
    timing: Timing


def blur(
    image: Source,
    widths: Sequence[float] = WIDTHS,
    sides: Sequence[int] = _SIDES,
    clock: Callable[[], float] = time.perf_counter,
) -> Blurred:
    """Blur an image with Gaussians of several widths, and time both ways to do it (row C7).

    Parameters
    ----------
    image
        In grey.
    widths
        Standard deviations in pixels, up to 4.
    sides
        Of the kernels that are timed.
    clock
        What tells the seconds.

    Raises
    ------
    StriateError
        If the image has channels or is too large, or a width is not above 0.
    """
    pixels = np.asarray(image.pixels, float)
    if pixels.ndim != 2:
        raise StriateError("blur is shown for images without channels: give a grey one")
    if max(pixels.shape) > MOST_PIXELS:
        raise StriateError(
            f"an image of {pixels.shape[0]} x {pixels.shape[1]} pixels is too large to be blurred "
            f"directly: shrink it to {MOST_PIXELS} or fewer, as --shrink 128 does"
        )
    if not 1 <= len(widths) <= len(WIDTHS):
        raise StriateError(f"{len(widths)} widths: give 1 to {len(WIDTHS)}")
    blurred = [gaussian_blur(pixels, width, truncate=_TRUNCATE) for width in widths]
    differences = {
        width: float(
            np.abs(made - gaussian_blur(pixels, width, "direct", truncate=_TRUNCATE)).max()
        )
        for width, made in zip(widths, blurred, strict=True)
    }
    timing = _timed(pixels, sides, clock)
    return Blurred(
        Picture("blur", "Gaussian blur", _figure(image, blurred, differences, timing)),
        differences,
        timing,
    )


def _timed(pixels: np.ndarray, sides: Sequence[int], clock: Callable[[], float]) -> Timing:
    taken: dict[Callable[..., object], list[float]] = {convolve: [], fft_convolve: []}
    for side in sides:
        kernel = gaussian_kernel(side / 8, truncate=4.0 * (side - 1) / side)
        for method, seconds in taken.items():
            method(pixels, kernel, "same")  # the first call plans its transform
            times = []
            for _ in range(_REPETITIONS):
                begin = clock()
                method(pixels, kernel, "same")
                times.append(clock() - begin)
            seconds.append(median(times))
    direct, transform = taken.values()
    return Timing(tuple(sides), tuple(direct), tuple(transform), _REPETITIONS)


def _figure(
    image: Source,
    blurred: Sequence[np.ndarray],
    differences: dict[float, float],
    timing: Timing,
) -> Figure:
    rows, columns = image.pixels.shape
    shown = [image.pixels, *blurred]
    titles = ["original", *(f"σ = {width:g} px" for width in differences)]
    notes = ["", *(f"methods differ by {value:.0e}" for value in differences.values())]
    limits = float(image.pixels.min()), float(image.pixels.max())
    with context():
        figure = Figure(figsize=(WIDE, HIGH), layout="constrained")
        grid = figure.add_gridspec(2, len(shown), height_ratios=(1, 1.35))
        for number, (picture, title, note) in enumerate(zip(shown, titles, notes, strict=True)):
            axes = figure.add_subplot(grid[0, number])
            axes.imshow(picture, cmap="gray", vmin=limits[0], vmax=limits[1])
            axes.set_title(title, loc="center")
            axes.set_xlabel(note, fontsize=9, loc="center")
            axes.set(xticks=[], yticks=[])
            axes.minorticks_off()
        axes = figure.add_subplot(grid[1, :])
        for name, seconds, marker, line, colour in (
            ("directly", timing.direct, "o", "-", COLOURS[1]),
            ("by FFT", timing.transform, "s", "--", COLOURS[0]),
        ):
            milliseconds = [1e3 * value for value in seconds]
            axes.loglog(
                timing.sides, milliseconds, marker=marker, linestyle=line, color=colour, label=name
            )
        if timing.wins_from is not None:
            axes.axvline(timing.wins_from, color=INK, linestyle=":", linewidth=1)
        axes.set_xticks(timing.sides, [str(side) for side in timing.sides])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.set(
            xlabel="side of the kernel / pixels",
            ylabel="time / ms",
            title=str(timing).replace(" x ", " × "),
        )
        axes.legend(loc="upper left")
        figure.supxlabel(
            f"{clipped(image.name, 30)}, {rows} × {columns} pixels; medians of "
            f"{timing.repetitions}, measured while this figure was made "
            f"({os.cpu_count()} processors)",
            fontsize=9.5,
            color=QUIET,
        )
    return figure
