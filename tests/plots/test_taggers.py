"""Figures of taggers show the numbers of the evaluation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.text import Text

from striate.errors import StriateError
from striate.evaluation.rejection import SIGNAL_EFFICIENCIES
from striate.plots import history
from striate.plots.efficiency import efficiencies
from striate.plots.observable_names import axis_name
from striate.plots.rejection import rejection
from striate.plots.response import response
from striate.plots.sculpting import mass_sculpting
from striate.plots.significance import significance
from striate.plots.style import STYLES, styled


def labels(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def test_the_rejection_is_one_over_the_background_efficiency(tagging) -> None:
    figure = rejection(tagging)
    axes = figure.axes[0]
    assert axes.get_yscale() == "log"
    drawn = axes.lines[0]
    at = np.searchsorted(SIGNAL_EFFICIENCIES, drawn.get_xdata() - 1e-9)
    expected = 1 / tagging.network.curve.background_efficiency[at]
    np.testing.assert_allclose(drawn.get_ydata(), expected)
    assert len(axes.collections) == len(tagging.taggers)
    assert any(f"{tagging.network.auc:.4f} ±" in words for words in labels(figure))


def test_the_largest_improvement_is_marked_and_few_jets_are_too(tagging) -> None:
    figure = significance(tagging)
    where, best = tagging.network.curve.best_improvement()
    (dot,) = figure.axes[0].lines[1].get_xydata()
    assert tuple(dot) == pytest.approx((where, best))
    assert "fewer than 20 quarks…QCD) pass" in labels(figure)


def test_training_is_points_and_test_histograms_of_area_one(tagging) -> None:
    figure = response(tagging)
    axes = figure.axes[0]
    for patch in axes.patches:
        assert np.sum(patch.get_data().values) / 25 == pytest.approx(1)
    assert len(axes.containers) == 2
    told = [words for words in labels(figure) if "training (KS" in words]
    assert len(told) == 2


def test_efficiencies_have_a_column_for_each_observable(tagging) -> None:
    figure = efficiencies(tagging)
    assert len(figure.axes) == 6
    assert {axis_name(name) for name in ("pt_gev", "eta", "pileup")} <= set(labels(figure))
    with pytest.raises(StriateError, match="no pT, eta or pile-up"):
        efficiencies(replace(tagging, efficiencies={}))


def test_the_divergence_stands_beside_the_masses(tagging) -> None:
    figure = mass_sculpting(tagging)
    assert any(f"{tagging.network.sculpting.divergence:.2f} bits" in w for w in labels(figure))
    bare = replace(tagging.network, sculpting=None)
    with pytest.raises(StriateError, match="no mass"):
        mass_sculpting(replace(tagging, taggers=(bare,)))


def test_a_figure_keeps_the_style_that_it_was_made_in(tmp_path) -> None:
    drawn = {}
    for style in (*STYLES, "cms"):
        with styled(style):
            figure = history({"loss": [0.9, 0.4, 0.3]})
        figure.savefig(tmp_path / "figure.png")
        drawn[style] = (tmp_path / "figure.png").read_bytes()
    assert drawn["cms"] == drawn["CMS"]
    assert drawn["ATLAS"] != drawn["plain"]
    with (
        pytest.raises(StriateError, match="no style 'Atlass': known: ATLAS, CMS, plain"),
        styled("Atlass"),
    ):
        pass
