"""Swap convolutions, poolings and dense layers for our ops while a step is traced.

For the time of a trace each convolution, pooling, dense layer and plain ReLU of the model gets an
instance attribute ``call`` that goes through `striate.kernels`; afterwards it is removed, so that
the model a user holds is never changed. Fusion needs no analysis of the graph: a swapped
convolution remembers the value that it returned, a swapped pooling looks its input up, and if it is
such a value it emits the fused op; the unfused one is then dead code that XLA drops.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import keras

from striate import kernels
from striate.kernels.dispatch import Activation, PoolKind

Array = jax.Array

_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.Conv1D)
_DEPTHWISE = (keras.layers.DepthwiseConv2D, keras.layers.DepthwiseConv1D)
_POOLINGS: dict[type, PoolKind] = {
    keras.layers.MaxPooling1D: "max",
    keras.layers.MaxPooling2D: "max",
    keras.layers.AveragePooling1D: "average",
    keras.layers.AveragePooling2D: "average",
}
_OTHER_CONVOLUTIONS = {
    keras.layers.Conv3D: "convolution in three dimensions",
    keras.layers.Conv1DTranspose: "transposed convolution",
    keras.layers.Conv2DTranspose: "transposed convolution",
    keras.layers.Conv3DTranspose: "transposed convolution",
    keras.layers.SeparableConv1D: "separable convolution",
    keras.layers.SeparableConv2D: "separable convolution",
    keras.layers.MaxPooling3D: "pooling in three dimensions",
    keras.layers.AveragePooling3D: "pooling in three dimensions",
}

# Instance attributes are swapped: two threads may not trace the same layers at once.
_TRACING = threading.RLock()


@dataclass(frozen=True)
class _Produced:
    """A value that a convolution returned, and how to compute it with a pooling fused in."""

    value: Array
    pooled: Callable[[kernels.Pooling], kernels.Lowered]
    rectified: Callable[[], _Produced] | None


class Lowering:
    """The swaps of one model.

    Attributes
    ----------
    ops
        For each layer, by name, what it was lowered to in the latest trace, or why not.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self.ops: dict[str, str] = {}
        self._produced: dict[int, tuple[str, _Produced]] = {}

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Swap for the time of the block, which must contain the trace."""
        with _TRACING:
            self._produced = {}
            swapped = []
            try:
                for layer in self._model._flatten_layers(include_self=False):
                    if _is_composite(layer):
                        continue
                    call, words = self._replacement(layer)
                    self.ops[layer.name] = words
                    if call is not None:
                        # vars() bypasses Keras's attribute tracking.
                        vars(layer)["call"] = call
                        swapped.append(layer)
                yield
            finally:
                for layer in swapped:
                    vars(layer).pop("call", None)
                self._produced = {}

    def _replacement(self, layer: Any) -> tuple[Callable[..., Array] | None, str]:
        """Return the call that replaces the layer's, if one does, and what is known of it."""
        kind = type(layer)
        if kind in _OTHER_CONVOLUTIONS:
            return None, f"Keras: no op of ours for a {_OTHER_CONVOLUTIONS[kind]}"
        if kind is keras.layers.Dense and _multiplies_plainly(layer):
            return (lambda x, **_: self._multiply(layer, x)), "not traced yet"
        convolution = kind in _CONVOLUTIONS or kind in _DEPTHWISE
        if not convolution and kind not in _POOLINGS and not _is_relu(layer):
            if isinstance(layer, (*_CONVOLUTIONS, *_DEPTHWISE, *_POOLINGS)):
                return None, f"Keras: {kind.__name__} changes {kind.__bases__[0].__name__}"
            return None, "XLA: Keras's own operations"
        if layer.compute_dtype != "float32":
            return None, f"Keras: computes in {layer.compute_dtype}, our ops in float32"
        if convolution:
            return (lambda x: self._convolve(layer, x)), "not traced yet"
        if kind in _POOLINGS:
            return (lambda x: self._pool(layer, x)), "not traced yet"
        return (lambda x: self._rectify(layer, x)), "XLA: Keras's own operations"

    def _convolve(self, layer: Any, inputs: Array) -> Array:
        x = _as_images(inputs, layer)
        kernel, geometry = _kernel_and_geometry(layer, x)
        bias = jnp.asarray(layer.bias) if layer.use_bias else None
        activation: Activation = "relu" if layer.activation is keras.activations.relu else "linear"
        # None and "linear" need no function; any other is applied to the linear result.
        after = None if activation == "relu" or _is_linear(layer.activation) else layer.activation

        def emit(fused: kernels.Pooling | None, applied: Activation) -> kernels.Lowered:
            return kernels.convolve(
                x, kernel, bias, geometry=geometry, activation=applied, pooled=fused
            )

        lowered = emit(None, activation)
        self.ops[layer.name] = lowered.op
        value = _as_layer(lowered.value, layer)
        if after is not None:
            return after(value)

        def produced(value: Array, applied: Activation) -> _Produced:
            return _Produced(value, lambda pooling: emit(pooling, applied), None)

        rectified = None
        if activation == "linear":

            def rectified() -> _Produced:
                return produced(_as_layer(emit(None, "relu").value, layer), "relu")

        made = _Produced(value, lambda pooling: emit(pooling, activation), rectified)
        self._produced[id(value)] = (layer.name, made)
        return value

    def _multiply(self, layer: Any, inputs: Array) -> Array:
        kernel = jnp.asarray(layer.kernel)
        lowered = kernels.multiply(inputs.reshape(-1, kernel.shape[0]), kernel)
        self.ops[layer.name] = lowered.op
        value = lowered.value.reshape(*inputs.shape[:-1], kernel.shape[1])
        if layer.bias is not None:
            value = value + jnp.asarray(layer.bias)
        return value if layer.activation is None else layer.activation(value)

    def _rectify(self, layer: Any, inputs: Array) -> Array:
        found = self._produced.get(id(inputs))
        if found is None or found[1].rectified is None:
            return jax.nn.relu(inputs)
        source, made = found
        result = made.rectified()  # type: ignore[misc]  # checked just above
        self._produced[id(result.value)] = (source, result)
        self.ops[layer.name] = f"in {source}"
        return result.value

    def _pool(self, layer: Any, inputs: Array) -> Array:
        x = _as_images(inputs, layer)
        pooling = _pooling(layer, x)
        found = self._produced.get(id(inputs))
        if found is not None and pooling.geometry.tiles(pooling.window):
            source, made = found
            lowered = made.pooled(pooling)
            self.ops[source] = lowered.op
            self.ops[layer.name] = f"in {source}"
        else:
            lowered = kernels.pool(x, pooling)
            self.ops[layer.name] = lowered.op
        return _as_layer(lowered.value, layer)


