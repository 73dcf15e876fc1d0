"""Scores of classes and their derivatives, beside Keras's own outputs and finite differences."""

import keras
import numpy as np
import pytest
from keras import layers

import striate as st
from striate.engine.scores import Scores

RNG = np.random.default_rng(2)
IMAGES = RNG.random((70, 6, 6, 2)).astype(np.float32)  # more than one batch


def _network(*head: layers.Layer) -> keras.Model:
    return st.Sequential(
        [layers.Input((6, 6, 2)), layers.Conv2D(3, 3, activation="tanh"), layers.Flatten(), *head]
    )


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.asarray(values, dtype=np.float64))


@pytest.mark.parametrize(
    "head",
    [
        [layers.Dense(4, activation="softmax")],
        [layers.Dense(4), layers.Softmax()],
        [layers.Dense(4), layers.Activation("softmax")],
    ],
)
def test_the_logit_is_what_softmax_is_applied_to(head) -> None:
    model = _network(*head)
    probabilities = np.asarray(model(IMAGES))
    score = Scores(model, IMAGES)
    assert (score.kind, score.classes) == ("logit", 4)
    logits = np.stack([score.of(IMAGES, c) for c in range(4)], axis=1)
    np.testing.assert_allclose(keras.ops.softmax(logits), probabilities, atol=1e-6)
    # Differences of logits are those of logarithms of probabilities; the level is the dense one.
    kernel, bias = model.get_weights()[-2:]
    before = np.asarray(keras.Model(model.inputs[0], model.layers[1].output)(IMAGES))
    np.testing.assert_allclose(logits, before @ kernel + bias, atol=1e-5)
    logarithms = Scores(model, IMAGES, "log-probability")
    np.testing.assert_allclose(logarithms.of(IMAGES, 2), _log(probabilities)[:, 2], atol=1e-5)
    # The user's network is as it was.
    np.testing.assert_array_equal(np.asarray(model(IMAGES)), probabilities)
    assert not any("call" in vars(layer) for layer in model.layers)


def test_one_output_speaks_for_the_second_class() -> None:
    model = _network(layers.Dense(1, activation="sigmoid"))
    chance = np.asarray(model(IMAGES))[:, 0]
    score = Scores(model, IMAGES)
    assert score.classes == 2
    np.testing.assert_allclose(score.of(IMAGES, 1), _log(chance / (1 - chance)), atol=1e-5)
    np.testing.assert_allclose(score.of(IMAGES, 0), -score.of(IMAGES, 1))
    logarithm = Scores(model, IMAGES, "log-probability")
    np.testing.assert_allclose(logarithm.of(IMAGES, 0), _log(1 - chance), atol=1e-5)


def test_probabilities_of_an_unknown_making_give_their_logarithm() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.flatten = layers.Flatten()
            self.dense = layers.Dense(3)

        def call(self, x):
            return keras.ops.softmax(self.dense(self.flatten(x)))

    model = Own()
    expected = _log(model(IMAGES))
    score = Scores(model, IMAGES)
    assert score.kind == "log-probability"
    np.testing.assert_allclose(score.of(IMAGES, 1), expected[:, 1], atol=1e-5)
    with pytest.raises(st.StriateError, match="ask for log-probability"):
        Scores(model, IMAGES, "logit")


def test_softmax_as_an_operation_of_a_functional_network_is_found() -> None:
    given = keras.Input((6, 6, 2))
    logits = layers.Dense(3)(layers.Flatten()(given))
    model = st.Model(given, keras.ops.softmax(logits))
    expected = np.asarray(keras.Model(given, logits)(IMAGES))
    np.testing.assert_allclose(Scores(model, IMAGES).of(IMAGES, 1), expected[:, 1], atol=1e-6)


def test_the_gradient_is_that_of_finite_differences() -> None:
    model = _network(layers.Dense(5, activation="tanh"), layers.Dense(3, activation="softmax"))
    score = Scores(model, IMAGES)
    slope = score.gradient(IMAGES, 1)
    assert slope.shape == IMAGES.shape
    step = 1e-2
    for row, column, channel in ((0, 0, 0), (2, 3, 1), (5, 5, 0)):
        moved = np.stack([IMAGES[66], IMAGES[66]])
        moved[:, row, column, channel] += (step, -step)
        up, down = score.of(moved, 1)
        assert slope[66, row, column, channel] == pytest.approx((up - down) / (2 * step), abs=2e-3)


def test_the_strongest_response_of_each_kernel_and_its_place() -> None:
    model = st.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Conv2D(4, 3, name="first"),
            layers.ReLU(),
            layers.Conv2D(2, 2, strides=2, activation="relu", name="second"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    score = Scores(model, IMAGES)
    assert score.convolutions == ("first", "second")
    told: list[tuple[int, int]] = []
    found = score.strongest(IMAGES, lambda done, total: told.append((done, total)))
    assert told == [(64, 70), (70, 70)]
    for name in score.convolutions:
        maps = np.asarray(keras.Model(model.inputs[0], model.get_layer(name).output)(IMAGES))
        np.testing.assert_allclose(found[name].values, maps.max(axis=(1, 2)), atol=1e-6)
        at = np.take_along_axis(
            maps.reshape(70, -1, maps.shape[-1]),
            (found[name].rows * maps.shape[2] + found[name].columns)[:, None],
            axis=1,
        )[:, 0]
        np.testing.assert_allclose(at, maps.max(axis=(1, 2)), atol=1e-6)


def test_a_layer_that_is_used_twice_is_looked_at_in_its_last_use() -> None:
    shared = layers.Conv2D(2, 3, padding="same", name="shared")
    given = keras.Input((6, 6, 2))
    twice = shared(shared(given))
    model = st.Model(given, layers.Dense(2)(layers.Flatten()(twice)))
    _, maps, slope = Scores(model, IMAGES).at_convolution("shared", IMAGES[0], 1)
    np.testing.assert_allclose(
        maps, np.asarray(keras.Model(given, twice)(IMAGES[:1]))[0], atol=1e-6
    )
    kernel = model.get_weights()[-2][:, 1].reshape(6, 6, 2)
    np.testing.assert_allclose(slope, kernel, atol=1e-6)


def test_layers_within_a_nested_network_are_found() -> None:
    inner = keras.Sequential([layers.Input((6, 6, 2)), layers.Conv2D(3, 3, name="inside")])
    model = st.Sequential([layers.Input((6, 6, 2)), inner, layers.Flatten(), layers.Dense(2)])
    score = Scores(model, IMAGES)
    assert score.convolutions == ("inside",)
    assert score.at_convolution("inside", IMAGES[0], 0)[1].shape == (4, 4, 3)
    assert score.kernels("inside").shape == (3, 3, 2, 3)


def test_an_unknown_layer_is_one_line() -> None:
    score = Scores(_network(layers.Dense(2)), IMAGES)
    name = score.convolutions[0]
    with pytest.raises(st.StriateError, match=f"did you mean '{name}'"):
        score.at_convolution(name + "_", IMAGES[0], 0)
    flat = st.Sequential([layers.Input((6, 6, 2)), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(st.StriateError, match="it has no convolution layer"):
        Scores(flat, IMAGES).at_convolution("conv", IMAGES[0], 0)


def test_several_outputs_are_refused() -> None:
    given = keras.Input((6, 6, 2))
    flat = layers.Flatten()(given)
    model = st.Model(given, [layers.Dense(2)(flat), layers.Dense(3)(flat)])
    with pytest.raises(st.StriateError, match="one row of class scores"):
        Scores(model, IMAGES)
