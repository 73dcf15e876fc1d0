"""Networks and data for the tests of the engine."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import striate as st


def two_branches() -> keras.Model:
    """A functional network: two branches, batch normalisation, dropout 0."""
    inputs = layers.Input((9, 7, 2))
    left = layers.Conv2D(5, 3, padding="same", activation="relu")(inputs)
    left = layers.MaxPooling2D(2)(left)
    right = layers.Conv2D(5, (2, 3), strides=(2, 2), padding="same", use_bias=False)(inputs)
    right = layers.BatchNormalization()(right)
    right = layers.ReLU()(right)
    right = layers.Cropping2D(((0, 1), (0, 1)))(right)
    joined = layers.Concatenate()([left, right])
    joined = layers.Dropout(0.0)(joined)
    joined = layers.AveragePooling2D(2)(joined)
    outputs = layers.Dense(3, activation="softmax")(layers.Flatten()(joined))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


LECTURE_NETWORKS = {
    "heidelberg": 64,
    "isgc": 8,
    "oslo_digits": 100,
    "oslo_cifar10": 16,
    "fashion_dense": 32,
    "fashion_cnn": 16,
    "nthu_ox": 16,
    "jet_cnn": 16,
    "jet_dense": 32,
}


def build(name: str, seed: int = 0) -> keras.Model:
    """Return a plain Keras model with reproducible first weights."""
    keras.utils.set_random_seed(seed)
    return two_branches() if name == "two_branches" else getattr(st.models, name)()


def batches(model: keras.Model, batch: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random images and labels as the model's loss needs them."""
    random = np.random.default_rng(7)
    count = batch * steps
    classes = model.output_shape[-1]
    x = random.random((count, *model.input_shape[1:]), dtype=np.float32)
    labels = random.integers(0, max(classes, 2), count)
    if "sparse" in str(getattr(model.loss, "name", model.loss)):
        return x, labels
    if classes == 1:
        return x, labels[:, None].astype(np.float32)
    return x, np.eye(classes, dtype=np.float32)[labels]


@pytest.fixture
def make():
    """The function that builds a network by name."""
    return build
