"""Training written by hand in JAX: one compiled program an epoch, every batch in `lax.scan`."""

from __future__ import annotations

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.trainer import FirstStep, Trainer
from benchmarks.workloads import (
    Convolution,
    Dense,
    Flatten,
    Inputs,
    Layer,
    MaxPooling,
    Workload,
)

Array = jax.Array


def convolve_lax(x: Array, kernel: Array) -> Array:
    """XLA's own convolution."""
    return lax.conv_general_dilated(
        x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def convolve_shifts(x: Array, kernel: Array) -> Array:
    """One matrix product for each position in the kernel, added up."""
    windows = _windows(x, kernel)
    matrices = kernel.reshape(-1, *kernel.shape[2:])
    products = (window @ matrix for window, matrix in zip(windows, matrices, strict=True))
    first = next(products)
    return sum(products, start=first)


def convolve_patches(x: Array, kernel: Array) -> Array:
    """One matrix product of all windows laid side by side."""
    return jnp.concatenate(_windows(x, kernel), axis=-1) @ kernel.reshape(-1, kernel.shape[-1])


def _windows(x: Array, kernel: Array) -> list[Array]:
    rows, columns = x.shape[1] - kernel.shape[0] + 1, x.shape[2] - kernel.shape[1] + 1
    return [
        x[:, row : row + rows, column : column + columns]
        for row in range(kernel.shape[0])
        for column in range(kernel.shape[1])
    ]


CONVOLUTIONS = {"lax": convolve_lax, "shifts": convolve_shifts, "patches": convolve_patches}


def prepare(
    workload: Workload,
    inputs: Inputs,
    *,
    shuffle: bool,
    convolution: Literal["lax", "shifts", "patches"],
) -> JaxTrainer:
    """Put weights and images on the device and compile nothing yet."""
    return JaxTrainer(workload, inputs, shuffle=shuffle, convolution=convolution)


def max_pool(x: Array, size: int) -> Array:
    """Maximum of each window, by a view of the array; what does not fill a window is dropped."""
    n, rows, columns, channels = x.shape
    rows, columns = rows // size, columns // size
    windows = x[:, : rows * size, : columns * size].reshape(n, rows, size, columns, size, channels)
    return windows.max((2, 4))


def apply(layers: tuple[Layer, ...], weights: Any, x: Array, convolve: Any) -> Array:
    """Return the logits; the softmax of the last layer is in the loss."""
    remaining = iter(weights)
    for layer in layers:
        match layer:
            case Convolution():
                kernel, bias = next(remaining)
                x = jax.nn.relu(convolve(x, kernel) + bias)
            case MaxPooling(size=size):
                x = max_pool(x, size)
            case Flatten():
                x = x.reshape(len(x), -1)
            case Dense(activation=activation):
                kernel, bias = next(remaining)
                x = x @ kernel + bias
                if activation == "relu":
                    x = jax.nn.relu(x)
    return x


class JaxTrainer(Trainer):
    """The network's weights and optimizer state, and the compiled epoch."""

    def __init__(
        self, workload: Workload, inputs: Inputs, *, shuffle: bool, convolution: str
    ) -> None:
        self.workload = workload
        self.convolve = CONVOLUTIONS[convolution]
        self.shuffle = shuffle
        self.random = np.random.default_rng(0)
        self.images = jnp.asarray(inputs.images)
        self.labels = jnp.asarray(inputs.labels)
        weights = jax.tree.map(jnp.asarray, inputs.weights)
        zeros = jax.tree.map(jnp.zeros_like, (weights, weights))
        self.state = (weights, zeros, jnp.zeros((), jnp.int32))
        self.epoch = jax.jit(self._epoch, donate_argnums=0)

    def _loss(self, weights: Any, images: Array, labels: Array) -> Array:
        logits = apply(self.workload.layers, weights, images, self.convolve)
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1)
        loss = -chosen.mean()
        if self.workload.l2:
            loss += self.workload.l2 * sum(jnp.sum(kernel**2) for kernel, _ in weights)
        return loss

    def _step(self, state: Any, batch: Array, images: Array, labels: Array) -> tuple[Any, Array]:
        weights, moments, count = state
        # Without the barrier XLA gathers again and again inside the convolution.
        chosen = lax.optimization_barrier((images[batch], labels[batch]))
        loss, gradient = jax.value_and_grad(self._loss)(weights, *chosen)
        rate = self.workload.learning_rate
        if self.workload.optimizer == "sgd":
            weights = jax.tree.map(lambda w, g: w - rate * g, weights, gradient)
        else:
            first, second = moments
            t = (count + 1).astype(jnp.float32)
            rate = rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), first, gradient)
            second = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), second, gradient)
            weights = jax.tree.map(
                lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, first, second
            )
            moments = (first, second)
        return (weights, moments, count + 1), loss

    def _epoch(self, state: Any, order: Array, images: Array, labels: Array) -> tuple[Any, Array]:
        size = self.workload.batch_size
        whole = len(order) // size * size
        state, losses = lax.scan(
            lambda state, batch: self._step(state, batch, images, labels),
            state,
            order[:whole].reshape(-1, size),
        )
        total = losses.sum() * size
        if whole < len(order):
            state, loss = self._step(state, order[whole:], images, labels)
            total += loss * (len(order) - whole)
        return state, total / len(order)

    def train(self, epochs: int, on_first_step: FirstStep | None = None) -> list[float]:
        """Run the compiled epochs; the first step is known when the first epoch is done."""
        n = len(self.labels)
        losses = []
        for _ in range(epochs):
            order = self.random.permutation(n) if self.shuffle else np.arange(n)
            self.state, loss = self.epoch(
                self.state, order.astype(np.int32), self.images, self.labels
            )
            losses.append(loss)
            if on_first_step is not None:
                loss.block_until_ready()
                on_first_step()
                on_first_step = None
        return [float(loss) for loss in losses]
