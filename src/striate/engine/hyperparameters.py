"""Where the numbers of a model's configuration live, and what of it is not a number.

The description of a compiled model is read from the configurations that Keras itself writes:
numbers with a fraction by their place (layer 2, kernel regulariser, ``l2``), and a skeleton of all
the rest (classes, shapes, options, connections), free of the names that Keras counts up. Two models
of one skeleton are one program if the numbers in which they differ can be traced.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from striate.backend import without_tensorflow
from striate.engine.numbers import Number

# Layer 2, "kernel_regularizer", "l2"; "optimizer", "momentum"; "loss", "label_smoothing".
Place = tuple[int | str, ...]

# What Keras writes of an object beside its class and configuration.
_SERIALISED = {"class_name", "config"}
# Names are counted up by Keras, seeds are part of the initial state.
_NOT_COMPARED = {"name", "seed", "shared_object_id", "build_config", "compile_config"}


@dataclass(frozen=True)
class _Found:
    """Where an object keeps a number: an attribute, or an entry of a dictionary of it."""

    owner: Any
    name: str

    @property
    def _kept_in(self) -> Any:
        arguments = vars(self.owner).get("_fn_kwargs")
        return arguments if arguments and self.name in arguments else None

    def get(self) -> Any:
        if self._kept_in is not None:
            return self._kept_in[self.name]
        return vars(self.owner)[self.name]

    def set(self, value: Any) -> None:
        if self._kept_in is not None:
            self._kept_in[self.name] = value
        else:
            # vars() bypasses Keras's attribute tracking and checks.
            vars(self.owner)[self.name] = value


@dataclass(frozen=True, eq=False)
class Description:
    """What a compiled model is.

    Attributes
    ----------
    skeleton
        All but the numbers; equal for models of one structure.
    numbers
        Numbers by their place.
    """

    skeleton: Any
    numbers: Mapping[Place, float]
    _found: Mapping[Place, _Found]
    _variables: Mapping[Place, int]

    def is_initial(self, place: Place) -> bool:
        """Whether the number at a place is an initialiser's: it decides initial weights only."""
        owner = self._found[place].owner if place in self._found else None
        return isinstance(owner, keras.initializers.Initializer)

    def variable(self, place: Place) -> int | None:
        """Return which of the optimizer's variables holds the number, if one does."""
        return self._variables.get(place)

    def can_be_set(self, place: Place) -> bool:
        """Whether a number of many models can stand at the place."""
        return place in self._found and not self.is_initial(place)

    @contextmanager
    def replaced(self, numbers: Mapping[Place, Number | float]) -> Iterator[None]:
        """Put numbers, those of many models or plain ones, at their places for a while."""
        before = {place: self._found[place].get() for place in numbers}
        try:
            for place, number in numbers.items():
                self._found[place].set(number)
            yield
        finally:
            for place, value in before.items():
                self._found[place].set(value)


def describe(model: Any) -> Description:
    """Describe a compiled and built model of Keras.

    What cannot be described (a layer without ``get_config``, a function made within another one)
    makes the skeleton equal to no other.
    """
    with without_tensorflow():
        reader = _Reader(model)
    return Description(reader.skeleton, reader.numbers, reader.found, reader.variables)


