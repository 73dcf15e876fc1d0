"""Models that share their images run as one convolution: the same values, one for each model."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from striate.kernels import fused, native
from striate.kernels.fusion import Fusion
from striate.kernels.geometry import Geometry

pytestmark = pytest.mark.skipif(not native.available(), reason="of the compiled kernels")

FUSIONS = {
    "pooled": Fusion("max", (2, 2), relu=True),
    "wide": Fusion("average", (1, 3), relu=True),
    "alone": Fusion(relu=False),
}


def both_ways(images, kernels, biases, seen, fusion):
    """Return values and gradients for all models at once."""

    def one(kernel, bias, seen):
        def run(kernel, bias):
            return fused.convolve(images, kernel, bias, geometry=Geometry(), fusion=fusion)

        values, back = jax.vjp(run, kernel, bias)
        return values, back(seen)

    return jax.tree.map(np.asarray, jax.jit(jax.vmap(one))(kernels, biases, seen))


@pytest.mark.parametrize("fusion", [*FUSIONS.values()], ids=[*FUSIONS])
@pytest.mark.parametrize(
    ("models", "filters", "count", "channels"),
    # With 301 images a batch has more parts than there are sums. The last two have enough channels,
    # but not filters of one model, for Winograd's multiplications.
    [
        (2, 3, 13, 1),
        (7, 10, 13, 1),
        (60, 9, 13, 1),
        (5, 17, 13, 1),
        (7, 10, 301, 1),
        (7, 3, 13, 16),
        (7, 10, 40, 19),
    ],
)
def test_a_model_does_not_depend_on_the_others(models, filters, count, channels, fusion):
    random = np.random.default_rng(models)

    def numbers(*shape):
        return random.standard_normal(shape).astype(np.float32)

    images = numbers(count, 8, 8, channels)
    rows, columns = 6 // fusion.window[0], 6 // fusion.window[1]
    given = [numbers(models, 3, 3, channels, filters), numbers(models, filters)]
    given.append(numbers(models, count, rows, columns, filters))
    given[0][1] = np.nan  # diverged
    many = both_ways(images, *given, fusion)
    few = both_ways(images, *(array[-1:] for array in given), fusion)
    pair = both_ways(images, *(array[[0, -1]] for array in given), fusion)
    for all_models, alone, two in zip(*map(jax.tree.leaves, (many, few, pair)), strict=True):
        np.testing.assert_allclose(all_models[-1], alone[0], rtol=1e-4, atol=1e-4)
        assert all_models[-1].tobytes() == two[1].tobytes()
        assert np.isfinite(np.delete(all_models, 1, 0)).all()
