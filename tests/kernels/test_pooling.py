"""Pooling: its values, who takes the gradient, and what padding and NaN do."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.kernels import Geometry, pooling, same_padding

# (images, window, geometry): those of the lecture networks, then the odd ones.
POOLINGS = {
    "heidelberg": ((3, 26, 26, 4), (2, 2), Geometry((2, 2))),
    "isgc": ((2, 24, 24, 4), (2, 2), Geometry((2, 2))),
    "cifar, a row left over": ((2, 15, 13, 3), (2, 2), Geometry((2, 2))),
    "tiles that are not square": ((2, 7, 9, 3), (2, 3), Geometry((2, 3))),
    "one window": ((2, 5, 4, 3), (5, 4), Geometry((1, 1))),
    "one pixel": ((3, 4, 3, 2), (1, 1), Geometry((1, 1))),
    "overlap": ((2, 7, 8, 3), (3, 3), Geometry((2, 2))),
    "stride beyond the window": ((2, 9, 8, 2), (2, 2), Geometry((3, 4))),
    "same": ((2, 7, 8, 2), (2, 3), Geometry((2, 3), same_padding((7, 8), (2, 3), (2, 3)))),
    "same, overlapping": ((2, 5, 6, 2), (3, 3), Geometry((1, 1), ((1, 1), (1, 1)))),
    "dilation": ((2, 8, 9, 2), (2, 3), Geometry((2, 1), ((1, 1), (0, 2)), (3, 2))),
}

each_pooling = pytest.mark.parametrize(
    ("images", "window", "geometry"), POOLINGS.values(), ids=list(POOLINGS)
)


def maximum(x, window, geometry):
    """Return maxima, and the gradient to the images for a gradient of 1, 2, ..."""
    y, transpose = jax.vjp(lambda x: pooling.max_pool2d(x, window, geometry), x)
    gradient = jnp.arange(1, y.size + 1, dtype=y.dtype).reshape(y.shape)
    return y, transpose(gradient)[0], gradient


def compare_maximum(definition, x, window, geometry):
    """Compare with the definition, and return our maxima and gradients."""
    ours = jax.jit(partial(maximum, window=window, geometry=geometry))(x)
    y, to_images, gradient = map(np.asarray, ours)
    np.testing.assert_array_equal(y, definition.max_pool2d(x, window, geometry)[0])
    np.testing.assert_array_equal(
        to_images, definition.max_pool2d_gradient(x, gradient, window, geometry)
    )
    return y, to_images, gradient


@each_pooling
def test_maximum_and_its_gradient(images, window, geometry, definition, whole_numbers):
    """Among few different numbers most windows have a tie: the first pixel takes all."""
    compare_maximum(definition, whole_numbers(images, most=1), window, geometry)


@pytest.mark.parametrize(
    ("window", "geometry"),
    [((2, 2), Geometry((2, 2))), ((2, 3), Geometry((1, 2), ((1, 0), (1, 1))))],
    ids=["tiles", "windows"],
)
def test_nan_is_larger_than_all_and_the_first_takes_the_gradient(window, geometry, definition):
    random = np.random.default_rng(0)
    x = random.choice(np.float32([-np.inf, -1, 0, 2, np.inf, np.nan]), (3, 6, 6, 2))
    # Where all is -inf, no number is larger than the padding.
    x[:, :2], x[:, :, :2] = np.where(x[:, :2] == -np.inf, 0, x[:, :2]), 1
    compare_maximum(definition, x, window, geometry)


def test_padding_never_wins(definition, whole_numbers):
    x = whole_numbers((2, 5, 6, 2)) - 10
    geometry = Geometry((2, 2), ((1, 1), (1, 1)))
    y, to_images, gradient = compare_maximum(definition, x, (2, 2), geometry)
    assert np.max(y) < 0
    assert np.sum(to_images) == np.sum(gradient)  # none is lost in the padding


@each_pooling
def test_average_counts_the_pixels_inside(images, window, geometry, definition, whole_numbers):
    def both(x):
        y, transpose = jax.vjp(lambda x: pooling.average_pool2d(x, window, geometry), x)
        gradient = jnp.arange(y.size, dtype=y.dtype).reshape(y.shape) % 7
        return y, transpose(gradient)[0], gradient

    x = whole_numbers(images)
    y, to_images, gradient = map(np.asarray, jax.jit(both)(x))
    np.testing.assert_allclose(y, definition.average_pool2d(x, window, geometry), rtol=3e-7)
    np.testing.assert_allclose(
        to_images,
        definition.average_pool2d_gradient(gradient, images[1:3], window, geometry),
        rtol=1e-6,
        atol=1e-6,
    )


def test_average_of_a_large_window_in_half_precision():
    """The number of pixels, 320, is not rounded while it is counted; bfloat16 ends at 256."""
    x = np.zeros((1, 16, 21, 1), np.float32)
    x[0, 3, 9] = 640
    average = jax.jit(lambda x: pooling.average_pool2d(x, (16, 20), Geometry((1, 1))))
    y = average(jnp.asarray(x, jnp.bfloat16))
    assert y.dtype == jnp.bfloat16
    np.testing.assert_array_equal(y.astype(jnp.float32), np.full((1, 1, 2, 1), 2))


@pytest.mark.parametrize(
    "geometry", [Geometry((2, 2)), Geometry((1, 2), ((1, 0), (0, 1)))], ids=["tiles", "windows"]
)
@pytest.mark.parametrize("kind", ["max", "average"])
def test_derivatives_of_any_order(kind, geometry, whole_numbers):
    """Of pool(x^2), where no pixel is tied, the second derivative is known: 2 where it wins."""
    x = np.random.default_rng(5).permutation(np.arange(1.0, 25.0)).reshape(1, 4, 6, 1)
    x = jnp.asarray(x, jnp.float32)
    pool = pooling.max_pool2d if kind == "max" else pooling.average_pool2d

    def energy(x):
        return jnp.sum(pool(x**2, (2, 2), geometry))

    def derivatives(x):
        v = jnp.ones_like(x)
        share = jax.grad(lambda y: jnp.sum(pool(y, (2, 2), geometry)))(x)
        return (
            share,
            jax.grad(energy)(x),
            jax.jvp(jax.grad(energy), (x,), (v,))[1],
            jax.grad(lambda x: jnp.vdot(jax.grad(energy)(x), v))(x),
            jax.hessian(energy)(x),
            jax.jvp(energy, (x,), (v,))[1],
        )

    share, first, forward, reverse, hessian, along = jax.jit(derivatives)(x)
    assert 0 < np.count_nonzero(share) <= share.size
    np.testing.assert_allclose(first, 2 * x * share, rtol=1e-6)
    np.testing.assert_allclose(forward, 2 * share, rtol=1e-6)
    np.testing.assert_allclose(reverse, 2 * share, rtol=1e-6)
    np.testing.assert_allclose(
        np.reshape(hessian, (x.size, x.size)), np.diag(2 * np.ravel(share)), rtol=1e-6
    )
    np.testing.assert_allclose(along, np.sum(2 * x * share), rtol=1e-6)


@pytest.mark.parametrize("kind", ["max", "average"])
def test_mapped_pooling_is_pooling_of_each(kind, whole_numbers):
    x = whole_numbers((3, 2, 5, 6, 2))
    pool = pooling.max_pool2d if kind == "max" else pooling.average_pool2d
    geometry = Geometry((2, 2), ((1, 0), (0, 0)))

    @jax.jit
    def gradient(x):
        return jax.grad(lambda x: jnp.sum(pool(x, (2, 2), geometry) ** 2))(x)

    mapped = jax.jit(jax.vmap(jax.vmap(gradient, 0), 1, 1))(x[:, :, None])
    np.testing.assert_allclose(mapped[:, :, 0], [gradient(image) for image in x], rtol=1e-6)


@settings(max_examples=12, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_maximum_of_any_shape(definition, whole_numbers, data):
    small = st.integers(1, 3)
    window, stride, dilation = (data.draw(st.tuples(small, small)) for _ in range(3))
    # Less padding than window, as everywhere: no window lies outside the image.
    pads = [data.draw(st.tuples(st.integers(0, w - 1), st.integers(0, w - 1))) for w in window]
    geometry = Geometry(
        stride, (pads[0], pads[1]), dilation if data.draw(st.booleans()) else (1, 1)
    )
    image = tuple((w - 1) * d + data.draw(small) for w, d in zip(window, dilation, strict=True))
    compare_maximum(definition, whole_numbers((2, *image, 2), most=2), window, geometry)
