"""Networks that are more than layers of Keras in float32: what is stored, and what is refused."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import striate as st
from striate.errors import StriateError
from striate.runs.network import prepare

SameBits = Callable[..., None]


def stack(*first: layers.Layer, loss: Any = None, optimizer: Any = "sgd") -> keras.Model:
    model = keras.Sequential([*first, layers.Flatten(), layers.Dense(10)])
    loss = loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def squares(labels: Any, answers: Any) -> Any:
    return keras.ops.mean((labels - answers) ** 2, axis=-1)


@contextmanager
def half_precision() -> Iterator[None]:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")


def scaled() -> keras.Model:
    with half_precision():
        return stack(layers.Input((8, 8, 1)))


def own_loss() -> keras.Model:
    return stack(layers.Input((8, 8, 1)), loss=squares)


def no_input() -> keras.Model:
    return stack(optimizer=keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 30)))


class Stop(st.runs.Observer):
    def on_epoch(self, epoch: int, *_: Any) -> None:
        if epoch == 2:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("build", "settings"),
    [(scaled, {"momentum": 0.9, "learning_rate": 0.02}), (own_loss, {}), (no_input, {})],
)
def test_it_goes_on_to_the_same_bits(
    build: Any, settings: Any, tmp_path: Path, digits: st.Dataset, same_bits: SameBits
) -> None:
    given = settings | {"epochs": 4, "directory": tmp_path}
    with pytest.raises(st.runs.Interrupted):
        st.train(build, digits, **given, name="stopped", observer=Stop())
    whole = st.train(build, digits, **given)
    with keras.saving.custom_object_scope({"squares": squares}):
        same_bits(st.runs.resume(tmp_path / "stopped", digits), whole, file=build is not scaled)


def test_what_keras_does_not_know_is_named(tmp_path: Path, digits: st.Dataset) -> None:
    with pytest.raises(st.runs.Interrupted):
        st.train(own_loss, digits, epochs=3, directory=tmp_path, name="run", observer=Stop())
    with pytest.raises(StriateError, match="Could not locate function 'squares'") as caught:
        st.runs.resume(tmp_path / "run", digits)
    assert "\n" not in str(caught.value)
    # The refusal has changed nothing.
    with keras.saving.custom_object_scope({"squares": squares}):
        assert st.runs.resume(tmp_path / "run", digits).state == "finished"
    with pytest.raises(StriateError, match=r"model\.keras: Keras cannot make this network"):
        _ = st.Run.load(tmp_path / "run").model


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, digits: st.Dataset) -> None:
    with pytest.raises(st.runs.Interrupted):
        st.train(no_input, digits, epochs=3, directory=tmp_path, name="run", observer=Stop())
    other = st.train("nthu_ox", digits, epochs=1, directory=tmp_path)
    (other.directory / "network.json").replace(tmp_path / "run" / "network.json")
    with pytest.raises(StriateError, match="is of another network than network"):
        st.runs.resume(tmp_path / "run", digits)


def test_a_subclassed_model_is_refused(tmp_path: Path, digits: st.Dataset) -> None:
    class Own(keras.Model):
        def call(self, images: Any) -> Any:
            return images

    model = Own()
    model.compile("sgd", "mse")
    with pytest.raises(StriateError, match="whose shapes are not known: make it with"):
        st.train(model, digits, directory=tmp_path)
    assert not any(tmp_path.iterdir())


def test_settings_of_a_trained_model(tmp_path: Path, digits: st.Dataset) -> None:
    model = stack(layers.Input((8, 8, 1)), optimizer="adam")
    given = {"epochs": 1, "directory": tmp_path}
    st.train(model, digits, **given)
    steps = int(model.optimizer.iterations)
    # A learning rate leaves the optimizer as it is; another setting makes it begin anew.
    st.train(model, digits, **given, learning_rate=0.01)
    assert int(model.optimizer.iterations) == 2 * steps
    before = model.get_weights()
    st.train(model, digits, **given, clipnorm=1e-30, learning_rate=1e-30)
    assert int(model.optimizer.iterations) == steps
    for then, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(now, then, atol=1e-20)


def test_other_threads_that_draw_random_numbers_do_not_change_the_first_weights():
    data = st.load("digits", limit=100)

    def weights():
        return prepare("oslo_digits", data, 1, {}, None, None).model.get_weights()

    alone = weights()
    finished = threading.Event()

    def draw():
        while not finished.is_set():
            random.getrandbits(32)

    with ThreadPoolExecutor(2) as pool:
        drawing = pool.submit(draw)
        try:
            beside = [pool.submit(weights).result() for _ in range(5)]
        finally:
            finished.set()
        drawing.result()
    for found in beside:
        for ours, expected in zip(found, alone, strict=True):
            np.testing.assert_array_equal(ours, expected)


def test_a_network_with_layers_of_ours_is_read_by_another_process(tmp_path):
    data = st.load("digits", limit=100)
    augmented = {"mirror": True, "shift": 1}
    run = st.train(
        "compact_cnn", data, epochs=1, **augmented, seed=0, directory=tmp_path, verbose=0
    )
    image = data.test.images[:1]
    script = (
        "import numpy as np, striate as st\n"
        f"run = st.Run.load({str(run.directory)!r})\n"
        f"image = np.array({image.tolist()}, np.float32)\n"
        "print(run.model.predict(image, verbose=0).tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    expected = run.model.predict(image, verbose=0)
    np.testing.assert_allclose(json.loads(done.stdout), expected, rtol=1e-5)


def test_training_does_not_import_an_installed_tensorflow(tmp_path: Path) -> None:
    imported = tmp_path / "imported"
    package = tmp_path / "installed" / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"open({str(imported)!r}, 'w').close()\n")
    program = (
        f"import sys; sys.path.insert(0, {str(package.parent)!r})\n"
        "import striate as st\n"
        "run = st.train('compact_cnn', 'digits', epochs=1, filters=[8], momentum=0.8, verbose=0)\n"
        "st.evaluate(run, 'digits')\n"
        "st.grid('compact_cnn', 'digits', epochs=1, momentum=[0.8, 0.9])\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert not imported.exists()
