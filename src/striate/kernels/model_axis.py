"""Primitives whose operands have a leading axis of models, which ``vmap`` makes longer.

An operand that all models share has length 1 there. Each primitive runs compiled on a CPU where
that is possible, and else is what its meaning in plain JAX says.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from striate.kernels import native

Array = jax.Array


def define(
    name: str,
    meaning: Callable[..., Any],
    told: Callable[..., dict[str, Any]],
    *,
    images: Sequence[int] = (),
    weights: Sequence[int] = (),
) -> Primitive:
    """Make a primitive of several results.

    Parameters
    ----------
    name
        Its name, and that of the compiled target.
    meaning
        What it is in plain JAX. Operands are positional, parameters (one is `geometry` where there
        are windows) are keywords; the results are a tuple.
    told
        The attributes of the compiled target for the same operands and parameters.
    images, weights
        Which operands hold one part an image, and which others. An axis mapped over the former
        alone is a longer batch; without `weights`, always more models.

    Returns
    -------
    Primitive
        Without derivatives.
    """
    primitive = Primitive(name)
    primitive.multiple_results = True

    # JAX asks several times for each op of a program.
    @functools.lru_cache(maxsize=1024)
    def shapes_of(
        structs: tuple[jax.ShapeDtypeStruct, ...], parameters: tuple[tuple[str, Any], ...]
    ) -> tuple[jax.ShapeDtypeStruct, ...]:
        return jax.eval_shape(functools.partial(meaning, **dict(parameters)), *structs)

    def shapes(*args: Any, **parameters: Any) -> tuple[jax.ShapeDtypeStruct, ...]:
        structs = tuple(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in args)
        return shapes_of(structs, tuple(parameters.items()))

    def on_cpu(*args: Array, **parameters: Any) -> Sequence[Array]:
        if not native.supports(args[0].dtype, parameters.get("geometry", native.PLAIN)):
            return meaning(*args, **parameters)
        return native.call(name, shapes(*args, **parameters), args, told(*args, **parameters))

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

    parameters = inspect.signature(meaning).parameters.values()
    run = jax.jit(
        lambda *args, **parameters: primitive.bind(*args, **parameters),
        static_argnames=[p.name for p in parameters if p.kind is p.KEYWORD_ONLY],
    )
    primitive.def_impl(run)
    primitive.def_abstract_eval(
        lambda *args, **parameters: [
            ShapedArray(r.shape, r.dtype) for r in shapes(*args, **parameters)
        ]
    )
    mlir.register_lowering(primitive, mlir.lower_fun(meaning, multiple_results=True))
    mlir.register_lowering(primitive, mlir.lower_fun(on_cpu, multiple_results=True), platform="cpu")
    batching.primitive_batchers[primitive] = batch
    return primitive


def over_models(one: Callable[..., Any], *operands: Array) -> Any:
    """Call `one` for each model; operands of length 1 are shared."""
    models = max(operand.shape[0] for operand in operands)
    shared = [operand.shape[0] == 1 for operand in operands]
    if all(shared):
        return jax.tree.map(lambda r: r[None], one(*(operand[0] for operand in operands)))
    axes = [None if alone else 0 for alone in shared]
    given = [o[0] if alone else o for o, alone in zip(operands, shared, strict=True)]
    return jax.vmap(one, axes, axis_size=models)(*given)


def absent(dtype: Any) -> Array:
    """Return the operand, or the result, that stands for none."""
    return jnp.zeros((1, 0), dtype)


def present(operand: Array) -> Array | None:
    """Return what one model has of an operand, or None if it is absent."""
    return operand if operand.size else None


def is_zero(tangent: Any) -> bool:
    """Whether a tangent or cotangent is known to vanish."""
    return type(tangent) is ad.Zero


def zero(like: Array) -> Any:
    """Return the tangent of `like` that vanishes."""
    inexact = jnp.issubdtype(like.dtype, jnp.inexact)
    return ad.Zero(ShapedArray(like.shape, like.dtype if inexact else jax.dtypes.float0))


def added(terms: Sequence[Array], like: Array) -> Any:
    """Return the sum of the terms of a tangent of `like`."""
    return functools.reduce(jnp.add, terms) if terms else zero(like)


def collected(gradient: Array, operand: Any) -> Array:
    """Sum a gradient over the models that share the unknown `operand`."""
    if operand.aval.shape[0] == gradient.shape[0]:
        return gradient
    return gradient.sum(axis=0, keepdims=True)


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
