"""Output weights and first-layer kernels."""

import numpy as np
import pytest
from matplotlib.colors import Normalize

from striate import StriateError, plots

RNG = np.random.default_rng(7)


def _pictures(figure):
    return [image for axes in figure.axes for image in axes.get_images()]


def _words(figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def test_output_weights_are_drawn_as_they_are_symmetric_around_zero() -> None:
    weights = RNG.normal(size=(32, 10)) + 3.0
    figure = plots.output_weights(weights, [f"c{i}" for i in range(10)])
    (picture,) = figure.axes[0].get_images()
    np.testing.assert_array_equal(picture.get_array(), weights.T)
    low, high = picture.get_clim()
    assert high == -low == np.abs(weights).max()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        f"c{i}" for i in range(10)
    ]
    assert len(figure.axes) == 2
    assert figure.axes[1].get_xlabel() == "weight"


def test_many_inputs_are_drawn_in_groups_and_none_of_the_extremes_is_lost() -> None:
    weights = RNG.normal(size=(18432, 10))
    figure = plots.output_weights(weights, list("abcdefghij"))
    drawn = figure.axes[0].get_images()[0].get_array()
    assert drawn.shape == (10, 393)
    np.testing.assert_array_equal(np.abs(drawn).max(axis=1), np.abs(weights).max(axis=0))
    assert figure.axes[0].get_xlabel() == "input, of each 47 the largest"


def test_one_output_is_the_weight_towards_the_second_class() -> None:
    figure = plots.output_weights(RNG.normal(size=(5, 1)), ["QCD", "W"])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["W"]


@pytest.mark.parametrize("shape", [(5,), (5, 2, 2), (5, 4)])
def test_weights_of_another_layer_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(StriateError):
        plots.output_weights(np.zeros(shape), ["a", "b", "c"])


def test_all_zero_and_nan_weights_are_drawn() -> None:
    plots.output_weights(np.zeros((4, 2)), ["a", "b"])._repr_png_()
    plots.kernels(np.full((3, 3, 1, 2), np.nan))._repr_png_()


def test_kernels_of_one_channel_share_one_symmetric_scale() -> None:
    weights = RNG.normal(size=(3, 3, 1, 12)) + 3.0
    figure = plots.kernels(weights)
    pictures = _pictures(figure)
    assert len(pictures) == 12
    for index, picture in enumerate(pictures):
        np.testing.assert_array_equal(picture.get_array(), weights[:, :, 0, index])
        assert picture.get_clim() == (-np.abs(weights).max(), np.abs(weights).max())
    assert _words(figure) == "12 kernels"


def test_kernels_on_colour_have_zero_in_the_middle() -> None:
    weights = RNG.normal(size=(5, 5, 3, 4))
    weights[0, 0, :, 0] = 0
    figure = plots.kernels(weights)
    pictures = _pictures(figure)
    assert len(pictures) == 4
    first = np.asarray(pictures[0].get_array())
    np.testing.assert_allclose(first[0, 0], 0.5)
    values = np.concatenate([np.asarray(picture.get_array()).ravel() for picture in pictures])
    assert values.min() >= 0
    assert values.max() <= 1
    assert "grey is 0" in _words(figure)


def test_too_many_kernels_are_sampled_and_that_is_said() -> None:
    figure = plots.kernels(RNG.normal(size=(3, 3, 1, 200)))
    assert len(_pictures(figure)) == 64
    assert _words(figure) == "64 of 200 kernels"


def test_each_channel_is_a_picture_when_there_are_two() -> None:
    weights = RNG.normal(size=(3, 3, 2, 5))
    figure = plots.kernels(weights)
    pictures = _pictures(figure)
    assert len(pictures) == 10
    np.testing.assert_array_equal(pictures[3].get_array(), weights[:, :, 1, 1])
    assert "2 channels each" in _words(figure)


def test_the_scale_bar_shows_the_scale_of_the_kernels() -> None:
    weights = RNG.normal(size=(3, 3, 1, 2)) + 3.0
    low, high = plots.kernels(weights).axes[-1].get_xlim()
    norm = Normalize(-np.abs(weights).max(), np.abs(weights).max())
    assert (low, high) == (norm.vmin, norm.vmax)


def test_kernels_need_four_axes() -> None:
    with pytest.raises(StriateError, match=r"\(row, col, input channel, kernel\)"):
        plots.kernels(np.zeros((3, 3, 4)))
