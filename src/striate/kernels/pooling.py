"""Max and average pooling in plain JAX, without XLA's slow gradients.

Where several pixels of a window share the maximum the first, row by row, takes the gradient
("first wins"). A window with NaN gives NaN, and its gradient to its first pixel.
"""

from __future__ import annotations

from functools import partial, reduce

import jax
import jax.numpy as jnp
import numpy as np

from striate.kernels.geometry import Geometry, Pair
from striate.kernels.reference import pad, taps

Array = jax.Array


def _pixels(x: Array, window: Pair, geometry: Geometry, outside: float) -> list[Array]:
    """Return what each tap of the pooling window sees, one (n, rows, columns, channel) a tap."""
    outputs = geometry.output_size((x.shape[1], x.shape[2]), window)
    if geometry.tiles(window):
        # As a reshape the transpose is a reshape, too, and not a sum of padded arrays.
        whole = x[:, : outputs[0] * window[0], : outputs[1] * window[1]]
        tiled = whole.reshape(x.shape[0], outputs[0], window[0], outputs[1], window[1], x.shape[3])
        return [tiled[:, :, i, :, j] for i in range(window[0]) for j in range(window[1])]
    return taps(pad(x, geometry, outside), window, outputs, geometry)


def max_and_positions(x: Array, window: Pair, geometry: Geometry) -> tuple[Array, Array]:
    """Return the maximum of each window and which tap holds it, as `max_positions` says."""
    pixels = _pixels(x, window, geometry, -np.inf)
    largest = reduce(jnp.maximum, pixels)
    return largest, max_positions(pixels, largest)


def max_positions(pixels: list[Array], largest: Array) -> Array:
    """Return which tap of each window holds the maximum, the first of equal ones.

    Parameters
    ----------
    pixels
        What each tap sees, row by row.
    largest
        The maxima.

    Returns
    -------
    Array
        int32, in the shape of `largest`.
    """
    position = jnp.zeros(largest.shape, jnp.int32)
    for index, pixel in reversed(list(enumerate(pixels))):
        # Not "equal": so a window with NaN gives its gradient to its first pixel.
        position = jnp.where(pixel < largest, position, index)
    return position


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def max_pool2d(x: Array, window: Pair, geometry: Geometry) -> Array:
    """Return the maximum of each window.

    Parameters
    ----------
    x
        Images, (n, row, column, channel).
    window
        Size of the window, (rows, columns).
    geometry
        Stride and padding; padded pixels never win.

    Returns
    -------
    Array
        (n, output row, output column, channel).
    """
    return reduce(jnp.maximum, _pixels(x, window, geometry, -np.inf))


@max_pool2d.defjvp
def _max_pool2d_jvp(
    window: Pair, geometry: Geometry, primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Array, Array]:
    # Positions are found again from the maxima: cheaper than to carry them along in the forward
    # pass, where XLA would not vectorise the comparisons.
    largest, position = max_and_positions(primals[0], window, geometry)
    return largest, pick(tangents[0], position, window, geometry)


def pick(x: Array, position: Array, window: Pair, geometry: Geometry) -> Array:
    """Return the pixel at `position` in each window; linear in `x`."""
    if geometry.tiles(window):
        n, rows, columns, channels = position.shape
        whole = x[:, : rows * window[0], : columns * window[1]]
        tiled = whole.reshape(n, rows, window[0], columns, window[1], channels)
        index = jnp.arange(window[0] * window[1], dtype=position.dtype)
        wins = position[:, :, None, :, None] == index.reshape(window[0], 1, window[1], 1)
        return jnp.where(wins, tiled, 0).sum(axis=(2, 4))
    pixels = _pixels(x, window, geometry, 0.0)
    return sum(
        (jnp.where(position == index, pixel, 0) for index, pixel in enumerate(pixels)),
        start=jnp.zeros(position.shape, x.dtype),
    )


def average_pool2d(x: Array, window: Pair, geometry: Geometry) -> Array:
    """Return the mean of each window over the pixels that lie inside the image.

    Parameters and result are those of `max_pool2d`.
    """
    if geometry.tiles(window):
        outputs = geometry.output_size((x.shape[1], x.shape[2]), window)
        whole = x[:, : outputs[0] * window[0], : outputs[1] * window[1]]
        shape = (x.shape[0], outputs[0], window[0], outputs[1], window[1], x.shape[3])
        return whole.reshape(shape).mean(axis=(2, 4))
    pixels = _pixels(x, window, geometry, 0.0)
    inside = _pixels(jnp.ones((1, *x.shape[1:3], 1), jnp.float32), window, geometry, 0.0)
    counts = sum(inside[1:], start=inside[0])
    return sum(pixels[1:], start=pixels[0]) / counts.astype(x.dtype)
