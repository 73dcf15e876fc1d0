"""The network of a run on disk: as JSON without weights, as ``.keras``, and read again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from striate.backend import without_tensorflow
from striate.engine import accelerate
from striate.errors import StriateError
from striate.files import write_json
from striate.models.augmentation import Mirrored, MirrorMean, RandomShift
from striate.runs.directory import NETWORK

# Layers of our own that a stored network may have: Keras knows them once they are imported.
OWN_LAYERS = (Mirrored, MirrorMean, RandomShift)

# What Keras raises for a class that it does not know, and for a damaged file.
_CANNOT_MAKE = (TypeError, ValueError, ImportError, AttributeError, OSError, KeyError, BadZipFile)


def store(directory: Path, model: Any) -> None:
    """Write ``network.json``: architecture and compilation, without weights.

    Raises
    ------
    StriateError
        If Keras cannot describe the model.
    """
    try:
        with without_tensorflow():
            described = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
            # Keras stores the optimizer without the loss scaling that it wraps around it.
            optimizer = keras.saving.serialize_keras_object(model.optimizer)
        described["compile_config"]["optimizer"] = json.loads(json.dumps(optimizer))
    except (TypeError, ValueError, NotImplementedError) as error:
        raise StriateError(
            f"model {model.name!r} cannot be stored ({str(error).splitlines()[0]}): give its class "
            "get_config, as Keras needs it for saving"
        ) from error
    write_json(directory / NETWORK, described)


def restore(directory: Path) -> Any:
    """Return the accelerated model of ``network.json``, with fresh weights.

    Raises
    ------
    StriateError
        If the file is damaged, or a class of the user's own is not known here.
    """
    path = directory / NETWORK
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StriateError(f"{path} is damaged: {error}") from None
    try:
        model = keras.saving.deserialize_keras_object(described)
    except _CANNOT_MAKE as error:
        raise _cannot_make(path, error) from error
    if not isinstance(model, keras.Model) or not model.compiled:
        raise StriateError(f"{path} is damaged: it holds no compiled network")
    return accelerate(model)


def load(path: Path) -> Any:
    """Return the accelerated model of a ``.keras`` file.

    Raises
    ------
    StriateError
        If the file is damaged, or a class of the user's own is not known here.
    """
    try:
        return accelerate(keras.saving.load_model(path))
    except _CANNOT_MAKE as error:
        raise _cannot_make(path, error) from error


def assign(model: Any, state: Sequence[Sequence[np.ndarray]]) -> None:
    """Write weights, random state and optimizer of a checkpoint into a restored model."""
    model.optimizer.build(model.trainable_variables)
    groups = (model.trainable_variables, model.non_trainable_variables, model.optimizer.variables)
    for variables, values in zip(groups, state[:3], strict=True):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _cannot_make(path: Path, error: Exception) -> StriateError:
    # Keras says the cause last, after all that it was given, and then gives advice.
    cause = str(error).rpartition("Exception encountered: ")[2].partition("\n")[0].split(". ")[0]
    return StriateError(
        f"{path}: Keras cannot make this network ({cause}): where it has classes or functions of "
        "your own, import them first, registered with keras.saving.register_keras_serializable; "
        "a lambda is never read from a file"
    )
