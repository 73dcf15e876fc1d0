"""Convolution with activation and pooling as one op that JAX can differentiate and map.

Four primitives, each with a leading axis of models over which operands may be shared: the op
itself, and three that are linear where it is linearised, the convolution at picked pixels and its
transposes to the images and to kernel and bias. Each of the three is a transpose of the others, so
that ``grad``, ``jvp``, ``vmap``, ``scan`` and ``checkpoint`` compose to any order. They run on the
compiled kernels where these exist, and else mean what `striate.kernels.fusion` says.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from striate.kernels import fusion as fusions
from striate.kernels import native, primitives
from striate.kernels.fusion import Fusion
from striate.kernels.geometry import Geometry, Pair

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
    offset = native.absent(x.dtype) if bias is None else bias[None]
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

    values, picked = _over_models(one, x, kernel, bias)
    return values, picked if positions else native.absent(np.uint8)


def _picked(
    x: Array, kernel: Array, bias: Array, positions: Array, *, geometry: Geometry, fusion: Fusion
) -> tuple[Array]:
    def one(x: Array, kernel: Array, bias: Array, positions: Array) -> Array:
        return fusions.pick(_affine(x, kernel, bias, geometry), _present(positions), fusion)

    return (_over_models(one, x, kernel, bias, positions),)


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
        whole = fusions.spread(gradient, _present(positions), convolved, fusion)
        return primitives.conv2d_input(whole, kernel, geometry=geometry, image=image)

    return (_over_models(one, gradient, kernel, positions),)


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
        whole = fusions.spread(gradient, _present(positions), convolved, fusion)
        dbias = whole.sum(axis=(0, 1, 2)) if with_bias else jnp.zeros((0,), whole.dtype)
        return primitives.conv2d_kernel(x, whole, geometry=geometry, window=window), dbias

    return _over_models(one, x, gradient, positions)


def _affine(x: Array, kernel: Array, bias: Array, geometry: Geometry) -> Array:
    y = primitives.conv2d(x, kernel, geometry=geometry)
    return y + bias if bias.size else y


def _present(positions: Array) -> Array | None:
    return positions if positions.size else None


def _over_models(one: Callable[..., Any], *operands: Array) -> Any:
    """Call `one` for each model; operands of length 1 are shared."""
    models = max(operand.shape[0] for operand in operands)
    shared = [operand.shape[0] == 1 for operand in operands]
    if all(shared):
        return jax.tree.map(lambda r: r[None], one(*(operand[0] for operand in operands)))
    axes = [None if alone else 0 for alone in shared]
    given = [o[0] if alone else o for o, alone in zip(operands, shared, strict=True)]
    return jax.vmap(one, axes, axis_size=models)(*given)


# --- how they become primitives


def _define(
    name: str,
    meaning: Callable[..., Any],
    compiled: Callable[..., Any],
    images: Sequence[int],
    weights: Sequence[int],
) -> Primitive:
    """Make a primitive that runs `compiled` on a CPU where it can, and else `meaning`.

    `images` are the operands that hold one part an image, `weights` the others. An axis mapped
    over the former alone is a longer batch, unless the result is a sum over images (no `weights`).
    """
    primitive = Primitive(name)
    primitive.multiple_results = True

    def shapes(*args: ShapedArray, **parameters: Any) -> list[ShapedArray]:
        structs = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in args]
        results = jax.eval_shape(functools.partial(meaning, **parameters), *structs)
        return [ShapedArray(r.shape, r.dtype) for r in results]

    def on_cpu(*args: Array, **parameters: Any) -> tuple[Array, ...]:
        supported = native.supports(args[0].dtype, parameters["geometry"])
        return (compiled if supported else meaning)(*args, **parameters)

    def batch(args: Any, axes: Any, **parameters: Any) -> tuple[list[Array], list[int]]:
        size = next(a.shape[d] for a, d in zip(args, axes, strict=True) if d is not None)
        moved = [a if d is None else jnp.moveaxis(a, d, 0) for a, d in zip(args, axes, strict=True)]
        mapped = [d is not None for d in axes]
        models = max(a.shape[1] if m else a.shape[0] for a, m in zip(moved, mapped, strict=True))
        if weights and models == 1 and not any(mapped[i] for i in weights):
            given = [_longer(a, m, size) if i in images else a
                     for i, (a, m) in enumerate(zip(moved, mapped, strict=True))]  # fmt: skip
            results = primitive.bind(*given, **parameters)
            return [_split(r, 1, size) for r in results], [1] * len(results)
        given = [_more_models(a, m, size, models) for a, m in zip(moved, mapped, strict=True)]
        results = primitive.bind(*given, **parameters)
        return [_split(r, 0, size) for r in results], [0] * len(results)

    primitive.def_impl(
        jax.jit(
            lambda *args, **parameters: primitive.bind(*args, **parameters),
            static_argnames=(
                "geometry", "fusion", "positions", "image", "window", "with_bias",
            ),
        )
    )  # fmt: skip
    primitive.def_abstract_eval(shapes)
    mlir.register_lowering(primitive, mlir.lower_fun(meaning, multiple_results=True))
    mlir.register_lowering(primitive, mlir.lower_fun(on_cpu, multiple_results=True), platform="cpu")
    batching.primitive_batchers[primitive] = batch
    return primitive


def _longer(operand: Array, mapped: bool, size: int) -> Array:
    """Merge the mapped axis of (size, 1, n, ...) into the batch: (1, size * n, ...)."""
    if operand.size == 0:
        return operand
    if not mapped:
        operand = jnp.broadcast_to(operand, (size, *operand.shape))
    return operand.reshape(1, size * operand.shape[2], *operand.shape[3:])


def _more_models(operand: Array, mapped: bool, size: int, models: int) -> Array:
    """Merge the mapped axis into the models, (size * models, ...); shared operands stay so."""
    if not mapped and operand.shape[0] == 1:
        return operand
    shape = operand.shape[2:] if mapped else operand.shape[1:]
    whole = operand if mapped else operand[None]
    return jnp.broadcast_to(whole, (size, models, *shape)).reshape(size * models, *shape)


def _split(result: Array, axis: int, size: int) -> Array:
    """Undo a merge: axis of length size * m becomes (size, m)."""
    if result.size == 0 and result.shape[axis] % size:
        return jnp.broadcast_to(result[None], (size, *result.shape)).swapaxes(0, axis)
    shape = result.shape
    return result.reshape(*shape[:axis], size, shape[axis] // size, *shape[axis + 1 :])


_forward_p = _define("striate_fused", _forward, native.forward, images=(0,), weights=(1, 2))
_picked_p = _define("striate_picked", _picked, native.picked, images=(0, 3), weights=(1, 2))
_input_p = _define(
    "striate_picked_input", _input, native.input_gradient, images=(0, 2), weights=(1,)
)
_kernel_p = _define(
    "striate_picked_kernel", _kernel, native.kernel_gradient, images=(0, 1, 2), weights=()
)


# --- derivatives


def _is_zero(tangent: Any) -> bool:
    return type(tangent) is ad.Zero


def _zero(like: Array) -> Any:
    inexact = jnp.issubdtype(like.dtype, jnp.inexact)
    return ad.Zero(ShapedArray(like.shape, like.dtype if inexact else jax.dtypes.float0))


def _sum(terms: list[Array], like: Array) -> Any:
    if not terms:
        return _zero(like)
    return functools.reduce(jnp.add, terms)


def _linear_terms(
    x: Array, kernel: Array, positions: Array, tangents: Any, **parameters: Any
) -> list[Array]:
    """Return the terms of the derivative of the picked convolution."""
    dx, dkernel, dbias = tangents
    no_bias = native.absent(x.dtype)
    terms = []
    if not _is_zero(dx):
        terms += _picked_p.bind(dx, kernel, no_bias, positions, **parameters)
    if not (_is_zero(dkernel) and _is_zero(dbias)):
        weights = jnp.zeros_like(kernel) if _is_zero(dkernel) else dkernel
        offset = no_bias if _is_zero(dbias) else dbias
        terms += _picked_p.bind(x, weights, offset, positions, **parameters)
    return terms


def _forward_jvp(primals: Any, tangents: Any, *, positions: bool, **parameters: Any) -> Any:
    x, kernel, _ = primals
    picks = positions or parameters["fusion"].picks
    values, picked = _forward_p.bind(*primals, positions=picks, **parameters)
    used = picked if parameters["fusion"].picks else native.absent(np.uint8)
    tangent = _sum(_linear_terms(x, kernel, used, tangents, **parameters), values)
    kept = picked if positions else native.absent(np.uint8)
    return [values, kept], [tangent, _zero(kept)]


def _picked_jvp(primals: Any, tangents: Any, **parameters: Any) -> Any:
    x, kernel, _, positions = primals
    (values,) = _picked_p.bind(*primals, **parameters)
    terms = _linear_terms(x, kernel, positions, tangents[:3], **parameters)
    return [values], [_sum(terms, values)]


def _input_jvp(primals: Any, tangents: Any, **parameters: Any) -> Any:
    gradient, kernel, positions = primals
    dgradient, dkernel, _ = tangents
    (dx,) = _input_p.bind(*primals, **parameters)
    terms = []
    if not _is_zero(dgradient):
        terms += _input_p.bind(dgradient, kernel, positions, **parameters)
    if not _is_zero(dkernel):
        terms += _input_p.bind(gradient, dkernel, positions, **parameters)
    return [dx], [_sum(terms, dx)]


def _kernel_jvp(primals: Any, tangents: Any, *, with_bias: bool, **parameters: Any) -> Any:
    x, gradient, positions = primals
    dx, dgradient, _ = tangents
    results = _kernel_p.bind(*primals, with_bias=with_bias, **parameters)
    kernels, biases = [], []
    if not _is_zero(dx):
        kernels.append(_kernel_p.bind(dx, gradient, positions, with_bias=False, **parameters)[0])
    if not _is_zero(dgradient):
        kernel, bias = _kernel_p.bind(x, dgradient, positions, with_bias=with_bias, **parameters)
        kernels.append(kernel)
        biases.append(bias)
    return results, [_sum(kernels, results[0]), _sum(biases, results[1])]


def _shared(gradient: Array, operand: Any) -> Array:
    """Sum a gradient over models that share the operand."""
    if operand.aval.shape[0] == gradient.shape[0]:
        return gradient
    return gradient.sum(axis=0, keepdims=True)


def _picked_transpose(
    cts: Any, x: Any, kernel: Any, bias: Any, positions: Any, *, geometry: Geometry, fusion: Fusion
) -> list[Any]:
    (ct,) = cts
    if _is_zero(ct):
        return [None] * 4
    if ad.is_undefined_primal(x):
        image = x.aval.shape[2:4]
        (dx,) = _input_p.bind(ct, kernel, positions, geometry=geometry, fusion=fusion, image=image)
        return [_shared(dx, x), None, None, None]
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
        _shared(dkernel, kernel) if ad.is_undefined_primal(kernel) else None,
        _shared(dbias, bias) if with_bias else None,
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
    if _is_zero(ct):
        return [None] * 3
    if ad.is_undefined_primal(gradient):
        (result,) = _picked_p.bind(ct, kernel, native.absent(ct.dtype), positions, **parameters)
        return [_shared(result, gradient), None, None]
    window = kernel.aval.shape[1:3]
    result, _ = _kernel_p.bind(
        ct, gradient, positions, window=window, with_bias=False, **parameters
    )
    return [None, _shared(result, kernel), None]


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
    no_bias = not with_bias or _is_zero(ct_bias)
    if _is_zero(ct_kernel) and no_bias:
        return [None] * 3
    if ad.is_undefined_primal(x):
        image = x.aval.shape[2:4]
        (dx,) = _input_p.bind(gradient, ct_kernel, positions, image=image, **parameters)
        return [_shared(dx, x), None, None]
    kernel = ad.instantiate_zeros(ct_kernel)
    bias = native.absent(kernel.dtype) if no_bias else ct_bias
    (result,) = _picked_p.bind(x, kernel, bias, positions, **parameters)
    return [None, _shared(result, gradient), None]


ad.primitive_jvps[_forward_p] = _forward_jvp
ad.primitive_jvps[_picked_p] = _picked_jvp
ad.primitive_jvps[_input_p] = _input_jvp
ad.primitive_jvps[_kernel_p] = _kernel_jvp
ad.primitive_transposes[_picked_p] = _picked_transpose
ad.primitive_transposes[_input_p] = _input_transpose
ad.primitive_transposes[_kernel_p] = _kernel_transpose
