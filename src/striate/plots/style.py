"""The common look of every figure, and how a figure becomes files.

The base is mplhep's ROOT style (ticks inside and on four sides, axis titles at the ends, TeX Gyre
Heros), with sizes for a page 4.8 inches wide that is also read on a phone.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import matplotlib.figure
import matplotlib.style
import mplhep
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.text import Text

from striate.errors import StriateError, nearest
from striate.files import written_beside

WIDTH = 4.8
"""Width of a figure in inches: on a phone, 350 px wide, 9 points remain 9 px high."""

SMALL = 9.0
"""Size in points of the smallest regular text."""

COLOURS = (
    "#3f90da",
    "#bd1f01",
    "#ffa90e",
    "#832db6",
    "#94a4a2",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
"""Ten colours that stay apart for colour-blind readers (Petroff, arXiv:2107.02270)."""

LINES = ("-", "--", "-.", (0, (1, 1.2)), (0, (5, 1, 1, 1, 1, 1)))
"""Line styles, so that lines stay apart without colour."""

INK = "#1a1a1a"
QUIET = "#6b6b6b"
RIGHT = "#2a6fb0"
WRONG = "#bd1f01"

SEQUENTIAL = "Blues"

# Lightness rises all the way through, so that a grey copy still tells negative from positive;
# the hues are blue and yellow, which every kind of colour blindness keeps apart.
DIVERGING: Colormap = LinearSegmentedColormap.from_list(
    "striate_diverging", ["#08265c", "#4a76b8", "#a8a8a8", "#e9c057", "#fff3b0"]
)

_SIZES: dict[str, Any] = {
    # Named directly: matplotlib resolves "sans-serif" only when it draws. The second font has the
    # signs that the first lacks.
    "font.family": ["TeX Gyre Heros", "DejaVu Sans"],
    "font.size": 11.0,
    "figure.dpi": 100.0,
    "figure.figsize": (WIDTH, 3.4),
    "axes.titlesize": 11.0,
    "axes.labelsize": "medium",
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.unicode_minus": True,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.0,
    "legend.fontsize": SMALL + 0.5,
    "legend.handlelength": 2.4,
    "xtick.labelsize": SMALL + 0.5,
    "ytick.labelsize": SMALL + 0.5,
    "xtick.major.size": 5.0,
    "xtick.minor.size": 2.5,
    "xtick.major.pad": 4.0,
    "ytick.major.size": 5.0,
    "ytick.minor.size": 2.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    # In a PDF each picture keeps its own pixels.
    "image.composite_image": False,
    "savefig.dpi": 200.0,
    "savefig.facecolor": "white",
}


PLAIN = "plain"
_STYLES = {PLAIN: "ROOT", "ATLAS": "ATLAS", "CMS": "CMS"}
STYLES = tuple(_STYLES)
"""Styles of figures: ours, and those of experiments by mplhep, at our sizes."""

_chosen: ContextVar[str] = ContextVar("style", default=PLAIN)


@contextmanager
def styled(name: str) -> Iterator[None]:
    """Make the figures of the block in one of the `STYLES`.

    Raises
    ------
    StriateError
        If there is no such style.
    """
    known = {style.lower(): style for style in STYLES}
    if name.lower() not in known:
        raise StriateError(f"there is no style {name!r}: {nearest(name, STYLES)}")
    before = _chosen.set(known[name.lower()])
    try:
        yield
    finally:
        _chosen.reset(before)


@contextmanager
def context() -> Iterator[None]:
    """Set the style for the block, whatever the caller's own settings are, and put those back."""
    base = dict(getattr(mplhep.style, _STYLES[_chosen.get()]))
    with matplotlib.style.context(["default", base, _SIZES]):
        yield


