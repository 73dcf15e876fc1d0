"""Convolutions and poolings to test, and what they are by definition: loops in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from striate.kernels import Geometry

PLAIN = Geometry()
SAME = ((1, 1), (1, 1))


@dataclass(frozen=True)
class Case:
    """A convolution: images (n, row, column, channel), a kernel's window, and its filters."""

    images: tuple[int, int, int, int]
    window: tuple[int, int]
    filters: int
    geometry: Geometry = PLAIN
    method: str = "patches"
    blocks: int = 1
    """How many blocks of images the reference takes."""

    @property
    def kernel(self) -> tuple[int, int, int, int]:
        return (*self.window, self.images[3] // self.geometry.groups, self.filters)

    @property
    def outputs(self) -> tuple[int, int, int, int]:
        size = self.geometry.output_size(self.images[1:3], self.window)
        return (self.images[0], *size, self.filters)


CASES = {
    # The convolutions of the lecture networks.
    "heidelberg": Case((3, 28, 28, 1), (3, 3), 32),
    "isgc first": Case((2, 28, 28, 1), (3, 3), 64),
    "isgc second": Case((2, 26, 26, 64), (3, 3), 32),
    "oslo digits": Case((7, 8, 8, 1), (3, 3), 10, Geometry(padding=SAME)),
    "cifar first": Case((2, 32, 32, 3), (3, 3), 32),
    "cifar second": Case((3, 15, 15, 32), (3, 3), 64),
    "cifar third": Case((5, 6, 6, 64), (3, 3), 64),
    "jet images": Case((2, 25, 25, 1), (3, 3), 32),
    # Blocks: of several images, of one because their number is prime, and of none at all.
    "blocks of five": Case((10, 26, 26, 64), (3, 3), 8, blocks=2),
    "blocks and a rest": Case((13, 26, 26, 64), (3, 3), 4, blocks=3),
    "shifts in blocks": Case(
        (10, 24, 24, 128), (3, 3), 4, Geometry(padding=SAME, groups=2), "shifts", 2
    ),
    "an image beyond a block": Case((2, 33, 32, 256), (3, 3), 2, method="shifts", blocks=2),
    # Borders of what a window may be.
    "one pixel out": Case((3, 5, 4, 2), (5, 4), 3),
    "one pixel in": Case((3, 1, 1, 5), (1, 1), 7),
    "1x1 kernel": Case((3, 6, 5, 4), (1, 1), 6),
    "kernel beyond the image": Case((2, 3, 3, 2), (5, 5), 2, Geometry(padding=((1, 1), (2, 2)))),
    "even kernel": Case((2, 7, 8, 3), (2, 4), 5),
    "row kernel": Case((2, 6, 9, 2), (1, 5), 3),
    "uneven padding": Case((2, 6, 7, 2), (4, 2), 3, Geometry(padding=((0, 3), (2, 1)))),
    "one image, one filter": Case((1, 9, 9, 3), (3, 3), 1),
    "prime batch": Case((13, 6, 6, 2), (3, 3), 5),
    # Strides leave pixels behind, dilations leave gaps.
    "stride": Case((2, 10, 9, 3), (3, 2), 4, Geometry((2, 3))),
    "stride beyond the kernel": Case((2, 11, 8, 2), (2, 1), 3, Geometry((4, 3))),
    "stride and padding": Case((3, 8, 7, 2), (3, 3), 4, Geometry((2, 2), SAME)),
    "dilation": Case((2, 11, 9, 3), (3, 3), 2, Geometry(dilation=(2, 3))),
    "stride, padding and dilation": Case(
        (2, 12, 9, 2), (3, 2), 3, Geometry((2, 1), ((1, 2), (0, 1)), (2, 3))
    ),
    "one channel, all of it": Case((2, 9, 9, 1), (3, 3), 4, Geometry((2, 2), SAME, (1, 2))),
    # Groups.
    "groups": Case((3, 7, 6, 6), (3, 2), 8, Geometry(groups=2), "shifts"),
    "grouped stride": Case((2, 9, 8, 4), (3, 3), 6, Geometry((2, 2), SAME, groups=2), "shifts"),
    "depthwise": Case((2, 7, 7, 5), (3, 3), 5, Geometry(groups=5), "shifts"),
    "depthwise, multiplier 3": Case((2, 7, 6, 4), (3, 3), 12, Geometry(groups=4), "shifts"),
}


class Definition:
    """Each op as its formula says, one window after the other, in NumPy and float64."""

    @staticmethod
    def windows(image: tuple[int, int], window: tuple[int, int], geometry: Geometry) -> Any:
        """Yield (output row, output column, slices of the padded image) of each window."""
        rows, columns = geometry.output_size(image, window)
        for row in range(rows):
            for column in range(columns):
                yield (
                    row,
                    column,
                    tuple(
                        slice(
                            at * geometry.stride[axis],
                            at * geometry.stride[axis]
                            + (window[axis] - 1) * geometry.dilation[axis]
                            + 1,
                            geometry.dilation[axis],
                        )
                        for axis, at in enumerate((row, column))
                    ),
                )

    @staticmethod
    def padded(x: np.ndarray, geometry: Geometry, value: float = 0.0) -> np.ndarray:
        return np.pad(
            x.astype(np.float64), ((0, 0), *geometry.padding, (0, 0)), constant_values=value
        )

    @staticmethod
    def cropped(x: np.ndarray, geometry: Geometry) -> np.ndarray:
        (top, bottom), (left, right) = geometry.padding
        return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]

    @staticmethod
    def of_groups(geometry: Geometry, channels: int, filters: int) -> Any:
        """Yield the channels and the filters of each group."""
        ins, outs = channels // geometry.groups, filters // geometry.groups
        for group in range(geometry.groups):
            yield slice(group * ins, (group + 1) * ins), slice(group * outs, (group + 1) * outs)

    def conv2d(self, x: np.ndarray, kernel: np.ndarray, geometry: Geometry) -> np.ndarray:
        window, filters = kernel.shape[:2], kernel.shape[3]
        y = np.zeros((len(x), *geometry.output_size(x.shape[1:3], window), filters))
        padded, kernel = self.padded(x, geometry), kernel.astype(np.float64)
        for row, column, seen in self.windows(x.shape[1:3], window, geometry):
            for ins, outs in self.of_groups(geometry, x.shape[3], filters):
                y[:, row, column, outs] = np.tensordot(
                    padded[:, *seen, ins], kernel[..., outs], axes=3
                )
        return y

    def conv2d_input(
        self, gradient: np.ndarray, kernel: np.ndarray, geometry: Geometry, image: tuple[int, int]
    ) -> np.ndarray:
        window, filters = kernel.shape[:2], kernel.shape[3]
        channels = kernel.shape[2] * geometry.groups
        x = self.padded(np.zeros((len(gradient), *image, channels)), geometry)
        gradient, kernel = gradient.astype(np.float64), kernel.astype(np.float64)
        for row, column, seen in self.windows(image, window, geometry):
            for ins, outs in self.of_groups(geometry, channels, filters):
                x[:, *seen, ins] += np.tensordot(
                    gradient[:, row, column, outs], kernel[..., outs], axes=((1,), (3,))
                )
        return self.cropped(x, geometry)

    def conv2d_kernel(
        self, x: np.ndarray, gradient: np.ndarray, geometry: Geometry, window: tuple[int, int]
    ) -> np.ndarray:
        channels, filters = x.shape[3], gradient.shape[3]
        kernel = np.zeros((*window, channels // geometry.groups, filters))
        padded, gradient = self.padded(x, geometry), gradient.astype(np.float64)
        for row, column, seen in self.windows(x.shape[1:3], window, geometry):
            for ins, outs in self.of_groups(geometry, channels, filters):
                kernel[..., outs] += np.tensordot(
                    padded[:, *seen, ins], gradient[:, row, column, outs], axes=((0,), (0,))
                )
        return kernel

    def max_pool2d(
        self, x: np.ndarray, window: tuple[int, int], geometry: Geometry
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return maxima and positions: of equal pixels, and with NaN, the first."""
        n, channels = len(x), x.shape[3]
        shape = (n, *geometry.output_size(x.shape[1:3], window), channels)
        y, positions = np.zeros(shape), np.zeros(shape, int)
        padded = self.padded(x, geometry, -np.inf)
        for row, column, seen in self.windows(x.shape[1:3], window, geometry):
            pixels = padded[:, *seen].reshape(n, -1, channels)
            y[:, row, column] = pixels.max(axis=1)
            winners = np.where(np.isnan(y[:, row, column]), 0, pixels.argmax(axis=1))
            positions[:, row, column] = winners
        return y, positions

    def max_pool2d_gradient(
        self, x: np.ndarray, gradient: np.ndarray, window: tuple[int, int], geometry: Geometry
    ) -> np.ndarray:
        _, positions = self.max_pool2d(x, window, geometry)
        to_x = np.zeros_like(self.padded(x, geometry))
        for row, column, seen in self.windows(x.shape[1:3], window, geometry):
            taken = to_x[:, *seen]
            for n, channel in np.ndindex(len(x), x.shape[3]):
                i, j = divmod(positions[n, row, column, channel], window[1])
                taken[n, i, j, channel] += gradient[n, row, column, channel]
        return self.cropped(to_x, geometry)

    def average_pool2d(
        self, x: np.ndarray, window: tuple[int, int], geometry: Geometry
    ) -> np.ndarray:
        y = np.zeros((len(x), *geometry.output_size(x.shape[1:3], window), x.shape[3]))
        padded = self.padded(x, geometry, np.nan)  # outside the image; the images have none
        for row, column, seen in self.windows(x.shape[1:3], window, geometry):
            y[:, row, column] = np.nanmean(padded[:, *seen], axis=(1, 2))
        return y

    def average_pool2d_gradient(
        self, gradient: np.ndarray, image: tuple[int, int], window: Any, geometry: Geometry
    ) -> np.ndarray:
        inside = self.padded(np.ones((1, *image, 1)), geometry)
        to_x = self.padded(np.zeros((len(gradient), *image, gradient.shape[3])), geometry)
        for row, column, seen in self.windows(image, window, geometry):
            share = inside[:, *seen] / inside[:, *seen].sum()
            to_x[:, *seen] += share * gradient[:, row : row + 1, column : column + 1]
        return self.cropped(to_x, geometry)


@pytest.fixture(scope="session")
def definition() -> Definition:
    return Definition()


@pytest.fixture(scope="session")
def whole_numbers() -> Any:
    """Random whole numbers as float32, so small that sums of products of them are exact."""

    def make(shape: tuple[int, ...], seed: int = 0, most: int = 3) -> np.ndarray:
        return np.random.default_rng(seed).integers(-most, most + 1, shape).astype(np.float32)

    return make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a `case` for each."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES.values(), ids=list(CASES))
