"""Products of matrices under JAX's transformations, against JAX's own product."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from striate.kernels import multiply, native, products


def plain(x, kernel):
    return jnp.matmul(x, kernel)


def energy(op, x, kernel):
    """A scalar with derivatives of every order to both arguments and between them."""
    return jnp.sum(op(x, kernel) ** 3)


def gradients(op, x, kernel):
    return jax.grad(partial(energy, op), (0, 1))(x[0], kernel[0])


def tangents(op, x, kernel):
    return jax.jvp(op, (x[0], kernel[0]), (x[1], kernel[1]))


def jacobians(op, x, kernel):
    return jax.jacfwd(op, 1)(x[0], kernel[0]), jax.jacrev(op, (0, 1))(x[0], kernel[0])


def checkpointed(op, x, kernel):
    twice = jax.checkpoint(lambda x, w: energy(op, x, w) + jnp.sum(op(x, w + 1)))
    return jax.grad(twice, (0, 1))(x[0], kernel[0])


def mapped(op, x, kernel):
    return (
        jax.vmap(op, (0, None))(x, kernel[0]),
        jax.vmap(op, (None, 0))(x[0], kernel),
        jax.vmap(op, (1, -1), 1)(x.swapaxes(0, 1), jnp.moveaxis(kernel, 0, -1)),
    )


def mapped_gradients(op, x, kernel):
    to_both = jax.grad(partial(energy, op), (0, 1))
    return (
        jax.vmap(to_both, (0, None))(x, kernel[0]),
        jax.vmap(to_both, (None, 0))(x[0], kernel),
        jax.vmap(to_both)(x, kernel),
    )


def gradients_of_mapped(op, x, kernel):
    def total(x, kernel):
        return jnp.sum(jax.vmap(op)(x, kernel) ** 2) + jnp.sum(
            jax.vmap(jax.vmap(op, (None, 0)), (0, None))(x, kernel) ** 2
        )

    return jax.grad(total, (0, 1))(x, kernel)


def mapped_under_one_gradient(op, x, kernel):
    """Rows and kernels are mapped, the gradient to the result is not."""
    y = op(x[1], kernel[1])

    def back(x, kernel):
        return jax.vjp(op, x, kernel)[1](y)

    return jax.vmap(back, (0, None))(x, kernel[0]), jax.vmap(back, (None, 0))(x[0], kernel)


def through_scan(op, x, kernel):
    def loss(x, kernel):
        return jax.lax.scan(lambda t, xw: (t + energy(op, *xw), None), 0.0, (x, kernel))[0]

    return jax.grad(loss, (0, 1))(x, kernel)


def hessians(op, x, kernel):
    return jax.hessian(partial(energy, op), (0, 1))(x[0], kernel[0])


def third_derivative(op, x, kernel):
    def along(t):
        return energy(op, x[0] + t * x[1], kernel[0] + t * kernel[1])

    return jax.grad(jax.grad(jax.grad(along)))(1.0)


@pytest.mark.parametrize(
    "transformation",
    [
        gradients,
        tangents,
        jacobians,
        checkpointed,
        mapped,
        mapped_gradients,
        gradients_of_mapped,
        mapped_under_one_gradient,
        through_scan,
        hessians,
        third_derivative,
    ],
)
def test_exactly_what_jax_makes_of_its_own(transformation, whole_numbers):
    x, kernel = whole_numbers((3, 5, 7), most=1), whole_numbers((3, 7, 3), 1, most=1)
    found, expected = (
        jax.tree.leaves(jax.jit(partial(transformation, op))(x, kernel))
        for op in (products.multiply, plain)
    )
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
        assert np.count_nonzero(b) > 0


def test_rows_mapped_over_one_kernel_are_one_longer_batch(whole_numbers):
    x, kernel = whole_numbers((3, 5, 7)), whole_numbers((7, 2))
    traced = jax.make_jaxpr(jax.vmap(products.multiply, (0, None)))(x, kernel)
    shapes = [
        equation.invars[0].aval.shape
        for equation in traced.jaxpr.eqns
        if equation.primitive.name == "striate_rows"
    ]
    assert shapes == [(1, 15, 7)]


@pytest.mark.parametrize("shape", [(0, 4, 3), (5, 0, 3), (5, 4, 0)])
def test_nothing_to_multiply(shape):
    rows, inner, columns = shape
    x, kernel = jnp.ones((rows, inner)), jnp.ones((inner, columns))
    found = jax.jit(jax.vjp(products.multiply, x, kernel)[1])(jnp.ones((rows, columns)))
    expected = jax.vjp(plain, x, kernel)[1](jnp.ones((rows, columns)))
    np.testing.assert_array_equal(products.multiply(x, kernel), plain(x, kernel))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_says_what_it_became():
    x, kernel = jnp.ones((2, 3)), jnp.ones((3, 4))
    lowered = multiply(x, kernel)
    np.testing.assert_array_equal(lowered.value, np.full((2, 4), 3))
    if native.available():
        assert lowered.op == f"native {native.instruction_set()}: matrix product"
    assert multiply(x.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16)).op == "XLA: matrix product"
