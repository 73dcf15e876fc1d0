"""No text of a picture is cut off, lies upon another, or is too small."""

import numpy as np
import pytest
from matplotlib.text import Text

from striate.convolution import driven_oscillator, fourier_series
from striate.explain.arithmetic import arithmetic
from striate.explain.blur import blur
from striate.explain.convolution import comparison, convolution
from striate.explain.dense import Dense
from striate.explain.fourier import fourier, oscillator
from striate.explain.images import IMAGES, Source
from striate.explain.kernels import kernel
from striate.explain.matrix import matrix, polynomials
from striate.explain.padding import padding
from striate.explain.pooling import pooling
from striate.explain.window import Motion
from striate.explain.worked_example import worked_example
from striate.plots.style import context

RNG = np.random.default_rng(5)


def image(name: str) -> Source:
    return Source(name, IMAGES[name][1]())


LONG = Source("an image of a very long name indeed, taken by someone", RNG.random((9, 9)) - 0.5)
BIG = Source("big numbers", 255 * RNG.random((6, 6)))
DENSE = Dense(np.array([[-3.21, 3.21]] * 4), np.array([-12.5, 12.5]), 0.995, 1600, 400, ("O", "X"))
TYPED = "1.25 -2.5 -1; 1/3 0 -1; 1 0 -1000"

PICTURES = {
    "convolution": lambda: convolution(image("o"), kernel("diagonal"), Motion(-2)),
    "long": lambda: convolution(LONG, kernel(TYPED), Motion(-0.125), kernel_name=TYPED),
    "big": lambda: convolution(BIG, kernel("gaussian"), Motion(padding="same")),
    "dilated": lambda: convolution(image("disc"), kernel("sobel"), Motion(0, 2, 1, 2, True)),
    "colour": lambda: convolution(image("rgb"), kernel("vertical"), Motion(padding=1)),
    "pixel": lambda: convolution(Source("pixel", np.ones((1, 1))), np.ones((1, 1)), Motion()),
    "large": lambda: convolution(Source("large", RNG.random((28, 28))), kernel("edge"), Motion()),
    "comparison": lambda: comparison(image("edges"), kernel("sobel"), Motion(1)),
    "comparison, long": lambda: comparison(LONG, kernel(TYPED), Motion(), kernel_name=TYPED),
    "matrix": lambda: matrix(image("count"), np.array([[1, 2], [3, 4]]), Motion()),
    "matrix of O": lambda: matrix(image("o"), kernel("blur"), Motion()),
    "polynomials": lambda: polynomials(np.array([1, 2, 1]), np.array([2, 0, -1, 3])),
    "long polynomials": lambda: polynomials(np.arange(-4, 4) + 0.5, np.arange(8)),
    "padding": padding,
    "pooling": lambda: pooling(image("padding")),
    "pooling, many": lambda: pooling(LONG, 2, 1),
    "arithmetic": arithmetic,
    "arithmetic, not square": lambda: arithmetic((12, 5), (6, 2)),
    "worked example": lambda: worked_example("X", DENSE),
    "worked example, no dense": lambda: worked_example("O"),
    "fourier": lambda: fourier(fourier_series(500)),
    "fourier, narrow": lambda: fourier(fourier_series(30, 3.0, 0.1, 700.0)),
    "oscillator": lambda: oscillator(driven_oscillator(damping=10.0, stiffness=1e4)),
    "blur": lambda: blur(LONG, sides=(3, 5, 9)).picture,
}


def _texts(figure) -> list[Text]:
    """Return the texts that are drawn, without ticks beyond the ends of their axis."""
    texts = list(figure.texts)
    texts += [t for t in (figure._suptitle, figure._supxlabel) if t is not None and t not in texts]
    for axes in figure.axes:
        if not axes.axison:
            texts += axes.texts
            continue
        legend = axes.get_legend()
        texts += [axes._left_title, axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
        texts += legend.get_texts() if legend else []
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for places, ticks in (
                (axis.get_majorticklocs(), axis.get_majorticklabels()),
                (axis.get_minorticklocs(), axis.get_minorticklabels()),
            ):
                texts += [t for x, t in zip(places, ticks, strict=False) if low <= x <= high]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


@pytest.mark.parametrize("name", PICTURES)
def test_texts_are_whole_apart_and_large_enough(name):
    figure = PICTURES[name]().figure
    figure.canvas.draw()
    with context():
        texts = _texts(figure)
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    width, height = figure.bbox.size
    assert len(texts) > 3
    assert min(text.get_fontsize() for text in texts) >= 7
    for number, (words, box) in enumerate(boxes):
        assert box.x0 >= -1, words
        assert box.x1 <= width + 1, words
        assert box.y0 >= -1, words
        assert box.y1 <= height + 1, words
        for others, other in boxes[:number]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            down = min(box.y1, other.y1) - max(box.y0, other.y0)
            assert across < 1.5 or down < 2.5, (words, others)


@pytest.mark.parametrize(
    "name", ["dilated", "colour", "comparison", "matrix of O", "pooling, many"]
)
def test_every_step_has_the_same_shapes_and_a_sentence(name):
    scenes = PICTURES[name]().scenes
    assert len({tuple(type(shape) for shape in scene.shapes) for scene in scenes}) == 1
    for scene in scenes:
        assert scene.caption[0].isupper()
        assert scene.caption.endswith(".")
