"""The figure of an architecture: a block and the right words for each layer."""

import keras
import pytest
from keras import layers

import striate as st
from striate.explain.model import architecture
from striate.models.anatomy import anatomy


def _words(figure) -> list[str]:
    return [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in figure.texts]


def test_each_layer_has_its_shape_parameters_and_receptive_field() -> None:
    figure = architecture(anatomy(st.models.heidelberg()))
    words = _words(figure)
    assert words[0] == "heidelberg"
    assert words[1].startswith("173,738 parameters")
    lines = [line for line in words if "320 parameters" in line]
    assert lines == ["26 × 26 × 32; 320 parameters"]
    assert any(line.startswith("sees 4 × 4, step 2 × 2") for line in words)
    # Blocks of the input and five layers, five views, five arrows.
    assert len(figure.axes) == 6 + 5 + 5


@pytest.mark.parametrize("name", st.models.REGISTRY)
def test_no_line_reaches_the_drawings_or_leaves_the_figure(name) -> None:
    figure = architecture(anatomy(st.models.build(name)))
    figure.canvas.draw()
    width, height = figure.bbox.size
    boxes = [text.get_window_extent() for text in figure.texts]
    views = [axes.get_window_extent() for axes in figure.axes]
    for text, box in zip(figure.texts, boxes, strict=True):
        assert box.x0 >= 0
        assert box.x1 <= width, text.get_text()
        assert box.y0 >= 0
        assert box.y1 <= height
        for view in views:
            across = min(box.x1, view.x1) - max(box.x0, view.x0)
            down = min(box.y1, view.y1) - max(box.y0, view.y0)
            assert across < 1.5 or down < 1.5, text.get_text()


def test_branches_and_what_is_not_known_are_said() -> None:
    given = keras.Input((None, None, 3))
    one = layers.Conv2D(4, 3, padding="same")(given)
    both = layers.Add()([one, layers.Conv2D(4, 1)(given)])
    model = keras.Model(given, layers.Dense(2)(layers.GlobalMaxPooling2D()(both)))
    words = _words(architecture(anatomy(model)))
    assert any("its branches are not drawn" in line for line in words)
    assert "? × ? × 3" in words

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    own = Own()
    own(keras.ops.zeros((1, 3)))
    assert any("output not known" in line for line in _words(architecture(anatomy(own))))
