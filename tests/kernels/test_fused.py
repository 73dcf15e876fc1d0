"""The fused op under JAX's transformations, against plain JAX that says the same."""

import functools
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from striate.kernels import fused, fusion, native, primitives
from striate.kernels.fusion import Fusion
from striate.kernels.geometry import Geometry

PLAIN = Geometry()
UNEVEN = Geometry(stride=(2, 1), padding=((1, 0), (2, 1)), dilation=(1, 2))
OPS = {
    "linear": (UNEVEN, Fusion()),
    "relu": (UNEVEN, Fusion(relu=True)),
    "max": (PLAIN, Fusion("max", (2, 2), relu=True)),
    "max of linear": (UNEVEN, Fusion("max", (2, 1))),
    "average": (PLAIN, Fusion("average", (2, 2), relu=True)),
    "average of linear": (UNEVEN, Fusion("average", (1, 2))),
}
ops = pytest.mark.parametrize("name", OPS)


def _fused(name):
    geometry, after = OPS[name]
    return functools.partial(fused.convolve, geometry=geometry, fusion=after)


def _plain(name):
    """The definition: convolution, then what follows, at positions that do not vary."""
    geometry, after = OPS[name]

    def run(x, kernel, bias):
        y = primitives.conv2d(x, kernel, geometry=geometry) + bias
        if not after.picks:
            return fusion.apply(y, after)[0]
        return fusion.pick(y, jax.lax.stop_gradient(fusion.apply(y, after)[1]), after)

    return run


def _operands(seed=0, models=()):
    rng = np.random.default_rng(seed)
    shapes = ((3, 9, 8, 2), (3, 2, 2, 5), (5,))
    return tuple(jnp.asarray(rng.normal(size=(*models, *s)), jnp.float32) for s in shapes)


def _loss(op):
    return lambda x, kernel, bias: jnp.sin(op(x, kernel, bias)).sum()


def _assert_close(found, expected):
    jax.tree.map(
        lambda f, e: np.testing.assert_allclose(f, e, rtol=1e-4, atol=1e-4), found, expected
    )


def _compare(name, transform, *operands):
    _assert_close(transform(_fused(name))(*operands), transform(_plain(name))(*operands))


@ops
def test_value_and_gradients(name):
    _compare(name, lambda op: op, *_operands())
    _compare(name, lambda op: jax.jit(jax.grad(_loss(op), (0, 1, 2))), *_operands())
    _compare(name, lambda op: jax.grad(_loss(jax.checkpoint(op)), (0, 1, 2)), *_operands())


@ops
def test_without_a_bias(name):
    x, kernel, _ = _operands()
    with_none = functools.partial(_fused(name), bias=None)
    with_zeros = functools.partial(_plain(name), bias=jnp.zeros(5))
    for transform in (lambda f: f, lambda f: jax.grad(lambda *a: jnp.sin(f(*a)).sum(), (0, 1))):
        _assert_close(transform(with_none)(x, kernel), transform(with_zeros)(x, kernel))


@ops
def test_directional_derivative(name):
    _compare(name, lambda op: lambda *a: jax.jvp(op, a[:3], a[3:]), *_operands(), *_operands(1))


@ops
def test_second_derivatives(name):
    directions = _operands(1)

    def over_forward(op):
        return lambda *a: jax.jvp(jax.grad(_loss(op), (0, 1, 2)), a, directions)[1]

    def over_reverse(op):
        def along(*operands):
            gradients = jax.grad(_loss(op), (0, 1, 2))(*operands)
            return sum(map(jnp.vdot, gradients, directions))

        return jax.grad(along, (0, 1, 2))

    _compare(name, over_forward, *_operands())
    _compare(name, over_reverse, *_operands())


@ops
@pytest.mark.parametrize(
    "axes", [(0, 0, 0), (0, None, None), (None, 0, 0), (None, None, 0)], ids=str
)
def test_map_over_models(name, axes):
    operands = tuple(
        many if axis == 0 else one
        for one, many, axis in zip(_operands(), _operands(1, (2,)), axes, strict=True)
    )
    _compare(name, lambda op: jax.vmap(op, axes), *operands)
    _compare(name, lambda op: jax.vmap(jax.grad(_loss(op), (0, 1, 2)), axes), *operands)
    # Shared operands collect the gradients of all models.
    _compare(
        name,
        lambda op: jax.grad(lambda *a: jax.vmap(_loss(op), axes)(*a).sum(), (0, 1, 2)),
        *operands,
    )


@ops
def test_nested_map(name):
    def nested(op):
        gradient = jax.grad(_loss(op), (0, 1, 2))
        return jax.vmap(jax.vmap(gradient, (0, None, None)), (None, 0, 0))

    _compare(name, nested, *_operands(0, (2,)))


@ops
def test_scan(name):
    x, kernel, bias = _operands(0, (2,))

    def summed(op):
        def loss(kernel, bias):
            def step(total, image):
                return total + _loss(op)(image, kernel, bias), None

            return jax.lax.scan(step, 0.0, x)[0]

        return jax.grad(loss, (0, 1))

    _compare(name, summed, kernel[0], bias[0])


def test_groups_and_other_types_run_on_the_reference():
    x, _, bias = _operands()
    kernel = jnp.ones((3, 2, 1, 5 * 2), jnp.float32)
    grouped = fused.convolve(x, kernel, None, geometry=Geometry(groups=2), fusion=Fusion(relu=True))
    expected = jax.nn.relu(primitives.conv2d(x, kernel, geometry=Geometry(groups=2)))
    _assert_close(grouped, expected)
    half = [a.astype(jnp.bfloat16) for a in (*_operands()[:2], bias)]
    found = fused.convolve(*half, geometry=PLAIN, fusion=Fusion())
    assert found.dtype == jnp.bfloat16


_MANY_AT_ONCE = """
import threading, jax, jax.numpy as jnp, numpy as np
from striate.kernels import fused, pool2d
from striate.kernels.geometry import Geometry
from striate.kernels.fusion import Fusion

def loss(x, kernel, bias):
    y = fused.convolve(x, kernel, bias, geometry=Geometry(), fusion=Fusion("max", (2, 2), True))
    y = pool2d.max_pool2d(y, (3, 3), Geometry()) + pool2d.average_pool2d(y, (3, 3), Geometry())
    return (y * y).sum()

step = jax.jit(jax.grad(loss, (0, 1, 2)))
# Independent branches, which XLA may run side by side, in each of many callers.
branches = jax.jit(lambda *a: [step(a[0] + i, a[1], a[2]) for i in range(6)])
rng = np.random.default_rng(0)
a = [jnp.asarray(rng.normal(size=s), jnp.float32) for s in ((16, 30, 30, 4), (3, 3, 4, 32), (32,))]
expected = jax.tree.map(np.asarray, branches(*a))
wrong = []

def work():
    for _ in range(8):
        found = jax.tree.map(np.asarray, branches(*a))
        same = jax.tree.map(lambda f, e: (f == e).all(), found, expected)
        if not all(jax.tree.leaves(same)):
            wrong.append(1)

threads = [threading.Thread(target=work) for _ in range(12)]
[t.start() for t in threads]
[t.join() for t in threads]
print("wrong", len(wrong))
"""


@pytest.mark.skipif(not native.available(), reason=str(native.why_not()))
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_many_callers_do_not_block_each_other(threads):
    # A deadlock would be a timeout.
    done = subprocess.run(
        [sys.executable, "-c", _MANY_AT_ONCE],
        env={**os.environ, "NPROC": str(threads)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout.strip() == "wrong 0"
