"""The patches that excite a kernel are those that the neuron saw."""

import keras
import numpy as np
import pytest
from keras import layers

from striate.engine.scores import Scores
from striate.explain.patches import exciting_patches, patches_figure
from striate.models.anatomy import views

RNG = np.random.default_rng(4)


def _found(model: keras.Model, images: np.ndarray, name: str):
    return Scores(model, images).strongest(images)[name], views(model)[name]


@pytest.mark.parametrize(("padding", "stride"), [("valid", 1), ("same", 1), ("valid", 2)])
def test_a_kernel_applied_to_its_patch_gives_the_output(padding, stride) -> None:
    images = RNG.random((12, 7, 9, 2)).astype(np.float32)
    convolution = layers.Conv2D(3, 3, strides=stride, padding=padding, name="conv")
    model = keras.Sequential(
        [layers.Input((7, 9, 2)), convolution, layers.Flatten(), layers.Dense(2)]
    )
    responses, view = _found(model, images, "conv")
    for kernel in range(3):
        patches = exciting_patches(responses, images, view, kernel, most=5)
        values = [patch.value for patch in patches]
        assert values == sorted(values, reverse=True)
        assert len({patch.image for patch in patches}) == 5
        assert values[0] == responses.values[:, kernel].max()
        for patch in patches:
            assert patch.pixels.shape == (3, 3, 2)
            # Beyond the border there are zeros.
            product = (np.nan_to_num(patch.pixels) * convolution.kernel[..., kernel]).sum()
            assert product + convolution.bias[kernel] == pytest.approx(patch.value, abs=1e-5)


def test_behind_a_pooling_the_patch_is_the_receptive_field() -> None:
    """Of one bright pixel, whatever is excited has seen it."""
    images = np.zeros((20, 11, 11, 1), np.float32)
    places = RNG.integers(0, 10, size=(20, 2))
    images[np.arange(20), places[:, 0], places[:, 1]] = 1
    model = keras.Sequential(
        [
            layers.Input((11, 11, 1)),
            layers.Conv2D(1, 3, padding="same", kernel_initializer="ones"),
            layers.MaxPooling2D(2),
            layers.Conv2D(2, 2, kernel_initializer="ones", activation="relu", name="deep"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    responses, view = _found(model, images, "deep")
    patches = exciting_patches(responses, images, view, 0, most=20)
    assert len(patches) == 20
    for patch in patches:
        assert patch.pixels.shape == (6, 6, 1)
        assert np.nansum(patch.pixels) == 1
    # Padding of the first layer is seen, and shown as beyond the border.
    assert any(np.isnan(patch.pixels).any() for patch in patches)


def test_an_image_that_leaves_a_kernel_silent_gives_no_patch() -> None:
    images = RNG.random((6, 5, 5, 1)).astype(np.float32)
    images[:4] = 0
    model = keras.Sequential(
        [
            layers.Input((5, 5, 1)),
            layers.Conv2D(2, 3, activation="relu", name="conv"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    ones = np.ones((3, 3, 1, 2), np.float32) * (1, -1)
    model.get_layer("conv").set_weights([ones, np.zeros(2)])
    responses, view = _found(model, images, "conv")
    assert {p.image for p in exciting_patches(responses, images, view, 0)} == {4, 5}
    assert exciting_patches(responses, images, view, 1) == []
    figure = patches_figure("conv", responses, images, view, searched="6 test images")
    words = [text.get_text() for text in figure.texts]
    assert "kernel 2: active on none of these images" in words
    assert len([axes for axes in figure.axes if axes.get_images()]) == 2


@pytest.mark.parametrize(
    ("channels", "count", "number"),
    [(1, 12, "8 of 12 kernels"), (2, 2, "2 kernels"), (3, 2, "2 kernels")],
)
def test_the_figure_says_what_it_shows(channels, count, number) -> None:
    images = RNG.random((9, 6, 6, channels)).astype(np.float32)
    convolution = layers.Conv2D(count, 3, name="conv")
    model = keras.Sequential(
        [layers.Input((6, 6, channels)), convolution, layers.Flatten(), layers.Dense(2)]
    )
    responses, view = _found(model, images, "conv")
    figure = patches_figure(
        "conv",
        responses,
        images,
        view,
        kernels=np.asarray(convolution.kernel),
        searched="9 test images",
    )
    words = [text.get_text() for text in figure.texts]
    assert words[:2] == ["conv", f"{number}, patches of 3 × 3"]
    assert any("of 9 test images" in line for line in words)
    # The kernel itself, where it can be drawn as one picture, and seven patches; else eight.
    assert len(figure.axes) == 8 * min(count, 8)
    assert any("first the kernel" in line for line in words) == (channels != 2)


def test_neurons_are_centred_on_what_they_see() -> None:
    model = keras.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(1, 3, name="first"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flat"),
        ]
    )
    known = views(model)
    assert known["first"].axes[0].centres == (1, 2, 3, 4)
    assert known["pool"].axes[1].centres == (1.5, 3.5)
    assert known["flat"].grid is False
