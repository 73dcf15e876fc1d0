"""No text of any figure is cut off, lies upon another, or is too small to read."""

import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from striate import plots
from striate.jets import Constituents
from striate.plots import jet_images
from striate.plots.efficiency import efficiencies
from striate.plots.rejection import rejection
from striate.plots.response import response
from striate.plots.sculpting import mass_sculpting
from striate.plots.significance import significance
from striate.plots.style import context, styled

RNG = np.random.default_rng(1)
LONG = ("quarks and gluons (QCD)", "W boson, hadronic decay", "top quark, fully merged", "Higgs")
PIXELS = np.where(RNG.random((60, 25, 25, 1)) < 0.1, RNG.exponential(5, (60, 25, 25, 1)), 0)
JET = Constituents([0, 40], RNG.exponential(9, 40), RNG.normal(0, 0.3, 40), RNG.normal(0, 0.3, 40))


def _history(epochs: int) -> dict[str, list[float]]:
    falling = list(2 * np.exp(-np.arange(epochs) / 3))
    rising = [1 - value / 3 for value in falling]
    return {"loss": falling, "accuracy": rising, "val_loss": falling, "val_accuracy": rising}


FIGURES = {
    "history of one epoch": lambda make: plots.history(_history(1)),
    "history": lambda make: plots.history(_history(30), title="oslo_digits on digits"),
    "history not finite": lambda make: plots.history({"loss": [1.0] + [float("nan")] * 20}),
    "confusion of 2": lambda make: plots.confusion(make(2, names=LONG[:2])),
    "confusion of 4": lambda make: plots.confusion(make(4, 60_000, names=LONG)),
    "confusion of 10": lambda make: plots.confusion(make(10, 20_000, absent=3, unanswered=(1,))),
    "confusion of 30": lambda make: plots.confusion(make(30, 900)),
    "confusion of 100": lambda make: plots.confusion(make(100, 900)),
    "roc of 4": lambda make: plots.roc(make(4, names=LONG)),
    "roc of 10": lambda make: plots.roc(make(10, 300)),
    "roc of 12": lambda make: plots.roc(make(12, 300)),
    "calibration": lambda make: plots.calibration(make(10, 300)),
    "predictions": lambda make: plots.predictions(make(10), RNG.random((60, 8, 8, 1))),
    "predictions, long names": lambda make: plots.predictions(
        make(4, names=LONG), RNG.random((60, 6, 18, 2))
    ),
    "samples": lambda make: plots.samples(RNG.random((9, 8, 8, 3)), np.arange(9) % 4, LONG, n=7),
    "output weights": lambda make: plots.output_weights(RNG.normal(size=(32, 4)), LONG),
    "output weights, many": lambda make: plots.output_weights(
        RNG.normal(size=(20000, 100)), [f"particle of kind {i}" for i in range(100)]
    ),
    "output weights, one": lambda make: plots.output_weights(RNG.normal(size=(5, 1)), LONG[:2]),
    "kernels": lambda make: plots.kernels(1000 * RNG.normal(size=(3, 3, 1, 3))),
    "kernels, colour": lambda make: plots.kernels(RNG.normal(size=(5, 5, 3, 9))),
    "kernels, 2 channels": lambda make: plots.kernels(RNG.normal(size=(3, 3, 2, 100))),
    "feature maps": lambda make: plots.feature_maps(
        [
            ("a_block_of_many_layers_with_a_name", RNG.normal(size=(128, 128, 256))),
            ("b", RNG.random((3, 3, 2))),
        ],
        image=RNG.random((8, 8, 1)),
    ),
    "average jets": lambda make: jet_images.average_images(
        PIXELS, np.arange(60) % 2, LONG[:2], width=2.5
    ),
    "average jets, twice": lambda make: jet_images.average_images(
        {"before": PIXELS, "after": PIXELS / 1e3}, np.arange(60) % 2, ("QCD", "W"), width=0.8
    ),
    "correlation of pixels": lambda make: jet_images.output_correlation(
        PIXELS, RNG.random(60), width=2.5
    ),
    "surest wrong jets": lambda make: jet_images.surest_wrong_jets(
        make(2, names=("QCD", "W")), PIXELS, width=2.5, observables={"mass_gev": np.arange(60)}
    ),
    "surest wrong jets, many": lambda make: jet_images.surest_wrong_jets(
        make(10, 600, names=tuple(f"{name} {i}" for i in range(3) for name in LONG)[:10]),
        np.resize(PIXELS, (600, 25, 25, 1)),
        width=2.5,
        n=10,
    ),
    "one jet": lambda make: jet_images.constituents_beside_image(JET),
    "one jet, finely": lambda make: jet_images.constituents_beside_image(
        JET, grid=33, width=0.8, normalise="sum"
    ),
}


def _drawn_texts(figure: Figure) -> list[Text]:
    """Return the texts with words that are drawn: not those of ticks outside the axis."""
    hidden = set()
    for axis in figure.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        margin = 1e-6 * (high - low)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low - margin <= tick.get_loc() <= high + margin:
                hidden |= {id(tick.label1), id(tick.label2)}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden
    ]


@pytest.mark.parametrize("name", FIGURES)
def test_texts_are_whole_apart_and_large_enough(name: str, evaluated) -> None:
    look_at_texts(FIGURES[name](evaluated), smallest=6.5 if "100" in name else 7.0)


def look_at_texts(figure: Figure, smallest: float = 7.0) -> None:
    """Check that each text lies within the figure, and upon no other, and is not too small."""
    figure.canvas.draw()
    with context():
        texts = _drawn_texts(figure)
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    width, height = figure.bbox.size
    for words, box in boxes:
        assert box.x0 >= -1, words
        assert box.y0 >= -1, words
        assert box.x1 <= width + 1, words
        assert box.y1 <= height + 1, words
    for i, (words, box) in enumerate(boxes):
        for other_words, other in boxes[:i]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            down = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert across < 1.5 or down < 1.5, (words, other_words)
    assert min(text.get_fontsize() for text in texts) >= smallest
    assert len(texts) >= 2


@pytest.mark.parametrize("style", ["plain", "ATLAS", "CMS"])
@pytest.mark.parametrize("draw", [rejection, significance, response, mass_sculpting, efficiencies])
def test_texts_of_taggers_are_whole_apart_and_large_enough(draw, style: str, tagging) -> None:
    with styled(style):
        figure = draw(tagging)
    look_at_texts(figure)
    assert figure.get_size_inches()[0] <= 4.8 + 1e-9
    words = [text.get_text() for text in figure.findobj(Text)]
    assert (style in words) == (style != "plain")


@pytest.mark.parametrize("name", [name for name in FIGURES if "confusion" not in name])
def test_figures_are_as_wide_as_a_column(name: str, evaluated) -> None:
    assert FIGURES[name](evaluated).get_size_inches()[0] <= 4.8 + 1e-9
