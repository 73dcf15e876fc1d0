"""Arrays on the device give what Keras's slices on the host give, in Keras's order."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

import striate as st
from striate.engine import resident


def model():
    keras.utils.set_random_seed(2)
    made = st.Sequential(
        [
            layers.Input((6, 5, 1)),
            layers.Conv2D(3, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    made.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


def images(count=53):
    random = np.random.default_rng(3)
    return random.random((count, 6, 5, 1), dtype=np.float32), random.integers(0, 3, count)


def batches(adapter):
    return [tuple(np.asarray(part) for part in batch) for batch in adapter.get_jax_iterator()]


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_rows_are_those_of_keras(shuffle):
    x, y = images()
    np.random.seed(4)  # noqa: NPY002  Keras's own
    expected = batches(ArrayDataAdapter(x, y, batch_size=8, shuffle=shuffle))
    ours = resident.resident(x, y, batch_size=8, shuffle=shuffle)
    np.random.seed(4)  # noqa: NPY002
    for found, wanted in zip(batches(ours), expected, strict=True):
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(a, b)
    np.random.seed(4)  # noqa: NPY002
    rows = ours.get_jax_iterator().take(100)
    assert [len(r) for r in rows] == [8] * 6 + [5]
    for r, (a, b) in zip(rows, expected, strict=True):
        np.testing.assert_array_equal(x[r], a)
        np.testing.assert_array_equal(y[r], b)


@pytest.mark.parametrize(
    "x",
    [
        pytest.param([[1.0, 2.0]], id="list"),
        pytest.param(np.array(["a", "b"]), id="text"),
        pytest.param(np.float32(3), id="number"),
        pytest.param(iter([]), id="iterator"),
        pytest.param(None, id="nothing"),
    ],
)
def test_other_data_stay_on_the_host(x):
    assert resident.resident(x, batch_size=2) is None


def test_more_than_fits_stays_on_the_host():
    whole = np.broadcast_to(np.float64(0), (2**28 + 1,))  # takes no memory; 1 GiB in float32
    assert resident.resident(whole, batch_size=2) is None
    assert resident.resident(whole[: 2**28], batch_size=2) is not None


@pytest.mark.parametrize("batch", [8, 53, 100])
def test_streamed_batches_give_the_same_bits(monkeypatch, batch):
    x, y = images()
    results = []
    for most in (resident.MOST_BYTES, 0):
        monkeypatch.setattr(resident, "MOST_BYTES", most)
        made = model()
        history = made.fit(
            x, y, batch_size=batch, epochs=3, validation_split=0.2, verbose=0, class_weight={1: 2.0}
        )
        results.append((history.history, made.get_weights(), made.predict(x, verbose=0)))
    (history, weights, scores), (others, theirs, streamed) = results
    assert history == others
    for a, b in zip(weights, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(scores, streamed)


def test_arrays_are_read_once_and_never_written():
    x, y = images()
    kept = x.copy()

    class Erase(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            x[:] = np.nan

    history = model().fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=[Erase()])
    expected = model().fit(kept, y, batch_size=8, epochs=3, verbose=0)
    assert history.history == expected.history


def test_arrays_of_different_lengths_give_the_error_of_keras():
    x, y = np.zeros((4, 6, 5, 1)), np.zeros(3)
    made = model()
    plain = keras.Sequential(made.layers)
    plain.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="cardinality") as theirs:
        plain.fit(x, y, verbose=0)
    with pytest.raises(ValueError, match="cardinality") as ours:
        made.fit(x, y, verbose=0)
    assert str(ours.value) == str(theirs.value)
