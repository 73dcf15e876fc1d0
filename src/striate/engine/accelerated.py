"""Keras models whose training, evaluation and prediction run as compiled loops.

``fit``, ``evaluate`` and ``predict`` are Keras's own. Only the three functions that make the
train, test and predict steps are replaced, and the number of batches that Keras hands over at a
time is chosen to suit.
"""

from __future__ import annotations

import functools
import inspect
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import keras
from keras.src.trainers.data_adapters.array_slicing import train_validation_split

from striate.engine import cache, epochs, once
from striate.engine.chunks import ChunkedFunction, chunk_length
from striate.engine.lowering import Lowering
from striate.engine.pieces import in_pieces
from striate.engine.report import EngineReport, engine_report
from striate.engine.resident import ResidentArrays, is_array, leaves, resident

# From the first program on: Keras compiles one for the initial weights of each layer.
cache.enable()

# A mixin: at run time it stands before a Keras class, whose methods it calls.
if TYPE_CHECKING:
    from keras import Model as _KerasModel
else:
    _KerasModel = object


def why_not_compiled(model: Any) -> str | None:
    """Return why the steps of `model` cannot run as compiled loops, or None if they can."""
    if model.run_eagerly:
        return "run_eagerly=True"
    if not model.jit_compile:
        return "jit_compile is off, or a layer does not support it"
    if keras.distribution.distribution() is not None:
        return "a keras.distribution is set"
    return None


