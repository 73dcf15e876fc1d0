"""Heat maps of scans: what is written, framed and hatched."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from striate import plots
from striate.errors import StriateError
from striate.plots.heatmap import MOST_WRITTEN

AXES = {"learning_rate": [1e-3, 1e-2], "l2": [0.0, 1e-3, 0.25]}
VALUES = np.array([[0.1, 0.5, 0.9], [0.97, 0.2, 0.1]])


def marks(figure):
    """Return the places of the frames and of the hatching, as (row, column)."""
    found = {True: [], False: []}
    for patch in figure.axes[0].patches:
        if isinstance(patch, Rectangle):
            column, row = (round(float(v) + 0.5) for v in patch.get_xy())
            found[patch.get_hatch() is not None].append((row, column))
    return found[False], found[True]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_each_cell_has_its_number_and_the_best_a_frame():
    figure = plots.heatmap(VALUES, AXES)
    assert texts(figure) == ["0.100", "0.500", "0.900", "0.970", "0.200", "0.100"]
    assert marks(figure) == ([(1, 0)], [])
    plot = figure.axes[0]
    assert [t.get_text() for t in plot.get_yticklabels()] == ["$10^{-3}$", "$10^{-2}$"]
    assert [t.get_text() for t in plot.get_xticklabels()] == ["0", "0.001", "0.25"]
    assert (plot.get_ylabel(), plot.get_xlabel()) == ("learning rate", "l2")


def test_what_diverged_is_hatched_and_never_the_best():
    diverged = VALUES > 0.95
    figure = plots.heatmap(VALUES, AXES, diverged=diverged)
    assert marks(figure) == ([(0, 2)], [(1, 0)])
    assert "hatched: diverged" in figure.axes[0].get_title(loc="left")
    gone = plots.heatmap(VALUES, AXES, diverged=np.ones_like(diverged))
    assert marks(gone)[0] == []
    gone.draw_without_rendering()


def test_of_losses_the_smallest_is_the_best():
    figure = plots.heatmap(VALUES, AXES, label="test loss")
    assert marks(figure) == ([(0, 0)], [])


def test_cells_without_a_value_are_empty():
    values = VALUES.copy()
    values[1] = np.nan
    figure = plots.heatmap(values, AXES)
    assert texts(figure)[3:] == ["", "", ""]
    assert marks(figure) == ([(0, 2)], [])


def test_one_axis_lies_along_the_bottom():
    figure = plots.heatmap(np.array([0.1, 0.3]), {"optimizer": ["sgd", "adam"]})
    assert marks(figure) == ([(0, 1)], [])
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["sgd", "adam"]


def test_too_many_cells_for_numbers_are_said():
    side = int(MOST_WRITTEN**0.5) + 1
    values = np.linspace(0, 1, side * side).reshape(side, side)
    figure = plots.heatmap(values, {"a": list(range(side)), "b": list(range(side))})
    assert texts(figure) == []
    assert "numbers are not written above" in figure.axes[0].get_title(loc="left")


@pytest.mark.parametrize("axes", [{"a": [1, 2]}, {"a": [1], "b": [1], "c": [1]}])
def test_values_of_another_shape_are_refused(axes):
    with pytest.raises(StriateError, match="one or two axes"):
        plots.heatmap(VALUES, axes)
