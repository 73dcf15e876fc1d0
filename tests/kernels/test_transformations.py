"""What JAX makes of a function of our convolution is what it makes of its own."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from striate.kernels import Geometry, primitives


def ours(x, kernel, geometry):
    return primitives.conv2d(x, kernel, geometry=geometry)


def plain(x, kernel, geometry):
    return lax.conv_general_dilated(
        x,
        kernel,
        geometry.stride,
        geometry.padding,
        rhs_dilation=geometry.dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=geometry.groups,
    )


def energy(conv, x, kernel):
    """A scalar with second derivatives to both arguments and between them."""
    return jnp.sum(conv(x, kernel) ** 2)


def gradients(conv, x, kernel):
    return jax.grad(partial(energy, conv), (0, 1))(x[0], kernel[0])


def tangents(conv, x, kernel):
    return jax.jvp(conv, (x[0], kernel[0]), (x[1], kernel[1]))


def forward_jacobian(conv, x, kernel):
    return jax.jacfwd(conv, 1)(x[0], kernel[0])


def reverse_jacobian(conv, x, kernel):
    return jax.jacrev(conv, (0, 1))(x[0, :1, :3, :3], kernel[0])


def mapped_images(conv, x, kernel):
    return jax.vmap(conv, (0, None))(x, kernel[0])


def mapped_kernels(conv, x, kernel):
    return jax.vmap(conv, (None, 0))(x[0], kernel)


def mapped_both(conv, x, kernel):
    return jax.vmap(conv)(x, kernel)


def mapped_other_axes(conv, x, kernel):
    return jax.vmap(conv, (2, -1), 1)(jnp.moveaxis(x, 0, 2), jnp.moveaxis(kernel, 0, -1))


def mapped_gradients_to_images(conv, x, kernel):
    return jax.vmap(jax.grad(partial(energy, conv), (0, 1)), (0, None))(x, kernel[0])


def mapped_gradients_to_kernels(conv, x, kernel):
    return jax.vmap(jax.grad(partial(energy, conv), (0, 1)), (None, 0))(x[0], kernel)


def mapped_gradients_to_both(conv, x, kernel):
    return jax.vmap(jax.grad(partial(energy, conv), (0, 1)))(x, kernel)


def mapped_under_one_gradient(conv, x, kernel):
    """Images and kernels are mapped, the gradient to the output is not."""
    y = conv(x[1], kernel[1])

    def back(x, kernel):
        return jax.vjp(conv, x, kernel)[1](y)

    return jax.vmap(back, (0, None))(x, kernel[0]), jax.vmap(back, (None, 0))(x[0], kernel)


def gradients_of_mapped(conv, x, kernel):
    return jax.grad(lambda x, w: jnp.sum(jax.vmap(conv)(x, w) ** 2), (0, 1))(x, kernel)


def every_image_with_every_kernel(conv, x, kernel):
    grid = jax.vmap(jax.vmap(conv, (None, 0)), (0, None))
    return jax.grad(lambda x, w: jnp.sum(grid(x, w) ** 2), (0, 1))(x, kernel)


def scanned(conv, x, kernel):
    def add(total, image):
        return total + jax.grad(partial(energy, conv), 1)(image, kernel[0]), conv(image, kernel[1])

    return lax.scan(add, jnp.zeros_like(kernel[0]), x)


def gradients_through_scan(conv, x, kernel):
    def loss(x, kernel):
        return lax.scan(lambda total, xw: (total + energy(conv, *xw), None), 0.0, (x, kernel))[0]

    return jax.grad(loss, (0, 1))(x, kernel)


def checkpointed(conv, x, kernel):
    twice = jax.checkpoint(lambda x, w: jnp.sum(conv(x, w) ** 2) + jnp.sum(conv(x, w + 1)))
    return jax.grad(twice, (0, 1))(x[0], kernel[0])


def hessian_to_kernel(conv, x, kernel):
    return jax.hessian(partial(energy, conv), 1)(x[0], kernel[0])


def mixed_hessian(conv, x, kernel):
    return jax.jacfwd(jax.grad(partial(energy, conv)), 1)(x[0, :1], kernel[0])


def third_derivative(conv, x, kernel):
    """Along one direction, through both arguments."""

    def along(t):
        return energy(conv, x[0] + t * x[1], kernel[0] + t * kernel[1])

    return jax.grad(jax.grad(jax.grad(along)))(1.0)


OF_ONE = [gradients, tangents, forward_jacobian, reverse_jacobian, checkpointed]
MAPPED = [
    mapped_images,
    mapped_kernels,
    mapped_both,
    mapped_other_axes,
    mapped_gradients_to_images,
    mapped_gradients_to_kernels,
    mapped_gradients_to_both,
    mapped_under_one_gradient,
    gradients_of_mapped,
    every_image_with_every_kernel,
]
SCANNED = [scanned, gradients_through_scan]
OF_HIGHER_ORDER = [hessian_to_kernel, mixed_hessian, third_derivative]


@pytest.mark.parametrize("transformation", [*OF_ONE, *MAPPED, *SCANNED, *OF_HIGHER_ORDER])
def test_exactly_what_jax_makes_of_its_own(transformation, whole_numbers):
    compare(transformation, Geometry((2, 1), ((1, 0), (2, 1)), (1, 2)), whole_numbers)


@pytest.mark.parametrize(
    "transformation",
    [gradients, mapped_both, gradients_of_mapped, every_image_with_every_kernel, third_derivative],
)
def test_with_groups_too(transformation, whole_numbers):
    compare(transformation, Geometry((1, 2), ((0, 1), (1, 1)), (2, 1), groups=2), whole_numbers)


def compare(transformation, geometry, whole_numbers):
    x = whole_numbers((3, 2, 5, 4, 2), most=1)
    kernel = whole_numbers((3, 2, 3, 2 // geometry.groups, 4), 1, most=1)
    mine, theirs = (
        jax.tree.leaves(
            jax.jit(partial(transformation, partial(conv, geometry=geometry)))(x, kernel)
        )
        for conv in (ours, plain)
    )
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
        assert np.count_nonzero(b) > 0


def test_images_mapped_over_one_kernel_are_one_longer_batch(whole_numbers):
    """Not one convolution after the other, and not a grouped one."""
    x, kernel = whole_numbers((3, 2, 5, 4, 2)), whole_numbers((3, 2, 2, 4))
    traced = jax.make_jaxpr(jax.vmap(partial(ours, geometry=Geometry()), (0, None)))(x, kernel)
    batches = [
        equation.invars[0].aval.shape
        for equation in traced.jaxpr.eqns
        if equation.primitive.name == "striate_conv2d"
    ]
    assert batches == [(6, 5, 4, 2)]
