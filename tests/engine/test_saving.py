"""What striate saves is plain Keras, and every tool for Keras models works."""

from __future__ import annotations

import copy
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec

import keras
import numpy as np
import pytest
from keras import layers
from keras.src.models.functional import Functional

import striate as st
from striate.engine.accelerated import Accelerated

X = np.random.default_rng(0).random((9, 8, 7, 1), dtype=np.float32)


def sequential(cls=st.Sequential):
    return compiled(
        cls(
            [
                layers.Input((8, 7, 1)),
                layers.Conv2D(3, 3, activation="relu"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(2),
            ]
        )
    )


def functional(cls=st.Model):
    inputs = layers.Input((8, 7, 1))
    # Without bias: behind batch normalisation its gradient is rounding, which Adam makes large.
    a, b = (layers.Conv2D(3, 3, use_bias=False)(inputs) for _ in range(2))
    outputs = layers.Dense(2)(layers.Flatten()(layers.BatchNormalization()(layers.Add()([a, b]))))
    return compiled(cls(inputs, outputs))


def compiled(model):
    model.compile("adam", "mse", metrics=["mae"])
    return model


KINDS = {"sequential": sequential, "functional": functional}


@pytest.fixture(params=KINDS)
def trained(request):
    """A trained model of each kind."""
    keras.utils.set_random_seed(0)
    model = KINDS[request.param]()
    model.fit(X, np.ones((9, 2)), verbose=0)
    return model


BACKENDS = {"numpy": "numpy", "jax": "jax", "tensorflow": "tensorflow", "torch": "torch"}

READ = """
import sys, keras, numpy as np
model = keras.models.load_model(sys.argv[1])
assert "striate" not in sys.modules
print(type(model).__module__, type(model).__name__)
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_saved_model_opens_in_plain_keras(backend, trained, tmp_path):
    if find_spec(BACKENDS[backend]) is None:
        pytest.skip(f"{backend} is not installed here")
    trained.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", X)
    environment = os.environ | {"KERAS_BACKEND": backend}
    arguments = [tmp_path / "model.keras", tmp_path / "x.npy", tmp_path / "y.npy"]
    done = subprocess.run(
        [sys.executable, "-c", READ, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "striate" not in done.stdout
    np.testing.assert_allclose(
        np.load(tmp_path / "y.npy"), trained.predict(X, verbose=0), rtol=1e-5, atol=1e-6
    )


def test_the_file_names_keras_only(trained, tmp_path):
    trained.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        text = archive.read("config.json").decode()
    assert "striate" not in text
    assert json.loads(text)["compile_config"].get("steps_per_execution", 1) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_keras_is_loaded_and_accelerated(kind, tmp_path):
    plain = KINDS[kind](keras.Sequential if kind == "sequential" else keras.Model)
    plain.fit(X, np.ones((9, 2)), verbose=0)
    plain.save(tmp_path / "model.keras")
    fast = st.accelerate(keras.models.load_model(tmp_path / "model.keras"))
    np.testing.assert_allclose(
        fast.predict(X, verbose=0), plain.predict(X, verbose=0), rtol=1e-5, atol=1e-6
    )
    # It goes on with the optimizer's state.
    assert int(fast.optimizer.iterations) == 1
    fast.fit(X, np.ones((9, 2)), verbose=0)
    plain.fit(X, np.ones((9, 2)), verbose=0)
    for a, b in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_an_accelerated_twin_shares_variables_and_leaves_the_original_alone():
    plain = sequential(keras.Sequential)
    fast = st.accelerate(plain)
    assert type(plain) is keras.Sequential
    assert fast is not plain
    assert st.accelerate(fast) is fast
    fast.fit(X, np.ones((9, 2)), verbose=0)
    for a, b in zip(fast.variables, plain.variables, strict=True):
        assert a is b
    np.testing.assert_allclose(
        fast.predict(X, verbose=0), plain.predict(X, verbose=0), rtol=1e-5, atol=1e-6
    )
    assert fast.optimizer is plain.optimizer


def test_a_model_without_input_shape_is_accelerated_and_built_by_its_data():
    plain = keras.Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])
    fast = compiled(st.accelerate(plain))
    fast.fit(X, np.ones((9, 2)), verbose=0)
    assert plain.layers[0].built
    np.testing.assert_allclose(plain(X), fast.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


class Subclassed(st.Model):
    """A model as users subclass it."""

    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(3, 3, activation="relu")
        self.pool = layers.MaxPooling2D(2)
        self.flat = layers.Flatten()
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(self.flat(self.pool(self.conv(x))))


class FunctionalSubclass(st.Model):
    """A subclass that is functional by what it hands to its base."""

    def __init__(self, filters=3):
        inputs = layers.Input((8, 7, 1))
        outputs = layers.Dense(2)(layers.Flatten()(layers.Conv2D(filters, 3)(inputs)))
        super().__init__(inputs, outputs)


def test_subclasses_train_and_leave_the_public_class_as_it_is():
    bases = st.Model.__bases__
    for model in (FunctionalSubclass(), Subclassed(), FunctionalSubclass(2), Subclassed()):
        compiled(model).fit(X, np.ones((9, 2)), verbose=0)
        assert isinstance(model, st.Model)
        assert model.predict(X, verbose=0).shape == (9, 2)
        assert any("convolution" in op for op in model.engine_report().values())
    assert st.Model.__bases__ == bases
    assert isinstance(FunctionalSubclass(), Functional)
    assert not isinstance(Subclassed(), Functional)


def test_classes():
    assert isinstance(sequential(), keras.Sequential)
    assert isinstance(functional(), st.Model)
    assert isinstance(functional(), keras.Model)
    assert isinstance(functional(), Functional)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])  # noqa: S301
def test_copies_are_accelerated(twin, trained):
    other = twin(trained)
    assert isinstance(other, Accelerated)
    np.testing.assert_allclose(other.predict(X, verbose=0), trained.predict(X, verbose=0))


def test_clone_model_and_summary(trained, capsys):
    clone = keras.models.clone_model(trained)
    assert [type(a) for a in clone.layers] == [type(a) for a in trained.layers]
    clone.set_weights(trained.get_weights())
    found = clone.predict(X, verbose=0)
    np.testing.assert_allclose(found, trained.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    trained.summary()
    assert "Total params" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
def test_plot_model(trained, tmp_path):
    keras.utils.plot_model(trained, tmp_path / "model.png", show_shapes=True)
    assert (tmp_path / "model.png").read_bytes().startswith(b"\x89PNG")


def test_weights_alone_are_saved_and_loaded(trained, tmp_path):
    trained.save_weights(tmp_path / "model.weights.h5")
    other = keras.models.clone_model(trained)
    other.load_weights(tmp_path / "model.weights.h5")
    for a, b in zip(other.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_accelerate_takes_models_only():
    with pytest.raises(st.StriateError, match="not Dense"):
        st.accelerate(layers.Dense(2))
