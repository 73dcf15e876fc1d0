"""Class probabilities of a trained network for the images of a split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import StriateError

if TYPE_CHECKING:
    from striate.data import Split

BATCH_SIZE = 250
"""Images per batch; it changes nothing but memory and speed."""

_BLOCK = 40 * BATCH_SIZE
_ROUNDING = 1e-2  # rows of bfloat16 probabilities add up to 1 within this


def predict_probabilities(
    model: Any, split: Split, classes: int, batch_size: int = BATCH_SIZE
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the class probabilities that a network gives for each image, and how it was done.

    Images go through ``model.predict`` in blocks, so that those kept as bytes are never held as
    numbers all at once.

    Parameters
    ----------
    model
        Anything with ``predict(images, batch_size=..., verbose=0)``.
    split
        The images, ``(n, row, col, channel)``.
    classes
        How many classes the data has.
    batch_size
        Images per batch.

    Returns
    -------
    probabilities : numpy.ndarray
        ``(n, classes)`` float64, rows adding up to 1, NaN where the network's answer is not finite.
    notes : tuple of str
        What was done to outputs that were not probabilities of the classes.

    Raises
    ------
    StriateError
        If the network's outputs do not fit the classes.
    """
    blocks = []
    for start in range(0, len(split), _BLOCK):
        block = split.take(np.arange(start, min(start + _BLOCK, len(split))))
        outputs = model.predict(block.images, batch_size=batch_size, verbose=0)
        blocks.append(_one_output(model, outputs, classes))
    outputs = np.concatenate(blocks)
    return to_probabilities(outputs, from_logits=_trained_from_logits(model))


def to_probabilities(
    outputs: np.ndarray, from_logits: bool | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Turn the outputs of a network into class probabilities, and say how.

    One output is the probability of the second of two classes, or its logit. Several are
    probabilities when all lie in [0, 1], otherwise logits, to which softmax is applied.

    Parameters
    ----------
    outputs
        ``(n, 1)`` or ``(n, k)``.
    from_logits
        Whether they are logits, where that is known; judged by the values when None.

    Returns
    -------
    probabilities : numpy.ndarray
        ``(n, 2)`` or ``(n, k)`` float64; rows add up to 1, and are NaN where an output is not
        finite.
    notes : tuple of str
        Sentences.
    """
    # scipy.special takes longer to import than the rest of this package.
    from scipy.special import expit, softmax

    values = np.asarray(outputs, dtype=np.float64).copy()
    answered = np.isfinite(values).all(axis=1)
    values[~answered] = np.nan
    finite = values[answered]
    notes: list[str] = []
    if from_logits is None:
        from_logits = not bool(((finite >= 0) & (finite <= 1 + _ROUNDING)).all())
    if values.shape[1] == 1:
        if from_logits:
            finite = expit(finite)
            notes.append("The one output is a logit: the logistic function was applied.")
        probabilities = np.hstack([1 - finite, finite])
    elif from_logits:
        probabilities = softmax(finite, axis=1)
        notes.append("The outputs are logits: softmax was applied.")
    else:
        sums = finite.sum(axis=1, keepdims=True)
        if (np.abs(sums - 1) > _ROUNDING).any():
            notes.append("The outputs of an image do not add up to 1: divided by their sum.")
        probabilities = np.divide(finite, sums, out=np.full_like(finite, np.nan), where=sums > 0)
    result = np.full((len(values), probabilities.shape[1]), np.nan)
    result[answered] = probabilities
    return result, tuple(notes)


def refuse_other_images(model: Any, image_shape: Sequence[int], called: str, data: str) -> None:
    """Raise a StriateError if the network was built for images of another shape.

    Parameters
    ----------
    model
        A network; one that does not tell its ``input_shape`` is believed.
    image_shape
        (row, column, channel) of the data.
    called, data
        What an error calls the network and the data.
    """
    expected = getattr(model, "input_shape", None)
    if not isinstance(expected, tuple) or not all(
        n is None or isinstance(n, int) for n in expected
    ):
        return
    sides = expected[1:]
    actual = tuple(image_shape)
    if len(sides) == len(actual) and all(
        side in (None, n) for side, n in zip(sides, actual, strict=True)
    ):
        return
    raise StriateError(
        f"{called} takes images of shape {sides}, but those of {data} have {actual}: "
        "evaluate it on the data that it was made for, or train one with "
        f"input_shape={actual}"
    )


def _one_output(model: Any, outputs: Any, classes: int) -> np.ndarray:
    called = f"the network {getattr(model, 'name', '')!r}"
    if isinstance(outputs, list | tuple | dict):
        raise StriateError(
            f"{called} has {len(outputs)} outputs, but an evaluation needs one: "
            "make a model of the input and the output with the class probabilities"
        )
    array = np.asarray(outputs)
    wanted = (classes, 1) if classes == 2 else (classes,)
    if array.ndim == 2 and array.shape[1] in wanted:
        return array
    raise StriateError(
        f"{called} gives outputs of shape {array.shape[1:]} for an image, but the data has "
        f"{classes} classes: its last layer needs {classes} units"
    )


def _trained_from_logits(model: Any) -> bool | None:
    # Keras keeps from_logits on its loss objects; a loss given by name has none, and then the
    # values decide, because a custom loss may take logits as well.
    return True if getattr(getattr(model, "loss", None), "from_logits", False) is True else None
