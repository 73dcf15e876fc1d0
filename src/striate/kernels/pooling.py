"""Max and average pooling in plain JAX, without XLA's slow gradients.

Where several pixels of a window share the maximum the first, row by row, takes the gradient
("first wins"). NaN counts as larger than any number, so that it is seen downstream.
"""

from __future__ import annotations

from functools import partial

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


def max_positions(x: Array, window: Pair, geometry: Geometry) -> tuple[Array, Array]:
    """Return the maxima of each window and their positions in it.

    Returns
    -------
    tuple of Array
        Maxima and positions (uint8 where they fit, else int32; row by row, the first of equal
        ones), each (n, output row, output column, channel).
    """
    pixels = _pixels(x, window, geometry, -np.inf)
    index_type = jnp.uint8 if len(pixels) <= 256 else jnp.int32
    largest, position = pixels[0], jnp.zeros(pixels[0].shape, index_type)
    for index, pixel in enumerate(pixels[1:], start=1):
        larger = (pixel > largest) | (jnp.isnan(pixel) & ~jnp.isnan(largest))
        largest = jnp.where(larger, pixel, largest)
        position = jnp.where(larger, jnp.asarray(index, index_type), position)
    return largest, position


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
    return max_positions(x, window, geometry)[0]


@max_pool2d.defjvp
def _max_pool2d_jvp(
    window: Pair, geometry: Geometry, primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Array, Array]:
    largest, position = max_positions(primals[0], window, geometry)
    return largest, _pick(tangents[0], position, window, geometry)


def _pick(x: Array, position: Array, window: Pair, geometry: Geometry) -> Array:
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
    total = sum(pixels[1:], start=pixels[0])
    inside = np.ones((1, x.shape[1], x.shape[2], 1), np.float32)
    padded = np.pad(inside, ((0, 0), *geometry.padding, (0, 0)))
    outputs = geometry.output_size((x.shape[1], x.shape[2]), window)
    counts = sum(
        np.asarray(padded[:, i:, j:][:, :: geometry.stride[0], :: geometry.stride[1]])[
            :, : outputs[0], : outputs[1]
        ]
        for i in range(window[0])
        for j in range(window[1])
    )
    return total / jnp.asarray(counts, x.dtype)
