from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import pytest

from benchmarks import plot
from benchmarks.comparison import Comparison
from benchmarks.measurement import Measurement

Measured = Callable[..., Measurement]


def test_every_program_has_its_median_in_its_line(comparison: Comparison) -> None:
    figure = plot.draw(comparison)
    panel = figure.axes[0]
    names = [label.get_text() for label in panel.get_yticklabels()]
    assert names == ["striate-fit", "keras-tensorflow", "keras-jax"]
    drawn = {
        names[int(line.get_ydata()[0])]: line.get_xdata()[0]
        for line in panel.lines
        if line.get_marker() == "o"
    }
    assert drawn == {row.program: row.throughput.median for row in comparison.rows()}


@pytest.mark.parametrize("networks", [["N1"], ["N1", "N10", "N12"], ["N1", "N10", "N12", "N14"]])
def test_every_network_has_a_panel(
    measured: Measured, comparison: Comparison, networks: list[str], tmp_path: Path
) -> None:
    one = Comparison(made=comparison.made)
    for network in networks:
        one.add(measured("jax-lax", 1, 10.0, network=network))
    titles = [axes.get_title() for axes in plot.draw(one).axes if axes.get_visible()]
    assert [title.split()[0] for title in titles] == networks
    plot.save(one, tmp_path / "speed.png")
    assert matplotlib.image.imread(tmp_path / "speed.png").shape[1] > 1000


def test_a_void_comparison_is_marked_in_the_picture(
    measured: Measured, comparison: Comparison
) -> None:
    assert "VOID" not in str(plot.draw(comparison).get_supxlabel())
    comparison.add(measured("jax-lax", 1, 1.0, losses=[1.0, 1.0]))
    assert "VOID" in str(plot.draw(comparison).get_supxlabel())
