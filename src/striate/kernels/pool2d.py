"""Pooling alone as ops that JAX can differentiate and map, on the compiled kernels.

Three primitives, each with a leading axis of models: the maximum with its positions, and two that
are linear and each other's transposes. The first of these takes one pixel of each window, or
without positions their mean; the other brings a gradient back. So ``grad``, ``jvp``, ``vmap``,
``scan`` and ``checkpoint`` compose to any order. What they mean is in `striate.kernels.pooling`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import ad

from striate.kernels import native, pooling
from striate.kernels.geometry import Geometry, Pair
from striate.kernels.model_axis import (
    absent,
    collected,
    define,
    is_zero,
    over_models,
    present,
    zero,
)

Array = jax.Array

LARGEST_MAX_WINDOW = 256
"""Pixels of a window: the position of its maximum is a byte."""


def max_pool2d(x: Array, window: Pair, geometry: Geometry) -> Array:
    """Return the maximum of each window; see `striate.kernels.pooling.max_pool2d`.

    At most `LARGEST_MAX_WINDOW` pixels fit into a window.
    """
    values, _ = _max_p.bind(x[None], window=window, geometry=geometry, positions=False)
    return values[0]


def average_pool2d(x: Array, window: Pair, geometry: Geometry) -> Array:
    """Return the mean of each window; see `striate.kernels.pooling.average_pool2d`."""
    (values,) = _pooled_p.bind(x[None], absent(np.uint8), window=window, geometry=geometry)
    return values[0]


# --- what the primitives mean, in plain JAX


def _max(x: Array, *, window: Pair, geometry: Geometry, positions: bool) -> tuple[Array, Array]:
    def one(x: Array) -> tuple[Array, Array]:
        values, picked = pooling.max_and_positions(x, window, geometry)
        return values, picked.astype(jnp.uint8)

    values, picked = over_models(one, x)
    return values, picked if positions else absent(np.uint8)


def _pooled(x: Array, positions: Array, *, window: Pair, geometry: Geometry) -> tuple[Array]:
    def one(x: Array, positions: Array) -> Array:
        return _pooled_one(x, positions, window, geometry)

    return (over_models(one, x, positions),)


def _input(
    gradient: Array, positions: Array, *, window: Pair, geometry: Geometry, image: Pair
) -> tuple[Array]:
    def one(gradient: Array, positions: Array) -> Array:
        shape = (gradient.shape[0], *image, gradient.shape[3])
        images = jax.ShapeDtypeStruct(shape, gradient.dtype)
        (dx,) = jax.linear_transpose(lambda x: _pooled_one(x, positions, window, geometry), images)(
            gradient
        )
        return dx

    return (over_models(one, gradient, positions),)


def _pooled_one(x: Array, positions: Array, window: Pair, geometry: Geometry) -> Array:
    picked = present(positions)
    if picked is None:
        return pooling.average_pool2d(x, window, geometry)
    return pooling.pick(x, picked, window, geometry)


def _told(*_: Array, window: Pair, geometry: Geometry, **_parameters: Any) -> dict[str, Any]:
    return native.windows(window, geometry)


_max_p = define("striate_max_pool", _max, _told)
_pooled_p = define("striate_pooled", _pooled, _told)
_input_p = define("striate_pool_input", _input, _told)


# --- derivatives


def _max_jvp(primals: Any, tangents: Any, *, positions: bool, **parameters: Any) -> Any:
    values, picked = _max_p.bind(*primals, positions=True, **parameters)
    kept = picked if positions else absent(np.uint8)
    if is_zero(tangents[0]):
        return [values, kept], [zero(values), zero(kept)]
    (tangent,) = _pooled_p.bind(tangents[0], picked, **parameters)
    return [values, kept], [tangent, zero(kept)]


def _linear_jvp(primitive: Any) -> Any:
    def rule(primals: Any, tangents: Any, **parameters: Any) -> Any:
        (value,) = primitive.bind(*primals, **parameters)
        if is_zero(tangents[0]):
            return [value], [zero(value)]
        return [value], primitive.bind(tangents[0], primals[1], **parameters)

    return rule


def _pooled_transpose(cts: Any, x: Any, positions: Any, **parameters: Any) -> list[Any]:
    if is_zero(cts[0]):
        return [None, None]
    (dx,) = _input_p.bind(cts[0], positions, image=x.aval.shape[2:4], **parameters)
    return [collected(dx, x), None]


def _input_transpose(
    cts: Any,
    gradient: Any,
    positions: Any,
    *,
    image: Pair,  # noqa: ARG001
    **parameters: Any,
) -> list[Any]:
    if is_zero(cts[0]):
        return [None, None]
    (values,) = _pooled_p.bind(cts[0], positions, **parameters)
    return [collected(values, gradient), None]


ad.primitive_jvps[_max_p] = _max_jvp
ad.primitive_jvps[_pooled_p] = _linear_jvp(_pooled_p)
ad.primitive_jvps[_input_p] = _linear_jvp(_input_p)
ad.primitive_transposes[_pooled_p] = _pooled_transpose
ad.primitive_transposes[_input_p] = _input_transpose
