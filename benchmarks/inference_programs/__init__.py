"""Trained networks that predict, one file a library.

Each module has one function, ``prepare(workload, inputs, **options)``, which builds the network
from the given weights and returns a ``Predictor``. Only the module of striate imports striate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Predictor:
    """How a program predicts.

    Attributes
    ----------
    place
        Brings images, (n, row, column, channel), into the memory layout that the program wants;
        this is not timed.
    predict
        Returns the network's outputs, (n, class), as a NumPy array; this is timed.
    """

    place: Callable[[Floats], Any]
    predict: Callable[[Any], Floats]


def channels_first(images: Floats) -> Floats:
    """Return images as (n, channel, row, column)."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
