import inspect

import keras
import numpy as np
import pytest

import striate as st
from striate.models import REGISTRY


def parameters(model):
    return {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}


def test_heidelberg_parameters_by_hand(lecture_network):
    model = lecture_network("heidelberg")
    assert model.get_layer("flatten").output.shape == (None, 13 * 13 * 32)
    assert parameters(model) == {
        "conv": 3 * 3 * 32 + 32,
        "hidden": 5408 * 32 + 32,
        "output": 32 * 10 + 10,
    }
    assert model.count_params() == 173_738


def test_isgc_parameters_by_hand(lecture_network):
    model = lecture_network("isgc")
    assert parameters(model) == {
        "conv_1": 3 * 3 * 64 + 64,
        "conv_2": 3 * 3 * 64 * 32 + 32,
        "output": 24 * 24 * 32 * 10 + 10,
    }


def test_oslo_digits_has_l2_on_every_layer_and_gradient_descent():
    model = st.models.oslo_digits(filters=7, neurons=11, l2=0.25, learning_rate=0.5)
    weighted = [layer for layer in model.layers if layer.count_params()]
    assert [type(layer).__name__ for layer in weighted] == ["Conv2D", "Dense", "Dense"]
    assert all(layer.kernel_regularizer.get_config()["l2"] == 0.25 for layer in weighted)
    assert parameters(model) == {
        "conv": 9 * 7 + 7,
        "hidden": 3 * 3 * 7 * 11 + 11,
        "output": 11 * 10 + 10,
    }
    assert type(model.optimizer) is keras.optimizers.SGD
    assert float(model.optimizer.learning_rate) == 0.5
    expected = 0.25 * sum(float((np.asarray(w.kernel) ** 2).sum()) for w in weighted)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-6)


def test_oslo_cifar10_volume_and_logits(lecture_network):
    model = lecture_network("oslo_cifar10")
    assert model.get_layer("conv_3").output.shape == (None, 4, 4, 64)
    assert model.get_layer("flatten").output.shape == (None, 1024)
    assert parameters(model) == {
        "conv_1": 3 * 3 * 3 * 32 + 32,
        "conv_2": 3 * 3 * 32 * 64 + 64,
        "conv_3": 3 * 3 * 64 * 64 + 64,
        "hidden": 1024 * 64 + 64,
        "output": 64 * 10 + 10,
    }
    assert model.count_params() == 122_570
    assert model.loss.get_config()["from_logits"] is True
    assert model.get_layer("output").activation is keras.activations.linear


def test_improved_has_more_filters_and_a_second_convolution(lecture_network):
    plain, improved = lecture_network("heidelberg"), lecture_network("heidelberg_improved")
    convolutions = [la for la in improved.layers if isinstance(la, keras.layers.Conv2D)]
    assert len(convolutions) == 2
    assert all(c.filters > plain.get_layer("conv").filters for c in convolutions)


def test_fashion_networks_differ_as_the_lecture_says(lecture_network):
    def kinds(model):
        return [type(layer).__name__ for layer in model.layers]

    dense, dropout, cnn = (
        lecture_network("fashion_dense"),
        lecture_network("fashion_dropout"),
        lecture_network("fashion_cnn"),
    )
    assert kinds(dense) == ["Flatten", "Dense", "Dense"]
    assert kinds(dropout) == ["Flatten", "Dense", "Dropout", "Dense"]
    assert dropout.get_layer("output").activation is keras.activations.softmax
    assert {"Conv2D", "MaxPooling2D", "Dropout"} <= set(kinds(cnn))
    assert all(la.kernel_size == (3, 3) for la in cnn.layers if isinstance(la, keras.layers.Conv2D))


def test_jet_networks_are_of_like_size_and_below_200_thousand_parameters(lecture_network):
    cnn, dense = (
        lecture_network("jet_cnn").count_params(),
        lecture_network("jet_dense").count_params(),
    )
    assert max(cnn, dense) < 200_000
    assert abs(cnn - dense) < 0.1 * dense


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_defaults_agree_with_the_table_and_blank_images_are_guessed(name, lecture_network):
    entry = REGISTRY[name]
    arguments = inspect.signature(entry.function).parameters
    assert arguments["input_shape"].default == entry.input_shape
    assert arguments["classes"].default == entry.classes
    model = lecture_network(name)
    assert model.name == name
    assert model.input_shape == (None, *entry.input_shape)
    assert model.output_shape == (None, entry.classes)
    assert model.compiled
    loss = keras.losses.get(model.loss)
    sparse = "sparse" in str(keras.losses.serialize(loss)).lower()
    labels = np.arange(4) % entry.classes
    targets = labels if sparse else keras.utils.to_categorical(labels, entry.classes)
    outputs = model(np.zeros((4, *entry.input_shape), np.float32))
    # Blank images, zero biases: every class is equally likely, so the loss is that of guessing.
    # It is not when outputs (logits or probabilities) and loss do not belong together.
    assert np.mean(np.asarray(loss(targets, outputs))) == pytest.approx(
        np.log(entry.classes), rel=1e-5
    )
    logits = model.layers[-1].activation is keras.activations.linear
    assert logits == getattr(loss, "from_logits", False)


def test_other_images_and_classes():
    model = st.models.build("jet_cnn", input_shape=(20, 24, 3), classes=4)
    assert model.input_shape == (None, 20, 24, 3)
    assert model.output_shape == (None, 4)
    assert model.get_layer("flatten").output.shape == (None, 2 * 3 * 64)
