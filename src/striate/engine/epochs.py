"""What Keras does in Python around each epoch, where nothing can be seen of it, done in less.

Keras computes the results of the metrics once more outside the compiled step, sets each of their
variables to zero by an operation of its own, and hands every chunk to threads for callbacks that do
not listen. An epoch of a small network takes a few milliseconds, and these took half of them.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import keras

from striate.engine.resident import ResidentArrays

_STEPS = ("train_step", "test_step", "compute_metrics", "get_metrics_result")
_HOOKS = ("on_batch_begin", "on_batch_end")


def is_keras_own(function: Any) -> bool:
    """Whether a method is defined by Keras, not by a user's class."""
    return str(getattr(function, "__module__", "")).startswith("keras.src.")


def logs_are_results(model: Any) -> bool:
    """Whether the logs of a step are the results of the metrics after it, as Keras's own are."""
    return all(is_keras_own(getattr(type(model), name)) for name in _STEPS)


def reset_to_zero(metrics: list[Any]) -> bool:
    """Reset metrics in one call; False, with nothing done, if one resets in its own way."""
    if not all(map(_resets_to_zero, metrics)):
        return False
    variables = [v for metric in metrics for v in metric.variables]
    zeros = _zeros(tuple((tuple(v.shape), v.dtype) for v in variables))
    for variable, value in zip(variables, zeros, strict=True):
        variable.assign(value)
    return True


@functools.partial(jax.jit, static_argnums=0)
def _zeros(kinds: tuple[tuple[tuple[int, ...], str], ...]) -> list[jax.Array]:
    """Return new arrays of these shapes and types: steps give up those of the state."""
    return [jnp.zeros(shape, dtype) for shape, dtype in kinds]


def _resets_to_zero(metric: Any) -> bool:
    inner = getattr(metric, "metrics", None) or metric._metrics
    return is_keras_own(type(metric).reset_state) and all(map(_resets_to_zero, inner))


class Callbacks(keras.callbacks.CallbackList):
    """Keras's list of callbacks, told of batches only if one of them listens."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._training_heard = self._heard("train")
        self._test_heard = self._heard("test")

    def _heard(self, mode: str) -> bool:
        hooks = (*_HOOKS, *(name.replace("batch", f"{mode}_batch") for name in _HOOKS))
        methods = (getattr(callback, name) for callback in self.callbacks for name in hooks)
        return not all(getattr(method, "_is_default", False) for method in methods)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Tell of a chunk of training that begins."""
        if self._training_heard:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell of a chunk of training that is done."""
        if self._training_heard:
            super().on_train_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Tell of a chunk of validation that begins."""
        if self._test_heard:
            super().on_test_batch_begin(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell of a chunk of validation that is done."""
        if self._test_heard:
            super().on_test_batch_end(batch, logs)


def with_callbacks(model: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a fit that shows no progress, with its callbacks in `Callbacks`."""
    callbacks, arrays = given.get("callbacks"), given.get("x")
    limited = keras.config.max_epochs() or keras.config.max_steps_per_epoch()
    if (
        given.get("verbose", "auto") != 0
        or isinstance(callbacks, keras.callbacks.CallbackList)
        or not isinstance(arrays, ResidentArrays)
        or limited
    ):
        return given
    listed = Callbacks(
        callbacks,
        add_history=True,
        model=model,
        verbose=0,
        epochs=given.get("epochs", 1),
        steps=given.get("steps_per_epoch") or arrays.num_batches,
    )
    return {**given, "callbacks": listed}
