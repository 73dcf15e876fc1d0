"""Large batches are predicted in pieces, with the same outputs, where images are independent."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import striate as st
from striate.engine import pieces


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Let a small network be a large one: its largest layer has 4 * 3 * 24 floats an image."""
    monkeypatch.setattr(pieces, "MOST_BYTES", 20_000)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 10_000)


def network(model_class=st.Sequential, *more):
    return model_class(
        [
            layers.Input((6, 5, 1)),
            layers.Conv2D(24, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(0.5),
            *more,
            layers.Dense(3, activation="softmax"),
        ]
    )


def images(count):
    return np.random.default_rng(5).normal(size=(count, 6, 5, 1)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 17, 18, 24, 61])
def test_outputs_are_those_of_keras(count):
    model = network()
    x = images(count)
    expected = keras.Sequential(model.layers).predict(x, batch_size=count, verbose=0)
    assert (pieces.piece_length(model, count) is not None) == (count > 17)
    for batch_size, verbose in [(count, 0), (count, 2), (20, 0)]:
        found = model.predict(x, batch_size=batch_size, verbose=verbose)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("count", "length"), [(17, None), (18, 6), (20, 5), (24, 8), (61, 8)])
def test_pieces_are_equal_where_that_is_possible(count, length):
    assert pieces.piece_length(network(), count) == length


def test_several_outputs_and_inputs():
    one, two = keras.Input((6, 5, 1)), keras.Input((6, 5, 1))
    shared = layers.Conv2D(24, 3)
    both = layers.Add()([shared(one), shared(two)])
    model = st.Model([one, two], [layers.Flatten()(both), layers.GlobalMaxPooling2D()(both)])
    plain = keras.Model(model.inputs, model.outputs)
    x = [images(45), images(46)[1:]]
    assert pieces.piece_length(model, 45) == 5
    found = model.predict(x, batch_size=45, verbose=0)
    for ours, theirs in zip(found, plain.predict(x, batch_size=45, verbose=0), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def of_the_batch(x):
    return x - keras.ops.mean(x, axis=0)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Lambda(of_the_batch),
        lambda: layers.Dense(4, activation=of_the_batch),
        lambda: layers.Softmax(axis=0),
        lambda: layers.Dense(4, activation=layers.Softmax(axis=0)),
        lambda: layers.Activation(layers.Lambda(of_the_batch)),
    ],
    ids=["lambda", "function", "softmax", "layer in a layer", "lambda in a layer"],
)
def test_layers_that_may_mix_images_get_the_whole_batch(layer):
    model = network(st.Sequential, layer())
    x = images(61)
    assert pieces.piece_length(model, 61) is None
    found = model.predict(x, batch_size=61, verbose=0)
    expected = keras.Sequential(model.layers).predict(x, batch_size=61, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


class Centred(st.Sequential):
    """Subtracts the mean of a batch."""

    def call(self, inputs, training=None, mask=None):
        return super().call(of_the_batch(inputs), training=training, mask=mask)


class Summed(st.Sequential):
    """Predicts one number for a batch."""

    def predict_step(self, *args):
        outputs, state = super().predict_step(*args)
        return outputs - keras.ops.mean(outputs), state


@pytest.mark.parametrize("model_class", [Centred, Summed])
def test_models_of_ones_own_get_the_whole_batch(model_class):
    assert pieces.piece_length(network(model_class), 61) is None


def test_operations_that_may_mix_images_get_the_whole_batch():
    inputs = keras.Input((6, 5, 1))
    convolved = layers.Conv2D(24, 3)(inputs)
    model = st.Model(inputs, layers.Flatten()(convolved - keras.ops.mean(convolved, axis=0)))
    x = images(61)
    assert pieces.piece_length(model, 61) is None
    expected = keras.Model(model.inputs, model.outputs).predict(x, batch_size=61, verbose=0)
    found = model.predict(x, batch_size=61, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_model_in_a_model_goes_in_pieces():
    inner = keras.Sequential([layers.Input((4, 3, 24)), layers.Conv2D(2, 2)])
    model = network(st.Sequential)
    outer = st.Sequential([layers.Input((6, 5, 1)), *model.layers[:2], inner, layers.Flatten()])
    assert pieces.piece_length(outer, 61) == 8
