"""Convolution as a matrix: Toeplitz both ways round, W' of the lecture, and what it takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg

from striate.convolution import (
    convolution_matrix,
    convolve,
    correlate,
    matrix_memory,
    output_size,
    padding_for,
    polynomial_product,
    toeplitz,
)
from striate.errors import StriateError


@given(a=st.lists(st.integers(-99, 99), min_size=1, max_size=9), n=st.integers(1, 9))
def test_toeplitz_agrees_with_scipy(a, n):
    column = np.concatenate([a, np.zeros(n - 1, int)])
    row = np.concatenate([a[:1], np.zeros(n - 1, int)])
    np.testing.assert_array_equal(toeplitz(a, n), linalg.toeplitz(column, row))
    b = np.arange(n) - 3
    np.testing.assert_array_equal(toeplitz(a, n) @ b, convolve(a, b))


def test_c2_both_toeplitz_matrices_give_the_six_coefficients():
    alpha, beta = np.array([2, -1, 3]), np.array([5, 0, -4, 7])
    from_alpha, from_beta = toeplitz(alpha, 4), toeplitz(beta, 3)
    assert (from_alpha.shape, from_beta.shape) == ((6, 4), (6, 3))
    np.testing.assert_array_equal(from_alpha @ beta, from_beta @ alpha)
    np.testing.assert_array_equal(from_alpha @ beta, polynomial_product(alpha, beta))


def test_c5_the_4x9_matrix_of_the_lecture():
    w00, w01, w10, w11 = weights = (3, -1, 7, 2)
    image = np.arange(9).reshape(3, 3) ** 2
    kernel = np.reshape(weights, (2, 2))
    matrix = convolution_matrix(kernel, (3, 3))
    np.testing.assert_array_equal(
        matrix.toarray(),
        [
            [w00, w01, 0, w10, w11, 0, 0, 0, 0],
            [0, w00, w01, 0, w10, w11, 0, 0, 0],
            [0, 0, 0, w00, w01, 0, w10, w11, 0],
            [0, 0, 0, 0, w00, w01, 0, w10, w11],
        ],
    )
    assert (matrix.nnz, matrix.size) == (16, 16)
    expected = correlate(image, kernel, "valid")
    np.testing.assert_array_equal((matrix @ image.ravel()).reshape(2, 2), expected)
    assert convolution_matrix([[0, 1], [0, 0]], (3, 3)).nnz == 16  # a weight of 0 is stored, too


def test_c5_the_memory_of_32_kernels_on_28x28():
    memory = matrix_memory((3, 3, 1, 32), (28, 28, 1), channels=True)
    assert memory.shape == (26 * 26 * 32, 784)
    assert memory.entries == 26 * 26 * 32 * 9
    assert memory.dense_bytes == 26 * 26 * 32 * 784 * 8 == 135_675_904
    assert memory.direct_bytes == 3 * 3 * 32 * 8
    assert "135.7 MB dense" in str(memory)
    assert str(matrix_memory((2, 2), (3, 3))) == (
        "W' 4 x 9, 16 entries: 288 bytes dense, 212 bytes sparse; the kernel alone 32 bytes"
    )
    assert "TB dense" in str(matrix_memory((3, 3, 3, 64), (2048, 2048, 3), channels=True))


axes_values = st.tuples(*[st.integers(1, 3)] * 3)


@given(
    axes=st.integers(1, 3),
    size=st.tuples(*[st.integers(1, 6)] * 3),
    window=axes_values,
    stride=axes_values,
    dilation=axes_values,
    padding=st.sampled_from(["valid", "same", "full"])
    | st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 3),
    layers=st.none() | st.tuples(st.integers(1, 3)) | st.tuples(*[st.integers(1, 3)] * 2),
    seed=st.integers(0, 2**32 - 1),
)
def test_c5_the_matrix_gives_the_convolution_for_any_geometry(
    axes, size, window, stride, dilation, padding, layers, seed
):
    size, window, stride, dilation = (v[:axes] for v in (size, window, stride, dilation))
    padding = padding if isinstance(padding, str) else padding[:axes]
    random = np.random.default_rng(seed)
    channels = layers is not None
    image = random.integers(-9, 10, (*size, *(layers or ())[:1]))
    kernel = random.integers(-9, 10, (*window, *(layers or ())))
    arguments = (image.shape, stride, padding, dilation)
    try:
        outputs = output_size(size, window, stride, padding, dilation)
    except StriateError:
        with pytest.raises(StriateError, match="no output remains"):
            convolution_matrix(kernel, *arguments, channels=channels)
        return
    pads = padding_for(size, window, stride, padding, dilation)
    expected = correlate(image, kernel, pads, stride, dilation, channels=channels)
    matrix = convolution_matrix(kernel, *arguments, channels=channels)
    product = matrix @ image.ravel()
    assert product.dtype == np.int64
    np.testing.assert_array_equal(product.reshape(expected.shape), expected)
    assert expected.shape[:axes] == outputs
    memory = matrix_memory(kernel.shape, *arguments, channels=channels)
    assert (memory.shape, memory.entries) == (matrix.shape, matrix.nnz)
    assert memory.dense_bytes == matrix.toarray().nbytes
    assert memory.sparse_bytes == sum(
        part.nbytes for part in (matrix.data, matrix.indices, matrix.indptr)
    )
    assert memory.direct_bytes == kernel.nbytes


def test_mistakes_are_refused():
    with pytest.raises(StriateError, match="one row of numbers, not"):
        toeplitz([[1]], 2)
    with pytest.raises(StriateError, match="n must be 1 or more, not 0"):
        toeplitz([1], 0)
    with pytest.raises(StriateError, match=r"a kernel of shape \(2, 2\) does not fit"):
        convolution_matrix([[1, 2], [3, 4]], (3, 3, 3))
    with pytest.raises(StriateError, match="stride must be 1 or more"):
        matrix_memory((2, 2), (3, 3), 0)
    with pytest.raises(StriateError, match="image size must be 1 or more"):
        convolution_matrix([[1]], (0, 3))
