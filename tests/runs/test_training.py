from __future__ import annotations

import itertools
import json
import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import striate as st
from striate.errors import StriateError

Train = Callable[..., st.Run]
Network = Callable[[], keras.Model]


def sgd(momentum: float = 0.0, rate: Any = 0.1) -> keras.Model:
    model = keras.Sequential(
        [keras.layers.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate, momentum), loss, metrics=["accuracy"])
    return model


class Heard(st.runs.Observer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.messages: list[str] = []
        self.epochs: list[tuple[int, int]] = []

    def on_start(self, directory: Path, config: Any) -> None:
        self.calls.append(f"start {directory.name} {config['model']['name']}")

    def on_epoch(self, epoch: int, epochs: int, logs: Any, seconds: float) -> None:
        self.epochs.append((epoch, epochs))

    def on_message(self, text: str) -> None:
        self.messages.append(text)

    def on_end(self, run: st.Run) -> None:
        self.calls.append(f"end {run.state}")


def test_a_lecture_network_is_built_for_the_data(tmp_path: Path, digits: st.Dataset) -> None:
    run = st.train("heidelberg", digits, epochs=2, filters=4, directory=tmp_path)
    assert run.directory.parent == tmp_path
    assert re.fullmatch(r"digits-heidelberg-\d{8}-\d{6}", run.directory.name)
    assert all(len(values) == 2 for values in run.history.values())
    assert set(run.history) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    assert run.config["model"]["name"] == "heidelberg"
    assert run.config["model"]["arguments"] == {"filters": 4}
    assert run.config["training"]["batch_size"] == 64  # the lecture's
    assert run.model.input_shape == (None, 8, 8, 1)
    assert isinstance(run.model, st.Sequential)


def test_what_the_directory_holds(reference: st.Run, digits: st.Dataset) -> None:
    assert {path.name for path in reference.directory.iterdir()} == {
        "checkpoints",
        "config.json",
        "history.json",
        "log.txt",
        "model.keras",
        "network.json",
    }
    config = json.loads((reference.directory / "config.json").read_text())
    assert config == reference.config
    assert config["dataset"]["fingerprint"] == digits.fingerprint
    assert config["dataset"]["sizes"] == {"train": 320, "validation": None, "test": 80}
    assert config["dataset"]["image_shape"] == [8, 8, 1]
    assert config["training"] == {
        "epochs": 6,
        "batch_size": 60,
        "seed": 3,
        "shuffle": True,
        "learning_rate": 0.001,
        "optimizer": "Adam",
        "loss": "categorical_crossentropy",
        "validation_on": "test",
    }
    assert config["versions"]["keras"] == keras.__version__
    assert config["machine"]["devices"]
    assert config["command"].startswith(
        'st.train(build, st.load("digits", limit=400), epochs=6, batch_size=60, seed=3)'
    )
    timing = config["timing"]
    parts = [timing["seconds_to_first_step"], timing["seconds_to_first_epoch"]]
    assert 0 < parts[0] < parts[1] < timing["seconds_total"]
    assert 0 < timing["seconds_training"] < timing["seconds_total"]
    assert 0 < timing["seconds_last_epoch"] < timing["seconds_training"]
    assert timing["images_per_second"] > 0
    assert timing["peak_memory_bytes"] > 2**20
    log = (reference.directory / "log.txt").read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in log)
    assert sum("epoch " in line for line in log) == 6
    assert "finished" in log[-1]


def test_the_saved_network_is_plain_keras(reference: st.Run, digits: st.Dataset) -> None:
    loaded = keras.saving.load_model(reference.directory / "model.keras")
    assert type(loaded) is keras.Sequential
    images = digits.test.images[:20]
    from_disk = st.Run.load(reference.directory)
    np.testing.assert_array_equal(
        from_disk.model.predict(images, verbose=0), reference.model.predict(images, verbose=0)
    )
    np.testing.assert_allclose(
        loaded.predict(images, verbose=0), reference.model.predict(images, verbose=0), atol=1e-6
    )
    loss, accuracy = loaded.evaluate(
        digits.test.images, np.eye(10)[digits.test.labels], verbose=0, batch_size=80
    )
    assert loss == pytest.approx(reference.history["val_loss"][-1], rel=1e-5)
    assert accuracy == pytest.approx(reference.accuracy)


def test_the_same_seed_gives_the_same_bits(
    train: Train, same_bits: Callable[[st.Run], None], reference: st.Run
) -> None:
    same_bits(train())
    assert train(name="other", seed=4).history != reference.history


def test_a_model_is_trained_from_its_present_weights(tmp_path: Path, digits: st.Dataset) -> None:
    model = sgd()
    first = st.train(model, digits, epochs=2, batch_size=320, directory=tmp_path)
    after = model.get_weights()
    second = st.train(model, digits, epochs=1, batch_size=320, directory=tmp_path, shuffle=False)
    assert second.history["loss"][0] < first.history["loss"][-1]
    assert second.config["training"]["shuffle"] is False
    assert second.config["model"]["name"] == "custom"
    # The first run remembers what it was, whatever is done with the model afterwards.
    for kept, then, now in zip(first.model.get_weights(), after, model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, then)
        assert not np.array_equal(kept, now)


