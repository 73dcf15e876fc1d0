"""Feed compiled loops from Keras's iterators, a chunk of batches at a time."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from striate.engine import loops
from striate.engine.lowering import Lowering

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

    Batches of one shape that follow each other run in one compiled loop. While it runs, the next
    chunk is taken from the iterator and stacked. A batch of another shape (the partial last one)
    gets a program of its own. What cannot be traced runs through Keras's own function.

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
        self._loops: dict[int, Callable[..., tuple[Tree, Tree]]] = {}
        self._ahead: tuple[Iterator[Tree], list[list[Tree]]] | None = None
        self._steps_per_epoch: int | None = None
        self._steps_taken = 0
        self.why_not: str | None = None

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
        groups = self._next_groups(iterator)
        if not groups:
            self._steps_taken = 0
            raise StopIteration
        results = []
        for number, group in enumerate(groups):
            if self.why_not is None:
                result, state = self._run(state, group)
            else:
                result, state = self._fallback(state, iter(group))
            results.append(result)
            if number == len(groups) - 1 and self.why_not is None:
                self._look_ahead(iterator)
        if self._keeps_outputs:
            return jax.tree.map(lambda *parts: jnp.concatenate(parts), *results), state
        return results[-1], state

    def _run(self, state: Tree, group: list[Tree]) -> tuple[Tree, Tree]:
        size = self._capacity(group)
        loop = self._loops.get(size)
        if loop is None:
            loop = self._compile(size)
        batches = jax.tree.map(lambda *leaves: _stack(leaves, size), *group)
        try:
            result, state = loop(state, batches, 0, len(group))
        except Exception as error:
            deleted = any(getattr(a, "is_deleted", bool)() for a in jax.tree.leaves(state))
            if deleted or isinstance(error, jax.errors.JaxRuntimeError):
                raise
            # When Keras's own function fails, too, its error is the user's; else say why.
            result, state = self._fallback(state, iter(group))
            self.why_not = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            warnings.warn(
                f"striate cannot compile the steps of {self._model.name!r} as one loop "
                f"({self.why_not}): they run as in Keras",
                stacklevel=4,
            )
            return result, state
        self._loops[size] = loop
        if self._keeps_outputs:
            count = len(group)
            result = jax.tree.map(lambda a: a[:count].reshape(-1, *a.shape[2:]), result)
        return result, state

    def _compile(self, size: int) -> Callable[..., tuple[Tree, Tree]]:
        if self._keeps_outputs:
            loop = loops.collect(self._step, self._lowering, loops.pick_stacked, size)
        else:
            loop = loops.repeat(self._step, self._lowering, loops.pick_stacked)
        return jax.jit(loop, donate_argnums=0)

    def _capacity(self, group: list[Tree]) -> int:
        """Return how many batches the program's input holds: one, or a whole chunk."""
        return 1 if len(group) == 1 else max(len(group), self._model.steps_per_execution)

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
        """Take a chunk of batches, in groups of equal shape and bounded size.

        Never more than the epoch has: a generator is not advanced beyond what Keras would take.
        """
        count = self._model.steps_per_execution
        if self._steps_per_epoch is not None:
            count = min(count, self._steps_per_epoch - self._steps_taken)
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
        self._steps_taken += count
        if self._steps_taken == self._steps_per_epoch:
            self._steps_taken = 0
            if 0 < taken < count:
                # Keras asks no more in this epoch, and so does not see it.
                warnings.warn(
                    f"Your input ran out of data: {count - taken} of the "
                    f"{self._steps_per_epoch} steps of the epoch are missing. A generator has to "
                    "give at least `steps_per_epoch * epochs` batches.",
                    stacklevel=5,
                )
        return groups


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
