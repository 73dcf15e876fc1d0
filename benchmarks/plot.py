"""The throughput of every program as a picture."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from benchmarks.comparison import Comparison
from benchmarks.programs import PROGRAMS
from benchmarks.summary import Row
from benchmarks.workloads import WORKLOADS
from striate.files import written_beside

# Okabe and Ito's colours, which most colour-blind people can tell apart.
COLOURS = {
    "striate": "#D55E00",
    "Keras on TensorFlow": "#0072B2",
    "Keras on JAX": "#56B4E9",
    "Keras on PyTorch": "#009E73",
    "PyTorch loop": "#CC79A7",
    "JAX by hand": "#000000",
}
COLUMNS = 2


def draw(comparison: Comparison) -> Figure:
    """Draw images per second: a panel for each network, a line for each program."""
    rows = comparison.rows()
    networks = comparison.networks
    programs = [name for name in PROGRAMS if any(row.program == name for row in rows)]
    lines = -(-len(networks) // COLUMNS)
    figure = Figure(
        figsize=(5.5 * COLUMNS, lines * (1.2 + 0.24 * len(programs)) + 0.9), layout="constrained"
    )
    FigureCanvasAgg(figure)
    panels = figure.subplots(lines, COLUMNS, sharey=True, squeeze=False).ravel()
    for panel, network in zip(panels, networks, strict=False):
        _panel(panel, network, [row for row in rows if row.network == network], programs)
    for panel in panels[len(networks) :]:
        panel.set_visible(False)
    made = comparison.made
    void = "VOID: the programs disagree in their first losses. " if comparison.void else ""
    figure.suptitle(f"Training speed: median and range, n = {made['repetitions']}", fontsize=12)
    figure.supxlabel(
        f"{void}{made['machine']['processor']}, {made['machine']['cores']} cores, {made['date']}",
        fontsize=8,
    )
    return figure


def _panel(panel: Axes, network: str, rows: list[Row], programs: list[str]) -> None:
    for row in rows:
        place = programs.index(row.program)
        colour = COLOURS[row.family]
        speed = row.throughput
        panel.plot([speed.low, speed.high], [place, place], color=colour, linewidth=2, alpha=0.6)
        panel.plot(speed.median, place, "o", color=colour, markersize=6)
        if row.family == "striate":
            panel.axvline(speed.median, color=colour, linewidth=0.7, linestyle=":", zorder=0)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.tick_params(axis="x", labelsize=8)
    panel.grid(axis="x", linewidth=0.4, alpha=0.4)
    panel.set_yticks(range(len(programs)), programs, fontsize=8)
    panel.set_ylim(len(programs) - 0.5, -0.5)
    panel.set_xlabel("images per second (logarithmic)", fontsize=8)
    panel.set_title(f"{network} {WORKLOADS[network].title}", fontsize=10)


def save(comparison: Comparison, path: Path) -> None:
    """Write the picture; the ending of the path names the format."""
    with written_beside(path) as beside:
        draw(comparison).savefig(beside, dpi=150)
