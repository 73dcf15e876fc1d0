"""``fit``, ``evaluate`` and ``predict`` take what Keras takes and give what Keras gives."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
from keras import layers

import striate as st


def small(optimizer="adam", loss="categorical_crossentropy", metrics=("accuracy",), **more):
    def build():
        model = keras.Sequential(
            [
                layers.Input((6, 5, 1)),
                layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(3, activation="softmax"),
            ]
        )
        chosen = optimizer() if callable(optimizer) else optimizer
        model.compile(chosen, loss, metrics=list(metrics), **more)
        return model

    return build


def images(count=53):
    random = np.random.default_rng(3)
    x = random.random((count, 6, 5, 1), dtype=np.float32)
    return x, np.eye(3, dtype=np.float32)[random.integers(0, 3, count)]


def assert_same_history(found, expected, rtol=2e-5):
    assert found.history.keys() == expected.history.keys()
    assert found.epoch == expected.epoch
    for key, values in expected.history.items():
        np.testing.assert_allclose(found.history[key], values, rtol=rtol, atol=1e-6, err_msg=key)


def fit_both(pair, build, x, y, **arguments):
    models = pair(build)
    histories = []
    for model in (models.fast, models.plain):
        keras.utils.set_random_seed(5)  # Keras shuffles by NumPy's global state
        given = {name: a() if callable(a) else a for name, a in arguments.items()}
        histories.append(model.fit(x, y, verbose=0, **given))
    return models, *histories


ARGUMENTS = {
    "plain": {},
    "not shuffled": {"shuffle": False},
    "odd batches": {"batch_size": 7, "epochs": 2},
    "one batch": {"batch_size": 100},
    "validation_data": {"validation_data": lambda: images(11), "epochs": 2, "batch_size": 8},
    "validation_split": {"validation_split": 0.25, "epochs": 2, "batch_size": 8},
    "validation_freq": {"validation_split": 0.25, "epochs": 4, "validation_freq": 2},
    "class_weight": {"class_weight": lambda: {0: 1.0, 1: 3.0, 2: 0.5}},
    "sample_weight": {"sample_weight": lambda: np.linspace(0, 2, 53)},
    "initial_epoch": {"initial_epoch": 2, "epochs": 4},
    "steps_per_epoch": {"steps_per_epoch": 3, "epochs": 2, "batch_size": 8},
    "validation_steps": {"validation_split": 0.5, "validation_steps": 2, "batch_size": 4},
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(pair, name):
    x, y = images()
    _, found, expected = fit_both(pair, small(), x, y, **ARGUMENTS[name])
    assert_same_history(found, expected)


OPTIMIZERS = {
    "SGD momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "RMSprop": lambda: keras.optimizers.RMSprop(0.01),
    "Adam clipped": lambda: keras.optimizers.Adam(0.01, clipnorm=0.1),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "Adadelta": lambda: keras.optimizers.Adadelta(0.5),
    "Adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "Adamax": lambda: keras.optimizers.Adamax(0.01),
    "Adafactor": lambda: keras.optimizers.Adafactor(0.01),
    "Nadam": lambda: keras.optimizers.Nadam(0.01),
    "Ftrl": lambda: keras.optimizers.Ftrl(0.05),
    "Lion": lambda: keras.optimizers.Lion(0.001),
    "Lamb": lambda: keras.optimizers.Lamb(0.01),
    "EMA": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3),
    "accumulated": lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
    "schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(0.02, 10, warmup_target=0.05, warmup_steps=3)
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(pair, name):
    x, y = images()
    build = small(OPTIMIZERS[name])
    models, found, expected = fit_both(pair, build, x, y, batch_size=10, epochs=2)
    assert_same_history(found, expected, rtol=1e-4)
    for a, b in zip(models.fast.get_weights(), models.plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


LOSSES = [
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "kl_divergence",
    "mean_squared_error",
    "huber",
    "log_cosh",
    "poisson",
    "binary_crossentropy",
]


@pytest.mark.parametrize("loss", LOSSES)
def test_losses(pair, loss):
    x, y = images()
    _, found, expected = fit_both(pair, small(loss=loss), x, y, batch_size=10)
    assert_same_history(found, expected)


def test_metrics(pair):
    x, y = images()
    metrics = lambda: (  # noqa: E731
        "accuracy",
        keras.metrics.AUC(name="auc"),
        keras.metrics.F1Score(average="macro", name="f1"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.TopKCategoricalAccuracy(2, name="top2"),
        keras.metrics.MeanSquaredError(name="mse"),
    )
    _, found, expected = fit_both(
        pair, small(metrics=metrics()), x, y, batch_size=10, validation_split=0.3
    )
    assert_same_history(found, expected)


def test_weighted_metrics_and_label_smoothing(pair):
    x, y = images()
    build = small(
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        weighted_metrics=["accuracy"],
    )
    _, found, expected = fit_both(
        pair, build, x, y, batch_size=10, sample_weight=lambda: np.linspace(0, 2, 53)
    )
    assert_same_history(found, expected)


def test_several_inputs_and_outputs(pair):
    def build():
        a, b = layers.Input((6, 5, 1), name="a"), layers.Input((4,), name="b")
        h = layers.Flatten()(layers.Conv2D(3, 3, activation="relu")(a))
        h = layers.Concatenate()([h, b])
        model = keras.Model(
            {"a": a, "b": b},
            {
                "kind": layers.Dense(3, activation="softmax", name="kind")(h),
                "mass": layers.Dense(1, name="mass")(h),
            },
        )
        model.compile(
            "adam",
            {"kind": "categorical_crossentropy", "mass": "mse"},
            metrics={"kind": "accuracy"},
            loss_weights={"kind": 1.0, "mass": 0.3},
        )
        return model

    x, y = images()
    random = np.random.default_rng(0)
    inputs = {"a": x, "b": random.random((53, 4), dtype=np.float32)}
    targets = {"kind": y, "mass": random.random((53, 1), dtype=np.float32)}
    models = pair(build)
    histories = [
        m.fit(inputs, targets, batch_size=10, shuffle=False, verbose=0, epochs=2)
        for m in (models.fast, models.plain)
    ]
    assert_same_history(*histories)
    found, expected = (
        models.fast.predict(inputs, verbose=0),
        models.plain.predict(inputs, verbose=0),
    )
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-4, atol=1e-5)


def batches_of(x, y, size):
    while True:
        for i in range(0, len(x) - size + 1, size):
            yield x[i : i + size], y[i : i + size]


def test_a_generator_is_advanced_no_further_than_by_keras(pair):
    x, y = images()
    models = pair(small())
    left = []
    histories = []
    for model in (models.fast, models.plain):
        source = batches_of(x, y, 5)
        histories.append(model.fit(source, steps_per_epoch=7, epochs=3, shuffle=False, verbose=0))
        left.append(next(source)[0])
    assert_same_history(*histories)
    np.testing.assert_array_equal(*left)


def test_a_generator_that_runs_dry_ends_the_training_as_in_keras(pair):
    x, y = images(20)
    models = pair(small())
    for model in (models.fast, models.plain):
        source = ((x[i : i + 5], y[i : i + 5]) for i in range(0, 20, 5))
        with pytest.warns(UserWarning, match="ran out of data"):
            model.fit(source, steps_per_epoch=10, epochs=1, shuffle=False, verbose=0)
    assert int(models.fast.optimizer.iterations) == int(models.plain.optimizer.iterations) == 4


class Sequence(keras.utils.PyDataset):
    """Batches of growing size, so that no two are alike."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 6

    def __getitem__(self, i):
        chosen = slice(i * (i + 1) // 2, (i + 1) * (i + 2) // 2)
        return self.x[chosen], self.y[chosen]


def test_a_pydataset_with_batches_of_different_sizes(pair):
    x, y = images()
    models = pair(small())
    histories = [
        m.fit(Sequence(x, y), epochs=2, shuffle=False, verbose=0)
        for m in (models.fast, models.plain)
    ]
    assert_same_history(*histories)


def test_evaluate_and_predict(pair):
    x, y = images()
    models = pair(small())
    for batch in (None, 7, 53, 100):
        np.testing.assert_allclose(
            models.fast.evaluate(x, y, batch_size=batch, verbose=0),
            models.plain.evaluate(x, y, batch_size=batch, verbose=0),
            rtol=1e-5,
        )
        found = models.fast.predict(x, batch_size=batch, verbose=0)
        assert found.shape == (53, 3)
        expected = models.plain.predict(x, batch_size=batch, verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    one = models.fast.predict(x[:1], verbose=0)
    np.testing.assert_allclose(one, expected[:1], rtol=1e-5, atol=1e-7)


class Watcher(keras.callbacks.Callback):
    """Remembers what it is told, and a copy of the weights after each epoch."""

    def __init__(self):
        super().__init__()
        self.batches, self.epochs, self.weights = [], [], []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append((batch, logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append((epoch, sorted(logs)))
        self.weights.append(self.model.get_weights())


def test_callbacks_are_told_chunk_by_chunk_and_may_keep_weights(pair):
    x, y = images()
    models = pair(small())
    watchers = [Watcher(), Watcher()]
    for model, watcher in zip((models.fast, models.plain), watchers, strict=True):
        model.fit(x, y, batch_size=10, epochs=3, shuffle=False, verbose=0, callbacks=[watcher])
    fast, plain = watchers
    assert fast.epochs == plain.epochs
    assert [batch for batch, _ in fast.batches] == [5, 5, 5]  # six batches are one chunk
    for mine, theirs in zip(fast.weights, plain.weights, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_steps_per_execution_is_respected(pair):
    x, y = images()
    watcher = Watcher()
    model = st.accelerate(small(steps_per_execution=2)())
    model.fit(x, y, batch_size=10, verbose=0, callbacks=[watcher])
    assert [batch for batch, _ in watcher.batches] == [1, 3, 5]
    assert model.steps_per_execution == 2


def test_early_stopping_checkpoints_and_learning_rate(pair, tmp_path):
    x, y = images()

    def callbacks(name):
        return [
            keras.callbacks.EarlyStopping(
                "loss", patience=1, min_delta=0.05, restore_best_weights=True
            ),
            keras.callbacks.ModelCheckpoint(tmp_path / f"{name}.keras", monitor="loss"),
            keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 / (1 + epoch)),
        ]

    models = pair(small())
    histories = [
        m.fit(x, y, batch_size=10, epochs=12, shuffle=False, verbose=0, callbacks=callbacks(name))
        for name, m in (("fast", models.fast), ("plain", models.plain))
    ]
    assert_same_history(*histories)
    assert len(histories[0].epoch) < 12
    loaded = keras.models.load_model(tmp_path / "fast.keras")
    assert type(loaded) is keras.Sequential


def test_a_loss_that_is_not_a_number_stops_as_in_keras(pair):
    x, y = images()
    x[7] = np.nan
    models = pair(small())
    for model in (models.fast, models.plain):
        stop = keras.callbacks.TerminateOnNaN()
        history = model.fit(x, y, batch_size=10, epochs=5, verbose=0, callbacks=[stop])
        assert len(history.epoch) == 1
        assert math.isnan(history.history["loss"][0])


def test_the_progress_bar_counts_the_batches(capsys):
    x, y = images()
    st.accelerate(small()()).fit(x, y, batch_size=7, verbose=1)
    assert "8/8" in capsys.readouterr().out


def test_a_wrong_shape_gives_the_error_of_keras(pair):
    x, y = images()
    models = pair(small())
    messages = []
    for model in (models.fast, models.plain):
        with pytest.raises(ValueError, match="expected") as error:
            model.fit(x[:, :, :, :, None].repeat(2, 3), y, verbose=0)
        messages.append(str(error.value))
    assert messages[0].replace(models.fast.name, "") == messages[1].replace(models.plain.name, "")


def test_an_uncompiled_model_gives_the_error_of_keras():
    model = st.Sequential([layers.Input((2,)), layers.Dense(1)])
    with pytest.raises(ValueError, match="compile"):
        model.fit(np.ones((3, 2)), np.ones(3))


def test_train_on_batch(pair):
    x, y = images()
    models = pair(small())
    for i in range(0, 40, 10):
        np.testing.assert_allclose(
            models.fast.train_on_batch(x[i : i + 10], y[i : i + 10]),
            models.plain.train_on_batch(x[i : i + 10], y[i : i + 10]),
            rtol=1e-5,
        )
    np.testing.assert_allclose(
        models.fast.predict_on_batch(x), models.plain.predict_on_batch(x), rtol=1e-4, atol=1e-5
    )
