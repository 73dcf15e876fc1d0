"""The mathematics here is what the kernels compute: values, gradients and positions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate import kernels
from striate.convolution import (
    convolution_matrix,
    correlate,
    matrix_memory,
    output_size,
    padded,
    padding_for,
    pool,
    pooled_size,
    positions_of_maxima,
    steps,
)
from striate.errors import StriateError
from striate.kernels import primitives
from striate.kernels.geometry import Geometry
from striate.kernels.pooling import average_pool2d, max_pool2d

# Compiling for each shape takes most of the time.
FEW = settings(max_examples=10)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def convolutions(draw):
    """Whole numbers as float32, so small that sums of products are exact in any order."""
    window, stride, dilation = draw(pairs), draw(pairs), draw(pairs)
    sides = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    padding = draw(
        st.just("same") | st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2)
    )
    try:
        pads = padding_for(sides, window, stride, padding, dilation)
        outputs = output_size(sides, window, stride, pads, dilation)
    except StriateError:
        pads = ((6, 6), (6, 6))
        outputs = output_size(sides, window, stride, pads, dilation)
    channels, filters = draw(pairs)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = random.integers(-3, 4, (*sides, channels))
    kernel = random.integers(-3, 4, (*window, channels, filters))
    gradient = random.integers(-3, 4, (*outputs, filters))
    return image, kernel, gradient, Geometry(stride, pads, dilation)


def of_one(image):
    return jnp.asarray(image[None], jnp.float32)


def whole(values):
    """Return what a kernel computed for one image, as whole numbers."""
    array = np.asarray(values)
    assert np.array_equal(array, np.rint(array))
    return array.astype(int)


def with_gradients(op, gradient, *arguments):
    """Return the value of `op` and the gradients to its arguments, in one compiled program."""

    @jax.jit
    def both(gradient, *arguments):
        value, pull = jax.vjp(op, *arguments)
        return value, pull(gradient)

    return both(gradient, *arguments)


@FEW
@given(convolutions())
def test_values_and_gradients_are_those_of_the_kernels(problem):
    """The op that runs here, native where there is a compiler, and the reference."""
    image, kernel, gradient, geometry = problem
    arguments = (geometry.stride, geometry.padding, geometry.dilation)
    value = correlate(
        image, kernel, geometry.padding, geometry.stride, geometry.dilation, channels=True
    )
    matrix = convolution_matrix(kernel, image.shape, *arguments, channels=True)
    np.testing.assert_array_equal((matrix @ image.ravel()).reshape(value.shape), value)
    to_image = (matrix.T @ gradient.ravel()).reshape(image.shape)
    # A gradient to a weight is the correlation of the padded image with the gradient to the
    # outputs, in which stride and dilation change places.
    surrounded = padded(image, geometry.padding, channels=True)
    to_kernel = np.stack(
        [
            np.stack(
                [
                    correlate(
                        surrounded[..., c],
                        gradient[..., f],
                        "valid",
                        geometry.dilation,
                        geometry.stride,
                    )[: kernel.shape[0], : kernel.shape[1]]
                    for f in range(kernel.shape[3])
                ],
                axis=-1,
            )
            for c in range(kernel.shape[2])
        ],
        axis=2,
    )
    x, w, g = of_one(image), jnp.asarray(kernel, jnp.float32), of_one(gradient)
    for op in (
        lambda x, w: kernels.convolve(x, w, None, geometry=geometry).value,
        lambda x, w: primitives.conv2d(x, w, geometry=geometry),
    ):
        theirs, (dx, dw) = with_gradients(op, g, x, w)
        np.testing.assert_array_equal(whole(theirs)[0], value)
        np.testing.assert_array_equal(whole(dx)[0], to_image)
        np.testing.assert_array_equal(whole(dw), to_kernel)


@FEW
@given(convolutions())
def test_steps_are_those_of_the_kernels(problem):
    image, kernel, _, geometry = problem
    kernel = kernel[..., 0]
    *_, last = steps(image, kernel, 2, geometry.stride, geometry.padding, geometry.dilation)
    bias = jnp.full(1, 2, jnp.float32)
    weights = jnp.asarray(kernel[..., None], jnp.float32)
    theirs = kernels.convolve(of_one(image), weights, bias, geometry=geometry).value
    np.testing.assert_array_equal(whole(theirs)[0, ..., 0], last.output_map)


@FEW
@given(
    sides=st.tuples(st.integers(3, 8), st.integers(3, 8)),
    window=pairs,
    stride=pairs,
    seed=st.integers(0, 2**32 - 1),
)
def test_pooling_is_that_of_the_kernels(sides, window, stride, seed):
    """And the gradient of the maximum goes to the positions found here, the first of equal ones."""
    image = np.random.default_rng(seed).integers(-2, 3, (*sides, 2))
    pads = kernels.same_padding(sides, window, stride)
    geometry = Geometry(stride, pads)
    ones = jnp.ones((1, *pooled_size(sides, window, stride, pads), 2), jnp.float32)
    largest, (gradient,) = with_gradients(
        lambda x: max_pool2d(x, window, geometry), ones, of_one(image)
    )
    np.testing.assert_array_equal(
        whole(largest)[0], pool(image, window, stride, "max", "same", channels=True)
    )
    np.testing.assert_allclose(
        jax.jit(lambda x: average_pool2d(x, window, geometry))(of_one(image))[0],
        pool(image, window, stride, "average", pads, channels=True),
        rtol=1e-6,
        atol=1e-6,
    )
    expected = np.zeros(image.shape, int)
    places = positions_of_maxima(image, window, stride, pads, channels=True)
    for index in np.ndindex(places.shape[:-1]):
        expected[(*places[index], index[-1])] += 1
    np.testing.assert_array_equal(whole(gradient)[0], expected)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_c5_the_matrix_is_never_built_in_the_fast_path(padding):
    """The whole program takes less memory than the matrix that it stands for."""
    memory = matrix_memory((3, 3, 1, 32), (28, 28, 1), padding=padding, channels=True)
    pads = ((0, 0), (0, 0)) if padding == "valid" else ((1, 1), (1, 1))
    compiled = (
        jax.jit(lambda x, w: kernels.convolve(x, w, None, geometry=Geometry(padding=pads)).value)
        .lower(jnp.zeros((1, 28, 28, 1)), jnp.zeros((3, 3, 1, 32)))
        .compile()
        .memory_analysis()
    )
    used = sum(
        getattr(compiled, f"{part}_size_in_bytes") for part in ("argument", "output", "temp")
    )
    assert 0 < used < memory.sparse_bytes / 2 < memory.dense_bytes / 2
