"""Around an epoch less is done than Keras does, and nothing of it can be seen."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import striate as st


@keras.saving.register_keras_serializable("tests.epochs")
class FromOne(keras.metrics.Sum):
    """A sum that begins at one."""

    def reset_state(self):
        self.total.assign(1)

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(keras.ops.mean(y_pred))


class Doubled(keras.Sequential):
    """Gives twice what its metrics say, and one number more."""

    def get_metrics_result(self):
        results = super().get_metrics_result()
        return {**{name: 2 * value for name, value in results.items()}, "one": 1.0}


class Listener(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append((batch, sorted(logs)))


def build(kind=keras.Sequential, metrics=("accuracy",)):
    def make():
        model = kind([layers.Input((4,)), layers.Dense(3, activation="softmax")])
        model.compile("sgd", "categorical_crossentropy", metrics=list(metrics))
        return model

    return make


def rows(count=20):
    random = np.random.default_rng(8)
    return random.random((count, 4), dtype=np.float32), np.eye(3)[random.integers(0, 3, count)]


def fitted(model, **arguments):
    return model.fit(*rows(), epochs=3, batch_size=8, shuffle=False, verbose=0, **arguments)


@pytest.mark.parametrize(
    "make",
    [
        build(),
        build(metrics=(FromOne(name="from_one"), "accuracy")),
        build(metrics=(keras.metrics.AUC(name="auc"), keras.metrics.F1Score(name="f1"))),
    ],
    ids=["plain", "own reset", "arrays in metrics"],
)
def test_history_is_that_of_keras(pair, make):
    models = pair(make)
    found, expected = (
        fitted(model, validation_data=rows(9)).history for model in (models.fast, models.plain)
    )
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-5, atol=1e-6, err_msg=name)


def test_results_of_its_own_are_kept():
    found = fitted(st.accelerate(build(Doubled)())).history
    plain = fitted(build(Doubled)()).history
    assert found.keys() == plain.keys() >= {"one"}
    assert found["one"] == [1.0] * 3


def test_callbacks_know_what_keras_tells_them(pair):
    models = pair(build())
    told = []
    for model in (models.fast, models.plain):
        seen = keras.callbacks.Callback()
        history = fitted(model, callbacks=seen)
        told.append((seen.params, history.epoch, seen.model is model, model.history is history))
    assert told[0] == told[1]


def test_who_listens_hears_of_every_chunk():
    model = st.accelerate(build()())
    listener = Listener()
    fitted(model, callbacks=[listener])
    assert listener.batches == [(2, ["accuracy", "loss"])] * 3


def test_state_of_fit_is_plain(pair):
    models = pair(build())
    fitted(models.fast)
    assert models.fast._jax_state is None
    assert [v.path for v in models.fast.variables] == [v.path for v in models.plain.variables]
