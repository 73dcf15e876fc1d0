"""Which input pixels a neuron sees: the arithmetic of receptive fields, one axis at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True)
class AxisView:
    """What the neurons along one axis of a layer see of the same axis of the input image.

    Neuron i sees the input pixels ``start + i * jump`` up to, not including,
    ``start + i * jump + field``. Padding lets the range reach beyond the image.

    Attributes
    ----------
    start
        First pixel that neuron 0 sees; negative where it sees padding.
    field
        How many pixels one neuron sees.
    jump
        How many pixels lie between neighbours; a fraction after upsampling.
    count
        How many neurons there are along the axis.
    """

    start: Fraction
    field: Fraction
    jump: Fraction
    count: int

    def window(self, kernel: int, stride: int, dilation: int, padding: int, count: int) -> AxisView:
        """Return the view through a sliding window of `kernel` neurons.

        Each of the `count` new neurons sees the pixels of ``dilation * (kernel - 1) + 1``
        neighbours, and starts `stride` neurons after the one before it; `padding` neurons of zeros
        stand before neuron 0.
        """
        return AxisView(
            self.start - padding * self.jump,
            self.field + dilation * (kernel - 1) * self.jump,
            self.jump * stride,
            count,
        )

    def spread(self, kernel: int, stride: int, padding: int, count: int) -> AxisView:
        """Return the view through a transposed window: `stride` new neurons for each old one.

        New neuron j takes from old neuron i the weight ``j + padding - stride * i``, so it sees
        at most ``ceil(kernel / stride)`` of them.
        """
        first = math.ceil(Fraction(padding - kernel + 1, stride))
        reach = math.ceil(Fraction(kernel, stride))
        return AxisView(
            self.start + first * self.jump,
            self.field + (reach - 1) * self.jump,
            self.jump / stride,
            count,
        )

    @property
    def centres(self) -> tuple[float, ...]:
        """The middle of what each neuron sees, as a position among the pixels; 0 is the first's."""
        middle = self.start + (self.field - 1) / 2
        return tuple(float(middle + i * self.jump) for i in range(self.count))

    def whole(self) -> AxisView:
        """Return the view of one neuron that sees what all of these see together."""
        return AxisView(self.start, self.field + (self.count - 1) * self.jump, Fraction(0), 1)


@dataclass(frozen=True)
class View:
    """What the neurons of a layer see of the input image, along each spatial axis.

    Attributes
    ----------
    axes
        One view a spatial axis.
    image
        The sides of the input image, in pixels.
    grid
        Whether the layer's outputs still lie on a grid of pixels; not so once flattened.
    """

    axes: tuple[AxisView, ...]
    image: tuple[int, ...]
    grid: bool = True

    @classmethod
    def of_image(cls, sides: Sequence[int]) -> View:
        """Return the view of the input itself: every pixel sees itself."""
        axes = tuple(AxisView(Fraction(0), Fraction(1), Fraction(1), side) for side in sides)
        return cls(axes, tuple(sides))

    def each(self, change: Callable[[int, AxisView], AxisView]) -> View:
        """Return the view with ``change(axis number, its view)`` in place of each axis."""
        axes = tuple(change(number, axis) for number, axis in enumerate(self.axes))
        return replace(self, axes=axes)

    def flattened(self) -> View:
        """Return the view of the same neurons in a row: each sees what it saw."""
        return replace(self, grid=False)

    def whole(self) -> View:
        """Return the view of a neuron that is connected with all of these."""
        return replace(self.each(lambda _, axis: axis.whole()), grid=False)

    def merged(self, other: View) -> View | None:
        """Return the view of neurons that see what this one and `other` see; None if unknown.

        What comes from an input that is no image adds nothing. On a grid both must step alike;
        off it the union is that of all neurons.
        """
        if not other.image:
            return self
        if not self.image:
            return other
        if self.image != other.image or self.grid != other.grid:
            return None
        one, two = (self, other) if self.grid else (self.whole(), other.whole())
        if any(a.jump != b.jump for a, b in zip(one.axes, two.axes, strict=True)):
            return None

        def union(number: int, axis: AxisView) -> AxisView:
            also = two.axes[number]
            start = min(axis.start, also.start)
            end = max(axis.start + axis.field, also.start + also.field)
            return replace(axis, start=start, field=end - start)

        return one.each(union)

    @property
    def untouched(self) -> bool:
        """Whether this is the view of the input itself."""
        return self == View.of_image(self.image)

    @property
    def receptive_field(self) -> tuple[int, ...] | None:
        """Pixels along each axis that a neuron far from the border sees; None without an image.

        Never more than the image has. A neuron that is connected with a whole layer is one of a
        kind, and of it the pixels are counted exactly.
        """
        if not self.image:
            return None
        sizes = []
        for axis, side in zip(self.axes, self.image, strict=True):
            seen = axis.field
            if axis.count == 1:
                seen = min(axis.start + axis.field, Fraction(side)) - max(axis.start, Fraction(0))
            sizes.append(min(math.ceil(seen), side))
        return tuple(sizes)

    @property
    def jump(self) -> tuple[float, ...] | None:
        """Pixels between neighbours along each axis; None once flattened."""
        if not self.grid or not self.image:
            return None
        return tuple(
            axis.jump.numerator if axis.jump.denominator == 1 else float(axis.jump)
            for axis in self.axes
        )