class Accelerated(_KerasModel):
    """What a Keras model gains: compiled loops behind ``fit``, ``evaluate`` and ``predict``."""

    # Keras's own attributes.
    train_function: Any
    test_function: Any
    predict_function: Any
    steps_per_execution: Any

    def make_train_function(self, force: bool = False) -> None:
        """Make the function that trains on a chunk of batches."""
        if self.train_function is None or force:
            super().make_train_function(force=True)
            self.train_function = self._in_chunks("train_function", _train_step(self))

    def make_test_function(self, force: bool = False) -> None:
        """Make the function that evaluates a chunk of batches."""
        if self.test_function is None or force:
            super().make_test_function(force=True)
            self.test_function = self._in_chunks("test_function", _test_step(self))

    def make_predict_function(self, force: bool = False) -> Any:
        """Make the function that predicts a chunk of batches."""
        if self.predict_function is None or force:
            super().make_predict_function(force=True)
            self.predict_function = self._in_chunks("predict_function", _predict_step(self))
        return self.predict_function

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Train as `keras.Model.fit` does."""
        given = _arguments(keras.Model.fit, self, args, kwargs)
        if given and why_not_compiled(self) is None:
            given = epochs.with_callbacks(self, _fit_on_device(given))
            args, kwargs = (), {name: value for name, value in given.items() if name != "self"}
        held_out = 0.0
        if given.get("validation_data") is None:
            held_out = given.get("validation_split") or 0.0
        with self._chunks("train_function", given, given.get("steps_per_epoch"), held_out):
            return super().fit(*args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate as `keras.Model.evaluate` does."""
        given = _arguments(keras.Model.evaluate, self, args, kwargs)
        # Inside fit the iterator has been made, with the chunks of fit.
        iterated = given.get("kwargs", {}).get("_use_cached_eval_dataset", False)
        if given and not iterated and why_not_compiled(self) is None:
            given = _on_device(given)
            args, kwargs = (), {n: v for n, v in given.items() if n not in ("self", "kwargs")}
            kwargs.update(given.get("kwargs", {}))
        with self._chunks("test_function", given, given.get("steps"), fixed=iterated):
            return super().evaluate(*args, **kwargs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Predict as `keras.Model.predict` does."""
        given = {"x": x, "batch_size": batch_size, "steps": steps}
        if why_not_compiled(self) is None:
            quiet = verbose == 0 and not callbacks and steps is None
            if quiet and self.built and once.fits(x, batch_size):
                function = self.make_predict_function()
                if isinstance(function, ChunkedFunction) and function.why_not is None:
                    # What fails here fails below, too, with the words of Keras.
                    with suppress(Exception):
                        return function.once(self, x)
            given = _on_device(given)
        with self._chunks("predict_function", given, steps):
            return super().predict(given["x"], batch_size, verbose, steps, callbacks)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_jax_state", "_jax_state_synced"):
            # What fit holds between steps; Keras would wrap it, and look for layers in it.
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def reset_metrics(self) -> None:
        """Reset the metrics, as Keras does before each epoch."""
        if not epochs.reset_to_zero(self.metrics):
            super().reset_metrics()

    def _get_metrics_result_or_logs(self, logs: Any) -> Any:
        """Return the results of the metrics after the last step, which most often gave them."""
        if logs and isinstance(logs, dict) and epochs.logs_are_results(self):
            return logs
        return super()._get_metrics_result_or_logs(logs)

    def engine_report(self) -> EngineReport:
        """Return, for each layer by name, the op it is lowered to or why it stays with Keras.

        Returns
        -------
        EngineReport
            A mapping whose text is a table.

        Raises
        ------
        StriateError
            If the shape of the model's input is not known yet.
        """
        functions = {
            name: function
            for name in ("train", "test", "predict")
            if isinstance(function := getattr(self, f"{name}_function", None), ChunkedFunction)
        }
        reasons = {name: f.why_not for name, f in functions.items() if f.why_not}
        traced = next((f.ops for f in functions.values() if f.ops), {})
        return engine_report(self, why_not_compiled(self), reasons, traced)

    def __reduce__(self) -> Any:
        # Found by its name the class would be Keras's, which pickle refuses.
        _, contents = super().__reduce__()
        return _unpickle, contents

    def _in_chunks(self, name: str, step: Callable[..., Any]) -> Any:
        """Wrap the function that Keras has just made for itself."""
        keras_function = getattr(self, name)
        if why_not_compiled(self) is not None:
            if not self.supports_jit:
                warnings.warn(
                    f"striate runs {self.name!r} as Keras does: a layer does not support "
                    "compilation",
                    stacklevel=5,
                )
            return keras_function
        function = ChunkedFunction(
            self,
            step,
            Lowering(self),
            keras_function,
            keeps_outputs=name == "predict_function",
        )
        function.begin(self.__dict__.get("_striate_steps", {}).get(name))
        return function

    @contextmanager
    def _chunks(
        self,
        name: str,
        given: dict[str, Any],
        steps: int | None,
        held_out: float = 0.0,
        *,
        fixed: bool = False,
    ) -> Iterator[None]:
        """Choose the length of a chunk for one call, unless the user has chosen it."""
        chosen = self.steps_per_execution
        if chosen == 1 and not fixed and why_not_compiled(self) is None:
            self.steps_per_execution = chunk_length(*_extent(given, steps, held_out))
        # Past Keras's attribute tracking: this is not part of the model.
        self.__dict__.setdefault("_striate_steps", {})[name] = steps
        function = getattr(self, name, None)
        if isinstance(function, ChunkedFunction):
            function.begin(steps)
        try:
            yield
        finally:
            self.steps_per_execution = chosen


for _name in ("fit", "evaluate", "predict"):
    # Signature and documentation are Keras's, so that help() and completion show its arguments.
    functools.update_wrapper(getattr(Accelerated, _name), getattr(keras.Model, _name))


def _train_step(model: Any) -> Callable[..., Any]:
    return lambda state, batch: model.train_step(state, batch)


def _test_step(model: Any) -> Callable[..., Any]:
    return lambda state, batch: model.test_step(state, batch)


def _predict_step(model: Any) -> Callable[..., Any]:
    def step(state: Any, batch: Any) -> Any:
        outputs, non_trainable = model.predict_step(state, batch)
        return outputs, (state[0], non_trainable)

    return in_pieces(model, step)


def _arguments(function: Any, model: Any, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return the arguments of a call by name; an empty mapping when they do not fit."""
    try:
        return inspect.signature(function).bind(model, *args, **kwargs).arguments
    except TypeError:  # Keras reports it
        return {}


def _fit_on_device(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of fit with arrays that stay on the device, as far as they can."""
    split = given.get("validation_split")
    arrays = (given.get("x"), given.get("y"), given.get("sample_weight"))
    if split and given.get("validation_data") is None and all(map(is_array, leaves(*arrays))):
        # As Keras does it, and before the arrays are out of its sight.
        (x, y, weight), held_out = train_validation_split(arrays, validation_split=split)
        given = {**given, "x": x, "y": y, "sample_weight": weight, "validation_data": held_out}
        given["validation_split"] = 0.0
    validation = given.get("validation_data")
    if isinstance(validation, list | tuple) and 2 <= len(validation) <= 3:
        x, y, weight = (*validation, None)[:3]
        batch = given.get("validation_batch_size") or given.get("batch_size")
        kept = resident(x, y, weight, batch_size=batch, steps=given.get("validation_steps"))
        if kept is not None:
            given = {**given, "validation_data": kept}
    return _on_device(given, shuffle=given.get("shuffle", True))


def _on_device(given: dict[str, Any], *, shuffle: Any = False) -> dict[str, Any]:
    """Return the arguments of a call with x, y and weights in one adapter, where that is possible.

    Keras takes an adapter of its own kind in the place of x.
    """
    names = ("x", "y", "sample_weight", "class_weight")
    x, y, weight, classes = (given.get(name) for name in names)
    kept = resident(
        x,
        y,
        weight,
        batch_size=given.get("batch_size"),
        steps=given.get("steps_per_epoch", given.get("steps")),
        shuffle=shuffle,
        class_weight=classes,
    )
    if kept is None:
        return given
    return {**{name: value for name, value in given.items() if name not in names}, "x": kept}


def _extent(
    given: dict[str, Any], steps: int | None, held_out: float
) -> tuple[int | None, int | None]:
    """Return the batches in an epoch and the bytes in a batch, as far as they are known.

    Batches of arrays on the device take no memory of their own.
    """
    if isinstance(given.get("x"), ResidentArrays):
        return steps or given["x"].num_batches, None
    arrays = [a for a in leaves(given.get("x"), given.get("y")) if is_array(a)]
    if not arrays:
        known = steps if steps is not None else getattr(given.get("x"), "num_batches", None)
        return known, None
    images = int(arrays[0].shape[0] * (1.0 - held_out))
    batch = given.get("batch_size") or (math.ceil(images / steps) if steps else 32)
    # Keras casts what is not already float32 or smaller.
    one = sum(math.prod(a.shape[1:]) * min(a.dtype.itemsize, 4) for a in arrays)
    return steps or math.ceil(images / batch), batch * one


def _unpickle(contents: Any) -> Any:
    from striate.engine.model import accelerate

    return accelerate(keras.Model._unpickle_model(contents))
