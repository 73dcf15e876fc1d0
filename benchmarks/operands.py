"""The arrays that every program convolves, and numbers by which results are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def make(layer: Mapping[str, Any]) -> dict[str, Floats]:
    """Draw images, kernel, bias and a gradient to the result for a layer of `benchmarks.layers`.

    A pooling has neither kernel nor bias.
    """
    random = np.random.default_rng(0)
    shapes = {"images": layer["images"]}
    if layer["kernel"] is not None:
        shapes |= {"kernel": layer["kernel"], "bias": layer["kernel"][-1:]}
    shapes["gradient"] = layer["outputs"]
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def digest(array: npt.ArrayLike) -> list[float]:
    """Return a few numbers that depend on every element and on where it stands."""
    values = np.asarray(array, np.float64).ravel()
    size = float(np.sqrt((values**2).sum()))
    places = np.cos(np.arange(len(values)))
    return [size, float((values * places).sum()), float(abs(values).sum())]


def difference(one: list[float], other: list[float]) -> float:
    """Return how far two digests differ, as a part of the size of what they stand for."""
    parts = (abs(a - b) / scale for a, b, scale in zip(one, other, _scales(one), strict=True))
    return max(parts)


def _scales(numbers: list[float]) -> tuple[float, float, float]:
    size, _, total = numbers
    # The second is a sum of both signs, about as large as the first.
    return size, size, total
