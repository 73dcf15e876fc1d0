"""A convolution layer in JAX: striate's dispatch, or XLA's own convolution and pooling.

Each operation runs in a loop inside one compiled program, as in a training; every turn of it
depends on the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks import operands
from benchmarks.timing import seconds_a_call

Array = jax.Array
Layer = Mapping[str, Any]


def measure(
    layers: Sequence[Layer], seconds: float, *, how: Literal["striate", "lax"]
) -> dict[str, Any]:
    """Time each operation of each layer."""
    found = []
    apply = {"striate": _striate, "lax": _lax}[how]
    for layer in layers:
        for operation, (work, arguments) in _operations(layer, partial(apply, layer)).items():
            loop = jax.jit(partial(_loop, work))

            def run(n: int, loop: Any = loop, arguments: Any = arguments) -> None:
                loop(n, arguments).block_until_ready()

            times = seconds_a_call(run, seconds)
            result = jax.tree.leaves(jax.jit(work)(arguments))[0]
            found.append(
                {
                    "layer": layer["name"],
                    "operation": operation,
                    "seconds": times,
                    "digest": operands.digest(result),
                }
            )
    return {"measured": found, "kernels": _kernels() if how == "striate" else "XLA"}


def _kernels() -> str:
    from striate.kernels import native

    return f"native, {native.instruction_set()}" if native.available() else "reference"


def _operations(
    layer: Layer, apply: Callable[..., Array]
) -> dict[str, tuple[Callable[[Any], Any], Any]]:
    """Return, for each operation, a function and what it is called with.

    All arrays are arguments: of a constant XLA would compute beforehand what it can.
    """
    given = {name: jnp.asarray(array) for name, array in operands.make(layer).items()}
    x = given["images"]
    if layer["kernel"] is None:
        _, to_images = jax.jit(lambda x: jax.vjp(apply, x))(x)
        return {
            "forward": (lambda x: jax.vjp(apply, x), x),
            "to images": (_transposed, (to_images, given["gradient"])),
        }
    kernel, bias = given["kernel"], given["bias"]
    _, to_images = jax.jit(lambda x, k, b: jax.vjp(lambda x: apply(x, k, b), x))(x, kernel, bias)
    _, to_kernel = jax.jit(lambda x, k, b: jax.vjp(lambda k, b: apply(x, k, b), k, b))(
        x, kernel, bias
    )
    return {
        "forward": (lambda all_three: jax.vjp(apply, *all_three), (x, kernel, bias)),
        "to images": (_transposed, (to_images, given["gradient"])),
        "to kernel": (_transposed, (to_kernel, given["gradient"])),
    }


def _transposed(arguments: tuple[Callable[[Array], Any], Array]) -> Any:
    transpose, gradient = arguments
    return transpose(gradient)


def _loop(work: Callable[[Any], Any], n: Array, arguments: Any) -> Array:
    leaves, tree = jax.tree.flatten(arguments)

    def results(these: list[Array]) -> list[Array]:
        # An argument may be among what a gradient needs: it is there already.
        made = jax.tree.leaves(work(jax.tree.unflatten(tree, these)))
        return [result for result in made if not any(result is given for given in these)]

    def turn(_: Array, state: tuple[list[Array], list[Array]]) -> tuple[list[Array], list[Array]]:
        these = state[0]
        # Results are part of the loop's state: of what nobody reads XLA would compute nothing.
        made = results(these)
        # Nothing is copied; but no part of the work can be the same in each turn.
        return lax.optimization_barrier((these, made))

    nothing = [jnp.zeros(r.shape, r.dtype) for r in jax.eval_shape(results, leaves)]
    return lax.fori_loop(0, n, turn, (leaves, nothing))[1][0].ravel()[0]


def _striate(layer: Layer, x: Array, *weights: Array) -> Array:
    from striate.kernels import Geometry, Pooling, convolve, multiply, pool

    if x.ndim == 2:
        kernel, bias = weights
        return multiply(x, kernel).value + bias
    (top, bottom), (left, right) = layer["padding"]
    if not weights:
        placed = Geometry(tuple(layer["stride"]), ((top, bottom), (left, right)))
        return pool(x, Pooling(layer["pooling"], tuple(layer["window"]), placed)).value
    kernel, bias = weights
    geometry = Geometry(
        stride=tuple(layer["stride"]),
        padding=((top, bottom), (left, right)),
        dilation=tuple(layer["dilation"]),
    )
    pooled = None
    if layer["pooling"] != "none":
        window = tuple(layer["window"])
        pooled = Pooling(layer["pooling"], window, Geometry(stride=window))
    activation: Any = "relu" if layer["relu"] else "linear"
    return convolve(x, kernel, bias, geometry=geometry, activation=activation, pooled=pooled).value


def _lax(layer: Layer, x: Array, *weights: Array) -> Array:
    if not weights:
        return _lax_pool(layer, x)
    kernel, bias = weights
    if x.ndim == 2:
        return x @ kernel + bias
    y = lax.conv_general_dilated(
        x,
        kernel,
        layer["stride"],
        layer["padding"],
        rhs_dilation=layer["dilation"],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    y = y + bias
    if layer["relu"]:
        y = jax.nn.relu(y)
    if layer["pooling"] == "max":
        window = (1, *layer["window"], 1)
        y = lax.reduce_window(y, -jnp.inf, lax.max, window, window, "VALID")
    return y


def _lax_pool(layer: Layer, x: Array) -> Array:
    window, stride = (1, *layer["window"], 1), (1, *layer["stride"], 1)
    padding = ((0, 0), *layer["padding"], (0, 0))
    if layer["pooling"] == "max":
        return lax.reduce_window(x, -jnp.inf, lax.max, window, stride, padding)
    total = lax.reduce_window(x, 0.0, lax.add, window, stride, padding)
    inside = lax.reduce_window(jnp.ones_like(x[:1]), 0.0, lax.add, window, stride, padding)
    return total / inside