def test_names_go_to_the_function_or_the_optimizer(tmp_path: Path, digits: st.Dataset) -> None:
    run = st.train(sgd, digits, epochs=1, rate=0.2, nesterov=True, momentum=0.9, directory=tmp_path)
    assert run.config["model"]["arguments"] == {"rate": 0.2, "momentum": 0.9}
    assert run.config["training"]["optimizer_settings"] == {"nesterov": True}
    assert run.config["training"]["learning_rate"] == 0.2
    optimizer = keras.saving.load_model(run.directory / "model.keras").optimizer
    assert (optimizer.nesterov, optimizer.momentum) == (True, 0.9)


def test_settings_are_made_on_the_optimizer_of_a_model(tmp_path: Path, digits: st.Dataset) -> None:
    model = sgd()
    run = st.train(
        model, digits, epochs=1, learning_rate=0.01, weight_decay=0.5, directory=tmp_path
    )
    assert model.optimizer.weight_decay == 0.5
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    assert run.config["training"]["learning_rate"] == 0.01
    assert "learning_rate=0.01, weight_decay=0.5" in run.config["command"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"learing_rate": 1.0}, "neither an argument of build.. nor .* Adam: .*'learning_rate'"),
        ({"learning_rate": "fast"}, "Adam: .*fast"),
        ({"epochs": 0}, "epochs must be a whole number from 1, not 0"),
        ({"epochs": 2.5}, "epochs must be .* not 2.5"),
        ({"batch_size": True}, "batch_size must be .* not True"),
        ({"seed": -1}, "seed must be a whole number from 0, not -1"),
        ({"name": "a/b"}, "'a/b' is no name for a run"),
        ({"seeds": 0}, "seeds=0: give a number from 1"),
    ],
)
def test_wrong_arguments_are_refused(
    train: Train, tmp_path: Path, given: dict[str, Any], error: str
) -> None:
    with pytest.raises(StriateError, match=error) as caught:
        train(**given)
    assert "\n" not in str(caught.value)
    assert not any(tmp_path.iterdir())


def needs(filters: int) -> keras.Model:
    raise AssertionError("is not called")


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("heidelburg", "did you mean 'heidelberg'"),
        (3, "takes a Keras model, a function .* not int"),
        (lambda: "no model", "returned str, not a Keras model"),
        (lambda: keras.Sequential([keras.layers.Dense(10)]), "is not compiled"),
        (lambda: sgd(rate=keras.optimizers.schedules.CosineDecay(0.1, 9)), "LearningRateSchedule"),
        (needs, r"needs\(\) is missing a required argument: 'filters'"),
    ],
)
def test_what_is_no_network_is_refused(
    digits: st.Dataset, tmp_path: Path, what: Any, error: str
) -> None:
    given = {"learning_rate": 0.1} if "Schedule" in error else {}
    with pytest.raises(StriateError, match=error):
        st.train(what, digits, directory=tmp_path, **given)


