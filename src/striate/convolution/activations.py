"""The two functions that the lectures put after a convolution and after a dense layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from striate.convolution.arguments import Array, numbers


def relu(x: npt.ArrayLike) -> Array:
    """Return max(x, 0), which keeps what matched the kernel and drops the rest.

    Parameters
    ----------
    x
        Numbers in any shape.

    Returns
    -------
    ndarray
        The same shape; whole numbers stay whole.

    Examples
    --------
    >>> relu([1, -1, -2])
    array([1, 0, 0])
    """
    return np.maximum(numbers(x, "input"), 0)


def softmax(x: npt.ArrayLike, axis: int = -1) -> npt.NDArray[np.float64]:
    """Return exp(x_i) / sum_j exp(x_j): numbers between 0 and 1 that add up to 1.

    Parameters
    ----------
    x
        Numbers in any shape, one for each class along `axis`.
    axis
        The axis along which the results add up to 1.

    Returns
    -------
    ndarray
        The same shape. The largest is taken off first, which changes nothing but keeps exp finite.

    Examples
    --------
    >>> softmax([0.0, 0.0, 1000.0])
    array([0., 0., 1.])
    """
    values = numbers(x, "input").astype(np.float64)
    exponentials = np.exp(values - values.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)
