"""Each method is held to its axiom, on Keras networks and on functions with closed forms."""

import keras
import numpy as np
import pytest
from keras import layers

from striate import StriateError
from striate.engine.scores import Scores
from striate.explain.attribution import (
    METHODS,
    baseline_image,
    grad_cam,
    gradient_times_input,
    integrated_gradients,
    occlusion,
)

RNG = np.random.default_rng(5)
IMAGE = RNG.random((8, 8, 1)).astype(np.float32)
DARK = np.zeros_like(IMAGE)


def network(*stack: layers.Layer, shape: tuple[int, ...] = (8, 8, 1), scale: float = 0.3):
    """Return a network with random weights, biases included."""
    model = keras.Sequential([layers.Input(shape), *stack])
    rng = np.random.default_rng(8)
    for variable in model.trainable_variables:
        variable.assign(scale * rng.normal(size=variable.shape))
    return model


def convolutional(classes: int = 3, **options):
    return network(
        layers.Conv2D(4, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(6, activation="relu"),
        layers.Dense(classes, activation="softmax"),
        **options,
    )


def scores(model: keras.Model, kind=None) -> Scores:
    return Scores(model, np.zeros((2, *model.input_shape[1:]), np.float32), kind)


@pytest.mark.parametrize("kind", ["logit", "log-probability"])
@pytest.mark.parametrize("number", [0, 2])
def test_integrated_gradients_are_complete_within_a_percent(kind, number) -> None:
    score = scores(convolutional(scale=0.6), kind)
    found = integrated_gradients(score, IMAGE, number, baseline_image(IMAGE, "mean"))
    at, before = score.of(np.stack([IMAGE, baseline_image(IMAGE, "mean")]), number)
    assert found.change == pytest.approx(at - before, abs=1e-6)
    assert abs(found.values.sum() - (at - before)) <= 0.01 * abs(at - before)
    assert found.complete


class Steep:
    """F = sum of tanh(60 (x - 0.5)): nearly a step on the way from dark to light."""

    def of(self, images, number):
        return np.tanh(60 * (images - 0.5)).sum(axis=(1, 2, 3))

    def gradient(self, images, number):
        return 60 / np.cosh(60 * (images - 0.5)) ** 2


def test_steps_are_added_until_it_is_complete_or_it_is_said() -> None:
    light = np.full((2, 2, 1), 0.9, np.float32)
    few = integrated_gradients(Steep(), light, 0, np.zeros_like(light), 1, most_steps=16)
    assert few.steps == 16
    assert few.residue > 0.01
    assert few.complete is False
    many = integrated_gradients(Steep(), light, 0, np.zeros_like(light), 1)
    assert many.steps > 16
    assert many.complete
    assert many.values == pytest.approx(np.full((2, 2), 2.0), rel=0.01)


def test_more_images_than_fit_into_memory_at_once_are_averaged_alike() -> None:
    light = np.full((2, 2, 1), 0.9, np.float32)
    found = integrated_gradients(Steep(), light, 0, np.zeros_like(light), 1500)
    where = (np.arange(1500) + 0.5) / 1500 * 0.9
    mean = (60 / np.cosh(60 * (where - 0.5)) ** 2).mean()
    assert found.values == pytest.approx(np.full((2, 2), 0.9 * mean), rel=1e-5)


def _twins():
    """Yield pairs of networks that compute the same logits in other ways."""
    whole = convolutional()
    weights = whole.get_weights()
    apart = network(
        layers.Conv2D(4, 3),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(6),
        layers.Activation("relu"),
        layers.Dense(3),
        layers.Softmax(),
    )
    apart.set_weights(weights)
    yield "activations as layers", whole, apart

    # A positive factor passes through ReLU and the maximum: out of one layer, into the next.
    scaled = convolutional()
    factors = np.array([0.25, 4.0, 0.5, 2.0], np.float32)
    kernel = weights[2].reshape(9, 4, 6) / factors[:, None]
    scaled.set_weights(
        [weights[0] * factors, weights[1] * factors, kernel.reshape(36, 6), *weights[3:]]
    )
    yield "factors between the layers", whole, scaled

    # Two linear layers are one: the convolution before a dense layer folded into its matrix.
    linear = network(layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3))
    basis = np.eye(64, dtype=np.float32).reshape(64, 8, 8, 1)
    offset = np.asarray(linear(np.zeros((1, 8, 8, 1), np.float32)))
    folded = network(layers.Flatten(), layers.Dense(3))
    folded.set_weights([np.asarray(linear(basis)) - offset, offset[0]])
    yield "a convolution folded into a dense layer", linear, folded


