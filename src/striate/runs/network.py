"""The network of a run: a model that is given, or built by a function or a name; and set."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np

from striate.backend import seeded, without_tensorflow
from striate.data import Dataset
from striate.engine import accelerate
from striate.errors import StriateError, nearest
from striate.models.registry import REGISTRY, LectureModel, lookup

# Settings that would change nothing in a compiled training, or belong to the optimizer itself.
_NOT_SETTABLE = {"name"}
_STEPS = "training_steps"

EPOCHS, BATCH_SIZE = 3, 64
"""Of a network that is no lecture's."""


class Length(NamedTuple):
    """Epochs of a training and images in its batches."""

    epochs: int
    batch_size: int


@dataclass(frozen=True, eq=False)
class Network:
    """A compiled network, ready to be trained.

    Attributes
    ----------
    model
        The accelerated Keras model.
    lecture
        Its entry in the table of the lecture networks, if it is one.
    title
        What to call it.
    arguments
        What its function was called with.
    settings
        What was set on its optimizer.
    built
        Whether it was built for this run, not given.
    """

    model: Any
    lecture: LectureModel | None
    title: str
    arguments: Mapping[str, Any]
    settings: Mapping[str, Any]
    built: bool

    @property
    def code(self) -> str:
        """What stands for it in a line of Python."""
        if self.lecture:
            return json.dumps(self.lecture.name)
        return self.title if self.built else "model"

    def describe(self) -> dict[str, Any]:
        """Return the ``model`` section of ``config.json``."""
        return {
            "name": self.lecture.name if self.lecture else "custom",
            "title": self.title,
            "arguments": plain(self.arguments),
            "start": "built after seeding" if self.built else "the weights of the model given",
        }

    def describe_training(self) -> dict[str, Any]:
        """Return optimizer, learning rate, loss and settings, for the ``training`` section."""
        optimizer = _compiled_with(self.model)
        settings = _configuration(optimizer)
        rate = settings.get("learning_rate")
        if isinstance(rate, float):
            # Kept in float32, where 0.1 is 0.10000000149; the shorter number means the same.
            rate = float(str(np.float32(rate)))
        elif isinstance(rate, dict):
            rate = rate.get("class_name", "custom")
        described = {
            "learning_rate": rate,
            "optimizer": type(optimizer).__name__,
            "loss": _loss_name(self.model.loss),
        }
        others = {name: value for name, value in self.settings.items() if name != "learning_rate"}
        if others:
            described["optimizer_settings"] = plain(others)
        return described


def prepare(
    model_or_build: Any,
    data: Dataset,
    seed: int,
    arguments: Mapping[str, Any],
    epochs: int | None,
    batch_size: int | None,
) -> Network:
    """Return the network that `striate.train` was asked to train; see there for the parameters.

    A function that takes ``training_steps`` is told how many batches the training will have.

    Raises
    ------
    StriateError
        If it is no network, is not compiled, or an argument is neither its function's nor its
        optimizer's.
    """
    lecture = _lecture(model_or_build)
    own: Mapping[str, Any] = {}
    takes: Collection[str] = ()
    built = not isinstance(model_or_build, keras.Model)
    if built:
        function = lecture.function if lecture else model_or_build
        title = title_of(function)
        takes, own = _accepted(function, arguments)
        if _STEPS in takes and _STEPS not in own:
            length = length_of(lecture, epochs, batch_size)
            own = {**own, _STEPS: length.epochs * math.ceil(len(data.train) / length.batch_size)}
        with seeded(seed):
            model = _call(lecture, function, title, data, own)
    else:
        model = model_or_build
        title = model.name
    if not model.compiled or model.optimizer is None:
        raise StriateError(
            f"model {model.name!r} is not compiled: call model.compile(optimizer=..., loss=..., "
            'metrics=["accuracy"]) first'
        )
    settings = {name: value for name, value in arguments.items() if name not in own}
    _refuse_unknown(settings, _compiled_with(model), f"{title}()" if built else None, takes)
    _set_on_optimizer(model, settings)
    return Network(accelerate(model), lecture, title, own, settings, built)


