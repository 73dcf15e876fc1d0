"""How an epoch is cut into chunks, and what runs when a step cannot be compiled."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from keras import layers

import striate as st
from striate.engine.chunks import MOST_BATCHES, MOST_BYTES, chunk_length


@given(some.integers(1, 5000), some.integers(1, 10**8))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_chunks_cover_an_epoch_evenly_and_stay_small(batches, size):
    length = chunk_length(batches, size)
    assert 1 <= length <= MOST_BATCHES
    assert length == 1 or length * size <= MOST_BYTES
    chunks = -(-batches // length)
    # The last chunk is at most as much shorter as there are chunks, and mostly less.
    assert chunks * length - batches < max(chunks, 2)


def test_data_of_unknown_length_get_short_chunks():
    assert 1 < chunk_length(None, None) <= MOST_BATCHES


def network(cls=st.Sequential, **more):
    model = cls([layers.Input((6, 6, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse", **more)
    return model


X, Y = np.ones((40, 6, 6, 1), np.float32), np.zeros((40, 1), np.float32)


def test_run_eagerly_runs_as_keras_does():
    seen = []

    class Peeking(layers.Layer):
        """Looks at values, which only an eager run has."""

        def call(self, inputs):
            seen.append(float(np.asarray(inputs).sum()))
            return inputs

        def compute_output_shape(self, input_shape):
            return input_shape

    model = st.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.add(Peeking())
    seen.clear()
    model.compile("sgd", "mse", run_eagerly=True)
    model.predict(np.ones((4, 2), np.float32), verbose=0)
    assert len(seen) == 1
    assert "run_eagerly=True" in str(model.engine_report())


class Python(st.Sequential):
    """A step that no loop can hold: it looks at its number of images from Python each time."""

    calls = 0

    def train_step(self, state, data):
        Python.calls += 1
        if Python.calls == 1:
            raise TypeError("not in a loop")
        return super().train_step(state, data)


def test_a_step_that_cannot_be_traced_runs_as_keras_does_and_says_why_once():
    model = Python([layers.Input((6, 6, 1)), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="TypeError: not in a loop") as caught:
        history = model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    assert len(caught) == 1
    assert history.history["loss"][1] < history.history["loss"][0]
    assert int(model.optimizer.iterations) == 10
    assert "not in a loop" in str(model.engine_report())


def test_a_step_that_fails_in_keras_too_fails_with_its_error():
    class Broken(st.Sequential):
        """Fails whoever runs it."""

        def train_step(self, state, data):
            raise RuntimeError("the user's own fault")

    model = Broken([layers.Input((6, 6, 1)), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    with warnings.catch_warnings(), pytest.raises(RuntimeError, match="the user's own fault"):
        warnings.simplefilter("error")
        model.fit(X, Y, verbose=0)


def test_a_custom_train_step_is_compiled():
    class Halved(st.Sequential):
        """Reports half of the loss under another name."""

        def train_step(self, state, data):
            logs, state = super().train_step(state, data)
            return {"half": logs["loss"] / 2, **logs}, state

    model = Halved([layers.Input((6, 6, 1)), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    told = {}

    def seen(batch, logs):
        told.update(logs)

    catch = keras.callbacks.LambdaCallback(on_train_batch_end=seen)
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[catch])
    assert told["half"] == pytest.approx(told["loss"] / 2)
    assert model.train_function.why_not is None


def test_memory_does_not_grow_with_repeated_fits():
    """Compiled programs and chunks are kept once, not once a fit."""
    psutil = pytest.importorskip("psutil")
    x, y = np.tile(X, (50, 1, 1, 1)), np.tile(Y, (50, 1))
    model = network()
    process, sizes = psutil.Process(), []
    for _ in range(20):
        model.fit(x, y, verbose=0)
        sizes.append(process.memory_info().rss)
    assert sizes[-1] < 1.05 * sizes[2]
