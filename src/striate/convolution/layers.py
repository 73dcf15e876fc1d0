"""What a stack of layers sees and holds: receptive fields and parameters, by arithmetic alone.

`striate.models` says the same of a Keras model; here each layer is its few numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from striate.convolution.arguments import Padding, PerAxis, per_axis, whole
from striate.convolution.arithmetic import extent, output_size, padding_for
from striate.errors import StriateError


@dataclass(frozen=True)
class Convolution:
    """A convolution layer: `filters` kernels, each with a bias.

    Attributes
    ----------
    kernel
        Size of the kernels; here and below one number, or one for each axis.
    filters
        How many kernels there are, each giving one feature map.
    stride
        Step of the kernels.
    padding
        As in `output_size`; here also ``"same"`` and the other names.
    dilation
        Distance between the taps.
    """

    kernel: PerAxis
    filters: int = 1
    stride: PerAxis = 1
    padding: Padding = 0
    dilation: PerAxis = 1


@dataclass(frozen=True)
class Pooling:
    """A pooling layer, which has no parameters.

    Attributes
    ----------
    window
        Size of the window; one number, or one for each axis.
    stride
        Step of the window; its own size when None.
    padding
        As in `output_size`.
    """

    window: PerAxis = 2
    stride: PerAxis | None = None
    padding: Padding = 0


Layer = Convolution | Pooling | int
"""An int is a dense layer of so many neurons."""


@dataclass(frozen=True)
class ReceptiveField:
    """Which input pixels the neurons of one layer see.

    Attributes
    ----------
    size
        Pixels along each axis that one neuron sees; near the border some of them are padding.
    jump
        Pixels between the fields of neighbours; 0 for dense layers, of which all see the same.
    start
        First pixel that the first neuron sees; negative where it sees padding.
    count
        Neurons along each axis; 1 for dense layers.
    sides
        Size of the image.
    """

    size: tuple[int, ...]
    jump: tuple[int, ...]
    start: tuple[int, ...]
    count: tuple[int, ...]
    sides: tuple[int, ...]

    def pixels(self, index: PerAxis) -> tuple[range, ...]:
        """Return the pixels of the image that one neuron sees, a range for each axis.

        Parameters
        ----------
        index
            Of the neuron: (row, column, ...).

        Raises
        ------
        StriateError
            If there is no such neuron.
        """
        places = per_axis(index, len(self.sides), "index", least=0)
        if any(at >= count for at, count in zip(places, self.count, strict=True)):
            raise StriateError(f"there is no neuron {places}: the layer has {self.count}")
        firsts = [
            start + at * jump for start, at, jump in zip(self.start, places, self.jump, strict=True)
        ]
        return tuple(
            range(max(first, 0), max(min(first + size, side), 0))
            for first, size, side in zip(firsts, self.size, self.sides, strict=True)
        )


def receptive_field(sides: PerAxis, *layers: Layer) -> tuple[ReceptiveField, ...]:
    """Return what the neurons of each layer see of the image, layer by layer.

    A layer of kernel k, stride s and dilation d upon one whose neurons see f pixels, at distances
    of j, gives

        f' = f + d (k - 1) j,     j' = s j.

    Parameters
    ----------
    sides
        Size of the image along each axis, without its channels; a single number is one axis.
    layers
        `Convolution`, `Pooling`, or a number of dense neurons, which see the whole image (strictly,
        all that the layer below sees).

    Returns
    -------
    tuple of ReceptiveField
        One for each layer.

    Raises
    ------
    StriateError
        If no output of a layer remains, or a convolution follows a dense layer.

    Examples
    --------
    >>> for field in receptive_field((28, 28), Convolution(3), Pooling(2), Convolution(3)):
    ...     print(field.size, field.jump, field.pixels((1, 1)))
    (3, 3) (1, 1) (range(1, 4), range(1, 4))
    (4, 4) (2, 2) (range(2, 6), range(2, 6))
    (8, 8) (2, 2) (range(2, 10), range(2, 10))
    """
    image = _shape(sides)
    axes = len(image)
    seen = ReceptiveField((1,) * axes, (1,) * axes, (0,) * axes, image, image)
    fields = []
    for number, layer in enumerate(layers, 1):
        if isinstance(layer, Convolution | Pooling):
            _require_image(number, dense=number > 1 and isinstance(layers[number - 2], int))
            seen = _through(seen, layer)
        else:
            whole(layer, f"layer {number}: neurons", 1)
            seen = _whole(seen)
        fields.append(seen)
    return tuple(fields)


def count_parameters(inputs: PerAxis, *layers: Layer, bias: bool = True) -> int:
    """Return how many weights and biases a network has.

    A dense layer of n neurons upon m inputs has n (m + 1); a convolution of f kernels, k x k, upon
    c channels has f (k k c + 1), however large the image.

    Parameters
    ----------
    inputs
        Shape of the input. Before a convolution or a pooling its last axis is the channels,
        (row, column, channel); dense layers flatten it.
    layers
        `Convolution`, `Pooling`, or a number of dense neurons.
    bias
        Whether each neuron and each kernel has a bias.

    Returns
    -------
    int
        The sum over all layers.

    Raises
    ------
    StriateError
        If no output of a layer remains, or a convolution follows a dense layer.

    Examples
    --------
    A dense network of the NTHU lecture, and one with a convolution:

    >>> count_parameters(784, 30, 10)
    23860
    >>> count_parameters((28, 28, 1), Convolution(3, 32), Pooling(2), 32, 10)
    173738
    """
    shape = _shape(inputs)
    total = 0
    for number, layer in enumerate(layers, 1):
        if isinstance(layer, Convolution | Pooling):
            _require_image(number, dense=len(shape) < 2)
            sides, channels = shape[:-1], shape[-1]
            kernel, stride, padding, dilation = _numbers(layer, len(sides))
            outputs = output_size(sides, kernel, stride, padding, dilation)
            if isinstance(layer, Convolution):
                filters = whole(layer.filters, f"layer {number}: filters", 1)
                total += filters * (math.prod(kernel) * channels + bias)
                channels = filters
            shape = (*outputs, channels)
        else:
            neurons = whole(layer, f"layer {number}: neurons", 1)
            total += neurons * (math.prod(shape) + bias)
            shape = (neurons,)
    return total


def _shape(sides: PerAxis) -> tuple[int, ...]:
    axes = len(sides) if isinstance(sides, Sequence) else 1
    return per_axis(sides, axes, "image size")


def _require_image(number: int, *, dense: bool) -> None:
    if dense:
        raise StriateError(
            f"layer {number} needs rows, columns and channels, but its input is flat: put it before"
            " the dense layers"
        )


def _numbers(
    layer: Convolution | Pooling, axes: int
) -> tuple[tuple[int, ...], tuple[int, ...], Padding, tuple[int, ...]]:
    """Return kernel, stride, padding and dilation of a layer, for each axis."""
    if isinstance(layer, Convolution):
        return (
            per_axis(layer.kernel, axes, "kernel size"),
            per_axis(layer.stride, axes, "stride"),
            layer.padding,
            per_axis(layer.dilation, axes, "dilation"),
        )
    window = per_axis(layer.window, axes, "window")
    step = window if layer.stride is None else per_axis(layer.stride, axes, "stride")
    return window, step, layer.padding, (1,) * axes


def _through(seen: ReceptiveField, layer: Convolution | Pooling) -> ReceptiveField:
    """Return what neurons see that look at neurons through a window."""
    kernel, stride, padding, dilation = _numbers(layer, len(seen.sides))
    pads = padding_for(seen.count, kernel, stride, padding, dilation)
    spans = [extent(k, d) for k, d in zip(kernel, dilation, strict=True)]
    return ReceptiveField(
        tuple(f + (e - 1) * j for f, e, j in zip(seen.size, spans, seen.jump, strict=True)),
        tuple(s * j for s, j in zip(stride, seen.jump, strict=True)),
        tuple(
            start - before * j
            for start, (before, _), j in zip(seen.start, pads, seen.jump, strict=True)
        ),
        output_size(seen.count, kernel, stride, pads, dilation),
        seen.sides,
    )


def _whole(seen: ReceptiveField) -> ReceptiveField:
    """Return what a neuron sees that is connected with all of these."""
    size = tuple(
        f + (count - 1) * j for f, count, j in zip(seen.size, seen.count, seen.jump, strict=True)
    )
    axes = len(seen.sides)
    return ReceptiveField(size, (0,) * axes, seen.start, (1,) * axes, seen.sides)
