"""A convolution, one window after the other, as it is drawn on a blackboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.convolution.arguments import (
    Array,
    Padding,
    PerAxis,
    numbers,
    per_axis,
    require_exact,
    require_kernel,
)
from striate.convolution.arithmetic import extent, output_size, padding_for
from striate.convolution.discrete import padded
from striate.errors import StriateError


@dataclass(frozen=True, eq=False)
class Step:
    """One position of the kernel: what it covers, and the output that it gives.

    Attributes
    ----------
    index
        (row, column) of the output.
    position
        (row, column) of the window's upper left pixel in the padded image.
    window
        The pixels under the taps of the kernel, (row, column) or (row, column, channel).
    products
        Each of them times its weight, in the same shape.
    sum
        Sum of the products.
    bias
        What is added to it.
    output
        sum + bias.
    output_map
        The outputs up to this one, float64, NaN where none has been computed yet.
    number
        Which step this is, from 0.
    count
        How many steps there are.
    """

    index: tuple[int, int]
    position: tuple[int, int]
    window: Array
    products: Array
    sum: int | float
    bias: int | float
    output: int | float
    output_map: npt.NDArray[np.float64]
    number: int
    count: int


def steps(
    image: npt.ArrayLike,
    kernel: npt.ArrayLike,
    bias: float = 0,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    *,
    flip: bool = False,
) -> Iterator[Step]:
    """Yield the steps of a 2-D convolution, row by row.

    Parameters
    ----------
    image
        (row, column) or (row, column, channel).
    kernel
        (row, column) or (row, column, channel), one layer for each channel of the image.
    bias
        A number added to each sum.
    stride, padding, dilation
        As in `output_size`.
    flip
        Whether the kernel is turned by half a turn first: then this is the convolution of
        mathematics, otherwise the cross-correlation that deep learning calls convolution.

    Yields
    ------
    Step
        One for each output; whole numbers stay whole.

    Raises
    ------
    StriateError
        Before the first step, if the shapes do not fit or no output remains.

    Examples
    --------
    >>> for step in steps([[1, 2, 3], [4, 5, 6]], [[1, 0], [0, 1]], bias=-1):
    ...     print(step.index, step.products.tolist(), step.sum, step.output)
    (0, 0) [[1, 0], [0, 5]] 6 5
    (0, 1) [[2, 0], [0, 6]] 8 7
    """
    pixels, weights = numbers(image, "image"), numbers(kernel, "kernel")
    if pixels.ndim not in (2, 3) or weights.ndim != pixels.ndim:
        raise StriateError(
            f"steps of a kernel {weights.shape} over an image {pixels.shape} cannot be shown: give "
            "(row, column) for both, or (row, column, channel) for both"
        )
    require_kernel(pixels.shape, weights.shape, channels=pixels.ndim == 3)
    require_exact(pixels, weights)
    sides, window = pixels.shape[:2], weights.shape[:2]
    strides, dilations = per_axis(stride, 2, "stride"), per_axis(dilation, 2, "dilation")
    pads = padding_for(sides, window, strides, padding, dilations)
    outputs = output_size(sides, window, strides, pads, dilations)
    surrounded = padded(pixels, pads, channels=pixels.ndim == 3)
    if flip:
        weights = weights[::-1, ::-1]
    (offset,) = numbers([bias], "bias").tolist()
    return _steps(surrounded, weights, offset, strides, dilations, outputs)


def _steps(
    surrounded: Array,
    weights: Array,
    bias: float,
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    outputs: tuple[int, ...],
) -> Iterator[Step]:
    output_map = np.full(outputs, np.nan)
    for number, index in enumerate(np.ndindex(outputs)):
        top, left = (at * step for at, step in zip(index, stride, strict=True))
        window = surrounded[
            top : top + extent(weights.shape[0], dilation[0]) : dilation[0],
            left : left + extent(weights.shape[1], dilation[1]) : dilation[1],
        ]
        products = window * weights
        total = products.sum().item()
        output_map[index] = total + bias
        yield Step(
            (index[0], index[1]),
            (top, left),
            window,
            products,
            total,
            bias,
            total + bias,
            output_map.copy(),
            number,
            output_map.size,
        )