def label_experiment(axes: Axes) -> None:
    """Write the experiment's name above the axes, if its style was chosen.

    With "Simulation, work in progress": what else a figure may be called is for the experiment to
    decide.
    """
    name = _chosen.get()
    if name == PLAIN:
        return
    slanted = name == "ATLAS"
    first = axes.text(
        0,
        1.02,
        name,
        transform=axes.transAxes,
        fontsize=12.5,
        fontweight="bold",
        fontstyle="italic" if slanted else "normal",
        va="bottom",
    )
    axes.annotate(
        "Simulation, work in progress",
        (1, 0),
        xycoords=first,
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=SMALL + 1,
        fontstyle="normal" if slanted else "italic",
        va="bottom",
    )


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure that is drawn in striate's style wherever it is drawn.

    Part of matplotlib's settings is read when ticks and texts are drawn, not when they are made.
    The figure is not known to ``pyplot``; a notebook shows it when it is the value of a cell.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._style = _chosen.get()
        FigureCanvasAgg(self)

    def draw(self, renderer: Any) -> None:
        """Draw with `renderer`, in the style it was made in."""
        with styled(self._style), context():
            super().draw(renderer)

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """Save as matplotlib does, in the style it was made in."""
        with styled(self._style), context():
            super().savefig(fname, **kwargs)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def save(figure: matplotlib.figure.Figure, stem: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Write `figure` to ``stem.png`` and ``stem.pdf``.

    The files hold no date and no version, so that the same figure gives the same bytes.

    Returns
    -------
    tuple[pathlib.Path, pathlib.Path]
        The PNG file and the PDF file.
    """
    base = Path(stem)
    # Path.with_suffix would cut a name such as "layer.1" at its dot.
    png = base.with_name(base.name + ".png")
    pdf = base.with_name(base.name + ".pdf")
    with written_beside(png) as beside:
        _print(figure, beside, FigureCanvasAgg, {"Software": None})
    nothing = {"Creator": None, "Producer": None, "CreationDate": None}
    with written_beside(pdf) as beside, _laid_out(figure):
        _print(figure, beside, FigureCanvasPdf, nothing)
    return png, pdf


def _print(
    figure: matplotlib.figure.Figure, path: Path, canvas: type, metadata: Mapping[str, Any]
) -> None:
    """Draw `figure` into a file once; its ``savefig`` draws twice, for a margin to be cut off."""
    before = figure.dpi, figure.canvas
    style = getattr(figure, "_style", None)
    with ExitStack() as stack:
        stack.callback(figure.set_canvas, before[1])
        stack.callback(figure.set_dpi, before[0])
        if style is not None:
            stack.enter_context(styled(style))
            stack.enter_context(context())
        drawn = canvas(figure)
        figure.set_dpi(_SIZES["savefig.dpi"])
        write = drawn.print_png if canvas is FigureCanvasAgg else drawn.print_pdf
        write(path, metadata=metadata)


@contextmanager
def _laid_out(figure: matplotlib.figure.Figure) -> Iterator[None]:
    """Keep a figure that has been drawn as it lies; the layout takes a third of the drawing."""
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def shorten(text: Text, width: float) -> None:
    """Clip a text of one line until it is no wider than `width` inches."""
    figure = text.get_figure(root=True)
    if figure is None:
        raise ValueError("a text is shortened after it has been placed on a figure")
    whole = text.get_text()
    kept = len(whole)
    while kept > 2 and text.get_window_extent().width > width * figure.dpi:
        kept -= 1
        text.set_text(clipped(whole, kept))


def clipped(name: str, most: int = 18) -> str:
    """Return `name`; where it is longer than `most`, its beginning and its end.

    Examples
    --------
    >>> clipped("particle number 17", 13)
    'particle…r 17'
    """
    if len(name) <= most:
        return name
    end = 2 * (most - 1) // 5
    return f"{name[: most - 1 - end].rstrip()}…{name[len(name) - end :].lstrip()}"


def percent(probability: float) -> str:
    """Return a probability as text with one decimal that never claims certainty.

    Examples
    --------
    >>> percent(0.98765), percent(0.99999), percent(0.00001)
    ('98.8 %', '> 99.9 %', '< 0.1 %')
    """
    if probability > 0.9995:
        return "> 99.9 %"
    if probability < 0.0005:
        return "< 0.1 %"
    return f"{100 * probability:.1f} %"
