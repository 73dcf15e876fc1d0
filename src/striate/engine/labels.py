"""Encode class numbers as a model's loss needs them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from striate.errors import StriateError

_SPARSE = (
    keras.losses.SparseCategoricalCrossentropy,
    "sparse_categorical_crossentropy",
    keras.losses.sparse_categorical_crossentropy,
)


def encode(labels: np.ndarray, model: Any, classes: int) -> np.ndarray:
    """Return labels as the loss of a compiled model takes them.

    Parameters
    ----------
    labels
        Class numbers, (n,).
    model
        A compiled Keras model with one output of shape (n, units).
    classes
        Number of classes.

    Returns
    -------
    ndarray
        Class numbers (n,) for a sparse loss, 0 or 1 as (n, 1) for a model with one output, and
        otherwise one-hot rows (n, classes), float32.

    Raises
    ------
    StriateError
        If the number of outputs does not fit the number of classes.
    """
    shape = model.output_shape
    if isinstance(shape, list | dict) or len(shape) != 2:
        raise StriateError(
            f"training on class labels needs a model with one output of shape (n, {classes}), "
            f"but {model.name!r} gives {shape}: end it with Flatten and Dense({classes})"
        )
    units = shape[1]
    sparse = any(model.loss is s or isinstance(model.loss, _SPARSE[0]) for s in _SPARSE)
    if sparse or model.loss == _SPARSE[1]:
        if units < classes:
            raise _misfit(model, units, classes)
        return labels.astype(np.int32)
    if units == 1:
        if classes != 2:
            raise _misfit(model, units, classes)
        return labels.astype(np.float32)[:, None]
    if units != classes:
        raise _misfit(model, units, classes)
    return np.eye(classes, dtype=np.float32)[labels]


def _misfit(model: Any, units: int, classes: int) -> StriateError:
    return StriateError(
        f"model {model.name!r} has {units} output{'s' * (units != 1)}, but the data have "
        f"{classes} classes: end it with Dense({classes})"
    )
