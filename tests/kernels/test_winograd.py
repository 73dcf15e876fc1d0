"""Convolutions by tiles round as XLA's plain sums do, where both are compared with float64."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from striate.kernels import native
from striate.kernels.dispatch import convolve
from striate.kernels.geometry import Geometry

pytestmark = pytest.mark.skipif(not native.available(), reason=str(native.why_not()))

RESULTS = ("values", "to images", "to kernel")


def plain(images, kernel):
    order = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(images, kernel, (1, 1), "VALID", dimension_numbers=order)


def with_gradients(function, gradient, *operands):
    values, transpose = jax.vjp(function, *operands)
    return values, *transpose(gradient)


@pytest.mark.parametrize("channels,filters,size", [(64, 32, 26), (32, 64, 15), (256, 256, 10)])
def test_rounding_is_that_of_a_plain_sum(channels, filters, size):
    random = np.random.default_rng(0)
    # As behind a ReLU, and as Keras's and He's initial weights are.
    images = np.maximum(random.normal(size=(4, size, size, channels)), 0).astype(np.float32)
    kernel = random.normal(size=(3, 3, channels, filters)) * np.sqrt(2 / (9 * channels))
    kernel = kernel.astype(np.float32)
    gradient = random.normal(size=(4, size - 2, size - 2, filters)).astype(np.float32)
    assert "Winograd" in convolve(images, kernel, None, geometry=Geometry()).op
    ours = with_gradients(
        lambda x, k: convolve(x, k, None, geometry=Geometry()).value, gradient, images, kernel
    )
    theirs = with_gradients(plain, gradient, images, kernel)
    with jax.enable_x64():
        wide = [jnp.asarray(a, jnp.float64) for a in (gradient, images, kernel)]
        exact = [np.asarray(a) for a in with_gradients(plain, *wide)]
    for name, mine, xla, right in zip(RESULTS, ours, theirs, exact, strict=True):
        rms = [np.sqrt(np.mean((np.asarray(a) - right) ** 2)) for a in (mine, xla)]
        assert rms[0] < 3 * rms[1], name
        assert rms[0] < 1e-6 * np.sqrt(np.mean(right**2)), name