def test_a_value_that_the_network_refuses_is_a_line(digits: st.Dataset, tmp_path: Path) -> None:
    with pytest.raises(StriateError, match=r"^oslo_digits cannot be built: .*rate") as caught:
        st.train("oslo_digits", digits, learning_rate=[0.1, 0.2], directory=tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_taken_name_is_refused(train: Train, reference: st.Run) -> None:
    before = (reference.directory / "history.json").stat().st_mtime_ns
    with pytest.raises(StriateError, match="exists already: choose another name"):
        train(directory=reference.directory.parent, name=reference.directory.name)
    assert (reference.directory / "history.json").stat().st_mtime_ns == before


def test_a_schedule_is_named(tmp_path: Path, digits: st.Dataset) -> None:
    rate = keras.optimizers.schedules.CosineDecay(0.1, 20)
    run = st.train(sgd(rate=rate), digits, epochs=1, directory=tmp_path)
    assert run.config["training"]["learning_rate"] == "CosineDecay"


def test_a_function_is_told_how_long_the_training_is(tmp_path: Path, digits: st.Dataset) -> None:
    told = []

    def falling(training_steps: int | None = None) -> keras.Model:
        told.append(training_steps)
        return sgd(rate=keras.optimizers.schedules.CosineDecay(0.1, training_steps or 1))

    st.train(falling, digits, epochs=2, batch_size=100, directory=tmp_path)
    assert told == [2 * math.ceil(len(digits.train) / 100)]
    st.train(falling, digits, epochs=1, directory=tmp_path, name="given", training_steps=7)
    assert told[1:] == [7]


def test_weights_are_those_after_keras_own_seeding(tmp_path: Path, digits: st.Dataset) -> None:
    drawn = []

    def build() -> keras.Model:
        drawn.append((random.random(), np.random.random()))  # noqa: NPY002, S311 - what Keras seeds
        model = sgd(rate=0.0)
        drawn.append([np.array(w) for w in model.weights])
        return model

    st.train(build, digits, epochs=1, seed=5, directory=tmp_path)
    keras.utils.set_random_seed(5)
    build()
    assert drawn[0] == drawn[2]
    for ours, plain in zip(drawn[1], drawn[3], strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_validation_images_are_followed_where_there_are_some(tmp_path: Path) -> None:
    data = st.load("digits", limit=400, validation=0.25)
    run = st.train(sgd, data, epochs=1, directory=tmp_path)
    assert run.config["training"]["validation_on"] == "validation"
    labels = data.validation.labels
    _, accuracy = run.model.evaluate(data.validation.images, labels, verbose=0)
    assert run.accuracy == pytest.approx(accuracy)


def test_observers_are_told(train: Train) -> None:
    heard = Heard()
    train(observer=heard, epochs=3)
    assert heard.calls == ["start run custom", "end finished"]
    assert heard.epochs == [(1, 3), (2, 3), (3, 3)]
    assert heard.messages == []


def test_a_loss_that_is_lost_is_said_once(tmp_path: Path, digits: st.Dataset) -> None:
    heard = Heard()
    run = st.train(sgd, digits, epochs=4, learning_rate=1e38, directory=tmp_path, observer=heard)
    assert math.isnan(run.history["loss"][-1])
    assert len(heard.messages) == 1
    assert "try a smaller learning rate" in heard.messages[0]
    assert (run.directory / "log.txt").read_text().count("smaller learning rate") == 1
    stored = json.loads((run.directory / "history.json").read_text())
    assert stored["loss"][-1] is None
    assert len(run.history["loss"]) == 4


def test_averaged_weights_take_the_place_of_the_last(tmp_path: Path, digits: st.Dataset) -> None:
    run = st.train(
        sgd, digits, epochs=2, use_ema=True, ema_momentum=0.9, seed=1, directory=tmp_path
    )
    plain = st.train(sgd, digits, epochs=2, seed=1, directory=tmp_path)
    # The training is the same; only what is kept of it differs.
    assert run.history == plain.history
    averages = [v for v in run.model.optimizer.variables if "average" in v.path]
    for average, weight in zip(averages, run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(average, weight)
    assert not np.array_equal(run.model.get_weights()[0], plain.model.get_weights()[0])


def test_several_seeds(tmp_path: Path, digits: st.Dataset) -> None:
    runs = st.train(sgd, digits, epochs=2, seeds=3, seed=5, directory=tmp_path)
    assert [run.config["training"]["seed"] for run in runs] == [5, 6, 7]
    assert [run.directory.name for run in runs] == ["seed-5", "seed-6", "seed-7"]
    assert runs.directory.parent == tmp_path
    values = np.array([run.accuracy for run in runs])
    assert len(set(values)) > 1
    assert runs.accuracy.mean == pytest.approx(values.mean())
    assert runs.accuracy.error == pytest.approx(values.std(ddof=1) / math.sqrt(3))
    alone = st.train(sgd, digits, epochs=2, seed=6, directory=tmp_path)
    for name, values in alone.history.items():
        assert runs[1].history[name] == pytest.approx(values, rel=1e-4)
    for mine, yours in zip(runs[1].model.get_weights(), alone.model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, yours, atol=1e-5)
    with pytest.raises(StriateError, match="a model has its weights already"):
        st.train(sgd(), digits, seeds=2, directory=tmp_path)


def test_seeds_that_are_no_one_program_are_trained_one_by_one(
    tmp_path: Path, digits: st.Dataset
) -> None:
    momenta = itertools.cycle([0.0, 0.9])  # with a momentum there are more variables

    def counted() -> keras.Model:
        return sgd(next(momenta))

    heard = Heard()
    runs = st.train(counted, digits, epochs=1, seeds=2, directory=tmp_path, observer=heard)
    assert heard.messages == [
        "the seeds are trained one after the other: their networks are not of one structure",
        "seed 0 (1 of 2)",
        "seed 1 (2 of 2)",
    ]
    assert [run.state for run in runs] == ["finished", "finished"]


def test_data_are_loaded_by_name(tmp_path: Path) -> None:
    run = st.train(sgd, "digits", epochs=1, directory=tmp_path)
    assert run.config["dataset"]["load"] == {"name_or_path": "digits", "options": {}}
    assert run.config["command"] == ('st.train(sgd, "digits", epochs=1, batch_size=64, seed=0)')


def test_tensorflow_is_not_imported_where_it_is_installed(tmp_path: Path) -> None:
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise SystemExit('was imported')\n")
    program = (
        "import striate as st\n"
        "st.train('oslo_digits', 'digits', epochs=1, directory='runs', name='one')\n"
        "st.grid('oslo_digits', 'digits', learning_rate=[0.1, 0.2], epochs=1, directory='runs')\n"
        "from keras.src.utils.module_utils import tensorflow\n"
        "assert tensorflow._available is None\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, check=True,
    )  # fmt: skip
    assert (tmp_path / "runs" / "one" / "model.keras").exists()
