"""Networks whose numbers can be scanned, and the digits."""

from __future__ import annotations

import keras
import pytest
from keras import layers

import striate as st


def build(
    filters=4,
    l1=0.0,
    l2=1e-4,
    dropout=0.3,
    noise=0.1,
    smoothing=0.1,
    scale=0.05,
    optimizer="sgd",
    learning_rate=0.05,
    **settings,
):
    """Return a small network with every kind of number in it."""
    model = keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.GaussianNoise(noise),
            layers.Conv2D(
                filters, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(l2)
            ),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(dropout),
            layers.Dense(
                10,
                kernel_regularizer=keras.regularizers.L1(l1),
                kernel_initializer=keras.initializers.RandomNormal(stddev=scale),
            ),
        ]
    )
    kind = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.AdamW}[optimizer]
    model.compile(
        kind(learning_rate, **settings),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing),
        metrics=["accuracy"],
    )
    return model


@pytest.fixture(scope="session")
def digits() -> st.Dataset:
    """320 training images, so that batches of 60 leave a partial one."""
    return st.load("digits", limit=400)


@pytest.fixture(scope="session")
def network():
    """The function that builds it."""
    return build
