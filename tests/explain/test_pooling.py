"""Pooling is drawn with the maxima, the averages, and where the maxima lie."""

import numpy as np
import pytest

from striate.errors import StriateError
from striate.explain.images import Source
from striate.explain.pooling import pooling
from striate.explain.scenes.shapes import Box
from striate.plots.style import INK

IMAGE = Source("image", np.array([[1, 5, 0, 2], [3, 5, 9, 1], [0, 0, 4, 4], [0, 1, 4, 4]]))


def test_maxima_and_averages(tables, written):
    picture = pooling(IMAGE)
    _, largest, average = tables(picture.scenes[-1])
    assert largest == written([[5, 9], [1, 4]])
    assert average == written([[3.5, 3], [0.25, 4]], 2)
    assert len(picture.scenes) == 4
    assert any("(4 − 2) / 2⌋ + 1 = 2" in text for text in picture.scenes[0].texts)


def test_each_maximum_is_framed_once_its_window_has_been_there():
    picture = pooling(IMAGE)
    for count, scene in enumerate(picture.scenes, 1):
        frames = [s for s in scene.shapes if isinstance(s, Box) and s.edge == INK]
        assert len(frames) == count
    corner = next(s for s in picture.scenes[0].shapes if isinstance(s, Box))
    # Of equal pixels the first: row 1, column 2, and row 3, column 3.
    places = {
        (round((f.top - corner.top) / f.height), round((f.left - corner.left) / f.width))
        for f in frames
    }
    assert places == {(0, 1), (1, 2), (3, 1), (2, 2)}


def test_windows_may_overlap_and_leave_pixels_out(tables, written):
    picture = pooling(IMAGE, 3, 1)
    assert tables(picture.scenes[-1])[1] == written([[9, 9], [9, 9]])
    assert len(pooling(IMAGE, 3).scenes) == 1


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(StriateError, match="give a grey one"):
        pooling(Source("colour", np.zeros((4, 4, 3))))
    with pytest.raises(StriateError, match="too many for cells"):
        pooling(Source("large", np.zeros((64, 64))))
    with pytest.raises(StriateError, match="no output remains"):
        pooling(IMAGE, 5)
