"""The convolution theorem: a convolution is a product of Fourier transforms, F(x * w) = F(x) F(w).

Directly, n pixels and k taps take n k products; by the fast transform about n log n, however large
the kernel (rows C3 and C7). A Gaussian blur shows it: the wider, the more the transform wins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import fft

from striate.convolution.arguments import (
    Array,
    Padding,
    numbers,
    require_kernel,
    require_known,
)
from striate.convolution.arithmetic import output_size
from striate.convolution.discrete import convolve, mode_padding, padded
from striate.errors import StriateError

BLUR_METHODS = ("fft", "direct", "separable")
_BORDERS = {"reflect": "symmetric", "zero": "constant", "periodic": "wrap"}


def fft_convolve(x: npt.ArrayLike, kernel: npt.ArrayLike, mode: Padding = "full") -> Array:
    """Convolve by the convolution theorem: transform both, multiply, transform back.

    Parameters
    ----------
    x, kernel, mode
        As in `striate.convolution.convolve`, of which this gives the result.

    Returns
    -------
    ndarray
        int64 if both are whole numbers, rounded from a transform that is exact to better than a
        quarter, else float64. A single NaN spreads over all of it.

    Raises
    ------
    StriateError
        If the shapes do not fit, no output remains, or whole numbers are so large that rounding
        could miss the right one.

    Examples
    --------
    >>> fft_convolve([1, 2, 3], [1, 10])
    array([ 1, 12, 23, 30])
    """
    image, weights = numbers(x, "image"), numbers(kernel, "kernel")
    axes = require_kernel(image.shape, weights.shape, channels=False)
    surrounded = padded(image, mode_padding(image.shape, weights.shape, mode, (1,) * axes))
    output_size(surrounded.shape, weights.shape)  # or an error
    # The transform wraps around, which spoils the first k - 1 outputs along each axis; they are
    # those where the kernel reaches beyond the image and its zeros.
    shape = [fft.next_fast_len(side, real=True) for side in surrounded.shape]
    spectrum = fft.rfftn(surrounded.astype(float), shape) * fft.rfftn(weights.astype(float), shape)
    within = tuple(
        slice(k - 1, side) for k, side in zip(weights.shape, surrounded.shape, strict=True)
    )
    result = fft.irfftn(spectrum, shape)[within]
    if np.result_type(image, weights).kind != "i":
        return result
    error = _rounding(math.prod(shape)) * _norm(image) * _norm(weights)
    if error > 0.25:
        raise StriateError(
            f"whole numbers this large come out of a transform with errors up to {error:.2g}: "
            "use convolve, or give float64"
        )
    return np.rint(result).astype(np.int64)


def gaussian_kernel(
    sigma: float | Sequence[float], axes: int = 2, truncate: float = 4.0
) -> npt.NDArray[np.float64]:
    """Return samples of a Gaussian, exp(-x^2 / (2 sigma^2)) along each axis, of sum 1.

    Parameters
    ----------
    sigma
        Standard deviation in pixels; one number, or one for each axis.
    axes
        Number of axes.
    truncate
        How many standard deviations the kernel reaches from its middle.

    Returns
    -------
    ndarray
        An odd number of samples along each axis.

    Examples
    --------
    >>> gaussian_kernel(1.0).shape, gaussian_kernel([0.5, 2.0]).shape
    ((9, 9), (5, 17))
    """
    kernel = np.ones((1,) * axes)
    for row in _rows(sigma, axes, truncate):
        kernel = kernel * row
    return kernel


def gaussian_blur(
    image: npt.ArrayLike,
    sigma: float | Sequence[float],
    method: str = "fft",
    *,
    border: str = "reflect",
    truncate: float = 4.0,
    channels: bool = False,
) -> npt.NDArray[np.float64]:
    """Blur an image with a Gaussian, by FFT or directly.

    Parameters
    ----------
    image
        Of any number of axes.
    sigma
        Standard deviation in pixels; one number, or one for each axis. The wider, the more blur.
    method
        ``"fft"``, the convolution theorem; ``"direct"``, the sum over all pixels of the Gaussian;
        ``"separable"``, direct sums along one axis after the other, which a Gaussian permits. All
        give the same image.
    border
        What lies beyond the border: ``"reflect"``, the image mirrored, its last pixel twice;
        ``"zero"``; ``"periodic"``, the image again.
    truncate
        How many standard deviations the Gaussian reaches.
    channels
        Whether the last axis holds channels, each of which is blurred on its own.

    Returns
    -------
    ndarray
        float64, in the shape of the image; as `scipy.ndimage.gaussian_filter` gives it.

    Examples
    --------
    >>> gaussian_blur([[0, 0, 0], [0, 1, 0], [0, 0, 0]], 0.5, border="zero").round(3)
    array([[0.011, 0.084, 0.011],
           [0.084, 0.619, 0.084],
           [0.011, 0.084, 0.011]])
    """
    pixels = numbers(image, "image").astype(np.float64)
    require_known(method, BLUR_METHODS, "method")
    require_known(border, tuple(_BORDERS), "border")
    axes = pixels.ndim - channels
    if axes < 1:
        raise StriateError(f"an image of shape {pixels.shape} has no axis to blur along")
    rows = _rows(sigma, axes, truncate)
    beyond = [(max(row.shape) // 2,) * 2 for row in rows]
    surrounded = np.pad(
        pixels,
        [*beyond, (0, 0)] if channels else beyond,
        mode=_BORDERS[border],  # type: ignore[call-overload]
    )
    kernel = gaussian_kernel(sigma, axes, truncate)

    def blur(plane: Array) -> Array:
        if method == "fft":
            return fft_convolve(plane, kernel, "valid")
        if method == "direct":
            return convolve(plane, kernel, "valid")
        for row in rows:
            plane = convolve(plane, row, "valid")
        return plane

    if not channels:
        return blur(surrounded)
    return np.stack([blur(plane) for plane in np.moveaxis(surrounded, -1, 0)], axis=-1)


def _rows(sigma: float | Sequence[float], axes: int, truncate: float) -> list[Array]:
    """Return the Gaussian along each axis, shaped so that their product is the whole kernel."""
    sigmas = np.asarray(sigma, float)
    if sigmas.shape not in ((), (axes,)) or not np.all((sigmas > 0) & np.isfinite(sigmas)):
        raise StriateError(
            f"sigma must be a number of pixels above 0, or one for each of {axes} axes, "
            f"not {sigma!r}"
        )
    if not (truncate > 0 and math.isfinite(truncate)):
        raise StriateError(f"truncate must be above 0, not {truncate!r}")
    rows = []
    for axis, width in enumerate(np.broadcast_to(sigmas, axes)):
        reach = int(truncate * width + 0.5)
        row = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
        rows.append((row / row.sum()).reshape([-1 if a == axis else 1 for a in range(axes)]))
    return rows


def _rounding(points: int) -> float:
    """Return a bound of the relative error of a transform, its inverse and the product between.

    A fast transform of N points has an error of some log2(N) roundings, in the 2-norm
    (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 24.1); the factor leaves
    room for three of them and for radices other than 2.
    """
    return 10 * float(np.finfo(float).eps) * (1 + math.log2(points))


def _norm(values: Array) -> float:
    return float(np.linalg.norm(values.astype(float)))
