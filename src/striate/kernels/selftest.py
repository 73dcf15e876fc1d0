"""Whether the ops are right on this machine: the tables of cases, value and gradients.

The operands are small whole numbers, whose products and sums float32 holds exactly in any order.
So values and gradients must be those of the reference in float64, to the last bit; only means over
windows of other sizes than powers of two are rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from striate.kernels.cases import Case, PoolingCase, ProductCase
from striate.kernels.dispatch import Lowered, Pooling, convolve, multiply, pool
from striate.kernels.geometry import Geometry

Array = jax.Array
AnyCase = Case | PoolingCase | ProductCase

TOLERANCE = 1e-6
"""Of the largest value: what rounding of a mean explains."""

RESULTS = ("values", "to images", "to kernel", "to bias")
LARGEST = 3


@dataclass(frozen=True)
class Outcome:
    """How far one case is from the mathematics.

    Attributes
    ----------
    case
        The convolution, pooling or product of matrices.
    op
        What ran.
    differences
        The largest difference of the values and of each gradient, as a part of the largest value.
    """

    case: AnyCase
    op: str
    differences: dict[str, float]

    @property
    def right(self) -> bool:
        """Whether all of it is right; NaN is not."""
        return all(difference <= TOLERANCE for difference in self.differences.values())


def check(case: AnyCase) -> Outcome:
    """Compute value and gradients of `case` as a training does, and compare with float64."""
    given = _operands(case)
    gradient = given.pop("gradient")
    op = ""

    def found(gradient: Array, *operands: Array) -> tuple[Array, ...]:
        nonlocal op
        lowered = partial(_lowered, case)
        op = lowered(*operands).op
        values, transpose = jax.vjp(lambda *a: lowered(*a).value, *operands)
        return values, *transpose(gradient)

    ours = jax.jit(found)(gradient, *given.values())
    name = op
    with jax.enable_x64():
        wide = [jnp.asarray(a, np.float64) for a in (gradient, *given.values())]
        right = [np.asarray(result) for result in jax.jit(found)(*wide)]
    differences = {
        result: _difference(np.asarray(mine, np.float64), exact)
        for result, mine, exact in zip(RESULTS[: len(ours)], ours, right, strict=True)
    }
    return Outcome(case, name, differences)


def _operands(case: AnyCase) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        name: random.integers(-LARGEST, LARGEST + 1, shape).astype(np.float32)
        for name, shape in _shapes(case).items()
    }


def _shapes(case: AnyCase) -> dict[str, tuple[int, ...]]:
    if isinstance(case, ProductCase):
        return {
            "images": (case.rows, case.inner),
            "kernel": (case.inner, case.columns),
            "gradient": (case.rows, case.columns),
        }
    shapes: dict[str, tuple[int, ...]] = {"images": (case.images, *case.image, case.channels)}
    channels = case.channels
    if isinstance(case, Case):
        channels = case.filters
        shapes["kernel"] = (*case.window, case.channels // case.geometry.groups, channels)
        shapes["bias"] = (channels,)
    shapes["gradient"] = (case.images, *case.outputs, channels)
    return shapes


def _lowered(case: AnyCase, images: Array, *weights: Array) -> Lowered:
    if isinstance(case, ProductCase):
        return multiply(images, *weights)
    if isinstance(case, PoolingCase):
        return pool(images, Pooling(case.kind, case.window, case.geometry))
    kernel, bias = weights
    after = case.fusion
    pooled = None
    if after.pooling != "none":
        pooled = Pooling(after.pooling, after.window, Geometry(stride=after.window))
    activation: Any = "relu" if after.relu else "linear"
    return convolve(
        images, kernel, bias, geometry=case.geometry, activation=activation, pooled=pooled
    )


def _difference(found: np.ndarray, right: np.ndarray) -> float:
    largest = float(np.abs(right).max(initial=0))
    return float(np.abs(found - right).max(initial=0)) / (largest or 1.0)
