"""The three bilinear ops of a convolution as JAX primitives.

Convolution, its gradient to the images and its gradient to the kernel are each linear in both
arguments, and each is a transpose of the others. As primitives that know this they compose with
``grad``, ``jvp``, ``vmap``, ``scan`` and ``checkpoint``, to any order, while what they lower to
can be chosen per platform: the reference on a CPU, the platform's own convolution elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from striate.kernels import reference
from striate.kernels.geometry import Geometry, Pair

Array = jax.Array

_conv2d_p = Primitive("striate_conv2d")
_conv2d_input_p = Primitive("striate_conv2d_input")
_conv2d_kernel_p = Primitive("striate_conv2d_kernel")


def conv2d(x: Array, kernel: Array, *, geometry: Geometry) -> Array:
    """Cross-correlate images with a kernel; see `striate.kernels.reference.conv2d`."""
    return _conv2d_p.bind(x, kernel, geometry=geometry)


def conv2d_input(gradient: Array, kernel: Array, *, geometry: Geometry, image: Pair) -> Array:
    """Return the gradient to the images; see `striate.kernels.reference.conv2d_input`."""
    return _conv2d_input_p.bind(gradient, kernel, geometry=geometry, image=image)


def conv2d_kernel(x: Array, gradient: Array, *, geometry: Geometry, window: Pair) -> Array:
    """Return the gradient to the kernel; see `striate.kernels.reference.conv2d_kernel`."""
    return _conv2d_kernel_p.bind(x, gradient, geometry=geometry, window=window)


def _platform_conv2d(x: Array, kernel: Array, *, geometry: Geometry) -> Array:
    return lax.conv_general_dilated(
        x,
        kernel,
        geometry.stride,
        geometry.padding,
        rhs_dilation=geometry.dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=geometry.groups,
    )


def _platform_input(gradient: Array, kernel: Array, *, geometry: Geometry, image: Pair) -> Array:
    channels = kernel.shape[2] * geometry.groups
    images = jax.ShapeDtypeStruct((gradient.shape[0], *image, channels), gradient.dtype)
    linear = jax.linear_transpose(lambda x: _platform_conv2d(x, kernel, geometry=geometry), images)
    return linear(gradient)[0]


def _platform_kernel(x: Array, gradient: Array, *, geometry: Geometry, window: Pair) -> Array:
    shape = (*window, x.shape[3] // geometry.groups, gradient.shape[3])
    weights = jax.ShapeDtypeStruct(shape, x.dtype)
    linear = jax.linear_transpose(lambda w: _platform_conv2d(x, w, geometry=geometry), weights)
    return linear(gradient)[0]


def _define(
    primitive: Primitive,
    meaning: Callable[..., Array],
    platform: Callable[..., Array],
    *,
    images_first: bool,
) -> None:
    """Give `primitive` its shape, its CPU and platform lowerings and its batching.

    `images_first` says that the op treats the images of its first argument one by one, so that
    a mapped axis over them alone is no more than a longer batch.
    """

    def shape(*args: ShapedArray, **parameters: Any) -> ShapedArray:
        structs = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in args]
        result = jax.eval_shape(lambda *a: meaning(*a, **parameters), *structs)
        return ShapedArray(result.shape, result.dtype)

    def batch(args: Any, axes: Any, **parameters: Any) -> tuple[Array, int]:
        first, second = args
        if images_first and axes[1] is None:
            first = jnp.moveaxis(first, axes[0], 0)
            merged = first.reshape(first.shape[0] * first.shape[1], *first.shape[2:])
            out = primitive.bind(merged, second, **parameters)
            return out.reshape(*first.shape[:2], *out.shape[1:]), 0
        return jax.vmap(lambda *a: meaning(*a, **parameters), axes)(first, second), 0

    primitive.def_impl(
        jax.jit(
            lambda *args, **parameters: primitive.bind(*args, **parameters),
            static_argnames=("geometry", "image", "window"),
        )
    )
    primitive.def_abstract_eval(shape)
    mlir.register_lowering(primitive, mlir.lower_fun(platform, multiple_results=False))
    mlir.register_lowering(
        primitive, mlir.lower_fun(meaning, multiple_results=False), platform="cpu"
    )
    batching.primitive_batchers[primitive] = batch


_define(_conv2d_p, reference.conv2d, _platform_conv2d, images_first=True)
_define(_conv2d_input_p, reference.conv2d_input, _platform_input, images_first=True)
_define(_conv2d_kernel_p, reference.conv2d_kernel, _platform_kernel, images_first=False)

# In each pair the first rule is for the first argument, which is then unknown, and the second for
# the second; `ct` is the gradient to the result.
ad.defbilinear(
    _conv2d_p,
    lambda ct, x, kernel, geometry: conv2d_input(
        ct, kernel, geometry=geometry, image=x.aval.shape[1:3]
    ),
    lambda ct, x, kernel, geometry: conv2d_kernel(
        x, ct, geometry=geometry, window=kernel.aval.shape[:2]
    ),
)
ad.defbilinear(
    _conv2d_input_p,
    lambda ct, _gradient, kernel, geometry, **_: conv2d(ct, kernel, geometry=geometry),
    lambda ct, gradient, kernel, geometry, **_: conv2d_kernel(
        ct, gradient, geometry=geometry, window=kernel.aval.shape[:2]
    ),
)
ad.defbilinear(
    _conv2d_kernel_p,
    lambda ct, x, gradient, geometry, **_: conv2d_input(
        gradient, ct, geometry=geometry, image=x.aval.shape[1:3]
    ),
    lambda ct, x, _gradient, geometry, **_: conv2d(x, ct, geometry=geometry),
)
