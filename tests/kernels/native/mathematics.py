"""A convolution, what follows it, a pooling, and transposes in float64 NumPy, tap by tap."""

from __future__ import annotations

import numpy as np


def _taps(case):
    (sr, sc), (dr, dc) = case.geometry.stride, case.geometry.dilation
    rows, columns = case.geometry.output_size(case.image, case.window)
    for u in range(case.window[0]):
        for v in range(case.window[1]):
            yield (
                (u, v),
                (
                    slice(None),
                    slice(u * dr, u * dr + (rows - 1) * sr + 1, sr),
                    slice(v * dc, v * dc + (columns - 1) * sc + 1, sc),
                ),
            )


def _pad(x, case, outside=0.0):
    pads = ((0, 0), *case.geometry.padding, (0, 0))
    return np.pad(x.astype(np.float64), pads, constant_values=outside)


def _crop(padded, case):
    (top, _), (left, _) = case.geometry.padding
    return padded[:, top : top + case.image[0], left : left + case.image[1]]


def convolve(x, kernel, bias, case):
    padded, kernel = _pad(x, case), kernel.astype(np.float64)
    return sum(padded[where] @ kernel[tap] for tap, where in _taps(case)) + bias


def windows(y, case):
    """The pixels of each window, (n, row, column, channel, tap)."""
    (rows, columns), (high, wide) = case.outputs, case.fusion.window
    whole = y[:, : rows * high, : columns * wide]
    tiles = whole.reshape(len(y), rows, high, columns, wide, -1).transpose(0, 1, 3, 5, 2, 4)
    return tiles.reshape(*tiles.shape[:4], high * wide)


def follow(y, case):
    """Activate and pool."""
    if case.fusion.pooling == "average":
        return windows(np.maximum(y, 0) if case.fusion.relu else y, case).mean(axis=-1)
    largest = windows(y, case).max(axis=-1)
    return np.maximum(largest, 0) if case.fusion.relu else largest


def shares(positions, case, shape):
    """How much of each pixel of a window its output takes, (n, row, column, channel, tap)."""
    taps = np.arange(case.fusion.window[0] * case.fusion.window[1])
    average = case.fusion.pooling == "average"
    if positions is None:
        return np.ones((*shape, len(taps))) / (len(taps) if average else 1)
    codes = positions[..., None].astype(int)
    return ((codes >> taps) & 1) / len(taps) if average else (codes == taps).astype(float)


def spread(gradient, positions, case):
    """The gradient to the convolution, at full resolution."""
    (rows, columns), (high, wide) = case.outputs, case.fusion.window
    tiles = gradient[..., None] * shares(positions, case, gradient.shape)
    tiles = tiles.reshape(*gradient.shape, high, wide).transpose(0, 1, 4, 2, 5, 3)
    whole = np.zeros((case.images, *case.convolved, case.filters))
    whole[:, : rows * high, : columns * wide] = tiles.reshape(
        case.images, rows * high, columns * wide, case.filters
    )
    return whole


def input_gradient(gradient, kernel, case):
    dx = np.zeros_like(_pad(np.zeros((case.images, *case.image, case.channels)), case))
    for tap, where in _taps(case):
        dx[where] += gradient @ kernel[tap].astype(np.float64).T
    return _crop(dx, case)


def kernel_gradient(x, gradient, case):
    dkernel = np.zeros((*case.window, case.channels, case.filters))
    padded = _pad(x, case).transpose(3, 0, 1, 2)
    flat = gradient.reshape(-1, case.filters)
    for tap, where in _taps(case):
        dkernel[tap] = padded[(slice(None), *where)].reshape(case.channels, -1) @ flat
    return dkernel


def pool(x, case):
    """Values, and how much of each tap they take: (tap, n, row, column, channel)."""
    padded = _pad(x, case, -np.inf)
    pixels = np.stack([padded[where] for _, where in _taps(case)])
    if case.kind == "average":
        inside = np.isfinite(pixels)
        share = inside / inside.sum(axis=0)
        return np.where(inside, pixels, 0).sum(axis=0) / inside.sum(axis=0), share
    return pixels.max(axis=0), _taken(pixels.argmax(axis=0), len(pixels))


def _taken(positions, taps):
    return (positions == np.arange(taps).reshape(-1, 1, 1, 1, 1)).astype(float)


def pool_picked(x, positions, case):
    padded = _pad(x, case)
    pixels = np.stack([padded[where] for _, where in _taps(case)])
    return (pixels * _taken(positions, len(pixels))).sum(axis=0)


def pool_gradient(gradient, share, case):
    dx = _pad(np.zeros((case.images, *case.image, case.channels)), case)
    for (_, where), part in zip(_taps(case), share, strict=True):
        dx[where] += gradient * part
    return _crop(dx, case)
