"""An image of a dataset explained by a network: the facts, the figures, and what is refused."""

import keras
import numpy as np
import pytest
from keras import layers
from matplotlib.axis import Axis
from matplotlib.text import Text

import striate as st
from striate.explain.run import Explainer, save_figures
from striate.plots.style import context

RNG = np.random.default_rng(9)
NAMES = ("quarks and gluons (QCD)", "W boson, hadronic decay", "top quark, fully merged")


def _data(shape=(8, 8, 1), classes=3, n=30) -> st.Dataset:
    labels = np.arange(n) % classes
    images = RNG.random((n, *shape)).astype(np.float32)
    return st.Dataset.from_arrays(
        images, labels, images, labels, class_names=NAMES[:classes], name="made up for this test"
    )


def _network(data: st.Dataset, *, convolutions: bool = True) -> keras.Model:
    keras.utils.set_random_seed(3)
    stack = [
        layers.Conv2D(2, 3, padding="same", activation="relu", name="a_layer_with_a_long_name"),
        layers.MaxPooling2D(2),
        layers.Conv2D(3, 2, name="last one"),
        layers.BatchNormalization(),
        layers.ReLU(),
    ]
    return st.Sequential(
        [
            layers.Input(data.image_shape),
            *(stack if convolutions else ()),
            layers.Flatten(),
            layers.Dense(data.classes, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 12, 3), (8, 8, 2)])
def test_an_image_is_explained(shape) -> None:
    data = _data(shape)
    model = _network(data)
    explainer = Explainer(model, data)
    told = explainer.explain(4)
    chances = np.asarray(model(data.test.images[4:5]))[0]
    assert told.true == data.test.labels[4]
    assert told.predicted == told.explained == chances.argmax()
    np.testing.assert_allclose(told.probabilities, chances, atol=1e-6)
    assert [a.method for a in told.attributions] == [
        "gradient-input",
        "integrated-gradients",
        "occlusion",
        "grad-cam",
    ]
    assert told.attributions[1].complete
    # Below the last convolution: the batch normalisation and the ReLU that follow it.
    assert told.attributions[3].layer == model.layers[4].name
    assert any("channels" in note for note in told.notes) == (shape[2] > 1)
    for found in told.attributions:
        assert found.values.shape == shape[:2]
    figures = explainer.figures(told)
    assert set(figures) == {
        "pixels",
        "feature_maps",
        "kernels_a_layer_with_a_long_name",
        "kernels_last_one",
        "patches_a_layer_with_a_long_name",
        "patches_last_one",
    }
    assert told.as_dict()["methods"][1]["complete"] is True


def test_class_layer_baseline_and_score_are_chosen() -> None:
    data = _data()
    explainer = Explainer(_network(data), data, "log-probability")
    for word in (NAMES[2], "2"):
        told = explainer.explain(
            0,
            class_name=word,
            methods=["grad-cam"],
            layer="a_layer_with_a_long_name",
            baseline="mean",
        )
        assert told.explained == 2
        assert told.kind == "log-probability"
        assert told.score == pytest.approx(np.log(told.probabilities[2]), abs=1e-5)
        assert [a.layer for a in told.attributions] == ["a_layer_with_a_long_name"]
        assert told.baseline == "mean"


def test_without_convolutions_grad_cam_is_left_out_and_said(tmp_path) -> None:
    data = _data()
    explainer = Explainer(_network(data, convolutions=False), data)
    told = explainer.explain(0)
    assert [a.method for a in told.attributions][-1] == "occlusion"
    assert told.notes == ("Grad-CAM does not apply: the network has no convolution layer.",)
    figures = explainer.figures(told)
    assert set(figures) == {"pixels"}
    assert save_figures(figures, tmp_path / "new") == [tmp_path / "new" / "pixels.png"]
    assert (tmp_path / "new" / "pixels.pdf").stat().st_size > 1000
    assert told.notes[0] in [text.get_text() for text in figures["pixels"].texts]
    with pytest.raises(st.StriateError, match="Grad-CAM does not apply"):
        explainer.explain(0, methods=["grad-cam"])
    with pytest.raises(st.StriateError, match="Grad-CAM does not apply"):
        explainer.explain(0, layer="conv")


def test_of_a_network_without_a_graph_patches_are_left_out() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = layers.Conv2D(2, 3, activation="relu", name="conv")
            self.head = keras.Sequential([layers.Flatten(), layers.Dense(3)])

        def call(self, x):
            return self.head(self.convolution(x))

    data = _data()
    model = Own()
    model(data.test.images[:1])
    explainer = Explainer(model, data)
    told = explainer.explain(1)
    assert told.kind == "logit"
    assert told.attributions[-1].layer == "conv"
    figures = explainer.figures(told)
    assert "kernels_conv" in figures
    assert not any(name.startswith("patches") for name in figures)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"index": 30}, "image 30 is not among the 30 test images .* 0 to 29"),
        ({"index": -1}, "image -1 is not among"),
        ({"class_name": "W bosson, hadronic decay"}, "did you mean 'W boson, hadronic decay'"),
        ({"class_name": "3"}, "no class '3'"),
        ({"layer": "last on"}, "no convolution layer 'last on' .* did you mean 'last one'"),
        ({"methods": ["gradcam"]}, "unknown method 'gradcam': did you mean 'grad-cam'"),
        ({"baseline": "dark"}, "write a value from 0 to 1, mean or blur"),
        ({"patch": 10}, "does not fit into an image of 8 x 8"),
    ],
)
def test_what_is_not_there_is_one_line(words, message) -> None:
    data = _data()
    with pytest.raises(st.StriateError, match=message) as caught:
        Explainer(_network(data), data).explain(**{"index": 0, **words})
    assert "\n" not in str(caught.value)


def test_a_network_for_other_images_is_refused() -> None:
    with pytest.raises(st.StriateError, match="takes images of shape"):
        Explainer(_network(_data((10, 10, 1))), _data())


@pytest.mark.parametrize("shape", [(8, 8, 1), (4, 40, 3)])
def test_no_text_is_cut_off_or_lies_upon_another(shape) -> None:
    data = _data(shape, classes=2)
    explainer = Explainer(_network(data), data)
    for name, figure in explainer.figures(explainer.explain(2, baseline="mean")).items():
        figure.canvas.draw()
        with context():
            hidden = {
                id(label)
                for axis in figure.findobj(Axis)
                for tick in axis.get_major_ticks()
                if not min(axis.get_view_interval()) <= tick.get_loc() + 1e-12
                or not tick.get_loc() <= max(axis.get_view_interval()) + 1e-12
                for label in (tick.label1, tick.label2)
            }
            boxes = [
                (text.get_text(), text.get_window_extent())
                for text in figure.findobj(Text)
                if text.get_visible() and text.get_text().strip() and id(text) not in hidden
            ]
        width, height = figure.bbox.size
        for i, (words, box) in enumerate(boxes):
            assert box.x0 >= -1, (name, words)
            assert box.x1 <= width + 1, (name, words)
            assert box.y0 >= -1, (name, words)
            assert box.y1 <= height + 1, (name, words)
            for other_words, other in boxes[:i]:
                across = min(box.x1, other.x1) - max(box.x0, other.x0)
                down = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert across < 1.5 or down < 1.5, (name, words, other_words)
