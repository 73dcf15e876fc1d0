"""The worked examples of the NTHU lecture (PHYS591000, 2022; rows W1, W2 and W4), with all numbers.

**O or X.** Two 6x6 images, black 1 and white 0; one kernel that fits a diagonal, with bias -2; ReLU
and 2x2 pooling. What remains of an O are the ends of one diagonal, of an X those of the other: a
dense layer can tell them apart.

**Zero padding.** A 6x6 image keeps its size under a 3x3 kernel that answers to vertical edges. The
slide prints two of the 36 outputs wrongly: in row 4, column 1 it has 11, which is -11 (the sign is
missing), and in row 5, column 5 it has 10, which is 11. `PaddingExample.misprints` holds both, and
the feature map here is the one that the kernel gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.convolution.activations import relu
from striate.convolution.arguments import Array, require_known
from striate.convolution.discrete import correlate
from striate.convolution.pooling import pool

_LETTERS = {
    "O": ("..##..", ".#..#.", "#....#", "#....#", ".#..#.", "..##.."),
    "X": ("#....#", ".#..#.", "..##..", "..##..", ".#..#.", "#....#"),
}
_BIAS = -2


@dataclass(frozen=True, eq=False)
class WorkedExample:
    """An image of O or X on its way through the network of the lecture.

    Attributes
    ----------
    letter
        ``"O"`` or ``"X"``.
    image
        6x6, black 1 and white 0.
    kernel
        3x3, a diagonal from the lower left to the upper right.
    bias
        -2.
    feature_map
        4x4, the cross-correlation plus the bias.
    activated
        4x4, after ReLU.
    max_pooled, average_pooled
        2x2, the largest and the average of each 2x2 window.
    """

    letter: str
    image: Array
    kernel: Array
    bias: int
    feature_map: Array
    activated: Array
    max_pooled: Array
    average_pooled: Array

    @property
    def flattened(self) -> Array:
        """The 4 inputs of the dense layer, row by row."""
        return self.max_pooled.ravel()


def worked_example(letter: str = "O") -> WorkedExample:
    """Return the lecture's image of O or of X, and all that is computed from it.

    Parameters
    ----------
    letter
        ``"O"`` or ``"X"``.

    Raises
    ------
    StriateError
        If it is another letter.

    Examples
    --------
    >>> worked_example("O").feature_map
    array([[ 1, -1, -2, -1],
           [-1, -2, -1, -2],
           [-2, -1, -2, -1],
           [-1, -2, -1,  1]])
    >>> worked_example("O").flattened, worked_example("X").flattened
    (array([1, 0, 0, 1]), array([0, 1, 1, 0]))
    """
    require_known(letter, tuple(_LETTERS), "letter")
    image = np.array([[pixel == "#" for pixel in row] for row in _LETTERS[letter]], np.int64)
    kernel = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    feature_map = correlate(image, kernel, "valid") + _BIAS
    activated = relu(feature_map)
    return WorkedExample(
        letter,
        image,
        kernel,
        _BIAS,
        feature_map,
        activated,
        pool(activated, 2),
        pool(activated, 2, kind="average"),
    )


@dataclass(frozen=True, eq=False)
class PaddingExample:
    """The lecture's example of zero padding, and what its slide prints.

    Attributes
    ----------
    image
        6x6.
    kernel
        3x3, answers to vertical edges that are brighter on their left.
    padding
        1, which keeps the size.
    feature_map
        6x6, computed.
    misprints
        {(row, column) from 0: the number on the slide}, where it is another.
    """

    image: Array
    kernel: Array
    padding: int
    feature_map: Array
    misprints: dict[tuple[int, int], int]


def padding_example() -> PaddingExample:
    """Return the lecture's example of zero padding, with its two misprints.

    Examples
    --------
    >>> example = padding_example()
    >>> example.misprints
    {(3, 0): 11, (4, 4): 10}
    >>> [example.feature_map[place].item() for place in example.misprints]
    [-11, 11]
    """
    image = np.array(
        [
            [1, 2, 3, 1, 3, 5],
            [2, 2, 5, 4, 2, 5],
            [0, 6, 9, 6, 2, 2],
            [2, 0, 1, 9, 4, 0],
            [5, 5, 4, 6, 7, 6],
            [6, 1, 3, 7, 1, 5],
        ]
    )
    kernel = np.array([[1, 0, -1]] * 3)
    return PaddingExample(image, kernel, 1, correlate(image, kernel, 1), {(3, 0): 11, (4, 4): 10})
