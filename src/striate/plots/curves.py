"""Loss and accuracy against epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from striate.errors import StriateError
from striate.plots.style import COLOURS, QUIET, SMALL, WIDTH, Figure, context

_FIRST = ("loss", "accuracy")


def history(
    history: Mapping[str, Sequence[float]],
    title: str | None = None,
    *,
    validation: str = "validation",
) -> Figure:
    """Draw each metric of a training against epoch, training and validation in one panel.

    Rows N3 and N7 a. The epoch with the lowest validation loss is marked. Values that are not
    finite leave a gap, and the panel says at which epochs.

    Parameters
    ----------
    history
        Keras's ``History.history``: a name such as ``"loss"`` or ``"val_loss"`` to one value an
        epoch. Loss and accuracy come first, any other metric below them.
    title
        What to write above the figure.
    validation
        What the ``val_`` values were measured on, as the legend says it.

    Raises
    ------
    StriateError
        If there is no value to draw.
    """
    metrics = [name for name in history if not name.startswith("val_") and len(history[name])]
    if not metrics:
        raise StriateError("the history holds no epoch: train the model before drawing its history")
    metrics.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    best = best_epoch(history)
    with context():
        figure = Figure(figsize=(WIDTH, 0.5 + 2.0 * len(metrics)), layout="constrained")
        panels = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
        for axes, name in zip(panels, metrics, strict=True):
            _panel(axes, name, history, validation)
            if best is not None:
                axes.axvline(best, color=QUIET, linewidth=0.8, linestyle=":", zorder=0)
        epochs = max(len(history[name]) for name in metrics)
        panels[-1].set_xlim(0.5, epochs + 0.5)
        panels[-1].xaxis.set_major_locator(
            MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
        )
        panels[-1].set_xlabel("epoch")
        panels[-1].xaxis.set_minor_locator(NullLocator())
        panels[0].legend(loc="best")
        if best is not None:
            panels[0].set_title(
                f"lowest {validation} loss: epoch {best}",
                loc="right",
                fontsize=SMALL,
                fontweight="normal",
                color=QUIET,
            )
        if title is not None:
            figure.suptitle(title, fontweight="bold", fontsize=12)
    return figure


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """Return the epoch, counted from 1, with the lowest finite validation loss, if there is one."""
    losses = np.asarray(history.get("val_loss", ()), dtype=float)
    if not np.isfinite(losses).any():
        return None
    return int(np.nanargmin(np.where(np.isfinite(losses), losses, np.nan))) + 1


def _panel(axes: Axes, name: str, history: Mapping[str, Sequence[float]], validation: str) -> None:
    many = len(history[name]) > 30
    lacking: set[int] = set()
    looks = (
        (name, "training", COLOURS[0], "-", "o", COLOURS[0]),
        (f"val_{name}", validation, COLOURS[1], "--", "s", "white"),
    )
    for key, label, colour, line, marker, face in looks:
        values = np.asarray(history.get(key, ()), dtype=float)
        if not len(values):
            continue
        epochs = np.arange(1, len(values) + 1)
        finite = np.isfinite(values)
        lacking.update(epochs[~finite].tolist())
        axes.plot(
            epochs,
            np.where(finite, values, np.nan),
            label=label,
            color=colour,
            linestyle=line,
            marker="" if many else marker,
            markerfacecolor=face,
        )
    axes.set_ylabel(name.replace("_", " "))
    axes.margins(y=0.12)
    if lacking:
        shown = ", ".join(str(epoch) for epoch in sorted(lacking)[:6])
        more = "" if len(lacking) <= 6 else f" and {len(lacking) - 6} more"
        axes.text(
            0.02,
            0.04,
            f"not finite at epoch {shown}{more}",
            transform=axes.transAxes,
            fontsize=SMALL,
            color=COLOURS[1],
        )
