"""``predict`` of one small batch gives what Keras gives, by its short way."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import striate as st
from striate.engine.chunks import ChunkedFunction


def model():
    return st.Sequential(
        [
            layers.Input((6, 5, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(3, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )


def pixels(count):
    return np.random.default_rng(3).integers(0, 256, (count, 6, 5, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int64", "bool"])
@pytest.mark.parametrize("count", [1, 5, 32])
def test_small_batches(monkeypatch, count, dtype):
    made = model()
    x = pixels(count).astype(dtype)
    expected = keras.Sequential(made.layers).predict(x, verbose=0)

    def refuse(*_):
        raise AssertionError("took the long way")

    monkeypatch.setattr(ChunkedFunction, "__call__", refuse)
    found = made.predict(x, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert found.dtype == expected.dtype
    found[:] = 0  # the caller's own


def test_new_weights_are_seen():
    made, x = model(), pixels(1)
    before = made.predict(x, verbose=0)
    made.set_weights([2 * w for w in made.get_weights()])
    expected = keras.Sequential(made.layers).predict(x, verbose=0)
    np.testing.assert_allclose(made.predict(x, verbose=0), expected, rtol=1e-5)
    assert not np.allclose(before, expected, rtol=1e-3)


class Counting(layers.Layer):
    """Counts how often it is called."""

    def build(self, _):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.calls.assign_add(1.0)
        return x + 0 * self.calls


def test_a_layer_that_counts_its_calls_counts():
    counting = Counting()
    made = st.Sequential([layers.Input((4,)), counting])
    for _ in range(3):
        made.predict(np.zeros((2, 4)), verbose=0)
    assert float(counting.calls.value) == 3


def test_several_outputs_keep_their_structure():
    image = layers.Input((4,))
    made = st.Model(image, {"double": layers.Rescaling(2.0)(image), "same": image})
    found = made.predict(np.ones((3, 4)), verbose=0)
    assert {name: float(values.sum()) for name, values in found.items()} == {
        "double": 24.0,
        "same": 12.0,
    }


def test_progress_callbacks_and_larger_batches_go_keras_way(capsys):
    made, seen = model(), []
    made.predict(pixels(1))
    assert "1/1" in capsys.readouterr().out
    note = keras.callbacks.LambdaCallback(on_epoch_end=None)
    note.on_predict_batch_end = lambda batch, logs=None: seen.append(len(logs["outputs"]))
    made.predict(pixels(1), verbose=0, callbacks=[note])
    assert seen == [1]
    assert made.predict(pixels(33), verbose=0).shape == (33, 3)


def test_a_wrong_shape_gives_the_error_of_keras():
    made = model()
    with pytest.raises(ValueError, match="incompatible") as theirs:
        keras.Sequential(made.layers).predict(np.zeros((1, 3, 3, 1)), verbose=0)
    with pytest.raises(ValueError, match="incompatible") as ours:
        made.predict(np.zeros((1, 3, 3, 1)), verbose=0)
    assert str(ours.value).splitlines()[0] == str(theirs.value).splitlines()[0]