@pytest.mark.parametrize("name", ["activations", "factors", "convolution"])
@pytest.mark.parametrize(
    "method", [gradient_times_input, integrated_gradients, occlusion], ids=METHODS[:3]
)
def test_the_same_function_gets_the_same_shares(name, method) -> None:
    one, other = next((a, b) for words, a, b in _twins() if name in words)
    first = method(scores(one), IMAGE, 1, DARK).values
    second = method(scores(other), IMAGE, 1, DARK).values
    assert np.abs(first).max() > 0.01
    np.testing.assert_allclose(first, second, atol=2e-5)


@pytest.mark.parametrize("name", ["activations", "factors"])
def test_grad_cam_does_not_depend_on_how_the_network_is_written(name) -> None:
    """Not on a fold of layers, since it is made of one layer's maps."""
    one, other = next((a, b) for words, a, b in _twins() if name in words)
    first, second = (
        grad_cam(score, IMAGE, 0, score.convolutions[-1]) for score in (scores(one), scores(other))
    )
    assert first.values.max() > 1e-3
    np.testing.assert_allclose(first.values, second.values, atol=1e-5)


def test_logits_and_softmax_have_the_same_logit_and_the_same_log_probability() -> None:
    whole = convolutional()
    bare = convolutional()
    bare.layers[-1].activation = keras.activations.linear
    for kind in ("logit", "log-probability"):
        assert scores(whole, kind).of(IMAGE[None], 2) == pytest.approx(
            scores(bare, kind).of(IMAGE[None], 2), abs=1e-6
        )


@pytest.mark.parametrize("channels", [1, 3])
def test_on_a_linear_network_the_methods_agree_in_closed_form(channels) -> None:
    model = network(layers.Flatten(), layers.Dense(4), shape=(5, 6, channels))
    image = RNG.random((5, 6, channels)).astype(np.float32)
    nothing = baseline_image(image, 0.25)
    weights = model.get_weights()[0][:, 3].reshape(5, 6, channels)
    expected = (weights * (image - nothing)).sum(axis=-1)
    score = scores(model)
    for method in (gradient_times_input, integrated_gradients):
        found = method(score, image, 3, nothing)
        np.testing.assert_allclose(found.values, expected, atol=1e-5)
        assert found.residue < 1e-4
    found = occlusion(score, image, 3, nothing, patch=1)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert found.residue < 1e-4


def test_a_larger_patch_gives_the_mean_over_the_patches_that_hide_a_pixel() -> None:
    model = network(layers.Flatten(), layers.Dense(2), shape=(4, 5, 1))
    image = RNG.random((4, 5, 1)).astype(np.float32)
    own = (model.get_weights()[0][:, 0].reshape(4, 5)) * image[..., 0]
    expected = np.zeros((4, 5))
    for row in range(4):
        for column in range(5):
            falls = [
                own[r : r + 2, c : c + 2].sum()
                for r in range(3)
                for c in range(4)
                if r <= row < r + 2 and c <= column < c + 2
            ]
            expected[row, column] = np.mean(falls)
    found = occlusion(scores(model), image, 0, np.zeros_like(image), patch=2)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert found.residue is None


@pytest.mark.parametrize("patch", [1, 2])
def test_what_the_network_does_not_look_at_gets_nothing(patch) -> None:
    # The upper half is cut away before the first weight.
    model = network(
        layers.Cropping2D(((4, 0), (0, 0))),
        layers.Conv2D(3, 2, activation="relu"),
        layers.Flatten(),
        layers.Dense(2, activation="softmax"),
    )
    score = scores(model)
    unseen = 4 - patch + 1
    hidden = occlusion(score, IMAGE, 1, DARK, patch=patch).values
    assert np.all(hidden[:unseen] == 0)
    assert np.abs(hidden[4:]).max() > 1e-3
    for method in (gradient_times_input, integrated_gradients):
        values = method(score, IMAGE, 1, DARK).values
        assert np.all(values[:4] == 0)
        assert np.abs(values[4:]).max() > 1e-3


