"""What is compiled: none of XLA's slow ops on a CPU, the platform's own convolution elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export, lax

from striate.kernels import Geometry, Pooling, convolve, native, pool, primitives

SAME = Geometry((1, 1), ((1, 1), (1, 1)))
TILES = Pooling("max", (2, 2), Geometry((2, 2)))
OVERLAP = Pooling("max", (3, 3), Geometry((2, 2), ((1, 1), (1, 1))))


def training_gradient(x, kernel, bias, *, geometry, pooled):
    def loss(x, kernel, bias):
        y = convolve(x, kernel, bias, geometry=geometry, activation="relu", pooled=pooled).value
        return jnp.mean(y**2)

    return jax.grad(loss, (0, 1, 2))(x, kernel, bias)


def arrays(geometry):
    random = np.random.default_rng(0)
    shapes = (4, 12, 12, 4), (3, 3, 4 // geometry.groups, 8), (8,)
    return [random.random(shape, np.float32) for shape in shapes]


def lowered(function, arguments, platform):
    return jax.jit(function).trace(*arguments).lower(lowering_platforms=(platform,)).as_text()


def slow_ops(function, arguments):
    """Return those of XLA's slow ops that are asked for, and those that are compiled."""
    program = jax.jit(function).trace(*arguments).lower()
    asked = set(re.findall(r"stablehlo\.(\w+)", program.as_text()))
    # select_and_scatter may be compiled to a reduce-window and a scatter.
    compiled = set(re.findall(r" ([a-z-]+)\(", program.compile().as_text()))
    return (
        asked & {"convolution", "select_and_scatter", "reduce_window", "scatter"},
        compiled & {"convolution", "select-and-scatter", "reduce-window", "scatter"},
    )


@pytest.mark.parametrize("pooled", [TILES, OVERLAP], ids=["tiles", "overlap"])
@pytest.mark.parametrize("geometry", [SAME, Geometry(groups=4)], ids=["patches", "shifts"])
def test_training_on_a_cpu_meets_none_of_xlas_slow_ops(geometry, pooled):
    step = partial(training_gradient, geometry=geometry, pooled=pooled)
    assert slow_ops(step, arrays(geometry)) == (set(), set())


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("pooled", [TILES, OVERLAP], ids=["tiles", "overlap"])
def test_pooling_alone_meets_none_of_them_either(pooled, kind):
    pooled = replace(pooled, kind=kind)
    step = jax.grad(lambda x: jnp.sum(pool(x, pooled).value ** 2))
    assert slow_ops(step, arrays(SAME)[:1]) == (set(), set())


def test_plain_jax_meets_the_slow_ops():
    """Otherwise the test above could not fail."""

    def loss(x, kernel):
        y = lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        window = (1, 2, 2, 1)
        return jnp.sum(lax.reduce_window(y, -jnp.inf, lax.max, window, window, "VALID") ** 2)

    asked, compiled = slow_ops(jax.grad(loss, 1), arrays(SAME)[:2])
    assert asked == {"convolution", "select_and_scatter", "reduce_window"}
    assert {"convolution", "reduce-window"} <= compiled
    assert compiled & {"scatter", "select-and-scatter"}


@pytest.mark.parametrize("platform", ["cuda", "rocm", "tpu"])
@pytest.mark.parametrize("geometry", [SAME, Geometry((2, 1), groups=2)], ids=["plain", "groups"])
def test_each_of_the_three_ops_is_one_convolution_elsewhere(platform, geometry):
    x, kernel, _ = arrays(geometry)
    gradient = primitives.conv2d(x, kernel, geometry=geometry)
    ops = {
        partial(primitives.conv2d, geometry=geometry): (x, kernel),
        partial(primitives.conv2d_input, geometry=geometry, image=(12, 12)): (gradient, kernel),
        partial(primitives.conv2d_kernel, geometry=geometry, window=(3, 3)): (x, gradient),
    }
    for op, arguments in ops.items():
        assert lowered(op, arguments, platform).count("stablehlo.convolution") == 1
        assert lowered(op, arguments, "cpu").count("stablehlo.convolution") == 0


def test_one_exported_program_serves_both_kinds_of_platform():
    x, kernel, bias = arrays(SAME)
    step = jax.jit(partial(training_gradient, geometry=SAME, pooled=TILES))
    # Calls of compiled kernels are not promised to work elsewhere: here they need not.
    ours = [export.DisabledSafetyCheck.custom_call(target) for target in native.TARGETS]
    program = export.export(step, platforms=("cpu", "cuda"), disabled_checks=ours)
    exported = program(x, kernel, bias)
    assert "stablehlo.convolution" in exported.mlir_module()
    for mine, theirs in zip(exported.call(x, kernel, bias), step(x, kernel, bias), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "geometry",
    [SAME, Geometry((2, 3), ((0, 2), (1, 1)), (2, 1), groups=2)],
    ids=["plain", "stride, dilation and groups"],
)
def test_what_other_platforms_compute_is_the_same(geometry, whole_numbers):
    """The rules for other platforms are plain JAX, so that they run here, too."""
    x, kernel = whole_numbers((3, 9, 10, 4)), whole_numbers((3, 3, 4 // geometry.groups, 6), 1)
    gradient = whole_numbers((3, *geometry.output_size((9, 10), (3, 3)), 6), 2)

    @jax.jit
    def both():
        return [
            (ours, theirs)
            for ours, theirs in (
                (
                    primitives.conv2d(x, kernel, geometry=geometry),
                    primitives._platform_conv2d(x, kernel, geometry=geometry),
                ),
                (
                    primitives.conv2d_input(gradient, kernel, geometry=geometry, image=(9, 10)),
                    primitives._platform_input(gradient, kernel, geometry=geometry, image=(9, 10)),
                ),
                (
                    primitives.conv2d_kernel(x, gradient, geometry=geometry, window=(3, 3)),
                    primitives._platform_kernel(x, gradient, geometry=geometry, window=(3, 3)),
                ),
            )
        ]

    for ours, theirs in both():
        np.testing.assert_array_equal(ours, theirs)
