"""The meaning of every op, in plain JAX, written to be fast on a CPU.

Images are (n, row, column, channel), kernels (row, column, channel in / groups, channel out);
"convolution" is the cross-correlation that deep learning calls so. XLA's own gradients of
convolutions and of max pooling are the slow parts on a CPU, so none is used here. A convolution
becomes one matrix product with the patches under the window, taken for as many images at once as
keep the patches in the cache. Where the channels are in groups, or the patches of one image alone
would be too many, it is a sum of shifted products. ``python -m benchmarks.kernels`` compares it
with XLA's own convolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from striate.kernels.geometry import Geometry, Pair

Array = jax.Array

# Patches of a block of images stay below this, about a last-level cache's share of one core.
PATCH_BYTES = 8 * 2**20


def taps(x: Array, window: Pair, outputs: Pair, geometry: Geometry) -> list[Array]:
    """Return, for each tap of the window, the pixels of the padded `x` that it meets.

    Parameters
    ----------
    x
        Padded images, (n, row, column, channel).
    window, outputs
        Size of the window and number of its positions, (rows, columns).
    geometry
        Stride and dilation; padding has been applied.

    Returns
    -------
    list of Array
        One (n, outputs[0], outputs[1], channel) a tap, row by row.
    """
    (stride_r, stride_c), (dilation_r, dilation_c) = geometry.stride, geometry.dilation
    return [
        x[
            :,
            i * dilation_r : i * dilation_r + (outputs[0] - 1) * stride_r + 1 : stride_r,
            j * dilation_c : j * dilation_c + (outputs[1] - 1) * stride_c + 1 : stride_c,
        ]
        for i in range(window[0])
        for j in range(window[1])
    ]


def pad(x: Array, geometry: Geometry, value: float = 0.0) -> Array:
    """Surround the images `x` with the padding of `geometry`."""
    if not geometry.padded:
        return x
    return jnp.pad(x, ((0, 0), *geometry.padding, (0, 0)), constant_values=value)


def method(kernel_shape: tuple[int, ...], outputs: Pair, geometry: Geometry) -> str:
    """Return how a convolution of this shape is computed: "patches" or "shifts"."""
    rows, columns, channels, _ = kernel_shape
    if geometry.groups > 1:
        return "shifts"
    if 4 * math.prod(outputs) * rows * columns * channels > PATCH_BYTES:
        return "shifts"
    return "patches"


def conv2d(x: Array, kernel: Array, *, geometry: Geometry) -> Array:
    """Cross-correlate images with a kernel (lecture rows C4, C6).

    Parameters
    ----------
    x
        Images, (n, row, column, channel).
    kernel
        (row, column, channel / groups, filter).
    geometry
        Stride, padding, dilation, groups.

    Returns
    -------
    Array
        (n, output row, output column, filter).
    """
    outputs = geometry.output_size((x.shape[1], x.shape[2]), (kernel.shape[0], kernel.shape[1]))
    forward = _FORWARD[method(kernel.shape, outputs, geometry)]
    run = partial(_forward_block, kernel, outputs=outputs, geometry=geometry, forward=forward)
    return _by_blocks(run, _block_size(x.shape[0], kernel.shape, outputs), x)


def conv2d_input(gradient: Array, kernel: Array, *, geometry: Geometry, image: Pair) -> Array:
    """Return the gradient of `conv2d` to its images, for a gradient to its output.

    It is the transpose of the linear map x -> conv2d(x, kernel); `image` gives the rows and
    columns of x, which stride and padding leave open.
    """
    channels = kernel.shape[2] * geometry.groups
    outputs = (gradient.shape[1], gradient.shape[2])
    forward = _FORWARD[method(kernel.shape, outputs, geometry)]

    def run(block: Array) -> Array:
        images = jax.ShapeDtypeStruct((block.shape[0], *image, channels), block.dtype)
        linear = partial(
            _forward_block, kernel, outputs=outputs, geometry=geometry, forward=forward
        )
        (transposed,) = jax.linear_transpose(linear, images)(block)
        return transposed

    return _by_blocks(run, _block_size(gradient.shape[0], kernel.shape, outputs), gradient)


def conv2d_kernel(x: Array, gradient: Array, *, geometry: Geometry, window: Pair) -> Array:
    """Return the gradient of `conv2d` to its kernel, for a gradient to its output.

    `window` gives the rows and columns of the kernel.
    """
    outputs = (gradient.shape[1], gradient.shape[2])
    shape = (*window, x.shape[3] // geometry.groups, gradient.shape[3])
    as_patches = method(shape, outputs, geometry) == "patches"
    one_block = _kernel_from_patches if as_patches else _kernel_from_shifts
    run = partial(one_block, shape=shape, outputs=outputs, geometry=geometry)
    size = _block_size(x.shape[0], shape, outputs) if as_patches else x.shape[0]
    if size == x.shape[0]:
        return run(x, gradient)

    def add(total: Array, block: tuple[Array, Array]) -> tuple[Array, None]:
        return total + run(*block), None

    whole = x.shape[0] - x.shape[0] % size
    blocks = (_split(x[:whole], size), _split(gradient[:whole], size))
    total, _ = lax.scan(add, jnp.zeros(shape, x.dtype), blocks)
    return total if whole == x.shape[0] else total + run(x[whole:], gradient[whole:])


def _forward_block(
    kernel: Array,
    x: Array,
    *,
    outputs: Pair,
    geometry: Geometry,
    forward: Callable[[list[Array], Array, int], Array],
) -> Array:
    """Convolve one block of images; linear in `x`, so that it can be transposed."""
    pixels = taps(pad(x, geometry), (kernel.shape[0], kernel.shape[1]), outputs, geometry)
    return forward(pixels, kernel, geometry.groups)


def _forward_patches(pixels: list[Array], kernel: Array, _groups: int) -> Array:
    # As plain matrices: XLA's CPU backend is slower at contractions of more dimensions.
    patches = jnp.concatenate(pixels, axis=-1)
    product = patches.reshape(-1, patches.shape[-1]) @ kernel.reshape(-1, kernel.shape[-1])
    return product.reshape(*patches.shape[:-1], kernel.shape[-1])


def _forward_shifts(pixels: list[Array], kernel: Array, groups: int) -> Array:
    rows, columns, channels, filters = kernel.shape
    weights = kernel.reshape(rows * columns, channels, groups, filters // groups)
    total: Array | None = None
    for pixel, weight in zip(pixels, weights, strict=True):
        grouped = pixel.reshape(*pixel.shape[:3], groups, channels)
        if channels == 1:  # an outer product, which XLA fuses
            product = grouped * weight[0]
        else:
            product = jnp.einsum("nhwgc,cgf->nhwgf", grouped, weight)
        total = product if total is None else total + product
    assert total is not None  # noqa: S101 - a window has at least one tap
    return total.reshape(*total.shape[:3], filters)


_FORWARD = {"patches": _forward_patches, "shifts": _forward_shifts}


def _kernel_from_patches(
    x: Array, gradient: Array, *, shape: tuple[int, ...], outputs: Pair, geometry: Geometry
) -> Array:
    pixels = taps(pad(x, geometry), (shape[0], shape[1]), outputs, geometry)
    patches = jnp.concatenate(pixels, axis=-1)
    rows = patches.reshape(-1, patches.shape[-1])
    return (rows.T @ gradient.reshape(-1, gradient.shape[-1])).reshape(shape)


def _kernel_from_shifts(
    x: Array, gradient: Array, *, shape: tuple[int, ...], outputs: Pair, geometry: Geometry
) -> Array:
    channels, filters, groups = shape[2], shape[3], geometry.groups
    grouped = gradient.reshape(*gradient.shape[:3], groups, filters // groups)
    parts = [
        jnp.einsum(
            "nhwgc,nhwgf->cgf", tap.reshape(*tap.shape[:3], groups, channels), grouped
        ).reshape(channels, filters)
        for tap in taps(pad(x, geometry), (shape[0], shape[1]), outputs, geometry)
    ]
    return jnp.stack(parts).reshape(shape)


def _block_size(images: int, kernel_shape: tuple[int, ...], outputs: Pair) -> int:
    """Return for how many images at a time the patches stay below PATCH_BYTES.

    A divisor of `images` if one is near, so that there is no remainder to compute apart.
    """
    if images == 0:
        return 0
    one = 4 * math.prod(outputs) * math.prod(kernel_shape[:3])
    most = min(images, max(1, PATCH_BYTES // max(one, 1)))
    divisor = max(size for size in range(1, most + 1) if images % size == 0)
    return divisor if 2 * divisor > most else most


def _split(x: Array, size: int) -> Array:
    return x.reshape(x.shape[0] // size, size, *x.shape[1:])


def _by_blocks(run: Callable[[Array], Array], size: int, x: Array) -> Array:
    if size == x.shape[0]:
        return run(x)
    whole = x.shape[0] - x.shape[0] % size
    blocks = lax.map(run, _split(x[:whole], size))
    joined = blocks.reshape(whole, *blocks.shape[2:])
    if whole == x.shape[0]:
        return joined
    return jnp.concatenate([joined, run(x[whole:])])
