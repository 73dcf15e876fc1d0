"""Where the windows of a convolution or a pooling lie, in two dimensions."""

from __future__ import annotations

from dataclasses import dataclass

Pair = tuple[int, int]


@dataclass(frozen=True)
class Geometry:
    """Stride, zero padding and dilation of a window that slides over rows and columns.

    Attributes
    ----------
    stride
        Step of the window in pixels, (rows, columns).
    padding
        Pixels added on each side, ((top, bottom), (left, right)).
    dilation
        Distance between the taps of the window, (rows, columns).
    groups
        Number of groups of channels that a convolution keeps apart.
    """

    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1

    def output_size(self, image: Pair, window: Pair) -> Pair:
        """Return the number of window positions, (rows, columns).

        Raises
        ------
        ValueError
            If the window does not fit into the padded image.
        """
        sizes = []
        for axis, name in enumerate(("rows", "columns")):
            room = image[axis] + sum(self.padding[axis]) - extent(window[axis], self.dilation[axis])
            if room < 0:
                raise ValueError(
                    f"no output remains: {name} {image[axis]} with padding {self.padding[axis]} "
                    f"are fewer than the {extent(window[axis], self.dilation[axis])} "
                    "that the window spans"
                )
            sizes.append(room // self.stride[axis] + 1)
        return sizes[0], sizes[1]

    @property
    def padded(self) -> bool:
        """Whether any pixel is added."""
        return self.padding != ((0, 0), (0, 0))

    def tiles(self, window: Pair) -> bool:
        """Whether windows of this size touch without overlap, gaps or padding."""
        return self.stride == window and self.dilation == (1, 1) and not self.padded


def extent(window: int, dilation: int) -> int:
    """Return how many pixels a dilated window spans."""
    return (window - 1) * dilation + 1


def same_padding(
    image: Pair, window: Pair, stride: Pair, dilation: Pair = (1, 1)
) -> tuple[Pair, Pair]:
    """Return the padding that gives ceil(image / stride) outputs, the odd pixel at the end.

    This is what Keras, TensorFlow and XLA call "same".
    """
    pads = []
    for axis in (0, 1):
        outputs = -(-image[axis] // stride[axis])
        needed = (outputs - 1) * stride[axis] + extent(window[axis], dilation[axis]) - image[axis]
        total = max(needed, 0)
        pads.append((total // 2, total - total // 2))
    return pads[0], pads[1]