class _Reader:
    def __init__(self, model: Any) -> None:
        self.numbers: dict[Place, float] = {}
        self.found: dict[Place, _Found] = {}
        self.variables: dict[Place, int] = {}
        self._optimizer_variables = model.optimizer.variables
        layers = list(model._flatten_layers(include_self=True, recursive=True))
        self._names = {layer.name: f"layer {number}" for number, layer in enumerate(layers)}
        try:
            self.skeleton: Any = (
                [self._layer(layer, number) for number, layer in enumerate(layers)],
                self._object(model.optimizer, ("optimizer",)),
                self._loss(model),
                self._compilation(model),
                [(tuple(v.shape), v.dtype, v.trainable) for v in model.variables],
                [(tuple(v.shape), v.dtype) for v in model.optimizer.variables],
            )
        except (NotImplementedError, TypeError, ValueError, AttributeError):
            self.skeleton = object()

    def _layer(self, layer: Any, number: int) -> Any:
        if isinstance(layer, keras.Model):
            # Its layers come by themselves; what remains is how they are connected.
            config = layer.get_config()
            connections = (
                [[entry.get("name"), entry.get("inbound_nodes")] for entry in config["layers"]]
                if isinstance(layer, keras.src.models.Functional)
                else []
            )
            ends = [config.get("input_layers"), config.get("output_layers")]
            return type(layer).__name__, self._plain([connections, ends], ())
        return self._object(layer, (number,))

    def _object(self, owner: Any, place: Place) -> Any:
        """Describe an object by its class and configuration."""
        config = owner.get_config()
        described = {
            name: self._value(value, owner, name, (*place, name))
            for name, value in config.items()
            if name not in _NOT_COMPARED
        }
        kind = type(owner)
        if kind.__module__.partition(".")[0] not in {"keras", "striate"}:
            # A class of the user's may keep more than its configuration says.
            kept = {n: v for n, v in vars(owner).items() if isinstance(v, bool | int | float | str)}
            described["kept"] = {n: v for n, v in kept.items() if n.strip("_") != "name"}
        return kind, described

    def _value(self, value: Any, owner: Any, name: str, place: Place) -> Any:
        if isinstance(value, float):
            return self._number(value, owner, name, place)
        held = getattr(owner, name, None)
        if not hasattr(held, "get_config"):
            # A schedule's object, where the property gives its present value.
            held = getattr(owner, f"_{name}", held)
        if isinstance(held, types.FunctionType):
            return _identity(held)
        serialised = isinstance(value, dict) and value.keys() >= _SERIALISED
        if serialised and hasattr(held, "get_config"):
            return self._object(held, place)
        return self._plain(value, place)

    def _number(self, value: float, owner: Any, name: str, place: Place) -> Any:
        """Note a number and where it is kept; one that is kept nowhere stays in the skeleton."""
        found = _Found(owner, name)
        ours = type(owner).__module__.startswith("keras.")
        variable = vars(owner).get(f"_{name}")
        if isinstance(variable, keras.Variable):
            indices = [i for i, v in enumerate(self._optimizer_variables) if v is variable]
            if indices:
                self.variables[place] = indices[0]
                self.numbers[place] = value
                return "a variable"
        if not ours or (found._kept_in is None and name not in vars(owner)):
            return value
        self.numbers[place] = value
        self.found[place] = found
        return "a number"

    def _plain(self, value: Any, place: Place) -> Any:
        """Return a value without the names of layers."""
        if isinstance(value, dict):
            return {
                key: self._plain(entry, (*place, key))
                for key, entry in value.items()
                if key not in _NOT_COMPARED
            }
        if isinstance(value, list | tuple):
            return [self._plain(entry, place) for entry in value]
        if isinstance(value, str):
            return self._names.get(value, value)
        if isinstance(value, types.FunctionType):
            return _identity(value)
        return value

    def _loss(self, model: Any) -> Any:
        loss = model.loss
        if isinstance(loss, keras.losses.Loss):
            return self._object(loss, ("loss",))
        return self._plain(loss, ())

    def _compilation(self, model: Any) -> Any:
        """Describe metrics and options of `compile`."""
        config = dict(model._compile_config.config)
        for own in ("optimizer", "loss"):
            config.pop(own, None)
        metrics = {
            name: _metric(config.pop(name, None)) for name in ("metrics", "weighted_metrics")
        }
        return self._plain(config, ()), metrics


def _metric(metrics: Any) -> Any:
    if isinstance(metrics, list | tuple):
        return [_metric(metric) for metric in metrics]
    if isinstance(metrics, dict):
        return {name: _metric(metric) for name, metric in metrics.items()}
    if isinstance(metrics, keras.metrics.Metric):
        config = {n: v for n, v in metrics.get_config().items() if n not in _NOT_COMPARED}
        function = getattr(metrics, "_fn", None)
        return type(metrics), config, function and _identity(function)
    return _identity(metrics) if isinstance(metrics, types.FunctionType) else metrics


def _identity(function: types.FunctionType) -> Any:
    """Return a function's full name if it says all, else the function itself.

    One made within another may hold values of its own, which its name does not tell.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    return function if "<" in name else name
