from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from striate.data.layout import Jagged, find_layout, known_layouts, load_layout
from striate.errors import StriateError

GOOD = """
title = "mine"
[constituents]
pt = "a"
eta = "b"
phi = "c"
[labels]
branch = "y"
"""


def test_ready_layouts_say_where_they_are_documented() -> None:
    layouts = known_layouts()
    assert list(layouts) == ["atlas_top", "cms_hbb", "cms_jets", "cms_pfnano", "jetclass"]
    for layout in layouts.values():
        assert "doi:" in layout.source or "https://" in layout.source
        # Each is found by its own branches, though others may share some.
        assert find_layout(layout.branches | {"other"}, "a file") is layout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("title", "titel"), "'titel' is not understood: did you mean 'title'"),
        (("eta =", "Eta ="), r"\[constituents\]: 'Eta' is not understood: did you mean 'eta'"),
        (('phi = "c"', ""), r"must name the branches of px py pz energy, or pt eta phi, or"),
        (("eta =", "eta_from_jet ="), "must name the branches of"),
        (
            ('eta = "b"\nphi =', 'eta_from_jet = "b"\nphi_from_jet ='),
            r"\[jet\] must name the branch of 'pt_gev'",
        ),
        (('branch = "y"', ""), r"\[labels\] must give classes = .* or branch = NAME"),
        (('branch = "y"', 'branch = "y"\nclasses = {a = "b"}'), "must give classes"),
        (("[constituents]", 'unit = "TeV"\n[constituents]'), "unit 'TeV' is not known: did you"),
        (("[labels]", "[labels]\nunlabelled = 'drop'"), "unlabelled must be 'refuse' or 'leave"),
        (("[labels]", "[labels"), "not TOML: "),
        (("[constituents]", "jet = 3\n[constituents]"), r"jet must be a table, \[jet\]"),
        (("[constituents]", "[events]\njet = 'i'\n[constituents]"), "'jet' is not understood: did"),
        (
            ("[constituents]", "[events]\njet_of = 'i'\n[constituents]"),
            r"\[events\] must name the branch of 'particle_of'",
        ),
        (
            ("[labels]", "optional = ['weight']\n[labels]"),
            r"\[constituents\] optional: 'weight' is not understood",
        ),
        (
            ('branch = "y"', 'branch = "y"\nvalues = [3]'),
            "must give one of names for each of values",
        ),
    ],
)
def test_a_layout_that_is_not_understood_is_refused(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert load_layout(str(path)).title == "mine"
    assert change[0] in GOOD
    path.write_text(GOOD.replace(*change))
    with pytest.raises(StriateError, match=message) as caught:
        load_layout(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_branches_of_other_lengths_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    layout = load_layout(str(path))
    columns = {
        "a": Jagged(np.array([2, 1]), np.ones(3)),
        "b": Jagged(np.array([1, 2]), np.ones(3)),
        "c": Jagged(np.array([2, 1]), np.ones(3)),
    }
    with pytest.raises(StriateError, match="the branch of 'eta' has other numbers of particles"):
        layout.read_constituents(columns.__getitem__)
    jets = layout.read_constituents((columns | {"b": columns["a"]}).__getitem__)
    assert jets.counts.tolist() == [2, 1]
