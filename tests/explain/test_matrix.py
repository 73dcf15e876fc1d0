"""The matrix of a convolution, and the Toeplitz matrices of polynomials (rows C2 and C5)."""

import numpy as np
import pytest
from scipy import linalg, signal

from striate.errors import StriateError
from striate.explain.images import Source
from striate.explain.matrix import matrix, polynomials
from striate.explain.window import Motion

COUNT = Source("count", np.arange(1, 10).reshape(3, 3))
KERNEL = np.array([[1, 2], [3, 4]])


def test_c5_the_matrix_of_the_lecture(tables, written):
    picture = matrix(COUNT, KERNEL, Motion())
    image, kernel, drawn, flat, result, square = tables(picture.scenes[-1])
    assert (image, kernel) == (written(COUNT.pixels), written(KERNEL))
    assert drawn == written(
        [
            [1, 2, 0, 3, 4, 0, 0, 0, 0],
            [0, 1, 2, 0, 3, 4, 0, 0, 0],
            [0, 0, 0, 1, 2, 0, 3, 4, 0],
            [0, 0, 0, 0, 1, 2, 0, 3, 4],
        ]
    )
    expected = signal.correlate2d(COUNT.pixels, KERNEL, "valid")
    assert (square, result) == (written(expected), written(expected.reshape(-1, 1)))
    assert flat == written(COUNT.pixels.reshape(-1, 1))
    texts = picture.scenes[0].texts
    assert any("16 of 36 entries stored" in text for text in texts)
    assert any("28 × 28 pixels, 32 kernels" in t and "135.7 MB dense" in t for t in texts)
    assert "row 1: 1·1 + 2·2 + 3·4 + 4·5 = 37" in texts


def test_padding_is_no_column_and_has_no_frame():
    picture = matrix(COUNT, KERNEL, Motion(padding=1, stride=2))
    assert "row 1: 4·1 = 4" in picture.scenes[0].texts
    assert len(picture.scenes) == 4


def test_c2_the_product_of_polynomials_both_ways_round(tables, written):
    alpha, beta = np.array([1, 2, 1]), np.array([2, 0, -1, 3])
    picture = polynomials(alpha, beta)
    one, column, product, other, other_column, other_product = tables(picture.scenes[-1])
    expected = np.convolve(alpha, beta).reshape(-1, 1)
    assert product == other_product == written(expected)
    assert one == written(linalg.toeplitz([*alpha, 0, 0, 0], [1, 0, 0, 0]))
    assert other == written(linalg.toeplitz([*beta, 0, 0], [2, 0, 0]))
    assert (column, other_column) == (written(beta[:, None]), written(alpha[:, None]))
    assert "1 + 2 t + t²  times  2 − t² + 3 t³  is  2 + 4 t + t² + t³ + 5 t⁴ + 3 t⁵" in (
        picture.scenes[0].texts
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: matrix(Source("x", np.zeros((9, 9))), KERNEL, Motion()), "64 rows and 81 columns"),
        (lambda: matrix(Source("x", np.zeros((4, 4, 3))), KERNEL, Motion()), "give a grey one"),
        (lambda: polynomials(np.ones(9), np.ones(2)), "up to 8"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, words):
    with pytest.raises(StriateError, match=words):
        make()
