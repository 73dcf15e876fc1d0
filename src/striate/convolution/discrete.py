"""Discrete convolution and cross-correlation, in any number of dimensions.

In one dimension, for a signal x and a kernel w:

    convolution         (x * w)(t) = sum_a x(a) w(t - a)
    cross-correlation   (x . w)(t) = sum_a x(t + a) w(a)

The kernel of the one is that of the other turned by half a turn. Convolution commutes,
x * w = w * x; cross-correlation does not, and is what deep learning calls convolution (rows C1 and
C4, Oslo lecture).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from striate.convolution.arguments import (
    Array,
    Padding,
    Pairs,
    PerAxis,
    numbers,
    per_axis,
    per_side,
    require_exact,
    require_kernel,
    require_known,
)
from striate.convolution.arithmetic import extent, output_size, padding_for
from striate.errors import StriateError


def convolve(
    x: npt.ArrayLike,
    kernel: npt.ArrayLike,
    mode: Padding = "full",
    stride: PerAxis = 1,
    dilation: PerAxis = 1,
    *,
    channels: bool = False,
) -> Array:
    """Convolve, S(i, j) = sum_m sum_n I(i - m, j - n) K(m, n).

    Parameters
    ----------
    x, kernel
        Of as many axes as each other; see `channels`.
    mode
        ``"full"``: every overlap; ``"valid"``: those within the image; ``"same"``: as many as there
        are pixels, from the middle of ``"full"``; all as in SciPy. Or how many zeros surround the
        image: one number, one for each axis, or a pair (before, after) for each axis.
    stride
        Every how many-th output is kept; one number, or one for each axis.
    dilation
        Distance between the taps of the kernel; one number, or one for each axis.
    channels
        Whether the last axis of `x` holds channels. Then the kernel has one layer for each,
        (..., channel), and the sums run over them, too; a kernel (..., channel, filter) gives one
        feature map for each filter, on a last axis of the result.

    Returns
    -------
    ndarray
        int64 if both are whole numbers, else float64.

    Raises
    ------
    StriateError
        If the shapes do not fit, no output remains, or whole numbers could exceed int64.

    Notes
    -----
    Layers of networks mean another thing by "same" where the kernel is even or the stride above 1;
    ``mode=padding_for(...)`` gives theirs.

    Examples
    --------
    >>> convolve([1, 2, 3], [1, 10])
    array([ 1, 12, 23, 30])
    >>> convolve([1, 2, 3, 4, 5], [1, 1, 1], "same", stride=2)
    array([3, 9, 9])
    """
    image, weights = numbers(x, "image"), numbers(kernel, "kernel")
    axes = require_kernel(image.shape, weights.shape, channels=channels)
    return correlate(
        image, np.flip(weights, tuple(range(axes))), mode, stride, dilation, channels=channels
    )


def correlate(
    x: npt.ArrayLike,
    kernel: npt.ArrayLike,
    mode: Padding = "full",
    stride: PerAxis = 1,
    dilation: PerAxis = 1,
    *,
    channels: bool = False,
) -> Array:
    """Cross-correlate, S(i, j) = sum_m sum_n I(i + m, j + n) K(m, n).

    Parameters
    ----------
    x, kernel, mode, stride, dilation, channels
        As in `convolve`.

    Returns
    -------
    ndarray
        int64 if both are whole numbers, else float64.

    Raises
    ------
    StriateError
        As `convolve`.

    Examples
    --------
    The 3x3 image and the 2x2 kernel of the Oslo lecture:

    >>> correlate([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 10], [100, 1000]], "valid")
    array([[5421, 6532],
           [8754, 9865]])
    """
    image, weights = numbers(x, "image"), numbers(kernel, "kernel")
    axes = require_kernel(image.shape, weights.shape, channels=channels)
    require_exact(image, weights)
    sides, window = image.shape[:axes], weights.shape[:axes]
    strides, dilations = per_axis(stride, axes, "stride"), per_axis(dilation, axes, "dilation")
    pads = mode_padding(sides, window, mode, dilations)
    outputs = output_size(sides, window, strides, pads, dilations)
    surrounded = padded(image, pads, channels=channels)
    maps = weights.shape[axes + 1 :]  # of filters
    total = np.zeros(outputs + maps, np.result_type(image, weights))
    for tap in np.ndindex(window):
        # The pixels that this one weight meets, one for each output.
        seen = surrounded[
            tuple(
                slice(at * apart, at * apart + count * step, step)
                for at, apart, count, step in zip(tap, dilations, outputs, strides, strict=True)
            )
        ]
        total += seen @ weights[tap] if channels else seen * weights[tap]
    return total


def mode_padding(
    sides: tuple[int, ...], window: tuple[int, ...], mode: Padding, dilation: tuple[int, ...]
) -> Pairs:
    """Return the zeros before and after each axis for a mode of `convolve`."""
    if not isinstance(mode, str):
        return per_side(mode, len(sides))
    require_known(mode, ("valid", "same", "full"), "mode")
    if mode != "same":
        return padding_for(sides, window, 1, mode, dilation)
    spans = [extent(k, d) for k, d in zip(window, dilation, strict=True)]
    # The middle of "full", as in SciPy: of an even kernel the greater half is before.
    return tuple((span // 2, (span - 1) // 2) for span in spans)


def padded(image: npt.ArrayLike, padding: Padding, *, channels: bool = False) -> Array:
    """Surround an image with zeros.

    Parameters
    ----------
    image
        An image of any number of axes.
    padding
        Zeros on each side: one number, one for each axis, or a pair (before, after) for each axis.
        What a name stands for depends on the kernel: ask `padding_for`.
    channels
        Whether the last axis holds channels, which are not padded.

    Returns
    -------
    ndarray
        int64 or float64, as the image.

    Examples
    --------
    >>> padded([[1, 2]], ((0, 1), (1, 1)))
    array([[0, 1, 2, 0],
           [0, 0, 0, 0]])
    """
    array = numbers(image, "image")
    if isinstance(padding, str):
        raise StriateError(f"padding {padding!r} depends on the kernel: give numbers (padding_for)")
    sides = per_side(padding, array.ndim - channels)
    return np.pad(array, (*sides, (0, 0)) if channels else sides)


def polynomial_product(alpha: npt.ArrayLike, beta: npt.ArrayLike) -> Array:
    """Multiply two polynomials: the coefficients convolve, delta_j = sum_i alpha_i beta_(j - i).

    Parameters
    ----------
    alpha, beta
        Coefficients, that of t^0 first.

    Returns
    -------
    ndarray
        Coefficients of the product, that of t^0 first, as many as the degrees ask for.

    Examples
    --------
    (1 + 2 t + t^2) (1 - t) = 1 + t - t^2 - t^3:

    >>> polynomial_product([1, 2, 1], [1, -1])
    array([ 1,  1, -1, -1])
    """
    one, other = numbers(alpha, "first polynomial"), numbers(beta, "second polynomial")
    if one.ndim != 1 or other.ndim != 1:
        raise StriateError(
            f"a polynomial is a row of coefficients, not of shape {one.shape} and {other.shape}"
        )
    return convolve(one, other, "full")
