"""Convolution and both its gradients are what their formulas say."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from striate.kernels import Geometry, primitives, reference

ROUNDING = np.finfo(np.float32).eps / 2


def all_three(x, kernel, gradient, *, geometry):
    """Compute a convolution and its gradients in one program."""
    return (
        primitives.conv2d(x, kernel, geometry=geometry),
        primitives.conv2d_input(gradient, kernel, geometry=geometry, image=x.shape[1:3]),
        primitives.conv2d_kernel(x, gradient, geometry=geometry, window=kernel.shape[:2]),
    )


def by_definition(definition, x, kernel, gradient, geometry):
    return (
        definition.conv2d(x, kernel, geometry),
        definition.conv2d_input(gradient, kernel, geometry, x.shape[1:3]),
        definition.conv2d_kernel(x, gradient, geometry, kernel.shape[:2]),
    )


def test_exact_on_whole_numbers(case, definition, whole_numbers):
    arrays = whole_numbers(case.images), whole_numbers(case.kernel, 1), whole_numbers(case.outputs)
    ours = jax.jit(partial(all_three, geometry=case.geometry))(*arrays)
    right = by_definition(definition, *arrays, case.geometry)
    for name, mine, theirs in zip(("values", "to images", "to kernel"), ours, right, strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_array_equal(mine, theirs, err_msg=name)


def test_each_case_is_computed_as_its_table_says(case):
    outputs = case.outputs[1:3]
    assert reference.method(case.kernel, outputs, case.geometry) == case.method
    size = reference._block_size(case.images[0], case.kernel, outputs)
    assert -(-case.images[0] // size) == case.blocks


def test_real_numbers_within_the_bound_of_float32(definition):
    """|error| <= n u sum |x| |w|: the bound of a sum of n products in any order."""
    random = np.random.default_rng(3)
    x = random.normal(size=(4, 15, 15, 32)).astype(np.float32)
    kernel = random.normal(size=(3, 3, 32, 64)).astype(np.float32)
    gradient = random.normal(size=(4, 13, 13, 64)).astype(np.float32)
    ours = jax.jit(partial(all_three, geometry=Geometry()))(x, kernel, gradient)
    right = by_definition(definition, x, kernel, gradient, Geometry())
    sizes = by_definition(definition, abs(x), abs(kernel), abs(gradient), Geometry())
    for mine, theirs, size, products in zip(
        ours, right, sizes, (9 * 32, 9 * 64, 4 * 13 * 13), strict=True
    ):
        assert (abs(mine - theirs) <= products * ROUNDING * size).all()
        assert (mine != theirs).any()  # the bound is tested, not two equal numbers


def test_the_definition_is_scipys(definition):
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(2, 7, 6, 3)), random.normal(size=(3, 2, 3, 4))
    scipys = [
        [signal.correlate(image, kernel[..., f], "valid")[..., 0] for f in range(4)] for image in x
    ]
    np.testing.assert_allclose(
        definition.conv2d(x, kernel, Geometry()), np.transpose(scipys, (0, 2, 3, 1)), rtol=1e-12
    )


@pytest.mark.parametrize("groups", [1, 2])
def test_double_precision_is_kept(definition, groups):
    """Float64 in, float64 out, with its precision, for both methods."""
    random = np.random.default_rng(1)
    geometry = Geometry((2, 1), ((1, 1), (0, 2)), groups=groups)
    x, kernel = random.normal(size=(3, 6, 5, 4)), random.normal(size=(3, 2, 4 // groups, 6))
    gradient = random.normal(size=(3, *geometry.output_size((6, 5), (3, 2)), 6))
    with jax.enable_x64():
        ours = jax.jit(partial(all_three, geometry=geometry))(x, kernel, gradient)
        for mine, theirs in zip(
            ours, by_definition(definition, x, kernel, gradient, geometry), strict=True
        ):
            assert mine.dtype == np.float64
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-13)


def test_no_images_give_no_outputs_and_no_gradient():
    x, kernel = np.ones((0, 6, 6, 2), np.float32), np.ones((3, 3, 2, 5), np.float32)
    gradient = np.ones((0, 4, 4, 5), np.float32)
    values, to_images, to_kernel = jax.jit(partial(all_three, geometry=Geometry()))(
        x, kernel, gradient
    )
    assert values.shape == (0, 4, 4, 5)
    assert to_images.shape == (0, 6, 6, 2)
    np.testing.assert_array_equal(to_kernel, np.zeros((3, 3, 2, 5)))


def test_nan_reaches_the_windows_that_see_it_and_no_others(definition, whole_numbers):
    """Padding must not spread it, and a weight of zero must not hide it."""
    x, kernel = whole_numbers((2, 6, 6, 2)), whole_numbers((3, 3, 2, 4), 1)
    x[0, 0, 5, 1] = np.nan
    kernel[0, 0] = 0
    geometry = Geometry(padding=((1, 1), (1, 1)))
    np.testing.assert_array_equal(
        primitives.conv2d(x, kernel, geometry=geometry), definition.conv2d(x, kernel, geometry)
    )


def test_kernel_that_does_not_fit_is_refused_with_the_sizes():
    with pytest.raises(ValueError, match=r"no output remains: columns 4 with padding \(0, 0\)"):
        primitives.conv2d(
            np.ones((1, 5, 4, 1), np.float32),
            np.ones((5, 5, 1, 1), np.float32),
            geometry=Geometry(),
        )


@st.composite
def convolutions(draw):
    """Draw the shapes of images and kernel, and a geometry that leaves an output."""
    small = st.integers(1, 3)
    pair = st.tuples(small, small)
    window = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    pad = st.tuples(st.integers(0, 3), st.integers(0, 3))
    groups, ins, outs = draw(small), draw(small), draw(small)
    geometry = Geometry(draw(pair), draw(st.tuples(pad, pad)), draw(pair), groups)
    image = tuple(
        max(
            1,
            (window[axis] - 1) * geometry.dilation[axis]
            + 1
            - sum(geometry.padding[axis])
            + draw(st.integers(0, 5)),
        )
        for axis in (0, 1)
    )
    images = (draw(st.integers(1, 3)), *image, groups * ins)
    return images, (*window, ins, groups * outs), geometry


@settings(max_examples=12, derandomize=True, deadline=None, database=None)
@given(drawn=convolutions())
def test_exact_and_adjoint_for_any_shape(definition, whole_numbers, drawn):
    images, window, geometry = drawn
    x, kernel = whole_numbers(images), whole_numbers(window, 1)
    outputs = geometry.output_size(images[1:3], window[:2])
    gradient = whole_numbers((images[0], *outputs, window[3]), 2)
    ours = [
        np.asarray(value, np.float64)
        for value in jax.jit(partial(all_three, geometry=geometry))(x, kernel, gradient)
    ]
    right = by_definition(definition, x, kernel, gradient, geometry)
    for mine, theirs in zip(ours, right, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    values, to_images, to_kernel = ours
    assert (values * gradient).sum() == (x * to_images).sum() == (kernel * to_kernel).sum()
