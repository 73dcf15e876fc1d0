"""The grid written by hand in JAX: one step mapped over all cells, an epoch in `lax.scan`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks import grid_inputs
from benchmarks.grid_inputs import Cell
from benchmarks.peers.jax_program import CONVOLUTIONS, apply
from benchmarks.workloads import WORKLOADS

NETWORK = WORKLOADS["N12"]


def run(inputs: str, cells: Sequence[Cell], epochs: int, convolution: str) -> dict[str, Any]:
    """Train all cells under one `vmap`; they see the images in one order."""
    digits = grid_inputs.load(inputs)
    begin = time.perf_counter()
    drawn = [grid_inputs.given(digits, cell).weights for cell in cells]
    weights = jax.tree.map(lambda *values: jnp.asarray(np.stack(values)), *drawn)
    rates, strengths = (jnp.asarray([cell[i] for cell in cells], jnp.float32) for i in (0, 1))
    images, labels = jnp.asarray(digits.train_images), jnp.asarray(digits.train_labels)
    logits = partial(_logits, convolution)
    epoch = jax.jit(partial(_epoch, logits), donate_argnums=0)
    random = np.random.default_rng(0)
    for _ in range(epochs):
        order = random.permutation(len(labels)).astype(np.int32)
        weights = epoch(weights, rates, strengths, order, images, labels)
    evaluate = jax.jit(jax.vmap(partial(_accuracy, logits), in_axes=(0, None, None)))
    train = evaluate(weights, images, labels)
    test = evaluate(weights, jnp.asarray(digits.test_images), jnp.asarray(digits.test_labels))
    accuracies = np.stack([train, test], axis=1).tolist()
    return {"accuracies": accuracies, "seconds_cells": time.perf_counter() - begin}


def _logits(convolution: str, weights: Any, images: jax.Array) -> jax.Array:
    return apply(NETWORK.layers, weights, images, CONVOLUTIONS[convolution])


def _loss(logits: Any, weights: Any, l2: jax.Array, images: Any, labels: Any) -> jax.Array:
    chosen = jnp.take_along_axis(
        jax.nn.log_softmax(logits(weights, images)), labels[:, None], axis=1
    )
    return -chosen.mean() + l2 * sum(jnp.sum(kernel**2) for kernel, _ in weights)


def _accuracy(logits: Any, weights: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
    return jnp.mean(logits(weights, images).argmax(-1) == labels)


def _epoch(
    logits: Any, weights: Any, rates: Any, strengths: Any, order: Any, images: Any, labels: Any
) -> Any:
    def one(weights: Any, rate: Any, l2: Any, images: Any, labels: Any) -> Any:
        gradient = jax.grad(partial(_loss, logits))(weights, l2, images, labels)
        return jax.tree.map(lambda w, g: w - rate * g, weights, gradient)

    all_cells = jax.vmap(one, in_axes=(0, 0, 0, None, None))

    def step(weights: Any, batch: Any) -> tuple[Any, None]:
        chosen = lax.optimization_barrier((images[batch], labels[batch]))
        return all_cells(weights, rates, strengths, *chosen), None

    size = NETWORK.batch_size
    whole = len(order) // size * size
    weights, _ = lax.scan(step, weights, order[:whole].reshape(-1, size))
    if whole < len(order):
        weights, _ = step(weights, order[whole:])
    return weights
