"""Arrays that stay on the device for a whole call of fit, evaluate or predict.

Keras slices each batch out of NumPy arrays on the host. Where the arrays fit, ours are copied to
the device once, and a batch is only the numbers of its rows; the rows are gathered inside the
compiled loop. In which order, and how it is shuffled, stays Keras's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from keras.src.trainers.data_adapters import array_slicing
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

Tree = Any

# Larger arrays stay on the host: on a CPU the copy costs as much memory again.
MOST_BYTES = 2**30


def is_container(value: Any) -> bool:
    """Whether a value holds arrays rather than being one."""
    return isinstance(value, dict | list | tuple)


def is_array(value: Any) -> bool:
    """Whether a value is a NumPy or JAX array with rows."""
    return isinstance(value, np.ndarray | jax.Array) and value.ndim > 0


def leaves(*values: Any) -> list[Any]:
    """Return the arrays, or what stands in their place, of nested containers; None is nothing."""
    found = jax.tree.leaves(values, is_leaf=lambda value: not is_container(value))
    return [value for value in found if value is not None]


class ResidentArrays(ArrayDataAdapter):
    """Keras's adapter of arrays, whose batches can be asked for by the numbers of their rows.

    The arrays are read when the first batch is taken and not again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._on_host: Tree = None
        self._on_device: Tree = None

    @property
    def on_device(self) -> Tree:
        """The arrays as Keras would hand them to a step, whole."""
        if self._on_device is None:
            # A copy: what a user writes into the array must not reach a running step.
            self._on_device = jax.tree.map(
                lambda a: jnp.array(a, copy=True), self.on_host(slice(None))
            )
            self._on_host = None
        return self._on_device

    def on_host(self, rows: Any) -> Tree:
        """Return rows of the arrays as Keras slices them."""
        if self._on_host is None:
            self._on_host = array_slicing.convert_to_sliceable(self._inputs, target_backend="jax")
        return keras.tree.map_structure(
            lambda s: None if s is None else s.convert_to_jax_compatible(s[rows]), self._on_host
        )

    def rows(self) -> Iterator[np.ndarray]:
        """Yield the numbers of the rows of each batch of an epoch, in Keras's order."""
        every = np.arange(self._num_samples, dtype=np.int32)
        return self._get_iterator(lambda whole, indices: whole[indices], every)

    def get_jax_iterator(self) -> Batches:
        """Return the batches of an epoch."""
        return Batches(self)


class Batches(Iterator[Tree]):
    """The batches of an epoch: one at a time as Keras takes them, or many as numbers of rows."""

    def __init__(self, arrays: ResidentArrays) -> None:
        self.arrays = arrays
        self._rows = arrays.rows()

    def __next__(self) -> Tree:
        return self.arrays.on_host(next(self._rows))

    def take(self, count: int) -> list[np.ndarray]:
        """Return the numbers of the rows of the next `count` batches, or of those that are left."""
        return list(islice(self._rows, count))


def resident(x: Any, y: Any = None, sample_weight: Any = None, **options: Any) -> Any:
    """Return an adapter that keeps the arrays on the device, or None where they stay on the host.

    Parameters
    ----------
    x, y, sample_weight
        As `keras.Model.fit` takes them.
    options
        ``batch_size``, ``steps``, ``shuffle``, ``class_weight`` of Keras's adapter.

    Returns
    -------
    ResidentArrays or None
        None for anything but NumPy and JAX arrays of numbers, and for more than a GiB of them.
    """
    arrays = leaves(x, y, sample_weight)
    if not arrays or not all(is_array(a) and np.dtype(a.dtype).kind in "fiub" for a in arrays):
        return None
    # Keras casts what is not already float32 or smaller.
    if sum(a.size * min(a.dtype.itemsize, 4) for a in arrays) > MOST_BYTES:
        return None
    return ResidentArrays(x, y, sample_weight=sample_weight, **options)


def gather_batch(source: Tree, i: jax.Array) -> Tree:
    """Return batch `i` of (arrays, numbers of rows (batches, n))."""
    arrays, places = source
    return gather(arrays, lax.dynamic_index_in_dim(places, i, keepdims=False))


def gather(arrays: Tree, places: jax.Array) -> Tree:
    """Return the rows at `places`, behind a barrier.

    Without it XLA fuses the gather into what reads the batch, and gathers once for each reader.
    """
    return lax.optimization_barrier(jax.tree.map(lambda a: a[places], arrays))
