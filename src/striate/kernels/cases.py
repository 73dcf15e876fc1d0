"""Tables of convolutions, poolings and products of matrices: each shape is tested and benchmarked.

The layers of the lecture networks and of the jet networks, and shapes that are hard for a kernel:
odd ones, ones smaller than a vector, kernels as large as the image, single images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from striate.kernels.fusion import Fusion
from striate.kernels.geometry import Geometry, Pair, same_padding


def _rounding(terms: float) -> float:
    """Return eight standard deviations of a random walk of the rounding errors of a sum."""
    return 8 * float(np.finfo(np.float32).eps) * max(4.0, terms)


@dataclass(frozen=True)
class Case:
    """One convolution and what follows it.

    Attributes
    ----------
    name
        Network and layer, or what is hard.
    images, image, channels
        Batch, (rows, columns), channels in.
    window, filters
        Size of the kernel, (rows, columns), and channels out.
    geometry, fusion
        Where windows lie, and what follows.
    measured
        Whether benchmarks measure it: a layer that somebody trains.
    """

    name: str
    images: int
    image: Pair
    channels: int
    window: Pair
    filters: int
    geometry: Geometry = Geometry()  # noqa: RUF009 - frozen
    fusion: Fusion = Fusion()  # noqa: RUF009 - frozen
    measured: bool = False

    @property
    def convolved(self) -> Pair:
        """Rows and columns of the convolution, before pooling."""
        return self.geometry.output_size(self.image, self.window)

    @property
    def outputs(self) -> Pair:
        """Rows and columns of the result."""
        return self.fusion.output_size(self.convolved)

    @property
    def flops(self) -> int:
        """Operations of the convolution, a multiply-add counted as two, where a window needs it.

        Forward and each of the two gradients take as many.
        """
        pixels = math.prod(self.outputs) * math.prod(self.fusion.window)
        return 2 * self.images * pixels * self._products * self.filters

    def tolerance(self, gradient: str = "none") -> float:
        """Return the largest difference from float64 mathematics that rounding explains.

        For standard normal operands; `gradient` is "none", "input" or "kernel". Eight standard
        deviations of a random walk of the sum's rounding errors.
        """
        pixels = self.images * math.prod(self.convolved)
        terms = {
            "none": self._products,
            "input": math.prod(self.window) * self.filters,
            "kernel": pixels,
        }[gradient]
        return _rounding(terms)

    @property
    def _products(self) -> int:
        return math.prod(self.window) * self.channels


@dataclass(frozen=True)
class PoolingCase:
    """One pooling that stands alone.

    Attributes
    ----------
    name
        What somebody trains, or what is hard.
    kind, images, image, channels
        Maximum or average, batch, (rows, columns), channels.
    window, geometry
        Size of the window, (rows, columns), and where windows lie.
    measured
        Whether benchmarks measure it.
    """

    name: str
    kind: Literal["max", "average"]
    images: int
    image: Pair
    channels: int
    window: Pair
    geometry: Geometry
    measured: bool = False

    @property
    def outputs(self) -> Pair:
        """Rows and columns of the result."""
        return self.geometry.output_size(self.image, self.window)

    @property
    def moved_bytes(self) -> int:
        """Bytes of the images, the result, and what of positions a maximum keeps; each once.

        Forward reads the former and writes the latter, backward the other way round.
        """
        result = math.prod(self.outputs) * (5 if self.kind == "max" else 4)
        return self.images * self.channels * (4 * math.prod(self.image) + result)

    @property
    def tolerance(self) -> float:
        """The largest difference from float64 mathematics that rounding explains.

        Values and gradients, for standard normal operands; as `Case.tolerance`.
        """
        return _rounding(math.prod(self.window))


@dataclass(frozen=True)
class ProductCase:
    """One product of matrices: (rows, inner) times (inner, columns).

    Of a dense layer these are images, channels and units; its two gradients are the products of
    the same three numbers in the other orders.

    Attributes
    ----------
    name
        Network and layer, or what is hard.
    rows, inner, columns
        The sizes.
    measured
        Whether benchmarks measure it: a layer that somebody trains.
    """

    name: str
    rows: int
    inner: int
    columns: int
    measured: bool = False

    @property
    def flops(self) -> int:
        """Operations, a multiply-add counted as two; each gradient takes as many."""
        return 2 * self.rows * self.inner * self.columns

    @property
    def tolerance(self) -> float:
        """The largest difference from float64 mathematics that rounding explains.

        For standard normal operands; as `Case.tolerance`.
        """
        return _rounding(self.inner)


PRODUCTS = (
    ProductCase("N1 dense", 64, 5408, 32, measured=True),
    ProductCase("N1 dense_1", 64, 32, 10),
    ProductCase("N10 dense", 32, 18432, 10, measured=True),
    ProductCase("N13 dense", 100, 90, 50, measured=True),
    ProductCase("N14 dense", 32, 1024, 64, measured=True),
    ProductCase("fashion dense", 128, 784, 512, measured=True),
    ProductCase("one row", 1, 1030, 33),
    ProductCase("one column", 37, 41, 1),
    ProductCase("one number", 1, 1, 1),
    ProductCase("outer product", 29, 1, 70),
    ProductCase("odd sizes of a product", 61, 131, 47),
    ProductCase("primes, more than a block", 53, 1031, 67),
    ProductCase("whole vectors", 48, 256, 64),
    ProductCase("one more than whole vectors", 49, 257, 65),
    ProductCase("many columns", 7, 19, 1031),
    ProductCase("many rows", 1031, 17, 5),
)

_RELU = Fusion(relu=True)
_MAX = Fusion("max", (2, 2), relu=True)
_ODD = Geometry(stride=(2, 3), padding=((1, 2), (0, 3)), dilation=(2, 1))
_WIDE = Geometry(stride=(2, 2), padding=((2, 1), (3, 0)), dilation=(1, 2))


def _same(image: Pair, window: Pair, stride: Pair = (1, 1)) -> Geometry:
    return Geometry(stride=stride, padding=same_padding(image, window, stride))


CASES = (
    Case("N1 conv", 64, (28, 28), 1, (3, 3), 32, fusion=_MAX, measured=True),
    Case("N10 conv_1", 32, (28, 28), 1, (3, 3), 64, fusion=_RELU, measured=True),
    Case("N10 conv_2", 32, (26, 26), 64, (3, 3), 32, fusion=_RELU, measured=True),
    Case("N12 conv", 100, (8, 8), 1, (3, 3), 10, fusion=_MAX, measured=True),
    Case("N14 conv_1", 32, (32, 32), 3, (3, 3), 32, fusion=_MAX, measured=True),
    Case("N14 conv_2", 32, (15, 15), 32, (3, 3), 64, fusion=_MAX, measured=True),
    Case("N14 conv_3", 32, (6, 6), 64, (3, 3), 64, fusion=_RELU, measured=True),
    Case("jets 3x3", 64, (25, 25), 1, (3, 3), 32, fusion=_MAX, measured=True),
    Case("jets 5x5", 64, (25, 25), 1, (5, 5), 32, fusion=_MAX, measured=True),
    Case("jets same", 8, (25, 25), 3, (3, 3), 16, _same((25, 25), (3, 3)), _RELU),
    Case("one image", 1, (28, 28), 1, (3, 3), 32, fusion=_MAX),
    Case("one large image", 1, (95, 131), 3, (3, 3), 20, fusion=_RELU),
    Case("one pixel", 1, (1, 1), 1, (1, 1), 1),
    Case("one filter", 3, (9, 7), 5, (3, 2), 1, fusion=_RELU),
    Case("1x1 kernel", 4, (7, 9), 19, (1, 1), 23, fusion=_RELU),
    Case("kernel as large as the image", 3, (6, 5), 4, (6, 5), 7, fusion=_RELU),
    Case("odd sizes", 3, (13, 11), 7, (3, 5), 17, fusion=_MAX),
    Case("even kernel", 2, (10, 12), 3, (4, 2), 33, _same((10, 12), (4, 2)), _MAX),
    Case("linear", 2, (9, 9), 2, (3, 3), 31),
    Case("maximum of linear", 2, (9, 9), 2, (3, 3), 5, fusion=Fusion("max", (2, 2))),
    Case("window 3x2", 2, (12, 11), 3, (2, 2), 40, fusion=Fusion("max", (3, 2), relu=True)),
    Case("window 1x4", 2, (3, 21), 3, (2, 2), 18, fusion=Fusion("max", (1, 4), relu=True)),
    Case("window 2x3 of one channel", 3, (15, 27), 1, (3, 4), 20, _WIDE, Fusion("max", (2, 3))),
    Case("average", 2, (11, 10), 3, (3, 3), 34, fusion=Fusion("average", (2, 2), relu=True)),
    Case("average of linear", 2, (14, 13), 2, (3, 3), 6, fusion=Fusion("average", (3, 3))),
    Case("stride", 3, (15, 14), 3, (3, 3), 16, Geometry(stride=(2, 2)), _RELU),
    Case("stride beyond the kernel", 2, (14, 13), 2, (2, 1), 9, Geometry(stride=(3, 4)), _RELU),
    Case("stride and same", 2, (15, 14), 5, (5, 3), 24, _same((15, 14), (5, 3), (2, 3)), _MAX),
    Case("dilation", 2, (17, 16), 3, (3, 3), 20, Geometry(dilation=(2, 3)), _RELU),
    Case("everything", 3, (16, 17), 5, (3, 4), 21, _ODD, _MAX),
    Case("padding beyond the kernel", 2, (5, 4), 2, (2, 2), 3, Geometry(padding=((3, 4), (5, 3)))),
    Case("a sequence", 4, (1, 40), 3, (1, 5), 12, fusion=Fusion("max", (1, 2), relu=True)),
    Case("causal", 2, (1, 19), 4, (1, 3), 8, Geometry(padding=((0, 0), (4, 0)), dilation=(1, 2))),
    Case("many channels", 2, (6, 6), 130, (3, 3), 70, fusion=_RELU),
    Case("tiles, one large image", 1, (95, 131), 17, (3, 3), 20, _same((95, 131), (3, 3)), _RELU),
    Case("tiles, odd and pooled", 5, (14, 13), 19, (3, 3), 35, fusion=_MAX),
    Case("tiles, odd and linear", 3, (9, 8), 16, (3, 3), 16),
    Case("tiles of an average", 2, (12, 13), 33, (3, 3), 18, fusion=Fusion("average", (2, 2))),
    Case("tiles under a wide maximum", 2, (12, 18), 16, (3, 3), 17, fusion=Fusion("max", (3, 4))),
    Case("tiles, padded beyond", 2, (6, 5), 18, (3, 3), 21, Geometry(padding=((4, 3), (3, 5)))),
    Case("tiles that drop pixels", 2, (12, 11), 16, (3, 3), 16, fusion=Fusion("max", (7, 6))),
    Case("tiles of many small images", 60, (4, 5), 24, (3, 3), 31, fusion=_RELU),
)


def _pooled(
    name: str,
    kind: Literal["max", "average"],
    images: tuple[int, int, int, int],
    window: Pair,
    stride: Pair,
    *,
    same: bool = False,
    measured: bool = False,
) -> PoolingCase:
    n, rows, columns, channels = images
    placed = _same((rows, columns), window, stride) if same else Geometry(stride)
    return PoolingCase(name, kind, n, (rows, columns), channels, window, placed, measured)


POOLINGS = (
    _pooled("max 2x2", "max", (64, 26, 26, 32), (2, 2), (2, 2), measured=True),
    _pooled("max 3x3 of 64", "max", (8, 56, 56, 64), (3, 3), (2, 2), same=True, measured=True),
    _pooled("max 3x3 of 32", "max", (64, 32, 32, 32), (3, 3), (2, 2), same=True, measured=True),
    _pooled("max 3x3 of all", "max", (16, 28, 28, 64), (3, 3), (1, 1), same=True, measured=True),
    _pooled("max of ten", "max", (100, 8, 8, 10), (2, 2), (2, 2), measured=True),
    _pooled("average 2x2", "average", (64, 26, 26, 32), (2, 2), (2, 2), measured=True),
    _pooled(
        "average 3x3", "average", (64, 32, 32, 32), (3, 3), (2, 2), same=True, measured=True
    ),
    _pooled("average of jets", "average", (256, 50, 50, 1), (2, 2), (2, 2), measured=True),
    _pooled("average of all", "average", (32, 8, 8, 64), (8, 8), (8, 8), measured=True),
    _pooled("max of colours", "max", (3, 33, 31, 3), (3, 3), (2, 2), same=True),
    _pooled("max of one channel", "max", (5, 29, 30, 1), (3, 3), (2, 2), same=True),
    _pooled("max by threes", "max", (2, 20, 31, 1), (2, 3), (2, 3)),
    _pooled("max by fives", "max", (2, 12, 33, 1), (3, 4), (2, 5), same=True),
    _pooled("max of 17", "max", (3, 9, 10, 17), (2, 3), (1, 2), same=True),
    _pooled("max of 130", "max", (2, 7, 6, 130), (3, 2), (2, 1)),
    _pooled("max of a pixel", "max", (3, 1, 1, 1), (1, 1), (1, 1)),
    _pooled("max of an image", "max", (4, 16, 16, 5), (16, 16), (16, 16)),
    _pooled("max beyond the window", "max", (2, 14, 13, 6), (2, 1), (3, 4)),
    _pooled("max in a sequence", "max", (4, 1, 41, 12), (1, 3), (1, 2), same=True),
    _pooled("average of colours", "average", (3, 33, 31, 3), (3, 3), (2, 2), same=True),
    _pooled("average of 17", "average", (2, 9, 10, 17), (5, 4), (2, 3), same=True),
    _pooled("average beyond the window", "average", (2, 11, 14, 1), (1, 2), (2, 5)),
    _pooled("average of a large window", "average", (1, 40, 30, 2), (20, 17), (1, 1), same=True),
    PoolingCase("max, dilated", "max", 2, (17, 16), 7, (3, 2), _ODD),
    PoolingCase("average, dilated", "average", 2, (17, 16), 7, (3, 2), _ODD),
    PoolingCase(
        "max, a window larger than the image", "max", 2, (2, 3), 3, (4, 5),
        Geometry(padding=((1, 2), (3, 2))),
    ),
    PoolingCase("max, one large image", "max", 1, (130, 131), 40, (3, 3), Geometry((2, 2))),
)  # fmt: skip
