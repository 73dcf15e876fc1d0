"""Pooling: one number for each window of a feature map, its largest or its average (row C6)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from striate.convolution.arguments import Array, Padding, PerAxis, numbers, per_axis, require_known
from striate.convolution.arithmetic import output_size, padding_for
from striate.errors import StriateError


def pool(
    image: npt.ArrayLike,
    window: PerAxis = 2,
    stride: PerAxis | None = None,
    kind: str = "max",
    padding: Padding = 0,
    *,
    channels: bool = False,
) -> Array:
    """Pool an image: the largest, or the average, of each window.

    Parameters
    ----------
    image
        Of any number of axes.
    window
        Size of the window: one number, or one for each axis.
    stride
        Step of the window; its own size when None, so that windows touch.
    kind
        ``"max"`` or ``"average"``.
    padding
        As in `output_size`, but smaller than the window. It belongs to no window: it is never the
        largest and not counted in an average.
    channels
        Whether the last axis holds channels, each pooled on its own.

    Returns
    -------
    ndarray
        float64, but int64 for the maxima of whole numbers. A window with NaN gives NaN.

    Raises
    ------
    StriateError
        If no output remains, or a number is out of range.

    Examples
    --------
    >>> feature_map = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    >>> pool(feature_map, 2)
    array([[1, 0],
           [0, 1]])
    >>> pool(feature_map, 2, kind="average")
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """
    require_known(kind, ("max", "average"), "kind")
    pixels = numbers(image, "image")
    if kind == "average":
        pixels = pixels.astype(np.float64)
    windows, inside, _ = _windows(pixels, window, stride, padding, channels)
    over = tuple(range(pixels.ndim, windows.ndim))
    if kind == "max":
        lowest = -np.inf if pixels.dtype.kind == "f" else np.iinfo(np.int64).min
        return np.where(inside, windows, lowest).max(axis=over)
    return np.where(inside, windows, 0.0).sum(axis=over) / inside.sum(axis=over)


def positions_of_maxima(
    image: npt.ArrayLike,
    window: PerAxis = 2,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    *,
    channels: bool = False,
) -> npt.NDArray[np.int64]:
    """Return where the largest pixel of each window lies, which is where a gradient goes back to.

    Of equal pixels it is the first, row by row, as in `striate.kernels`.

    Parameters
    ----------
    image, window, stride, padding, channels
        As in `pool`.

    Returns
    -------
    ndarray
        The shape of the maxima, and a last axis that holds (row, column, ...) in the image.

    Examples
    --------
    >>> positions_of_maxima([[0, 3, 5, 5], [2, 1, 5, 5]], 2).tolist()
    [[[0, 1], [0, 2]]]
    """
    pixels = numbers(image, "image")
    windows, inside, corners = _windows(pixels, window, stride, padding, channels)
    largest = pool(pixels, window, stride, "max", padding, channels=channels)
    spread = largest.reshape(*largest.shape, *[1] * (windows.ndim - pixels.ndim))
    # Not "equal": of a window with NaN it is the first pixel, as in the kernels.
    taken = inside & ~(windows < spread)
    first = taken.reshape(*largest.shape, -1).argmax(axis=-1)
    found = np.unravel_index(first, windows.shape[pixels.ndim :])
    places = np.indices(largest.shape)
    return np.stack(
        [corner[places[axis]] + found[axis] for axis, corner in enumerate(corners)], axis=-1
    )


def _windows(
    pixels: Array, window: PerAxis, stride: PerAxis | None, padding: Padding, channels: bool
) -> tuple[Array, npt.NDArray[np.bool_], list[Array]]:
    """Return the pixels of each window on last axes, which are in the image, and where each begins.

    Where they begin is told for each axis alone, one number for each output along it.
    """
    axes = pixels.ndim - channels
    if axes < 1:
        raise StriateError(f"an image of shape {pixels.shape} has no axis to pool along")
    taps = per_axis(window, axes, "window")
    steps = per_axis(window if stride is None else stride, axes, "stride")
    sides = padding_for(pixels.shape[:axes], taps, steps, padding)
    outputs = output_size(pixels.shape[:axes], taps, steps, sides)
    for pair, tap in zip(sides, taps, strict=True):
        if max(pair) >= tap:
            raise StriateError(
                f"padding {pair} is not smaller than the window of {tap}: windows would be empty"
            )
    borders = [*sides, *[(0, 0)] * channels]
    taken = tuple(slice(None, None, step) for step in steps)
    windows, inside = (
        sliding_window_view(np.pad(values, borders), taps, axis=tuple(range(axes)))[taken]
        for values in (pixels, np.ones(pixels.shape, bool))
    )
    corners = [
        np.arange(count) * step - before
        for count, step, (before, _) in zip(outputs, steps, sides, strict=True)
    ]
    return windows, inside, corners