@pytest.mark.parametrize("method", [gradient_times_input, integrated_gradients, occlusion])
def test_the_only_pixel_that_differs_and_matters_gets_the_change(method) -> None:
    """Sensitivity, as the paper on integrated gradients defines it."""
    nothing = IMAGE.copy()
    nothing[3, 4, 0] = 1 - nothing[3, 4, 0]
    model = convolutional()
    options = {"patch": 1} if method is occlusion else {}
    found = method(scores(model), IMAGE, 0, nothing, **options)
    assert abs(found.change) > 1e-3
    assert found.values[3, 4] != 0
    if method is not gradient_times_input:
        assert found.values[3, 4] == pytest.approx(found.change, rel=0.01)
    found.values[3, 4] = 0
    assert not found.values.any()


def test_grad_cam_of_a_mean_over_maps_is_the_class_activation_map() -> None:
    """With the mean over positions and a dense layer it adds up to the logit without its bias."""
    model = network(
        layers.Conv2D(5, 3),  # without ReLU the map itself, before the cut, can be added up
        layers.GlobalAveragePooling2D(),
        layers.Dense(2),
    )
    score = scores(model)
    name, maps, slope = score.at_convolution(score.convolutions[0], IMAGE, 1)
    kernel, bias = model.get_weights()[2:]
    np.testing.assert_allclose(maps, np.asarray(model.layers[0](IMAGE[None]))[0], atol=1e-6)
    np.testing.assert_allclose(slope, np.broadcast_to(kernel[:, 1] / 36, (6, 6, 5)), rtol=1e-5)
    assert (maps @ slope.mean(axis=(0, 1))).sum() == pytest.approx(
        float(score.of(IMAGE[None], 1)[0]) - bias[1], abs=1e-5
    )
    found = grad_cam(score, IMAGE, 1, name, [np.arange(1, 7), np.arange(1, 7)])
    expected = np.maximum(maps @ kernel[:, 1] / 36, 0)
    np.testing.assert_allclose(found.values[1:7, 1:7], expected, atol=1e-6)
    # Beyond the outermost neurons it is continued.
    np.testing.assert_array_equal(found.values[0, 1:7], found.values[1, 1:7])
    assert found.complete is None


def test_dropout_is_off_and_batch_normalisation_uses_its_moving_averages() -> None:
    model = network(
        layers.Conv2D(2, 3, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(2),
    )
    model.layers[1].moving_mean.assign([0.1, -0.2])
    model.layers[1].moving_variance.assign([0.5, 2.0])
    score = scores(model)
    assert score.of(IMAGE[None], 0)[0] == pytest.approx(
        float(model(IMAGE[None], training=False)[0, 0]), abs=1e-6
    )
    assert integrated_gradients(score, IMAGE, 0, DARK).complete
    name, maps, _ = score.at_convolution(score.convolutions[0], IMAGE, 0)
    assert name == model.layers[2].name
    assert maps.min() == 0
    assert model.layers[1].moving_mean.numpy() == pytest.approx([0.1, -0.2])


def test_an_image_that_is_its_own_baseline_has_no_shares() -> None:
    found = integrated_gradients(scores(convolutional()), DARK, 0, DARK)
    assert found.change == 0
    assert found.residue == 0
    assert not found.values.any()


def test_baselines() -> None:
    image = RNG.random((6, 6, 3)).astype(np.float32)
    assert np.all(baseline_image(image, "0.5") == 0.5)
    assert baseline_image(image, "mean")[0, 0] == pytest.approx(image.mean(axis=(0, 1)))
    blurred = baseline_image(image, "blur")
    assert blurred.std() < image.std()
    assert blurred.mean(axis=(0, 1)) == pytest.approx(image.mean(axis=(0, 1)), abs=0.05)
    for wrong in ("black", 2, "nan"):
        with pytest.raises(StriateError, match="write a value from 0 to 1, mean or blur"):
            baseline_image(image, wrong)


def test_what_cannot_be_done_is_one_line() -> None:
    score = scores(convolutional())
    with pytest.raises(StriateError, match="9 x 9 pixels does not fit into an image of 8 x 8"):
        occlusion(score, IMAGE, 0, DARK, patch=9)
    with pytest.raises(StriateError, match="one step or more"):
        integrated_gradients(score, IMAGE, 0, DARK, steps=0)
    with pytest.raises(StriateError, match="must both have the shape"):
        gradient_times_input(score, IMAGE, 0, DARK[:4])
