"""The figure of blur: both methods agree with SciPy, and the times are those of the clock."""

import numpy as np
import pytest
from scipy import ndimage

from striate.errors import StriateError
from striate.explain.blur import Timing, blur
from striate.explain.images import Source

IMAGE = Source("made up", np.random.default_rng(4).random((20, 24)))


def test_four_widths_both_ways_agree_with_scipy():
    made = blur(IMAGE, sides=(3, 5))
    pictures = [axes.images[0].get_array() for axes in made.picture.figure.axes if axes.images]
    np.testing.assert_array_equal(pictures[0], IMAGE.pixels)
    for sigma, picture in zip((1.0, 2.0, 4.0, 8.0), pictures[1:], strict=True):
        np.testing.assert_allclose(
            picture, ndimage.gaussian_filter(IMAGE.pixels, sigma), atol=1e-12
        )
        assert made.differences[sigma] < 1e-12


def test_the_times_are_medians_by_the_clock():
    class Clock:
        """Each call takes one unit more than the one before."""

        def __init__(self):
            self.now, self.calls = 0.0, 0

        def __call__(self):
            self.calls += 1
            self.now += self.calls // 2
            return self.now

    timing = blur(IMAGE, widths=(1.0,), sides=(3, 5), clock=Clock()).timing
    assert timing.repetitions == 5
    assert (timing.direct, timing.transform) == ((3, 13), (8, 18))


@pytest.mark.parametrize(
    ("direct", "transform", "wins", "words"),
    [
        ((1, 2, 9), (2, 1, 1), 5, "FFT wins from 5 x 5 on; at 9 x 9 it is 9 times as fast"),
        ((1, 1, 1), (2, 2, 2), None, "directly is faster up to 9 x 9"),
        ((3, 1, 3), (1, 2, 1), 9, "FFT wins from 9 x 9 on"),
        ((3, 3, 3), (1, 1, 1), 3, "FFT wins from 3 x 3 on"),
    ],
)
def test_where_fft_wins(direct, transform, wins, words):
    timing = Timing((3, 5, 9), direct, transform, 5)
    assert timing.wins_from == wins
    assert str(timing).startswith(words)


def test_the_figure_says_where_fft_wins():
    made = blur(IMAGE, widths=(1.0,), sides=(3, 33))
    axes = made.picture.figure.axes[-1]
    assert axes.get_title(loc="left") == str(made.timing).replace(" x ", " × ")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("side of the kernel / pixels", "time / ms")


def test_what_cannot_be_drawn_is_refused():
    for image, widths, words in (
        (np.zeros((4, 4, 3)), (1.0,), "grey"),
        (np.zeros((300, 4)), (1.0,), "too large"),
        (np.zeros((4, 4)), (), "give 1 to 4"),
        (np.zeros((4, 4)), (0.0,), "above 0"),
    ):
        with pytest.raises(StriateError, match=words):
            blur(Source("image", image), widths)
