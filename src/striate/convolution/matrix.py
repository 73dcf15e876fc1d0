"""Convolution as a matrix times a vector: how it is thought of, and why it is not computed so.

In one dimension the matrix is a Toeplitz matrix; in two, the W' of the Oslo lecture (rows C2 and
C5), whose rows are the kernel laid over the flattened image at each position. Nearly all of W' is
zero, and a kernel says the same in a few numbers: `matrix_memory` counts what that saves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from striate.convolution.arguments import (
    Array,
    Padding,
    PerAxis,
    numbers,
    per_axis,
    require_kernel,
    whole,
)
from striate.convolution.arithmetic import output_size, padding_for
from striate.errors import StriateError

_BYTES = 8
"""Of one float64 or int64."""


def toeplitz(a: npt.ArrayLike, n: int) -> Array:
    """Return the Toeplitz matrix T with T[i, j] = a[i - j]: T @ b is the convolution a * b.

    Parameters
    ----------
    a
        A row of numbers; the first column of T, before its zeros.
    n
        Length of b, and number of columns.

    Returns
    -------
    ndarray
        (len(a) + n - 1, n), constant along each diagonal.

    Examples
    --------
    Both ways round, since convolution commutes:

    >>> toeplitz([1, 2], 3)
    array([[1, 0, 0],
           [2, 1, 0],
           [0, 2, 1],
           [0, 0, 2]])
    >>> toeplitz([1, 2], 3) @ [5, 6, 7], toeplitz([5, 6, 7], 2) @ [1, 2]
    (array([ 5, 16, 19, 14]), array([ 5, 16, 19, 14]))
    """
    column = numbers(a, "sequence")
    if column.ndim != 1:
        raise StriateError(f"a Toeplitz matrix is made of one row of numbers, not {column.shape}")
    columns = whole(n, "n", 1)
    matrix = np.zeros((len(column) + columns - 1, columns), column.dtype)
    for j in range(columns):
        matrix[j : j + len(column), j] = column
    return matrix


def convolution_matrix(
    kernel: npt.ArrayLike,
    image_shape: Sequence[int],
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    *,
    channels: bool = False,
) -> sparse.csr_array:
    """Return W', the sparse matrix with W' @ image.ravel() equal to the cross-correlation.

    Its transpose takes a gradient to the outputs back to the pixels.

    Parameters
    ----------
    kernel
        As many axes as the image; see `channels`.
    image_shape
        Of the image.
    stride, padding, dilation
        As in `output_size`; padding may have a name.
    channels
        Whether the image is (..., channel), the kernel (..., channel) or (..., channel, filter).
        The rows of W' then run over the outputs as (..., filter) does.

    Returns
    -------
    scipy.sparse.csr_array
        (outputs, pixels). An entry is stored for each tap that lies on a pixel, whatever its
        weight; padding has none.

    Raises
    ------
    StriateError
        If the shapes do not fit, or no output remains.

    Examples
    --------
    The 4x9 matrix of the lecture, with 16 of 36 entries stored:

    >>> W = convolution_matrix([[1, 2], [3, 4]], (3, 3))
    >>> W.toarray()
    array([[1, 2, 0, 3, 4, 0, 0, 0, 0],
           [0, 1, 2, 0, 3, 4, 0, 0, 0],
           [0, 0, 0, 1, 2, 0, 3, 4, 0],
           [0, 0, 0, 0, 1, 2, 0, 3, 4]])
    >>> W.nnz
    16
    """
    weights = numbers(kernel, "kernel")
    geometry = _Geometry.of(weights.shape, image_shape, stride, padding, dilation, channels)
    sides, outputs, axes = geometry.sides, geometry.outputs, len(geometry.sides)
    # Axes of this block: each output axis, each axis of the window, channel, filter.
    block = (*outputs, *geometry.window, geometry.channels, geometry.filters)
    pixel, inside = np.zeros((1,) * len(block), np.int64), np.ones((1,) * len(block), bool)
    for axis, met in enumerate(geometry.pixels):
        shape = [1] * len(block)
        shape[axis], shape[axes + axis] = met.shape
        met = met.reshape(shape)
        pixel = pixel * sides[axis] + met
        inside = inside & (met >= 0) & (met < sides[axis])
    output = np.arange(math.prod(outputs)).reshape(*outputs, *[1] * (axes + 2))
    filters, inputs = np.arange(geometry.filters), np.arange(geometry.channels)[:, None]
    stored = np.broadcast_to(inside, block)
    rows = np.broadcast_to(output * geometry.filters + filters, block)[stored]
    columns = np.broadcast_to(pixel * geometry.channels + inputs, block)[stored]
    values = np.broadcast_to(weights.reshape(block[axes:]), block)[stored]
    index = geometry.index_type(len(values))
    return sparse.csr_array(
        (values, (rows.astype(index), columns.astype(index))), shape=geometry.shape
    )


@dataclass(frozen=True)
class MatrixMemory:
    """What W' takes, beside a convolution that needs only its kernel.

    Attributes
    ----------
    shape
        Rows (outputs) and columns (pixels) of W'.
    entries
        How many of them lie under the kernel; the others are zero.
    dense_bytes
        Memory of W' with all its zeros, 8 bytes an entry.
    sparse_bytes
        Memory of W' as `convolution_matrix` returns it: values, columns, row beginnings.
    direct_bytes
        Memory of the kernel alone, which is all that a direct convolution reads beside the image.
    """

    shape: tuple[int, int]
    entries: int
    dense_bytes: int
    sparse_bytes: int
    direct_bytes: int

    def __str__(self) -> str:
        rows, columns = self.shape
        return (
            f"W' {rows:,} x {columns:,}, {self.entries:,} entries: {_size(self.dense_bytes)} dense,"
            f" {_size(self.sparse_bytes)} sparse; the kernel alone {_size(self.direct_bytes)}"
        )


def matrix_memory(
    kernel_shape: Sequence[int],
    image_shape: Sequence[int],
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    *,
    channels: bool = False,
) -> MatrixMemory:
    """Count the memory of W' without building it.

    Parameters
    ----------
    kernel_shape
        Shape of the kernel.
    image_shape, stride, padding, dilation, channels
        As in `convolution_matrix`.

    Returns
    -------
    MatrixMemory
        Dense, sparse and direct, in bytes.

    Examples
    --------
    32 kernels over an image of MNIST:

    >>> print(matrix_memory((3, 3, 1, 32), (28, 28, 1), channels=True))
    W' 21,632 x 784, 194,688 entries: 135.7 MB dense, 2.4 MB sparse; the kernel alone 2.3 kB
    """
    kernel = per_axis(kernel_shape, len(kernel_shape), "kernel size")
    geometry = _Geometry.of(kernel, image_shape, stride, padding, dilation, channels)
    rows, columns = geometry.shape
    entries = geometry.channels * geometry.filters
    for met, side in zip(geometry.pixels, geometry.sides, strict=True):
        entries *= int(np.count_nonzero((met >= 0) & (met < side)))
    index_bytes = np.dtype(geometry.index_type(entries)).itemsize
    return MatrixMemory(
        geometry.shape,
        entries,
        _BYTES * rows * columns,
        (_BYTES + index_bytes) * entries + index_bytes * (rows + 1),
        _BYTES * math.prod(kernel),
    )


@dataclass(frozen=True)
class _Geometry:
    """Which pixel each tap of each output meets, one axis at a time."""

    sides: tuple[int, ...]
    window: tuple[int, ...]
    outputs: tuple[int, ...]
    channels: int
    filters: int
    pixels: tuple[Array, ...]
    """For each axis the pixel's number, (output, tap); out of range where it is padding."""

    @classmethod
    def of(
        cls,
        kernel_shape: tuple[int, ...],
        image_shape: Sequence[int],
        stride: PerAxis,
        padding: Padding,
        dilation: PerAxis,
        channels: bool,
    ) -> _Geometry:
        image = per_axis(image_shape, len(image_shape), "image size")
        axes = require_kernel(image, kernel_shape, channels=channels)
        sides, window = image[:axes], kernel_shape[:axes]
        strides, dilations = per_axis(stride, axes, "stride"), per_axis(dilation, axes, "dilation")
        pads = padding_for(sides, window, strides, padding, dilations)
        outputs = output_size(sides, window, strides, pads, dilations)
        pixels = tuple(
            np.arange(count)[:, None] * step + np.arange(k) * apart - before
            for count, step, k, apart, (before, _) in zip(
                outputs, strides, window, dilations, pads, strict=True
            )
        )
        return cls(
            sides,
            window,
            outputs,
            math.prod(image[axes:]),
            math.prod(kernel_shape[axes + 1 :]),
            pixels,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        return (
            math.prod(self.outputs) * self.filters,
            math.prod(self.sides) * self.channels,
        )

    def index_type(self, entries: int) -> type[np.int32 | np.int64]:
        """Return the type of the sparse matrix's column numbers and row beginnings."""
        return np.int32 if max(entries, *self.shape) < 2**31 else np.int64


def _size(count: float) -> str:
    """Write a number of bytes, in powers of 1,000."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.4g} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
