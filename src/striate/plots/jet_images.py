"""Pictures of jets: average images, correlation with an output, surest mistakes, one jet close up.

Images are ``(n, row, col, channel)`` as :func:`striate.jets.jet_images` makes them: pseudorapidity
to the right, azimuth upwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, SymLogNorm
from matplotlib.ticker import LogLocator

from striate.errors import StriateError, nearest
from striate.jets import Constituents, ImageOptions
from striate.jets.images import aligned, images_and_fractions
from striate.jets.particles import is_charged
from striate.plots.style import (
    COLOURS,
    DIVERGING,
    INK,
    QUIET,
    SEQUENTIAL,
    SMALL,
    WIDTH,
    Figure,
    clipped,
    context,
    percent,
)

if TYPE_CHECKING:
    from striate.evaluation import Evaluation

_DECADES = 4
_ACROSS = "Δη"
_UP = "Δφ [rad]"


def average_images(
    images: np.ndarray | Mapping[str, np.ndarray],
    labels: np.ndarray,
    class_names: Sequence[str],
    *,
    width: float | Mapping[str, float],
    unit: str = "GeV",
    signal: str | None = None,
    background: str | None = None,
    weights: np.ndarray | None = None,
    channel: int = 0,
) -> Figure:
    """Draw the average image of signal, of background, and their difference.

    Parameters
    ----------
    images
        ``(n, row, col, channel)``; or several by title, e.g. before and after preprocessing, of
        the same jets in the same order: a row each, on one scale of colours.
    labels
        ``(n,)`` class numbers.
    class_names
        The names in the order of the numbers.
    width
        Length of an image's side in pseudorapidity and radians; by title, where they differ.
    unit
        What a pixel is measured in, e.g. ``"GeV"``, or ``"fraction of pT"``.
    signal, background
        Names of the classes; the second and the first where not given.
    weights
        ``(n,)`` event weights.
    channel
        Which channel to draw.

    Raises
    ------
    StriateError
        If a class is not known or has no jet, or numbers differ.
    """
    rows = dict(images) if isinstance(images, Mapping) else {"": images}
    names = list(class_names)
    chosen = [signal or names[1], background or names[0]]
    for name in chosen:
        if name not in names:
            raise StriateError(f"there is no class {name!r}: {nearest(name, names)}")
    means: list[list[np.ndarray]] = []
    for title, stack in rows.items():
        if len(stack) != len(labels):
            raise StriateError(f"{len(stack)} images {title!r} but {len(labels)} labels")
        of_row = []
        for name in chosen:
            mask = np.asarray(labels) == names.index(name)
            if not mask.any():
                raise StriateError(f"there is no jet of class {name!r}")
            share = None if weights is None else np.asarray(weights, np.float64)[mask]
            of_row.append(np.average(stack[mask][..., channel], axis=0, weights=share))
        means.append(of_row)
    largest = max(float(mean.max()) for row in means for mean in row) or 1.0
    furthest = max(float(np.abs(row[0] - row[1]).max()) for row in means) or 1.0
    log = LogNorm(largest / 10**_DECADES, largest)
    signed = SymLogNorm(furthest / 100, vmin=-furthest, vmax=furthest, base=10)
    with context():
        figure = Figure(figsize=(WIDTH, 1.0 + 1.5 * len(rows)), layout="compressed")
        grid = figure.subplots(len(rows), 3, squeeze=False, sharey="row")
        short = " − ".join(clipped(name, 7) for name in chosen)
        heads = (*(clipped(name, 16) for name in chosen), short)
        last = len(rows) - 1
        for position, (axes, row, title) in enumerate(zip(grid, means, rows, strict=True)):
            side = width[title] if isinstance(width, Mapping) else width
            pictures = (*row, row[0] - row[1])
            for i, (one, picture) in enumerate(zip(axes, pictures, strict=True)):
                drawn = _picture(one, picture, side, signed if i == 2 else log)
                if position == 0:
                    one.set_title(heads[i], fontsize=SMALL + 1, loc="center")
                if position == last or isinstance(width, Mapping):
                    one.set_xlabel(_ACROSS, fontsize=SMALL, loc="center", labelpad=1)
                if i == 1:
                    mean_bar = drawn
            axes[0].set_ylabel(
                f"{title}\n{_UP}" if title else _UP, fontsize=SMALL, loc="center", labelpad=1
            )
        _bar(figure, mean_bar, grid[:, :2], f"mean pixel [{unit}]")
        bar = _bar(figure, drawn, grid[:, 2:], f"difference [{unit}]")
        edge = 10.0 ** np.floor(np.log10(furthest))
        bar.set_ticks([-edge, 0, edge], labels=[f"{-edge:g}".replace("-", "−"), "0", f"{edge:g}"])
        bar.minorticks_off()
    return figure


def output_correlation(
    images: np.ndarray,
    output: np.ndarray,
    *,
    width: float,
    weights: np.ndarray | None = None,
    channel: int = 0,
) -> Figure:
    """Draw the linear correlation of each pixel with the output of a network.

    Blue pixels are brighter where the output is low, yellow ones where it is high; grey ones do
    not go with it, and white ones are the same in all images. As in arXiv:1511.05190.

    Parameters
    ----------
    images
        ``(n, row, col, channel)``.
    output
        ``(n,)``: the probability of the signal, or any number.
    width, weights, channel
        As in :func:`average_images`.

    Raises
    ------
    StriateError
        If numbers differ, or the output is the same for all.
    """
    correlation = pixel_correlation(images[..., channel], output, weights)
    limit = float(np.nanmax(np.abs(correlation))) if np.isfinite(correlation).any() else 1.0
    with context():
        figure = Figure(figsize=(3.6, 3.2), layout="compressed")
        axes = figure.subplots()
        drawn = _picture(axes, correlation, width, Normalize(-limit, limit), DIVERGING)
        axes.set_xlabel(_ACROSS, loc="center", labelpad=1)
        axes.set_ylabel(_UP, loc="center")
        bar = figure.colorbar(drawn, ax=axes, pad=0.02)
        bar.set_label("correlation with the output")
    return figure


def pixel_correlation(
    pixels: np.ndarray, output: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return Pearson's correlation of each pixel with `output`; NaN where a pixel never varies.

    Parameters
    ----------
    pixels
        ``(n, row, col)``.
    output
        ``(n,)``.
    weights
        ``(n,)`` event weights, or None.

    Returns
    -------
    numpy.ndarray
        ``(row, col)`` float64.

    Raises
    ------
    StriateError
        If numbers differ, or the output is the same for all.
    """
    if np.shape(output) != (len(pixels),):
        raise StriateError(f"{len(pixels)} images but an output of shape {np.shape(output)}")
    share = np.ones(len(pixels)) if weights is None else np.asarray(weights, np.float64)
    share = share / share.sum()
    centred = np.asarray(output, np.float64) - share @ np.asarray(output, np.float64)
    variance = share @ centred**2
    if np.ptp(np.asarray(output)[share > 0]) == 0:
        raise StriateError("the output is the same for all jets: nothing correlates with it")
    mean = np.tensordot(share, pixels, 1)
    squares = np.tensordot(share, np.asarray(pixels, np.float64) ** 2, 1) - mean**2
    covariance = np.tensordot(share * centred, pixels, 1)
    varies = squares > 1e-12 * np.maximum(mean**2, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(varies, covariance / np.sqrt(squares * variance), np.nan)


def surest_wrong_jets(
    evaluation: Evaluation,
    images: np.ndarray,
    *,
    width: float,
    observables: Mapping[str, np.ndarray] | None = None,
    n: int = 8,
    channel: int = 0,
) -> Figure:
    """Draw the jets that the network is surest about and wrong, surest first.

    Parameters
    ----------
    evaluation
        Of the network on the test split.
    images
        ``(n, row, col, channel)``: the images of that split, all of them, in its order.
    width, channel
        As in :func:`average_images`.
    observables
        Of that split; ``groomed_mass_gev`` or ``mass_gev`` is written below a jet.
    n
        How many at most.

    Raises
    ------
    StriateError
        If the images are not those that were evaluated, or no jet is wrong.
    """
    if len(images) != len(evaluation.labels):
        raise StriateError(
            f"{len(images)} images for an evaluation of {len(evaluation.labels)}: "
            "give the whole test split that was evaluated"
        )
    wrong = evaluation.surest_mistakes(n)
    if not len(wrong):
        raise StriateError("there is no mistake to draw: every jet was classified correctly")
    masses = next(
        (
            observables[name]
            for name in ("groomed_mass_gev", "mass_gev")
            if observables is not None and name in observables
        ),
        None,
    )
    columns = 4
    rows = -(-len(wrong) // columns)
    with context():
        figure = Figure(figsize=(WIDTH, 0.35 + 1.62 * rows), layout="compressed")
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes, i in zip(grid.flat, wrong, strict=False):
            picture = images[i][..., channel]
            brightest = float(picture.max()) or 1.0
            _picture(axes, picture, width, LogNorm(brightest / 10**_DECADES, brightest))
            name = clipped(evaluation.class_names[int(evaluation.predictions[i])], 9)
            chance = percent(float(evaluation.probabilities[i].max()))
            true = clipped(evaluation.class_names[int(evaluation.labels[i])], 13)
            mass = "" if masses is None else f"\nm = {masses[i]:.0f} GeV"
            axes.set_title(
                f"{name} {chance}\nis {true}{mass}",
                fontsize=SMALL,
                fontweight="normal",
                loc="center",
                pad=3,
            )
        for axes in grid.flat[len(wrong) :]:
            axes.set_visible(False)
        for axes in grid.flat[max(0, len(wrong) - columns) : len(wrong)]:
            # The lowest jet of each column.
            axes.set_xlabel(_ACROSS, fontsize=SMALL, loc="center", labelpad=1)
            axes.tick_params(labelbottom=True)
        for axes in grid[:, 0]:
            axes.set_ylabel(_UP, fontsize=SMALL, loc="center", labelpad=1)
    return figure


def constituents_beside_image(jet: Constituents, **options: Any) -> Figure:
    """Draw the constituents of one jet, aligned but not yet pixels, beside its image.

    A circle's area goes with its pT; charged constituents are filled, neutral ones open, where
    charges are known.

    Parameters
    ----------
    jet
        One jet; of several the first is drawn.
    **options
        Those of :class:`striate.jets.ImageOptions`.

    Raises
    ------
    StriateError
        If there is no jet, it has no constituents, or an option is unknown.
    """
    how = ImageOptions.of(options)
    first = jet.take(slice(0, 1))
    if not len(first) or not len(first.pt_gev):
        raise StriateError("there is no constituent to draw: give a jet that has some")
    plane = aligned(first, how)
    images, inside = images_and_fractions(first, how)
    picture = images[0, :, :, 0]
    brightest = float(picture.max()) or 1.0
    unit = "GeV" if how.normalise == "none" else "share"
    half = how.width / 2
    with context():
        figure = Figure(figsize=(WIDTH, 2.75), layout="compressed")
        left, right = figure.subplots(1, 2, sharey=True)
        area = 260 * np.asarray(first.pt_gev) / float(first.pt_gev.max()) + 2
        known = first.charge is not None or first.pdg_id is not None
        charged = is_charged(first) if known else np.ones(len(area), dtype=np.bool_)
        for chosen, look in (
            (charged, {"facecolor": COLOURS[0], "alpha": 0.75}),
            (~charged, {"facecolor": "none"}),
        ):
            left.scatter(
                plane.x[chosen],
                plane.y[chosen],
                s=area[chosen],
                edgecolor=INK,
                linewidth=0.7,
                **look,
            )
        for edge in np.linspace(-half, half, how.grid + 1):
            left.axhline(edge, color="#e0e0e0", linewidth=0.3, zorder=0)
            left.axvline(edge, color="#e0e0e0", linewidth=0.3, zorder=0)
        left.set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
        _ticks(left, half)
        sums = first.sums()
        left.set_title(
            f"pT = {sums.pt_gev[0]:.0f} GeV, m = {sums.mass_gev[0]:.0f} GeV"
            + ("\nfilled: charged, open: neutral" if known else ""),
            fontsize=SMALL,
            fontweight="normal",
            loc="center",
        )
        drawn = _picture(right, picture, how.width, LogNorm(brightest / 10**_DECADES, brightest))
        right.set_title(
            f"{100 * inside[0]:.0f} % of the pT in the image",
            fontsize=SMALL,
            fontweight="normal",
            loc="center",
        )
        for axes in (left, right):
            axes.set_xlabel(_ACROSS, loc="center")
        left.set_ylabel(_UP, loc="center")
        bar = figure.colorbar(drawn, ax=right, pad=0.02, fraction=0.05)
        bar.set_label(f"pixel [{unit}]", fontsize=SMALL)
        bar.ax.tick_params(labelsize=SMALL)
    return figure


def _picture(
    axes: Axes, picture: np.ndarray, width: float, norm: Normalize, colours: Any = None
) -> Any:
    """Draw an image with its axes; pixels that are empty, or vary never, stay white."""
    if colours is None:
        colours = DIVERGING if isinstance(norm, SymLogNorm) else SEQUENTIAL
    half = width / 2
    hidden = picture <= 0 if isinstance(norm, LogNorm) else ~np.isfinite(picture)
    drawn = axes.imshow(
        np.ma.masked_where(hidden, picture),
        extent=(-half, half, -half, half),
        cmap=colours,
        norm=norm,
        interpolation="nearest",
        origin="upper",
    )
    _ticks(axes, half)
    return drawn


def _ticks(axes: Axes, half: float) -> None:
    edge = next(step for step in (2.0, 1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.0) if step < half)
    axes.set_xticks([-edge, 0, edge])
    axes.set_yticks([-edge, 0, edge])
    axes.minorticks_off()
    axes.tick_params(labelsize=SMALL, color=QUIET, length=3)


def _bar(figure: Figure, drawn: Any, beside: Any, label: str) -> Any:
    bar = figure.colorbar(
        drawn, ax=list(np.ravel(beside)), location="bottom", aspect=22, pad=0.02, fraction=0.06
    )
    bar.set_label(label, fontsize=SMALL, loc="center", labelpad=1)
    bar.ax.tick_params(labelsize=SMALL, length=3)
    if isinstance(drawn.norm, LogNorm):
        bar.locator = LogLocator(10)
        bar.update_ticks()
    return bar
