"""Feed compiled loops from Keras's iterators, a chunk of batches at a time."""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from striate.engine import loops, resident
from striate.engine.compiling import compiled
from striate.engine.lowering import Lowering
from striate.engine.once import compile_once
from striate.engine.resident import Batches

Tree = Any

# A chunk holds at most so many batches and bytes: long enough that Python's share is small,
# short enough that progress is seen and memory stays bounded.
MOST_BATCHES = 100
MOST_BYTES = 64 * 2**20
# For data of unknown length.
STREAMED_BATCHES = 16


def chunk_length(batches: int | None, batch_bytes: int | None) -> int:
    """Return how many batches make a chunk, so that chunks divide an epoch as evenly as may be.

    Parameters
    ----------
    batches
        Batches in an epoch, None if unknown.
    batch_bytes
        Size of one batch in bytes, None if unknown.

    Returns
    -------
    int
        At least 1; callbacks that look at batches get them in chunks of this length.
    """
    most = MOST_BATCHES
    if batch_bytes:
        most = max(1, min(most, MOST_BYTES // batch_bytes))
    if batches is None:
        return min(most, STREAMED_BATCHES)
    if batches <= most:
        return max(1, batches)
    fewest = -(-batches // most)
    # Among a few more chunks than needed, take the number that leaves the last one fullest.
    candidates = range(fewest, fewest + max(2, fewest // 4) + 1)
    chunks = min(candidates, key=lambda c: (c * math.ceil(batches / c) - batches, c))
    return math.ceil(batches / chunks)


class ChunkedFunction:
    """What Keras calls for each chunk: (state, iterator) -> (logs or outputs, state).

    Where the arrays are on the device, a chunk is one call of a compiled loop that gathers its
    batches, and of a second step in the same program for the partial last one. Else batches of one
    shape that follow each other are stacked and run in one compiled loop; while it runs, the next
    chunk is taken from the iterator. What cannot be traced runs through Keras's own function.

    Parameters
    ----------
    model
        The Keras model; its ``steps_per_execution`` is the length of a chunk.
    step
        (state, batch) -> (logs or outputs, state).
    fallback
        Keras's own function for the same.
    keeps_outputs
        Whether every step's result is returned, concatenated, or the last one's.
    """

    def __init__(
        self,
        model: Any,
        step: loops.Step,
        lowering: Lowering,
        fallback: Callable[[Tree, Iterator[Tree]], tuple[Tree, Tree]],
        *,
        keeps_outputs: bool = False,
    ) -> None:
        self._model = model
        self._step = step
        self._lowering = lowering
        self._fallback = fallback
        self._keeps_outputs = keeps_outputs
        self._loops: dict[Any, Callable[..., tuple[Tree, Tree]]] = {}
        self._ahead: tuple[Iterator[Tree], list[list[Tree]]] | None = None
        self._steps_per_epoch: int | None = None
        self._steps_taken = 0
        self.why_not: str | None = None

    @functools.cached_property
    def once(self) -> Callable[[Any, Tree], Tree]:
        """(model, x) -> outputs, for a call of predict with one small batch."""
        return compile_once(self._step, self._lowering)

    @property
    def ops(self) -> dict[str, str]:
        """What each layer became in the latest trace; empty before the first."""
        return self._lowering.ops

    def begin(self, steps_per_epoch: int | None) -> None:
        """Start a call of fit, evaluate or predict, with its number of steps if it has one."""
        self._steps_per_epoch = steps_per_epoch
        self._steps_taken = 0
        self._ahead = None

    def __call__(self, state: Tree, iterator: Iterator[Tree]) -> tuple[Tree, Tree]:
        """Run one chunk; raise StopIteration when the iterator is exhausted."""
        if isinstance(iterator, Batches):
            return self._run_resident(state, iterator)
        groups = self._next_groups(iterator)
        if not groups:
            self._steps_taken = 0
            raise StopIteration
        results = []
        for number, group in enumerate(groups):
            result, state = self._run(state, group)
            results.append(result)
            if number == len(groups) - 1 and self.why_not is None:
                self._look_ahead(iterator)
        return self._joined(results), state

    def _run(self, state: Tree, group: list[Tree]) -> tuple[Tree, Tree]:
        """Run batches of one shape, stacked on the host."""
        size = self._capacity(len(group))

        def call(loop: Any, state: Tree) -> tuple[Tree, Tree]:
            batches = jax.tree.map(lambda *leaves: _stack(leaves, size), *group)
            return loop(state, batches, 0, len(group))

        loop = self._loops.get(size) or compiled(
            self._looped(loops.pick_stacked, size), donate_argnums=0
        )
        return self._attempt(size, loop, call, state, group, len(group))

    def _run_resident(self, state: Tree, batches: Batches) -> tuple[Tree, Tree]:
        """Run the next batches of arrays that are on the device."""
        count = self._count()
        rows = batches.take(count)
        self._count_taken(count, len(rows))
        if not rows:
            self._steps_taken = 0
            raise StopIteration
        # Only the last batch of an epoch may be shorter.
        tail = rows.pop() if len(rows) > 1 and len(rows[-1]) < len(rows[0]) else rows[0][:0]
        size = self._capacity(len(rows))
        places = np.zeros((size, len(rows[0])), np.int32)
        np.stack(rows, out=places[: len(rows)])

        def call(loop: Any, state: Tree) -> tuple[Tree, Tree]:
            return loop(state, batches.arrays.on_device, places, len(rows), tail)

        again = [*rows, tail] if len(tail) else rows
        key = (size, len(tail) > 0)
        loop = self._loops.get(key) or self._compile_resident(*key)
        host = (batches.arrays.on_host(r) for r in again)
        return self._attempt(key, loop, call, state, host, len(rows))

    def _attempt(
        self,
        key: Any,
        loop: Any,
        call: Callable[[Any, Tree], tuple[Tree, Tree]],
        state: Tree,
        batches: Iterable[Tree],
        count: int,
    ) -> tuple[Tree, Tree]:
        """Call the loop, or where it cannot be traced Keras's own function with the batches."""
        if self.why_not is not None:
            return self._run_by_keras(state, batches)
        try:
            result, state = call(loop, state)
        except Exception as error:
            deleted = any(getattr(a, "is_deleted", bool)() for a in jax.tree.leaves(state))
            if deleted or isinstance(error, jax.errors.JaxRuntimeError):
                raise
            # When Keras's own function fails, too, its error is the user's; else say why.
            result, state = self._run_by_keras(state, batches)
            self.why_not = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            warnings.warn(
                f"striate cannot compile the steps of {self._model.name!r} as one loop "
                f"({self.why_not}): they run as in Keras",
                stacklevel=5,
            )
            return result, state
        self._loops[key] = loop
        if self._keeps_outputs:
            looped, *rest = result
            flat = jax.tree.map(lambda a: a[:count].reshape(-1, *a.shape[2:]), looped)
            result = self._joined([flat, *rest])
        return result, state

    def _run_by_keras(self, state: Tree, batches: Iterable[Tree]) -> tuple[Tree, Tree]:
        return self._fallback(state, iter(batches))

    def _joined(self, results: list[Tree]) -> Tree:
        """Return all outputs in one, or the last logs."""
        if self._keeps_outputs and len(results) > 1:
            return jax.tree.map(lambda *parts: jnp.concatenate(parts), *results)
        return results[-1]

    def _looped(self, pick: Callable[[Tree, jax.Array], Tree], size: int) -> Any:
        if not self._keeps_outputs:
            return loops.repeat(self._step, self._lowering, pick)
        collected = loops.collect(self._step, self._lowering, pick, size)

        def loop(*args: Any) -> tuple[Tree, Tree]:
            outputs, state = collected(*args)
            return (outputs,), state

        return loop

    def _compile_resident(self, size: int, with_tail: bool) -> Callable[..., tuple[Tree, Tree]]:
        whole = self._looped(resident.gather_batch, size)
        last = loops.repeat(self._step, self._lowering, lambda source, _: resident.gather(*source))

        def run(
            state: Tree, arrays: Tree, places: jax.Array, count: jax.Array, tail: jax.Array
        ) -> tuple[Tree, Tree]:
            result, state = whole(state, (arrays, places), jnp.int32(0), count)
            if not with_tail:
                return result, state
            rest, state = last(state, (arrays, tail), jnp.int32(0), jnp.int32(1))
            return ((*result, rest) if self._keeps_outputs else rest), state

        return compiled(run, donate_argnums=0)

    def _capacity(self, batches: int) -> int:
        """Return how many batches the program's input holds: one, or a whole chunk."""
        return 1 if batches == 1 else max(batches, self._model.steps_per_execution)

    def _count(self) -> int:
        """Return the batches of the next chunk: never more than the epoch has left.

        A generator is not advanced beyond what Keras would take.
        """
        count = int(self._model.steps_per_execution)
        if self._steps_per_epoch is not None:
            count = min(count, self._steps_per_epoch - self._steps_taken)
        return count

    def _next_groups(self, iterator: Iterator[Tree]) -> list[list[Tree]]:
        if self._ahead is not None and self._ahead[0] is iterator:
            groups = self._ahead[1]
            self._ahead = None
            return groups
        return self._take(iterator)

    def _look_ahead(self, iterator: Iterator[Tree]) -> None:
        """Prepare the next chunk of this epoch while the present one runs."""
        if self._model.steps_per_execution > 1 and self._steps_taken != 0:
            self._ahead = (iterator, self._take(iterator))

    def _take(self, iterator: Iterator[Tree]) -> list[list[Tree]]:
        """Take a chunk of batches, in groups of equal shape and bounded size."""
        count = self._count()
        groups: list[list[Tree]] = []
        shape: Any = None
        room = 0
        taken = 0
        for batch in itertools.islice(iterator, count):
            taken += 1
            leaves = jax.tree.leaves(batch)
            key = (jax.tree.structure(batch), [(np.shape(a), _dtype(a)) for a in leaves])
            room -= sum(_bytes(a) for a in leaves)
            if not groups or key != shape or room < 0:
                groups.append([])
                shape, room = key, 4 * MOST_BYTES
            groups[-1].append(batch)
        self._count_taken(count, taken)
        return groups

    def _count_taken(self, count: int, taken: int) -> None:
        """Note that `count` batches were asked for and `taken` came."""
        self._steps_taken += count
        if self._steps_taken == self._steps_per_epoch:
            self._steps_taken = 0
            if 0 < taken < count:
                # Keras asks no more in this epoch, and so does not see it.
                warnings.warn(
                    f"Your input ran out of data: {count - taken} of the "
                    f"{self._steps_per_epoch} steps of the epoch are missing. A generator has to "
                    "give at least `steps_per_epoch * epochs` batches.",
                    stacklevel=6,
                )


def _stack(leaves: tuple[Any, ...], size: int) -> Any:
    """Stack batches and fill up to `size`, so that one compiled loop serves every chunk."""
    missing = size - len(leaves)
    if any(isinstance(leaf, jax.Array) for leaf in leaves):
        on_device = jnp.stack(leaves)
        return jnp.pad(on_device, [(0, missing)] + [(0, 0)] * (on_device.ndim - 1))
    first = np.asarray(leaves[0])
    stacked = np.empty((size, *first.shape), first.dtype)
    np.stack(leaves, out=stacked[: len(leaves)])
    stacked[len(leaves) :] = 0
    return stacked


def _dtype(leaf: Any) -> Any:
    return getattr(leaf, "dtype", type(leaf))


def _bytes(leaf: Any) -> int:
    return int(getattr(leaf, "nbytes", 8))
