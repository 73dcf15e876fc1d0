"""Networks and data for the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

import striate as st


def _two_branches() -> keras.Model:
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


class Pair:
    """The same network twice, from the same weights: plain Keras and compiled by striate."""

    def __init__(self, build: Callable[[], keras.Model], seed: int = 0) -> None:
        keras.utils.set_random_seed(seed)
        original = build()
        self.plain = keras.models.clone_model(original)
        self.plain.compile_from_config(original.get_compile_config())
        # Every variable, the states of random generators included.
        for mine, theirs in zip(self.plain.variables, original.variables, strict=True):
            mine.assign(np.array(theirs.value))
        self.fast = st.accelerate(original)

    def data(self, batch: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return random images, and labels as the model's loss needs them."""
        random = np.random.default_rng(7)
        count = batch * steps
        x = random.random((count, *self.plain.input_shape[1:]), dtype=np.float32)
        units = self.plain.output_shape[-1]
        labels = random.integers(0, max(units, 2), count)
        if "sparse" in str(getattr(self.plain.loss, "name", self.plain.loss)):
            return x, labels
        if units == 1:
            return x, labels[:, None].astype(np.float32)
        return x, np.eye(units, dtype=np.float32)[labels]


# Network -> images in a batch: few, because plain Keras is compared with and its steps are slow.
NETWORKS = {
    "heidelberg": 16,
    "isgc": 6,
    "oslo_digits": 100,
    "oslo_cifar10": 8,
    "fashion_dense": 16,
    "fashion_dropout": 16,
    "fashion_cnn": 6,
    "nthu_ox": 16,
    "jet_cnn": 6,
    "jet_dense": 16,
    "two_branches": 12,
}


@pytest.fixture
def pair() -> Callable[..., Pair]:
    """A function that makes a `Pair` of a network by name, or by a function that builds it."""

    def make(network: str | Callable[[], keras.Model], seed: int = 0) -> Pair:
        if network == "two_branches":
            return Pair(_two_branches, seed)
        return Pair(getattr(st.models, network) if isinstance(network, str) else network, seed)

    return make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `network` and `batch` for each network."""
    if {"network", "batch"} <= set(metafunc.fixturenames):
        metafunc.parametrize(("network", "batch"), NETWORKS.items(), ids=list(NETWORKS))
