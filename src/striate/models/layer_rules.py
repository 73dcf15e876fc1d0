"""What each kind of Keras layer costs (FLOPs) and what it sees (its view of the input image)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras import layers

from striate.models.receptive import AxisView, View

Shape = tuple[int | None, ...]
"""Without the batch axis; None where a side is not known."""

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_POOLING = (
    *(layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D),
    *(layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D),
)
_GLOBAL_POOLING = (
    *(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D),
    *(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D),
)
_ZERO_PADDING = (layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
_CROPPING = (layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)
_UPSAMPLING = (layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D)
_SHAPES_ONLY = (layers.Flatten, layers.Reshape, *_ZERO_PADDING, *_CROPPING, layers.Concatenate)
_FREE = (
    *(layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.PReLU, layers.Softmax),
    *(layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D),
    *(layers.GaussianDropout, layers.GaussianNoise, layers.AlphaDropout, layers.Identity),
    *(layers.ActivityRegularization,),
)
_SCALING = (layers.BatchNormalization, layers.Rescaling)
_MERGING = (
    *(layers.Add, layers.Subtract, layers.Multiply, layers.Average),
    *(layers.Maximum, layers.Minimum),
)
# Operations of keras.ops that stand in a graph in place of layers, as `x + y` does.
_FREE_OPERATIONS = frozenset({"Relu", "Relu6", "Sigmoid", "Tanh", "Softmax", "Gelu", "Silu", "Elu"})
_MERGING_OPERATIONS = frozenset({"Add", "Subtract", "Multiply", "Maximum", "Minimum"})


def flops(layer: Any, inputs: Sequence[Shape], output: Shape) -> int | None:
    """Return the floating-point operations of a layer for one image, forward; None if unknown.

    A multiplication with the addition that follows it counts 2, and a bias is where the sum
    starts, so a dense layer or a convolution costs 2 a weight and output pixel; the weights that
    meet zero padding are counted. Pooling costs 1 a pixel of each window, batch normalisation and
    rescaling 2 a value, a sum or product of branches 1 a value and branch beyond the first.
    Activation functions, dropout and changes of shape cost nothing.
    """
    if any(side is None for shape in (*inputs, output) for side in shape):
        return None
    values = _size(output)
    pixels = _size(_sides(layer, output))
    channels = _channels(layer, inputs[0])
    if isinstance(layer, _CONVOLUTIONS):
        return 2 * math.prod(layer.kernel_size) * channels // layer.groups * values
    if isinstance(layer, _TRANSPOSED):
        weights = math.prod(layer.kernel_size) * channels * layer.filters
        return 2 * weights * _size(_sides(layer, inputs[0]))
    if isinstance(layer, _DEPTHWISE):
        return 2 * math.prod(layer.kernel_size) * values
    if isinstance(layer, _SEPARABLE):
        between = channels * layer.depth_multiplier
        return 2 * between * pixels * (math.prod(layer.kernel_size) + layer.filters)
    if isinstance(layer, layers.Dense):
        return 2 * _size(inputs[0][-1:]) * values
    if isinstance(layer, _POOLING):
        return math.prod(_per_axis(layer.pool_size, len(output) - 1)) * values
    if isinstance(layer, _GLOBAL_POOLING):
        return _size(inputs[0])
    if isinstance(layer, _SCALING):
        return 2 * values
    if isinstance(layer, _MERGING) or _is_operation(layer, _MERGING_OPERATIONS):
        return max(1, len(inputs) - 1) * values
    if isinstance(layer, (*_FREE, *_SHAPES_ONLY, *_UPSAMPLING)):
        return 0 if getattr(layer, "interpolation", "nearest") == "nearest" else None
    return 0 if _is_operation(layer, _FREE_OPERATIONS) else None


def view_through(
    layer: Any, views: Sequence[View], inputs: Sequence[Shape], output: Shape
) -> View | None:
    """Return what the neurons of a layer see, given what those before it see; None if unknown."""
    if isinstance(layer, (*_MERGING, layers.Concatenate)) or _is_operation(
        layer, _MERGING_OPERATIONS
    ):
        return _merged(layer, views, inputs)
    view = views[0]
    if isinstance(layer, (*_FREE, *_SCALING)) or _is_operation(layer, _FREE_OPERATIONS):
        return view
    if isinstance(layer, layers.Flatten):
        return view.flattened()
    if isinstance(layer, layers.Reshape):
        return _reshaped(view, output)
    if isinstance(layer, layers.Dense):
        if not view.grid or len(output) == 1:
            return view.whole()
        return view if len(view.axes) == len(output) - 1 else None
    if isinstance(layer, _GLOBAL_POOLING):
        return view.whole()
    if not view.grid or len(view.axes) != len(output) - 1 or None in (*inputs[0], *output):
        return None
    before, after = _sides(layer, inputs[0]), _sides(layer, output)
    axes = len(after)
    if isinstance(layer, (*_CONVOLUTIONS, *_DEPTHWISE, *_SEPARABLE, *_POOLING)):
        kernel = _per_axis(getattr(layer, "kernel_size", None) or layer.pool_size, axes)
        strides = _per_axis(layer.strides, axes)
        dilation = _per_axis(getattr(layer, "dilation_rate", 1), axes)

        def window(number: int, axis: AxisView) -> AxisView:
            k, s, d, n = kernel[number], strides[number], dilation[number], after[number]
            padding = _padding_before(layer.padding, before[number], n, d * (k - 1) + 1, s)
            return axis.window(k, s, d, padding, n)

        return view.each(window)
    if isinstance(layer, _TRANSPOSED) and set(_per_axis(layer.dilation_rate, axes)) == {1}:
        kernel, strides = _per_axis(layer.kernel_size, axes), _per_axis(layer.strides, axes)
        cut = layer.padding == "same"
        return view.each(
            lambda i, axis: axis.spread(
                kernel[i],
                strides[i],
                max(kernel[i] - strides[i], 0) // 2 if cut else 0,
                after[i],
            )
        )
    if isinstance(layer, (*_ZERO_PADDING, *_CROPPING)):
        sign = 1 if isinstance(layer, _ZERO_PADDING) else -1
        edges = layer.padding if sign == 1 else layer.cropping
        pairs = [edges] if axes == 1 else list(edges)
        return view.each(lambda i, axis: axis.window(1, 1, 1, sign * pairs[i][0], after[i]))
    if isinstance(layer, _UPSAMPLING) and getattr(layer, "interpolation", "nearest") == "nearest":
        size = _per_axis(layer.size, axes)
        return view.each(lambda i, axis: axis.spread(size[i], size[i], 0, after[i]))
    return None


def _merged(layer: Any, views: Sequence[View], inputs: Sequence[Shape]) -> View | None:
    if isinstance(layer, layers.Concatenate) and len(inputs[0]) > 1:
        rank = len(inputs[0]) + 1
        channel = {"channels_last": rank - 1, "channels_first": 1}[_data_format(layer)]
        if layer.axis % rank != channel:
            return None
    merged: View | None = views[0]
    for view in views[1:]:
        merged = None if merged is None else merged.merged(view)
    return merged


def _reshaped(view: View, output: Shape) -> View | None:
    sides = output[:-1]
    if None in sides:
        return None
    if view.untouched:
        # A vector, or an image without a channel axis, becomes an image: that is what is seen.
        return View.of_image([side for side in sides if side is not None])
    if len(output) == 1:
        return view.flattened()
    return view if sides == tuple(axis.count for axis in view.axes) else None


def _padding_before(padding: str, before: int, after: int, reach: int, stride: int) -> int:
    if padding == "same":
        return max((after - 1) * stride + reach - before, 0) // 2
    return reach - 1 if padding == "causal" else 0


def _is_operation(layer: Any, names: frozenset[str]) -> bool:
    return not isinstance(layer, layers.Layer) and type(layer).__name__ in names


def _data_format(layer: Any) -> str:
    return str(getattr(layer, "data_format", None) or "channels_last")


def _sides(layer: Any, shape: Shape) -> tuple[int, ...]:
    sides = shape[1:] if _data_format(layer) == "channels_first" else shape[:-1]
    return tuple(side for side in sides if side is not None)


def _channels(layer: Any, shape: Shape) -> int:
    return _size(shape[:1] if _data_format(layer) == "channels_first" else shape[-1:])


def _size(shape: Sequence[int | None]) -> int:
    return math.prod(side for side in shape if side is not None)


def _per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value)
