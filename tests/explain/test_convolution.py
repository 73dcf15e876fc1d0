"""What is drawn of a convolution is what SciPy computes."""

import numpy as np
import pytest
from scipy import signal

from striate.errors import StriateError
from striate.explain.convolution import comparison, convolution
from striate.explain.images import Source
from striate.explain.kernels import kernel
from striate.explain.window import Motion

RNG = np.random.default_rng(3)
IMAGE = Source("made up", RNG.integers(-9, 10, (6, 5)))
KERNEL = RNG.integers(-3, 4, (3, 2))


@pytest.mark.parametrize("flip", [False, True])
def test_the_feature_map_is_scipys(flip, tables, written):
    picture = convolution(IMAGE, KERNEL, Motion(bias=4, flip=flip))
    drawn = tables(picture.scenes[-1])
    compute = signal.convolve2d if flip else signal.correlate2d
    expected = compute(IMAGE.pixels, KERNEL, "valid") + 4
    assert drawn[0] == written(IMAGE.pixels)
    assert drawn[1] == written(KERNEL[::-1, ::-1] if flip else KERNEL)
    assert drawn[3] == written(expected)


def test_products_add_up_to_the_output_of_their_step(tables):
    picture = convolution(IMAGE, KERNEL, Motion(bias=-2))
    for number, scene in enumerate(picture.scenes):
        products = [int(t.replace("−", "-")) for row in tables(scene)[2] for t in row]
        row, column = divmod(number, 4)
        output = tables(scene)[3][row][column]
        assert int(output.replace("−", "-")) == sum(products) - 2


def test_stride_padding_and_dilation(tables):
    motion = Motion(stride=2, padding=2, dilation=2)
    picture = convolution(IMAGE, KERNEL, motion)
    dilated = np.zeros((5, 3), int)
    dilated[::2, ::2] = KERNEL
    expected = signal.correlate2d(np.pad(IMAGE.pixels, 2), dilated, "valid")[::2, ::2]
    drawn = tables(picture.scenes[-1])[3]
    assert [[int(t.replace("−", "-")) for t in row] for row in drawn] == expected.tolist()


def test_each_channel_has_its_layer_and_all_are_added(tables):
    colour = Source("colour", RNG.integers(0, 3, (4, 4, 3)))
    layers = RNG.integers(-2, 3, (2, 2, 3))
    picture = convolution(colour, layers, Motion())
    expected = sum(
        signal.correlate2d(colour.pixels[..., c], layers[..., c], "valid") for c in range(3)
    )
    drawn = tables(picture.scenes[-1])[-1]
    assert [[int(t.replace("−", "-")) for t in row] for row in drawn] == expected.tolist()


def test_a_kernel_without_layers_counts_for_each_channel():
    colour = Source("colour", RNG.integers(0, 3, (4, 4, 3)))
    flat = convolution(colour, np.ones((2, 2), int), Motion()).scenes[-1]
    layered = convolution(colour, np.ones((2, 2, 3), int), Motion()).scenes[-1]
    assert flat.texts == layered.texts


def test_side_by_side_both_are_drawn(tables, written):
    picture = comparison(IMAGE, KERNEL, Motion())
    drawn = tables(picture.scenes[-1])
    assert drawn[3] == written(signal.correlate2d(IMAGE.pixels, KERNEL, "valid"))
    assert drawn[7] == written(signal.convolve2d(IMAGE.pixels, KERNEL, "valid"))
    apart = abs(
        signal.correlate2d(IMAGE.pixels, KERNEL, "valid")
        - signal.convolve2d(IMAGE.pixels, KERNEL, "valid")
    ).max()
    assert any(f"differ by up to {apart}." in text for text in picture.scenes[0].texts)


def test_a_symmetric_kernel_makes_no_difference_and_the_picture_says_so():
    picture = comparison(IMAGE, kernel("sharpen"), Motion())
    assert any("both give the same" in text for text in picture.scenes[0].texts)


def test_the_still_picture_has_the_whole_map_and_one_window():
    figure = convolution(IMAGE, KERNEL, Motion(), step=7).figure
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "step 7 of 16: row 2, column 3" in texts
    for value in signal.correlate2d(IMAGE.pixels, KERNEL, "valid").ravel():
        assert str(value).replace("-", "−") in texts


def test_small_numbers_are_shaded_and_the_window_is_drawn_apart(tables):
    large = Source("large", RNG.random((28, 28)))
    picture = convolution(large, kernel("sobel"), Motion())
    scene = picture.scenes[30]
    assert len(picture.scenes) == 676
    assert "window" in scene.texts
    assert any("palest" in text and "rounded" in text for text in scene.texts)
    step = large.pixels[1:4, 4:7]
    assert [[f"{v:.2f}" for v in row] for row in step] in tables(scene)
    products = step * kernel("sobel")
    cells = [[f"{v:.2f}".replace("-0.00", "0.00").replace("-", "−") for v in r] for r in products]
    assert cells in tables(scene)


@pytest.mark.parametrize(
    ("image", "weights", "motion", "words"),
    [
        (np.zeros((300, 300)), np.ones((3, 3)), Motion(), "--shrink"),
        (np.zeros((38, 38)), np.ones((3, 3)), Motion(padding=2), "42 x 42"),
        (np.zeros((2, 2)), np.ones((3, 3)), Motion(), "no output remains"),
        (np.zeros((4, 4)), np.ones((3, 3, 3)), Motion(), "cannot be shown"),
    ],
)
def test_what_cannot_be_drawn_is_refused(image, weights, motion, words):
    with pytest.raises(StriateError, match=words):
        convolution(Source("image", image), weights, motion)


def test_a_step_beyond_the_last_is_refused():
    with pytest.raises(StriateError, match="no step 17: the window makes 16"):
        convolution(IMAGE, KERNEL, Motion(), step=17)
    with pytest.raises(StriateError, match="without channels"):
        comparison(Source("colour", np.zeros((4, 4, 3))), KERNEL, Motion())