def length_of(lecture: LectureModel | None, epochs: int | None, batch_size: int | None) -> Length:
    """Return how long a training is: as asked for, or else as the lecture says, or as usual."""
    return Length(
        epochs or (lecture.epochs if lecture else EPOCHS),
        batch_size or (lecture.batch_size if lecture else BATCH_SIZE),
    )


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` as JSON can hold them; what it cannot is written as Python shows it."""
    converted: dict[str, Any] = json.loads(json.dumps(dict(values), default=repr))
    return converted


def _lecture(model_or_build: Any) -> LectureModel | None:
    """Return the entry of a lecture network that is named, or whose function is given."""
    if isinstance(model_or_build, str):
        return lookup(model_or_build)
    if not callable(model_or_build):
        raise StriateError(
            "striate.train takes a Keras model, a function that builds one, or the name of a "
            f"lecture network, not {type(model_or_build).__name__}"
        )
    name = getattr(model_or_build, "__name__", None)
    entry = REGISTRY.get(name) if isinstance(name, str) else None
    return entry if entry is not None and entry.function is model_or_build else None


def _accepted(build: Any, arguments: Mapping[str, Any]) -> tuple[Collection[str], dict[str, Any]]:
    """Return the names that the function takes, and those arguments that are among them."""
    parameters = inspect.signature(build).parameters
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
        return (), dict(arguments)
    return parameters, {name: value for name, value in arguments.items() if name in parameters}


def _call(
    lecture: LectureModel | None, build: Any, title: str, data: Dataset, own: Mapping[str, Any]
) -> Any:
    """Build the network, a lecture's for the images and classes of the data."""
    if lecture:
        fitting: dict[str, Any] = {"input_shape": data.image_shape, "classes": data.classes}
        try:
            return lecture.build(**{**fitting, **own})
        except StriateError:
            raise
        except (TypeError, ValueError) as error:  # Keras's words on a value that it does not take
            reason = str(error).partition("\n")[0]
            raise StriateError(f"{title} cannot be built: {reason}") from error
    try:
        inspect.signature(build).bind(**own)
    except TypeError as error:
        raise StriateError(f"{title}() is {error}: give it to striate.train by name") from None
    model = build(**own)
    if not isinstance(model, keras.Model):
        raise StriateError(f"{title}() returned {type(model).__name__}, not a Keras model")
    return model


def title_of(build: Any) -> str:
    """Return what to call the network of a function, or of a lecture network's name."""
    if isinstance(build, str):
        return lookup(build).name
    name = str(getattr(build, "__name__", type(build).__name__))
    return name if name.isidentifier() else "build"  # a lambda


def _refuse_unknown(
    settings: Mapping[str, Any], optimizer: Any, function: str | None, takes: Collection[str]
) -> None:
    """Raise if an argument is neither the function's nor a setting of the optimizer."""
    kind = type(optimizer).__name__
    known = _configuration(optimizer).keys() - _NOT_SETTABLE
    for name in settings:
        if name not in known:
            whose = f"neither an argument of {function} nor" if function else "not"
            raise StriateError(
                f"{name}= is {whose} a setting of the optimizer {kind}: "
                f"{nearest(name, {*known, *takes})}"
            )


def _set_on_optimizer(model: Any, settings: Mapping[str, Any]) -> None:
    """Set learning rate, momentum and the like on a compiled model."""
    old = _compiled_with(model)
    others = {name: value for name, value in settings.items() if name != "learning_rate"}
    try:
        if others:
            # The constructor checks the values, and decides which variables there are.
            new = type(old).from_config({**_configuration(old), **others})
            model.compile(**{**model._compile_config.config, "optimizer": new})
        if "learning_rate" in settings:
            model.optimizer.learning_rate = settings["learning_rate"]
    except (TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise StriateError(f"{type(old).__name__}: {reason}") from error


def _compiled_with(model: Any) -> Any:
    """Return the optimizer of a model without the loss scaling that Keras may wrap around it.

    Keras has no other way to compile again with the same loss and metrics, whatever they are,
    than what it remembers for saving.
    """
    return model._compile_config.config["optimizer"]


def _configuration(optimizer: Any) -> dict[str, Any]:
    with without_tensorflow():  # which Keras asks about a schedule of learning rates
        return dict(optimizer.get_config())


def _loss_name(loss: Any) -> str:
    if isinstance(loss, str):
        return loss
    return str(getattr(loss, "name", None) or getattr(loss, "__name__", type(loss).__name__))
