"""Normalise images of jets: each by its own content, or each pixel by that of training images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.errors import StriateError

NORMALISATIONS = ("none", "sum", "sqrt", "l2", "standardise")


def normalised(images: np.ndarray, channels: Sequence[str], normalise: str) -> np.ndarray:
    """Divide images by their ``"sum"`` or ``"l2"`` norm; ``"sqrt"`` is the root of the former.

    Channels of pT are divided by one norm over all of them, so that their ratio stays; a channel of
    numbers by its own. An empty image stays empty.
    """
    if normalise == "none":
        return images
    momenta = [i for i, name in enumerate(channels) if not name.endswith("multiplicity")]
    numbers = [i for i in range(len(channels)) if i not in momenta]
    result = np.empty_like(images)
    for together in (momenta, *([i] for i in numbers)):
        chosen = images[..., together]
        power = 2 if normalise == "l2" else 1
        total = (chosen.astype(np.float64) ** power).sum(axis=(1, 2, 3), keepdims=True)
        total **= 1 / power
        share = chosen / np.where(total > 0, total, 1.0)
        result[..., together] = np.sqrt(share) if normalise == "sqrt" else share
    return result


@dataclass(frozen=True, eq=False)
class Standardisation:
    """Mean and deviation of each pixel over training images, as in arXiv:1612.01551.

    Attributes
    ----------
    mean, deviation
        ``(row, col, channel)`` float32.
    floor
        Added to the deviation, so that pixels that are nearly always empty stay small.
    """

    mean: np.ndarray
    deviation: np.ndarray
    floor: float = 1e-5

    @classmethod
    def of(cls, images: np.ndarray, floor: float = 1e-5) -> Standardisation:
        """Take mean and deviation of `images` ``(n, row, col, channel)``, scaled to fractions."""
        shares = _shares(images)
        return cls(
            shares.mean(axis=0, dtype=np.float64).astype(np.float32),
            shares.std(axis=0, dtype=np.float64).astype(np.float32),
            floor,
        )

    def apply(self, images: np.ndarray) -> np.ndarray:
        """Return ``(fraction - mean) / (deviation + floor)`` of each pixel, float32."""
        if images.shape[1:] != self.mean.shape:
            raise StriateError(
                f"images of shape {images.shape[1:]} cannot be standardised by those of shape "
                f"{self.mean.shape}"
            )
        return (_shares(images) - self.mean) / (self.deviation + np.float32(self.floor))


def _shares(images: np.ndarray) -> np.ndarray:
    """Divide each channel of each image by its sum."""
    total = images.sum(axis=(1, 2), keepdims=True, dtype=np.float64)
    return (images / np.where(total > 0, total, 1.0)).astype(np.float32)
