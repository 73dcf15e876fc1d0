"""What each layer makes of one image, for each kind of Keras model."""

import numpy as np
import pytest

import striate
from striate.models.activations import activations

import keras  # isort: skip
from keras import layers  # isort: skip

IMAGE = np.random.default_rng(5).random((8, 8, 1)).astype(np.float32)


def _sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.Dropout(0.5, name="drop"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def test_spatial_outputs_in_order_and_nothing_flat() -> None:
    maps = activations(_sequential(), IMAGE)
    assert [(name, values.shape) for name, values in maps] == [
        ("conv", (6, 6, 3)),
        ("pool", (3, 3, 3)),
        ("drop", (3, 3, 3)),
    ]
    np.testing.assert_array_equal(maps[2][1], maps[1][1])


def test_the_values_are_those_of_a_keras_model_on_the_same_outputs() -> None:
    model = _sequential()
    inner = keras.Model(model.inputs[0], model.get_layer("conv").output)
    expected = inner(IMAGE[None], training=False)
    np.testing.assert_array_equal(activations(model, IMAGE)[0][1], np.asarray(expected)[0])


def test_a_functional_model_with_a_shared_layer_and_a_model_inside() -> None:
    inputs = keras.Input((8, 8, 1))
    shared = layers.Conv2D(2, 3, padding="same", name="shared")
    a = shared(inputs)
    b = shared(layers.Rescaling(0.5, name="half")(inputs))
    inside = keras.Sequential([keras.Input((8, 8, 2)), layers.AveragePooling2D(2)], name="inside")
    joined = inside(layers.Add(name="add")([a, b]))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(joined)))
    maps = activations(model, IMAGE)
    assert sorted(name for name, _ in maps) == ["add", "half", "inside", "shared", "shared"]
    found = {name: values for name, values in maps if name in {"add", "inside"}}
    total = sum(values for name, values in maps if name == "shared")
    np.testing.assert_allclose(found["add"], total, rtol=1e-6)
    assert found["inside"].shape == (4, 4, 2)


def test_a_model_not_yet_built_and_its_predictions_afterwards() -> None:
    model = keras.Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])
    assert [values.shape for _, values in activations(model, IMAGE)] == [(6, 6, 2)]
    before = np.asarray(model(IMAGE[None]))
    activations(model, IMAGE)
    np.testing.assert_array_equal(np.asarray(model(IMAGE[None])), before)
    assert not any("call" in vars(layer) for layer in model.layers)


def test_layers_are_themselves_again_after_a_failure() -> None:
    model = _sequential()
    with pytest.raises(ValueError, match="incompatible"):
        activations(model, np.zeros((5, 5, 2), np.float32))
    assert not any("call" in vars(layer) for layer in model.layers)


def test_a_dense_model_has_none() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2)])
    assert activations(model, IMAGE) == []


def test_a_batch_is_refused() -> None:
    with pytest.raises(striate.StriateError, match="one image"):
        activations(_sequential(), IMAGE[None])
