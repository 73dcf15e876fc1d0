"""The figure on which pixels mattered: the image and what each method found, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.ticker import MaxNLocator, NullLocator

from striate.explain.attribution import Attribution, Method
from striate.plots import tiles
from striate.plots.style import (
    DIVERGING,
    INK,
    QUIET,
    SMALL,
    WIDTH,
    Figure,
    clipped,
    context,
    percent,
    shorten,
)

TITLES: dict[Method, str] = {
    "gradient-input": "gradient × input",
    "integrated-gradients": "integrated gradients",
    "occlusion": "occlusion",
    "grad-cam": "Grad-CAM",
}

_GAP = 0.36
_SIDE = (WIDTH - 2 * 0.14 - _GAP) / 2
_BAR = 0.47
"""Height in inches of a colour bar with its numbers and its label."""

_BELOW = _BAR + 2 * tiles.LINE + 0.2
_BELOW_FIRST = _BAR + 2 * tiles.LINE
"""What the first row of pictures, which has no colour bars, leaves out below it."""

_MOST_CLASSES = 5

# What Grad-CAM gives is never negative: zero is grey and light is positive, as beside it.
_POSITIVE = ListedColormap(DIVERGING(np.linspace(0.5, 1, 128)), "striate_positive")


def attributions(
    image: np.ndarray,
    found: Sequence[Attribution],
    *,
    heading: Sequence[str],
    unit: str,
    class_names: Sequence[str],
    probabilities: np.ndarray,
) -> Figure:
    """Draw the image, the class probabilities, and the shares of the pixels by each method.

    Each method has its own scale, symmetric around zero; light raises the score, dark lowers it.
    Below each stands what its axiom says of it.

    Parameters
    ----------
    image
        Shape (row, col, channel), values in [0, 1].
    found
        One attribution a method.
    heading
        Lines above it all.
    unit
        What the shares are shares of, such as ``"logit"``.
    class_names, probabilities
        Of all classes; the likeliest are drawn.
    """
    height = tiles.height_of([image], _SIDE)
    top = 0.1 + tiles.LINE * len(heading)
    pitch = tiles.LINE + 0.06 + height + _BELOW
    rows = -(-(len(found) + 2) // 2)
    with context():
        figure = Figure(figsize=(WIDTH, top + rows * pitch - _BELOW_FIRST - 0.1))
        for number, line in enumerate(heading):
            tiles.write(
                figure,
                0.14,
                0.05 + number * tiles.LINE,
                line,
                color=QUIET if number else INK,
                fontweight="normal" if number else "bold",
            )
        _image(figure, image, *_place(0, top, pitch), height)
        _bars(figure, class_names, probabilities, *_place(1, top, pitch), height)
        top -= _BELOW_FIRST
        for number, attribution in enumerate(found, 2):
            _shares(figure, attribution, unit, *_place(number, top, pitch), height)
    return figure


def axiom(found: Attribution) -> tuple[str, str]:
    """Return two lines on what a method promises, and whether it holds."""
    if found.method == "grad-cam":
        cut = "what is negative is cut" if found.values.any() else "nowhere positive for this class"
        return f"maps of {clipped(found.layer or '', 22)}", cut
    if found.method == "occlusion" and found.change is None:
        side = found.patch
        return "mean fall of the score with a", f"patch of {side} × {side} hidden"
    first = f"sum {found.total:.4g}, change {found.change:.4g}".replace("-", "−")
    off = "differ" if found.residue == float("inf") else f"{_percent(found.residue or 0.0)} off"
    if found.method == "integrated-gradients":
        verdict = "complete" if found.complete else "NOT complete"
        return first, f"{off}: {verdict}, {found.steps} steps"
    return first, f"{off}; equal if linear"


def _label(method: Method, unit: str) -> str:
    if method == "grad-cam":
        return "weighted maps, arbitrary units"
    return f"{'fall' if method == 'occlusion' else 'share'} of the {unit}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2g} %" if fraction < 1 else f"{100 * fraction:.0f} %"


def _place(number: int, top: float, pitch: float) -> tuple[float, float]:
    row, column = divmod(number, 2)
    return 0.14 + column * (_SIDE + _GAP), top + row * pitch


def _titled(figure: Figure, title: str, left: float, top: float, height: float) -> Axes:
    tiles.write(figure, left, top + 0.03, title, fontweight="bold")
    return tiles.place(figure, left, top + tiles.LINE + 0.06, _SIDE, height)


def _image(figure: Figure, image: np.ndarray, left: float, top: float, height: float) -> None:
    channels = image.shape[2]
    mean = "" if channels in {1, 3} else f", mean of {channels} channels"
    axes = _titled(figure, "image" + mean, left, top, height)
    picture = np.clip(image, 0, 1) if channels == 3 else image.mean(axis=2)
    brightest = float(picture.max()) or 1.0
    axes.imshow(
        picture, cmap="gray_r", vmin=0, vmax=brightest, interpolation="nearest", aspect="auto"
    )


def _bars(
    figure: Figure,
    class_names: Sequence[str],
    probabilities: np.ndarray,
    left: float,
    top: float,
    height: float,
) -> None:
    """Draw the likeliest classes as bars, each with its name and probability above it."""
    axes = _titled(figure, "class probabilities", left, top, height)
    most = max(1, min(_MOST_CLASSES, int(height // 0.3)))
    axes.set(xlim=(0, 1), ylim=(most, 0))
    for spine in ("top", "right", "bottom"):
        axes.spines[spine].set_visible(False)
    order = np.argsort(-probabilities, kind="stable")[:most]
    for row, number in enumerate(order):
        chance = float(probabilities[number])
        axes.barh(row + 0.74, chance, height=0.3, color=QUIET)
        name = axes.text(0.03, row + 0.5, class_names[number], fontsize=SMALL, va="bottom")
        axes.text(1, row + 0.5, percent(chance), fontsize=SMALL, va="bottom", ha="right")
        shorten(name, 0.62 * _SIDE)


def _shares(
    figure: Figure, found: Attribution, unit: str, left: float, top: float, height: float
) -> None:
    axes = _titled(figure, TITLES[found.method], left, top, height)
    largest = tiles.limit(found.values) or 1.0
    positive = found.method == "grad-cam"
    picture = axes.imshow(
        found.values,
        cmap=_POSITIVE if positive else DIVERGING,
        vmin=0 if positive else -largest,
        vmax=largest,
        interpolation="nearest",
        aspect="auto",
    )
    lower = top + tiles.LINE + 0.06 + height
    bar_axes = tiles.place(figure, left, lower + 0.05, _SIDE, 0.08)
    bar = figure.colorbar(picture, cax=bar_axes, orientation="horizontal")
    bar.ax.xaxis.set_major_locator(MaxNLocator(nbins=4, symmetric=not positive))
    bar.ax.xaxis.set_minor_locator(NullLocator())
    bar.ax.tick_params(direction="out", length=2, top=False, labelsize=SMALL - 1, pad=1)
    bar.set_label(
        _label(found.method, unit),
        fontsize=SMALL - 0.5,
        labelpad=0,
        loc="center",
    )
    for number, line in enumerate(axiom(found)):
        tiles.write(figure, left, lower + _BAR + number * tiles.LINE, line, color=QUIET)
