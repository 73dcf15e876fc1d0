"""Convolution with activation and pooling as one op that JAX can differentiate and map.

Four primitives, each with a leading axis of models over which operands may be shared: the op
itself, and three that are linear where it is linearised, the convolution at picked pixels and its
transposes to the images and to kernel and bias. Each of the three is a transpose of the others, so
that ``grad``, ``jvp``, ``vmap``, ``scan`` and ``checkpoint`` compose to any order. They run on the
compiled kernels where these exist, and else mean what `striate.kernels.fusion` says.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import ad

from striate.kernels import fusion as fusions
from striate.kernels import native, primitives
from striate.kernels.fusion import Fusion
from striate.kernels.geometry import Geometry, Pair
from striate.kernels.model_axis import (
    absent,
    added,
    collected,
    define,
    is_zero,
    over_models,
    present,
    zero,
)

Array = jax.Array


def convolve(
    x: Array, kernel: Array, bias: Array | None, *, geometry: Geometry, fusion: Fusion
) -> Array:
    """Cross-correlate, add the bias, activate and pool as one op.

    Parameters
    ----------
    x
        Images, (n, row, column, channel).
    kernel, bias
        (row, column, channel / groups, filter) and (filter,) or None.
    geometry, fusion
        Where windows lie, and what follows the convolution.

    Returns
    -------
    Array
        (n, output row, output column, filter).
    """
    offset = absent(x.dtype) if bias is None else bias[None]
    values, _ = _forward_p.bind(
        x[None], kernel[None], offset, geometry=geometry, fusion=fusion, positions=False
    )
    return values[0]


# --- what the primitives mean, in plain JAX


def _forward(
    x: Array, kernel: Array, bias: Array, *, geometry: Geometry, fusion: Fusion, positions: bool
) -> tuple[Array, Array]:
    def one(x: Array, kernel: Array, bias: Array) -> tuple[Array, Array]:
        return fusions.apply(_affine(x, kernel, bias, geometry), fusion)

    values, picked = over_models(one, x, kernel, bias)
    return values, picked if positions else absent(np.uint8)


def _picked(
    x: Array, kernel: Array, bias: Array, positions: Array, *, geometry: Geometry, fusion: Fusion
) -> tuple[Array]:
    def one(x: Array, kernel: Array, bias: Array, positions: Array) -> Array:
        return fusions.pick(_affine(x, kernel, bias, geometry), present(positions), fusion)

    return (over_models(one, x, kernel, bias, positions),)


def _input(
    gradient: Array,
    kernel: Array,
    positions: Array,
    *,
    geometry: Geometry,
    fusion: Fusion,
    image: Pair,
) -> tuple[Array]:
    convolved = geometry.output_size(image, (kernel.shape[1], kernel.shape[2]))

    def one(gradient: Array, kernel: Array, positions: Array) -> Array:
        whole = fusions.spread(gradient, present(positions), convolved, fusion)
        return primitives.conv2d_input(whole, kernel, geometry=geometry, image=image)

    return (over_models(one, gradient, kernel, positions),)


def _kernel(
    x: Array,
    gradient: Array,
    positions: Array,
    *,
    geometry: Geometry,
    fusion: Fusion,
    window: Pair,
    with_bias: bool,
) -> tuple[Array, Array]:
    convolved = geometry.output_size((x.shape[2], x.shape[3]), window)

    def one(x: Array, gradient: Array, positions: Array) -> tuple[Array, Array]:
        whole = fusions.spread(gradient, present(positions), convolved, fusion)
        dbias = whole.sum(axis=(0, 1, 2)) if with_bias else jnp.zeros((0,), whole.dtype)
        return primitives.conv2d_kernel(x, whole, geometry=geometry, window=window), dbias

    return over_models(one, x, gradient, positions)


def _affine(x: Array, kernel: Array, bias: Array, geometry: Geometry) -> Array:
    y = primitives.conv2d(x, kernel, geometry=geometry)
    return y + bias if bias.size else y


# --- and what the compiled kernels are told of them


def _told_forward(x: Array, kernel: Array, *_: Array, **parameters: Any) -> dict[str, Any]:
    return _told(x.shape[2:4], kernel.shape[1:3], **parameters)


def _told_input(
    _gradient: Array, kernel: Array, *_: Array, image: Pair, **parameters: Any
) -> dict[str, Any]:
    return _told(image, kernel.shape[1:3], **parameters)


def _told_kernel(x: Array, *_: Array, window: Pair, **parameters: Any) -> dict[str, Any]:
    return _told(x.shape[2:4], window, **parameters)


def _told(
    image: tuple[int, ...], window: tuple[int, ...], *, geometry: Geometry, fusion: Fusion, **_: Any
) -> dict[str, Any]:
    outputs = geometry.output_size((image[0], image[1]), (window[0], window[1]))
    return native.convolution(geometry, fusion, outputs)


_forward_p = define("striate_forward", _forward, _told_forward, images=(0,), weights=(1, 2))
_picked_p = define("striate_picked", _picked, _told_forward, images=(0, 3), weights=(1, 2))
_input_p = define("striate_input", _input, _told_input, images=(0, 2), weights=(1,))
_kernel_p = define("striate_kernel", _kernel, _told_kernel)


# --- derivatives


def _linear_terms(
    x: Array, kernel: Array, positions: Array, tangents: Any, **parameters: Any
) -> list[Array]:
    """Return the terms of the derivative of the picked convolution."""
    dx, dkernel, dbias = tangents
    no_bias = absent(x.dtype)
    terms = []
    if not is_zero(dx):
        terms += _picked_p.bind(dx, kernel, no_bias, positions, **parameters)
    if not (is_zero(dkernel) and is_zero(dbias)):
        weights = jnp.zeros_like(kernel) if is_zero(dkernel) else dkernel
        offset = no_bias if is_zero(dbias) else dbias
        terms += _picked_p.bind(x, weights, offset, positions, **parameters)
    return terms


def _forward_jvp(primals: Any, tangents: Any, *, positions: bool, **parameters: Any) -> Any:
    x, kernel, _ = primals
    picks = positions or parameters["fusion"].picks
    values, picked = _forward_p.bind(*primals, positions=picks, **parameters)
    used = picked if parameters["fusion"].picks else absent(np.uint8)
    tangent = added(_linear_terms(x, kernel, used, tangents, **parameters), values)
    kept = picked if positions else absent(np.uint8)
    return [values, kept], [tangent, zero(kept)]


def _picked_jvp(primals: Any, tangents: Any, **parameters: Any) -> Any:
    x, kernel, _, positions = primals
    (values,) = _picked_p.bind(*primals, **parameters)
    terms = _linear_terms(x, kernel, positions, tangents[:3], **parameters)
    return [values], [added(terms, values)]


def _input_jvp(primals: Any, tangents: Any, **parameters: Any) -> Any:
    gradient, kernel, positions = primals
    dgradient, dkernel, _ = tangents
    (dx,) = _input_p.bind(*primals, **parameters)
    terms = []
    if not is_zero(dgradient):
        terms += _input_p.bind(dgradient, kernel, positions, **parameters)
    if not is_zero(dkernel):
        terms += _input_p.bind(gradient, dkernel, positions, **parameters)
    return [dx], [added(terms, dx)]


def _kernel_jvp(primals: Any, tangents: Any, *, with_bias: bool, **parameters: Any) -> Any:
    x, gradient, positions = primals
    dx, dgradient, _ = tangents
    results = _kernel_p.bind(*primals, with_bias=with_bias, **parameters)
    kernels, biases = [], []
    if not is_zero(dx):
        kernels.append(_kernel_p.bind(dx, gradient, positions, with_bias=False, **parameters)[0])
    if not is_zero(dgradient):
        kernel, bias = _kernel_p.bind(x, dgradient, positions, with_bias=with_bias, **parameters)
        kernels.append(kernel)
        biases.append(bias)
    return results, [added(kernels, results[0]), added(biases, results[1])]


def _picked_transpose(
    cts: Any, x: Any, kernel: Any, bias: Any, positions: Any, *, geometry: Geometry, fusion: Fusion
) -> list[Any]:
    (ct,) = cts
    if is_zero(ct):
        return [None] * 4
    if ad.is_undefined_primal(x):
        image = x.aval.shape[2:4]
        (dx,) = _input_p.bind(ct, kernel, positions, geometry=geometry, fusion=fusion, image=image)
        return [collected(dx, x), None, None, None]
    with_bias = ad.is_undefined_primal(bias)
    weights = kernel.aval if ad.is_undefined_primal(kernel) else kernel
    dkernel, dbias = _kernel_p.bind(
        x,
        ct,
        positions,
        geometry=geometry,
        fusion=fusion,
        window=weights.shape[1:3],
        with_bias=with_bias,
    )
    return [
        None,
        collected(dkernel, kernel) if ad.is_undefined_primal(kernel) else None,
        collected(dbias, bias) if with_bias else None,
        None,
    ]


def _input_transpose(
    cts: Any,
    gradient: Any,
    kernel: Any,
    positions: Any,
    *,
    image: Pair,  # noqa: ARG001
    **parameters: Any,
) -> list[Any]:
    (ct,) = cts
    if is_zero(ct):
        return [None] * 3
    if ad.is_undefined_primal(gradient):
        (result,) = _picked_p.bind(ct, kernel, absent(ct.dtype), positions, **parameters)
        return [collected(result, gradient), None, None]
    window = kernel.aval.shape[1:3]
    result, _ = _kernel_p.bind(
        ct, gradient, positions, window=window, with_bias=False, **parameters
    )
    return [None, collected(result, kernel), None]


def _kernel_transpose(
    cts: Any,
    x: Any,
    gradient: Any,
    positions: Any,
    *,
    window: Pair,  # noqa: ARG001
    with_bias: bool,
    **parameters: Any,
) -> list[Any]:
    ct_kernel, ct_bias = cts
    no_bias = not with_bias or is_zero(ct_bias)
    if is_zero(ct_kernel) and no_bias:
        return [None] * 3
    if ad.is_undefined_primal(x):
        image = x.aval.shape[2:4]
        (dx,) = _input_p.bind(gradient, ct_kernel, positions, image=image, **parameters)
        return [collected(dx, x), None, None]
    kernel = ad.instantiate_zeros(ct_kernel)
    bias = absent(kernel.dtype) if no_bias else ct_bias
    (result,) = _picked_p.bind(x, kernel, bias, positions, **parameters)
    return [None, collected(result, gradient), None]


ad.primitive_jvps[_forward_p] = _forward_jvp
ad.primitive_jvps[_picked_p] = _picked_jvp
ad.primitive_jvps[_input_p] = _input_jvp
ad.primitive_jvps[_kernel_p] = _kernel_jvp
ad.primitive_transposes[_picked_p] = _picked_transpose
ad.primitive_transposes[_input_p] = _input_transpose
ad.primitive_transposes[_kernel_p] = _kernel_transpose
