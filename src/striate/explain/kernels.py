"""Kernels by name, and kernels as they are typed."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.convolution import gaussian_kernel
from striate.errors import StriateError, nearest

KERNELS: dict[str, tuple[str, list[list[int]], int]] = {
    "identity": ("leaves the image as it is", [[0, 0, 0], [0, 1, 0], [0, 0, 0]], 1),
    "shift": ("moves the image by a pixel", [[0, 0, 0], [1, 0, 0], [0, 0, 0]], 1),
    "blur": ("the average of 9 pixels", [[1, 1, 1], [1, 1, 1], [1, 1, 1]], 9),
    "binomial": ("an average that weighs the middle", [[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16),
    "sharpen": (
        "what differs from the neighbours, added",
        [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        1,
    ),
    "edge": ("edges in all directions", [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], 1),
    "laplacian": ("second derivatives", [[0, 1, 0], [1, -4, 1], [0, 1, 0]], 1),
    "sobel": ("edges between left and right", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], 1),
    "sobel-y": ("edges between above and below", [[-1, -2, -1], [0, 0, 0], [1, 2, 1]], 1),
    "prewitt": ("edges between left and right", [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], 1),
    "vertical": ("edges that are brighter on their left", [[1, 0, -1], [1, 0, -1], [1, 0, -1]], 1),
    "diagonal": ("a diagonal line", [[0, 0, 1], [0, 1, 0], [1, 0, 0]], 1),
    "emboss": ("light from the upper left", [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], 1),
}
"""Name: what it does, its weights, and what they are divided by."""

GAUSSIAN = "gaussian"
"""The name of the kernel that is sampled from a Gaussian, 5x5."""

_MOST = 11
_NUMBER = re.compile(r"[+-]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12}|\d{1,12}/0*[1-9]\d{0,11})")


def kernel(word: str) -> npt.NDArray[Any]:
    """Return the kernel that a word means.

    Parameters
    ----------
    word
        A name, or rows between semicolons, such as ``"1 0 -1; 1 0 -1; 1 0 -1"``. Numbers may be
        fractions. Layers for the channels of a colour image stand between bars, ``|``.

    Returns
    -------
    ndarray
        (row, column), or (row, column, channel) of layers; whole numbers stay whole.

    Raises
    ------
    StriateError
        If the name is unknown, or the numbers make no kernel.
    """
    if word == GAUSSIAN:
        return gaussian_kernel(1.0, truncate=2.0)
    if word in KERNELS:
        _, weights, divisor = KERNELS[word]
        return np.array(weights) if divisor == 1 else np.array(weights) / divisor
    if not any(letter.isdigit() for letter in word):
        raise StriateError(
            f"unknown kernel {word!r}: {nearest(word, [*KERNELS, GAUSSIAN])} "
            "Or type its rows, as '1 0 -1; 1 0 -1; 1 0 -1'"
        )
    layers = [_layer(text, word) for text in word.split("|")]
    if len({layer.shape for layer in layers}) > 1:
        raise StriateError(f"kernel {word!r}: its layers differ in shape: give equal ones")
    return layers[0] if len(layers) == 1 else np.stack(layers, axis=-1)


def _layer(text: str, word: str) -> npt.NDArray[Any]:
    rows = [row.replace(",", " ").split() for row in text.strip(" ;").split(";")]
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]) or not row:
            raise StriateError(
                f"kernel {word!r}: row {number} has {len(row)} numbers, row 1 has {len(rows[0])}: "
                "write rows of equal length between semicolons"
            )
    if max(len(rows), len(rows[0])) > _MOST:
        raise StriateError(
            f"kernel of {len(rows)} x {len(rows[0])}: it is drawn up to {_MOST} x {_MOST}"
        )
    weights = [[_weight(entry, word) for entry in row] for row in rows]
    if all(weight.denominator == 1 for row in weights for weight in row):
        return np.array([[_whole(weight, word) for weight in row] for row in weights])
    return np.array([[float(weight) for weight in row] for row in weights])


def _weight(entry: str, word: str) -> Fraction:
    text = entry.replace("−", "-")
    if not _NUMBER.fullmatch(text):
        raise StriateError(
            f"kernel {word!r}: {entry!r} is no number: write rows as '1 0 -1; 1 0 -1; 1 0 -1'"
        )
    return Fraction(text)


def _whole(weight: Fraction, word: str) -> int:
    if abs(weight) > 10**6:
        raise StriateError(f"kernel {word!r}: {weight} is too large to draw; give up to 1,000,000")
    return int(weight)
