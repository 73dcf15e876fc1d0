"""A kernel on its way over an image: what is multiplied and added at each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.convolution import Step, padded, padding_for, steps
from striate.convolution.arguments import Padding, PerAxis
from striate.errors import StriateError

MOST_PIXELS = 40
"""Longest side of an image, its padding included, that is drawn in cells."""

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Motion:
    """How the window moves, and what is added to each sum.

    Attributes
    ----------
    bias
        A number.
    stride, padding, dilation
        As in `striate.convolution.output_size`.
    flip
        Whether the kernel is turned by half a turn: a convolution, not a cross-correlation.
    """

    bias: float = 0
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1
    flip: bool = False

    def __str__(self) -> str:
        values = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        return ", ".join(f"{name} {_plain(value)}" for name, value in values.items())


@dataclass(eq=False)
class Window:
    """A kernel on its way over an image, all of its steps computed.

    Attributes
    ----------
    image
        (row, column), or (row, column, channel).
    kernel
        Likewise, one layer for each channel; in colour, a kernel without layers counts for each.
    motion
        How it moves.
    steps
        One for each output.

    Raises
    ------
    StriateError
        If shapes do not fit, no output remains, or the image is too large to be drawn in cells.
    """

    image: Values
    kernel: Values
    motion: Motion = field(default_factory=Motion)
    steps: tuple[Step, ...] = field(init=False)

    def __post_init__(self) -> None:
        if self.image.ndim == 3 and self.kernel.ndim == 2:
            self.kernel = np.repeat(self.kernel[..., None], self.image.shape[2], axis=2)
        # The size is looked at before anything is computed of a picture that is too large for it.
        rows, columns = self.image.shape[:2]
        if max(rows, columns) <= MOST_PIXELS and self.image.ndim == self.kernel.ndim:
            rows, columns = self.surrounded.shape[1:]
        if max(rows, columns) > MOST_PIXELS:
            raise StriateError(
                f"{rows} x {columns} pixels, with padding, are too many to be drawn in cells: "
                f"shrink the image to {MOST_PIXELS} or fewer, as --shrink 28 does"
            )
        moved = self.motion
        self.steps = tuple(
            steps(
                self.image,
                self.kernel,
                moved.bias,
                moved.stride,
                moved.padding,
                moved.dilation,
                flip=moved.flip,
            )
        )

    @property
    def channels(self) -> int:
        """How many layers image and kernel have."""
        return 1 if self.image.ndim == 2 else self.image.shape[2]

    @property
    def taps(self) -> tuple[int, int]:
        """Rows and columns of the kernel."""
        rows, columns = self.kernel.shape[:2]
        return rows, columns

    @property
    def laid(self) -> Values:
        """The kernel as it is laid over the image."""
        return self.kernel[::-1, ::-1] if self.motion.flip else self.kernel

    @property
    def feature_map(self) -> Values:
        """All outputs."""
        return self.steps[-1].output_map

    @property
    def surrounded(self) -> Values:
        """The image with its padding, (channel, row, column)."""
        return layers(padded(self.image, self._sides, channels=self.image.ndim == 3))

    @property
    def outside(self) -> npt.NDArray[np.bool_]:
        """Which pixels of it are padding, (row, column)."""
        inside = padded(np.ones(self.image.shape[:2], int), self._sides)
        return inside == 0

    @property
    def _sides(self) -> tuple[tuple[int, int], ...]:
        moved = self.motion
        return padding_for(
            self.image.shape[:2], self.taps, moved.stride, moved.padding, moved.dilation
        )


def layers(values: Values) -> Values:
    """Return (channel, row, column) of an array with its channels last, or with none."""
    return values[None] if values.ndim == 2 else np.moveaxis(values, -1, 0)


def _plain(value: object) -> str:
    return " x ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