def _is_composite(layer: Any) -> bool:
    """Whether the layer only holds others, which are listed themselves."""
    return isinstance(layer, keras.Model | keras.layers.InputLayer | keras.layers.Wrapper)


def _multiplies_plainly(layer: Any) -> bool:
    """Whether a dense layer multiplies with its kernel as it is, in the type of our op."""
    plain = layer.quantization_mode is None and not layer.lora_enabled
    return plain and layer.compute_dtype == "float32"


def _is_linear(activation: Any) -> bool:
    return activation is None or activation is keras.activations.linear


def _is_relu(layer: Any) -> bool:
    """Whether the layer is a plain max(x, 0)."""
    if type(layer) is keras.layers.Activation:
        return layer.activation is keras.activations.relu
    return (
        type(layer) is keras.layers.ReLU
        and layer.max_value is None
        and not layer.negative_slope
        and not layer.threshold
    )


def _one_dimensional(layer: Any) -> bool:
    return len(getattr(layer, "kernel_size", getattr(layer, "pool_size", ()))) == 1


def _as_images(inputs: Array, layer: Any) -> Array:
    """Bring a layer's input to (n, row, column, channel); a sequence is an image of one row."""
    x = jnp.moveaxis(inputs, 1, -1) if layer.data_format == "channels_first" else inputs
    return x[:, None] if _one_dimensional(layer) else x


def _as_layer(images: Array, layer: Any) -> Array:
    """Bring (n, row, column, channel) back to the shape that the layer promises."""
    x = images[:, 0] if _one_dimensional(layer) else images
    return jnp.moveaxis(x, -1, 1) if layer.data_format == "channels_first" else x


def _pair(values: Any) -> kernels.geometry.Pair:
    numbers = tuple(int(v) for v in values)
    return (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def _kernel_and_geometry(layer: Any, x: Array) -> tuple[Array, kernels.Geometry]:
    kernel = jnp.asarray(layer.kernel)
    if _one_dimensional(layer):
        kernel = kernel[None]
    groups = getattr(layer, "groups", 1)
    if type(layer) in _DEPTHWISE:
        groups = x.shape[3]
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    stride, dilation = _pair(layer.strides), _pair(layer.dilation_rate)
    window = (kernel.shape[0], kernel.shape[1])
    padding = ((0, 0), (0, 0))
    if layer.padding == "same":
        padding = kernels.same_padding((x.shape[1], x.shape[2]), window, stride, dilation)
    elif layer.padding == "causal":
        padding = ((0, 0), ((window[1] - 1) * dilation[1], 0))
    return kernel, kernels.Geometry(stride, padding, dilation, groups)


def _pooling(layer: Any, x: Array) -> kernels.Pooling:
    window, stride = _pair(layer.pool_size), _pair(layer.strides)
    padding = ((0, 0), (0, 0))
    if layer.padding == "same":
        padding = kernels.same_padding((x.shape[1], x.shape[2]), window, stride)
    geometry = kernels.Geometry(stride, padding)
    return kernels.Pooling(_POOLINGS[type(layer)], window, geometry)
