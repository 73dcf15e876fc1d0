"""Many steps of Keras as one compiled loop.

A step is Keras's own ``train_step``, ``test_step`` or ``predict_step``: a pure function of the
state and a batch. The loop's number of steps is an argument, not part of the program, so that one
compilation serves chunks of any length, and how an epoch is cut into chunks changes no bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import jaxpr_as_fun

from striate.engine.lowering import Lowering

Tree = Any
Step = Callable[[Tree, Tree], tuple[Tree, Tree]]


def traced_once(step: Step, state: Tree, batch: Tree) -> tuple[Step, Tree]:
    """Trace `step` and return it as an already traced function, with the shapes of its result.

    The returned function gives (result, state) with the state in the types that it came in,
    as a loop needs; Keras's own steps may return weakly typed numbers.
    """
    closed, shapes = jax.make_jaxpr(step, return_shape=True)(state, batch)
    run = jaxpr_as_fun(closed)
    structure = jax.tree.structure(shapes)

    def again(state: Tree, batch: Tree) -> tuple[Tree, Tree]:
        flat = run(*jax.tree.leaves((state, batch)))
        result, new = jax.tree.unflatten(structure, flat)
        return result, jax.tree.map(lambda n, o: jnp.asarray(n, o.dtype), new, state)

    return again, shapes[0]


def repeat(
    step: Step, lowering: Lowering, pick: Callable[[Tree, jax.Array], Tree]
) -> Callable[[Tree, Tree, jax.Array, jax.Array], tuple[Tree, Tree]]:
    """Make the loop over steps start, start + 1, ..., stop - 1 that returns the last result.

    Parameters
    ----------
    step
        (state, batch) -> (logs, state).
    lowering
        The model's swaps, applied while tracing.
    pick
        (source, i) -> batch number i, traced inside the loop.

    Returns
    -------
    callable
        (state, source, start, stop) -> (logs, state), to be jitted with the state donated.
    """

    def loop(state: Tree, source: Tree, start: jax.Array, stop: jax.Array) -> tuple[Tree, Tree]:
        with lowering.applied():
            first = jax.eval_shape(pick, source, start)
            run, logs_shape = traced_once(step, state, first)
        logs = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), logs_shape)

        def body(i: jax.Array, carry: tuple[Tree, Tree]) -> tuple[Tree, Tree]:
            return run(carry[1], pick(source, i))

        return lax.fori_loop(start, stop, body, (logs, state))

    return loop


def collect(
    step: Step, lowering: Lowering, pick: Callable[[Tree, jax.Array], Tree], most: int
) -> Callable[[Tree, Tree, jax.Array, jax.Array], tuple[Tree, Tree]]:
    """Make the loop that keeps each step's result: (most, *shape of one result).

    Parameters and call are those of `repeat`; results beyond the last step are zeros.
    """

    def loop(state: Tree, source: Tree, start: jax.Array, stop: jax.Array) -> tuple[Tree, Tree]:
        with lowering.applied():
            first = jax.eval_shape(pick, source, start)
            run, shape = traced_once(step, state, first)
        kept = jax.tree.map(lambda s: jnp.zeros((most, *s.shape), s.dtype), shape)

        def body(i: jax.Array, carry: tuple[Tree, Tree]) -> tuple[Tree, Tree]:
            kept, state = carry
            result, state = run(state, pick(source, i))
            place = i - start
            kept = jax.tree.map(
                lambda k, r: lax.dynamic_update_index_in_dim(k, r, place, 0), kept, result
            )
            return kept, state

        return lax.fori_loop(start, stop, body, (kept, state))

    return loop


def pick_stacked(source: Tree, i: jax.Array) -> Tree:
    """Return batch `i` of a tree of stacked batches, (batches, n, ...)."""
    return jax.tree.map(lambda a: lax.dynamic_index_in_dim(a, i, keepdims=False), source)
