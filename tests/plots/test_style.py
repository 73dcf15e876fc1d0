"""The common look: independent of the caller's settings, and the same bytes twice."""

import subprocess
import sys

import matplotlib
import matplotlib.figure
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from striate import plots
from striate.plots.style import COLOURS, DIVERGING, SMALL, Figure, context, percent, shorten

HISTORY = {"loss": [2.0, 1.0, 0.5], "val_loss": [2.1, 1.2, 0.9], "accuracy": [0.2, 0.6, 0.9]}


def _luminance(colour: object) -> float:
    return float(np.dot(to_rgb(colour), [0.2126, 0.7152, 0.0722]))


def test_settings_of_the_caller_neither_matter_nor_change() -> None:
    plain = plots.history(HISTORY)._repr_png_()
    with matplotlib.rc_context(
        {"font.size": 30.0, "axes.facecolor": "black", "lines.color": "red"}
    ):
        before = dict(matplotlib.rcParams)
        theirs = plots.history(HISTORY)._repr_png_()
        assert dict(matplotlib.rcParams) == before
    assert theirs == plain


def test_pyplot_does_not_know_the_figures() -> None:
    figure = plots.history(HISTORY)
    assert isinstance(figure, matplotlib.figure.Figure)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_saved_files_hold_no_date_and_are_the_same_twice(tmp_path) -> None:
    first = plots.save(plots.history(HISTORY, title="Kurve ✓"), tmp_path / "first")
    second = plots.save(plots.history(HISTORY, title="Kurve ✓"), tmp_path / "second")
    assert [path.name for path in first] == ["first.png", "first.pdf"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert first[0].read_bytes().startswith(b"\x89PNG")
    assert b"Matplotlib" not in first[0].read_bytes()
    assert first[1].read_bytes().startswith(b"%PDF")
    assert b"CreationDate" not in first[1].read_bytes()


@pytest.mark.slow
def test_files_are_the_same_in_another_process(tmp_path) -> None:
    """PDF writers name fonts and objects by hashes, which differ from process to process."""
    program = (
        "import sys, striate.plots as p\n"
        f"p.save(p.history({HISTORY!r}, title='Kurve ✓'), sys.argv[1])"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / seed)],
            check=True,
            env={"PYTHONHASHSEED": seed, "MPLCONFIGDIR": str(tmp_path / "mpl"), "PATH": "/usr/bin"},
        )
    for suffix in (".png", ".pdf"):
        assert (tmp_path / f"1{suffix}").read_bytes() == (tmp_path / f"2{suffix}").read_bytes()


def test_a_dot_in_the_name_is_kept(tmp_path) -> None:
    png, pdf = plots.save(plots.history(HISTORY), tmp_path / "layer.1")
    assert (png.name, pdf.name) == ("layer.1.png", "layer.1.pdf")


def test_diverging_colours_are_ordered_in_grey() -> None:
    shades = [_luminance(DIVERGING(x)) for x in np.linspace(0, 1, 64)]
    assert np.all(np.diff(shades) > 0)
    red, green, blue = to_rgb(DIVERGING(0.5))
    assert max(red, green, blue) - min(red, green, blue) < 0.02


def test_training_and_validation_differ_in_grey() -> None:
    assert abs(_luminance(COLOURS[0]) - _luminance(COLOURS[1])) > 0.2


@pytest.mark.parametrize(
    ("words", "cut"), [("a very long name of a class", True), ("short", False)]
)
def test_shorten_cuts_to_the_width(words: str, cut: bool) -> None:
    with context():
        figure = Figure(figsize=(4, 2))
        text = figure.text(0.5, 0.5, words, fontsize=SMALL)
        shorten(text, 0.8)
        assert ("…" in text.get_text()) == cut
        start, _, end = text.get_text().partition("…")
        assert words.startswith(start)
        assert words.endswith(end)
        assert text.get_window_extent().width <= 0.8 * figure.dpi


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "> 99.9 %"),
        (0.99951, "> 99.9 %"),
        (0.9994, "99.9 %"),
        (0.5, "50.0 %"),
        (0.0, "< 0.1 %"),
    ],
)
def test_percent_never_claims_certainty(probability: float, words: str) -> None:
    assert percent(probability) == words
