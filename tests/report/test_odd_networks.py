"""What does not apply is left out with a sentence; what users write stays text."""

import numpy as np
import pytest

from striate.report.gallery import Gallery
from striate.report.training import repeat_section, timing_section, training_section

import keras  # isort: skip
from keras import layers  # isort: skip

HOSTILE = '<script>alert("1")</script>'
IMAGE = "\"><img src=x onerror='alert(1)'>"


def test_a_dense_network_with_one_output_and_a_history_of_nan(made_up) -> None:
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(1, activation="sigmoid")]
    )
    model.compile(loss="binary_crossentropy")
    history = {"loss": [0.7, float("nan")], "val_loss": [float("nan")] * 2}
    page = made_up(model, ("QCD", "W"), history=history)
    assert page.faults == []
    assert "no layer of the network keeps rows and columns" in page.text
    titles = page.words["strong"]
    assert "Feature maps." not in titles
    # The one dense layer is on the pixels: its weights are output weights and an image alike.
    assert {"Weights of the first layer.", "Weights of the output layer."} <= set(titles)
    assert "mirror image" in page.text
    (history_alt,) = [image["alt"] for image in page.all("img") if "Curves" in image["alt"]]
    assert "loss from 0.7000 to –" in history_alt


def test_colour_images_one_epoch_and_names_that_are_markup(made_up) -> None:
    model = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            layers.Conv2D(3, 3, name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Reshape((1, 1, 3)),
            layers.Conv2D(3, 1),
            layers.Flatten(),
            layers.Softmax(),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy")
    page = made_up(
        model,
        (HOSTILE, IMAGE, "& a very long name of a class that does not end"),
        channels=3,
        history={"loss": [1.1], "accuracy": [0.3]},
        name=HOSTILE,
        model={"name": IMAGE, "arguments": {HOSTILE: IMAGE}},
        command=f"striate train </code></pre>{HOSTILE}",
        versions={HOSTILE: HOSTILE},
        machine={IMAGE: IMAGE},
        timing={"started": HOSTILE},
    )
    assert page.faults == []
    assert page.all("script") == []
    assert all(image["src"].startswith("data:") for image in page.all("img"))
    assert not any(key.startswith("on") for _, attributes in page.elements for key in attributes)
    assert page.words["h1"] == [f"{IMAGE} on {HOSTILE}"]
    assert page.words["pre"] == [f"striate train </code></pre>{HOSTILE}"]
    assert page.text.count(HOSTILE) > 5
    assert "the last layer with weights is not a dense one" in page.text
    assert "Kernels of the first layer." in page.words["strong"]


def test_more_than_a_hundred_classes(made_up) -> None:
    names = tuple(f"class {i}" for i in range(101))
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(2, 3),
            layers.Flatten(),
            layers.Dense(101, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy")
    page = made_up(model, names, channels=2, n=202)
    assert page.faults == []
    for sentence in (
        "The confusion matrix is left out: there are more than 100 classes.",
        "Output weights are left out: there are more than 100 classes.",
        "The numbers of images per class are left out: there are more than 100 classes.",
        "The run has no history of its epochs",
        "the 100 of 101 with the smallest F1",
    ):
        assert sentence in page.text
    assert not any("onfusion" in image["alt"] for image in page.all("img"))


def test_a_network_that_answers_nothing_and_a_subclassed_one(made_up) -> None:
    class Silent(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = layers.Conv2D(2, 3, kernel_initializer="ones")
            self.last = layers.Dense(2, activation="softmax")

        def call(self, x):
            y = self.first(x)
            return self.last(keras.ops.mean(y, axis=(1, 2))) * np.nan

    model = Silent()
    model.compile(loss="sparse_categorical_crossentropy")
    model(np.zeros((1, 6, 6, 1), np.float32))
    page = made_up(model, ("a", "b"))
    assert page.faults == []
    assert "The training diverged" in page.text
    assert "40 images, counted as wrong" in page.text
    assert "the network gives no answer" in page.text
    assert not any("Receiver operating" in image["alt"] for image in page.all("img"))


def test_timing_is_told_with_units_and_three_digits() -> None:
    timing = {
        "seconds_to_first_step": 0.0123456,
        "seconds_training": 3.884919195000748,
        "images_per_second": 53525.98806533197,
        "peak_memory_bytes": 470712320,
    }
    made = timing_section({"timing": timing})
    for words in ("12.3 ms", "3.88 s", "53,500", "449 MiB"):
        assert f"<dd>{words}</dd>" in made


@pytest.mark.parametrize("history", [{}, {"loss": []}])
def test_an_empty_configuration(history, tmp_path) -> None:
    gallery = Gallery(tmp_path)
    assert "no history of its epochs" in training_section({}, history, gallery)
    assert "recorded no times" in timing_section({})
    assert "did not record its command" in repeat_section({}, gallery.names)
    assert gallery.names == []
