"""Pooling alone under JAX's transformations, against the reference that says the same."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from striate.kernels import native, pool2d, pooling
from striate.kernels.geometry import Geometry

OPS = {
    "max": ("max_pool2d", (3, 2), Geometry((2, 1), ((1, 1), (0, 1)))),
    "max of tiles": ("max_pool2d", (2, 2), Geometry((2, 2))),
    "average": ("average_pool2d", (3, 2), Geometry((2, 1), ((1, 1), (0, 1)))),
    "average of tiles": ("average_pool2d", (2, 3), Geometry((2, 3))),
}
ops = pytest.mark.parametrize("name", OPS)


def _op(module, name):
    function, window, geometry = OPS[name]
    return functools.partial(getattr(module, function), window=window, geometry=geometry)


def _images(seed=0, models=()):
    shape = (*models, 2, 7, 6, 3)
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def _loss(op):
    return lambda x: jnp.sin(op(x)).sum()


def _compare(name, transform, *operands):
    found, expected = (jax.jit(transform(_op(m, name)))(*operands) for m in (pool2d, pooling))
    assert np.count_nonzero(expected) > 0
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@ops
def test_value_and_gradient(name):
    _compare(name, lambda op: op, _images())
    _compare(name, lambda op: jax.grad(_loss(op)), _images())
    _compare(name, lambda op: jax.grad(_loss(jax.checkpoint(op))), _images())


@ops
def test_without_jit(name):
    found = jax.grad(_loss(_op(pool2d, name)))(_images())
    expected = jax.grad(_loss(_op(pooling, name)))(_images())
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@ops
def test_directional_derivative(name):
    _compare(name, lambda op: lambda x, v: jax.jvp(op, (x,), (v,))[1], _images(), _images(1))


@ops
def test_second_and_third_derivatives(name):
    def forward_over_reverse(op):
        return lambda x, v: jax.jvp(jax.grad(_loss(op)), (x,), (v,))[1]

    def reverse_over_reverse(op):
        return lambda x, v: jax.grad(lambda x: jnp.vdot(jax.grad(_loss(op))(x), v))(x)

    def third(op):
        def along(t, x, v):
            return _loss(op)(x + t * v)

        return lambda x, v: jax.grad(jax.grad(jax.grad(along)))(0.0, x, v)

    for derivative in (forward_over_reverse, reverse_over_reverse, third):
        _compare(name, derivative, _images(), _images(1))


@ops
def test_maps(name):
    many, one = _images(2, (4,)), _images()
    _compare(name, lambda op: jax.vmap(op), many)
    _compare(name, lambda op: jax.vmap(jax.grad(_loss(op)), 1, 2), many)
    _compare(
        name, lambda op: jax.vmap(jax.vmap(jax.grad(_loss(op)))), many.reshape(2, 2, *one.shape)
    )
    _compare(name, lambda op: lambda x: jax.grad(lambda x: jax.vmap(_loss(op))(x).sum())(x), many)


@ops
def test_mapped_tangents_share_the_positions(name):
    def push(op):
        return lambda x, vs: jax.vmap(jax.linearize(op, x)[1])(vs)

    def pull(op):
        return lambda x, vs: jax.vmap(jax.vjp(op, x)[1])(jax.vmap(op)(vs))[0]

    def collect(op):
        """The transpose of a shared tangent at positions of many models."""
        return lambda xs, v: jax.grad(
            lambda v: jax.vmap(lambda x: jnp.sin(jax.jvp(op, (x,), (v,))[1]).sum())(xs).sum()
        )(v)

    _compare(name, push, _images(), _images(1, (3,)))
    _compare(name, pull, _images(), _images(1, (3,)))
    _compare(name, collect, _images(1, (3,)), _images())


@ops
def test_scan(name):
    def summed(op):
        def loss(scale, xs):
            return jax.lax.scan(lambda total, x: (total + _loss(op)(scale * x), None), 0.0, xs)[0]

        return jax.grad(loss)

    _compare(name, summed, 1.5, _images(3, (3,)))


@ops
def test_other_types_run_on_the_reference(name):
    half = _images().astype(jnp.bfloat16)
    found = _op(pool2d, name)(half)
    assert found.dtype == jnp.bfloat16
    np.testing.assert_array_equal(
        found.astype(jnp.float32), _op(pooling, name)(half).astype(jnp.float32)
    )


@ops
def test_an_empty_batch(name):
    assert jax.grad(_loss(_op(pool2d, name)))(_images()[:0]).shape == (0, 7, 6, 3)


@pytest.mark.skipif(not native.available(), reason=str(native.why_not()))
@ops
def test_mapped_tangents_are_one_call(name):
    """And the positions, which they share, are not repeated."""
    x, tangents = _images(), _images(1, (3,))
    traced = jax.make_jaxpr(
        lambda x, vs: jax.vmap(lambda v: jax.jvp(_op(pool2d, name), (x,), (v,))[1])(vs)
    )(x, tangents)
    calls = [e for e in traced.jaxpr.eqns if e.primitive.name == "striate_pooled"]
    assert len(calls) == (1 if name.startswith("max") else 2)  # the average itself is one
    call = calls[-1]
    images, positions = (v.aval.shape for v in call.invars)
    assert images == (3, *x.shape)
    assert positions[0] == 1
