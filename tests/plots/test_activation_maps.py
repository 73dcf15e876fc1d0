"""Feature maps, layer by layer."""

import numpy as np
import pytest

from striate import StriateError, plots

RNG = np.random.default_rng(3)


def _words(figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def test_each_layer_has_its_name_its_size_and_its_channels() -> None:
    first = np.maximum(RNG.normal(size=(6, 6, 4)), 0)
    second = RNG.normal(size=(3, 3, 2))
    figure = plots.feature_maps([("conv2d", first), ("conv2d_1", second)])
    words = _words(figure)
    assert words[0] == "conv2d"
    assert words[1].startswith("6 × 6, 4 channels, 0 to ")
    assert words[3].startswith("3 × 3, 2 channels, −")
    pictures = [image for axes in figure.axes for image in axes.get_images()]
    assert len(pictures) == 6
    np.testing.assert_array_equal(pictures[1].get_array(), first[..., 1])
    assert pictures[0].get_clim() == (0, first.max())
    largest = np.abs(second).max()
    assert pictures[-1].get_clim() == (-largest, largest)


def test_sampled_channels_are_spread_and_said() -> None:
    values = RNG.random((4, 4, 33))
    figure = plots.feature_maps([("conv2d", values)])
    pictures = [image for axes in figure.axes for image in axes.get_images()]
    assert len(pictures) == 8
    np.testing.assert_array_equal(pictures[0].get_array(), values[..., 0])
    np.testing.assert_array_equal(pictures[-1].get_array(), values[..., 32])
    assert "33 channels (8 drawn)" in _words(figure)[1]


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_the_image_is_drawn_above_them(channels: int) -> None:
    image = RNG.random((5, 5, channels))
    figure = plots.feature_maps([("pool", RNG.random((2, 2, 1)))], image=image)
    assert _words(figure)[0] == "input"
    shown = np.asarray(figure.axes[0].get_images()[0].get_array())
    assert shown.shape == ((5, 5, 3) if channels == 3 else (5, 5))


def test_a_silent_layer_is_drawn() -> None:
    plots.feature_maps([("dead", np.zeros((1, 1, 64)))])._repr_png_()


def test_what_is_not_a_feature_map_is_refused() -> None:
    with pytest.raises(StriateError, match="no feature map"):
        plots.feature_maps([])
    with pytest.raises(StriateError, match="'dense'"):
        plots.feature_maps([("dense", np.zeros(10))])
