"""Which pixels mattered: four ways to share the score of a class among the pixels of an image.

Each method is defined by what it promises, and the tests hold it to that.

- Gradient x input: exact for a linear network.
- Integrated gradients: the shares add up to the change of the score from the baseline
  (completeness), and depend only on the function that the network computes (implementation
  invariance).
- Occlusion: what the network does not look at gets exactly nothing.
- Grad-CAM: where the maps of a convolution layer, weighted by the mean derivative of the score,
  are positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from striate.errors import StriateError

Method = Literal["gradient-input", "integrated-gradients", "occlusion", "grad-cam"]
METHODS: tuple[Method, ...] = ("gradient-input", "integrated-gradients", "occlusion", "grad-cam")

TOLERANCE = 0.01
"""Integrated gradients are complete within this fraction of the change of the score."""

FEWEST_STEPS = 32
MOST_STEPS = 4096

_AT_ONCE = 512
"""Images on the way or with a patch hidden that are in memory together."""


class ScoreFunction(Protocol):
    """What is explained: `striate.engine.scores.Scores`, or any function like it."""

    def of(self, images: np.ndarray, number: int) -> np.ndarray:
        """Return the scores (n,) of the class `number`."""

    def gradient(self, images: np.ndarray, number: int) -> np.ndarray:
        """Return the derivatives of the scores by the pixels, shaped as the images."""


class LayeredScore(ScoreFunction, Protocol):
    """A score that is computed through convolution layers."""

    def at_convolution(
        self, name: str, image: np.ndarray, number: int
    ) -> tuple[str, np.ndarray, np.ndarray]:
        """Return layer, feature maps and the derivative of the score by them."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """What one method found for one image and one class.

    Attributes
    ----------
    method
        Its name.
    values
        The share of each pixel, shape (row, col), summed over the channels of the image.
    change
        The score of the image minus that of the baseline; None where the method has none.
    steps
        Points on the way from the baseline, of integrated gradients; else None.
    patch
        Side of the hidden patch, of occlusion; else None.
    layer
        The layer whose maps were used, of Grad-CAM; else None.
    """

    method: Method
    values: np.ndarray
    change: float | None = None
    steps: int | None = None
    patch: int | None = None
    layer: str | None = None

    @property
    def total(self) -> float:
        """The sum of the shares."""
        return float(self.values.sum(dtype=np.float64))

    @property
    def residue(self) -> float | None:
        """By which fraction of the change of the score the sum of the shares misses it.

        None for the methods that do not share out the change: Grad-CAM, and occlusion by patches
        of more than a pixel, which overlap.
        """
        if self.change is None:
            return None
        missed = abs(self.total - self.change)
        if self.change == 0:
            return 0.0 if missed == 0 else float("inf")
        return missed / abs(self.change)

    @property
    def complete(self) -> bool | None:
        """Whether the shares add up to the change within 1 %; None where none is promised."""
        if self.method != "integrated-gradients" or self.residue is None:
            return None
        return self.residue <= TOLERANCE


def baseline_image(image: np.ndarray, baseline: str | float) -> np.ndarray:
    """Return the image that stands for "nothing there".

    Parameters
    ----------
    image
        Shape (row, col, channel), values in [0, 1].
    baseline
        ``"mean"`` for the mean of each channel, ``"blur"`` for the image with its details gone, or
        a value in [0, 1].

    Raises
    ------
    StriateError
        If it is none of these.
    """
    if baseline == "mean":
        return np.broadcast_to(image.mean(axis=(0, 1)), image.shape).astype(np.float32)
    if baseline == "blur":
        from scipy.ndimage import gaussian_filter

        width = min(image.shape[:2]) / 8
        return gaussian_filter(image, (width, width, 0), mode="nearest").astype(np.float32)
    try:
        value = float(baseline)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise StriateError(f"baseline {baseline!r}: write a value from 0 to 1, mean or blur")
    return np.full(image.shape, value, dtype=np.float32)


def gradient_times_input(
    score: ScoreFunction, image: np.ndarray, number: int, baseline: np.ndarray
) -> Attribution:
    """Return the derivative by each pixel times its difference from the baseline.

    The first order of the change of the score: exact for a linear network, and for others off by
    what `Attribution.residue` says.

    Parameters
    ----------
    score
        What is explained.
    image, baseline
        Shape (row, col, channel).
    number
        Of the class.
    """
    _refuse_other_shape(image, baseline)
    slope = score.gradient(image[None], number)[0]
    values = (slope.astype(np.float64) * (image - baseline)).sum(axis=-1)
    return Attribution("gradient-input", values, _change(score, image, number, baseline))


def integrated_gradients(
    score: ScoreFunction,
    image: np.ndarray,
    number: int,
    baseline: np.ndarray,
    steps: int = FEWEST_STEPS,
    most_steps: int = MOST_STEPS,
) -> Attribution:
    """Return the mean derivative on the straight way from the baseline, times the difference.

    M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks", ICML 2017. The
    mean is taken at the midpoints of equal steps. Their number is doubled until the shares add up
    to the change of the score within 1 % or would exceed `most_steps`; whether they do is
    `Attribution.complete`.

    Parameters
    ----------
    score
        What is explained.
    image, baseline
        Shape (row, col, channel).
    number
        Of the class.
    steps, most_steps
        How many steps to begin with, and at most.
    """
    _refuse_other_shape(image, baseline)
    if steps < 1:
        raise StriateError(f"integrated gradients need one step or more, not {steps}")
    change = _change(score, image, number, baseline)
    difference = (image - baseline).astype(np.float64)
    while True:
        slope = np.zeros(image.shape)
        for start in range(0, steps, _AT_ONCE):
            where = (np.arange(start, min(start + _AT_ONCE, steps)) + 0.5) / steps
            way = baseline + where[:, None, None, None] * difference
            slope += score.gradient(way.astype(np.float32), number).sum(axis=0, dtype=np.float64)
        values = (slope / steps * difference).sum(axis=-1)
        found = Attribution("integrated-gradients", values, change, steps=steps)
        if found.complete or 2 * steps > most_steps:
            return found
        steps *= 2


def occlusion(
    score: ScoreFunction,
    image: np.ndarray,
    number: int,
    baseline: np.ndarray,
    patch: int | None = None,
) -> Attribution:
    """Return by how much the score falls when a patch around each pixel is hidden.

    M. Zeiler, R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014. Every
    square patch that lies within the image is hidden once, showing the baseline there instead; the
    value of a pixel is the mean over the patches that hide it. With patches of one pixel it is
    the pixel's own effect.

    Parameters
    ----------
    score
        What is explained.
    image, baseline
        Shape (row, col, channel).
    number
        Of the class.
    patch
        Side of the patch in pixels; an eighth of the shorter side of the image when None.

    Raises
    ------
    StriateError
        If the patch does not fit into the image.
    """
    _refuse_other_shape(image, baseline)
    rows, columns = image.shape[:2]
    side = max(1, round(min(rows, columns) / 8)) if patch is None else patch
    if not 1 <= side <= min(rows, columns):
        raise StriateError(
            f"a patch of {side} x {side} pixels does not fit into an image of {rows} x {columns}"
        )
    corners = [(r, c) for r in range(rows - side + 1) for c in range(columns - side + 1)]
    fall, hidden = np.zeros((rows, columns)), np.zeros((rows, columns))
    for start in range(0, len(corners), _AT_ONCE - 1):
        some = corners[start : start + _AT_ONCE - 1]
        # The whole image among them: what changes nothing then differs by exactly nothing.
        images = np.repeat(image[None], len(some) + 1, axis=0)
        for shown, (row, column) in zip(images, some, strict=False):
            place = (slice(row, row + side), slice(column, column + side))
            shown[place] = baseline[place]
        scores = score.of(images, number).astype(np.float64)
        for value, (row, column) in zip(scores[-1] - scores[:-1], some, strict=True):
            place = (slice(row, row + side), slice(column, column + side))
            fall[place] += value
            hidden[place] += 1
    change = _change(score, image, number, baseline) if side == 1 else None
    return Attribution("occlusion", fall / hidden, change, patch=side)


def grad_cam(
    score: LayeredScore,
    image: np.ndarray,
    number: int,
    layer: str,
    centres: Sequence[np.ndarray] | None = None,
) -> Attribution:
    """Return where the feature maps that raise the score are active, on the pixels of the image.

    R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
    localization", ICCV 2017: the maps of a convolution layer, each weighted by the mean of the
    score's derivative over it, are added, and what is negative is cut. Between the neurons it is
    interpolated linearly; beyond the outermost ones it is continued as it is.

    Parameters
    ----------
    score
        What is explained.
    image
        Shape (row, col, channel).
    number
        Of the class.
    layer
        The convolution layer.
    centres
        The pixel, along rows and along columns, that each neuron of the layer is centred on;
        evenly spread over the image when None.
    """
    shown, maps, slope = score.at_convolution(layer, image, number)
    weights = slope.astype(np.float64).mean(axis=(0, 1))
    values = np.maximum(maps.astype(np.float64) @ weights, 0)
    for axis in (0, 1):
        side, count = image.shape[axis], values.shape[axis]
        at = (np.arange(count) + 0.5) * side / count - 0.5
        if centres is not None and len(centres[axis]) == count:
            at = np.asarray(centres[axis], dtype=np.float64)
        values = np.apply_along_axis(
            lambda line, at=at, side=side: np.interp(np.arange(side), at, line), axis, values
        )
    return Attribution("grad-cam", values, layer=shown)


def _change(score: ScoreFunction, image: np.ndarray, number: int, baseline: np.ndarray) -> float:
    at, before = score.of(np.stack([image, baseline]), number).astype(np.float64)
    return float(at - before)


def _refuse_other_shape(image: np.ndarray, baseline: np.ndarray) -> None:
    if image.ndim != 3 or image.shape != baseline.shape:
        raise StriateError(
            f"image {image.shape} and baseline {baseline.shape} must both have the shape "
            "(row, col, channel)"
        )
