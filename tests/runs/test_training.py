from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

import striate as st


def small(filters: int = 3, rate: float = 0.1) -> keras.Model:
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Conv2D(filters, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def digits() -> st.Dataset:
    return st.load("digits", limit=300)


def test_a_lecture_network_is_built_for_the_data(tmp_path: Path, digits: st.Dataset) -> None:
    run = st.train("heidelberg", digits, epochs=2, filters=4, directory=tmp_path)
    assert run.directory.parent == tmp_path
    assert run.directory.name.startswith("digits-heidelberg-")
    assert list(run.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert all(len(values) == 2 for values in run.history.values())
    assert run.config["model"]["name"] == "heidelberg"
    assert run.config["model"]["arguments"] == {"filters": 4}
    assert run.config["training"]["batch_size"] == 64
    assert run.config["training"]["validation_on"] == "test"
    assert run.state == "finished"
    assert run.model.input_shape == (None, 8, 8, 1)
    loaded = keras.saving.load_model(run.directory / "model.keras")
    assert type(loaded) is keras.Sequential
    for kept, saved in zip(run.model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, saved)
