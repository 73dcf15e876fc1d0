"""What follows a convolution inside one op: an activation and a pooling, and what they pass on.

To first order activation and pooling only pick pixels of the convolution. Which ones is kept in a
byte an output, its position: for a maximum the index in the window, row by row, the first of equal
ones and of a window with NaN; for an average one bit a pixel. 255 (for an average: no bit) says
that the ReLU lets nothing through. The functions here are the meaning of this in plain JAX.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp

from striate.kernels import pooling
from striate.kernels.geometry import Geometry, Pair

Array = jax.Array

NOWHERE = 255
# A position is a byte: 255 indices, or eight bits.
LARGEST_MAX_WINDOW = 255
LARGEST_AVERAGE_WINDOW = 8


@dataclass(frozen=True)
class Fusion:
    """Activation and pooling; windows touch without overlap, and rest pixels are dropped."""

    pooling: Literal["none", "max", "average"] = "none"
    window: Pair = (1, 1)
    relu: bool = False

    @property
    def picks(self) -> bool:
        """Whether the gradient needs positions."""
        return self.relu or self.pooling == "max"

    @property
    def fits(self) -> bool:
        """Whether a position fits into a byte."""
        size = self.window[0] * self.window[1]
        if self.pooling == "average":
            return not self.relu or size <= LARGEST_AVERAGE_WINDOW
        return size <= LARGEST_MAX_WINDOW

    def output_size(self, convolved: Pair) -> Pair:
        """Return the rows and columns that remain of those of the convolution."""
        return convolved[0] // self.window[0], convolved[1] // self.window[1]

    @property
    def _tiling(self) -> Geometry:
        return Geometry(stride=self.window)


def apply(y: Array, fusion: Fusion) -> tuple[Array, Array]:
    """Activate and pool the convolution `y`.

    Returns
    -------
    tuple of Array
        Values and positions (uint8), each (n, row, column, channel).
    """
    tiling = fusion._tiling
    if fusion.pooling == "average":
        positive = _windows(y > 0, fusion)
        bits = jnp.left_shift(1, jnp.arange(positive.shape[-1]))
        position = jnp.where(positive, bits, 0).sum(axis=-1)
        if not fusion.relu:
            position = jnp.full(position.shape, NOWHERE)
        values = pooling.average_pool2d(jax.nn.relu(y) if fusion.relu else y, fusion.window, tiling)
        return values, position.astype(jnp.uint8)
    largest = pooling.max_pool2d(y, fusion.window, tiling)
    pixels = jnp.moveaxis(_windows(y, fusion), -1, 0)
    position = pooling.max_positions(list(pixels), largest).astype(jnp.uint8)
    if fusion.relu:
        position = jnp.where(largest > 0, position, jnp.uint8(NOWHERE))
        largest = jax.nn.relu(largest)
    return largest, position


def pick(y: Array, position: Array | None, fusion: Fusion) -> Array:
    """Return what `position` picks from the convolution `y`; linear in `y`."""
    return jnp.where(_picked(position, y.shape, fusion), _windows(y, fusion), 0).sum(
        axis=-1
    ) * _share(fusion)


def spread(gradient: Array, position: Array | None, convolved: Pair, fusion: Fusion) -> Array:
    """Put the gradient back where `position` took values from: the transpose of `pick`."""
    n, rows, columns, channels = gradient.shape
    high, wide = fusion.window
    shape = (n, *convolved, channels)
    picked = jnp.where(_picked(position, shape, fusion), gradient[..., None], 0) * _share(fusion)
    tiles = picked.reshape(n, rows, columns, channels, high, wide).transpose(0, 1, 4, 2, 5, 3)
    whole = tiles.reshape(n, rows * high, columns * wide, channels)
    rest = ((0, 0), (0, convolved[0] - rows * high), (0, convolved[1] - columns * wide), (0, 0))
    return jnp.pad(whole, rest)


def _share(fusion: Fusion) -> float:
    return 1 / (fusion.window[0] * fusion.window[1]) if fusion.pooling == "average" else 1.0


def _windows(y: Array, fusion: Fusion) -> Array:
    """Return (n, row, column, channel, tap): the pixels of each window."""
    rows, columns = fusion.output_size((y.shape[1], y.shape[2]))
    high, wide = fusion.window
    whole = y[:, : rows * high, : columns * wide]
    tiles = whole.reshape(y.shape[0], rows, high, columns, wide, y.shape[3])
    return tiles.transpose(0, 1, 3, 5, 2, 4).reshape(
        y.shape[0], rows, columns, y.shape[3], high * wide
    )


def _picked(position: Array | None, convolved: tuple[int, ...], fusion: Fusion) -> Array:
    taps = jnp.arange(fusion.window[0] * fusion.window[1])
    if position is None:
        n, rows, columns, channels = convolved
        size = fusion.output_size((rows, columns))
        return jnp.ones((n, *size, channels, taps.shape[0]), bool)
    codes = position.astype(jnp.int32)[..., None]
    if fusion.pooling == "average":
        return (jnp.right_shift(codes, taps) & 1) == 1
    return codes == taps
