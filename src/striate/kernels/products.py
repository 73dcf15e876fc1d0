"""Products of matrices of many models, as dense layers and their gradients need them.

Two primitives with a leading axis of models: rows times a matrix or its transpose, and the sum over
rows of what two matrices have there. Each is bilinear and a transpose of the other, so that
``grad``, ``jvp``, ``vmap``, ``scan`` and ``checkpoint`` compose to any order. They run on the
compiled kernels where these exist, and else are JAX's own product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad

from striate.kernels.model_axis import added, collected, define, is_zero, over_models

Array = jax.Array


def multiply(x: Array, kernel: Array) -> Array:
    """Return ``x @ kernel``.

    Parameters
    ----------
    x, kernel
        (n, channel) and (channel, unit).

    Returns
    -------
    Array
        (n, unit).
    """
    (y,) = _rows_p.bind(x[None], kernel[None], transposed=False)
    return y[0]


def _rows(x: Array, kernel: Array, *, transposed: bool) -> tuple[Array]:
    def one(x: Array, kernel: Array) -> Array:
        return jnp.matmul(x, kernel.T if transposed else kernel)

    return (over_models(one, x, kernel),)


def _sums(x: Array, gradient: Array) -> tuple[Array]:
    return (over_models(lambda x, gradient: jnp.matmul(x.T, gradient), x, gradient),)


def _told_rows(*_: Array, transposed: bool) -> dict[str, Any]:
    return {"transposed": np.array((0, int(transposed)), np.int64)}


def _told_sums(*_: Array) -> dict[str, Any]:
    return {"transposed": np.array((1, 0), np.int64)}


_rows_p = define("striate_rows", _rows, _told_rows, images=(0,), weights=(1,))
_sums_p = define("striate_sums", _sums, _told_sums)


def _bilinear_jvp(primitive: Primitive) -> Callable[..., Any]:
    def rule(primals: Any, tangents: Any, **parameters: Any) -> Any:
        results = primitive.bind(*primals, **parameters)
        terms = []
        for place, tangent in enumerate(tangents):
            if not is_zero(tangent):
                operands = [*primals[:place], tangent, *primals[place + 1 :]]
                terms += primitive.bind(*operands, **parameters)
        return results, [added(terms, results[0])]

    return rule


def _rows_transpose(cts: Any, x: Any, kernel: Any, *, transposed: bool) -> list[Any]:
    (ct,) = cts
    if is_zero(ct):
        return [None] * 2
    if ad.is_undefined_primal(x):
        (dx,) = _rows_p.bind(ct, kernel, transposed=not transposed)
        return [collected(dx, x), None]
    (dkernel,) = _sums_p.bind(ct, x) if transposed else _sums_p.bind(x, ct)
    return [None, collected(dkernel, kernel)]


def _sums_transpose(cts: Any, x: Any, gradient: Any) -> list[Any]:
    (ct,) = cts
    if is_zero(ct):
        return [None] * 2
    if ad.is_undefined_primal(x):
        (dx,) = _rows_p.bind(gradient, ct, transposed=True)
        return [collected(dx, x), None]
    (result,) = _rows_p.bind(x, ct, transposed=False)
    return [None, collected(result, gradient)]


ad.primitive_jvps[_rows_p] = _bilinear_jvp(_rows_p)
ad.primitive_jvps[_sums_p] = _bilinear_jvp(_sums_p)
ad.primitive_transposes[_rows_p] = _rows_transpose
ad.primitive_transposes[_sums_p] = _sums_transpose
