"""Choose the implementation of each op, and say which one it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import jax
import jax.numpy as jnp

from striate.kernels import fused, native, pool2d, pooling, primitives, products, reference
from striate.kernels.fusion import Fusion
from striate.kernels.geometry import Geometry, Pair

Array = jax.Array
Activation = Literal["linear", "relu"]
PoolKind = Literal["max", "average"]

_WINOGRAD = {"all": " (Winograd)", "gradients": " (gradients: Winograd)", "none": ""}


@dataclass(frozen=True)
class Pooling:
    """A pooling that follows a convolution: its kind, window and geometry."""

    kind: PoolKind
    window: Pair
    geometry: Geometry


@dataclass(frozen=True)
class Lowered:
    """A value and the op that computes it, in words."""

    value: Array
    op: str


def convolve(
    x: Array,
    kernel: Array,
    bias: Array | None,
    *,
    geometry: Geometry,
    activation: Activation = "linear",
    pooled: Pooling | None = None,
) -> Lowered:
    """Cross-correlate, add the bias, activate, and pool if asked to, as one op.

    Parameters
    ----------
    x
        Images, (n, row, column, channel).
    kernel, bias
        (row, column, channel / groups, filter) and (filter,).
    geometry
        Stride, padding, dilation, groups of the convolution.
    activation
        "linear" or "relu".
    pooled
        The pooling that follows, if it is to be fused.

    Returns
    -------
    Lowered
        The value and the name of the op.
    """
    if jax.default_backend() == "cpu" and native.supports(x.dtype, geometry):
        return _convolve_native(x, kernel, bias, geometry, activation, pooled)
    y = primitives.conv2d(x, kernel, geometry=geometry)
    if bias is not None:
        y = y + bias
    words = ["convolution", *(["bias"] if bias is not None else [])]
    if pooled is not None and pooled.kind == "max":
        # max(relu(y)) is relu(max(y)), and so are the gradients, of which the second needs a
        # quarter of the work for 2x2 windows.
        y = pooling.max_pool2d(y, pooled.window, pooled.geometry)
        words.append(_pool_words(pooled.kind, pooled.window))
    if activation == "relu":
        y = jax.nn.relu(y)
        words.append("relu")
    if pooled is not None and pooled.kind == "average":
        y = pooling.average_pool2d(y, pooled.window, pooled.geometry)
        words.append(_pool_words(pooled.kind, pooled.window))
    outputs = geometry.output_size((x.shape[1], x.shape[2]), (kernel.shape[0], kernel.shape[1]))
    how = reference.method(kernel.shape, outputs, geometry)
    return Lowered(y, _where(" + ".join(words), how))


def _convolve_native(
    x: Array,
    kernel: Array,
    bias: Array | None,
    geometry: Geometry,
    activation: Activation,
    pooled: Pooling | None,
) -> Lowered:
    relu = activation == "relu"
    fusion = Fusion(relu=relu)
    if pooled is not None:
        fusion = Fusion(pooled.kind, pooled.window, relu)
    words = [*(["bias"] if bias is not None else []), *(["relu"] if relu else [])]
    after = None
    if pooled is not None and not (fusion.fits and pooled.geometry.tiles(pooled.window)):
        after, fusion = pooled, Fusion(relu=relu)
    elif pooled is not None:
        words.append(_pool_words(pooled.kind, pooled.window))
    how = _WINOGRAD[native.by_winograd(x.shape, kernel.shape, geometry, fusion)]
    name = f"native {native.instruction_set()}: " + " + ".join([f"convolution{how}", *words])
    y = fused.convolve(x, kernel, bias, geometry=geometry, fusion=fusion)
    if after is None:
        return Lowered(y, name)
    lowered = pool(y, after)
    return Lowered(lowered.value, f"{name}; {lowered.op}")


def pool(x: Array, pooled: Pooling) -> Lowered:
    """Pool the images `x`, (n, row, column, channel)."""
    words = _pool_words(pooled.kind, pooled.window)
    largest = pool2d.LARGEST_MAX_WINDOW
    fits = pooled.kind == "average" or pooled.window[0] * pooled.window[1] <= largest
    compiled = jax.default_backend() == "cpu" and native.supports(x.dtype, pooled.geometry)
    ops = pool2d if compiled and fits else pooling
    run = ops.max_pool2d if pooled.kind == "max" else ops.average_pool2d
    value = run(x, pooled.window, pooled.geometry)
    if ops is pool2d:
        return Lowered(value, f"native {native.instruction_set()}: {words}")
    how = "windows" if fits or not compiled else f"a window of more than {largest} pixels"
    return Lowered(value, _where(words, how))


def multiply(x: Array, kernel: Array) -> Lowered:
    """Multiply the rows `x`, (n, channel), with a matrix, (channel, unit)."""
    if jax.default_backend() == "cpu" and native.supports(x.dtype):
        return Lowered(
            products.multiply(x, kernel), f"native {native.instruction_set()}: matrix product"
        )
    return Lowered(jnp.matmul(x, kernel), "XLA: matrix product")


def _pool_words(kind: PoolKind, window: Pair) -> str:
    return f"{kind} pooling {window[0]}x{window[1]}"


def _where(words: str, how: str) -> str:
    if jax.default_backend() == "cpu":
        return f"reference ({how}): {words}"
    return f"platform ({jax.default_backend()}): {words}"
